"""How a sync is doing, gathered from whoever knows it. What can't be asked is told with the reason."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch.aws import aws_error, code_of
from dynamodb_opensearch.cli.status.metrics import MINUTES, Metrics, published, read_metrics
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import SyncError
from dynamodb_opensearch.failures import bucket
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.note import last_verified
from dynamodb_opensearch.opensearch.reader import Reader
from dynamodb_opensearch.settings import Settings

_PATIENCE_SECONDS = 4.0
"""Of each part: a screen that refreshes can't wait for a cluster that is down."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Part(Generic[_Value]):
    """Something that is known, or why it isn't."""

    value: _Value | None = None
    problem: str | None = None
    broken: bool = False
    """Whether it doesn't answer, refuses, or isn't there. Else there is a problem only for us, who may not ask."""


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """What makes Lambda read the stream."""

    uuid: str
    state: str
    """Enabled, Disabled, or on the way to it."""
    last_result: str
    """LastProcessingResult, such as ``OK`` or ``PROBLEM: Function call failed``."""
    reason: str
    """Who or what changed the state last."""


@dataclass(frozen=True, slots=True)
class Letters:
    """What waits at the failure destination."""

    waiting: int
    at_least: bool = False
    """Whether there may be more: only so many are counted."""
    oldest_seconds: float | None = None
    """Age of the oldest, None if nobody tells."""


