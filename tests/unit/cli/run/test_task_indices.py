"""cli/run/task.py: the checkpoint and the result of a run on several indices."""

import re
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.cli.run.checkpoint import Checkpoint
from dynamodb_opensearch.cli.run.task import checkpoint_path
from dynamodb_opensearch.cli.target.configuration import Configuration
from dynamodb_opensearch.core.errors import ConfigurationError

from unit.cli.results import INDICES, TABLE, configured, difference, layout, result, surveyed


def test_each_choice_of_indices_has_a_checkpoint_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    sync = configured(INDICES)
    choices = [(), ("orders",), ("orders", "lines"), ("customers", "lines")]
    paths = [checkpoint_path("verify", sync.select(choice).settings, TABLE) for choice in choices]
    assert len(set(paths)) == len(paths)
    assert re.fullmatch(r"verify-products-orders-customers-lines-[0-9a-f]{8}\.jsonl", paths[0].name)
    assert checkpoint_path("verify", sync.select(INDICES).settings, TABLE) == paths[0]
    assert checkpoint_path("verify", sync.select(["lines", "orders"]).settings, TABLE) == paths[2]


def test_the_name_of_a_checkpoint_is_never_too_long_and_still_tells_all_indices_apart() -> None:
    many: dict[str, Any] = {f"{'x' * 100}-{number}": {} for number in range(30)}
    paths = {checkpoint_path("verify", configured({**many, last: {}}).settings, TABLE) for last in ("last-1", "last-2")}
    assert len(paths) == 2
    assert all(len(path.name) < 200 for path in paths)


def test_another_choice_of_indices_or_another_rule_doesnt_resume_a_run(tmp_path: Path) -> None:
    def opened(sync: Configuration) -> None:
        Checkpoint(tmp_path / "c.jsonl", surveyed(sync).identity()).close()

    opened(configured(INDICES))
    opened(configured(INDICES))
    with pytest.raises(ConfigurationError, match="its index is 'orders,customers,lines', not 'orders'; finish that"):
        opened(configured(INDICES).select(["orders"]))
    with pytest.raises(
        ConfigurationError, match="a rule, a shape or a transform was changed since; start again with --restart"
    ):
        opened(configured({**INDICES, "orders": {}}))


def test_counts_and_findings_are_those_of_the_index(tmp_path: Path) -> None:
    findings = [
        difference("orders-1", 1),
        {"kind": "refused", "index": "orders", "id": "id-2"},
        difference("orders", 3),
        {"kind": "kept", "reason": "it is about no index"},
        difference("lines", 4),
    ]
    found = surveyed(configured(INDICES), {"orders": layout("orders", home="orders-1")})
    done = result(tmp_path, {"missing": 3, "orders/missing": 2, "lines/missing": 1}, findings, found=found)
    assert [finding["id"] for finding in done.findings_of("orders")] == ["id-1", "id-2", "id-3"]
    assert [finding["id"] for finding in done.findings_of("lines")] == ["id-4"]
    assert (done.counts_of("orders"), done.counts_of("customers")) == ({"missing": 2}, {})
    assert (done.to_json()["counts"], done.to_json()["index"]) == ({"missing": 3}, "orders,customers,lines")
