"""HOST-07: only what is wanted starts, and everything wanted comes back."""

from __future__ import annotations

import pytest
from tests.host.told import SAFE, facts, host

from mailname.host.boot import judge_boot
from mailname.host.step import Outcome


def heard(line: str, process: str = "", **more: str) -> dict[str, str]:
    """Return a safe host on which one more socket listens."""
    return {"listening": f"{SAFE['listening']}\n{line}", "processes": f"{SAFE['processes']}\n{process}", **more}


AVAHI = heard(
    'udp UNCONN 0 0 0.0.0.0:5353 0.0.0.0:* users:(("avahi-daemon",pid=50,fd=1))', "50 avahi-daemon.service /x avahi-daemon"
)
RPCBIND = heard(
    'tcp LISTEN 0 9 *:111 *:* users:(("systemd",pid=1,fd=9))',
    "1 init.scope /usr/lib/systemd/systemd systemd",
    sockets="0.0.0.0:111 rpcbind.socket rpcbind.service\n/run/x.sock x.socket x.service",
)


class TestBoot:
    def test_sshd_at_another_port_is_said_in_the_plan_and_never_stopped(self) -> None:
        """Stopping it would lock out whoever types what is told."""
        sshd = heard('tcp LISTEN 0 9 *:2222 *:* users:(("sshd",pid=33,fd=9))')
        result = judge_boot(facts(sshd), host())
        assert result.outcome is Outcome.DOES_NOT_HOLD
        assert 'open_ports = ["2222/tcp"]' in result.fix
        assert result.command == ""

    @pytest.mark.parametrize(
        ("changed", "said", "command"),
        [
            (
                {**AVAHI, "unit-files": SAFE["unit-files"] + "\navahi-daemon.socket enabled enabled"},
                "avahi-daemon at 5353/udp (avahi-daemon.service, package avahi-daemon) listens to the world",
                "sudo systemctl disable --now avahi-daemon.service avahi-daemon.socket",
            ),
            (RPCBIND, "systemd at 111/tcp (rpcbind.socket", "sudo systemctl disable --now rpcbind.socket"),
            (
                {"unit-files": SAFE["unit-files"].replace("fail2ban.service enabled", "fail2ban.service masked")},
                "masked, so that it cannot start at the next boot: fail2ban.service.",
                "sudo systemctl unmask fail2ban.service",
            ),
            (
                {"unit-files": SAFE["unit-files"].replace("chrony.service enabled", "chrony.service disabled")},
                "runs now, and does not start at the next boot: chrony.service.",
                "sudo systemctl enable chrony.service",
            ),
            (
                {"unit-files": SAFE["unit-files"].replace("ssh.service enabled", "ssh.service enabled-runtime")},
                "runs now, and does not start at the next boot: ssh.service.",
                "sudo systemctl enable ssh.service",
            ),
            ({"failed": "x.service loaded failed failed X"}, "failed to start: x.service.", "systemctl status x.service"),
        ],
    )
    def test_what_is_wrong_is_named_with_the_line_to_type(self, changed: dict[str, str], said: str, command: str) -> None:
        result = judge_boot(facts(changed), host())
        assert said in result.seen[0]
        assert result.command == command

    @pytest.mark.parametrize(
        "line",
        [
            'udp UNCONN 0 0 192.0.2.11%eth0:68 0.0.0.0:* users:(("systemd-network",pid=9,fd=9))',
            'udp UNCONN 0 0 0.0.0.0:68 0.0.0.0:* users:(("dhclient",pid=9,fd=9))',
            'tcp LISTEN 0 9 [::1]:953 [::]:* users:(("named",pid=9,fd=9))',
            'tcp LISTEN 0 9 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=9,fd=9))',
            'udp UNCONN 0 0 0.0.0.0:49152 0.0.0.0:* users:(("mailname",pid=9,fd=9))',
        ],
    )
    def test_what_serves_nobody_else_is_explained(self, line: str) -> None:
        assert judge_boot(facts(heard(line)), host()).outcome is Outcome.HOLDS

    def test_sshd_may_start_by_its_socket(self) -> None:
        """As on Ubuntu 24.04: systemd holds port 22, and starts sshd at the first connection."""
        units = SAFE["unit-files"].replace("ssh.service enabled", "ssh.socket enabled enabled\nssh.service disabled")
        assert judge_boot(facts({"unit-files": units}), host()).outcome is Outcome.HOLDS

    def test_masked_service_that_nobody_uses(self) -> None:
        """One time service instead of another."""
        units = SAFE["unit-files"] + "\nsystemd-timesyncd.service masked enabled"
        assert judge_boot(facts({"unit-files": units}), host()).outcome is Outcome.HOLDS
