"""scripts/docs.py: the pages' tables are those of the .tf files, and a stale one is noticed."""

import shutil
from pathlib import Path

import pytest

from scripts.docs import DocsError, in_short, inputs_table, read_blocks, stale_pages, with_tables

REPOSITORY = Path(__file__).resolve().parents[2]

VARIABLES = """variable "table" {
  type = object({
    name = string
    keys = optional(list(object({
      name = string
    })))
  })
  description = "The \\"table\\"."
  nullable    = false

  validation {
    condition     = var.table.name != ""
    error_message = "default = wrong"
  }
}

variable "batch_size" {
  type        = number
  description = <<-EOT
    1 to 10 | 20,
    or "all".
  EOT
  default     = 1000
  nullable    = false
}
"""


def module(folder: Path, variables: str = VARIABLES) -> Path:
    """The repository, which has only a root module."""
    path = folder
    (path / "docs/reference").mkdir(parents=True)
    (path / "variables.tf").write_text(variables, encoding="utf-8")
    (path / "outputs.tf").write_text(
        'output "arn" {\n  description = "Its ARN."\n  value       = 1\n}\n', encoding="utf-8"
    )
    (path / "docs/reference/module.md").write_text(
        "# The module\n<!-- BEGIN inputs -->\n<!-- END inputs -->\n"
        "text\n<!-- BEGIN outputs -->\n<!-- END outputs -->\nend\n",
        encoding="utf-8",
    )
    (path / "README.md").write_text(
        "# Name\n<!-- BEGIN inputs and outputs -->\n<!-- END inputs and outputs -->\nfooter\n", encoding="utf-8"
    )
    return path


def test_no_page_is_stale() -> None:
    assert stale_pages(REPOSITORY, write=False) == []


def test_a_changed_variable_makes_its_page_stale(tmp_path: Path) -> None:
    for name in ("docs", "modules"):
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    for name in ("README.md", "variables.tf", "outputs.tf"):
        shutil.copy(REPOSITORY / name, tmp_path)
    variables = tmp_path / "modules/table/variables.tf"
    changed = variables.read_text(encoding="utf-8").replace('"STANDARD"\n', '"OTHER"\n')
    variables.write_text(changed, encoding="utf-8")

    assert stale_pages(tmp_path, write=False) == [tmp_path / "modules/table/README.md"]


def test_the_tables_show_type_default_and_description(tmp_path: Path) -> None:
    page = module(tmp_path) / "docs/reference/module.md"

    assert stale_pages(tmp_path, write=True) == [tmp_path / "README.md", page]

    assert page.read_text(encoding="utf-8") == (
        "# The module\n"
        "<!-- BEGIN inputs -->\n"
        "| name | type | default | |\n"
        "|---|---|---|---|\n"
        "| `table` | `object({ name = string, keys = optional(list(object({ name = string }))) })` | required "
        '| The "table". |\n'
        '| `batch_size` | `number` | `1000` | 1 to 10 \\| 20, or "all". |\n'
        "<!-- END inputs -->\n"
        "text\n"
        "<!-- BEGIN outputs -->\n"
        "| name | |\n"
        "|---|---|\n"
        "| `arn` | Its ARN. |\n"
        "<!-- END outputs -->\n"
        "end\n"
    )
    assert stale_pages(tmp_path, write=False) == []


def test_the_readme_has_the_same_in_short(tmp_path: Path) -> None:
    module(tmp_path)
    stale_pages(tmp_path, write=True)

    assert (tmp_path / "README.md").read_text(encoding="utf-8") == (
        "# Name\n"
        "<!-- BEGIN inputs and outputs -->\n"
        "| input | type | default | |\n"
        "|---|---|---|---|\n"
        '| `table` | `object` | required | The "table" |\n'
        '| `batch_size` | `number` | `1000` | 1 to 10 \\| 20, or "all" |\n'
        "\n"
        "| output | |\n"
        "|---|---|\n"
        "| `arn` | Its ARN |\n"
        "<!-- END inputs and outputs -->\n"
        "footer\n"
    )


@pytest.mark.parametrize(
    ("description", "short"),
    [
        ("JSON (default: all lines are (well) JSON) or Text. More.", "JSON or Text"),
        ("The runtime: python3.13 (default) or 3.12.", "The runtime"),
        ("The URL https://x.example.com/a; more", "The URL https://x.example.com/a"),
        ("Plain", "Plain"),
    ],
)
def test_a_description_in_short_ends_at_its_first_stop(description: str, short: str) -> None:
    assert in_short(description) == short


def test_every_variable_block_is_read() -> None:
    """The parser knows only what `terraform fmt` writes: none may slip through."""
    for path in (REPOSITORY / "variables.tf", *REPOSITORY.glob("modules/*/variables.tf")):
        assert len(read_blocks(path, "variable")) == path.read_text(encoding="utf-8").count("\nvariable ") + 1


@pytest.mark.parametrize("page", ["no markers", "<!-- END inputs --><!-- BEGIN inputs -->"])
def test_a_page_without_markers_is_refused(tmp_path: Path, page: str) -> None:
    with pytest.raises(DocsError, match=r"module\.md: it needs one line <!-- BEGIN inputs -->"):
        with_tables(page, module(tmp_path), "module.md")


def test_a_description_that_is_computed_is_refused(tmp_path: Path) -> None:
    path = module(tmp_path, VARIABLES.replace("    1 to 10", "    ${local.low} to 10"))

    with pytest.raises(DocsError, match="description of batch_size is"):
        inputs_table(path)
