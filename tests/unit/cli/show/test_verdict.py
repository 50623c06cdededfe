"""cli/show/verdict.py: the result of a comparison or repair of several indices, each by itself."""

import json
from pathlib import Path

import pytest
from dynamodb_opensearch.cli.output import REMAINS, WELL
from dynamodb_opensearch.cli.run.task import Result
from dynamodb_opensearch.cli.show.verdict import MENDED, print_repaired, print_verified
from dynamodb_opensearch.cli.target.flags import TargetFlags

from unit.cli.results import INDICES, configured, difference, layout, result, surveyed

TARGET = TargetFlags(function="sync", index=["orders", "customers"])
COUNTS = {
    "items": 300,
    "documents": 181,
    "orders/items": 120,
    "orders/documents": 121,
    "customers/items": 60,
    "customers/documents": 60,
    "missing": 1,
    "ghost": 2,
    "orders/missing": 1,
    "orders/ghost": 2,
}


@pytest.fixture
def compared(tmp_path: Path) -> Result:
    """Orders differ in three documents, customers in none; orders is an alias."""
    found = surveyed(configured(INDICES).select(["orders", "customers"]), {"orders": layout("orders", home="orders-1")})
    findings = [difference("orders-1", 1), difference("orders-1", 2, "ghost"), difference("orders-1", 3, "ghost")]
    return result(tmp_path, COUNTS, findings, notices={"orders: price: not indexed": 7}, found=found)


def test_each_index_has_a_block_of_its_own(compared: Result, capsys: pytest.CaptureFixture[str]) -> None:
    reports = {"orders": [Path("r-orders.jsonl")], "customers": [Path("r-customers.jsonl")]}
    assert print_verified(compared, TARGET, reports, {}, as_json=False) == REMAINS
    out, err = capsys.readouterr()
    orders, customers = out.split("\n\nCompared 60")
    assert orders.startswith("Compared 120 items and 121 documents of products and orders in ")
    assert "  ghost          id-3" in orders
    assert "equals the table" not in orders
    assert "report: r-orders.jsonl" in orders
    assert "items and 60 documents of products and customers in " in customers
    assert "The index customers equals the table." in customers
    assert "id-" not in customers
    assert err == (
        "note: orders: price: not indexed (7)\n\nNext: dynamodb-opensearch repair --function sync --index orders "
        "--index customers --report r-orders.jsonl\n"
    )


def test_each_index_with_differences_has_its_own_command_that_repairs_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = result(tmp_path, {**COUNTS, "stale": 1, "customers/stale": 1})
    reports = {index: [Path(f"r-{index}.html"), Path(f"r-{index}.jsonl")] for index in INDICES}
    print_verified(both, TargetFlags(), reports, {}, as_json=False)
    assert capsys.readouterr().err == (
        "\nNext: dynamodb-opensearch repair --report r-orders.jsonl\n"
        "      dynamodb-opensearch repair --report r-customers.jsonl\n"
    )
    print_verified(both, TargetFlags(), {"orders": [Path("r-orders.html")]}, {}, as_json=False)
    assert capsys.readouterr().err == "\nNext: dynamodb-opensearch repair\n"


def test_a_program_gets_the_sums_and_each_index(compared: Result, capsys: pytest.CaptureFixture[str]) -> None:
    reports = {"orders": [Path("r-orders.json")]}
    print_verified(compared, TARGET, reports, {"orders": ["0 of 1"], "customers": ["0 of 2"]}, as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert (found["index"], found["differences"], found["undecided"]) == ("orders,customers", 3, 0)
    assert found["counts"] == {"items": 300, "documents": 181, "missing": 1, "ghost": 2}
    assert found["statements"] == ["0 of 1", "0 of 2"]
    assert found["indices"]["customers"] == {
        "counts": {"items": 60, "documents": 60},
        "differences": 0,
        "undecided": 0,
        "reports": [],
    }
    assert found["indices"]["orders"]["differences"] == 3
    assert found["indices"]["orders"]["reports"] == found["reports"] == ["r-orders.json"]


def test_for_one_index_everything_stays_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = result(tmp_path, {"items": 6, "documents": 6}, found=surveyed(configured()))
    assert print_verified(one, TargetFlags(), {}, {}, as_json=True) == WELL
    found = json.loads(capsys.readouterr().out)
    assert (found["index"], found["counts"], "indices" in found) == ("products", {"items": 6, "documents": 6}, False)
    print_verified(one, TargetFlags(), {}, {}, as_json=False)
    out = capsys.readouterr().out
    assert out.startswith("Compared 6 items and 6 documents of products and products in ")
    assert "The index equals the table." in out


def test_what_one_index_doesnt_hold_isnt_counted_as_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = surveyed(configured(INDICES).select(["orders"]))
    one = result(tmp_path, {"items": 300, "documents": 120, "outside": 180}, found=found)
    print_verified(one, TargetFlags(), {}, {}, as_json=False)
    assert capsys.readouterr().out.startswith("Compared 120 items and 120 documents of products and orders in ")


def test_an_item_of_which_no_document_could_be_made_is_undecided_and_its_reason_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = {"kind": "untransformed", "index": "lines", "id": "id-1", "reason": "transform_error: KeyError"}
    one = result(tmp_path, {"items": 9, "untransformed": 1, "lines/items": 9, "lines/untransformed": 1}, [finding])
    assert print_verified(one, TargetFlags(), {}, {}, as_json=False) == REMAINS
    out, err = capsys.readouterr()
    assert "1  untransformed" in out
    assert "  untransformed  id-1  (transform_error: KeyError)" in out
    assert out.count("equals the table") == 2
    assert err == "\nNext: correct the items or the transform, as the reasons say, and verify again\n"


def test_a_repair_says_what_it_did_in_each_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refusal = {"kind": "refused", "index": "orders", "id": "id-9", "keys": {}, "reason": "too long"}
    left = {"kind": "left", "index": "orders-1", "id": "id-8", "routing": None, "reason": "the last one"}
    found = surveyed(configured(INDICES), {"orders": layout("orders", home="orders-1")})
    counts = {"repaired": 5, "refused": 1, "left": 1, "orders/repaired": 2, "orders/refused": 1, "orders/left": 1}
    mended = result(tmp_path, {**counts, "lines/repaired": 3}, [refusal, left], found=found, name="repair")
    assert print_repaired(mended, TargetFlags(), MENDED, as_json=False) == REMAINS
    out = capsys.readouterr().out
    orders, customers, lines = out.split("\n\nMended ")
    assert orders.startswith("Mended 2 documents of orders in ")
    assert "id-9  (too long)" in orders
    assert "id-8  (in orders-1, the last one)" in orders
    assert customers.startswith("0 documents of customers")
    assert lines.startswith("3 documents of lines")
    assert "id-" not in customers + lines
    print_repaired(mended, TargetFlags(), MENDED, as_json=True)
    found_json = json.loads(capsys.readouterr().out)
    assert found_json["indices"]["lines"] == {"counts": {"repaired": 3}}
    assert found_json["counts"] == {"repaired": 5, "refused": 1, "left": 1}
