"""What OpenSearch's answer to a bulk request means for each of its actions. Pure: takes an answer, returns outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from dynamodb_opensearch.core.advice import advice, breaks_its_shard, configuration_advice
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.reasons import UNKNOWN, Reason, describe, describe_answer, error_of, whole_text
from dynamodb_opensearch.core.versions import stored_version


class Kind(Enum):
    """What became of one action."""

    DONE = "done"
    CONFLICT = "conflict"
    """The index holds a version at least as high."""
    REFUSED = "refused"
    """OpenSearch never takes it as it is."""
    CONTENDED = "contended"
    """Refused, but perhaps only because another write gave the same new field another type at the same moment."""
    LATER = "later"
    """The cluster is busy or down: the same action may work later."""
    BLOCKED = "blocked"
    """Nothing works in this index until a setting, a right or the index is changed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action, and the reason if it isn't done."""

    kind: Kind
    reason: Reason | None = None
    stored: int | None = None
    """For a conflict: the version in the index; None if the text doesn't name it."""
    whole: bool = False
    """For a refusal: OpenSearch refused the whole request, although it held only this action."""
    error: ConfigurationError | None = None
    """For what is blocked: what must be changed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: its status and its body, decoded if it was JSON."""

    status: int
    body: Any


class Split:
    """The request as a whole was refused: send its halves."""


DONE = Outcome(Kind.DONE)


def judge(answer: Answer, count: int) -> Sequence[Outcome] | Split:
    """One outcome for each of the request's ``count`` actions, in their order.

    Raises:
        ConfigurationError: a setting, a right or the index must be changed first.
    """
    if 200 <= answer.status < 300:
        return _judge_items(answer.body, count)
    text, reason = whole_text(answer.body), describe_answer(answer.status, answer.body)
    if answer.status == 413 or (answer.status == 400 and _may_be_a_documents_fault(answer.body, text)):
        return Split() if count > 1 else [_refused_whole(answer.status, reason)]
    if answer.status in {408, 429} or answer.status >= 500 or (answer.status == 403 and _is_transient_403(text)):
        return [Outcome(Kind.LATER, Reason(f"http_{answer.status}", str(reason)))] * count
    detail = "" if reason == UNKNOWN else f" ({reason})"
    raise ConfigurationError(f"OpenSearch answered {answer.status}{detail}: {advice(answer.status, text)}")


def _judge_items(body: Any, count: int) -> Sequence[Outcome]:
    errors, items = (body.get("errors"), body.get("items")) if isinstance(body, Mapping) else (None, None)
    # Checked even if there are no errors: if a proxy cut the request short, the rest would count as written.
    if isinstance(errors, bool) and isinstance(items, list) and len(items) == count:
        if not errors:
            return [DONE] * count
        results = [_result_of(item) for item in items]
        if None not in results:
            return [_judge_item(*result) for result in results if result]
    found = f"{len(items)} results" if isinstance(items, list) else "no results"
    raise ConfigurationError(
        f"OpenSearch answered 200 with {found} for {count} actions: that isn't its answer to a bulk request; "
        "check OPENSEARCH_ENDPOINT, and what a proxy in between does to requests and answers"
    )


def _result_of(item: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The action and its result; None if the item has another form."""
    if isinstance(item, Mapping) and len(item) == 1:
        [(action, result)] = item.items()
        if isinstance(result, Mapping) and isinstance(result.get("status"), int):
            return action, result
    return None


def _judge_item(action: str, result: Mapping[str, Any]) -> Outcome:
    status, error = result["status"], result.get("error")
    if error is None and (200 <= status < 300 or (status == 404 and action == "delete")):
        return DONE  # a delete of a missing document is done: OpenSearch keeps the version in a tombstone
    text = whole_text(error)
    if status == 409:
        return Outcome(Kind.CONFLICT, stored=stored_version(text))
    if status == 429 or status >= 500 or (status == 403 and _is_transient_403(text)):
        return Outcome(Kind.LATER, describe(error))
    if status == 400 and "cannot be changed from type" in text:
        return Outcome(Kind.CONTENDED, describe(error))
    if status in {400, 413} and _may_be_the_actions_fault(action, text):
        return Outcome(Kind.REFUSED, describe(error))
    if status in {400, 401, 403, 404}:
        refusal = f"OpenSearch refused a {'delete' if action == 'delete' else 'write'} ({describe(error)})"
        raise ConfigurationError(f"{refusal}: {advice(status, text) if status != 400 else _advice_400(text)}")
    return Outcome(Kind.LATER, Reason(f"item_status_{status}", str(describe(error))))


def _advice_400(text: str) -> str:
    return configuration_advice(text) or (
        "no document can be at fault, so check the index's settings, its aliases and the index templates"
    )


def _may_be_a_documents_fault(body: Any, text: str) -> bool:
    # A 400 that isn't OpenSearch's own is a proxy's: it says nothing about the documents.
    return isinstance(error_of(body), Mapping) and configuration_advice(text) is None


def _may_be_the_actions_fault(action: str, text: str) -> bool:
    """A delete has no content that could be at fault: whatever refuses it is a fault of the index, or of its shard."""
    return configuration_advice(text) is None and (action != "delete" or breaks_its_shard(text))


def _refused_whole(status: int, reason: Reason) -> Outcome:
    if status == 413:
        reason = Reason("request_too_large", "the document alone exceeds what OpenSearch accepts")
    return Outcome(Kind.REFUSED, reason, whole=True)


def _is_transient_403(text: str) -> bool:
    # Amazon sometimes throttles with a 403, and a block is lifted once there is storage or memory again.
    lowered = text.lower()
    return "block_exception" in lowered or "throttl" in lowered or "too many requests" in lowered
