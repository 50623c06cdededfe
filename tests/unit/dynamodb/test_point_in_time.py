"""Which changes can be exported, and how an export of them is asked for."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.dynamodb.export import location_of
from dynamodb_opensearch.dynamodb.point_in_time import exportable_until, start_export, windows
from fakes.sync import TABLE_ARN
from hypothesis import given
from hypothesis import strategies as st


class Backups:
    """DynamoDB's calls about exports; times are epoch seconds, as on the wire."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._status = "ENABLED" if enabled else "DISABLED"
        self.started: list[dict[str, Any]] = []

    def describe_continuous_backups(self, **_: Any) -> dict[str, Any]:
        description = {
            "PointInTimeRecoveryStatus": self._status,
            "EarliestRestorableDateTime": 1_700_000_000.0,
            "LatestRestorableDateTime": 1_700_200_000.0,
        }
        return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": description}}

    def export_table_to_point_in_time(self, **request: Any) -> dict[str, Any]:
        self.started.append(request)
        return {"ExportDescription": {"ExportArn": f"export-{len(self.started)}"}}

    def describe_export(self, *, ExportArn: str) -> dict[str, Any]:  # noqa: N803 (AWS's name)
        if ExportArn == "gone":
            raise ClientError({"Error": {"Code": "ExportNotFoundException", "Message": "no"}}, "DescribeExport")
        description = {"ExportStatus": ExportArn, "S3Bucket": "b", "ExportManifest": "p/AWSDynamoDB/1/manifest.json"}
        return {"ExportDescription": description}


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def test_an_export_is_of_its_window_and_asked_for_under_its_token() -> None:
    backups = Backups()
    window = (moment(1_700_100_000), moment(1_700_200_000))
    assert (
        start_export(
            backups, TABLE_ARN, window, bucket="exports", prefix="recovery", token="token", deadline=Deadline.after(5)
        )
        == "export-1"
    )
    [request] = backups.started
    specification = request.pop("IncrementalExportSpecification")
    assert (specification["ExportFromTime"], specification["ExportToTime"]) == window
    assert request == {
        "TableArn": TABLE_ARN,
        "ClientToken": "token",
        "S3Bucket": "exports",
        "S3Prefix": "recovery",
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "INCREMENTAL_EXPORT",
    }


def test_without_recovery_or_beyond_its_reach_the_way_out_is_named() -> None:
    with pytest.raises(ConfigurationError, match="no point-in-time recovery: recover without a bucket"):
        exportable_until(Backups(enabled=False), "products", moment(1_700_100_000))
    with pytest.raises(
        ConfigurationError, match="can be exported since 2023-11-14T22:13:20Z only, not since 2023-11-14"
    ):
        exportable_until(Backups(), "products", moment(1_699_999_999))
    assert exportable_until(Backups(), "products", moment(1_700_000_000)) == moment(1_700_200_000)


def test_an_exports_folder_is_found_by_its_arn() -> None:
    assert location_of(Backups(), "COMPLETED") == "s3://b/p/AWSDynamoDB/1"
    with pytest.raises(ConfigurationError, match="is IN_PROGRESS: wait until it is complete"):
        location_of(Backups(), "IN_PROGRESS")
    with pytest.raises(ConfigurationError, match="DescribeExport answered ExportNotFoundException"):
        location_of(Backups(), "gone")


@given(st.integers(0, 40 * 86_400))
def test_windows_cover_the_time_without_a_gap_in_lengths_that_aws_takes(seconds: int) -> None:
    until = moment(1_700_000_000)
    since = until - timedelta(seconds=seconds)
    found = windows(since, until)
    assert found[0][0] <= since
    assert found[-1][1] == until
    assert all(earlier[1] == later[0] for earlier, later in pairwise(found))
    assert all(timedelta(minutes=15) <= end - start <= timedelta(hours=24) for start, end in found)
