"""Destroys a trial, and looks in AWS itself whether anything is left."""

from contextlib import suppress
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError

from demo.steps import Step
from trial.account import Account
from trial.errors import NotProvenError, NotRunError, TrialError, explained
from trial.folder import Folder
from trial.interrupts import Interrupts
from trial.leftovers import Leftover, left
from trial.screen import resume_line
from trial.terraform import Terraform, TerraformFailedError
from trial.waits import Waits

_LISTED_SECONDS = 90
"""AWS lists some things for a while after they are deleted: queues, state machines."""
_GONE_SECONDS = 1800
"""A domain takes its time to go."""


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
        return self._look(interrupts)

    def _look(self, interrupts: Interrupts) -> str:
        """Look in AWS until nothing is left; what doesn't go by itself is removed."""
        domain = "opensearch_endpoint" not in self.folder.note.variables
        found: list[Leftover] = []
        unseen: list[str] = []
        removed: set[Leftover] = set()

        def gone() -> bool:
            found[:], unseen[:] = left(self.account, self.folder.note.name, domain=domain)
            return not found or interrupts.count > 1

        def listed() -> str:
            return f"AWS still lists {', '.join(map(str, found))}, which Terraform doesn't know"

        try:
            with suppress(NotProvenError):
                self.waits.until(gone, _LISTED_SECONDS, listed)
            for each in found:
                each.remove(self.account)
                removed.add(each)
            self.waits.until(gone, _GONE_SECONDS, listed)
        except (ClientError, BotoCoreError) as error:
            raise NotProvenError(f"Terraform destroyed all that it knew; then: {explained(error)}") from error
        if found:
            raise NotProvenError(f"interrupted while AWS still listed {', '.join(map(str, found))}")
        if unseen:
            raise NotRunError(f"Terraform destroyed all that it knew; AWS didn't list: {', '.join(unseen)}")
        names = ", ".join(sorted(map(str, removed)))
        return "nothing is left" + (f"; Terraform had lost track of {names}" if names else "")


def _in_state(terraform: Terraform) -> str:
    try:
        return ", ".join(terraform.left()) or "nothing that Terraform knows"
    except (TrialError, OSError):
        return "unknown, as the state can't be read"
