"""The version rules over random histories: none may diverge, and without any one of the rules some do.

``make prove`` runs PROVE_HISTORIES of one index, and as many of several; PROVE_SEED replays one. The mistakes that need
several indices are in ``test_no_ops``.
"""

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import Any

import pytest
from dynamodb_opensearch.core import changes, converge
from dynamodb_opensearch.core.changes import Batch, Change, Settle, coalesce
from dynamodb_opensearch.core.projections import Projection
from dynamodb_opensearch.core.records import UNSEEN, Record, Undecodable
from dynamodb_opensearch.core.versions import Verdict, judge_conflict, own_version, settled_version
from dynamodb_opensearch.sources import dynamodb_stream

from simulation.model import History

HISTORIES = int(os.environ.get("PROVE_HISTORIES", "5000"))
SEED = os.environ.get("PROVE_SEED")
_ENOUGH = 60_000  # histories, from the given seed on, within which each missing rule has shown long before


def test_no_history_ends_with_another_content_than_the_table() -> None:
    _refuse_any_divergence("no_history_ends")


def test_no_index_of_several_ends_with_another_content_than_its_projection_of_the_table() -> None:
    _refuse_any_divergence("no_index_of_several", several=True)


def _refuse_any_divergence(test: str, **options: Any) -> None:
    for seed in [int(SEED)] if SEED else range(HISTORIES):
        story = History(seed, **options).run()
        assert story is None, f"seed {seed} diverges (replay: make prove SEED={seed} ARGS='-k {test}'):\n{story}"


def _judge_with_a_margin_of_five_seconds(ours: int, stored: int | None, _window: int, now: float) -> Verdict:
    return judge_conflict(ours, stored, 5, now)


def _judge_all_done(_ours: int, _stored: int | None, _window: int, _now: float) -> Verdict:
    return Verdict.DONE


def _judge_equal_as_done(ours: int, stored: int | None, window: int, now: float) -> Verdict:
    return Verdict.DONE if stored == ours else judge_conflict(ours, stored, window, now)


def _judge_as_in_the_year_3000(ours: int, stored: int | None, window: int, _now: float) -> Verdict:
    return judge_conflict(ours, stored, window, 32_503_680_000)


def _version_without_gap(created_at: float, sequence_number: str) -> int:
    return own_version(created_at, sequence_number) // 1000


def _judge_without_gap(ours: int, stored: int | None, window: int, _now: float) -> Verdict:
    if stored is not None and stored - ours > window * 1_000_000:
        return Verdict.SUPERSEDED
    return Verdict.DONE if stored == ours else Verdict.SETTLE


def _settle_without_gap(*, stored: int, highest_own: int, read_at: int, conflict_window: int) -> int:
    return max(stored, highest_own, (read_at - conflict_window) * 1_000_000) + 1


def _never_raise(own: int, _highest_earlier: int) -> int:
    return own


def _coalesce_with_chained_raises(
    records: Iterable[Record | Undecodable], projections: Collection[Projection]
) -> Batch:
    """Each raise starts from the raised version of the record before, and not from its own. There is one document."""
    decoded = [record for record in records if isinstance(record, Record)]
    batch = coalesce(decoded, projections)
    raised = decoded[0].own
    for record in decoded[1:]:
        raised = max(raised, record.own) + (record.new is not UNSEEN)
    [change] = batch.changes.values()
    if isinstance(change, Settle):
        chained: Change = replace(change, highest_own=raised)
    else:
        chained = change._replace(version=raised, highest_own=raised)
    return replace(batch, changes={change.address: chained})


def _settle_without_highest_own(*, stored: int, highest_own: int, read_at: int, conflict_window: int) -> int | None:
    del highest_own
    return settled_version(stored=stored, highest_own=0, read_at=read_at, conflict_window=conflict_window)


def _settle_without_time(*, stored: int, highest_own: int, read_at: int, conflict_window: int) -> int | None:
    del read_at
    return settled_version(stored=stored, highest_own=highest_own, read_at=0, conflict_window=conflict_window)


Replacement = tuple[Any, str, Callable[..., Any]]

# With each rule the seed to start from: some gaps show in one history of 10^5 only.
BROKEN_RULES: dict[str, tuple[int, list[Replacement]]] = {
    "a margin of 5 s": (0, [(converge, "judge_conflict", _judge_with_a_margin_of_five_seconds)]),
    "every conflict is done": (0, [(converge, "judge_conflict", _judge_all_done)]),
    "an equal derived version is done": (39_000, [(converge, "judge_conflict", _judge_equal_as_done)]),
    "no gap between own versions": (
        0,
        [
            (dynamodb_stream, "own_version", _version_without_gap),
            (converge, "judge_conflict", _judge_without_gap),
            (changes, "settled_version", _settle_without_gap),
        ],
    ),
    "no raise within a batch": (0, [(changes, "coalesced_version", _never_raise)]),
    "chained raises": (366_000, [(changes, "coalesce", _coalesce_with_chained_raises)]),
    "a version from the future supersedes": (0, [(converge, "judge_conflict", _judge_as_in_the_year_3000)]),
    "a settle without the highest own version": (0, [(changes, "settled_version", _settle_without_highest_own)]),
    "a settle without the time of its read": (4_900, [(changes, "settled_version", _settle_without_time)]),
}

BROKEN_WORLDS: dict[str, tuple[int, dict[str, Any]]] = {
    "external_gte": (11_000, {"or_equal": True}),
    "a conflict is answered without a new read": (0, {"source": "first read"}),
    "a settle falls back to the record's image": (0, {"source": "image"}),
}


@pytest.mark.parametrize("rule", BROKEN_RULES)
def test_without_this_rule_some_history_diverges(rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first_seed, replacements = BROKEN_RULES[rule]
    for module, name, replacement in replacements:
        monkeypatch.setattr(module, name, replacement)

    assert _diverging_seed(first_seed) is not None


@pytest.mark.parametrize("world", BROKEN_WORLDS)
def test_in_such_a_world_some_history_diverges(world: str) -> None:
    first_seed, options = BROKEN_WORLDS[world]

    assert _diverging_seed(first_seed, **options) is not None


def _diverging_seed(first: int, **options: Any) -> int | None:
    return next((seed for seed in range(first, first + _ENOUGH) if History(seed, **options).run() is not None), None)
