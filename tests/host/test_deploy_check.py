"""What keeps a name server from being put on a host."""

from __future__ import annotations

from ipaddress import ip_address

import dns.name
import pytest
from tests.host.standing import standing

from mailname.host.archive import Interpreter
from mailname.host.deploy_check import faults, python_to_install
from mailname.plan.hosts import Host
from mailname.plan.model import NameServer

SERVER = NameServer(
    name=dns.name.from_text("ns1.example.tech"), addresses=(ip_address("192.0.2.11"),), role="primary", engine="builtin"
)
HOST = Host(SERVER.name, "192.0.2.11", SERVER.addresses, SERVER, takes_mail=False, open_ports=())
NO_PYTHON = {"python": "sh: 1: python3: not found"}
TAKEN = 'udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:* users:(("{}",pid=7,fd=3))'


def found(told: dict[str, str]) -> list[tuple[str, str]]:
    failing = ("python",) if "not found" in told.get("python", "") else ()
    return [(one.code, one.problem) for one in faults(HOST, standing(told, failing=failing), "plan.toml", has_key=True)]


class TestFaults:
    def test_nothing_is_in_the_way(self) -> None:
        assert found({}) == []

    @pytest.mark.parametrize(
        ("told", "code", "problem"),
        [
            ({"uid": "1000"}, "", "the script did not run with all rights"),
            ({"init": "init"}, "", "no systemd runs this host; 247 or newer is needed"),
            ({"init": "systemd\nsystemd 241 (241)"}, "", "systemd 241 runs this host; 247 or newer is needed"),
            ({"python": "3 9 x86_64"}, "", "it has Python 3.9 on x86_64; 3.11 or newer is needed"),
            (NO_PYTHON | {"offered-python": "3.10.6-1"}, "", "it has no Python 3.11 or newer, and apt offers none"),
            (NO_PYTHON | {"offered-python": "(none)"}, "", "it has no Python 3.11 or newer, and apt offers none"),
            ({"disk": "head\n/dev/sda 9 9 7000000 99% /opt"}, "HOST-10", "7 MB are free at /opt; 150 MB are needed"),
            ({"listening": TAKEN.format("nsd"), "processes": "7 nsd.service nsd nsd"}, "HOST-12", "port 53 is held by nsd"),
            (
                {"listening": TAKEN.format("python3"), "processes": "7 x.service python3 python3"},
                "HOST-12",
                "not deployed by mailname",
            ),
        ],
    )
    def test_each_is_told(self, told: dict[str, str], code: str, problem: str) -> None:
        ((seen, says),) = found(told)
        assert seen == code
        assert problem in says

    @pytest.mark.parametrize(("behind", "says"), [(400.0, "400 seconds behind"), (-400.0, "400 seconds ahead of"), (200.0, None)])
    def test_clock_of_signed_transfers(self, behind: float, says: str | None) -> None:
        """A server whose clock is off by more than the fudge has each of its transfers refused."""
        told = faults(HOST, standing(behind=behind), "plan.toml", has_key=True)
        assert [one.code for one in told] == (["HOST-04"] if says else [])
        assert all(says in one.problem for one in told if says)
        assert faults(HOST, standing(behind=behind), "plan.toml", has_key=False) == []

    def test_python_that_apt_has_is_installed(self) -> None:
        assert python_to_install(standing(failing=("python",))) == Interpreter((3, 11), "x86_64", (2, 36))
        assert python_to_install(standing()) is None
