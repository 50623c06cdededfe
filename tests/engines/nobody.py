"""Runs OpenSearch as the user `nobody` when root starts it, since it refuses to run as root."""

import os
import pwd
import shutil
from dataclasses import dataclass
from grp import getgrgid
from pathlib import Path

from engines.errors import EngineError
from engines.home import engines_home


@dataclass(frozen=True, slots=True)
class Account:
    user: str
    group: str

    def own(self, folder: Path) -> None:
        """Give the folder and all in it to this account."""
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, self.user, self.group)


def account_for_opensearch() -> Account | None:
    """Return the account to run OpenSearch as; None for this program's own user."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    return Account(nobody.pw_name, getgrgid(nobody.pw_gid).gr_name)


def is_reachable(path: Path) -> bool:
    """Whether OpenSearch's account can enter the folder."""
    return os.geteuid() != 0 or closed_folder(path) is None


def require_reachable(path: Path) -> None:
    if not is_reachable(path):
        closed = closed_folder(path)
        raise EngineError(
            f"OpenSearch refuses root, so it runs as nobody here, who can't enter {closed} on the way to ENGINES_HOME, "
            f"{engines_home()}: run `chmod o+x {closed}` or set ENGINES_HOME to another folder"
        )


def closed_folder(path: Path) -> Path | None:
    """Return the first folder on the way to `path` that only its owner and group can enter."""
    real = path.resolve()
    return next((folder for folder in (*reversed(real.parents), real) if not folder.stat().st_mode & 0o001), None)
