"""HOST-08 and HOST-12: who else lives on the host, and who holds port 53."""

from __future__ import annotations

import pytest
from tests.host.told import PLAN, SAFE, facts, host

from mailname.host.residents import judge_nothing_else, judge_port_53
from mailname.host.step import Outcome


def heard(line: str) -> str:
    return f"{SAFE['listening']}\n{line}"


class TestNothingElse:
    @pytest.mark.parametrize(
        ("line", "said"),
        [
            (
                'tcp LISTEN 0 9 *:80 *:* users:(("nginx",pid=8,fd=9),("nginx",pid=9,fd=9))',
                "a web server lives here: nginx at 80/tcp",
            ),
            ('tcp LISTEN 0 9 0.0.0.0:9000 0.0.0.0:* users:(("php-fpm8.2",pid=9,fd=9))', "PHP lives here"),
            ('tcp LISTEN 0 9 [::]:3306 [::]:* users:(("mariadbd",pid=9,fd=9))', "a database lives here"),
        ],
    )
    def test_is_named(self, line: str, said: str) -> None:
        result = judge_nothing_else(facts(listening=heard(line), processes="9 x.service /usr/sbin/x x-server"), host())
        assert said in result.seen[0]
        assert result.command == "sudo apt-get remove x-server"

    def test_at_loopback_or_in_the_plan_it_may_live(self) -> None:
        local = heard('tcp LISTEN 0 9 127.0.0.1:5432 0.0.0.0:* users:(("postgres",pid=9,fd=9))')
        assert judge_nothing_else(facts(listening=local), host()).outcome is Outcome.HOLDS
        plan = host(PLAN.replace("[hosts]", '[hosts]\nopen_ports = ["443/tcp"]'))
        web = heard('tcp LISTEN 0 9 0.0.0.0:443 0.0.0.0:* users:(("caddy",pid=9,fd=9))')
        assert judge_nothing_else(facts(listening=web), plan).outcome is Outcome.HOLDS


class TestPort53:
    @pytest.mark.parametrize(
        ("line", "outcome", "said"),
        [
            ('udp UNCONN 0 0 0.0.0.0:53 0.0.0.0:* users:(("dnsmasq",pid=9,fd=9))', Outcome.DOES_NOT_HOLD, "held by dnsmasq"),
            ('udp UNCONN 0 0 192.0.2.11:53 0.0.0.0:* users:(("named",pid=9,fd=9))', Outcome.DOES_NOT_HOLD, "held by named"),
            ('udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* users:(("systemd-resolve",pid=9,fd=9))', Outcome.HOLDS, "nobody's way"),
            ('udp UNCONN 0 0 192.0.2.11:53 0.0.0.0:* users:(("mailname",pid=9,fd=9))', Outcome.HOLDS, "mailname holds 53/udp"),
        ],
    )
    def test_who_holds_it(self, line: str, outcome: Outcome, said: str) -> None:
        result = judge_port_53(facts(listening=heard(line)), host())
        assert (result.outcome, said in result.seen[0]) == (outcome, True)

    def test_stub_that_is_gone_and_still_asked(self) -> None:
        """The stub of systemd-resolved was moved, and the host's own resolution broken with it."""
        result = judge_port_53(facts(resolver="/run/systemd/resolve/stub-resolv.conf\nnameserver 127.0.0.53"), host())
        assert result.seen[0] == "/etc/resolv.conf asks 127.0.0.53, where nobody listens: the host can resolve no name."

    def test_another_server_is_named_once_with_all_its_addresses_and_what_ends_it(self) -> None:
        """Preparing a host does not stop what somebody put there; it moves systemd-resolved's stub alone."""
        lines = ("tcp LISTEN 0 9 192.0.2.11:53", "udp UNCONN 0 0 192.0.2.11:53", "udp UNCONN 0 0 [fe80::1]%host0:53")
        told = "\n".join(heard(f'{line} 0.0.0.0:* users:(("named",pid=9,fd=9))') for line in lines)
        result = judge_port_53(facts(listening=told, processes="9 named.service /usr/sbin/named bind9"), host())
        said = (
            "port 53 is held by named (named.service, package bind9), at 192.0.2.11, fe80::1%host0; the plan wants builtin there."
        )
        assert (result.seen, result.command) == ((said,), "sudo systemctl disable --now named.service")
