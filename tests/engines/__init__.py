"""Runs the real engines that demo, tests, drills and benchmarks need, as local processes without Docker.

    with opensearch() as node, localstack(announce=print) as aws:
        ...

Each engine is fetched once into ENGINES_HOME and starts on a free port. After the block, its processes and files are
gone. An EngineError says what is wrong and what to do. `python -m engines --help` describes the command line.
"""

from engines.dynamodb_node import DynamoDBLocal, dynamodb_local
from engines.errors import EngineError
from engines.interrupts import unwind_on_termination
from engines.localstack_node import LocalStackNode, localstack
from engines.opensearch_node import OpenSearchNode, opensearch
from engines.runs import stop_all
from engines.terraform import terraform_environment

__all__ = [
    "DynamoDBLocal",
    "EngineError",
    "LocalStackNode",
    "OpenSearchNode",
    "dynamodb_local",
    "localstack",
    "opensearch",
    "stop_all",
    "terraform_environment",
    "unwind_on_termination",
]
