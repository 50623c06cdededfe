# ruff: noqa: INP001 (a script, not a package)
"""Reads CHANGELOG.md: a version's section, and the versions that there are.

usage: changelog.py VERSION      prints the section of a version, for the notes of its release
"""

import re
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

CHANGELOG = Path(__file__).resolve().parent.parent / "CHANGELOG.md"
_HEADING = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\S+))?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Section:
    """What the changelog says of a version."""

    version: str
    released: str | None
    """The date in the heading, as written."""
    text: str

    @property
    def date(self) -> date | None:
        """The date in the heading, if it is one."""
        try:
            return date.fromisoformat(self.released or "")
        except ValueError:
            return None


def sections(changelog: str) -> dict[str, Section]:
    """Version, or ``Unreleased`` -> its section, the newest first."""
    headings = list(_HEADING.finditer(changelog))
    ends = [heading.start() for heading in headings[1:]] + [len(changelog)]
    return {
        heading["version"]: Section(heading["version"], heading["date"], changelog[heading.end() : end].strip())
        for heading, end in zip(headings, ends, strict=True)
    }


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("changelog.py: give one version, such as 0.1.0", file=sys.stderr)
        return 2
    version = arguments[0].removeprefix("v")
    section = sections(CHANGELOG.read_text(encoding="utf-8")).get(version)
    if section is None or not section.text:
        print(f"changelog.py: CHANGELOG.md says nothing of {version}: add ## [{version}] - YYYY-MM-DD", file=sys.stderr)
        return 1
    print(section.text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
