"""A trial takes no setting of yours: with one, it would work on what is yours, and destroy it."""

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from trial import __main__ as program
from trial.account import Account
from trial.copying import FILES, needed
from trial.errors import TrialError
from trial.examples import EXAMPLES
from trial.folder import NOTE, REPOSITORY, Folder
from trial.leftovers import Leftover, left
from trial.terraform import Silent
from trial_unit.test_terraform import terraform_of

HERE = "examples/products"
YOURS = (
    *("terraform.tfvars", "terraform.tfvars.json", "mine.auto.tfvars", "mine.auto.tfvars.json"),
    *("backend_override.tf", "override.tf", "override.tf.json", "backend.tf.json", "mine_override.tf.json"),
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A small one, with git."""
    for name in (
        "function.tf",
        "modules/table/main.tf",
        "lambda/dist/p.zip",
        *(f"{HERE}/{n}" for n in FILES["products"]),
    ):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("", encoding="utf-8")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", ".")
    return tmp_path


def _git(folder: Path, *arguments: str) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    subprocess.run(["git", *arguments], cwd=folder, check=True, env=own)


def _names(repository: Path) -> list[str]:
    return [file.relative_to(repository).as_posix() for file in needed(repository, "products")]


@pytest.mark.parametrize("git", [True, False])
@pytest.mark.parametrize("name", [*YOURS, "backend.tf", "notes.json"])
def test_a_file_of_yours_is_not_copied(repository: Path, name: str, *, git: bool) -> None:
    if not git:
        (repository / ".git").rename(repository / "no-git")
    before = _names(repository)
    (repository / HERE / name).write_text('terraform {\n  backend "s3" {}\n}\n', encoding="utf-8")

    assert _names(repository) == before
    assert len(before) == len(FILES["products"]) + 3


@pytest.mark.parametrize("name", YOURS)
def test_a_setting_that_git_tracks_is_refused(repository: Path, name: str) -> None:
    (repository / HERE / name).write_text("", encoding="utf-8")
    _git(repository, "add", "--force", ".")

    with pytest.raises(TrialError, match=f"{HERE}/{name} holds settings"):
        needed(repository, "products")


@pytest.mark.parametrize(
    "block",
    ['terraform {\n  backend "s3" {\n  }\n}', 'terraform { backend "local" {} }', "terraform {\n  cloud {\n }\n}"],
)
def test_a_state_elsewhere_is_refused(repository: Path, block: str) -> None:
    (repository / HERE / "versions.tf").write_text(block, encoding="utf-8")
    with pytest.raises(TrialError, match=r"versions.tf has a backend or cloud block"):
        needed(repository, "products")


def test_an_override_in_the_module_is_refused_without_git(repository: Path) -> None:
    (repository / ".git").rename(repository / "no-git")
    (repository / "function_override.tf").write_text("", encoding="utf-8")
    with pytest.raises(TrialError, match=r"function_override\.tf holds settings"):
        needed(repository, "products")


def test_the_known_files_of_an_example_are_those_that_git_lists() -> None:
    assert set(FILES) == set(EXAMPLES)
    if (REPOSITORY / ".git").exists():
        for example, files in FILES.items():
            copied = {file.name for file in needed(REPOSITORY, example) if file.parent.name == example}
            assert copied == set(files)


def test_name_and_region_are_arguments_which_win_over_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terraform = terraform_of(tmp_path, monkeypatch, '#!/bin/sh\necho "$@" >> calls\necho "{}"\n')
    terraform.init(Silent())
    terraform.apply(Silent())
    terraform.changes(Silent())
    terraform.destroy(Silent())

    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    given = [call.split()[0] for call in calls if "-var=name=trial-x -var=region=eu-west-1" in call]
    assert given == ["apply", "plan", "destroy"]


def test_a_backend_that_init_finds_ends_the_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terraform = terraform_of(
        tmp_path, monkeypatch, "#!/bin/sh\nmkdir -p .terraform; touch .terraform/terraform.tfstate\n"
    )
    with pytest.raises(TrialError, match="has a backend"):
        terraform.init(Silent())


def test_a_full_disk_does_not_keep_terraform_from_destroying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terraform = terraform_of(tmp_path, monkeypatch, '#!/bin/sh\necho "$1" >> calls\n')
    (tmp_path / "terraform.log").symlink_to("/dev/full")

    terraform.init(Silent())
    terraform.destroy(Silent())
    with pytest.raises(OSError, match="No space left"):
        terraform.apply(Silent())

    assert (tmp_path / "calls").read_text(encoding="utf-8").split() == ["init", "destroy"]


@pytest.mark.parametrize(
    ("member", "value"),
    [("name", "prod"), ("name", ""), ("name", "trial-"), ("name", "trial-abc1234"), ("example", "../../mine")],
)
def test_a_note_is_not_believed(tmp_path: Path, member: str, value: str) -> None:
    note: dict[str, Any] = {"name": "trial-abc123", "example": "products", "account": "1", "region": "eu-west-1"}
    note |= {"profile": None, "began": "2026-01-01", "variables": {}}
    (tmp_path / NOTE).write_text(json.dumps(note), encoding="utf-8")
    assert Folder.open(tmp_path).note.name == "trial-abc123"

    (tmp_path / NOTE).write_text(json.dumps({**note, member: value}), encoding="utf-8")

    with pytest.raises(TrialError):
        Folder.open(tmp_path)


def test_nothing_is_listed_or_removed_by_another_name() -> None:
    account = Account("1", "eu-west-1", None, None)  # without a session: a call would be an AttributeError
    with pytest.raises(TrialError, match="the name is 'prod'"):
        left(account, "prod", domain=True)
    with pytest.raises(TrialError, match="the name is 'production-t'"):
        Leftover("table", "production-table", "production-table").remove(account)


def test_settings_are_refused_before_anything_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_repository: Path, example: str) -> None:
        raise TrialError(f"{example} holds settings")

    monkeypatch.setattr(program, "check_terraform", lambda: None)
    monkeypatch.setattr(program, "needed", refuse)
    monkeypatch.setattr(program, "open_account", lambda *_: pytest.fail("AWS was asked"))
    assert program.main(["products", "--yes"]) == 2
    assert capsys.readouterr().err == "trial: products holds settings\n"


def test_a_log_that_is_gone_does_not_end_a_destroy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        '#!/bin/sh\nrm terraform.log; trap "echo interrupted >> calls" INT\n'
        "sleep 0.5; echo end >> calls; : > terraform.log\n"
    )
    terraform_of(tmp_path, monkeypatch, script).destroy(Silent())
    assert (tmp_path / "calls").read_text(encoding="utf-8").split() == ["end"]


def test_an_opensearch_of_yours_is_refused_on_aws(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(program, "check_terraform", lambda: None)
    monkeypatch.setattr(program, "open_account", lambda *_: Account("1", "eu-west-1", None, SimpleNamespace()))

    assert program.main(["products", "--yes", "--var", "opensearch_endpoint=https://search.example.com"]) == 2

    assert "it takes only the domain that it creates" in capsys.readouterr().err
