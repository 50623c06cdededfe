"""TFLint's rules for Terraform's language, as functions over parsed files: TFLint itself can't be had everywhere.

Rules that test_conventions.py has already (typed, documented and used variables, documented outputs, required versions)
are not here. See https://github.com/terraform-linters/tflint-ruleset-terraform/tree/main/docs/rules.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from terraform.hcl import Attribute, Block, Token, duplicate_keys, parse, references, templates, tokens

Rule = Callable[["Folder"], Iterator[str]]


@dataclass(frozen=True, slots=True)
class Folder:
    """A module: its .tf files by name."""

    files: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "Folder":
        """The files that Terraform would read."""
        return cls({file.name: file.read_text(encoding="utf-8") for file in sorted(path.glob("*.tf"))})

    def blocks(self) -> Iterator[tuple[str, Block]]:
        """The blocks on the first level, with their file's name."""
        for name, text in self.files.items():
            for block in parse(text).blocks:
                yield name, block

    def kind(self, kind: str) -> Iterator[Block]:
        """The blocks of a kind on the first level."""
        return (block for _, block in self.blocks() if block.kind == kind)

    def expressions(self) -> Iterator[tuple[str, Attribute]]:
        """Every argument, with its place."""
        for name, block in self.blocks():
            for attribute in block.expressions():
                yield f"{name}:{attribute.line}", attribute


def comment_syntax(folder: Folder) -> Iterator[str]:
    """Comments begin with #."""
    for name, text in folder.files.items():
        for token in tokens(text):
            if token.kind == "comment" and not token.text.startswith("#"):
                yield f"{name}:{token.line}: {token.text[:20]}"


def deprecated_index(folder: Folder) -> Iterator[str]:
    """``list.0`` is ``list[0]``."""
    for place, attribute in folder.expressions():
        for code in _codes(attribute.tokens):
            for before, after in pairwise(code):
                if (before.kind, after.kind) == (".", "number"):
                    yield f"{place}: .{after.text}"


def _codes(sequence: tuple[Token, ...]) -> Iterator[list[Token]]:
    """An expression, and those inside its strings."""
    yield list(sequence)
    for token in sequence:
        if token.kind in {"string", "heredoc"}:
            for inside in templates(token.text):
                yield from _codes(tuple(tokens(inside)))


def deprecated_interpolation(folder: Folder) -> Iterator[str]:
    """A string that is one ``${…}`` and nothing else needs neither quotes nor braces."""
    for place, attribute in folder.expressions():
        for token in attribute.tokens:
            inside = list(templates(token.text)) if token.kind == "string" else []
            if len(inside) == 1 and token.text == f'"${{{inside[0]}}}"':
                yield f"{place}: {token.text}"


def deprecated_lookup(folder: Folder) -> Iterator[str]:
    """``lookup`` without a default is an index."""
    for place, attribute in folder.expressions():
        for code in _codes(attribute.tokens):
            for number, token in enumerate(code):
                called = token.text == "lookup" and [one.kind for one in code[number + 1 : number + 2]] == ["("]
                if called and _arguments(code[number + 1 :]) < 3:
                    yield f"{place}: lookup"


def _arguments(code: list[Token]) -> int:
    """How many arguments a call has, from its parenthesis on."""
    depth, commas = 0, 0
    for token in code:
        depth += (token.kind in {"(", "[", "{"}) - (token.kind in {")", "]", "}"})
        commas += token.kind == "," and depth == 1
        if depth == 0:
            break
    return commas + 1


def empty_list_equality(folder: Folder) -> Iterator[str]:
    """Nothing equals ``[]``: ask for the length."""
    for place, attribute in folder.expressions():
        if re.search(r"[!=]= \[ \]|\[ \] [!=]=", attribute.text):
            yield f"{place}: {attribute.name} compares with []"


def map_duplicate_keys(folder: Folder) -> Iterator[str]:
    """An object has a key once."""
    for place, attribute in folder.expressions():
        yield from (f"{place}: {key} is there twice" for key in duplicate_keys(attribute))


