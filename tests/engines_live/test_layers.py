"""A layer on a real LocalStack: the function imports from it, and the command fetches the same code back."""

import io
import json
import sys
import zipfile
from pathlib import Path

import boto3
import pytest
from dynamodb_opensearch.cli.target.layers import check_layers, use_layers
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.transforms import Transform
from engines import LocalStackNode

FUNCTION = "layers-function"
HANDLER = "from layered_search import document\n\ndef handler(event, context):\n    return document(event)\n"


def zipped(name: str, text: str) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr(name, text)
    return target.getvalue()


def test_the_command_runs_the_code_of_the_functions_layer(
    aws: LocalStackNode, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "path", list(sys.path))
    client = boto3.client("lambda")

    def publish(word: str) -> str:
        code = zipped("python/layered_search.py", f"def document(item):\n    return {{'word': '{word}'}}\n")
        version = client.publish_layer_version(LayerName="layers-search", Content={"ZipFile": code})
        return str(version["LayerVersionArn"])

    client.create_function(
        FunctionName=FUNCTION,
        Runtime="python3.13",
        Handler="app.handler",
        Role="arn:aws:iam::000000000000:role/function",
        Code={"ZipFile": zipped("app.py", HANDLER)},
        Layers=[publish("first")],
    )
    client.get_waiter("function_active_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 1})
    try:
        code = use_layers(FUNCTION, ["layered_search:document"])
        assert Transform.load("layered_search:document").texts({}) == {"word": '"first"'}
        assert json.loads(client.invoke(FunctionName=FUNCTION, Payload="{}")["Payload"].read()) == {"word": "first"}
        check_layers(code)

        client.update_function_configuration(FunctionName=FUNCTION, Layers=[publish("second")])
        client.get_waiter("function_updated_v2").wait(FunctionName=FUNCTION, WaiterConfig={"Delay": 1})
        with pytest.raises(ConfigurationError, match="means nothing"):
            check_layers(code)
    finally:
        sys.modules.pop("layered_search", None)
        client.delete_function(FunctionName=FUNCTION)
