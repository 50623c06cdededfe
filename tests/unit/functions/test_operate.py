"""How the operator function divides its time, and what it reports. Real engines: tests/localstack."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.jobs.job import Pause, Step
from dynamodb_opensearch.jobs.request import Request
from dynamodb_opensearch.jobs.unit import Segment, Unit, Whole, to_json
from dynamodb_opensearch.opensearch.layout import read_layout
from dynamodb_opensearch.settings import read_settings
from hypothesis import given
from hypothesis import strategies as st

from unit.functions.syncing import ENVIRONMENT

_NUMBERS = count()
ONE = to_json(Whole("one"))


@dataclass
class Work:
    """A job of numbered steps; its clock stands still but for what a step takes."""

    seconds: list[float]
    """Of each step."""
    fails_at: int | None = None
    places: list[str] = field(default_factory=lambda: ["products"] * 1_000)
    """The index of each step's difference."""
    units: list[Unit] = field(default_factory=lambda: [Whole("one"), Whole("two")])
    now: float = 0

    def plan(self, sync: Any) -> list[Unit]:
        del sync
        return self.units

    def run(self, sync: Any, unit: Unit, position: Any) -> Iterator[Step]:
        del sync, unit
        for number in range(position or 0, len(self.seconds)):
            if number == self.fails_at:
                raise OutOfTimeError("OpenSearch is busy")
            self.now += self.seconds[number]
            last = number == len(self.seconds) - 1
            finding = {
                "kind": "missing",
                "index": self.places[number],
                "id": f"i{number}",
                "keys": {"pk": {"S": "secret"}},
            }
            yield Step(None if last else number + 1, Counter(items=10, refused=0), [finding])


def described(index: str) -> str:
    """What OpenSearch says about an index."""
    settings = {"index": {"uuid": f"the uuid of {index}", "number_of_shards": "1"}}
    return json.dumps({index: {"aliases": {}, "mappings": {}, "settings": settings}})


class World:
    """An operator with 60 s for each invocation, and a job in place of what is asked for."""

    aws_request_id = "request-1"

    def __init__(self, monkeypatch: pytest.MonkeyPatch, work: Work, **environment: str) -> None:
        for name, value in ENVIRONMENT.items():  # the module reads its settings when it is first imported
            monkeypatch.setenv(name, value)
        self.module = import_module("dynamodb_opensearch.functions.operate")
        self.work, self.began = work, 0.0
        self.objects: dict[str, str] = {}
        self.put_faults: list[Exception] = []
        self.opened: list[Mapping[str, Any]] = []
        self.other_code: str | None = None
        """What the operator's code differs in from the sync's."""
        self.selected: list[tuple[str, ...]] = []
        settings = read_settings({**ENVIRONMENT, "SYNC_NAME": f"operator-{next(_NUMBERS)}", **environment})
        monkeypatch.setattr(self.module, "open_sync", self.open_sync)
        monkeypatch.setattr(
            self.module, "read_request", lambda job, _: Request(work, job.get("rate"), None, job.get("indices", ()))
        )
        monkeypatch.setattr(self.module.boto3, "client", lambda _: SimpleNamespace(put_object=self.put_object))
        operations = self.module.Operations.read(environment)
        self.operator = self.module.Operator(
            settings, operations, self.check, clock=lambda: self.work.now, sleep=self.sleep
        )
        self.lasts = 60.0

    def check(self, _: Any) -> None:
        if self.other_code:
            raise ConfigurationError(self.other_code)

    def sleep(self, seconds: float) -> None:
        self.work.now += seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self.lasts - (self.work.now - self.began)) * 1000)

    def open_sync(self, settings: Any, **options: Any) -> Any:
        self.opened.append(options)
        self.selected.append(settings.indices)
        return SimpleNamespace(
            settings=settings,
            table_arn="arn:aws:dynamodb:eu-west-1:123456789012:table/products",
            table_id="a table",
            projections={projection.index: projection for projection in settings.projections},
            reader=lambda index: SimpleNamespace(resolve=lambda _: read_layout(index, described(index))),
            deadline=options["deadline"],
            capacity=options["capacity"],
        )

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 (AWS's names)
        if self.put_faults:
            raise self.put_faults.pop()
        self.objects[f"{Bucket}/{Key}"] = Body.decode()

    def invoke(self, **event: Any) -> Any:
        self.began = self.work.now
        answer = self.operator.handle({"job": {"type": "backfill"}, **event}, self)
        return json.loads(json.dumps(answer))


def test_a_unit_goes_on_from_invocation_to_invocation_until_it_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([10] * 12))
    event = world.invoke(unit=ONE, run="run-1")
    rounds = 1
    while not event["done"]:
        event, rounds = world.invoke(**event), rounds + 1
    assert (event["counts"], event["position"], rounds) == ({"items": 120}, None, 3)
    assert event["run"] == "run-1"


