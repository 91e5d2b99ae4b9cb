"""What a firewall does in the lab: paths that are cut between two addresses, and ports that are silent for everyone.

Nothing is refused here: a firewall that drops leaves its victims waiting. A port that *refuses* is one where nothing listens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailname.lab.packet_filter import PacketFilter
    from mailname.server.network import IPAddress

Transport = Literal["udp", "tcp"]


@dataclass(slots=True)
class Paths:
    """Which packets are lost in the lab's world. Where the kernel can drop them (``filter``), it does."""

    filter: PacketFilter | None = None
    _cut: set[tuple[IPAddress, IPAddress, Transport]] = field(default_factory=set)
    _silent: set[tuple[Endpoint, Transport]] = field(default_factory=set)

    def cut(self, sources: Iterable[IPAddress], destinations: Iterable[IPAddress], *transports: Transport) -> None:
        """Drop what goes from any of these sources to any of these destinations; the way back is not touched."""
        there = tuple(destinations)
        for source, to in ((source, to) for source in sources for to in there):
            for transport in transports:
                if self.filter is not None and source.version == to.version:
                    self.filter.drop(Endpoint(to), transport, source)
                # Our own servers are not kept waiting for as long as a kernel tries to connect.
                self._cut.add((source, to, transport))

    def silence(self, at: Endpoint, transport: Transport) -> None:
        """Let nothing through to this port, from anyone. A server must be restarted for it: it binds elsewhere then."""
        if self.filter is not None:
            self.filter.drop(at, transport)
            return
        self._silent.add((at, transport))

    def is_cut(self, source: IPAddress | None, destination: IPAddress, transport: Transport) -> bool:
        """Tell whether a packet is lost on its way. Who did not say where he stands is nobody's neighbour: never cut off."""
        return source is not None and (source, destination, transport) in self._cut

    def is_silent(self, at: Endpoint, transport: Transport) -> bool:
        """Tell whether a port swallows all that is sent to it."""
        return (at, transport) in self._silent
