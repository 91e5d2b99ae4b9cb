"""What systemd gives a service and wants of it: sockets that stay open across restarts, and word of how it is (sd_notify).

With sockets from systemd the server never needs a privilege for port 53, and a question that arrives while it restarts waits in
the socket. Where systemd did not start us, nothing here does anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from typing import TYPE_CHECKING

from mailname.server.network import DirectNetwork, Endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping

_FIRST = 3  # SD_LISTEN_FDS_START
_ABSTRACT = "@"


class InheritedNetwork(DirectNetwork):
    """The world as it is, but for addresses whose sockets systemd has bound for us: those are used."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._udp: dict[Endpoint, socket.socket] = {}
        self._tcp: dict[Endpoint, socket.socket] = {}
        for one in sockets:
            if one.family in (socket.AF_INET, socket.AF_INET6):
                kept = self._udp if one.type == socket.SOCK_DGRAM else self._tcp
                kept[self.peer(one.getsockname())] = one
            else:
                one.close()

    @property
    def addresses(self) -> set[Endpoint]:
        """Where systemd listens for us, by UDP or TCP."""
        return {*self._udp, *self._tcp}

    def listen_udp(self, at: Endpoint) -> socket.socket:
        """Return a second handle of systemd's socket, so that ours can be closed; else bind one."""
        given = self._udp.get(at)
        return super().listen_udp(at) if given is None else given.dup()

    def share_udp(self, at: Endpoint, count: int) -> list[socket.socket]:
        """Return handles of the one socket: its queue outlives us, where those of sockets of our own would be lost with them."""
        given = self._udp.get(at)
        return super().share_udp(at, count) if given is None else [given.dup() for _ in range(count)]

    def listen_tcp(self, at: Endpoint) -> socket.socket:
        """Return a second handle of systemd's socket, which listens already; else bind one."""
        given = self._tcp.get(at)
        return super().listen_tcp(at) if given is None else given.dup()


def inherited_sockets(environment: MutableMapping[str, str]) -> list[socket.socket]:
    """Return the sockets that systemd has opened for this process, and take the word of them out of the environment."""
    ours = environment.pop("LISTEN_PID", "") == str(os.getpid())
    count = environment.pop("LISTEN_FDS", "0")
    environment.pop("LISTEN_FDNAMES", None)
    if not ours or not count.isdecimal():
        return []
    found = []
    for number in range(_FIRST, _FIRST + int(count)):
        os.set_inheritable(number, False)
        found.append(socket.socket(fileno=number))
    return found


def tell_systemd(text: str) -> bool:
    """Send one message to systemd, as in ``READY=1``; tell whether there was anybody to send it to."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
        sending.sendto(text.encode(), "\0" + address[1:] if address.startswith(_ABSTRACT) else address)
    return True


def watchdog_seconds() -> float | None:
    """Return how often systemd wants to hear of us, halved; None where it does not."""
    given, whose = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not given.isdecimal() or whose not in ("", str(os.getpid())):
        return None
    return int(given) / 2_000_000


async def keep_telling(is_well: Callable[[], bool], status: Callable[[], str]) -> None:
    """Tell systemd again and again that we are well, for as long as we are; it ends and starts anew who falls silent.

    Args:
        is_well: whether the server answers.
        status: one line for ``systemctl status``.

    """
    every = watchdog_seconds()
    while True:
        if is_well():
            tell_systemd(f"WATCHDOG=1\nSTATUS={status()}")
        await asyncio.sleep(every or 10.0)
