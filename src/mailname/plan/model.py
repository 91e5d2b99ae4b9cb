"""The plan: what the owner of a mail domain wants, as one immutable value.

The descriptions here are also what an editor shows (``mailname schema``). Reading a file with its positions is ``load``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mailname.plan import names, values
from mailname.plan.table import inner, several, table, value

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.plan.address import IPAddress, IPNetwork

Role = Literal["primary", "secondary"]
Engine = Literal["builtin", "bind", "knot", "nsd"]
Algorithm = Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"]

_NAME_TEXT = "A name with a dot is a full name; one without stands in the domain; '@' is the domain itself."


@table
class Soa:
    """The zone's timers (RFC 1035 section 3.3.13). The defaults satisfy every registry that we know of."""

    refresh: int = value(
        values.SECONDS, "How often a secondary asks for the serial when no NOTIFY came. Default 4 hours.", default=14400
    )
    retry: int = value(
        values.SECONDS, "How soon a secondary asks again when the primary was silent. Default 1 hour.", default=3600
    )
    expire: int = value(
        values.SECONDS, "When a secondary that cannot reach the primary stops answering. Default 2 weeks.", default=1209600
    )
    minimum: int = value(
        values.SECONDS,
        "How long 'there is no such name' may be remembered (RFC 2308 section 5). Default 1 hour.",
        default=3600,
    )


@table
class NameServer:
    """One server that answers for the domain."""

    name: Name = value(values.HOST_NAME, f"The server's name, as the registry and the NS record give it. {_NAME_TEXT}")
    addresses: tuple[IPAddress, ...] = several(
        values.ADDRESS,
        "Its public addresses, IPv4 and IPv6: glue when the name is in the domain, and who may transfer.",
        at_least=1,
    )
    role: Role = value(
        values.ROLE, "The primary holds the zone file; a secondary transfers the zone from it. Exactly one is primary."
    )
    engine: Engine = value(values.ENGINE, "Which program serves the zone there.", default="builtin")
    tls_pin: str | None = value(
        values.PIN,
        "The pin of its certificate, as 'mailname key pin' prints it. Where the primary has one, the zone is "
        "transferred over TLS only (RFC 9103).",
        default=None,
    )
    ssh: str | None = value(
        values.SSH_TARGET,
        "How SSH reaches the host, as in admin@ns1.example.net: 'mailname status PLAN' asks the server there.",
        default=None,
    )


@table
class MailHost:
    """One host that receives the domain's mail."""

    name: Name = value(values.HOST_NAME, f"The host that the MX record names. {_NAME_TEXT}")
    preference: int = value(values.PREFERENCE, "The host with the lowest number is tried first.", default=10)
    addresses: tuple[IPAddress, ...] = several(
        values.ADDRESS,
        "Its public addresses. Leave them away when the name has them elsewhere or is outside the domain.",
        default=(),
    )
    ssh: str | None = value(values.SSH_TARGET, "How SSH reaches it, where it is no name server as well.", default=None)


@table
class Record:
    """Extra records of one name and one type."""

    name: Name = value(values.OWNER_NAME, f"The owner. {_NAME_TEXT}")
    type: str = value(values.TEXT, "The record type, as in TXT, CAA, SRV, CNAME.")
    data: tuple[str, ...] = several(
        values.TEXT,
        "The data as zone files write it; a list makes several records. TXT may leave its quotes away.",
        at_least=1,
        one_will_do=True,
    )
    ttl: int | None = value(values.SECONDS, "How long resolvers may remember it. Default: the plan's ttl.", default=None)


@table
class Pointer:
    """One address and the name that its PTR record gives."""

    address: IPAddress = value(values.ADDRESS, "An address inside the prefix.")
    name: Name = value(values.HOST_NAME, f"The name that the address points to. {_NAME_TEXT}")


@table
class ReverseZone:
    """Reverse DNS for address space of one's own, served by the same name servers."""

    prefix: IPNetwork = value(values.PREFIX, "An IPv4 /8, /16 or /24, or an IPv6 prefix whose length is a multiple of 4.")
    ptr: tuple[Pointer, ...] = several(
        Pointer, "PTR records for hosts that the plan does not name, or in place of those that it would make.", default=()
    )


@table
class TransferKey:
    """The name of the TSIG key (RFC 8945) that signs transfers. The secret is in a file of mode 600, never in the plan."""

    name: Name = value(values.HOST_NAME, f"The key's name, the same on both servers. {_NAME_TEXT}")
    algorithm: Algorithm = value(values.ALGORITHM, "The MAC's algorithm.", default="hmac-sha256")


