import pickle
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import getcontext, localcontext
from pathlib import Path
from typing import Any

import pytest
from dynamodb_opensearch.core.documents import encode_document, member
from dynamodb_opensearch.core.errors import ConfigurationError, TransformError, UndecodableError
from dynamodb_opensearch.core.transforms import Transform
from hypothesis import given
from hypothesis import strategies as st

from unit.strategies import Pair, values

ITEM: dict[str, Any] = {"id": {"S": "a1"}, "price": {"N": "9.90"}, "parts": {"L": [{"S": "lid"}]}}


def transform(function: Callable[[dict[str, Any]], Any]) -> Transform:
    return Transform("search:document", function)


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    monkeypatch.syspath_prepend(tmp_path)

    def write(name: str, text: str) -> None:
        path = tmp_path / (name.replace(".", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)

    return write


def test_a_function_is_imported_by_its_name(module: Callable[[str, str], None]) -> None:
    module("plain_search", "def document(item):\n    return {'name': item['id']}\n")

    loaded = Transform.load("plain_search:document")

    assert loaded.texts(ITEM) == {"name": '"a1"'}
    assert loaded == Transform.load("plain_search:document")
    assert hash(loaded) == hash(Transform.load("plain_search:document"))
    assert pickle.loads(pickle.dumps(loaded)) == loaded  # noqa: S301 (our own)
    assert "function" not in repr(loaded)


def test_a_module_may_be_in_a_package(module: Callable[[str, str], None]) -> None:
    module("search_package.__init__", "")
    module(
        "search_package.orders",
        "class Document:\n    def __call__(self, item):\n        return item\nof = Document()\n",
    )

    assert Transform.load("search_package.orders:of").texts({"id": {"S": "a"}}) == {"id": '"a"'}


@pytest.mark.parametrize(
    "name", ["", "search", "search:", ":document", "a b:c", "a:b:c", "a..b:c", "a-b:c", ".a:b", "a:b.c", "é:b"]
)
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="module and a function") as error:
        Transform.load(name)
    assert repr(name) in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import missing_library", r"ModuleNotFoundError: it imports missing_library, .* layer"),
        ("from json import nothing", r"ImportError of json at broken_search.py:1"),
        ("def document(item)", r"SyntaxError at broken_search.py:1"),
        ("x = 1\n{}['secret']", r"KeyError at broken_search.py:2"),
        ("raise SystemExit(0)", r"SystemExit at broken_search.py:1"),
        ("x = 1", r"document doesn't exist in the module broken_search"),
        ("document = 'secret'", r"document isn't a function"),
        ("async def document(item): return item", r"a coroutine function"),
        ("def document(item): yield item", r"a generator function"),
        ("async def document(item): yield item", r"a generator function"),
    ],
)
def test_a_module_that_cannot_be_used_is_named_with_what_is_wrong(
    module: Callable[[str, str], None], text: str, said: str
) -> None:
    module("broken_search", text)

    with pytest.raises(ConfigurationError, match=said) as error:
        Transform.load("broken_search:document")
    assert "'broken_search:document'" in str(error.value)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize("name", ["nowhere:document", "nowhere.search:document"])
def test_a_module_that_is_not_there_belongs_into_a_layer(name: str) -> None:
    with pytest.raises(
        ConfigurationError, match=r"there is no module nowhere: put it into the python/ folder .* layers"
    ):
        Transform.load(name)


