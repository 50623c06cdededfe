"""One trial from its start to its end: applied, checked, destroyed, whatever happens in between."""

import time
import traceback
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from demo.steps import Step, Steps
from trial.account import Account
from trial.checks import CHECKS, Check
from trial.cleanup import Cleanup
from trial.command import Command
from trial.errors import NotProvenError, NotRunError, TrialError, outcome
from trial.examples import Example
from trial.folder import Folder
from trial.interrupts import Interrupts
from trial.report import EMULATOR, Entry, Report, Result
from trial.screen import resume_line
from trial.search import Search
from trial.stage import Stage, must
from trial.terraform import Terraform, TerraformFailedError
from trial.waits import Waits

_EXPECTED = (TrialError, ClientError, BotoCoreError, HTTPClientError, OSError, KeyError, ValueError)

APPLY = ("apply", "Terraform applies the example")
PLAN = ("second-plan", "A second plan is empty")
DESTROY = ("destroyed", "Everything is destroyed")


@dataclass(slots=True)
class Trial:
    """A trial that has a folder."""

    example: Example
    account: Account
    folder: Folder
    terraform: Terraform
    steps: Steps
    report: Report
    waits: Waits
    environment: Mapping[str, str]
    """For the command: your own, with the account's AWS settings."""
    interrupts: Interrupts = field(default_factory=Interrupts)
    """What counts Ctrl-C from before anything is created to the end: only the checks are interrupted by it."""
    _outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def has_domain(self) -> bool:
        return "opensearch_endpoint" not in self.folder.note.variables

    @property
    def interrupted(self) -> bool:
        return self.interrupts.count > 0

    def run(self) -> None:
        """Apply and check. An interrupt ends the checks, and never leaves this method."""
        self._expect()
        try:
            with self.interrupts.raising():
                self._check(*APPLY, self._apply, [])
                self._check(*PLAN, self._plan, ["apply"])
                stage = self._stage() if self._outputs else None
                for check in CHECKS:
                    self._check(check.id, check.title, _bound(check, stage), check.needs)
        except KeyboardInterrupt:
            self.interrupts.count = max(1, self.interrupts.count)
            self.steps.say("Interrupted.")

    def _expect(self) -> None:
        """Enter all that will be looked at, so that what is never reached is in the report."""
        if self.account.emulator:
            self.report.versions[EMULATOR] = "yes: AWS itself was never asked"
        self.report.expect(dict([APPLY, PLAN, *((check.id, check.title) for check in CHECKS), DESTROY]))
        with suppress(OSError):
            self.report.write(self.folder.path)

    def fault(self, line: str) -> None:
        """Note a fault of the trial itself."""
        self._note("trial", "The trial itself", Result.FAILED, line, 0)

    def end(self, *, keep: bool) -> None:
        """Destroy everything, or say how to. It can be interrupted only in Terraform, and there in good order."""
        if keep:
            self._note(*DESTROY, Result.NOT_RUN, "KEEP=1: everything is left in place", 0)
            self.steps.say("", "Everything is left in place, and costs money. Destroy it:", resume_line(self.folder))
            return
        with Interrupts() as interrupts:
            self._check(*DESTROY, lambda step: self._destroy(step, interrupts), [])
        if self.is_proven(DESTROY[0]):
            self.folder.end()

    def is_proven(self, id_: str) -> bool:
        entry = self.report.entry(id_)
        return entry is not None and entry.result is Result.PROVEN

    def _check(self, id_: str, title: str, body: Callable[[Step], str], needs: Collection[str]) -> None:
        """Run one check; what it raises is its result."""
        if missing := [need for need in needs if not self.is_proven(need)]:
            self._note(id_, title, Result.NOT_RUN, f"it needs {', '.join(missing)}", 0)
            self.steps.say(f"not run: {title}: it needs {', '.join(missing)}")
            return
        began = time.monotonic()
        result, detail = Result.NOT_RUN, "interrupted"
        try:
            with suppress(TrialError), self.steps.step(title) as step:
                try:
                    detail = step.result = body(step)
                    result = Result.PROVEN
                except Exception as error:
                    if not isinstance(error, _EXPECTED):
                        self._trace()
                    seen = error if isinstance(error, NotProvenError | NotRunError) else outcome(error)
                    result = Result.NOT_RUN if isinstance(seen, NotRunError) else Result.FAILED
                    detail = str(seen)
                    step.result = f"{result}: {detail}"
                    raise seen from error
        finally:
            self._note(id_, title, result, detail, time.monotonic() - began)

    def _trace(self) -> None:
        """Keep the traceback of an error that no one expected: it is a fault of this program."""
        with suppress(OSError), (self.folder.path / "faults.log").open("a", encoding="utf-8") as log:
            log.write(traceback.format_exc())

    def _note(self, id_: str, title: str, result: Result, detail: str, seconds: float) -> None:
        self.report.enter(Entry(id_, title, result, detail, round(seconds, 1)))
        with suppress(OSError):  # the disk may be full: that must not keep us from destroying
            self.report.write(self.folder.path)

    def _apply(self, step: Step) -> str:
        if self.has_domain:
            step.announce("a domain takes 15 to 30 minutes; Ctrl-C stops in good order")
        try:
            self.terraform.init(step)
            self.report.versions |= self.terraform.versions()
            self._outputs = self.terraform.apply(step)
        except TerraformFailedError as error:
            raise NotProvenError(f"{error}: {error.summary}") from error
        self.report.secrets += [str(self._outputs["trial"]["opensearch_endpoint"]).split("//")[-1]]
        return f"as {self.folder.note.name}"

    def _plan(self, step: Step) -> str:
        changes = self.terraform.changes(step)
        must(not changes, f"it would change {len(changes)} resources: {', '.join(changes[:2])} …")
        return "no changes"

    def _stage(self) -> Stage:
        endpoint = self._outputs["trial"]["opensearch_endpoint"]
        stage = Stage(
            example=self.example,
            account=self.account,
            outputs=self._outputs,
            command=Command(self._outputs["trial"]["function_name"], self.folder.path, self.environment),
            search=Search(self.account, endpoint, signed=self.has_domain),
            waits=self.waits,
            signed=self.has_domain,
        )
        with suppress(*_EXPECTED):
            self.report.versions["engine"] = stage.search.version()
        return stage

    def _destroy(self, step: Step, interrupts: Interrupts) -> str:
        in_doubt = not self.is_proven(APPLY[0])
        return Cleanup(self.terraform, self.account, self.folder, self.waits, in_doubt).run(step, interrupts)


def _bound(check: Check, stage: Stage | None) -> Callable[[Step], str]:
    """Return the check for this stage. Without a stage it isn't called: it needs what hasn't been applied."""

    def run(_step: Step) -> str:
        must(stage, "nothing is applied")
        assert stage is not None
        return check.run(stage)

    return run
