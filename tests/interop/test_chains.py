"""A hidden primary, its secondary, and that one's secondary, as processes: what is published arrives at the end of the chain."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.message
import dns.query
import pytest
from tests.interop.mailname_server import Mailname, mailname_program
from tests.interop.real_servers import LOOPBACK, Bind, Key, PrimaryZone, SecondaryZone
from tests.interop.transfer_zone import zone_text
from tests.server.running import free_port

if TYPE_CHECKING:
    from tests.interop.real_servers import Zone

ZONE = "example.tech."
KEY = Key("transfer.example.", "c2VjcmV0IHNoYXJlZCBieSBib3RoIG5hbWUgc2VydmVycyE=")


class Middle(Mailname):
    """Ours as a secondary that tells another one."""

    def __init__(self, zones: list[Zone], last: int, port: int) -> None:
        super().__init__(zones, port=port)
        self.last = last

    def _zone(self, zone: Zone) -> list[str]:
        return [
            *super()._zone(zone),
            "[[zone.secondary]]",
            f'address = "{LOOPBACK}"',
            f"port = {self.last}",
            f'key = "{KEY.name}"',
        ]


class TestChain:
    @pytest.mark.parametrize(("first", "last"), [(Mailname, Mailname), (Bind, Bind)])
    def test_behind_a_hidden_primary_brings_each_version(self, first: type[Mailname | Bind], last: type[Mailname | Bind]) -> None:
        """Nobody asks the primary but its secondary; NOTIFY goes on from there, after both were killed, too."""
        middle_at, last_at = free_port(), free_port()
        zone = PrimaryZone(ZONE, zone_text(1), notify=((LOOPBACK, middle_at),), key=KEY)
        with (
            first([zone]) as primary,
            Middle([SecondaryZone(ZONE, (LOOPBACK, primary.port), key=KEY)], last_at, middle_at) as middle,
            last([SecondaryZone(ZONE, (LOOPBACK, middle_at), key=KEY)], port=last_at) as end,
        ):
            end.wait_serial(ZONE, 1)
            primary.publish(ZONE, zone_text(2))
            end.wait_serial(ZONE, 2)
            primary.kill()
            middle.kill()
            middle.start()
            primary.start()
            primary.publish(ZONE, zone_text(3))
            end.wait_serial(ZONE, 3)


class Swapping(Mailname):
    """Ours with a role that changes; the zone's file is there in both."""

    def __init__(self, other: int, port: int, *, primary: bool) -> None:
        super().__init__([], port=port)
        self.other = other
        self.primary = primary

    @property
    def _keys(self) -> dict[str, Key]:
        return {KEY.name: KEY}

    def take(self, *, primary: bool, serial: int) -> None:
        """Change the role, with the configuration read again by ``mailname reload``."""
        self.primary = primary
        if primary:
            self._file(ZONE).write_text(zone_text(serial))
        self._configure()
        done = subprocess.run(
            [mailname_program(), "reload", "--control", str(self.control)],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _configure(self) -> None:
        super()._configure()
        role = ['role = "primary"', f"file = {json.dumps(self._file(ZONE).name)}"] if self.primary else ['role = "secondary"']
        peer = ["[[zone.secondary]]" if self.primary else "[[zone.primary]]", f'address = "{LOOPBACK}"', f"port = {self.other}"]
        lines = ["[[zone]]", f'name = "{ZONE}"', *role, *peer, f'key = "{KEY.name}"']
        with (self.folder / "serve.toml").open("a") as config:
            config.write("\n".join(lines) + "\n")


class Client(threading.Thread):
    """Asks a server every five milliseconds, and remembers the serials; None where there was no answer."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port, self.ended = port, threading.Event()
        self.heard: list[int | None] = []

    def run(self) -> None:
        while not self.ended.wait(0.005):
            query = dns.message.make_query(ZONE, "SOA", flags=0)
            try:
                answer = dns.query.udp(query, LOOPBACK, port=self.port, timeout=10).answer
            except (OSError, dns.exception.DNSException):
                answer = []
            self.heard.append(answer[0][0].serial if answer else None)


class TestRoles:
    def test_are_swapped_there_and_back_while_a_client_asks(self) -> None:
        """Every question of each server is answered, and no serial falls."""
        ports = free_port(), free_port()
        with Swapping(ports[1], ports[0], primary=True) as one, Swapping(ports[0], ports[1], primary=False) as two:
            one.take(primary=True, serial=1)
            two.wait_serial(ZONE, 1)
            clients = [Client(port) for port in ports]
            for client in clients:
                client.start()
            try:
                for serial, (up, down) in enumerate([(two, one), (one, two)], 2):
                    down.take(primary=False, serial=serial)
                    up.take(primary=True, serial=serial)
                    down.wait_serial(ZONE, serial)
                    up.wait_serial(ZONE, serial)
            finally:
                for client in clients:
                    client.ended.set()
                    client.join()
        for client in clients:
            assert None not in client.heard
            serials = [serial for serial in client.heard if serial is not None]
            assert serials == sorted(serials)
            assert {1, 2, 3} <= set(serials)
