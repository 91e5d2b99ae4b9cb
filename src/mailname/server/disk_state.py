"""What is wrong with the folders a server writes in, seen before it next has to write: for ``mailname status``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LEAST = 1 << 18  # octets: less is gone with the next change


def trouble(folders: Iterable[Path], state: Path | None = None, lock: int | None = None) -> str | None:
    """Return what is wrong with the first folder that is no good, and what to do; None where all are well.

    Args:
        folders: where files are written.
        state: the state folder among them.
        lock: its lock, as it was opened when the server started.

    """
    if state is not None and lock is not None and (says := _replaced(state, lock)):
        return says
    return next((says for folder in folders if (says := _of_folder(folder))), None)


def _of_folder(folder: Path) -> str | None:
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        return f"{folder} cannot be used: {error.strerror}. Bring it back, then start the server again."
    if disk.f_flag & os.ST_RDONLY:
        return f"the disk of {folder} is read-only: nothing new is kept. Look at dmesg, and mount it again: mount -o remount,rw"
    free = disk.f_frsize * (disk.f_bavail if os.geteuid() else disk.f_bfree)
    if free < _LEAST:
        return f"the disk of {folder} is full, {free // 1024} KiB are left: make room; look with: df {folder}"
    if disk.f_files and not disk.f_ffree:
        return f"the disk of {folder} takes no more files: make room; look with: df -i {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        who = os.geteuid()
        return f"user {who}, which the server runs as, may not write in {folder}: give it back: chown {who} {folder}"
    return None


def _replaced(state: Path, lock: int) -> str | None:
    held = os.fstat(lock)
    try:
        there = (state / "lock").stat()
    except OSError:
        there = None
    if there is not None and (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino):
        return None
    return (
        f"the state folder {state} was replaced or emptied under the running server: start it again, "
        "so that it looks at what is there now"
    )
