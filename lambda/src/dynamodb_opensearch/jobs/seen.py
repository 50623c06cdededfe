"""Documents whose items the table has just shown, so that they needn't be looked up in it once more.

A set in a file that worker processes share, of a size that never grows. It may forget, which costs a lookup. What it
says to hold it holds, but for a chance of one in 10^18.
"""

import mmap
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Self

MAXIMUM_BYTES = 1 << 30
"""Room for 100 million documents. Of more, the set forgets some."""

_MARK = 8  # bytes of a document's mark
_LINE = 8 * _MARK  # a document's mark is in one line: eight places, and a ninth pushes one out
_NONE = bytes(_MARK)


@contextmanager
def seen_file(documents: int) -> Iterator[Path | None]:
    """A file with room for that many documents, gone after the block; None where there is no room for it."""
    size = _LINE
    while size < min(documents * _MARK * 4 // 3, MAXIMUM_BYTES):
        size *= 2
    with tempfile.NamedTemporaryFile(prefix="dynamodb-opensearch-") as file:
        yield Path(file.name) if _allocated(file.fileno(), size) else None


def _allocated(file: int, size: int) -> bool:
    """All of it: a hole in a file on a full disk would kill whoever writes to it through memory."""
    zeros = bytes(min(size, 1 << 20))
    try:
        for _ in range(0, size, len(zeros)):
            os.write(file, zeros)
    except OSError:
        return False
    return True


class Seen:
    """The set. Threads and processes may share its file; what they overwrite of each other is forgotten."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        self._lines = len(memory) // _LINE

    @classmethod
    @contextmanager
    def opened(cls, path: Path | None) -> Iterator[Self | None]:
        """The set in a file, None without one."""
        if path is None:
            yield None
            return
        with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            yield cls(memory)

    def add(self, document_id: str, version: int) -> None:
        """Vouch for a document as it stands, which is its version."""
        line, mark = self._find(document_id, version)
        free = self._memory.find(_NONE, line, line + _LINE)
        if free < 0 or (place := -(-free // _MARK) * _MARK) == line + _LINE:
            place = line + mark[0] % 8 * _MARK
        self._memory[place : place + _MARK] = mark

    def holds(self, document_id: str, version: int) -> bool:
        """Whether somebody vouched for it."""
        line, mark = self._find(document_id, version)
        return self._memory.find(mark, line, line + _LINE) >= 0

    def _find(self, document_id: str, version: int) -> tuple[int, bytes]:
        name = f"{version} {document_id}".encode("utf-8", "surrogatepass")
        digest = blake2b(name, digest_size=2 * _MARK).digest()
        return int.from_bytes(digest[_MARK:]) % self._lines * _LINE, digest[:_MARK]
