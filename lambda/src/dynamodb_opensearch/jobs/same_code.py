"""Checks that the operator makes the same documents as its sync: that both have the same indices and layers.

One Terraform configuration sets both functions, but it changes one after the other, and may fail in between.
"""

from collections.abc import Callable, Mapping
from typing import Any

import boto3

from dynamodb_opensearch.aws import ASKED_ONCE, ask
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError

_SAME = ("INDEX", "INDICES")


def check_same_code(
    environment: Mapping[str, str], deadline: Deadline, connect: Callable[..., Any] = boto3.client
) -> None:
    """Compare this function's configuration with that of the function SYNC_FUNCTION; without that, nothing.

    Args:
        environment: this function's own: SYNC_FUNCTION, with the alias that the event source mapping follows, if the
            sync is published; INDEX or INDICES; and TRANSFORM_LAYERS, the ARNs of its layers joined by commas.

    Raises:
        ConfigurationError: they differ, or the sync can't be asked.
        OutOfTimeError: see ``ask``.
    """
    sync = environment.get("SYNC_FUNCTION")
    if not sync:
        return
    client = connect("lambda", config=ASKED_ONCE)
    answer: Mapping[str, Any] = ask(
        lambda: client.get_function_configuration(FunctionName=sync),
        deadline,
        "GetFunctionConfiguration",
        f"the sync {sync!r}",
    )
    theirs = answer.get("Environment", {})
    if hidden := theirs.get("Error"):
        raise ConfigurationError(
            f"the sync {sync!r}: its environment can't be decrypted ({hidden.get('ErrorCode')}): allow this function's "
            "role kms:Decrypt on the sync's key"
        )
    for name in _SAME:
        if (environment.get(name) or "") != (theirs.get("Variables", {}).get(name) or ""):
            raise ConfigurationError(_differ(sync, f"another {name}"))
    layers = [layer["Arn"] for layer in answer.get("Layers", ())]
    ours = [arn for arn in environment.get("TRANSFORM_LAYERS", "").split(",") if arn]
    if ours != layers:
        listed = " and ".join(", ".join(arns) or "none" for arns in (ours, layers))
        raise ConfigurationError(_differ(sync, f"other layers ({listed})"))


def _differ(sync: str, what: str) -> str:
    rolled_back = ", or, if the alias was rolled back, apply the configuration of its version" if ":" in sync else ""
    return (
        f"this function has {what} than the sync {sync!r}, so that the two would make different documents: run "
        f"terraform apply for both{rolled_back}, wait until both are updated, and start the job again"
    )
