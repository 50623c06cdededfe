"""Runs a Lambda execution environment of LocalStack as a process.

LocalStack's own executor starts a container, whose init program takes invocations over HTTP. A local process needs no
such detour: LocalStack itself serves the Runtime API, and `invoke` waits for the answer.
"""

import math
import os
import sys
import time

from localstack.aws.api.lambda_ import PackageType
from localstack.config import GATEWAY_LISTEN
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from localstack_process_executor.function_process import FunctionProcess, Outcome

INIT_SECONDS = 10  # AWS's limit for the init phase
# Variables from LocalStack's own environment; ENGINES_FOLDER marks all processes of one run.
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "ENGINES_FOLDER")
LOOPBACK = "127.0.0.1"


class ProcessRuntimeExecutor(RuntimeExecutor):  # type: ignore[misc] # LocalStack has no types
    """One execution environment: at most one live process, restarted after a crash or a time-out."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002 - LocalStack's name
        super().__init__(id=id, function_version=function_version)
        self._environment: dict[str, str] = {}
        self._process: FunctionProcess | None = None
        self._init_ms: float | None = None  # of the latest start, until it has been reported

    def start(self, env_vars: dict[str, str]) -> None:
        # The first invocation reports an init error, with its log, as on AWS.
        self._environment = self._environment_with(env_vars)
        self._start_process()

    def stop(self) -> None:
        if self._process:
            self._process.kill()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        request_id = payload["invoke-id"]
        process = self._living_process()
        started = time.monotonic()
        outcome = process.invoke(
            request_id=request_id,
            arn=payload["invoked-function-arn"],
            trace_id=payload["trace-id"],
            event=payload["payload"].encode(),
            timeout_seconds=float(self.function_version.config.timeout),
        )
        duration_ms = (time.monotonic() - started) * 1000
        log = self._log_of(process, request_id, duration_ms, outcome)
        return InvocationResult(request_id, outcome.payload, outcome.is_error, log)

    def get_logs(self) -> str:
        return self._process.all_output() if self._process else ""

    def get_address(self) -> str:
        return LOOPBACK

    def get_endpoint_from_executor(self) -> str:
        return LOOPBACK  # becomes the host of the function's AWS_ENDPOINT_URL

    def get_runtime_endpoint(self) -> str:
        return f"http://{LOOPBACK}:{GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"  # not used

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack code and layers. Raising makes CreateFunction end in state Failed, with the reason."""
        settings = function_version.config
        if settings.package_type != PackageType.Zip:
            raise NotImplementedError("functions run as processes here: zip packages only, no container images")
        for archive in (settings.code, *(layer.code for layer in settings.layers)):
            archive.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """LocalStack removes the unpacked code itself."""

    def _living_process(self) -> FunctionProcess:
        """Return a live process. As on AWS, one that failed to initialise, crashed or timed out is restarted."""
        if self._process is None or not self._process.is_alive():
            self.stop()
            return self._start_process()
        return self._process

    def _start_process(self) -> FunctionProcess:
        started = time.monotonic()
        self._process = FunctionProcess(self._command(), self._code_folder(), self._environment)
        self._process.wait_until_ready(INIT_SECONDS)
        self._init_ms = (time.monotonic() - started) * 1000
        return self._process

    def _command(self) -> list[str]:
        runtime = self.function_version.config.runtime or ""
        if not runtime.startswith("python"):
            raise NotImplementedError(f"functions run as processes here: python runtimes only, not {runtime}")
        return [sys.executable, "-m", "awslambdaric", self.function_version.config.handler]

    def _code_folder(self) -> str:
        return str(self.function_version.config.code.get_unzipped_code_location())

    def _environment_with(self, env_vars: dict[str, str]) -> dict[str, str]:
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
        environment |= {name: str(value) for name, value in env_vars.items()}
        layers = [str(layer.code.get_unzipped_code_location()) for layer in self.function_version.config.layers]
        path = [*(f"{layer}/python" for layer in layers), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(part for part in path if part)
        environment["LAMBDA_TASK_ROOT"] = environment["PWD"] = self._code_folder()
        environment["AWS_EXECUTION_ENV"] = f"AWS_Lambda_{self.function_version.config.runtime}"
        return environment

    def _log_of(self, process: FunctionProcess, request_id: str, duration_ms: float, outcome: Outcome) -> str:
        """The function's output between the lines that the Lambda service itself writes to CloudWatch Logs."""
        memory = self.function_version.config.memory_size  # a limit that is not enforced here
        report = (
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms\t"
            f"Billed Duration: {math.ceil(duration_ms)} ms\tMemory Size: {memory} MB\t"
            f"Max Memory Used: {process.peak_memory_mb() or memory} MB"
        )
        if self._init_ms is not None:
            report += f"\tInit Duration: {self._init_ms:.2f} ms"
            self._init_ms = None
        lines = [
            f"START RequestId: {request_id} Version: {self.function_version.id.qualifier}",
            *process.new_output().splitlines(),
            *([outcome.platform_message] if outcome.platform_message else []),
            f"END RequestId: {request_id}",
            report,
        ]
        return "\n".join(lines) + "\n"
