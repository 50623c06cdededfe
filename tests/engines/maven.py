"""Fetches artifacts from the Maven repository that the user's Maven is configured for."""

import os
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from engines.commands import CommandFailedError, run_command
from engines.errors import EngineError
from engines.java import WITHOUT_PERFORMANCE_FILE, find_jdk

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
POM = "pom.xml"


def fetch_zip(artifact: str, folder: Path) -> None:
    """Unpack `group:name:version` of type zip into the folder, with the files' executable bits."""
    download = folder / "download"
    _maven(
        f"{PLUGIN}:copy", f"-Dartifact={artifact}:zip", f"-DoutputDirectory={download}", what=artifact, folder=folder
    )
    with zipfile.ZipFile(next(download.glob("*.zip"))) as archive:
        for member in archive.infolist():
            path = Path(archive.extract(member, folder))
            executable = member.external_attr >> 16 & 0o100 or path.parent.name == "bin"
            path.chmod(0o755 if member.is_dir() or executable else 0o644)
    shutil.rmtree(download)


def fetch_with_dependencies(artifacts: Sequence[str], folder: Path, *, into: str) -> None:
    """Copy the artifacts (`group:name:version[:type]`) and all that they need at run time into `folder/into`."""
    (folder / POM).write_text(_pom(artifacts), encoding="utf-8")
    _maven(
        f"{PLUGIN}:copy-dependencies",
        "-DincludeScope=runtime",
        f"-DoutputDirectory={folder / into}",
        what=", ".join(artifacts),
        folder=folder,
    )
    (folder / POM).unlink()


def _maven(*arguments: str, what: str, folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise EngineError("Maven is missing: install it (apt-get install maven, brew install maven)")
    environment = {
        **os.environ,
        "JAVA_HOME": str(find_jdk(oldest=17, whom="Maven").home),
        "MAVEN_OPTS": f"{os.environ.get('MAVEN_OPTS', '')} {WITHOUT_PERFORMANCE_FILE}".strip(),
    }
    try:
        run_command(
            [maven, "--quiet", "--batch-mode", "--no-transfer-progress", "-Dstyle.color=never", *arguments],
            folder=folder,
            environment=environment,
        )
    except CommandFailedError as failure:
        reason, _, _advice_for_debugging = failure.output_tail.partition("\n[ERROR] \n")
        raise EngineError(
            f"cannot fetch {what}: check the network, and the proxy and mirror settings of Maven "
            f"(settings.xml); Maven's output ends:\n{reason}"
        ) from failure


def _pom(artifacts: Sequence[str]) -> str:
    def dependency(artifact: str) -> str:
        tags = zip(("groupId", "artifactId", "version", "type"), artifact.split(":"), strict=False)
        return "".join(f"<{tag}>{escape(value)}</{tag}>" for tag, value in tags)

    dependencies = "".join(f"<dependency>{dependency(artifact)}</dependency>" for artifact in artifacts)
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>engines</groupId><artifactId>fetch</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )
