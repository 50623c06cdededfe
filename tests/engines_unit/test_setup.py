"""scripts/setup and the Makefile: one line for each thing that is missing, and nothing that fails without a word."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ALL = ("demo", "tests", "lint", "checkov", "terraform", "engines")
TOOLS = ("basename", "bash", "cat", "cmp", "cp", "dirname", "env", "ls", "mkdir", "rm", "sed", "sort", "tr")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Another checkout, on a machine that has a shell and no more."""
    locks = ("demo/requirements.lock", *(f"tests/{name}.lock" for name in ("requirements", "lint", "checkov")))
    for name in ("scripts", *locks, "tests/engines", "examples"):
        target = tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".terraform*"))
        else:
            shutil.copy(source, target)
    (tmp_path / "bin").mkdir()
    for tool in TOOLS:
        (tmp_path / "bin" / tool).symlink_to(str(shutil.which(tool)))
    return tmp_path / "checkout"


def _run(checkout: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": str(checkout.parent / "bin"), "HOME": str(checkout.parent), "LANG": "C"}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def _give(checkout: Path, program: str, script: str) -> None:
    path = checkout.parent / "bin" / program
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def _with_environment(checkout: Path) -> None:
    """Virtual environments that were made from the locks as they are, with the interpreter of this run."""
    for folder in (".venv", ".venv/checkov"):
        (checkout / folder / "bin").mkdir(parents=True)
        python = checkout / folder / "bin/python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
        python.chmod(0o755)
    shutil.copy(checkout / "demo/requirements.lock", checkout / ".venv/demo.lock")
    shutil.copy(checkout / "tests/requirements.lock", checkout / ".venv/tests.lock")
    shutil.copy(checkout / "tests/lint.lock", checkout / ".venv/lint.lock")
    shutil.copy(checkout / "tests/checkov.lock", checkout / ".venv/checkov/checkov.lock")


def test_an_old_python_is_refused_with_what_to_install(checkout: Path) -> None:
    _give(checkout, "python3", 'case "$1" in --version) echo Python 3.11.7;; *) exit 1;; esac')
    done = _run(checkout, "scripts/setup", "tests", "lint")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "setup: Python 3.13 or later, with venv is needed; found: Python 3.11.7. Install it ("
    )
    assert done.stderr.count("\n") == 1
    assert not (checkout / ".venv").exists()


def test_each_missing_tool_gets_one_line(checkout: Path) -> None:
    _with_environment(checkout)
    done = _run(checkout, "scripts/setup", *ALL)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "JDK" not in line]  # a JDK is found without PATH too
    assert [re.match(r"setup: (.*) is needed; found: none\. Install it: ", line)[1] for line in lines] == [  # type: ignore[index]
        "Terraform 1.9 or later",
        "Maven",
    ]


@pytest.mark.parametrize(
    ("version", "fits"), [("1.8.5", False), ("0.15.0", False), ("1.9.0", True), ("1.11.4", True), ("2.0.0", True)]
)
def test_terraform_is_asked_for_its_version(checkout: Path, version: str, *, fits: bool) -> None:
    _with_environment(checkout)
    _give(checkout, "terraform", f"echo Terraform v{version}; echo on linux_amd64")
    done = _run(checkout, "scripts/setup", *ALL)
    assert (f"setup: Terraform 1.9 or later is needed; found: {version}. " not in done.stderr) == fits
    assert "Terraform" not in done.stderr or not fits


def test_unit_tests_need_python_alone(checkout: Path) -> None:
    _with_environment(checkout)
    done = _run(checkout, "scripts/setup", "tests")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_changed_lock_makes_the_environment_anew_and_a_failed_one_is_not_taken_for_made(checkout: Path) -> None:
    _with_environment(checkout)
    with (checkout / "tests/requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# changed\n")
    # a Python that makes an environment whose pip fails
    making = 'mkdir -p .venv/bin && printf "#!/bin/sh\\nexit 1\\n" >.venv/bin/python && chmod +x .venv/bin/python'
    _give(checkout, "python3.13", f'[ "$2" = venv ] || exit 0; {making}')
    (checkout.parent / "bin/chmod").symlink_to(str(shutil.which("chmod")))
    for _ in range(2):
        done = _run(checkout, "scripts/setup", "tests")
        assert done.returncode == 1
        assert "setup: making .venv with" in done.stderr
        assert (
            "setup: pip failed: check the network, and pip's proxy and mirror settings; run this again" in done.stderr
        )
        assert not (checkout / ".venv/tests.lock").exists()


