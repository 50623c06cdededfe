"""cli/show/report.py and report_page.py: three forms of one report, each complete or absent, and no active content."""

import io
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.cli.run.counts import DIFFERENCES
from dynamodb_opensearch.cli.show.report import Report, check_report_path, write_report
from dynamodb_opensearch.cli.show.report_page import ROWS, write_page
from dynamodb_opensearch.core.comparison import Difference
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.report import Compared, read_report
from hypothesis import given
from hypothesis import strategies as st

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/products"

COMPARED = Compared(TABLE, "t", "products", "u")


def difference(number: int, kind: str = "missing", **changes: Any) -> dict[str, Any]:
    return {
        "kind": kind,
        "index": "products",
        "id": f"id-{number}",
        "routing": None,
        "keys": {"pk": {"S": f"id-{number}"}},
        "version": None,
        "fields": [],
    } | changes


def report(findings: list[dict[str, Any]], counts: Mapping[str, int]) -> Report:
    return report_of(counts, lambda: iter(findings))


def report_of(
    counts: Mapping[str, int], findings: Callable[[], Iterator[Mapping[str, Any]]], percent: float = 100
) -> Report:
    return Report(COMPARED, "2026-11-24T09:00:00Z", "2026-11-24T09:01:00Z", percent, counts, [], {}, findings)


def page(findings: list[dict[str, Any]], **counts: int) -> str:
    file = io.StringIO()
    write_page(
        file,
        table_arn=TABLE,
        index="products",
        started_at="2026-11-24T09:00:00Z",
        ended_at="2026-11-24T09:01:00Z",
        counts=counts,
        statements=[],
        findings=findings,
    )
    return file.getvalue()


def test_repair_reads_what_is_written(tmp_path: Path) -> None:
    findings = [difference(1), difference(2, "stale", version=7, fields=["price"]), difference(3, id="ü\u2028\ud800")]
    path = tmp_path / "r.jsonl"
    others = [{"kind": kind, "id": "x"} for kind in ("changing", "refused", "left", "remaining")]
    write_report(path, report([*others, *findings], {"missing": 2, "stale": 1}))
    read = read_report(path, COMPARED)
    assert [difference.to_json() for difference in read.differences()][:2] == findings[:2]
    assert sum(1 for _ in read.differences()) == 3


@pytest.mark.parametrize(
    ("compared", "message"),
    [
        (Compared(TABLE + "-2", "t", "products", "u"), "is the report of another table"),
        (Compared(TABLE, "t", "products-2", "u"), "is the report of another index: 'products', not 'products-2'"),
        (Compared(TABLE, "t2", "products", "u"), "is out of date: its table was recreated since"),
        (Compared(TABLE, "t", "products", "u2"), r"is out of date: its index was recreated since.*run verify again"),
    ],
)
def test_a_report_about_something_else_is_refused(tmp_path: Path, compared: Compared, message: str) -> None:
    path = tmp_path / "r.jsonl"
    write_report(path, report([difference(1)], {"missing": 1}))
    with pytest.raises(ConfigurationError, match=message):
        read_report(path, compared)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_json_report_is_one_object(tmp_path: Path, count: int) -> None:
    findings = [difference(number) for number in range(count)]
    path = tmp_path / "r.json"
    write_report(path, report(findings, {"items": 5, "missing": count}))
    value = json.loads(path.read_text())
    assert (value["table"], value["index"], value["counts"]["missing"]) == (TABLE, "products", count)
    assert [Difference.from_json(row).place.id for row in value["differences"]] == [f"id-{row}" for row in range(count)]


def test_a_report_that_fails_half_way_leaves_what_was_there(tmp_path: Path) -> None:
    def failing() -> Iterator[Mapping[str, Any]]:
        yield difference(1)
        raise OSError(28, "No space left on device")

    path = tmp_path / "r.jsonl"
    path.write_text("before")
    broken = report_of({}, failing)
    with pytest.raises(ConfigurationError, match=r"r\.jsonl: it can't be written \(No space left on device\)"):
        write_report(path, broken)
    assert [file.name for file in tmp_path.iterdir()] == ["r.jsonl"]
    assert path.read_text() == "before"


