"""Writes verify's report: JSON lines for repair, one JSON object for programs, a page for people."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import mkstemp
from typing import Any, TextIO

from dynamodb_opensearch.cli.show.report_page import write_page
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.report import Compared, ReportWriter


@dataclass(frozen=True, slots=True)
class Report:
    """The content of a report. There may be a million differences, so they are read again for each format."""

    compared: Compared
    started_at: str
    ended_at: str
    percent: float
    """Share of both sides that was compared."""
    counts: Mapping[str, int]
    statements: Sequence[str]
    """What a sample says about the whole."""
    notices: Mapping[str, int]
    """What is worth knowing, but isn't a difference."""
    findings: Callable[[], Iterator[Mapping[str, Any]]]
    """Returns the differences."""

    @property
    def result(self) -> dict[str, Any]:
        """Everything except the differences."""
        return {
            "counts": dict(self.counts),
            "endedAt": self.ended_at,
            "percent": self.percent,
            "statements": list(self.statements),
            "notices": dict(self.notices),
        }


def check_report_path(path: Path) -> Path:
    """Check that this file can be written, before hours of comparing.

    Raises:
        ConfigurationError: its name has no known suffix, its folder doesn't exist, or it exists and isn't a regular
            file: a pipe or a device would be replaced with one.
    """
    if path.suffix not in _WRITERS:
        raise ConfigurationError(
            f"--report {path}: the name must end in {', '.join(_WRITERS)}, which selects the format"
        )
    target = path.resolve()
    if len(os.fsencode(target.name)) > _LONGEST:
        raise ConfigurationError(f"--report {path}: the name is too long; give one of at most {_LONGEST} bytes")
    if target.exists() and not target.is_file():
        raise ConfigurationError(
            f"--report {path}: it isn't a regular file; give a new name, or that of a regular file"
        )
    if not target.parent.is_dir() or not os.access(target.parent, os.W_OK):
        raise ConfigurationError(
            f"--report {path}: it can't be written there; give a file in a folder that you may write to"
        )
    return path


_LONGEST = 255 - len(".12345678.partial")
"""Most bytes of a report's name: while it is written, it has another one."""


def report_path(path: Path, index: str, indices: Sequence[str]) -> Path:
    """Return the file for one index: ``diff-orders.jsonl`` for ``diff.jsonl``, if there are several indices."""
    if len(indices) == 1:
        return path
    return path.with_name(f"{path.stem}-{_file_part(index)}{path.suffix}")


def _file_part(index: str) -> str:
    """Return the index's name, or if it is too long for a file's name, its beginning and a digest of it."""
    if len(index.encode()) <= _NAME_BYTES:
        return index
    return f"{index.encode()[: _NAME_BYTES - 9].decode(errors='ignore')}-{sha256(index.encode()).hexdigest()[:8]}"


_NAME_BYTES = 100


def check_report_paths(paths: Sequence[Path], indices: Sequence[str]) -> dict[str, list[Path]]:
    """Return each index's files. Check that they can be written, before hours of comparing.

    Raises:
        ConfigurationError: one can't be written, or two indices would have the same file.
    """
    found = {index: [check_report_path(report_path(path, index, indices)) for path in paths] for index in indices}
    owners: dict[Path, str] = {}
    for index, files in found.items():
        for file in files:
            if owners.setdefault(file.resolve(), index) != index:
                raise ConfigurationError(
                    f"--report {file}: it would be the file of {owners[file.resolve()]} and {index}; give other names"
                )
    return found


def write_report(path: Path, report: Report) -> None:
    """Write the file completely or not at all, readable only by its owner: it holds keys of items.

    A symbolic link stays: its target is replaced.

    Raises:
        ConfigurationError: it can't be written.
    """
    target = path.resolve()
    try:
        # A unique name: another run may write a report at the same time, and another user may plant a file.
        descriptor, partial = mkstemp(prefix=f"{target.name}.", suffix=".partial", dir=target.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
                _WRITERS[path.suffix](file, report)
                file.flush()
                os.fsync(file.fileno())
            Path(partial).replace(target)
        finally:
            Path(partial).unlink(missing_ok=True)
    except OSError as error:
        raise ConfigurationError(f"--report {path}: it can't be written ({error.strerror})") from None


def _write_lines(file: TextIO, report: Report) -> None:
    writer = ReportWriter(file, compared=report.compared, started_at=report.started_at)
    for finding in report.findings():
        writer.add(finding)
    writer.end(report.result)


def _write_object(file: TextIO, report: Report) -> None:
    head = {
        "table": report.compared.table_arn,
        "index": report.compared.index,
        "startedAt": report.started_at,
        **report.result,
    }
    file.write(json.dumps(head, ensure_ascii=False, indent=2).removesuffix("\n}") + ',\n  "differences": [')
    separator = ""
    for finding in report.findings():
        file.write(f"{separator}\n    {json.dumps(finding, ensure_ascii=False)}")
        separator = ","
    file.write("\n  ]\n}\n")


def _write_html(file: TextIO, report: Report) -> None:
    write_page(
        file,
        table_arn=report.compared.table_arn,
        index=report.compared.index,
        started_at=report.started_at,
        ended_at=report.ended_at,
        counts=report.counts,
        statements=report.statements,
        findings=report.findings(),
    )


_WRITERS = {".jsonl": _write_lines, ".json": _write_object, ".html": _write_html}
