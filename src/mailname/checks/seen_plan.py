"""What stands in a plan's place for a domain that has none: the same members, filled with what was seen, and nothing validated.

The checks read plans by their members, so these pass for ``mailname.plan``'s models, whose import takes longer than a look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.server.network import IPAddress


@dataclass(frozen=True, slots=True)
class SeenServer:
    """A name server, as ``mailname.plan.NameServer``."""

    name: Name
    addresses: tuple[IPAddress, ...]
    role: str
    engine: str = "builtin"
    tls_pin: None = None
    ssh: None = None


class SeenMailHost(NamedTuple):
    """A mail host, as ``mailname.plan.MailHost``."""

    name: Name
    preference: int
    addresses: tuple[IPAddress, ...] = ()
    ssh: None = None


class SeenSoa(NamedTuple):
    """The timers, as ``mailname.plan.Soa`` with its defaults."""

    refresh: int = 14400
    retry: int = 3600
    expire: int = 1209600
    minimum: int = 3600


class SeenHosts(NamedTuple):
    """What is planned of the machines, as ``mailname.plan.model.Hosts``: nobody may ask machines that nobody planned."""

    administrator: None = None


_HOSTS = SeenHosts()


@dataclass(frozen=True, slots=True)
class SeenPlan:
    """A plan, as ``mailname.plan.Plan``."""

    domain: Name
    name_servers: tuple[SeenServer, ...]
    mail_hosts: tuple[SeenMailHost, ...]
    soa: SeenSoa
    contact: str = ""
    website: tuple[IPAddress, ...] = ()
    ttl: int = 3600
    records: tuple[None, ...] = ()
    zone_text: str = ""
    other_ttls: tuple[None, ...] = ()
    reverse_zones: tuple[None, ...] = ()
    transfer_key: None = None
    catalog: None = None
    hosts: SeenHosts = _HOSTS
    updates: tuple[None, ...] = ()

    @property
    def primary(self) -> SeenServer:
        """The server whose data are taken for what is meant."""
        return next(server for server in self.name_servers if server.role == "primary")

    @property
    def secondaries(self) -> tuple[SeenServer, ...]:
        """The other servers."""
        return tuple(server for server in self.name_servers if server.role == "secondary")

    def holds(self, name: Name) -> bool:
        """Tell whether a name is in-domain (RFC 9499): the domain itself or below it."""
        return name.is_subdomain(self.domain)
