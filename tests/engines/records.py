"""Keeps a run's record in its folder, for other programs to read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path

from engines.processes import ProcessIdentity

RECORD = "run.json"


@dataclass(frozen=True, slots=True)
class Record:
    """Which process started a run, on which port, and the engine's process once it exists."""

    name: str
    port: int
    owner_pid: int
    kept: bool = False
    process: ProcessIdentity | None = None
    details: Mapping[str, str] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        draft = folder / f"{RECORD}.new"
        draft.write_text(json.dumps(asdict(self), indent=2), encoding="utf-8")
        draft.replace(folder / RECORD)

    @classmethod
    def read(cls, folder: Path) -> "Record | None":
        """Read a record; None if its program was killed before it wrote one."""
        try:
            content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            process = content.pop("process")
            return cls(**content, process=ProcessIdentity(**process) if process else None)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def lives(self) -> bool:
        return self.process is not None and self.process.find() is not None


class State(StrEnum):
    OWNED = "in use"  # its program runs
    KEPT = "kept"  # left running on purpose
    STALE = "left over"  # its program was killed


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run as seen by a program that doesn't own it."""

    record: Record
    state: State
    folder: Path
