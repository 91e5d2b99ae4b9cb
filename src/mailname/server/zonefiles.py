"""Zone files: found by name, read with what they include, and named so that any zone has a file name."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote, unquote

import dns.exception
import dns.name

from mailname.errors import HostError, ZoneError
from mailname.server import read_ahead
from mailname.server.refused_by_disk import refused
from mailname.wire.octets import octets
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader
from mailname.zone.text import ReadResult

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dns.name import Name

    from mailname.errors import Mistake

SUFFIX = ".zone"
_ROOT = "root"


def file_stem(apex: Name) -> str:
    """Return the file name of a zone without suffix: ``example.tech``, ``root``; odd characters become ``%2F`` and the like."""
    if apex == dns.name.root:
        return _ROOT
    return quote(apex.canonicalize().to_text(omit_final_dot=True), safe="-_.+*@!~")


def apex_of(path: Path) -> Name:
    """Return the zone that a file name stands for. Raises HostError when it stands for none."""
    stem = path.name.removesuffix(SUFFIX)
    if stem == _ROOT:
        return dns.name.root
    try:
        return dns.name.from_text(unquote(stem))
    except (dns.exception.DNSException, UnicodeError) as error:
        raise HostError(f"{path}: the file's name is not a zone's name", remedy="Name it NAME.zone.", step="load") from error


def read_zone_file(path: Path, apex: Name) -> ReadResult:
    """Read a zone file; raises what ``read_image`` does."""
    read = read_image(path, octets(apex), Loader())
    return ReadResult(ImageZone(read.image), read.warnings)


class ReadFile(NamedTuple):
    """What was read of a zone file.

    Attributes:
        image: the zone's.
        warnings: what its owner should know.
        is_plain: there are no warnings and nothing is included, so that the file unchanged means the zone unchanged.

    """

    image: bytes
    warnings: tuple[Mistake, ...]
    is_plain: bool


def read_image(path: Path, apex: bytes, loader: Loader) -> ReadFile:
    """Read a zone file into an image. ``$INCLUDE`` reaches only files below the zone's folder.

    Args:
        path: the file.
        apex: the zone's name in wire form.
        loader: of this thread.

    Raises:
        ZoneError: what is wrong in it, with file, line and column.
        HostError: the file cannot be read.

    """
    if (ahead := read_ahead.take(path, apex)) is not None:
        return ReadFile(ahead, (), is_plain=True)
    raw = _read_octets(path)
    include = _Watched(path.parent)
    try:
        read = loader.load_wire(raw, str(path), apex, include=include)
    except UnicodeDecodeError:  # old archives: only comments and strings may hold such octets
        read = loader.load_wire(raw.decode("latin-1").encode(), str(path), apex, include=include)
    return ReadFile(read.image, read.warnings, not read.warnings and not include.used)


class _Watched:
    """Includes files, and remembers that there were any."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.used = False

    def __call__(self, name: str) -> tuple[str, str]:
        self.used = True
        return includer(self._folder)(name)


def _read_octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        if isinstance(error, FileNotFoundError):
            remedy = "Publish the zone, or correct the path in the configuration."
            raise HostError(f"cannot read {path}: {error.strerror}", remedy=remedy, step="load") from error
        raise refused("read", path, error, step="load") from error


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")  # old archives: only comments and strings may hold such octets


def includer(folder: Path) -> Callable[[str], tuple[str, str]]:
    """Return what reads the files that a zone file in this folder includes; it does not leave the folder."""
    top = folder.resolve()

    def include(written: str) -> tuple[str, str]:
        path = (top / written).resolve()
        if not path.is_relative_to(top):
            raise ZoneError(f"$INCLUDE {written} leaves the zone's folder", remedy=f"Put the file below {folder}.")
        try:
            return _decoded(_read_octets(path)), str(path)
        except HostError as error:
            raise ZoneError(f"$INCLUDE {written}: {error.problem}", remedy="Correct the file name.") from error

    return include
