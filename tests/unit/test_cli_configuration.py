"""cli/configuration.py: which value wins, and what is said when one is missing or wrong."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.cli import configuration
from dynamodb_opensearch.cli.configuration import VARIABLES, configure
from dynamodb_opensearch.cli.flags import TargetFlags
from dynamodb_opensearch.errors import ConfigurationError
from moto import mock_aws

FUNCTION = {
    "OPENSEARCH_ENDPOINT": "https://function.example.com",
    "OPENSEARCH_AUTH": "none",
    "TABLE_NAME": "products",
    "TABLE_KEYS": "pk",
    "INDEX": "of-the-function",
    "CONFLICT_WINDOW_SECONDS": "90",
    "LOG_LEVEL": "DEBUG",
    "DEAD_LETTER_ARN": "arn:aws:sqs:eu-west-1:123456789012:letters",
}


class FakeLambda:
    """Knows functions by their names, and which Region it was asked in."""

    def __init__(self, **environments: dict[str, str]) -> None:
        self.environments = environments
        self.regions: list[str | None] = []

    def client(self, service: str, **_: Any) -> "FakeLambda":
        assert service == "lambda"
        self.regions.append(os.environ.get("AWS_DEFAULT_REGION"))
        return self

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        name = FunctionName.rpartition(":")[2]
        if name not in self.environments:
            error = {"Error": {"Code": "ResourceNotFoundException", "Message": f"Function not found: {name}"}}
            raise ClientError(error, "GetFunctionConfiguration")
        return {"FunctionName": name, "Environment": {"Variables": self.environments[name]}}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing of this machine's: neither variables nor ~/.aws; and nothing of ours is left behind."""
    names = (*VARIABLES.values(), "AWS_DEFAULT_REGION", "AWS_PROFILE", "SYNC_NAME", "CONFLICT_WINDOW_SECONDS")
    for name in (*names, "DYNAMODB_OPENSEARCH_FUNCTION", "DYNAMODB_OPENSEARCH_TERRAFORM"):
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    yield
    for name in names:
        os.environ.pop(name, None)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> FakeLambda:
    fake = FakeLambda(sync=FUNCTION, other={"A": "b"})
    monkeypatch.setattr(configuration.boto3, "client", fake.client)  # type: ignore[attr-defined]
    return fake


def test_the_function_tells_all(functions: FakeLambda) -> None:
    found = configure(TargetFlags(function="arn:aws:lambda:eu-west-1:123456789012:function:sync"))
    assert found.settings.endpoint == "https://function.example.com"
    assert (found.settings.index, found.settings.conflict_window_seconds) == ("of-the-function", 90)
    assert (found.settings.region, functions.regions) == ("eu-west-1", ["eu-west-1"])
    assert found.settings.sync_name == "sync"
    assert found.function is not None
    assert (found.function.name, found.function.log_group) == ("sync", "/aws/lambda/sync")


@pytest.mark.usefixtures("functions")
def test_an_option_wins_over_the_function_and_that_over_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("INDEX", "of-the-environment")
    monkeypatch.setenv("OPENSEARCH_ENDPOINT", "https://environment.example.com")
    found = configure(TargetFlags(function="sync", endpoint="https://option.example.com"))
    assert (found.settings.endpoint, found.settings.index) == ("https://option.example.com", "of-the-function")


