"""Writes verify's report as one self-contained page: no font, script or style comes from anywhere else."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import islice
from typing import Any, TextIO

from dynamodb_opensearch.cli.run.counts import DIFFERENCES, UNDECIDED, held_of, total_of
from dynamodb_opensearch.cli.show.summary import MEANINGS

ROWS = 1_000
"""Most differences that the page lists."""


def write_page(
    file: TextIO,
    *,
    table_arn: str,
    index: str,
    started_at: str,
    ended_at: str,
    counts: Mapping[str, int],
    statements: Sequence[str],
    findings: Iterable[Mapping[str, Any]],
) -> None:
    """Write the page. Keys may hold any characters, so they are escaped."""
    total = total_of(counts, DIFFERENCES)
    verdict = _verdict(total, total_of(counts, UNDECIDED), is_sample=bool(statements))
    table = table_arn.rpartition("/")[2]
    file.write(_HEAD.replace("TITLE", f"{escape(table)} and {escape(index)}: {verdict.lower()}"))
    file.write(f'<header class="{"ill" if total or total_of(counts, UNDECIDED) else "well"}"><h1>{verdict}</h1>\n<dl>')
    facts = {
        "table": table_arn,
        "index": index,
        "from": started_at,
        "to": ended_at,
        "items": f"{held_of(counts):,}",
        "documents": f"{counts.get('documents', 0):,}",
    }
    file.writelines(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in facts.items())
    file.write("</dl>\n")
    file.writelines(f"<p>{escape(statement)}.</p>\n" for statement in statements)
    file.write("</header>\n" + _chart(counts))
    if total:
        _write_table(file, findings, total)
    file.write("</main></body></html>\n")


def _verdict(differences: int, undecided: int, *, is_sample: bool) -> str:
    if differences:
        return f"{differences:,} differences" + (" in the sample" if is_sample else "")
    if undecided:
        return f"No difference, and {undecided:,} documents that couldn't be judged"
    return "The sample shows no difference" if is_sample else "The index equals the table"


def _chart(counts: Mapping[str, int]) -> str:
    """Draw a bar for each kind. Lengths are linear, so a single difference beside thousands is a hairline."""
    longest = max(*(counts.get(kind, 0) for kind in DIFFERENCES), 1)
    rows = []
    for number, kind in enumerate(DIFFERENCES):
        count, y = counts.get(kind, 0), number * 34
        length = max(count / longest * 420, 2) if count else 0
        rows.append(
            f'<g><title>{kind}: {MEANINGS[kind]}</title><text x="130" y="{y + 20}" text-anchor="end">{kind}</text>'
            f'<rect x="142" y="{y + 6}" width="{length:.1f}" height="20" rx="3"/>'
            f'<text x="{150 + length:.1f}" y="{y + 20}">{count:,}</text></g>'
        )
    height = len(DIFFERENCES) * 34
    return (
        f'<figure><svg viewBox="0 0 680 {height}" role="img" aria-label="Differences by kind">{"".join(rows)}</svg>'
        "<figcaption>Differences by kind</figcaption></figure>\n"
    )


def _write_table(file: TextIO, findings: Iterable[Mapping[str, Any]], total: int) -> None:
    differences = (finding for finding in findings if finding.get("kind") in DIFFERENCES)
    file.write(
        '<label>Search <input id="search" type="search" autocomplete="off"></label> <output id="shown"></output>\n'
        "<table><thead><tr><th>kind</th><th>document</th><th>index</th><th>version</th><th>attributes that differ</th>"
        '</tr></thead><tbody id="rows">\n'
    )
    for row in islice(differences, ROWS):
        place = row["index"] if row["routing"] is None else f"{row['index']}, routing {row['routing']}"
        version = "" if row["version"] is None else str(row["version"])
        cells = (row["id"], place, version, ", ".join(row["fields"]))
        file.write(f'<tr><td class="kind">{escape(row["kind"])}</td>')
        file.writelines(f"<td>{escape(str(cell))}</td>" for cell in cells)
        file.write("</tr>\n")
    file.write("</tbody></table>\n")
    if total > ROWS:
        file.write(f"<p>The first {ROWS:,} of {total:,}. A report whose name ends in .jsonl has them all.</p>\n")
    file.write(_SCRIPT)


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>TITLE</title>
<style>
:root { color-scheme: light dark; --text: #1d2530; --dim: #5b6776; --page: #fbfbfa; --line: #d9dde2; --bar: #c2453a;
  --well: #1f7a4d; }
@media (prefers-color-scheme: dark) { :root { --text: #e6e9ed; --dim: #9aa6b4; --page: #15191e; --line: #333b45;
  --bar: #e8705f; --well: #55c08a; } }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { margin: 0 0 1rem; font-size: 1.7rem; } .ill h1 { color: var(--bar); } .well h1 { color: var(--well); }
dl { display: flex; flex-wrap: wrap; gap: .6rem 2rem; margin: 0; }
dt, figcaption { color: var(--dim); font-size: .85em; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
figure { margin: 2rem 0; } svg { width: 100%; max-width: 680px; } svg text { fill: var(--text); font-size: 14px; }
svg rect { fill: var(--bar); }
input { font: inherit; padding: .3rem .5rem; width: 18rem; max-width: 100%; } output { color: var(--dim); }
table { width: 100%; border-collapse: collapse; margin-top: .75rem; }
th { text-align: left; color: var(--dim); font-weight: 500; }
th, td { padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line); vertical-align: top;
  overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
.kind { white-space: nowrap; color: var(--bar); }
</style></head><body><main>
"""

_SCRIPT = """<script>
const search = document.getElementById("search"), shown = document.getElementById("shown");
const rows = [...document.getElementById("rows").rows].map(row => [row, row.textContent.toLowerCase()]);
const filter = () => {
  const words = search.value.toLowerCase().split(/\\s+/);
  let count = 0;
  for (const [row, text] of rows) {
    row.hidden = !words.every(word => text.includes(word));
    count += !row.hidden;
  }
  shown.textContent = `${count} of ${rows.length}`;
};
search.addEventListener("input", filter);
filter();
</script>
"""