def module_pinned_source(folder: Folder) -> Iterator[str]:
    """A module is a folder beside this one, or is pinned: a git source by ref, a registry's by version."""
    for block in folder.kind("module"):
        source = block.value("source")
        is_registry = re.fullmatch(r"(?:[\w.-]+/)?[\w-]+/[\w-]+/[\w-]+", source) and not source.startswith(".")
        if source.startswith(("./", "../")):
            continue
        if not (is_registry and block.value("version")) and not re.search(
            r"\?ref=v?[\d.]+$|\?ref=[0-9a-f]{40}$", source
        ):
            yield f"module {block.labels[0]}: {source or 'no source'}"


def naming_convention(folder: Folder) -> Iterator[str]:
    """Names of blocks and of what is declared in them are snake_case."""
    for name, block in folder.blocks():
        declared = [one.name for one in block.attributes] if block.kind == "locals" else []
        own = block.labels[-1:] if block.kind in {"resource", "data", "module", "variable", "output", "check"} else ()
        for one in (*own, *declared):
            if not re.fullmatch(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*", one):
                yield f"{name}:{block.line}: {one}"


def required_versions(folder: Folder) -> Iterator[str]:
    """Terraform's version and each provider's source and version are asked for, in versions.tf alone."""
    found = [(name, block) for name, block in folder.blocks() if block.kind == "terraform"]
    if [name for name, _ in found] != ["versions.tf"]:
        yield f"terraform is in {[name for name, _ in found]}: it must be in versions.tf, once"
        return
    [(_, block)] = found
    if not block.get("required_version"):
        yield "no required_version"
    providers = [one for required in block.all("required_providers") for one in required.attributes]
    for one in providers:
        if not {"source", "version"} <= {token.text for token in one.tokens}:
            yield f"{one.name} lacks source or version"
    used = {block.labels[0].partition("_")[0] for _, block in folder.blocks() if block.kind in {"resource", "data"}}
    yield from (f"{one} is used and not asked for" for one in sorted(used - {one.name for one in providers}))


def standard_structure(folder: Folder) -> Iterator[str]:
    """Variables are in variables.tf, outputs in outputs.tf, and both files are there.

    There need be no main.tf: a module has one file per concern.
    """
    yield from (f"{name} is missing" for name in ("outputs.tf", "variables.tf") if name not in folder.files)
    for name, block in folder.blocks():
        if block.kind in {"variable", "output"} and name != f"{block.kind}s.tf":
            yield f"{name}:{block.line}: {block.kind} {block.labels[0]}"


def unused_declarations(folder: Folder) -> Iterator[str]:
    """Each local value, data source and provider's alias is used."""
    everything = [attribute for _, attribute in folder.expressions()]
    used = {(one.kind, one.name) for attribute in everything for one in references(attribute)}
    codes = [" ".join(token.text for token in code) for one in everything for code in _codes(one.tokens)]
    locals_used = {name for code in codes for name in re.findall(r"\blocal ?\. ?([\w-]+)", code)}
    for name, block in folder.blocks():
        if block.kind == "data" and (f"data {block.labels[0]}", block.labels[1]) not in used:
            yield f"{name}:{block.line}: data {block.labels[0]}.{block.labels[1]}"
        if block.kind == "locals":
            unused = [one for one in block.attributes if one.name not in locals_used]
            yield from (f"{name}:{one.line}: local.{one.name}" for one in unused)
        alias = block.value("alias") if block.kind == "provider" else ""
        if alias and not any(re.search(rf"\b{block.labels[0]} ?\. ?{alias}\b", code) for code in codes):
            yield f"{name}:{block.line}: provider {block.labels[0]}.{alias}"


RULES: tuple[Rule, ...] = (
    comment_syntax,
    deprecated_index,
    deprecated_interpolation,
    deprecated_lookup,
    empty_list_equality,
    map_duplicate_keys,
    module_pinned_source,
    naming_convention,
    required_versions,
    standard_structure,
    unused_declarations,
)
