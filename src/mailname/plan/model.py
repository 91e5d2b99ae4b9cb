"""The plan: what the owner of a mail domain wants, as one immutable value.

The descriptions here are also what an editor shows (``mailname schema``). Reading a file with its positions is ``load``.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import dns.rdatatype
from dns.name import Name
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationInfo, WithJsonSchema

from mailname.plan import names
from mailname.plan.address import IPAddress, IPNetwork, read_address
from mailname.plan.duration import MAXIMUM, PATTERN, read_seconds
from mailname.plan.fault import WrongValueError, closest
from mailname.plan.host_fields import read_service, read_ssh_key, read_time_zone, read_user
from mailname.plan.prefixes import read_prefix
from mailname.wire.certificate import read_pin

Role = Literal["primary", "secondary"]
Engine = Literal["builtin", "bind", "knot", "nsd"]
Algorithm = Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"]

_NAMED = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise WrongValueError(f"This is {_NAMED.get(type(value), 'a date')}; text is needed.", 'Write it in quotes: "...".')
    return value


def _domain_of(info: ValidationInfo) -> Name:
    context = info.context
    assert isinstance(context, dict)
    domain = context["domain"]
    assert isinstance(domain, Name)
    return domain


def _choice(what: str, known: tuple[str, ...], synonyms: dict[str, str]) -> PlainValidator:
    def read(value: object) -> str:
        text = _text(value)
        if text in known:
            return text
        *others, last = [f'"{word}"' for word in known]
        meant = closest(text, known, synonyms)
        hint = f'Did you mean "{meant}"?' if meant else f"Write {', '.join(others)} or {last}."
        raise WrongValueError(f"'{text}' is not {what}.", hint, instead=meant)

    return PlainValidator(read)


def _number(value: object, high: int, low: int = 0) -> int:
    if isinstance(value, str) and value.isdecimal():
        raise WrongValueError(f'"{value}" is text, not a number.', f"Write {int(value)} without quotes.", instead=int(value))
    if isinstance(value, bool) or not isinstance(value, int):
        raise WrongValueError("This must be a whole number.", f"Write a number from {low} to {high}.")
    if not low <= value <= high:
        raise WrongValueError(f"{value} is out of range.", f"Write a number from {low} to {high}.")
    return value


_NAME_TEXT = "A name with a dot is a full name; one without stands in the domain; '@' is the domain itself."

DomainName = Annotated[Name, PlainValidator(lambda v: names.read_domain(_text(v))), WithJsonSchema({"type": "string"})]
HostName = Annotated[
    Name, PlainValidator(lambda v, info: names.read_host(_text(v), _domain_of(info))), WithJsonSchema({"type": "string"})
]
OwnerName = Annotated[
    Name, PlainValidator(lambda v, info: names.read_owner(_text(v), _domain_of(info))), WithJsonSchema({"type": "string"})
]
Address = Annotated[
    IPAddress,
    PlainValidator(lambda v: read_address(_text(v))),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}),
]
Prefix = Annotated[IPNetwork, PlainValidator(lambda v: read_prefix(_text(v))), WithJsonSchema({"type": "string"})]
Seconds = Annotated[
    int,
    PlainValidator(read_seconds),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": MAXIMUM}, {"type": "string", "pattern": PATTERN}]}),
]
Preference = Annotated[
    int, PlainValidator(lambda v: _number(v, 65535)), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 65535})
]
Port = Annotated[
    int, PlainValidator(lambda v: _number(v, 65535, 1)), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": 65535})
]
Text = Annotated[str, PlainValidator(_text), WithJsonSchema({"type": "string"})]


def _pin(value: object) -> str:
    try:
        return read_pin(_text(value))
    except ValueError as error:
        raise WrongValueError(f"This is no pin: {error}.", "Print it: mailname key pin CERTIFICATE") from error


Pin = Annotated[str, PlainValidator(_pin), WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9+/]{43}=$"})]


def _mailbox(value: object) -> str:
    names.read_mailbox(_text(value))
    return _text(value)


Mailbox = Annotated[str, PlainValidator(_mailbox), WithJsonSchema({"type": "string", "format": "idn-email"})]


def _ssh_target(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z0-9_\[][A-Za-z0-9_.@:\[\]%-]*", text):
        raise WrongValueError(f"'{text}' is no SSH target.", "Write host, user@host, or a Host of your ssh_config.")
    return text


SshTarget = Annotated[str, PlainValidator(_ssh_target), WithJsonSchema({"type": "string"})]


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise WrongValueError("This must be true or false.", "Write true or false, without quotes.")
    return value


Truth = Annotated[bool, PlainValidator(_truth), WithJsonSchema({"type": "boolean"})]
User = Annotated[str, PlainValidator(lambda v: read_user(_text(v))), WithJsonSchema({"type": "string"})]
SshKey = Annotated[str, PlainValidator(lambda v: read_ssh_key(_text(v))), WithJsonSchema({"type": "string"})]
TimeZone = Annotated[str, PlainValidator(lambda v: read_time_zone(_text(v))), WithJsonSchema({"type": "string"})]
Service = Annotated[
    tuple[int, str],
    PlainValidator(lambda v: read_service(_text(v))),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]+/(tcp|udp)$"}),
]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class _Table(BaseModel):
    # Deferred: a table's own reader is made when it is first used alone; most plans need that of the whole plan only.
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


class Soa(_Table):
    """The zone's timers (RFC 1035 section 3.3.13). The defaults satisfy every registry that we know of."""

    refresh: Seconds = Field(14400, description="How often a secondary asks for the serial when no NOTIFY came. Default 4 hours.")
    retry: Seconds = Field(3600, description="How soon a secondary asks again when the primary was silent. Default 1 hour.")
    expire: Seconds = Field(
        1209600, description="When a secondary that cannot reach the primary stops answering. Default 2 weeks."
    )
    minimum: Seconds = Field(
        3600, description="How long 'there is no such name' may be remembered (RFC 2308 section 5). Default 1 hour."
    )


