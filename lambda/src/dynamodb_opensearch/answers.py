"""What OpenSearch's answer to a bulk request means for each of its actions. Pure: an answer in, outcomes out.

An error's text quotes ids and values, so only its recognised, harmless part goes on from here.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from dynamodb_opensearch.errors import ConfigurationError
from dynamodb_opensearch.versions import stored_version


class Kind(Enum):
    """What became of one action."""

    DONE = "done"
    CONFLICT = "conflict"
    """A version at least as high stands there."""
    REFUSED = "refused"
    """It can never be written as it is."""
    CONTENDED = "contended"
    """Refused, but perhaps only because another write gave the same new field another type at the same moment."""
    LATER = "later"
    """The cluster is busy or down: the same action may work later."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in words that hold nothing of an item's content."""

    type: str
    message: str = ""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.type, self.message)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one action, and why if it isn't done."""

    kind: Kind
    reason: Reason | None = None
    stored: int | None = None
    """Of a conflict: the version that stands in the index, None if the text didn't tell."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer: its status and its body, decoded if it was JSON."""

    status: int
    body: Any


class Split:
    """The request as a whole was refused: send its halves."""


DONE = Outcome(Kind.DONE)
_UNKNOWN = Reason("unknown_error")


def judge(answer: Answer, count: int) -> Sequence[Outcome] | Split:
    """One outcome for each of the request's ``count`` actions, in their order.

    Raises:
        ConfigurationError: somebody must change a setting, a right or the index first.
    """
    if 200 <= answer.status < 300:
        return _judge_items(answer.body, count)
    error, text = _error_of(answer.body), _text(answer.body)
    reason = describe_answer(answer.status, answer.body)
    # A 400 that isn't OpenSearch's own is a proxy's: it says nothing of the documents.
    if answer.status == 413 or (answer.status == 400 and isinstance(error, Mapping) and not _is_configuration(text)):
        return Split() if count > 1 else [Outcome(Kind.REFUSED, _refusal(answer.status, reason))]
    if answer.status in {408, 429} or answer.status >= 500 or (answer.status == 403 and _is_transient_403(text)):
        return [Outcome(Kind.LATER, Reason(f"http_{answer.status}", str(reason)))] * count
    told = "" if reason == _UNKNOWN else f" ({reason})"
    raise ConfigurationError(f"OpenSearch answered {answer.status}{told}: {_advice(answer.status, text)}")


def describe_answer(status: int, body: Any) -> Reason:
    """What a whole answer that isn't 2xx says, as far as it is safe to show.

    Who is refused by Amazon's front, or a proxy's, needs its sentence; nothing of an item is judged there.
    """
    error = _error_of(body)
    if isinstance(error, Mapping):
        return describe(error)
    text = _front_text(body) if status in {401, 403} else ""
    return Reason("", text) if text else _UNKNOWN


def advice_on_access(body: Any) -> str | None:
    """What to change about how requests are sent, whoever sends them; None if the refusal isn't about that."""
    return _found(_ADVICE_ON_ACCESS, _text(body))


def describe(error: Any) -> Reason:
    """An error object's type and what is safe of its text: names of fields and types, limits; never values.

    ``mapper_parsing_exception`` often says nothing itself, so its causes are looked through, too.
    """
    if not isinstance(error, Mapping):
        return _UNKNOWN
    kind = str(error.get("type", "unknown_error"))[:100]
    cause: Any = error
    while isinstance(cause, Mapping):
        reason = str(cause.get("reason", ""))
        for safe in _SAFE_TEXTS:
            if found := safe.match(reason):
                return Reason(kind, found[0][:300])
        cause = cause.get("caused_by")
    return Reason(kind)


def reason_of(body: Any) -> str:
    """What an error says in OpenSearch's own words, from the outermost cause to the innermost, at most 500 characters.

    Only for a request that holds no item, such as an index's definition: the words quote what was sent.
    """
    error = _error_of(body) if isinstance(body, Mapping) and "error" in body else body
    reasons: list[str] = []
    while isinstance(error, Mapping):
        reason = str(error.get("reason") or error.get("message") or error.get("Message") or "").strip()
        if reason and not any(reason in told for told in reasons):
            reasons.append(reason)
        error = error.get("caused_by")
    text = ": ".join(reasons) or (error.strip() if isinstance(error, str) else "")
    return " ".join(text[:500].split())


def _judge_items(body: Any, count: int) -> Sequence[Outcome]:
    errors, items = (body.get("errors"), body.get("items")) if isinstance(body, Mapping) else (None, None)
    # Also of a good one: of a request that a proxy cut short, the rest would count as written.
    if isinstance(errors, bool) and isinstance(items, list) and len(items) == count:
        if not errors:
            return [DONE] * count
        results = [_result_of(item) for item in items]
        if None not in results:
            return [_judge_item(*one) for one in results if one]
    told = f"{len(items)} results" if isinstance(items, list) else "no results"
    raise ConfigurationError(
        f"OpenSearch answered 200 with {told} for {count} actions: that isn't its answer to a bulk request; "
        "check OPENSEARCH_ENDPOINT, and what a proxy in between does to requests and answers"
    )


