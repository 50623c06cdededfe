"""Notes how far a job is, in a file of JSON lines. The job may be killed at any moment: each step in the file was done.

The file holds keys of items, so only its owner may read it.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, TextIO

from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.unit import Unit, read_unit, to_json

COMPACT_BYTES = 64 * 1024**2
"""Size at which the file is rewritten without outdated positions, which hold the keys of a page."""
FORMAT = "dynamodb-opensearch checkpoint 3"
_RECREATABLE = {"tableId": "table", "indexUuid": "index"}
NOTICES = 200
"""Most distinct notices that a run keeps: they may name any number of attributes."""
_BEGINNING = b'{"format":"dynamodb-opensearch checkpoint '


def now() -> str:
    """The current time in the form of reports and checkpoints."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def age_seconds(path: Path) -> float | None:
    """How long ago a step was last noted in the checkpoint; None if there is no such file.

    Raises:
        ConfigurationError: the file isn't a checkpoint, or can't be read.
    """
    with _usable(path):
        _check_checkpoint(path)
        return max(time.time() - path.stat().st_mtime, 0) if path.exists() else None


def is_of(path: Path, identity: Mapping[str, Any]) -> bool:
    """Whether a checkpoint belongs to a run with this identity."""
    with _usable(path), path.open(encoding="utf-8") as file:
        try:
            head = json.loads(file.readline())
        except ValueError:  # cut off while it was created: it belongs to no run yet
            return True
    return all(head.get(name) == value for name, value in json.loads(json.dumps(identity)).items())


def remove(path: Path) -> None:
    """Remove a checkpoint."""
    with _usable(path):
        path.unlink()


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(f"the checkpoint {path} can't be used ({error.strerror})") from None


def _check_checkpoint(path: Path) -> None:
    """Refuse a file that isn't a checkpoint: it would be overwritten."""
    if not path.exists():
        return
    beginning = None
    if path.is_file():
        with path.open("rb") as file:
            beginning = file.read(len(_BEGINNING))
    if beginning is None or not _BEGINNING.startswith(beginning):  # a shorter beginning is a cut-off checkpoint
        raise ConfigurationError(
            f"the checkpoint {path} is another kind of file, and was left alone: give another name"
        )


