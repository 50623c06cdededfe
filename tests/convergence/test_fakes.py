"""The fake DynamoDB, the fake SQS and the faulty proxy do what they say: the proof is worth no more than they are."""

import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import pytest
from engines import OpenSearchNode

from simulation.dead_letters import DeadLetterQueue
from simulation.faults import Fault, Faults, ReadFault
from simulation.history import TABLE_NAME, History
from simulation.index import Index
from simulation.items import CONTENT_MARK
from simulation.network import Call
from simulation.proxy import Fate, Proxy
from simulation.schedule import make_schedule
from simulation.story import Story
from simulation.table import Table

FILTER = "filter_path=errors,items.*.status,items.*.error"
NO_FAULTS = Faults(rate=0, budget=0, weights={}, read_rate=0, outage_requests=0, max_body_bytes=None)
WRITTEN_NOW = {Fault.RESET_AFTER, Fault.CUT, Fault.HANG, Fault.KILL_AFTER, Fault.CLOSE}
WRITTEN_LATER = {Fault.HELD, Fault.HANG_HELD, Fault.KILL_HELD}
WRITTEN_IN_PART = {Fault.ITEMS_BUSY, Fault.HALF_DONE}


def call_aws(target: str, body: Any) -> Call:
    return Call("POST", "/", "", {"x-amz-target": target}, json.dumps(body).encode())


class AtTheTable:
    """A table somewhere in the middle of a history of six items, and a way to read from it."""

    def __init__(self) -> None:
        self.story = Story()
        self.history = self._long_history()
        self.change = self.history.changes[-2]
        self.story.now = self.change.at
        self._table = Table(self.history, random.Random(1), self.story)

    @staticmethod
    def _long_history() -> History:
        histories = (make_schedule(seed, "k").history for seed in range(100))
        return next(history for history in histories if len(history.keys) > 4)

    def read(self, *keys: Any, fault: ReadFault | None = None, **options: Any) -> tuple[int, Any, str]:
        wanted = {"Keys": list(keys), "ConsistentRead": True, **options}
        call = call_aws("DynamoDB_20120810.BatchGetItem", {"RequestItems": {TABLE_NAME: wanted}})
        answer = self._table.answer(call, "test", fault)
        return answer.status, json.loads(answer.body), dict(answer.headers)["Date"]


def test_a_read_finds_the_item_as_of_now_by_a_clock_within_the_skew() -> None:
    at = AtTheTable()
    status, body, date = at.read(at.change.keys)
    assert (status, body["UnprocessedKeys"]) == (200, {})
    assert body["Responses"][TABLE_NAME] == ([] if at.change.item is None else [at.change.item])
    offsets = at.history.clock_offsets
    read_at = parsedate_to_datetime(date).timestamp()
    assert int(at.story.now + min(offsets)) <= read_at <= int(at.story.now + max(offsets))


def test_unprocessed_keys_are_named_and_not_answered() -> None:
    at = AtTheTable()
    keys = list({change.key: change.keys for change in at.history.changes}.values())
    _, body, _ = at.read(*keys, fault=ReadFault.UNPROCESSED)
    left_out = body["UnprocessedKeys"][TABLE_NAME]["Keys"]
    answered = [{name: item[name] for name in at.history.key_names} for item in body["Responses"][TABLE_NAME]]
    assert left_out
    assert not [key for key in left_out if key in answered]


@pytest.mark.parametrize("fault", [ReadFault.THROTTLED, ReadFault.ERROR])
def test_a_failed_read_answers_with_an_aws_error(fault: ReadFault) -> None:
    at = AtTheTable()
    status, body, _ = at.read(at.change.keys, fault=fault)
    assert status in (400, 500)
    assert body["__type"].startswith("com.amazonaws.dynamodb.v20120810#")
    assert at.story.violations == []


def test_a_read_that_is_not_consistent_is_a_violation() -> None:
    at = AtTheTable()
    assert at.read(at.change.keys, ConsistentRead=False)[0] == 400
    assert len(at.story.violations) == 1


def test_a_read_of_the_same_key_twice_is_a_violation() -> None:
    at = AtTheTable()
    assert at.read(at.change.keys, at.change.keys)[0] == 400
    assert len(at.story.violations) == 1


def test_a_key_with_more_than_its_attributes_is_a_violation() -> None:
    at = AtTheTable()
    assert at.read({**at.change.keys, "other": {"S": "x"}})[0] == 400
    assert len(at.story.violations) == 1


def make_letter(key: str, **more: Any) -> dict[str, Any]:
    return {
        "kind": "document",
        "index": "products",
        "keys": {"pk": {"S": key}},
        "reason": {"type": "t", "message": "m"},
        **more,
    }


def send_letters(queue: DeadLetterQueue, *letters: Any, fault: ReadFault | None = None) -> Any:
    entries = [{"Id": str(number), "MessageBody": json.dumps(letter)} for number, letter in enumerate(letters)]
    return json.loads(queue.answer(call_aws("AmazonSQS.SendMessageBatch", {"Entries": entries}), "test", fault).body)


