"""All that was found in one place, brought together: whose address is known from whom, who is primary, what has to be told.

A configuration's zones know of each other: the address of a name server stands in another zone, the key in another file.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import dns.exception
import dns.name
from dns.rdatatype import RdataType

from mailname.imports.new_plan import Known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name
    from dns.rdtypes.ANY.NS import NS

    from mailname.imports.found_zone import FoundZone
    from mailname.imports.named_conf import ConfiguredKey, ConfiguredZone
    from mailname.plan.address import IPAddress

_ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")
_EVERYBODY = frozenset({"any", "localhost", "localnets", "none"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of a zone beside its records.

    Attributes:
        known: what the plan is written with.
        notes: what no plan expresses, each with its place if it has one.

    """

    known: Known
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class Takeover:
    """What is known of all zones together.

    Attributes:
        zones: all that were found.
        given: addresses that were given, by name.
        primary: the primary that was given.
        keys: the keys of the configuration, by name.
        engine: the program that is to serve; see ``Known``.

    """

    zones: tuple[FoundZone, ...]
    given: Mapping[Name, tuple[IPAddress, ...]] = field(default_factory=dict)
    primary: Name | None = None
    keys: Mapping[str, ConfiguredKey] = field(default_factory=dict)
    engine: str = ""
    _elsewhere: dict[Name, tuple[IPAddress, ...]] = field(init=False)

    def __post_init__(self) -> None:
        found: defaultdict[Name, list[IPAddress]] = defaultdict(list)
        targets = {name for zone in self.zones for name in name_servers(zone)}
        zones = {zone.apex: zone for zone in self.zones}
        for name in targets:
            place = name
            while place not in zones and place != dns.name.root:
                place = place.parent()
            if place in zones:
                found[name] += addresses_in(zones[place], name)
        self._elsewhere = {name: tuple(addresses) for name, addresses in found.items()} | dict(self.given)

    def around(self, zone: FoundZone, configured: ConfiguredZone | None) -> Surroundings:
        """Return what is known of one zone."""
        if configured is None:
            return Surroundings(Known(self._elsewhere, self.primary, engine=self.engine))
        notes: list[str] = [str(mistake) for mistake in configured.mistakes]
        key, algorithm = self._key(zone, configured, notes)
        self._transfers(zone, configured, notes)
        if configured.updates:
            notes.append(
                f"{configured.at}: {', '.join(configured.updates)} may update the zone; the plan allows every name and all types "
                "but SOA, NS and DNSSEC's. Narrow [[update]] to what is needed."
            )
        elif configured.is_dynamic:
            notes.append(f"{configured.at}: Updates without a TSIG key are allowed there; a plan has no word for that.")
        primary = self.primary or self._primary(zone, configured)
        return Surroundings(Known(self._elsewhere, primary, key, algorithm, configured.updates, self.engine), tuple(notes))

    def _primary(self, zone: FoundZone, configured: ConfiguredZone) -> Name | None:
        """Return the name server at one of a secondary's primaries, if there is one."""
        if configured.role != "secondary":
            return None
        asked = {peer.address for peer in configured.peers}
        return next((name for name in name_servers(zone) if asked & {*self._addresses(zone, name)}), None)

    def _addresses(self, zone: FoundZone, name: Name) -> tuple[IPAddress, ...]:
        return tuple(addresses_in(zone, name)) or self._elsewhere.get(name, ())

    def _key(self, zone: FoundZone, configured: ConfiguredZone, notes: list[str]) -> tuple[str, str]:
        named = [name for name in configured.transfer_keys if name not in configured.updates] or list(configured.transfer_keys)
        if not named and len(name_servers(zone)) > 1:
            made = f"transfer.{zone.apex.to_text(omit_final_dot=True)}"
            notes.append(f"{configured.at}: Transfers are not signed there; the plan names a key, which deploy makes: {made}.")
            return made, "hmac-sha256"
        if not named:
            return "", "hmac-sha256"
        if len(named) > 1:
            notes.append(f"{configured.at}: Several keys are used for transfers, the plan has one: {named[0]}.")
        key = self.keys.get(named[0])
        if key is None:
            notes.append(f"{configured.at}: The key {named[0]} is not in the configuration; bring its file along.")
            return named[0], "hmac-sha256"
        algorithm = "-".join(key.algorithm.rstrip(".").split("-")[:2])
        if algorithm not in _ALGORITHMS:
            notes.append(
                f"{key.at}: The key {key.name} is for {key.algorithm or 'no algorithm'}, which we do not use; the plan names "
                f"no key. Make another one on both servers: mailname key make {key.name}"
            )
            return "", "hmac-sha256"
        return key.name, algorithm

    def _transfers(self, zone: FoundZone, configured: ConfiguredZone, notes: list[str]) -> None:
        """Tell who may transfer, or is notified, and is no name server of the zone."""
        servers = {str(address) for name in name_servers(zone) for address in self._addresses(zone, name)}
        listed = [] if configured.role == "secondary" else [(str(peer.address), peer.at) for peer in configured.peers]
        listed += [(word.text, word.at) for word in configured.transfer if not word.text.startswith("key ")]
        told: set[str] = set()
        for text, at in listed:
            if text in servers or text.lower() in _EVERYBODY - {"any"} or text in told or text.startswith("!"):
                continue
            told.add(text)
            what = "anybody" if text.lower() == "any" else text
            notes.append(
                f"{at}: {what} may transfer the zone or is notified, and is no name server of it: the plan leaves it out."
            )


def name_servers(zone: FoundZone) -> list[Name]:
    """Return the names of a zone's name servers."""
    rrset = zone.zone.rrset(zone.apex, RdataType.NS)
    return [cast("NS", rdata).target for rdata in rrset.rdatas] if rrset else []


def addresses_in(zone: FoundZone, name: Name) -> Iterable[IPAddress]:
    """Yield the addresses that a zone gives a name."""
    for rdtype in (RdataType.A, RdataType.AAAA):
        rrset = zone.zone.rrset(name, rdtype)
        for rdata in rrset.rdatas if rrset else ():
            yield ip_address(getattr(rdata, "address", ""))


def hidden(zone: FoundZone, configured: ConfiguredZone) -> str:
    """Say which addresses might be those of a name server that is not known; empty where none might."""
    known = {address for name in name_servers(zone) for address in addresses_in(zone, name)}
    words = [word.text for word in configured.transfer] + [str(peer.address) for peer in configured.peers]
    return ", ".join(dict.fromkeys(word for word in words if _is_address(word) and ip_address(word) not in known))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def name_of(text: str) -> Name | None:
    """Read a zone's name, as people write it, or None."""
    try:
        return dns.name.from_text(text).canonicalize()
    except (dns.exception.DNSException, UnicodeError):
        return None
