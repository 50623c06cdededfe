"""Starts the exports of a recovery and waits for them. Exports cost money, so each is requested only once."""

import hashlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dynamodb_opensearch.cli.output import counted, stderr, tell
from dynamodb_opensearch.cli.run.interrupts import orderly_stop
from dynamodb_opensearch.cli.run.progress import waiting
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.dynamodb.export import describe_export, folder_of
from dynamodb_opensearch.dynamodb.point_in_time import Window, exportable_until, start_export, windows
from dynamodb_opensearch.jobs.sync import Sync

FRESH = timedelta(hours=24)
"""How long a run may use an interrupted run's exports: the stream must still hold what changed after them."""


_POLL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a recovery brings back, and the bucket it uses."""

    table: str
    table_id: str
    """AWS's id of the table: a table recreated under the same name has another."""
    since: datetime
    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Memo:
    """Which exports were requested: they cost money, and take minutes."""

    asked: Asked
    until: datetime
    """End of the last export's window."""
    begun: datetime
    exports: tuple[str | None, ...]
    """The ARN of each window's export; None if it isn't requested yet, or has failed."""
    attempt: int = 1
    """Raised when an export fails: with the same token, DynamoDB would return the failed export."""

    @property
    def windows(self) -> Sequence[Window]:
        """The windows of the exports."""
        return windows(self.asked.since, self.until)

    def token(self, window: Window) -> str:
        """The token of an export. It stays the same if a request is repeated because its outcome is unknown."""
        asked = self.asked
        parts = (asked.table_id, asked.bucket, asked.prefix, self.begun, self.attempt, *window)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]

    def serves(self, asked: Asked, now: datetime) -> bool:
        """Whether these exports cover what is asked for. A later start is fine: ``36h`` ago moves on with time."""
        return (
            replace(asked, since=self.asked.since) == self.asked
            and self.asked.since <= asked.since < self.until
            and self.begun <= now < self.begun + FRESH
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return json.loads(json.dumps(asdict(self), default=datetime.isoformat))  # type: ignore[no-any-return]

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Memo":
        """The inverse of ``to_json``."""
        asked = value["asked"]
        return cls(
            Asked(**{**asked, "since": datetime.fromisoformat(asked["since"])}),
            datetime.fromisoformat(value["until"]),
            datetime.fromisoformat(value["begun"]),
            tuple(value["exports"]),
            int(value["attempt"]),
        )


class Exports:
    """The exports of a recovery, with a memo in a file beside its checkpoint."""

    def __init__(self, checkpoint: Path, asked: Asked, sync: Sync, *, restart: bool = False) -> None:
        """Take the exports of an interrupted run, or plan new ones.

        Raises:
            ConfigurationError: the table can't be exported, or the memo is broken.
        """
        self.path, self._sync = checkpoint.with_name(checkpoint.name + ".exports"), sync
        now = datetime.now(UTC)
        memo = None if restart else self._read()
        self.are_new = memo is None or not memo.serves(asked, now)
        """Whether an existing checkpoint belongs to other exports."""
        if memo is None and not restart and checkpoint.exists():  # before anything is paid for
            raise ConfigurationError(
                f"the checkpoint {checkpoint} is of another run, or isn't a checkpoint: give another file, or start "
                "again with --restart"
            )
        if memo is None or self.are_new:
            until = exportable_until(sync.dynamodb, sync.settings.table_name, asked.since)
            if memo:
                _report_left(memo, asked)
            memo = Memo(asked, until, now, (None,) * len(windows(asked.since, until)))
        self._memo = memo

    def complete(self) -> Sequence[str] | None:
        """Start the exports that aren't started yet, and wait. Return their URLs, or None if interrupted.

        Raises:
            ConfigurationError: an export is refused, or has failed.
        """
        memo = self._memo
        self._start()
        tell(
            f"what changed from {text_of(memo.windows[0][0])} to {text_of(memo.until)} comes from "
            f"{counted(len(memo.windows), 'export')}, and what changed after that from the stream"
        )
        with orderly_stop(quietly=True) as stop, waiting(stderr(), "waiting for DynamoDB's exports"):
            while (found := self._described()) is None:
                waited = 0.0
                while waited < _POLL_SECONDS:
                    if stop.requested:
                        return None
                    time.sleep(0.2)
                    waited += 0.2
        if any(export["ExportStatus"] == "FAILED" for export in found):
            exports = (
                None if export["ExportStatus"] == "FAILED" else arn
                for arn, export in zip(self._memo.exports, found, strict=True)
            )
            self._note(replace(self._memo, exports=tuple(exports), attempt=memo.attempt + 1))
        return [folder_of(export) for export in found]

    def forget(self) -> None:
        """Delete the memo: the exports aren't needed any more."""
        self.path.unlink(missing_ok=True)

    def _start(self) -> None:
        """Start the missing exports. The memo is written before and after each, so the next run repeats no export."""
        missing = [number for number, arn in enumerate(self._memo.exports) if arn is None]
        if not missing:
            return
        self._note(self._memo)
        for number in missing:
            exports = self._memo.exports
            try:
                arn = self._start_one(self._memo.windows[number])
            except ConfigurationError:
                if not any(exports):  # nothing is paid for, so there is nothing to resume
                    self.forget()
                raise
            self._note(replace(self._memo, exports=(*exports[:number], arn, *exports[number + 1 :])))
        asked, asked_for = self._memo.asked, counted(len(missing), "incremental export")
        tell(f"requested {asked_for} to s3://{asked.bucket}/{asked.prefix}: DynamoDB takes some minutes")

    def _start_one(self, window: Window) -> str:
        asked = self._memo.asked
        return start_export(
            self._sync.dynamodb,
            self._sync.table_arn,
            window,
            bucket=asked.bucket,
            prefix=asked.prefix,
            token=self._memo.token(window),
            deadline=self._sync.deadline(),
        )

    def _described(self) -> list[Mapping[str, Any]] | None:
        """DynamoDB's description of each export; None while one isn't finished, or DynamoDB can't be reached."""
        try:
            found = [describe_export(self._sync.dynamodb, str(arn)) for arn in self._memo.exports]
        except OutOfTimeError:
            return None
        return None if any(export["ExportStatus"] == "IN_PROGRESS" for export in found) else found

    def _read(self) -> Memo | None:
        try:
            return Memo.of_json(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"{self.path} can't be read ({error.strerror})") from None
        except (KeyError, RecursionError, TypeError, ValueError):
            raise ConfigurationError(f"{self.path} is broken: start again with --restart") from None

    def _note(self, memo: Memo) -> None:
        self._memo = memo
        partial = self.path.with_name(self.path.name + ".partial")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(partial, "w", encoding="utf-8", opener=_private) as file:
                json.dump(memo.to_json(), file)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        except OSError as error:
            raise ConfigurationError(f"{self.path} can't be written ({error.strerror})") from None


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _report_left(memo: Memo, asked: Asked) -> None:
    """Report an interrupted recovery that isn't resumed: what it covered, and whether this one covers less."""
    begun, since = text_of(memo.begun), text_of(memo.asked.since)
    text = f"not resumed: a recovery begun at {begun}, of what changed from {since} to {text_of(memo.until)}"
    if memo.asked.table_id == asked.table_id and memo.asked.since < asked.since:
        text += f"; this one begins later. If the earlier changes are still missing: --since {since}"
    tell(text)


def text_of(moment: datetime) -> str:
    """``2026-11-24T09:00:00Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
