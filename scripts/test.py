# ruff: noqa: INP001 (a script, not a package)
"""Runs all tests in two processes side by side: Terraform's own, and all others, which start engines.

The others' progress is shown as it comes, Terraform's once both have ended. Arguments are pytest's options, for both.
"""

import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).resolve().parents[1]
TERRAFORM = "tests/terraform"
NO_TESTS_FOUND = 5


def main(options: Sequence[str]) -> int:
    """Return the exit code: 0 if every test passed; 5 if the options leave no test at all."""
    pytest = [sys.executable, "-m", "pytest", *options]
    with tempfile.TemporaryFile() as output:
        terraform = subprocess.Popen([*pytest, TERRAFORM], cwd=ROOT, stdout=output, stderr=subprocess.STDOUT)
        others = subprocess.Popen([*pytest, f"--ignore={TERRAFORM}"], cwd=ROOT)

        def pass_on(number: int, _frame: FrameType | None) -> None:
            for process in (terraform, others):
                process.send_signal(number)

        # Ctrl-C reaches both by itself, and they end what they started; so this one only waits for them.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, pass_on)
        codes = [process.wait() for process in (others, terraform)]
        output.seek(0)
        sys.stdout.buffer.write(output.read())
        sys.stdout.flush()
    failed = [code for code in codes if code not in (0, NO_TESTS_FOUND)]
    return abs(failed[0]) if failed else min(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
