"""scripts/host.py: one command writes the repository's address everywhere, and nothing that can't be one."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.docs import stale_pages
from scripts.host import NAME, main, pages, sources

REPOSITORY = Path(__file__).resolve().parents[2]
ADDRESS = "github.com/acme"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What git tracks of this repository, and what is new in it, as a repository of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (REPOSITORY / name).is_file() and Path(name).suffix in {".hcl", ".json", ".md", ".tf", ".yml"}:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(REPOSITORY / name, tmp_path / name)
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def everything(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in pages(folder)}


def test_afterwards_no_placeholder_is_left_and_no_generated_page_is_stale(checkout: Path) -> None:
    assert len(list(sources(checkout))) >= 10

    assert main([ADDRESS, "--ref", "v0.1.0"], checkout) == 0

    assert {one.address for one in sources(checkout)} == {ADDRESS}
    assert {one.ref for one in sources(checkout)} == {"v0.1.0"}
    left = {
        name: found
        for name, text in everything(checkout).items()
        if (found := re.findall(r"//HOST\b|\bref=COMMIT|@COMMIT|NAMESPACE/", text))
    }
    assert left == {}
    assert stale_pages(checkout, write=False) == []


def test_no_address_escapes_it() -> None:
    """Every address of this repository on its pages is one that the command finds."""
    found = [f"{one.path}:{one.line}" for one in sources(REPOSITORY)]
    written = [
        f"{path.relative_to(REPOSITORY)}:{number}"
        for path in pages(REPOSITORY)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(rf"//\S+/{NAME}", line)
    ]
    assert sorted(set(found)) == written


def test_a_second_run_changes_nothing_and_another_address_moves_all(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([ADDRESS], checkout)
    once = everything(checkout)
    capsys.readouterr()

    assert main([ADDRESS], checkout) == 0
    assert everything(checkout) == once
    assert capsys.readouterr().out == "host.py: every address is right already\n"

    assert main(["git.example.com:8443/platform/terraform"], checkout) == 0
    assert {one.address for one in sources(checkout)} == {"git.example.com:8443/platform/terraform"}
    main([ADDRESS], checkout)
    assert everything(checkout) == once


def test_a_ref_alone_leaves_the_address(checkout: Path) -> None:
    before = [one.address for one in sources(checkout)]
    assert main(["--ref", "v1.2.3"], checkout) == 0
    assert [one.address for one in sources(checkout)] == before
    assert "v1.2.3" in {one.ref for one in sources(checkout)}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("git::https://HOST/NAME.git?ref=COMMIT", "git::https://github.com/acme/NAME.git?ref=v0.1.0"),
        ("git::https://HOST/NAME.git//modules/a", "git::https://github.com/acme/NAME.git//modules/a?ref=v0.1.0"),
        ("git+https://HOST/NAME.git@COMMIT#x=y", "git+https://github.com/acme/NAME.git@v0.1.0#x=y"),
        ("git+https://HOST/NAME.git@a/branch#x=y", "git+https://github.com/acme/NAME.git@v0.1.0#x=y"),
        ("git+https://HOST/NAME.git#x=y", "git+https://github.com/acme/NAME.git@v0.1.0#x=y"),
        ("git::https://HOST/NAME.git?depth=1", "git::https://github.com/acme/NAME.git?depth=1"),
    ],
)
def test_each_form_of_an_address_gets_the_ref_where_its_tool_looks_for_it(
    tmp_path: Path, before: str, after: str
) -> None:
    """An address with another query is left without a ref: release_check.py refuses it."""
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    page = tmp_path / "page.md"
    page.write_text(f'"{before.replace("NAME", NAME)}"\n', encoding="utf-8")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)

    main([ADDRESS, "--ref", "v0.1.0"], tmp_path)

    assert page.read_text(encoding="utf-8") == f'"{after.replace("NAME", NAME)}"\n'
    assert [one.ref for one in sources(tmp_path)] == ["v0.1.0" if "v0.1.0" in after else None]


def test_every_address_of_this_repository_has_a_ref() -> None:
    assert [f"{one.path}:{one.line}" for one in sources(REPOSITORY) if one.ref is None] == []


def test_the_owner_at_github_is_the_registrys_too(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    page = tmp_path / "page.md"
    page.write_text('source = "NAMESPACE/dynamodb-opensearch/aws"\n', encoding="utf-8")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)

    main(["git.example.com/platform"], tmp_path)
    assert "NAMESPACE/" in page.read_text(encoding="utf-8")
    main([ADDRESS], tmp_path)
    assert page.read_text(encoding="utf-8") == 'source = "acme/dynamodb-opensearch/aws"\n'


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["https://github.com/acme"], "leave the scheme and the user out"),
        (["git@github.com:acme"], "leave the scheme and the user out"),
        (["github.com/acme/"], "leave the last / out"),
        (["github.com/acme/terraform-aws-dynamodb-opensearch"], "leave terraform-aws-dynamodb-opensearch out"),
        (["github.com"], "it must be a host's name and at least one folder or owner"),
        (["HOST"], "it must be a host's name"),
        (["github.com/a b"], "it must be a host's name"),
        (['github.com/a"b'], "it must be a host's name"),
        (["github.com/../b"], "it must be a host's name"),
        (["github.com//b"], "it must be a host's name"),
        ([""], "it must be a host's name"),
        ([ADDRESS, "--ref", "main"], "REF is 'main': it must be a tag such as v0.1.0"),
        ([ADDRESS, "--ref", ""], "REF is ''"),
        ([], "give an address, --ref REF, or both: make host ADDRESS=github.com/acme"),
        ([ADDRESS, "github.com/other"], "give an address"),
        (["--reff", "v0.1.0"], "give an address"),
        ([ADDRESS, "--ref"], "give an address"),
    ],
)
def test_nonsense_is_refused_and_changes_nothing(
    tmp_path: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    page = tmp_path / "page.md"
    page.write_text(f"git::https://HOST/{NAME}.git?ref=COMMIT\n", encoding="utf-8")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)

    assert main(arguments, tmp_path) == 2

    assert says in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == f"git::https://HOST/{NAME}.git?ref=COMMIT\n"
