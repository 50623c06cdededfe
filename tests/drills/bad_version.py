"""The version that bad_deploy.py deploys as `functions/sync.py`: short, plausible, and wrong.

It turns numbers into floats, writes without versions, and fails at a REMOVE, which has no new image.
"""

import json
import os
import urllib.request
from typing import Any


def handler(event: dict[str, Any], _context: object) -> None:
    """Write each record in the order of arrival."""
    for record in event["Records"]:
        image = record["dynamodb"]["NewImage"]
        document = {name: _value(value) for name, value in image.items()}
        url = f"{os.environ['OPENSEARCH_ENDPOINT']}/{os.environ['INDEX']}/_doc/{document['productId']}"
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(url, json.dumps(document).encode(), headers, method="PUT")
        urllib.request.urlopen(request, timeout=5).close()


def _value(value: dict[str, Any]) -> Any:
    [(kind, content)] = value.items()
    return float(content) if kind == "N" else content
