"""What ``mailname import`` reads: a BIND configuration, zone files, servers; each becomes zones that were found."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from mailname.errors import HostError, Mistake, Position, ZoneError
from mailname.imports.clauses import read_clauses
from mailname.imports.found_zone import FoundZone, found, found_in_text
from mailname.imports.named_conf import Configuration, ConfiguredKey, ConfiguredZone, read_configuration
from mailname.imports.takeover import name_of
from mailname.imports.text_kind import Kind, apex_in, kind_of
from mailname.server.existing_files import ExistingFiles, read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from dns.name import Name

    from mailname.server.network import Endpoint, Network
    from mailname.wire.tsig_key import Key

_SUFFIX = re.compile(r"\.(zone|db|hosts|dns|txt|signed|conf|bak)$", re.IGNORECASE)
#: Zones that Debian's package, and most others, bring along: loopback's, and empty ones (RFC 6303).
_EVERYWHERE = {
    name_of(one)
    for one in (
        "localhost",
        "0.in-addr.arpa",
        "127.in-addr.arpa",
        "0.0.127.in-addr.arpa",
        "255.in-addr.arpa",
        f"1.{'0.' * 31}ip6.arpa",
    )
}
_EMPTY = "db.empty"
_PREFIX = re.compile(r"(db|named|pri|sec|master|slave|primary|secondary|zone)[.\-_]", re.IGNORECASE)


@dataclass(slots=True)
class Collected:
    """All that was read.

    Attributes:
        zones: the zones that could be read.
        lists: texts that are lists of records, without a SOA, by file.
        configured: what a configuration says of a zone.
        mistakes: why others could not be read.
        notes: what else is to be known.

    """

    zones: list[FoundZone] = field(default_factory=list)
    lists: dict[str, str] = field(default_factory=dict)
    configured: dict[Name, ConfiguredZone] = field(default_factory=dict)
    keys: dict[str, ConfiguredKey] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def collect_files(
    paths: Iterable[Path], wanted: tuple[Name, ...], view: str | None, root: Path | None, progress: Callable[[str], None]
) -> Collected:
    """Read files.

    Args:
        paths: as they were given.
        wanted: only these zones; for a zone file that does not say its name, the name.
        view: which view of a configuration.
        root: what stands before absolute paths.
        progress: called with each zone's name.

    """
    collected = Collected()
    for path in paths:
        text = read_text(path)
        kind = kind_of(text)
        if kind is Kind.CONFIGURATION:
            _configuration(collected, path, text, wanted, view, root, progress)
        elif kind is Kind.ZONE:
            _zone_file(collected, path, text, wanted, root)
        else:
            collected.lists[str(path)] = text
    return collected


def _zone_file(collected: Collected, path: Path, text: str, wanted: tuple[Name, ...], root: Path | None) -> None:
    files = ExistingFiles(path.parent, root)
    guess = name_of(_PREFIX.sub("", _SUFFIX.sub("", path.name), count=1))
    given = wanted[0] if len(wanted) == 1 else None
    apex = given or apex_in(text, str(path), guess)
    if apex is None:
        raise click.UsageError(f"{path} does not say which zone it is. Say it: --zone NAME")
    if wanted and apex not in wanted:
        return
    zone = found_in_text(text, str(path), apex, lambda written: files.include_records(written, "", path.parent))
    collected.zones.append(zone)


def _configuration(
    collected: Collected,
    path: Path,
    text: str,
    wanted: tuple[Name, ...],
    view: str | None,
    root: Path | None,
    progress: Callable[[str], None],
) -> None:
    files = ExistingFiles(path.parent, root)
    configuration = read_configuration(read_clauses(text, str(path), files.include))
    collected.mistakes += configuration.mistakes
    collected.keys |= configuration.keys
    every = tuple(_chosen(collected, configuration, wanted, view))
    usual = [one for one in every if not wanted and (one.name in _EVERYWHERE or PurePath(one.file).name == _EMPTY)]
    if usual:
        named = ", ".join(str(one.name).rstrip(".") for one in usual)
        collected.notes.append(f"Left out, as every name server has them: {named}. One of them all the same: --zone NAME")
    for configured in every:
        if configured in usual:
            continue
        progress(str(configured.name).rstrip("."))
        try:
            collected.zones.append(_zone_of(configured, files, configuration.directory))
        except (ZoneError, HostError) as error:
            mistakes = [one for one in getattr(error, "mistakes", ()) if one.severity == "error"]
            at = getattr(error, "at", None) or configured.at
            collected.mistakes += mistakes or [Mistake(at, f"{error.problem}.".replace("..", "."), error.remedy)]
        else:
            collected.configured[configured.name] = configured


def _zone_of(configured: ConfiguredZone, files: ExistingFiles, directory: str) -> FoundZone:
    name = str(configured.name).rstrip(".")
    primary = next((str(peer.address) for peer in configured.peers), "ADDRESS") if configured.role == "secondary" else "ADDRESS"
    signed = " --key FILE" if configured.transfer_keys else ""
    remedy = f"Transfer it: mailname import --server {primary} --zone {name}{signed}"
    if not configured.file:
        raise HostError(f"the zone {name} has no file here", remedy=remedy)
    path = files.place(configured.file, directory)
    if configured.role == "secondary" and not path.exists():
        raise HostError(f"{name} is a secondary's here, and has no copy yet at {path}", remedy=remedy)
    if configured.is_raw and _is_binary(path):
        remedy = f"Write it as text: named-compilezone -f raw -F text -o {name}.zone {name} {path}"
        raise HostError(f"the file of {name} is in BIND's binary form, {path}", remedy=f"{remedy}; then import that file.")
    return found_in_text(
        read_text(path), str(path), configured.name, lambda written: files.include_records(written, directory, path.parent)
    )


def _is_binary(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"\0\0\0\2", b"\0\0\0\3")
    except OSError:
        return False


def _chosen(
    collected: Collected, configuration: Configuration, wanted: tuple[Name, ...], view: str | None
) -> Iterable[ConfiguredZone]:
    """Yield each zone once: from the view that was named, from the only one that has it, or from the one that answers anybody."""
    if view is not None and view not in {zone.view for zone in configuration.zones}:
        known = ", ".join(dict.fromkeys(zone.view for zone in configuration.zones if zone.view)) or "none"
        raise click.UsageError(f"the configuration has no view {view} with zones. It has: {known}.")
    by_name: dict[Name, list[ConfiguredZone]] = {}
    for zone in configuration.zones:
        if (not wanted or zone.name in wanted) and (view is None or zone.view in (view, "")):
            by_name.setdefault(zone.name, []).append(zone)
    for name, zones in by_name.items():
        chosen = zones[0]
        if len(zones) > 1:
            views = ", ".join(zone.view for zone in zones)
            public = [zone for zone in zones if zone.view in configuration.open_views]
            if len(public) != 1:
                problem = f"{str(name).rstrip('.')} is in several views: {views}."
                collected.mistakes.append(Mistake(zones[0].at, problem, "Say which one is the public one: --view NAME"))
                continue
            chosen = public[0]
            others = ", ".join(zone.view for zone in zones if zone is not chosen)
            collected.notes.append(
                f"{chosen.at}: {str(name).rstrip('.')} is taken from the view {chosen.view}, which answers anybody; what "
                f"{others} says is no part of the plan, and a plan has one zone for all who ask."
            )
        yield chosen


async def collect_from_server(network: Network, at: Endpoint, zones: tuple[Name, ...], key: Key | None) -> Collected:
    """Transfer zones from a server; one that cannot be had is told, and the others come."""
    from mailname.errors import TransferError
    from mailname.server.whole_zone import whole_zone

    collected = Collected()
    limit = asyncio.Semaphore(8)

    async def one(name: Name) -> FoundZone | Mistake:
        async with limit:
            try:
                return found(await whole_zone(network, at, name, key), f"the server {at}")
            except TransferError as error:
                said = f"{str(name).rstrip('.')}: {error.problem}."
                return Mistake(Position(f"server {at}", 1, 1), said, error.remedy)

    for result in await asyncio.gather(*map(one, zones)):
        if isinstance(result, Mistake):
            collected.mistakes.append(result)
        else:
            collected.zones.append(result)
    return collected
