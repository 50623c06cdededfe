"""The plugin that LocalStack loads for LAMBDA_RUNTIME_EXECUTOR=process."""

from typing import Any

from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessRuntimeExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc] # LocalStack has no types
    name = "process"

    def load(self, *_arguments: Any, **_options: Any) -> type[object]:
        # here, so that looking for plugins does not load all of Lambda's service
        from localstack_process_executor.executor import ProcessRuntimeExecutor  # noqa: PLC0415

        return ProcessRuntimeExecutor
