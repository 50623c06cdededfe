"""cli/target/layers.py, layer_zip.py: only the function's own code is imported, whole, and kept inside its folder."""

import base64
import hashlib
import importlib
import io
import multiprocessing
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from dynamodb_opensearch.cli.target import layer_zip, layers
from dynamodb_opensearch.cli.target.layers import LayerCode, check_layers, refuse_without_function, use_layers
from dynamodb_opensearch.core.errors import ConfigurationError
from dynamodb_opensearch.core.transforms import Transform
from fakes.server import Server

RUNTIME = f"python{sys.version_info.major}.{sys.version_info.minor}"
SEARCH = "def document(item):\n    return {'name': item['id']}\n"


def zipped(files: dict[str, str], links: dict[str, str] | None = None) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        for name, to in (links or {}).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(entry, to)
    return target.getvalue()


class Cloud:
    """Lambda with one function, and the store from which its layers are downloaded."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.zips: list[bytes] = []
        self.first_version = 1
        self.function: dict[str, Any] = {"Runtime": RUNTIME, "LastUpdateStatus": "Successful"}
        self.content: dict[str, Any] = {}
        server.reply = lambda _: (200, "application/zip", self.zips[int(server.requests[-1][0].rpartition("/")[2])])

    def client(self, service: str, **_: Any) -> "Cloud":
        assert service == "lambda"
        return self

    def get_function_configuration(self, FunctionName: str) -> dict[str, Any]:  # noqa: N803
        assert FunctionName == "sync:live"
        arns = [f"arn:aws:lambda:eu-west-1:123456789012:layer:l{n}:1" for n in range(len(self.zips))]
        return self.function | ({"Layers": [{"Arn": arn} for arn in arns]} if arns else {})

    def get_layer_version_by_arn(self, Arn: str) -> dict[str, Any]:  # noqa: N803
        number = int(Arn.split(":")[6][1:])
        data = self.zips[number]
        content = {
            "Location": f"{self.server.url}/{number}",
            "CodeSha256": base64.b64encode(hashlib.sha256(data).digest()).decode(),
            "CodeSize": len(data),
        }
        return {"Content": content | self.content}


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Cloud]:
    server = Server()
    made = Cloud(server)
    monkeypatch.setattr(layers.boto3, "client", made.client)  # type: ignore[attr-defined]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", list(sys.path))
    modules = set(sys.modules)
    yield made
    for name in set(sys.modules) - modules:
        if name.startswith("layered"):
            del sys.modules[name]
    importlib.invalidate_caches()
    server.close()


def use(*transforms: str) -> LayerCode:
    return use_layers("sync:live", transforms or ("layered:document",))


def test_a_transform_is_imported_from_the_functions_layer(cloud: Cloud) -> None:
    cloud.zips = [zipped({"python/layered.py": SEARCH, "other/file": "x"})]

    code = use()

    assert Transform.load("layered:document").texts({"id": {"S": "a"}}) == {"name": '"a"'}
    folder = Path(sys.modules["layered"].__file__ or "").parents[1]
    assert folder.name == code.fingerprint
    assert not (folder / "other").exists()


def test_a_worker_process_imports_the_same_code(cloud: Cloud) -> None:
    cloud.zips = [zipped({"python/layered.py": SEARCH})]
    use()
    transform = Transform.load("layered:document")

    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        assert pool.submit(transform.texts, {"id": {"S": "a"}}).result(60) == {"name": '"a"'}


def test_a_later_layer_replaces_files_of_an_earlier_one(cloud: Cloud) -> None:
    cloud.zips = [
        zipped({"python/layered.py": "raise ImportError", "python/layered_package/one.py": "value = 1"}),
        zipped({"python/layered.py": SEARCH, "python/layered_package/two.py": "value = 2"}),
    ]
    use()

    assert Transform.load("layered:document").texts({"id": {"S": "a"}})
    assert importlib.import_module("layered_package.one").value == 1
    assert importlib.import_module("layered_package.two").value == 2


def test_site_packages_of_the_functions_python_come_first(cloud: Cloud) -> None:
    cloud.zips = [
        zipped({"python/layered.py": "raise ImportError", f"python/lib/{RUNTIME}/site-packages/layered.py": SEARCH})
    ]
    use()

    assert Transform.load("layered:document").texts({"id": {"S": "a"}})


def test_the_layers_win_over_the_users_own_folder(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "layered.py").write_text("raise ImportError", encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    cloud.zips = [zipped({"python/layered.py": SEARCH})]
    use()

    assert Transform.load("layered:document").texts({"id": {"S": "a"}})


@pytest.mark.parametrize("name", ["rich:print", "json:dumps", "sys:exit", "dynamodb_opensearch:x"])
def test_a_module_that_this_program_has_already_is_refused(cloud: Cloud, name: str) -> None:
    module = name.partition(":")[0]
    cloud.zips = [zipped({f"python/{module}.py": SEARCH})]

    with pytest.raises(ConfigurationError, match=rf"would import {module} from .* rename the module"):
        use(name)


def test_a_package_without_init_whose_other_half_is_elsewhere_is_refused(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "layered_half").mkdir()
    (tmp_path / "layered_half/helper.py").write_text("", encoding="utf-8")
    sys.path.insert(0, str(tmp_path))
    cloud.zips = [zipped({"python/layered_half/search.py": SEARCH})]

    with pytest.raises(ConfigurationError, match=rf"from {tmp_path}/layered_half"):
        use("layered_half.search:document")


def test_a_module_that_is_in_no_layer_is_refused_with_what_to_do(cloud: Cloud) -> None:
    for zips in ([], [zipped({"layered.py": SEARCH})]):
        cloud.zips = zips
        with pytest.raises(ConfigurationError, match=r"none of the layers .* has the module layered.* own package"):
            use()


def test_layers_are_downloaded_once(cloud: Cloud) -> None:
    cloud.zips = [zipped({"python/layered.py": SEARCH})]
    first = use()
    second = use()

    assert first.fingerprint == second.fingerprint
    assert len(cloud.server.requests) == 1


@pytest.mark.parametrize("damage", ["edited", "removed", "added"])
def test_layers_whose_files_were_changed_since_are_downloaded_again(cloud: Cloud, tmp_path: Path, damage: str) -> None:
    cloud.zips = [zipped({"python/layered.py": SEARCH, "python/layered_words.txt": "words"})]
    code = use()
    folder = tmp_path / "cache/dynamodb-opensearch/layers" / code.fingerprint / "python"
    match damage:
        case "edited":
            (folder / "layered.py").chmod(0o644)
            (folder / "layered.py").write_text("raise ImportError", encoding="utf-8")
        case "removed":
            (folder / "layered_words.txt").unlink()
        case "added":
            (folder / "layered_words.py").write_text("", encoding="utf-8")

    use()

    assert sorted(path.name for path in folder.iterdir()) == ["layered.py", "layered_words.txt"]
    assert (folder / "layered.py").read_text(encoding="utf-8") == SEARCH
    assert [path.name for path in folder.parents[1].iterdir()] == [code.fingerprint]


def test_the_fingerprint_is_that_of_the_files_in_their_order(cloud: Cloud) -> None:
    one, other = zipped({"python/layered.py": SEARCH}), zipped({"python/layered.py": SEARCH + "\n"})
    found = []
    for zips in ([one], [other], [one, other], [other, one]):
        cloud.zips = zips
        found.append(use().fingerprint)

    assert len(set(found)) == 4


def test_layers_that_change_meanwhile_make_the_result_void(cloud: Cloud) -> None:
    cloud.zips = [zipped({"python/layered.py": SEARCH})]
    before = use()
    check_layers(before)

    cloud.zips = [zipped({"python/layered.py": SEARCH + "\n"})]
    with pytest.raises(ConfigurationError, match="means nothing"):
        check_layers(before)


def test_a_function_that_is_being_updated_is_waited_for(cloud: Cloud) -> None:
    cloud.function["LastUpdateStatus"] = "InProgress"
    with pytest.raises(ConfigurationError, match="being updated"):
        use()


def test_another_python_is_warned_of(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.zips = [zipped({"python/layered.py": SEARCH})]
    cloud.function["Runtime"] = "python3.99"
    use()

    assert "runs its transform with python3.99" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"CodeSha256": "AAAA"}, "isn't what Lambda describes"),
        ({"CodeSize": 10}, "isn't what Lambda describes"),
        ({"CodeSize": 10**6}, "isn't what Lambda describes"),
        ({"CodeSize": 10**10}, "more than Lambda allows"),
        ({"Location": "http://example.com/layer?X-Amz-Signature=secret"}, r"example.com that isn't https://"),
        ({"Location": "file:///etc/passwd?secret"}, r"isn't https://"),
        ({"Location": "https://127.0.0.1:9/?secret"}, "can't be downloaded"),
    ],
)
def test_what_is_not_the_layer_is_refused(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch, content: dict[str, Any], said: str
) -> None:
    monkeypatch.delenv("https_proxy", raising=False)
    cloud.zips = [zipped({"python/layered.py": SEARCH})]
    cloud.content = content

    with pytest.raises(ConfigurationError, match=said) as error:
        use()
    assert "secret" not in str(error.value)


def test_a_redirect_is_not_followed(cloud: Cloud) -> None:
    cloud.zips = [zipped({"python/layered.py": SEARCH})]
    cloud.server.headers["Location"] = "http://example.com/"
    cloud.server.reply = lambda _: (302, "text/plain", b"")

    with pytest.raises(ConfigurationError, match="can't be downloaded"):
        use()


@pytest.mark.parametrize(
    ("files", "links"),
    [
        ({"python/../../outside.py": "x"}, {}),
        ({"python/a/../b.py": "x"}, {}),
        ({}, {"python/link": "/etc"}),
        ({}, {"python/link": "../../.."}),
        ({}, {"python/a/here": "..", "python/a/here/out": "../.."}),
        ({}, {"python/first": "second/../../..", "python/second": "."}),
    ],
)
def test_a_file_or_link_that_leads_outside_is_refused(
    cloud: Cloud, tmp_path: Path, files: dict[str, str], links: dict[str, str]
) -> None:
    cloud.zips = [zipped({"python/layered.py": SEARCH, **files}, links)]

    with pytest.raises(ConfigurationError, match="outside"):
        use()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_nothing_is_written_through_a_link(cloud: Cloud, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    linked = zipped({}, {"python/link": str(target), "python/layered.py": str(target / "file")})
    cloud.zips = [linked, zipped({"python/link/file": "x"})]
    with pytest.raises(ConfigurationError, match="outside"):
        use()

    cloud.zips = [zipped({}, {"python/layered.py": str(target / "file")}), zipped({"python/layered.py": SEARCH})]
    use()
    assert list(target.iterdir()) == []
    assert Transform.load("layered:document").texts({"id": {"S": "a"}})


def test_a_link_within_the_layer_stays(cloud: Cloud) -> None:
    cloud.zips = [zipped({"python/layered_real.py": SEARCH}, {"python/layered.py": "layered_real.py"})]
    use()

    assert Transform.load("layered:document").texts({"id": {"S": "a"}})


def test_what_is_no_zip_file_is_refused(cloud: Cloud) -> None:
    cloud.zips = [b"no zip"]
    with pytest.raises(ConfigurationError, match="isn't a zip file"):
        use()


def test_a_zip_that_swells_is_refused(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_zip, "LARGEST_BYTES", 1000)
    cloud.zips = [zipped({"python/layered.py": "x" * 1001})]
    with pytest.raises(ConfigurationError, match="when it is unzipped"):
        use()


def test_a_cache_folder_that_cannot_be_written_is_named(cloud: Cloud, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file", encoding="utf-8")
    cloud.zips = [zipped({"python/layered.py": SEARCH})]
    with pytest.raises(ConfigurationError, match="set XDG_CACHE_HOME"):
        use()


def test_a_function_or_layer_that_cannot_be_read_is_named(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(call: str) -> Callable[..., Any]:
        def refused(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, call)

        return refused

    cloud.zips = [b""]
    monkeypatch.setattr(cloud, "get_layer_version_by_arn", refuse("GetLayerVersionByArn"))
    with pytest.raises(ConfigurationError, match=r"the layer arn:.*:l0:1: GetLayerVersionByArn answered AccessDenied"):
        use()
    monkeypatch.setattr(cloud, "get_function_configuration", refuse("GetFunctionConfiguration"))
    with pytest.raises(ConfigurationError, match=r"the function 'sync:live': GetFunctionConfiguration answered"):
        use()


def test_without_a_function_the_error_says_how_to_name_it() -> None:
    assert "--function NAME or --terraform DIR" in str(refuse_without_function({"search:document"}))
