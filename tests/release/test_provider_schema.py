"""scripts/provider_schema.py: what it reads of the bindings, and what it refuses."""

import zipfile
from pathlib import Path

import pytest

from scripts.provider_schema import SchemaError, main, module_of, schema_of, snapshot, used_types

PAGE = "https://example.com/6.25.0/docs/resources/some_thing"
BINDING = f'''
class SomeThing(_cdktf.TerraformResource):
    @builtins.property
    def arn(self) -> builtins.str: ...
    @builtins.property
    def and_(self) -> builtins.str: ...
    @builtins.property
    def part(self) -> "SomeThingPartList": ...
    @builtins.property
    def part_input(self) -> typing.Optional[builtins.str]: ...
    @builtins.property
    def endpoint(self) -> "SomeThingEndpointList": ...
    def reset_part(self) -> None: ...

class SomeThingConfig(_cdktf.TerraformMetaArguments):
    @builtins.property
    def count(self) -> typing.Optional[jsii.Number]:
        """:stability: experimental"""
    @builtins.property
    def name(self) -> builtins.str:
        """Docs at Terraform Registry: {{@link {PAGE}#name SomeThing#name}}"""
    @builtins.property
    def part(self) -> typing.Optional[typing.Union[_cdktf.IResolvable, typing.List["SomeThingPart"]]]:
        """part block.

        Docs at Terraform Registry: {{@link {PAGE}#part SomeThing#part}}
        """

class SomeThingPart:
    @builtins.property
    def size(self) -> typing.Optional[jsii.Number]:
        """Docs at Terraform Registry: {{@link {PAGE}#size SomeThing#size}}"""

class SomeThingPartList(_cdktf.ComplexList):
    pass

class SomeThingPartOutputReference(_cdktf.ComplexObject):
    @builtins.property
    def size(self) -> jsii.Number: ...
    @builtins.property
    def state(self) -> builtins.str: ...
    @builtins.property
    def internal_value(self) -> typing.Optional["SomeThingPart"]: ...

class SomeThingEndpoint:
    pass

class SomeThingEndpointList(_cdktf.ComplexList):
    pass

class SomeThingEndpointOutputReference(_cdktf.ComplexObject):
    @builtins.property
    def url(self) -> builtins.str: ...
'''


def test_arguments_blocks_and_what_is_computed_are_told_apart() -> None:
    assert schema_of(BINDING) == {
        "required": ["name"],
        "optional": ["part"],
        "computed": ["and", "arn", "endpoint"],
        "blocks": {"part": {"optional": ["size"], "computed": ["state"]}},
        "objects": {"endpoint": {"computed": ["url"]}},
    }


def test_a_binding_in_another_form_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"SomeThingConfig\.name has no link to the registry's page"):
        schema_of(BINDING.replace("#name", ""))


def test_a_type_that_provider_6_lacks_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "bindings.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("cdktf_cdktf_provider_aws/some_thing/__init__.py", BINDING)
    assert list(snapshot(wheel, ["resource aws_some_thing"])["schemas"]) == ["resource aws_some_thing"]
    with pytest.raises(SchemaError, match=r"provider 6\.25\.0 has no data aws_some_thing: remove it"):
        snapshot(wheel, ["data aws_some_thing"])


def test_every_tf_file_below_a_folder_counts(tmp_path: Path) -> None:
    (tmp_path / "a/.terraform").mkdir(parents=True)
    (tmp_path / "a/main.tf").write_text('resource "aws_sqs_queue" "x" {}\ndata "aws_region" "y" {}\n', encoding="utf-8")
    (tmp_path / "a/.terraform/main.tf").write_text('resource "aws_vpc" "x" {}\n', encoding="utf-8")
    assert used_types([tmp_path]) == {"resource aws_sqs_queue", "data aws_region"}
    assert sorted(map(module_of, used_types([tmp_path]))) == ["data_aws_region", "sqs_queue"]


def test_a_folder_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["/nowhere"]) == 2
    assert (
        capsys.readouterr().err
        == "provider_schema.py: /nowhere is no folder: give folders with .tf files, or nothing\n"
    )
