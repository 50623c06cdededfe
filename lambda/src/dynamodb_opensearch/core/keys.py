"""Turns a table's primary key into its document's id, and the id back into the key. No two keys share an id."""

import base64
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import Any, NoReturn, Self

from dynamodb_opensearch.core.errors import ConfigurationError, UndecodableError
from dynamodb_opensearch.core.items import Item, binary, canonical_number

ID_BYTES = 512
"""OpenSearch's limit for an ``_id``, in bytes of UTF-8. A longer one makes it refuse the whole bulk request."""

_EXACT = Context(prec=2000)  # so that no digit of an id is lost
_LOOKS_HASHED = re.compile(r"~[0-9a-f]{64}\Z").search


@dataclass(frozen=True, slots=True)
class KeySchema:
    """The table's key attributes, partition key first: ``("pk",)`` or ``("pk", "sk")``."""

    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a schema from ``pk``, ``pk,sk`` or a JSON list such as ``["pk","a,b"]``.

        Raises:
            ValueError: the text has another form.
        """
        names = _listed(text) or text.split(",")
        if len(names) > 2 or not all(names):
            raise ValueError(text)
        return cls(tuple(names))

    def spell(self) -> str:
        """The text that ``parse`` reads; names with a comma need the JSON list."""
        plain = ",".join(self.names)
        same = len(plain.split(",")) == len(self.names) and not _listed(plain)
        return plain if same else json.dumps(self.names, ensure_ascii=False, separators=(",", ":"))

    def keys_of(self, item: Item) -> dict[str, Any]:
        """The item's primary key as DynamoDB JSON, in the schema's order.

        Raises:
            UndecodableError: a key attribute is missing.
        """
        try:
            return {name: item[name] for name in self.names}
        except (KeyError, TypeError):
            raise UndecodableError(f"a key attribute is missing: the table's are {', '.join(self.names)}") from None

    def keys_of_id(self, document_id: str, types: Mapping[str, str]) -> dict[str, Any] | None:
        """The primary key that has this id; None if no key has it, or if it is hashed.

        Args:
            types: key attribute -> ``S``, ``N`` or ``B``.
        """
        texts = [document_id] if len(self.names) == 1 else _unjoined(document_id)
        if len(texts) != len(self.names):
            return None
        try:
            keys = {
                name: {types[name]: _from_key_text(types[name], text)}
                for name, text in zip(self.names, texts, strict=True)
            }
            return keys if self.id_of(keys) == document_id else None
        except (UndecodableError, ValueError):
            return None

    def check(self, keys: Item) -> None:
        """Refuse another table's keys: with a wrong schema every id would be wrong.

        Raises:
            ConfigurationError: the record has key attributes that the schema doesn't name.
        """
        if keys.keys() - self.names:
            self.refuse(keys)

    def refuse(self, keys: Item) -> NoReturn:
        """Raise, because these keys aren't the schema's."""
        raise ConfigurationError(
            f"TABLE_KEYS is {self.spell()!r}, but the stream's records have the keys "
            f"{KeySchema(tuple(sorted(keys))).spell()!r}: set TABLE_KEYS to the table's partition key and sort key"
        )

    def id_of(self, item: Item) -> str:
        """The document's id. Equal keys have equal ids, whatever their spelling; different keys have different ids.

        A lone key is its own text; two are joined by ``|``, with ``|`` and ``\\`` escaped inside. A number has its
        plain spelling, and binary is base64url. An id that would exceed 512 bytes is cut, and ends in ``~`` and the
        SHA-256 of the whole; a key whose own text looks like that is hashed as well.

        Raises:
            UndecodableError: a key attribute is missing or isn't a string, number or binary.
        """
        texts = [_key_text(value) for value in self.keys_of(item).values()]
        if len(texts) == 1:
            [text] = texts
        else:
            text = "|".join([text.replace("\\", "\\\\").replace("|", "\\|") for text in texts])
        # A character has at most four bytes, so most ids need no count of their bytes.
        if (len(text) * 4 > ID_BYTES and len(_utf8(text)) > ID_BYTES) or ("~" in text and _LOOKS_HASHED(text)):
            return _hashed(text)
        return text


def is_hashed(document_id: str) -> bool:
    """Whether an id looks hashed, so that the key can't be read from it."""
    return _LOOKS_HASHED(document_id) is not None


def _listed(text: str) -> list[str] | None:
    """The texts of a JSON list; None if the text is something else."""
    try:
        names = json.loads(text) if text[:1] == "[" else None
    except ValueError:
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _key_text(value: Any) -> str:
    try:
        (tag,) = value
        text = _KEY_TEXTS[tag](value[tag])
    except (AttributeError, KeyError, TypeError, ValueError):
        text = ""
    if not text:
        raise UndecodableError("a key attribute must be a string, number or binary that isn't empty")
    return text


def _string(text: str) -> str:
    if not isinstance(text, str):
        raise TypeError
    return text


_KEY_TEXTS: dict[str, Callable[[Any], str]] = {
    "S": _string,
    "N": canonical_number,
    "B": lambda value: base64.urlsafe_b64encode(binary(value)).decode().rstrip("="),
}


def _unjoined(text: str) -> list[str]:
    """The two parts of a composite id, unescaped; an empty list if it isn't composite."""
    found = _COMPOSITE(text)
    return [re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL) for part in found.groups()] if found else []


_COMPOSITE = re.compile(r"((?:[^\\|]|\\[\\|])*)\|((?:[^\\|]|\\[\\|])*)").fullmatch


def _from_key_text(kind: str, text: str) -> str:
    """The value that has this key text; binary as base64 text.

    Raises:
        ValueError: no key in DynamoDB can have it: a read of it would be refused, together with the keys beside it.
    """
    if kind == "N" and not _is_key_number(text):
        raise ValueError(text)
    if kind != "B":
        text.encode()  # a lone surrogate isn't UTF-8
        return text
    return base64.b64encode(base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)).decode()


def _is_key_number(text: str) -> bool:
    """Whether a key of DynamoDB's can be this number.

    See: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    """
    number = Decimal(canonical_number(text))
    digits = number.normalize(_EXACT).as_tuple().digits
    return len(digits) <= 38 and (not number or -130 <= number.adjusted() <= 125)


def _hashed(text: str) -> str:
    data = _utf8(text)
    suffix = "~" + hashlib.sha256(data).hexdigest()
    return data[: ID_BYTES - len(suffix)].decode("utf-8", "ignore") + suffix


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
