"""Gathers how a sync is doing from AWS and OpenSearch. What can't be read is given with the reason."""

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
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.failures import bucket
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.opensearch.note import last_verified
from dynamodb_opensearch.opensearch.reader import Reader
from dynamodb_opensearch.settings import Settings

_PATIENCE_SECONDS = 4.0
"""Time limit of each part: a screen that refreshes can't wait for a cluster that is down."""

_MOST_TOGETHER = 8
"""Most indices that are asked at the same time."""

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Part(Generic[_Value]):
    """A part of the status, or why it isn't known."""

    value: _Value | None = None
    problem: str | None = None
    broken: bool = False
    """Whether the part doesn't answer, refuses, or doesn't exist. Else the problem is only that we may not read it."""


@dataclass(frozen=True, slots=True)
class EventSourceMapping:
    """The event source mapping, which makes Lambda read the stream."""

    uuid: str
    state: str
    """Enabled, Disabled, or a transition to either."""
    last_result: str
    """LastProcessingResult, such as ``OK`` or ``PROBLEM: Function call failed``."""
    reason: str
    """Why the state last changed."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The failures that wait at the failure destination."""

    waiting: int
    at_least: bool = False
    """Whether there may be more than were counted."""
    oldest_seconds: float | None = None
    """Age of the oldest; None if unknown."""


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What is known about one index at one moment."""

    documents: Part[int]
    verified: Part[Mapping[str, Any]]
    """What the last full verification found."""
    home: Part[str] = Part("")
    """The index that is written to, if the sync's name is an alias."""
    standby: bool = False
    """Whether the index is being filled."""


@dataclass(frozen=True, slots=True)
class Status:
    """All that is known at one moment."""

    at: datetime
    function: str | None
    table: str
    mappings: Part[list[EventSourceMapping]]
    iterator_age_seconds: Part[float]
    metrics: Part[Metrics]
    letters: Part[Letters]
    items: Part[int]
    """Number of items, as DynamoDB counted them some hours ago."""
    indices: Mapping[str, IndexStatus]

    @property
    def documents(self) -> Part[int]:
        """Number of documents in all indices; unknown if it is in one of them."""
        parts = [index.documents for index in self.indices.values()]
        unknown = next((part for part in parts if part.value is None), None)
        return unknown or Part(sum(part.value or 0 for part in parts))

    def to_json(self) -> dict[str, Any]:
        """Return each part's value, or ``{"problem": reason}``. Several indices have a part of their own."""
        own = {_camel(field.name): _plain(getattr(self, field.name)) for field in fields(self)}
        del own["indices"]
        beginning = {name: own.pop(name) for name in ("at", "function", "table")}
        beginning["index"] = ",".join(self.indices)
        items = own.pop("items")
        ending: dict[str, Any] = {"documents": _plain(self.documents), "items": items}
        if len(self.indices) == 1:
            [index] = self.indices.values()
            ending["verified"] = _plain(index.verified)
        else:
            ending["indices"] = {name: _plain(index) for name, index in self.indices.items()}
        return {**beginning, **own, **ending}


