"""The report holds what can be shown to everyone, and nothing else."""

import json
from pathlib import Path

import pytest
from trial.report import NOT_COVERED, Entry, Report, Result, redact


def _report(*details: str) -> Report:
    report = Report("products", "eu-west-1", "2026-01-01T00:00:00+00:00", secrets=["search-x-abc.test", "PROFILE=corp"])
    report.entries = [Entry(f"c{n}", f"Check {n}", Result.PROVEN, text, 1.0) for n, text in enumerate(details)]
    return report


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:sqs:eu-west-1:123456789012:queue",
        "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:sync",
        "User: 123456789012 may not",
        "https://sqs.eu-west-1.amazonaws.com/123456789012/queue",
        "search-x-abcdef.eu-west-1.es.amazonaws.com refused",
        "search-x-abcdef.aos.eu-west-1.on.aws refused",
        "key AKIAIOSFODNN7EXAMPLE isn't known",
        "role AROAIOSFODNN7EXAMPLE:me",
        "me.myself@example.com",
        "http://127.0.0.1:9200 said no",
        "10.1.2.3:443",
        str(Path("/home", "somebody", ".aws", "config")),
        "/Users/somebody/code/trial.log.",
        "to search-x-abc.test",
        "make test-aws PROFILE=corp",
    ],
)
def test_what_identifies_an_account_or_a_machine_gets_into_no_report(text: str) -> None:
    secrets = (
        "123456789012",
        "amazonaws",
        "on.aws",
        "AKIA",
        "AROA",
        "myself",
        "127.0.0.1",
        "10.1.2.3",
        "somebody",
        "search-x-abc.test",
        "corp",
    )
    report = _report(text)
    for written in (report.to_json(), report.to_markdown()):
        assert [secret for secret in secrets if secret in written] == []


def test_what_a_reader_needs_stays() -> None:
    text = "DELETE /products/_doc/trial-probe is answered with 200, not 403; opensearch 2.19.1 after 12.5 s"
    assert redact(text) == text
    commit = "36a2c84" + "0" * 33
    assert redact(commit) == commit


def test_nothing_looked_at_is_not_proven() -> None:
    assert not _report().is_proven


@pytest.mark.parametrize("result", [Result.FAILED, Result.NOT_RUN])
def test_one_check_that_is_not_proven_makes_the_whole_not_proven(result: Result) -> None:
    report = _report("seen")
    report.entries.append(Entry("last", "The last", result, "because", 0))

    assert not report.is_proven
    assert json.loads(report.to_json())["proven"] is False
    assert "**Not all proven**" in report.to_markdown()


def test_the_markdown_is_a_table_whatever_the_details_hold() -> None:
    report = _report("a | b\nc")
    report.versions = {"terraform": "1.11.4"}

    text = report.to_markdown()

    assert "| Check 0 | proven | 1 s | a \\| b c |" in text
    assert "| terraform | 1.11.4 |" in text
    assert all(f"- {line}" in text for line in NOT_COVERED)
