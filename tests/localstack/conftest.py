"""Examples applied to LocalStack, each once for all tests of its module, and how long that took."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from engines import LocalStackNode, terraform_environment
from terraform.applied import AppliedExample, ApplyExample, applied, resources

TIMES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="module")
def apply_example(aws: LocalStackNode, pytestconfig: pytest.Config) -> Iterator[ApplyExample]:
    """Applies an example; when the module's tests are done, destroys it, and nothing of it may be left."""

    @contextmanager
    def living(folder: Path, name: str, variables: Mapping[str, Any], override: str) -> Iterator[AppliedExample]:
        with terraform_environment() as environment:
            began = time.monotonic()
            with applied(folder, aws, environment, variables, override) as example:
                times = f"applied in {time.monotonic() - began:.0f} s"
                yield example
                began = time.monotonic()
            times += f", destroyed in {time.monotonic() - began:.0f} s"
        pytestconfig.stash.setdefault(TIMES, []).append(f"examples/{folder.name}: {times}")
        assert resources(aws, name) == []

    with ExitStack() as stack:
        yield lambda *arguments: stack.enter_context(living(*arguments))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for line in config.stash.get(TIMES, []):
        terminalreporter.write_line(line)
