"""cli/show/filled.py: what a backfill brought into each index."""

import json
from pathlib import Path

import pytest
from dynamodb_opensearch.cli.output import REMAINS, WELL
from dynamodb_opensearch.cli.show.filled import print_filled
from dynamodb_opensearch.cli.target.flags import TargetFlags

from unit.cli.results import INDICES, configured, result, surveyed

COUNTS = {
    "items": 100,
    "written": 90,
    "refused": 1,
    "outside": 109,
    "orders/written": 60,
    "orders/refused": 1,
    "orders/outside": 39,
    "customers/written": 30,
    "customers/outside": 70,
}


def test_each_index_says_how_many_items_it_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refusal = {"kind": "refused", "index": "orders", "id": "id-9", "keys": {}, "reason": "too long"}
    found = surveyed(configured(INDICES).select(["orders", "customers"]))
    filled = result(tmp_path, COUNTS, [refusal], found=found, name="backfill")
    assert print_filled(filled, TargetFlags(), as_json=False) == REMAINS
    orders, customers = capsys.readouterr().out.split("\n\nBrought 30")
    assert orders.startswith("Brought 61 items of products into orders in ")
    assert "39  outside        items that the index doesn't hold" in orders
    assert "id-9  (too long)" in orders
    assert customers.startswith(" items of products into customers in ")
    assert "id-9" not in customers
    print_filled(filled, TargetFlags(), as_json=True)
    as_json = json.loads(capsys.readouterr().out)
    assert as_json["counts"] == {"items": 100, "written": 90, "refused": 1, "outside": 109}
    assert as_json["indices"]["customers"] == {"counts": {"written": 30, "outside": 70}}


def test_for_one_index_of_whole_items_it_is_all_items(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    filled = result(tmp_path, {"items": 9, "written": 9}, found=surveyed(configured()), name="backfill")
    assert print_filled(filled, TargetFlags(), as_json=False) == WELL
    out, err = capsys.readouterr()
    assert out.startswith("Brought 9 items of products into products in ")
    assert "outside" not in out
    assert err == "\nNext: dynamodb-opensearch verify\n"


def test_one_index_that_holds_some_items_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = surveyed(configured(INDICES).select(["orders"]))
    filled = result(tmp_path, {"items": 9, "written": 4, "outside": 5}, found=found, name="backfill")
    print_filled(filled, TargetFlags(), as_json=False)
    assert capsys.readouterr().out.startswith("Brought 4 items of products into orders in ")
