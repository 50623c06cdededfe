"""The exports of a recovery: asked for once, since they cost money, and waited for."""

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
"""How long a run goes on with an interrupted one's exports: what changed after them, the stream has to keep."""


_POLL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a recovery is to bring back, and from where."""

    table: str
    table_id: str
    """AWS's: a table that is made anew under the name has another."""
    since: datetime
    bucket: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Memo:
    """Which exports were asked for: they cost money, and take minutes."""

    asked: Asked
    until: datetime
    """Up to when they reach."""
    begun: datetime
    exports: tuple[str | None, ...]
    """The ARN of each window's; None: it isn't asked for yet, or has failed."""
    attempt: int = 1
    """Of those that failed: DynamoDB would take the same token for the same export."""

    @property
    def windows(self) -> Sequence[Window]:
        """The windows of the exports."""
        return windows(self.asked.since, self.until)

    def token(self, window: Window) -> str:
        """The same one for the same export, also if it isn't known whether it was asked for."""
        asked = self.asked
        parts = (asked.table_id, asked.bucket, asked.prefix, self.begun, self.attempt, *window)
        return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]

    def serves(self, asked: Asked, now: datetime) -> bool:
        """Whether its exports are what is asked for. A later moment of the same run is: 36h ago goes on with time."""
        return (
            replace(asked, since=self.asked.since) == self.asked
            and self.asked.since <= asked.since < self.until
            and self.begun <= now < self.begun + FRESH
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
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
        """Take those of an interrupted run, or plan new ones.

        Raises:
            ConfigurationError: the table can't be exported, or the memo is broken.
        """
        self.path, self._sync = checkpoint.with_name(checkpoint.name + ".exports"), sync
        now = datetime.now(UTC)
        memo = None if restart else self._read()
        self.are_new = memo is None or not memo.serves(asked, now)
        """Whether a checkpoint that is there is of others."""
        if memo is None and not restart and checkpoint.exists():  # before anything is paid for
            raise ConfigurationError(
                f"the checkpoint {checkpoint} is of another run, or no checkpoint: give another, or begin anew with "
                "--restart"
            )
        if memo is None or self.are_new:
            until = exportable_until(sync.dynamodb, sync.settings.table_name, asked.since)
            if memo:
                _tell_left(memo, asked)
            memo = Memo(asked, until, now, (None,) * len(windows(asked.since, until)))
        self._memo = memo

    def complete(self) -> Sequence[str] | None:
        """Ask for what isn't asked for yet, and wait; their places, or None if whoever waits is tired of it.

        Raises:
            ConfigurationError: an export is refused, or has failed.
        """
        memo = self._memo
        self._start()
        tell(
            f"what changed from {text_of(memo.windows[0][0])} to {text_of(memo.until)} comes from "
            f"{counted(len(memo.windows), 'export')}, and what changed since then by the stream"
        )
        with orderly_stop(quietly=True) as stop, waiting(stderr(), "waiting for DynamoDB's exports"):
            while (found := self._described()) is None:
                waited = 0.0
                while waited < _POLL_SECONDS:
                    if stop.requested:
                        return None
                    time.sleep(0.2)
                    waited += 0.2
        if any(one["ExportStatus"] == "FAILED" for one in found):
            exports = (
                None if one["ExportStatus"] == "FAILED" else arn
                for arn, one in zip(self._memo.exports, found, strict=True)
            )
            self._note(replace(self._memo, exports=tuple(exports), attempt=memo.attempt + 1))
        return [folder_of(one) for one in found]

    def forget(self) -> None:
        """They are done with."""
        self.path.unlink(missing_ok=True)

    def _start(self) -> None:
        """Each is noted as soon as it is paid for, and before it is known to be: the next run asks for the same."""
        missing = [number for number, arn in enumerate(self._memo.exports) if arn is None]
        if not missing:
            return
        self._note(self._memo)
        for number in missing:
            exports = self._memo.exports
            try:
                arn = self._start_one(self._memo.windows[number])
            except ConfigurationError:
                if not any(exports):  # nothing is paid for, and nothing has to be gone on with
                    self.forget()
                raise
            self._note(replace(self._memo, exports=(*exports[:number], arn, *exports[number + 1 :])))
        asked, asked_for = self._memo.asked, counted(len(missing), "incremental export")
        tell(f"asked for {asked_for} to s3://{asked.bucket}/{asked.prefix}: DynamoDB takes some minutes")

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
        """What DynamoDB tells of each; None while one isn't finished, or DynamoDB can't be reached for a moment."""
        try:
            found = [describe_export(self._sync.dynamodb, str(arn)) for arn in self._memo.exports]
        except OutOfTimeError:
            return None
        return None if any(one["ExportStatus"] == "IN_PROGRESS" for one in found) else found

    def _read(self) -> Memo | None:
        try:
            return Memo.of_json(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"{self.path} can't be read ({error.strerror})") from None
        except (KeyError, RecursionError, TypeError, ValueError):
            raise ConfigurationError(f"{self.path} is broken: begin anew with --restart") from None

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


def _tell_left(memo: Memo, asked: Asked) -> None:
    """An interrupted recovery isn't gone on with: what it would have brought back, and whether this one does."""
    begun, since = text_of(memo.begun), text_of(memo.asked.since)
    text = f"left aside: a recovery begun at {begun}, of what changed from {since} to {text_of(memo.until)}"
    if memo.asked.table_id == asked.table_id and memo.asked.since < asked.since:
        text += f"; this one begins later. If that one is still to be done: --since {since}"
    tell(text)


def text_of(moment: datetime) -> str:
    """``2026-11-24T09:00:00Z``."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
