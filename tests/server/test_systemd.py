"""The server as a service of systemd: with sockets that were bound for it, and with word of how it is."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest

from mailname.server.network import Endpoint
from mailname.server.systemd import InheritedNetwork, inherited_sockets, tell_systemd, watchdog_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ZONE = "$ORIGIN example.tech.\n$TTL 60\n@ SOA ns1 hostmaster 7 3600 600 86400 60\n@ NS ns1\nns1 A 192.0.2.1\n"
_STARTS = "import os, sys; os.environ['LISTEN_PID'] = str(os.getpid()); from mailname.cli.main import main; main()"
_PATIENCE = 20.0


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """UDP and TCP at one port of loopback, as a socket unit opens them."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        udp.bind(tcp.getsockname())
        yield udp, tcp


class Service:
    """``mailname serve`` as systemd starts it, and what it tells."""

    def __init__(self, folder: Path, pair: tuple[socket.socket, socket.socket], told: socket.socket, workers: int) -> None:
        self._pair = pair
        (folder / "zones").mkdir()
        (folder / "zones/example.tech.zone").write_text(ZONE)
        port = pair[0].getsockname()[1]
        serve = ["serve", "--zones", str(folder / "zones"), "--listen", f"127.0.0.1:{port}", "--workers", str(workers)]
        self._argv = [sys.executable, "-c", _STARTS, *serve]
        self._told = told
        self._told.bind(str(folder / "notify"))
        self._folder = folder

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """Start it, and end it as systemd does."""
        more = {"LISTEN_FDS": "2", "NOTIFY_SOCKET": str(self._folder / "notify"), "WATCHDOG_USEC": "200000"}
        handles = [one.fileno() for one in self._pair]
        given = f'exec 3<&{handles[0]} 4<&{handles[1]}; exec "$@"'
        argv = ["bash", "-c", given, "bash", *self._argv]
        with (self._folder / "log").open("ab") as log:
            started = subprocess.Popen(argv, env={**os.environ, **more}, pass_fds=handles, stdout=log, stderr=log)
        try:
            yield started
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(_PATIENCE)

    def tells(self, word: str) -> str:
        """Wait for a message that begins so."""
        while True:
            ready, _, _ = select.select([self._told], [], [], _PATIENCE)
            assert ready, (self._folder / "log").read_text()
            text = self._told.recv(4096).decode()
            if text.startswith(word):
                return text


def ask(sending: socket.socket, port: int) -> None:
    sending.sendto(dns.message.make_query("example.tech.", "SOA").to_wire(), ("127.0.0.1", port))


def answered(sending: socket.socket) -> str:
    sending.settimeout(_PATIENCE)
    return dns.message.from_wire(sending.recv(4096)).answer[0].to_text().split()[6]


class TestService:
    @pytest.mark.parametrize("workers", [0, 2])
    def test_answers_what_was_asked_while_it_restarted(
        self, tmp_path: Path, pair: tuple[socket.socket, socket.socket], workers: int
    ) -> None:
        """The socket outlives the server: what waits in it is answered by the next one, by UDP and TCP."""
        port = pair[0].getsockname()[1]
        told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        with told, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            service = Service(tmp_path, pair, told, workers)
            with service.running():
                service.tells("READY=1")
                ask(asking, port)
                assert answered(asking) == "7"
                assert "serving 1 zone" in service.tells("WATCHDOG=1")
            service.tells("STOPPING=1")
            ask(asking, port)
            with socket.create_connection(("127.0.0.1", port), _PATIENCE) as waiting:
                question = dns.message.make_query("example.tech.", "SOA").to_wire()
                waiting.sendall(len(question).to_bytes(2, "big") + question)
                with service.running():
                    assert answered(asking) == "7"
                    assert waiting.recv(2)


class TestInheritedSockets:
    def test_those_for_another_process_are_not_ours(self) -> None:
        """A child of a service sees its environment too."""
        environment = {"LISTEN_PID": "1", "LISTEN_FDS": "2", "LISTEN_FDNAMES": "dns:dns", "HOME": "/"}
        assert inherited_sockets(environment) == []
        assert environment == {"HOME": "/"}

    def test_addresses_without_one_are_bound_as_ever(self, pair: tuple[socket.socket, socket.socket]) -> None:
        """And a handle that we close does not close systemd's."""
        with pair[0].dup() as udp, pair[1].dup() as tcp:
            network = InheritedNetwork([udp, tcp])
            at = Endpoint(ip_address("127.0.0.1"), udp.getsockname()[1])
            assert network.addresses == {at}
            for handle in (network.listen_udp(at), network.listen_tcp(at), *network.share_udp(at, 3)):
                assert handle.getsockname()[1] == at.port
                handle.close()
            with network.listen_udp(Endpoint(at.address, 0)) as other:
                assert other.getsockname()[1] not in (0, at.port)


class TestTellSystemd:
    def test_without_systemd_nothing_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
        monkeypatch.delenv("WATCHDOG_USEC", raising=False)
        assert not tell_systemd("READY=1")
        assert watchdog_seconds() is None

    def test_nobody_listening_is_no_failure(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        """A server does not end because of that."""
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))
        assert tell_systemd("READY=1")

    def test_watchdog_is_fed_twice_in_its_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("WATCHDOG_USEC", "30000000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)
        assert watchdog_seconds() == 15.0
