"""Records what happened in a schedule, in order, for the reader of a failed run."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Event:
    at: float
    text: str
    key: str | None
    invocation: str | None


@dataclass(slots=True)
class Story:
    """Events at simulated times. `violations` break the function's contract, even if index and table are equal."""

    now: float = 0.0
    events: list[Event] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def tell(self, text: str, *, key: str | None = None, invocation: str | None = None) -> None:
        """Record an event. Its key is the item's; without a key and an invocation, it concerns all items."""
        self.events.append(Event(self.now, text, key, invocation))

    def accuse(self, text: str, *, invocation: str | None = None) -> None:
        self.violations.append(f"{invocation}: {text}")
        self.tell(f"VIOLATION: {text}", invocation=invocation)

    def of_key(self, key: str, began: float) -> str:
        """Return a key's story: its writes, records, requests and answers, and how the invocations involved ended."""
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
        """Return the last events of all keys."""
        return _write(self.events[-150:], began)


def _write(events: list[Event], began: float) -> str:
    """Write a line for each event: seconds since the schedule began, invocation, key and text."""
    return "\n".join(
        f"{event.at - began:10.2f} s  {event.invocation or '':14}  {event.key or '':8}  {event.text}"
        for event in events
    )
