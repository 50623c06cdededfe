"""Installations: complete or not there at all."""

import os
import threading
import time
from pathlib import Path

import pytest
from engines.errors import EngineError
from engines.home import home_folder, locked, try_lock
from engines.installations import COMPLETE, UNUSED_SECONDS, fingerprint, installation


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ENGINES_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _write(folder: Path) -> None:
    (folder / "server").write_text("built", encoding="utf-8")


def _refuse(_folder: Path) -> None:
    pytest.fail("built again")


def test_it_is_built_once() -> None:
    first = installation("engine", ["1.0"], _write)
    assert installation("engine", ["1.0"], _refuse) == first
    assert (first / "server").read_text(encoding="utf-8") == "built"


def test_a_changed_ingredient_builds_another_one() -> None:
    first = installation("engine", ["1.0"], _write)
    second = installation("engine", ["1.1"], _write)
    assert first != second
    assert (first / COMPLETE).exists()


def test_ingredients_do_not_run_into_each_other() -> None:
    assert fingerprint(["ab", "c"]) != fingerprint(["a", "bc"])
    assert fingerprint(["a"]) == fingerprint([b"a"])


def test_a_build_that_fails_leaves_nothing(home: Path) -> None:
    def fail(folder: Path) -> None:
        _write(folder)
        raise EngineError("no network")

    with pytest.raises(EngineError, match="no network"):
        installation("engine", ["1.0"], fail)
    assert list((home / "installed").iterdir()) == []


def test_what_a_killed_build_left_is_not_used() -> None:
    folder = installation("engine", ["1.0"], _write)
    (folder / COMPLETE).unlink()
    (folder / "half").touch()
    assert installation("engine", ["1.0"], _write) == folder
    assert not (folder / "half").exists()


def test_two_at_once_build_once() -> None:
    built: list[Path] = []
    waited: list[str] = []
    second = threading.Thread(target=lambda: installation("engine", ["1.0"], built.append, waited.append))

    def slow(folder: Path) -> None:
        second.start()
        while not waited:
            pass
        built.append(folder)

    installation("engine", ["1.0"], slow)
    second.join()
    assert len(built) == 1
    assert waited == ["waiting for another process that is fetching engine"]


def test_what_nobody_used_for_a_week_goes_when_a_new_one_is_built() -> None:
    now = time.time()
    folders = {age: installation("engine", [f"used {age} s ago"], _write) for age in (60, UNUSED_SECONDS + 60)}
    other = installation("another", ["1.0"], _write)
    for age, folder in folders.items():
        os.utime(folder / COMPLETE, (now - age, now - age))
    os.utime(other / COMPLETE, (0, 0))
    new = installation("engine", ["new"], _write)
    assert [folder.exists() for folder in (folders[60], folders[UNUSED_SECONDS + 60], other, new)] == [
        True,
        False,
        True,
        True,
    ]


def test_a_use_counts() -> None:
    folder = installation("engine", ["1.0"], _write)
    os.utime(folder / COMPLETE, (0, 0))
    installation("engine", ["1.0"], _refuse)
    installation("engine", ["1.1"], _write)
    assert folder.exists()


def test_everyone_can_read_the_home_whatever_the_umask(home: Path) -> None:
    home_folder("installed")
    assert home.stat().st_mode & 0o777 == 0o755


def test_a_home_that_cannot_be_made_says_what_to_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ENGINES_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(EngineError, match=r"cannot use .*/file/home/run: .*; set ENGINES_HOME"):
        home_folder("run")


def test_a_lock_is_free_again_after_its_holder() -> None:
    with locked("it", lambda: pytest.fail("nobody has it")):
        assert try_lock("it") is None
    again = try_lock("it")
    assert again is not None
    again.release()
