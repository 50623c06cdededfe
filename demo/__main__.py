"""Shows the product in two minutes on real engines: a table is loaded and changed, and its index follows."""

import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from engines import EngineError, localstack, opensearch, terraform_environment, unwind_on_termination
from engines.interrupts import interrupts_deferred

from demo.aws import last_log_lines
from demo.deployment import Deployment, TerraformError, check_terraform
from demo.index import Index, OpenSearchError
from demo.latency import TooSlowError
from demo.steps import Steps, new_console
from demo.story import StoryError, tell
from demo.table import ProductTable

REPOSITORY = Path(__file__).resolve().parents[1]
INDEX = "products"
MAPPING = REPOSITORY / "examples/products/mapping.json"


class UsageError(Exception):
    """The demo was called with an invalid value."""


def main() -> int:
    console = new_console()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with Ctrl-C ignored
    unwind_on_termination()
    try:
        keep = _keep(os.environ)
        check_terraform()
        started = time.monotonic()
        with Steps(console) as steps:
            run(steps, keep=keep)
        console.print(f"Done in {time.monotonic() - started:.0f} s.")
    except KeyboardInterrupt:
        console.print("Interrupted: all that the demo started is stopped and removed.")
        return 130
    except TerraformError as error:
        return _fail(error, log=error.log)
    except (UsageError, EngineError, OpenSearchError, StoryError, TooSlowError, BotoCoreError, ClientError) as error:
        return _fail(error)
    return 0


def run(steps: Steps, *, keep: bool) -> None:
    """Start the engines, apply the example, run the story, and take everything down unless it is kept."""
    how_to_go_on: list[str] = []
    running = ExitStack()
    try:
        with steps.step("Start OpenSearch") as step:
            node = running.enter_context(opensearch(announce=step.announce))
            step.result = node.url
        with steps.step("Start LocalStack") as step:
            aws = running.enter_context(localstack(announce=step.announce))
            step.result = aws.url
        index = Index(node.url, INDEX)
        with steps.step(f"Create the index {INDEX}") as step:
            index.create(MAPPING.read_text(encoding="utf-8"))
            step.result = MAPPING.name
        # Terraform's providers leave sockets behind when they are killed, whose paths must be short.
        temporary = running.enter_context(tempfile.TemporaryDirectory(prefix="demo-"))
        environment = {**running.enter_context(terraform_environment()), "TMPDIR": temporary}
        variables = {"aws_endpoint": aws.url, "opensearch_endpoint": node.url, "opensearch_auth": "none"}
        # The state means nothing without its LocalStack, so it is kept among LocalStack's files, and removed with them.
        deployment = Deployment(REPOSITORY, aws.log_file.parent / "terraform", environment, variables)
        with steps.step("terraform init") as step:
            deployment.init(step.note)
        with steps.step("terraform apply") as step:
            outputs = deployment.apply(step.note)
            step.result = f"table {outputs['table_name']}, function {outputs['function_name']}"
        try:
            tell(steps, ProductTable(outputs["table_name"], aws.environment()), index)
        except (StoryError, TooSlowError):
            steps.say("The end of the function's log:", *last_log_lines(aws.environment(), outputs["log_group_name"]))
            raise
        if keep:
            node.keep()
            aws.keep()
            how_to_go_on = _how_to_go_on(node.url, aws.environment(), outputs["table_name"])
        else:
            with steps.step("terraform destroy") as step:
                deployment.destroy(step.note)
    finally:
        with (
            interrupts_deferred(),
            steps.step("Leave all running" if how_to_go_on else "Stop OpenSearch and LocalStack"),
        ):
            running.close()
    steps.say(*how_to_go_on)


def _how_to_go_on(url: str, environment: Mapping[str, str], table: str) -> list[str]:
    return [
        "",
        f"OpenSearch: {url}",
        f"LocalStack: {environment['AWS_ENDPOINT_URL']}",
        "",
        "Change a product, and look at its document a second later:",
        "",
        *(f"export {name}={value}" for name, value in environment.items()),
        f"""aws dynamodb update-item --table-name {table} --key '{{"productId": {{"S": "P-00003"}}}}' \\""",
        """    --update-expression 'SET price = :p' --expression-attribute-values '{":p": {"N": "12.34"}}'""",
        f"curl -s '{url}/{INDEX}/_doc/P-00003?pretty'",
        f"curl -s '{url}/{INDEX}/_search?q=description:waterproof&size=3&pretty'",
        "",
        "Stop it all: make stop",
        "",
    ]


def _keep(environment: Mapping[str, str]) -> bool:
    value = environment.get("KEEP", "")
    if value not in ("", "0", "1"):
        raise UsageError(f"KEEP={value}: give 1 to leave everything running at the end, or 0")
    return value == "1"


def _fail(error: Exception, *, log: str = "") -> int:
    sys.stderr.write(f"{log}demo: {error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
