"""The operator function's handler: one unit of a job for as long as an invocation lasts, then where to go on.

Who asks is the state machine of modules/operations: it plans a job, does many units at the same time, each invocation
after invocation until it is done, and adds the counts up. Any step may be repeated without harm, so any invocation may.
"""

import io
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import boto3
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from botocore.exceptions import BotoCoreError, ClientError

from dynamodb_opensearch import telemetry
from dynamodb_opensearch.deadline import Deadline
from dynamodb_opensearch.errors import ConfigurationError, OutOfTimeError
from dynamodb_opensearch.jobs.capacity import CapacityLimit
from dynamodb_opensearch.jobs.export import Load, location_of
from dynamodb_opensearch.jobs.pair import Pair, aws_error, catalogue_of, open_pair
from dynamodb_opensearch.jobs.report import Compared, ReportWriter
from dynamodb_opensearch.jobs.request import Request, read_request
from dynamodb_opensearch.jobs.setup import CreateIndex
from dynamodb_opensearch.jobs.work import steps_of
from dynamodb_opensearch.settings import Settings, read_settings

UNITS = 2_000
"""Most units of one execution: what they come to must fit into the 256 KiB that Step Functions hands on."""
PLAN_BYTES = 240_000
POSITION_BYTES = 200_000
"""Of one unit, for the same reason: what it was about to do when its time was over is handed on up to here."""
PAGE_ITEMS = 1_000
"""So that the keys of a page fit into a position, as a rule."""
_REPORTED = 5_000  # findings of one object in the report bucket

Event = Mapping[str, Any]


class Context(Protocol):
    """The part of Lambda's context object that is used."""

    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int:
        """See https://docs.aws.amazon.com/lambda/latest/dg/python-context.html."""


