"""Files that are whole at any instant: write new, fsync, rename, fsync the folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.durable import sync, sync_each
from mailname.server.refused_by_disk import refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_UNFINISHED = ".new"
_SMALL = 1 << 16  # octets that are written without a buffer of Python's


def write_atomic(
    path: Path,
    data: bytes | Iterable[bytes | memoryview],
    *,
    mode: int = 0o644,
    owner: tuple[int, int] | None = None,
    durable: bool = True,
) -> None:
    """Replace a file by a new version, given whole or in pieces: after a crash at any point there is the old one or the new one.

    Without ``durable`` that holds for a crash of the process only; a power cut may leave a spoiled file, which is good enough
    where a checksum will tell and the file can be made anew.

    Raises:
        HostError: the disk is full, read-only, or not ours; the old version is untouched, unless the last step alone failed.

    """
    temporary: str | None = None
    replaced = False
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=_UNFINISHED, dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
            file.flush()
            os.fchmod(file.fileno(), mode)
            if owner is not None and os.geteuid() == 0:  # who works for another user must not take his files away
                os.fchown(file.fileno(), *owner)
            if durable:
                sync(file.fileno())
        Path(temporary).replace(path)
        temporary, replaced = None, True
        if durable:
            sync_folder(path.parent)
    except OSError as error:
        left = "the new version is there, but may not survive a power cut" if replaced else "the old version is untouched"
        raise refused("write", path, error, left=left) from error
    finally:
        if temporary is not None:
            remove_unneeded(Path(temporary))


@dataclass(frozen=True, slots=True)
class NewVersion:
    """A file that is to be replaced, and what it shall hold."""

    path: Path
    data: bytes | Iterable[bytes | memoryview]


def write_together(those: Sequence[Sequence[NewVersion]]) -> list[OSError | None]:
    """Replace files of one folder by new versions, with one order to the disk for all; tell for each group what is wrong.

    A group's files are replaced in their order, once all of them are on the disk. Where something is wrong with a group, some
    of its files may be there in the new version: ``write_atomic`` says which, one by one.
    """
    written: list[_Written] = []
    try:
        for group in those:
            written.append(_Written())
            written[-1].write(group)
        handles = [handle for one in written for handle in one.handles]
        synced = iter(sync_each(handles))
        for one in written:
            one.take(synced)
            one.replace()
        for folder in {one.path.parent for group in those for one in group}:
            sync_folder(folder)
    except OSError as error:  # the folder's order is everybody's
        return [one.problem or error for one in written]
    finally:
        for one in written:
            one.close()
    return [one.problem for one in written]


class _Written:
    """A group's files that are written beside those that they are to replace."""

    def __init__(self) -> None:
        self.handles: list[int] = []
        self.problem: OSError | None = None
        self._waiting: list[tuple[Path, Path]] = []

    def write(self, group: Sequence[NewVersion]) -> None:
        try:
            for one in group:
                handle, name = tempfile.mkstemp(prefix=f".{one.path.name}.", suffix=_UNFINISHED, dir=one.path.parent)
                self.handles.append(handle)
                self._waiting.append((Path(name), one.path))
                if isinstance(one.data, bytes) and len(one.data) <= _SMALL:
                    _write_small(handle, one.data)
                else:
                    with os.fdopen(handle, "wb", closefd=False) as file:
                        file.writelines((one.data,) if isinstance(one.data, bytes) else one.data)
                os.fchmod(handle, 0o644)
        except OSError as error:
            self.problem = error

    def take(self, synced: Iterator[OSError | None]) -> None:
        """Take what came of the order to the disk for each of its files."""
        for _, problem in zip(self.handles, synced, strict=False):
            self.problem = self.problem or problem

    def replace(self) -> None:
        try:
            while self._waiting and self.problem is None:
                temporary, path = self._waiting[0]
                temporary.replace(path)
                del self._waiting[0]
        except OSError as error:
            self.problem = error

    def close(self) -> None:
        for handle in self.handles:
            os.close(handle)
        for temporary, _ in self._waiting:
            remove_unneeded(temporary)


def _write_small(handle: int, data: bytes) -> None:
    while data:  # a disk that is nearly full takes a part, and refuses the rest
        data = data[os.write(handle, data) :]


def remove_unfinished(folder: Path) -> None:
    """Remove what a killed process left of its writing. Only for a folder that nobody else writes to."""
    for path in folder.glob(f".*{_UNFINISHED}"):
        remove_unneeded(path)


def remove_unneeded(path: Path) -> None:
    """Remove a file that does no harm where it stays: a disk that does not let go of it is no reason to stop."""
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def create_secret(path: Path, data: bytes) -> None:
    """Create a file that only its owner can read; an existing one is never overwritten.

    Raises:
        HostError: it exists already, or cannot be written.

    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise HostError(
            f"{path} exists already",
            remedy="Remove it first if the secret in it is to be replaced everywhere.",
            step="key",
        ) from error
    except OSError as error:
        raise HostError(f"cannot create {path}: {error.strerror}", step="key") from error
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        sync(handle)
    finally:
        os.close(handle)
