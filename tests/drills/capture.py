"""Records `dynamodb-opensearch status --watch` as a terminal of 80 by 24 shows it during a drill, for the docs."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROWS, COLUMNS = 24, 80
_HOME = "\x1b[H"
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")


@dataclass(slots=True)
class Recording:
    """What was on the screen, and what the drill was doing at that time."""

    frames: list[tuple[float, str]] = field(default_factory=list)
    chapters: list[tuple[float, str]] = field(default_factory=list)

    def begin_chapter(self, title: str) -> None:
        """Note that a chapter begins now."""
        self.chapters.append((time.monotonic(), title))

    def chosen(self) -> Iterator[tuple[float, str, str]]:
        """Yield each chapter's middle and last frames: seconds since the beginning, chapter, screen."""
        ends = [at for at, _ in self.chapters[1:]] + [float("inf")]
        for (begin, title), end in zip(self.chapters, ends, strict=True):
            shown = [(at, screen) for at, screen in self.frames if begin <= at < end]
            for at, screen in dict.fromkeys(shown[len(shown) // 2 :: max(len(shown) // 2, 1)][:1] + shown[-1:]):
                yield at - self.frames[0][0], title, screen

    def write(self, path: Path, name: str) -> None:
        """Write the chosen frames as Markdown, with the command that made them."""
        parts = [
            f"# `status --watch` during the drill {name}",
            f'{COLUMNS} columns by {ROWS} rows, made by `make drill NAME={name} ARGS="--capture {path}"`.',
        ]
        for seconds, title, screen in self.chosen():
            parts += [f"## {seconds:.0f} s: {title}", f"```\n{screen}\n```"]
        path.write_text("\n\n".join(parts) + "\n", encoding="utf-8")


@contextmanager
def recording(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], recorded: Recording
) -> Iterator[None]:
    """Run the command in its own terminal and record it while the block runs."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    terminal = {"TERM": "xterm-256color", "COLUMNS": str(COLUMNS), "LINES": str(ROWS)}
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**environment, **terminal},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    reader = threading.Thread(target=_read, args=(ours, recorded), daemon=True)
    reader.start()
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()
        os.close(ours)


def _read(terminal: int, recorded: Recording) -> None:
    """Read frames until the terminal is closed. A frame is complete when the next begins."""
    text = ""
    while True:
        try:
            data = os.read(terminal, 1 << 16)
        except OSError:  # the other side is closed
            return
        if not data:
            return
        text += data.decode(errors="replace")
        *complete, text = text.split(_HOME)
        for frame in complete:
            if screen := as_text(frame):
                recorded.frames.append((time.monotonic(), screen))


def as_text(frame: str) -> str:
    """Return a frame's text without colours, trailing blanks and empty last lines."""
    return "\n".join(line.rstrip() for line in _CONTROLS.sub("", frame).split("\n")).rstrip()
