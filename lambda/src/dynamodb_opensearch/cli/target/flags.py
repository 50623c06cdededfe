"""The options that commands share, each written once: a command asks for a whole group of them as one argument."""

import inspect
import os
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

_WHICH = "Which table and index"
_HOW = "How it runs"

_Value = TypeVar("_Value")


SMALL = 200_000
"""Items that one process is through with before a second has paid for its start."""


@dataclass(frozen=True, slots=True)
class TargetFlags:
    """Which table and which index."""

    function: Annotated[
        str | None,
        typer.Option(
            help="Name or ARN of the deployed function: its environment tells all that isn't given by the options "
            "below. (DYNAMODB_OPENSEARCH_FUNCTION)",
            metavar="NAME",
            rich_help_panel=_WHICH,
        ),
    ] = None
    terraform: Annotated[
        Path | None,
        typer.Option(
            help="Folder in which `terraform output -json` tells function_name, or a file with that output. "
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
            help="PEM file of the CA that OpenSearch's certificate is from. (OPENSEARCH_CA_FILE)",
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
            help="Its key attributes, pk or pk,sk or a JSON list; by default DescribeTable is asked. (TABLE_KEYS)",
            metavar="NAMES",
            rich_help_panel=_WHICH,
        ),
    ] = None
    index: Annotated[
        str | None,
        typer.Option(help="Index or alias. (INDEX)", metavar="NAME", rich_help_panel=_WHICH),
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
        """A command to run next, on the same table and index."""
        given = [(one.name, getattr(self, one.name)) for one in fields(self)]
        same = [text for name, value in given if value is not None for text in (option_of(name), str(value))]
        return shlex.join(["dynamodb-opensearch", command, *same, *map(str, arguments)])


@dataclass(frozen=True, slots=True)
class RunFlags:
    """How a job runs, and what it tells."""

    processes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1024,
            metavar="N",
            help="Processes; by default one per CPU, and one for less than 200,000 items.",
            rich_help_panel=_HOW,
        ),
    ] = None
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=64,
            metavar="N",
            help="Threads of each process, each with a part of the work.",
            rich_help_panel=_HOW,
        ),
    ] = 4
    page_items: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000_000,
            help="Most items of a page; by default as many as DynamoDB puts into 1 MB.",
            metavar="N",
            rich_help_panel=_HOW,
        ),
    ] = None
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            help="File that notes what is done; by default one per command, table and index in your state folder.",
            metavar="FILE",
            rich_help_panel=_HOW,
        ),
    ] = None
    restart: Annotated[
        bool,
        typer.Option("--restart", metavar="", help="Forget what an interrupted run has done.", rich_help_panel=_HOW),
    ] = False
    as_json: Annotated[
        bool,
        typer.Option("--json", metavar="", help="Print the result as one JSON object.", rich_help_panel=_HOW),
    ] = False


def option_of(name: str) -> str:
    """``--secret-arn`` for ``secret_arn``."""
    return "--" + name.replace("_", "-")


def unfolded(command: Callable[..., _Value]) -> Callable[..., _Value]:
    """A command whose arguments of a flags' class are replaced with the class's own fields, as Typer wants them."""
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if inspect.isclass(kind) and is_dataclass(kind)}
    own = [one for one in inspect.signature(command).parameters.values() if one.name not in groups]
    parameters = [one.replace(annotation=hints[one.name], kind=inspect.Parameter.KEYWORD_ONLY) for one in own]
    for group in groups.values():
        group_hints = get_type_hints(group, include_extras=True)
        parameters += [
            inspect.Parameter(
                one.name, inspect.Parameter.KEYWORD_ONLY, default=one.default, annotation=group_hints[one.name]
            )
            for one in fields(group)
        ]

    @wraps(command)
    def unfolding(**values: Any) -> _Value:
        made = {
            name: group(**{one.name: values.pop(one.name) for one in fields(group)}) for name, group in groups.items()
        }
        return command(**values, **made)

    # Typer reads both.
    unfolding.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    unfolding.__annotations__ = {one.name: one.annotation for one in parameters}
    return unfolding


def default_processes(expected: int | None) -> int:
    """One per CPU that this process may use, unless there is so little to do that their start takes longer."""
    if expected is not None and expected < SMALL:
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
