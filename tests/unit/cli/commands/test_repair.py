"""``repair``: which index a report is about."""

from pathlib import Path

import pytest
from dynamodb_opensearch.cli.commands.repair import _index_of
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.report import Compared, ReportWriter

from unit.cli.results import INDICES, TABLE, configured


def report(folder: Path, index: str) -> Path:
    path = folder / "r.jsonl"
    with path.open("w") as file:
        ReportWriter(file, compared=Compared(TABLE, "t", index, "u"), started_at="2026-01-01T00:00:00Z")
    return path


def test_the_report_names_the_index(tmp_path: Path) -> None:
    sync = configured(INDICES)
    assert _index_of(report(tmp_path, "lines"), sync) == "lines"
    assert _index_of(report(tmp_path, "lines"), sync.select(["lines", "orders"])) == "lines"


def test_a_report_about_an_index_that_isnt_chosen_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is about the index 'lines', and --index names orders: name the same"):
        _index_of(report(tmp_path, "lines"), configured(INDICES).select(["orders"]))


def test_a_report_about_an_index_that_is_no_longer_the_syncs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError,
        match="about the index 'old', which isn't an index of the sync; those are lines, orders, customers: run verify",
    ):
        _index_of(report(tmp_path, "old"), configured(INDICES).select(["lines"]))


def test_in_the_short_form_the_report_is_read_as_one_about_the_index(tmp_path: Path) -> None:
    assert _index_of(report(tmp_path, "old"), configured()) == "products"
