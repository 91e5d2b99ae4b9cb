"""A limit on log lines that strangers can cause."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.server.network import IPAddress


@dataclass(slots=True)
class LogLimit:
    """Allows a few lines per client network and minute, and forgets everything each minute: memory stays bounded."""

    lines: int = 5
    most_networks: int = 1000
    _minute: int = -1
    _seen: dict[object, int] = field(default_factory=dict)

    def allows(self, source: IPAddress, now: float) -> bool:
        """Tell whether a line about this client may be written now."""
        minute = int(now // 60)
        if minute != self._minute:
            self._minute = minute
            self._seen.clear()
        network = ip_network((source, 24 if source.version == 4 else 48), strict=False)
        if network not in self._seen and len(self._seen) >= self.most_networks:
            return False
        count = self._seen[network] = self._seen.get(network, 0) + 1
        return count <= self.lines
