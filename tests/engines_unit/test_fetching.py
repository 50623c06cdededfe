"""What engines are fetched with and run on: Maven, JDKs, and the words of errors about them."""

import os
import zipfile
from pathlib import Path

import pytest
from engines.commands import CommandFailedError, run_command
from engines.dynamodb_node import manifest
from engines.errors import EngineError
from engines.java import find_jdk
from engines.maven import fetch_with_dependencies, fetch_zip
from engines.nobody import closed_folder


def _jdk(home: Path, version: str, *, keytool: bool = True) -> Path:
    for name in ("java", *(["keytool"] if keytool else [])):
        program = home / "bin" / name
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(0o755)
    (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
    return home


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with no JDK but those that a test lays into its usual folder."""
    usual = tmp_path / "usual"
    usual.mkdir()
    monkeypatch.setattr("engines.java._usual_homes", usual.iterdir)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return usual


def test_the_oldest_fitting_jdk_is_taken(machine: Path) -> None:
    for version in ("11.0.2", "25.0.1", "21.0.5", "17.0.15"):
        _jdk(machine / version, version)
    assert find_jdk(oldest=17, whom="it").major == 17
    assert find_jdk(oldest=18, newest=23, whom="it").home == machine / "21.0.5"


def test_java_home_goes_first_if_it_fits(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _jdk(machine / "17", "17")
    monkeypatch.setenv("JAVA_HOME", str(_jdk(machine.parent / "mine", "21")))
    assert find_jdk(oldest=17, whom="it").major == 21
    assert find_jdk(oldest=17, newest=20, whom="it").major == 17


def test_a_link_on_the_path_leads_to_its_jdk(machine: Path) -> None:
    home = _jdk(machine.parent / "elsewhere", "17.0.1")
    (machine.parent / "bin").mkdir()
    (machine.parent / "bin/java").symlink_to(home / "bin/java")
    assert find_jdk(oldest=17, whom="it").home == home


def test_no_fitting_jdk_names_the_range_and_what_was_found(machine: Path) -> None:
    _jdk(machine / "8", "1.8.0_432")
    _jdk(machine / "25", "25")
    _jdk(machine / "runtime-only", "17", keytool=False)
    with pytest.raises(EngineError) as error:
        find_jdk(oldest=11, newest=23, whom="OpenSearch 2.19.3")
    assert str(error.value).startswith(
        f"OpenSearch 2.19.3 needs a JDK 11 to 23; found: 1 in {machine / '8'}, 25 in {machine / '25'}. Install one"
    )


def test_no_jdk_at_all_says_none(machine: Path) -> None:
    assert machine.exists()
    with pytest.raises(EngineError, match=r"needs a JDK 17 or later; found: none\. .*or set JAVA_HOME"):
        find_jdk(oldest=17, whom="it")


def test_a_jdk_may_be_refused_for_another_reason(machine: Path) -> None:
    _jdk(machine / "17", "17")
    _jdk(machine / "21", "21")
    assert find_jdk(oldest=17, fits=lambda home: home.name != "17", whom="it").major == 21


def _install_maven(bin_folder: Path, script: str) -> None:
    bin_folder.mkdir(exist_ok=True)
    program = bin_folder / "mvn"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


@pytest.fixture
def maven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for a Maven of the test's own."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin{os.pathsep}/bin")
    monkeypatch.setenv("JAVA_HOME", str(_jdk(tmp_path / "jdk", "17")))
    return tmp_path / "bin"


def test_a_failing_maven_is_told_with_the_end_of_its_output(maven: Path, tmp_path: Path) -> None:
    _install_maven(maven, 'echo "[ERROR] Unknown host repo"; exit 1')
    with pytest.raises(EngineError) as error:
        fetch_zip("group:name:1.0", tmp_path)
    assert str(error.value) == (
        "cannot fetch group:name:1.0: check the network, and the proxy and mirror settings of Maven (settings.xml); "
        "Maven's output ends:\n[ERROR] Unknown host repo"
    )


def test_a_missing_maven_says_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EngineError, match="Maven is missing: install it"):
        fetch_zip("group:name:1.0", tmp_path)


def test_a_zip_is_unpacked_with_its_programs_executable(maven: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "served.zip", "w") as archive:
        archive.writestr("server/bin/start", "#!/bin/sh")
        archive.writestr("server/lib/a.jar", "")
    _install_maven(maven, f"mkdir download && cp {tmp_path}/served.zip download/")
    target = tmp_path / "target"
    target.mkdir()
    fetch_zip("group:name:1.0", target)
    assert (target / "server/bin/start").stat().st_mode & 0o777 == 0o755
    assert (target / "server/lib/a.jar").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in target.iterdir()] == ["server"]


def test_the_pom_names_every_artifact_and_its_type(maven: Path, tmp_path: Path) -> None:
    _install_maven(maven, f"cp pom.xml {tmp_path}/seen.xml")
    fetch_with_dependencies(["g:a:1", "h:b:2:dylib"], tmp_path, into="lib")
    pom = (tmp_path / "seen.xml").read_text(encoding="utf-8")
    assert "<groupId>g</groupId><artifactId>a</artifactId><version>1</version></dependency>" in pom
    assert "<artifactId>b</artifactId><version>2</version><type>dylib</type></dependency>" in pom
    assert not (tmp_path / "pom.xml").exists()


def test_a_failed_command_tells_its_name_code_and_output(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match=r"^sh failed \(exit code 3\); its output ends:\nwhy$"):
        run_command(["sh", "-c", "echo why >&2; exit 3"], folder=tmp_path)


def test_a_manifests_lines_are_at_most_72_bytes_long() -> None:
    path = " ".join(f"lib/library-{number}.jar" for number in range(40))
    lines = manifest({"Main-Class": "a.B", "Class-Path": path}).split("\r\n")
    assert max(map(len, lines)) == 72
    assert lines[-2:] == ["", ""]
    joined = "".join(line[1:] if line.startswith(" ") else f"\n{line}" for line in lines)
    assert f"\nClass-Path: {path}\n" in joined


def test_the_outermost_closed_folder_is_named(tmp_path: Path) -> None:
    inner = tmp_path / "open/closed/inner"
    inner.mkdir(parents=True)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_mode & 0o001 == 0:
            folder.chmod(0o755)  # pytest's own folders are private
    assert closed_folder(inner) is None
    (tmp_path / "open/closed").chmod(0o700)
    inner.chmod(0o700)
    assert closed_folder(inner) == tmp_path / "open/closed"