class Checkpoint:
    """One run of a job, however often it is interrupted."""

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        """Go on with the file's run, or begin a new one.

        Args:
            identity: the job and what it works on, as JSON values. A file with another identity is refused.

        Raises:
            ConfigurationError: the file can't be used, isn't a checkpoint, or is of another job, table or index.
        """
        self.path = path
        self.counts: Counter[str] = Counter()
        self.notices: Counter[str] = Counter()
        self.started_at = now()
        """When the run first began: ISO 8601, UTC."""
        self.units: list[Unit] | None = None
        """The plan; None before it is made. A resumed run must not plan again."""
        self._positions: dict[Unit, Any] = {}
        self._compact_at = COMPACT_BYTES
        with _usable(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            _check_checkpoint(path)
            self._read(json.loads(json.dumps(identity)))
            self._file = _opened(path, "a")
        self._kept: TextIO | None = None
        if self.units is None:
            self._file.truncate(0)
            self._write({"format": FORMAT, "startedAt": self.started_at, **identity})

    @property
    def resumed(self) -> bool:
        """Whether any step is noted, so that there is something to resume."""
        return bool(self._positions)

    @property
    def finished(self) -> bool:
        """Whether the job is done and its file deleted."""
        return self._kept is not None

    def begin(self, units: list[Unit]) -> None:
        """Note the plan."""
        self.units = units
        self._write({"units": [to_json(unit) for unit in units]})

    def open_units(self) -> list[tuple[Unit, Any]]:
        """The units that aren't done, each with the position from which it goes on."""
        return [
            (unit, self._positions.get(unit)) for unit in self.units or [] if self._positions.get(unit, ...) is not None
        ]

    def record(self, unit: Unit, step: Step) -> None:
        """Note that a step was done."""
        line = {
            "unit": to_json(unit),
            "position": step.position,
            "counts": step.counts,
            "findings": list(step.findings),
        }
        if step.notices:
            line["notices"] = step.notices
        self._write(line)
        self._take(line)
        if self._file.tell() > self._compact_at:
            self._compact()

    def findings(self) -> Iterator[Mapping[str, Any]]:
        """Differences, refusals and failures that the run's steps reported, read from the file."""
        with self._kept_or_opened() as file:
            for line in file:
                yield from json.loads(line).get("findings", ())

    def finish(self) -> None:
        """Delete the file: the job is done, and no run may resume it. ``findings`` can be read until ``close``."""
        self._file.close()
        self._kept = self.path.open(encoding="utf-8")
        self.path.unlink()

    def close(self) -> None:
        """Leave the file for the next run, unless it is finished."""
        if self._kept:
            self._kept.close()
            return
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    @contextmanager
    def _kept_or_opened(self) -> Iterator[TextIO]:
        if self._kept:
            self._kept.seek(0)
            yield self._kept
        else:
            with self.path.open(encoding="utf-8") as file:
                yield file

    def _compact(self) -> None:
        """Keep the plan, the last positions, the sums of the counts, and all ``findings``."""
        partial = self.path.with_name(self.path.name + ".partial")
        with _opened(partial, "w") as file, self.path.open(encoding="utf-8") as old:
            file.writelines(islice(old, 2))
            lines = map(json.loads, old)
            kept: Iterator[Any] = ({"findings": line["findings"]} for line in lines if line.get("findings"))
            positions = ({"unit": to_json(unit), "position": position} for unit, position in self._positions.items())
            file.writelines(
                _line(value) for value in chain(kept, [{"counts": self.counts, "notices": self.notices}], positions)
            )
        self._file.close()
        partial.replace(self.path)
        self._file = _opened(self.path, "a")
        self._compact_at = max(COMPACT_BYTES, 2 * self._file.tell())

    def _read(self, identity: Mapping[str, Any]) -> None:
        if not self.path.exists():
            return
        whole = 0
        with self.path.open("rb") as file:
            for number, text in enumerate(file, start=1):
                if not text.endswith(b"\n"):  # the last line of a run that was killed while writing it
                    break
                whole += len(text)
                self._take_line(text, number, identity)
        os.truncate(self.path, whole)

    def _take_line(self, text: bytes, number: int, identity: Mapping[str, Any]) -> None:
        try:
            line = json.loads(text)
            if number == 1:
                self._check(line, identity)
            elif "units" in line:
                self.units = [read_unit(unit) for unit in line["units"]]
            else:
                self._take(line)
        except (AttributeError, KeyError, TypeError, ValueError):
            raise ConfigurationError(
                f"the checkpoint {self.path} is broken in line {number}: delete it to start again"
            ) from None

    def _check(self, line: Mapping[str, Any], identity: Mapping[str, Any]) -> None:
        if line["format"] != FORMAT:
            raise ConfigurationError(
                f"the checkpoint {self.path} was made by another version of this command: start again with --restart"
            )
        self.started_at = str(line["startedAt"])
        other = next((name for name in identity if line.get(name) != identity[name]), None)
        if other in _RECREATABLE:
            raise ConfigurationError(
                f"the checkpoint {self.path} is of another {_RECREATABLE[other]} of that name: it was recreated since, "
                f"or the alias was switched ({other} was {line.get(other)!r}, is {identity[other]!r}); start again "
                "with --restart"
            )
        if other == "projections":
            raise ConfigurationError(
                f"the checkpoint {self.path} is of indices that were to hold something else: a rule, a shape or a "
                "transform was changed since; start again with --restart"
            )
        if other:
            raise ConfigurationError(
                f"the checkpoint {self.path} is of another run: its {other} is {line.get(other)!r}, not "
                f"{identity[other]!r}; finish that run, or start again with --restart"
            )

    def _take(self, line: Mapping[str, Any]) -> None:
        """Add up a step's line, or a line that a compaction made of many."""
        if not line.keys() & {"unit", "counts", "findings"}:
            raise ValueError(line)
        if "unit" in line:
            self._positions[read_unit(line["unit"])] = line["position"]
        self.counts.update(line.get("counts", {}))
        for text, number in line.get("notices", {}).items():
            known = text in self.notices or len(self.notices) < NOTICES
            self.notices[text if known else "and others"] += number

    def _write(self, value: Mapping[str, Any]) -> None:
        self._file.write(_line(value))
        self._file.flush()


def _opened(path: Path, mode: Literal["a", "w"]) -> TextIO:
    return open(path, mode, encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600))


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"
