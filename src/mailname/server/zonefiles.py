"""Zone files: found by name, read with what they include, and named so that any zone has a file name."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import dns.exception
import dns.name

from mailname.errors import HostError, ZoneError
from mailname.server import read_ahead
from mailname.zone.image_zone import ImageZone
from mailname.zone.load import Loader
from mailname.zone.text import ReadResult, read_zone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dns.name import Name

SUFFIX = ".zone"
_LARGE = 100_000  # octets of text; a larger zone is read into an image, without Python objects for its records
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


def find_zone_files(folder: Path) -> dict[Name, Path]:
    """Return the zones of a folder: each ``NAME.zone`` is zone NAME, ``root.zone`` is the root zone."""
    if not folder.is_dir():
        raise HostError(f"there is no folder {folder}", remedy="Name the folder that holds the NAME.zone files.", step="load")
    return {apex_of(path): path for path in sorted(folder.glob(f"*{SUFFIX}")) if not path.name.startswith(".")}


def read_zone_file(path: Path, apex: Name) -> ReadResult:
    """Read a zone file. ``$INCLUDE`` reaches only files below the zone's folder.

    Raises:
        ZoneError: what is wrong in it, with file, line and column.
        HostError: the file cannot be read.

    """
    if (ahead := read_ahead.take(path, apex)) is not None:
        return ReadResult(ImageZone(ahead), ())
    raw = _read_octets(path)
    if len(raw) > _LARGE:
        text = raw if _is_utf8(raw) else raw.decode("latin-1").encode()
        read = Loader().load(text, str(path), apex, include=includer(path.parent))
        return ReadResult(ImageZone(read.image), read.warnings)
    return read_zone(_decoded(raw), str(path), apex, include=includer(path.parent))


def _read_octets(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        remedy = "Publish the zone, or correct the path in the configuration."
        raise HostError(f"cannot read {path}: {error.strerror}", remedy=remedy, step="load") from error


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


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
