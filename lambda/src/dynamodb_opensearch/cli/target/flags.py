"""Defines the options that commands share, each once: a command takes a whole group of them as one argument."""

import inspect
import os
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

_WHICH = "Which table and indices"
_HOW = "How it runs"

_Value = TypeVar("_Value")


SMALL = 200_000
"""Below this many items, one process is done before starting a second would pay off."""


@dataclass(frozen=True, slots=True)
class TargetFlags:
    """Which table and which indices."""

    function: Annotated[
        str | None,
        typer.Option(
            help="Name or ARN of the deployed function: its environment gives all that the options below don't. With "
            "an alias (NAME:live) if the event source mapping follows one. (DYNAMODB_OPENSEARCH_FUNCTION)",
            metavar="NAME",
            rich_help_panel=_WHICH,
        ),
    ] = None
    terraform: Annotated[
        Path | None,
        typer.Option(
            help="Folder in which `terraform output -json` prints function_name, or a file with that output. "
            "(DYNAMODB_OPENSEARCH_TERRAFORM)",
            metavar="DIR",
            rich_help_panel=_WHICH,
        ),
    ] = None
    endpoint: Annotated[
        str | None,
        typer.Option(help="URL of OpenSearch. (OPENSEARCH_ENDPOINT)", metavar="URL", rich_help_panel=_WHICH),
    ] = None
    auth: Annotated[
        str | None,
        typer.Option(help="sigv4 (default), basic or none. (OPENSEARCH_AUTH)", metavar="KIND", rich_help_panel=_WHICH),
    ] = None
    service: Annotated[
        str | None,
        typer.Option(
            help="es for a domain (default), aoss for a serverless collection. (OPENSEARCH_SERVICE)",
            metavar="NAME",
            rich_help_panel=_WHICH,
        ),
    ] = None
    secret_arn: Annotated[
        str | None,
        typer.Option(
            help="Secret with username and password, for basic. (OPENSEARCH_SECRET_ARN)",
            metavar="ARN",
            rich_help_panel=_WHICH,
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        typer.Option(
            help="PEM file of the CA that signed OpenSearch's certificate. (OPENSEARCH_CA_FILE)",
            metavar="FILE",
            rich_help_panel=_WHICH,
        ),
    ] = None
    table: Annotated[
        str | None,
        typer.Option(help="Name or ARN of the table. (TABLE_NAME)", metavar="NAME", rich_help_panel=_WHICH),
    ] = None
    keys: Annotated[
        str | None,
        typer.Option(
            help="The table's key attributes: pk, or pk,sk, or a JSON list; by default from DescribeTable. "
            "(TABLE_KEYS)",
            metavar="NAMES",
            rich_help_panel=_WHICH,
        ),
    ] = None
    index: Annotated[
        list[str] | None,
        typer.Option(
            help="Index or alias. (INDEX) If the sync has several (INDICES): one that the command works on; repeat it "
            "for more; by default all.",
            metavar="NAME",
            rich_help_panel=_WHICH,
        ),
    ] = None
    region: Annotated[
        str | None,
        typer.Option(
            help="AWS Region; by default the function's, or your AWS configuration's. (AWS_REGION)",
            metavar="NAME",
            rich_help_panel=_WHICH,
        ),
    ] = None
    dead_letters: Annotated[
        str | None,
        typer.Option(
            help="Queue, topic or bucket of the dead letters. (DEAD_LETTER_ARN)", metavar="ARN", rich_help_panel=_WHICH
        ),
    ] = None

    def command_line(self, command: str, *arguments: str | Path) -> str:
        """A command to run next, on the same table and indices."""
        given = [(field.name, value) for field in fields(self) for value in _listed(getattr(self, field.name))]
        same = [text for name, value in given for text in (option_of(name), str(value))]
        return shlex.join(["dynamodb-opensearch", command, *same, *map(str, arguments)])


@dataclass(frozen=True, slots=True)
class RunFlags:
    """How a job runs, and what it prints."""

    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            metavar="N",
            help="Number of processes; by default one per CPU, but only one for fewer than 200,000 items.",
            rich_help_panel=_HOW,
        ),
    ] = None
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="Threads in each process; each works on its own part.",
            rich_help_panel=_HOW,
        ),
    ] = 4
    page_items: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000_000,
            help="Most items in a page; by default as many as fit into DynamoDB's 1 MB.",
            metavar="N",
            rich_help_panel=_HOW,
        ),
    ] = None
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="File that notes what is done; by default a file per command, table and index in your state folder.",
            metavar="FILE",
            rich_help_panel=_HOW,
        ),
    ] = None
    restart: Annotated[
        bool,
        typer.Option(
            "--restart", metavar="", help="Start again instead of resuming an interrupted run.", rich_help_panel=_HOW
        ),
    ] = False
    as_json: Annotated[
        bool,
        typer.Option("--json", metavar="", help="Print the result as one JSON object.", rich_help_panel=_HOW),
    ] = False


def _listed(value: Any) -> Sequence[Any]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def option_of(name: str) -> str:
    """``--secret-arn`` for ``secret_arn``."""
    return "--" + name.replace("_", "-")


def unfolded(command: Callable[..., _Value]) -> Callable[..., _Value]:
    """Wrap a command so that each argument of a flags class becomes the class's fields, as Typer needs them."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if inspect.isclass(kind) and is_dataclass(kind)}
    own = [parameter for parameter in inspect.signature(command).parameters.values() if parameter.name not in groups]
    parameters = [
        parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own
    ]
    for group in groups.values():
        group_hints = get_type_hints(group, include_extras=True)
        parameters += [
            inspect.Parameter(
                field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=group_hints[field.name]
            )
            for field in fields(group)
        ]

    @wraps(command)
    def unfolding(**values: Any) -> _Value:
        made = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        return command(**values, **made)

    # Typer reads both.
    unfolding.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    unfolding.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return unfolding


def default_processes(expected: int | None) -> int:
    """One process per CPU that this process may use; only one where starting more would take longer than the work."""
    if expected is not None and expected < SMALL:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
