"""What Terraform's registry and TFLint ask of a module. See https://developer.hashicorp.com/terraform/registry/modules/publish."""

import re
import subprocess
from pathlib import Path

import pytest
from terraform.hcl import HclError, duplicate_keys, parse, read, references
from terraform.tflint import RULES, Folder, Rule

from scripts.docs import read_blocks

REPOSITORY = Path(__file__).resolve().parents[2]
LEAVES = sorted(path.parent.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("modules/*/versions.tf"))
EXAMPLES = sorted(path.parent.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("examples/*/versions.tf"))
MODULES = (".", *LEAVES, *EXAMPLES)


def tracked() -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listed.split("\0") if name]


def title(page: Path) -> str:
    first = page.read_text(encoding="utf-8").partition("\n")[0]
    assert first.startswith("# "), page
    return first.removeprefix("# ")


def test_the_name_is_terraform_provider_name_and_the_provider_is_the_one_that_is_required() -> None:
    named = re.fullmatch(
        r"terraform-(?P<provider>[a-z0-9]+)-(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)", title(REPOSITORY / "README.md")
    )
    assert named is not None
    [required] = [
        attribute.name
        for block in read(REPOSITORY / "versions.tf").nested()
        if block.kind == "required_providers"
        for attribute in block.attributes
    ]
    assert named["provider"] == required


@pytest.mark.parametrize("name", ["LICENSE", "README.md", "CHANGELOG.md", "versions.tf", "variables.tf", "outputs.tf"])
def test_the_root_has_what_a_module_is_known_by(name: str) -> None:
    assert (REPOSITORY / name).stat().st_size > 0


