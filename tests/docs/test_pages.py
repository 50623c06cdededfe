"""The pages: links lead somewhere, every page can be reached from the index, nothing is said twice, lines fit."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "modules/*/*.md", "examples/*/*.md", "benchmarks/*.md")
    for path in REPOSITORY.glob(pattern)
)
DOCS = [page for page in PAGES if page.is_relative_to(REPOSITORY / "docs")]
LONGEST_LINE = 140
LONG_PARAGRAPH = 150


def _name(page: Path) -> str:
    return str(page.relative_to(REPOSITORY))


def _without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)


def _prose(page: Path) -> str:
    """A page without code, and without what a script generates."""
    text = re.sub(r"<!-- BEGIN (.+?) -->.*?<!-- END \1 -->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return _without_code(text)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", _without_code(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links(page: Path) -> list[tuple[str, str]]:
    """Path and anchor of each relative link."""
    return re.findall(r"\]\((?!https?://)([^)#\s]*)(?:#([^)\s]*))?\)", page.read_text(encoding="utf-8"))


def _paragraphs(page: Path) -> set[str]:
    """Paragraphs, each on one line; no tables."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", _prose(page)))
    return {paragraph for paragraph in paragraphs if not paragraph.startswith("|")}


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_every_relative_link_leads_to_a_file_and_a_heading(page: Path) -> None:
    for path, anchor in _links(page):
        target = page.parent / path if path else page
        assert target.exists(), f"{_name(page)}: {path} is not there"
        if anchor:
            assert anchor in _anchors(target / "README.md" if target.is_dir() else target), f"{_name(page)}: #{anchor}"


def test_every_page_of_the_docs_can_be_reached_from_their_index() -> None:
    reached: set[Path] = set()
    ahead = [REPOSITORY / "docs/index.md"]
    while ahead:
        page = ahead.pop()
        if page not in reached:
            reached.add(page)
            ahead += [target for path, _ in _links(page) if (target := (page.parent / path).resolve()) in DOCS]
    assert sorted(map(_name, set(DOCS) - reached)) == []


def test_the_index_itself_names_every_page_of_the_docs() -> None:
    index = REPOSITORY / "docs/index.md"
    named = {(index.parent / path).resolve() for path, _ in _links(index) if path}
    assert sorted(map(_name, set(DOCS) - named - {index})) == []


def test_no_paragraph_stands_on_two_pages() -> None:
    pages = defaultdict(list)
    for page in PAGES:
        for paragraph in _paragraphs(page):
            if len(paragraph) > LONG_PARAGRAPH:
                pages[paragraph].append(_name(page))
    assert {paragraph[:60]: names for paragraph, names in pages.items() if len(names) > 1} == {}


@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=_name)
def test_no_line_is_too_long_to_read_in_a_terminal(page: Path) -> None:
    """But for tables, lines with a URL, and what a script generates."""
    lines = [line for line in _prose(page).splitlines() if not re.match(r" *\||.*https?://", line)]
    assert [line for line in lines if len(line) > LONGEST_LINE] == []


@pytest.mark.parametrize("page", DOCS, ids=_name)
def test_a_page_opens_with_its_one_title(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    titles = re.findall(r"^# (.+)$", _without_code(text), re.MULTILINE)
    assert len(titles) == 1
    assert text.startswith(f"# {titles[0]}\n")
