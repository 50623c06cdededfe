"""Provider 6 knows every resource, argument, block and attribute that this repository's .tf files use.

Plans and applies in these tests run on provider 5.100. Provider 6's own schema is in provider_6.json, a snapshot that
scripts/provider_schema.py writes; what it can't show is a change of meaning under the same name.
"""

import json
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from terraform.hcl import Attribute, Block, Reference, parse, read, references
from terraform.workspace import Terraform

from scripts.provider_schema import SNAPSHOT, VERSION, used_types

REPOSITORY = Path(__file__).resolve().parents[2]
FOLDERS = sorted(
    {
        path.parent.relative_to(REPOSITORY).as_posix()
        for pattern in ("*.tf", "modules/**/*.tf", "examples/**/*.tf", "tests/**/*.tf")
        for path in REPOSITORY.glob(pattern)
        if ".terraform" not in path.parts
    }
)
SCHEMAS: Mapping[str, Any] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))["schemas"]
SORTS = {"resource": "resource_schemas", "data": "data_source_schemas"}
META = {"count", "depends_on", "for_each", "provider"}
META_BLOCKS = {"lifecycle", "provisioner", "connection"}
NEW_IN_6 = "region"
DEPRECATED = {
    ("data aws_region", "name"): "id, which both have",
    ("data aws_s3_bucket", "region"): "bucket_region, which provider 5 lacks",
    ("data aws_vpc_endpoint_service", "region"): "service_region, which provider 5 lacks",
}
"""What provider 6's upgrade guide calls so, of types like ours; the bindings don't say it.

See: https://github.com/hashicorp/terraform-provider-aws/blob/main/website/docs/guides/version-6-upgrade.html.markdown
"""


def faults(configuration: Block, schemas: Mapping[str, Any] = SCHEMAS) -> Iterator[str]:
    """What provider 6 doesn't know, a line each."""
    declared = {}
    for block in configuration.blocks:
        if block.kind in {"resource", "data"} and block.labels[0].startswith("aws_"):
            kind = f"{block.kind} {block.labels[0]}"
            declared[kind, block.labels[1]] = block
            if kind in schemas:
                yield from _arguments(block, schemas[kind], f"{kind}.{block.labels[1]}")
            else:
                yield f"{kind} is not in {SNAPSHOT.name}: run scripts/provider_schema.py"
    for block in configuration.blocks:
        for attribute in block.expressions() if block.kind not in {"moved", "removed"} else []:
            for reference in references(attribute):
                if (reference.kind, reference.name) not in declared:
                    yield f"line {reference.line}: {reference.kind}.{reference.name} is not declared"
                elif reference.kind in schemas and (unknown := _unknown(reference, schemas[reference.kind])):
                    yield f"line {reference.line}: {reference.kind}.{reference.name} has no {unknown}"
                elif deprecated := DEPRECATED.get((reference.kind, (*reference.path, "")[0])):
                    yield f"line {reference.line}: {reference.kind}.{reference.path[0]} is deprecated: use {deprecated}"


def _arguments(block: Block, schema: Mapping[str, Any], place: str) -> Iterator[str]:
    arguments = {*schema.get("required", []), *schema.get("optional", [])}
    blocks = schema.get("blocks", {})
    given = {one.name for one in block.attributes}
    inner = [_static(one) for one in block.blocks if one.kind not in META_BLOCKS]
    yield from (f"{place}: no argument {name}" for name in sorted(given - META - (arguments - blocks.keys())))
    yield from (
        f"{place}: {name} is an argument of provider 6 only; provider 5.100 refuses it"
        for name in sorted(given)
        if name == NEW_IN_6 and place.count(".") == 1
    )
    present = given | {one.kind for one in inner}
    yield from (f"{place}: {name} is required" for name in sorted(set(schema.get("required", [])) - present))
    for one in inner:
        if one.kind in blocks:
            yield from _arguments(one, blocks[one.kind], f"{place}.{one.kind}")
        else:
            yield f"{place}: no block {one.kind}"
    for lifecycle in block.all("lifecycle"):
        ignored = lifecycle.get("ignore_changes")
        names = {token.text for token in ignored.tokens if token.kind == "name"} - {"all"} if ignored else set()
        yield from (f"{place}: ignores changes of {name}" for name in sorted(names - arguments))


def _static(block: Block) -> Block:
    """A dynamic block as the block that it makes."""
    if block.kind != "dynamic":
        return block
    [content] = block.all("content")
    return Block(block.labels[0], (), block.line, content.attributes, content.blocks)


def _unknown(reference: Reference, schema: Mapping[str, Any]) -> str | None:
    """The first attribute on a reference's path that the schema lacks."""
    level = schema
    for number, name in enumerate(reference.path):
        if name not in readable(level):
            return ".".join(reference.path[: number + 1])
        nested = {**level.get("blocks", {}), **level.get("objects", {})}
        if name not in nested:
            return None  # a map's key, or a value
        level = nested[name]
    return None


