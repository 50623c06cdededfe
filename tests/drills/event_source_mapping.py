"""Does what Lambda does between a stream and a function: batches, checkpoints, retries, bisecting, metrics."""

import threading
import time
import uuid
from collections.abc import Callable

from drills.function import Function, Invocation
from drills.metrics import Metrics
from drills.stream import Stream
from simulation.poller import Batch, Lane, first_to_retry

_PAUSE_SECONDS = 0.03
_LONGEST_BACKOFF_SECONDS = 2.0

OnInvoked = Callable[[list[str], float], None]


class EventSourceMapping:
    """Reads one stream for one function, batch after batch, with unlimited retries, as the module configures it.

    ``simulation.poller``, the model of AWS, decides how batches are cut, retried and bisected.
    """

    def __init__(
        self,
        stream: Stream,
        function: Function,
        metrics: Metrics,
        *,
        on_invoked: OnInvoked,
        batch_size: int = 100,
        latest: bool = False,
    ) -> None:
        """Begin to read.

        Args:
            on_invoked: called with the lines that an invocation printed, and with the iterator age in seconds.
            latest: whether it begins with new records (LATEST), or with the oldest (TRIM_HORIZON).
        """
        self.uuid = str(uuid.uuid4())
        self.function = function
        self.stream = stream
        self.enabled = True
        self.last_result = "No records processed"
        self._metrics = metrics
        self._on_invoked = on_invoked
        self._batch_size = batch_size
        self._lane = Lane(stream.records, position=len(stream.records) if latest else stream.trimmed)
        self._failures = 0
        self._working = False
        self._busy = threading.Lock()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    @property
    def is_drained(self) -> bool:
        """Whether every record of the stream is done."""
        return self._lane.checkpoint >= len(self.stream.records) and not self._working

    @property
    def waiting(self) -> int:
        """How many records of the stream aren't done."""
        return len(self.stream.records) - self._lane.checkpoint

    def enable(self) -> None:
        """Go on from the checkpoint, or from the oldest record that the stream still has."""
        self._lane.position = max(self._lane.checkpoint, self.stream.trimmed)
        self._lane.retries.clear()
        self.enabled = True

    def disable(self) -> None:
        """Stop reading; an invocation under way finishes first."""
        self.enabled = False
        with self._busy:
            pass

    def end(self) -> None:
        """Delete the mapping and close its function."""
        self.enabled = False
        self._ended.set()
        self._thread.join()
        self.function.close()

    def _follow(self) -> None:
        while not self._ended.wait(_PAUSE_SECONDS):
            with self._busy:
                if self.enabled:
                    self._poll()
            if self._failures:
                self._ended.wait(min(0.1 * 2**self._failures, _LONGEST_BACKOFF_SECONDS))

    def _poll(self) -> None:
        now = time.time()
        self._metrics.add("PolledEventCount", 0)  # the heartbeat, even without records
        if not self._lane.has_batch(now):
            return
        self._working = True
        batch = self._lane.take_batch(now, self._batch_size, regroup=False)
        age_seconds = max(time.time() - batch[-1].at, 0)
        invocation = self.function.invoke({"Records": [record.event for record in batch]})
        undone = self._conclude(batch, invocation)
        self._measure(len(batch), undone, age_seconds, invocation)
        self._working = False
        self._on_invoked(invocation.lines, age_seconds)

    def _conclude(self, batch: Batch, invocation: Invocation) -> int:
        """Note the result of a batch, and return how many of its records must be retried."""
        if invocation.error is not None:
            self._lane.fail(bisect=True)
            self._failures += 1
            self.last_result = "PROBLEM: Function call failed"
            return len(batch)
        self._lane.succeed(invocation.response)
        self._failures = 0
        undone = len(batch) - first_to_retry(batch, invocation.response)
        self.last_result = "PROBLEM: Function call failed" if undone else "OK"
        return undone

    def _measure(self, records: int, undone: int, age_seconds: float, invocation: Invocation) -> None:
        add = self._metrics.add
        add("PolledEventCount", records)
        add("InvokedEventCount", records)
        add("FailedInvokeEventCount", undone)
        add("IteratorAge", age_seconds * 1000)
        add("Duration", invocation.seconds * 1000)
        add("Errors", invocation.error is not None)
        for line in invocation.lines:
            self._metrics.add_line(line)
