"""What the first plan of modules/operations shows before anything exists, as policy checks read it: its JSON."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from terraform.calls import Call
from terraform.invocations import calls_of_jobs
from terraform.workspace import REPOSITORY, Terraform

FOLDER = "tests/terraform/operations"
DOMAIN = "arn:aws:es:eu-west-1:111122223333:domain/search"
FUNCTION = [
    "ReadTable", "DescribeIndex", "ReadIndex", "WriteIndex", "CreateIndex", "CreateNothingBelow", "ReadProjections",
    "CompareCode", "RedriveQueue", "ReadStream", "FindExports", "ReadExports", "WriteReports", "WriteLogs", "Trace",
    "AttachToVpc", "KeepCodeOffVpc",
]  # fmt: skip
STATE_MACHINE = ["InvokeFunction", "StartUnits", "FollowUnits", "DeliverLogs", "Trace"]
QUEUE, BUCKET = ["RedriveQueue", "ReadStream"], ["FindFailures", "RedriveBucket", "KeepFailures"]
INDEX = ["DescribeIndex", "ReadIndex", "WriteIndex", "CreateIndex", "CreateNothingBelow"]


@dataclass(frozen=True, slots=True)
class Change:
    """A resource, or a data source that is read while applying, in a plan."""

    after: dict[str, Any]
    unknown: dict[str, Any]
    """What is known only after the apply: true, or a member for each part."""

    @property
    def sids(self) -> list[str]:
        """The statements of a policy document, all of which must be known."""
        assert self.unknown["statement"] is not True, "one statement that isn't known hides them all"
        assert not any(one.get("sid") for one in self.unknown["statement"])
        return [statement["sid"] for statement in self.after["statement"]]

    def allows(self, call: Call) -> bool:
        """Whether a policy document whose ARNs are known allows it: what a statement denies, none can allow."""
        matching = [
            statement
            for statement in self.after["statement"]
            if call.action in statement["actions"]
            and any(fnmatchcase(call.resource, resource) for resource in statement["resources"] or ())
        ]
        return bool(matching) and all((statement["effect"] or "Allow") == "Allow" for statement in matching)


Plan = Callable[..., dict[str, Change]]


@pytest.fixture(scope="module")
def plan(terraform: Terraform) -> Plan:
    """The changes of a first plan, by address in the module, with these variables."""
    terraform.init(FOLDER)

    @cache
    def run(**variables: str) -> dict[str, Change]:
        given = [f"-var={name}={value}" for name, value in variables.items()]
        terraform(FOLDER, "plan", "-out=plan", *given)
        changes = json.loads(terraform(FOLDER, "show", "-json", "plan"))["resource_changes"]
        return {
            address.removeprefix("module.operations."): Change(one["after"], one["after_unknown"])
            for address, one in ((change["address"], change["change"]) for change in changes)
            if address.startswith("module.operations.")
        }

    return run


def document(name: str) -> str:
    return f"data.aws_iam_policy_document.{name}"


def test_the_first_plan_shows_every_statement(plan: Plan) -> None:
    assert plan()[document("function")].sids == FUNCTION
    assert plan()[document("state_machine")].sids == STATE_MACHINE


@pytest.mark.parametrize(
    ("variables", "gone", "there"),
    [
        ({"failures": "given-s3"}, QUEUE, BUCKET),
        ({"failures": "sns", "auth": "basic"}, [*QUEUE, *INDEX], ["ReadPassword"]),
    ],
    ids=str,
)
def test_what_decides_on_a_statement_is_known_at_plan(
    plan: Plan, variables: dict[str, str], gone: list[str], there: list[str]
) -> None:
    """The kind of destination and of authentication are, though no ARN is."""
    assert set(plan(**variables)[document("function")].sids) == {*FUNCTION, *there} - set(gone)


def test_who_may_assume_the_roles_is_in_the_plan(plan: Plan) -> None:
    assert plan()[document("assume_function_role")].sids == ["LambdaRunsTheFunction"]
    assert plan()[document("assume_state_machine_role")].sids == ["StepFunctionsRunsTheStateMachine"]
    asked = [
        (condition["test"], condition["variable"])
        for condition in plan()[document("assume_state_machine_role")].after["statement"][0]["condition"]
    ]
    assert sorted(asked) == [("ArnLike", "aws:SourceArn"), ("StringEquals", "aws:SourceAccount")]


def test_new_keys_hide_nothing_but_themselves(plan: Plan) -> None:
    """The provider shows a map only as a whole: here every value of the environment is known."""
    function = plan(existing="true")["aws_lambda_function.this"]
    assert function.unknown["kms_key_arn"] is True
    assert function.after["environment"][0]["variables"] == {
        "AWS_ENDPOINT_URL_DYNAMODB": "https://search.example.com",
        "DEAD_LETTER_ARN": "arn:aws:sqs:eu-west-1:111122223333:failures",
        "INDICES": "arn:aws:ssm:eu-west-1:111122223333:parameter/indices",
        "LOG_LEVEL": "INFO",
        "MAX_CONCURRENCY": "10",
        "OPENSEARCH_AUTH": "sigv4",
        "OPENSEARCH_ENDPOINT": "https://search.example.com",
        "OPENSEARCH_SERVICE": "es",
        "REPORT_BUCKET": "reports",
        "REQUEST_TIMEOUT_SECONDS": "20",
        "SYNC_FUNCTION": "products-sync:live",
        "SYNC_NAME": "products-opensearch-operations",
        "TABLE_KEYS": "productId",
        "TABLE_NAME": "products",
        "TRANSFORM_LAYERS": "arn:aws:lambda:eu-west-1:111122223333:layer:transform:1",
    }
    machine = plan()["aws_sfn_state_machine.this"].after
    assert machine["logging_configuration"] == [{"include_execution_data": False, "level": "ERROR"}]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("Put", "products", True),
        ("Put", "products-1", True),
        ("Put", "products-2026.11.28", True),
        ("Put", "products-1/_mapping", False),
        ("Put", "products-1/_settings", False),
        ("Put", "products-1/_doc/x", False),
        ("Put", "products-1/_alias/products", False),
        ("Put", "products-1/", False),
        ("Put", "products/_mapping", False),
        ("Put", "products/_doc/x", False),
        ("Put", "orders", False),
        ("Put", "orders/products-1", False),
        ("Post", "products-1/_bulk", True),
        ("Post", "products-1/_doc/x", False),
        ("Post", "products-1/_update/x", False),
        ("Delete", "products-1", False),
        ("Delete", "products", False),
    ],
)
def test_a_pattern_allows_to_create_indices_and_nothing_below_them(
    plan: Plan, method: str, path: str, *, allowed: bool
) -> None:
    """IAM's ``*`` matches slashes too."""
    policy = plan(existing="true")[document("function")]
    assert policy.allows(Call(f"es:ESHttp{method}", f"{DOMAIN}/{path}")) == allowed


