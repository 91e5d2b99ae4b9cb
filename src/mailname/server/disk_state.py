"""What is wrong with the folders and files a server needs, seen before it next has to: for ``mailname status``."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from mailname.server.refused_by_disk import culprit, give_back, remedy_for

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LEAST = 1 << 18  # octets: less is gone with the next change
_MOST_TRIED = 16  # folders
_PAGE = b"\0" * 4096
_NO_SUCH_KIND = (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT)  # a file system that makes no file without a name


def trouble(
    folders: Iterable[Path], state: Path | None = None, lock: int | None = None, zone_files: Iterable[Path] = ()
) -> str | None:
    """Return what is wrong with the first of them that is no good, and what to do; None where all are well.

    Args:
        folders: where files are written.
        state: the state folder among them.
        lock: its lock, as it was opened when the server started.
        zone_files: what a start, or the next order, reads.

    """
    if state is not None and lock is not None and (says := _replaced(state, lock)):
        return says
    for number, folder in enumerate(folders):
        if says := _of_folder(folder.absolute(), try_it=number < _MOST_TRIED):
            return says
    if state is not None and (says := _of_files_in(state.absolute())):
        return says
    return next((says for file in zone_files if (says := _of_zone_file(file))), None)


def _of_folder(folder: Path, *, try_it: bool) -> str | None:
    try:
        disk = os.statvfs(folder)
    except OSError as error:
        return f"{folder} cannot be used: {error.strerror}. Bring it back, then start the server again."
    if disk.f_flag & os.ST_RDONLY:
        return _read_only(folder)
    free = disk.f_frsize * (disk.f_bavail if os.geteuid() else disk.f_bfree)
    if free < _LEAST:
        return f"the disk of {folder} is full, {free // 1024} KiB are left: make room; look with: df {folder}"
    if disk.f_files and not disk.f_ffree:
        return f"the disk of {folder} takes no more files: make room; look with: df -i {folder}"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"user {os.geteuid()}, which the server runs as, may not write in {folder}: give it back: {give_back(folder)}"
    return _written_to(folder) if try_it else None


def _read_only(folder: Path) -> str:
    return f"the disk of {folder} is read-only: nothing new is kept. Look at dmesg, and mount it again: mount -o remount,rw"


def _written_to(folder: Path) -> str | None:
    """Try it: a disk that the kernel writes to no more after a fault looks well in every other way, as does a used up quota."""
    try:
        made = os.open(folder, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        return None if error.errno in _NO_SUCH_KIND else _refused(folder, error)
    try:
        os.write(made, _PAGE)
    except OSError as error:
        return _refused(folder, error)
    finally:
        os.close(made)
    return None


def _refused(folder: Path, error: OSError) -> str:
    if error.errno == errno.EROFS:
        return _read_only(folder)
    return f"nothing can be written in {folder}: {error.strerror}. {remedy_for(folder / 'file', error)}."


def _of_files_in(state: Path) -> str | None:
    """Look for files that another user has left behind, such as root, who ran the server once."""
    if not os.geteuid():
        return None
    try:
        with os.scandir(state) as entries:
            found = next(
                (one for one in entries if one.is_file(follow_symlinks=False) and not os.access(one.path, os.R_OK | os.W_OK)),
                None,
            )
    except OSError:
        return None
    if found is None:
        return None
    path = state / found.name
    return (
        f"user {os.geteuid()}, which the server runs as, may not read and write {path}: a start, or the next version, fails."
        f" Give it back: {give_back(path)}"
    )


def _of_zone_file(file: Path) -> str | None:
    if os.access(file, os.R_OK):
        return None
    path = file.absolute()
    if os.access(path.parent, os.X_OK) and not os.access(path, os.F_OK):
        return f"the zone file {path} is gone: what was loaded is served on. Write it again: mailname publish PLAN"
    return (
        f"user {os.geteuid()}, which the server runs as, may not read the zone file {path}: what was loaded is served on."
        f" Give it back: {give_back(culprit(path))}"
    )


def _replaced(state: Path, lock: int) -> str | None:
    held = os.fstat(lock)
    try:
        there = (state / "lock").stat()
    except PermissionError:
        return None  # whether it was, nobody can see; the folder is looked at next
    except OSError:
        there = None
    if there is not None and (there.st_dev, there.st_ino) == (held.st_dev, held.st_ino):
        return None
    return (
        f"the state folder {state.absolute()} was replaced or emptied under the running server: start it again, "
        "so that it looks at what is there now"
    )
