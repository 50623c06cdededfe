"""What to change when OpenSearch, or a proxy in front of it, refuses a request that no document is to blame for."""

import re
from collections.abc import Iterable
from typing import Any

from dynamodb_opensearch.core.reasons import whole_text


def configuration_advice(text: str) -> str | None:
    """What to change if a 400 blames an index, a template or a proxy; None if a document may be at fault.

    Args:
        text: ``reasons.whole_text``. It is matched from its beginning, because its later parts quote values.
    """
    return next((advice for words, advice in _CONFIGURATION_400 if words.match(text)), None)


def breaks_its_shard(text: str) -> bool:
    """Whether a field of some document, perhaps written long ago, makes its shard refuse every write and delete."""
    return _BROKEN_SHARD(text) is not None


def advice(status: int, text: str) -> str:
    """What to do, by the words of the text, or else by the status."""
    return (
        configuration_advice(text)
        or _found((*_ON_ACCESS, *_OTHER), text)
        or _BY_STATUS.get(status)
        or "check OPENSEARCH_ENDPOINT: is an OpenSearch there, version 1.3 or later?"
    )


def advice_on_access(body: Any) -> str | None:
    """What to change about how any request is sent; None if the refusal isn't about that."""
    return _found(_ON_ACCESS, whole_text(body))


def _found(advices: Iterable[tuple[str, str]], text: str) -> str | None:
    return next((advice for words, advice in advices if words in text), None)


_PROXY = (
    "what arrived isn't what was sent: something between here and OpenSearch changes the bodies of requests; "
    "let it pass them unchanged, or bypass it"
)

_CONFIGURATION_400 = [
    (re.compile(pattern, re.DOTALL), advice)
    for pattern, advice in (
        ("index_closed_exception", "open the index"),
        ("invalid_index_name_exception", "INDEX must be a valid index name: lower case, no spaces"),
        (
            "illegal_argument_exception: no write index is defined for alias",
            "give the alias a write index (is_write_index)",
        ),
        (
            "illegal_argument_exception: Document ID is not supported",
            "the collection's type must be SEARCH: the others take no document ids",
        ),
        (
            "illegal_argument_exception: only write ops with an op_type of create are allowed in data streams",
            (
                "INDEX is a data stream, which takes no updates: name another index, or delete the index template "
                "that makes a data stream of this name"
            ),
        ),
        (
            r"illegal_argument_exception: pipeline with id \[.*\] does not exist\Z",
            (
                "create the ingest pipeline, or remove it from the index's settings (index.default_pipeline, "
                "index.final_pipeline)"
            ),
        ),
        (
            "routing_missing_exception",
            (
                "the index mapping requires a routing, and the sync gives none: create the index without "
                '"_routing": {"required": true}'
            ),
        ),
        (
            r"validation_exception: Validation Failed: 1: Operation \[",
            "the index takes no updates and deletes: create it without index.append_only.enabled",
        ),
        (
            "validation_exception: Validation Failed: 1: this action would add",
            (
                "the index can't be created, because the cluster has as many shards as it may: create it with fewer, "
                "delete indices, or raise cluster.max_shards_per_node"
            ),
        ),
        ("validation_exception", "check the index's settings and the index templates"),
        (
            "illegal_argument_exception: [Nn]umber of documents in (?:the )?(?:index|shard) can(?:'t|not) exceed",
            "a shard is full, deleted documents included: create an index with more shards and backfill it",
        ),
        (
            r"illegal_argument_exception: (?:composable |index )?template \[",
            "fix or delete the index template: the index can't be created with it",
        ),
        ("(?:illegal_argument_exception: )?no handler found for uri", "check OPENSEARCH_ENDPOINT and INDEX"),
        (
            r"illegal_argument_exception: (?:request|Action/metadata line) \[.*?\] contains (?:unrecog|an unknown)",
            "check OPENSEARCH_ENDPOINT: is an OpenSearch there, version 1.3 or later?",
        ),
        ("illegal_argument_exception: Malformed action/metadata line", _PROXY),
        ("illegal_argument_exception: The bulk request must be terminated by a newline", _PROXY),
        ("parse_exception: request body is required", _PROXY),
        ("action_request_validation_exception: Validation Failed: 1: no requests added", _PROXY),
        ("(?:json_parse|json_e_o_f|x_content_parse|not_x_content)_exception", _PROXY),
    )
]

_BROKEN_SHARD = re.compile(
    "illegal_argument_exception: (?:Inconsistency of field data structures|cannot change (?:field|DocValues))"
).match

_SIGN = "requests must be signed here: set OPENSEARCH_AUTH to sigv4"
_CLOCK = "this machine's clock is wrong by minutes: set it"
_ROOT = "remove the path from OPENSEARCH_ENDPOINT: OpenSearch itself is at the host's root"

# Answers of Amazon's front end, before OpenSearch sees a request. In both lists the more exact words come first.
_ON_ACCESS = (
    ("/_dashboards", _ROOT),
    ("/_plugin/kibana", _ROOT),
    ("correct service: 'aoss'", "set OPENSEARCH_SERVICE to aoss: this is a collection of OpenSearch Serverless"),
    ("correct service: 'es'", "set OPENSEARCH_SERVICE to es: this is a domain"),
    ("correct service", "check OPENSEARCH_SERVICE: es for a domain, aoss for a collection"),
    ("valid region", "requests are signed for AWS_REGION (--region), and the endpoint is in another Region"),
    ("Signature expired", _CLOCK),
    ("Signature not yet current", _CLOCK),
    ("is now earlier than", _CLOCK),
    ("is still later than", _CLOCK),
    ("User: anonymous", _SIGN),
    ("Missing Authentication Token", _SIGN),
    ("Authorization header requires", _SIGN),
    ("key=value pair", _SIGN),
    ("security token", "the AWS credentials have expired or are of another account"),
    (
        "signature",
        "check the AWS credentials, OPENSEARCH_SERVICE (es for a domain, aoss for a collection) and the Region",
    ),
)

_OTHER = (
    ("index_not_found", "create the index, or let OpenSearch create it (action.auto_create_index); check INDEX"),
    ("is not an alias", "INDEX must name an alias here: create it"),
    (
        "indices:admin/mapping/put",
        "grant the role indices:admin/mapping/put on the index, or map every field beforehand",
    ),
    ("indices:admin/create", "grant the role indices:admin/create on the index, or create the index beforehand"),
    (
        "permissions for the requested resource",
        "grant the role access to the collection and its indices in a data access policy of the collection",
    ),
    (
        "Forbidden: 403 Forbidden",
        "for a collection: allow the role aoss:APIAccessAll in IAM, and its network in the collection's network policy",
    ),
    ("security_exception", "map the function's role to an OpenSearch role with write rights on the index"),
    ("explicit deny", "a policy denies it: check the policies of the role, the domain and the organization"),
    ("not authorized to perform", "allow the function's role in IAM and in the domain's access policy"),
)

_BY_STATUS = {
    400: "check OPENSEARCH_ENDPOINT and INDEX",
    401: "check OPENSEARCH_AUTH, and for basic auth the user and password in OPENSEARCH_SECRET_ARN",
    403: "allow the function's role: IAM policy, access policy, and role mapping with fine-grained access control; "
    "for a collection its data access policy and its network policy",
}
