"""What the checks see in AWS's answers: metrics, rights, leftovers, and things that never come."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from trial import metrics, rights
from trial.account import Account
from trial.errors import NotProvenError, NotRunError
from trial.leftovers import Leftover, left
from trial.waits import Waits

FUNCTION = "trial-abc123-products-opensearch-sync"


class Clock:
    """Time that only passes when something sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def waits(self, longest: float = 3600) -> Waits:
        return Waits(longest, sleep=self.sleep, clock=lambda: self.now)


def test_what_never_comes_ends_at_its_deadline() -> None:
    clock = Clock()
    with pytest.raises(NotProvenError, match="after 30 s the queue is empty"):
        clock.waits().until(lambda: False, 30, lambda: "the queue is empty")
    assert clock.now == 30


def test_the_longest_wait_shortens_every_other() -> None:
    clock = Clock()
    with pytest.raises(NotProvenError, match="after 10 s"):
        clock.waits(10).until(lambda: 0, 300, lambda: "nothing came")


def test_a_wait_says_how_long_it_took() -> None:
    clock = Clock()
    assert clock.waits().until(lambda: clock.now >= 4 and "there", 60, lambda: "") == ("there", 4.0)


class Pages:
    """A paginator."""

    def __init__(self, page: Mapping[str, Any]) -> None:
        self._page = page

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        yield self._page


class CloudWatch:
    """Alarms on metrics, of which only some exist."""

    def __init__(self, alarms: Sequence[Mapping[str, Any]], listed: Sequence[Mapping[str, Any]]) -> None:
        self._alarms, self._listed = alarms, listed

    def get_paginator(self, operation: str) -> Any:
        if operation == "describe_alarms":
            return SimpleNamespace(paginate=lambda **_: Pages({"MetricAlarms": self._alarms}))
        return SimpleNamespace(paginate=self._list)

    def _list(self, *, Namespace: str, MetricName: str, Dimensions: Any) -> Pages:  # noqa: N803 (boto3's names)
        """As AWS: metrics with further dimensions are listed, too."""
        found = [
            each
            for each in self._listed
            if (each["Namespace"], each["MetricName"]) == (Namespace, MetricName)
            and all(dimension in each["Dimensions"] for dimension in Dimensions)
        ]
        return Pages({"Metrics": found})


def _metric(namespace: str, name: str, **dimensions: str) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
    return {"Namespace": namespace, "MetricName": name, "Dimensions": pairs}


def _stage(**clients: Any) -> Any:
    return SimpleNamespace(
        trial={
            "function_name": FUNCTION,
            "probe_name": "probe",
            "opensearch_endpoint": "https://search.test",
            "dead_letter_url": "https://queue.test",
        },
        account=SimpleNamespace(client=lambda service: clients[service], emulator=False),
        waits=Clock().waits(),
        example=SimpleNamespace(index="products", key="productId"),
        table_name="trial-abc123-products",
        signed=True,
        metrics_awaited=None,
    )


def test_a_metric_of_other_dimensions_is_not_the_one_that_the_alarm_watches() -> None:
    alarm = _metric("DynamoDBOpenSearch", "DeadLetters", Sync=FUNCTION)
    of_an_index = _metric("DynamoDBOpenSearch", "DeadLetters", Sync=FUNCTION, Index="products")

    with pytest.raises(NotProvenError, match="CloudWatch doesn't list DeadLetters"):
        metrics.own_metrics(_stage(cloudwatch=CloudWatch([alarm], [of_an_index])))
    assert metrics.own_metrics(_stage(cloudwatch=CloudWatch([alarm], [of_an_index, alarm]))).startswith("DeadLetters")


def test_metrics_that_only_trouble_makes_are_named_and_not_waited_for() -> None:
    polled = _metric("AWS/Lambda", "PolledEventCount", EventSourceMappingUUID="u")
    dropped = _metric("AWS/Lambda", "DroppedEventCount", EventSourceMappingUUID="u")

    seen = metrics.trigger_metrics(_stage(cloudwatch=CloudWatch([polled, dropped], [polled])))

    assert seen == "PolledEventCount, after 0 s; only after a failure: DroppedEventCount"


def test_a_source_without_alarms_proves_nothing() -> None:
    with pytest.raises(NotProvenError, match="no alarm watches any of them"):
        metrics.queue_metrics(_stage(cloudwatch=CloudWatch([], [])))
    with pytest.raises(NotProvenError, match="no alarm watches"):
        metrics.alarms_exist(_stage(cloudwatch=CloudWatch([_metric("AWS/SQS", "x", QueueName="q")], [])))


