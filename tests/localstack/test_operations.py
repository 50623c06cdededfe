"""Jobs run by the state machine itself, on LocalStack's engine: planned, done as a distributed map, added up."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import python_terraform
from engines import LocalStackNode, OpenSearchNode, terraform_environment
from opensearch import api
from python_terraform import IsFlagged, IsNotFlagged, Terraform
from terraform.applied import AppliedExample
from terraform.workspace import REPOSITORY, copy_repository

NAME = "operated"
ITEMS = 60
FOLDER = "tests/localstack/operations"
# What LocalStack's state machine doesn't return.
FORGOTTEN = {"tracing_configuration"}


class Stack:
    """A table, its index, and the state machine."""

    def __init__(self, terraform: Terraform, aws: LocalStackNode, node: OpenSearchNode) -> None:
        self.terraform = terraform
        self.node, self.aws = node, aws
        self.outputs = {name: output["value"] for name, output in terraform.output().items()}
        self._session = boto3.Session("test", "test", region_name=aws.region)

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self.aws.url)

    def execute(self, **job: Any) -> dict[str, Any]:
        """Run a job to its end; how the execution ended."""
        states = self.client("stepfunctions")
        arn = states.start_execution(stateMachineArn=self.outputs["state_machine_arn"], input=json.dumps({"job": job}))[
            "executionArn"
        ]
        end = time.monotonic() + 120
        while (execution := states.describe_execution(executionArn=arn))["status"] == "RUNNING":
            assert time.monotonic() < end, f"the execution {job} has no end"
            time.sleep(0.3)
        return dict(execution)

    def counts(self, **job: Any) -> Any:
        """What a job that must succeed comes to."""
        execution = self.execute(**job)
        assert execution["status"] == "SUCCEEDED", {key: execution.get(key) for key in ("error", "cause")}
        return json.loads(execution["output"])["counts"]

    def invocations(self) -> int:
        """How many parts of units were done so far: each is told of by one line of metrics."""
        group = f"/aws/lambda/{self.outputs['function_name']}"
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return sum('"Steps"' in event["message"] for page in pages for event in page["events"])

    def verify(self) -> Any:
        return self.counts(type="verify", segments=3, patienceSeconds=0)

    def write(self, method: str, document_id: str, body: Any = None) -> None:
        path = f"/{NAME}/_doc/{document_id}"
        api.call(self.node, method, f"{path}?refresh=true", body)

    def reports(self) -> list[dict[str, Any]]:
        """All findings in the bucket of reports."""
        s3, bucket = self.client("s3"), self.outputs["reports"]
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        bodies = [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys]
        return [json.loads(line) for body in bodies for line in body.splitlines()[1:]]


@pytest.fixture(scope="module")
def stack(aws: LocalStackNode, opensearch_node: OpenSearchNode, tmp_path_factory: Any) -> Iterator[Stack]:
    folder = copy_repository(tmp_path_factory.mktemp("operations")) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf").write_bytes((REPOSITORY / FOLDER / "main.tf").read_bytes())
    variables = {"aws_endpoint": aws.url, "opensearch_endpoint": opensearch_node.url, "name": NAME}
    with terraform_environment() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        # It logs every exit code but 0 by a method that Python deprecates.
        patch.setattr(python_terraform.log, "warn", python_terraform.log.warning)
        terraform = Terraform(working_dir=str(folder), variables=variables)
        terraform.init(raise_on_error=True)
        try:
            terraform.apply(skip_plan=True, raise_on_error=True)
            stack = Stack(terraform, aws, opensearch_node)
            table = boto3.Session("test", "test", region_name=aws.region).resource("dynamodb", endpoint_url=aws.url)
            with table.Table(NAME).batch_writer() as batch:
                for number in range(ITEMS):
                    batch.put_item(Item={"pk": f"i-{number:03}", "n": number, "tags": {"a", "b"}, "on": True})
            yield stack
        finally:
            # python-terraform knows Terraform before 0.15: its own -force is taken off.
            terraform.destroy(force=IsNotFlagged, auto_approve=IsFlagged, raise_on_error=True)


def test_an_existing_table_becomes_searchable_is_proven_and_mended(stack: Stack) -> None:
    """One test, for each job works on what the one before left."""
    missing = stack.execute(type="backfill", segments=3)
    assert (missing["status"], missing["error"]) == ("FAILED", "ConfigurationError")
    assert "it doesn't exist; create it" in missing["cause"]

    assert stack.counts(type="create-index", name=f"{NAME}-1") == {"created": 1}
    mappings = api.decoded(stack.node, "GET", f"/{NAME}-1/_mapping")[f"{NAME}-1"]["mappings"]
    assert mappings["properties"]["n"] == {"type": "double", "ignore_malformed": True}

    # Pages of a few items, so that a unit has more than one step.
    assert stack.counts(type="backfill", segments=3, pageItems=7) == {"items": ITEMS, "written": ITEMS}
    assert stack.verify() == {"items": ITEMS, "documents": ITEMS}

    stack.write("DELETE", "i-000")
    stack.write("PUT", "i-001", {"pk": "i-001", "n": 1000})
    stack.write("PUT", "nobody", {"pk": "nobody"})
    assert stack.verify() == {"items": ITEMS, "documents": ITEMS, "missing": 1, "stale": 1, "ghost": 1}
    found = sorted((one["kind"], one["id"]) for one in stack.reports() if one["kind"] not in {"created", "proposed"})
    assert found == [("ghost", "nobody"), ("missing", "i-000"), ("stale", "i-001")]

    repaired = stack.counts(type="repair", segments=3, patienceSeconds=0)
    assert (repaired["repaired"], repaired.get("refused", 0)) == (3, 0)
    assert stack.verify() == {"items": ITEMS, "documents": ITEMS}


def test_dead_letters_are_redriven(stack: Stack) -> None:
    sqs, url = stack.client("sqs"), stack.outputs["queue_url"]
    letter = {"kind": "document", "table": NAME, "index": NAME, "keys": {"pk": {"S": "gone"}}, "reason": {"type": "x"}}
    stack.write("PUT", "gone", {"pk": "gone"})
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(letter))

    assert stack.counts(type="redrive") == {"failures": 1, "redriven": 1}

    assert api.source(stack.node, NAME, "gone") is None
    assert "Messages" not in sqs.receive_message(QueueUrl=url)


def test_a_wrong_job_fails_with_what_is_allowed(stack: Stack) -> None:
    execution = stack.execute(type="fill")
    assert (execution["status"], execution["error"]) == ("FAILED", "ConfigurationError")
    assert "the job's type is 'fill': it must be one of backfill, verify" in execution["cause"]


def test_the_commands_name_the_state_machine(stack: Stack) -> None:
    commands = stack.outputs["commands"]
    assert sorted(commands) == ["backfill", "create-index", "list", "redrive", "repair", "verify"]
    assert all(stack.outputs["state_machine_arn"] in command for command in commands.values())
    assert '\'{"job":{"type":"backfill"}}\'' in commands["backfill"]


def test_a_unit_takes_as_many_invocations_as_it_needs(stack: Stack) -> None:
    """So slowly that an invocation's 12 s don't hold a segment."""
    before = stack.invocations()
    counts = stack.counts(type="backfill", segments=2, pageItems=2, readUnitsPerSecond=4)
    assert counts["items"] == ITEMS
    assert stack.invocations() - before > 2


def test_a_second_plan_changes_nothing_but_what_localstack_forgets(stack: Stack) -> None:
    example = AppliedExample(Path(stack.terraform.working_dir), stack.terraform, stack.aws)
    machine = "module.operations.aws_sfn_state_machine.this"
    assert {address: set(change) for address, change in example.planned_changes().items()} == {machine: FORGOTTEN}


def test_a_tag_or_a_retention_changes_nothing_else(stack: Stack) -> None:
    """Above all no role and no policy: who reviews a plan would have to read them again."""
    variables = stack.terraform.variables
    stack.terraform.variables = {**variables, "team": "other", "retention": 7}
    try:
        changes = AppliedExample(Path(stack.terraform.working_dir), stack.terraform, stack.aws).planned_changes()
    finally:
        stack.terraform.variables = variables
    ours = {address.removeprefix("module.operations."): set(change) for address, change in changes.items()}
    tags = {"tags", "tags_all"}
    ours["aws_sfn_state_machine.this"] -= FORGOTTEN
    assert ours == {
        "aws_cloudwatch_log_group.state_machine[0]": {*tags, "retention_in_days"},
        "aws_cloudwatch_log_group.this": {*tags, "retention_in_days"},
        "aws_iam_role.function[0]": tags,
        "aws_iam_role.state_machine[0]": tags,
        "aws_lambda_function.this": tags,
        "aws_sfn_state_machine.this": tags,
    }
