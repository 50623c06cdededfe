"""cli/show/report.py: where the reports of several indices are."""

from pathlib import Path

import pytest
from dynamodb_opensearch.cli.show.report import check_report_path, check_report_paths, report_path
from dynamodb_opensearch.core.errors import ConfigurationError
from hypothesis import given
from hypothesis import strategies as st

NAMES = st.text(st.characters(codec="utf-8", exclude_characters='/\\*?"<>| ,#:'), min_size=1, max_size=255)


def test_one_index_has_the_file_itself_and_several_have_one_each(tmp_path: Path) -> None:
    path = tmp_path / "diff.jsonl"
    assert check_report_paths([path], ["orders"]) == {"orders": [path]}
    assert check_report_paths([path, tmp_path / "d.html"], ["orders", "lines"]) == {
        "orders": [tmp_path / "diff-orders.jsonl", tmp_path / "d-orders.html"],
        "lines": [tmp_path / "diff-lines.jsonl", tmp_path / "d-lines.html"],
    }
    assert check_report_paths([], ["orders", "lines"]) == {"orders": [], "lines": []}


@given(st.lists(NAMES, min_size=2, max_size=5, unique=True))
def test_no_two_indices_share_a_file_and_each_name_fits(names: list[str]) -> None:
    paths = [report_path(Path("a.jsonl"), name, names) for name in names]
    assert len(set(paths)) == len(names)
    assert all(len(path.name.encode()) < 120 and path.suffix == ".jsonl" for path in paths)


def test_two_reports_that_would_be_one_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"it would be the file of [\w-]+ and [\w-]+; give other names"):
        check_report_paths([tmp_path / "r.jsonl", tmp_path / "r-x.jsonl"], ["a", "x-a"])
    twice = check_report_paths([tmp_path / "r.jsonl", tmp_path / "r.jsonl"], ["a", "b"])
    assert twice["a"] == [tmp_path / "r-a.jsonl"] * 2


def test_a_name_that_no_file_system_takes_is_refused_before_anything_is_compared(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the name is too long; give one of at most 238 bytes"):
        check_report_path(tmp_path / f"{'ü' * 120}.jsonl")
    check_report_path(tmp_path / f"{'x' * 200}.jsonl")
