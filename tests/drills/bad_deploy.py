"""A deployed version writes wrong documents and then fails: it is rolled back, and the index recovered.

It runs on LocalStack, with its Lambda function, event source mapping and deployment.
"""

import io
import time
import zipfile
from pathlib import Path

from drills.deployed import Deployment, deployment
from drills.drill import Drill
from drills.errors import DrillError
from drills.function import REPOSITORY
from drills.sides import product
from drills.stage import Stage

_PACKAGE = REPOSITORY / "lambda/dist/dynamodb-opensearch.zip"
_SERIAL = {"N": "12345678901234567890123456789012345678"}


def run(stage: Stage) -> None:
    """Deploy the bad version, write, delete, see it fail, roll back, recover."""
    stage.chapter("A healthy sync")
    with deployment(stage.engines.opensearch, stage.engines.aws, stage.narration, stage.folder, stage.name) as deployed:
        items = stage.form.items
        with stage.narration.step("Deploy table, function, trigger and queue"):
            deployed.index.create()
            deployed.start(_PACKAGE.read_bytes(), {})
        with stage.narration.step(f"Put {items:,} items; wait for their documents"):
            deployed.table.load([product(number, serial=_SERIAL) for number in range(1, items + 1)])
            _wait(lambda: _documents(deployed) == items, "every item has its document")
        stage.prove(deployed)

        stage.breaking("A bad version is deployed")
        with stage.narration.step("Update the function's code; change 2 items"):
            deployed.deploy(_bad_package())
            deployed.table.load([product(number, serial=_SERIAL, price={"N": "9"}) for number in (1, 2)])
            _wait(lambda: (deployed.index.source(2) or {}).get("price") == 9.0, "the bad version has written")
        with stage.narration.step("Delete 5 items: the bad version fails, again and again"):
            for number in range(21, 26):
                deployed.table.delete(number)
            _wait(lambda: deployed.errors() > 1, "Lambda counts errors")
        stage.narration.say("The function's log:")
        stage.narration.quote(deployed.log_line("KeyError") or "")
        stage.tell_alarm("errors", 0, deployed.errors())
        stage.without_dead_letters(deployed)

        stage.fix("Rolled back; then: recover")
        with stage.narration.step("Update the function's code; what was stuck goes on"):
            deployed.deploy(_PACKAGE.read_bytes())
            _wait(lambda: _documents(deployed) == items - 5, "the deleted items' documents are gone")
        stage.narration.say("What the bad version wrote is still there, and no alarm fires:")
        deployed.shell.run(*deployed.command("verify"), *stage.form.patience, expected=[1])
        deployed.shell.run(*deployed.command("recover", "--since", "1h"))
        stage.prove(deployed)


def _documents(deployed: Deployment) -> int:
    deployed.index.call("POST", f"/{deployed.index.name}/_refresh")
    return int(deployed.index.call("GET", f"/{deployed.index.name}/_count")["count"])


def _bad_package() -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        for folder in ("dynamodb_opensearch", "dynamodb_opensearch/functions"):
            archive.writestr(f"{folder}/__init__.py", "")
        archive.write(Path(__file__).with_name("bad_version.py"), "dynamodb_opensearch/functions/sync.py")
    return package.getvalue()


def _wait(holds: object, what: str) -> None:
    deadline = time.monotonic() + 120
    while not holds():  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise DrillError(f"after 120 s it still isn't true that {what}")
        time.sleep(0.2)


DRILL = Drill(
    name="bad-deploy",
    breaks="a bad version of the function is deployed",
    alarms=("errors",),
    command="roll back; recover --since 1h",
    run=run,
)
