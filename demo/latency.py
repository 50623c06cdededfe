"""Measures the time from a put to the search that finds it, for puts at a steady pace."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from demo.catalogue import Item
from demo.index import Index

GAP_SECONDS = 0.08  # between two puts; no divisor of the refresh interval, so puts meet all its phases
POLL_SECONDS = 0.02
TIMEOUT_SECONDS = 60


class TooSlowError(Exception):
    """A put that no search found in time."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Seconds from sending each put until its document was stored, and until a search found it."""

    stored: Sequence[float]
    searchable: Sequence[float]


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` per cent of all values do not exceed (nearest rank).

    >>> percentile([4, 1, 3, 2], 50)
    2
    """
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def measure(
    put: Callable[[Item], object], items: Sequence[Item], index: Index, done: Callable[[int], None]
) -> Latencies:
    """Put each item on its own, and watch the index until a search has found them all.

    The puts don't wait for their documents: a slow put delays no other, so it can't hide the wait of later ones.

    Args:
        done: called with the number of items found so far.
    """
    sent: dict[str, float] = {}
    stored: dict[str, float] = {}
    searchable: dict[str, float] = {}
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        putting = pool.submit(_put_all, put, items, sent, stop)
        try:
            while len(searchable) < len(items):
                time.sleep(POLL_SECONDS)
                if putting.done():
                    putting.result()  # raises what a put raised
                waiting = [id_ for id_ in list(sent) if id_ not in searchable]
                _look(index, waiting, stored, searchable)
                done(len(searchable))
                if late := [id_ for id_ in waiting if time.monotonic() - sent[id_] > TIMEOUT_SECONDS]:
                    raise TooSlowError(
                        f"{late[0]} is in no search {TIMEOUT_SECONDS} s after its put: the function's log may say why"
                    )
        finally:
            stop.set()
    return Latencies(
        stored=[stored[id_] - at for id_, at in sent.items()],
        searchable=[searchable[id_] - at for id_, at in sent.items()],
    )


def _put_all(
    put: Callable[[Item], object], items: Sequence[Item], sent: dict[str, float], stop: threading.Event
) -> None:
    first = time.monotonic()
    for position, item in enumerate(items):
        if stop.wait(max(0.0, first + position * GAP_SECONDS - time.monotonic())):
            return
        sent[item["productId"]["S"]] = time.monotonic()
        put(item)


def _look(index: Index, waiting: Sequence[str], stored: dict[str, float], searchable: dict[str, float]) -> None:
    if not waiting:
        return
    hits = index.search(query={"terms": {"productId": waiting}}, size=len(waiting), _source=False)
    now = time.monotonic()
    searchable.update((hit["_id"], now) for hit in hits)
    found = index.stored([id_ for id_ in waiting if id_ not in stored])
    now = time.monotonic()
    stored.update((id_, now) for id_ in found)
