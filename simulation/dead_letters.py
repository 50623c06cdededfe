"""Fakes SQS: takes dead letters through SendMessage and SendMessageBatch, and remembers which it accepted."""

import hashlib
import json
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from simulation.faults import ReadFault
from simulation.history import REGION
from simulation.items import CONTENT_MARK, key_label
from simulation.network import Answer, Call
from simulation.story import Story

QUEUE_URL = f"https://sqs.{REGION}.amazonaws.com/123456789012/dead-letters"
_CONTENT_TYPE = "application/x-amz-json-1.0"


class DeadLetterQueue:
    """The queue of one schedule; `keys` holds the keys whose dead letters it has accepted, by index."""

    def __init__(self, key_names: Iterable[str], rng: random.Random, story: Story) -> None:
        self.keys: dict[str, set[str]] = defaultdict(set)
        self._key_names = tuple(key_names)
        self._rng = rng
        self._story = story

    def answer(self, call: Call, who: str, fault: ReadFault | None) -> Answer:
        match fault:
            case ReadFault.THROTTLED:
                return _error(403, "RequestThrottled", "Request is throttled.")
            case ReadFault.ERROR:
                return _error(500, "InternalError", "We encountered an internal error. Please try again.")
        body = json.loads(call.body)
        match call.headers.get("x-amz-target", "").removeprefix("AmazonSQS."):
            case "GetQueueUrl":
                return Answer(200, json.dumps({"QueueUrl": QUEUE_URL}).encode(), _CONTENT_TYPE)
            case "SendMessage":
                self._accept(body["MessageBody"], who)
                return Answer(200, json.dumps(_receipt(body["MessageBody"])).encode(), _CONTENT_TYPE)
            case "SendMessageBatch":
                return self._answer_batch(body["Entries"], who, some_fail=fault is ReadFault.UNPROCESSED)
        target = call.headers.get("x-amz-target")
        self._story.accuse(f"called {target}, which is not among the function's rights", invocation=who)
        return _error(403, "AccessDeniedException", "User is not authorized to perform this action")

    def _answer_batch(self, entries: list[Mapping[str, Any]], who: str, *, some_fail: bool) -> Answer:
        if not 1 <= len(entries) <= 10 or len({entry["Id"] for entry in entries}) < len(entries):
            self._story.accuse(f"sent SQS {len(entries)} entries: not 1 to 10 with different ids", invocation=who)
            return _error(400, "TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.")
        successful, failed = [], []
        for entry in entries:
            if some_fail and self._rng.random() < 0.6:
                failed.append({"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"})
            else:
                self._accept(entry["MessageBody"], who)
                successful.append({"Id": entry["Id"], **_receipt(entry["MessageBody"])})
        body = {"Successful": successful, **({"Failed": failed} if failed else {})}
        return Answer(200, json.dumps(body).encode(), _CONTENT_TYPE)

    def _accept(self, text: str, who: str) -> None:
        letter = json.loads(text)
        if CONTENT_MARK in text:
            self._story.accuse(f"sent an item's content in a dead letter: {text}", invocation=who)
        if letter.get("kind") != "document" or not letter.get("keys") or not letter.get("index"):
            self._story.accuse(f"sent a dead letter that names no document: {text}", invocation=who)
            return
        key = key_label(letter["keys"], self._key_names)
        self.keys[letter["index"]].add(key)
        self._story.tell(f"dead letter of {letter['index']}: {letter['reason']}", key=key, invocation=who)


def _receipt(text: str) -> dict[str, str]:
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return {"MessageId": digest, "MD5OfMessageBody": digest}


def _error(status: int, kind: str, message: str) -> Answer:
    return Answer(
        status, json.dumps({"__type": f"com.amazonaws.sqs#{kind}", "message": message}).encode(), _CONTENT_TYPE
    )
