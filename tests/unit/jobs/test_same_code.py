"""jobs/same_code.py: an operator that would make other documents than its sync does nothing."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.core.deadline import Deadline
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.jobs.same_code import check_same_code

A, B = (f"arn:aws:lambda:eu-west-1:123456789012:layer:{name}:1" for name in "ab")
ENVIRONMENT = {"SYNC_FUNCTION": "sync", "INDICES": '{"orders":{}}', "TRANSFORM_LAYERS": f"{A},{B}"}
SYNC = {"Environment": {"Variables": {"INDICES": '{"orders":{}}'}}, "Layers": [{"Arn": A}, {"Arn": B}]}


def check(sync: dict[str, Any] | ClientError, **changes: str) -> None:
    class Lambda:
        def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
            assert FunctionName == changes.get("SYNC_FUNCTION", "sync")
            if isinstance(sync, ClientError):
                raise sync
            return sync

    check_same_code(ENVIRONMENT | changes, Deadline.after(5), lambda *_, **__: Lambda())


def test_the_same_configuration_passes() -> None:
    check(SYNC)
    check({"Environment": {"Variables": {"INDEX": "products"}}}, INDICES="", INDEX="products", TRANSFORM_LAYERS="")


def test_without_a_sync_nothing_is_asked() -> None:
    check(ClientError({"Error": {"Code": "AccessDenied"}}, "GetFunctionConfiguration"), SYNC_FUNCTION="")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"INDICES": '{"orders":{"standby":true}}'}, "another INDICES than the sync 'sync'"),
        ({"INDEX": "products"}, "another INDEX"),
        ({"TRANSFORM_LAYERS": f"{B},{A}"}, "other layers"),
        ({"TRANSFORM_LAYERS": A}, "other layers"),
        ({"TRANSFORM_LAYERS": ""}, "none and arn:aws"),
    ],
)
def test_another_configuration_is_refused_with_what_differs(changes: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        check(SYNC, **changes)


def test_the_alias_of_a_published_sync_is_asked_and_may_have_been_rolled_back() -> None:
    check(SYNC, SYNC_FUNCTION="sync:live")
    with pytest.raises(
        ConfigurationError, match="if the alias was rolled back, apply the configuration of its version"
    ):
        check(SYNC, SYNC_FUNCTION="sync:live", INDICES="{}")


def test_a_sync_that_cannot_be_asked_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match=r"the sync 'sync': GetFunctionConfiguration answered AccessDenied"):
        check(ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetFunctionConfiguration"))
    with pytest.raises(ConfigurationError, match="kms:Decrypt"):
        check({"Environment": {"Error": {"ErrorCode": "AccessDeniedException", "Message": "secret"}}})
