# ruff: noqa: INP001 (a script, not a package)
"""Writes where this repository is, and at which version, into every address in README, docs, modules and examples.

Until the repository has an address, its own pages call it HOST, its owner in the Terraform registry NAMESPACE, and a
version of it COMMIT.

usage: host.py [ADDRESS] [--ref REF]

ADDRESS is host and owner, such as github.com/acme; REF is what callers should pin, such as v0.1.0. What isn't given
stays as it is. At github.com the owner is also that of the address in the Terraform registry. A second run with the
same changes nothing; one with another address moves all of them there.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
NAME = "terraform-aws-dynamodb-opensearch"
PLACEHOLDER, NO_OWNER = "HOST", "NAMESPACE"
_SUFFIXES = {".hcl", ".md", ".tf", ".yml"}
_ADDRESS = re.compile(
    r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+(?::\d+)?(?:/[\w~-][\w.~-]*)+"
)
_REF = re.compile(r"v\d+\.\d+\.\d+|[0-9a-f]{40}|COMMIT")
_SOURCE = re.compile(
    rf"(?P<scheme>git(?:::|\+)https://)(?P<address>[^\s\"'`]+?)(?P<rest>/{NAME}\.git[^\s\"'`?#@]*)"
    r"(?:(?:\?ref=|@)(?P<ref>[\w./-]+)|(?P<other>[?@]))?"
)
"""Terraform's form, ``git::https://….git//FOLDER?ref=REF``, and pip's, ``git+https://….git@REF#subdirectory=FOLDER``."""

_REGISTRY = re.compile(r"(?<![\w/-])[A-Za-z0-9-]+(?=/dynamodb-opensearch/aws\b)")
"""The owner in the module's address in the Terraform registry, which is of repositories at github.com."""


class HostError(Exception):
    """An address or a ref that can't be one."""


@dataclass(frozen=True, slots=True)
class Source:
    """An address of this repository on a page."""

    path: Path
    line: int
    address: str
    ref: str | None


def checked_address(text: str) -> str:
    """An address, if it is one."""
    wrong = ""
    if "://" in text or text.startswith("git@"):
        wrong = "leave the scheme and the user out"
    elif text.endswith("/"):
        wrong = "leave the last / out"
    elif NAME in text:
        wrong = f"leave {NAME} out"
    elif not _ADDRESS.fullmatch(text) or ".." in text:
        wrong = "it must be a host's name and at least one folder or owner"
    if wrong:
        raise HostError(f"ADDRESS is {text!r}: {wrong}, as in github.com/acme")
    return text


def checked_ref(text: str) -> str:
    """A ref, if it is one that stays."""
    if not _REF.fullmatch(text):
        raise HostError(
            f"REF is {text!r}: it must be a tag such as v0.1.0, or the 40 digits of a commit: a branch moves"
        )
    return text


def pages(repository: Path) -> list[Path]:
    """The files with addresses for readers: what git tracks, without tests."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout
    return [
        repository / name
        for name in listed.split("\0")
        if Path(name).suffix in _SUFFIXES and not name.startswith("tests/") and (repository / name).is_file()
    ]


def _found(pattern: re.Pattern[str], repository: Path) -> Iterator[tuple[Path, int, re.Match[str]]]:
    for path in pages(repository):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            for found in pattern.finditer(line):
                yield path.relative_to(repository), number, found


def sources(repository: Path) -> Iterator[Source]:
    """Every address of this repository in it."""
    for path, line, found in _found(_SOURCE, repository):
        yield Source(path, line, found["address"], found["ref"])


def owners(repository: Path) -> Iterator[tuple[str, str]]:
    """Every place with the module's address in the Terraform registry, as ``page:line``, and the owner in it."""
    for path, line, found in _found(_REGISTRY, repository):
        yield f"{path}:{line}", found[0]


def registry_owner(address: str) -> str | None:
    """The owner in the Terraform registry that goes with an address, if it is at github.com."""
    found = re.fullmatch(r"github\.com/([A-Za-z0-9-]+)", address)
    return found[1] if found else None


def replace(repository: Path, address: str | None, ref: str | None) -> list[Path]:
    """Write address and ref into all pages. An address without a ref gets one.

    Returns:
        The pages that changed.
    """

    def right(found: re.Match[str]) -> str:
        pin = found["ref"] if ref is None or found["other"] else ref
        mark = "@" if found["scheme"].startswith("git+") else "?ref="
        pinned = f"{mark}{pin}" if pin else found["other"] or ""
        return f"{found['scheme']}{address or found['address']}{found['rest']}{pinned}"

    owner = registry_owner(address or "")
    changed = []
    for path in pages(repository):
        before = path.read_text(encoding="utf-8")
        after = _SOURCE.sub(right, before)
        after = _REGISTRY.sub(owner, after) if owner else after
        if after != before:
            path.write_text(after, encoding="utf-8")
            changed.append(path)
    return changed


def main(arguments: list[str], repository: Path = REPOSITORY) -> int:
    rest = list(arguments)
    ref = None
    if "--ref" in rest[:-1]:
        ref = rest.pop(rest.index("--ref") + 1)
        rest.remove("--ref")
    if len(rest) > 1 or (not rest and ref is None) or any(one.startswith("-") for one in rest):
        print(
            "host.py: give an address, --ref REF, or both: make host ADDRESS=github.com/acme REF=v0.1.0",
            file=sys.stderr,
        )
        return 2
    try:
        address = checked_address(rest[0]) if rest else None
        ref = checked_ref(ref) if ref is not None else None
    except HostError as error:
        print(f"host.py: {error}", file=sys.stderr)
        return 2
    changed = replace(repository, address, ref)
    for path in changed:
        print(path.relative_to(repository))
    if not changed:
        print("host.py: every address is right already")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
