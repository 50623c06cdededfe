"""Point-in-time recovery: which changes of the table can still be exported, and requests for such exports."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from dynamodb_opensearch.aws import ask, briefly
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError

_SHORTEST, _LONGEST = timedelta(minutes=15), timedelta(hours=24)  # of an incremental export

Window = tuple[datetime, datetime]


def windows(since: datetime, until: datetime) -> Sequence[Window]:
    """Windows for incremental exports that cover a period without a gap, and begin earlier rather than later.

    See: https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_IncrementalExportSpecification.html
    """
    start = min(since, until - _SHORTEST)
    found = []
    while until - start > _LONGEST:
        end = min(start + _LONGEST, until - _SHORTEST)
        found.append((start, end))
        start = end
    return [*found, (start, until)]


def exportable_since(dynamodb: Any, name: str) -> Window | None:
    """The period that point-in-time recovery covers; None if it is off.

    Raises:
        ConfigurationError: DynamoDB refuses to describe it.
        OutOfTimeError: DynamoDB was out of reach for some seconds.
    """
    answer = ask(
        lambda: dynamodb.describe_continuous_backups(TableName=name),
        briefly(),
        "DescribeContinuousBackups",
        f"the table {name!r}",
    )
    description = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    if description.get("PointInTimeRecoveryStatus") != "ENABLED" or "LatestRestorableDateTime" not in description:
        return None  # an emulator may say that it is on, but not since when
    return _moment(description["EarliestRestorableDateTime"]), _moment(description["LatestRestorableDateTime"])


def exportable_until(dynamodb: Any, name: str, since: datetime) -> datetime:
    """Until when exports can show everything that changed since a time: until some minutes ago.

    Raises:
        ConfigurationError: point-in-time recovery is off, or doesn't reach back that far.
    """
    table = f"the table {name!r}"
    covered = exportable_since(dynamodb, name)
    if covered is None:
        raise ConfigurationError(f"{table} has no point-in-time recovery: recover without a bucket, by comparing all")
    earliest, latest = covered
    if since < earliest:
        raise ConfigurationError(
            f"{table} can be exported since {earliest:%Y-%m-%dT%H:%M:%SZ} only, not since {since:%Y-%m-%dT%H:%M:%SZ}: "
            "recover without a bucket, by comparing all"
        )
    return latest


def start_export(
    dynamodb: Any, table_arn: str, window: Window, *, bucket: str, prefix: str, token: str, deadline: Deadline
) -> str:
    """Request an export of what changed in a window; returns its ARN. It takes some minutes, and costs money.

    Args:
        token: the same for the same export: if it is requested again within 8 hours, it is paid once only.

    Raises:
        ConfigurationError: the export is refused.
        OutOfTimeError: DynamoDB was out of reach.
    """
    start, end = window
    specification = {
        "ExportFromTime": start,
        "ExportToTime": end,
        "ExportViewType": "NEW_IMAGE",
    }
    answer = ask(
        lambda: dynamodb.export_table_to_point_in_time(
            TableArn=table_arn,
            ClientToken=token,
            S3Bucket=bucket,
            S3Prefix=prefix,
            ExportFormat="DYNAMODB_JSON",
            ExportType="INCREMENTAL_EXPORT",
            IncrementalExportSpecification=specification,
        ),
        deadline,
        "ExportTableToPointInTime",
        f"an export to s3://{bucket}/{prefix}",
    )
    return str(answer["ExportDescription"]["ExportArn"])


def _moment(value: Any) -> datetime:
    """A time of the wire's form, epoch seconds."""
    return datetime.fromtimestamp(float(value), UTC)
