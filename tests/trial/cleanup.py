"""Destroys a trial, and looks in AWS itself whether anything is left."""

from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from demo.steps import Step
from trial.account import Account
from trial.errors import NotProvenError, NotRunError, TrialError, explained
from trial.folder import Folder
from trial.interrupts import Interrupts
from trial.leftovers import left
from trial.screen import resume_line
from trial.terraform import Terraform, TerraformFailedError
from trial.waits import Waits

_GONE_SECONDS = 300
"""AWS lists some things for a while after they are deleted: queues, state machines."""


@dataclass(frozen=True, slots=True)
class Cleanup:
    """What is to be destroyed, and where."""

    terraform: Terraform
    account: Account
    folder: Folder
    waits: Waits

    def run(self, step: Step, interrupts: Interrupts) -> str:
        """Destroy what the folder's state holds, and look in AWS whether something is left.

        Raises:
            NotProvenError: it isn't all gone; the message says what is left, and what to do.
            NotRunError: it can't be seen whether all is gone.
        """
        try:
            self.terraform.destroy(step)
        except TrialError as error:
            summary = error.summary if isinstance(error, TerraformFailedError) else ""
            raise NotProvenError(
                f"{error}{': ' + summary if summary else ''}. Left: {_in_state(self.terraform)}. It costs money: "
                f"renew the credentials if they have expired, then {resume_line(self.folder)}"
            ) from error
        domain = "opensearch_endpoint" not in self.folder.note.variables
        found: list[str] = []
        unseen: list[str] = []

        def gone() -> bool:
            found[:], unseen[:] = left(self.account, self.folder.note.name, domain=domain)
            return not found or interrupts.count > 0

        try:
            self.waits.until(
                gone, _GONE_SECONDS, lambda: f"AWS still lists {', '.join(found)}, which Terraform doesn't know"
            )
        except (ClientError, BotoCoreError) as error:
            raise NotProvenError(
                f"Terraform destroyed all that it knew; AWS can't be asked: {explained(error)}"
            ) from error
        if found:
            raise NotProvenError(f"interrupted while AWS still listed {', '.join(found)}")
        if unseen:
            raise NotRunError(f"Terraform destroyed all that it knew; AWS didn't list: {', '.join(unseen)}")
        return "nothing is left"


def _in_state(terraform: Terraform) -> str:
    try:
        return ", ".join(terraform.left()) or "nothing that Terraform knows"
    except (TrialError, OSError):
        return "unknown, as the state can't be read"
