"""Jobs as JSON asks for them."""

from typing import Any

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.backfill import Backfill
from dynamodb_opensearch.jobs.create_index import CreateIndex
from dynamodb_opensearch.jobs.load import Load
from dynamodb_opensearch.jobs.redrive import Redrive
from dynamodb_opensearch.jobs.repair import Repair
from dynamodb_opensearch.jobs.request import Request, read_request
from dynamodb_opensearch.jobs.verify import Verify
from dynamodb_opensearch.opensearch.definition import Definition

LETTERS = "arn:aws:sqs:eu-west-1:123456789012:letters"


@pytest.mark.parametrize(
    ("value", "job"),
    [
        ({"type": "backfill"}, Backfill(100)),
        ({"type": "backfill", "segments": 7, "recheck": False}, Backfill(7, recheck=False)),
        ({"type": "verify"}, Verify(100)),
        (
            {"type": "verify", "segments": 5, "percent": 0.5, "seed": 3, "patienceSeconds": 1},
            Verify(5, percent=0.5, seed=3, patience_seconds=1),
        ),
        ({"type": "repair", "segments": 5}, Repair(Verify(5))),
        ({"type": "load", "exports": ["s3://b/p/AWSDynamoDB/01"]}, Load(("s3://b/p/AWSDynamoDB/01",))),
        ({"type": "redrive"}, Redrive(LETTERS)),
        (
            {"type": "redrive", "source": "arn:aws:s3:::b", "dropExpired": True},
            Redrive("arn:aws:s3:::b", drop_expired=True),
        ),
        ({"type": "redrive", "dropKeyless": True}, Redrive(LETTERS, drop_keyless=True)),
        ({"type": "create-index"}, CreateIndex()),
        (
            {"type": "create-index", "definition": {"settings": {"codec": "x"}}, "name": "p-1", "dynamic": True},
            CreateIndex(Definition({}, {"index.codec": "x"}, {}), "p-1", dynamic=True),
        ),
    ],
)
def test_a_job_is_what_its_json_says(value: dict[str, Any], job: Any) -> None:
    assert read_request(value, LETTERS) == Request(job, None, None)


def test_rate_and_page_size_go_with_any_job() -> None:
    value = {"type": "backfill", "readUnitsPerSecond": 12.5, "pageItems": 10}
    assert read_request(value, None) == Request(Backfill(100), 12.5, 10)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, 'the job is None: it must be an object such as {"type": "backfill"}'),
        ({}, "the job has no type: it must be one of backfill, verify, repair, load, redrive, create-index"),
        ({"type": "fill"}, "the job's type is 'fill': it must be one of backfill, "),
        ({"type": ["backfill"]}, "the job's type is ['backfill']: it must be one of"),
        ({"type": "backfill", "segments": 0}, "segments is 0: it must be a whole number from 1 to 1000000"),
        ({"type": "backfill", "segments": True}, "segments is True"),
        ({"type": "backfill", "segments": None}, "segments is None"),
        (
            {"type": "backfill", "segment": 5},
            "the job has segment: backfill takes indices, pageItems, readUnitsPerSecond, recheck, segments",
        ),
        ({"type": "repair", "percent": 5}, "the job has percent: repair takes"),
        ({"type": "verify", "percent": 101}, "percent is 101: it must be a number from 0.001 to 100"),
        ({"type": "load"}, "the job has no exports: it must be a list of exports' ARNs or S3 URLs"),
        ({"type": "load", "exports": []}, "exports is []"),
        ({"type": "load", "exports": "s3://b"}, "exports is 's3://b'"),
        ({"type": "redrive"}, "the job has no source: it must be the ARN of an SQS queue or S3 bucket"),
        ({"type": "redrive", "source": "x", "dropExpired": "yes"}, "dropExpired is 'yes': it must be true or false"),
        ({"type": "create-index", "definition": {"mapping": {}}}, "the job's definition has mapping: give"),
        ({"type": "backfill", "readUnitsPerSecond": 0}, "readUnitsPerSecond is 0"),
    ],
)
def test_a_wrong_job_is_refused_with_what_is_allowed(value: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_request(value, None)
    assert message in str(caught.value)


def test_a_job_may_name_the_indices_that_it_is_about() -> None:
    request = read_request({"type": "backfill", "indices": ["orders"]}, None)

    assert request.indices == ("orders",)
    with pytest.raises(ConfigurationError, match="the job's indices is 'orders': it must be a list of names"):
        read_request({"type": "backfill", "indices": "orders"}, None)
