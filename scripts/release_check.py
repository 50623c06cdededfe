# ruff: noqa: INP001 (a script, not a package)
"""Checks that this commit can be released as the version in lambda/src/dynamodb_opensearch/__init__.py.

usage: release_check.py [--only NAME]... [--tag TAG] [--list]

Every check is run, whatever the others found, and prints one line: what is well, or what is wrong and what to do. It
exits 1 if one failed. It changes nothing, and doesn't ask the host: a tag counts if it has been fetched.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scripts.changelog import sections
from scripts.host import NAME, NO_OWNER, PLACEHOLDER, owners, registry_owner, sources

REPOSITORY = Path(__file__).resolve().parent.parent
VERSION_FILE = "lambda/src/dynamodb_opensearch/__init__.py"
ZIP, BILL = "lambda/dist/dynamodb-opensearch.zip", "lambda/dist/dynamodb-opensearch.cdx.json"
STATE_VERSION = 4  # the form of the states that Terraform writes since 0.12
Run = Callable[..., "subprocess.CompletedProcess[str]"]


class ReleaseError(Exception):
    """A check failed: what is wrong, the value, what to do."""


def run_in(repository: Path) -> Run:
    """Commands are run in the repository, and their output is kept."""

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=repository,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    return run


@dataclass(frozen=True, slots=True)
class Release:
    """The commit that may become a release."""

    repository: Path
    run: Run
    today: date
    pushed: str | None = None
    """The tag that is there already and is to become a release."""
    home: str | None = None
    """Where this runs on GitHub, as host/owner/name."""

    def text(self, name: str) -> str:
        """A file's text; empty if it isn't there."""
        path = self.repository / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def git(self, *arguments: str) -> str:
        """What git says."""
        done = self.run("git", *arguments)
        if done.returncode:
            raise ReleaseError(f"git {' '.join(arguments)} failed: {_last_line(done.stdout)}")
        return done.stdout.strip()

    def python(self, *arguments: str) -> None:
        """Run this interpreter. If it fails, the error has the last line that it printed."""
        done = self.run(sys.executable, *arguments)
        if done.returncode:
            raise ReleaseError(f"{_last_line(done.stdout)} (python {' '.join(arguments)})")

    @property
    def version(self) -> str:
        """The one version."""
        found = re.search(r'^__version__ = "(\d+\.\d+\.\d+)"$', self.text(VERSION_FILE), re.MULTILINE)
        if not found:
            raise ReleaseError(f'{VERSION_FILE} has no __version__ = "X.Y.Z": write one')
        return found[1]


def _last_line(output: str) -> str:
    lines = [line for line in output.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it printed nothing"


def tree(release: Release) -> str:
    """Nothing is uncommitted."""
    changed = release.git("status", "--porcelain").splitlines()
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise ReleaseError(f"{changed[0].strip()}{more}: commit it, or remove it")
    return "nothing is uncommitted"


def version(release: Release) -> str:
    """One version everywhere."""
    said = json.loads(release.text(BILL) or "{}").get("metadata", {}).get("component", {}).get("version")
    if said != release.version:
        raise ReleaseError(f"{BILL} says {said}, {VERSION_FILE} {release.version}: run make package and commit it")
    if not re.search(r'^dynamic = \[.*"version"', release.text("lambda/pyproject.toml"), re.MULTILINE):
        raise ReleaseError('lambda/pyproject.toml has a version of its own: write dynamic = ["version"]')
    return f"{release.version} in function, command and bill of materials"


def changelog(release: Release) -> str:
    """The changelog has the version, with a date, and nothing that is in no version."""
    found = sections(release.text("CHANGELOG.md"))
    section = found.get(release.version)
    heading = f"## [{release.version}] - {release.today}"
    if section is None or not section.text:
        raise ReleaseError(f"CHANGELOG.md says nothing of {release.version}: put {heading} below ## [Unreleased]")
    if section.date is None or section.date > release.today:
        raise ReleaseError(f"CHANGELOG.md dates {release.version} {section.released}: write {heading}")
    if "Unreleased" in found and found["Unreleased"].text:
        raise ReleaseError(f"CHANGELOG.md has changes under Unreleased: move them below {heading}")
    newest = next(name for name in found if name != "Unreleased")
    if newest != release.version:
        raise ReleaseError(
            f"CHANGELOG.md's newest version is {newest}, {VERSION_FILE} says {release.version}: correct one"
        )
    return f"CHANGELOG.md has {release.version}, of {section.released}"


def upgrade(release: Release) -> str:
    """There are notes for those who upgrade, and the state that the next release's upgrade is tested with."""
    if not re.search(rf"^#+ {re.escape(release.version)}$", release.text("docs/reference/upgrade.md"), re.MULTILINE):
        raise ReleaseError(
            f"docs/reference/upgrade.md has no heading ### {release.version}: say there what callers change"
        )
    state = f"tests/terraform/upgrade/releases/{release.version}.json"
    record = f"PYTHONPATH=lambda/src:tests:. python -m terraform.upgrade {release.version}"
    if not (release.repository / state).is_file():
        raise ReleaseError(f"{state} is missing: {record}")
    if not _has_resources(release.text(state)):
        raise ReleaseError(f"{state} is no Terraform state with resources: {record}")
    return f"docs/reference/upgrade.md and {state}"


