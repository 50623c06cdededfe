"""What is said before anything is created: what is missing or wrong is one line, and the exit code is 2."""

import io
import json
from pathlib import Path

import pytest
from botocore.exceptions import NoCredentialsError, ProfileNotFound, UnauthorizedSSOTokenError
from trial import __main__ as program
from trial import account as accounts
from trial.account import Account, aws_variables
from trial.checks import CHECKS
from trial.errors import TrialError, explained
from trial.examples import EXAMPLES, without_default
from trial.folder import NOTE, REPOSITORY, Folder, Note, home, unfinished
from trial.naming import new_name
from trial.screen import announcement, new_console

ACCOUNT = Account("123456789012", "eu-west-1", "corp", None)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without Terraform, AWS, or your own folder of trials."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("KEEP", raising=False)
    monkeypatch.setattr(program, "check_terraform", lambda: None)
    monkeypatch.setattr(program, "open_account", lambda *_: ACCOUNT)
    monkeypatch.setattr(program, "left", lambda *_arguments, **_options: ([], []))


def _folder(path: Path, account: str) -> Folder:
    note = Note("trial-abc123", "products", account, "eu-west-1", "corp", "2026-01-01T00:00:00+00:00", {})
    return Folder.create(path, note)


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["nothing"], {}, "EXAMPLE=nothing: there is no such example; choose from: products"),
        (["vpc"], {}, "EXAMPLE=vpc: it isn't one that a test on AWS can prove; choose from: products"),
        (["products"], {"KEEP": "yes"}, "KEEP=yes: give 1 to leave everything in place"),
        (["products", "--var", "name=production"], {}, "--var name=production: give NAME=VALUE"),
        (["products"], {}, "there is no terminal to ask at, and nothing was created: run it in one, or give --yes"),
        (["--destroy", "/nowhere"], {}, "/nowhere isn't the folder of a trial"),
    ],
)
def test_what_is_wrong_is_one_line(
    arguments: list[str],
    environment: dict[str, str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert program.main(arguments) == 2

    error = capsys.readouterr().err
    assert error.startswith("trial: ")
    assert message in error
    assert error.count("\n") == 1
    assert not home().exists()


def test_without_terraform_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert program.main(["products"]) == 2
    assert capsys.readouterr().err == "trial: terraform is not on the PATH: install Terraform 1.9 or newer\n"


def test_credentials_of_another_account_destroy_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _folder(tmp_path / "trial", "999999999999")

    assert program.main(["--destroy", str(folder.path)]) == 2

    assert "are of account 123456789012, but the trial trial-abc123 was in 999999999999" in capsys.readouterr().err
    assert folder.has_copy
    assert not folder.log.exists()


def test_a_name_that_is_taken_is_not_used(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(program, "left", lambda *_arguments, **_options: (["domain trial-abc123-search"], []))

    assert program.main(["products", "--yes"]) == 2

    assert "is taken, by domain trial-abc123-search: nothing was created" in capsys.readouterr().err
    assert not home().exists()


def test_what_is_destroyed_already_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _folder(tmp_path / "trial", ACCOUNT.id)
    folder.end()

    assert program.main(["--destroy", str(folder.path)]) == 0

    assert "Nothing is left of trial-abc123" in capsys.readouterr().out


def test_the_copy_is_bound_to_the_account_and_has_nothing_of_yours(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "trial", ACCOUNT.id)

    files = {str(path.relative_to(folder.path / "copy")) for path in folder.path.glob("copy/**/*") if path.is_file()}
    needed = {"function.tf", *(f"examples/products/{name}" for name in ("main.tf", "trial.tf", "probe.zip"))}
    assert needed <= files
    assert [name for name in files if name.endswith((".tfvars", ".tfstate")) or ".terraform" in name] == []
    override = (folder.terraform / "trial_override.tf").read_text(encoding="utf-8")
    assert 'allowed_account_ids = ["123456789012"]' in override
    assert folder.path.stat().st_mode & 0o077 == 0
    assert Folder.open(folder.path) == folder


def test_a_folder_is_made_once(tmp_path: Path) -> None:
    _folder(tmp_path / "trial", ACCOUNT.id)
    with pytest.raises(TrialError, match="can't be made"):
        _folder(tmp_path / "trial", ACCOUNT.id)


def test_a_spoiled_note_is_no_folder_of_a_trial(tmp_path: Path) -> None:
    (tmp_path / NOTE).write_text(json.dumps({"name": "trial-abc123"}), encoding="utf-8")
    with pytest.raises(TrialError, match="isn't the folder of a trial"):
        Folder.open(tmp_path)


def test_earlier_trials_that_may_have_left_something_are_known() -> None:
    folder = _folder(home() / "trial-abc123", ACCOUNT.id)
    assert unfinished() == [folder]
    folder.end()
    assert unfinished() == []


def test_two_trials_have_two_names() -> None:
    names = {new_name() for _ in range(100)}
    assert len(names) == 100
    assert all(3 <= len(name) <= 20 for name in names)  # examples/products allows no more


@pytest.mark.parametrize("domain", [True, False])
def test_account_region_cost_and_time_are_said_first(tmp_path: Path, *, domain: bool) -> None:
    folder = _folder(tmp_path / "trial", ACCOUNT.id)

    text = "\n".join(announcement(EXAMPLES["products"], ACCOUNT, folder, domain=domain, keep=False))

    assert text.startswith(f"Folder   {folder.path}\n")
    for part in ("123456789012", "eu-west-1", "profile corp", "USD by list price", "minutes", "Touches  nothing else"):
        assert part in text
    assert ("an OpenSearch domain" in text) is domain


def test_a_profile_wins_over_keys_in_the_environment() -> None:
    own = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "AWS_CA_BUNDLE": "b"}
    assert aws_variables({**own, "HOME": "/"}, "corp") == {"AWS_CA_BUNDLE": "b", "AWS_PROFILE": "corp"}
    assert aws_variables(own, None) == own


def test_a_missing_profile_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(TrialError, match=r"\(no-such\) could not be found: `aws configure list-profiles` lists yours"):
        accounts.open_account("no-such", "eu-west-1")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (NoCredentialsError(), "give a profile, PROFILE=NAME"),
        (ProfileNotFound(profile="x"), "aws configure list-profiles"),
        (UnauthorizedSSOTokenError(), "aws sso login"),
    ],
)
def test_an_error_of_credentials_says_what_to_do(error: Exception, advice: str) -> None:
    assert advice in explained(error)
    assert "\n" not in explained(error)


