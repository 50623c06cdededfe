"""Worker processes that fail or are gone: one line of what became of them, and nothing beside it."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from dynamodb_opensearch.cli.run.engine import Workers
from dynamodb_opensearch.cli.run.worker import JobFailedError
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.sync import Sync
from dynamodb_opensearch.jobs.unit import Unit, Whole

from opensearch.sides import MakeSides

SECRET = "what an item holds"


@dataclass(frozen=True, slots=True)
class Failing:
    """One unit of many fails, in the process that does it."""

    how: str

    def plan(self, sync: Sync) -> Sequence[Unit]:
        del sync
        return [Whole(str(number)) for number in range(8)]

    def run(self, sync: Sync, unit: Unit, position: Any) -> Iterator[Step]:
        del sync, position
        if str(unit) == "3":
            _fail(self.how)
        yield Step(None, Counter(items=1))


def _fail(how: str) -> None:
    match how:
        case "fault":
            raise ValueError(SECRET)
        case "recursion":
            _fail(how)
        case "disk":
            raise OSError(28, "No space left on device")
        case "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        case "gone":
            sys.stdout.flush()
            os._exit(3)


@pytest.mark.parametrize(
    ("how", "line", "noted"),
    [
        (
            "fault",
            r"unexpected ValueError at cli/run/worker\.py:\d+ \(.*--debug shows the trace\)",
            f"ValueError: {SECRET}",
        ),
        ("recursion", r"unexpected RecursionError at cli/run/worker\.py:\d+ ", "RecursionError"),
        ("disk", "No space left on device", "OSError"),
        ("killed", "a worker process was killed by signal 9, perhaps for lack of memory", ""),
        ("gone", "a worker process ended unexpectedly, with the exit code 3", ""),
    ],
)
def test_a_worker_process_that_fails_is_one_line_and_its_trace_is_kept_for_who_asks(
    make_sides: MakeSides, capfd: pytest.CaptureFixture[str], how: str, line: str, noted: str
) -> None:
    with pytest.raises(JobFailedError, match=f"^{line}") as failed:
        make_sides().run(Failing(how), Workers(processes=2, threads=2))
    assert SECRET not in str(failed.value)
    assert noted in "".join(getattr(failed.value, "__notes__", [""]))
    assert capfd.readouterr().err == ""
