"""What the system says when it refuses a file, in words: what could not be done, which file or folder it is, what to type."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING

from mailname.errors import HostError

if TYPE_CHECKING:
    from pathlib import Path

#: The step of a HostError that says: the disk did not take what was to be kept.
KEEP = "write"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_FORBIDDEN = {errno.EACCES, errno.EPERM}
_TOO_MANY = {errno.EMFILE, errno.ENFILE}


def refused(doing: str, path: Path, error: OSError, *, left: str = "", step: str = KEEP) -> HostError:
    """Say that something could not be done with a file.

    Args:
        doing: the verb, as in "cannot write FILE".
        path: the file.
        error: what the system said.
        left: half a sentence that says what is so now.
        step: of the HostError.

    """
    remedy = remedy_for(path, error)
    return HostError(f"cannot {doing} {path}: {error.strerror}", remedy=f"{remedy}; {left}." if left else f"{remedy}.", step=step)


def remedy_for(path: Path, error: OSError) -> str:
    """Return what to do, with the line to type; without a full stop."""
    folder = path.absolute().parent
    if error.errno in _FULL:
        return f"Make room: df {folder}"
    if error.errno == errno.EROFS:
        return "The disk is read-only: look at dmesg, and mount it again: mount -o remount,rw"
    if error.errno in _FORBIDDEN:
        return f"Give it back: {give_back(culprit(path))}"
    if error.errno in _TOO_MANY:
        return "This process has too many files open: raise the limit (LimitNOFILE in its unit, or ulimit -n), and start it again"
    if error.errno == errno.EIO:
        return f"The disk is failing: look at dmesg, and at what lies in {folder}"
    if error.errno == errno.ENOENT and not folder.exists():
        return f"Bring the folder back: mkdir {folder}"
    return f"Look at {folder}: its space (df) and its owner (ls -ld)"


def culprit(path: Path) -> Path:
    """Return what keeps this process from a file: the first folder on the way that may not be entered, its folder, or itself."""
    path = path.absolute()
    for folder in reversed(path.parents):
        if not os.access(folder, os.X_OK):
            return folder
    if not os.access(path.parent, os.W_OK) or not os.access(path, os.F_OK):
        return path.parent
    return path


def give_back(path: Path) -> str:
    """Return the line that lets this process use a file or folder again."""
    who, deep = os.geteuid(), ""
    with contextlib.suppress(OSError):
        found = path.stat()
        if found.st_uid == who:
            return f"chmod u+rwX {path}"
        deep = "-R " if stat.S_ISDIR(found.st_mode) else ""
    return f"chown {deep}{who} {path}"