def _has_resources(text: str) -> bool:
    """Whether this is a Terraform state with a resource in it."""
    try:
        state = json.loads(text)
    except ValueError:
        return False
    resources = state.get("resources") if isinstance(state, dict) and state.get("version") == STATE_VERSION else None
    return isinstance(resources, list) and any(isinstance(one, dict) and one.get("instances") for one in resources)


def tag(release: Release) -> str:
    """The tag is free, or is this commit's."""
    name = f"v{release.version}"
    if release.pushed not in {None, name}:
        raise ReleaseError(f"the tag is {release.pushed}, {VERSION_FILE} says {release.version}: delete the tag")
    if not release.git("tag", "--list", name):
        if release.pushed:
            raise ReleaseError(f"{name} isn't here: git fetch --tags")
        return f"{name} is free"
    if release.git("rev-list", "-n", "1", name) != release.git("rev-parse", "HEAD"):
        raise ReleaseError(f"{name} is another commit's: raise __version__ in {VERSION_FILE}")
    return f"{name} is this commit's"


def host(release: Release) -> str:
    """Every address is the repository's own."""
    found = list(sources(release.repository))
    addresses = sorted({one.address for one in found})
    if left := [one for one in found if one.address == PLACEHOLDER]:
        where = f"{left[0].path}:{left[0].line}"
        raise ReleaseError(f"{where} and {len(left) - 1} more say {PLACEHOLDER}: make host ADDRESS=github.com/OWNER")
    if len(addresses) != 1:
        raise ReleaseError(f"the pages name {', '.join(addresses) or 'no address'}: make host ADDRESS=github.com/OWNER")
    [address] = addresses
    if release.home not in {None, f"{address}/{NAME}"}:
        raise ReleaseError(f"the pages name {address}/{NAME}, this is {release.home}: release from there, or make host")
    for where, owner in owners(release.repository):
        if owner == NO_OWNER or owner != (registry_owner(address) or owner):
            raise ReleaseError(
                f"{where} says {owner}: make host ADDRESS=github.com/OWNER, or write the registry's owner"
            )
    return address


def ref(release: Release) -> str:
    """What readers copy is this version."""
    wanted = f"v{release.version}"
    if wrong := [one for one in sources(release.repository) if one.ref != wanted]:
        where, pinned = f"{wrong[0].path}:{wrong[0].line}", wrong[0].ref or "no version"
        raise ReleaseError(f"{where} and {len(wrong) - 1} more pin {pinned}: make host REF={wanted}")
    return f"every address pins {wanted}"


def package(release: Release) -> str:
    """The committed zip and its bill are what this commit builds."""
    with tempfile.TemporaryDirectory() as folder:
        for script, committed in (("lambda/build.py", ZIP), ("lambda/sbom.py", BILL)):
            rebuilt = Path(folder) / Path(committed).name
            release.python(script, str(rebuilt))
            path = release.repository / committed
            if not path.is_file() or rebuilt.read_bytes() != path.read_bytes():
                raise ReleaseError(f"{committed} isn't what this commit builds: run make package and commit it")
    return "a rebuild has the committed bytes"


def docs(release: Release) -> str:
    """What is generated is fresh."""
    for script in ("scripts/docs.py", "scripts/cli_docs.py", "scripts/flow.py"):
        release.python(script, "--check")
    release.python("-m", "pytest", "-q", "tests/terraform/test_validations.py")
    return "every generated page is fresh"


def examples(release: Release) -> str:
    """Every example is planned."""
    release.python("-m", "pytest", "-q", "tests/terraform/test_examples.py")
    return "every example is planned"


CHECKS: Mapping[str, Callable[[Release], str]] = {
    check.__name__: check for check in (tree, version, changelog, upgrade, tag, host, ref, package, docs, examples)
}


def home(environment: Mapping[str, str]) -> str | None:
    """The repository that a workflow on GitHub runs for, as host/owner/name."""
    if "GITHUB_REPOSITORY" not in environment:
        return None
    return f"{environment['GITHUB_SERVER_URL'].partition('://')[2]}/{environment['GITHUB_REPOSITORY']}"


def verdicts(release: Release, names: Sequence[str]) -> bool:
    """Run these checks and print a line for each.

    Returns:
        Whether all are well.
    """
    all_well = True
    for name in names:
        try:
            line = f"✓ {name:<10} {CHECKS[name](release)}"
        except (ReleaseError, OSError, ValueError) as error:  # a file that is missing or garbled: the others are run
            line, all_well = f"✗ {name:<10} {error}", False
        print(line, flush=True)
    return all_well


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="release_check.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", action="append", choices=list(CHECKS), metavar="NAME", help=", ".join(CHECKS))
    parser.add_argument("--tag", help="a tag that is there already and is to become this release")
    parser.add_argument("--list", action="store_true", help="print the checks' names and what each is for")
    options = parser.parse_args(arguments)
    if options.list:
        for name, check in CHECKS.items():
            print(f"{name:<10} {check.__doc__}")
        return 0
    release = Release(
        REPOSITORY,
        run_in(REPOSITORY),
        datetime.now(UTC).date(),
        options.tag,
        home(os.environ) if options.tag else None,
    )
    chosen = [name for name in CHECKS if name in (options.only or CHECKS)]
    return 0 if verdicts(release, chosen) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
