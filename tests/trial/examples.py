"""The examples that a trial can prove: what they cost, what is put into their tables, and what becomes of it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.catalogue import products
from trial.errors import TrialError
from trial.folder import REPOSITORY

Item = dict[str, Any]

_STORED_AS = {"_id": "~_id"}
"""Names that OpenSearch refuses, and what documents have instead: see docs/reference/documents.md."""

# What a number, a key or a nested value may be at its oddest.
_ODD: Mapping[str, Item] = {
    "38 digits": {"serial": {"N": "12345678901234567890123456789012345678"}},
    "tiny": {"serial": {"N": "-0.0000000000000000000000000000000000000123456789"}},
    "binary": {"thumbnail": {"B": b"\x00\xff\x10"}, "parts": {"BS": [b"\x00", b"\x01\x02"]}},
    "sets": {"tags": {"SS": ["b", "a", "ü"]}, "sizes": {"NS": ["1", "2.50", "-3"]}},
    "nested": {"deep": {"M": {"a": {"L": [{"M": {"b": {"L": [{"NULL": True}, {"BOOL": False}, {"N": "1.0"}]}}}]}}}},
    "empty": {"name": {"S": ""}, "list": {"L": []}, "discontinuedAt": {"NULL": True}},
    "names": {"_id": {"S": "a name that OpenSearch refuses in a document"}, "a.b": {"S": "a dot"}},
    'key \\ | "ü" 🦆 /?#%2F': {"name": {"S": "a key that needs quoting"}},
}


@dataclass(frozen=True, slots=True)
class Example:
    """What a trial must know about an example, besides its Terraform files.

    Its variables have defaults, ``name`` is the start of all its names, ``module.sync`` is its sync, and it has the
    output ``table_name``. Each index holds every item of the table whole, and the key is a string.
    """

    name: str
    key: str
    index: str
    definition: str
    """File of the index: settings and index mapping."""
    mapped_integer: str
    """An attribute that the index mapping wants as an integer."""
    usd_an_hour: float
    """List price of what runs all the time, in us-east-1."""

    @property
    def folder(self) -> Path:
        return REPOSITORY / "examples" / self.name

    @property
    def definition_file(self) -> Path:
        return self.folder / self.definition

    def items(self) -> list[Item]:
        """Return ordinary items and odd ones."""
        odd = [{self.key: {"S": key}, **attributes} for key, attributes in _ODD.items()]
        return [*products(12), *odd]

    def empty_map(self) -> Item:
        """Return an item with an empty map. It is apart from the others, because LocalStack's stream spoils it."""
        return {self.key: {"S": "empty map"}, "map": {"M": {}}}

    def poison(self, number: int) -> Item:
        """Return an item with a text where the index mapping wants an integer."""
        return {self.key: {"S": f"poison-{number}"}, self.mapped_integer: {"S": "sold out"}}

    def corrected(self, number: int) -> Item:
        """Return the same item as it should have been."""
        return {self.key: {"S": f"poison-{number}"}, self.mapped_integer: {"N": "0"}}


EXAMPLES = {
    example.name: example
    for example in (
        Example(
            name="products",
            key="productId",
            index="products",
            definition="mapping.json",
            mapped_integer="stock",
            usd_an_hour=0.05,
        ),
    )
}


def find(name: str) -> Example:
    """Return the example of this name.

    Raises:
        TrialError: a trial can't prove it.
    """
    if example := EXAMPLES.get(name):
        return example
    there = sorted(path.parent.name for path in (REPOSITORY / "examples").glob("*/main.tf"))
    supported = ", ".join(EXAMPLES)
    why = "it isn't one that a test on AWS can prove" if name in there else "there is no such example"
    raise TrialError(f"EXAMPLE={name}: {why}; choose from: {supported}")


def as_stored(item: Item) -> Item:
    """Return the item under the names that its document has."""
    return {_STORED_AS.get(name, name): value for name, value in item.items()}


def without_default(folder: Path) -> Sequence[str]:
    """Return the names of an example's variables that have no default."""
    code = (folder / "variables.tf").read_text(encoding="utf-8")
    blocks = re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', code, re.MULTILINE | re.DOTALL)
    return [name for name, body in blocks if not re.search(r"^  default +=", body, re.MULTILINE)]
