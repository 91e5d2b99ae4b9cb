"""Packets that are really dropped: rules of nftables in the network namespace of a rehearsal on real addresses.

On loopback ports a socket that never answers stands for a packet filter (``network``). With real addresses (root, in a network
namespace) the kernel's own filter does it, for every program in that namespace. All rules are in one table, which is made with
the first rule and removed at the end.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING, Literal

from mailname.errors import HostError

if TYPE_CHECKING:
    from mailname.server.network import Endpoint, IPAddress

_TABLE = "mailname_lab"
_PATIENCE = 10.0  # seconds; nft answers in milliseconds


def dropping(at: Endpoint, transport: Literal["udp", "tcp"], source: IPAddress | None = None) -> str:
    """Return the rule that drops what goes to a port, from anybody or from one source. Pure."""
    family = {4: "ip", 6: "ip6"}
    whence = f"{family[source.version]} saddr {source} " if source is not None else ""
    return f"{whence}{family[at.address.version]} daddr {at.address} {transport} dport {at.port} drop"


class PacketFilter:
    """One table of nftables in the network namespace of this process."""

    def __init__(self, nft: str) -> None:
        self._nft = nft
        self._is_there = False

    @classmethod
    def of_this_namespace(cls) -> PacketFilter | None:
        """Return the filter; None where there is no nftables, or we may not use it."""
        nft = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin:/bin")
        if nft is None or _run(nft, "list", "tables").returncode:
            return None
        return cls(nft)

    def drop(self, at: Endpoint, transport: Literal["udp", "tcp"], source: IPAddress | None = None) -> None:
        """Drop what goes to a port, from anybody or from one source.

        Raises:
            HostError: nftables did not take the rule.

        """
        if not self._is_there:
            self._do("add", "table", "inet", _TABLE)
            self._is_there = True
            self._do("add", "chain", "inet", _TABLE, "input", "{ type filter hook input priority 0; policy accept; }")
        self._do("add", "rule", "inet", _TABLE, "input", dropping(at, transport, source))

    def close(self) -> None:
        """Let everything through again."""
        if self._is_there:
            self._is_there = False
            self._do("delete", "table", "inet", _TABLE)

    def _do(self, *words: str) -> None:
        done = _run(self._nft, *words)
        if done.returncode:
            raise HostError(f"nftables refused: {done.stderr.strip()}", remedy="Try it by hand: nft list ruleset", step="break")


def _run(nft: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([nft, *words], capture_output=True, text=True, timeout=_PATIENCE, check=False)
