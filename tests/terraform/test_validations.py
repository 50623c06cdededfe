"""Every validation is seen to refuse, alone, and its message says what is wrong, which value, and what is allowed."""

import re
from collections.abc import Mapping, Sequence
from itertools import groupby

import pytest
from terraform.validations import PAGE, Refusal, broken_runs, modules, page, refusals, validations_of
from terraform.workspace import REPOSITORY, Terraform, folder_with_tests

MODULES = modules()


@pytest.fixture(scope="session")
def refused(terraform: Terraform) -> Mapping[str, Sequence[Refusal]]:
    """What Terraform says to each broken input, by module."""
    return {module: refusals(module, terraform.environment) for module in MODULES}


@pytest.mark.parametrize("module", MODULES)
def test_every_validation_refuses_an_input_that_nothing_else_refuses(
    refused: Mapping[str, Sequence[Refusal]], module: str
) -> None:
    runs = groupby(sorted(refused[module], key=lambda refusal: refusal.run), key=lambda refusal: refusal.run)
    alone = {same[0].validation for same in (list(group) for _, group in runs) if len(same) == 1}
    assert [v for v in validations_of(REPOSITORY / module / "variables.tf") if v not in alone] == []


@pytest.mark.parametrize("module", MODULES)
def test_every_broken_input_is_refused_by_the_variable_that_its_run_names(
    refused: Mapping[str, Sequence[Refusal]], module: str
) -> None:
    expected = {(run.name, run.variable) for run in broken_runs(module)}
    assert {(refusal.run, refusal.validation.variable) for refusal in refused[module]} == expected


@pytest.mark.parametrize("module", MODULES)
def test_a_message_is_one_line_that_names_the_variable_and_says_what_to_do(
    refused: Mapping[str, Sequence[Refusal]], module: str
) -> None:
    wrong = [
        refusal.message
        for refusal in refused[module]
        if not re.fullmatch(rf".*\b{refusal.validation.variable}\b.*: \S.*[.)]", refusal.message)
    ]
    assert wrong == []


@pytest.mark.parametrize("module", MODULES)
def test_a_message_shows_the_value(module: str) -> None:
    text = (REPOSITORY / module / "variables.tf").read_text(encoding="utf-8")
    blind = [
        message
        for name, body in re.findall(r'^variable "(\w+)" {(.*?)^}$', text, re.DOTALL | re.MULTILINE)
        for message in re.findall(
            r'^    error_message = (".*"|join\(" ", \[\n(?:      .*\n)+    \]\))$', body, re.MULTILINE
        )
        if not re.search(rf"\bvar\.{name}\b", message) and f"{name} is empty:" not in message
    ]
    assert blind == []


def test_a_message_about_indices_lists_what_the_condition_refuses() -> None:
    """Terraform lets a condition and its message share nothing: both hold the same expression."""
    text = (REPOSITORY / "variables.tf").read_text(encoding="utf-8")
    [indices] = re.findall(r'^variable "indices" {(.*?)^}$', text, re.DOTALL | re.MULTILINE)
    validations = re.findall(
        r"^  validation {\n    condition = (.*?)\n    error_message = (.*?)\n  }$", indices, re.DOTALL | re.MULTILINE
    )
    refused = [
        (condition, listed)
        for condition, message in validations
        for listed in re.findall(r"if !\(\n(.*?)\n +\)[\]} \n]", message, re.DOTALL)
    ]
    assert len(refused) >= 12
    assert [listed for condition, listed in refused if one_line(listed) not in one_line(condition)] == []


def one_line(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("module", MODULES)
def test_every_precondition_and_check_is_seen_to_refuse(module: str) -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / module).glob("*.tf"))
    blocks = re.findall(
        r'^(resource|data|output|check) "([^"]+)"(?: "([^"]+)")? {\n(.*?)^}', code, re.DOTALL | re.MULTILINE
    )
    conditional = {
        f"{kind}.{first}" if kind in {"output", "check"} else f"{'data.' * (kind == 'data')}{first}.{second}"
        for kind, first, second, body in blocks
        if kind == "check" or re.search(r"^ +(precondition|postcondition) {", body, re.MULTILINE)
    }
    tests = "\n".join(path.read_text(encoding="utf-8") for path in folder_with_tests(module).glob("*.tftest.hcl"))
    assert conditional <= set(re.findall(r"expect_failures = \[([^\]]+)\]", tests))


def test_the_page_of_validations_is_what_terraform_says(refused: Mapping[str, Sequence[Refusal]]) -> None:
    stale = page(refused) != PAGE.read_text(encoding="utf-8")
    assert not stale, f"{PAGE.relative_to(REPOSITORY)} is stale: run make docs"
