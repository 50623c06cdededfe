"""A trial destroys what it applied, whatever happens; what it hasn't looked at is never called proven."""

import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from trial import run as running
from trial.checks import CHECKS, Check
from trial.errors import NotProvenError, NotRunError
from trial.folder import Folder
from trial.stage import Stage
from trial.terraform import TerraformFailedError
from trial_unit.playing import Played

Look = Callable[[Stage], str]


def _raising(error: BaseException) -> Look:
    def look(_stage: Stage) -> str:
        raise error

    return look


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    monkeypatch.setattr("trial.cleanup.left", lambda *_arguments, **_options: ([], []))
    monkeypatch.setattr("trial.search.Search.__init__", lambda *_arguments, **_options: None)
    monkeypatch.setattr("trial.search.Search.version", lambda _self: "opensearch 2.19.1")
    return Played(tmp_path / "trial")


def _with(monkeypatch: pytest.MonkeyPatch, *looks: Look) -> None:
    checks = tuple(
        Check(f"check-{number}", f"Check {number}", look, ["apply"]) for number, look in enumerate(looks, start=1)
    )
    monkeypatch.setattr(running, "CHECKS", checks)


def test_all_is_proven_if_every_check_saw_what_it_must(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, lambda _: "seen", lambda _: "seen too")

    played.trial.run()
    played.trial.end(keep=False)

    assert set(played.results().values()) == {"proven"}
    assert played.report.is_proven
    assert not played.folder.has_copy
    assert json.loads((played.folder.path / "report.json").read_text(encoding="utf-8"))["proven"] is True


def test_a_failed_check_keeps_no_other_from_running(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, _raising(NotProvenError("it isn't so")), lambda _: "seen")

    played.trial.run()
    played.trial.end(keep=False)

    assert played.results()["check-1"] == "failed"
    assert played.results()["check-2"] == "proven"
    assert not played.report.is_proven
    assert "✗" in played.screen.getvalue()


@pytest.mark.parametrize(
    ("error", "result"),
    [
        (NotRunError("it couldn't look"), "not run"),
        (ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "ListMetrics"), "not run"),
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "ListMetrics"), "failed"),
        (KeyError("counts"), "failed"),
        (AttributeError("a fault of the check itself"), "failed"),
    ],
)
def test_what_a_check_raises_is_its_result(
    played: Played, monkeypatch: pytest.MonkeyPatch, error: Exception, result: str
) -> None:
    _with(monkeypatch, _raising(error), lambda _: "seen")

    played.trial.run()

    assert (played.results()["check-1"], played.results()["check-2"]) == (result, "proven")


def test_what_needs_something_unproven_is_not_run(played: Played) -> None:
    def fail() -> dict[str, object]:
        raise TerraformFailedError("terraform apply failed (exit code 1)", "Error: no such thing")

    played.terraform.on_apply = fail

    played.trial.run()
    played.trial.end(keep=False)

    results = played.results()
    assert (results.pop("apply"), results.pop("destroyed")) == ("failed", "proven")
    assert set(results) == {"second-plan", *(check.id for check in CHECKS)}
    assert set(results.values()) == {"not run"}
    assert played.terraform.destroyed == 1


def test_an_interrupt_ends_the_checks_and_everything_is_destroyed(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with(monkeypatch, _raising(KeyboardInterrupt()), lambda _: "seen")

    played.trial.run()
    played.trial.end(keep=False)

    assert played.trial.interrupted
    assert played.results()["check-1"] == played.results()["check-2"] == "not run"
    assert played.folder.note.destroyed is False
    assert Folder.open(played.folder.path).note.destroyed
    assert played.results()["destroyed"] == "proven"


def test_a_second_interrupt_does_not_keep_it_from_destroying(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, _raising(KeyboardInterrupt()))
    played.terraform.on_destroy = lambda: signal.raise_signal(signal.SIGINT)

    played.trial.run()
    played.trial.end(keep=False)

    assert played.results()["destroyed"] == "proven"


def test_a_failed_destroy_says_what_is_left_and_what_to_do(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise TerraformFailedError("terraform destroy failed (exit code 1)", "Error: ExpiredToken")

    _with(monkeypatch)
    played.terraform.on_destroy = fail
    played.terraform.state = ["aws_opensearch_domain.search[0]"]

    played.trial.run()
    played.trial.end(keep=False)

    assert played.results()["destroyed"] == "failed"
    detail = played.detail("destroyed")
    assert "Error: ExpiredToken" in detail
    assert "Left: aws_opensearch_domain.search[0]" in detail
    assert f"make test-aws RESUME={played.folder.path}" in detail
    assert played.folder.has_copy


@dataclass
class Stubborn:
    """Something that Terraform doesn't know: it goes when it is removed, if at all."""

    goes: bool
    is_there: bool = True

    def __str__(self) -> str:
        return "domain trial-abc123-search"

    def __hash__(self) -> int:
        return 1

    def remove(self, _account: object) -> None:
        self.is_there = not self.goes


@pytest.mark.parametrize("goes", [True, False])
def test_what_terraform_lost_track_of_is_removed_or_said(
    played: Played, monkeypatch: pytest.MonkeyPatch, *, goes: bool
) -> None:
    lost = Stubborn(goes)
    _with(monkeypatch)
    monkeypatch.setattr("trial.cleanup.left", lambda *_arguments, **_options: ([lost] if lost.is_there else [], []))

    played.trial.run()
    played.trial.end(keep=False)

    result, detail = played.results()["destroyed"], played.detail("destroyed")
    if goes:
        assert (result, detail) == ("proven", "nothing is left; Terraform had lost track of domain trial-abc123-search")
    else:
        assert result == "failed"
        assert "AWS still lists domain trial-abc123-search" in detail
        assert played.folder.has_copy


def test_what_cannot_be_listed_is_not_called_destroyed(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch)
    monkeypatch.setattr("trial.cleanup.left", lambda *_arguments, **_options: ([], ["role (AccessDenied)"]))

    played.trial.run()
    played.trial.end(keep=False)

    assert played.results()["destroyed"] == "not run"
    assert played.folder.has_copy


def test_with_keep_nothing_is_destroyed_and_it_says_how_to(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    _with(monkeypatch, lambda _: "seen")

    played.trial.run()
    played.trial.end(keep=True)

    assert played.terraform.destroyed == 0
    assert f"make test-aws RESUME={played.folder.path}" in played.screen.getvalue()
    assert not played.report.is_proven


def test_a_full_disk_does_not_keep_it_from_destroying(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    _with(monkeypatch, lambda _: "seen")
    monkeypatch.setattr("trial.report.Report.write", full)

    played.trial.run()
    played.trial.end(keep=False)

    assert played.terraform.destroyed == 1


def test_the_needs_of_every_check_come_before_it() -> None:
    seen = {"apply"}
    for check in CHECKS:
        assert set(check.needs) <= seen, check.id
        seen.add(check.id)
    assert len(seen) == len(CHECKS) + 1