def test_variables_alone_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**FUNCTION, "AWS_DEFAULT_REGION": "eu-north-1", "LOG_LEVEL": "silly"}.items():
        monkeypatch.setenv(name, value)
    found = configure(TargetFlags())
    assert (found.function, found.settings.index, found.settings.region) == (None, "of-the-function", "eu-north-1")
    assert os.environ["AWS_REGION"] == os.environ["AWS_DEFAULT_REGION"] == "eu-north-1"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"region": "eu-west-3", "table": "arn:aws:dynamodb:eu-west-2:123456789012:table/products"}, "eu-west-3"),
        ({"table": "arn:aws:dynamodb:eu-west-2:123456789012:table/products"}, "eu-west-2"),
        ({"table": "products"}, "us-east-1"),
    ],
)
def test_the_region_is_the_options_else_the_arns_else_the_environments(
    monkeypatch: pytest.MonkeyPatch, flags: dict[str, str], expected: str
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    given = {"endpoint": "https://x.example.com", "auth": "none", "keys": "pk", "index": "i", **flags}
    assert configure(TargetFlags(**given)).settings.region == expected  # type: ignore[arg-type]


@mock_aws
def test_the_tables_keys_are_asked_for_when_nobody_gives_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    boto3.client("dynamodb", region_name="us-east-1").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "sk", "KeyType": "RANGE"}, {"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    flags = TargetFlags(endpoint="https://x.example.com", auth="none", table="orders", index="orders")
    assert configure(flags).settings.key_schema.names == ("pk", "sk")


def test_everything_that_is_missing_is_named_at_once_with_the_ways_to_give_it() -> None:
    with pytest.raises(ConfigurationError) as failed:
        configure(TargetFlags(table="products"))
    assert str(failed.value) == (
        "not given: --endpoint (OPENSEARCH_ENDPOINT), --index (INDEX), --region (AWS_REGION). Name the deployed "
        "function, which knows it all: --function NAME, or --terraform DIR to find it in the Terraform output. Or give "
        "these options, or set these variables"
    )


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"endpoint": "search"}, "^--endpoint is 'search': it must be a URL"),
        ({"dead_letters": "letters"}, "^--dead-letters is 'letters': it must be the ARN of an SQS queue"),
        ({"function": "nobody"}, r"^the function 'nobody': GetFunctionConfiguration answered ResourceNotFound.*Region"),
        ({"function": "other"}, "^the function 'other' isn't a sync: its environment has no OPENSEARCH_ENDPOINT"),
    ],
)
@pytest.mark.usefixtures("functions")
def test_a_wrong_value_is_named_as_it_was_given(
    monkeypatch: pytest.MonkeyPatch, flags: dict[str, str], message: str
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with pytest.raises(ConfigurationError, match=message):
        configure(TargetFlags(**({"function": "sync"} | flags)))  # type: ignore[arg-type]


def test_a_wrong_value_of_the_functions_is_named_as_its(monkeypatch: pytest.MonkeyPatch, functions: FakeLambda) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    functions.environments["sync"] = {**FUNCTION, "INDEX": "UPPER"}
    with pytest.raises(ConfigurationError, match=r"^the function sync's INDEX is 'UPPER': it must be an index"):
        configure(TargetFlags(function="sync"))


def test_a_ca_file_of_the_functions_package_must_be_given_here(
    monkeypatch: pytest.MonkeyPatch, functions: FakeLambda
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    functions.environments["sync"] = {**FUNCTION, "OPENSEARCH_CA_FILE": "/opt/ca.pem"}
    with pytest.raises(ConfigurationError, match=r"trusts OpenSearch by the file /opt/ca\.pem, .* --ca-file FILE"):
        configure(TargetFlags(function="sync"))
    assert configure(TargetFlags(function="sync", ca_file=__file__)).settings.ca_file == __file__


@pytest.mark.usefixtures("functions")
def test_the_terraform_option_wins_over_a_variable_that_names_a_function(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("DYNAMODB_OPENSEARCH_FUNCTION", "other")
    outputs = tmp_path / "outputs.json"
    outputs.write_text('{"function_name": {"value": "sync"}}')
    assert configure(TargetFlags(terraform=outputs)).settings.sync_name == "sync"
    monkeypatch.setenv("DYNAMODB_OPENSEARCH_FUNCTION", "")
    monkeypatch.setenv("DYNAMODB_OPENSEARCH_TERRAFORM", str(outputs))
    assert configure(TargetFlags()).settings.sync_name == "sync"


def test_the_command_that_comes_next_names_the_same_table_and_index() -> None:
    flags = TargetFlags(terraform=Path("my infra"), index="products-2")
    assert flags.command_line("repair", "--report", Path("r.jsonl")) == (
        "dynamodb-opensearch repair --terraform 'my infra' --index products-2 --report r.jsonl"
    )
