"""The report of ``verify`` as a file of JSON lines: what was compared, each difference, and the result at the end."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from dynamodb_opensearch.core.comparison import Difference, Kind
from dynamodb_opensearch.core.errors import ConfigurationError

FORMAT = "dynamodb-opensearch verify 2"
_DIFFERENCES = frozenset(map(str, Kind))
_OTHERS = frozenset({"changing", "left", "refused", "remaining", "untransformed"})
"""Kinds of lines that a report may hold and that repair passes over."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What a report is about. A table or an index that is recreated under its name is another one."""

    table_arn: str
    table_id: str
    index: str
    """The name of the index or the alias."""
    index_uuid: str
    """The UUID of the index that was written to."""


class ReportWriter:
    """Writes a report line by line, so that a million differences need no memory."""

    def __init__(self, file: TextIO, *, compared: Compared, started_at: str) -> None:
        self._file = file
        head = {"table": compared.table_arn, "tableId": compared.table_id}
        head |= {"index": compared.index, "indexUuid": compared.index_uuid}
        self._write({"format": FORMAT, **head, "startedAt": started_at})

    def add(self, finding: Mapping[str, Any]) -> None:
        """Write a difference, as ``Difference.to_json`` returns it, or a line of another kind."""
        self._write(finding)

    def end(self, result: Mapping[str, Any]) -> None:
        """Write the last line: the counts, the time of the end, and how much of both sides was compared."""
        self._write({"result": dict(result)})
        self._file.flush()

    def _write(self, value: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


@dataclass(frozen=True, slots=True)
class Report:
    """A report's file, read from its start each time."""

    path: Path

    def differences(self) -> Iterator[Difference]:
        """Yield the differences. A last line that was cut off is left out.

        Raises:
            ConfigurationError: a line doesn't belong in a report.
        """
        lines = _lines(self.path)
        next(lines, None)  # the head
        for number, line in lines:
            kind = str(line.get("kind"))
            if kind in _DIFFERENCES:
                try:
                    yield Difference.from_json(line)
                except (KeyError, TypeError, ValueError):
                    raise _broken(self.path, number) from None
            elif kind not in _OTHERS and line.keys() != {"result"}:
                raise _broken(self.path, number)


def index_of(path: Path) -> str:
    """The index or alias that a report is about.

    Raises:
        ConfigurationError: it can't be read, or isn't a report.
    """
    return str(_head_of(path).get("index"))


def _head_of(path: Path) -> dict[str, Any]:
    _, head = next(_lines(path), (1, dict[str, Any]()))
    if head.get("format") != FORMAT:
        raise ConfigurationError(
            f"{path} is not a report of this version's verify: its first line must have the format {FORMAT!r}"
        )
    return head


def read_report(path: Path, compared: Compared) -> Report:
    """Open a report.

    Raises:
        ConfigurationError: it can't be read, isn't a report, or is about something else.
    """
    head = _head_of(path)
    for name, ours in (("table", compared.table_arn), ("index", compared.index)):
        if head.get(name) != ours:
            raise ConfigurationError(f"{path} is the report of another {name}: {head.get(name)!r}, not {ours!r}")
    for name, what, ours in (("tableId", "table", compared.table_id), ("indexUuid", "index", compared.index_uuid)):
        if head.get(name) != ours:
            raise ConfigurationError(
                f"{path} is out of date: its {what} was recreated since, or the alias is written to another index "
                f"({name} {head.get(name)!r}, now {ours!r}); run verify again"
            )
    return Report(path)


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the object of each line, without a last line that was cut off."""
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, start=1):
                try:
                    line = json.loads(text.decode())
                except ValueError:
                    line = None
                if isinstance(line, dict):
                    yield number, line
                elif number == 1:
                    yield number, {}
                elif text.endswith(b"\n"):
                    raise _broken(path, number)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read ({error.strerror})") from None


def _broken(path: Path, number: int) -> ConfigurationError:
    return ConfigurationError(
        f"{path}, line {number}: this isn't a line of a report, so other lines may be missing; run verify again"
    )
