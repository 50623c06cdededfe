"""cli/run/survey.py: all indices are asked before a job begins, and are still the same when it ends."""

from collections.abc import Mapping
from typing import Any

import pytest
from dynamodb_opensearch.cli.run import survey as surveys
from dynamodb_opensearch.cli.run.survey import Survey, check_unmoved, survey
from dynamodb_opensearch.cli.target.configuration import Configuration
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.opensearch.layout import Layout
from dynamodb_opensearch.opensearch.reader import Reader

from unit.cli.results import INDICES, configured, layout, surveyed


class OpenSearch:
    """What the indices' names lead to."""

    def __init__(self, layouts: Mapping[str, Layout]) -> None:
        self.layouts = dict(layouts)
        self.asked: list[str] = []

    def resolve(self, name: str) -> Layout:
        self.asked.append(name)
        if name not in self.layouts:
            raise ConfigurationError(f"INDEX is {name!r}: it doesn't exist")
        return self.layouts[name]


@pytest.fixture
def opensearch(monkeypatch: pytest.MonkeyPatch) -> OpenSearch:
    found = OpenSearch({name: layout(name) for name in INDICES})
    monkeypatch.setattr(Reader, "resolve", lambda reader, _: found.resolve(reader.name))
    monkeypatch.setattr(Reader, "count", lambda _, index, __: len(index))
    monkeypatch.setattr("dynamodb_opensearch.dynamodb.wire.connect", lambda **_: None)
    monkeypatch.setattr(surveys, "describe_table", lambda *_: surveyed(configured(INDICES)).table)
    return found


def test_every_index_is_described_by_itself(opensearch: OpenSearch) -> None:
    opensearch.layouts["orders"] = layout("orders", home="orders-1", others=["orders-0"])
    found = survey(configured(INDICES))
    assert [(index.name, index.layout.index, index.documents) for index in found.indices] == [
        ("orders", "orders-1", 8),
        ("customers", "customers", 9),
        ("lines", "lines", 5),
    ]
    assert (found.documents, found.elsewhere) == (22, {"orders-0": 8})
    assert found.names() == {
        **dict.fromkeys(("orders", "orders-0", "orders-1"), "orders"),
        "customers": "customers",
        "lines": "lines",
    }
    [notice] = found.notices()
    assert notice.startswith("not compared: orders-0 (8 documents), which the alias orders covers too")
    assert found.notices(["orders-0"]) == []


def test_an_index_that_is_missing_among_several_is_named(opensearch: OpenSearch) -> None:
    del opensearch.layouts["customers"]
    with pytest.raises(ConfigurationError, match="'customers': it doesn't exist"):
        survey(configured(INDICES))
    assert survey(configured(INDICES).select(["orders", "lines"])).settings.indices == ("orders", "lines")


def test_two_names_that_lead_to_one_index_are_refused(opensearch: OpenSearch) -> None:
    opensearch.layouts["lines"] = layout("lines", home="orders")
    with pytest.raises(ConfigurationError, match="orders and lines both lead to orders: each needs an index"):
        survey(configured(INDICES))


@pytest.mark.parametrize("chosen", [(), ("orders",)])
def test_an_index_of_the_sync_behind_anothers_alias_is_no_other_index(
    opensearch: OpenSearch, chosen: tuple[str, ...]
) -> None:
    opensearch.layouts["orders"] = layout("orders", home="orders-1", others=["customers", "theirs"])
    found = survey(configured(INDICES).select(chosen))
    assert found.elsewhere == {"theirs": 6}
    assert found.names()["customers"] == ("customers" if not chosen else "orders")


def test_indices_that_are_left_alone_need_not_exist(opensearch: OpenSearch) -> None:
    opensearch.layouts = {"orders": layout("orders", home="orders-1", others=["customers"])}
    assert survey(configured(INDICES).select(["orders"])).elsewhere == {"customers": 9}


def test_the_identity_of_one_index_of_whole_items_stays_as_it_was() -> None:
    identity = surveyed(configured()).identity()
    assert {name: value for name, value in identity.items() if value is not None} == {
        "table": surveyed(configured()).table.arn,
        "tableId": "a table",
        "index": "products",
        "indexUuid": "uuid of products",
        "endpoint": "https://search.example.com",
    }


def test_the_identity_of_several_names_all_and_what_each_is_to_hold() -> None:
    def identity(**changes: Any) -> dict[str, Any]:
        return surveyed(configured({**INDICES, **changes})).identity()

    assert identity()["index"] == "orders,customers,lines"
    assert identity()["indexUuid"] == "uuid of orders,uuid of customers,uuid of lines"
    assert identity()["projections"].endswith(",whole")
    assert identity() == identity(lines={})
    assert identity() != identity(orders={"when": []})
    assert identity(orders={"when": []}) == identity(orders={})


def moved(before: Survey, answer: Any) -> Survey:
    """The same survey; the function's configuration answers so when it is asked again."""

    class Asked(Configuration):
        def moved(self) -> str | None:
            if isinstance(answer, Exception):
                raise answer
            return answer  # type: ignore[no-any-return]

    configuration = Asked(before.configuration.settings, holds=before.configuration.holds)
    return Survey(configuration, before.table, before.indices)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (layout("lines", uuid="another"), "indexUuid was .*: the result means nothing; run it again"),
        (layout("lines", home="lines-2"), "indexUuid was .*: the result means nothing"),
    ],
)
def test_a_run_is_worth_nothing_if_one_index_was_recreated_or_switched(
    opensearch: OpenSearch, changed: Layout, message: str
) -> None:
    before = survey(configured(INDICES))
    check_unmoved(before)
    opensearch.layouts["lines"] = changed
    with pytest.raises(ConfigurationError, match=message):
        check_unmoved(before)


@pytest.mark.usefixtures("opensearch")
def test_a_run_is_worth_nothing_if_a_rule_was_changed_meanwhile(capsys: pytest.CaptureFixture[str]) -> None:
    before = survey(configured(INDICES))
    check_unmoved(moved(before, None))
    with pytest.raises(ConfigurationError, match=r"^while this ran, a rule changed: the result means nothing; run"):
        check_unmoved(moved(before, "a rule changed"))
    assert capsys.readouterr().err == ""
    check_unmoved(moved(before, OutOfTimeError("Lambda is out of reach")))
    assert "couldn't check whether" in capsys.readouterr().err


def test_a_name_that_leads_to_the_index_of_one_that_is_left_alone_is_refused(opensearch: OpenSearch) -> None:
    opensearch.layouts["lines"] = layout("lines", home="orders")
    with pytest.raises(ConfigurationError, match="lines and orders both lead to orders"):
        survey(configured(INDICES).select(["orders"]))


def test_a_function_that_cannot_be_asked_hides_no_index_that_was_switched(
    opensearch: OpenSearch, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = survey(configured(INDICES))
    opensearch.layouts["orders"] = layout("orders", home="orders-another")

    def throttled(_: Configuration) -> None:
        raise ConfigurationError("GetFunctionConfiguration answered TooManyRequestsException")

    monkeypatch.setattr(Configuration, "moved", throttled)
    with pytest.raises(ConfigurationError, match="the alias switched"):
        check_unmoved(before)
