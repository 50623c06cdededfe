"""Which parts of a document an index keeps in its ``_source``: the mapping's ``includes`` and ``excludes``. Pure."""

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Kept:
    """Patterns of paths, as the mapping's ``_source`` has them: ``*`` is any text, a path names all below it, too.

    See: https://docs.opensearch.org/latest/field-types/metadata-fields/source/
    """

    includes: tuple[str, ...] = ()
    """None of them: everything."""
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
        """What is kept of a document, as Python has it. Objects of which nothing is left are left out on both sides."""
        return document if self.is_whole else self._of(document, "")

    def _of(self, value: Any, path: str) -> Any:
        if isinstance(value, list):
            return [kept for one in value if not _is_empty(kept := self._of(one, path))]
        if not isinstance(value, dict):
            return value if self._is_included(path) else _NOTHING
        members = {}
        for name, one in value.items():
            inner = f"{path}.{name}" if path else name
            if not self._excluded(inner) and not _is_empty(kept := self._of(one, inner)):
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
    """Whether a path, or what it is below of, is one of these."""
    if not patterns:
        return lambda _: None
    texts = (".*".join(re.escape(part) for part in pattern.split("*")) for pattern in patterns)
    return re.compile(rf"(?:{'|'.join(texts)})(?:\..*)?", re.DOTALL).fullmatch


_NOTHING = object()


def _is_empty(value: Any) -> bool:
    return value is _NOTHING or value in ({}, [])


WHOLE = Kept()
"""Everything."""