def test_only_delivered_dead_letters_count() -> None:
    queue = DeadLetterQueue(["pk"], random.Random(1), Story())
    answer = send_letters(queue, *(make_letter(f"k{n}") for n in range(8)), fault=ReadFault.UNPROCESSED)
    assert {f"k{entry['Id']}" for entry in answer["Successful"]} == queue.keys["products"]
    assert {f"k{entry['Id']}" for entry in answer["Failed"]} == {f"k{n}" for n in range(8)} - queue.keys["products"]


@pytest.mark.parametrize("letter", [make_letter("k", payload=CONTENT_MARK), make_letter("k", keys=None)])
def test_a_dead_letter_with_content_or_without_keys_is_a_violation(letter: Any) -> None:
    story = Story()
    send_letters(DeadLetterQueue(["pk"], random.Random(1), story), letter)
    assert len(story.violations) == 1


@pytest.fixture(scope="module")
def index(opensearch_node: OpenSearchNode) -> Iterator[Index]:
    index = Index(opensearch_node.url, f"fakes-{uuid4().hex[:8]}")
    index.create()
    yield index
    index.delete()
    index.close()


class Sender:
    """Sends bulk requests of ten new documents through a proxy that knows one fault."""

    def __init__(self, index: Index, fault: Fault | None, **limits: Any) -> None:
        faults = NO_FAULTS if fault is None else replace(NO_FAULTS, rate=1, budget=1, weights={fault: 1})
        self.story = Story()
        self.proxy = Proxy([index], ["pk"], replace(faults, **limits), random.Random(3), self.story)
        self.ids = [f"{uuid4().hex}" for _ in range(10)]
        self._index = index

    def call(self, *, query: str = "", encoding: str = "") -> Call:
        lines = [({"index": {"_id": i, "version": 7, "version_type": "external"}}, {"pk": i}) for i in self.ids]
        body = "".join(json.dumps(line) + "\n" for pair in lines for line in pair).encode()
        headers = {"content-encoding": encoding}
        return Call("POST", f"/{self._index.name}/_bulk", query, headers, gzip.compress(body) if encoding else body)

    def written(self) -> int:
        return len(self._index.documents(self.ids))


@pytest.mark.parametrize("fault", list(Fault))
def test_a_fault_writes_what_its_name_says(index: Index, fault: Fault) -> None:
    sender = Sender(index, fault)
    sender.proxy.handle(sender.call(), "test")
    written = sender.written()
    if fault in WRITTEN_NOW:
        assert written == 10
    elif fault in WRITTEN_IN_PART:
        assert 0 < written < 10
    else:
        assert written == 0
    assert len(sender.proxy.held) == (fault in WRITTEN_LATER)
    for held in list(sender.proxy.held):
        sender.proxy.land(held)
        assert sender.written() == 10


@pytest.mark.parametrize("query", ["", FILTER])
def test_failed_items_stand_at_their_places_among_the_real_ones(index: Index, query: str) -> None:
    sender = Sender(index, Fault.ITEMS_BUSY)
    answer = sender.proxy.handle(sender.call(query=query), "test").answer
    assert answer is not None
    body = json.loads(answer.body)
    written = {document.document_id for document in index.documents(sender.ids)}
    assert body["errors"] is True
    for document_id, item in zip(sender.ids, body["items"], strict=True):
        assert item["index"]["status"] in ((201,) if document_id in written else (429, 503))
        assert ("error" in item["index"]) == (document_id not in written)


def test_without_faults_the_answer_is_the_real_one_also_when_compressed(index: Index) -> None:
    sender = Sender(index, None)
    effect = sender.proxy.handle(sender.call(encoding="gzip"), "test")
    assert effect.fate is Fate.ANSWERED
    assert effect.answer is not None
    assert [item["index"]["_version"] for item in json.loads(effect.answer.body)["items"]] == [7] * 10
    assert sender.written() == 10


def test_a_body_above_the_limit_is_refused_with_413(index: Index) -> None:
    sender = Sender(index, None, max_body_bytes=100)
    answer = sender.proxy.handle(sender.call(), "test").answer
    assert answer is not None
    assert (answer.status, sender.written()) == (413, 0)


def test_the_budget_ends_the_faults(index: Index) -> None:
    sender = Sender(index, Fault.RESET_BEFORE)
    fates = [sender.proxy.handle(sender.call(), "test").fate for _ in range(3)]
    assert fates == [Fate.RESET, Fate.ANSWERED, Fate.ANSWERED]


@pytest.mark.parametrize(("method", "path"), [("GET", "/_cluster/health"), ("POST", "/_bulk"), ("POST", "/x/_mget")])
def test_any_call_but_a_bulk_to_the_index_is_a_violation(index: Index, method: str, path: str) -> None:
    sender = Sender(index, None)
    answer = sender.proxy.handle(Call(method, path, "", {}, b""), "test").answer
    assert answer is not None
    assert answer.status == 403
    assert len(sender.story.violations) == 1
