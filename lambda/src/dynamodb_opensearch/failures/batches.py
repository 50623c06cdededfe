"""Sends messages in batches (SendMessageBatch, PublishBatch). One without a confirmation counts as not delivered."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import code_of

_ENTRIES = 10  # of one SendMessageBatch or PublishBatch
_BATCH_BYTES = 256 * 1024  # of one such batch, all messages together


def deliver_batches(messages: Sequence[str], field: str, send: Any) -> dict[int, str]:
    """Send the messages in order, up to the first batch that fails; see ``destination.Destination.deliver``."""
    undelivered = dict.fromkeys(range(len(messages)), "not confirmed")
    for positions in _batches(messages):
        entries = [{"Id": str(position), field: messages[position]} for position in positions]
        try:
            answer: Mapping[str, Any] = send(entries)
        except (BotoCoreError, ClientError) as error:
            undelivered |= dict.fromkeys(positions, code_of(error))
            break
        undelivered |= {int(entry["Id"]): str(entry.get("Code")) for entry in answer.get("Failed", [])}
        for entry in answer.get("Successful", []):
            undelivered.pop(int(entry["Id"]), None)
        if not undelivered.keys().isdisjoint(positions):
            break
    return undelivered


def _batches(messages: Sequence[str]) -> Iterator[list[int]]:
    """The positions of messages that go together. The messages are ASCII, so a character is a byte."""
    batch: list[int] = []
    size = 0
    for position, message in enumerate(messages):
        if batch and (len(batch) == _ENTRIES or size + len(message) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(position)
        size += len(message)
    if batch:
        yield batch