class Probe:
    """The function with the sync's role: what it is answered."""

    def __init__(self, statuses: Sequence[tuple[int, str]] = (), codes: Sequence[str] = (), error: str = "") -> None:
        self._answer = {"errorType": error} if error else {"requests": statuses, "calls": codes}
        self._error = {"FunctionError": "Unhandled"} if error else {}

    def invoke(self, **_: Any) -> Mapping[str, Any]:
        return {"Payload": io.BytesIO(json.dumps(self._answer).encode()), **self._error}


REFUSED = (403, '{"Message": "User: x is not authorized to perform: es:ESHttpGet"}')
NOT_FOUND = (200, '{"errors": false, "items": [{"delete": {"status": 404, "result": "not_found"}}]}')


def test_the_probe_proves_one_write_and_six_refusals() -> None:
    assert "6 other requests: 403" in rights.opensearch(_stage(**{"lambda": Probe([NOT_FOUND, *[REFUSED] * 6])}))


@pytest.mark.parametrize(
    ("place", "answer", "message"),
    [
        (
            0,
            REFUSED,
            "the bulk write, which must be allowed, is answered with 403",
        ),  # else a wrong signature proves all
        (
            0,
            (200, '{"errors": true, "items": [{"delete": {"status": 403, "error": {"type": "security_exception"}}}]}'),
            "is answered with 200, its item with 403",
        ),
        (3, (200, "{}"), "DELETE /products/_doc/trial-probe is answered with 200, not 403"),
        (1, (404, "{}"), "GET /products/_search is answered with 404, not 403"),
        (1, (403, '{"message": "The request signature does not match"}'), "with 403, but not for lack of a right"),
    ],
)
def test_a_right_too_many_or_too_few_is_a_failure(place: int, answer: tuple[int, str], message: str) -> None:
    answers = [NOT_FOUND, *[REFUSED] * 6]
    answers[place] = answer
    with pytest.raises(NotProvenError, match=message):
        rights.opensearch(_stage(**{"lambda": Probe(answers)}))


def test_a_bulk_request_that_reaches_another_index_is_said() -> None:
    reached = '{"errors": true, "items": [{"delete": {"status": 404, "error": {"type": "index_not_found_exception"}}}]}'
    assert rights.other_index(_stage(**{"lambda": Probe([(200, reached)])})).startswith("it may: ")
    with pytest.raises(NotProvenError, match="answered with 503"):
        rights.other_index(_stage(**{"lambda": Probe([(503, "busy")])}))
    disallowed = (400, '{"error": {"reason": "explicit index in bulk is not allowed"}}')
    assert rights.other_index(_stage(**{"lambda": Probe([disallowed])})) == "it may not: refused with 400"
    assert rights.other_index(_stage(**{"lambda": Probe([REFUSED])})) == "it may not: refused with 403"


@pytest.mark.parametrize("decision", ["explicitDeny", "allowed"])
def test_the_simulator_must_deny_implicitly(monkeypatch: pytest.MonkeyPatch, decision: str) -> None:
    def simulate(*, ActionNames: list[str], **_: Any) -> Any:  # noqa: N803 (boto3's name)
        allowed = ActionNames[0] in ("dynamodb:BatchGetItem", "sqs:SendMessage", "es:ESHttpPost")
        return {"EvaluationResults": [{"EvalDecision": "allowed" if allowed else decision}]}

    for name in ("_role", "_table_arn", "_queue_arn", "_domain_arn"):
        monkeypatch.setattr(rights, name, lambda _stage: "arn")
    with pytest.raises(NotProvenError, match=f"PutItem is {decision}, not implicitDeny"):
        rights.simulated(_stage(iam=SimpleNamespace(simulate_principal_policy=simulate)))


def test_refused_is_what_aws_itself_refuses() -> None:
    denied = ["AccessDeniedException", "AccessDeniedException", "AWS.SimpleQueueService.AccessDenied"]
    codes = ["allowed", *denied, "AccessDenied", "AccessDenied"]
    assert "5 other calls: denied" in rights.aws(_stage(**{"lambda": Probe(codes=codes)}))
    with pytest.raises(NotProvenError, match="dynamodb scan is answered with ThrottlingException"):
        rights.aws(_stage(**{"lambda": Probe(codes=["allowed", "ThrottlingException", *codes[2:]])}))


