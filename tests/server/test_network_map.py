"""The network file: a lab's world as another process reads it."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import dns.name
import pytest

from mailname.errors import HostError
from mailname.server.network import Endpoint
from mailname.server.network_map import MappedNetwork

SERVER = Endpoint(ip_address("192.0.2.2"))
SERVER6 = Endpoint(ip_address("2001:db8::2"))


def world() -> MappedNetwork:
    return MappedNetwork(
        places={SERVER: ("127.0.0.1", 20001), SERVER6: ("127.0.0.1", 20002)},
        root_hints=((dns.name.from_text("a.root.invalid."), ip_address("198.18.0.1")),),
        resolver=Endpoint(ip_address("198.18.0.5")),
        control={dns.name.from_text("ns1.example.tech."): Path("/run/ns1")},
        zone_file=Path("/zones/example.tech.zone"),
    )


class TestNetworkFile:
    def test_read_again_is_the_same_world(self, tmp_path: Path) -> None:
        """Places, hints, resolver, sockets and zone file survive the file."""
        world().save(tmp_path / "network.json")
        assert MappedNetwork.load(tmp_path / "network.json") == world()

    def test_that_is_not_there_is_told_with_what_writes_it(self, tmp_path: Path) -> None:
        """The remedy is the command to type."""
        with pytest.raises(HostError, match="cannot read the network file") as caught:
            MappedNetwork.load(tmp_path / "none.json")
        assert "--serve" in caught.value.remedy

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"schema": "mailname.network/9"}', '{"schema": "mailname.network/1", "places": [1]}']
    )
    def test_that_is_none_is_told_with_its_name(self, text: str) -> None:
        """A wrong file is the user's mistake and gets a remedy."""
        with pytest.raises(HostError, match=r"x\.json is not a network file") as caught:
            MappedNetwork.parse(text, "x.json")
        assert "rehearse" in caught.value.remedy


class TestPlace:
    def test_of_an_unknown_port_is_refused(self) -> None:
        """The host is there, the service is not."""
        with pytest.raises(ConnectionRefusedError):
            world().place(Endpoint(SERVER.address, 25))

    def test_of_an_unknown_address_is_unreachable(self) -> None:
        """Nothing is sent to the real Internet in its stead."""
        with pytest.raises(OSError, match=r"nobody has the address 203\.0\.113\.9"):
            world().place(Endpoint(ip_address("203.0.113.9")))

    def test_with_real_addresses_is_the_address_itself(self) -> None:
        """A rehearsal in a network namespace maps nothing."""
        assert MappedNetwork(direct=True).place(SERVER) == ("192.0.2.2", 53)