def test_an_environment_that_was_left_half_made_is_made_again(checkout: Path) -> None:
    """Ctrl-C between the interpreter and pip."""
    python = checkout / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\ncase "$2" in *pip*) exit 1;; esac\n', encoding="utf-8")
    python.chmod(0o755)
    _give(checkout, "python3.13", '[ "$2" = venv ] || exit 0; mkdir -p .venv/bin && : >.venv/bin/fresh')
    _run(checkout, "scripts/setup", "lint")
    assert (checkout / ".venv/bin/fresh").exists()


@pytest.mark.parametrize("action", ["apply", "destroy"])
def test_an_example_that_does_not_exist_is_refused_with_those_that_do(checkout: Path, action: str) -> None:
    done = _run(checkout, "scripts/deploy", action, "product")
    assert done.returncode == 2
    there = " ".join(path.parent.name for path in sorted((REPOSITORY / "examples").glob("*/main.tf"), key=str))
    assert done.stderr == f"deploy: no example 'product'; choose EXAMPLE from: {there}\n"


def test_terraform_plans_and_asks_before_it_applies(checkout: Path) -> None:
    _give(checkout, "terraform", 'echo "$@"')
    done = _run(checkout, "scripts/deploy", "apply", "products", "-var=name=x")
    assert done.stdout.splitlines() == [
        "-chdir=examples/products init -input=false",
        "-chdir=examples/products apply -var=name=x",
    ]


def test_make_help_lists_every_target() -> None:
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", makefile, re.MULTILINE))
    listed = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\S+)", listed, re.MULTILINE)) == targets


def test_the_locks_name_no_address_and_hold_the_same_versions() -> None:
    function, developers = (
        (REPOSITORY / name / "requirements.lock").read_text(encoding="utf-8") for name in ("lambda", "tests")
    )
    pinned = {text: dict(re.findall(r"^([a-z0-9.-]+)==(\S+)", text, re.MULTILINE)) for text in (function, developers)}
    assert "://" not in function + developers
    assert pinned[function].items() <= pinned[developers].items()


def _parts(target: str) -> set[str]:
    """What a target of the Makefile sets up."""
    makefile = (REPOSITORY / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition(f"\n{target}:")[2].partition("\n\n")[0]
    return {part for line in re.findall(r"scripts/setup (.*)", recipe) for part in line.split()}


def test_a_target_sets_up_only_what_it_uses() -> None:
    assert _parts("demo") == {"demo", "terraform", "engines"}
    assert _parts("test-unit") == {"tests"}
    assert _parts("test") | _parts("lint") == set(ALL) - {"demo"}
    assert _parts("setup") == set(ALL)


def test_the_demo_imports_nothing_but_what_it_sets_up() -> None:
    """Each of its modules, and the engines, where only the packages of its lock file can be imported."""
    locked = re.findall(r"^([a-z0-9-]+)==", (REPOSITORY / "demo/requirements.lock").read_text(), re.MULTILINE)
    allowed = {name.replace("-", "_") for name in locked} | {"dateutil", "demo", "engines"}
    program = f"""
import importlib, pkgutil, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in {allowed!r} and top not in sys.stdlib_module_names and not top.startswith("_"):
            raise ImportError(f"the demo imports {{name}}")
sys.meta_path.insert(0, Blocked())
sys.path[:0] = [{str(REPOSITORY)!r}, {str(REPOSITORY / "tests")!r}]
import demo.__main__, engines.__main__
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_an_unknown_part_is_refused_with_those_that_there_are(checkout: Path) -> None:
    _with_environment(checkout)
    done = _run(checkout, "scripts/setup", "everything")
    assert done.returncode == 2
    assert done.stderr == "setup: no part 'everything'; choose from: demo tests lint checkov terraform engines\n"
