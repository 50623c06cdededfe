"""INDICES in an SSM parameter, and what AWS may answer instead of it."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from dynamodb_opensearch import aws, parameter
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.parameter import with_indices
from dynamodb_opensearch.settings import read_settings

ARN = "arn:aws-cn:ssm:cn-north-1:123456789012:parameter/search/indices"
ENVIRONMENT = {
    "OPENSEARCH_ENDPOINT": "https://search.example.com",
    "OPENSEARCH_AUTH": "none",
    "TABLE_NAME": "products",
    "TABLE_KEYS": "pk",
    "INDICES": ARN,
}


class StubSsm:
    """Answers ``get_parameter`` in turn; an exception is raised."""

    def __init__(self) -> None:
        self.answers: list[Any] = ['{"orders":{}}']
        self.asked: list[str] = []
        self.regions: list[str | None] = []

    def client(self, service: str, *, region_name: str | None, config: Any) -> "StubSsm":
        assert service == "ssm"
        assert config.retries["total_max_attempts"] == 1, "else the SDK would wait beyond our deadline"
        self.regions.append(region_name)
        return self

    def get_parameter(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 (AWS's name)
        self.asked.append(Name)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"Parameter": {"Name": Name, "Type": "String", "Value": answer}}


@pytest.fixture
def ssm(monkeypatch: pytest.MonkeyPatch) -> StubSsm:
    stub = StubSsm()
    monkeypatch.setattr(boto3, "client", stub.client)
    left = [10_000]

    def sleep(seconds: float) -> None:
        left[0] -= int(seconds * 1000)

    monkeypatch.setattr(parameter, "briefly", lambda: Deadline(lambda: left[0], sleep))
    return stub


def failure(code: str, status: int = 400) -> ClientError:
    error = {"Error": {"Code": code, "Message": "said"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(error, "GetParameter")


def test_the_parameters_value_takes_the_place_of_its_arn(ssm: StubSsm) -> None:
    found = with_indices(ENVIRONMENT)

    assert found == ENVIRONMENT | {"INDICES": '{"orders":{}}'}
    assert (ssm.asked, ssm.regions) == ([ARN], ["cn-north-1"])
    assert ENVIRONMENT["INDICES"] == ARN
    assert read_settings(found).indices == ("orders",)


@pytest.mark.parametrize("value", ["", '{"orders":{}}', "H4sIAAAA", None])
def test_without_an_arn_nothing_is_asked(ssm: StubSsm, value: str | None) -> None:
    environment = {name: text for name, text in ENVIRONMENT.items() if name != "INDICES"}
    if value is not None:
        environment["INDICES"] = value

    assert with_indices(environment) == environment
    assert ssm.regions == []


def test_the_index_of_the_short_form_is_left_alone(ssm: StubSsm) -> None:
    environment = {**ENVIRONMENT, "INDICES": "", "INDEX": "arn:odd"}

    assert with_indices(environment) == environment
    assert ssm.regions == []


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("ParameterNotFound", "ParameterNotFound"),
        ("AccessDeniedException", "allow it in IAM for the identity that runs this"),
        ("ValidationException", "ValidationException"),
    ],
)
def test_a_parameter_that_cannot_be_read_is_named_with_what_to_do(ssm: StubSsm, code: str, said: str) -> None:
    ssm.answers = [failure(code)]

    with pytest.raises(ConfigurationError) as error:
        with_indices(ENVIRONMENT)
    assert f"INDICES is {ARN!r}: GetParameter" in str(error.value)
    assert said in str(error.value)
    assert ssm.asked == [ARN], "asked once"


@pytest.mark.parametrize(
    "passing", [failure("ThrottlingException"), failure("x", 503), EndpointConnectionError(endpoint_url="https://ssm")]
)
def test_a_throttle_or_an_outage_is_waited_for(ssm: StubSsm, passing: Exception) -> None:
    ssm.answers = [passing, passing, '{"orders":{}}']

    assert json.loads(with_indices(ENVIRONMENT)["INDICES"]) == {"orders": {}}
    assert len(ssm.asked) == 3


def test_an_outage_that_lasts_ends_the_import_before_lambda_does(ssm: StubSsm) -> None:
    ssm.answers = [failure("ThrottlingException")]

    with pytest.raises(OutOfTimeError, match="GetParameter failed until the time was over"):
        with_indices(ENVIRONMENT)
    assert len(ssm.asked) > 2


def test_the_time_for_it_is_less_than_lambda_gives_an_import() -> None:
    """See https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: ten seconds."""
    assert 0 < aws.briefly().remaining_seconds() < 10
