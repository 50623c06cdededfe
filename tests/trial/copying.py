"""What a trial copies: the files of the repository that Terraform needs, and no setting of yours.

A *.tfvars file of yours could give another name, an override file or a backend block another state: the trial would
then work on what is yours, and destroy it.
"""

import re
import subprocess
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

from trial.errors import TrialError

FILES = {
    "products": ("domain.tf", "main.tf", "mapping.json", "outputs.tf", "provider.tf", "variables.tf", "versions.tf")
}
"""The files of each example that a trial supports: what is copied where git can't list them."""

_MODULE_FILES = ("*.tf", "modules/*/*.tf", "lambda/dist/*.zip")
_SETTINGS = ("*.tfvars*", "*.tf.json", "*override*", "*.tfstate*", "*.tofu*")
_STATE_ELSEWHERE = re.compile(r'\bbackend\s+"?[\w-]+"?\s*\{|\bcloud\s*\{')


def needed(repository: Path, example: str) -> Sequence[Path]:
    """Return the files to copy.

    Raises:
        TrialError: one of them holds settings, or keeps Terraform's state elsewhere.
    """
    here = f"examples/{example}"
    tracked = _tracked(repository)
    names = list(_known(repository, example)) if tracked is None else tracked
    wanted = [
        name for name in names if name.startswith(f"{here}/") or any(_matches(name, each) for each in _MODULE_FILES)
    ]
    for name in wanted:
        if any(fnmatch(PurePosixPath(name).name.lower(), setting) for setting in _SETTINGS):
            raise TrialError(f"{name} holds settings, which a trial never takes: remove it from the repository")
    files = [repository / name for name in wanted if not name.endswith(".md") and (repository / name).is_file()]
    for file in files:
        place = file.relative_to(repository)
        if file.suffix == ".tf" and _STATE_ELSEWHERE.search(file.read_text(encoding="utf-8")):
            raise TrialError(f"{place} has a backend or cloud block: remove it, a trial's state must be its own")
    return files


def _matches(name: str, pattern: str) -> bool:
    """Whether the pattern is of this name; as in a shell, a star matches no slash."""
    return name.count("/") == pattern.count("/") and PurePosixPath(name).match(pattern)


def _tracked(repository: Path) -> list[str] | None:
    """Return what git lists; None if the repository is no checkout, as an unpacked archive."""
    try:
        if not (repository / ".git").exists():
            return None
        done = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return [name for name in done.stdout.split("\0") if name]


def _known(repository: Path, example: str) -> Iterator[str]:
    """Yield the names that are known without git."""
    for name in FILES[example]:
        yield f"examples/{example}/{name}"
    for pattern in _MODULE_FILES:
        yield from (file.relative_to(repository).as_posix() for file in sorted(repository.glob(pattern)))
