"""An authoritative server of the lab's world that is not the plan's: the root, the TLD, the provider of a foreign name.

It answers from a ``ZoneTable`` that is swapped whole when the registry changes something; zones are built, never read from disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message

from mailname.answer import ZoneTable, respond
from mailname.lab.listener import Listener
from mailname.wire.message import Unreadable, read_request

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dns.name import Name
    from dns.rcode import Rcode
    from dns.rdatatype import RdataType
    from dns.rrset import RRset

    from mailname.lab.paths import Transport
    from mailname.server.network import Endpoint, Network
    from mailname.zone import Zone

    FindsOut = Callable[[Name, RdataType], Awaitable[tuple[Rcode, list[RRset], RRset | None]]]


class Authority:
    """Serves zones at some addresses, UDP and TCP. Holds no state but the table and its sockets."""

    def __init__(self, network: Network, at: tuple[Endpoint, ...], *, answers_from: Endpoint | None = None) -> None:
        """Describe the server; with ``answers_from`` its datagrams leave from there.

        ``passes`` is a packet filter before it; ``foreign`` finds out what it is asked beside its zones.
        """
        self.passes: Callable[[bytes], bool] | None = None
        self.foreign: FindsOut | None = None
        self.table = ZoneTable()
        self.at = at
        self._listener = Listener(network, at, self._answer, answers_from=answers_from)

    def put(self, zone: Zone) -> None:
        """Swap a zone in."""
        self.table = self.table.with_zone(zone.apex, zone)

    async def start(self) -> None:
        """Bind all addresses."""
        await self._listener.start()

    async def stop(self) -> None:
        """Close everything."""
        await self._listener.stop()

    async def _answer(self, wire: bytes, transport: Transport) -> bytes | None:
        if self.passes is not None and not self.passes(wire):
            return None
        request = read_request(wire)
        if isinstance(request, Unreadable):
            return request.reply
        if self.foreign is not None and self.table.closest(request.question.name) is None:
            reply = dns.message.make_response(dns.message.from_wire(wire))
            rcode, reply.answer, _ = await self.foreign(request.question.name, request.question.rdtype)
            reply.set_rcode(rcode)
            return reply.to_wire()
        return respond(request, self.table, transport=transport, limit=1232 if transport == "udp" else 65535)
