"""The report of a trial: JSON and Markdown to attach to an issue. No account, address, path or item gets into it."""

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Self

NOT_COVERED = (
    "bisecting a failed batch: no record makes the unchanged function fail",
    "exports to S3, and jobs that read them",
    "parallel batches of one shard, under load",
    "an outage, and a stream older than 24 hours: the drills do that, with local engines",
)
"""What no trial looks at."""

EMULATOR = "emulator"
"""The version that says that it wasn't AWS: then nothing is proven as a whole."""

_WORD = 8
"""A shorter secret is removed only where it is a whole word."""

_REMOVED = (
    (re.compile(r"\barn:aws[\w-]*:[^\s\"'`,;)\]]+"), "ARN"),
    (re.compile(r"\bhttps?://[^\s\"'`,;)\]]+"), "URL"),
    (re.compile(r"\b[\w.-]+\.(?:amazonaws\.com(?:\.cn)?|aws|api\.aws|on\.aws)\b"), "HOST"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "ADDRESS"),
    (re.compile(r"\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}\b"), "ID"),
    (re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b"), "MAIL"),
    (re.compile(r"(?<![\w/])/(?:home|Users|root|tmp|private|var|opt|mnt|work)(?:/[\w.@+-]+)+/?"), "PATH"),
    (re.compile(r"\b\d{12}\b"), "ACCOUNT"),
)


class Result(StrEnum):
    """How a check ended."""

    PROVEN = "proven"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Entry:
    """One check: what was looked at, and what was seen."""

    id: str
    title: str
    result: Result
    detail: str
    seconds: float


@dataclass(slots=True)
class Report:
    """What a trial has come to so far."""

    example: str
    region: str
    began: str
    versions: dict[str, str] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)
    """Texts that must not get into the report, besides those that are known by their form."""

    @property
    def is_proven(self) -> bool:
        seen = bool(self.entries) and all(entry.result is Result.PROVEN for entry in self.entries)
        return seen and EMULATOR not in self.versions

    def expect(self, titles: Mapping[str, str]) -> None:
        """Enter everything that will be looked at as not run: a run that is killed has proven nothing of it."""
        self.entries = [Entry(id_, title, Result.NOT_RUN, "not begun", 0) for id_, title in titles.items()]

    def enter(self, entry: Entry) -> None:
        """Enter a result in the place of an earlier one of the same check."""
        places = [place for place, each in enumerate(self.entries) if each.id == entry.id]
        if places:
            self.entries[places[0]] = entry
        else:
            self.entries.append(entry)

    def entry(self, id_: str) -> Entry | None:
        return next((each for each in self.entries if each.id == id_), None)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read report.json.

        Raises:
            OSError: there is none.
            ValueError, KeyError, TypeError: it isn't one.
        """
        read = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        entries = [Entry(**{**each, "result": Result(each["result"])}) for each in read["checks"]]
        return cls(read["example"], read["region"], read["began"], dict(read["versions"]), entries)

    def counts(self) -> dict[Result, int]:
        return {result: sum(entry.result is result for entry in self.entries) for result in Result}

    def write(self, folder: Path) -> None:
        """Write report.json and report.md, each of them whole or not at all."""
        for name, text in (("report.json", self.to_json()), ("report.md", self.to_markdown())):
            new = folder / f"{name}.new"
            with new.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(folder / name)

    def to_json(self) -> str:
        document = {
            "format": 1,
            "proven": self.is_proven,
            "example": self.example,
            "region": self.region,
            "began": self.began,
            "versions": {name: self._clean(version) for name, version in self.versions.items()},
            "checks": [asdict(entry) | {"detail": self._clean(entry.detail)} for entry in self.entries],
            "not_covered": NOT_COVERED,
        }
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

    def to_markdown(self) -> str:
        verdict = "All proven" if self.is_proven else "Not all proven"
        verdict += ": it was an emulator, not AWS" if EMULATOR in self.versions else ""
        counts = ", ".join(f"{count} {result}" for result, count in self.counts().items())
        return "\n".join(
            [
                f"# Test on AWS: examples/{self.example}",
                "",
                f"**{verdict}**: {counts}. Region {self.region}, {self.began}.",
                "",
                *_table(("what", "version"), [(name, self._clean(text)) for name, text in self.versions.items()]),
                "",
                *_table(
                    ("check", "result", "time", "seen"),
                    [
                        (entry.title, entry.result, f"{entry.seconds:.0f} s", self._clean(entry.detail))
                        for entry in self.entries
                    ],
                ),
                "",
                "Not looked at:",
                "",
                *(f"- {line}" for line in NOT_COVERED),
                "",
            ]
        )

    def _clean(self, text: str) -> str:
        return redact(text, self.secrets)


def redact(text: str, secrets: Sequence[str] = ()) -> str:
    """Return the text without what identifies an account, a machine or a person.

    >>> redact("arn:aws:sqs:eu-west-1:123456789012:q said 10.0.0.1 of 123456789012")
    'ARN said ADDRESS of ACCOUNT'
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        exact = re.escape(secret)
        text = re.sub(rf"(?<!\w){exact}(?!\w)" if len(secret) < _WORD else exact, "REDACTED", text)
    for pattern, name in _REMOVED:
        text = pattern.sub(name, text)
    return text


def _table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(str(cell).replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return [line(headers), "|" + "---|" * len(headers), *map(line, rows)]