def readable(schema: Mapping[str, Any]) -> set[str]:
    """All that can be read of a resource, at one level."""
    return {*schema.get("required", []), *schema.get("optional", []), *schema.get("computed", [])}


@pytest.mark.parametrize("folder", FOLDERS)
def test_provider_6_knows_all_that_is_used(folder: str) -> None:
    assert list(faults(read(*sorted((REPOSITORY / folder).glob("*.tf"))))) == []


def test_the_snapshot_covers_every_type_that_is_used() -> None:
    assert used_types([REPOSITORY]) - SCHEMAS.keys() == set(), "run scripts/provider_schema.py"
    assert json.loads(SNAPSHOT.read_text(encoding="utf-8"))["provider"] == VERSION


GOOD = """
data "aws_region" "current" {}
resource "aws_sqs_queue" "this" {
  name = data.aws_region.current.id
}
resource "aws_lambda_event_source_mapping" "this" {
  function_name    = "f"
  event_source_arn = aws_sqs_queue.this.arn
  dynamic "filter_criteria" {
    for_each = [1]
    content {
      filter {
        pattern = "${aws_opensearch_domain.this.vpc_options[0].vpc_id}"
      }
    }
  }
  lifecycle {
    ignore_changes = [batch_size]
  }
}
resource "aws_opensearch_domain" "this" {
  domain_name = "d"
}
"""


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("name = data", "title = data", "sqs_queue.this: no argument title"),
        ("this.arn", "this.uri", "sqs_queue.this has no uri"),
        ("vpc_id", "vpc_ids", "opensearch_domain.this has no vpc_options.vpc_ids"),
        ("pattern =", "patern =", "lambda_event_source_mapping.this.filter_criteria.filter: no argument patern"),
        ("filter {", "filters {", "lambda_event_source_mapping.this.filter_criteria: no block filters"),
        ("[batch_size]", "[batch]", "lambda_event_source_mapping.this: ignores changes of batch"),
        ("function_name    = ", "uuid = ", "lambda_event_source_mapping.this: no argument uuid"),
        ("domain_name = ", "engine_version = ", "opensearch_domain.this: domain_name is required"),
        ("current.id", "current.name", "region.name is deprecated: use id, which both have"),
        ("current.id", "other.id", "region.other is not declared"),
        (
            "name = data.aws_region.current.id",
            'region = "x"',
            "sqs_queue.this: region is an argument of provider 6 only",
        ),
        ('"aws_sqs_queue" "this"', '"aws_sqs" "this"', "sqs is not in provider_6.json: run scripts/provider_schema.py"),
    ],
)
def test_what_provider_6_lacks_is_found(before: str, after: str, fault: str) -> None:
    assert list(faults(parse(GOOD))) == []
    assert GOOD.count(before) == 1
    assert f"aws_{fault}" in "\n".join(faults(parse(GOOD.replace(before, after))))


def test_every_file_breaks_if_the_schema_loses_what_it_uses() -> None:
    """Each argument that the root module gives, taken out of the snapshot, is missed."""
    root = read(*sorted(REPOSITORY.glob("*.tf")))
    lost = 0
    for block in root.all("resource"):
        kind = f"resource {block.labels[0]}"
        for attribute in block.attributes:
            if attribute.name not in META:
                poorer = json.loads(json.dumps(SCHEMAS[kind]))
                for names in (poorer.get("required", []), poorer.get("optional", [])):
                    if attribute.name in names:
                        names.remove(attribute.name)
                found = list(faults(root, {**SCHEMAS, kind: poorer}))
                assert f"{kind}.{block.labels[1]}: no argument {attribute.name}" in found
                lost += 1
    assert lost > 60


@pytest.fixture(scope="session")
def lowest(provider_schemas: dict[str, Any]) -> dict[str, set[str]]:
    """What can be read of each type in the lowest provider that the project allows."""
    return {
        f"{kind} {name}": {*schema["block"].get("attributes", {}), *schema["block"].get("block_types", {})}
        for kind, sort in SORTS.items()
        for name, schema in provider_schemas[sort].items()
    }


def test_the_bindings_are_read_whole(provider_schemas: dict[str, Any]) -> None:
    """Provider 6 lacks nothing of 5.100's in these types, at any depth, but what its upgrade guide names."""
    lost = {
        line
        for kind, schema in SCHEMAS.items()
        if (old := provider_schemas[SORTS[kind.split()[0]]].get(kind.split()[1]))
        for line in _lost(kind, old["block"], schema)
    }
    assert lost == {"data aws_opensearch_domain.kibana_endpoint", "resource aws_opensearch_domain.kibana_endpoint"}