def _result_of(item: Any) -> tuple[str, Mapping[str, Any]] | None:
    """The action and its result; None if that isn't one."""
    if isinstance(item, Mapping) and len(item) == 1:
        [(action, result)] = item.items()
        if isinstance(result, Mapping) and isinstance(result.get("status"), int):
            return action, result
    return None


def _judge_item(action: str, result: Mapping[str, Any]) -> Outcome:
    status, error = result["status"], result.get("error")
    if error is None and (200 <= status < 300 or (status == 404 and action == "delete")):
        return DONE  # deleting what isn't there is done: OpenSearch keeps the version in a tombstone
    text = _text(error)
    if status == 409:
        return Outcome(Kind.CONFLICT, stored=stored_version(text))
    if status == 429 or status >= 500 or (status == 403 and _is_transient_403(text)):
        return Outcome(Kind.LATER, describe(error))
    if status == 400 and "cannot be changed from type" in text:
        return Outcome(Kind.CONTENDED, describe(error))
    if status in {400, 413} and not _is_configuration(text):
        return Outcome(Kind.REFUSED, describe(error))
    if status in {400, 401, 403, 404}:
        raise ConfigurationError(f"OpenSearch refused a write ({describe(error)}): {_advice(status, text)}")
    return Outcome(Kind.LATER, Reason(f"item_status_{status}", str(describe(error))))


def _error_of(body: Any) -> Any:
    return body.get("error") if isinstance(body, Mapping) else None


def _front_text(body: Any) -> str:
    """The sentence of Amazon's front in its two spellings, or a plain text: one line, without what it quotes of the
    request's headers. A page is no sentence."""
    match body:
        case {"Message": str(text)} | {"message": str(text)} | str(text):
            line = text.strip().partition("\n")[0].partition("Authorization=")[0]
            return "" if line.startswith("<") else _CREDENTIALS.sub(r"\1 …", line)[:300].strip()
        case _:
            return ""


_CREDENTIALS = re.compile(r"\b(Basic|Bearer)\s+[^\s'\"]+")


def _text(body: Any) -> str:
    """All that an error says, its type included, to be searched and never shown."""
    match body:
        case {"error": error}:
            return _text(error)
        case {"type": kind, **rest}:
            return f"{kind}: {rest.get('reason', '')}"
        case {"Message": message} | {"message": message}:  # Amazon's front in its two spellings
            return str(message)
        case _:
            return str(body or "")


def _is_transient_403(text: str) -> bool:
    # Amazon throttles with a 403 at times, and a block is lifted when storage or memory is back.
    lowered = text.lower()
    return "block_exception" in lowered or "throttl" in lowered or "too many requests" in lowered


def _is_configuration(text: str) -> bool:
    return any(words in text for words in _CONFIGURATION_400)


_CONFIGURATION_400 = (
    "index_closed_exception",
    "invalid_index_name_exception",
    "no write index is defined for alias",
    "Document ID is not supported",  # a TIMESERIES or VECTORSEARCH collection
    "no handler found for uri",
    "unrecognized parameter",
)


def _refusal(status: int, reason: Reason) -> Reason:
    return (
        Reason("request_too_large", "the document alone exceeds what OpenSearch accepts") if status == 413 else reason
    )


def _advice(status: int, text: str) -> str:
    """What to do, by what stands in the text, else by the status."""
    return (
        _found(_ADVICE_ON_ACCESS + _ADVICE, text)
        or _ADVICE_BY_STATUS.get(status)
        or "check OPENSEARCH_ENDPOINT: is an OpenSearch there, version 1.3 or later?"
    )


def _found(advices: Sequence[tuple[str, str]], text: str) -> str | None:
    return next((advice for words, advice in advices if words in text), None)


_SIGN = "requests must be signed here: set OPENSEARCH_AUTH to sigv4"
_CLOCK = "this machine's clock is wrong by minutes: set it"
_ROOT = "take the path off OPENSEARCH_ENDPOINT: OpenSearch itself is at the host's root"

