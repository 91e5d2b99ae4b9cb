"""A large zone file, read while the rest of the server is still being imported: that takes one core, and leaves another idle.

Only what has nothing unusual is read here, and it is used only while the file is still the same.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import dns.exception
import dns.name

from mailname.zone.fast_load import FastLoad
from mailname.zone.image import MAGIC, octets

if TYPE_CHECKING:
    from pathlib import Path

    from dns.name import Name

_LARGE = 1_000_000  # octets
_FEW = 64  # files in a folder; to look at more takes longer than there is to gain
_SUFFIX = ".zone"

_begun: dict[Path, _Reading] = {}


class _Reading(threading.Thread):
    """One file on its way into an image."""

    def __init__(self, path: Path, apex: Name) -> None:
        super().__init__(name="read-ahead", daemon=True)
        self._path = path
        self._stamp: tuple[int, ...] = ()
        self.apex = apex
        self.image: bytes | None = None

    def run(self) -> None:
        """Read the file; whatever is wrong with it is found again, and told, by who reads it then."""
        try:
            with self._path.open("rb") as file:
                self._stamp = _stamp(os.fstat(file.fileno()))
                text = file.read()
        except OSError:
            return
        if text.isascii():
            load = FastLoad(MAGIC)
            load.begin(text, octets(self.apex))
            del text
            self.image = load.finish()

    def still_holds(self) -> bool:
        """Tell whether the file is the one that was read."""
        try:
            return _stamp(self._path.stat()) == self._stamp
        except OSError:
            return False


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return found.st_size, found.st_mtime_ns, found.st_ino


def begin(folder: Path) -> None:
    """Begin to read the largest zone file of a folder, where that is a large one."""
    sizes: list[tuple[int, str]] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(_SUFFIX) and not entry.name.startswith("."):
                    sizes.append((entry.stat().st_size, entry.name))
                if len(sizes) > _FEW:
                    return
    except OSError:
        return
    size, name = max(sizes, default=(0, ""))
    stem = name.removesuffix(_SUFFIX)
    if size < _LARGE or not stem.replace("-", "").replace(".", "").isalnum():  # any other name is for ``zonefiles``
        return
    try:
        apex = dns.name.from_text(stem)
    except dns.exception.DNSException:
        return
    path = folder / name
    _begun[path] = _Reading(path, apex)
    _begun[path].start()


def take(path: Path, apex: bytes) -> bytes | None:
    """Return the image of a file that was read ahead, once; None when it was not, or has to be looked at with more care.

    Args:
        path: the file.
        apex: the zone's name in wire form.

    """
    one = _begun.pop(path, None) if _begun else None
    if one is None or octets(one.apex).lower() != apex.lower():
        return None
    one.join()
    return one.image if one.still_holds() else None
