"""The engines from the command line: fetch them, leave them running, list them, stop them."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from engines import dynamodb_node, localstack_node, opensearch_node
from engines.dynamodb_node import DynamoDBLocal, dynamodb_local
from engines.errors import EngineError
from engines.interrupts import unwind_on_termination
from engines.localstack_node import LocalStackNode, localstack
from engines.opensearch_node import OpenSearchNode, opensearch
from engines.runs import known_runs, stop_all
from engines.terraform import terraform_environment

NAMES = (opensearch_node.NAME, localstack_node.NAME, dynamodb_node.NAME)


def main() -> int:
    unwind_on_termination()
    options = _parser().parse_args()
    try:
        exit_code: int = options.action(options)
    except EngineError as error:
        print(f"engines: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("engines: interrupted; what was started has been stopped", file=sys.stderr)
        return 130
    return exit_code


def fetch(options: argparse.Namespace) -> int:
    for name in [options.name] if options.name else NAMES:
        print(f"{name}: {_installer(name, options)()}")
    return 0


def start(options: argparse.Namespace) -> int:
    with _starter(options) as engine:
        engine.keep()
        described = {"url": engine.url, "pid": engine.pid, "log": str(engine.log_file)}
        if isinstance(engine, OpenSearchNode) and engine.ca_file:
            described |= {"user": engine.user, "password": engine.password, "ca_file": str(engine.ca_file)}
        if isinstance(engine, LocalStackNode):
            described["environment"] = engine.environment()
    print(json.dumps(described, indent=2))
    print(f"It runs until `python -m engines stop {options.name}`.", file=sys.stderr)
    return 0


def stop(options: argparse.Namespace) -> int:
    return 0 if stop_all(options.name, options.port, announce=print) else 1


def status(_options: argparse.Namespace) -> int:
    runs = known_runs()
    for run in runs:
        url = run.record.details.get("url", "starting")
        pid = run.record.process.pid if run.record.process else "-"
        print(f"{run.record.name}  {url}  pid {pid}  {run.state}  {run.folder / 'console.log'}")
    if not runs:
        print("no engine runs")
    return 0


def terraform(options: argparse.Namespace) -> int:
    with terraform_environment() as environment:
        try:
            return subprocess.run(["terraform", *options.arguments], env=environment, check=False).returncode
        except FileNotFoundError:
            raise EngineError("terraform is not on PATH: install Terraform 1.9 or later") from None


def _starter(options: argparse.Namespace) -> AbstractContextManager[OpenSearchNode | LocalStackNode | DynamoDBLocal]:
    match options.name:
        case opensearch_node.NAME:
            return opensearch(
                options.version, options.port, options.heap, security=options.security, announce=_announce
            )
        case localstack_node.NAME:
            return localstack(options.port, announce=_announce)
        case _:
            return dynamodb_local(options.port, announce=_announce)


def _installer(name: str, options: argparse.Namespace) -> Callable[[], object]:
    match name:
        case opensearch_node.NAME:
            return lambda: opensearch_node.install(options.version, security=options.security, announce=_announce)
        case localstack_node.NAME:
            return lambda: (dynamodb_node.install(_announce), localstack_node.install(_announce))[1]
        case _:
            return lambda: dynamodb_node.install(_announce)


def _announce(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m engines",
        description=f"{__doc__} They live in ENGINES_HOME.",
        epilog=f"Engines: {', '.join(NAMES)}.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    def action(
        name: str, run: Callable[[argparse.Namespace], int], explanation: str, **settings: Any
    ) -> argparse.ArgumentParser:
        added = actions.add_parser(name, help=explanation, description=explanation, **settings)
        added.set_defaults(action=run)
        return added

    fetching = action("fetch", fetch, "fetch an engine, or all, without starting it")
    fetching.add_argument("name", nargs="?", choices=NAMES)
    starting = action("start", start, "start an engine and leave it running")
    starting.add_argument("name", choices=NAMES)
    starting.add_argument("--port", type=int, help="default: a free one")
    starting.add_argument("--heap", default="512m", help="OpenSearch's memory (default: %(default)s)")
    for reading in (fetching, starting):
        reading.add_argument("--version", default=opensearch_node.VERSION, help="OpenSearch's (default: %(default)s)")
        reading.add_argument("--security", action="store_true", help="OpenSearch with TLS, users and roles")
    stopping = action("stop", stop, "stop engines that were left running, and clean up after killed programs")
    stopping.add_argument("name", nargs="?", choices=NAMES)
    stopping.add_argument("--port", type=int, help="only the engine on this port")
    action("status", status, "list the engines that run")
    passing_on = {"prefix_chars": " ", "add_help": False}  # nothing is an option of this program
    running = action("terraform", terraform, "run Terraform as the tests do, never in your AWS account", **passing_on)
    running.add_argument("arguments", nargs="*")
    return parser


if __name__ == "__main__":
    sys.exit(main())
