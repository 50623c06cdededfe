"""AWS and OpenSearch as far as the functions ask: a table, its failures, exports and index, as answers on the wire."""

import gzip
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from fakes.dynamodb import START
from fakes.opensearch import FakeOpenSearch, Stored, refused

FINE, UNSETTLED, POISON = "fine", "unsettled", "poison"
"""The items, by their keys. OpenSearch refuses the last one."""
STRAY = "stray"  # written under a routing of its own
"""An id that looks hashed and isn't: no item can own such a document."""
FULL, INCREMENTAL = "AWSDynamoDB/0001-full", "AWSDynamoDB/0002-incremental"
"""Folders of the exports in the bucket ``exports``."""
Item = Mapping[str, Any]


class World:
    """What the functions find. The buckets are ``failures`` and ``exports``; what is put into others is dropped."""

    def __init__(self, table_arn: str, key: str, indices: Sequence[str]) -> None:
        self._table_arn, self._key, self._names = table_arn, key, indices
        self.export_arn = f"{table_arn}/export/{FULL.rpartition('/')[2]}"
        self._stream = f"{table_arn}/stream/2025-01-01T00:00:00.000"
        self._description = {
            "TableArn": table_arn,
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
        }
        self._items = {name: {**self._keys(name), "n": {"N": "1"}} for name in (FINE, UNSETTLED, POISON)}
        self._indices: dict[str, Any] = {}
        # Only several indices have documents of their own: a single one may be an alias of another.
        documents = {name: dict[str, Stored]() for name in indices if len(indices) > 1}
        self._store = FakeOpenSearch(indices=documents, item_faults=lambda name: refused() if name == POISON else None)
        fine, poison = self._letter(FINE), self._letter(POISON)
        # Lambda's own records, one of them of a stream that the table had before.
        records = [_record(self._stream), _record(f"{table_arn}/stream/2024-01-01T00:00:00.000")]
        self._messages = [_message(body) for body in (fine, poison, *records)]
        batch = _json({"Records": [{"dynamodb": {"Keys": self._keys(name)}} for name in (FINE, POISON)]})
        self._objects = {
            "failures/aws/lambda/mapping/shard/2025/01/01/record": _record(self._stream, payload=batch).encode(),
            "failures/dead-letters/2025/01/01/000000-some.jsonl": f"{fine}\n{poison}\n".encode(),
            "failures/dead-letters/2025/01/01/000000-all.jsonl": f"{fine}\n".encode(),
            **self._export(FULL, [{"Item": item} for item in self._items.values()], exportType="FULL_EXPORT"),
            **self._export(INCREMENTAL, [{"Keys": self._keys(FINE)}], exportType="INCREMENTAL_EXPORT"),
        }

    def damage(self) -> None:
        """Something else deletes a document and writes a stray one, in each index."""
        for index in self._names:
            del self._store.documents_of(index)[FINE]
            self._store.documents_of(index)[STRAY] = Stored(1, "{}")

    def aws(self, operation: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """A service's answer to a JSON request; with ``__type`` it is an error."""
        operations: dict[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "BatchGetItem": self._batch_get_item,
            "ChangeMessageVisibilityBatch": lambda _: {"Successful": [], "Failed": []},
            "DeleteMessage": lambda _: {},
            "DescribeContinuousBackups": lambda _: {"ContinuousBackupsDescription": _BACKUPS},
            "DescribeExport": lambda _: {"ExportDescription": _EXPORT},
            "DescribeTable": lambda _: {"Table": self._description},
            "ExportTableToPointInTime": lambda _: {"ExportDescription": {"ExportArn": self.export_arn}},
            "GetRecords": lambda _: {"Records": [{"dynamodb": {"Keys": self._keys(FINE), "SequenceNumber": _LAST}}]},
            "GetParameter": lambda _: {"Parameter": {"Value": _json({index: {} for index in self._names})}},
            "GetSecretValue": lambda _: {"SecretString": _json({"username": "sync", "password": "secret"})},
            "GetShardIterator": self._get_shard_iterator,
            "ReceiveMessage": self._receive_message,
            "Scan": lambda _: {"Items": list(self._items.values())},
            "SendMessage": self._send_message,
            "SendMessageBatch": lambda _: {"Successful": [{"Id": one["Id"]} for one in body["Entries"]]},
        }
        unknown = {"__type": "UnknownOperationException", "message": f"{operation} isn't known here"}
        return operations[operation](body) if operation in operations else unknown

    def function(self) -> dict[str, Any]:
        """The configuration of the sync's function, as the operator has it, too."""
        names = ("INDEX", "INDICES")
        variables = {name: os.environ[name] for name in names if name in os.environ}
        layers = os.environ.get("TRANSFORM_LAYERS", "").split(",")
        return {"Environment": {"Variables": variables}, "Layers": [{"Arn": arn} for arn in layers if arn]}

    def _batch_get_item(self, body: Mapping[str, Any]) -> dict[str, Any]:
        [(table, asked)] = body["RequestItems"].items()
        names = [key[self._key]["S"] for key in asked["Keys"]]
        return {"Responses": {table: [self._items[name] for name in names if name in self._items]}}

    def _get_shard_iterator(self, body: Mapping[str, Any]) -> dict[str, Any]:
        if body["StreamArn"] != self._stream:
            return {"__type": "ResourceNotFoundException", "message": "Stream not found"}
        return {"ShardIterator": f"{self._stream}|1|AAAA"}

    def _receive_message(self, body: Mapping[str, Any]) -> dict[str, Any]:
        received = self._messages
        if body["VisibilityTimeout"]:
            self._messages = []
        return {"Messages": received}

    def _send_message(self, body: Mapping[str, Any]) -> dict[str, Any]:
        self._messages.append(_message(body["MessageBody"]) | {"MessageAttributes": body["MessageAttributes"]})
        return {"MessageId": "1"}

    def objects(self, bucket: str, prefix: str) -> list[str]:
        """The keys in a bucket."""
        return [name.removeprefix(f"{bucket}/") for name in self._objects if name.startswith(f"{bucket}/{prefix}")]

    def content(self, bucket: str, key: str) -> bytes:
        """An object's content."""
        return self._objects[f"{bucket}/{key}"]

    def opensearch(self, method: str, path: str, body: bytes) -> tuple[int, str]:
        """The status and the text of OpenSearch's answer."""
        status, answer = 200, dict[str, Any]()
        match method, [unquote(part) for part in path.strip("/").split("/")]:
            case "GET", [name]:
                answer = {index: one for index, one in self._indices.items() if name in {index, *one["aliases"]}}
                status = 200 if answer else 404
            case "PUT", [index]:
                self._indices[index] = {**json.loads(body), "settings": {"index": {"number_of_shards": "1"}}}
            case "POST", [_, "_bulk"]:
                answer = self._store.post(path, {}, body, 1).body
            case "POST", [index, "_mget"]:
                asked = json.loads(body)
                names = asked.get("ids") or [one["_id"] for one in asked["docs"]]
                answer = {"docs": [self._document(index, name) for name in names]}
            case "POST", [index, "_search"]:
                hits = self._hits(index)
                found = {"total": {"value": len(hits), "relation": "eq"}, "hits": hits}
                answer = {"timed_out": False, "_shards": {"failed": 0}, "hits": found}
            case "GET", [index, "_count"]:
                answer = {"count": len(self._alive(index))}
            case "POST", [index, "_count"]:
                answer = {"count": len(self._alive(index)), "_shards": {"failed": 0}}
            case "GET", [index, "_mapping" | "_settings", *_]:
                answer = {index: {"mappings": {}, "settings": {}}}
            case ("POST", [_, "_refresh"] | ["_aliases"]) | ("PUT", [_, "_mapping" | "_settings"] | [_, "_alias", _]):
                pass
            case _:
                status, answer = 400, {"error": {"type": "unknown", "reason": f"{method} {path} isn't known here"}}
        return status, _json(answer)

    def _hits(self, index: str) -> list[dict[str, Any]]:
        return [
            {"_index": index, "_id": name, "_version": version, **_routing(name), "sort": [number]}
            for number, (name, version) in enumerate(self._alive(index))
        ]

    def _alive(self, index: str) -> list[tuple[str, int]]:
        documents = self._store.documents_of(index)
        return [(name, one.version) for name, one in documents.items() if one.source is not None]

    def _document(self, index: str, name: str) -> dict[str, Any]:
        one, place = self._store.documents_of(index).get(name), {"_index": index, "_id": name}
        if one is None or one.source is None:
            return {**place, "found": False}
        return {**place, "_version": one.version, **_routing(name), "found": True, "_source": json.loads(one.source)}

    def _keys(self, name: str) -> Item:
        return {self._key: {"S": name}}

    def _letter(self, name: str) -> str:
        reason = {"type": "mapper_parsing_exception", "message": ""}
        return _json({"table": self._table_arn, "keys": self._keys(name), "index": self._names[0], "reason": reason})

    def _export(self, folder: str, lines: Iterable[Mapping[str, Any]], **summary: str) -> dict[str, bytes]:
        """See https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html."""
        texts, manifest, file = list(map(_json, lines)), f"{folder}/manifest-files.json", f"{folder}/data/one.json.gz"
        facts = {"tableArn": self._table_arn, "exportTime": "2023-11-14T22:13:20Z", "outputFormat": "DYNAMODB_JSON"}
        return {
            f"exports/{_SUMMARY.format(folder)}": _json({**facts, "manifestFilesS3Key": manifest, **summary}).encode(),
            f"exports/{manifest}": _json({"dataFileS3Key": file, "itemCount": len(texts)}).encode(),
            f"exports/{file}": gzip.compress("\n".join(texts).encode()),
        }


def _routing(name: str) -> dict[str, str]:
    return {"_routing": "elsewhere"} if name == STRAY else {}


_SUMMARY = "{}/manifest-summary.json"
_EXPORT = {"ExportStatus": "COMPLETED", "S3Bucket": "exports", "ExportManifest": _SUMMARY.format(FULL)}
_BACKUPS = {
    "PointInTimeRecoveryDescription": {
        "PointInTimeRecoveryStatus": "ENABLED",
        "EarliestRestorableDateTime": 0,
        "LatestRestorableDateTime": START,
    }
}
_SHARD, _FIRST, _LAST = "shardId-00000001573689847184-864758bb", "800000000003126276362", "800000000003126276363"


def _record(stream_arn: str, **payload: str) -> str:
    """See https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html."""
    where = {"streamArn": stream_arn, "shardId": _SHARD, "startSequenceNumber": _FIRST, "endSequenceNumber": _LAST}
    return _json({"version": "1.0", "DDBStreamBatchInfo": where, **payload})


def _message(body: str) -> dict[str, Any]:
    sent = {"SentTimestamp": str(START * 1000)}
    return {"MessageId": body, "ReceiptHandle": body, "Body": body, "Attributes": sent}


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