def test_it_stops_before_a_step_like_the_longest_might_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([1, 20, 1, 1, 1]))
    event = world.invoke(unit=ONE)
    # 57 s are useful; after 21 s 36 s are left, less than twice 20 s.
    assert (event["position"], event["done"]) == (2, False)


def test_the_last_step_is_done_however_little_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert World(monkeypatch, Work([50])).invoke(unit=ONE)["done"] is True


def test_a_unit_that_runs_out_of_time_goes_on_from_its_last_step(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([1, 1, 1], fails_at=2))
    event = world.invoke(unit=ONE, counts={"items": 5})
    assert (event["position"], event["done"], event["counts"]) == (2, False, {"items": 25})
    world.work.fails_at = None
    assert world.invoke(**event)["counts"] == {"items": 35}


@pytest.mark.parametrize(("size", "kept"), [(100, True), (300_000, False)])
def test_what_it_was_about_to_do_is_handed_on_if_it_fits(
    monkeypatch: pytest.MonkeyPatch, size: int, *, kept: bool
) -> None:
    intent = [1, "k" * size]

    def run(*_: Any) -> Iterator[Step]:
        yield Step(1, Counter(items=10))
        yield Step(intent, is_intent=True)
        raise OutOfTimeError("OpenSearch is busy")

    world = World(monkeypatch, Work([]))
    monkeypatch.setattr(Work, "run", run)
    event = world.invoke(unit=ONE)
    assert (event["position"], event["done"], event["counts"]) == (intent if kept else 1, False, {"items": 10})


def test_findings_are_told_without_keys_and_put_into_the_bucket_with_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world = World(monkeypatch, Work([1, 1]), REPORT_BUCKET="reports.example.com")
    world.invoke(unit=to_json(Segment(0, 2)), run="run-1")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    [(key, body)] = world.objects.items()
    head, *findings = map(json.loads, body.splitlines())
    assert [line["finding"]["id"] for line in lines if line.get("message") == "finding"] == ["i0", "i1"]
    assert "secret" not in json.dumps(lines)
    assert key == "reports.example.com/reports/run-1/segment-0-of-2-request-1-1.jsonl"
    assert (head["index"], head["table"]) == ("products", "arn:aws:dynamodb:eu-west-1:123456789012:table/products")
    assert [one["keys"] for one in findings] == [{"pk": {"S": "secret"}}] * 2


def test_each_index_has_a_report_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(
        monkeypatch,
        Work([1, 1], places=["orders", "customers"]),
        INDEX="",
        INDICES='{"orders": {}, "customers": {"exclude": ["secret"]}}',
        REPORT_BUCKET="reports.example.com",
    )

    world.invoke(unit=ONE, run="run-1")

    reports = [[json.loads(line) for line in body.splitlines()] for body in world.objects.values()]
    assert [(head["index"], head["indexUuid"], finding["id"]) for head, finding in reports] == [
        ("orders", "the uuid of orders", "i0"),
        ("customers", "the uuid of customers", "i1"),
    ]


def test_nothing_is_planned_or_done_with_another_code_than_the_syncs(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([1]))
    world.other_code = "this function has other layers"

    for event in ({"action": "plan"}, {"unit": ONE}):
        with pytest.raises(ConfigurationError, match="this function has other layers"):
            world.invoke(**event)
    assert world.opened == []


def test_a_job_may_be_about_some_of_the_indices(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([1]), INDEX="", INDICES='{"orders": {}, "customers": {}, "items": {}}')

    world.invoke(unit=ONE, job={"type": "backfill", "indices": ["customers", "items"]})

    assert world.selected == [("customers", "items")]
    with pytest.raises(ConfigurationError, match="order: the sync has no such index; its indices are orders, customer"):
        world.invoke(unit=ONE, job={"type": "backfill", "indices": ["order"]})


def test_with_several_indices_an_execution_has_fewer_units_because_their_counts_are_longer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    indices = json.dumps({f"index-{number}": {} for number in range(3)})
    world = World(monkeypatch, Work([1], units=[Whole("x")] * 501), INDEX="", INDICES=indices)

    with pytest.raises(ConfigurationError, match=r"the job has 501 units of .* bytes, and Step Functions takes 500 of"):
        world.invoke(action="plan")


def test_without_a_bucket_nothing_is_put(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([1]))
    world.invoke(unit=ONE)
    assert world.objects == {}


