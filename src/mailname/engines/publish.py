"""Publish: what the plan means goes to the running primary, with a serial that is higher than any that was ever seen.

It may be interrupted anywhere and run again: each step leaves the old or the new version whole, and looks at what is there first.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.engines.catalog_entry import is_from_catalog, place_for, properties, refuse_updates
from mailname.engines.keeping_published import caller, note, with_serial
from mailname.engines.primary_place import PrimaryHere
from mailname.errors import HostError, ZoneError
from mailname.plan import expand_all
from mailname.plan.guard import guard
from mailname.server.catalog_member_file import member_file
from mailname.server.network import Endpoint, Network, ask_udp
from mailname.server.zonefiles import read_zone_file
from mailname.zone import Serial, Zone
from mailname.zone.diff import diff, same_content
from mailname.zone.serial import highest, next_serial
from mailname.zone.text import read_zone, write_zone

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.engines.primary_place import PrimaryPlace
    from mailname.engines.published import By
    from mailname.plan import Plan
    from mailname.plan.guard import Objection
    from mailname.zone.diff import Change

_ASK_TIMEOUT = 1.0  # seconds for one question to one server
_POLL = 0.02  # seconds until the second look; then twice as long each time
_LONGEST_POLL = 1.0


@dataclass(frozen=True, slots=True)
class Publication:
    """What publishing would do to one zone.

    Attributes:
        old: what the zone file holds now; None when there is none that can be read.
        new: what the plan means, with the serial it would get.
        changes: the difference, the SOA's serial aside when nothing else changed.
        objections: why this looks like an accident.
        needs_writing: the file must be replaced; otherwise it holds this very version.
        unreadable: why the zone file that is there cannot be read, so that what changes cannot be told; mostly empty.
        by_update: what dynamic updates have changed, which the zone file does not know.
        joins: the zone is not served yet: it joins the plan's catalog.
        in_catalog: what the plan says of its groups goes beside the zone file.

    """

    path: Path
    old: Zone | None
    new: Zone
    changes: tuple[Change, ...]
    objections: tuple[Objection, ...]
    needs_writing: bool
    unreadable: str = ""
    by_update: tuple[UpdatedRecord, ...] = ()
    joins: bool = False
    in_catalog: bool = False


@dataclass(frozen=True, slots=True)
class UpdatedRecord:
    """A record that a dynamic update has put into the zone, or a name that it has emptied.

    Attributes:
        says: the record, or what is gone.
        kept: publishing leaves it in place; otherwise the plan says something else at that name and type, and overrules it.

    """

    says: str
    kept: bool


@dataclass(slots=True)
class Arrival:
    """One zone at one address of one name server: what it answers, and why not the new serial."""

    server: Name
    at: Endpoint
    zone: Name
    wanted: Serial
    seen: Serial | None = None
    says: str = "not asked yet"
    arrived: bool = False


@dataclass(slots=True)
class Publishing:
    """One run of ``mailname publish``, step by step.

    Attributes:
        restored: what is published instead of what the plan means: a zone of it, as it was once.
        unkept: why the history of the zone's versions does not have this one; mostly empty.
        by: who publishes; else whoever runs this process.

    """

    plan: Plan
    control: Path
    network: Network
    today: date
    publications: list[Publication] = field(default_factory=list)
    place: PrimaryPlace | None = None
    restored: Zone | None = None
    unkept: str = ""
    by: By | None = None

    @property
    def primary(self) -> PrimaryPlace:
        """The running primary: that at the control socket, unless another place was given."""
        return self.place or PrimaryHere(self.control)

    async def prepare(self) -> list[Publication]:
        """Find out what would change; changes nothing.

        Raises:
            HostError: the primary's server cannot be asked, or does not serve a zone of the plan.

        """
        status = await self.primary.ask({"do": "status"})
        served = {dns.name.from_text(one["zone"]): one for one in status.get("zones", ())}
        drafts = self._meant(Serial(0))
        self.publications = await asyncio.gather(*(self._prepare_one(draft, served) for draft in drafts))
        return self.publications

    def _meant(self, serial: Serial) -> tuple[Zone, ...]:
        return expand_all(self.plan, serial) if self.restored is None else (with_serial(self.restored, serial),)

    async def _prepare_one(self, draft: Zone, served: dict[Name, dict[str, Any]]) -> Publication:
        one = served.get(draft.apex)
        place = place_for(self.plan, draft.apex, served) if one is None else None
        if place is not None:
            one = {"role": "primary", "file": place, "serial": None}
        if one is None or one["role"] != "primary" or not one["file"]:
            bare = draft.apex.to_text(omit_final_dot=True)
            raise HostError(
                f"the server at {self.primary} is not the primary of {bare}",
                remedy="Name the primary's socket: --control PATH; see: mailname status",
                step="publish",
            )
        path = Path(one["file"])
        old, unreadable = await self._read_old(path, draft.apex)
        known = [Serial(value) for value in (one["serial"], one.get("announced")) if value is not None]
        known += await self._live_serials(draft.apex)
        if old is not None:
            known.append(old.serial)
        top = highest(known)
        unchanged = old is not None and same_content(old, draft) and top == old.serial
        serial = old.serial if unchanged and old is not None else next_serial(self.today, known)
        new = next(zone for zone in self._meant(serial) if zone.apex == draft.apex)
        by_update = tuple(_updated(says, old, new) for says in one.get("by_update", ()))
        told = Publication(path, old, new, diff(old, new), guard(old, new), not unchanged, unreadable, by_update)
        in_catalog = is_from_catalog(self.plan, path, served)
        if in_catalog:
            refuse_updates(self.plan, draft.apex, one.get("may_update", ()))
        return replace(told, joins=place is not None, in_catalog=in_catalog)

    async def _live_serials(self, apex: Name) -> list[Serial]:
        places = [Endpoint(address) for server in self.plan.name_servers for address in server.addresses]
        answers = await asyncio.gather(*(ask_serial(self.network, at, apex) for at in places))
        return [answer for answer in answers if isinstance(answer, Serial)]

    async def write_and_load(self) -> None:
        """Write the zone files and let the running server take them over; put the old files back if it will not.

        Raises:
            HostError: with what the server said; what was served before is served on.

        """
        for one in self.publications:
            before = await self.primary.read(one.path) if one.needs_writing else None
            if one.needs_writing:
                await self._write(one)
            answer: dict[str, Any] = {"ok": True}
            if (one.in_catalog and await self._write_properties(one.path)) or one.joins:
                answer = await self.primary.ask({"do": "configure"})
            if answer.get("ok"):
                answer = await self.primary.ask({"do": "reload", "zone": one.new.apex.to_text()})
            if answer.get("ok"):
                if one.needs_writing:
                    self.unkept = await note(self.primary, one.path, one.new, one.old, self.by or caller()) or self.unkept
                continue
            if one.needs_writing and before is not None:
                await self.primary.write(one.path, before)
            elif one.needs_writing:
                await self.primary.remove(one.path)
            if one.joins:
                await self.primary.ask({"do": "configure"})  # a zone without a file does not stay in the catalog
            raise HostError(
                f"the server did not take over the new version: {answer.get('says')}",
                remedy="What was served before is served on, and the zone file is as it was.",
                step="publish",
            )

    async def _read_old(self, path: Path, apex: Name) -> tuple[Zone | None, str]:
        """Return what the zone file holds, or why that cannot be told."""
        if self.place is None:
            return await asyncio.to_thread(_read_old, path, apex)
        octets = await self.place.read(path)
        try:
            return (None if octets is None else read_zone(octets.decode("utf-8", "replace"), str(path), apex).zone), ""
        except ZoneError as error:
            return None, f"{error.at}: {error.problem}" if error.at else error.problem

    async def _write_properties(self, zone_file: Path) -> bool:
        """Write down what the catalog is to say of a zone; returns whether that changed."""
        path, text = member_file(zone_file), properties(self.plan).encode()
        if (await self.primary.read(path) or b"") == text:
            return False
        await (self.primary.write(path, text) if text else self.primary.remove(path))
        return True

    async def _write(self, one: Publication) -> None:
        header = f"{one.new.apex.to_text(omit_final_dot=True)}, written by mailname publish. Change the plan, not this file."
        await self.primary.write(one.path, write_zone(one.new, header=header).encode())

    async def wait(self, seconds: float, tell: Callable[[Arrival], None]) -> list[Arrival]:
        """Ask every address of every name server until each answers with the new serial, or the time is up.

        Args:
            seconds: how long to wait in all.
            tell: called whenever something about an address changed.

        """
        arrivals = [
            Arrival(server.name, Endpoint(address), one.new.apex, one.new.serial)
            for one in self.publications
            for server in self.plan.name_servers
            for address in server.addresses
        ]
        deadline = asyncio.get_running_loop().time() + seconds
        await asyncio.gather(*(self._wait_for(one, deadline, tell) for one in arrivals))
        if not all(one.arrived for one in arrivals):
            await self._say_why(arrivals)
        return arrivals

    async def _wait_for(self, one: Arrival, deadline: float, tell: Callable[[Arrival], None]) -> None:
        pause = _POLL
        while True:
            answer = await ask_serial(self.network, one.at, one.zone)
            before = (one.seen, one.says)
            if isinstance(answer, Serial):
                one.seen = answer
                one.arrived = answer == one.wanted or answer.is_newer_than(one.wanted)
                one.says = "" if one.arrived else f"still answers serial {answer}"
            else:
                one.seen, one.says = None, answer
            if (one.seen, one.says) != before or one.arrived:
                tell(one)
            if one.arrived or asyncio.get_running_loop().time() + pause >= deadline:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_POLL)

    async def _say_why(self, arrivals: list[Arrival]) -> None:
        """Add what the primary knows about those who do not have it yet."""
        status = await self.primary.ask({"do": "status"})
        told = {
            (dns.name.from_text(zone["zone"]), secondary["address"]): secondary
            for zone in status.get("zones", ())
            for secondary in zone.get("secondaries", ())
        }
        refused = {
            (dns.name.from_text(zone["zone"]), one["from"]): one["says"]
            for zone in status.get("zones", ())
            for one in zone.get("refused", ())
        }
        for one in arrivals:
            if one.arrived:
                continue
            secondary = told.get((one.zone, str(one.at)))
            if why := refused.get((one.zone, str(one.at.address))):
                one.says += f"; the primary refused its transfer: {why}"
            elif secondary and secondary["says"]:
                one.says += f"; NOTIFY: {secondary['says']}"
            elif secondary:
                one.says += f"; NOTIFY {secondary['state']}"


def _updated(says: str, old: Zone | None, new: Zone) -> UpdatedRecord:
    """Judge one line of the status' ``by_update``, as the server will when it reads the new file."""
    owner, kind = says.split(" ")[:2]
    place = dns.name.from_text(owner), dns.rdatatype.from_text(kind)
    return UpdatedRecord(says, old is not None and _rdatas(old, *place) == _rdatas(new, *place))


