"""A program whose every change below one folder is counted, and at any of them killed, cut short, or refused by the disk.

``disk_faults.c`` is compiled once and put before the program by LD_PRELOAD. So nothing can be written past it, whoever writes:
our own modules, SQLite, Python itself; and what is installed holds no trace of it.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).with_name("disk_faults.c")
MODES = {"kill": 1, "torn": 2, "once": 3, "on": 4}
_MOST = 4096
_LONGEST = 240


class _Step(ctypes.Structure):
    _fields_ = [
        ("call", ctypes.c_char * 16),
        ("path", ctypes.c_char * _LONGEST),
        ("to", ctypes.c_char * _LONGEST),
        ("inode", ctypes.c_ulong),
        ("size", ctypes.c_long),
        ("saved", ctypes.c_long),
    ]


class _Shared(ctypes.Structure):
    _fields_ = [
        ("count", ctypes.c_long),
        ("at", ctypes.c_long),
        ("met", ctypes.c_long),
        ("mode", ctypes.c_long),
        ("error", ctypes.c_long),
        ("armed", ctypes.c_long),
        ("folder", ctypes.c_char * _LONGEST),
        ("call", ctypes.c_char * 16),
        ("where", ctypes.c_char * _LONGEST),
        ("saved", ctypes.c_char * _LONGEST),
        ("steps", _Step * _MOST),
    ]


@dataclass(frozen=True, slots=True)
class Step:
    """One change: the call, the path before and, of a rename, behind; ``saved`` holds what it replaced.

    ``size`` is that of the file before the change.
    """

    call: str
    path: str
    to: str
    inode: int
    size: int
    saved: int


def built(folder: Path) -> Path:
    """Compile the library into a folder."""
    library = folder / "disk_faults.so"
    if not library.exists():
        words = ["gcc", "-Wall", "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl", "-lpthread"]
        subprocess.run(words, check=True, timeout=120)
    return library


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, and where.

    Attributes:
        mode: ``kill`` before the step, ``torn`` in the middle of a write, ``once`` refused, ``on`` refused from there on.
        at: at which occurrence of ``call`` on a path that ``where``, a pattern, matches; from 1; 0: never.
        error: the errno of a refusal.

    """

    mode: str = "kill"
    at: int = 0
    call: str = ""
    where: str = ""
    error: int = 0


def environment(library: Path, folder: Path, fault: Fault) -> dict[str, str]:
    """Return what a program must find in its environment for a fault of its own."""
    told = f"{fault.at} {MODES[fault.mode]} {fault.error} {fault.call} {fault.where} {folder}"
    return {"LD_PRELOAD": str(library), "DISK_FAULTS": told}


class Disk:
    """The faults of the process that this runs in, and of those that it forks: the memory is shared with them."""

    def __init__(self) -> None:
        find = ctypes.CDLL(None).disk_faults
        find.restype = ctypes.c_void_p
        self._shared = _Shared.from_address(find())

    def arm(self, folder: Path, fault: Fault, saved: Path | None = None) -> None:
        """Count from now on, and let the fault happen. The process forked next inherits it."""
        shared = self._shared
        shared.count, shared.met, shared.at, shared.mode, shared.error = 0, 0, fault.at, MODES[fault.mode], fault.error
        shared.folder, shared.call, shared.where = os.fsencode(folder), fault.call.encode(), os.fsencode(fault.where)
        shared.saved = os.fsencode(saved or "")
        shared.armed = 1

    def disarm(self) -> None:
        """Count no more, and let everything pass."""
        self._shared.armed = 0

    def struck(self) -> bool:
        """Tell whether the fault happened."""
        at: int = self._shared.at
        met: int = self._shared.met
        return 0 < at <= met

    def steps(self) -> list[Step]:
        """Return what was done since ``arm``."""
        return [
            Step(one.call.decode(), os.fsdecode(one.path), os.fsdecode(one.to), one.inode, one.size, one.saved)
            for one in self._shared.steps[: min(self._shared.count, _MOST)]
        ]


def lose_what_was_not_synced(steps: list[Step], saved: Path) -> None:
    """Do to a folder what a power cut does at its worst.

    What was written to a file and not synced since is lost by half, of what was put behind it the half; a rename is undone unless
    its folder was synced since.
    """
    unsynced: dict[int, tuple[str, int]] = {}
    synced: set[int] = set()
    renamed: list[Step] = []
    for one in steps:
        if one.call in ("write", "truncate"):
            unsynced.setdefault(one.inode, (one.path, one.size if one.inode in synced else 0))
        elif one.call == "fsync":
            unsynced.pop(one.inode, None)
            synced.add(one.inode)
            renamed = [other for other in renamed if str(Path(other.to).parent) != one.path]
        elif one.call == "rename":
            if one.inode in unsynced:
                unsynced[one.inode] = (one.to, unsynced[one.inode][1])
            renamed.append(one)
    for inode, (path, before) in unsynced.items():
        file = Path(path)
        if file.exists() and file.stat().st_ino == inode:
            size = file.stat().st_size
            os.truncate(file, before + (size - before) // 2 if size > before else size // 2)
    for one in reversed(renamed):
        now, kept = Path(one.to), saved / str(one.saved)
        if not now.exists() or now.stat().st_ino != one.inode:
            continue
        now.rename(one.path)
        if one.saved:
            shutil.copy(kept, one.to)
