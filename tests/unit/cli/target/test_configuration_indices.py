"""Which indices a command works on: INDEX, INDICES and --index, from options, the function and the user's variables."""

import base64
import gzip
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.cli.target import configuration
from dynamodb_opensearch.cli.target.configuration import VARIABLES, configure
from dynamodb_opensearch.cli.target.flags import TargetFlags
from dynamodb_opensearch.cli.target.layers import LayerCode
from dynamodb_opensearch.core.errors import ConfigurationError

BASE = {
    "OPENSEARCH_ENDPOINT": "https://function.example.com",
    "OPENSEARCH_AUTH": "none",
    "TABLE_NAME": "products",
    "TABLE_KEYS": "pk",
}
ORDERS = {"when": [{"attribute": "type", "equals": ["order"]}], "exclude": ["pk"]}
INDICES = json.dumps({"orders": ORDERS, "customers": {}, "lines": {"standby": True}})
PARAMETER = "arn:aws:ssm:eu-west-1:123456789012:parameter/sync/indices"


class FakeAws:
    """Knows the environment of one function, and parameters."""

    def __init__(self) -> None:
        self.environment: dict[str, str] = {**BASE, "INDICES": INDICES}
        self.parameters: dict[str, str] = {}

    def client(self, service: str, **_: Any) -> "FakeAws":
        assert service in {"lambda", "ssm"}
        return self

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        return {"FunctionName": FunctionName, "Environment": {"Variables": self.environment}}

    def get_parameter(self, Name: str) -> dict[str, Any]:  # noqa: N803
        if Name not in self.parameters:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetParameter")
        return {"Parameter": {"Value": self.parameters[Name]}}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeAws]:
    names = (*VARIABLES.values(), "INDICES", "AWS_DEFAULT_REGION", "SYNC_NAME")
    for name in (*names, "DYNAMODB_OPENSEARCH_FUNCTION", "DYNAMODB_OPENSEARCH_TERRAFORM"):
        monkeypatch.setenv(name, "to be restored")
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    fake = FakeAws()
    monkeypatch.setattr(boto3, "client", fake.client)
    yield fake
    for name in names:
        os.environ.pop(name, None)


def chosen(*indices: str, **flags: Any) -> tuple[str, ...]:
    """The indices that a command works on."""
    return configure(TargetFlags(function="sync", index=list(indices), **flags)).settings.indices


def test_all_of_the_functions_indices_are_worked_on_or_those_that_are_named_in_their_order() -> None:
    assert chosen() == ("orders", "customers", "lines")
    assert chosen("lines", "orders", "lines") == ("orders", "lines")
    found = configure(TargetFlags(function="sync", index=["lines"])).settings
    assert (found.unselected, found.projections[0].standby) == (("orders", "customers"), True)


def test_an_index_that_the_sync_doesnt_have_is_refused_with_those_that_it_has() -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"^--index order, x: the sync has no such index; its indices are orders, customers, lines$",
    ):
        chosen("x", "customers", "order")


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ({"INDICES": INDICES}, {"INDEX": "mine"}, ("orders", "customers", "lines")),
        ({"INDEX": "theirs"}, {"INDICES": INDICES}, ("theirs",)),
        ({"INDEX": "", "INDICES": INDICES}, {}, ("orders", "customers", "lines")),
        ({}, {"INDICES": INDICES}, ("orders", "customers", "lines")),
        ({}, {"INDEX": "mine"}, ("mine",)),
    ],
)
def test_the_functions_index_or_indices_win_as_a_whole_over_the_users_variables(
    monkeypatch: pytest.MonkeyPatch,
    aws: FakeAws,
    theirs: Mapping[str, str],
    ours: Mapping[str, str],
    expected: tuple[str, ...],
) -> None:
    aws.environment = {**BASE, **theirs}
    for name, value in ours.items():
        monkeypatch.setenv(name, value)
    assert chosen() == expected


def test_without_a_function_the_users_variables_give_several_indices(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**BASE, "INDICES": INDICES}.items():
        monkeypatch.setenv(name, value)
    assert configure(TargetFlags(index=["customers"])).settings.indices == ("customers",)
    monkeypatch.setenv("INDEX", "too")
    with pytest.raises(ConfigurationError, match="INDEX is 'too', and INDICES is set: give only one of the two"):
        configure(TargetFlags())


