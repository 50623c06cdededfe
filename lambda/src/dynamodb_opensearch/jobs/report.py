"""A verification's report as a file of JSON lines: what was compared, each difference, and the result at the end."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.jobs.comparison import Difference

FORMAT = "dynamodb-opensearch verify 1"


class ReportWriter:
    """Writes line by line, so that a million differences need no memory."""

    def __init__(self, file: TextIO, *, table_arn: str, index: str, started_at: str) -> None:
        self._file = file
        self._write({"format": FORMAT, "table": table_arn, "index": index, "startedAt": started_at})

    def add(self, finding: Mapping[str, Any]) -> None:
        """One difference, as ``Difference.to_json`` has it."""
        self._write(finding)

    def end(self, result: Mapping[str, Any]) -> None:
        """The last line: counts, and when it ended."""
        self._write({"result": dict(result)})
        self._file.flush()

    def _write(self, value: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def read_differences(path: Path, table_arn: str, index: str) -> Iterator[Difference]:
    """The differences that a report names. A last line that was cut off is left out.

    Raises:
        ConfigurationError: it can't be read, isn't a report, is of another table or index, or is broken somewhere.
    """
    try:
        with path.open("rb") as file:
            head = _line(next(file, b"")) or {}
            if head.get("format") != FORMAT:
                raise ConfigurationError(
                    f"{path} is no report of verify: its first line must have the format {FORMAT!r}"
                )
            for name, ours in (("table", table_arn), ("index", index)):
                if head.get(name) != ours:
                    theirs = head.get(name)
                    raise ConfigurationError(f"{path} is the report of another {name}: {theirs!r}, not {ours!r}")
            for number, text in enumerate(file, start=2):
                try:
                    found = _difference(text)
                except (KeyError, TypeError, ValueError):
                    raise ConfigurationError(
                        f"{path}, line {number}: it isn't one of a report, so nobody knows what else is missing; "
                        "verify anew"
                    ) from None
                if found:
                    yield found
    except OSError as error:
        raise ConfigurationError(f"{path} can't be read ({error.strerror})") from None


NO_DIFFERENCES = frozenset({"refused"})
"""Kinds of findings that a report may hold and repair doesn't mend."""


def _difference(text: bytes) -> Difference | None:
    """What a line names, if it is one to be mended.

    Raises:
        KeyError, TypeError, ValueError: it is no line of a report.
    """
    line = _line(text)
    if line is None:
        if text.endswith(b"\n"):
            raise ValueError
        return None  # the end of a report that was cut off
    if line.keys() == {"result"} or line.get("kind") in NO_DIFFERENCES:
        return None
    return Difference.from_json(line)


def _line(text: bytes) -> dict[str, Any] | None:
    """The object that a line holds, None if it holds none."""
    try:
        value = json.loads(text.decode())
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
