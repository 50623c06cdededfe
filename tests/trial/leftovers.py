"""Finds in AWS itself what a trial may have left, and removes it: all of it starts with the trial's own, random name.

Terraform loses track of what it is creating when it is interrupted in the middle of the call that creates it. A trial
makes sure that its name is free before it creates anything, so whatever has that name later is the trial's.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trial.account import Account
from trial.errors import LACKING, code_of, is_denied
from trial.naming import NAME_CHARACTERS, must_be_a_trials

Remove = Callable[[Account, str], object]


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something of a trial's that is still there. Its id is a name, an ARN or a URL, as its removal needs it."""

    kind: str
    name: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"

    def remove(self, account: Account) -> None:
        """Remove it; what is gone, or just going, is no error.

        Raises:
            TrialError: its name isn't a trial's.
        """
        must_be_a_trials(self.name[:NAME_CHARACTERS])
        try:
            _KINDS[self.kind].remove(account, self.id)
        except ClientError as error:
            if not any(word in code_of(error) for word in ("NotFound", "NoSuchEntity", "NonExistent", "DoesNotExist")):
                raise


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one kind is listed and removed."""

    ids: Callable[[Account, str], Iterator[str]]
    remove: Remove
    name: Callable[[str], str] = str


def left(account: Account, name: str, *, domain: bool) -> tuple[list[Leftover], list[str]]:
    """Return what is left, and the kinds that can't be listed.

    Raises:
        TrialError: the name isn't a trial's.
    """
    must_be_a_trials(name)
    found: list[Leftover] = []
    unseen: list[str] = []
    for label, kind in _KINDS.items():
        if label == "domain" and not domain:
            continue
        try:
            listed = [Leftover(label, kind.name(id_), id_) for id_ in kind.ids(account, name)]
            found += [each for each in listed if each.name.startswith(f"{name}-")]
        except ClientError as error:
            if not is_denied(code_of(error)) and code_of(error) not in LACKING:
                raise
            unseen.append(f"{label} ({code_of(error)})")
        except BotoCoreError as error:
            unseen.append(f"{label} ({type(error).__name__})")
    return found, unseen


def _paged(account: Account, service: str, operation: str, path: str, **parameters: Any) -> Iterator[Any]:
    pages = account.client(service).get_paginator(operation).paginate(**parameters)
    return (each for each in pages.search(path) if each is not None)


def _domains(account: Account, _name: str) -> Iterator[str]:
    names = account.client("opensearch").list_domain_names()["DomainNames"]
    return (each["DomainName"] for each in names)


def _mappings(account: Account, _name: str) -> Iterator[str]:
    """Yield UUID/FUNCTION of each event source mapping: it has no name of its own."""
    for each in _paged(account, "lambda", "list_event_source_mappings", "EventSourceMappings[]"):
        # arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME, and perhaps :ALIAS
        parts = str(each.get("FunctionArn", "")).split(":")
        if len(parts) > 6:
            yield f"{each['UUID']}/{parts[6]}"


def _remove_role(account: Account, name: str) -> None:
    iam = account.client("iam")
    for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
        iam.detach_role_policy(RoleName=name, PolicyArn=policy["PolicyArn"])
    for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def _last(separator: str) -> Callable[[str], str]:
    """Return what gives the last part of an ARN or a path."""
    return lambda id_: id_.rpartition(separator)[2]


_KINDS: Mapping[str, _Kind] = {
    "domain": _Kind(  # first: it costs most
        _domains, lambda account, id_: account.client("opensearch").delete_domain(DomainName=id_)
    ),
    "table": _Kind(
        lambda account, _: _paged(account, "dynamodb", "list_tables", "TableNames[]"),
        lambda account, id_: account.client("dynamodb").delete_table(TableName=id_),
    ),
    "event source mapping": _Kind(  # before the function, without which it would be left
        _mappings,
        lambda account, id_: account.client("lambda").delete_event_source_mapping(UUID=id_.partition("/")[0]),
        _last("/"),
    ),
    "function": _Kind(
        lambda account, _: _paged(account, "lambda", "list_functions", "Functions[].FunctionName"),
        lambda account, id_: account.client("lambda").delete_function(FunctionName=id_),
    ),
    "queue": _Kind(
        lambda account, name: _paged(account, "sqs", "list_queues", "QueueUrls[]", QueueNamePrefix=name),
        lambda account, id_: account.client("sqs").delete_queue(QueueUrl=id_),
        _last("/"),
    ),
    "topic": _Kind(
        lambda account, _: _paged(account, "sns", "list_topics", "Topics[].TopicArn"),
        lambda account, id_: account.client("sns").delete_topic(TopicArn=id_),
        _last(":"),
    ),
    "role": _Kind(lambda account, _: _paged(account, "iam", "list_roles", "Roles[].RoleName"), _remove_role),
    "log group": _Kind(
        lambda account, name: _paged(
            account, "logs", "describe_log_groups", "logGroups[].logGroupName", logGroupNamePrefix=f"/aws/lambda/{name}"
        ),
        lambda account, id_: account.client("logs").delete_log_group(logGroupName=id_),
        _last("/"),
    ),
    "alarm": _Kind(
        lambda account, name: _paged(
            account, "cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName", AlarmNamePrefix=name
        ),
        lambda account, id_: account.client("cloudwatch").delete_alarms(AlarmNames=[id_]),
    ),
    "state machine": _Kind(
        lambda account, _: _paged(account, "stepfunctions", "list_state_machines", "stateMachines[].stateMachineArn"),
        lambda account, id_: account.client("stepfunctions").delete_state_machine(stateMachineArn=id_),
        _last(":"),
    ),
}
