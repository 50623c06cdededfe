"""What the .tf files promise to their readers and callers."""

import fnmatch
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.docs import Block, read_blocks

REPOSITORY = Path(__file__).resolve().parents[2]
LEAVES = tuple(
    sorted(path.parent.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("modules/*/versions.tf"))
)
EXAMPLES = tuple(
    sorted(path.parent.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("examples/*/versions.tf"))
)
OURS = (".", *LEAVES)
MODULES = (*OURS, *EXAMPLES)
WIDTH = 120

KAFKA, SQS, FIFO = "is for Kafka", "is for SQS", "is for FIFO queues and topics: Lambda delivers to standard ones only"
SECRETS = "is for secrets, of which it holds none"
OF_ITS_OWN = "deprecated, or has a resource of its own: two owners would undo each other's work"
# Arguments that the modules don't send, and why. A provider's new one fails the test until it is sent or listed here.
LEFT_OUT = {
    "aws_lambda_event_source_mapping": {
        "amazon_managed_kafka_event_source_config": KAFKA,
        "document_db_event_source_config": "is for DocumentDB",
        "provisioned_poller_config": KAFKA,
        "queues": "is for Amazon MQ",
        "scaling_config": SQS,
        "self_managed_event_source": KAFKA,
        "self_managed_kafka_event_source_config": KAFKA,
        "source_access_configuration": "is for Kafka and Amazon MQ",
        "starting_position_timestamp": "is for AT_TIMESTAMP, which DynamoDB streams don't know",
        "topics": KAFKA,
    },
    "aws_lambda_alias": {"routing_config": "all batches go to one version"},
    "aws_lambda_function": {
        "dead_letter_config": "is for asynchronous invocations: a stream's failures go to destination_config",
        "file_system_config": "the function reads and writes no files",
        "image_*": "is for images",
        "snap_start": "a stream's function is warm",
    },
    "aws_cloudwatch_metric_alarm": {
        "evaluate_low_sample_count_percentiles": "is for percentiles",
        "extended_statistic": "is for percentiles: the alarms ask for the most, the least or the sum",
        "metric_query": "is for calculated metrics",
        "threshold_metric_id": "is for anomaly detection",
        "unit": "AWS and the function give each metric one unit",
    },
    "aws_cloudwatch_log_group": {
        "log_group_class": "AWS's default is the one that is needed, and some partitions accept none",
        "name_prefix": "its name says which function it belongs to",
    },
    "aws_dynamodb_table": {
        "*_secondary_index": "the search index takes their place",
        "import_table": "is for a table that is created from files",
        "on_demand_throughput": "a ceiling for writers is for their owner to set",
        "replica": "is for global tables",
        "restore_*": "is for a table that is created from another",
    },
    "aws_iam_role": {
        "force_detach_policies": "policies that others attached should stop a destroy",
        "inline_policy": OF_ITS_OWN,
        "managed_policy_arns": OF_ITS_OWN,
        "max_session_duration": "is for people: Lambda renews its sessions",
    },
    "aws_iam_role_policy": {"name_prefix": "it has a name"},
    "aws_s3_bucket": {
        "acceleration_status": OF_ITS_OWN,
        "acl": OF_ITS_OWN,
        "bucket": "AWS completes the name",
        "cors_rule": OF_ITS_OWN,
        "grant": OF_ITS_OWN,
        "lifecycle_rule": OF_ITS_OWN,
        "logging": OF_ITS_OWN,
        "object_lock_*": "objects may be deleted once they are redriven",
        "policy": OF_ITS_OWN,
        "replication_configuration": OF_ITS_OWN,
        "request_payer": OF_ITS_OWN,
        "server_side_encryption_configuration": OF_ITS_OWN,
        "versioning": OF_ITS_OWN,
        "website": OF_ITS_OWN,
    },
    "aws_s3_bucket_lifecycle_configuration": {
        "expected_bucket_owner": "the bucket is created here",
        "transition_default_minimum_object_size": "nothing is moved to another storage class",
        "rule.expiration.date": "days are given",
        "rule.expiration.expired_object_delete_marker": "there are no versions",
        "rule.filter.*": "for all objects",
        "rule.noncurrent_version_*": "there are no versions",
        "rule.prefix": OF_ITS_OWN,
        "rule.transition": "nothing is moved to another storage class",
    },
    "aws_s3_bucket_server_side_encryption_configuration": {"expected_bucket_owner": "the bucket is created here"},
    "aws_ssm_parameter": {
        "allowed_pattern": "the module alone writes it",
        "arn": "computed",
        "key_id": SECRETS,
        "overwrite": "its name is new with each content",
        "value": SECRETS,
        "value_wo*": SECRETS,
    },
    "aws_sns_topic": {
        "*_feedback_*": "delivery to subscribers is for their owner to watch",
        "archive_policy": FIFO,
        "content_based_deduplication": FIFO,
        "delivery_policy": "is for HTTP subscribers",
        "display_name": "is for text messages",
        "fifo_throughput_scope": FIFO,
        "name_prefix": "it has a name",
        "signature_version": "is for HTTP subscribers",
        "tracing_config": "nothing upstream of a stream traces",
    },
    "aws_sns_topic_subscription": {
        "delivery_policy": "SNS's own is for HTTP subscribers",
        "filter_policy*": "each failure counts",
        "redrive_policy": "what a subscriber doesn't take is for its owner to keep",
        "replay_policy": FIFO,
    },
    "aws_sqs_queue": {
        "content_based_deduplication": FIFO,
        "deduplication_scope": FIFO,
        "fifo_throughput_limit": FIFO,
        "name_prefix": "it has a name",
        "redrive_allow_policy": OF_ITS_OWN,
        "redrive_policy": OF_ITS_OWN,
    },
}