def test_every_supported_example_has_what_a_trial_needs() -> None:
    for example in EXAMPLES.values():
        assert without_default(example.folder) == []
        code = "".join(path.read_text(encoding="utf-8") for path in example.folder.glob("*.tf"))
        for part in ('module "sync" {', 'variable "name" {', 'variable "region" {', 'output "table_name" {'):
            assert part in code
        assert example.definition_file.is_file()
        properties = json.loads(example.definition_file.read_text(encoding="utf-8"))["mappings"]["properties"]
        assert properties[example.mapped_integer]["type"] == "integer"
        keys = [item[example.key]["S"] for item in example.items()]
        assert len(set(keys)) == len(keys)


def test_a_variable_without_a_default_is_seen(tmp_path: Path) -> None:
    code = 'variable "a" {\n  type = string\n}\n\nvariable "b" {\n  default = null\n}\n'
    (tmp_path / "variables.tf").write_text(code, encoding="utf-8")
    assert without_default(tmp_path) == ["a"]


def test_a_closed_terminal_raises_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(5, "Input/output error")

    monkeypatch.setattr("sys.stdout", Closed())
    new_console().print("still here")


def test_the_page_names_every_check_of_the_trial() -> None:
    page = (REPOSITORY / "docs/guides/test-on-aws.md").read_text(encoding="utf-8")

    assert [check.title for check in CHECKS if f"- {check.title}" not in page] == []