def test_all_jobs_can_be_done_and_the_sync_is_asked_by_its_alias(plan: Plan) -> None:
    changes = plan(existing="true")
    environment = changes["aws_lambda_function.this"].after["environment"][0]["variables"]
    types = ("backfill", "create-index", "load", "redrive", "repair", "verify")
    calls = calls_of_jobs(environment, {"search.example.com": DOMAIN}, types, ("products",), (None, "products-1"))

    assert [call for call in sorted(calls) if not changes[document("function")].allows(call)] == []
    [asked] = [call.resource for call in calls if call.action == "lambda:GetFunctionConfiguration"]
    assert asked == "arn:aws:lambda:eu-west-1:111122223333:function:products-sync:live"


def test_a_sync_in_another_region_than_the_providers_is_refused(terraform: Terraform) -> None:
    terraform.init(FOLDER)
    said = terraform(FOLDER, "plan", "-var=region=us-east-1", allowed=(1,))
    assert "provider is of eu-west-1: give the module the provider of the sync's Region" in flat(said)
    assert "sync.settings.table.arn is arn:aws:dynamodb:us-east-1:111122223333:table/products" in flat(said)


def test_a_module_without_its_repository_is_refused_with_what_to_write(terraform: Terraform) -> None:
    """An absolute path without // is fetched alone, and so is the folder of an archive."""
    folder = terraform.copy / "tests/terraform/alone"
    folder.mkdir(exist_ok=True)
    text = (REPOSITORY / FOLDER / "main.tf").read_text(encoding="utf-8")
    alone = terraform.copy / "modules/operations"
    (folder / "main.tf").write_text(text.replace("../../../modules/operations", str(alone)), encoding="utf-8")
    terraform.init("tests/terraform/alone")
    said = flat(terraform("tests/terraform/alone", "plan", allowed=(1,)))
    assert 'so that it fetches the whole repository: source = "…//modules/operations"' in said

    whole = text.replace("../../../modules/operations", f"{terraform.copy}//modules/operations")
    (folder / "main.tf").write_text(whole, encoding="utf-8")
    terraform.init("tests/terraform/alone")
    terraform("tests/terraform/alone", "plan")


def flat(said: str) -> str:
    """Terraform's output without its frames and line breaks."""
    return " ".join(re.sub(r"[│╷╵]", " ", said).split())


def test_no_document_names_a_managed_resource() -> None:
    """Terraform reads such a document only after each change of that resource, and shows all of IAM as changed."""
    text = re.sub(r"#.*", "", (REPOSITORY / "modules/operations/iam.tf").read_text(encoding="utf-8"))
    documents = re.findall(r'^data "aws_iam_policy_document" "(\w+)" {\n(.*?)^}', text, re.DOTALL | re.MULTILINE)
    assert len(documents) == 6
    assert [name for name, body in documents if re.search(r"(?<!data\.)\baws_\w+\.\w+", body)] == []
