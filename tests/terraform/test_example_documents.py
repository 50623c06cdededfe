"""What the examples' indices hold: their data as stream records, through the function with Terraform's environment."""

import json
from collections.abc import Mapping
from decimal import Decimal
from importlib import import_module
from typing import Any

import pytest
from boto3.dynamodb.types import TypeSerializer
from dynamodb_opensearch.core.answers import Answer
from dynamodb_opensearch.settings import read_settings
from fakes.dynamodb import START, record
from fakes.opensearch import FakeOpenSearch
from terraform import pages, shop
from terraform.workspace import Terraform


class Indices:
    """OpenSearch with several indices, each made by its first request."""

    def __init__(self) -> None:
        self.indices: dict[str, FakeOpenSearch] = {}

    def post(self, path: str, parameters: Mapping[str, str], body: bytes, timeout_seconds: float, /) -> Answer:
        """See ``client.Client.post``."""
        index = self.indices.setdefault(path.split("/")[1], FakeOpenSearch())
        return index.post(path, parameters, body, timeout_seconds)

    def documents(self) -> dict[str, dict[str, Any]]:
        return {name: sources for name, index in sorted(self.indices.items()) if (sources := index.sources())}

    def versions(self) -> dict[tuple[str, str], int]:
        return {
            (name, key): one.version for name, index in self.indices.items() for key, one in index.documents.items()
        }


class Context:
    aws_request_id = "request"

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


class Sync:
    """An example's function, between records and indices in memory."""

    def __init__(self, environment: Mapping[str, str], opensearch: Indices, patch: pytest.MonkeyPatch) -> None:
        environment = {**environment, "AWS_REGION": "eu-west-1"}
        for name, value in environment.items():  # the module reads its settings when it is first imported
            patch.setenv(name, value)
        module = import_module("dynamodb_opensearch.functions.sync")
        patch.setattr(module, "Client", lambda _: opensearch)
        self._environment = environment
        self._sync = module.SyncFunction(read_settings(environment))
        self._number = 0

    def handle(self, *changes: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]) -> None:
        """Bring one batch, with the images of each item before and after."""
        assert self._sync.handle({"Records": [self._record(*change) for change in changes]}, Context()) == {
            "batchItemFailures": []
        }

    def _record(self, old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> dict[str, Any]:
        self._number += 1
        name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
        made = record("", self._number, second=START + self._number, event_name=name)
        images = {"OldImage": old, "NewImage": new}
        made["dynamodb"] |= {name: _attributes(image) for name, image in images.items() if image is not None}
        keys, item = self._environment["TABLE_KEYS"].split(","), _attributes(new or old or {})
        made["dynamodb"] |= {"Keys": {key: item[key] for key in keys}, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        table = self._environment["TABLE_NAME"]
        return {**made, "eventSourceARN": made["eventSourceARN"].replace("table/products/", f"table/{table}/")}


def _attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    attributes: dict[str, Any] = TypeSerializer().serialize(dict(item))["M"]
    return attributes


def environments(terraform: Terraform, example: str) -> dict[str, dict[str, str]]:
    """By function: its environment, as the example's own test of its policy applies it without AWS."""
    terraform.init(f"examples/{example}")
    output = terraform.test(f"examples/{example}", "policy.tftest.hcl", options=["-json", "-verbose"])
    *_, state = (event["test_state"] for event in map(json.loads, output.splitlines()) if event["type"] == "test_state")
    return {
        resource["values"]["function_name"]: resource["values"]["environment"][0]["variables"]
        for module in state["root_module"]["child_modules"]
        for resource in module["resources"]
        if resource["type"] == "aws_lambda_function"
    }


@pytest.fixture(scope="module")
def single_table(terraform: Terraform) -> Mapping[str, str]:
    [environment] = environments(terraform, "single-table").values()
    return environment


@pytest.fixture
def opensearch() -> Indices:
    return Indices()


@pytest.fixture
def sync(single_table: Mapping[str, str], opensearch: Indices, monkeypatch: pytest.MonkeyPatch) -> Sync:
    """The function of examples/single-table, after the first items came."""
    made = Sync(single_table, opensearch, monkeypatch)
    made.handle(*((None, item) for item in shop.FIRST))
    return made


def test_each_item_is_in_its_index_in_its_shape_and_what_is_not_searched_is_nowhere(
    sync: Sync, opensearch: Indices
) -> None:
    del sync
    assert opensearch.documents() == shop.first_documents()


def test_items_leave_and_enter_their_index_as_their_attributes_change(sync: Sync, opensearch: Indices) -> None:
    sync.handle(*shop.CHANGES)

    assert opensearch.documents() == shop.changed_documents()


def test_a_draft_that_is_placed_and_a_customer_who_is_restored_come_back(sync: Sync, opensearch: Indices) -> None:
    after = {(old["pk"], old["sk"]): new for old, new in shop.CHANGES}
    sync.handle(*shop.CHANGES)

    sync.handle(*((after[item["pk"], item["sk"]], item) for item in shop.RETURNS))

    assert opensearch.documents() == shop.returned_documents()


def test_all_of_it_in_one_batch_comes_to_the_same(
    single_table: Mapping[str, str], opensearch: Indices, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = Sync(single_table, opensearch, monkeypatch)

    sync.handle(*((None, item) for item in shop.FIRST), *shop.CHANGES)

    assert opensearch.documents() == shop.changed_documents()


def test_a_change_that_no_document_shows_writes_nothing(sync: Sync, opensearch: Indices) -> None:
    before = opensearch.versions()

    sync.handle(*shop.CHANGES)

    after = opensearch.versions()
    assert {address for address in before if before[address] == after[address]} == shop.UNCHANGED


def test_items_that_are_not_searched_are_in_no_request(
    single_table: Mapping[str, str], opensearch: Indices, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = Sync(single_table, opensearch, monkeypatch)

    sync.handle(*((None, item) for item in shop.UNSEARCHED))
    sync.handle(*((item, None) for item in shop.UNSEARCHED))

    assert opensearch.indices == {}


def test_each_table_of_many_has_its_documents_in_fields_that_all_share(
    terraform: Terraform, opensearch: Indices, monkeypatch: pytest.MonkeyPatch
) -> None:
    for environment in environments(terraform, "many-tables").values():
        [index] = json.loads(environment["INDICES"], parse_float=Decimal)
        Sync(environment, opensearch, monkeypatch).handle((None, pages.ITEMS[index]))

    assert opensearch.documents() == {
        index: {pages.IDS[index]: document} for index, document in pages.DOCUMENTS.items()
    }


def test_the_function_takes_the_url_of_a_nextgen_collection_and_waits_until_it_is_awake(terraform: Terraform) -> None:
    [environment] = environments(terraform, "serverless-nextgen").values()

    settings = read_settings({**environment, "AWS_REGION": "eu-west-1"})

    assert settings.endpoint == "https://1tg2xudton46knx2a95g.aoss.eu-west-1.on.aws"
    assert (settings.auth, settings.service) == ("sigv4", "aoss")
    assert settings.request_timeout_seconds > 30
