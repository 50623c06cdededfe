"""What all tests share: the order from fast to slow, engines that start once per run, Hypothesis' effort."""

import os
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest
from engines import (
    DynamoDBLocal,
    LocalStackNode,
    OpenSearchNode,
    dynamodb_local,
    localstack,
    opensearch,
    unwind_on_termination,
)
from hypothesis import settings

# A folder that is not listed comes after those that need no engine.
SUITES = (
    "unit",
    "docs",
    "demo",
    "engines_unit",
    "release",
    "trial_unit",
    "package",
    "",
    "terraform",
    "engines_live",
    "opensearch",
    "convergence",
    "localstack",
    "drills",
)

# Shared machines stop for a second now and then: a deadline per example would only report that.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("prove", deadline=None, print_blob=True, max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure(config: pytest.Config) -> None:
    unwind_on_termination()
    config.pluginmanager.register(SuiteHeadings(config), "suite-headings")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: SUITES.index(_suite(item.nodeid) if _suite(item.nodeid) in SUITES else ""))


@pytest.fixture(scope="session")
def opensearch_node() -> Iterator[OpenSearchNode]:
    """One OpenSearch for the whole run: a test uses an index of its own."""
    with opensearch() as node:
        yield node


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalStackNode]:
    """One LocalStack for the whole run: a test names its resources so that no other test meets them."""
    with localstack() as node:
        yield node


@pytest.fixture(scope="session")
def dynamodb_node() -> Iterator[DynamoDBLocal]:
    """One DynamoDB Local for the whole run: a test uses a table of its own."""
    with dynamodb_local() as node:
        yield node


class SuiteHeadings:
    """Prints a line before the first test of each suite and, at the end, how long each took."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._began: dict[str, float] = {}

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        suite = _suite(nodeid)
        if suite not in self._began:
            if self._began:
                self._terminal().write_line("")  # ends the line of dots
            self._terminal().write_line(f"-- {suite} --")
            self._began[suite] = time.monotonic()

    def pytest_terminal_summary(self) -> None:
        times = [*self._began.values(), time.monotonic()]
        for suite, (began, ended) in zip(self._began, pairwise(times), strict=True):
            self._terminal().write_line(f"{suite}: {ended - began:.0f} s")

    def _terminal(self) -> pytest.TerminalReporter:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        assert isinstance(reporter, pytest.TerminalReporter)
        return reporter


def _suite(nodeid: str) -> str:
    """`unit` for tests/unit/test_items.py::test_numbers."""
    parts = nodeid.partition("::")[0].split("/")
    return parts[1] if len(parts) > 2 else ""