def tf_files(folder: str) -> list[Path]:
    return sorted((REPOSITORY / folder).glob("*.tf"))


def source(folder: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in tf_files(folder))


def code(folder: str) -> str:
    """The source without its comments."""
    return re.sub(r"(^|\s)#.*$", "", source(folder), flags=re.MULTILINE)


def variables(folder: str) -> list[Block]:
    return read_blocks(REPOSITORY / folder / "variables.tf", "variable")


def outputs(folder: str) -> list[Block]:
    return read_blocks(REPOSITORY / folder / "outputs.tf", "output")


def block(text: str, header: str) -> str:
    """The body of the block in the first column that starts with `header`."""
    found = re.search(rf"^{re.escape(header)} {{\n(.*?)^}}", text, re.DOTALL | re.MULTILINE)
    assert found, f"there is no {header}"
    return found[1]


@pytest.mark.parametrize("folder", MODULES)
def test_every_variable_has_a_type_and_a_description(folder: str) -> None:
    lacking = [v.name for v in variables(folder) if "type" not in v.arguments or not v.description.endswith((".", ")"))]
    assert lacking == []


@pytest.mark.parametrize("folder", MODULES)
def test_every_output_has_a_description(folder: str) -> None:
    assert [output.name for output in outputs(folder) if not output.description.endswith((".", ")"))] == []


@pytest.mark.parametrize("folder", MODULES)
def test_variables_are_alphabetical_after_the_required_ones(folder: str) -> None:
    found = [(not variable.required, variable.name) for variable in variables(folder)]
    assert found == sorted(found)


@pytest.mark.parametrize("folder", MODULES)
def test_outputs_are_alphabetical(folder: str) -> None:
    names = [output.name for output in outputs(folder)]
    assert names == sorted(names)


@pytest.mark.parametrize("folder", MODULES)
def test_every_variable_is_used(folder: str) -> None:
    text = re.sub(r"^variable .*?^}$", "", code(folder), flags=re.DOTALL | re.MULTILINE)
    assert [v.name for v in variables(folder) if not re.search(rf"\bvar\.{v.name}\b", text)] == []


