"""Looks in AWS itself for what an example may have left: everything of a trial starts with its own, random name."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from trial.account import Account
from trial.errors import LACKING, code_of, is_denied


def left(account: Account, name: str, *, domain: bool) -> tuple[list[str], list[str]]:
    """Return what is left, each with its kind, and the kinds that can't be listed."""
    found: list[str] = []
    unseen: list[str] = []
    for kind, look in _LOOKS.items():
        if kind == "domain" and not domain:
            continue
        try:
            found += [f"{kind} {each}" for each in look(account, name) if each.startswith(name)]
        except ClientError as error:
            if not is_denied(code_of(error)) and code_of(error) not in LACKING:
                raise
            unseen.append(f"{kind} ({code_of(error)})")
        except BotoCoreError as error:
            unseen.append(f"{kind} ({type(error).__name__})")
    return found, unseen


def _paged(account: Account, service: str, operation: str, path: str, **parameters: Any) -> Iterator[Any]:
    pages = account.client(service).get_paginator(operation).paginate(**parameters)
    return (each for each in pages.search(path) if each is not None)


def _domains(account: Account, _name: str) -> Iterator[str]:
    names = account.client("opensearch").list_domain_names()["DomainNames"]
    return (each["DomainName"] for each in names)


def _topics(account: Account, _name: str) -> Iterator[str]:
    return (arn.rpartition(":")[2] for arn in _paged(account, "sns", "list_topics", "Topics[].TopicArn"))


def _queues(account: Account, name: str) -> Iterator[str]:
    urls = _paged(account, "sqs", "list_queues", "QueueUrls[]", QueueNamePrefix=name)
    return (url.rpartition("/")[2] for url in urls)


def _log_groups(account: Account, name: str) -> Iterator[str]:
    path, prefix = "logGroups[].logGroupName", "/aws/lambda/"
    names = _paged(account, "logs", "describe_log_groups", path, logGroupNamePrefix=prefix + name)
    return (each.removeprefix(prefix) for each in names)


def _alarms(account: Account, name: str) -> Iterator[str]:
    return _paged(account, "cloudwatch", "describe_alarms", "MetricAlarms[].AlarmName", AlarmNamePrefix=name)


_LOOKS: Mapping[str, Callable[[Account, str], Iterator[str]]] = {
    "domain": _domains,  # first: it costs most
    "table": lambda account, _: _paged(account, "dynamodb", "list_tables", "TableNames[]"),
    "function": lambda account, _: _paged(account, "lambda", "list_functions", "Functions[].FunctionName"),
    "queue": _queues,
    "topic": _topics,
    "role": lambda account, _: _paged(account, "iam", "list_roles", "Roles[].RoleName"),
    "log group": _log_groups,
    "alarm": _alarms,
    "state machine": lambda account, _: _paged(account, "stepfunctions", "list_state_machines", "stateMachines[].name"),
}
