"""Runs a real OpenSearch node on loopback: the official server from Maven Central on a local JDK, without Docker.

It is the core server, without analysis-common (so no `english` analyzer) and scripts, which aren't published there.
"""

import base64
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engines.commands import run_command
from engines.errors import EngineError
from engines.home import home_folder
from engines.installations import Announce, installation, silent
from engines.java import WITHOUT_PERFORMANCE_FILE, Jdk, find_jdk
from engines.maven import fetch_zip
from engines.nobody import account_for_opensearch, is_reachable, require_reachable
from engines.opensearch_security import PASSWORD, PLUGIN, USER, write_security
from engines.probes import ask
from engines.runs import Run, claim

NAME = "opensearch"
VERSION = "2.19.3"
FIRST_PORT = 29200
START_SECONDS = 180

# The server logs only to the console log; its own log files and the GC log would double that.
LOGGING = """status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}]%marker %m%n
rootLogger.level = info
rootLogger.appenderRef.console.ref = console
"""


@dataclass(frozen=True, slots=True)
class NodeOptions:
    version: str
    heap: str
    settings: Mapping[str, object]
    security: bool


class OpenSearchNode:
    """A running node, with one data folder from its start to the end of the context manager."""

    def __init__(self, run: Run, installed: Path, jdk: Jdk, options: NodeOptions) -> None:
        self._run = run
        self._installed = installed
        self._jdk = jdk
        self._options = options
        self._account = account_for_opensearch()
        self.version = options.version
        self.user = USER if options.security else None
        self.password = PASSWORD if options.security else None
        self.ca_file = run.folder / "config/ca.pem" if options.security else None

    @property
    def url(self) -> str:
        return f"https://localhost:{self._run.port}" if self._options.security else f"http://127.0.0.1:{self._run.port}"

    @property
    def port(self) -> int:
        return self._run.port

    @property
    def pid(self) -> int:
        return self._run.pid

    @property
    def log_file(self) -> Path:
        return self._run.log_file

    def suspend(self) -> None:
        """Suspend the whole node (SIGSTOP): the system accepts connections, but they are never answered."""
        self._run.suspend()

    def resume(self) -> None:
        """Resume a suspended node."""
        self._run.resume()

    def kill(self) -> None:
        """End the node at once (SIGKILL), like a crash; its data folder stays for `restart`."""
        self._run.kill()

    def restart(self) -> None:
        """Stop the node in good order if it runs, and start it again with the same port, data and settings."""
        self._run.terminate()
        self._start()

    def keep(self) -> None:
        """Leave the node running when the context manager ends; `python -m engines stop opensearch` ends it."""
        self._run.keep()

    def _prepare(self) -> None:
        config = self._run.folder / "config"
        shutil.copytree(self._installed / "config", config)
        (config / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
        options = (config / "jvm.options").read_text(encoding="utf-8").splitlines(keepends=True)
        # these options name files; we give ours on the command line, where a path may contain spaces
        options = [
            line for line in options if not any(part in line for part in ("Xlog:gc", "=logs/", "=data", "TMPDIR"))
        ]
        (config / "jvm.options").write_text("".join(options), encoding="utf-8")
        settings: dict[str, object] = {
            "cluster.name": "engines",
            "node.name": "engines",
            "discovery.type": "single-node",
            "network.host": "127.0.0.1",
            "http.port": self._run.port,
            "transport.port": 0,
            "path.data": str(self._run.subfolder("data")),
            "path.logs": str(self._run.subfolder("logs")),
            "cluster.routing.allocation.disk.threshold_enabled": False,  # a full disk isn't tested here
        }
        if self._options.security:
            settings |= write_security(config, self._installed, self._jdk)
        settings |= self._options.settings
        lines = [f"{name}: {json.dumps(value)}\n" for name, value in settings.items()]  # JSON is YAML
        (config / "opensearch.yml").write_text("".join(lines), encoding="utf-8")
        if self._account:
            for folder in (config, self._run.folder / "data", self._run.folder / "logs"):
                self._account.own(folder)

    def _start(self) -> None:
        self._run.spawn(
            [
                self._jdk.java,
                *self._jvm_options(),
                f"-Djava.io.tmpdir={self._run.subfolder('tmp')}",
                f"-XX:ErrorFile={self._run.folder}/logs/java-error.log",
                f"-Dopensearch.path.home={self._installed}",
                f"-Dopensearch.path.conf={self._run.folder}/config",
                "-Dopensearch.distribution.type=zip",
                "-Dopensearch.bundled_jdk=false",
                "-cp",
                f"{self._installed}/lib/*",
                "org.opensearch.bootstrap.OpenSearch",
            ],
            folder=self._installed,  # 3.x names its Java agent from there
            environment={},
            user=self._account.user if self._account else None,
            group=self._account.group if self._account else None,
        )
        self._run.wait_until(self._is_ready, timeout_seconds=START_SECONDS)
        self._run.describe(url=self.url, version=self.version, **self._credentials())

    def _jvm_options(self) -> list[str]:
        """Return the options that the server's own launcher would choose. Its script starts five JVMs in a row for
        that: the node is ready after 5.4 s on an idle 2-core machine, instead of 3.7 s."""
        own = [
            f"-Xms{self._options.heap}",
            f"-Xmx{self._options.heap}",
            "-XX:-AlwaysPreTouch",  # 270 MB of memory instead of 690 in a node just started
            "-XX:-HeapDumpOnOutOfMemoryError",
            WITHOUT_PERFORMANCE_FILE,
        ]
        parser = "org.opensearch.tools.launchers.JvmOptionsParser"
        output = run_command(
            [
                self._jdk.java,
                WITHOUT_PERFORMANCE_FILE,
                "-cp",
                f"{self._installed}/lib/*",
                parser,
                self._run.folder / "config",
            ],
            folder=self._installed,  # as for the node itself
            belongs_to=self._run.folder,
            environment={"OPENSEARCH_JAVA_OPTS": " ".join(own), "OPENSEARCH_TMPDIR": "set by the caller"},
        )
        return output.split()

    def _is_ready(self) -> bool:
        headers = {}
        if self.ca_file:
            token = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        # yellow: after a restart, an index with replicas never becomes green on one node
        health = ask(
            f"{self.url}/_cluster/health?wait_for_status=yellow&timeout=1s", headers=headers, ca_file=self.ca_file
        )
        return health is not None and not health["timed_out"]

    def _credentials(self) -> dict[str, str]:
        return {"user": USER, "password": PASSWORD, "ca_file": str(self.ca_file)} if self.ca_file else {}


@contextmanager
def opensearch(
    version: str = VERSION,
    port: int | None = None,
    heap: str = "512m",
    settings: Mapping[str, object] | None = None,
    *,
    security: bool = False,
    announce: Announce = silent,
) -> Iterator[OpenSearchNode]:
    """Run a node that is ready (status yellow or green), and gone after the block.

    `settings` are lines of opensearch.yml. With `security`, it has OpenSearch's own plugin: TLS with the
    node's own certificate, `ca_file`, and the demo users, such as `user` with `password`.
    """
    major = _major(version)
    if security and major >= 3:
        raise EngineError(f"OpenSearch {version} with security: its plugin needs parts that aren't published; use 2.x")
    with claim(NAME, port, FIRST_PORT) as run:
        # 2.x needs Java's Security Manager, which is gone in 24
        oldest, newest = (11, 23) if major < 3 else (21, None)
        jdk = find_jdk(oldest=oldest, newest=newest, fits=is_reachable, whom=f"OpenSearch {version}")
        installed = install(version, security=security, announce=announce)
        node = OpenSearchNode(run, installed, jdk, NodeOptions(version, heap, settings or {}, security))
        announce(f"starting OpenSearch {version} on port {run.port}")
        node._prepare()
        node._start()
        yield node


def install(version: str = VERSION, *, security: bool = False, announce: Announce = silent) -> Path:
    """Return the folder of the server, fetched once."""
    artifacts = [f"org.opensearch.distribution.integ-test-zip:opensearch:{version}"]
    if security:
        artifacts.append(f"org.opensearch.plugin:opensearch-security:{version}.0")

    def build(folder: Path) -> None:
        announce(f"fetching OpenSearch {version}{' with its security plugin' if security else ''} (once, 50 to 200 MB)")
        fetch_zip(artifacts[0], folder)
        if security:
            plugin = folder / f"opensearch-{version}" / PLUGIN
            plugin.mkdir(parents=True)
            fetch_zip(artifacts[1], plugin)

    require_reachable(home_folder("installed"))
    return installation(f"opensearch-{version}", artifacts, build, announce) / f"opensearch-{version}"


def _major(version: str) -> int:
    major = version.partition(".")[0]
    if not major.isdigit():
        raise EngineError(f"OpenSearch version {version!r}: a version looks like {VERSION}")
    return int(major)
