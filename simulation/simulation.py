"""Runs one schedule: moves the clock, invokes the function, and decides request by request what goes on next.

Everything waits for its turn: an invocation runs until it sends a request or returns; then the seed chooses among all
waiting requests, idle lanes and held requests. So concurrent invocations interleave at random, and the same way for the
same seed, as long as the function itself is deterministic."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from simulation.comparison import Difference, Kind, compare, compare_projected
from simulation.dead_letters import DeadLetterQueue
from simulation.faults import ReadFault
from simulation.index import Index
from simulation.invocation import Invocation, Room
from simulation.items import CONTENT_MARK
from simulation.network import Call, Network, Request
from simulation.poller import EventSourceMapping, Lane
from simulation.projections import to_indices
from simulation.proxy import Effect, Fate, Proxy
from simulation.sandbox import Forge
from simulation.schedule import Consumer, Schedule
from simulation.story import Story
from simulation.table import Table

Turn: TypeAlias = tuple[float, Callable[[], None]]

# Longest wait for an invocation that computes, sleeps or hangs: without waiting, turns would depend on the machine.
_PATIENCE_SECONDS = 5.0
# Wait for an invocation's second request, on another connection or to the table: for the same reason.
_STRAGGLER_SECONDS = 0.006
# Real time after which an invocation is ended, as Lambda's time-out would end it.
_LONGEST_INVOCATION_SECONDS = 60.0
# Failed invocations in a row, with no fault left to strike, after which no more progress is expected.
_PATIENT_INVOCATIONS = 12


@dataclass(frozen=True, slots=True)
class Outcome:
    seed: int
    differences: list[Difference]
    story: Story
    began: float
    invocations: int
    requests: int
    seconds: float


def run_schedule(schedule: Schedule, forge: Forge, opensearch_url: str, index_name: str) -> Outcome:
    """Drive the function through the schedule, and compare index and table at the end.

    If the schedule has projections, `index_name` begins the names of their indices."""
    names = [f"{index_name}-{projection.name}" for projection in schedule.projections] or [index_name]
    simulation = _Simulation(schedule, forge, index_name, [Index(opensearch_url, name) for name in names])
    try:
        return simulation.run()
    finally:
        simulation.close()


class _Simulation:
    def __init__(self, schedule: Schedule, forge: Forge, index_name: str, indices: list[Index]) -> None:
        self._schedule = schedule
        self._forge = forge
        self._index_name = index_name
        self._indices = indices
        self._rng = random.Random(f"turns of {schedule.seed}")
        history = schedule.history
        self._began = history.times[0]
        self._story = Story(self._began - 1)
        self._network = Network()
        self._table = Table(history, self._rng, self._story)
        self._queue = DeadLetterQueue(history.key_names, self._rng, self._story)
        self._proxy = Proxy(indices, history.key_names, schedule.faults, self._rng, self._story)
        self._waiting_consumers = list(schedule.consumers)
        self._mappings: list[EventSourceMapping] = []
        self._rooms: list[Room] = []  # warm and free
        self._invocations: list[Invocation] = []
        self._invoked = 0
        self._requests = 0
        self._failed_in_vain = 0

    def run(self) -> Outcome:
        started = time.monotonic()
        while not self._is_over():
            self._open_mappings()
            self._listen()
            if turns := self._turns():
                weights, actions = zip(*turns, strict=True)
                self._rng.choices(actions, weights)[0]()
                self._move_clock(self._story.now + self._rng.choice((0, 0, 0, 0.01, 0.2, 1.5)))
            if self._failed_in_vain > _PATIENT_INVOCATIONS:
                return self._outcome(
                    [Difference(Kind.STUCK, None, f"{self._failed_in_vain} failures in a row")], started
                )
        while self._proxy.held:
            self._proxy.land(self._rng.choice(self._proxy.held))
        return self._outcome(self._compare(), started)

    def _compare(self) -> list[Difference]:
        history, faults = self._schedule.history, self._schedule.faults
        if not self._schedule.projections:
            [index] = self._indices
            return compare(history, index.documents(self._proxy.labels), self._queue.keys[index.name])
        is_calm = not (faults.rate or faults.read_rate or faults.max_body_bytes)
        return [
            difference
            for index, projection in zip(self._indices, self._schedule.projections, strict=True)
            for difference in compare_projected(
                history,
                index.documents({**self._proxy.labels, **history.ids}),
                self._queue.keys[index.name],
                projection,
                is_calm=is_calm,
            )
        ]

    def close(self) -> None:
        for invocation in self._invocations:
            self._end_room(invocation.room)
        for room in self._rooms:
            self._end_room(room)
        self._network.close()
        for index in self._indices:
            index.close()

    def _outcome(self, differences: list[Difference], started: float) -> Outcome:
        differences = differences + [Difference(Kind.VIOLATION, None, text) for text in self._story.violations]
        seconds = time.monotonic() - started
        return Outcome(
            self._schedule.seed, differences, self._story, self._began, self._invoked, self._requests, seconds
        )

    def _is_over(self) -> bool:
        is_drained = all(mapping.is_drained for mapping in self._mappings)
        return self._has_ended and is_drained and not (self._invocations or self._waiting_consumers)

    # What may happen next: each turn with its weight.

    def _turns(self) -> list[Turn]:
        requests, urgent = self._request_turns()
        if urgent:
            return urgent
        turns = requests
        turns += [
            (2.0, partial(self._invoke, mapping, lane))
            for mapping in self._mappings
            for lane in mapping.ready_lanes(self._story.now)
        ]
        turns += [(held.haste, partial(self._proxy.land, held)) for held in self._proxy.held if held.haste]
        if not self._has_ended:
            turns.append((1.0, self._pass_time))
        elif turns:
            turns.append((0.1, self._idle))
        return turns

    def _request_turns(self) -> tuple[list[Turn], list[Turn]]:
        """Return the turns of all requests, and those that must come before a client's time-out strikes unplanned."""
        turns: list[Turn] = []
        urgent: list[Turn] = []
        overdue = time.monotonic() - self._schedule.settings.request_timeout_seconds / 3
        for invocation in self._invocations:
            room = invocation.room
            waiting = [
                (request, partial(self._handle, invocation, request)) for request in sorted(room.waiting, key=_text_of)
            ]
            handled = [
                (request, partial(self._deliver, room, request, effect))
                for request, effect in room.undelivered
                if effect.fate is not Fate.HANGS
            ]
            for request, action in [*waiting, *handled]:
                turns.append((4.0, action))
                if request.received_at < overdue:
                    urgent.append((4.0, action))
        return turns, urgent

    def _pass_time(self) -> None:
        """Move the clock to one of the next writes."""
        upcoming = [at for at in self._schedule.history.times if at > self._story.now]
        self._move_clock(upcoming[min(int(self._rng.expovariate(0.7)), len(upcoming) - 1)])

    def _idle(self) -> None:
        self._move_clock(self._story.now + self._rng.uniform(0.5, 3) * self._schedule.settings.conflict_window_seconds)

    def _move_clock(self, to: float) -> None:
        for change in self._schedule.history.changes:
            if self._story.now < change.at <= to:
                what = "deleted" if change.item is None else f"written, serial {change.item['serial']['N']}"
                self._story.tell(f"{what}, stamp {change.stamp}, at {change.at:.2f}", key=change.key)
        self._story.now = to

    def _open_mappings(self) -> None:
        for consumer in [c for c in self._waiting_consumers if self._may_begin(c)]:
            self._waiting_consumers.remove(consumer)
            self._mappings.append(EventSourceMapping(consumer, self._schedule.history.streams[consumer.stream]))

    def _may_begin(self, consumer: Consumer) -> bool:
        """Whether its time has come or nothing else is left to do, and the earlier stream is done or may overlap."""
        is_idle = not self._invocations and all(mapping.is_drained for mapping in self._mappings)
        if consumer.begins_after > self._invoked and not (is_idle and self._has_ended):
            return False
        if consumer.stream == 0 or self._schedule.streams_overlap:
            return True
        return any(m.is_drained for m in self._mappings if m.consumer.stream == consumer.stream - 1)

    @property
    def _has_ended(self) -> bool:
        """Whether the last write has happened."""
        return self._story.now >= self._schedule.history.times[-1]

    # Invocations.

    def _invoke(self, mapping: EventSourceMapping, lane: Lane) -> None:
        batch = mapping.take_batch(lane, self._story.now, self._rng)
        self._invoked += 1
        invocation = Invocation(
            f"invocation {self._invoked}", self._enter_room(), mapping, lane, batch, time.monotonic()
        )
        self._invocations.append(invocation)
        for record in batch:
            data = record.event["dynamodb"]
            image = data.get("NewImage", {}).get("serial", {}).get("N", "unknown")
            stamp = f"stamp {data['ApproximateCreationDateTime']}, number {record.sequence_number}"
            text = f"gets {record.event['eventName']}, serial {image}, {stamp}"
            self._story.tell(text, key=record.key, invocation=invocation.name)
        invocation.room.sandbox.invoke(
            {"Records": [record.event for record in batch]},
            request_id=invocation.name.replace(" ", "-"),
            remaining_seconds=self._rng.choice((1, 3, 15, 120)),
        )
        for running in self._mappings:
            if self._invoked in running.consumer.restarts_after:
                self._story.tell("a poller restarts from older checkpoints")
                running.restart(self._rng)

    def _enter_room(self) -> Room:
        """Take a warm sandbox, or start one. Sometimes a warm one was recycled, or its idle connections were closed."""
        while self._rooms:
            room = self._rooms.pop(self._rng.randrange(len(self._rooms)))
            if self._rng.random() < 0.07:
                self._end_room(room)
                continue
            if self._rng.random() < 0.1:
                for connection in list(room.door.connections):
                    self._network.hang_up(connection)
            return room
        waiting: list[Request] = []
        door = self._network.open_door(waiting.append)
        sandbox = self._forge.start(
            {
                **self._schedule.settings.environment(),
                "AWS_ENDPOINT_URL_DYNAMODB": door.url,
                "AWS_ENDPOINT_URL_SQS": door.url,
                **self._names_of_indices(),
                "OPENSEARCH_ENDPOINT": door.url,
                "TABLE_KEYS": ",".join(self._schedule.history.key_names),
            }
        )
        room = Room(sandbox, door, waiting)
        self._network.watch(sandbox.pipe, partial(self._finish, room))
        return room

    def _names_of_indices(self) -> dict[str, str]:
        if not self._schedule.projections:
            return {"INDEX": self._index_name}
        return {"INDEX": "", "INDICES": to_indices(self._schedule.projections, self._index_name)}

    def _end_room(self, room: Room) -> None:
        self._network.unwatch(room.sandbox.pipe)
        room.sandbox.end()
        self._network.close_door(room.door)

    def _finish(self, room: Room) -> None:
        """Handle an invocation whose function has returned, raised or died."""
        invocation = next(i for i in self._invocations if i.room is room)
        result = room.sandbox.result()
        if result is None:
            self._die(invocation, "died of itself, or of its time-out")
            return
        leaves_a_request = any(not request.client_gone for request in room.waiting)
        self._leave(invocation)
        before = invocation.lane.checkpoint
        if "error" in result:
            error = result["error"]
            self._story.tell(f"raises {error['errorType']}: {error['errorMessage']}", invocation=invocation.name)
            invocation.lane.fail(bisect=invocation.mapping.consumer.bisects)
        else:
            self._story.tell(f"returns {result['response']}", invocation=invocation.name)
            invocation.lane.succeed(result["response"])
        calm = self._proxy.budget <= 0 or not (self._schedule.faults.rate or self._schedule.faults.read_rate)
        self._failed_in_vain = self._failed_in_vain + 1 if calm and invocation.lane.checkpoint == before else 0
        if leaves_a_request:
            self._story.accuse(
                "returned with a request under way: Lambda freezes it half-way", invocation=invocation.name
            )
        self._rooms.append(room)

    def _die(self, invocation: Invocation, why: str) -> None:
        self._story.tell(why, invocation=invocation.name)
        self._leave(invocation)
        self._end_room(invocation.room)
        invocation.lane.fail(bisect=invocation.mapping.consumer.bisects)

    def _leave(self, invocation: Invocation) -> None:
        """End an invocation. Its requests still on the wire get lost, or land later."""
        self._invocations.remove(invocation)
        room = invocation.room
        log = room.sandbox.take_log()
        if CONTENT_MARK in log:
            self._story.accuse(f"logged an item's content: {log}", invocation=invocation.name)
        for line in log.splitlines():
            self._story.tell(f"logs {line[:300]}", invocation=invocation.name)
        for request in room.waiting:
            if not _is_aws(request.call) and self._rng.random() < 0.7:
                self._proxy.hold(request.call, invocation.name)
        room.waiting.clear()
        room.undelivered.clear()

    # Requests.

    def _listen(self) -> None:
        """Listen until every invocation waits for a turn, has returned, or has been quiet for long."""
        quiet_since = time.monotonic()
        while True:
            while self._network.listen(0):
                quiet_since = time.monotonic()
            self._tidy()
            can_go_on = bool(self._turns())
            if not can_go_on and not self._invocations:
                return
            if can_go_on and not any(i.is_busy for i in self._invocations):
                if not (self._invocations and self._network.listen(_STRAGGLER_SECONDS)):
                    return
            elif not self._network.listen(0.02) and can_go_on and time.monotonic() - quiet_since > _PATIENCE_SECONDS:
                return

    def _tidy(self) -> None:
        """Hang up on clients that have given up waiting, and end invocations that run for too long."""
        for invocation in list(self._invocations):
            room = invocation.room
            for waiter in [w for w in room.undelivered if w[0].client_gone]:
                room.undelivered.remove(waiter)
                self._network.hang_up(waiter[0].connection)
            if time.monotonic() - invocation.began > _LONGEST_INVOCATION_SECONDS:
                self._die(invocation, "ends by Lambda's time-out")

    def _handle(self, invocation: Invocation, request: Request) -> None:
        room = invocation.room
        room.waiting.remove(request)
        self._requests += 1
        who = invocation.name
        effect = self._serve_aws(request.call, who) if _is_aws(request.call) else self._proxy.handle(request.call, who)
        if effect.fate is Fate.DIES:
            self._die(invocation, "dies")
        elif effect.fate is Fate.HANGS or self._rng.random() < 0.3:
            room.undelivered.append((request, effect))
        else:
            self._send(request, effect)

    def _serve_aws(self, call: Call, who: str) -> Effect:
        fault = None
        if self._proxy.budget > 0 and self._rng.random() < self._schedule.faults.read_rate:
            self._proxy.budget -= 1
            fault = self._rng.choice(list(ReadFault))
            self._story.tell(f"{call.headers['x-amz-target']}: {fault}", invocation=who)
        if fault is ReadFault.RESET:
            return Effect(Fate.RESET)
        if fault is ReadFault.KILL:
            return Effect(Fate.DIES)
        service = self._table if call.headers["x-amz-target"].startswith("DynamoDB") else self._queue
        return Effect(Fate.ANSWERED, service.answer(call, who, fault))

    def _deliver(self, room: Room, request: Request, effect: Effect) -> None:
        room.undelivered.remove((request, effect))
        self._send(request, effect)

    def _send(self, request: Request, effect: Effect) -> None:
        if effect.fate is Fate.RESET or effect.answer is None:
            self._network.reset(request.connection)
        elif effect.fate is Fate.CUT:
            self._network.answer(request, effect.answer, cut_after=self._rng.randint(1, 120))
        else:
            self._network.answer(request, effect.answer)
            if effect.fate is Fate.ANSWERED_THEN_CLOSED:
                self._network.hang_up(request.connection)


def _text_of(request: Request) -> bytes:
    """Order requests of two connections by their text: their arrival has no fixed order."""
    return request.call.body


def _is_aws(call: Call) -> bool:
    return "x-amz-target" in call.headers
