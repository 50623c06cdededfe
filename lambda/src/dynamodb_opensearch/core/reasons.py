"""Which parts of an error may be shown. OpenSearch quotes ids and values, so only text known to be harmless is.

Names of fields and keys may be shown, values never.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason, in words that hold nothing of an item's content."""

    type: str
    message: str = ""
    """Empty if no part of the text is known to be harmless."""

    def __str__(self) -> str:
        return ": ".join(filter(None, (self.type, self.message)))


UNKNOWN = Reason("unknown_error")


def describe(error: Any) -> Reason:
    """An error object's type and the safe part of its text: names of fields and types, and limits; never values.

    ``mapper_parsing_exception`` often says nothing itself, so its causes are searched, too.
    """
    if not isinstance(error, Mapping):
        return UNKNOWN
    kind = str(error.get("type", "unknown_error"))[:100]
    cause: Any = error
    while isinstance(cause, Mapping):
        if text := _safe_part(str(cause.get("reason", ""))):
            return Reason(kind, text)
        cause = cause.get("caused_by")
    return Reason(kind)


def describe_answer(status: int, body: Any) -> Reason:
    """The safe part of a whole answer that isn't 2xx.

    If Amazon's front end or a proxy refuses the caller, its sentence is shown: neither looks at an item's content.
    """
    error = error_of(body)
    if isinstance(error, Mapping):
        return describe(error)
    text = _front_text(body) if status in {401, 403} else ""
    return Reason("", text) if text else UNKNOWN


def reason_of(body: Any) -> str:
    """What an error says in OpenSearch's own words, from the outermost cause to the innermost, at most 500 characters.

    Only for a request that holds no item, such as an index's definition: the words quote what was sent.
    """
    error = error_of(body) if isinstance(body, Mapping) and "error" in body else body
    reasons: list[str] = []
    while isinstance(error, Mapping):
        reason = str(error.get("reason") or error.get("message") or error.get("Message") or "").strip()
        if reason and not any(reason in earlier for earlier in reasons):
            reasons.append(reason)
        error = error.get("caused_by")
    text = ": ".join(reasons) or (error.strip() if isinstance(error, str) else "")
    return " ".join(text[:500].split())


def error_of(body: Any) -> Any:
    """An answer's ``error``: an object, a text or None."""
    return body.get("error") if isinstance(body, Mapping) else None


def whole_text(body: Any) -> str:
    """All that an error says, with its type in front: for matching only, never to be shown."""
    match body:
        case {"error": error}:
            return whole_text(error)
        case {"type": kind, **rest}:
            return f"{kind}: {rest.get('reason', '')}"
        case {"Message": message} | {"message": message}:  # Amazon's front end, in its two spellings
            return str(message)
        case _:
            return str(body or "")


def _front_text(body: Any) -> str:
    """The sentence of Amazon's front end, or a plain text: one line, without the request's headers that it quotes."""
    match body:
        case {"Message": str(text)} | {"message": str(text)} | str(text):
            line = text.strip().partition("\n")[0].partition("Authorization=")[0]
            # An HTML page isn't a sentence.
            return "" if line.startswith("<") else _CREDENTIALS.sub(r"\1 …", line)[:300].strip()
        case _:
            return ""


_CREDENTIALS = re.compile(r"\b(Basic|Bearer)\s+[^\s'\"]+")


def _safe_part(text: str) -> str:
    for safe in _SAFE_TEXTS:
        if found := safe.match(text):
            shown = found[0]
            for name in filter(None, found.groups()):
                if len(name) > _NAME_CHARACTERS:
                    shown = shown.replace(name, name[:_NAME_CHARACTERS] + "…")
            return shown[:500]
    return next((words for pattern, words in _IN_OTHER_WORDS if pattern.match(text)), "")


_NAME_CHARACTERS = 100
"""A longer name is cut."""

# A name may hold anything, even brackets. It ends at the first place where the words that follow it begin, so text that
# is quoted after them is never taken for a part of it.
_NAME = r"\[(.*?)\]"
_LAST_NAME = r"\[(.*)\]\Z"
_TYPE = r"\[[^\[\]]{0,100}\]"
_USER = r"(?: and User \[name=[^,\[\]]{1,200}, backend_roles=\[[^\[\]]{0,200}\])"

