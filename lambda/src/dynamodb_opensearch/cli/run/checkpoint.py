"""How far a job is, in a file of JSON lines that survives being killed at any moment. What it holds was done.

It holds keys of items, so nobody else may read it.
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
"""Size at which the file is written anew without what is overtaken: positions hold a page's keys."""
FORMAT = "dynamodb-opensearch checkpoint 3"
MADE_ANEW = {"tableId": "table", "indexUuid": "index"}
NOTICES = 200
"""Most different notices of a run: attributes may have any number of names."""
_BEGINNING = b'{"format":"dynamodb-opensearch checkpoint '


def now() -> str:
    """The time of day as reports and checkpoints have it."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def age_seconds(path: Path) -> float | None:
    """How long ago something was noted in a checkpoint last; None if there is none.

    Raises:
        ConfigurationError: it is something else, or can't be looked at.
    """
    with _usable(path):
        _check_checkpoint(path)
        return max(time.time() - path.stat().st_mtime, 0) if path.exists() else None


def is_of(path: Path, identity: Mapping[str, Any]) -> bool:
    """Whether a checkpoint is of a run that is equal in all of this."""
    with _usable(path), path.open(encoding="utf-8") as file:
        try:
            head = json.loads(file.readline())
        except ValueError:  # cut off while it was begun: of nobody's run
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
    """Refuse a file that is none of ours: it would be overwritten."""
    if not path.exists():
        return
    beginning = None
    if path.is_file():
        with path.open("rb") as file:
            beginning = file.read(len(_BEGINNING))
    if beginning is None or not _BEGINNING.startswith(beginning):  # one that was cut off while it was begun is ours
        raise ConfigurationError(
            f"the checkpoint {path} is another kind of file, and stays as it is: give another name"
        )


class Checkpoint:
    """One run of a job, however many times it is interrupted."""

    def __init__(self, path: Path, identity: Mapping[str, Any]) -> None:
        """Go on with the file's run, or begin one.

        Args:
            identity: what is done to what, as JSON holds it: a file of anything else is refused.

        Raises:
            ConfigurationError: the file can't be used, isn't a checkpoint, or is of another job, table or index.
        """
        self.path = path
        self.counts: Counter[str] = Counter()
        self.notices: Counter[str] = Counter()
        self.started_at = now()
        """When its first run began: ISO 8601, UTC."""
        self.units: list[Unit] | None = None
        """The plan, None before it is made: a second run must not plan anew."""
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
        """Whether the run was begun before."""
        return bool(self._positions)

    @property
    def finished(self) -> bool:
        """Whether its file is gone."""
        return self._kept is not None

    def begin(self, units: list[Unit]) -> None:
        """Note the plan."""
        self.units = units
        self._write({"units": [to_json(unit) for unit in units]})

    def open_units(self) -> list[tuple[Unit, Any]]:
        """The units that aren't done, each with the position where it goes on."""
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
        """All findings of the run, from the file."""
        with self._kept_or_opened() as file:
            for line in file:
                yield from json.loads(line).get("findings", ())

    def finish(self) -> None:
        """The job is done, and no run may go on with it: the file is gone. Until ``close`` the findings can be read."""
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
        """Keep the plan, the last positions, the sum of the counts, and all findings."""
        partial = self.path.with_name(self.path.name + ".partial")
        with _opened(partial, "w") as file, self.path.open(encoding="utf-8") as old:
            file.writelines(islice(old, 2))
            lines = map(json.loads, old)
            kept: Iterator[Any] = ({"findings": line["findings"]} for line in lines if line.get("findings"))
            positions = ({"unit": to_json(unit), "position": position} for unit, position in self._positions.items())
            file.writelines(
                _line(one) for one in chain(kept, [{"counts": self.counts, "notices": self.notices}], positions)
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
        if other in MADE_ANEW:
            raise ConfigurationError(
                f"the checkpoint {self.path} is of another {MADE_ANEW[other]} of that name: it was made anew since, or "
                f"the alias was switched ({other} was {line.get(other)!r}, is {identity[other]!r}); start again with "
                "--restart"
            )
        if other:
            raise ConfigurationError(
                f"the checkpoint {self.path} is of another run: its {other} is {line.get(other)!r}, not "
                f"{identity[other]!r}; finish that one, or start again with --restart"
            )

    def _take(self, line: Mapping[str, Any]) -> None:
        """A step's line, or one that a compaction left of many."""
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
