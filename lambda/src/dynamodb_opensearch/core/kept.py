"""Which parts of a document an index keeps: its index mapping's ``includes`` and ``excludes`` of ``_source``. Pure."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Kept:
    """Patterns of paths, as an index mapping has them: ``*`` is any text, and a path covers all below it, too.

    See: https://docs.opensearch.org/latest/field-types/metadata-fields/source/
    """

    includes: tuple[str, ...] = ()
    """If empty, everything is included."""
    excludes: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left out."""
        return not self.includes and not self.excludes

    def __str__(self) -> str:
        """In words: ``without embedding, raw.*``."""
        parts = [f"only {', '.join(self.includes)}"] if self.includes else []
        parts += [f"without {', '.join(self.excludes)}"] if self.excludes else []
        return ", ".join(parts)

    def of(self, document: Any) -> Any:
        """The kept parts of a document (Python objects). Objects and lists with nothing left are left out, too."""
        return document if self.is_whole else self._of(document, "")

    def _of(self, value: Any, path: str) -> Any:
        if isinstance(value, list):
            return [kept for element in value if not _is_empty(kept := self._of(element, path))]
        if not isinstance(value, dict):
            return value if self._is_included(path) else _NOTHING
        members = {}
        for name, content in value.items():
            inner = f"{path}.{name}" if path else name
            if not self._excluded(inner) and not _is_empty(kept := self._of(content, inner)):
                members[name] = kept
        return members

    def _is_included(self, path: str) -> bool:
        return not self.includes or bool(self._included(path))

    @cached_property
    def _included(self) -> Any:
        return _matcher(self.includes)

    @cached_property
    def _excluded(self) -> Any:
        return _matcher(self.excludes)


def _matcher(patterns: tuple[str, ...]) -> Any:
    """A function that says whether a path matches one of the patterns, or lies below a path that does."""
    if not patterns:
        return lambda _: None
    texts = (".*".join(re.escape(part) for part in pattern.split("*")) for pattern in patterns)
    return re.compile(rf"(?:{'|'.join(texts)})(?:\..*)?", re.DOTALL).fullmatch


_NOTHING = object()


def _is_empty(value: Any) -> bool:
    return value is _NOTHING or value in ({}, [])


WHOLE = Kept()
"""Everything."""
