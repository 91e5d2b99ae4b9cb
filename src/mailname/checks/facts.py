"""What was seen: the table of facts that every check reads and that can be saved and replayed. Nothing here judges."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from mailname.checks.facts_knock import Knock
from mailname.checks.facts_mail import MailCertificate, MailProbe
from mailname.checks.json_values import choice, items, moment, number, optional, table, text, texts, truth, whole
from mailname.checks.outcome import Outcome
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from dns.name import Name
    from dns.rcode import Rcode
    from dns.rdata import Rdata
    from dns.rdatatype import RdataType

    from mailname.checks.facts_transfer import TransferTry
    from mailname.checks.rdap import RegistrationFact
    from mailname.server.network import IPAddress

__all__ = [
    "RUNGS",
    "ControlFact",
    "Facts",
    "MailCertificate",
    "MailProbe",
    "Outcome",
    "Probe",
    "Record",
    "Transport",
    "ZoneFileFact",
]

SCHEMA = "mailname.facts/1"
RUNGS = ("resolver", "root", "tld", "servers", "control", "zone", "mail")
# A name server's manners with EDNS are asked beside the rungs: these answers say nothing of the zone.
EDNS_OPTIONS, EDNS_VERSION = "edns-options", "edns-version"
# Beside the rungs, too: the signed answers of a domain for which the parent has a DS.
SIGNATURES = "signatures"
BESIDE = (EDNS_OPTIONS, EDNS_VERSION, SIGNATURES)
Transport = Literal["udp", "tcp"]


@dataclass(frozen=True, slots=True)
class Record:
    """One record as it was answered, planned or written."""

    owner: Name
    ttl: int
    rdata: Rdata

    def __hash__(self) -> int:
        # Not the rdata's: dnspython writes it out anew for each hash. The few of one RRset are told apart by comparing.
        return hash((self.owner, self.ttl, self.rdata.rdtype))

    @property
    def rdtype(self) -> RdataType:
        """The record's type."""
        kind: RdataType = self.rdata.rdtype
        return kind

    def __str__(self) -> str:
        return f"{self.owner} {self.ttl} IN {self.rdtype.name} {self.rdata}"

    @classmethod
    def from_text(cls, line: str) -> Record:
        """Read one line as dig prints it: owner, TTL, class, type, rdata."""
        owner, ttl, rdclass, rdtype, rdata = line.split(None, 4)
        kind = dns.rdatatype.from_text(rdtype)
        return cls(dns.name.from_text(owner), int(ttl), dns.rdata.from_text(dns.rdataclass.from_text(rdclass), kind, rdata))


