"""INDICES in an SSM parameter: Lambda's environment takes 4 KB in all, and a table may have many indices."""

from collections.abc import Mapping

import boto3

from dynamodb_opensearch.aws import ASKED_ONCE, ask, briefly


def with_indices(environment: Mapping[str, str]) -> Mapping[str, str]:
    """The environment, with the value of the parameter that INDICES names by its ARN.

    Raises:
        ConfigurationError: there is no such parameter, or it may not be read.
        OutOfTimeError: SSM was throttled or out of reach for some seconds.
    """
    arn = environment.get("INDICES", "")
    if not arn.startswith("arn:"):
        return environment
    region = arn.split(":")[3] if arn.count(":") > 4 else None
    ssm = boto3.client("ssm", region_name=region or None, config=ASKED_ONCE)
    answer = ask(lambda: ssm.get_parameter(Name=arn), briefly(), "GetParameter", f"INDICES is {arn!r}")
    return {**environment, "INDICES": str(answer["Parameter"]["Value"])}
