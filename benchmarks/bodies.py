"""Turns stream records into bulk bodies: the bytes that the function itself would send, with its versions."""

import time
from collections.abc import Mapping, Sequence

from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.core.changes import Write, coalesce
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.keys import KeySchema
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.opensearch.bulk import Limits, Writer
from dynamodb_opensearch.sources.dynamodb_stream import decode

from benchmarks.workloads import KEY, Record

_PROJECTIONS = (Projection("any"),)
_WHOLE_BATCH = Limits(chunk_bytes=10 * 1024**2, actions=10_000)


def bodies_of(records: Sequence[Record], limits: Limits = _WHOLE_BATCH) -> list[bytes]:
    """Return what the function would send for a batch, as one request or as many as the limits require."""
    recorder = _Recorder()
    changes = coalesce(decode(records, KeySchema((KEY,))), _PROJECTIONS).changes.values()
    writes = [change for change in changes if isinstance(change, Write)]
    end = time.monotonic() + 60
    deadline = Deadline(lambda: int((end - time.monotonic()) * 1000))
    outcomes = Writer(recorder, _PROJECTIONS, limits, 1, 60).write(writes, deadline, Tally())
    assert len(list(outcomes)) == len(writes)
    return recorder.bodies


class _Recorder:
    """Replaces the client of OpenSearch, and records the bodies that it gets."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float) -> Answer:
        del path, parameters, timeout_seconds
        self.bodies.append(body)
        return Answer(200, {"errors": False, "items": [{}] * body.count(b'"version_type"')})
