"""Runs LocalStack as a plain process: AWS's services on loopback, with functions as processes too, without Docker.

It has its own virtual environment, since its pins differ from ours. Unlike AWS, it doesn't bisect a batch, drop records
by age, poll a shard in parallel or enforce IAM policies, and everything is gone when it stops.
"""

import platform
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engines import dynamodb_node
from engines.commands import CommandFailedError, run_command
from engines.errors import EngineError
from engines.installations import Announce, installation, silent
from engines.java import WITHOUT_PERFORMANCE_FILE
from engines.probes import ask
from engines.runs import Run, claim
from engines.terraform import without_aws_settings

NAME = "localstack"
VERSION = "4.14.0"  # the last community version that needs no account
FIRST_PORT = 24566
START_SECONDS = 120
REGION = "us-east-1"
REQUIREMENTS = (f"localstack-core[base-runtime,runtime]=={VERSION}", "awslambdaric==4.2.2")
CONSTRAINTS = Path(__file__).with_name("localstack_constraints.txt")
EXECUTOR = Path(__file__).with_name("localstack_executor")
SERVICES = (
    "cloudwatch,dynamodb,dynamodbstreams,ec2,events,iam,kms,lambda,logs,s3,secretsmanager,sns,sqs,ssm,stepfunctions,sts"
)


class LocalStackNode:
    """A running LocalStack."""

    region = REGION

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

    def environment(self) -> dict[str, str]:
        """Return the variables that point AWS's SDKs, the AWS CLI and Terraform's provider to this LocalStack."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def keep(self) -> None:
        """Leave it running when the context manager ends; `python -m engines stop localstack` ends it."""
        self._run.keep()


@contextmanager
def localstack(port: int | None = None, *, announce: Announce = silent) -> Iterator[LocalStackNode]:
    """Run a LocalStack that is ready; after the block, it is gone with everything in it."""
    with claim(NAME, port, FIRST_PORT) as run:
        jdk = dynamodb_node.find_java()
        database = dynamodb_node.install(announce)
        installed = install(announce)
        announce(f"starting LocalStack {VERSION} on port {run.port}")
        files = run.subfolder("files")
        _lay_out_packages(files / "var/lib/localstack/lib", jdk.home, database)
        run.spawn(
            [installed / "venv/bin/python", "-m", "localstack.runtime.main"],
            folder=run.folder,
            environment=_settings(run.port, files),
        )
        node = LocalStackNode(run)
        run.wait_until(lambda: ask(f"{node.url}/_localstack/health") is not None, timeout_seconds=START_SECONDS)
        run.describe(url=node.url, version=VERSION)
        yield node


def install(announce: Announce = silent) -> Path:
    """Return the folder of LocalStack's virtual environment, made once."""
    sources = [path for path in sorted(EXECUTOR.rglob("*")) if path.suffix in (".py", ".toml")]
    ingredients: list[str | bytes] = [
        sys.base_prefix,
        sys.version,
        *REQUIREMENTS,
        CONSTRAINTS.read_bytes(),
        *(str(path.relative_to(EXECUTOR)).encode() + b"\0" + path.read_bytes() for path in sources),
    ]

    def build(folder: Path) -> None:
        if sys.version_info < (3, 13):
            raise EngineError(f"LocalStack needs Python 3.13 or later; this is {platform.python_version()}")
        announce(f"fetching LocalStack {VERSION} (once, one to three minutes, 500 MB)")
        environment = without_aws_settings()
        environment.pop("PYTHONPATH", None)
        pip: list[str | Path] = [
            folder / "venv/bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        try:
            run_command([sys.executable, "-m", "venv", folder / "venv"], folder=folder, environment=environment)
            run_command([*pip, *REQUIREMENTS, "-c", CONSTRAINTS], folder=folder, environment=environment)
            # from a copy: building leaves files beside the sources
            shutil.copytree(EXECUTOR, folder / "executor", ignore=shutil.ignore_patterns("__pycache__"))
            run_command(
                [*pip, "--no-deps", "--no-build-isolation", folder / "executor"], folder=folder, environment=environment
            )
        except CommandFailedError as failure:
            raise EngineError(
                f"cannot fetch LocalStack {VERSION}: check the network, and the proxy and mirror settings of pip; its "
                f"output ends:\n{failure.output_tail}"
            ) from failure

    return installation(f"{NAME}-{VERSION}", ingredients, build, announce)


def _lay_out_packages(packages: Path, java_home: Path, database: Path) -> None:
    """Put Java and DynamoDB Local where LocalStack looks for them: else it would download its own at first use."""
    java = packages / "java/21"  # the name is LocalStack's; any JDK from 17 on works
    if platform.system() == "Darwin":
        java = java / "Contents/Home"
    for link, target in ((java, java_home), (packages / "dynamodb-local/2", database)):
        link.parent.mkdir(parents=True)
        link.symlink_to(target)


def _settings(port: int, files: Path) -> dict[str, str]:
    """LocalStack's settings, see https://docs.localstack.cloud/references/configuration/."""
    return {
        # on this machine, not in LocalStack's container
        "OVERRIDE_IN_DOCKER": "0",
        "FILESYSTEM_ROOT": str(files),
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_HOST": f"127.0.0.1:{port}",  # in URLs that it hands out; its default name needs a public DNS
        "SQS_ENDPOINT_STRATEGY": "off",  # queue URLs as host/account/name: the Terraform provider accepts no others
        "DNS_ADDRESS": "0",
        # nothing from the network
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        # services
        "SERVICES": SERVICES,
        "STRICT_SERVICE_LOADING": "1",
        # version 2 takes streams from DynamoDB Local itself; 1 copies every write to Kinesis, another download
        "PROVIDER_OVERRIDE_DYNAMODB": "v2",
        "PROVIDER_OVERRIDE_DYNAMODBSTREAMS": "v2",
        "DYNAMODB_IN_MEMORY": "1",
        "DYNAMODB_HEAP_SIZE": "256m",
        "JAVA_TOOL_OPTIONS": f"{WITHOUT_PERFORMANCE_FILE} -Djava.io.tmpdir={files.parent / 'tmp'}",
        "PROVIDER_OVERRIDE_S3": "own_folder",  # a plugin of localstack_executor/, like the next
        # functions as processes, their streams polled ten times a second
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.1",
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "1",
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_ERROR_SEC": "5",
    }
