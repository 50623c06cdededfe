"""Cuts an answer to ``_mget`` into its documents. Never decodes a ``_source``: it stays as it came, byte for byte."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, repeat

from dynamodb_opensearch.core.documents import Document
from dynamodb_opensearch.core.errors import ConfigurationError, UnreachableError


def documents(text: str, expected: Iterable[str] = (), *, sources: bool = True) -> Iterator[Document | None]:
    """The documents of an answer, in their order; None for each that doesn't exist.

    Args:
        expected: what each is likely to hold, if that is known; it makes the reading faster.
        sources: whether the documents were asked for with their ``_source``.

    Raises:
        UnreachableError: a document's shard isn't available at the moment.
        ConfigurationError: a document can't be read, or has no ``_source``.
    """
    position = text.index("[") + 1
    for source in chain(expected, repeat(None)):
        if text[position] == "]":
            return
        document, position = _common(text, position, source) or _any(text, position)
        if document is not None and sources and not document.source:
            raise ConfigurationError("the index keeps no _source, so nothing can be compared with it")
        yield document
        position += text[position] == ","


def _common(text: str, position: int, expected: str | None) -> tuple[Document | None, int] | None:
    """A document in the form that OpenSearch writes, and its end; None if it has another form."""
    head = _HEAD.match(text, position)
    if head is None:
        return None
    version, routing, ignored, found, with_source = head.groups()
    position, source = head.end(), ""
    if with_source:
        # No JSON object is the beginning of another: a text that begins with the expected one holds just that.
        same = expected is not None and text.startswith(expected, position)
        end = position + len(expected or "") if same else _end(text, position)
        source, position = text[position:end], end
    if text[position] != "}":
        return None
    if found == "false":
        return None, position + 1
    return Document(int(version), source, _decoded(routing), tuple(_decoded(ignored) or ())), position + 1


def _any(text: str, position: int) -> tuple[Document | None, int]:
    """A document in any form, and its end: another version of OpenSearch may add members, or reorder them."""
    members, end = _members(text, position)
    if "error" in members:
        kind = str(json.loads(members["error"]).get("type", "an unknown error"))
        if "shard" in kind or "rejected" in kind or "circuit" in kind:
            raise UnreachableError(f"_mget answered {kind} for a document")
        raise ConfigurationError(f"_mget answered {kind} for a document; check INDEX")
    if members.get("found") not in {"true", "false"}:
        raise ConfigurationError("_mget answered something that isn't a document; check OPENSEARCH_ENDPOINT")
    if members["found"] == "false":
        return None, end
    ignored = _decoded(members.get("_ignored")) or ()
    source = members.get("_source", "")
    return Document(int(members["_version"]), source, _decoded(members.get("_routing")), tuple(ignored)), end


def _decoded(text: str | None) -> str | None:
    return None if text is None else json.loads(text)


def _members(text: str, position: int) -> tuple[dict[str, str], int]:
    """A JSON object's members, name -> text, and its end."""
    members = {}
    position += 1
    while text[position] != "}":
        name_end = _end(text, position)
        value_end = _end(text, name_end + 1)
        members[json.loads(text[position:name_end])] = text[name_end + 1 : value_end]
        position = value_end + (text[value_end] == ",")
    return members, position + 1


def _end(text: str, position: int) -> int:
    """Where the JSON value that begins here ends."""
    try:
        return _DECODE(text, position)[1]
    except (RecursionError, ValueError):
        return _end_by_brackets(text, position)


def _end_by_brackets(text: str, position: int) -> int:
    """The same without recursion: another writer's document may be nested a thousand levels deep."""
    depth = 0
    for token in _TOKEN.finditer(text, position):
        match token[0]:
            case "{" | "[":
                depth += 1
            case "}" | "]":
                depth -= 1
        if depth == 0:
            return token.end()
    raise ConfigurationError("_mget's answer ends within a document; check OPENSEARCH_ENDPOINT, and proxies before it")


# Numbers stay texts: Python reads no whole number of more than 4,300 digits.
_DECODE = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode
_TEXT = r'"(?:[^"\\]|\\.)*+"'
_HEAD = re.compile(
    rf'\{{"_index":{_TEXT}(?:,"_type":{_TEXT})?,"_id":{_TEXT}(?:,"_version":(-?\d+))?(?:,"_seq_no":-?\d+)?'
    rf'(?:,"_primary_term":\d+)?(?:,"_routing":({_TEXT}))?(?:,"_ignored":(\[{_TEXT}(?:,{_TEXT})*\]))?'
    r',"found":(true|false)(,"_source":)?'
)
_TOKEN = re.compile(rf"{_TEXT}|[\[{{\]}}]")
