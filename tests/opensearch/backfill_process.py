"""A backfill in a process of its own, which a test can kill, over a network that takes its time.

Usage: python -m opensearch.backfill_process CHECKPOINT
"""

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.cli.run.engine import Stop, Workers, run
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.settings import read_settings

_post = Client.post


def _post_slowly(client: Client, *arguments: Any) -> Any:
    time.sleep(random.uniform(0, 0.2))  # so that much happens between reading and writing
    answer = _post(client, *arguments)
    time.sleep(random.uniform(0, 0.02))
    return answer


def main() -> int:
    """Do what is left, and tell by the exit code whether all is done."""
    Client.post = _post_slowly  # type: ignore[assignment,method-assign]
    checkpoint = Checkpoint(Path(sys.argv[1]), {"job": "backfill"})
    workers = Workers(threads=2, page_items=5)
    done = run(Backfill(4), read_settings(os.environ), workers, checkpoint, stop=Stop(), on_step=lambda _: None)
    checkpoint.close()
    return 0 if done else 1


if __name__ == "__main__":
    sys.exit(main())
