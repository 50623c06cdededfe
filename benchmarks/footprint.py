"""Measures the function's import time and peak memory, each in fresh processes."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import Ours, function_environment
from benchmarks.workloads import Record

ROOT = Path(__file__).resolve().parent.parent
ZIP = ROOT / "lambda" / "dist" / "dynamodb-opensearch.zip"

_IMPORT = """
import time
started = time.perf_counter()
import dynamodb_opensearch.functions.sync
print((time.perf_counter() - started) * 1000)
"""

# VmHWM and not getrusage's ru_maxrss, which starts with the memory of the parent process.
_BATCH = """
import json, sys
from dynamodb_opensearch.functions.sync import handler
from benchmarks.lambda_context import Context
with open(sys.argv[1], encoding="utf-8") as file:
    event = json.load(file)
assert handler(event, Context()) == {"batchItemFailures": []}
with open("/proc/self/status") as status:
    print(next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 1000, file=sys.stderr)
"""


@dataclass(frozen=True, slots=True)
class Imports:
    """Milliseconds that the import of the handler took in each of several fresh processes."""

    source: Sequence[float]
    """From the source, with compiled bytecode, as on a developer's machine."""
    zipped: Sequence[float]
    """From the zip's files, without bytecode except boto3's, as at Lambda's cold start."""


def measure_imports(processes: int) -> Imports:
    """Import the handler in fresh processes, alternately from the source and from the unpacked zip."""
    environment = function_environment("http://localhost:9200", "products")
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(ZIP) as archive:
            archive.extractall(folder)
        unpacked = {**environment, "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        _run(_IMPORT, environment)  # compiles what isn't compiled yet
        pairs = [
            (float(_run(_IMPORT, environment).stdout), float(_run(_IMPORT, unpacked).stdout)) for _ in range(processes)
        ]
    return Imports([source for source, _ in pairs], [zipped for _, zipped in pairs])


def measure_memory(url: str, records: Sequence[Record]) -> float | None:
    """Peak memory in MB of a process that parses and handles the event, as in Lambda; None if this isn't Linux."""
    if not Path("/proc/self/status").exists():
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump({"Records": records}, file)
        file.flush()
        environment = function_environment(url, Ours.index)
        sizes = [float(_run(_BATCH, environment, file.name).stderr) for _ in range(3)]
    return statistics.median(sizes)


def _run(code: str, environment: Mapping[str, str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