@dataclass(frozen=True, slots=True)
class Probe:
    """One question to one address over one transport, and what came back.

    Attributes:
        rung: the rung of the ladder (``RUNGS``), or one of the questions beside it.
        zone: the zone as whose authority this server was asked; the root for the root servers and for a resolver.
        tries: how often it was sent; 0 when it was not, because this address had been silent over this transport before.
        ms: milliseconds until the answer, or until we gave up.
        edns: asked with EDNS (RFC 6891); without it only where that was not answered, or with an error.
        opt: whether the answer had EDNS, too.
        expire: seconds until the answering copy expires, where the server told it (RFC 7314).
        answered_from: where an answer came from that did not come from where we asked; nobody takes such an answer.

    """

    rung: str
    zone: Name
    server: Name
    address: IPAddress
    port: int
    transport: Transport
    qname: Name
    qtype: RdataType
    outcome: Outcome
    rcode: Rcode | None = None
    aa: bool = False
    ra: bool = False
    tc: bool = False
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    tries: int = 1
    ms: float = 0.0
    edns: bool = True
    answered_from: Endpoint | None = None
    opt: bool = False
    expire: int | None = None

    def __hash__(self) -> int:
        # What was asked; what came back is compared only where the same was asked twice.
        return hash((self.rung, self.address, self.transport, self.qname, self.qtype))

    @property
    def answered(self) -> bool:
        """Whether a DNS message came back, whatever it says."""
        return self.outcome is Outcome.ANSWER

    @property
    def endpoint(self) -> Endpoint:
        """Where the question went."""
        return Endpoint(self.address, self.port)

    def rdatas(self, owner: Name, rdtype: RdataType) -> tuple[Rdata, ...]:
        """Return the rdatas of one RRset of the answer section, in the order received."""
        return tuple(record.rdata for record in self.answer if record.rdata.rdtype == rdtype and record.owner == owner)

    def to_json(self) -> dict[str, Any]:
        """Return this probe as JSON values; sections are lines as dig prints them."""
        return {
            "rung": self.rung,
            "zone": str(self.zone),
            "server": str(self.server),
            "address": str(self.address),
            "port": self.port,
            "transport": self.transport,
            "qname": str(self.qname),
            "qtype": self.qtype.name,
            "outcome": self.outcome.value,
            "rcode": dns.rcode.to_text(self.rcode) if self.rcode is not None else None,
            "flags": [flag for flag in ("aa", "ra", "tc") if getattr(self, flag)],
            "answer": [str(record) for record in self.answer],
            "authority": [str(record) for record in self.authority],
            "additional": [str(record) for record in self.additional],
            "tries": self.tries,
            "ms": self.ms,
            "edns": self.edns,
            "opt": self.opt,
            "expire": self.expire,
            "answered_from": {"address": str(there.address), "port": there.port} if (there := self.answered_from) else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Probe:
        """Read what ``to_json`` gave."""
        set_flags = texts(value, "flags")
        rcode = optional(value, "rcode", text)
        outcome = Outcome(text(value, "outcome"))
        return cls(
            rung=choice(value, "rung", (*RUNGS, *BESIDE)),
            zone=dns.name.from_text(text(value, "zone")),
            server=dns.name.from_text(text(value, "server")),
            address=ip_address(text(value, "address")),
            port=whole(value, "port"),
            transport="tcp" if choice(value, "transport", ("udp", "tcp")) == "tcp" else "udp",
            qname=dns.name.from_text(text(value, "qname")),
            qtype=dns.rdatatype.from_text(text(value, "qtype")),
            outcome=outcome,
            rcode=dns.rcode.from_text(rcode) if rcode is not None else None,
            aa="aa" in set_flags,
            ra="ra" in set_flags,
            tc="tc" in set_flags,
            answer=tuple(map(Record.from_text, texts(value, "answer"))),
            authority=tuple(map(Record.from_text, texts(value, "authority"))),
            additional=tuple(map(Record.from_text, texts(value, "additional"))),
            tries=whole(value, "tries"),
            ms=number(value, "ms"),
            edns=truth(value, "edns"),
            opt=truth(value, "opt") if "opt" in value else False,
            expire=whole(value, "expire") if value.get("expire") is not None else None,
            answered_from=_endpoint(table(value, "answered_from")) if value.get("answered_from") else None,
        )


def _endpoint(value: Mapping[str, Any]) -> Endpoint:
    return Endpoint(ip_address(text(value, "address")), whole(value, "port"))


@dataclass(frozen=True, slots=True)
class ControlFact:
    """What a name server says of the domain over its control socket: the entry of its status, or why there is none."""

    server: Name
    status: Mapping[str, Any] | None
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return this fact as JSON values."""
        return {
            "server": str(self.server),
            "status": dict(self.status) if self.status is not None else None,
            "problem": self.problem,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ControlFact:
        """Read what ``to_json`` gave."""
        return cls(dns.name.from_text(text(value, "server")), optional(value, "status", table), text(value, "problem"))


class ZoneFileFact(NamedTuple):
    """The zone file on the primary as it was read: its records, or why it is no zone."""

    file: str
    records: tuple[Record, ...] = ()
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return this fact as JSON values."""
        return {"file": self.file, "records": [str(record) for record in self.records], "problem": self.problem}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> ZoneFileFact:
        """Read what ``to_json`` gave."""
        return cls(text(value, "file"), tuple(map(Record.from_text, texts(value, "records"))), text(value, "problem"))


@dataclass(frozen=True)
class Facts:
    """All that one look at the world brought.

    Attributes:
        at: when the look ended, in UTC.
        start: the highest rung that was asked (``--from``); nothing is known of those above.
        expected: the records that the plan means (the SOA's serial is 0: a plan has none); without a plan, those that are served.
        planned: whether an owner's plan says what is meant; without one nothing is known but what was seen.
        asked: the name that a person asked about, where it is no zone but a name in this one.
        transfers: transfers that were tried from here, where a secondary is not in step.
        knocks: what other ports of machines said whose DNS or mail port is mute.
        registration: what the registry's RDAP server said of the domain, where it was asked.
        dnsbl: the block lists that were asked.
        seconds: how long it took.

    """

    domain: Name
    at: datetime
    start: str = "resolver"
    probes: tuple[Probe, ...] = ()
    mail: tuple[MailProbe, ...] = ()
    control: tuple[ControlFact, ...] = ()
    zone_file: ZoneFileFact | None = None
    expected: tuple[Record, ...] = ()
    planned: bool = True
    asked: Name | None = None
    knocks: tuple[Knock, ...] = ()
    registration: RegistrationFact | None = None
    dnsbl: tuple[Name, ...] = ()
    transfers: tuple[TransferTry, ...] = ()
    queries: int = 0
    seconds: float = field(default=0.0, compare=False)

    def asks(self, rung: str) -> bool:
        """Tell whether this look began at this rung or above it."""
        return RUNGS.index(self.start) <= RUNGS.index(rung)

    @cached_property
    def _latest(self) -> dict[tuple[str, IPAddress, str, Name, RdataType], Probe]:
        return {(p.rung, p.address, p.transport, p.qname, p.qtype): p for p in self.probes}

    def probe(self, address: IPAddress, transport: Transport, qname: Name, qtype: RdataType) -> Probe | None:
        """Return the last time a name server was asked this; a second look overrules the first."""
        return self._latest.get(("servers", address, transport, qname, qtype))

    @cached_property
    def _by_address(self) -> dict[IPAddress, list[Probe]]:
        found: dict[IPAddress, list[Probe]] = {}
        for probe in self.at_rung("servers"):
            found.setdefault(probe.address, []).append(probe)
        return found

    def asked_at(self, address: IPAddress) -> Sequence[Probe]:
        """Return what one address of a name server was asked, the last of each question."""
        return self._by_address.get(address, ())

    def is_asked_whole(self, address: IPAddress) -> bool:
        """Tell whether an address was asked for all that is of interest, and not only whether it is the server of another one."""
        return any(p.qname != self.domain and p.qname.is_subdomain(self.domain) for p in self.asked_at(address))

    def at_rung(self, rung: str) -> Iterator[Probe]:
        """Iterate over the probes of one rung, the last of each question."""
        return (probe for probe in self._latest.values() if probe.rung == rung)

    def expects(self, owner: Name, rdtype: RdataType) -> tuple[Rdata, ...]:
        """Return the rdatas that the plan means for one RRset."""
        return tuple(record.rdata for record in self.expected if record.rdata.rdtype == rdtype and record.owner == owner)

    def status(self, server: Name) -> Mapping[str, Any] | None:
        """Return what this server says of the domain over its control socket, where it could be asked."""
        return next((fact.status for fact in self.control if fact.server == server), None)

    def to_json(self) -> dict[str, Any]:
        """Return the facts as one JSON document. There are no secrets in it."""
        return {
            "schema": SCHEMA,
            "domain": str(self.domain),
            "at": self.at.isoformat(),
            "from": self.start,
            "probes": [probe.to_json() for probe in self.probes],
            "mail": [probe.to_json() for probe in self.mail],
            "control": [fact.to_json() for fact in self.control],
            "zone_file": self.zone_file.to_json() if self.zone_file else None,
            "expected": [str(record) for record in self.expected],
            "planned": self.planned,
            "asked": str(self.asked) if self.asked is not None else None,
            "knocks": [knock.to_json() for knock in self.knocks],
            "registration": self.registration.to_json() if self.registration else None,
            "dnsbl": [str(one) for one in self.dnsbl],
            "transfers": [one.to_json() for one in self.transfers],
            "queries": self.queries,
            "seconds": self.seconds,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Facts:
        """Read what ``to_json`` gave."""
        from mailname.checks.facts_transfer import TransferTry
        from mailname.checks.rdap import RegistrationFact

        zone_file = optional(value, "zone_file", table)
        asked = optional(value, "asked", text)
        return cls(
            domain=dns.name.from_text(text(value, "domain")),
            at=moment(value, "at"),
            start=choice(value, "from", RUNGS),
            probes=tuple(map(Probe.from_json, items(value, "probes"))),
            mail=tuple(map(MailProbe.from_json, items(value, "mail"))),
            control=tuple(map(ControlFact.from_json, items(value, "control"))),
            zone_file=ZoneFileFact.from_json(zone_file) if zone_file else None,
            expected=tuple(map(Record.from_text, texts(value, "expected"))),
            planned=truth(value, "planned"),
            asked=dns.name.from_text(asked) if asked is not None else None,
            knocks=tuple(map(Knock.from_json, items(value, "knocks"))) if "knocks" in value else (),
            registration=RegistrationFact.from_json(table(value, "registration")) if value.get("registration") else None,
            dnsbl=tuple(map(dns.name.from_text, texts(value, "dnsbl"))) if "dnsbl" in value else (),
            transfers=tuple(map(TransferTry.from_json, items(value, "transfers"))) if "transfers" in value else (),
            queries=whole(value, "queries"),
            seconds=number(value, "seconds"),
        )
