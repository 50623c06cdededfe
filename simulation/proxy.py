"""A proxy between the function and the real OpenSearch that forwards, refuses, loses and delays requests."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from simulation import refusals
from simulation.bulk_body import Action, decode_body, error_item, join_actions, parse_actions, splice_answer
from simulation.faults import Fault, Faults
from simulation.index import Index
from simulation.items import document_label, read_exactly
from simulation.network import Answer, Call
from simulation.story import Story


class Fate(Enum):
    """What the client sees of its request."""

    ANSWERED = auto()
    ANSWERED_THEN_CLOSED = auto()
    CUT = auto()
    RESET = auto()
    HANGS = auto()
    DIES = auto()


@dataclass(frozen=True, slots=True)
class Effect:
    fate: Fate
    answer: Answer | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """A request that its sender has given up, but that still lands later."""

    who: str
    index: Index
    body: bytes
    actions: Sequence[Action]
    haste: float
    """Weight of its landing among the possible next events; 0: it lands last."""


class Proxy:
    """The proxy of one schedule. The simulation decides when `held` requests land."""

    def __init__(
        self, indices: Sequence[Index], key_names: Sequence[str], faults: Faults, rng: random.Random, story: Story
    ) -> None:
        self.held: list[Held] = []
        self.labels: dict[str, str] = {}
        """Every document id that was ever written or deleted -> its item's key, if known."""
        self.budget = faults.budget
        self._indices = {f"/{index.name}/_bulk": index for index in indices}
        self._key_names = key_names
        self._faults = faults
        self._outage = 0
        self._rng = rng
        self._story = story

    def handle(self, call: Call, who: str) -> Effect:
        if call.method != "POST" or call.path not in self._indices:
            allowed = ", ".join(f"POST {path}" for path in self._indices)
            self._story.accuse(f"sent {call.method} {call.path}: only {allowed} is allowed", invocation=who)
            return Effect(Fate.ANSWERED, Answer(403, b'{"Message":"User is not authorized to perform: es:ESHttpPost"}'))
        bulk = self._decode(call, who)
        if self._faults.max_body_bytes is not None and len(bulk.body) > self._faults.max_body_bytes:
            return self._refuse(bulk, refusals.too_large_answer(self._rng))
        return self._strike(self._choose_fault(bulk.index.name), bulk)

    def hold(self, call: Call, who: str) -> None:
        """Hold a request whose sender died while it was on the wire."""
        self._hold(self._decode(call, who))

    def land(self, held: Held) -> None:
        self.held.remove(held)
        status, answer = held.index.bulk(held.body)
        self._note_items(held, held.actions, status, answer, late=True)

    def _decode(self, call: Call, who: str) -> "_Bulk":
        body = decode_body(call.body, call.headers.get("content-encoding", ""))
        actions = parse_actions(body)
        for action in actions:
            if action.document_id is not None:
                self._learn_label(action.document_id, action.source)
        return _Bulk(who, self._indices[call.path], call.query, body, actions)

    def _choose_fault(self, index_name: str) -> Fault | None:
        faults, rng = self._faults, self._rng
        if self.budget <= 0 or not faults.may_strike(index_name):
            return None
        if self._outage:
            self._outage -= 1
            return rng.choice((Fault.BUSY, Fault.RESET_BEFORE))
        if rng.random() >= faults.rate:
            return None
        self.budget -= 1
        if faults.outage_requests and rng.random() < 0.2:
            self._outage = faults.outage_requests
        (fault,) = rng.choices(list(faults.weights), list(faults.weights.values()))
        return fault

    def _strike(self, fault: Fault | None, bulk: "_Bulk") -> Effect:
        if fault is None or fault is Fault.CLOSE:
            return Effect(Fate.ANSWERED_THEN_CLOSED if fault else Fate.ANSWERED, self._forward(bulk))
        if fault in _LOSSES:
            return self._lose(fault, bulk)
        if fault is Fault.HALF_DONE:
            self._forward_some(bulk, refusals.busy_item)
            return self._refuse(bulk, refusals.busy_answer(self._rng))
        if fault not in _WHOLE or (fault in _ITEMS and self._rng.random() < 0.7):
            return Effect(Fate.ANSWERED, self._forward_some(bulk, _ITEMS[fault], all_fail=fault in _WHOLE))
        return self._refuse(bulk, _WHOLE[fault](self._rng))

    def _lose(self, fault: Fault, bulk: "_Bulk") -> Effect:
        """Apply a fault that leaves the function without a complete answer."""
        written, fate = _LOSSES[fault]
        answer = None
        match written:
            case _Written.NOW:
                answer = self._forward(bulk)
            case _Written.LATER:
                self._hold(bulk)
        self._note(bulk, bulk.actions, f"{fault.name}: {fault}")
        return Effect(fate, answer)

    def _forward(self, bulk: "_Bulk") -> Answer:
        status, body = bulk.index.bulk(bulk.body, bulk.query)
        self._note_items(bulk, bulk.actions, status, body)
        return Answer(status, body)

    def _forward_some(
        self,
        bulk: "_Bulk",
        make_error: Callable[[random.Random, str], refusals.ItemError],
        *,
        all_fail: bool = False,
    ) -> Answer:
        """Forward a random part of the actions; answer the others with the same error."""
        status, error = make_error(self._rng, bulk.index.name)
        filtered = "filter_path" in bulk.query
        refused = {
            position: error_item(action, bulk.index.name, status, error, filtered=filtered)
            for position, action in enumerate(bulk.actions)
            if all_fail or self._rng.random() < 0.6
        }
        passed = [action for position, action in enumerate(bulk.actions) if position not in refused]
        answer = b"{}" if filtered else b'{"took":1}'
        if passed:
            real_status, answer = bulk.index.bulk(join_actions(passed), bulk.query)
            self._note_items(bulk, passed, real_status, answer)
            if real_status != 200:
                return Answer(real_status, answer)
        self._note(bulk, [bulk.actions[position] for position in refused], f"{status} {error['type']}")
        return Answer(200, splice_answer(answer, bulk.actions, refused))

    def _refuse(self, bulk: "_Bulk", answer: Answer) -> Effect:
        self._note(bulk, bulk.actions, f"{answer.status} for the whole request")
        return Effect(Fate.ANSWERED, answer)

    def _hold(self, bulk: "_Bulk") -> None:
        self.held.append(
            Held(bulk.who, bulk.index, bulk.body, bulk.actions, haste=self._rng.choice((0, 0, 0, 0.1, 0.5)))
        )

    def _learn_label(self, document_id: str, source: Mapping[str, Any] | None) -> None:
        if source is not None and (document_id not in self.labels or source.keys() >= set(self._key_names)):
            self.labels[document_id] = document_label(source, self._key_names)
        self.labels.setdefault(document_id, document_id)  # a deletion holds only the id

    def _note(self, sent: "_Bulk | Held", actions: Sequence[Action], text: str) -> None:
        for action in actions:
            key = self.labels.get(action.document_id or "")
            where = sent.index.name if len(self._indices) > 1 else ""
            self._story.tell(f"{where} {_shown(action)} -> {text}".lstrip(), key=key, invocation=sent.who)

    def _note_items(
        self, sent: "_Bulk | Held", actions: Sequence[Action], status: int, answer: bytes, *, late: bool = False
    ) -> None:
        when = "landing late: " if late else ""
        if status != 200:
            self._note(sent, actions, f"{when}{status} {answer.decode(errors='replace')[:300]}")
            return
        for action, item in zip(actions, read_exactly(answer).get("items", ()), strict=False):
            ((_, result),) = item.items()
            reason: Mapping[str, Any] = result.get("error", {})
            self._note(sent, [action], f"{when}{result['status']} {reason.get('reason', '')}")


