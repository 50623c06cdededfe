import json
import re
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.core.answers import DONE, Answer, Kind, Outcome, Split, judge
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.reasons import Reason, describe

# Bodies of a real OpenSearch 2.19.3, by what made them; tests/opensearch produces them again.
ANSWERS: dict[str, Any] = json.loads((Path(__file__).parent / "opensearch_answers.json").read_text())


def answer(name: str) -> Answer:
    return Answer(ANSWERS[name]["http"], ANSWERS[name]["body"])


def only(name: str) -> Outcome:
    outcomes = judge(answer(name), 1)
    assert not isinstance(outcomes, Split)
    [outcome] = outcomes
    return outcome


REFUSED = {
    "bulk-400-date": "failed to parse field [d] of type [date]",
    "bulk-400-depth-limit": "The depth of the field has exceeded the allowed limit of [20]",
    "bulk-400-dotted-conflict": (
        "Could not dynamically add mapping for field [c.d]. Existing mapping for [c] must be of type object"
    ),
    "bulk-400-double-dot": "object field starting or ending with a [.] makes object resolution ambiguous: [in..side]",
    "bulk-400-duplicate-key": "",
    "bulk-400-empty-name": "field name cannot be an empty string",
    "bulk-400-id-empty": "",
    "bulk-400-immense-term": 'Document contains at least one immense term in field="k"',
    "bulk-400-long-out-of-range": "failed to parse field [n] of type [long]",
    "bulk-400-mapper-parsing": "failed to parse field [n] of type [long]",
    "bulk-400-metadata-field": "failed to parse field [_id] of type [_id]",
    "bulk-400-nested-objects": "The number of nested documents has exceeded the allowed limit of [10000]",
    "bulk-400-object-conflict": "object mapping for [e] tried to parse field [e] as object, but found a concrete value",
    "bulk-400-object-into-long": "failed to parse field [n] of type [long]",
    "bulk-400-only-dots": "field name cannot contain only the character [.]",
    "bulk-400-strict": "mapping set to strict, dynamic introduction of [zzz] within [_doc] is not allowed",
    "bulk-400-total-fields": "Limit of total fields [1000] has been exceeded",
    "bulk-400-value-into-object": (
        "object mapping for [o] tried to parse field [o] as object, but found a concrete value"
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_document_that_can_never_be_written_is_refused_with_a_harmless_reason(name: str) -> None:
    outcome = only(name)

    assert outcome.kind is Kind.REFUSED
    assert outcome.reason is not None
    assert outcome.reason.message == REFUSED[name]


LATER = [
    "bulk-403-blocks-write",
    "bulk-403-cluster-read-only",
    "bulk-403-read-only",
    "bulk-429-circuit-breaker",
    "bulk-429-indexing-pressure",
    "bulk-429-read-only-allow-delete",
    "bulk-read-only-allow-delete-delete",
    "bulk-503-unassigned-shard",
    "bulk-503-wait-for-active-shards",
]


@pytest.mark.parametrize("name", LATER)
def test_what_heals_by_itself_is_for_later(name: str) -> None:
    assert only(name).kind is Kind.LATER


CONFIGURATION = {
    "bulk-400-closed-index": "open the index",
    "bulk-400-invalid-index-name": "INDEX must be a valid index name",
    "bulk-400-alias-no-write-index": "give the alias a write index",
    "bulk-400-alias-write-index-false": "give the alias a write index",
    "bulk-404-index-not-found": "create the index",
    "bulk-404-require-alias": "create the index",
    "bulk-406-content-type": "OPENSEARCH_ENDPOINT",
    "security-401-wrong-password": "OPENSEARCH_SECRET_ARN",
    "security-401-no-credentials": "OPENSEARCH_AUTH",
    "security-403-root": "map the function's role",
    "security-403-bulk-create-index": "indices:admin/create",
}


@pytest.mark.parametrize("name", CONFIGURATION)
def test_what_must_be_changed_first_fails_the_batch_with_advice(name: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        judge(answer(name), 1)
    assert CONFIGURATION[name] in str(error.value)


@pytest.mark.parametrize("name", ["security-403-bulk-index", "security-403-bulk-mapping", "security-403-bulk-mixed"])
def test_one_missing_right_fails_the_batch(name: str) -> None:
    with pytest.raises(ConfigurationError, match="no permissions for"):
        judge(answer(name), 2)


def test_a_conflict_names_the_stored_version() -> None:
    for name in ANSWERS:
        if name.startswith("bulk-409"):
            assert only(name) == Outcome(Kind.CONFLICT, stored=5)


def test_deleting_what_is_not_there_is_done() -> None:
    assert only("bulk-delete-404-missing") == DONE


def test_outcomes_have_the_order_of_the_actions() -> None:
    kinds = [outcome.kind for outcome in judge(answer("bulk-filtered-mixed"), 3)]  # type: ignore[union-attr]

    assert kinds == [Kind.DONE, Kind.REFUSED, Kind.DONE]


def test_items_of_one_shard_may_be_busy_while_others_are_written() -> None:
    kinds = {outcome.kind for outcome in judge(answer("bulk-429-items-write-queue"), 3)}  # type: ignore[union-attr]

    assert kinds == {Kind.DONE, Kind.LATER}


@pytest.mark.parametrize("name", ["bulk-400-id-too-long", "bulk-400-version-overflow"])
def test_a_request_that_is_refused_as_a_whole_is_split_down_to_the_culprit(name: str) -> None:
    assert isinstance(judge(answer(name), 2), Split)
    assert (only(name).kind, only(name).whole) == (Kind.REFUSED, True)


def item(action: str, kind: str, reason: str) -> Answer:
    result = {action: {"status": 400, "error": {"type": kind, "reason": reason}}}
    return Answer(200, {"errors": True, "items": [result]})


# What a real OpenSearch 2.19.3 answers to an action of an index that takes none, but for the last, which is Lucene's.
OF_THE_INDEX = {
    "only write ops with an op_type of create are allowed in data streams": "illegal_argument_exception: INDEX is a",
    "pipeline with id [embed] does not exist": "illegal_argument_exception: create the ingest pipeline",
    "routing is required for [products]/[a]": "routing_missing_exception: the index mapping requires a routing",
    "Validation Failed: 1: Operation [INDEX] is not allowed with a custom document id a as setting `inde": (
        "validation_exception: the index takes no updates"
    ),
    "Validation Failed: 1: this action would add [2] total shards, but this cluster currently has [0]/[1] maximum ": (
        "validation_exception: the index can't be created"
    ),
    "Number of documents in the index can't exceed [2147483519]": "illegal_argument_exception: a shard is full",
}


@pytest.mark.parametrize("reason", OF_THE_INDEX)
@pytest.mark.parametrize("action", ["index", "delete"])
def test_an_index_that_takes_nothing_fails_the_batch_with_its_reason_and_what_to_change(
    reason: str, action: str
) -> None:
    kind, _, change = OF_THE_INDEX[reason].partition(": ")
    with pytest.raises(ConfigurationError) as caught:
        judge(item(action, kind, reason), 1)
    refusal, _, shown_change = str(caught.value).partition("): ")
    assert refusal.startswith(f"OpenSearch refused a {'delete' if action == 'delete' else 'write'} ({kind}: ")
    assert refusal.rpartition(": ")[2][:20] in reason
    assert shown_change.startswith(change)
    assert "/[a]" not in refusal
    assert "id a" not in refusal


def test_a_delete_that_is_refused_is_no_documents_fault() -> None:
    with pytest.raises(ConfigurationError, match="refused a delete"):
        judge(item("delete", "illegal_argument_exception", "something that no list has"), 1)


@pytest.mark.parametrize(
    "reason",
    [
        "Inconsistency of field data structures across documents for field [__soft_deletes] of doc [4]. doc: s3cr3t",
        'cannot change field "_tombstone" from index options=NONE to inconsistent index options=DOCS',
        'cannot change DocValues type from NUMERIC to SORTED_NUMERIC for field "__soft_deletes"',
    ],
)
def test_a_shard_that_a_document_broke_sets_its_deletes_aside_and_names_the_field(reason: str) -> None:
    [outcome] = judge(item("delete", "illegal_argument_exception", reason), 1)  # type: ignore[misc]
    assert outcome.kind is Kind.REFUSED
    assert re.search("_(tombstone|soft_deletes)", str(outcome.reason))
    assert "s3cr3t" not in str(outcome.reason)


@pytest.mark.parametrize(
    "quoted",
    [
        "index_closed_exception",
        "no handler found for uri",
        "unrecognized parameter",
        "routing_missing_exception",
        "pipeline with id [x] does not exist",
        "illegal_argument_exception: Malformed action/metadata line",
    ],
)
def test_what_a_documents_value_says_fails_no_batch(quoted: str) -> None:
    reason = f"failed to parse field [n] of type [long] in document with id '1'. Preview of field's value: '{quoted}"
    [outcome] = judge(item("index", "mapper_parsing_exception", reason + "'"), 1)  # type: ignore[misc]
    assert (outcome.kind, str(outcome.reason)) == (
        Kind.REFUSED,
        "mapper_parsing_exception: failed to parse field [n] of type [long]",
    )


@pytest.mark.parametrize("name", ["bulk-400-malformed-action", "bulk-400-no-newline", "bulk-400-empty-body"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_body_that_was_changed_on_its_way_is_no_documents_fault(name: str, count: int) -> None:
    with pytest.raises(ConfigurationError, match="something between here and OpenSearch changes the bodies"):
        judge(answer(name), count)


def test_a_413_is_split_and_one_document_alone_is_refused() -> None:
    assert isinstance(judge(Answer(413, ""), 2), Split)
    [outcome] = judge(Answer(413, {"Message": "Request size exceeded 10485760 bytes"}), 1)  # type: ignore[misc]
    assert outcome.reason == Reason("request_too_large", "the document alone exceeds what OpenSearch accepts")


@pytest.mark.parametrize(
    "body",
    [{"message": "403 Request throttled due to too many requests"}, {"Message": "Throttled"}, "Too Many Requests"],
)
def test_a_throttle_disguised_as_403_is_for_later(body: Any) -> None:
    [outcome] = judge(Answer(403, body), 1)  # type: ignore[misc]

    assert outcome.kind is Kind.LATER


WHO = "User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: es:ESHttpPost"
AMAZONS = {
    f"{WHO} because no resource-based policy allows it": "allow the function's role in IAM",
    f"{WHO} with an explicit deny in a service control policy": "a policy denies it",
    "User: anonymous is not authorized to perform: es:ESHttpPost": "set OPENSEARCH_AUTH to sigv4",
    "Missing Authentication Token": "set OPENSEARCH_AUTH to sigv4",
    "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.": "OPENSEARCH_AUTH to sigv4",
    "The security token included in the request is expired": "credentials have expired",
    "The security token included in the request is invalid.": "of another account",
    "The request signature we calculated does not match the signature you provided.": "check the AWS credentials",
    "Credential should be scoped to correct service: 'aoss'.": "set OPENSEARCH_SERVICE to aoss",
    "Credential should be scoped to correct service: 'es'.": "set OPENSEARCH_SERVICE to es",
    "Credential should be scoped to correct service: 'other'.": "check OPENSEARCH_SERVICE",
    "Credential should be scoped to a valid region, not 'us-east-1'.": "the endpoint is in another Region",
    "Signature expired: 20261127T200000Z is now earlier than 20261127T203000Z (20261127T203500Z - 5 min.)": "clock",
    "Signature not yet current: 20261127T200000Z is still later than 20261127T190500Z (…)": "this machine's clock",
    "Your request: '/_dashboards/products/_bulk' is not allowed.": "remove the path from OPENSEARCH_ENDPOINT",
    "Forbidden": "IAM policy.*data access policy and its network policy",
}


@pytest.mark.parametrize("message", AMAZONS)
@pytest.mark.parametrize("name", ["message", "Message"])
@pytest.mark.parametrize("status", [401, 403])
def test_amazons_sentence_is_shown_with_advice_of_its_own(message: str, name: str, status: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        judge(Answer(status, {name: f"{message} \n\nThe Canonical String for this request should have been x"}), 5)
    answer, _, advice = str(caught.value).partition("): ")
    assert answer == f"OpenSearch answered {status} ({message}"
    assert message != "Forbidden" or status == 403 or "OPENSEARCH_AUTH" in advice
    assert re.search(AMAZONS[message], advice) or (message == "Forbidden" and status == 401)


@pytest.mark.parametrize("body", [{"Message": None}, {"message": ""}, {}, "", None, "<html>no</html>"])
def test_a_refusal_without_a_word_is_advised_by_its_status(body: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"\AOpenSearch answered 403: allow the function's role: IAM policy.*net"
    ):
        judge(Answer(403, body), 5)


def test_credentials_that_amazon_quotes_are_not_shown() -> None:
    for message in (
        "'Basic c3luYzpzM2NyM3Q=' not a valid key=value pair (missing equal-sign) in Authorization header",
        "Authorization header requires 'Credential' parameter. Authorization=Basic c3luYzpzM2NyM3Q=",
    ):
        with pytest.raises(ConfigurationError, match="OPENSEARCH_AUTH") as caught:
            judge(Answer(403, {"message": message}), 5)
        assert "c3luYzpzM2NyM3Q" not in str(caught.value)


COLLECTIONS = {
    "User does not have permissions for the requested resource.*data access policy of the collection": {
        "type": "security_exception",
        "reason": "OpenSearch exception [type=authorization_exception, "
        "reason=User does not have permissions for the requested resource]",
    },
    "Forbidden: 403 Forbidden.*aoss:APIAccessAll.*network policy": {"type": "Forbidden", "reason": "403 Forbidden"},
}


@pytest.mark.parametrize("advice", COLLECTIONS)
def test_a_collections_refusal_names_the_policy(advice: str) -> None:
    with pytest.raises(ConfigurationError, match=advice):
        judge(Answer(403, {"status": 403, "error": COLLECTIONS[advice]}), 5)


def test_a_missing_right_names_the_user_that_lacks_it() -> None:
    with pytest.raises(
        ConfigurationError, match=r"no permissions for \[cluster:monitor/main\] and User \[name=sync, back"
    ):
        judge(answer("security-403-root"), 1)


def test_a_proxys_sentence_about_a_body_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        judge(Answer(400, {"message": "bad value s3cr3t"}), 5)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_any_sign_of_overload_is_for_later(status: int) -> None:
    assert [one.kind for one in judge(Answer(status, "<html>"), 2)] == [Kind.LATER] * 2  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [301, 404, 405])
def test_another_server_fails_the_batch(status: int) -> None:
    with pytest.raises(ConfigurationError, match="OPENSEARCH_ENDPOINT"):
        judge(Answer(status, "<html>"), 2)


GOOD = {"index": {"status": 201}}


@pytest.mark.parametrize(
    "body",
    [
        None,
        "ok",
        {},
        [],
        {"errors": False},
        {"errors": False, "items": [GOOD]},
        {"errors": True, "items": []},
        {"errors": True, "items": [GOOD, GOOD, GOOD]},
        {"errors": True, "items": {"index": {"status": 201}}},
        {"errors": "no", "items": [GOOD, GOOD]},
        {"items": [GOOD, GOOD]},
        {"errors": True, "items": [GOOD, "ok"]},
        {"errors": True, "items": [GOOD, {}]},
        {"errors": True, "items": [GOOD, {"index": None}]},
        {"errors": True, "items": [GOOD, {"index": {"error": None}}]},
    ],
)
def test_a_200_that_does_not_answer_these_actions_counts_nothing_as_written(body: Any) -> None:
    with pytest.raises(ConfigurationError, match="check OPENSEARCH_ENDPOINT"):
        judge(Answer(200, body), 2)


def test_an_unknown_item_status_leaves_it_undone() -> None:
    body = {"errors": True, "items": [{"index": {"status": 418, "error": {"type": "teapot", "reason": "secret"}}}]}

    [outcome] = judge(Answer(200, body), 1)  # type: ignore[misc]

    assert outcome == Outcome(Kind.LATER, Reason("item_status_418", "teapot"))


@pytest.mark.parametrize("name", ANSWERS)
def test_no_description_holds_a_value_or_an_id(name: str) -> None:
    """The fixtures' documents hold these texts; a description of any of their errors must not."""
    body = ANSWERS[name]["body"]
    errors = [body.get("error")] if isinstance(body, dict) else []
    errors += [
        result.get("error")
        for item in (body.get("items", []) if isinstance(body, dict) else [])
        for result in item.values()
    ]

    for error in errors:
        text = str(describe(error))
        assert not any(
            value in text for value in ("abc", "'x'", "not a date", "9223372036854775808", "xxx", "120,", "id '")
        )


@pytest.mark.parametrize(
    "item",
    [
        {
            "delete": {
                "status": 404,
                "error": {"type": "index_not_found_exception", "reason": "no such index [products]"},
            }
        },
        {"index": {"status": 404}},
    ],
)
def test_any_other_404_is_not_done(item: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        judge(Answer(200, {"errors": True, "items": [item]}), 1)
