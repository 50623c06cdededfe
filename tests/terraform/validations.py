"""Which validation refuses which broken input, and in which words: asked of Terraform, for the reference page.

The runs of a module's tests that expect a variable to fail are run without that expectation, so that Terraform says
which rule refused. Validations see variables only: variables.tf without resources and provider is enough, and quick.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from engines import terraform_environment
from terraform.workspace import REPOSITORY, Terraform, folder_with_tests

PAGE = REPOSITORY / "docs/reference/validations.md"
_RUN = re.compile(r'^run "(\w+)" {\n(.*?)^}\n\n?', re.DOTALL | re.MULTILINE)
_EXPECTATION = re.compile(r"^  expect_failures = \[var\.(\w+)\]\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Validation:
    """A ``validation`` block of a module's variables.tf."""

    variable: str
    line: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """What Terraform said to one broken input."""

    run: str
    validation: Validation
    message: str


@dataclass(frozen=True, slots=True)
class BrokenRun:
    """A run of a .tftest.hcl that expects a variable to be refused."""

    name: str
    variable: str
    variables: str
    """The file's ``variables`` block: the good values that the run breaks one of."""
    body: str


def modules() -> list[str]:
    """Every folder with variables that validate, the root first."""
    patterns = ("variables.tf", "modules/*/variables.tf", "examples/*/variables.tf")
    paths = [path for pattern in patterns for path in REPOSITORY.glob(pattern)]
    return sorted(path.parent.relative_to(REPOSITORY).as_posix() for path in paths if validations_of(path))


def validations_of(variables: Path) -> list[Validation]:
    """The validations of a variables.tf as ``terraform fmt`` writes it, in their order."""
    found, variable = [], ""
    for number, line in enumerate(variables.read_text(encoding="utf-8").splitlines(), 1):
        if opened := re.fullmatch(r'variable "(\w+)" {', line):
            variable = opened[1]
        if line == "  validation {":
            found.append(Validation(variable, number))
    return found


def broken_runs(module: str) -> list[BrokenRun]:
    """The runs of a module's tests that expect a variable to be refused."""
    found = []
    for path in sorted(folder_with_tests(module).glob("*.tftest.hcl")):
        text = path.read_text(encoding="utf-8")
        common = re.search(r"^variables {\n.*?^}\n", text, re.DOTALL | re.MULTILINE)
        found += [
            BrokenRun(name, expected[1], common[0] if common else "", _EXPECTATION.sub("", body))
            for name, body in _RUN.findall(text)
            if (expected := _EXPECTATION.search(body))
        ]
    return found


def without_broken_runs(test: str) -> str:
    """A .tftest.hcl with the runs only that need the module's resources and provider."""
    return _RUN.sub(lambda run: "" if _EXPECTATION.search(run[2]) else run[0], test)


def refusals(module: str, environment: dict[str, str]) -> list[Refusal]:
    """What Terraform says to each broken input of a module's tests, in the order of the validations."""
    with tempfile.TemporaryDirectory() as copy:
        (Path(copy) / "tests").mkdir()
        for path in (REPOSITORY / module).glob("*.tf"):  # some tests name a file that is there
            (Path(copy) / path.name).write_bytes(path.read_bytes() if path.name == "variables.tf" else b"")
        for run in broken_runs(module):  # a file each: after an error Terraform skips the rest of a file
            test = f'{run.variables}\nrun "{run.name}" {{\n{run.body}}}\n'
            (Path(copy) / f"tests/{run.name}.tftest.hcl").write_text(test, encoding="utf-8")
        terraform = Terraform(Path(copy), environment)
        terraform(".", "init")
        output = terraform(".", "test", "-json", allowed=(0, 1))
    rules = {rule.line: rule for rule in validations_of(REPOSITORY / module / "variables.tf")}
    return sorted(_read(output, rules), key=lambda refusal: (refusal.validation.line, refusal.run))


def _read(output: str, rules: dict[int, Validation]) -> Iterator[Refusal]:
    for event in map(json.loads, output.splitlines()):
        if event["type"] == "diagnostic" and event["diagnostic"]["severity"] == "error":
            detail = event["diagnostic"]["detail"]
            said = re.fullmatch(
                r"(.*)\n\nThis was checked by the validation rule at variables\.tf:(\d+),.*", detail, re.DOTALL
            )
            assert said, f"{event['@testrun']} is refused by no validation: {detail}"
            yield Refusal(event["@testrun"], rules[int(said[2])], said[1])


def page(found: Mapping[str, Sequence[Refusal]]) -> str:
    """The page, from each module's refusals."""
    lines = [
        "# What is refused at plan",
        "",
        "Every validation, what Terraform says about a broken input, and the test runs that give it one.",
        "`make docs` writes this page from Terraform's own messages; a test fails when it is out of date.",
    ]
    for module, refusals_there in found.items():
        lines += [
            "",
            f"## {'The root module' if module == '.' else module}",
            "",
            "| variable | says | tests |",
            "|---|---|---|",
        ]
        for validation, group in groupby(refusals_there, key=lambda refusal: refusal.validation):
            same = list(group)
            shortest = re.sub(r"([|*<])", r"\\\1", min((refusal.message for refusal in same), key=len))
            tests = ", ".join(f"`{refusal.run}`" for refusal in same)
            lines.append(f"| `{validation.variable}` | {shortest} | {tests} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    with terraform_environment() as environment:
        found = {module: refusals(module, environment) for module in modules()}
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(found), encoding="utf-8")
    print(f"{PAGE.relative_to(REPOSITORY)}: {sum(len(one) for one in found.values())} broken inputs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