@dataclass(frozen=True, slots=True)
class _Bulk:
    who: str
    index: Index
    query: str
    body: bytes
    actions: Sequence[Action]


class _Written(Enum):
    NOW = auto()
    LATER = auto()
    NEVER = auto()


_WHOLE: Mapping[Fault, Callable[[random.Random], Answer]] = {
    Fault.BUSY: refusals.busy_answer,
    Fault.THROTTLED: refusals.throttled_answer,
    Fault.BLOCKED: refusals.blocked_answer,
    Fault.MISCONFIGURED: refusals.misconfigured_answer,
}
_ITEMS: Mapping[Fault, Callable[[random.Random, str], refusals.ItemError]] = {
    Fault.ITEMS_BUSY: refusals.busy_item,
    Fault.BLOCKED: refusals.blocked_item,
    Fault.MISCONFIGURED: refusals.misconfigured_item,
}
_LOSSES: Mapping[Fault, tuple[_Written, Fate]] = {
    Fault.RESET_BEFORE: (_Written.NEVER, Fate.RESET),
    Fault.RESET_AFTER: (_Written.NOW, Fate.RESET),
    Fault.CUT: (_Written.NOW, Fate.CUT),
    Fault.HANG: (_Written.NOW, Fate.HANGS),
    Fault.HANG_HELD: (_Written.LATER, Fate.HANGS),
    Fault.HELD: (_Written.LATER, Fate.RESET),
    Fault.KILL_BEFORE: (_Written.NEVER, Fate.DIES),
    Fault.KILL_AFTER: (_Written.NOW, Fate.DIES),
    Fault.KILL_HELD: (_Written.LATER, Fate.DIES),
}


def _shown(action: Action) -> str:
    serial = "" if action.source is None else f" serial {action.source.get('serial')}"
    return f"{action.operation} version {action.version}{serial}"
