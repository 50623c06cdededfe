"""How a trial ends: what fails is tried again, AWS is asked in any case, and an interrupt never keeps it from that."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from trial import __main__ as program
from trial import checks
from trial import run as running
from trial.account import Account
from trial.cleanup import Cleanup
from trial.errors import NotProvenError
from trial.folder import NOTE, Folder, home
from trial.interrupts import Interrupts
from trial.report import Report
from trial.terraform import Silent, TerraformFailedError
from trial_unit.playing import ACCOUNT, NAME, Played
from trial_unit.test_looks import Clock

THERE = "domain trial-abc123-search"


class Left:
    """AWS: what it lists, look by look; the last answer stays."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.looks = 0

    def __call__(self, *_arguments: object, **_options: object) -> Any:
        self.looks += 1
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer, []


def _error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "Delete")


class Thing:
    """Something that is left; removing it raises the errors first."""

    def __init__(self, name: str, *errors: Exception) -> None:
        self._name, self._errors = name, list(errors)
        self.tries = 0

    def __str__(self) -> str:
        return self._name

    def remove(self, _account: object) -> None:
        self.tries += 1
        if self._errors:
            raise self._errors.pop(0)


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setattr("trial.search.Search.__init__", lambda *_arguments, **_options: None)
    monkeypatch.setattr("trial.search.Search.version", lambda _self: "opensearch 2.19.1")
    monkeypatch.setattr(running, "CHECKS", ())
    played = Played(home() / NAME)
    monkeypatch.setattr(program, "check_terraform", lambda: None)
    monkeypatch.setattr(program, "open_account", lambda *_: Account(ACCOUNT, "eu-west-1", None, None))
    monkeypatch.setattr(program, "_terraform", lambda *_: played.terraform)
    return played


def _listing(monkeypatch: pytest.MonkeyPatch, *answers: Any) -> Left:
    listing = Left(*answers)
    monkeypatch.setattr("trial.cleanup.left", listing)
    return listing


def _cleanup(played: Played, clock: Clock, *, in_doubt: bool = False) -> Cleanup:
    return Cleanup(played.terraform, played.trial.account, played.folder, clock.waits(), in_doubt)  # type: ignore[arg-type]


