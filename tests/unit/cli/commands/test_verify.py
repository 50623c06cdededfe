"""``verify``: what its reports and statements say about each of several indices."""

from pathlib import Path

from dynamodb_opensearch.cli.commands.verify import _report, _statements
from dynamodb_opensearch.jobs.report import Compared

from unit.cli.results import INDICES, TABLE, configured, difference, layout, result, surveyed

COUNTS = {
    "items": 1000,
    "documents": 500,
    "orders/items": 300,
    "orders/documents": 310,
    "orders/missing": 3,
    "orders/ghost": 1,
    "customers/items": 50,
    "customers/documents": 50,
    "customers/untransformed": 10,
    "missing": 3,
    "ghost": 1,
}


def test_a_report_is_about_one_index_alone(tmp_path: Path) -> None:
    found = surveyed(configured(INDICES), {"orders": layout("orders", home="orders-1", others=["theirs"])})
    findings = [difference("orders-1", 1), difference("lines", 2), difference("theirs", 3, "wrong place")]
    notices = {"orders: a: not indexed": 1, "lines: b: not indexed": 2, "and others": 3}
    compared = result(tmp_path, COUNTS, findings, notices=notices, found=found)
    report = _report(compared, "orders", 100, [])
    assert report.compared == Compared(TABLE, "a table", "orders", "uuid of orders-1")
    assert report.counts == {"items": 300, "documents": 310, "missing": 3, "ghost": 1}
    assert [finding["id"] for finding in report.findings()] == ["id-1", "id-3"]
    assert report.notices == {"a: not indexed": 1}
    assert [finding["id"] for finding in _report(compared, "lines", 100, []).findings()] == ["id-2"]


def test_a_sample_says_something_about_the_items_that_an_index_holds(tmp_path: Path) -> None:
    compared = result(tmp_path, COUNTS)
    assert [text.partition(":")[0] + ":" + text.split(":")[1] for text in _statements(compared, "orders")] == [
        "orders: 3 of 300 sampled items differ",
        "orders: 1 of 310 sampled documents differs",
    ]
    assert _statements(compared, "customers")[0].startswith("customers: 0 of 40 sampled items differ")
    assert _statements(compared, "lines")[0] == "lines: no items were in the sample: it says nothing about them"


def test_the_statements_of_one_index_leave_out_what_it_doesnt_hold(tmp_path: Path) -> None:
    found = surveyed(configured(INDICES).select(["orders"]))
    one = result(tmp_path, {"items": 500, "outside": 200, "documents": 300}, found=found)
    assert _statements(one, "orders")[0].startswith("0 of 300 sampled items differ: with 95 %")
