"""docs/runbooks.md is read on call, at night: every section has the same parts, and every command exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import botocore.session
import jmespath  # type: ignore[import-untyped]
import pytest
from botocore import xform_name

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs/runbooks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
STREAM = (REPOSITORY / "lambda/src/dynamodb_opensearch/functions/sync.py").read_text(encoding="utf-8")
PARTS = ["Means.", "Look.", "Mend.", "Mended"]
GLOBAL_OPTIONS = {"query", "output", "region"}
TERRAFORMS = {"terraform apply"}


def commands() -> Iterator[str]:
    """Every `aws …` of the page, in its blocks and in its text."""
    text = re.sub(r"\s*\n(?!\n)", "\n", PAGE)
    yield from re.findall(r"(?:^|\$\()(aws .*?)\)?$", text, re.MULTILINE)
    yield from (re.sub(r"\s+", " ", one) for one in re.findall(r"`(aws [^`]+)`", PAGE))


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_says_what_it_means_how_to_look_what_mends_it_and_when_it_is_mended(heading: str) -> None:
    assert re.findall(r"^\*\*(\w+\.?)\*\*", SECTIONS[heading], re.MULTILINE) == PARTS


@pytest.mark.parametrize("heading", SECTIONS)
def test_one_command_mends(heading: str) -> None:
    mend = SECTIONS[heading].partition("**Mend.**")[2].partition("**Mended**")[0]
    [block] = re.findall(r"^```sh\n(.*?)^```$", mend, re.DOTALL | re.MULTILINE)
    [command] = block.splitlines()
    assert command in TERRAFORMS or command.startswith(("aws ", "dynamodb-opensearch "))


@pytest.mark.parametrize("heading", SECTIONS)
def test_a_section_is_short_enough_for_the_night(heading: str) -> None:
    assert len(SECTIONS[heading].split()) <= 230


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_aws_command_has_an_operation_with_these_options(command: str) -> None:
    _, service, operation, *arguments = shlex.split(command)
    model = botocore.session.get_session().get_service_model(service)
    operations = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(operations[operation]).input_shape
    assert shape is not None
    members = {xform_name(name, "-"): member for name, member in shape.members.items()}
    given = [argument.removeprefix("--") for argument in arguments if argument.startswith("--")]
    switches = {
        f"{no}{name}" for no in ("", "no-") for name, member in members.items() if member.type_name == "boolean"
    }
    assert set(given) <= set(members) | GLOBAL_OPTIONS | switches
    assert {name for name in members if members[name].name in shape.required_members} <= set(given)
    for query in (arguments[position + 1] for position, one in enumerate(arguments) if one == "--query"):
        jmespath.compile(query)


def test_the_commands_are_found() -> None:
    assert len(set(commands())) >= 12


def test_every_line_that_the_function_logs_is_explained() -> None:
    messages = re.findall(r'"((?:dead letter|configuration error|not done)[^"]*)"', STREAM)
    assert len(messages) == 4
    assert [message for message in messages if message.partition(":")[0] not in PAGE] == []


def test_every_reason_that_the_page_names_is_one_of_the_functions() -> None:
    """Of one kind each: what the function makes up, what it takes from the HTTP status, what OpenSearch calls it."""
    sources = "".join(
        (REPOSITORY / f"lambda/src/dynamodb_opensearch/{name}.py").read_text(encoding="utf-8")
        for name in ("core/answers", "opensearch/bulk", "core/converge")
    )
    table = SECTIONS["Failed invokes"].partition("| `reason` |")[2].partition("\n\n")[0]
    named = re.findall(r"`([\w…]+)`", table)
    assert len(named) == 8
    for reason in named:
        own = f'Reason("{reason}"' in sources
        of_status = re.fullmatch(r"http_(429|5\d\d)", reason) and 'f"http_{' in sources
        of_opensearch = reason.endswith("_exception")
        assert own or of_status or of_opensearch, reason
