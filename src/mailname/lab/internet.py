"""The Internet around a domain: root, TLDs, and the providers of those hosts that are not in the domain.

One server plays the root, two play every TLD, one plays all providers. All their addresses are from 198.18.0.0/15, which RFC 2544
sets aside for tests between networks, so that they meet neither a real address nor one of a plan's.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import dns.name
import dns.reversename
from dns.name import Name

from mailname.errors import HostError
from mailname.lab.authority import Authority
from mailname.lab.registry import Hosts, Registration, Registry, host_zone
from mailname.server.network import Endpoint, IPAddress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from mailname.server.network import Network
    from mailname.zone import Zone

TEST_NETWORK = IPv4Network("198.18.0.0/15")
ROOT_SERVER = dns.name.from_text("a.root-servers.invalid.")


class Internet:
    """Root, TLDs and providers, and the registry at which the domain's delegation is entered."""

    def __init__(
        self, network: Network, domain: Name, foreign: Mapping[Name, tuple[IPAddress, ...]], addresses: Addresses
    ) -> None:
        """Lay the world out; nothing is bound yet.

        Args:
            network: where all of it listens.
            domain: the plan's domain. It is not registered yet.
            foreign: hosts outside the domain, with their addresses.
            addresses: who lives where.

        """
        if len(domain.labels) < 3:
            raise HostError(
                f"{domain} cannot be rehearsed: it stands directly below the root",
                remedy="Rehearse a domain below a top-level domain, such as example.tech.",
                step="lab",
            )
        self.domain = domain
        self.addresses = addresses
        self.root = Authority(network, (Endpoint(addresses.root),))
        self.tld_servers = tuple(Authority(network, (Endpoint(address),)) for address in addresses.tld)
        self.providers = Authority(network, (Endpoint(addresses.provider),))
        self._registries: dict[Name, Registry] = {}
        self._held_back: list[Authority] = []
        self._made: tuple[Zone, ...] = ()
        self._root_registry = Registry(dns.name.root, ((ROOT_SERVER, (addresses.root,)),))
        self._layout = _lay_out(domain, foreign)
        self._provider_zones = {apex: dict(hosts) for apex, hosts in self._layout.zones.items()}
        for tld in self._layout.tlds:
            self._add_tld(tld)
        for apex in self._provider_zones:
            self._add_provider(apex)
        self.publish()

    @property
    def registry(self) -> Registry:
        """The registry that is responsible for the domain."""
        return self._registries[_tld(self.domain)]

    @property
    def root_hints(self) -> tuple[tuple[Name, IPAddress], ...]:
        """The root server, as a resolver is told it."""
        return ((ROOT_SERVER, self.addresses.root),)

    @property
    def tld_hosts(self) -> Hosts:
        """The name servers of the domain's TLD."""
        return self.registry.servers

    def _add_tld(self, tld: Name) -> None:
        names = tld_server_names(tld, self._layout.names)
        servers = tuple((name, (address,)) for name, address in zip(names, self.addresses.tld, strict=True))
        hosts = tuple(self._layout.in_tld.get(tld, {}).items())
        self._registries[tld] = Registry(tld, servers, hosts)
        self._root_registry.register(Registration(tld, tuple(names), servers))

    def _add_provider(self, apex: Name) -> None:
        server = _provider_server(apex)
        self._provider_zones[apex][server] = (self.addresses.provider,)
        self._registries[_tld(apex)].register(Registration(apex, (server,), ((server, (self.addresses.provider,)),)))

    def delegate(self, entry: Registration) -> None:
        """Enter a domain at the registry of its TLD; the TLD's servers know of it at the next ``publish``."""
        tld = _tld(entry.domain)
        if tld not in self._registries:
            self._add_tld(tld)
        self._registries[tld].register(entry)

    def point(self, address: IPAddress, host: Name | None) -> None:
        """Give an address a name, as whoever rents it out does (PTR), or take it away; to be seen at the next ``publish``."""
        owner = dns.reversename.from_address(str(address))
        if _tld(owner) not in self._registries:
            self._add_tld(_tld(owner))
        self._registries[_tld(owner)].point(owner, host)

    def provide(self, apex: Name, hosts: Mapping[Name, tuple[IPAddress, ...]]) -> None:
        """Let somebody else's zone hold these hosts; to be seen at the next ``publish``."""
        if _tld(apex) not in self._registries:
            self._add_tld(_tld(apex))
        self._provider_zones[apex] = dict(hosts)
        self._add_provider(apex)

    def set_provider_host(self, host: Name, addresses: tuple[IPAddress, ...]) -> None:
        """Change the addresses that a provider has for a host; none removes them."""
        for apex, hosts in self._provider_zones.items():
            if host.is_subdomain(apex):
                hosts[host] = addresses

    def publish(self) -> None:
        """Bring every zone of the world up to date with its registry."""
        self.prepare()
        for server in self.tld_servers:
            if server not in self._held_back:
                self.learn(server)
        for apex, hosts in self._provider_zones.items():
            self.providers.put(host_zone(apex, _provider_server(apex), hosts))

    def prepare(self) -> None:
        """Make the registries' zones anew; the TLDs' servers ``learn`` of them one by one."""
        self.root.put(self._root_registry.zone())
        self._made = tuple(registry.zone() for registry in self._registries.values())

    def learn(self, server: Authority) -> None:
        """Let one of the TLDs' servers have the zones that were made last."""
        for zone in self._made:
            server.put(zone)

    def hold_back(self, *addresses: IPAddress) -> None:
        """Let these of the registry's servers learn of nothing new, until they are given no more: ``hold_back()``."""
        self._held_back = [server for server in self.tld_servers if server.at[0].address in addresses]

    async def stop_tlds(self) -> None:
        """Stop the registries' servers."""
        for server in self.tld_servers:
            await server.stop()

    async def start(self) -> None:
        """Bind all servers."""
        for authority in (self.root, *self.tld_servers, self.providers):
            await authority.start()

    async def stop(self) -> None:
        """Close all servers."""
        for authority in (self.root, *self.tld_servers, self.providers):
            await authority.stop()


