"""The exceptions that all parts share. A write that may work later is an outcome (``answers.Kind``), not an exception.

SyncError
├── UndecodableError     one record or item isn't what DynamoDB documents
├── TransformError       one item's transform raised, or returned what is no document
├── ConfigurationError   nothing works until a setting, a right or the index is changed
├── OutOfTimeError       AWS or OpenSearch was busy or down for as long as the work may wait
├── UnreachableError     one request to OpenSearch got no answer
├── RefusedError         one request to OpenSearch was answered with an error
└── UnusableError        a failure can't be redriven
    ├── ExpiredError     its records are gone from the stream
    └── KeylessError     it holds no key of the table
"""

from typing import Any

from dynamodb_opensearch.core.advice import advice_on_access
from dynamodb_opensearch.core.reasons import describe_answer, reason_of


class SyncError(Exception):
    """Base of this package's errors. A message never holds an item's content."""


class UndecodableError(SyncError):
    """One record or item isn't what DynamoDB documents. It becomes a dead letter; its neighbours go on."""


class TransformError(SyncError):
    """One item's transform raised, or returned something that is no document. It becomes a dead letter.

    The text names types and fields, never a message or a value: what the function says may quote the item.
    """

    def __init__(self, reason: str, place: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        """What went wrong: ``transform_error: KeyError``."""
        self.place = place
        """The file and line of the transform that it happened in, if it raised: ``search.py:12``."""


class ConfigurationError(SyncError):
    """Nothing can work until a setting, a right or the index is changed: the whole batch fails, and raises an alarm."""


class OutOfTimeError(SyncError):
    """AWS or OpenSearch was busy or down for as long as a job may wait. Nothing is lost: a step can be repeated."""


class UnreachableError(SyncError):
    """No answer came: whether the request was carried out is unknown. It may work later."""


class RefusedError(SyncError):
    """OpenSearch answered with an error. ``heals`` says whether the same request may work later."""

    reason_text: str
    """OpenSearch's own words, or empty; see ``reasons.reason_of``. Show them only for a request that holds no item."""

    def __init__(self, request: str, status: int, body: Any) -> None:
        self.status = status
        self.heals = status in {408, 429} or status >= 500
        self.reason_text = reason_of(body)
        self.advice = advice_on_access(body) if status in {401, 403} else None
        """What to change about how requests are sent; None if the refusal isn't about that."""
        super().__init__(f"OpenSearch answered {status} to {request} ({describe_answer(status, body)})")


class UnusableError(SyncError):
    """A failure that can't be redriven; the message says why, and what to do instead."""


class ExpiredError(UnusableError):
    """The failure points to stream records that are gone."""


class KeylessError(UnusableError):
    """The failure belongs to this sync, but holds no key that the table could have."""
