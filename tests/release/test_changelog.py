"""scripts/changelog.py: a version's section, whole and alone."""

from datetime import date
from pathlib import Path

import pytest

from scripts import changelog
from scripts.changelog import sections

TEXT = """# Changelog

## [Unreleased]

## [0.2.0] - 2026-12-01

### Added

- `## [not a heading]` in a line.

## [0.1.0] - soon

- First.
"""


def test_each_version_has_its_date_and_its_own_text() -> None:
    found = sections(TEXT)
    assert list(found) == ["Unreleased", "0.2.0", "0.1.0"]
    assert found["Unreleased"].text == ""
    assert found["0.2.0"].date == date(2026, 12, 1)
    assert found["0.2.0"].text == "### Added\n\n- `## [not a heading]` in a line."
    assert (found["0.1.0"].date, found["0.1.0"].text) == (None, "- First.")


@pytest.mark.parametrize("version", ["0.2.0", "v0.2.0"])
def test_it_prints_the_notes_of_a_version_or_of_its_tag(
    version: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "CHANGELOG.md"
    path.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(changelog, "CHANGELOG", path)

    assert changelog.main([version]) == 0
    assert capsys.readouterr().out.startswith("### Added\n")
    assert changelog.main(["9.9.9"]) == 1
    assert "CHANGELOG.md says nothing of 9.9.9: add ## [9.9.9] - YYYY-MM-DD" in capsys.readouterr().err
    assert changelog.main([]) == 2
