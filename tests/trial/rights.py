"""Asks AWS what the sync's role may do: IAM's simulator, and a function that has the role and tries.

The tries are harmless, also where nothing refuses them: they read, or name what doesn't exist.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from trial.errors import NotRunError, is_denied
from trial.stage import Stage, must

_ABSENT = "trial-probe"
_NOT_AUTHORIZED = re.compile(r"not authorized|no permissions for|security_exception")
"""In IAM's refusals and in those of OpenSearch's own access control; not in that of a wrong signature."""
_NO_EXPLICIT_INDEX = "explicit index in bulk is not allowed"


def simulated(stage: Stage) -> str:
    """IAM's simulator allows what the sync does, and nothing else that was asked."""
    role, table, queue = _role(stage), _table_arn(stage), _queue_arn(stage)
    allowed = [("dynamodb:BatchGetItem", table), ("sqs:SendMessage", queue)]
    denied = [
        *((f"dynamodb:{action}", table) for action in ("PutItem", "DeleteItem", "Scan", "DeleteTable")),
        *((f"sqs:{action}", queue) for action in ("ReceiveMessage", "DeleteQueue")),
        ("iam:PassRole", role),
    ]
    if stage.signed:
        domain = _domain_arn(stage)
        allowed.append(("es:ESHttpPost", f"{domain}/{stage.example.index}/_bulk"))
        denied += [
            ("es:ESHttpDelete", f"{domain}/{stage.example.index}"),
            ("es:ESHttpPut", f"{domain}/{stage.example.index}"),
            ("es:ESHttpGet", f"{domain}/{stage.example.index}/_search"),
            ("es:ESHttpPost", f"{domain}/{stage.example.index}-{_ABSENT}/_bulk"),
        ]
    iam = stage.account.client("iam")
    for expected, pairs in (("allowed", allowed), ("implicitDeny", denied)):
        for action, resource in pairs:
            answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource])
            decision = answer["EvaluationResults"][0]["EvalDecision"]
            must(decision == expected, f"{action} is {decision}, not {expected}")
    return f"{len(allowed)} actions allowed, {len(denied)} not; " + (
        "it doesn't see the domain's own policy" if stage.signed else "none of OpenSearch: its endpoint was given"
    )


def opensearch(stage: Stage) -> str:
    """OpenSearch lets the sync's role write in bulk, and refuses the other requests for lack of a right."""
    index = stage.example.index
    forbidden: Sequence[tuple[str, str, str | None]] = (
        ("GET", f"/{index}/_search", None),
        ("GET", f"/{index}/_mapping", None),
        ("DELETE", f"/{index}/_doc/{_ABSENT}", None),
        ("DELETE", f"/{index}-{_ABSENT}", None),
        ("GET", "/_cluster/settings", None),
        ("POST", "/_bulk", _deletion(index)),
    )
    own, *others = _asked(stage, [("POST", f"/{index}/_bulk", _deletion(None)), *forbidden])
    item = _item(own)
    must(
        own[0] == 200 and item.get("status") in (200, 404) and "error" not in item,
        f"the bulk write, which must be allowed, is answered with {own[0]}, its item with {item.get('status')}",
    )
    for (method, path, _), (status, text) in zip(forbidden, others, strict=True):
        must(status == 403, f"{method} {path} is answered with {status}, not 403")
        must(_NOT_AUTHORIZED.search(text), f"{method} {path} is answered with 403, but not for lack of a right")
    return f"bulk: its item is accepted; {len(forbidden)} other requests: 403, not authorized"


