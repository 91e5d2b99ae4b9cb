"""The files of a configuration that exists: named.conf and what it includes, zone files and what they include. Only read.

A copy of another host's files is read as if it lay at the root of the file system: ``root`` is put before every absolute path.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mailname.errors import HostError, ZoneError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LARGEST = 1 << 30  # octets


@dataclass(frozen=True, slots=True)
class ExistingFiles:
    """Reads files as the program does that they are for.

    Attributes:
        folder: where relative paths begin, unless a directory is set.
        root: what stands before absolute paths; None for the files of this machine.

    """

    folder: Path
    root: Path | None = None

    def place(self, written: str, directory: str = "") -> Path:
        """Return where a path leads that stands in a configuration."""
        path = Path(written) if Path(written).is_absolute() else Path(directory) / written
        if path.is_absolute():
            return self.root / path.relative_to("/") if self.root is not None else path
        return self.folder / path

    def include(self, pattern: str, directory: str) -> list[tuple[str, str]]:
        """Return the texts that ``include "PATTERN";`` means, in the order of their names. Raises ValueError."""
        places = [self.place(pattern, directory), self.place(pattern)]
        if not any(mark in pattern for mark in "*?["):
            place = next((one for one in places if one.exists()), places[0])
            try:
                return [(read_text(place), str(place))]
            except HostError as error:
                raise ValueError(f"{error.problem}.") from None
        found = next((matches for one in places if (matches := sorted(_matches(one)))), [])
        try:
            return [(read_text(one), str(one)) for one in found]
        except HostError as error:
            raise ValueError(f"{error.problem}.") from None

    def include_records(self, written: str, directory: str, beside: Path) -> tuple[str, str]:
        """Return the text that ``$INCLUDE`` means: as BIND does from its directory, as others do from beside the zone file.

        Raises:
            ZoneError: there is no such file.

        """
        places = [self.place(written, directory), beside / written] if directory else [beside / written, self.place(written)]
        place = next((one for one in places if one.is_file()), places[0])
        try:
            return read_text(place), str(place)
        except HostError as error:
            raise ZoneError(f"$INCLUDE {written}: {error.problem}", remedy="Correct the file name.") from error


def _matches(pattern: Path) -> Iterator[Path]:
    """Yield the files that a path with ``*``, ``?`` or ``[`` in it means."""
    return Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor)))


def read_text(path: Path) -> str:
    """Read a text file; octets that are not UTF-8 stand in comments and strings of old files, and are taken as Latin-1.

    Raises:
        HostError: it cannot be read.

    """
    try:
        if path.stat().st_size > _LARGEST:
            raise HostError(f"{path} is larger than {_LARGEST} octets", remedy="Is this a zone file?", step="import")
        octets = path.read_bytes()
    except OSError as error:
        remedy = "Correct the path, or read as who may: sudo"
        raise HostError(f"cannot read {path}: {error.strerror}", remedy=remedy, step="import") from error
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")
