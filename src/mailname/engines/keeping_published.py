"""The versions that were published, where the primary is: noted by each publication, read, and restored as new versions."""

from __future__ import annotations

import getpass
import os
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.engines.published import By, Published, added, beside, read, version, written
from mailname.errors import HostError
from mailname.plan import expand_all
from mailname.zone import Serial
from mailname.zone.zone import ZoneBuilder

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.engines.primary_place import PrimaryPlace
    from mailname.plan import Plan
    from mailname.zone import Zone


def caller() -> By:
    """Tell who runs this process, where, and with which command."""
    try:
        user = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # a user without a name
        user = str(os.getuid())
    words = [word for word in sys.argv[1:] if word.isprintable()]
    return By(user, socket.gethostname(), " ".join(["mailname", *words]))


async def note(place: PrimaryPlace, zone_file: Path, new: Zone, old: Zone | None, by: By) -> str:
    """Note that a version was published; return why it could not be noted, which hinders nothing else."""
    path = beside(zone_file)
    try:
        kept = read(await place.read(path))
    except ValueError:
        kept = ()
    except HostError as error:
        return error.problem
    try:
        await place.write(path, written(added(kept, version(new, old, time.time(), by), old)))
    except ValueError as error:
        return str(error)
    except (HostError, OSError) as error:
        return str(error)
    return ""


async def file_of(place: PrimaryPlace, apex: Name) -> Path:
    """Return the zone file that the primary has of a zone. Raises HostError."""
    status = await place.ask({"do": "status"})
    for one in status.get("zones", ()):
        if dns.name.from_text(one["zone"]) == apex and one["role"] == "primary" and one["file"]:
            return Path(one["file"])
    raise HostError(
        f"the server at {place} is not the primary of {apex.to_text(omit_final_dot=True)}",
        remedy="Name the primary's socket: --control PATH; see: mailname status",
        step="history",
    )


async def kept(place: PrimaryPlace, apex: Name) -> tuple[Published, ...]:
    """Return the versions of a zone, the oldest first. Raises HostError."""
    path = beside(await file_of(place, apex))
    try:
        return read(await place.read(path))
    except ValueError as error:
        raise HostError(
            f"{path} does not tell which versions were published: {error}",
            remedy="The next publication begins it anew.",
            step="history",
        ) from error


async def one_of(place: PrimaryPlace, plan: Plan, serial: int) -> Zone:
    """Return the version with a serial, of the first zone of a plan that has one. Raises HostError."""
    known: list[str] = []
    for apex in (zone.apex for zone in expand_all(plan, Serial(0))):
        for one in reversed(await kept(place, apex)):
            if one.serial == serial and one.can_be_restored:
                try:
                    return one.zone(apex)
                except ValueError as error:
                    raise HostError(str(error), remedy="Restore another one.", step="history") from error
            known += [str(one.serial)] if one.can_be_restored else []
    raise HostError(f"serial {serial} is not kept", remedy=f"Kept are: {', '.join(known) or 'none'}.", step="history")


def with_serial(zone: Zone, serial: Serial) -> Zone:
    """Return a zone's content under another serial."""
    builder = ZoneBuilder(zone.apex)
    for rrset in zone.rrsets():
        for rdata in rrset.rdatas:
            builder.add(rrset.owner, rrset.ttl, rdata.replace(serial=serial.value) if rrset.rdtype == RdataType.SOA else rdata)
    return builder.build()
