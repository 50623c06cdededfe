"""Fakes DynamoDB: BatchGetItem answers as of now in the simulated history, dated by a simulated clock."""

import json
import random
from collections.abc import Mapping
from email.utils import formatdate
from typing import Any

from simulation.faults import ReadFault
from simulation.history import TABLE_ARN, TABLE_NAME, History
from simulation.items import Item, key_label
from simulation.network import Answer, Call
from simulation.story import Story

_CONTENT_TYPE = "application/x-amz-json-1.0"
_TYPE_PREFIX = "com.amazonaws.dynamodb.v20120810#"


class Table:
    """The table of one schedule. Requests that DynamoDB would refuse and inconsistent reads are violations."""

    def __init__(self, history: History, rng: random.Random, story: Story) -> None:
        self._history = history
        self._rng = rng
        self._story = story

    def answer(self, call: Call, who: str, fault: ReadFault | None) -> Answer:
        match fault:
            case ReadFault.THROTTLED:
                return self._error(*self._rng.choice(_THROTTLES))
            case ReadFault.ERROR:
                return self._error(500, "InternalServerError", "Internal server error")
        body = json.loads(call.body)
        try:
            ((name, wanted),) = body["RequestItems"].items()
            keys = self._check(call, name, wanted)
        except (KeyError, TypeError, ValueError) as error:
            self._story.accuse(f"sent DynamoDB what it refuses: {error!r}", invocation=who)
            return self._error(400, "ValidationException", "One or more parameter values were invalid")
        return self._read(name, keys, who, some_unprocessed=fault is ReadFault.UNPROCESSED)

    def _check(self, call: Call, name: str, wanted: Mapping[str, Any]) -> dict[str, Item]:
        operation = call.headers.get("x-amz-target", "")
        if operation != "DynamoDB_20120810.BatchGetItem":
            raise ValueError(f"{operation} is not among the function's rights")
        if name not in (TABLE_NAME, TABLE_ARN):
            raise ValueError(f"{name} is not the table")
        if wanted.get("ConsistentRead") is not True or set(wanted) != {"Keys", "ConsistentRead"}:
            raise ValueError(f"not a plain consistent read: {sorted(wanted)}")
        names = self._history.key_names
        keys = {key_label(key, names): key for key in wanted["Keys"] if set(key) == set(names)}
        if len(keys) != len(wanted["Keys"]) or not 1 <= len(keys) <= 100:
            raise ValueError(f"{len(wanted['Keys'])} keys: not 1 to 100 different ones of the key schema {names}")
        if unknown := set(keys) - set(self._history.keys):
            raise ValueError(f"keys that the table never had: {sorted(unknown)}")
        return keys

    def _read(self, name: str, keys: Mapping[str, Item], who: str, *, some_unprocessed: bool) -> Answer:
        left_out = {key for key in keys if some_unprocessed and self._rng.random() < 0.6}
        now = self._story.now
        date = int(now + self._rng.choice(self._history.clock_offsets))
        items = []
        for key in keys:
            if key in left_out:
                self._story.tell("read is left unprocessed", key=key, invocation=who)
            else:
                item = self._history.item(key, now)
                shown = "no item" if item is None else f"item of serial {item['serial']['N']}"
                self._story.tell(f"read finds {shown}, Date {date}", key=key, invocation=who)
                items += [] if item is None else [item]
        self._rng.shuffle(items)  # BatchGetItem answers in no order
        unprocessed = {"Keys": [keys[key] for key in sorted(left_out)], "ConsistentRead": True}
        body = {"Responses": {name: items}, "UnprocessedKeys": {name: unprocessed} if left_out else {}}
        return self._dated(Answer(200, json.dumps(body).encode(), _CONTENT_TYPE), date)

    def _error(self, status: int, kind: str, message: str) -> Answer:
        body = json.dumps({"__type": _TYPE_PREFIX + kind, "message": message}).encode()
        return self._dated(Answer(status, body, _CONTENT_TYPE), int(self._story.now))

    def _dated(self, answer: Answer, date: int) -> Answer:
        return Answer(answer.status, answer.body, answer.content_type, (("Date", formatdate(date, usegmt=True)),))


_THROTTLES = (
    (400, "ProvisionedThroughputExceededException", "The level of configured provisioned throughput was exceeded"),
    (400, "ThrottlingException", "Rate of requests exceeds the allowed throughput"),
    (400, "RequestLimitExceeded", "Throughput exceeds the current throughput limit for your account"),
)
