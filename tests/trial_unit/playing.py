"""A trial without AWS, Terraform or OpenSearch: each is a fake that a test can break."""

import io
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from trial.account import Account
from trial.examples import EXAMPLES
from trial.folder import NOTE, Folder, Note
from trial.report import Report
from trial.run import Trial
from trial.waits import Waits

from demo.steps import Steps

NAME = "trial-abc123"
ACCOUNT = "123456789012"


class FakeTerraform:
    """Applies nothing, successfully; a test replaces what it wants to fail."""

    def __init__(self) -> None:
        self.destroyed = 0
        self.on_apply: Callable[[], Mapping[str, Any]] = lambda: {
            "table_name": f"{NAME}-products",
            "trial": {
                "function_name": f"{NAME}-products-opensearch-sync",
                "opensearch_endpoint": "https://search.test",
            },
        }
        self.on_destroy: Callable[[], None] = lambda: None
        self.state: list[str] = []

    def init(self, _shows: object) -> None: ...

    def versions(self) -> dict[str, str]:
        return {"terraform": "1.11.4"}

    def apply(self, _shows: object) -> Mapping[str, Any]:
        return self.on_apply()

    def changes(self, _shows: object) -> list[str]:
        return []

    def destroy(self, _shows: object) -> None:
        self.destroyed += 1
        self.on_destroy()

    def left(self) -> list[str]:
        return self.state


class Played:
    """A trial in a folder, with fakes, and all that it prints."""

    def __init__(self, path: Path) -> None:
        note = Note(NAME, "products", ACCOUNT, "eu-west-1", None, "2026-01-01T00:00:00+00:00", {})
        self.folder = Folder(path, note)
        (self.folder.terraform).mkdir(parents=True)
        (self.folder.terraform / "main.tf").write_text("", encoding="utf-8")
        (path / NOTE).write_text(json.dumps(asdict(note)), encoding="utf-8")
        self.terraform = FakeTerraform()
        self.report = Report("products", "eu-west-1", note.began, secrets=[ACCOUNT])
        self.screen = io.StringIO()
        steps = Steps(Console(file=self.screen, highlight=False, width=200))
        self.trial = Trial(
            example=EXAMPLES["products"],
            account=Account(ACCOUNT, "eu-west-1", None, None),
            folder=self.folder,
            terraform=self.terraform,  # type: ignore[arg-type]
            steps=steps,
            report=self.report,
            waits=Waits(0.1, poll_seconds=0.01),
            environment={},
        )

    def detail(self, id_: str) -> str:
        return next(entry.detail for entry in self.report.entries if entry.id == id_)

    def results(self) -> dict[str, str]:
        return {entry.id: str(entry.result) for entry in self.report.entries}