@pytest.mark.parametrize("folder", OURS)
def test_a_default_is_null_or_survives_a_null_from_outside(folder: str) -> None:
    """A caller passes on null for what is not given: `nullable = false` turns it into the default.

    Null switches a threshold's alarm off, and its description says so.
    """
    wrong = [
        variable.name
        for variable in variables(folder)
        if (variable.arguments.get("default") != "null") != (variable.arguments.get("nullable") == "false")
        and "Null: no alarm" not in variable.description
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", MODULES)
def test_the_only_provider_is_hashicorp_aws(folder: str) -> None:
    required = re.search(r"required_providers {\n(.*?)\n  }\n", source(folder), re.DOTALL)
    assert required is not None
    assert re.findall(r'^    (\w+) += {|source += "(.+)"', required[1], re.MULTILINE) == [
        ("aws", ""),
        ("", "hashicorp/aws"),
    ]


@pytest.mark.parametrize("folder", MODULES)
def test_all_modules_ask_for_the_same_versions(folder: str) -> None:
    def versions(of: str) -> list[str]:
        return re.findall(r'\bversion += ("[<>~=][^"]+")|required_version += ("[^"]+")', source(of))

    assert versions(folder) == versions(".")


@pytest.mark.parametrize("folder", OURS)
def test_no_data_source_calls_aws_or_another_program_at_plan(folder: str) -> None:
    offline = {"aws_iam_policy_document", "aws_region"}
    assert set(re.findall(r'^data "(\w+)"', code(folder), re.MULTILINE)) <= offline


@pytest.mark.parametrize("folder", MODULES)
def test_every_resource_is_awss_and_no_provisioner_runs(folder: str) -> None:
    kinds = set(re.findall(r'^resource "(\w+)"', code(folder), re.MULTILINE))
    assert {kind for kind in kinds if not kind.startswith("aws_")} == set()
    assert not re.search(r"^\s*provisioner\b", code(folder), re.MULTILINE)


@pytest.mark.parametrize("folder", MODULES)
def test_nothing_depends_on_the_machine_or_the_time_of_the_plan(folder: str) -> None:
    """Else another checkout, or the next plan, would show a change."""
    assert re.findall(r"abspath\(|path\.cwd|path\.root|timestamp\(\)|uuid\(\)", code(folder)) == []


@pytest.mark.parametrize("folder", MODULES)
def test_nothing_is_used_that_only_terraform_knows(folder: str) -> None:
    """OpenTofu 1.9 has no ephemeral values, write-only arguments, actions or list blocks, and no Terraform Cloud."""
    terraforms_own = (
        r"^(?:ephemeral|action|list) \"|^ +(?:ephemeral|\w+_wo(?:_version)?) +=|^ +cloud {|\bterraform_applying\b"
    )
    assert re.findall(terraforms_own, code(folder), re.MULTILINE) == []
    assert 'required_version = ">= 1.9.0"' in code(folder)


@pytest.mark.parametrize("folder", OURS)
def test_a_module_calls_no_other(folder: str) -> None:
    assert re.findall(r'^module "(\w+)"', code(folder), re.MULTILINE) == []


@pytest.mark.parametrize("module", ["modules/monitoring", "modules/operations"])
def test_a_module_asks_the_sync_for_what_the_root_gives(module: str) -> None:
    """An optional attribute with another name would be null, silently."""
    [sync] = [variable for variable in variables(module) if variable.name == "sync"]
    asked = attributes(sync.arguments["type"].removeprefix("object(").removesuffix(")"))
    given = {output.name: output for output in outputs(".")}
    assert set(asked) - set(given) == set()
    if settings := asked.get("settings"):
        values = attributes(given["settings"].arguments["value"])
        assert set(attributes(inside(settings))) == set(values)
        table = attributes(inside(settings))["table"]
        assert set(attributes(inside(table))) == set(attributes(values["table"]))


def inside(kind: str) -> str:
    """The braces in ``object({ … })`` or ``optional(object({ … }))``."""
    return kind[kind.index("{") : kind.rindex("}") + 1]


def attributes(braces: str) -> dict[str, str]:
    """Name -> value of each attribute between braces, as read_blocks writes them in one line."""
    found, depth, start = {}, 0, 2
    text = braces.strip()
    assert text.startswith("{ ")
    assert text.endswith(" }")
    for position, character in enumerate(text):
        depth += (character in "{[(") - (character in "}])")
        if (depth == 1 and character == ",") or position == len(text) - 1:
            name, _, value = text[start:position].strip().partition(" = ")
            found[name] = value
            start = position + 1
    return found


def test_the_operator_may_not_be_told_otherwise_than_the_sync() -> None:
    """What the caller of modules/operations may set: all but its own variables, and those that both must share."""
    reserved = reserved_names("modules/operations")
    function = (REPOSITORY / "modules/operations/function.tf").read_text(encoding="utf-8")
    own = re.findall(r"^    ([A-Z_]+) +=", block_of_local(function, "environment"), re.MULTILINE)
    tuning = {"BULK_ACTIONS", "BULK_BYTES", "BULK_CONNECTIONS", "COMPRESSION"}
    assert reserved == sorted({*reserved_names("."), *own} - tuning)


@pytest.mark.parametrize("folder", [".", "modules/monitoring", "modules/table"])
def test_every_argument_that_applies_is_sent(resource_schemas: dict[str, Any], folder: str) -> None:
    """The provider keeps the old value of some arguments that are no longer sent; so all are, always."""
    resources = re.findall(r'^resource "(\w+)" "\w+" {\n(.*?)^}', code(folder), re.DOTALL | re.MULTILINE)
    assert resources
    unsent = {
        kind: lacking
        for kind, body in resources
        if (
            lacking := [
                name for name in arguments_not_sent(resource_schemas[kind]["block"], body) if not left_out(kind, name)
            ]
        )
    }
    assert unsent == {}


def test_every_argument_that_is_left_out_exists_and_is_not_sent(resource_schemas: dict[str, Any]) -> None:
    lacking = {
        f"{kind}.{name}"
        for folder in (".", "modules/monitoring", "modules/table")
        for kind, body in re.findall(r'^resource "(\w+)" "\w+" {\n(.*?)^}', code(folder), re.DOTALL | re.MULTILINE)
        for name in arguments_not_sent(resource_schemas[kind]["block"], body)
    }
    patterns = [f"{kind}.{name}" for kind, names in LEFT_OUT.items() for name in names]
    assert [pattern for pattern in patterns if not fnmatch.filter(lacking, pattern)] == []


def arguments_not_sent(schema: dict[str, Any], body: str) -> Iterator[str]:
    """Arguments of a resource, and of the blocks that it has, that its body doesn't give."""
    attributes = schema.get("attributes", {}).items()
    known = {name for name, argument in attributes if argument.get("optional") or argument.get("required")}
    blocks = schema.get("block_types", {})
    sent = set(re.findall(r'^  (?:dynamic "(?=\w))?(\w+)"? *[={]', body, re.MULTILINE))
    yield from sorted((known | set(blocks)) - sent - {"id", "tags_all", "timeouts"})
    for name in sorted(sent & set(blocks)):
        inner = re.search(rf'^  (dynamic "{name}"|{name}) {{(?:\n(.*?)^  )?}}', body, re.DOTALL | re.MULTILINE)
        assert inner is not None
        content = re.sub(r"^  (?=  )" if inner[1] == name else r"^    (?=  )", "", inner[2] or "", flags=re.MULTILINE)
        yield from (f"{name}.{lacking}" for lacking in arguments_not_sent(blocks[name]["block"], content))


def left_out(kind: str, name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in LEFT_OUT.get(kind, {}))


def block_of_local(text: str, name: str) -> str:
    found = re.search(rf"^  {name} = {{\n(.*?)^  }}", text, re.DOTALL | re.MULTILINE)
    assert found, f"there is no local {name}"
    return found[1]


def reserved_names(folder: str) -> list[str]:
    """The environment variables that a caller may not set, as the validation lists them."""
    found = re.search(r"keys\(var\.environment_variables\), \[\n(.*?)\]\)", source(folder), re.DOTALL)
    assert found
    return sorted(re.findall(r'"(\w+)"', found[1]))


def test_users_can_set_no_environment_variable_that_the_module_sets() -> None:
    ours = block_of_local((REPOSITORY / "function.tf").read_text(encoding="utf-8"), "environment")
    assert reserved_names(".") == re.findall(r"^    (\w+) +=", ours, re.MULTILINE)


def test_the_module_sets_every_setting_that_the_function_reads() -> None:
    settings = (REPOSITORY / "lambda/src/dynamodb_opensearch/settings.py").read_text(encoding="utf-8")
    ours = block_of_local((REPOSITORY / "function.tf").read_text(encoding="utf-8"), "environment")
    read = set(re.findall(r'\b(?:read|self)\.\w+\(\s*"(\w+)"|environment\.get\("(\w+)"', settings))
    lambdas_own = {"AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"}
    operators_own = {"TRANSFORM_LAYERS"}  # jobs note with it what an index was filled by
    names = {name for pair in read for name in pair if name} - lambdas_own - operators_own
    assert set(re.findall(r"^    (\w+) +=", ours, re.MULTILINE)) == names


def test_every_star_in_a_policy_has_its_reason() -> None:
    """The comment above a statement that names all resources says why AWS knows no narrower one."""
    text = (REPOSITORY / "iam.tf").read_text(encoding="utf-8")
    document = block(text, 'data "aws_iam_policy_document" "this"')
    statements = re.findall(
        r'((?:^  #.*\n)*)^  (?:dynamic "statement"|statement) {\n((?:    .*\n|\n)*)^  }$', document, re.MULTILINE
    )
    starred = [comment for comment, body in statements if '["*"]' in body or '*"]' in body]
    assert len(starred) == 5
    assert [comment for comment in starred if "`*`" not in comment] == []


def test_no_line_is_longer_than_the_pythons() -> None:
    patterns = ("*.tf", "modules/**/*.tf", "modules/**/*.hcl", "examples/**/*.tf")
    files = [path for pattern in (*patterns, "tests/**/*.tf", "tests/**/*.hcl") for path in REPOSITORY.glob(pattern)]
    long = [
        f"{path.relative_to(REPOSITORY)}:{number}"
        for path in files
        if ".terraform" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > WIDTH and "git::https://" not in line  # an address may be long, and can't be broken
    ]
    assert files
    assert long == []
