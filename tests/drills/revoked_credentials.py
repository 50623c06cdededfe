"""OpenSearch no longer lets the function in: batches fail with advice, nothing is set aside, and it catches up."""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opensearch import api

from demo import aws
from drills.drill import Drill, Node
from drills.sides import product
from drills.stack import Stack
from drills.stage import Stage

_SECURITY = "/_plugins/_security/api"
_RIGHTS = ["indices:data/write/index", "indices:data/write/delete", "indices:data/write/bulk*"]


def run(stage: Stage) -> None:
    """Delete a role mapping (403), then change the password (401)."""
    node = stage.engines.opensearch
    password = secrets.token_urlsafe(24)
    with _secrets(stage, sync=("sync", password), admin=(node.user, node.password)) as arns:
        _grant(stage, password)
        variables = {
            "OPENSEARCH_AUTH": "basic",
            "OPENSEARCH_SECRET_ARN": arns["sync"],
            "OPENSEARCH_CA_FILE": str(node.ca_file),
        }
        with stage.healthy(variables=variables, operator=("--secret-arn", arns["admin"])) as stack:
            stage.breaking("The role mapping is deleted: 403")
            with stage.narration.step("Delete the role mapping; put 20 items"):
                stack.index.call("DELETE", f"{_SECURITY}/rolesmapping/{stage.name}-sync")
                stack.table.load([product(number, price={"N": "5"}) for number in range(1, 21)])
            _wait_for_advice(stage, stack)

            stage.fix("The role is mapped again")
            with stage.narration.step("Map the role; the function catches up by itself"):
                _map_role(stage)
                stack.catch_up()
            stage.without_dead_letters(stack)

            stage.breaking("The password is changed in OpenSearch, but not in the secret: 401")
            changed = secrets.token_urlsafe(24)
            with stage.narration.step("Change the password; delete 5 items"):
                _set_password(stage, changed)
                for number in range(21, 26):
                    stack.table.delete(number)
            _wait_for_advice(stage, stack)

            stage.fix("The secret gets the new password")
            with stage.narration.step("Update the secret; the function catches up by itself"):
                _client(stage).put_secret_value(SecretId=arns["sync"], SecretString=_login("sync", changed))
                stack.catch_up()
            stage.without_dead_letters(stack)
            stage.prove(stack)


def _wait_for_advice(stage: Stage, stack: Stack) -> None:
    with stage.narration.step("The batch fails, and waits"):
        stack.until(lambda: stack.metrics.values("Errors", stage.broken_at), "a batch failed")
        stack.until(lambda: stack.metrics.messages("ERROR", stage.broken_at), "the function has said why")
    [line, *_] = stack.metrics.messages("ERROR", stage.broken_at)
    stage.narration.say("The function's log:")
    stage.narration.quote(f"{line['level']} {line['message']}: {line['error']}")
    stage.look(stack, "errors")
    stage.without_dead_letters(stack)


def _grant(stage: Stage, password: str) -> None:
    permissions = [{"index_patterns": [stage.name], "allowed_actions": _RIGHTS}]
    role = {"cluster_permissions": ["indices:data/write/bulk"], "index_permissions": permissions}
    _set_password(stage, password)
    _put(stage, f"roles/{stage.name}-sync", role)
    _map_role(stage)


def _set_password(stage: Stage, password: str) -> None:
    _put(stage, "internalusers/sync", {"password": password})


def _map_role(stage: Stage) -> None:
    _put(stage, f"rolesmapping/{stage.name}-sync", {"users": ["sync"]})


def _put(stage: Stage, path: str, body: Any) -> None:
    api.call(stage.engines.opensearch, "PUT", f"{_SECURITY}/{path}", body)


@contextmanager
def _secrets(stage: Stage, **logins: tuple[str | None, str | None]) -> Iterator[dict[str, str]]:
    """Create secrets with user and password; yield name -> ARN."""
    client = _client(stage)
    arns = {
        name: client.create_secret(Name=f"{stage.name}-{name}", SecretString=_login(*login))["ARN"]
        for name, login in logins.items()
    }
    try:
        yield arns
    finally:
        for arn in arns.values():
            client.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


def _client(stage: Stage) -> Any:
    return aws.client("secretsmanager", stage.engines.aws.environment())


def _login(user: str | None, password: str | None) -> str:
    return json.dumps({"username": user, "password": password})


DRILL = Drill(
    name="revoked-credentials",
    breaks="OpenSearch no longer lets the function in: 403, then 401",
    alarms=("errors",),
    command="none: once it is let in, it catches up by itself",
    run=run,
    node=Node.SECURED,
)
