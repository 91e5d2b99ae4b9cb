"""UDP: answered from the address that was asked."""

from __future__ import annotations

import sys
from ipaddress import ip_address

import dns.message
import pytest
from tests.server.running import Site, asked, running, serial_at

from mailname.server.network import Endpoint


class TestWildcard:
    @pytest.mark.skipif(sys.platform != "linux", reason="127.0.0.5 is there without configuration only on Linux")
    async def test_answer_comes_from_the_address_that_was_asked(self, site: Site) -> None:
        """A connected socket, as resolvers have it, hears nothing else."""
        async with running(site.primary(listen=(Endpoint(ip_address("0.0.0.0"), site.port),))):
            for address in ("127.0.0.1", "127.0.0.5", "127.3.2.1"):
                assert await serial_at(Endpoint(ip_address(address), site.port)) == 1

    async def test_the_same_by_ipv6(self, site: Site) -> None:
        """Beside IPv4 on the same port: each listens for its own family."""
        listen = (Endpoint(ip_address("::"), site.port), Endpoint(ip_address("0.0.0.0"), site.port))
        async with running(site.primary(listen=listen)):
            assert await serial_at(Endpoint(ip_address("::1"), site.port)) == 1
            assert await serial_at(Endpoint(ip_address("::1"), site.port), tcp=True) == 1
            assert await serial_at(Endpoint(ip_address("127.0.0.1"), site.port)) == 1


class TestDatagrams:
    async def test_rubbish_does_not_disturb(self, site: Site) -> None:
        """What is no request is dropped; the next question is answered."""
        import socket

        async with running(site.primary()):
            with socket.socket(type=socket.SOCK_DGRAM) as udp:
                for octets in (b"", b"\x00", b"\xff" * 512, bytes(12)):
                    udp.sendto(octets, (str(site.primary_at.address), site.port))
                # Who is gone before the answer comes: its port-unreachable must not disturb either.
                udp.sendto(dns.message.make_query("example.tech.", "SOA").to_wire(), (str(site.primary_at.address), site.port))
            assert (await asked(site.primary_at)).answer
