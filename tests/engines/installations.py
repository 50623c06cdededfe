"""Makes installations: fetched once, shared by all runs, and used only when complete."""

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from engines.home import home_folder, locked
from engines.interrupts import interrupts_deferred
from engines.processes import end_family

COMPLETE = ".complete"  # its modification time is the time of the latest use
UNUSED_SECONDS = 7 * 24 * 3600

Announce = Callable[[str], None]


def silent(_message: str) -> None:
    """Announce nothing."""


def installation(
    name: str, ingredients: Iterable[str | bytes], build: Callable[[Path], None], announce: Announce = silent
) -> Path:
    """Return the folder that `build` fills; it is built unless it exists already.

    The folder's name has a fingerprint of the ingredients, which decide its content: if one changes, another folder is
    built. It is built in place, since virtual environments can't be moved, and counts only once its marker exists.
    """
    folder = home_folder("installed") / f"{name}-{fingerprint(ingredients)}"
    marker = folder / COMPLETE
    if marker.exists():
        marker.touch()
        return folder
    with locked(folder.name, lambda: announce(f"waiting for another process that is fetching {name}")):
        if not marker.exists():
            end_family(folder)  # what a killed attempt may have left running
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            folder.chmod(0o755)
            try:
                build(folder)
                marker.touch()
            except BaseException:
                with interrupts_deferred():
                    shutil.rmtree(folder, ignore_errors=True)
                raise
            _remove_unused(name)
    return folder


def fingerprint(ingredients: Iterable[str | bytes]) -> str:
    """Return a hash of all ingredients in their order, as eight hexadecimal digits."""
    digest = hashlib.sha256()
    for ingredient in ingredients:
        content = ingredient.encode() if isinstance(ingredient, str) else ingredient
        digest.update(len(content).to_bytes(8) + content)
    return digest.hexdigest()[:8]


def _remove_unused(name: str) -> None:
    """Remove installations of earlier states of the project that were unused for a week: they are large."""
    for marker in home_folder("installed").glob(f"{name}-*/{COMPLETE}"):
        if time.time() - marker.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(marker.parent, ignore_errors=True)
