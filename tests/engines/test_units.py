"""The units of systemd: at which addresses, for which systemd, and with which rights."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mailname.engines.units import SERVICE, SOCKET, WRAPPER, places, service_unit, socket_unit, unit_files
from mailname.server.network import Endpoint

V4, V6 = Endpoint(ip_address("192.0.2.1")), Endpoint(ip_address("2001:db8::1"))


class TestSocketUnit:
    def test_each_address_by_udp_and_tcp(self) -> None:
        """An IPv6 address stands in brackets."""
        lines = socket_unit([V4, V6], [V4, V6]).splitlines()
        assert [line for line in lines if line.startswith("Listen")] == [
            "ListenDatagram=192.0.2.1:53",
            "ListenDatagram=[2001:db8::1]:53",
            "ListenStream=192.0.2.1:53",
            "ListenStream=[2001:db8::1]:53",
        ]


class TestServiceUnit:
    @pytest.mark.parametrize(("systemd", "kind", "reload"), [(252, "notify", True), (253, "notify-reload", False)])
    def test_reload(self, systemd: int, kind: str, reload: bool) -> None:
        """From 253 on, systemd itself tells the server to reload and waits for its word."""
        text = service_unit(systemd)
        assert f"\nType={kind}\n" in text
        assert ("ExecReload=" in text) is reload
        assert "@" not in text.replace("@system-service", "").replace("@privileged @resources", "")

    def test_no_capability(self) -> None:
        """Port 53 is systemd's; the server never has a right that others lack."""
        assert "\nCapabilityBoundingSet=\nAmbientCapabilities=\n" in service_unit(252)


class TestUnitFiles:
    def test_command_alone_can_be_run(self) -> None:
        modes = {path: mode for path, (_, mode) in unit_files([V4], [V4], 252).items()}
        assert {path for path, mode in modes.items() if mode & 0o111} == {WRAPPER}
        assert {SERVICE, SOCKET} < modes.keys()


class TestPlaces:
    def test_key_lies_in_the_folder_of_keys(self) -> None:
        assert str(places((), "transfer.example.tech.key").key_file) == "/etc/mailname/keys/transfer.example.tech.key"
        assert places((), None).key_file is None
