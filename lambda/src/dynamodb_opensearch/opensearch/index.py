"""Creates an index, changes what can be changed in place, shows it, and switches an alias to another index.

A change that needs another index is refused before anything is changed: create and fill one, then switch the alias.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError, RefusedError, SyncError
from dynamodb_opensearch.opensearch.client import Client, quoted
from dynamodb_opensearch.opensearch.definition import Definition
from dynamodb_opensearch.opensearch.index_changes import Changes, compare
from dynamodb_opensearch.opensearch.layout import write_index
from dynamodb_opensearch.opensearch.note import keep_note
from dynamodb_opensearch.opensearch.reader import patiently

_ANSWER_SECONDS = 60  # a busy cluster takes some time to create an index


@dataclass(frozen=True, slots=True)
class Created:
    """What was created."""

    index: str
    alias: str | None
    """The alias that now writes to the index. None: it has none, or the alias belongs to another index."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switch did."""

    before: str | None
    """The index that the alias wrote to before. None: the alias is new, or there was nothing to do."""
    left: list[str]
    """Other indices behind the alias, which searches still find."""
    documents: int
    documents_before: int | None
    """None: there was no index before, or its documents can't be counted."""


class IndexAdmin:
    """Creates, changes and shows the index, or the alias, that a sync writes to."""

    def __init__(self, client: Client, name: str, deadline: Callable[[], Deadline]) -> None:
        """Take the sync's name for the index; sends no request.

        Args:
            deadline: makes a deadline for each request.
        """
        self._client, self._name, self._deadline = client, name, deadline

    def create(self, definition: Definition, index: str | None = None) -> Created:
        """Create an index with the definition, unchanged.

        Args:
            index: its name. If it isn't the sync's, the sync's name becomes its alias, if that name is free.

        Raises:
            ConfigurationError: the index exists, the alias's name is an index's, the definition has the alias though it
                belongs to another index, or OpenSearch refuses the definition.
        """
        name = self._name
        index = index or name
        if self._ask("GET", f"/{quoted(index)}", missing=True) is not None:
            raise ConfigurationError(
                f"{index!r} exists already: change it with index update, or create another, such as {_next(index)!r}, "
                "and switch the alias to it"
            )
        found = self._ask("GET", f"/{quoted(name)}", missing=True) if index != name else None
        if found and name in found:
            raise ConfigurationError(f"{name!r} is an index, so it can't be an alias of {index!r}: delete it first")
        if found and name in definition.aliases:
            raise ConfigurationError(
                f"the alias {name!r} belongs to {', '.join(sorted(found))}, and with two indices behind it the sync's "
                "writes could fail: leave it out of the definition, fill the index, and let index switch move the alias"
            )
        alias = name if index != name and not found else None
        body = definition.to_json()
        if alias:
            body["aliases"] = {**body["aliases"], alias: {**body["aliases"].get(alias, {}), "is_write_index": True}}
        self._ask("PUT", f"/{quoted(index)}", body)
        return Created(index, alias)

    def plan_update(self, definition: Definition) -> Changes:
        """What must change so that the sync's index has the definition; what that doesn't mention stays as it is.

        Raises:
            ConfigurationError: there is no such index, or it can't be changed in place; the message names what can't.
        """
        found = self._found()
        index = write_index(self._name, found)
        path, current = f"/{quoted(index)}", found[index]
        settings = self._ask(
            "GET", f"{path}/_settings", parameters={"include_defaults": "true", "flat_settings": "true"}
        )
        fields = self._ask("GET", f"{path}/_mapping/field/*", parameters={"include_defaults": "true"})
        taken = {alias for alias in definition.aliases.keys() - current["aliases"].keys() if self._is_taken(alias)}
        wanted = definition.to_json()
        if "_meta" in wanted["mappings"]:
            meta = keep_note(wanted["mappings"]["_meta"], current["mappings"].get("_meta", {}))
            wanted["mappings"] = {**wanted["mappings"], "_meta": meta}
        changes = compare(
            wanted,
            index=index,
            mappings=current["mappings"],
            fields=fields[index]["mappings"],
            settings=settings[index]["settings"],
            default_settings=settings[index].get("defaults", {}),
            aliases=current["aliases"],
            taken_aliases=taken,
        )
        if changes.refused:
            raise ConfigurationError(
                f"{index} can't be changed like this, and nothing was: {'; '.join(changes.refused)}. Create another "
                f"index, such as {_next(index)}, fill it, and switch the alias to it"
            )
        return changes

    def update(self, changes: Changes) -> None:
        """Do what ``plan_update`` found. If OpenSearch refuses the index mapping after all, the settings are put back.

        After any other failure, what is already done stays and is named: the next update does the rest.

        Raises:
            ConfigurationError: OpenSearch refuses a part.
            OutOfTimeError: OpenSearch doesn't answer.
        """
        path = f"/{quoted(changes.index)}"
        steps = [
            ("the settings", f"{path}/_settings", changes.settings),
            ("the index mapping", f"{path}/_mapping", changes.mappings),
            *(
                (f"the alias {alias}", f"{path}/_alias/{quoted(alias)}", options)
                for alias, options in changes.aliases.items()
            ),
        ]
        done: list[str] = []
        try:
            for what, where, body in steps:
                if body or "_alias" in where:
                    self._ask("PUT", where, body)
                    done.append(what)
        except SyncError as error:
            if done == ["the settings"] and isinstance(error, ConfigurationError):
                self._ask("PUT", f"{path}/_settings", changes.settings_before)
                done = []
            raise type(error)(f"{error}; {_in_words(changes.index, done)}") from None

    def show(self) -> list[dict[str, Any]]:
        """Describe each index behind the sync's name.

        Returns:
            Of each: ``index``, ``written`` (do writes go there), ``docs``, ``aliases``, ``settings``, ``mappings``.

        Raises:
            ConfigurationError: there is none, or it can't be read.
        """
        found = self._found()
        written = write_index(self._name, found)
        return [
            {
                "index": index,
                "written": index == written,
                "docs": self._count(index),
                "aliases": description["aliases"],
                "settings": description["settings"],
                "mappings": description["mappings"],
            }
            for index, description in sorted(found.items())
        ]

    def switch(self, index: str) -> Switched:
        """Point the sync's alias to this index instead of the one that it writes to, in one step.

        The alias keeps its filter, its routing and all other properties. Other indices behind it, perhaps another
        sync's, aren't touched. If the alias has changed meanwhile, nothing is done.

        Raises:
            ConfigurationError: there is no such index, it is closed, the sync's name isn't an alias, or it isn't clear
                which of its indices to replace, or with what properties.
        """
        alias = self._name
        found = self._ask("GET", f"/{quoted(alias)}", missing=True) or {}
        if alias in found:
            raise ConfigurationError(f"{alias!r} is an index, not an alias: only an alias can be switched")
        target = self._ask("GET", f"/{quoted(index)}", missing=True)
        if not target:
            raise ConfigurationError(f"there is no index {index!r}: create and fill it first")
        if index not in target:
            raise ConfigurationError(
                f"{index!r} isn't an index's name; it leads to {', '.join(sorted(target))}: name one"
            )
        before = write_index(alias, found) if found else None
        left = sorted(found.keys() - {index, before})
        documents = self._count(index)
        if before in {None, index}:
            if before is None:
                self._ask("POST", "/_aliases", {"actions": [_added(alias, index, {})]})
            return Switched(None, left, documents, None)
        properties = _properties(alias, found[before])
        if index in found and _properties(alias, found[index]) != properties:
            raise ConfigurationError(
                f"the alias {alias!r} has one filter or routing for {before} and another for {index}: make them the "
                f"same first (POST /_aliases), or remove {index} from the alias"
            )
        try:
            documents_before: int | None = self._count(before)
        except ConfigurationError:  # the index may be closed: a good reason to switch
            documents_before = None
        self._replace(found, before, _added(alias, index, properties))
        return Switched(before, left, documents, documents_before)

    def _found(self) -> dict[str, Any]:
        """The indices behind the sync's name, each with its description."""
        name = self._name
        found: dict[str, Any] | None = self._ask(
            "GET", f"/{quoted(name)}", parameters={"flat_settings": "true"}, missing=True
        )
        if not found:
            raise ConfigurationError(
                f"INDEX is {name!r}: it doesn't exist; create it: dynamodb-opensearch index create"
            )
        return found

    def _replace(self, found: Mapping[str, Any], before: str, added: Mapping[str, Any]) -> None:
        """Switch in one request, which fails as a whole if the alias no longer belongs to the index before."""
        alias = self._name
        remove = {"index": before, "alias": alias}
        try:
            self._ask("POST", "/_aliases", {"actions": [{"remove": {**remove, "must_exist": True}}, added]})
        except ConfigurationError as error:
            if "aliases_not_found" in str(error):
                raise ConfigurationError(
                    f"the alias {alias!r} was changed meanwhile, so nothing was done: look at it with index show, and "
                    "switch again if that is still right"
                ) from None
            if "[must_exist]" not in str(error):
                raise
            # OpenSearch before 2.12 doesn't know must_exist: the best that can be done is to look again right before.
            if self._ask("GET", f"/{quoted(alias)}", missing=True) != found:
                raise ConfigurationError(
                    f"the alias {alias!r} was changed meanwhile, so nothing was done: switch again"
                ) from None
            self._ask("POST", "/_aliases", {"actions": [{"remove": remove}, added]})

    def _count(self, index: str) -> int:
        try:
            return int(self._ask("GET", f"/{quoted(index)}/_count")["count"])
        except ConfigurationError as error:
            if "index_closed" in str(error):
                raise ConfigurationError(f"{index!r} is closed: open it first (POST /{index}/_open)") from None
            raise

    def _is_taken(self, alias: str) -> bool:
        return self._ask("GET", f"/{quoted(alias)}", missing=True) is not None

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        parameters: Mapping[str, str] | None = None,
        *,
        missing: bool = False,
    ) -> Any:
        """OpenSearch's answer; with ``missing``, None if there is no such thing."""
        data = None if body is None else json.dumps(body).encode()

        def send(seconds: float) -> str:
            try:
                return self._client.fetch(method, path, parameters or {}, data, min(seconds, _ANSWER_SECONDS))
            except RefusedError as error:
                # A 500 with a reason is this request's fault, such as an alias with the index's name: it never heals.
                if error.heals and (error.status != 500 or not error.reason_text):
                    raise
                if missing and error.status == 404:
                    return "null"
                raise _refused(error) from None

        return json.loads(patiently(send, self._deadline()))


