"""modules/monitoring beside a sync on LocalStack: what is made, when an alarm goes off, and who is told.

LocalStack looks at an alarm when it is put, and then whenever all its periods are over: minutes. So that a test needn't
wait, it puts the same alarm again once there is data.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import python_terraform
from engines import LocalStackNode, terraform_environment
from python_terraform import IsFlagged, IsNotFlagged, Terraform
from terraform.applied import client, eventually
from terraform.workspace import REPOSITORY, copy_repository

NAME = "watched"
FOLDER = "tests/localstack/monitoring"


class Stack:
    """An applied sync with its alarms."""

    def __init__(self, terraform: Terraform, aws: LocalStackNode, queue_urls: Mapping[str, str]) -> None:
        self.terraform = terraform
        self.outputs = {name: output["value"] for name, output in terraform.output().items()}
        self._aws, self._queue_urls = aws, queue_urls

    def client(self, service: str) -> Any:
        return client(self._aws, service)

    def alarms(self) -> dict[str, dict[str, Any]]:
        """Alarm, without the sync's name -> what CloudWatch says of it."""
        prefix = f"{self.outputs['function_name']}-"
        found = self.client("cloudwatch").describe_alarms(AlarmNamePrefix=prefix)["MetricAlarms"]
        return {alarm["AlarmName"].removeprefix(prefix): alarm for alarm in found}

    def emit(self, alarm: str, value: float) -> None:
        """Give the alarm's metric a value, and let the alarm be looked at."""
        cloudwatch, made = self.client("cloudwatch"), self.alarms()[alarm]
        before = datetime.now(UTC) - timedelta(seconds=30)  # LocalStack asks for what was before this second
        metric = {
            "MetricName": made["MetricName"],
            "Dimensions": made["Dimensions"],
            "Value": value,
            "Timestamp": before,
        }
        cloudwatch.put_metric_data(Namespace=made["Namespace"], MetricData=[metric])
        allowed = cloudwatch.meta.service_model.operation_model("PutMetricAlarm").input_shape.members
        cloudwatch.put_metric_alarm(**{name: made[name] for name in allowed if name in made})

    def told(self, topic: str, alarm: str, state: str) -> dict[str, Any]:
        """What the topic's subscribers are told of the alarm when it comes into the state."""
        sqs, url = self.client("sqs"), self._queue_urls[topic]

        def look() -> dict[str, Any] | None:
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
                "Messages", []
            ):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                notification: dict[str, Any] = json.loads(json.loads(message["Body"])["Message"])
                name = f"{self.outputs['function_name']}-{alarm}"
                if (notification["AlarmName"], notification["NewStateValue"]) == (name, state):
                    return notification
            return None

        found: dict[str, Any] = eventually(look, 30)
        return found


@pytest.fixture(scope="module")
def stack(aws: LocalStackNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = copy_repository(tmp_path_factory.mktemp("monitoring")) / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf").write_bytes((REPOSITORY / FOLDER / "main.tf").read_bytes())
    sqs = client(aws, "sqs")
    urls = {name: sqs.create_queue(QueueName=f"{NAME}-{name}")["QueueUrl"] for name in ("failures", "pager", "tickets")}
    arns = {
        name: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for name, url in urls.items()
    }
    variables = {"aws_endpoint": aws.url, "name": NAME, "failures_arn": arns.pop("failures"), "listener_arns": arns}
    with terraform_environment() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        # It logs every exit code but 0 by a method that Python deprecates.
        patch.setattr(python_terraform.log, "warn", python_terraform.log.warning)
        terraform = Terraform(working_dir=str(folder), variables=variables)
        terraform.init(raise_on_error=True)
        try:
            terraform.apply(skip_plan=True, raise_on_error=True)
            yield Stack(terraform, aws, urls)
        finally:
            # python-terraform knows Terraform before 0.15: its own -force is taken off.
            terraform.destroy(force=IsNotFlagged, auto_approve=IsFlagged, raise_on_error=True)
            for url in urls.values():
                sqs.delete_queue(QueueUrl=url)


def test_all_alarms_are_made_and_watch_this_sync(stack: Stack) -> None:
    made = stack.alarms()
    watched = {
        name: {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
        for name, alarm in made.items()
    }

    assert {name: alarm["AlarmArn"] for name, alarm in made.items()} == stack.outputs["alarm_arns"]
    assert len(made) == 14
    assert watched["errors"] == {"FunctionName": stack.outputs["function_name"]}
    assert watched["not-polling"] == {"EventSourceMappingUUID": stack.outputs["mapping_uuid"]}
    assert watched["dead-letters"] == {"Sync": stack.outputs["function_name"]}
    assert watched["dead-letters-waiting"] == {"QueueName": f"{NAME}-failures"}


def test_silence_alone_tells_that_nothing_is_polled(stack: Stack) -> None:
    """LocalStack has none of AWS's metrics of a mapping: as if it were disabled."""
    told = stack.told("pager", "not-polling", "ALARM")

    assert told["AlarmDescription"].endswith("Runbook: docs/runbooks.md#not-polling")
    states = {name: alarm["StateValue"] for name, alarm in stack.alarms().items()}
    assert {name for name, state in states.items() if state == "ALARM"} == {"not-polling"}


def test_a_dead_letter_is_told_to_whom_it_concerns_and_no_letter_tells_nobody(stack: Stack) -> None:
    stack.emit("dead-letters", 0)
    assert stack.alarms()["dead-letters"]["StateValue"] == "OK"

    stack.emit("dead-letters", 1)

    told = stack.told("tickets", "dead-letters", "ALARM")
    assert told["AlarmDescription"].endswith("Runbook: docs/runbooks.md#dead-letters")


def test_whoever_was_told_is_told_when_it_is_over(stack: Stack) -> None:
    name = stack.alarms()["dead-letters"]["AlarmName"]

    stack.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test says so")

    assert stack.told("tickets", "dead-letters", "OK")


def test_the_dashboard_is_there(stack: Stack) -> None:
    name = stack.outputs["dashboard_name"]

    body = json.loads(stack.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])

    [verdict] = [widget for widget in body["widgets"] if widget["type"] == "alarm"]
    assert sorted(verdict["properties"]["alarms"]) == sorted(stack.outputs["alarm_arns"].values())


def test_a_second_plan_is_empty(stack: Stack) -> None:
    code, output, _ = stack.terraform.plan()

    assert code == 0, output  # with -detailed-exitcode, which python-terraform adds: no changes