def test_the_licence_is_the_one_that_the_readme_and_the_package_name() -> None:
    assert "Apache License" in (REPOSITORY / "LICENSE").read_text(encoding="utf-8")
    for page in ("README.md", "lambda/pyproject.toml"):
        assert "Apache-2.0" in (REPOSITORY / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", [*LEAVES, *EXAMPLES])
def test_a_submodule_or_example_says_in_its_readme_what_it_is(folder: str) -> None:
    """The registry shows a submodule without a README as an internal one."""
    page = REPOSITORY / folder / "README.md"
    assert title(page)
    assert len(page.read_text(encoding="utf-8").splitlines()) > 5


@pytest.mark.parametrize("folder", LEAVES)
def test_a_submodule_has_inputs_and_outputs_of_its_own(folder: str) -> None:
    for kind in ("variable", "output"):
        assert read_blocks(REPOSITORY / folder / f"{kind}s.tf", kind)


def test_every_folder_below_modules_and_examples_is_one() -> None:
    """A folder without .tf files would be an empty page in the registry."""
    found = {path.parent.relative_to(REPOSITORY).as_posix() for path in REPOSITORY.glob("*/*/README.md")}
    assert {name for name in found if name.startswith(("modules/", "examples/"))} == {*LEAVES, *EXAMPLES}


@pytest.mark.parametrize("folder", MODULES)
def test_no_module_is_called_by_an_absolute_path(folder: str) -> None:
    """It would lie outside of the package that the registry makes; see the docs of module sources."""
    for block in read(*sorted((REPOSITORY / folder).glob("*.tf"))).all("module"):
        source = block.value("source")
        assert source, f"{block.labels[0]}: a source is one string"
        assert not source.startswith(("/", "~", "file:"))
        if source.startswith("."):
            inside = (REPOSITORY / folder / source).resolve()
            assert inside.is_relative_to(REPOSITORY)
            assert list(inside.glob("*.tf"))


def test_no_lock_file_is_committed() -> None:
    """Terraform reads a lock file in the root that is applied, never in a module: here it could only mislead.

    An example is applied, but is no one's deployment: its lock would hold back the providers of all who copy it, and
    would need the hashes of every platform. `terraform init` in a copy writes one, which its owner commits.
    """
    assert [name for name in tracked() if name.endswith(".terraform.lock.hcl")] == []
    assert ".terraform.lock.hcl" in (REPOSITORY / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_no_configuration_is_json_or_an_override() -> None:
    assert [name for name in tracked() if re.search(r"\.tf\.json$|(^|/|_)override\.tf$", name)] == []


def test_the_package_is_small_enough_to_fetch() -> None:
    """Every `terraform init` of a caller fetches the whole repository."""
    size = sum((REPOSITORY / name).stat().st_size for name in tracked() if (REPOSITORY / name).is_file())
    assert size < 20_000_000


@pytest.mark.parametrize("folder", MODULES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_tflints_rules_hold(rule: Rule, folder: str) -> None:
    assert list(rule(Folder.read(REPOSITORY / folder))) == []


def test_one_variable_alone_is_of_any_type() -> None:
    """`indices`: an object type would drop a misspelt member of it without a word; validations refuse it."""
    untyped = [
        f"{folder} {block.labels[0]}"
        for folder in MODULES
        for block in read(REPOSITORY / folder / "variables.tf").all("variable")
        if (kind := block.get("type")) and "any" in {token.text for token in kind.tokens}
    ]
    assert untyped == [". indices"]


GOOD = {
    "versions.tf": """
terraform {
  required_version = ">= 1.9.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}
provider "aws" {
  alias = "other"
}
""",
    "variables.tf": """
# A name.
variable "name" {
  type = object({ a = string, b = optional(list(string)) })
}
""",
    "outputs.tf": """
output "id" {
  value = "${local.prefix}-${local.names[0]}"
}
""",
    "queue.tf": """
locals {
  prefix = lookup(var.name, "a", "none")
  names  = length(var.name.b) == 0 ? { for a in [1] : a => a } : { a = 1, "b" = { a = 1 } }
}
data "aws_region" "here" {
}
resource "aws_sqs_queue" "this" {
  provider = aws.other
  name     = "${data.aws_region.here.id}${1.5}"
}
module "other" {
  source  = "acme/other/aws"
  version = "1.0.0"
}
""",
}


@pytest.mark.parametrize(
    ("rule", "file", "before", "after"),
    [
        ("comment_syntax", "variables.tf", "# A name.", "// A name."),
        ("comment_syntax", "variables.tf", "# A name.", "/* A name. */"),
        ("deprecated_index", "outputs.tf", "names[0]", "names.0"),
        ("deprecated_interpolation", "outputs.tf", '"${local.prefix}-${local.names[0]}"', '"${local.prefix}"'),
        ("deprecated_lookup", "queue.tf", ', "none")', ")"),
        ("empty_list_equality", "queue.tf", "length(var.name.b) == 0", "var.name.b == []"),
        ("empty_list_equality", "queue.tf", "length(var.name.b) == 0", "[] != var.name.b"),
        ("map_duplicate_keys", "queue.tf", '"b" = {', '"a" = {'),
        ("module_pinned_source", "queue.tf", '\n  version = "1.0.0"', ""),
        ("module_pinned_source", "queue.tf", '"acme/other/aws"', '"git::https://example.com/other.git?ref=main"'),
        ("module_pinned_source", "queue.tf", '"acme/other/aws"', '"git::https://example.com/other.git"'),
        ("module_pinned_source", "queue.tf", '"acme/other/aws"', '"/srv/other"'),
        ("naming_convention", "queue.tf", '"this"', '"thisQueue"'),
        ("naming_convention", "queue.tf", '"this"', '"this-queue"'),
        ("naming_convention", "queue.tf", "  prefix = ", "  Prefix = "),
        ("required_versions", "versions.tf", '  required_version = ">= 1.9.0"\n', ""),
        ("required_versions", "versions.tf", '      version = ">= 5.0"\n', ""),
        ("required_versions", "queue.tf", '"aws_sqs_queue"', '"null_resource"'),
        ("required_versions", "queue.tf", "locals {", "terraform {\n}\nlocals {"),
        ("standard_structure", "queue.tf", 'module "other" {', 'variable "x" {\n}\nmodule "other" {'),
        ("unused_declarations", "queue.tf", "${data.aws_region.here.id}", ""),
        ("unused_declarations", "outputs.tf", "${local.prefix}", "prefix"),
        ("unused_declarations", "queue.tf", "  provider = aws.other\n", ""),
    ],
)
def test_each_rule_finds_what_breaks_it(rule: str, file: str, before: str, after: str) -> None:
    [function] = [one for one in RULES if one.__name__ == rule]
    assert [found for one in RULES for found in one(Folder(GOOD))] == []
    assert GOOD[file].count(before) == 1
    assert list(function(Folder({**GOOD, file: GOOD[file].replace(before, after)})))


def test_a_missing_file_breaks_the_structure() -> None:
    [structure] = [one for one in RULES if one.__name__ == "standard_structure"]
    assert list(structure(Folder({"main.tf": ""}))) == ["outputs.tf is missing", "variables.tf is missing"]


def test_the_reader_sees_references_wherever_they_are() -> None:
    text = """
locals {
  a = [for k in aws_x.y : k.arn]
  b = aws_x.y[local.m["k"][0]].vpc[0].id
  c = "x ${aws_x.z["a"].arn} ${join(",", data.aws_q.w[*].id)} $${aws_no.x.y}"
  d = <<-EOT
    ${aws_h.d.id} # aws_no.x.y
  EOT
  e = try(aws_x.y.*.arn, null) # aws_no.x.y
}
"""
    found = {
        one.name: [f"{found.kind}.{found.name}.{'.'.join(found.path)}" for found in references(one)]
        for one in parse(text).expressions()
    }
    assert found == {
        "a": ["resource aws_x.y."],
        "b": ["resource aws_x.y.vpc.id"],
        "c": ["resource aws_x.z.arn", "data aws_q.w.id"],
        "d": ["resource aws_h.d.id"],
        "e": ["resource aws_x.y.arn"],
    }


def test_the_reader_knows_what_a_key_is() -> None:
    text = 'x = { a = 1, b = { a = 1 }, c = [for a in [] : { a = a == 1 }]\n a = 2, "b" : 3, (c) = 4 }\n'
    assert [duplicate_keys(one) for one in parse(text).attributes] == [["a", "b"]]


@pytest.mark.parametrize("text", ['a "b {\n', "a = 1 }\n", "a {\n", '"a" = 1\n', "a = `1`\n", "= 1\n"])
def test_the_reader_refuses_what_it_does_not_understand(text: str) -> None:
    with pytest.raises((HclError, IndexError)):
        parse(text)