def _rdatas(zone: Zone, owner: Name, kind: RdataType) -> set[Rdata]:
    rrset = zone.rrset(owner, kind)
    return set(rrset.rdatas) if rrset is not None else set()


def _read_old(path: Path, apex: Name) -> tuple[Zone | None, str]:
    """Return what the zone file holds, or why that cannot be told."""
    if not path.exists():
        return None, ""
    try:
        return read_zone_file(path, apex).zone, ""
    except HostError as error:
        return None, error.problem
    except ZoneError as error:
        return None, f"{error.at}: {error.problem}" if error.at else error.problem


async def ask_serial(network: Network, at: Endpoint, apex: Name) -> Serial | str:
    """Ask one address for a zone's serial by UDP; return it, or in a few words why there is none."""
    query = dns.message.make_query(apex, RdataType.SOA, use_edns=False)
    query.flags = dns.flags.Flag(0)
    try:
        answer = dns.message.from_wire(await ask_udp(network, query.to_wire(), at, timeout=_ASK_TIMEOUT), ignore_trailing=True)
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return "nothing listens there" if isinstance(error, ConnectionRefusedError) else f"cannot be reached ({error.strerror})"
    except (dns.exception.DNSException, ValueError):
        return "an answer that cannot be read"
    if answer.rcode() != dns.rcode.NOERROR:
        return f"answers {dns.rcode.to_text(answer.rcode())}"
    for rrset in answer.answer:
        if rrset.rdtype == RdataType.SOA and rrset.name == apex:
            return Serial(rrset[0].serial)
    return "answers without the SOA"
