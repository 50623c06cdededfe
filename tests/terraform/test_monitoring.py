"""Every alarm and graph names a metric that somebody really emits, and leads to the runbook that says what to do."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pytest
from drills.catalogue import DRILLS
from terraform.published import PUBLISHED, Source, emitted
from terraform.workspace import REPOSITORY, Terraform

from scripts.docs import read_blocks

RUNBOOKS = (REPOSITORY / "docs/runbooks.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", RUNBOOKS, re.DOTALL | re.MULTILINE))
UNITS = {"Milliseconds": "ms", "Seconds": "s", "Bytes": "bytes", "Percent": "%", "Mebibytes": "MiB"}
"""How the dashboard writes them; a count is named by what is counted."""


@dataclass(frozen=True, slots=True)
class Use:
    """A metric that an alarm or a graph names."""

    user: str
    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Alarm:
    name: str
    description: str
    use: Use


@dataclass(frozen=True, slots=True)
class Plan:
    """What the real provider plans for one run of modules/monitoring/tests/arguments.tftest.hcl."""

    alarms: Sequence[Alarm]
    widgets: Sequence[Mapping[str, Any]]

    @property
    def graphs(self) -> list[Use]:
        return [use for widget in self.widgets if widget["type"] == "metric" for use in uses_of(widget)]


@pytest.fixture(scope="module")
def plans(terraform: Terraform) -> dict[str, Plan]:
    terraform.init("modules/monitoring")
    output = terraform.test("modules/monitoring", "arguments.tftest.hcl", options=("-json", "-verbose"))
    events = [json.loads(line) for line in output.splitlines()]
    return {event["@testrun"]: read_plan(event["test_plan"]) for event in events if event["type"] == "test_plan"}


@pytest.fixture(scope="module")
def plan(plans: dict[str, Plan]) -> Plan:
    """The one with every alarm."""
    return plans["every_alarm"]


@pytest.fixture(scope="module")
def known() -> tuple[Source, ...]:
    return (*PUBLISHED, *emitted())


def read_plan(planned: Mapping[str, Any]) -> Plan:
    alarms: list[Alarm] = []
    widgets: list[Mapping[str, Any]] = []
    for resource in planned.get("resource_changes", []):
        after = resource["change"]["after"]
        if resource["type"] == "aws_cloudwatch_metric_alarm":
            use = Use(resource["index"], after["namespace"], after["metric_name"], after["dimensions"])
            alarms.append(Alarm(resource["index"], after["alarm_description"], use))
        else:
            widgets = json.loads(after["dashboard_body"])["widgets"]
    return Plan(alarms, widgets)


def uses_of(widget: Mapping[str, Any]) -> Iterator[Use]:
    properties = widget["properties"]
    for namespace, metric, *rest in properties["metrics"]:
        dimensions, options = rest[:-1], rest[-1]
        assert set(options) == {"stat", "label"}
        pairs = dict(zip(dimensions[::2], dimensions[1::2], strict=True))
        yield Use(properties["title"], namespace, metric, pairs, properties["yAxis"]["left"]["label"])


def unit_of(use: Use, known: Sequence[Source]) -> str | None:
    """The unit of a metric that is emitted with these very dimensions, else None."""
    for source in known:
        if (source.namespace, source.dimensions) == (use.namespace, frozenset(use.dimensions)):
            return source.units.get(use.metric)
    return None


def not_emitted(uses: Sequence[Use], known: Sequence[Source]) -> list[Use]:
    return [use for use in uses if unit_of(use, known) is None]


def anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def test_every_alarm_watches_a_metric_that_is_emitted(plan: Plan, known: Sequence[Source]) -> None:
    assert len(plan.alarms) == 18
    assert not_emitted([alarm.use for alarm in plan.alarms], known) == []


def test_every_graph_shows_metrics_that_are_emitted(plans: dict[str, Plan], known: Sequence[Source]) -> None:
    for name, plan in plans.items():
        assert plan.graphs or name == "everything_off"
        assert not_emitted(plan.graphs, known) == []


def test_a_renamed_metric_or_dimension_is_noticed(plan: Plan, known: Sequence[Source]) -> None:
    uses = [*(alarm.use for alarm in plan.alarms), *plan.graphs]
    for use in uses:
        [*names, last] = use.dimensions
        broken = [
            replace(use, metric=f"{use.metric}s"),
            replace(use, namespace=f"{use.namespace}s"),
            replace(use, dimensions={**use.dimensions, "Resource": "x"}),
            replace(use, dimensions={**{name: use.dimensions[name] for name in names}, f"{last}s": "x"}),
        ]
        assert not_emitted(broken, known) == broken


def test_the_metric_that_the_guide_made_up_is_noticed(known: Sequence[Source]) -> None:
    use = Use("guide", "AWS/Lambda", "OffendingRecordCount", {"EventSourceMappingUUID": "x"})
    assert not_emitted([use], known) == [use]


def test_the_dimensions_are_the_syncs_own(plan: Plan) -> None:
    expected = {
        "FunctionName": "products-opensearch-sync",
        "Sync": "products-opensearch-sync",
        "EventSourceMappingUUID": "14e0db71-5d35-4eb5-b481-8945cf9d10c2",
        "QueueName": "products-opensearch-sync-failures",
        "TableName": "products",
        "StreamLabel": "2025-01-01T00:00:00.000",
        "Operation": "GetRecords",
        "DomainName": "search",
        "ClientId": "111122223333",
    }
    found = {pair for use in (*plan.graphs, *(alarm.use for alarm in plan.alarms)) for pair in use.dimensions.items()}
    assert found == {*expected.items(), ("Index", "orders"), ("Index", "products")}


def test_all_that_the_function_emits_is_on_the_dashboard(plan: Plan) -> None:
    ours = emitted()
    shown = {(use.metric, frozenset(use.dimensions)) for use in plan.graphs if use.namespace == ours[0].namespace}
    assert shown == {(metric, source.dimensions) for source in ours for metric in source.units}


def test_whoever_is_told_finds_the_metric_on_the_dashboard(plan: Plan) -> None:
    shown = {(use.namespace, use.metric) for use in plan.graphs}
    assert {(alarm.use.namespace, alarm.use.metric) for alarm in plan.alarms} - shown == set()


def test_a_graph_tells_the_unit_of_its_metrics(plan: Plan, known: Sequence[Source]) -> None:
    for use in plan.graphs:
        unit = unit_of(use, known)
        assert (use.unit == UNITS[unit]) if unit in UNITS else (use.unit not in UNITS.values()), use


def test_thresholds_of_times_are_in_the_metrics_own_unit(plan: Plan, known: Sequence[Source]) -> None:
    """modules/monitoring makes milliseconds of these, and of no others."""
    text = (REPOSITORY / "modules/monitoring/alarms.tf").read_text(encoding="utf-8")
    blocks = dict(re.findall(r"^    ([\w-]+) = {\n(.*?)^    }", text, re.DOTALL | re.MULTILINE))
    made = {name for name, body in blocks.items() if "* 1000" in body}
    assert made == {alarm.name for alarm in plan.alarms if unit_of(alarm.use, known) == "Milliseconds"}


def test_widgets_fit_the_page_and_do_not_overlap(plans: dict[str, Plan]) -> None:
    def cells(widget: Mapping[str, Any]) -> set[tuple[int, int]]:
        x, y, width, height = (widget[name] for name in ("x", "y", "width", "height"))
        return {(column, row) for column in range(x, x + width) for row in range(y, y + height)}

    for plan in plans.values():
        places = [cells(widget) for widget in plan.widgets]
        assert all(0 <= column < 24 for place in places for column, _ in place)
        assert all(not one & other for one, other in combinations(places, 2))


def test_the_dashboard_starts_with_all_alarms(plan: Plan) -> None:
    [verdict] = [widget for widget in plan.widgets if widget["type"] == "alarm"]
    names = {arn.rpartition(":alarm:products-opensearch-sync-")[2] for arn in verdict["properties"]["alarms"]}
    assert names == {alarm.name for alarm in plan.alarms}


def test_the_dashboard_asks_for_what_log_lines_have(plan: Plan) -> None:
    [log] = [widget for widget in plan.widgets if widget["type"] == "log"]
    fields = set(re.findall(r"\bfields (.*?) \|", log["properties"]["query"])[0].split(", "))
    stream = (REPOSITORY / "lambda/src/dynamodb_opensearch/functions/sync.py").read_text(encoding="utf-8")
    extras = {name for line in re.findall(r"extra={(.*?)}", stream) for name in re.findall(r'"(\w+)":', line)}
    [kept] = re.findall(r"append_keys\((\w+)=", stream)
    ranges = set(re.findall(r'^        "(\w+)": sequence_number', stream, re.MULTILINE))
    assert {"@timestamp", "level", "message", kept} | (extras - {"sequence_number"}) | ranges == fields


def test_every_alarm_leads_to_a_section_and_every_section_is_reached(plan: Plan) -> None:
    led = {alarm.name: re.findall(r" Runbook: docs/runbooks\.md#([\w-]+)$", alarm.description) for alarm in plan.alarms}
    assert {name for name, anchors in led.items() if len(anchors) != 1} == set()
    assert {anchors[0] for anchors in led.values()} == {anchor(heading) for heading in SECTIONS}


def test_the_table_is_what_is_planned(plan: Plan) -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (\S+) (\S+) \| (.+?) \| \[.+?\]\(#([\w-]+)\) \|", RUNBOOKS, re.MULTILINE)
    emitters = {
        frozenset({"FunctionName"}): "Lambda, per function",
        frozenset({"EventSourceMappingUUID"}): "Lambda, per trigger",
        frozenset({"Sync"}): "the function",
        frozenset({"QueueName"}): "SQS",
        frozenset({"ClientId", "DomainName"}): "OpenSearch Service",
    }
    planned = {
        (
            alarm.name,
            alarm.use.namespace,
            alarm.use.metric,
            emitters[frozenset(alarm.use.dimensions)],
            alarm.description.rpartition("#")[2],
        )
        for alarm in plan.alarms
    }
    assert set(rows) == planned
    assert len(rows) == len(planned)


def test_the_table_tells_which_drill_moves_which_alarm(plan: Plan) -> None:
    last_cells = re.findall(r"^\| `([\w-]+)` .* \| ([^|]*)\|$", RUNBOOKS.partition("\n## ")[0], re.MULTILINE)
    told = {(alarm, drill) for alarm, cell in last_cells for drill in re.findall(r"`([\w-]+)`", cell)}
    assert told == {(alarm, drill.name) for drill in DRILLS.values() for alarm in drill.alarms}
    assert {alarm for alarm, _ in told} <= {alarm.name for alarm in plan.alarms}
    assert [name for name, drill in DRILLS.items() if not drill.alarms and f"`{name}`" not in RUNBOOKS] == []


def test_every_threshold_is_a_variable_that_null_switches_off() -> None:
    """Each alarm's threshold, or its minutes, is one variable whose description says what null does."""
    folder = REPOSITORY / "modules/monitoring"
    alarms = (folder / "alarms.tf").read_text(encoding="utf-8")
    thresholds = re.findall(r"^      threshold = .*?\bvar\.(?!sync)(\w+)", alarms, re.MULTILINE)
    variables = read_blocks(folder / "variables.tf", "variable")
    off = [v.name for v in variables if re.search(r"Null(?: \(default\))?: no alarm", v.description)]
    assert sorted(thresholds) == sorted(off)
    assert len(thresholds) == 18
