"""What happened in a schedule, in the order in which it happened: to be read when an index and its table differ."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    at: float
    text: str
    key: str | None
    invocation: str | None


@dataclass(slots=True)
class Story:
    """Events at simulated times. `violations` break the function's contract, whatever the end."""

    now: float = 0.0
    events: list[Event] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def tell(self, text: str, *, key: str | None = None, invocation: str | None = None) -> None:
        """What concerns one item has its key; what neither has a key nor belongs to an invocation concerns all."""
        self.events.append(Event(self.now, text, key, invocation))

    def accuse(self, text: str, *, invocation: str | None = None) -> None:
        self.violations.append(f"{invocation}: {text}")
        self.tell(f"VIOLATION: {text}", invocation=invocation)

    def of_key(self, key: str, began: float) -> str:
        """The key's story: its writes, records, requests, answers, and how the invocations that dealt with it ended."""
        involved = {event.invocation for event in self.events if event.key == key}
        return _write(
            [
                event
                for event in self.events
                if event.key == key or (event.key is None and event.invocation in {None, *involved})
            ],
            began,
        )

    def end(self, began: float) -> str:
        """The last of what happened to any key."""
        return _write(self.events[-150:], began)


def _write(events: list[Event], began: float) -> str:
    """One line an event: seconds since the beginning of the schedule, who, and what."""
    return "\n".join(
        f"{event.at - began:10.2f} s  {event.invocation or '':14}  {event.key or '':8}  {event.text}"
        for event in events
    )
