"""Where a drill is played: a healthy stack to begin with, alarms to be looked at, and the proof at the end."""

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
    """How long a drill is."""

    items: int
    outage_seconds: float
    how: tuple[str, ...]
    """Options of the command's jobs."""

    @property
    def patience(self) -> tuple[str, ...]:
        """Options of what compares: this sync lags for a moment only."""
        return (*self.how, "--patience", "1")


SHORT = Form(items=60, outage_seconds=3, how=("--processes", "1", "--segments", "8"))
LONG = Form(items=1200, outage_seconds=75, how=())


class Synced(Protocol):
    """What has an index to be proved equal: a ``Stack``, or a ``Deployment``."""

    shell: Shell
    queue: FailureQueue

    def command(self, *arguments: str) -> tuple[str, ...]:
        """A command's arguments with the name of the function."""


class Stage:
    """One drill's."""

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
        """Play nothing yet.

        Args:
            name: of table, index and all the rest.
            recorded: gets what ``status --watch`` shows meanwhile.
        """
        self.engines = engines
        self.narration = narration
        self.form = form
        self.folder = folder
        self.name = name
        self.broken_at = 0.0
        """By ``time.monotonic``."""
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
        """A sync that follows its table, as ``verify`` shows.

        Args:
            variables: of the function, beside those that every one has.
            index: the index's own name, if the sync's is an alias.
            operator: options that whoever is on call adds to ``verify``.
            body: of the index's definition.
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
            stack.table.put(product(1, price={"N": "0.99"}))  # for metrics of a function that is warm
            stack.catch_up()
            yield stack

    def breaking(self, what: str) -> None:
        """The heading of what goes wrong. From here on metrics count."""
        self.chapter(what)
        if self.broken_at:
            self._healthy_since = time.monotonic()
        self.broken_at = time.monotonic()

    def look(self, stack: Stack, alarm: str) -> None:
        """Wait until an alarm's metric has risen since something broke, and show it.

        Raises:
            DrillError: it doesn't.
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
        """A metric's values while all was well, and since something broke."""
        rule = ALARMS[alarm]
        healthy = rule.value(stack.metrics, self._healthy_since, self.broken_at)
        return healthy, rule.value(stack.metrics, self.broken_at)

    def tell_alarm(self, alarm: str, before: float, now: float) -> None:
        """Show a metric's two values."""
        rule = ALARMS[alarm]
        text = f"{rule.metric} {rule.shown(before)} → {rule.shown(now)} (threshold {rule.shown(rule.threshold)})"
        self.narration.alarm(alarm, text, fires=now >= rule.threshold)

    def quiet(self, stack: Stack, alarm: str, since: float) -> None:
        """Show that a metric has no values: the alarm takes missing data as breaching.

        Raises:
            DrillError: it has some.
        """
        rule = ALARMS[alarm]
        if values := stack.metrics.values(rule.metric, since):
            raise DrillError(f"{rule.metric} still has {len(values)} values")
        before = len(stack.metrics.values(rule.metric, 0, since))
        text = f"{rule.metric}: {before} values until then, none since; missing data alarms"
        self.narration.alarm(alarm, text, fires=True)

    def fix(self, how: str) -> None:
        """The heading of its mending."""
        self.chapter(how)

    def prove(self, stack: Synced) -> None:
        """No difference.

        Raises:
            DrillError: there is one.
        """
        stack.shell.run(*stack.command("verify"), *self._operator, *self.form.patience)

    def without_dead_letters(self, stack: Synced) -> None:
        """Nothing was set aside.

        Raises:
            DrillError: something was.
        """
        if depth := stack.queue.depth:
            raise DrillError(f"{depth} dead letters wait, expected none")
        self.narration.say("Dead letters: none.")

    def chapter(self, title: str) -> None:
        """A heading."""
        self.narration.chapter(title)
        if self._recorded:
            self._recorded.begin_chapter(title)

    def _watch(self, stack: Stack, recorded: Recording) -> AbstractContextManager[None]:
        command = command_line(*stack.command("status", "--watch"), *self._operator)
        return recording(command, self.folder, stack.shell.environment, recorded)