@dataclass(frozen=True, slots=True)
class Status:
    """All that is known at a moment."""

    at: datetime
    function: str | None
    table: str
    index: str
    mappings: Part[list[EventSourceMapping]]
    iterator_age_seconds: Part[float]
    metrics: Part[Metrics]
    letters: Part[Letters]
    documents: Part[int]
    items: Part[int]
    """As DynamoDB counted them some hours ago."""
    verified: Part[Mapping[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Each part as it is, or ``{"problem": reason}``."""
        return {_camel(one.name): _plain(getattr(self, one.name)) for one in fields(self)}


class Observer:
    """Gathers a status again and again.

    Args:
        function: its name, with a colon and the version or alias that reads the stream if it isn't the newest.
    """

    def __init__(self, settings: Settings, function: str | None, log_group: str | None) -> None:
        self._settings = settings
        self._function = function
        self._log_group = log_group
        self._client = Client(settings, connections=3)
        self._pool = ThreadPoolExecutor(8, thread_name_prefix="status")
        self._aws: dict[str, Any] = {}
        self._published: tuple[datetime, Part[Metrics]] | None = None

    def look(self) -> Status:
        """Ask everybody at the same time."""
        for service in ("lambda", "cloudwatch", "logs", "dynamodb"):
            self._connect(service)
        asked = {
            name: self._pool.submit(_part, ask)
            for name, ask in {
                "mappings": self._mappings,
                "iterator_age_seconds": self._iterator_age,
                "letters": self._letters,
                "documents": self._documents,
                "items": self._items,
                "verified": self._verified,
            }.items()
        }
        metrics = self._metrics()
        parts: dict[str, Any] = {name: future.result() for name, future in asked.items()}
        return Status(
            at=datetime.now(UTC),
            function=self._function,
            table=self._settings.table_name,
            index=self._settings.index,
            metrics=metrics,
            **parts,
        )

    def _mappings(self) -> list[EventSourceMapping]:
        name = self._named()
        found = self._call("lambda", "list_event_source_mappings", FunctionName=name)["EventSourceMappings"]
        return [
            EventSourceMapping(
                uuid=one["UUID"],
                state=one.get("State", "unknown"),
                last_result=one.get("LastProcessingResult") or "No records processed",
                reason=one.get("StateTransitionReason", ""),
            )
            for one in found
        ]

    def _iterator_age(self) -> float:
        age = self._latest("AWS/Lambda", "IteratorAge", {"FunctionName": self._named().partition(":")[0]})
        if age is None:
            raise _UnknownError(f"nothing was read from the stream in the last {MINUTES} minutes")
        return age / 1000

    def _metrics(self) -> Part[Metrics]:
        """CloudWatch's change once a minute and cost something, so they are asked for every ten seconds."""
        now = datetime.now(UTC)
        if self._published and now - self._published[0] < timedelta(seconds=10):
            return self._published[1]
        metrics = _part(
            lambda: read_metrics(
                partial(self._call, "cloudwatch", "get_metric_data"),
                partial(self._call, "logs", "filter_log_events"),
                sync=self._settings.sync_name,
                log_group=self._log_group,
                now=now,
            )
        )
        self._published = (now, metrics) if metrics.value and metrics.value.source == "CloudWatch" else None
        return metrics

    def _latest(self, namespace: str, metric: str, dimensions: Mapping[str, str]) -> float | None:
        ask = partial(self._call, "cloudwatch", "get_metric_data")
        return published(ask, namespace, dimensions, {metric: "Maximum"}, datetime.now(UTC))[metric].latest

    def _letters(self) -> Letters:
        arn = self._settings.dead_letter_arn
        if arn is None:
            raise _UnknownError("no failure destination is known: give --function, or --dead-letters ARN")
        match arn.split(":")[2]:
            case "sqs":
                return self._letters_in_queue(arn)
            case "s3":
                return self._letters_in_bucket(arn.rpartition(":")[2])
            case _:
                raise _UnknownError("they go to an SNS topic, which keeps none: look at who subscribes to it")

    def _letters_in_queue(self, arn: str) -> Letters:
        _, _, _, region, account, name = arn.split(":")
        sqs = self._connect("sqs", region)
        url = f"{sqs.meta.endpoint_url}/{account}/{name}"
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
        waiting = sum(int(answer[one]) for one in names)
        return Letters(waiting, oldest_seconds=self._oldest_in_queue(name) if waiting else None)

    def _oldest_in_queue(self, name: str) -> float | None:
        """SQS itself doesn't tell, and to receive a message would hide it."""
        try:
            return self._latest("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": name})
        except SyncError:
            return None

    def _letters_in_bucket(self, name: str) -> Letters:
        """A thousand objects of each kind at most; each holds one failure or more."""
        self._connect("s3")
        pages = [
            self._call("s3", "list_objects_v2", Bucket=name, Prefix=prefix)
            for prefix in (bucket.PREFIX, bucket.RECORDS_PREFIX)
        ]
        objects = [one for page in pages for one in page.get("Contents", [])]
        oldest = min((one["LastModified"] for one in objects), default=None)
        return Letters(
            len(objects),
            at_least=any(page.get("IsTruncated", False) for page in pages),
            oldest_seconds=oldest and (datetime.now(UTC) - oldest).total_seconds(),
        )

    def _documents(self) -> int:
        """Of the index that the sync writes to: behind an alias there may be others, and a filter that hides some."""
        reader, deadline = self._reader(), Deadline.after(_PATIENCE_SECONDS)
        return reader.count(reader.resolve(deadline).index, deadline)

    def _home(self, deadline: Deadline) -> str:
        return self._reader().resolve(deadline).index

    def _reader(self) -> Reader:
        return Reader(self._client, self._settings.index, _PATIENCE_SECONDS)

    def _items(self) -> int:
        table = self._call("dynamodb", "describe_table", TableName=self._settings.table_name)["Table"]
        return int(table.get("ItemCount", 0))

    def _verified(self) -> Mapping[str, Any]:
        deadline = Deadline.after(_PATIENCE_SECONDS)
        found = last_verified(self._client, self._home(deadline), deadline)
        if found is None:
            raise _UnknownError("never verified in whole: dynamodb-opensearch verify")
        return found

    def _named(self) -> str:
        if self._function is None:
            raise _UnknownError("no function is known: give --function NAME")
        return self._function

    def _connect(self, service: str, region: str | None = None) -> Any:
        """Made in one thread: boto3's own session isn't for several."""
        if service not in self._aws:
            config = Config(
                connect_timeout=2, read_timeout=_PATIENCE_SECONDS, retries={"mode": "standard", "total_max_attempts": 2}
            )
            self._aws[service] = boto3.Session().client(service, region_name=region, config=config)
        return self._aws[service]

    def _call(self, service: str, operation: str, **arguments: Any) -> Any:
        try:
            return getattr(self._aws[service], operation)(**arguments)
        except (BotoCoreError, ClientError) as error:
            call = "".join(word.capitalize() for word in operation.split("_"))
            told = aws_error(error, call, service)
            raise told if any(word in code_of(error) for word in _NOT_THERE) else _UnknownError(str(told)) from None


_NOT_THERE = ("NotFound", "NonExistent", "NoSuch", "DoesNotExist")
"""In AWS's codes. All others say that we may not ask, or not now: no word about what was asked for."""


class _UnknownError(SyncError):
    """Nobody can tell, for a reason that is no failure of what was asked for."""


def _part(ask: Callable[[], _Value | None]) -> Part[_Value]:
    try:
        return Part(ask())
    except _UnknownError as error:
        return Part(problem=str(error))
    except SyncError as error:
        return Part(problem=str(error), broken=True)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = f"an answer of another form ({type(error).__name__}): is an OpenSearch there? check --endpoint"
        return Part(problem=problem, broken=True)


def _plain(value: Any) -> Any:
    match value:
        case Part(problem=str() as problem):
            return {"problem": problem}
        case Part():
            return _plain(value.value)
        case datetime():
            return value.isoformat(timespec="seconds").replace("+00:00", "Z")
        case list():
            return [_plain(one) for one in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {_camel(one.name): _plain(getattr(value, one.name)) for one in fields(value)}
        case _:
            return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