@table
class OtherTtl:
    """Another TTL for the records of one name and type that the plan makes from its own tables."""

    name: Name = value(values.OWNER_NAME, f"The owner. {_NAME_TEXT}")
    type: str = value(values.MADE_TYPE, "The record type.")
    ttl: int = value(values.SECONDS, "How long resolvers may remember them, in place of the plan's ttl.")


@table
class Update:
    """A TSIG key that may change a few names by dynamic update (RFC 2136). The secret is in a file of mode 600."""

    key: Name = value(values.HOST_NAME, f"The key's name; the primary finds it in keys/NAME.key. {_NAME_TEXT}")
    names: tuple[Name, ...] = several(
        values.OWNER_NAME, 'What it may change: names, or "*.NAME" for all below NAME, as full names.', at_least=1
    )
    types: tuple[str, ...] = several(
        values.RECORD_TYPE, "Which types of records. Without it, all but SOA, NS and what DNSSEC makes.", default=()
    )


@table
class CatalogTable:
    """The catalog zone (RFC 9432) from which the secondaries learn which zones the primary has."""

    name: Name = value(values.CATALOG_NAME, f"The catalog's name, the same in every plan of these name servers. {_NAME_TEXT}")
    groups: tuple[str, ...] = several(
        values.GROUP, "Words by which a secondary may treat this plan's zones in its own way.", one_will_do=True, default=()
    )
    gives_to: Name | None = value(
        values.HOST_NAME, "Another catalog, which may take this plan's zones over: the change of ownership.", default=None
    )


@table
class Hosts:
    """How the machines themselves are to be: what 'mailname host' checks and prepares."""

    administrator: str = value(
        values.USER,
        "The user that administers the hosts, with sudo; 'mailname host prepare' makes it.",
        default="admin",
    )
    ssh_keys: tuple[str, ...] = several(
        values.SSH_KEY,
        "The SSH public keys that let him in. Without them, those that let you in when the host is prepared.",
        default=(),
    )
    password_logins: bool = value(values.TRUTH, "Whether SSH may ask for passwords. Default false: keys only.", default=False)
    time_zone: str = value(values.TIME_ZONE, "The hosts' time zone.", default="Etc/UTC")
    mail_ports: tuple[int, ...] = several(
        values.PORT,
        "The TCP ports that are open on a mail host. Add 4190 for ManageSieve.",
        default=(25, 465, 587, 993),
    )
    open_ports: tuple[tuple[int, str], ...] = several(
        values.SERVICE,
        'What else may be reached on every host, as in "443/tcp"; what listens there is then no finding.',
        default=(),
    )


@table
class Plan:
    """One mail domain: its name servers, its mail hosts, and what else its zone holds."""

    domain: Name = value(values.DOMAIN_NAME, "The domain, as registered. Names that are not ASCII may be written as they are.")
    contact: str = value(values.MAILBOX, "The mailbox of the person who is responsible for the zone; stands in the SOA record.")
    website: tuple[IPAddress, ...] = several(
        values.ADDRESS, "The default A and AAAA records: where the domain's website is.", default=()
    )
    ttl: int = value(values.SECONDS, "How long resolvers may remember the zone's records. Default 1 hour.", default=3600)
    soa: Soa = inner(Soa, "The zone's timers.", default=Soa())
    name_servers: tuple[NameServer, ...] = several(
        NameServer, "The name servers, in the order in which they are published.", key="name_server", at_least=1
    )
    mail_hosts: tuple[MailHost, ...] = several(MailHost, "The hosts that receive the domain's mail.", key="mail_host", default=())
    records: tuple[Record, ...] = several(Record, "Extra records, one table for each name and type.", key="record", default=())
    zone_text: str = value(values.TEXT, "Extra records as zone-file text. There, a full name needs its trailing dot.", default="")
    other_ttls: tuple[OtherTtl, ...] = several(
        OtherTtl,
        "Names and types of the plan's own tables that have another TTL than the plan's.",
        key="other_ttl",
        default=(),
    )
    reverse_zones: tuple[ReverseZone, ...] = several(
        ReverseZone, "Reverse zones, for those who own their address space.", key="reverse_zone", default=()
    )
    transfer_key: TransferKey | None = inner(
        TransferKey, "The TSIG key that signs transfers between the name servers.", default=None
    )
    updates: tuple[Update, ...] = several(
        Update, "Keys that may change some names by themselves, such as a certificate client's.", key="update", default=()
    )
    catalog: CatalogTable | None = inner(
        CatalogTable,
        "The catalog zone: a zone that is added at the primary appears at the secondaries by itself.",
        default=None,
    )
    hosts: Hosts = inner(Hosts, "How the machines themselves are to be.", default=Hosts())

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
