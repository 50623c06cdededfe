"""Notes the documents whose items the table has just shown, so that they needn't be looked up in it again.

The notes are a set in a file of fixed size that worker processes share. The set may forget a document, which costs a
lookup. If it says that it holds one, that is wrong with a chance of one in 10^18.
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
"""Room for 100 million documents. If there are more, the set forgets some."""

_MARK = 8  # size of a document's mark, in bytes
_LINE = 8 * _MARK  # a document's mark belongs to one line, which has eight places; a ninth mark replaces one
_NONE = bytes(_MARK)


@contextmanager
def seen_file(documents: int) -> Iterator[Path | None]:
    """Create a file with room for so many documents, and delete it after the block. None: the disk has no room."""
    size = _LINE
    while size < min(documents * _MARK * 4 // 3, MAXIMUM_BYTES):
        size *= 2
    with tempfile.NamedTemporaryFile(prefix="dynamodb-opensearch-") as file:
        yield Path(file.name) if _allocated(file.fileno(), size) else None


def _allocated(file: int, size: int) -> bool:
    """Write all of the file: on a full disk, a hole in it would kill the process that writes to it through memory."""
    zeros = bytes(min(size, 1 << 20))
    try:
        for _ in range(0, size, len(zeros)):
            os.write(file, zeros)
    except OSError:
        return False
    return True


class Seen:
    """The set. Threads and processes may share its file; marks that they overwrite are forgotten."""

    def __init__(self, memory: mmap.mmap) -> None:
        self._memory = memory
        self._lines = len(memory) // _LINE

    @classmethod
    @contextmanager
    def opened(cls, path: Path | None) -> Iterator[Self | None]:
        """Open the set in a file; None if there is no file."""
        if path is None:
            yield None
            return
        with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            yield cls(memory)

    def add(self, index: str, document_id: str, version: int) -> None:
        """Note that the table has shown a document's item. Another version of the document isn't noted by that."""
        line, mark = self._find(index, document_id, version)
        free = self._memory.find(_NONE, line, line + _LINE)
        if free < 0 or (place := -(-free // _MARK) * _MARK) == line + _LINE:
            place = line + mark[0] % 8 * _MARK
        self._memory[place : place + _MARK] = mark

    def holds(self, index: str, document_id: str, version: int) -> bool:
        """Whether this version of the document was noted."""
        line, mark = self._find(index, document_id, version)
        return self._memory.find(mark, line, line + _LINE) >= 0

    def _find(self, index: str, document_id: str, version: int) -> tuple[int, bytes]:
        name = f"{index} {version} {document_id}".encode("utf-8", "surrogatepass")
        digest = blake2b(name, digest_size=2 * _MARK).digest()
        return int.from_bytes(digest[_MARK:]) % self._lines * _LINE, digest[:_MARK]
