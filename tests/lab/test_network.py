"""The lab's network: who is seen, what is cut, what is refused."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from mailname.lab.network import LabNetwork
from mailname.server.network import Endpoint, ask_udp
from mailname.server.network_map import MappedNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

SERVER = Endpoint(ip_address("192.0.2.2"))
SERVER6 = Endpoint(ip_address("2001:db8::2"))
CLIENT = ip_address("192.0.2.1")


@pytest.fixture
def network() -> Iterator[LabNetwork]:
    lab = LabNetwork()
    yield lab
    lab.close()


class TestSender:
    async def test_udp_from_an_address_is_seen_with_it(self, network: LabNetwork) -> None:
        """Address lists decide about simulated addresses, not about 127.0.0.1."""
        with network.listen_udp(SERVER) as server, network.open_udp(SERVER, CLIENT) as client:
            client.send(b"hello")
            _, seen = await asyncio.get_running_loop().sock_recvfrom(server, 100)
            assert network.peer(seen).address == CLIENT

    async def test_tcp_from_an_address_is_seen_with_it(self, network: LabNetwork) -> None:
        """The same for streams."""
        with network.listen_tcp(SERVER6) as server:
            _, writer = await network.open_tcp(SERVER6, ip_address("2001:db8::1"))
            connection, seen = await asyncio.get_running_loop().sock_accept(server)
            connection.close()
            assert network.peer(seen).address == ip_address("2001:db8::1")
            writer.close()
            await writer.wait_closed()

    async def test_without_an_address_is_a_stranger(self, network: LabNetwork) -> None:
        """A client that does not say where it stands has its loopback address."""
        with network.listen_udp(SERVER) as server, network.open_udp(SERVER) as client:
            client.send(b"hello")
            _, seen = await asyncio.get_running_loop().sock_recvfrom(server, 100)
            assert network.peer(seen).address == ip_address("127.0.0.1")

    async def test_in_another_process_is_a_stranger(self, network: LabNetwork) -> None:
        """Whoever only read the network file cannot pretend to be a secondary."""
        with network.listen_udp(SERVER) as server, MappedNetwork.parse(network.to_text(), "f").open_udp(SERVER, CLIENT) as client:
            client.send(b"hello")
            _, seen = await asyncio.get_running_loop().sock_recvfrom(server, 100)
            assert network.peer(seen).address == ip_address("127.0.0.1")


class TestPort:
    async def test_reserved_refuses_both_transports(self, network: LabNetwork) -> None:
        """Nothing listens: port unreachable and RST, as from a host without a name server."""
        network.reserve(SERVER)
        with pytest.raises(ConnectionRefusedError):
            await ask_udp(network, b"xx", SERVER, timeout=5)
        with pytest.raises(ConnectionRefusedError):
            await network.open_tcp(SERVER)

    async def test_has_one_number_for_both_transports(self, network: LabNetwork) -> None:
        """What dig asks with +tcp goes to the same -p as dig."""
        with network.listen_udp(SERVER) as udp, network.listen_tcp(SERVER) as tcp:
            assert udp.getsockname() == tcp.getsockname() == network.place(SERVER)

    async def test_is_refused_again_after_its_server_stopped(self, network: LabNetwork) -> None:
        """A place keeps its number for as long as the lab runs."""
        with network.listen_udp(SERVER), network.listen_tcp(SERVER):
            before = network.place(SERVER)
        network.reserve(SERVER)
        assert network.place(SERVER) == before
        with pytest.raises(ConnectionRefusedError):
            await ask_udp(network, b"xx", SERVER, timeout=5)

    async def test_silent_never_answers_although_its_server_runs(self, network: LabNetwork) -> None:
        """A firewall drops: the client waits in vain."""
        network.paths.silence(SERVER, "udp")
        with network.listen_udp(SERVER), pytest.raises(TimeoutError):
            await ask_udp(network, b"xx", SERVER, timeout=0.05)

    async def test_silent_over_tcp_takes_no_connections(self, network: LabNetwork) -> None:
        """The wall stands in front of the server; the server itself starts as always."""
        network.paths.silence(SERVER, "tcp")
        with network.listen_udp(SERVER) as udp, network.listen_tcp(SERVER) as tcp:
            assert tcp.getsockname() != udp.getsockname()
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await network.open_tcp(SERVER)

    def test_of_an_address_that_nobody_has_is_unreachable(self, network: LabNetwork) -> None:
        """An address outside the lab's world does not leave this machine."""
        with pytest.raises(OSError, match="nobody has the address"):
            network.open_udp(SERVER)

    async def test_not_served_at_a_known_address_is_refused(self, network: LabNetwork) -> None:
        """The host is there, the service is not."""
        network.reserve(SERVER)
        with pytest.raises(ConnectionRefusedError):
            await network.open_tcp(Endpoint(SERVER.address, 25))


class TestCutPath:
    async def test_loses_datagrams_from_there_only(self, network: LabNetwork) -> None:
        """Another client is not touched."""
        network.paths.cut([CLIENT], [SERVER.address], "udp")
        with network.listen_udp(SERVER) as server:
            with pytest.raises(TimeoutError):
                await ask_udp(network, b"xx", SERVER, timeout=0.05, source=CLIENT)
            with network.open_udp(SERVER, ip_address("192.0.2.3")) as other:
                other.send(b"hello")
                data, _ = await asyncio.get_running_loop().sock_recvfrom(server, 100)
                assert data == b"hello"

    async def test_over_tcp_does_not_connect(self, network: LabNetwork) -> None:
        """The connect waits; the caller's patience decides."""
        network.paths.cut([CLIENT], [SERVER.address], "tcp")
        with network.listen_tcp(SERVER), pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await network.open_tcp(SERVER, CLIENT)
