"""Runs a drill's parts: a healthy stack at the beginning, a look at the alarms, and the proof at the end."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from drills.alarms import ALARMS
from drills.capture import Recording, recording
from drills.errors import DrillError
from drills.narration import Narration
from drills.shell import Shell, command_line
from drills.sides import FailureQueue, product
from drills.stack import Engines, Stack, open_stack


@dataclass(frozen=True, slots=True)
class Form:
    """The size and the length of a drill."""

    items: int
    outage_seconds: float
    how: tuple[str, ...]
    """Options of the command's jobs."""

    @property
    def patience(self) -> tuple[str, ...]:
        """Options of commands that compare: this sync lags only for a moment."""
        return (*self.how, "--patience", "1")


SHORT = Form(items=60, outage_seconds=3, how=("--processes", "1", "--segments", "8"))
LONG = Form(items=1200, outage_seconds=75, how=())


class Synced(Protocol):
    """A sync whose index is proved equal: a ``Stack`` or a ``Deployment``."""

    shell: Shell
    queue: FailureQueue

    def command(self, *arguments: str) -> tuple[str, ...]:
        """Return a command's arguments with the name of the function."""


class Stage:
    """The stage of one drill."""

    def __init__(
        self,
        engines: Engines,
        narration: Narration,
        form: Form,
        folder: Path,
        *,
        name: str = "products",
        recorded: Recording | None = None,
    ) -> None:
        """Set up the stage; nothing runs yet.

        Args:
            name: name of the table, the index and all other parts.
            recorded: gets the screens of ``status --watch``.
        """
        self.engines = engines
        self.narration = narration
        self.form = form
        self.folder = folder
        self.name = name
        self.broken_at = 0.0
        """When something broke last, by ``time.monotonic``."""
        self._recorded = recorded
        self._healthy_since = 0.0
        self._operator: Sequence[str] = ()

    @contextmanager
    def healthy(
        self,
        *,
        variables: Mapping[str, str] | None = None,
        index: str | None = None,
        operator: Sequence[str] = (),
        **body: Any,
    ) -> Iterator[Stack]:
        """Yield a sync that follows its table, as ``verify`` shows.

        Args:
            variables: the function's variables, besides the usual ones.
            index: the index's own name, if the sync's name is an alias.
            operator: options that the operator adds to ``verify``.
            body: more of the index's definition.
        """
        self._operator = operator
        self.chapter("A healthy sync")
        with (
            open_stack(self.engines, self.narration, self.folder, self.name, variables or {}) as stack,
            ExitStack() as watching,
        ):
            items = self.form.items
            with self.narration.step(f"Table, stream, function, queue, index; {items:,} items"):
                stack.index.create(index, **body)
                stack.start()
                if self._recorded:
                    watching.enter_context(self._watch(stack, self._recorded))
                stack.fill(items)
                stack.catch_up()
            self.prove(stack)
            self._healthy_since = time.monotonic()
            stack.table.put(product(1, price={"N": "0.99"}))  # so that metrics are those of a warm function
            stack.catch_up()
            yield stack

    def breaking(self, what: str) -> None:
        """Print the heading of what goes wrong. Metrics count from here on."""
        self.chapter(what)
        if self.broken_at:
            self._healthy_since = time.monotonic()
        self.broken_at = time.monotonic()

    def look(self, stack: Stack, alarm: str) -> None:
        """Wait until an alarm's metric has risen since something broke, and show it.

        Raises:
            DrillError: it doesn't rise.
        """
        rule = ALARMS[alarm]

        def values() -> tuple[float, float]:
            if rule.metric == "ApproximateNumberOfMessagesVisible":
                return 0, stack.queue.depth
            return self.moved(stack, alarm)

        def has_moved() -> bool:
            healthy, now = values()
            return now > healthy

        stack.until(has_moved, f"{rule.metric} has risen", 60)
        self.tell_alarm(alarm, *values())

    def moved(self, stack: Stack, alarm: str) -> tuple[float, float]:
        """Return a metric's values while all was well, and since something broke."""
        rule = ALARMS[alarm]
        healthy = rule.value(stack.metrics, self._healthy_since, self.broken_at)
        return healthy, rule.value(stack.metrics, self.broken_at)

    def tell_alarm(self, alarm: str, before: float, now: float) -> None:
        """Show a metric's two values."""
        rule = ALARMS[alarm]
        text = f"{rule.metric} {rule.shown(before)} → {rule.shown(now)} (threshold {rule.shown(rule.threshold)})"
        self.narration.alarm(alarm, text, fires=now >= rule.threshold)

    def quiet(self, stack: Stack, alarm: str, since: float) -> None:
        """Show that a metric has no values: the alarm treats missing data as breaching.

        Raises:
            DrillError: it has values.
        """
        rule = ALARMS[alarm]
        if values := stack.metrics.values(rule.metric, since):
            raise DrillError(f"{rule.metric} still has {len(values)} values")
        before = len(stack.metrics.values(rule.metric, 0, since))
        text = f"{rule.metric}: {before} values until then, none since; missing data alarms"
        self.narration.alarm(alarm, text, fires=True)

    def fix(self, how: str) -> None:
        """Print the heading of how it is ended."""
        self.chapter(how)

    def prove(self, stack: Synced) -> None:
        """Show that there is no difference.

        Raises:
            DrillError: there is a difference.
        """
        stack.shell.run(*stack.command("verify"), *self._operator, *self.form.patience)

    def without_dead_letters(self, stack: Synced) -> None:
        """Show that nothing was set aside.

        Raises:
            DrillError: there are dead letters.
        """
        if depth := stack.queue.depth:
            raise DrillError(f"{depth} dead letters are waiting, expected none")
        self.narration.say("Dead letters: none.")

    def chapter(self, title: str) -> None:
        """Print a heading."""
        self.narration.chapter(title)
        if self._recorded:
            self._recorded.begin_chapter(title)

    def _watch(self, stack: Stack, recorded: Recording) -> AbstractContextManager[None]:
        command = command_line(*stack.command("status", "--watch"), *self._operator)
        return recording(command, self.folder, stack.shell.environment, recorded)