def tld_server_names(tld: Name, taken: Iterable[Name]) -> list[Name]:
    """Return what the two servers of a TLD are called: ``a.nic`` and ``b.nic``, unless a plan has hosts there."""
    nic = Name((b"nic", *tld.labels))
    label = b"registry-of-the-lab" if any(name.is_subdomain(nic) for name in taken) else b"nic"
    return [Name((letter, label, *tld.labels)) for letter in (b"a", b"b")]


@dataclass(frozen=True, slots=True)
class Addresses:
    """Who lives where in 198.18.0.0/15."""

    root: IPAddress
    tld: tuple[IPAddress, IPAddress]
    provider: IPAddress
    resolver: IPAddress
    nobody: IPAddress
    spare: tuple[IPAddress, ...]

    @classmethod
    def beside(cls, taken: Iterable[IPAddress]) -> Addresses:
        """Choose addresses that the plan does not use."""
        used = set(taken)
        free = (address for address in TEST_NETWORK.hosts() if address not in used)
        root, first, second, provider, resolver, nobody, *spare = (next(free) for _ in range(32))
        return cls(root, (first, second), provider, resolver, nobody, tuple(spare))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which foreign host stands in which zone."""

    tlds: tuple[Name, ...]
    in_tld: Mapping[Name, Mapping[Name, tuple[IPAddress, ...]]]
    zones: Mapping[Name, Mapping[Name, tuple[IPAddress, ...]]]
    names: frozenset[Name]


def _lay_out(domain: Name, foreign: Mapping[Name, tuple[IPAddress, ...]]) -> _Layout:
    """Give each foreign host a zone: its parent name, unless that is a TLD or holds the domain itself."""
    in_tld: dict[Name, dict[Name, tuple[IPAddress, ...]]] = {}
    zones: dict[Name, dict[Name, tuple[IPAddress, ...]]] = {}
    # Short names first: ns.dns.provider.net then goes into provider.net's zone, if there is one.
    for host, addresses in sorted(foreign.items(), key=lambda one: len(one[0].labels)):
        parent = host.parent()
        upper = next((apex for apex in _ancestors(host) if apex in zones), None)
        if upper is not None:
            zones[upper][host] = addresses
        elif len(parent.labels) < 3 or domain.is_subdomain(parent):
            in_tld.setdefault(_tld(host), {})[host] = addresses
        else:
            zones[parent] = {host: addresses}
    tlds = dict.fromkeys(_tld(name) for name in (domain, *foreign))
    return _Layout(tuple(tlds), in_tld, zones, frozenset((domain, *foreign)))


def _ancestors(name: Name) -> Iterator[Name]:
    while len(name.labels) > 2:
        name = name.parent()
        yield name


def _tld(name: Name) -> Name:
    return Name(name.labels[-2:])


def _provider_server(apex: Name) -> Name:
    return Name((b"lab-provider", *apex.labels))
