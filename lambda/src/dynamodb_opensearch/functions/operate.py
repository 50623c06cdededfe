"""The operator's handler: works on one unit of a job for one invocation, and returns where to continue.

The state machine of modules/operations calls it: it plans a job, runs many units in parallel, each in one invocation
after another until it is done, and adds up the counts. Any step may be repeated without harm, and so may any
invocation. If an invocation has no time to wait for the read units that it used, the next one waits before it reads.
"""

import hashlib
import io
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Protocol

import boto3
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from dynamodb_opensearch import telemetry
from dynamodb_opensearch.aws import ask
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.dynamodb.capacity import CapacityLimit
from dynamodb_opensearch.dynamodb.export import location_of
from dynamodb_opensearch.jobs.create_index import CreateIndex
from dynamodb_opensearch.jobs.job import Pause, Step
from dynamodb_opensearch.jobs.load import Load
from dynamodb_opensearch.jobs.report import Compared, ReportWriter
from dynamodb_opensearch.jobs.request import Request, read_request
from dynamodb_opensearch.jobs.same_code import check_same_code
from dynamodb_opensearch.jobs.side import Side, Sides
from dynamodb_opensearch.jobs.sync import Sync, open_sync
from dynamodb_opensearch.jobs.unit import Unit, read_unit, to_json
from dynamodb_opensearch.parameter import with_indices
from dynamodb_opensearch.settings import Settings, read_settings

UNITS = 2_000
"""Most units of one execution: their results must fit into the 256 KiB that Step Functions passes on. Several indices
make the results longer, as each has counts of its own."""
PLAN_BYTES = 240_000
POSITION_BYTES = 200_000
"""The limit of one unit's position, for the same reason. A longer one of an intent isn't passed on."""
PAGE_ITEMS = 1_000
"""Items of a page, by default: their keys usually fit into a position."""
STALLED_SECONDS, STALLED_INVOCATIONS = 3_600, 3
"""For how long, and how many times at least, a unit that doesn't get a step further is tried again."""
_NOTICES = 100  # notices of one log line
_REPORTED = 5_000  # lines of one object in the report bucket
_PAID_SHARE = 0.1  # of an invocation: if it waits longer than this for earlier reads, it does no step

Event = Mapping[str, Any]


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """See https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""


@dataclass(frozen=True, slots=True)
class Operations:
    """The operator's settings in the environment, besides the sync's."""

    report_bucket: str | None
    """Where differences and refusals are reported, besides the log."""
    max_concurrency: int
    """How many units the state machine runs in parallel. They share a job's read units."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Operations":
        """Read REPORT_BUCKET and MAX_CONCURRENCY."""
        return cls(environment.get("REPORT_BUCKET") or None, int(environment.get("MAX_CONCURRENCY") or 1))


