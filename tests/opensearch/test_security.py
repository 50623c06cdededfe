"""OpenSearch's own security plugin: TLS with our CA file, basic auth, and the rights that a sync needs."""

import socket
from collections.abc import Callable, Iterator

import pytest
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.opensearch import client
from dynamodb_opensearch.settings import Auth
from engines import OpenSearchNode, opensearch
from fakes.dynamodb import put, record, remove

from opensearch import api
from opensearch.function import Function

PASSWORD = "Walrus-Teapot-42"  # the plugin refuses weak ones
WRITE = ["indices:data/write/index", "indices:data/write/delete", "indices:data/write/bulk*"]


@pytest.fixture(scope="module")
def node() -> Iterator[OpenSearchNode]:
    with opensearch(security=True) as node:
        yield node


MakeFunction = Callable[..., Function]


@pytest.fixture
def make(node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch) -> MakeFunction:
    """A function whose user has the given rights on its index, which maps ``pk`` and ``n``."""

    def make(
        rights: list[str],
        password: str = PASSWORD,
        ca_file: str | None = str(node.ca_file),
        endpoint: str = node.url,
    ) -> Function:
        monkeypatch.setattr(client, "read_secret", lambda _: ("sync", password))
        function = Function(
            node, monkeypatch, auth=Auth.BASIC, secret_arn="stubbed", ca_file=ca_file, endpoint=endpoint
        )
        mappings = {"properties": {"pk": {"type": "keyword"}, "n": {"type": "long"}}}
        api.call(node, "PUT", f"/{function.index}", {"mappings": mappings})
        security = "/_plugins/_security/api"
        permissions = [{"index_patterns": [function.index], "allowed_actions": rights}]
        role = {"cluster_permissions": ["indices:data/write/bulk"], "index_permissions": permissions}
        api.call(node, "PUT", f"{security}/internalusers/sync", {"password": PASSWORD})
        api.call(node, "PUT", f"{security}/roles/sync", role)
        api.call(node, "PUT", f"{security}/rolesmapping/sync", {"users": ["sync"]})
        return function

    return make


def test_the_smallest_role_that_syncs_writes_and_deletes(make: MakeFunction) -> None:
    function = make(WRITE)

    assert function.handle(put("a", 1, 1), remove("b", 2)) == []
    assert function.handle(remove("a", 3)) == []
    assert function.letters == []


@pytest.mark.parametrize("missing", WRITE)
def test_without_any_of_its_rights_the_batch_fails_and_nothing_is_set_aside(make: MakeFunction, missing: str) -> None:
    function = make([right for right in WRITE if right != missing])

    with pytest.raises(ConfigurationError, match=r"no permissions for \[.*map the function's role"):
        function.handle(put("a", 1, 1), remove("b", 2))
    assert function.letters == []


def test_a_new_field_needs_the_right_to_map_it(make: MakeFunction) -> None:
    with pytest.raises(ConfigurationError, match="grant the role indices:admin/mapping/put"):
        make(WRITE).handle(record("a", 1, {"new": {"N": "1"}}))

    assert make([*WRITE, "indices:admin/mapping/put"]).handle(record("a", 1, {"new": {"N": "1"}})) == []


def test_a_wrong_password_fails_the_batch(make: MakeFunction) -> None:
    with pytest.raises(ConfigurationError, match=r"answered 401.*OPENSEARCH_SECRET_ARN"):
        make(WRITE, password="Wrong-Teapot-42").handle(put("a", 1, 1))


def test_a_certificate_that_is_not_trusted_fails_the_batch(make: MakeFunction) -> None:
    with pytest.raises(ConfigurationError, match=r"certificate isn't trusted.*OPENSEARCH_CA_FILE"):
        make(WRITE, ca_file=None).handle(put("a", 1, 1))


def test_a_password_that_changes_between_invocations_is_fetched(
    make: MakeFunction, node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = make(WRITE)
    assert function.handle(put("a", 1, 1)) == []
    changed = "Gödel-Łódź-43"  # beyond ASCII: it must travel as UTF-8

    api.call(node, "PUT", "/_plugins/_security/api/internalusers/sync", {"password": changed})
    monkeypatch.setattr(client, "read_secret", lambda _: ("sync", changed))

    assert function.handle(put("a", 2, 2), remove("b", 3)) == []


def test_an_index_that_is_missing_needs_the_right_to_make_it(make: MakeFunction, node: OpenSearchNode) -> None:
    function = make([*WRITE, "indices:admin/mapping/put"])
    api.call(node, "DELETE", f"/{function.index}")

    with pytest.raises(ConfigurationError, match="grant the role indices:admin/create on the index"):
        function.handle(put("a", 1, 1))
    assert function.letters == []


def test_a_certificate_of_another_host_fails_the_batch(
    make: MakeFunction, node: OpenSearchNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = make(WRITE, endpoint=node.url.replace("localhost", "search.example.com"))
    resolve = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *rest, **options: resolve("127.0.0.1", *rest, **options))

    with pytest.raises(ConfigurationError, match=r"search\.example\.com.*isn't trusted \(Hostname mismatch"):
        function.handle(put("a", 1, 1))
