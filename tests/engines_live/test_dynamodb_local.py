"""A real DynamoDB Local: its streams are what tests of streams need, and they know how it differs from AWS."""

from typing import Any

import boto3
from engines import DynamoDBLocal

TABLE = "engines-streamed"


def test_a_stream_tells_every_change_in_order(dynamodb_node: DynamoDBLocal) -> None:
    session = boto3.Session("test", "test", region_name="us-east-1")
    database, streams = (
        session.client(name, endpoint_url=dynamodb_node.url) for name in ("dynamodb", "dynamodbstreams")
    )
    arn = _create_table(database)
    for text in ("1", "2"):
        database.put_item(TableName=TABLE, Item={"pk": {"S": "a"}, "n": {"N": text}})
    database.put_item(TableName=TABLE, Item={"pk": {"S": "a"}, "n": {"N": "2"}})  # changes nothing
    database.delete_item(TableName=TABLE, Key={"pk": {"S": "a"}})

    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    iterator = streams.get_shard_iterator(StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    records = streams.get_records(ShardIterator=iterator)["Records"]
    database.delete_table(TableName=TABLE)

    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert numbers == sorted(numbers)
    assert {len(number) for number in numbers} == {21}
    assert all(record["dynamodb"]["ApproximateCreationDateTime"].second == 0 for record in records)


def _create_table(database: Any) -> str:
    description = database.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )["TableDescription"]
    arn: str = description["LatestStreamArn"]
    return arn