def test_in_the_short_form_an_option_overrides_the_index_and_there_is_only_one(aws: FakeAws) -> None:
    aws.environment = {**BASE, "INDEX": "theirs"}
    assert chosen("products-2") == ("products-2",)
    assert chosen("same", "same") == ("same",)
    with pytest.raises(ConfigurationError, match="--index is given for a, b, and the sync has one index: give one"):
        chosen("a", "b")
    with pytest.raises(ConfigurationError, match=r"^--index is 'UPPER': it must be an index"):
        chosen("UPPER")


@pytest.mark.parametrize("value", [INDICES, base64.b64encode(gzip.compress(INDICES.encode())).decode()])
def test_indices_may_be_compressed_or_in_a_parameter(aws: FakeAws, value: str) -> None:
    aws.environment["INDICES"] = value
    assert chosen() == ("orders", "customers", "lines")
    aws.environment["INDICES"], aws.parameters[PARAMETER] = PARAMETER, value
    assert chosen("orders") == ("orders",)


def test_a_parameter_that_may_not_be_read_is_reported_with_the_right_that_it_takes(aws: FakeAws) -> None:
    aws.environment["INDICES"] = PARAMETER
    with pytest.raises(
        ConfigurationError,
        match=r"^the function sync's INDICES is 'arn:.*answered AccessDenied.*which need ssm:GetParameter$",
    ):
        chosen()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "the function sync's INDICES is wrong: it is '{', which isn't JSON"),
        ("[]", "the function sync's INDICES is wrong: "),
        ('{"orders": 1}', "the function sync's INDICES is wrong: the index 'orders': it is 1: it must be an object"),
        ('{"orders": {"transform": 1}}', "the function sync's INDICES is wrong: the index 'orders': transform is 1"),
        ("x", "the function sync's INDICES is wrong: it is 'x', which is neither"),
    ],
)
def test_wrong_indices_are_named_as_the_functions(aws: FakeAws, value: str, message: str) -> None:
    aws.environment["INDICES"] = value
    with pytest.raises(ConfigurationError, match=f"^{message}"):
        chosen()


def test_whether_the_function_skips_unchanged_documents_doesnt_matter_to_a_command(aws: FakeAws) -> None:
    aws.environment["SKIP_UNCHANGED"] = "perhaps"
    assert chosen("orders") == ("orders",)


def test_what_changed_meanwhile_is_noticed_if_it_concerns_a_chosen_index(aws: FakeAws) -> None:
    def changed(**indices: Any) -> str:
        return json.dumps({"orders": ORDERS, "customers": {}, "lines": {"standby": True}, **indices})

    found = configure(TargetFlags(function="sync", index=["orders", "lines"]))
    for fine in (
        INDICES,
        base64.b64encode(gzip.compress(INDICES.encode())).decode(),
        changed(customers={"exclude": ["x"]}),
        changed(lines={"standby": None, "when": None}),
        changed(new={}),
    ):
        aws.environment["INDICES"] = fine
        assert found.moved() is None
    for moved in (changed(orders={}), json.dumps({"orders": ORDERS}), "{"):
        aws.environment["INDICES"] = moved
        assert "is to hold was changed" in (found.moved() or "")
    del aws.environment["INDICES"]
    aws.environment["INDEX"] = "orders"
    assert "what the index orders is to hold was changed" in (found.moved() or "")


def test_a_transform_needs_the_function_whose_code_it_is(monkeypatch: pytest.MonkeyPatch, aws: FakeAws) -> None:
    indices = json.dumps({"orders": {"transform": "search:document"}})
    for name, value in {**BASE, "INDICES": indices}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=r"has a transform \(search:document\).*name the function"):
        configure(TargetFlags())
    asked: list[Any] = []
    code = LayerCode("sync", "python3.13", ())

    def use_layers(*arguments: Any) -> Any:
        asked.append(arguments)
        return code

    monkeypatch.setattr(configuration, "use_layers", use_layers)
    monkeypatch.syspath_prepend(str(_module(monkeypatch)))
    aws.environment["INDICES"] = indices
    assert configure(TargetFlags(function="sync")).code is code
    assert asked == [("sync", {"search:document"})]


def _module(monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(os.environ["AWS_CONFIG_FILE"]).parent / "layer"
    folder.mkdir()
    (folder / "search.py").write_text("def document(item):\n    return dict(item)\n")
    monkeypatch.delitem(__import__("sys").modules, "search", raising=False)
    return folder


def test_the_command_that_comes_next_repeats_each_index() -> None:
    flags = TargetFlags(function="sync", index=["orders", "lines"])
    assert flags.command_line("verify") == "dynamodb-opensearch verify --function sync --index orders --index lines"