def test_ctrl_c_during_an_import_passes(module: Callable[[str, str], None]) -> None:
    module("slow_search", "raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        Transform.load("slow_search:document")


@given(st.dictionaries(st.text(max_size=4), values(), max_size=5))
def test_an_unchanged_item_makes_the_document_that_it_makes_without_a_transform(item: dict[str, Pair]) -> None:
    raw = {name: value for name, (value, _) in item.items()}
    for function in (lambda item: item, lambda item: {**item}):
        texts = transform(function).texts(raw) or {}
        document = "{" + ",".join(member(name) + text for name, text in texts.items()) + "}"
        assert document.encode("utf-8", "backslashreplace") == encode_document(raw)


def test_an_item_may_have_no_document() -> None:
    assert transform(lambda _: None).texts(ITEM) is None


def test_an_empty_document_is_a_document() -> None:
    assert transform(lambda _: {}).texts(ITEM) == {}


def test_a_transform_that_changes_its_item_changes_no_other_index() -> None:
    def mutate(item: dict[str, Any]) -> dict[str, Any]:
        item["parts"].append("handle")
        del item["id"]
        return item

    first, second = transform(mutate).texts(ITEM), transform(mutate).texts(ITEM)

    assert first == second == {"price": "9.90", "parts": '["lid","handle"]'}
    assert ITEM["parts"] == {"L": [{"S": "lid"}]}


def test_decimals_are_calculated_alike_whatever_the_threads_context_is() -> None:
    def third(item: dict[str, Any]) -> dict[str, Any]:
        found = item["price"] / 3
        getcontext().prec = 2
        return {"third": found}

    with localcontext() as context:
        context.prec = 5
        texts = [transform(third).texts({"price": {"N": "1"}}) for _ in range(2)]
        assert getcontext().prec == 5

    assert texts == [{"third": "0." + "3" * 38}] * 2


def _raises(error: BaseException) -> Callable[[dict[str, Any]], Any]:
    def function(item: dict[str, Any]) -> Any:
        raise error

    return function


def _cycle(_: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["self"] = [found]
    return found


class Odd(dict[str, Any]):
    def items(self) -> Any:
        raise OSError("secret")


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda item: item["secret"], "KeyError"),
        (_raises(ValueError("secret")), "ValueError"),
        (_raises(SystemExit("secret")), "SystemExit"),
        (_raises(MemoryError()), "MemoryError"),
        (lambda item: [item], "returned list, not dict or None"),
        (lambda _: "secret", "returned str, not dict or None"),
        (lambda _: {"a": 1, "createdAt": datetime.now(UTC)}, "datetime in the field createdAt isn't JSON"),
        (lambda item: item | {"x": [float("nan")]}, "a number that isn't finite in the field x isn't JSON"),
        (lambda _: {"x": {1: "secret"}}, "a name that is int in the field x isn't JSON"),
        (lambda _: {1: "secret"}, "a name that is int isn't JSON"),
        (_cycle, "a value in itself, or nested too deep, in the field self isn't JSON"),
        (lambda _: Odd(), "OSError"),
    ],
)
def test_a_failure_names_types_and_never_values(function: Callable[[dict[str, Any]], Any], reason: str) -> None:
    with pytest.raises(TransformError) as error:
        transform(function).texts(ITEM)

    assert str(error.value) == error.value.reason == f"transform_error: {reason}"
    assert error.value.__context__ is None
    shown = "".join(traceback.format_exception(error.value)).splitlines()
    assert not [line for line in shown if "secret" in line and "lambda" not in line]


def test_a_failure_knows_the_line_of_the_transform(module: Callable[[str, str], None]) -> None:
    module("failing_search", "import json\n\ndef document(item):\n    return json.loads(item['id'])\n")

    with pytest.raises(TransformError, match="JSONDecodeError") as error:
        Transform.load("failing_search:document").texts(ITEM)
    assert error.value.place == "failing_search.py:4"


def test_ctrl_c_passes() -> None:
    with pytest.raises(KeyboardInterrupt):
        transform(_raises(KeyboardInterrupt())).texts(ITEM)


@pytest.mark.parametrize("function", [lambda item: item, lambda item: item["broken"]])
def test_an_attribute_that_is_not_dynamodb_json_is_not_blamed_on_the_transform(
    function: Callable[[dict[str, Any]], Any],
) -> None:
    with pytest.raises(UndecodableError):
        transform(function).texts({"broken": {"N": "x"}})
