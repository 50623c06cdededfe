"""Finds a JDK on this machine that an engine can run on."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from engines.errors import EngineError

# Else a JVM writes a file into the system's temporary folder, whatever TMPDIR says, and it stays after a kill.
WITHOUT_PERFORMANCE_FILE = "-XX:-UsePerfData"


@dataclass(frozen=True, slots=True)
class Jdk:
    home: Path
    major: int

    @property
    def java(self) -> Path:
        return self.home / "bin/java"

    @property
    def keytool(self) -> Path:
        return self.home / "bin/keytool"


def find_jdk(
    *, oldest: int, newest: int | None = None, fits: Callable[[Path], bool] = lambda _home: True, whom: str
) -> Jdk:
    """Return the first JDK that fits: JAVA_HOME's, that of `java` on PATH, then the oldest in the usual folders.

    `fits` may refuse a folder for a reason other than its version; `whom` names the program that needs it, for errors.
    """
    preferred = [jdk for home in _preferred_homes() if (jdk := _read_jdk(home))]
    usual = sorted((jdk for home in _usual_homes() if (jdk := _read_jdk(home))), key=lambda jdk: jdk.major)
    for jdk in [*preferred, *usual]:
        if oldest <= jdk.major <= (newest or jdk.major) and fits(jdk.home):
            return jdk
    wanted = f"{oldest} or later" if newest is None else f"{oldest} to {newest}"
    found = ", ".join(sorted({f"{jdk.major} in {jdk.home}" for jdk in [*preferred, *usual]})) or "none"
    raise EngineError(
        f"{whom} needs a JDK {wanted}; found: {found}. Install one (apt-get install openjdk-17-jdk-headless, "
        "brew install openjdk@21) or set JAVA_HOME"
    )


def _read_jdk(home: Path) -> Jdk | None:
    try:
        release = (home / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    version = re.search(r'^JAVA_VERSION="(\d+)', release, re.MULTILINE)
    if version is None or not os.access(home / "bin/java", os.X_OK) or not (home / "bin/keytool").exists():
        return None
    return Jdk(home, int(version[1]))


def _preferred_homes() -> Iterator[Path]:
    if home := os.environ.get("JAVA_HOME"):
        yield Path(home)
    if java := shutil.which("java"):
        yield Path(java).resolve().parents[1]


def _usual_homes() -> Iterator[Path]:
    yield from Path("/usr/lib/jvm").glob("*")
    yield from Path("/Library/Java/JavaVirtualMachines").glob("*/Contents/Home")
    yield from Path.home().glob("Library/Java/JavaVirtualMachines/*/Contents/Home")
    yield from Path.home().glob(".sdkman/candidates/java/*")
    if brew := shutil.which("brew"):
        yield from (Path(brew).parents[1] / "opt").glob("openjdk*/libexec/openjdk.jdk/Contents/Home")