def _in_words(index: str, done: Sequence[str]) -> str:
    if not done:
        return f"{index} is as it was"
    return f"{' and '.join(done)} of {index} are changed already: index update does the rest once that is fixed"


def _properties(alias: str, description: Mapping[str, Any]) -> dict[str, Any]:
    """An index's alias without its write flag: ``filter``, ``index_routing``, ``search_routing``, ``is_hidden``."""
    return {name: value for name, value in description["aliases"][alias].items() if name != "is_write_index"}


def _added(alias: str, index: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"add": {**properties, "index": index, "alias": alias, "is_write_index": True}}


def _refused(error: RefusedError) -> ConfigurationError:
    if error.status in {401, 403}:
        return ConfigurationError(
            f"{error}; {error.advice or 'allow it in IAM and in OpenSearch for the identity that runs this'}"
        )
    # A definition holds nothing of an item, so everything that OpenSearch says may be shown.
    known = not error.reason_text or error.reason_text in str(error)
    return ConfigurationError(f"{error}{'' if known else ': ' + error.reason_text}")


def _next(index: str) -> str:
    """``products-2`` after ``products-1``, ``products-1`` after ``products``."""
    stem, _, number = index.rpartition("-")
    return f"{stem}-{int(number) + 1}" if stem and number.isdecimal() else f"{index}-1"