class NameServer(_Table):
    """One server that answers for the domain."""

    name: HostName = Field(description=f"The server's name, as the registry and the NS record give it. {_NAME_TEXT}")
    addresses: tuple[Address, ...] = Field(
        min_length=1,
        description="Its public addresses, IPv4 and IPv6: glue when the name is in the domain, and who may transfer.",
    )
    role: Annotated[
        Role,
        _choice(
            "a role",
            ("primary", "secondary"),
            {"master": "primary", "main": "primary", "slave": "secondary", "backup": "secondary"},
        ),
        WithJsonSchema({"enum": ["primary", "secondary"]}),
    ] = Field(description="The primary holds the zone file; a secondary transfers the zone from it. Exactly one is primary.")
    engine: Annotated[
        Engine,
        _choice(
            "an engine",
            ("builtin", "bind", "knot", "nsd"),
            {"mailname": "builtin", "named": "bind", "bind9": "bind", "knotd": "knot"},
        ),
        WithJsonSchema({"enum": ["builtin", "bind", "knot", "nsd"]}),
    ] = Field("builtin", description="Which program serves the zone there.")
    tls_pin: Pin | None = Field(
        None,
        description="The pin of its certificate, as 'mailname key pin' prints it. Where the primary has one, the zone is "
        "transferred over TLS only (RFC 9103).",
    )
    ssh: SshTarget | None = Field(
        None,
        description="How SSH reaches the host, as in admin@ns1.example.net: 'mailname status PLAN' asks the server there.",
    )


class MailHost(_Table):
    """One host that receives the domain's mail."""

    name: HostName = Field(description=f"The host that the MX record names. {_NAME_TEXT}")
    preference: Preference = Field(10, description="The host with the lowest number is tried first.")
    addresses: tuple[Address, ...] = Field(
        (), description="Its public addresses. Leave them away when the name has them elsewhere or is outside the domain."
    )
    ssh: SshTarget | None = Field(None, description="How SSH reaches it, where it is no name server as well.")


class Record(_Table):
    """Extra records of one name and one type."""

    name: OwnerName = Field(description=f"The owner. {_NAME_TEXT}")
    type: Text = Field(description="The record type, as in TXT, CAA, SRV, CNAME.")
    data: Annotated[
        tuple[Text, ...],
        BeforeValidator(_listed),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
    ] = Field(
        min_length=1, description="The data as zone files write it; a list makes several records. TXT may leave its quotes away."
    )
    ttl: Seconds | None = Field(None, description="How long resolvers may remember it. Default: the plan's ttl.")


class Pointer(_Table):
    """One address and the name that its PTR record gives."""

    address: Address = Field(description="An address inside the prefix.")
    name: HostName = Field(description=f"The name that the address points to. {_NAME_TEXT}")


class ReverseZone(_Table):
    """Reverse DNS for address space of one's own, served by the same name servers."""

    prefix: Prefix = Field(description="An IPv4 /8, /16 or /24, or an IPv6 prefix whose length is a multiple of 4.")
    ptr: tuple[Pointer, ...] = Field(
        (), description="PTR records for hosts that the plan does not name, or in place of those that it would make."
    )


class TransferKey(_Table):
    """The name of the TSIG key (RFC 8945) that signs transfers. The secret is in a file of mode 600, never in the plan."""

    name: HostName = Field(description=f"The key's name, the same on both servers. {_NAME_TEXT}")
    algorithm: Annotated[
        Algorithm,
        _choice(
            "an algorithm that we use",
            ("hmac-sha256", "hmac-sha384", "hmac-sha512"),
            {
                "hmac_md5": "hmac-sha256",
                "hmac_md5.sig_alg.reg.int": "hmac-sha256",
                "hmac_sha1": "hmac-sha256",
                "sha256": "hmac-sha256",
            },
        ),
        WithJsonSchema({"enum": ["hmac-sha256", "hmac-sha384", "hmac-sha512"]}),
    ] = Field("hmac-sha256", description="The MAC's algorithm.")


def _record_type(value: object) -> str:
    text = _text(value).upper()
    try:
        meta = dns.rdatatype.is_metatype(dns.rdatatype.from_text(text))
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        meta = True
    if meta:
        raise WrongValueError(f"'{text}' is not a type of records.", 'Write one as zone files do: "TXT".')
    return text


