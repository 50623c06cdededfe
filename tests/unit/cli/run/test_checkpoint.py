from collections import Counter
from pathlib import Path

import pytest
from dynamodb_opensearch.cli.run import checkpoint as checkpoints
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.job import Step
from dynamodb_opensearch.jobs.unit import Whole

A, B, C = Whole("a"), Whole("b"), Whole("c")
IDENTITY = {"job": "backfill", "table": "products"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "checkpoint.jsonl"


def begun(path: Path) -> Checkpoint:
    checkpoint = Checkpoint(path, IDENTITY)
    checkpoint.begin([A, B, C])
    checkpoint.record(A, Step({"pk": {"S": "x"}}, Counter(items=2), [{"kind": "refused"}]))
    checkpoint.record(B, Step(None, Counter(items=3)))
    return checkpoint


def test_a_second_run_goes_on_where_the_first_stopped(path: Path) -> None:
    begun(path).close()
    checkpoint = Checkpoint(path, IDENTITY)
    assert checkpoint.resumed
    assert checkpoint.open_units() == [(A, {"pk": {"S": "x"}}), (C, None)]
    assert checkpoint.counts == {"items": 5}
    assert list(checkpoint.findings()) == [{"kind": "refused"}]
    checkpoint.close()


def test_the_first_runs_beginning_is_the_jobs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"])
    monkeypatch.setattr(checkpoints, "now", lambda: next(moments))
    begun(path).close()
    resumed = Checkpoint(path, IDENTITY)
    assert resumed.started_at == "2026-01-01T00:00:00Z"
    resumed.finish()
    resumed.close()
    another = Checkpoint(path, IDENTITY)
    assert another.started_at == "2026-01-03T00:00:00Z"
    another.close()


def test_every_way_to_be_cut_off_loses_one_step_at_most(path: Path) -> None:
    begun(path).close()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        checkpoint = Checkpoint(path, IDENTITY)
        if checkpoint.units is None:
            checkpoint.begin([A, B, C])
        checkpoint.record(C, Step(None, Counter(items=1)))
        checkpoint.close()
        again = Checkpoint(path, IDENTITY)
        assert again.units == [A, B, C]
        assert (C, None) not in again.open_units()
        again.close()


def test_a_large_file_is_written_anew_without_what_is_overtaken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "COMPACT_BYTES", 2_000)
    checkpoint, sizes = begun(path), []
    for number in range(200):
        checkpoint.record(C, Step([number, "k" * 100], Counter(items=1)))
        sizes.append(path.stat().st_size)
    checkpoint.record(A, Step(None, Counter(items=1), [{"kind": "missing"}]))
    assert max(sizes) < 3_000
    checkpoint.close()
    again = Checkpoint(path, IDENTITY)
    assert (again.started_at, again.units) == (checkpoint.started_at, [A, B, C])
    assert again.open_units() == [(C, [199, "k" * 100])]
    assert again.counts == {"items": 206}
    assert list(again.findings()) == [{"kind": "refused"}, {"kind": "missing"}]
    again.record(C, Step(None, Counter(items=1)))
    again.close()
    last = Checkpoint(path, IDENTITY)
    assert last.open_units() == []
    last.finish()
    last.close()
    assert list(path.parent.iterdir()) == []


def test_the_checkpoint_of_another_run_is_refused(path: Path) -> None:
    begun(path).close()
    with pytest.raises(
        ConfigurationError, match=r"its table is 'products', not 'others'; finish that run, or .* --restart"
    ):
        Checkpoint(path, {**IDENTITY, "table": "others"})


def test_a_broken_line_is_named(path: Path) -> None:
    begun(path).close()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:2], "{}\n", *lines[2:]]))
    with pytest.raises(ConfigurationError, match="is broken in line 3: delete it to start again"):
        Checkpoint(path, IDENTITY)
    path.write_text(lines[0].replace("checkpoint 3", "checkpoint 2"))
    with pytest.raises(ConfigurationError, match="was made by another version of this command"):
        Checkpoint(path, IDENTITY)
    path.write_text("something else\n")
    with pytest.raises(ConfigurationError, match="is another kind of file, and was left alone"):
        Checkpoint(path, IDENTITY)
    assert path.read_text() == "something else\n"


def test_notices_are_added_up_and_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "NOTICES", 2)
    checkpoint = begun(path)
    for names in ("ab", "abc", "cd"):
        checkpoint.record(C, Step(1, notices=Counter(names)))
    checkpoint.close()
    again = Checkpoint(path, IDENTITY)
    assert again.notices == {"a": 2, "b": 2, "and others": 3}
    again.close()


def test_a_folder_that_cannot_be_used_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"can't be used \((Not a directory|File exists)\)"):
        Checkpoint(tmp_path / "file" / "checkpoint.jsonl", IDENTITY)


def test_only_the_owner_may_read_the_keys_in_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "COMPACT_BYTES", 300)
    checkpoint = begun(path)
    assert path.stat().st_mode & 0o077 == 0
    checkpoint.record(C, Step("k" * 300))
    assert path.stat().st_mode & 0o077 == 0
    checkpoint.finish()
    checkpoint.close()


def test_a_finished_run_leaves_no_file(path: Path) -> None:
    checkpoint = begun(path)
    checkpoint.finish()
    assert not path.exists()
    assert [list(checkpoint.findings()) for _ in range(2)] == [[{"kind": "refused"}]] * 2
    checkpoint.close()
    checkpoint.close()