def test_a_killed_run_has_proven_nothing_that_it_has_not_reached(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    _listing(monkeypatch, [])
    seen: list[Any] = []
    apply = played.terraform.on_apply

    def look() -> Any:
        seen.append(json.loads((played.folder.path / "report.json").read_text(encoding="utf-8")))
        return apply()

    played.terraform.on_apply = look
    played.trial.run()
    played.trial.end(keep=False)

    [begun] = seen
    assert [(check["id"], check["result"]) for check in begun["checks"]] == [
        *(("apply", "not run"), ("second-plan", "not run"), ("destroyed", "not run"))
    ]
    assert begun["proven"] is False
    assert played.report.is_proven
    assert list(played.folder.path.glob("*.new")) == []


def test_an_apply_that_failed_is_looked_for_twice(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, late = Clock(), Thing(THERE)
    listing = _listing(monkeypatch, [], [late], [])

    assert "lost track of domain" in _cleanup(played, clock, in_doubt=True).look(Interrupts())

    assert (listing.looks, late.tries) == (3, 1)
    assert clock.now >= 60


def test_a_destroy_that_failed_is_tried_again(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail_once() -> None:
        if played.terraform.destroyed == 1:
            raise TerraformFailedError("terraform destroy failed", "Error: DependencyViolation")

    _listing(monkeypatch, [])
    played.terraform.on_destroy = fail_once

    assert _cleanup(played, Clock()).run(Silent(), Interrupts()) == "nothing is left"
    assert played.terraform.destroyed == 2


@pytest.mark.parametrize(("summary", "tries"), [("Error: ExpiredToken", 1), ("Error: Conflict", 2)])
def test_after_a_failed_destroy_aws_is_asked_all_the_same(
    played: Played, monkeypatch: pytest.MonkeyPatch, summary: str, tries: int
) -> None:
    def fail() -> None:
        raise TerraformFailedError("terraform destroy failed", summary)

    there = Thing(THERE)
    _listing(monkeypatch, [there])
    played.terraform.on_destroy = fail

    with pytest.raises(NotProvenError, match=f"{summary}.*AWS lists {THERE}"):
        _cleanup(played, Clock()).run(Silent(), Interrupts())

    assert played.terraform.destroyed == tries
    assert there.tries == 0  # Terraform still knows it


def test_a_full_disk_in_the_destroy_is_a_failure_that_says_what_to_do(
    played: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    _listing(monkeypatch, [])
    played.terraform.on_destroy = full
    with pytest.raises(NotProvenError, match=r"No space left.*RESUME="):
        _cleanup(played, Clock()).run(Silent(), Interrupts())
    assert program.main(["--destroy", str(played.folder.path)]) == 1


def test_one_removal_that_fails_keeps_no_other_from_its_own(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Thing("role trial-abc123-a", _error("DeleteConflict")), Thing(THERE)
    _listing(monkeypatch, *[[first, second]] * 9, [first], [])
    _cleanup(played, Clock()).look(Interrupts())
    assert first.tries >= 2
    assert second.tries >= 1


def test_what_cannot_be_removed_is_named_with_the_reason(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    listing = _listing(monkeypatch, [Thing("role trial-abc123-a", *[_error("DeleteConflict")] * 999)])
    with pytest.raises(NotProvenError, match=r"AWS still lists role trial-abc123-a \(.*DeleteConflict"):
        _cleanup(played, clock).look(Interrupts())
    assert listing.looks < 140  # every 15 s, in half an hour


def test_throttling_is_not_yet_an_answer(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    listing = _listing(monkeypatch, _error("ThrottlingException"), _error("Throttling"), [])
    assert _cleanup(played, Clock()).look(Interrupts()) == "nothing is left"
    assert listing.looks == 3


def test_without_terraforms_files_aws_is_asked(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (played.folder.terraform / "main.tf").unlink()
    there = Thing(THERE)
    listing = _listing(monkeypatch, *[[there]] * 3, [])

    assert program.main(["--destroy", str(played.folder.path), "--wait", "0.1"]) == 0
    assert there.tries > 0
    looks = listing.looks
    assert program.main(["--destroy", str(played.folder.path)]) == 0
    assert listing.looks == looks
    assert f"Nothing is left of {NAME}: it was destroyed." in capsys.readouterr().out


def test_resume_enters_into_the_report_that_all_is_destroyed(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    _listing(monkeypatch, [])
    played.trial.run()

    assert program.main(["--destroy", str(played.folder.path), "--wait", "0.1"]) == 0

    entry = Report.read(played.folder.path).entry("destroyed")
    assert entry is not None
    assert (entry.result, entry.detail) == ("proven", "by RESUME: nothing is left")
    assert json.loads((played.folder.path / NOTE).read_text(encoding="utf-8"))["destroyed"] is True


def test_a_folder_in_use_is_running_and_cannot_be_destroyed(played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    with played.folder.locked():
        assert Folder.open(played.folder.path).is_running()
        assert program.main(["--destroy", str(played.folder.path)]) == 2
        assert program.main(["products"]) == 2
    said = capsys.readouterr()
    assert f"the trial {NAME} is running" in said.err
    assert f"Another trial is running: {played.folder.path}" in said.out
    assert "RESUME=/" not in said.out
    assert not played.folder.is_running()


def test_the_lock_ends_with_its_process(played: Played) -> None:
    code = (
        "import os, sys, fcntl; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX); "
        "print(1, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(played.folder.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert played.folder.is_running()
        process.kill()
        process.wait()
        assert not played.folder.is_running()


def test_an_interrupt_before_the_checks_begin_is_not_lost_and_everything_is_destroyed(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _listing(monkeypatch, [])
    monkeypatch.setattr(program, "left", lambda *_arguments, **_options: ([], []))
    monkeypatch.setattr(program, "new_name", lambda: "trial-zzz999")

    def pressed(*_: object) -> str:
        signal.raise_signal(signal.SIGINT)
        return "commit"

    monkeypatch.setattr(program, "commit", pressed)

    assert program.main(["products", "--yes", "--wait", "0.1"]) == 130

    assert played.terraform.destroyed == 1
    assert Folder.open(home() / "trial-zzz999").note.destroyed
    assert "Traceback" not in capsys.readouterr().err


def test_an_interrupted_resume_says_how_to_go_on(
    played: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(played.terraform, "init", lambda _shows: signal.raise_signal(signal.SIGINT))
    assert program.main(["--destroy", str(played.folder.path)]) == 130
    assert f"make test-aws RESUME={played.folder.path}" in capsys.readouterr().out


def test_interrupts_raise_once_and_count_in_the_outer_one() -> None:
    with Interrupts() as outer:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt), outer.raising():
            pass
        with Interrupts() as inner:
            signal.raise_signal(signal.SIGINT)
            assert (outer.count, inner.count) == (1, 1)
        assert outer.count == 2


def test_on_an_emulator_nothing_is_proven_as_a_whole(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    _listing(monkeypatch, [])
    played.trial.account = Account(ACCOUNT, "eu-west-1", None, None, emulator=True)
    played.trial.run()
    played.trial.end(keep=False)
    assert set(played.results().values()) == {"proven"}
    assert not played.report.is_proven
    assert "emulator" in json.loads(played.report.to_json())["versions"]
    assert "not AWS" in played.report.to_markdown()


class Index:
    """An index from which documents can be deleted."""

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids

    def documents(self, _index: str, ids: list[str]) -> list[str]:
        return [id_ for id_ in ids if id_ in self.ids]

    def delete(self, _index: str, id_: str) -> None:
        self.ids.remove(id_)


@pytest.mark.parametrize("works", [True, False])
def test_a_backfill_is_proven_only_by_a_document_that_is_back(monkeypatch: pytest.MonkeyPatch, *, works: bool) -> None:
    index, clock = Index(["p-1"]), Clock()

    def operate(_stage: object, _kind: str) -> dict[str, int]:
        assert clock.now >= 60  # before, a backfill leaves the document to the sync
        if works:
            index.ids.append("p-1")
        return {"items": 1}

    monkeypatch.setattr(checks, "_operate", operate)
    [check] = [each for each in checks.CHECKS if each.id == "operator-backfill"]
    stage: Any = SimpleNamespace(
        example=SimpleNamespace(index="products", key="id", items=lambda: [{"id": {"S": "p-1"}}] * 5),
        waits=clock.waits(),
        put_at={"p-1": 0.0},
        search=index,
        compare=lambda: SimpleNamespace(items=1, differences=[]),
        verify=lambda: "no difference",
    )
    if works:
        assert "is back" in check.run(stage)
    else:
        with pytest.raises(NotProvenError, match="isn't back"):
            check.run(stage)


def test_a_queue_is_empty_only_if_it_gives_nothing() -> None:
    [check] = [each for each in checks.CHECKS if each.id == "empty"]
    given: list[Any] = [{"Body": "{}"}, None]
    stage: Any = SimpleNamespace(
        account=SimpleNamespace(emulator=False),
        waits=Clock().waits(),
        waiting_failures=lambda: 0,
        receive_failure=lambda _seconds: given.pop(0),
    )
    with pytest.raises(NotProvenError, match="counts no failure, but gives one"):
        check.run(stage)
    assert "gives none in 20 s" in check.run(stage)
