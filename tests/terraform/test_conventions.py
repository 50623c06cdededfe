"""What the .tf files promise to whoever reads or calls them."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scripts.docs import Block, read_blocks

REPOSITORY = Path(__file__).resolve().parents[2]
LEAVES = ("modules/table", "modules/sync")
MODULES = (".", *LEAVES, "examples/products")
SYNC = REPOSITORY / "modules/sync"

# Arguments of aws_lambda_event_source_mapping that AWS knows for other event sources only.
NOT_FOR_DYNAMODB = {
    "amazon_managed_kafka_event_source_config",
    "document_db_event_source_config",
    "provisioned_poller_config",
    "queues",
    "scaling_config",
    "self_managed_event_source",
    "self_managed_kafka_event_source_config",
    "source_access_configuration",
    "starting_position_timestamp",
    "topics",
}
# Arguments of aws_lambda_function that this function has no use for.
NOT_FOR_THE_FUNCTION = {
    "dead_letter_config": "is for asynchronous invocations: a stream's go to the mapping's destination",
    "file_system_config": "the function reads and writes no files",
    "image_config": "is for images",
    "image_uri": "is for images",
    "replace_security_groups_on_destroy": "is for a VPC that is destroyed with the function still in it",
    "replacement_security_group_ids": "likewise",
    "snap_start": "a stream's function is warm",
}


def tf_files(folder: str) -> list[Path]:
    return sorted((REPOSITORY / folder).glob("*.tf"))


def source(folder: str) -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in tf_files(folder))


def code(folder: str) -> str:
    """The source without its comments."""
    return re.sub(r"(^|\s)#.*$", "", source(folder), flags=re.MULTILINE)


def variables(folder: str) -> list[Block]:
    return read_blocks(REPOSITORY / folder / "variables.tf", "variable")


def outputs(folder: str) -> list[Block]:
    return read_blocks(REPOSITORY / folder / "outputs.tf", "output")


def block(text: str, header: str) -> str:
    """The body of the block in the first column that starts with `header`."""
    found = re.search(rf"^{re.escape(header)} {{\n(.*?)^}}", text, re.DOTALL | re.MULTILINE)
    assert found, f"there is no {header}"
    return found[1]


@pytest.mark.parametrize("folder", MODULES)
def test_every_variable_has_a_type_and_a_description(folder: str) -> None:
    lacking = [v.name for v in variables(folder) if "type" not in v.arguments or not v.description.endswith((".", ")"))]
    assert lacking == []


@pytest.mark.parametrize("folder", MODULES)
def test_every_output_has_a_description(folder: str) -> None:
    assert [output.name for output in outputs(folder) if not output.description.endswith((".", ")"))] == []


@pytest.mark.parametrize("folder", MODULES)
def test_variables_stand_alphabetically_after_the_required_ones(folder: str) -> None:
    found = [(not variable.required, variable.name) for variable in variables(folder)]
    assert found == sorted(found)


@pytest.mark.parametrize("folder", MODULES)
def test_outputs_stand_alphabetically(folder: str) -> None:
    names = [output.name for output in outputs(folder)]
    assert names == sorted(names)


@pytest.mark.parametrize("folder", MODULES)
def test_every_variable_is_used(folder: str) -> None:
    text = re.sub(r"^variable .*?^}$", "", code(folder), flags=re.DOTALL | re.MULTILINE)
    assert [v.name for v in variables(folder) if not re.search(rf"\bvar\.{v.name}\b", text)] == []


@pytest.mark.parametrize("folder", LEAVES)
def test_a_leafs_default_is_null_or_survives_a_null_from_outside(folder: str) -> None:
    """The root passes null for what is not given: `nullable = false` turns it into the default."""
    wrong = [
        variable.name
        for variable in variables(folder)
        if (variable.arguments.get("default") != "null") != (variable.arguments.get("nullable") == "false")
    ]
    assert wrong == []


@pytest.mark.parametrize("folder", MODULES)
def test_the_only_provider_is_hashicorp_aws(folder: str) -> None:
    required = re.search(r"required_providers {\n(.*?)\n  }\n", source(folder), re.DOTALL)
    assert required is not None
    assert re.findall(r'^    (\w+) += {|source += "(.+)"', required[1], re.MULTILINE) == [
        ("aws", ""),
        ("", "hashicorp/aws"),
    ]


@pytest.mark.parametrize("folder", MODULES)
def test_all_modules_ask_for_the_same_versions(folder: str) -> None:
    def versions(of: str) -> list[str]:
        return re.findall(r'\bversion += ("[<>~=][^"]+")|required_version += ("[^"]+")', source(of))

    assert versions(folder) == versions(".")


@pytest.mark.parametrize("folder", MODULES)
def test_no_data_source_calls_aws_or_another_program_at_plan(folder: str) -> None:
    assert set(re.findall(r'^data "(\w+)"', code(folder), re.MULTILINE)) <= {"aws_iam_policy_document"}


@pytest.mark.parametrize("folder", MODULES)
def test_every_resource_is_awss_and_no_provisioner_runs(folder: str) -> None:
    kinds = set(re.findall(r'^resource "(\w+)"', code(folder), re.MULTILINE))
    assert {kind for kind in kinds if not kind.startswith("aws_")} == set()
    assert not re.search(r"^\s*provisioner\b", code(folder), re.MULTILINE)


@pytest.mark.parametrize("folder", MODULES)
def test_nothing_depends_on_the_machine_or_the_time_of_the_plan(folder: str) -> None:
    """Else another checkout, or the next plan, would show a change."""
    assert re.findall(r"abspath\(|path\.cwd|path\.root|timestamp\(\)|uuid\(\)", code(folder)) == []


@pytest.mark.parametrize("folder", LEAVES)
def test_leaves_call_no_other_module(folder: str) -> None:
    assert re.findall(r'^module "(\w+)"', code(folder), re.MULTILINE) == []


def test_the_root_has_exactly_the_variables_of_the_sync() -> None:
    def facts(folder: str) -> list[tuple[str, str, str, bool]]:
        return [(v.name, v.arguments["type"], v.description, v.required) for v in variables(folder)]

    assert facts(".") == facts("modules/sync")


def test_the_root_leaves_defaults_and_checks_to_the_sync() -> None:
    assert {variable.arguments["default"] for variable in variables(".") if not variable.required} == {"null"}
    assert "validation {" not in source(".")


def test_the_root_passes_each_variable_on_unchanged() -> None:
    passed = re.findall(r"^  (\w+) += (.+)$", block(source("."), 'module "sync"'), re.MULTILINE)
    assert passed == [("source", '"./modules/sync"'), *((v.name, f"var.{v.name}") for v in variables("."))]


def test_the_root_has_exactly_the_outputs_of_the_sync() -> None:
    ours = [(output.name, output.description) for output in outputs(".")]
    assert ours == [(output.name, output.description) for output in outputs("modules/sync")]
    assert [o.arguments["value"] for o in outputs(".")] == [f"module.sync.{o.name}" for o in outputs(".")]


@pytest.mark.parametrize("folder", [*LEAVES, "examples/products"])
def test_every_validation_is_seen_to_refuse(folder: str) -> None:
    path = REPOSITORY / folder / "variables.tf"
    validations = Counter(
        {
            name: body.count("\n  validation {")
            for name, body in re.findall(
                r'^variable "(\w+)" {(.*?)^}$', path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
            )
        }
    )
    tests = "\n".join(test.read_text(encoding="utf-8") for test in (path.parent / "tests").glob("*.tftest.hcl"))
    refused = Counter(re.findall(r"expect_failures = \[var\.(\w+)\]", tests))
    assert validations - refused == Counter()


@pytest.mark.parametrize("folder", LEAVES)
def test_a_message_names_its_variable_first(folder: str) -> None:
    text = (REPOSITORY / folder / "variables.tf").read_text(encoding="utf-8")
    wrong = [
        (name, message)
        for name, body in re.findall(r'^variable "(\w+)" {(.*?)^}$', text, re.DOTALL | re.MULTILINE)
        for message in re.findall(r'error_message = "(.*)"$', body, re.MULTILINE)
        if not re.match(rf"({name}\b|domain is \$)", message)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("kind", "file", "left_out"),
    [
        ("aws_lambda_event_source_mapping", "event_source_mapping.tf", NOT_FOR_DYNAMODB),
        ("aws_lambda_function", "function.tf", set(NOT_FOR_THE_FUNCTION)),
    ],
)
def test_every_argument_that_applies_is_sent(
    resource_schemas: dict[str, Any], kind: str, file: str, left_out: set[str]
) -> None:
    """The provider keeps the old value of some arguments that are no longer sent; so all are, always."""
    schema = resource_schemas[kind]["block"]
    known = {
        name for name, argument in schema["attributes"].items() if argument.get("optional") or argument.get("required")
    }
    known |= set(schema["block_types"])
    body = block((SYNC / file).read_text(encoding="utf-8"), f'resource "{kind}" "this"')
    sent = set(re.findall(r'^  (?:dynamic "(?=\w))?(\w+)"? *[={]', body, re.MULTILINE)) - {"depends_on"}
    assert sent == known - left_out - {"id", "tags_all", "timeouts"}


def test_users_can_set_no_environment_variable_that_the_module_sets() -> None:
    function = (SYNC / "function.tf").read_text(encoding="utf-8")
    ours = re.search(r"^  environment = {\n(.*?)^  }", function, re.DOTALL | re.MULTILINE)
    reserved = re.search(r"keys\(var\.environment_variables\), \[\n(.*?)\]\)", source("modules/sync"), re.DOTALL)
    assert ours is not None
    assert reserved is not None
    assert sorted(re.findall(r'"(\w+)"', reserved[1])) == re.findall(r"^    (\w+) +=", ours[1], re.MULTILINE)


def test_the_module_sets_every_setting_that_the_function_reads() -> None:
    function = (SYNC / "function.tf").read_text(encoding="utf-8")
    settings = (REPOSITORY / "lambda/src/dynamodb_opensearch/settings.py").read_text(encoding="utf-8")
    ours = re.search(r"^  environment = {\n(.*?)^  }", function, re.DOTALL | re.MULTILINE)
    assert ours is not None
    read = set(re.findall(r'\bread\.\w+\(\s*"(\w+)"|environment\.get\("(\w+)"', settings))
    lambdas_own = {"AWS_REGION", "AWS_LAMBDA_FUNCTION_NAME"}
    names = {name for pair in read for name in pair if name} - lambdas_own
    assert set(re.findall(r"^    (\w+) +=", ours[1], re.MULTILINE)) == names


def test_every_star_in_a_policy_has_its_reason() -> None:
    """The comment above a statement that names all resources says why AWS knows no narrower one."""
    text = (SYNC / "iam.tf").read_text(encoding="utf-8")
    document = block(text, 'data "aws_iam_policy_document" "this"')
    statements = re.findall(
        r'((?:^  #.*\n)*)^  (?:dynamic "statement"|statement) {\n((?:    .*\n|\n)*)^  }$', document, re.MULTILINE
    )
    starred = [comment for comment, body in statements if '["*"]' in body or '*"]' in body]
    assert len(starred) == 5
    assert [comment for comment in starred if "`*`" not in comment] == []
