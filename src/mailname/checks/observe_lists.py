"""Block lists of mail hosts' addresses, asked by DNS through the resolver (RFC 5782). None is asked unless it was named.

Each list is first asked for the points by which it proves that it works and answers us: 127.0.0.2 must be listed and 127.0.0.1
must not, and so for IPv6 with ::FFFF:7F00:2 and ::FFFF:7F00:1 (RFC 5782 section 5).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.name
from dns.rdatatype import RdataType

from mailname.checks.asking import Addressee

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.checks.asking import Asker
    from mailname.server.network import IPAddress

_RESOLVER = dns.name.from_text("resolver.")
LISTED = {4: ip_address("127.0.0.2"), 6: ip_address("::ffff:7f00:2")}
NOT_LISTED = {4: ip_address("127.0.0.1"), 6: ip_address("::ffff:7f00:1")}


def listed_name(address: IPAddress, of: Name) -> Name:
    """Return where a list has an address: octets or nibbles, the last first (RFC 5782 sections 2.1 and 2.4)."""
    parts = str(address).split(".") if address.version == 4 else list(address.exploded.replace(":", ""))
    return dns.name.Name(tuple(part.encode() for part in reversed(parts)) + of.labels)


@dataclass(slots=True)
class BlockLists:
    """The lists that are asked in one look."""

    asker: Asker
    _proven: set[int] = field(default_factory=set)

    async def ask(self, address: IPAddress) -> None:
        """Ask every list for a mail host's address, and once for each family whether the list works."""
        world = self.asker.world
        if world.resolver is None or world.start != "resolver" or not world.dnsbl:
            return
        addresses = [address]
        if address.version not in self._proven:
            self._proven.add(address.version)
            addresses += [LISTED[address.version], NOT_LISTED[address.version]]
        whom = Addressee("resolver", dns.name.root, _RESOLVER, world.resolver)
        names = [listed_name(one, of) for of in world.dnsbl for one in addresses]
        await asyncio.gather(*(self.asker.ask(whom, name, RdataType.A, recurse=True) for name in names))
