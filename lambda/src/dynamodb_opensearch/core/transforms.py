"""Loads a transform, the user's own function from an item to its document, and calls it for one item.

The function runs for each write, and again wherever its result is compared or written anew, so it must be a function of
the item alone. What it raises may quote the item, so only the exception's type is passed on.
"""

import inspect
import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, localcontext
from importlib import import_module
from itertools import islice
from pathlib import PurePath
from typing import Any, Self

from dynamodb_opensearch.core.errors import ConfigurationError, TransformError, UndecodableError
from dynamodb_opensearch.core.items import Item
from dynamodb_opensearch.core.plain import PlainItem, Spellings, UnfitError, encode_fields

_CONTEXT = Context(prec=38, rounding=ROUND_HALF_EVEN)
"""How decimals are calculated in each call: with DynamoDB's digits. A thread's own context may be another."""


@dataclass(frozen=True, slots=True)
class Transform:
    """A loaded transform. It is pickled by its name, and imported again where it is unpickled."""

    name: str
    """``module:function``."""
    function: Callable[[dict[str, Any]], Any] = field(compare=False, repr=False)

    @classmethod
    def load(cls, name: str) -> Self:
        """Import the function that a name such as ``search:document`` gives.

        Raises:
            ConfigurationError: the name has another form, the module can't be imported, or has no such function.
        """
        module, attribute = read_name(name)
        try:
            function = getattr(import_module(module), attribute, None)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 (whatever a module raises, SystemExit too)
            raise ConfigurationError(f"the transform {name!r} can't be imported: {_why(module, error)}") from None
        if not callable(function):
            what = "isn't a function" if function is not None else "doesn't exist"
            raise ConfigurationError(f"the transform {name!r}: {attribute} {what} in the module {module}: {_DEFINE}")
        kind = next((kind for kind, is_kind in _WRONG_KINDS.items() if is_kind(function)), None)
        if kind:
            raise ConfigurationError(f"the transform {name!r} is {kind}, whose result is no dict: {_DEFINE}")
        return cls(name, function)

    def texts(self, item: Item) -> dict[str, str] | None:
        """Return the document's fields, each with its value as JSON text; None if the item has no document.

        Args:
            item: DynamoDB JSON. It isn't changed, whatever the function does with its own view of it.

        Raises:
            TransformError: the function raised, or returned something that isn't a document.
            UndecodableError: a value in the item isn't DynamoDB JSON.
        """
        spellings, place = Spellings(), None
        # Raised outside of the handlers: a trace would show the exception that it came from, which may quote the item.
        try:
            with localcontext(_CONTEXT):
                returned = self.function(PlainItem.of(item, spellings))
                if returned is None:
                    return None
                if isinstance(returned, dict):
                    return _encoded(returned, spellings)
            reason = f"returned {type(returned).__name__}, not dict or None"
        except (KeyboardInterrupt, UndecodableError):
            raise
        except _UnfitFieldError as error:
            reason = str(error)
        except BaseException as error:  # noqa: BLE001 (whatever a function raises, SystemExit too)
            reason, place = type(error).__name__, self._place(error)
        raise TransformError(f"transform_error: {reason}", place)

    def _place(self, error: BaseException) -> str | None:
        module = sys.modules.get(self.name.partition(":")[0])
        file = getattr(module, "__file__", None)
        return _last(error, lambda filename: filename == file)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).load, (self.name,)


@dataclass(frozen=True, slots=True)
class Unloadable:
    """A transform whose code can't be imported, of an index that must hold up no other: it fails for every item."""

    name: str

    def texts(self, item: Item) -> dict[str, str] | None:
        """Fail.

        Raises:
            TransformError: always.
        """
        del item
        raise TransformError("transform_error: its code can't be imported")


def read_name(name: str) -> tuple[str, str]:
    """Return the module and the function of ``module:function``.

    Raises:
        ConfigurationError: the name has another form.
    """
    module, colon, attribute = name.partition(":")
    parts = (*module.split("."), attribute)
    if not (colon and all(part.isascii() and part.isidentifier() for part in parts)):
        raise ConfigurationError(
            f"the transform is {name!r}: it must be a module and a function in it, such as 'search:document'"
        )
    return module, attribute


_DEFINE = "define it there as def document(item): with a dict or None as its result, or name another"

_WRONG_KINDS: dict[str, Callable[[Any], bool]] = {
    "a coroutine function": inspect.iscoroutinefunction,
    "a generator function": lambda function: (
        inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
    ),
}


def _why(module: str, error: BaseException) -> str:
    """Say what went wrong, and what to do. An import has seen no item, but its message may hold a secret."""
    kind = type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name:
        if f"{module}.".startswith(f"{error.name}."):
            return f"{kind}: there is no module {error.name}: put it into the python/ folder of one of the layers"
        return f"{kind}: it imports {error.name}, which isn't there: put it into the python/ folder of a layer too"
    of = f" of {error.name}" if isinstance(error, ImportError) and error.name else ""
    place = f" at {found}" if (found := _import_place(error)) else ""
    return f"{kind}{of}{place}: mend the module, and publish its layer again"


def _import_place(error: BaseException) -> str | None:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{PurePath(error.filename).name}:{error.lineno}"
    return _last(error, lambda filename: filename != __file__ and "importlib" not in filename)


def _last(error: BaseException, is_theirs: Callable[[str], bool]) -> str | None:
    """Return the innermost file and line that the exception passed in files of the user's."""
    frames = traceback.walk_tb(error.__traceback__)
    places = [(frame.f_code.co_filename, line) for frame, line in frames if is_theirs(frame.f_code.co_filename)]
    return f"{PurePath(places[-1][0]).name}:{places[-1][1]}" if places else None


class _UnfitFieldError(Exception):
    """A field's name or value has no form in JSON."""


def _encoded(document: dict[Any, Any], spellings: Spellings) -> dict[str, str]:
    texts: dict[str, str] = {}
    try:
        encode_fields(document, texts, spellings)
    except (UnfitError, RecursionError) as error:
        field = next(islice(document, len(texts), None))
        what = "a value in itself, or nested too deep," if isinstance(error, RecursionError) else str(error)
        where = f" in the field {field}" if isinstance(field, str) else ""
        raise _UnfitFieldError(f"{what}{where} isn't JSON") from None
    return texts