def other_index(stage: Stage) -> str:
    """Say whether a bulk request to the sync's index may write to another one that its item names.

    IAM's policy is about the path alone; the rest is a setting of the domain's, for its owner to choose: OpenSearch
    Dashboards may need it.
    """
    index = stage.example.index
    [(status, text)] = _asked(stage, [("POST", f"/{index}/_bulk", _deletion(f"{index}-{_ABSENT}"))])
    item = _item((status, text))
    if _NO_EXPLICIT_INDEX in text or (403 in (status, item.get("status")) and _NOT_AUTHORIZED.search(text)):
        return f"it may not: refused with {status}"
    must(item.get("status") in (200, 404), f"it is answered with {status}, its item with {item.get('status')}")
    return "it may: this domain doesn't set rest.action.multi.allow_explicit_index to false (see SECURITY.md)"


def aws(stage: Stage) -> str:
    """AWS lets the sync's role read items, and refuses it to write, to scan, and to take failures."""
    table, queue = stage.table_name, stage.trial["dead_letter_url"]
    key = {stage.example.key: {"S": _ABSENT}}
    allowed = ("dynamodb", "batch_get_item", {"RequestItems": {table: {"Keys": [key]}}})
    forbidden: Sequence[tuple[str, str, Mapping[str, Any]]] = (
        ("dynamodb", "scan", {"TableName": table, "Limit": 1}),
        ("dynamodb", "delete_item", {"TableName": table, "Key": key}),
        ("sqs", "get_queue_attributes", {"QueueUrl": queue}),
        ("iam", "get_account_summary", {}),
        ("s3", "list_buckets", {}),
    )
    codes = _try(stage, calls=[allowed, *forbidden])["calls"]
    must(codes[0] == "allowed", f"reading an item, which must be allowed, is answered with {codes[0]}")
    for (service, operation, _), code in zip(forbidden, codes[1:], strict=True):
        must(is_denied(code), f"{service} {operation} is answered with {code}, not AccessDenied")
    return f"an item's read: allowed; {len(forbidden)} other calls: denied"


def _deletion(index: str | None) -> str:
    """Return the body of a bulk request that deletes a document which doesn't exist."""
    place = {"_id": _ABSENT} if index is None else {"_index": index, "_id": _ABSENT}
    return json.dumps({"delete": place}) + "\n"


def _asked(stage: Stage, requests: Sequence[tuple[str, str, str | None]]) -> list[tuple[int, str]]:
    """Return status and body of what OpenSearch answers to the sync's role."""
    if not stage.signed:
        raise NotRunError("IAM doesn't guard an OpenSearch whose endpoint was given")
    return [(int(status), str(text)) for status, text in _try(stage, requests=requests)["requests"]]


def _item(answer: tuple[int, str]) -> Mapping[str, Any]:
    """Return what a bulk request's one item is answered; nothing if the request was refused as a whole."""
    try:
        item: Mapping[str, Any] = json.loads(answer[1])["items"][0]["delete"]
    except (ValueError, KeyError, IndexError, TypeError):
        return {}
    return item


def _try(stage: Stage, *, requests: Sequence[Any] = (), calls: Sequence[Any] = ()) -> Mapping[str, Sequence[Any]]:
    """Return what OpenSearch and AWS answer to the function with the sync's role."""
    event = {
        "endpoint": stage.trial["opensearch_endpoint"],
        "signed": stage.signed,
        "requests": requests,
        "calls": calls,
    }
    answer = stage.account.client("lambda").invoke(
        FunctionName=stage.trial["probe_name"], Payload=json.dumps(event).encode()
    )
    payload = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise NotRunError(f"the function that tries failed: {payload.get('errorType')}")
    result: Mapping[str, Sequence[Any]] = payload
    return result


def _role(stage: Stage) -> str:
    function = stage.account.client("lambda").get_function_configuration(FunctionName=stage.trial["function_name"])
    return str(function["Role"])


def _table_arn(stage: Stage) -> str:
    # arn:PARTITION:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL
    return str(stage.trial["stream_arn"]).partition("/stream/")[0]


def _queue_arn(stage: Stage) -> str:
    url = stage.trial["dead_letter_url"]
    answer = stage.account.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    return str(answer["Attributes"]["QueueArn"])


def _domain_arn(stage: Stage) -> str:
    return str(stage.trial["domain_arn"])
