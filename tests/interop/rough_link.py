"""Two network namespaces, and a line between them that loses, delays and reorders packets.

The line is a pair of TUN devices and a thread that carries packets from one to the other. ``tc netem`` would do the same, but the
kernels of many containers lack it; this works wherever a TUN device can be had, and the chance is ours.
"""

from __future__ import annotations

import contextlib
import fcntl
import heapq
import itertools
import os
import random
import select
import struct
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.interop.programs import go_without, need

if TYPE_CHECKING:
    from collections.abc import Iterator

_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
ADDRESSES = ("192.0.2.1", "192.0.2.2")


@dataclass
class Line:
    """What happens to packets on their way. It may be changed at any time.

    Attributes:
        loss: the share that is lost.
        delay: seconds each is under way at least.
        jitter: seconds by which the delay varies: packets overtake each other.

    """

    loss: float = 0.0
    delay: float = 0.0
    jitter: float = 0.0
    carried: int = 0
    lost: int = 0


class Namespaces:
    """Two machines, ``192.0.2.1`` and ``192.0.2.2``, that see nothing but each other."""

    def __init__(self, ip: str, names: tuple[str, str], line: Line) -> None:
        self.ip, self.names, self.line = ip, names, line

    def inside(self, machine: int, *argv: str) -> list[str]:
        """Return the command that runs something on one of the machines."""
        return [self.ip, "netns", "exec", self.names[machine], *argv]

    def run(self, machine: int, *argv: str, stdin: str = "") -> str:
        """Run something there to its end."""
        done = subprocess.run(self.inside(machine, *argv), input=stdin, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def filter(self, machine: int, *rules: str) -> None:
        """Replace the packet filter's rules for what a machine sends."""
        (nft,) = need("nft")
        chain = ["chain out {", "type filter hook output priority 0; policy accept;", *rules, "}"]
        text = "\n".join(["flush ruleset", "table inet test {", *chain, "}", ""])
        self.run(machine, nft, "-f", "-", stdin=text)


def _tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return device


def _carry(devices: tuple[int, int], line: Line, ended: threading.Event) -> None:
    chance, order = random.Random(1), itertools.count()
    waiting: list[tuple[float, int, int, bytes]] = []
    while not ended.is_set():
        pause = max(waiting[0][0] - time.monotonic(), 0.0) if waiting else 0.1
        for device in select.select(devices, (), (), min(pause, 0.1))[0]:
            with contextlib.suppress(OSError):
                packet = os.read(device, 65536)
                other = devices[0] if device == devices[1] else devices[1]
                if chance.random() < line.loss:
                    line.lost += 1
                else:
                    due = time.monotonic() + line.delay + chance.random() * line.jitter
                    heapq.heappush(waiting, (due, next(order), other, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, device, packet = heapq.heappop(waiting)
            line.carried += 1
            with contextlib.suppress(OSError):
                os.write(device, packet)


@contextlib.contextmanager
def two_machines() -> Iterator[Namespaces]:
    """Make two namespaces with a line between them; skip the test where that is not allowed, and fail it in CI."""
    (ip,) = need("ip")
    names = (f"mailname-{os.getpid()}a", f"mailname-{os.getpid()}b")
    devices: list[int] = []
    made: list[str] = []
    ended, line = threading.Event(), Line()
    carrier: threading.Thread | None = None
    try:
        try:
            for number, name in enumerate(names):
                devices.append(_tun(f"mn{os.getpid() % 1000000}{'ab'[number]}"))
                subprocess.run([ip, "netns", "add", name], check=True, capture_output=True)
                made.append(name)
        except (OSError, subprocess.CalledProcessError) as error:
            go_without(f"no namespaces and no TUN devices can be made here: {error}")
        for number, name in enumerate(names):
            device = f"mn{os.getpid() % 1000000}{'ab'[number]}"
            here, there = ADDRESSES[number], ADDRESSES[1 - number]
            subprocess.run([ip, "link", "set", "dev", device, "netns", name], check=True)
            subprocess.run([ip, "-n", name, "addr", "add", here, "peer", there, "dev", device], check=True)
            for up in (device, "lo"):
                subprocess.run([ip, "-n", name, "link", "set", up, "up"], check=True)
        carrier = threading.Thread(target=_carry, args=((devices[0], devices[1]), line, ended), daemon=True)
        carrier.start()
        yield Namespaces(ip, names, line)
    finally:
        ended.set()
        if carrier is not None:
            carrier.join()
        for name in made:
            subprocess.run([ip, "netns", "del", name], check=True)
        for opened in devices:
            os.close(opened)