# Amazon's front, before OpenSearch sees a request. In both, the more exact words come first.
_ADVICE_ON_ACCESS = (
    ("/_dashboards", _ROOT),
    ("/_plugin/kibana", _ROOT),
    ("correct service: 'aoss'", "set OPENSEARCH_SERVICE to aoss: this is a collection of OpenSearch Serverless"),
    ("correct service: 'es'", "set OPENSEARCH_SERVICE to es: this is a domain"),
    ("correct service", "check OPENSEARCH_SERVICE: es for a domain, aoss for a collection"),
    ("valid region", "requests are signed for AWS_REGION (--region), and the endpoint is in another Region"),
    ("Signature expired", _CLOCK),
    ("Signature not yet current", _CLOCK),
    ("is now earlier than", _CLOCK),
    ("is still later than", _CLOCK),
    ("User: anonymous", _SIGN),
    ("Missing Authentication Token", _SIGN),
    ("Authorization header requires", _SIGN),
    ("key=value pair", _SIGN),
    ("security token", "the AWS credentials have expired or are of another account"),
    (
        "signature",
        "check the AWS credentials, OPENSEARCH_SERVICE (es for a domain, aoss for a collection) and the Region",
    ),
)

_ADVICE = (
    ("index_not_found", "create the index, or let OpenSearch create it (action.auto_create_index); check INDEX"),
    ("is not an alias", "INDEX must name an alias here: create it"),
    ("index_closed", "open the index"),
    ("invalid_index_name", "INDEX must be a valid index name: lower case, no spaces"),
    ("no write index", "give the alias a write index (is_write_index)"),
    ("Document ID is not supported", "the collection's type must be SEARCH: the others take no document ids"),
    (
        "indices:admin/mapping/put",
        "grant the role indices:admin/mapping/put on the index, or map every field beforehand",
    ),
    ("indices:admin/create", "grant the role indices:admin/create on the index, or create the index beforehand"),
    (
        "permissions for the requested resource",
        "give the role the rights on the collection and its indices in a data access policy of the collection",
    ),
    (
        "Forbidden: 403 Forbidden",
        "for a collection: allow the role aoss:APIAccessAll in IAM, and its network in the collection's network policy",
    ),
    ("security_exception", "map the function's role to an OpenSearch role with write rights on the index"),
    ("explicit deny", "a policy denies it: look through the role's, the domain's and the organization's"),
    ("not authorized to perform", "allow the function's role in IAM and in the domain's access policy"),
)

_ADVICE_BY_STATUS = {
    400: "check OPENSEARCH_ENDPOINT and INDEX",
    401: "check OPENSEARCH_AUTH, and for basic auth the user and password in OPENSEARCH_SECRET_ARN",
    403: "allow the function's role: IAM policy, access policy, and role mapping with fine-grained access control; "
    "for a collection its data access policy and its network policy",
}

_NAME = r"\[[^\[\]]{0,200}\]"

_USER = r"(?: and User \[name=[^,\[\]]{1,200}, backend_roles=\[[^\[\]]{0,200}\])"

_SAFE_TEXTS = [
    re.compile(pattern)
    for pattern in (
        rf"failed to parse field {_NAME} of type {_NAME}",
        rf"object mapping for {_NAME} tried to parse field {_NAME} as object, but found a concrete value",
        rf"Could not dynamically add mapping for field {_NAME}\. Existing mapping for {_NAME} must be of type \w+",
        rf"mapping set to strict, dynamic introduction of {_NAME} within {_NAME} is not allowed",
        rf"mapper {_NAME} cannot be changed from type {_NAME} to {_NAME}",
        r"Limit of (?:total fields|mapping depth|nested fields) \[\d+\] has been exceeded",
        r"The depth of the field has exceeded the allowed limit of \[\d+\]",
        r"The number of nested documents has exceeded the allowed limit of \[\d+\]",
        r'Document contains at least one immense term in field="[^"]{0,200}"',
        rf"object field starting or ending with a \[\.\] makes object resolution ambiguous: {_NAME}",
        r"field name cannot (?:be an empty string|contain only the character \[\.\])",
        rf"Field {_NAME} is a metadata field and cannot be added inside a document",
        rf"no permissions for \[[a-z:/*_, \[\]]{{1,400}}\]{_USER}?",
        r"OpenSearch exception \[type=\w+, reason=User does not have permissions for the requested resource\]",
        r"403 Forbidden\Z",
        rf"no such index {_NAME}",
        rf"(?:index {_NAME} )?blocked by: \[[A-Z_]+/\d+/[^\[\]]{{0,100}}\]",
        r"rejected execution of (?:coordinating|primary|replica) operation",
        r"\[[a-z_]+\] Data too large",
        rf"{_NAME}\[\d+\] (?:primary shard is not active|Not enough active copies)",
        rf"No handler for type {_NAME} declared on field {_NAME}",
        rf"No type specified for field {_NAME}",
        rf"unknown parameter {_NAME} on mapper {_NAME} of type {_NAME}",
        rf"Cannot update parameter {_NAME}",
        rf"analyzer {_NAME} has not been configured",
        rf"unknown setting {_NAME}",
        r"Root mapping definition has unsupported parameters",
    )
]
"""Beginnings of OpenSearch's messages that name fields, types and limits, and no value of a document."""
