"""cli/status: several indices on one screen, each judged by itself."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from dynamodb_opensearch.cli.output import REMAINS, WELL
from dynamodb_opensearch.cli.status.metrics import Metrics, Series, logged
from dynamodb_opensearch.cli.status.screen import judge, screen
from dynamodb_opensearch.cli.status.status import EventSourceMapping, IndexStatus, Letters, Observer, Part, Status
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.tally import Tally
from dynamodb_opensearch.opensearch.reader import Reader
from dynamodb_opensearch.telemetry import emit
from rich.console import Console

from unit.cli.results import INDICES, configured, layout

NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
WELL_VERIFIED: Part[Any] = Part({"at": "2026-11-24T09:00:00Z", "items": 120, "differences": 0})
DOWN: Any = Part(problem="it doesn't exist", broken=True)
SEVERAL = Status(
    at=NOW,
    function="products-opensearch-sync",
    table="products",
    mappings=Part([EventSourceMapping("u-1", "Enabled", "OK", "User action")]),
    iterator_age_seconds=Part(0.3),
    metrics=Part(Metrics("CloudWatch", Series(60, [0.5]), 10, 0, 0, dropped=7_000, missed=3)),
    letters=Part(Letters(0)),
    items=Part(400),
    indices={
        "orders": IndexStatus(Part(120), WELL_VERIFIED, Part("orders-1")),
        "customers": IndexStatus(Part(60), WELL_VERIFIED, Part("customers")),
        "lines": IndexStatus(Part(5), Part(problem="never verified in full"), Part("lines"), standby=True),
    },
)


def changed(name: str, **changes: Any) -> Status:
    """The same with another state of one index."""
    return replace(SEVERAL, indices={**SEVERAL.indices, name: replace(SEVERAL.indices[name], **changes)})


def shown(status: Status) -> str:
    file = io.StringIO()
    Console(file=file, width=80, color_system=None).print(screen(status, watched=True))
    return file.getvalue()


def test_each_index_is_on_the_screen() -> None:
    text = shown(SEVERAL)
    lines = [line.strip() for line in text.splitlines()]
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("products → orders, customers, lines")
    assert "orders        120 documents in orders-1" in lines
    assert lines[lines.index("customers     60 documents") + 1].startswith("verified: 0 differences in 120 items")
    assert "lines         5 documents   standby: it is being filled" in lines
    assert "verified: never verified in full" in lines
    assert "dropped       7,000  records that concern no document of an index" in lines
    assert "skipped" not in text
    assert "missed        3  writes that a standby index couldn't take: verify it when it is" in lines


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (SEVERAL, WELL),
        (changed("customers", verified=Part({"differences": 1})), REMAINS),
        (changed("customers", verified=Part({"undecided": 1})), REMAINS),
        (changed("lines", verified=Part({"differences": 1})), REMAINS),
        (changed("customers", documents=DOWN), REMAINS),
        (changed("lines", documents=DOWN, home=DOWN), WELL),
    ],
)
def test_any_index_with_differences_needs_an_operator_and_a_standby_may_be_missing(status: Status, code: int) -> None:
    assert judge(status) == code
    shown(status)


def test_a_program_gets_the_sum_and_each_index() -> None:
    found = json.loads(json.dumps(SEVERAL.to_json()))
    assert (found["index"], found["documents"], "verified" in found) == ("orders,customers,lines", 185, False)
    assert found["indices"]["orders"] == {
        "documents": 120,
        "verified": WELL_VERIFIED.value,
        "home": "orders-1",
        "standby": False,
    }
    assert found["indices"]["lines"]["verified"] == {"problem": "never verified in full"}
    assert (found["metrics"]["dropped"], found["metrics"]["missed"]) == (7_000, 3)
    assert changed("lines", documents=DOWN).to_json()["documents"] == {"problem": "it doesn't exist"}


def test_for_one_index_the_form_stays_as_it_was() -> None:
    one = replace(SEVERAL, indices={"products": IndexStatus(Part(6), WELL_VERIFIED, Part("products"))}).to_json()
    names = "at function table index mappings iteratorAgeSeconds metrics letters documents items verified"
    assert list(one) == names.split()
    assert (one["index"], one["documents"], one["verified"]) == ("products", 6, WELL_VERIFIED.value)


def test_dead_letters_of_an_index_arent_counted_twice(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally(writes=1, dropped=5)
    tally.dead_letters["mapper_parsing_exception"] = 2
    tally.dead_letters_of["orders"] = 2
    emit(tally, sync_name="s", latest_second=0, remaining_seconds=1)
    events = [{"message": line} for line in capsys.readouterr().out.splitlines()]
    assert len(events) == 2
    found = logged(lambda **_: {"events": events}, "g", "s", datetime.now(UTC))
    assert (found["DeadLetters"].total, found["Dropped"].total, found["Skipped"].total) == (2, 5, 0)


def test_an_index_that_is_missing_is_a_problem_of_that_index_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(reader: Reader, _: Any) -> Any:
        if reader.name == "customers":
            raise ConfigurationError("INDEX is 'customers': it doesn't exist")
        return layout(reader.name, home=f"{reader.name}-1")

    monkeypatch.setattr(Reader, "resolve", resolve)
    monkeypatch.setattr(Reader, "count", lambda *_: 6)
    monkeypatch.setattr("dynamodb_opensearch.cli.status.status.last_verified", lambda *_: None)
    sync = configured(INDICES)
    observer = Observer(sync.settings, None, None)
    orders, customers, lines = map(observer._index, sync.settings.projections)
    assert (orders.documents.value, orders.home.value, orders.standby) == (6, "orders-1", False)
    assert (orders.verified.problem or "").startswith("never verified in full")
    assert (customers.documents.value, customers.documents.broken, customers.verified.broken) == (None, True, True)
    assert lines.standby


def test_a_result_from_before_a_rule_was_changed_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    sync = configured(INDICES)
    noted = {"orders": sync.settings.projections[0].identity, "customers": "another", "lines": None}
    monkeypatch.setattr(Reader, "resolve", lambda reader, _: layout(reader.name))
    monkeypatch.setattr(Reader, "count", lambda *_: 6)
    monkeypatch.setattr(
        "dynamodb_opensearch.cli.status.status.last_verified",
        lambda _, index, __: {"items": 6, **({"projection": noted[index]} if noted[index] else {})},
    )
    observer = Observer(sync.settings, None, None)
    orders, customers, lines = (observer._index(projection).verified for projection in sync.settings.projections)
    assert orders.value is not None
    assert lines.value is not None
    assert (customers.broken, (customers.problem or "").startswith("not verified since its rule, shape")) == (
        False,
        True,
    )
