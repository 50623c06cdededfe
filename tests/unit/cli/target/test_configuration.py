"""cli/target/configuration.py: which value wins, and the message when a value is missing or wrong."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.cli.target import configuration
from dynamodb_opensearch.cli.target.configuration import VARIABLES, configure
from dynamodb_opensearch.cli.target.flags import TargetFlags
from dynamodb_opensearch.core.errors import ConfigurationError
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
        self.errors: dict[str, dict[str, str]] = {}
        self.regions: list[str | None] = []

    def client(self, service: str, **_: Any) -> "FakeLambda":
        assert service == "lambda"
        self.regions.append(os.environ.get("AWS_DEFAULT_REGION"))
        return self

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        name = next(
            (part for part in FunctionName.split(":") if part in {*self.environments, *self.errors}), FunctionName
        )
        if name in self.errors:
            return {"FunctionName": name, "Environment": {"Error": self.errors[name]}}
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


def test_the_functions_environment_gives_all_settings(functions: FakeLambda) -> None:
    found = configure(TargetFlags(function="arn:aws:lambda:eu-west-1:123456789012:function:sync"))
    assert found.settings.endpoint == "https://function.example.com"
    assert (found.settings.indices[0], found.settings.conflict_window_seconds) == ("of-the-function", 90)
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
    assert (found.settings.endpoint, found.settings.indices[0]) == ("https://option.example.com", "of-the-function")


def test_variables_alone_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**FUNCTION, "AWS_DEFAULT_REGION": "eu-north-1", "LOG_LEVEL": "silly"}.items():
        monkeypatch.setenv(name, value)
    found = configure(TargetFlags())
    assert (found.function, found.settings.indices[0], found.settings.region) == (None, "of-the-function", "eu-north-1")
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
    given = {"endpoint": "https://x.example.com", "auth": "none", "keys": "pk", "index": ["i"], **flags}
    assert configure(TargetFlags(**given)).settings.region == expected  # type: ignore[arg-type]


@mock_aws
def test_the_tables_keys_are_asked_for_when_they_arent_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    boto3.client("dynamodb", region_name="us-east-1").create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "sk", "KeyType": "RANGE"}, {"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    flags = TargetFlags(endpoint="https://x.example.com", auth="none", table="orders", index=["orders"])
    assert configure(flags).settings.key_schema.names == ("pk", "sk")


def test_everything_that_is_missing_is_named_at_once_with_the_ways_to_give_it() -> None:
    with pytest.raises(ConfigurationError) as failed:
        configure(TargetFlags(table="products"))
    assert str(failed.value) == (
        "not given: --endpoint (OPENSEARCH_ENDPOINT), --index (INDEX), --region (AWS_REGION). Name the deployed "
        "function, whose settings have them all: --function NAME, or --terraform DIR to find it in the Terraform "
        "output. Or give these options, or set these variables"
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


@pytest.mark.parametrize(
    ("named", "qualified", "account"),
    [
        ("sync", "sync", None),
        ("sync:live", "sync:live", None),
        ("sync:sync", "sync:sync", None),
        ("123456789012:function:sync", "sync", None),
        ("123456789012:function:sync:7", "sync:7", None),
        ("arn:aws:lambda:eu-west-1:123456789012:function:sync", "sync", "123456789012"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:sync:$LATEST", "sync:$LATEST", "123456789012"),
    ],
)
def test_a_function_may_be_named_with_its_version(
    functions: FakeLambda, named: str, qualified: str, account: str | None
) -> None:
    """Its event source mappings are the version's; its log, its metrics and its name are the function's."""
    assert functions
    found = configuration.read_function(named)
    assert (found.name, found.qualified, found.account) == ("sync", qualified, account)
    assert (found.log_group, found.environment["SYNC_NAME"]) == ("/aws/lambda/sync", "sync")


def test_a_functions_environment_that_cant_be_decrypted_is_reported(
    monkeypatch: pytest.MonkeyPatch, functions: FakeLambda
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    functions.errors["sealed"] = {"ErrorCode": "AccessDeniedException", "Message": "Lambda was unable to decrypt"}
    with pytest.raises(
        ConfigurationError,
        match=r"can't be decrypted \(AccessDenied.*unable to decrypt\); allow your credentials kms:D",
    ):
        configure(TargetFlags(function="sealed"))


def _table(region: str, account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A table ``products`` in an account that our credentials are of."""
    monkeypatch.setenv("MOTO_ACCOUNT_ID", account)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    boto3.session.Session().client("dynamodb", region_name=region).create_table(
        TableName="products",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


@mock_aws
def test_a_table_of_another_account_that_has_the_same_name_is_never_taken_for_the_functions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _table("eu-west-1", "222222222222", monkeypatch)
    fake = FakeLambda(sync=FUNCTION)
    real = boto3.client
    monkeypatch.setattr(
        configuration.boto3,  # type: ignore[attr-defined]
        "client",
        lambda service, **options: fake if service == "lambda" else real(service, **options),
    )
    theirs, ours = (f"arn:aws:lambda:eu-west-1:{account * 12}:function:sync" for account in "12")
    with pytest.raises(ConfigurationError, match=r"is in the account 1{12}, but the table products .* is in 2{12}"):
        configure(TargetFlags(function=theirs))
    assert configure(TargetFlags(function=ours)).settings.table_name == "products"
    assert configure(TargetFlags(function="sync")).settings.table_name == "products"
    table = "arn:aws:dynamodb:eu-west-1:111111111111:table/products"
    assert configure(TargetFlags(function=theirs, table=table)).settings.table_name == table


@pytest.mark.parametrize(
    ("endpoint", "base"),
    [
        ("https://x.example.com/_dashboards", "https://x.example.com"),
        ("https://x.example.com/_dashboards/app/home/", "https://x.example.com"),
        ("https://x.example.com:8443/_plugin/kibana/", "https://x.example.com:8443"),
        ("https://x.example.com/_cluster/health", "https://x.example.com"),
        ("https://x.example.com/i", "https://x.example.com"),
        ("https://x.example.com/i/", "https://x.example.com"),
    ],
)
def test_a_path_that_isnt_the_apis_is_taken_off(monkeypatch: pytest.MonkeyPatch, endpoint: str, base: str) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    given = {"auth": "none", "table": "products", "keys": "pk", "index": "i"}
    with pytest.raises(
        ConfigurationError, match=rf"^--endpoint is '{endpoint.rstrip('/')}': remove the path .*: {base}$"
    ):
        configure(TargetFlags(endpoint=endpoint, **given))  # type: ignore[arg-type]
    for fine in ("https://x.example.com/", "https://x.example.com/behind/a/proxy", "https://x.example.com/i/i"):
        assert configure(TargetFlags(endpoint=fine, **given)).settings.endpoint == fine.rstrip("/")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ("sso_session = s\nsso_account_id = 1\nsso_role_name = r", "aws sso login"),
        ("sso_start_url = https://x\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r", "aws sso login"),
        ("credential_process = false", "renew the credentials at that provider"),
        ("aws_access_key_id = x", "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
    ],
)
def test_missing_credentials_are_reported_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str, message: str
) -> None:
    (tmp_path / "config").write_text(
        "[sso-session s]\nsso_start_url = https://x\nsso_region = us-east-1\nsso_registration_scopes = a\n"
        f"[profile p]\n{profile}\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_PROFILE", "p")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(ConfigurationError, match=message):
        configure(TargetFlags(function="sync"))
    monkeypatch.setenv("AWS_PROFILE", "nobodys")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with pytest.raises(ConfigurationError, match="check AWS_PROFILE"):
        configure(TargetFlags(function="sync"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


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
    flags = TargetFlags(terraform=Path("my infra"), index=["products-2"])
    assert flags.command_line("repair", "--report", Path("r.jsonl")) == (
        "dynamodb-opensearch repair --terraform 'my infra' --index products-2 --report r.jsonl"
    )
