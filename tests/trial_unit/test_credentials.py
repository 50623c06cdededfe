"""Credentials that end before everything is destroyed would leave it, and it costs money."""

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from trial import __main__ as program
from trial.__main__ import _secrets
from trial.account import Account, Keys, _keys, is_aws
from trial.errors import TrialError
from trial.examples import EXAMPLES
from trial.folder import REPOSITORY, Folder, Note
from trial.report import redact
from trial.screen import announcement


def _in(hours: float) -> dt.datetime:
    return dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    return monkeypatch


def _found() -> Keys:
    return _keys(boto3.Session().get_credentials())


def test_a_session_token_is_temporary_and_its_end_may_be_known(own: pytest.MonkeyPatch) -> None:
    assert _found() == Keys(temporary=False)
    own.setenv("AWS_SESSION_TOKEN", "token")
    assert _found() == Keys(temporary=True)
    end = _in(3)
    own.setenv("AWS_CREDENTIAL_EXPIRATION", f"{end:%Y-%m-%dT%H:%M:%SZ}")
    assert _found() == Keys(temporary=True, end=end.replace(microsecond=0))


@pytest.mark.parametrize(
    ("keys", "lasts"),
    [
        (Keys(temporary=False), True),
        (Keys(temporary=True), False),
        (Keys(temporary=True, end=_in(1)), False),
        (Keys(temporary=True, end=_in(3)), True),
    ],
)
def test_without_a_question_credentials_must_last(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], keys: Keys, *, lasts: bool
) -> None:
    account = Account("1", "eu-west-1", None, None, keys=keys)
    monkeypatch.setattr(program, "check_terraform", lambda: None)
    monkeypatch.setattr(program, "open_account", lambda *_: account)

    def asked(*_arguments: object, **_options: object) -> Any:
        raise TrialError("the name was looked for")

    monkeypatch.setattr(program, "left", asked)

    assert program.main(["products", "--yes"]) == 2

    error = capsys.readouterr().err
    assert ("the name was looked for" in error) is lasts
    assert ("a run needs about 75 minutes" in error) is not lasts


def test_it_is_said_before_the_question(tmp_path: Path) -> None:
    note = Note("trial-abc123", "products", "1", "eu-west-1", None, "2026-01-01", {})
    account = Account("1", "eu-west-1", None, SimpleNamespace(), keys=Keys(temporary=True))
    said = "\n".join(announcement(EXAMPLES["products"], account, Folder(tmp_path, note), domain=True, keep=False))
    assert "temporary, and nothing renews them" in said
    assert "a run needs about 75 minutes" in said
    assert "USD by list price, if it is destroyed" in said


@pytest.mark.parametrize(
    ("url", "own_endpoint"),
    [
        ("https://sts.eu-west-1.amazonaws.com", True),
        ("https://sts.cn-north-1.amazonaws.com.cn", True),
        ("https://vpce-1.sts.eu-west-1.vpce.amazonaws.com", True),
        ("http://127.0.0.1:4566", False),
        ("http://amazonaws.com.example.org", False),
    ],
)
def test_an_emulator_is_what_is_not_aws(url: str, *, own_endpoint: bool) -> None:
    assert is_aws(url) is own_endpoint


def test_profile_values_hosts_and_the_checkout_get_into_no_report() -> None:
    account = Account("123456789012", "eu-west-1", "corp", None)
    secrets = _secrets(
        account, {"opensearch_endpoint": "https://search.corp-internal.test:9200", "opensearch_auth": "x"}
    )
    text = (
        f"corp's file {REPOSITORY}/a.tf at search.corp-internal.test, for https://search.corp-internal.test:9200; "
        "max 1 corporation"
    )
    cleaned = redact(text, secrets)
    for secret in ("corp'", "corp-internal", str(REPOSITORY)):
        assert secret not in cleaned
    assert "max 1 corporation" in cleaned
