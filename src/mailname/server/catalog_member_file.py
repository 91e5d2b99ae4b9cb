"""What a catalog says of a zone beside its name, from a small file beside the zone's, ``NAME.member`` (RFC 9432 section 4.4).

Its groups, and the catalog that may take it over. ``mailname publish`` writes it from the plan; a zone without it has neither.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.name

from mailname.errors import HostError, ZoneError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dns.name import Name

    from mailname.transfer.catalog import Member

SUFFIX = ".member"
_LONGEST_GROUP = 255
_HEADER = "# What its catalog says of this zone. Written by mailname publish: change the plan, not this file.\n"


def member_file(zone_file: Path) -> Path:
    """Return where this is told of a zone, given where its zone file lies."""
    return zone_file.with_suffix(SUFFIX)


def member_text(groups: Iterable[str], gives_to: Name | None) -> str:
    """Return the file's text; an empty one says nothing, as does a file that is not there."""
    groups = list(groups)
    lines = [f"groups = {json.dumps(groups, ensure_ascii=False)}"] if groups else []
    if gives_to is not None:
        lines.append(f"gives_to = {json.dumps(gives_to.to_text(omit_final_dot=True))}")
    return _HEADER + "\n".join(lines) + "\n" if lines else ""


def read_member_text(path: Path) -> str:
    """Return what is told of a zone, as it stands there; nothing where there is no file.

    Raises:
        HostError: it cannot be read.

    """
    try:
        return path.read_text(encoding="utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise HostError(f"cannot read {path}: {error}", remedy="Look at who owns the file.", step="catalog") from error


def with_properties(member: Member, path: Path) -> Member:
    """Return a member with what its file adds to it.

    Raises:
        HostError: the file cannot be read.
        ZoneError: there is something else in it.

    """
    text = read_member_text(path)
    if not text:
        return member
    try:
        groups, coo = _read(tomllib.loads(text))
    except (ValueError, dns.exception.DNSException) as error:
        remedy = 'Keys are groups = ["WORD"] and gives_to = "CATALOG"; mailname publish PLAN writes it anew.'
        raise ZoneError(f"{path} cannot be used: {error}", remedy=remedy) from error
    return replace(member, groups=tuple(sorted({*member.groups, *groups})), coo=coo or member.coo)


def _read(told: dict[str, Any]) -> tuple[list[str], Name | None]:
    groups, gives_to = told.get("groups", []), told.get("gives_to")
    if unknown := [key for key in told if key not in {"groups", "gives_to"}]:
        raise ValueError(f"it has no key '{unknown[0]}'")
    if not isinstance(groups, list) or not all(
        isinstance(one, str) and 0 < len(one.encode()) <= _LONGEST_GROUP for one in groups
    ):
        raise ValueError("groups is a list of words")
    if gives_to is not None and not isinstance(gives_to, str):
        raise dns.exception.SyntaxError("gives_to is a name")
    return groups, dns.name.from_text(gives_to).canonicalize() if gives_to is not None else None
