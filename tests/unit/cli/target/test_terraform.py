"""cli/terraform.py: the function is found wherever the outputs name it, and never guessed."""

import json
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.cli.target.terraform import function_of
from dynamodb_opensearch.core.errors import ConfigurationError

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:sync"


def outputs(folder: Path, **values: Any) -> Path:
    path = folder / "outputs.json"
    path.write_text(json.dumps({name: {"sensitive": False, "value": value} for name, value in values.items()}))
    return path


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"function_name": "sync", "index": "products"}, "sync"),
        ({"search": {"function_name": "sync", "index": "products"}}, "sync"),
        ({"search": {"function_name": "sync", "function_arn": ARN}}, ARN),
        ({"function_name": "sync", "function_arn": ARN}, ARN),
        ({"function_name": "sync", "function_arn": ARN.replace("sync", "other")}, "sync"),
        ({"search": {"function_name": "sync", "function_arn": ARN, "function_qualifier": "live"}}, f"{ARN}:live"),
        ({"search": {"function_name": "sync", "function_arn": ARN, "function_qualifier": None}}, ARN),
        ({"function_name": "sync", "function_qualifier": "live"}, "sync:live"),
        ({"syncs": {"eu": {"function_name": "sync"}}}, "sync"),
        ({"function_name": "sync", "search": {"function_name": "sync"}}, "sync"),
    ],
)
def test_the_function_is_found(tmp_path: Path, values: dict[str, Any], expected: str) -> None:
    assert function_of(outputs(tmp_path, **values)) == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"index": "products"}, "no output is named function_name"),
        (
            {"a": {"function_name": "one"}, "b": {"function_name": "two"}},
            r"several functions \(a\.function_name = one, b\.function_name = two\); give --function NAME",
        ),
    ],
)
def test_none_and_several_are_refused(tmp_path: Path, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        function_of(outputs(tmp_path, **values))


@pytest.mark.parametrize("text", ["", "[]", "{}x", '{"a": 1}', '{"a": {"type": "string"}}', "null"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "outputs.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="it isn't what `terraform output -json` prints"):
        function_of(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"it can't be read \(No such file or directory\)"):
        function_of(tmp_path / "nothing.json")


def program(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")


@pytest.mark.parametrize("name", ["terraform", "tofu"])
def test_a_folder_is_asked_by_terraform_or_opentofu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    program(tmp_path, name, 'echo "{\\"function_name\\": {\\"value\\": \\"$1\\"}}"', monkeypatch)
    assert function_of(tmp_path) == f"-chdir={tmp_path}"


def test_terraforms_own_error_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, "terraform", 'printf "╷\\n│ Error: Backend initialization required\\n" >&2; exit 1', monkeypatch)
    with pytest.raises(ConfigurationError, match=r"failed \(Error: Backend initialization required\)"):
        function_of(tmp_path)


def test_without_terraform_another_way_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="neither terraform nor tofu is installed; give a file"):
        function_of(tmp_path)


@pytest.mark.parametrize("text", ['{"a": "its value"}', '{"a": ["value"]}', '{"a": null}', "[]", "3", "null", "{"])
def test_a_file_that_is_no_output_is_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "outputs.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match="it isn't what `terraform output -json` prints"):
        function_of(path)


def test_a_function_that_isnt_made_yet_has_no_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no output is named function_name"):
        function_of(outputs(tmp_path, function_name=""))