_SAFE_TEXTS = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        # A document's fault:
        rf"failed to parse field {_NAME} of type {_TYPE}",
        rf"object mapping for {_NAME} tried to parse field {_NAME} as object, but found a concrete value",
        rf"Could not dynamically add mapping for field {_NAME}\. Existing mapping for {_NAME} must be of type \w+",
        rf"mapping set to strict(?:_allow_templates)?, dynamic introduction of {_NAME} within {_NAME} is not allowed",
        rf"mapper {_NAME} cannot be changed from type {_TYPE} to {_TYPE}",
        rf"can't merge an? (?:non )?object mapping {_NAME} with an? (?:non )?object mapping",
        rf"object mapping {_NAME} can't be changed from (?:non-)?nested to (?:non-)?nested",
        rf"Cannot add a value for field {_NAME} since one of the intermediate objects is mapped as a nested object",
        r"Cannot write to a field alias \[(.*)\]\.\Z",
        rf"failed to parse {_NAME}: expected text or object, but got [A-Z_]+",
        rf"unknown field name {_NAME}, must be one of \[input, weight, contexts\]",
        r"weight must be (?:an integer|in the interval \[\d+\.\.\d+\])",
        rf"Contexts are mandatory in context enabled completion field {_LAST_NAME}",
        rf"\[(?:parent|routing)\] is missing for join field {_LAST_NAME}",
        r"Malformed content, found extra data after parsing: [A-Z_]+",
        rf"Field name {_NAME} is longer than the limit of \[\d+\] characters",
        r"Limit of (?:total fields|mapping depth|nested fields) \[\d+\] has been exceeded",
        r"The depth of the (?:nested array )?field has exceeded the allowed limit of \[\d+\]",
        r"(?:Document nesting depth|String value length) \(\d+\) exceeds the maximum allowed",
        r"The number of nested documents has exceeded the allowed limit of \[\d+\]",
        r'Document contains at least one immense term in field="(.*?)"(?= \(whose)',
        r'DocValuesField "(.*?)" is too large, must be <= \d+',
        rf"object field starting or ending with a \[\.\] makes object resolution ambiguous: {_LAST_NAME}",
        r"object field cannot contain only whitespace: \['(.*)'\]\Z",
        r"field name cannot (?:be an empty string|contain only the character \[\.\])",
        rf"Field {_NAME} is a metadata field and cannot be added inside a document",
        # A broken shard's fault; the second and third are Lucene 8's:
        rf"Inconsistency of field data structures across documents for field {_NAME} of doc",
        r'cannot change field "(.*?)" from',
        r'cannot change DocValues type from \w+ to \w+ for field "(.*)"\Z',
        # A fault of an index, a cluster or a right:
        rf"pipeline with id {_NAME} does not exist\Z",
        rf"routing is required for {_NAME}(?=/)",
        r"only write ops with an op_type of create are allowed in data streams",
        r"Validation Failed: 1: Operation \[[A-Z]+\] is not allowed",
        r"Validation Failed: 1: this action would add \[\d+\][A-Za-z_ ]+, but this cluster [a-z ]+\[\d+\]/\[\d+\]",
        r"[Nn]umber of documents in (?:the )?(?:index|shard) can(?:'t|not) exceed \[?\d+",
        r"Malformed action/metadata line \[\d+\]",
        r"The bulk request must be terminated by a newline",
        r"request body is required\Z",
        rf"no permissions for \[[a-z:/*_, \[\]]{{1,400}}\]{_USER}?",
        r"OpenSearch exception \[type=\w+, reason=User does not have permissions for the requested resource\]",
        r"403 Forbidden\Z",
        rf"no such index {_TYPE}",
        rf"(?:index {_TYPE} )?blocked by: \[[A-Z_]+/\d+/[^\[\]]{{0,100}}\]",
        r"rejected execution of (?:coordinating|primary|replica) operation",
        r"\[[a-z_]+\] Data too large",
        rf"{_TYPE}\[\d+\] (?:primary shard is not active|Not enough active copies)",
        # A definition's fault:
        rf"No handler for type {_TYPE} declared on field {_TYPE}",
        rf"No type specified for field {_TYPE}",
        rf"unknown parameter {_TYPE} on mapper {_TYPE} of type {_TYPE}",
        rf"Cannot update parameter {_TYPE}",
        rf"analyzer {_TYPE} has not been configured",
        rf"unknown setting {_TYPE}",
        r"Root mapping definition has unsupported parameters",
    )
]
"""Beginnings of OpenSearch's messages that name fields, types and limits, and no value of a document."""

_IN_OTHER_WORDS = [
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        (r"Illegal input \[.*\] UTF-16 codepoint", "a completion field's text has a reserved character"),
        (r"unknown join name \[.*\] for field \[", "a join field's name of a relation is unknown"),
    )
]
"""Messages that begin with a value, and what to show instead."""
