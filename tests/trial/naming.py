"""The name of a trial: random, so that whatever starts with it belongs to that trial alone."""

import re
import secrets
import string

from trial.errors import TrialError

SUFFIX_CHARACTERS = 6
NAME_CHARACTERS = len("trial-") + SUFFIX_CHARACTERS
_NAME = re.compile(r"trial-[a-z0-9]{6}")


def new_name() -> str:
    """Return a name that no other trial has: two at the same time don't meet."""
    letters = string.ascii_lowercase + string.digits
    return "trial-" + "".join(secrets.choice(letters) for _ in range(SUFFIX_CHARACTERS))


def must_be_a_trials(name: object) -> None:
    """Check a name that something is listed or deleted by.

    Raises:
        TrialError: a trial never gives such a name. By a shorter one, things of yours would be found, and deleted.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise TrialError(f"the name is {name!r}: a trial's is trial- and six of a-z 0-9; nothing was touched")
