"""Destroys a trial, and looks in AWS itself whether anything is left."""

from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from trial.account import Account
from trial.errors import EXPIRED, THROTTLED, WRONG, NotProvenError, NotRunError, TrialError, code_of, explained
from trial.folder import Folder
from trial.interrupts import Interrupts
from trial.leftovers import Leftover, left
from trial.screen import resume_line
from trial.terraform import Shows, Terraform, TerraformFailedError
from trial.waits import Waits

_LISTED_SECONDS = 90
"""AWS lists some things for a while after they are deleted: queues, state machines."""
_GONE_SECONDS = 1800
"""A domain takes its time to go."""
_EVERY_SECONDS = 15
"""Between two looks: each asks every service."""
_APART_SECONDS = 60
"""Between the two looks after an apply that didn't end well: what it was creating may be listed late."""
_CREDENTIALS = (*EXPIRED, *WRONG, "no valid credential")


@dataclass(slots=True)
class Cleanup:
    """What is to be destroyed, and where."""

    terraform: Terraform
    account: Account
    folder: Folder
    waits: Waits
    in_doubt: bool
    """Whether Terraform may have lost track of something: the apply didn't end, or failed."""
    _found: list[Leftover] = field(default_factory=list)
    _unseen: list[str] = field(default_factory=list)
    _refused: dict[Leftover, str] = field(default_factory=dict)

    def run(self, shows: Shows, interrupts: Interrupts) -> str:
        """Destroy what the folder's state holds, and look in AWS whether something is left.

        Raises:
            NotProvenError: it isn't all gone; the message says what is left, and what to do.
            NotRunError: it can't be seen whether all is gone.
        """
        try:
            self._destroy(shows, interrupts)
        except (TrialError, OSError) as error:
            raise NotProvenError(
                f"{_worded(error)}. Left: {_in_state(self.terraform)}; AWS lists {self._listed_now()}. It costs money: "
                f"renew the credentials if they have expired, then {resume_line(self.folder)}"
            ) from error
        return self.look(interrupts)

    def look(self, interrupts: Interrupts) -> str:
        """Look in AWS until nothing is left; what doesn't go by itself is removed.

        Raises:
            NotProvenError: something is left.
            NotRunError: it can't be seen.
        """
        removed: set[Leftover] = set()

        def gone() -> bool:
            return self._is_empty() or interrupts.count > 1

        def removing() -> bool:
            if gone():
                return True
            for each in self._found:
                self._remove(each)
                removed.add(each)
            return False

        try:
            try:
                self.waits.until(gone, _LISTED_SECONDS, self._still, every=self._at_most(_EVERY_SECONDS))
            except NotProvenError:
                self.waits.until(removing, _GONE_SECONDS, self._still, every=self._at_most(_EVERY_SECONDS))
            if self.in_doubt and interrupts.count < 2:
                self.waits.sleep(self._at_most(_APART_SECONDS))
                self.waits.until(removing, _GONE_SECONDS, self._still, every=self._at_most(_EVERY_SECONDS))
        except (ClientError, BotoCoreError) as error:
            raise NotProvenError(
                f"Terraform destroyed all that it knew; then: {explained(error)}; {resume_line(self.folder)}"
            ) from error
        if interrupts.count > 1 and (self._found or self.in_doubt):
            raise NotProvenError(f"interrupted: {self._still()}; {resume_line(self.folder)}")
        if self._unseen:
            raise NotRunError(f"Terraform destroyed all that it knew; AWS didn't list: {', '.join(self._unseen)}")
        names = ", ".join(sorted(map(str, removed)))
        return "nothing is left" + (f"; Terraform had lost track of {names}" if names else "")

    def _destroy(self, shows: Shows, interrupts: Interrupts) -> None:
        """Destroy; if that fails, once again: some things can only be deleted a little later."""
        try:
            self.terraform.destroy(shows)
        except (TrialError, OSError) as error:
            if interrupts.count > 1 or _is_of_credentials(error):
                raise
            shows.announce(f"{_worded(error)}; destroying again")
            self.terraform.destroy(shows)

    def _at_most(self, seconds: float) -> float:
        """Return how long to wait for AWS; an emulator is always up to date."""
        return self.waits.poll_seconds if self.account.emulator else min(seconds, self.waits.longest_seconds)

    def _is_empty(self) -> bool:
        """Ask AWS what is left. Too many requests are no answer, and so not yet a yes."""
        emulated = self.account.emulator and "opensearch_endpoint" in self.folder.note.variables
        try:
            self._found, self._unseen = left(self.account, self.folder.note.name, domain=not emulated)
        except ClientError as error:
            if code_of(error) not in THROTTLED:
                raise
            self._unseen = [explained(error)]
            return False
        return not self._found

    def _remove(self, each: Leftover) -> None:
        try:
            each.remove(self.account)
            self._refused.pop(each, None)
        except (ClientError, BotoCoreError) as error:
            self._refused[each] = explained(error)

    def _still(self) -> str:
        def one(each: Leftover) -> str:
            return f"{each} ({self._refused[each]})" if each in self._refused else str(each)

        listed = ", ".join(map(one, self._found))
        return f"AWS still lists {listed}, which Terraform doesn't know" if listed else "it isn't known what is left"

    def _listed_now(self) -> str:
        """Return what AWS lists, in words; nothing of it is removed, as Terraform may still know it."""
        try:
            self._is_empty()
        except (ClientError, BotoCoreError, TrialError) as error:
            return f"nothing, as it can't be asked: {explained(error)}"
        unseen = f"; not seen: {', '.join(self._unseen)}" if self._unseen else ""
        return (", ".join(map(str, self._found)) or "nothing") + unseen


def _worded(error: Exception) -> str:
    """Return an error with Terraform's own words."""
    summary = error.summary if isinstance(error, TerraformFailedError) else ""
    return f"{error}{': ' + summary if summary else ''}"


def _is_of_credentials(error: Exception) -> bool:
    return isinstance(error, TerraformFailedError) and any(code in error.summary for code in _CREDENTIALS)


def _in_state(terraform: Terraform) -> str:
    try:
        return ", ".join(terraform.left()) or "nothing that Terraform knows"
    except (TrialError, OSError):
        return "unknown, as the state can't be read"
