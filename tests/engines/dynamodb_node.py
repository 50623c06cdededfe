"""Runs DynamoDB Local with Streams, in memory on loopback, from Maven Central.

It differs from AWS in details that matter to tests: a record's ApproximateCreationDateTime is cut to the minute, a
sequence number is a counter padded with zeros, a stream is one shard that never closes, and nothing invokes a function.
"""

import platform
import re
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines.installations import Announce, installation, silent
from engines.java import WITHOUT_PERFORMANCE_FILE, Jdk, find_jdk
from engines.maven import fetch_with_dependencies
from engines.probes import ask
from engines.runs import Run, claim

NAME = "dynamodb-local"
VERSION = "3.3.1"
FIRST_PORT = 28000
START_SECONDS = 60
ARTIFACTS = [f"software.amazon.dynamodb:DynamoDBLocal:{VERSION}", "net.bytebuddy:byte-buddy-agent:1.15.11"]
if (platform.system(), platform.machine()) == ("Darwin", "arm64"):  # the only native library that the first lacks
    ARTIFACTS.append("io.github.ganadist.sqlite4java:libsqlite4java-osx-aarch64:1.0.392:dylib")
JAR = "DynamoDBLocal.jar"
LIBRARIES = "DynamoDBLocal_lib"
AGENT = "ddb-local-loader-0.1.jar"
MAIN_CLASS = "software.amazon.dynamodb.services.local.main.ServerRunner"
LOGGING = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders><Console name="Console" target="SYSTEM_OUT"/></Appenders>
  <Loggers><Root level="WARN"><AppenderRef ref="Console"/></Root></Loggers>
</Configuration>
"""


class DynamoDBLocal:
    """A running DynamoDB Local: all regions and credentials see the same tables."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._run.port}"

    @property
    def port(self) -> int:
        return self._run.port

    @property
    def pid(self) -> int:
        return self._run.pid

    @property
    def log_file(self) -> Path:
        return self._run.log_file

    def keep(self) -> None:
        """Leave it running when the context manager ends; `python -m engines stop dynamodb-local` ends it."""
        self._run.keep()


@contextmanager
def dynamodb_local(
    port: int | None = None, *, heap: str = "256m", announce: Announce = silent
) -> Iterator[DynamoDBLocal]:
    """Run a DynamoDB Local that is ready; after the block, it is gone with its tables. 50,000 items need more heap."""
    with claim(NAME, port, FIRST_PORT) as run:
        jdk = find_java()
        installed = install(announce)
        announce(f"starting DynamoDB Local {VERSION} on port {run.port}")
        run.spawn(
            [
                jdk.java,
                f"-Xmx{heap}",
                WITHOUT_PERFORMANCE_FILE,
                f"-Djava.io.tmpdir={run.subfolder('tmp')}",
                f"-Djava.library.path={installed / LIBRARIES}",
                "-jar",
                installed / JAR,
                "-inMemory",
                "-sharedDb",
                "-disableTelemetry",
                "-port",
                str(run.port),
            ],
            folder=run.folder,
            environment={},
        )
        node = DynamoDBLocal(run)
        run.wait_until(lambda: _answers(node.url), timeout_seconds=START_SECONDS)
        run.describe(url=node.url, version=VERSION)
        yield node


def install(announce: Announce = silent) -> Path:
    """Return the folder of DynamoDB Local, fetched once, in the layout of AWS's own download."""

    def build(folder: Path) -> None:
        announce(f"fetching DynamoDB Local {VERSION} (once, 50 MB)")
        fetch_with_dependencies(ARTIFACTS, folder, into=LIBRARIES)
        _lay_out(folder)

    return installation(f"{NAME}-{VERSION}", [*ARTIFACTS, Path(__file__).read_bytes()], build, announce)


def find_java() -> Jdk:
    """Return a JDK that DynamoDB Local can run on."""
    return find_jdk(oldest=17, whom=f"DynamoDB Local {VERSION}")


def _lay_out(folder: Path) -> None:
    """Turn what Maven fetched into the layout of AWS's download, which LocalStack needs too."""
    libraries = folder / LIBRARIES
    for library in libraries.glob("*sqlite4java-*"):
        if library.suffix != ".jar":  # the native library is looked for under its name without a version
            library.rename(library.with_name(re.sub(r"-[0-9.]+(?=\.\w+$)", "", library.name)))
    # LocalStack names its own agent, which lifts a limit on indexes and isn't in any registry; the option must name an
    # agent, so it gets one that does nothing.
    agent = next(libraries.glob("byte-buddy-agent-*.jar"))
    shutil.move(agent, folder / AGENT)
    # AWS's jar names its libraries as in AWS's download, and Maven names them differently: a jar with our class path.
    jars = sorted(jar.name for jar in libraries.glob("*.jar"))
    headers = {
        "Manifest-Version": "1.0",
        "Main-Class": MAIN_CLASS,
        "Class-Path": " ".join(f"{LIBRARIES}/{name}" for name in jars),
    }
    with zipfile.ZipFile(folder / JAR, "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", manifest(headers))
        jar.writestr("log4j2.xml", LOGGING)


def manifest(headers: dict[str, str]) -> str:
    """Return a jar's manifest: lines of at most 72 bytes, continued by a leading space (the JAR specification)."""
    lines = []
    for name, value in headers.items():
        line = f"{name}: {value}"
        lines.append(line[:72])
        lines += [f" {line[start : start + 71]}" for start in range(72, len(line), 71)]
    return "\r\n".join([*lines, "", ""])


def _answers(url: str) -> bool:
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "DynamoDB_20120810.ListTables",
        "Authorization": "AWS4-HMAC-SHA256 Credential=local/20250101/us-east-1/dynamodb/aws4_request, "
        "SignedHeaders=host, Signature=0",
    }
    return ask(url, method="POST", body=b"{}", headers=headers) is not None
