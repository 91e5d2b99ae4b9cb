"""The rules with which packets are dropped on real addresses. That they do so is shown in a namespace (test_namespace)."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from mailname.errors import HostError
from mailname.lab.packet_filter import PacketFilter, dropping
from mailname.lab.paths import Paths
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

AT4, AT6 = Endpoint(ip_address("192.0.2.1")), Endpoint(ip_address("2001:db8::1"))


@pytest.fixture
def nft(tmp_path: Path) -> Path:
    """Return a program that notes how it is called, and refuses what has 203 in it."""
    program = tmp_path / "nft"
    program.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/calls\ncase "$*" in *203*) echo no such thing >&2; exit 1;; esac\n')
    program.chmod(0o755)
    return program


def calls(nft: Path) -> list[str]:
    return nft.with_name("calls").read_text().splitlines()


class TestRule:
    def test_is_of_the_family_and_the_transport(self) -> None:
        """From anybody, or from one source."""
        assert dropping(AT4, "tcp") == "ip daddr 192.0.2.1 tcp dport 53 drop"
        assert dropping(AT6, "udp", ip_address("2001:db8::2")) == "ip6 saddr 2001:db8::2 ip6 daddr 2001:db8::1 udp dport 53 drop"


class TestPacketFilter:
    def test_makes_its_table_with_the_first_rule_and_removes_it_at_the_end(self, nft: Path) -> None:
        """Who breaks nothing leaves the namespace alone."""
        packets = PacketFilter(str(nft))
        packets.close()
        assert not nft.with_name("calls").exists()
        packets.drop(AT4, "tcp")
        packets.drop(AT4, "udp")
        packets.close()
        packets.close()
        assert [line.split(" mailname_lab")[0] for line in calls(nft)] == [
            "add table inet",
            "add chain inet",
            "add rule inet",
            "add rule inet",
            "delete table inet",
        ]

    def test_tells_what_was_refused(self, nft: Path) -> None:
        """And the table goes all the same."""
        packets = PacketFilter(str(nft))
        with pytest.raises(HostError, match="no such thing"):
            packets.drop(Endpoint(ip_address("203.0.113.9")), "tcp")
        packets.close()
        assert calls(nft)[-1] == "delete table inet mailname_lab"


class TestPaths:
    def test_leave_it_to_the_filter_where_there_is_one(self, nft: Path) -> None:
        """Then no wall is built; both ends of a path are of one family, and our own servers know at once that it is cut."""
        paths = Paths(PacketFilter(str(nft)))
        paths.silence(AT4, "udp")
        paths.cut((AT6.address, AT4.address), (ip_address("198.51.100.2"),), "tcp")
        assert not paths.is_silent(AT4, "udp")
        assert paths.is_cut(AT4.address, ip_address("198.51.100.2"), "tcp")
        assert calls(nft)[2:] == [
            "add rule inet mailname_lab input ip daddr 192.0.2.1 udp dport 53 drop",
            "add rule inet mailname_lab input ip saddr 192.0.2.1 ip daddr 198.51.100.2 tcp dport 53 drop",
        ]