@dataclass(frozen=True, slots=True)
class Operations:
    """What the environment says beside the sync's own settings."""

    report_bucket: str | None
    """Where findings are put, besides the log."""
    max_concurrency: int
    """How many units the state machine does at the same time, which share a job's read units."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Operations":
        """From REPORT_BUCKET and MAX_CONCURRENCY."""
        return cls(environment.get("REPORT_BUCKET") or None, int(environment.get("MAX_CONCURRENCY") or 1))


class Operator:
    """What one function keeps between invocations. Made without I/O."""

    def __init__(self, settings: Settings, operations: Operations, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings, self._operations, self._clock = settings, operations, clock
        self._logger = telemetry.make_logger(settings.sync_name, settings.log_level)

    def handle(self, event: Event, context: Context) -> dict[str, Any]:
        """Plan a job, do a part of one of its units, or add up what the units came to.

        Args:
            event: ``{"action": "plan", "job": {…}}``, ``{"job": {…}, "unit": …, "position": …, "counts": {…}}``, or
                ``{"action": "sum", "job": {…}, "counts": [{…}, …]}``.

        Returns:
            ``{"job", "units"}``; the event as the unit's next invocation takes it, and ``done``; ``{"job", "counts"}``.

        Raises:
            ConfigurationError: nothing can work until somebody changes something; the execution fails with its text.
        """
        self._logger.append_keys(request_id=context.aws_request_id, unit=event.get("unit"), run=event.get("run"))
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
                return self._work(event, request, context)
            case other:
                raise ConfigurationError(f"the event's action is {other!r}: give plan or sum, or a unit and no action")

    def _plan(self, event: Event, request: Request, context: Context) -> dict[str, Any]:
        pair = self._open(request, Deadline(context.get_remaining_time_in_millis))
        job = request.job
        if isinstance(job, Load):
            job = replace(job, exports=tuple(_location(pair, export) for export in job.exports))
        elif not isinstance(job, CreateIndex):
            catalogue_of(pair).resolve(pair.deadline())  # what is wrong with OpenSearch is told before hundreds begin
        units = list(job.plan(pair))
        size = len(json.dumps(units))
        if len(units) > UNITS or size > PLAN_BYTES:
            raise ConfigurationError(
                f"the job has {len(units)} units of {size} bytes, and Step Functions takes {UNITS} of {PLAN_BYTES}: "
                "give fewer segments or exports, or run it with the command line, which has no such limit"
            )
        self._logger.info("planned", extra={"job": event["job"], "units": len(units)})
        return {"job": event["job"], "units": units}

    def _work(self, event: Event, request: Request, context: Context) -> dict[str, Any]:
        """Do steps until the unit is done or the next one might not fit into the time that is left."""
        deadline = Deadline(context.get_remaining_time_in_millis)
        pair = self._open(request, deadline)
        report = _Report(self._operations.report_bucket, pair, event, context.aws_request_id)
        position, done, counts = event.get("position"), True, Counter[str]()
        steps, longest, began = 0, 0.0, self._clock()
        try:
            for step in steps_of(request.job, pair, str(event["unit"]), position):
                if step.is_intent:
                    position = step.position if len(json.dumps(step.position)) <= POSITION_BYTES else position
                    continue
                self._tell(step.findings)
                report.add(step.findings)
                position = step.position
                counts.update(step.counts)
                steps += 1
                longest, began = max(longest, self._clock() - began), self._clock()
                if position is not None and deadline.remaining_seconds() < 2 * longest:
                    done = False
                    break
        except OutOfTimeError as error:
            done = False
            self._logger.warning("not done in time: it goes on from the last step", extra={"reason": str(error)})
        report.close()
        self._emit(event["job"]["type"], counts, steps)
        return {
            **event,
            "position": position,
            "done": done,
            "counts": {name: count for name, count in (Counter(event.get("counts") or {}) + counts).items() if count},
        }

    def _open(self, request: Request, deadline: Deadline) -> Pair:
        rate = request.read_units_per_second
        limit = CapacityLimit(rate / self._operations.max_concurrency).spend if rate else None
        return open_pair(
            self._settings, on_capacity=limit, page_items=request.page_items or PAGE_ITEMS, deadline=lambda: deadline
        )

    def _tell(self, findings: Iterable[Mapping[str, Any]]) -> None:
        """A log line each: ids and names of fields, no other content of an item."""
        for finding in findings:
            told = {name: value for name, value in finding.items() if name not in {"keys", "routing"}}
            self._logger.warning("finding", extra={"finding": told})

    def _emit(self, kind: str, counts: Mapping[str, int], steps: int) -> None:
        """One embedded-metric-format line: see ``telemetry.emit``."""
        metrics = EphemeralMetrics(namespace=telemetry.NAMESPACE)
        metrics.add_dimension(telemetry.DIMENSION, self._settings.sync_name)
        metrics.add_dimension("Job", kind)
        for name, count in {"steps": steps, **counts}.items():
            metrics.add_metric(name.title().replace(" ", ""), MetricUnit.Count, count)
        metrics.flush_metrics()


class _Report:
    """Findings as objects in S3, each a report as ``jobs.report`` has it."""

    def __init__(self, bucket: str | None, pair: Pair, event: Event, request_id: str) -> None:
        self._bucket, self._pair = bucket, pair
        self._findings: list[Mapping[str, Any]] = []
        unit = "".join(one if one.isalnum() else "-" for one in str(event["unit"]))[-100:]
        self._stem = f"reports/{event.get('run') or request_id}/{unit}-{request_id}"
        self._objects = 0

    def add(self, findings: Sequence[Mapping[str, Any]]) -> None:
        if self._bucket:
            self._findings += findings
            if len(self._findings) >= _REPORTED:
                self.close()

    def close(self) -> None:
        """Put what isn't put yet."""
        if not self._findings:
            return
        self._objects += 1
        key, now, text = f"{self._stem}-{self._objects}.jsonl", datetime.now(UTC).isoformat(), io.StringIO()
        pair = self._pair
        uuid = catalogue_of(pair).resolve(pair.deadline()).uuid
        compared = Compared(pair.table_arn, pair.table_id, pair.settings.index, uuid)
        writer = ReportWriter(text, compared=compared, started_at=now)
        for finding in self._findings:
            writer.add(finding)
        try:
            boto3.client("s3").put_object(Bucket=self._bucket, Key=key, Body=text.getvalue().encode())
        except (BotoCoreError, ClientError) as error:
            raise aws_error(error, "PutObject", f"the report s3://{self._bucket}/{key}") from None
        self._findings.clear()


def _location(pair: Pair, export: str) -> str:
    return location_of(pair.dynamodb, export) if export.startswith("arn:") else export


_operator = Operator(read_settings(os.environ), Operations.read(os.environ))
handler = _operator.handle