class Operator:
    """What the function keeps between invocations. Created without I/O.

    Args:
        check: called before each job's work, to refuse what would make other documents than the sync's.
    """

    def __init__(
        self,
        settings: Settings,
        operations: Operations,
        check: Callable[[Deadline], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._operations, self._check = settings, operations, check
        self._clock, self._sleep = clock, sleep
        self._logger = telemetry.make_logger(settings.sync_name, settings.log_level)

    def handle(self, event: Event, context: Context) -> dict[str, Any]:
        """Plan a job, do a part of one of its units, or add up the units' counts.

        Args:
            event: ``{"action": "plan", "job": {…}}``, ``{"job": {…}, "unit": …, "position": …, "counts": {…}}``, or
                ``{"action": "sum", "job": {…}, "counts": [{…}, …]}``.

        Returns:
            ``{"job", "units"}``; the event for the unit's next invocation, and ``done``; ``{"job", "counts"}``.

        Raises:
            ConfigurationError: something must be changed before anything can work. The execution fails with its text.
        """
        self._logger.append_keys(request_id=context.aws_request_id, unit=None, run=event.get("run"))
        try:
            return self._answer(event, context)
        except ConfigurationError as error:
            # Without the stack trace: it would bury the one line that says what to do.
            self._logger.error("configuration error", extra={"error": str(error)})  # noqa: TRY400
            raise

    def _answer(self, event: Event, context: Context) -> dict[str, Any]:
        request = read_request(event.get("job"), self._settings.dead_letter_arn)
        match event.get("action"):
            case "plan":
                return self._plan(event, request, context)
            case "sum":
                return {"job": event["job"], "counts": dict(sum(map(Counter, event["counts"]), Counter[str]()))}
            case None if "unit" in event:
                self._logger.append_keys(unit=str(_unit_of(event)))
                return self._work(event, request, context)
            case other:
                raise ConfigurationError(f"the event's action is {other!r}: give plan or sum, or a unit and no action")

    def _plan(self, event: Event, request: Request, context: Context) -> dict[str, Any]:
        sync = self._open(request, Deadline(context.get_remaining_time_in_millis))
        job = request.job
        if isinstance(job, Load):
            job = replace(job, exports=tuple(_location(sync, export) for export in job.exports))
        elif not isinstance(job, CreateIndex):
            Sides.resolve(sync)  # a fault of OpenSearch is reported before hundreds of units begin
        units = [to_json(unit) for unit in job.plan(sync)]
        size, indices = len(json.dumps(units)), len(sync.settings.projections)
        most = UNITS if indices == 1 else UNITS // (1 + indices)
        if len(units) > most or size > PLAN_BYTES:
            raise ConfigurationError(
                f"the job has {len(units)} units of {size} bytes, and Step Functions takes {most} of {PLAN_BYTES}: "
                "give fewer segments or exports, or run it with the command line, which has no such limit"
            )
        self._logger.info("planned", extra={"job": event["job"], "units": len(units)})
        return {"job": event["job"], "units": units}

    def _work(self, event: Event, request: Request, context: Context) -> dict[str, Any]:
        """Do steps until the unit is done, or until the next step might not fit into the time that is left."""
        deadline = Deadline(context.get_remaining_time_in_millis)
        whole_seconds = deadline.remaining_seconds()
        capacity = self._capacity(request, event)
        paid_seconds = self._pay(capacity, whole_seconds)
        is_finished = bool(event.get("finished"))
        if is_finished or paid_seconds > whole_seconds * _PAID_SHARE:  # a step gets an invocation's whole time
            return _answer(event, capacity, is_finished=is_finished)
        sync = self._open(request, deadline, capacity)
        report = _Report(self._operations.report_bucket, sync, event, context.aws_request_id)
        position, mark, is_finished, counts = event.get("position"), event.get("mark"), True, Counter[str]()
        notices = Counter[str]()
        steps, longest, began, late = 0, 0.0, self._clock(), None
        try:
            for step in self._steps(request, sync, event, deadline):
                if step.is_intent:
                    position = step.position if len(json.dumps(step.position)) <= POSITION_BYTES else position
                    continue
                self._log(step.findings)
                notices.update(step.notices)
                report.add(step.findings)
                position, mark = step.position, _mark(step.position)
                counts.update(step.counts)
                steps += 1
                longest = max(longest, self._clock() - began)
                self._pay(capacity, deadline.remaining_seconds() - 2 * longest)
                if position is not None and (_owes(capacity) or deadline.remaining_seconds() < 2 * longest):
                    is_finished = False
                    break
                began = self._clock()
        except OutOfTimeError as error:
            is_finished, late = False, error
            self._logger.warning("not done in time: it goes on from the last step", extra={"reason": str(error)})
        report.close()
        if notices:
            self._logger.info("notices", extra={"notices": dict(notices.most_common(_NOTICES))})
        self._emit(event["job"]["type"], counts, steps)
        seconds = whole_seconds - deadline.remaining_seconds()
        event = {
            **event,
            "position": position,
            "counts": {name: count for name, count in (Counter(event.get("counts") or {}) + counts).items() if count},
            "mark": mark,
            "stalled": self._stalled(event, mark, seconds, late),
        }
        return _answer(event, capacity, is_finished=is_finished)

    def _stalled(self, event: Event, mark: str | None, seconds: float, late: OutOfTimeError | None) -> Any:
        """Return how often and how long the unit has been tried without getting a step further.

        A step that ends where the one before it ended doesn't count: it only looks up what was begun before.

        Raises:
            ConfigurationError: the unit was tried long enough.
        """
        if late is None or mark != event.get("mark"):
            return None
        before = event.get("stalled") or {"invocations": 0, "seconds": 0}
        invocations, total_seconds = before["invocations"] + 1, round(before["seconds"] + seconds, 1)
        if invocations >= STALLED_INVOCATIONS and total_seconds >= STALLED_SECONDS:
            raise ConfigurationError(
                f"{_unit_of(event)} got no step further in {invocations} invocations, {total_seconds / 60:.0f} "
                f"minutes: {late}. When that is fixed, redrive the execution; if one page takes longer than an "
                "invocation may, give a smaller pageItems, or the function a longer timeout"
            )
        return {"invocations": invocations, "seconds": total_seconds}

    def _steps(self, request: Request, sync: Sync, event: Event, deadline: Deadline) -> Iterator[Step]:
        """Yield the unit's steps. Wait for its pauses, if they fit into the time that is left."""
        for step in request.job.run(sync, _unit_of(event), event.get("position")):
            if not isinstance(step, Pause):
                yield step
            elif step.seconds < deadline.remaining_seconds():
                self._sleep(step.seconds)
            else:
                raise OutOfTimeError(f"a pause of {step.seconds:.0f} s doesn't fit into what is left of the invocation")

    def _pay(self, capacity: CapacityLimit | None, most_seconds: float) -> float:
        """Wait until the reads are paid for, but no longer than ``most_seconds``. Return how long it waited."""
        owed_seconds = min(capacity.owed_seconds if capacity else 0, max(most_seconds, 0))
        if owed_seconds:
            self._sleep(owed_seconds)
        return owed_seconds

    def _capacity(self, request: Request, event: Event) -> CapacityLimit | None:
        if not (rate := request.read_units_per_second):
            return None
        return CapacityLimit(
            rate / self._operations.max_concurrency, self._clock, owed_seconds=float(event.get("owedSeconds") or 0)
        )

    def _open(self, request: Request, deadline: Deadline, capacity: CapacityLimit | None = None) -> Sync:
        self._check(deadline)
        return open_sync(
            self._settings.select(request.indices),
            capacity=capacity,
            page_items=request.page_items or PAGE_ITEMS,
            deadline=lambda: deadline,
            check=partial(self._check, deadline),
        )

    def _log(self, findings: Iterable[Mapping[str, Any]]) -> None:
        """Write a log line for each: ids and names of fields, no other content of an item."""
        for finding in findings:
            logged = {name: value for name, value in finding.items() if name not in {"keys", "routing"}}
            self._logger.warning("finding", extra={"finding": logged})

    def _emit(self, kind: str, counts: Mapping[str, int], steps: int) -> None:
        """Write one line in the embedded metric format, of all indices together: see ``telemetry.emit``."""
        metrics = EphemeralMetrics(namespace=telemetry.NAMESPACE)
        metrics.add_dimension(telemetry.DIMENSION, self._settings.sync_name)
        metrics.add_dimension("Job", kind)
        for name, count in {"steps": steps, **counts}.items():
            if "/" in name:  # of one index; a line takes 100 metrics
                continue
            metrics.add_metric(name.title().replace(" ", ""), MetricUnit.Count, count)
        metrics.flush_metrics()


class _Report:
    """Writes differences and refusals into S3: each object is a report about one index, as ``jobs.report`` has it."""

    def __init__(self, bucket: str | None, sync: Sync, event: Event, request_id: str) -> None:
        self._bucket, self._sync = bucket, sync
        self._findings: list[Mapping[str, Any]] = []
        self._sides: Sides | None = None
        unit = "".join(char if char.isalnum() else "-" for char in str(_unit_of(event)))[-100:]
        self._stem = f"reports/{event.get('run') or request_id}/{unit}-{request_id}"
        self._objects = 0

    def add(self, findings: Sequence[Mapping[str, Any]]) -> None:
        if self._bucket and findings:
            # Resolved with the first finding: later an alias may lead to another index.
            self._sides = self._sides or Sides.resolve(self._sync)
            self._findings += findings
            if len(self._findings) >= _REPORTED:
                self.close()

    def close(self) -> None:
        """Write what isn't written yet."""
        if not self._findings or self._sides is None:
            return
        names, found = self._sides.names(), dict[str, list[Mapping[str, Any]]]()
        for finding in self._findings:  # one without an index is about a failure that is kept
            found.setdefault(names.get(finding.get("index", ""), next(iter(self._sides)).name), []).append(finding)
        for side in self._sides:
            if side.name in found:
                self._write(side, found[side.name])
        self._findings.clear()

    def _write(self, side: Side, findings: Iterable[Mapping[str, Any]]) -> None:
        self._objects += 1
        key, now, text = f"{self._stem}-{self._objects}.jsonl", datetime.now(UTC).isoformat(), io.StringIO()
        compared = Compared(self._sync.table_arn, self._sync.table_id, side.name, side.layout.uuid)
        writer = ReportWriter(text, compared=compared, started_at=now)
        for finding in findings:
            writer.add(finding)
        s3, body = boto3.client("s3"), text.getvalue().encode()
        ask(
            lambda: s3.put_object(Bucket=self._bucket, Key=key, Body=body),
            self._sync.deadline(),
            "PutObject",
            f"the report s3://{self._bucket}/{key}",
        )


def _answer(event: Event, capacity: CapacityLimit | None, *, is_finished: bool) -> dict[str, Any]:
    """Return the event for the unit's next invocation. A finished unit is done once its reads are paid for."""
    owed_seconds = round(capacity.owed_seconds, 3) if capacity else 0
    if is_finished and not owed_seconds:
        notes = {"finished", "mark", "owedSeconds", "stalled"}
        return {**{name: value for name, value in event.items() if name not in notes}, "done": True}
    return {**event, "done": False, "finished": is_finished, "owedSeconds": owed_seconds}


def _unit_of(event: Event) -> Unit:
    try:
        return read_unit(event["unit"])
    except ValueError as error:
        raise ConfigurationError(f"the event's unit: {error}; start the execution again") from None


def _owes(capacity: CapacityLimit | None) -> bool:
    return capacity is not None and capacity.owed_seconds > 0


def _mark(position: Any) -> str:
    """Return a short digest of a position."""
    return hashlib.sha256(json.dumps(position).encode()).hexdigest()[:16]


def _location(sync: Sync, export: str) -> str:
    return location_of(sync.dynamodb, export) if export.startswith("arn:") else export


_operator = Operator(
    read_settings(with_indices(os.environ)), Operations.read(os.environ), partial(check_same_code, os.environ)
)
handler = _operator.handle
