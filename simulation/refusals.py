"""Makes failures in OpenSearch's and Amazon's own words: whole answers, and failed items of bulk requests."""

import json
import random
from typing import TypeAlias

from simulation.network import Answer

ItemError: TypeAlias = tuple[int, dict[str, str]]


def busy_answer(rng: random.Random) -> Answer:
    """The cluster, or something in front of it, can't take the request now."""
    pressure = (
        "rejected execution of coordinating operation [coordinating_and_primary_bytes=0, replica_bytes=0, all_bytes=0, "
        "coordinating_operation_bytes=1200249, max_coordinating_and_primary_bytes=1048576]"
    )
    breaker = (
        "[in_flight_requests] Data too large, data for [<http_request>] would be [8068/7.8kb], which is larger than "
        "the limit of [2048/2kb]"
    )
    return rng.choice(
        (
            _error_answer(429, "rejected_execution_exception", pressure),
            _error_answer(429, "circuit_breaking_exception", breaker),
            _error_answer(
                503, "cluster_block_exception", "blocked by: [SERVICE_UNAVAILABLE/1/state not recovered / initialized];"
            ),
            _error_answer(500, "null_pointer_exception", "Cannot invoke a method because it is null"),
            Answer(429, b"429 Too Many Requests /products/_bulk", "text/plain"),
            Answer(
                502,
                b"<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>",
                "text/html",
            ),
            Answer(503, b'{"message": "Service Unavailable"}'),
            Answer(504, b'{"message": "Gateway Timeout"}'),
        )
    )


def throttled_answer(rng: random.Random) -> Answer:
    """Amazon OpenSearch Service's throttle, which is not a 429."""
    text = "Request throttled due to too many requests"
    return rng.choice(
        (
            Answer(403, f"403 {text} /products/_bulk".encode(), "text/plain"),
            Answer(403, json.dumps({"Message": text}).encode()),
        )
    )


def blocked_answer(_rng: random.Random) -> Answer:
    """All writes are blocked for a while."""
    return _error_answer(403, "cluster_block_exception", "blocked by: [FORBIDDEN/6/cluster read-only (api)];")


def too_large_answer(rng: random.Random) -> Answer:
    return rng.choice((Answer(413), Answer(413, b'{"Message":"Request size exceeded 10485760 bytes"}')))


def misconfigured_answer(rng: random.Random) -> Answer:
    """The function lacks a right or valid credentials, until the set-up is corrected."""
    realm = ("www-authenticate", 'Basic realm="OpenSearch Security"')
    denied = "User: arn:aws:sts::123456789012:assumed-role/sync/sync is not authorized to perform: es:ESHttpPost"
    return rng.choice(
        (
            Answer(401, b"Unauthorized", "text/plain", (realm,)),
            Answer(403, json.dumps({"Message": denied}).encode()),
        )
    )


def busy_item(rng: random.Random, index: str) -> ItemError:
    queue = (
        "rejected execution of org.opensearch.action.bulk.TransportShardBulkAction$2@f666fa0 on "
        "OpenSearchThreadPoolExecutor[name = node/write, queue capacity = 1, Running, pool size = 1, queued tasks = 1]"
    )
    shard = f"[{index}][0] primary shard is not active Timeout: [1m]"
    return rng.choice(
        (
            (429, {"type": "rejected_execution_exception", "reason": queue}),
            (503, {"type": "unavailable_shards_exception", "reason": shard}),
        )
    )


def blocked_item(rng: random.Random, index: str) -> ItemError:
    flood = "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block"
    status, block = rng.choice(
        ((403, "FORBIDDEN/8/index write (api)"), (403, "FORBIDDEN/5/index read-only (api)"), (429, flood))
    )
    return status, {"type": "cluster_block_exception", "reason": f"index [{index}] blocked by: [{block}];"}


def misconfigured_item(rng: random.Random, index: str) -> ItemError:
    user = "User [name=sync, backend_roles=[], requestedTenant=null]"
    rights = f"no permissions for [indices:data/write/bulk[s], indices:data/write/index] and {user}"
    return rng.choice(
        (
            (404, {"type": "index_not_found_exception", "reason": f"no such index [{index}]"}),
            (403, {"type": "security_exception", "reason": rights}),
        )
    )


def _error_answer(status: int, kind: str, reason: str) -> Answer:
    error = {"root_cause": [{"type": kind, "reason": reason}], "type": kind, "reason": reason}
    return Answer(status, json.dumps({"error": error, "status": status}).encode())
