import os
import signal
import time

import pytest
from dynamodb_opensearch.cli.run import interrupts
from dynamodb_opensearch.cli.run.interrupts import orderly_stop


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_command_and_its_group_is_one_and_a_later_one_ends_at_once(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    ended: list[float] = []
    monkeypatch.setattr(interrupts, "_end_at_once", lambda: ended.append(time.monotonic()))
    with orderly_stop(quietly=True) as stop:
        for _ in range(3):
            os.kill(os.getpid(), number)
            time.sleep(0.01)
        assert (stop.requested, ended) == (True, [])
        time.sleep(0.15)
        os.kill(os.getpid(), number)
        time.sleep(0.01)
        assert len(ended) == 1


def test_afterwards_signals_are_whose_they_were() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with orderly_stop(quietly=True):
        assert signal.getsignal(signal.SIGTERM) != before
    assert signal.getsignal(signal.SIGTERM) == before