RecordType = Annotated[str, PlainValidator(_record_type), WithJsonSchema({"type": "string"})]


class Update(_Table):
    """A TSIG key that may change a few names by dynamic update (RFC 2136). The secret is in a file of mode 600."""

    key: HostName = Field(description=f"The key's name; the primary finds it in keys/NAME.key. {_NAME_TEXT}")
    names: tuple[OwnerName, ...] = Field(
        min_length=1, description='What it may change: names, or "*.NAME" for all below NAME, as full names.'
    )
    types: tuple[RecordType, ...] = Field(
        (), description="Which types of records. Without it, all but SOA, NS and what DNSSEC makes."
    )


def _catalog_name(value: object, info: ValidationInfo) -> Name:
    name = names.read_host(_text(value), domain := _domain_of(info))
    if name == domain:
        raise WrongValueError("This is the domain itself.", f"Give the catalog a name of its own: catalog.{names.say(domain)}.")
    return name


CatalogName = Annotated[Name, PlainValidator(_catalog_name), WithJsonSchema({"type": "string"})]


class CatalogTable(_Table):
    """The catalog zone (RFC 9432) from which the secondaries learn which zones the primary has."""

    name: CatalogName = Field(description=f"The catalog's name, the same in every plan of these name servers. {_NAME_TEXT}")
    groups: Annotated[
        tuple[Annotated[Text, Field(min_length=1, max_length=255)], ...],
        BeforeValidator(_listed),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
    ] = Field((), description="Words by which a secondary may treat this plan's zones in its own way.")
    gives_to: HostName | None = Field(
        None, description="Another catalog, which may take this plan's zones over: the change of ownership."
    )


class Hosts(_Table):
    """How the machines themselves are to be: what 'mailname host' checks and prepares."""

    administrator: User = Field(
        "admin", description="The user that administers the hosts, with sudo; 'mailname host prepare' makes it."
    )
    ssh_keys: tuple[SshKey, ...] = Field(
        (), description="The SSH public keys that let him in. Without them, those that let you in when the host is prepared."
    )
    password_logins: Truth = Field(default=False, description="Whether SSH may ask for passwords. Default false: keys only.")
    time_zone: TimeZone = Field("Etc/UTC", description="The hosts' time zone.")
    mail_ports: tuple[Port, ...] = Field(
        (25, 465, 587, 993), description="The TCP ports that are open on a mail host. Add 4190 for ManageSieve."
    )
    open_ports: tuple[Service, ...] = Field(
        (), description='What else may be reached on every host, as in "443/tcp"; what listens there is then no finding.'
    )


class Plan(_Table):
    """One mail domain: its name servers, its mail hosts, and what else its zone holds."""

    domain: DomainName = Field(description="The domain, as registered. Names that are not ASCII may be written as they are.")
    contact: Mailbox = Field(description="The mailbox of the person who is responsible for the zone; stands in the SOA record.")
    website: tuple[Address, ...] = Field((), description="The default A and AAAA records: where the domain's website is.")
    ttl: Seconds = Field(3600, description="How long resolvers may remember the zone's records. Default 1 hour.")
    soa: Soa = Field(default=Soa.model_validate({}), description="The zone's timers.")
    name_servers: tuple[NameServer, ...] = Field(
        alias="name_server", min_length=1, description="The name servers, in the order in which they are published."
    )
    mail_hosts: tuple[MailHost, ...] = Field((), alias="mail_host", description="The hosts that receive the domain's mail.")
    records: tuple[Record, ...] = Field((), alias="record", description="Extra records, one table for each name and type.")
    zone_text: Text = Field("", description="Extra records as zone-file text. There, a full name needs its trailing dot.")
    reverse_zones: tuple[ReverseZone, ...] = Field(
        (), alias="reverse_zone", description="Reverse zones, for those who own their address space."
    )
    transfer_key: TransferKey | None = Field(None, description="The TSIG key that signs transfers between the name servers.")
    updates: tuple[Update, ...] = Field(
        (), alias="update", description="Keys that may change some names by themselves, such as a certificate client's."
    )
    catalog: CatalogTable | None = Field(
        None, description="The catalog zone: a zone that is added at the primary appears at the secondaries by itself."
    )

    hosts: Hosts = Field(default=Hosts.model_validate({}), description="How the machines themselves are to be.")

    @property
    def primary(self) -> NameServer:
        """The one server that holds the zone file."""
        return next(server for server in self.name_servers if server.role == "primary")

    @property
    def secondaries(self) -> tuple[NameServer, ...]:
        """The servers that transfer the zone, in published order."""
        return tuple(server for server in self.name_servers if server.role == "secondary")

    @property
    def rname(self) -> Name:
        """The contact as the SOA's RNAME."""
        return names.read_mailbox(self.contact)

    def holds(self, name: Name) -> bool:
        """Tell whether a name is in-domain (RFC 9499): the domain itself or below it."""
        return name.is_subdomain(self.domain)
