"""The index in memory that unit tests use, held against the real one: the same actions, the same outcomes."""

import json
from itertools import count

import pytest
from dynamodb_opensearch.core.answers import judge
from dynamodb_opensearch.opensearch.client import Client
from dynamodb_opensearch.settings import read_settings
from engines import OpenSearchNode
from fakes.opensearch import FakeOpenSearch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

_NUMBERS = count()
_PARAMETERS = {"filter_path": "errors,items.*.status,items.*.error"}


@pytest.fixture(scope="module")
def client(opensearch_node: OpenSearchNode) -> Client:
    environment = {
        "OPENSEARCH_ENDPOINT": opensearch_node.url,
        "OPENSEARCH_AUTH": "none",
        "TABLE_NAME": "fake",
        "TABLE_KEYS": "pk",
        "INDEX": "fake",
    }
    return Client(read_settings(environment))


Action = tuple[bool, str, int]
"""Whether it deletes, the document, the version."""

ACTIONS = st.tuples(
    st.booleans(), st.sampled_from(["a", "b: version conflict, current version [9]"]), st.integers(0, 5)
)


def body(actions: list[Action], prefix: str) -> bytes:
    lines = []
    for deletes, key, version in actions:
        meta = {"_id": prefix + key, "version": version, "version_type": "external"}
        lines.append(json.dumps({"delete" if deletes else "index": meta}))
        if not deletes:
            lines.append(json.dumps({"n": version}))
    return "".join(f"{line}\n" for line in lines).encode()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(ACTIONS, min_size=1, max_size=4), min_size=1, max_size=4))
def test_the_fake_judges_versions_as_the_real_one_does(client: Client, requests: list[list[Action]]) -> None:
    fake, prefix = FakeOpenSearch(), f"{next(_NUMBERS)}-"

    for actions in requests:
        data = body(actions, prefix)
        real_answer = client.post("/fake-conformance/_bulk", _PARAMETERS, data, 30)
        fake_answer = fake.post("/fake-conformance/_bulk", _PARAMETERS, data, 30)

        assert real_answer.status == fake_answer.status == 200
        assert real_answer.body["errors"] == fake_answer.body["errors"]
        assert judge(real_answer, len(actions)) == judge(fake_answer, len(actions))