@pytest.mark.parametrize(("name", "message"), [("r.txt", "must end in"), ("no/r.json", "can't be written there")])
def test_a_path_that_can_never_be_written_is_refused_before_the_work(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_report_path(tmp_path / name)


@pytest.mark.parametrize("name", ["r.jsonl", "r.json", "r.html"])
def test_only_the_owner_may_read_a_report_even_while_it_is_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("before")
    path.chmod(0o666)
    modes: list[int] = []

    def findings() -> Iterator[Mapping[str, Any]]:
        modes.extend(file.stat().st_mode & 0o777 for file in tmp_path.glob("*.partial"))
        yield difference(1)

    write_report(path, report_of({"missing": 1}, findings))
    assert modes == [0o600]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_link_leads_to_the_report_and_a_trap_beside_it_isnt_stepped_into(tmp_path: Path) -> None:
    folder, mine = tmp_path / "folder", tmp_path / "mine"
    folder.mkdir()
    mine.write_text("mine")
    (tmp_path / "r.jsonl").symlink_to(folder / "real.jsonl")
    (folder / "real.jsonl.partial").symlink_to(mine)
    for _ in range(2):  # first it leads nowhere yet
        assert check_report_path(tmp_path / "r.jsonl")
        write_report(tmp_path / "r.jsonl", report([difference(1)], {"missing": 1}))
        assert (tmp_path / "r.jsonl").is_symlink()
        assert sum(1 for _ in read_report(folder / "real.jsonl", COMPARED).differences()) == 1
    assert mine.read_text() == "mine"


def test_a_pipe_a_device_or_a_folder_is_never_replaced_with_a_report(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "null.json").symlink_to("/dev/null")
    (tmp_path / "folder.html").mkdir()
    for name in ("pipe.jsonl", "null.json", "folder.html"):
        with pytest.raises(ConfigurationError, match="it isn't a regular file"):
            check_report_path(tmp_path / name)
    with pytest.raises(ConfigurationError, match="the name must end in"):
        check_report_path(Path("/dev/stdout"))


LINES = [
    '{"format":"dynamodb-opensearch verify 2","table":"%s","tableId":"t","index":"products","indexUuid":"u"}' % TABLE,  # noqa: UP031
    json.dumps(difference(1)),
    json.dumps({"kind": "refused", "index": "products", "id": "x", "reason": "y"}),
    json.dumps(difference(2, "stale", id="ü€😀", version=7), ensure_ascii=False),
    json.dumps({"result": {"counts": {}}}),
]
BROKEN = {
    "nothing": "",
    "cut off": json.dumps(difference(1))[:-5],
    "no object": "[]",
    "no JSON": "garbage",
    "no kind": json.dumps({"index": "products", "id": "x"}),
    "a kind that is none": json.dumps(difference(1) | {"kind": ["missing"]}),
    "a kind of a later version": json.dumps(difference(1, "something new")),
    "two in one": json.dumps(difference(1)) + json.dumps(difference(2)),
    "no keys": json.dumps({"kind": "missing", "index": "products"}),
    "another report": LINES[0],
    "more than a result": json.dumps({"result": {}, "id": "x"}),
}


@pytest.mark.parametrize("line", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("place", [1, 2, 4, 5])
def test_a_broken_line_anywhere_is_named_and_not_skipped(tmp_path: Path, line: str, place: int) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join([*LINES[:place], line, *LINES[place:]]) + "\n")
    with pytest.raises(ConfigurationError, match=rf"r\.jsonl, line {place + 1}: this isn't a line of a report"):
        list(read_report(path, COMPARED).differences())


@given(st.integers(0, 10_000))
def test_a_report_that_was_cut_off_anywhere_names_what_was_whole(
    tmp_path_factory: pytest.TempPathFactory, at: int
) -> None:
    lines = [line.encode() for line in LINES]
    text = b"\n".join(lines) + b"\n"
    at = len(lines[0]) + 1 + at % (len(text) - len(lines[0]))
    path = tmp_path_factory.mktemp("cut") / "r.jsonl"
    path.write_bytes(text[:at])
    found = [difference.place.id for difference in read_report(path, COMPARED).differences()]
    whole = [line for line in (lines[1], lines[3]) if text.index(line) + len(line) <= at]
    assert found == [json.loads(line)["id"] for line in whole]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a report of this version's verify"),
        (b"[]\n", "is not a report of this version's verify"),
        (b"my notes\n", "is not a report of this version's verify"),
        (b'{"format":"dynamodb-opensearch verify 1"}\n', "is not a report of this version's verify"),
        (b'{"format":"dynamodb-opensearch verify 2"}\n', "is the report of another table: None"),
        (b"\xff\xfe\n", "is not a report of this version's verify"),
        (LINES[0].encode() + b'\n{"kind":"refused","id":"\xff"}\n', "line 2: this isn't a line of a report"),
    ],
)
def test_what_is_no_report_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=message):
        list(read_report(path, COMPARED).differences())


