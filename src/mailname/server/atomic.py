"""Files that are whole at any instant: write new, fsync, rename, fsync the folder."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.durable import sync

if TYPE_CHECKING:
    from collections.abc import Iterable

_UNFINISHED = ".new"


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
        raise HostError(
            f"cannot write {path}: {error.strerror}",
            remedy=f"Look at the disk's space and at who owns the folder: {left}.",
            step="write",
        ) from error
    finally:
        if temporary is not None:
            remove_unneeded(Path(temporary))


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