def test_one_line_of_metrics_tells_what_an_invocation_did(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    World(monkeypatch, Work([1, 1])).invoke(unit=ONE)
    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert (line["Items"], line["Steps"], line["Job"]) == ([20.0], [2.0], "backfill")


def test_a_plan_names_the_units(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = World(monkeypatch, Work([1])).invoke(action="plan")
    assert answer == {"job": {"type": "backfill"}, "units": [ONE, to_json(Whole("two"))]}


@pytest.mark.parametrize("units", [[Whole("x")] * 2001, [Whole("x" * 200)] * 1300])
def test_a_plan_that_step_functions_cannot_hand_on_is_refused(
    monkeypatch: pytest.MonkeyPatch, units: list[Unit]
) -> None:
    with pytest.raises(ConfigurationError, match="give fewer segments or exports, or run it with the command line"):
        World(monkeypatch, Work([1], units=units)).invoke(action="plan")


def test_counts_of_all_units_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = World(monkeypatch, Work([1])).invoke(action="sum", counts=[{"items": 1}, {}, {"items": 2, "missing": 1}])
    assert answer["counts"] == {"items": 3, "missing": 1}


@pytest.mark.parametrize("event", [{}, {"action": "go"}])
def test_an_event_that_asks_for_nothing_is_refused(monkeypatch: pytest.MonkeyPatch, event: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="give plan or sum, or a unit and no action"):
        World(monkeypatch, Work([1])).invoke(**event)


def test_all_units_together_read_at_the_rate_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([1]), MAX_CONCURRENCY="10")
    rates: list[float] = []

    def limit(rate: float, *_: Any, **__: Any) -> Any:
        rates.append(rate)
        return SimpleNamespace(owed_seconds=0)

    monkeypatch.setattr(world.module, "CapacityLimit", limit)
    world.invoke(unit=ONE, job={"type": "backfill", "rate": 500})
    assert rates == [50]


@dataclass
class Costly(Work):
    """Each step reads so many units."""

    costs: list[float] = field(default_factory=list)
    done: list[int] = field(default_factory=list)

    def run(self, sync: Any, unit: Unit, position: Any) -> Iterator[Step]:
        for step in super().run(sync, unit, position):
            number = len(self.seconds) - 1 if step.position is None else step.position - 1
            sync.capacity.spend(self.costs[number])
            self.done.append(number)
            yield step


@given(
    rate=st.floats(0.5, 1_000),
    costs=st.lists(st.sampled_from([0.5, 2.0, 100.0, 256.0]), min_size=1, max_size=20),
    seconds=st.sampled_from([0.01, 1.0, 20.0]),
)
def test_whatever_the_rate_each_page_is_read_once_and_the_rate_is_kept(
    rate: float, costs: list[float], seconds: float
) -> None:
    with pytest.MonkeyPatch.context() as monkeypatch:
        work = Costly([seconds] * len(costs), costs=costs)
        world = World(monkeypatch, work, MAX_CONCURRENCY="4")
        event = {"unit": ONE, "job": {"type": "backfill", "rate": rate}, "done": False}
        rounds = 0
        while not event["done"]:
            event, rounds = world.invoke(**event), rounds + 1
            assert work.now - world.began <= 60
    share = rate / 4
    assert work.done == list(range(len(costs)))
    assert sum(costs) <= share * work.now * 1.01
    assert rounds <= 2 * len(costs) + sum(costs) / share / 57 + 1
    assert set(event) == {"unit", "job", "done", "position", "counts"}


def test_a_unit_that_gets_no_step_further_fails_after_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([]))
    world.lasts = 900

    def run(_: Any, __: Any, ___: str, position: Any) -> Iterator[Step]:
        if position:
            yield Step([0, []])  # looks up what was begun, and begins it again
        yield Step([0, [world.work.now]], is_intent=True)
        world.work.now += 880
        raise OutOfTimeError("OpenSearch is busy")

    monkeypatch.setattr(Work, "run", run)
    event = world.invoke(unit=to_json(Segment(3, 100)))
    for _ in range(5):  # the first of them looks up what was begun: that looks like a step
        assert world.work.now < 3 * 3600
        event = world.invoke(**event)
    told = r"^segment 3 of 100 got no step further in 5 .*: OpenSearch is busy\. .* redrive the execution"
    with pytest.raises(ConfigurationError, match=told):
        world.invoke(**event)


def test_a_unit_that_gets_on_is_never_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([]))
    world.lasts = 900

    def run(_: Any, __: Any, ___: str, position: Any) -> Iterator[Step]:
        world.work.now += 880
        yield Step((position or 0) + 1)
        raise OutOfTimeError("OpenSearch is busy")

    monkeypatch.setattr(Work, "run", run)
    event = world.invoke(unit=ONE)
    for _ in range(20):
        event = world.invoke(**event)
    assert event["position"] == 21


def test_a_pause_is_never_longer_than_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([]))
    monkeypatch.setattr("dynamodb_opensearch.jobs.job.time.monotonic", lambda: world.work.now)

    def run(*_: Any) -> Iterator[Step | Pause]:
        yield Pause(world.work.now + 20)
        yield Step(1)
        yield Pause(world.work.now + 50)
        yield Step(2)

    monkeypatch.setattr(Work, "run", run)
    event = world.invoke(unit=ONE)
    assert (event["position"], event["done"], world.work.now) == (1, False, 20)


def test_a_report_that_is_throttled_is_put_a_little_later(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(monkeypatch, Work([1]), REPORT_BUCKET="reports")
    world.put_faults = [ClientError({"Error": {"Code": "SlowDown", "Message": ""}}, "PutObject")]
    assert world.invoke(unit=ONE)["done"]
    assert len(world.objects) == 1