class Elements(HTMLParser):
    """The elements of a page, and the text of the table's cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.cells: list[str] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if self._in_cell:
            raise AssertionError(f"<{tag}> in a cell")
        if tag == "td":
            self._in_cell = True
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "td":
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.cells[-1] += data


def test_the_page_loads_nothing_from_anywhere() -> None:
    text = page([difference(1)], missing=1)
    found = Elements(text)
    assert not {name for name, _ in found.attributes} & {"src", "href", "srcset", "onclick", "onload"}
    assert found.tags.count("script") == 1
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


@given(st.text(), st.lists(st.text(), max_size=3), st.none() | st.text())
def test_whatever_a_key_holds_is_shown_and_never_markup(key: str, fields: list[str], routing: str | None) -> None:
    text = page([difference(1, id=key, fields=fields, routing=routing)], missing=1)
    found = Elements(text)
    normal = key.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    assert found.cells[1].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd") == normal
    assert len(found.cells) == 5


def test_a_key_that_closes_the_script_or_the_cell_stays_text() -> None:
    hostile = "</td></script><script>alert(1)</script><img src=x onerror=alert(1)>&lt;"
    found = Elements(page([difference(1, id=hostile)], missing=1))
    assert found.cells[1] == hostile
    assert found.tags.count("script") == 1
    assert "img" not in found.tags


def test_the_chart_has_a_bar_for_each_kind_that_was_found() -> None:
    text = page([difference(1)], missing=4, stale=2)
    lengths = [float(length) for length in re.findall(r'<rect [^>]*width="([0-9.]+)"', text)]
    assert len(lengths) == len(DIFFERENCES)
    assert dict(zip(DIFFERENCES, lengths, strict=True)) == {
        "missing": 420,
        "ghost": 0,
        "stale": 210,
        "wrong content": 0,
        "wrong place": 0,
    }


def test_the_table_ends_after_a_thousand_and_says_so() -> None:
    text = page([difference(number) for number in range(ROWS + 5)], missing=ROWS + 5)
    assert len(Elements(text).cells) == ROWS * 5
    assert "The first 1,000 of 1,005." in text


def test_without_differences_there_is_no_table() -> None:
    text = page([], items=10, documents=10)
    assert "<h1>The index equals the table</h1>" in text
    assert "<table" not in text


def test_a_page_says_equal_only_if_everything_could_be_judged() -> None:
    assert "The index equals the table" in page([], items=5)
    for name in ("changing", "unlisted"):
        text = page([], items=5, **{name: 1})
        assert "The index equals the table" not in text
        assert "1 documents that couldn't be judged" in text