class Observer:
    """Gathers the status, as often as it is asked to.

    Args:
        function: its name, with a colon and the version or alias that reads the stream, if one was named.
    """

    def __init__(self, settings: Settings, function: str | None, log_group: str | None) -> None:
        self._settings = settings
        self._function = function
        self._log_group = log_group
        self._projections = settings.projections
        threads = min(len(self._projections), _MOST_TOGETHER)
        self._client = Client(settings, connections=threads)
        self._pool = ThreadPoolExecutor(5 + threads, thread_name_prefix="status")
        self._aws: dict[str, Any] = {}
        self._published: tuple[datetime, Part[Metrics]] | None = None

    def look(self) -> Status:
        """Ask for all parts at the same time."""
        for service in ("lambda", "cloudwatch", "logs", "dynamodb"):
            self._connect(service)
        asked = {
            name: self._pool.submit(_part, ask)
            for name, ask in {
                "mappings": self._mappings,
                "iterator_age_seconds": self._iterator_age,
                "letters": self._letters,
                "items": self._items,
            }.items()
        }
        indices = {projection.index: self._pool.submit(self._index, projection) for projection in self._projections}
        metrics = self._metrics()
        parts: dict[str, Any] = {name: future.result() for name, future in asked.items()}
        return Status(
            at=datetime.now(UTC),
            function=self._function,
            table=self._settings.table_name,
            metrics=metrics,
            indices={name: future.result() for name, future in indices.items()},
            **parts,
        )

    def _mappings(self) -> list[EventSourceMapping]:
        name = self._named()
        found = self._mappings_of(name)
        if not found and ":" not in name and (followed := self._followed_alias(name)):
            raise SyncError(
                f"no event source mapping follows {name} itself, but one follows its alias {followed}: give --function "
                f"{name}:{followed}"
            )
        return [
            EventSourceMapping(
                uuid=mapping["UUID"],
                state=mapping.get("State", "unknown"),
                last_result=mapping.get("LastProcessingResult") or "No records processed",
                reason=mapping.get("StateTransitionReason", ""),
            )
            for mapping in found
        ]

    def _mappings_of(self, name: str) -> list[Any]:
        """List those of exactly this name: a function's own aren't its aliases'."""
        return list(self._call("lambda", "list_event_source_mappings", FunctionName=name)["EventSourceMappings"])

    def _followed_alias(self, name: str) -> str | None:
        """Return the function's alias that has an event source mapping; None if there is none that we may see."""
        try:
            aliases = self._call("lambda", "list_aliases", FunctionName=name)["Aliases"]
            names = [str(alias["Name"]) for alias in aliases]
            return next((alias for alias in names if self._mappings_of(f"{name}:{alias}")), None)
        except SyncError:
            return None

    def _iterator_age(self) -> float:
        age = self._latest("AWS/Lambda", "IteratorAge", {"FunctionName": self._named().partition(":")[0]})
        if age is None:
            raise _UnknownError(f"nothing was read from the stream in the last {MINUTES} minutes")
        return age / 1000

    def _metrics(self) -> Part[Metrics]:
        """Read the metrics. CloudWatch's change once a minute and cost money, so they are kept for ten seconds."""
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
                raise _UnknownError("they go to an SNS topic, which keeps none: look at its subscribers")

    def _letters_in_queue(self, arn: str) -> Letters:
        _, _, _, region, account, name = arn.split(":")
        sqs = self._connect("sqs", region)
        url = f"{sqs.meta.endpoint_url}/{account}/{name}"
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self._call("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
        waiting = sum(int(answer[attribute]) for attribute in names)
        return Letters(waiting, oldest_seconds=self._oldest_in_queue(name) if waiting else None)

    def _oldest_in_queue(self, name: str) -> float | None:
        """The age from CloudWatch: SQS doesn't return it, and receiving a message would hide that message."""
        try:
            return self._latest("AWS/SQS", "ApproximateAgeOfOldestMessage", {"QueueName": name})
        except SyncError:
            return None

    def _letters_in_bucket(self, name: str) -> Letters:
        """Count the failures' objects, at most a thousand of each kind. Each object holds one failure or more."""
        self._connect("s3")
        pages = [
            self._call("s3", "list_objects_v2", Bucket=name, Prefix=prefix)
            for prefix in (bucket.PREFIX, bucket.RECORDS_PREFIX)
        ]
        objects = [entry for page in pages for entry in page.get("Contents", [])]
        oldest = min((entry["LastModified"] for entry in objects), default=None)
        return Letters(
            len(objects),
            at_least=any(page.get("IsTruncated", False) for page in pages),
            oldest_seconds=oldest and (datetime.now(UTC) - oldest).total_seconds(),
        )

    def _index(self, projection: Projection) -> IndexStatus:
        """Look at the index that the sync writes to: an alias may cover others, or hide some documents."""
        reader, deadline = Reader(self._client, projection.index, _PATIENCE_SECONDS), Deadline.after(_PATIENCE_SECONDS)
        home = _part(lambda: reader.resolve(deadline).index)
        if (index := home.value) is None:
            problem: Part[Any] = Part(problem=home.problem, broken=home.broken)
            return IndexStatus(problem, problem, home, projection.standby)
        documents = _part(lambda: reader.count(index, deadline))
        verified = _part(lambda: self._verified(index, projection, deadline))
        return IndexStatus(documents, verified, home, projection.standby)

    def _items(self) -> int:
        table = self._call("dynamodb", "describe_table", TableName=self._settings.table_name)["Table"]
        return int(table.get("ItemCount", 0))

    def _verified(self, index: str, projection: Projection, deadline: Deadline) -> Mapping[str, Any]:
        found = last_verified(self._client, index, deadline)
        if found is None:
            raise _UnknownError("never verified in full: run dynamodb-opensearch verify")
        if found.get("projection") != projection.identity:
            raise _UnknownError(
                "not verified since its rule, shape or transform was changed: run dynamodb-opensearch verify"
            )
        return found

    def _named(self) -> str:
        if self._function is None:
            raise _UnknownError("no function is known: give --function NAME")
        return self._function

    def _connect(self, service: str, region: str | None = None) -> Any:
        """Make a client, in one thread only: boto3's session isn't thread-safe."""
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
            reported = aws_error(error, call, service)
            is_missing = any(word in code_of(error) for word in _NOT_THERE)
            raise reported if is_missing else _UnknownError(str(reported)) from None


_NOT_THERE = ("NotFound", "NonExistent", "NoSuch", "DoesNotExist")
"""Words in AWS's error codes for what doesn't exist. All other codes only mean that we may not read it, or not now."""


class _UnknownError(SyncError):
    """A part is unknown, although nothing need be wrong with it."""


def _part(ask: Callable[[], _Value | None]) -> Part[_Value]:
    try:
        return Part(ask())
    except _UnknownError as error:
        return Part(problem=str(error))
    except SyncError as error:
        return Part(problem=str(error), broken=True)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problem = f"the answer has an unexpected form ({type(error).__name__}): check that --endpoint is OpenSearch's"
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
            return [_plain(member) for member in value]
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {_camel(field.name): _plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
