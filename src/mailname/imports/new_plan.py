"""The plan that means a zone: the plan's own tables where they express it, ``[[record]]`` and ``zone_text`` for the rest.

What becomes a table of the plan is decided record by record, each read back as ``plan`` reads it; whether the whole is right is
not believed but proven, in ``proof``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import dns.rdatatype
from dns.rdatatype import RdataType

from mailname.imports import toml_writing as toml
from mailname.imports.literal_records import literal_records
from mailname.mail.mx import is_null_mx
from mailname.plan import names
from mailname.plan.address import read_address
from mailname.plan.fault import WrongValueError
from mailname.zone.ttl import words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name
    from dns.rdtypes.ANY.MX import MX
    from dns.rdtypes.ANY.NS import NS

    from mailname.imports.found_zone import FoundZone
    from mailname.plan.address import IPAddress

_ADDRESSES = (RdataType.A, RdataType.AAAA)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the zone.

    Attributes:
        addresses: of hosts outside the zone, or that it lacks.
        primary: which name server holds the zone file, if somebody said so.
        key: the name and the algorithm of the key for transfers; none where the name is empty.
        updates: keys that may update the zone.
        engine: the program that each name server is to run; empty for our own.

    """

    addresses: Mapping[Name, tuple[IPAddress, ...]] = field(default_factory=dict)
    primary: Name | None = None
    key: str = ""
    algorithm: str = "hmac-sha256"
    updates: tuple[str, ...] = ()
    engine: str = ""


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A plan's text, and what a person has to know about it.

    Attributes:
        text: the plan, with comments.
        primary: the server that the plan makes the primary.
        lacks: name servers whose addresses are not known; as long as there is one, the text is no plan.
        notes: what the plan says otherwise than the zone, and why.

    """

    domain: Name
    text: str
    primary: Name
    lacks: tuple[Name, ...]
    notes: tuple[str, ...]


def new_plan(found: FoundZone, known: Known) -> NewPlan:
    """Write the plan of a zone that was found."""
    return _Writing(found, known).plan()


class _Writing:
    """One plan on its way."""

    def __init__(self, found: FoundZone, known: Known) -> None:
        self.found = found
        self.known = known
        self.zone = found.zone
        self.domain = found.apex
        self.notes: list[str] = []
        self.ttl = _usual_ttl(found)
        #: RRsets that the plan's own tables make.
        self.made: set[tuple[Name, RdataType]] = {(self.domain, RdataType.SOA), (self.domain, RdataType.NS)}
        self.name_servers = [cast("NS", rdata).target for rdata in self._rdatas(self.domain, RdataType.NS)]
        self.primary = self._primary()

    def _rdatas(self, owner: Name, rdtype: RdataType) -> tuple[object, ...]:
        rrset = self.zone.rrset(owner, rdtype)
        return rrset.rdatas if rrset else ()

    def _primary(self) -> Name:
        if self.known.primary in self.name_servers:
            return self.known.primary
        mname = self.zone.soa_rdata.mname
        if mname in self.name_servers:
            return mname
        chosen = self.name_servers[0]
        self.notes.append(
            f"The SOA names {names.say(mname)} as the primary, which is none of the name servers; the plan makes "
            f"{names.say(chosen)} the primary. Another one: --primary NAME"
        )
        return chosen

    def plan(self) -> NewPlan:
        """Put all parts together."""
        servers, lacks = self._name_servers()
        mail = self._mail_hosts()
        website = self._website()
        literal = literal_records(self.found, self.ttl, self.made)
        null_mx = self._null_mx()
        parts = [
            *toml.comment(self.found.comments.head),
            f"# The plan of {names.say(self.domain)}, imported from {self.found.where}, serial {self.zone.serial}.",
            "# What it means: mailname show PLAN. A name with a dot is a full name, '@' is the domain itself.",
            "",
            toml.line("domain", toml.text(names.say(self.domain))),
            toml.line("contact", toml.text(self._contact())),
            *website,
            toml.line("ttl", str(self.ttl), words(self.ttl)),
            *literal.zone_text,
            "",
            *self._soa(),
            *servers,
            *mail,
            *null_mx,
            *self._other_ttls(),
            *literal.tables,
            *self._keys(),
        ]
        return NewPlan(self.domain, "\n".join(parts) + "\n", self.primary, tuple(lacks), tuple(self.notes))

    def _said(self, owner: Name, *rdtypes: RdataType) -> list[str]:
        """Return the comments about RRsets, as TOML comments."""
        rrsets = (self.zone.rrset(owner, rdtype) for rdtype in rdtypes)
        said = [one for rrset in rrsets if rrset for rdata in rrset.rdatas for one in self.found.comments.of(owner, rdata)]
        return toml.comment(said)

    def _contact(self) -> str:
        rname = self.zone.soa_rdata.rname
        fallback = f"hostmaster@{names.say(self.domain)}"
        if len(rname.labels) > 2:
            local = rname.labels[0].decode("ascii", "replace")
            contact = f"{local}@{names.say(rname.parent())}"
            try:
                if names.read_mailbox(contact) == rname:
                    return contact
            except WrongValueError:
                pass
        self.notes.append(f"The SOA's contact {rname} is no mailbox; the plan says {fallback}.")
        return fallback

    def _soa(self) -> list[str]:
        soa = self.zone.soa_rdata
        timers = ((timer, getattr(soa, timer)) for timer in ("refresh", "retry", "expire", "minimum"))
        return [
            *self._said(self.domain, RdataType.SOA),
            "[soa]",
            *(toml.line(timer, str(seconds), words(seconds)) for timer, seconds in timers),
        ]

    def _readable(self, owner: Name) -> tuple[IPAddress, ...] | None:
        """Return the addresses of a name in the zone, in the order of the zone; None where a plan cannot say one of them."""
        found: list[IPAddress] = []
        for rdtype in _ADDRESSES:
            for rdata in self._rdatas(owner, rdtype):
                try:
                    found.append(read_address(str(ip_address(cast("str", getattr(rdata, "address", ""))))))
                except (WrongValueError, ValueError):
                    return None
        return tuple(found)

    def _take(self, owner: Name) -> tuple[IPAddress, ...] | None:
        """Return a host's addresses, and note that a table makes them; None where records have to."""
        addresses = self._readable(owner) if owner.is_subdomain(self.domain) else ()
        if addresses:
            self.made |= {(owner, rdtype) for rdtype in _ADDRESSES}
        return addresses

    def _website(self) -> list[str]:
        addresses = self._take(self.domain)
        if not addresses:
            return []
        said = self._said(self.domain, *_ADDRESSES)
        return [*said, toml.line("website", toml.texts(map(str, addresses)), "default A and AAAA")]

    def _name_servers(self) -> tuple[list[str], list[Name]]:
        written: list[str] = []
        lacks: list[Name] = []
        for name, rdata in zip(self.name_servers, self._rdatas(self.domain, RdataType.NS), strict=True):
            addresses = self._take(name) or self.known.addresses.get(name, ())
            if not addresses:
                lacks.append(name)
            said = [*self.found.comments.of(self.domain, cast("NS", rdata))]
            own = self._said(name, *_ADDRESSES) if name != self.domain else []
            written += [
                "",
                *toml.comment(said),
                *own,
                "[[name_server]]",
                toml.line("name", toml.text(_full(name))),
                toml.line("addresses", toml.texts(map(str, addresses))),
                toml.line("role", toml.text("primary" if name == self.primary else "secondary")),
                *([toml.line("engine", toml.text(self.known.engine))] if self.known.engine else []),
            ]
        return written, lacks

    def _mail_hosts(self) -> list[str]:
        rrset = self.zone.rrset(self.domain, RdataType.MX)
        mxs = [cast("MX", rdata) for rdata in rrset.rdatas] if rrset else []
        if any(is_null_mx(mx) for mx in mxs) or len({mx.exchange for mx in mxs}) < len(mxs):
            return []
        if not all(_is_host(mx.exchange, self.domain) for mx in mxs):
            return []
        written: list[str] = []
        for mx in sorted(mxs, key=lambda one: one.preference):
            addresses = self._take(mx.exchange)
            own = self._said(mx.exchange, *_ADDRESSES) if mx.exchange not in (*self.name_servers, self.domain) else []
            written += [
                "",
                *toml.comment(self.found.comments.of(self.domain, mx)),
                *own,
                "[[mail_host]]",
                toml.line("name", toml.text(_full(mx.exchange))),
                toml.line("preference", str(mx.preference)),
                *([toml.line("addresses", toml.texts(map(str, addresses)))] if addresses else []),
            ]
        self.made.add((self.domain, RdataType.MX))
        return written

    def _null_mx(self) -> list[str]:
        if self.zone.rrset(self.domain, RdataType.MX) is not None:
            return []
        self.notes.append(
            f"{names.say(self.domain)} has no MX, and a plan says where the domain's mail goes: this one says that it takes none "
            "(RFC 7505). If it does take mail, write a [[mail_host]] instead."
        )
        return ["", "[[record]]  # the domain takes no mail", 'name = "@"', 'type = "MX"', 'data = "0 ."']

    def _other_ttls(self) -> list[str]:
        written: list[str] = []
        for owner, rdtype in sorted(self.made):
            rrset = self.zone.rrset(owner, rdtype)
            if rrset is None or rrset.ttl == self.ttl:
                continue
            written += [
                "",
                "[[other_ttl]]",
                f"name = {toml.text(_owner(owner, self.domain))}",
                f'type = "{dns.rdatatype.to_text(rdtype)}"',
                toml.line("ttl ", str(rrset.ttl), words(rrset.ttl)).replace("ttl        =", "ttl  ="),
            ]
        return written

    def _keys(self) -> list[str]:
        written: list[str] = []
        if self.known.key:
            written += [
                "",
                "[transfer_key]  # its secret is in a file of mode 600, never here",
                toml.line("name", toml.text(_full_text(self.known.key))),
                toml.line("algorithm", toml.text(self.known.algorithm)),
            ]
        for key in self.known.updates:
            whole = names.say(self.domain)
            written += [
                "",
                "[[update]]",
                toml.line("key", toml.text(_full_text(key))),
                toml.line("names", toml.texts(("@", f"*.{whole}"))),
            ]
        return written


def _usual_ttl(found: FoundZone) -> int:
    """Return the TTL that most RRsets have; of equals the SOA's, then the longest."""
    counts = Counter(rrset.ttl for rrset in found.zone.rrsets())
    return max(counts, key=lambda ttl: (counts[ttl], ttl == found.zone.soa.ttl, ttl))


def _is_host(name: Name, domain: Name) -> bool:
    try:
        is_host: bool = names.read_host(_full(name), domain) == name
    except WrongValueError:
        return False
    return is_host


def _full(name: Name) -> str:
    """Write a name so that a plan reads it as a full name."""
    return _full_text(names.say(name))


def _full_text(text: str) -> str:
    return text if "." in text else f"{text}."


def _owner(owner: Name, domain: Name) -> str:
    return "@" if owner == domain else names.say(owner)