def _lost(place: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    attributes, blocks = old.get("attributes", {}), old.get("block_types", {})
    yield from (f"{place}.{name}" for name in {*attributes, *blocks} - readable(new))
    required = {name for name, one in attributes.items() if one.get("required")}
    required |= {name for name, one in blocks.items() if one.get("min_items")}
    yield from (f"{place}.{name} differs" for name in required ^ set(new.get("required", [])))
    for name, block in blocks.items():
        nested = {**new.get("blocks", {}), **new.get("objects", {})}
        if name in nested:
            yield from _lost(f"{place}.{name}", block["block"], nested[name])


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_is_used_that_the_lowest_provider_calls_deprecated(
    provider_schemas: dict[str, Any], folder: str
) -> None:
    found = [
        f"{block.labels[0]}.{name}"
        for block in read(*sorted((REPOSITORY / folder).glob("*.tf"))).blocks
        if block.kind in SORTS and block.labels[0].startswith("aws_")
        for name in _deprecated(block, provider_schemas[SORTS[block.kind]][block.labels[0]]["block"])
    ]
    assert found == []


def _deprecated(block: Block, schema: Mapping[str, Any]) -> Iterator[str]:
    given = {one.name for one in block.attributes}
    yield from (name for name, one in schema.get("attributes", {}).items() if one.get("deprecated") and name in given)
    for one in map(_static, block.blocks):
        if nested := schema.get("block_types", {}).get(one.kind):
            yield from _deprecated(one, nested["block"])


def test_what_a_module_takes_of_a_whole_resource_is_still_there(lowest: Mapping[str, set[str]]) -> None:
    """`table = aws_dynamodb_table.x`: an optional attribute that provider 6 lacks would be null, without a word."""
    passed = 0
    for folder in FOLDERS:
        for module in read(*sorted((REPOSITORY / folder).glob("*.tf"))).all("module"):
            source = (REPOSITORY / folder / module.value("source")).resolve()
            variables = {one.labels[0]: one for one in read(*sorted(source.glob("*.tf"))).all("variable")}
            for attribute in module.attributes:
                if attribute.name not in variables or not (whole := _whole_resource(attribute)):
                    continue
                asked = attributes_of(variables[attribute.name].get("type"))
                lost = (set(asked) & lowest[whole.kind]) - readable(SCHEMAS[whole.kind])
                assert lost == set(), f"{folder}: {attribute.name}"
                passed += bool(asked)
    assert passed >= 8


def _whole_resource(attribute: Attribute) -> Reference | None:
    found = list(references(attribute))
    return (
        found[0]
        if len(found) == 1 and not found[0].path and attribute.tokens[0].text in {"data", found[0].kind.split()[1]}
        else None
    )


def attributes_of(kind: Attribute | None) -> list[str]:
    """The names of an object type's own attributes."""
    names, depth = [], 0
    sequence = kind.tokens if kind else ()
    for token, following in pairwise(sequence):
        depth += (token.kind in {"{", "(", "["}) - (token.kind in {"}", ")", "]"})
        if depth == 2 and token.kind == "name" and following.kind == "=":
            names.append(token.text)
    return names


OFFLINE = """
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}
"""
IN_OREGON = """
resource "aws_dynamodb_table" "products_oregon" {
  provider         = aws.oregon
  name             = "products"
  billing_mode     = "PAY_PER_REQUEST"
  hash_key         = "id"
  stream_enabled   = true
  stream_view_type = "NEW_AND_OLD_IMAGES"

  attribute {
    name = "id"
    type = "S"
  }
}

resource "aws_opensearch_domain" "search_oregon" {
  provider    = aws.oregon
  domain_name = "search"
}
"""


def test_the_pages_sync_in_another_region_plans_with_that_regions_provider(terraform: Terraform) -> None:
    page = (REPOSITORY / "docs/reference/compatibility.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```hcl\n(.*?)```", page, re.DOTALL)
    example = re.sub(r'"git::.*"', '"../../.."', example)
    example, providers = re.subn(r'(provider "aws" {\n.*?)\n}\n', rf"\1{OFFLINE}", example, flags=re.DOTALL)
    folder = "tests/terraform/another-region"
    (terraform.copy / folder).mkdir(exist_ok=True)
    (terraform.copy / folder / "main.tf").write_text(example + IN_OREGON, encoding="utf-8")
    terraform.init(folder)

    terraform(folder, "plan", "-out=plan.bin")
    plan = json.loads(terraform(folder, "show", "-json", "plan.bin"))

    resources = plan["configuration"]["root_module"]["module_calls"]["search_oregon"]["module"]["resources"]
    assert providers == 2
    assert len(resources) > 5
    assert {resource["provider_config_key"] for resource in resources} == {"aws.oregon"}