def test_a_function_that_fails_has_not_looked() -> None:
    with pytest.raises(NotRunError, match="ModuleNotFoundError"):
        rights.aws(_stage(**{"lambda": Probe(error="ModuleNotFoundError")}))


def test_rights_in_an_opensearch_that_was_given_are_not_called_proven() -> None:
    stage = _stage(**{"lambda": Probe([NOT_FOUND] * 7)})
    stage.signed = False
    with pytest.raises(NotRunError):
        rights.opensearch(stage)


class Session:
    """AWS as a session sees it: names by operation; what isn't there is refused."""

    def __init__(self, names: Mapping[str, Sequence[Any]], refused: str = "") -> None:
        self._names, self._refused = names, refused

    def client(self, service: str, **_: Any) -> Any:
        return SimpleNamespace(
            get_paginator=self._paginator,
            list_domain_names=lambda: {"DomainNames": [{"DomainName": name} for name in self._names.get(service, [])]},
        )

    def _paginator(self, operation: str) -> Any:
        if operation == self._refused:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
        names = self._names.get(operation, [])
        return SimpleNamespace(paginate=lambda **_: SimpleNamespace(search=lambda _path: iter([*names, None])))


def test_what_is_left_is_found_by_its_name_and_nothing_of_others() -> None:
    session = Session(
        {
            "opensearch": ["trial-abc123-search", "trial-abc1234-search", "production"],
            "list_tables": ["trial-abc123-products", "trial-zzz999-products"],
            "list_event_source_mappings": [
                {"UUID": "u-1", "FunctionArn": "arn:aws:lambda:eu-west-1:1:function:trial-abc123-sync:live"},
                {"UUID": "u-2", "FunctionArn": "arn:aws:lambda:eu-west-1:1:function:production"},
            ],
            "list_queues": ["https://sqs.test/1/trial-abc123-q"],
            "list_topics": ["arn:aws:sns:eu-west-1:1:trial-abc123-trial"],
            "describe_log_groups": ["/aws/lambda/trial-abc123-trial-probe"],
        }
    )
    account = Account("1", "eu-west-1", None, session)

    found, unseen = left(account, "trial-abc123", domain=True)

    assert [str(each) for each in found] == [
        "domain trial-abc123-search",
        "table trial-abc123-products",
        "event source mapping trial-abc123-sync",
        "queue trial-abc123-q",
        "topic trial-abc123-trial",
        "log group trial-abc123-trial-probe",
    ]
    assert unseen == []


def test_what_is_gone_already_is_removed() -> None:
    def delete(**_: str) -> None:
        raise ClientError({"Error": {"Code": code, "Message": ""}}, "DeleteTable")

    session = SimpleNamespace(client=lambda *_arguments, **_options: SimpleNamespace(delete_table=delete))
    account = Account("1", "eu-west-1", None, session)
    code = "ResourceNotFoundException"
    Leftover("table", "trial-abc123-products", "trial-abc123-products").remove(account)
    code = "AccessDeniedException"
    with pytest.raises(ClientError):
        Leftover("table", "trial-abc123-products", "trial-abc123-products").remove(account)


def test_a_role_and_an_event_source_mapping_are_removed_with_what_holds_them() -> None:
    calls: list[tuple[str, dict[str, str]]] = []

    class Client:
        def __getattr__(self, operation: str) -> Any:
            def call(**given: str) -> Any:
                calls.append((operation, given))
                return {"PolicyNames": ["sync"], "AttachedPolicies": [{"PolicyArn": "arn:p"}]}

            return call

    account = Account("1", "eu-west-1", None, SimpleNamespace(client=lambda *_arguments, **_options: Client()))
    Leftover("role", "trial-abc123-a", "trial-abc123-a").remove(account)
    Leftover("event source mapping", "trial-abc123-sync", "u-1/trial-abc123-sync").remove(account)

    done = [operation for operation, _ in calls if not operation.startswith("list")]
    assert done == ["detach_role_policy", "delete_role_policy", "delete_role", "delete_event_source_mapping"]
    assert calls[-1][1] == {"UUID": "u-1"}


def test_what_may_not_be_listed_is_said() -> None:
    account = Account("1", "eu-west-1", None, Session({}, refused="list_roles"))
    assert left(account, "trial-abc123", domain=False) == ([], ["role (AccessDenied)"])
