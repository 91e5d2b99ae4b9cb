"""``mailname host check`` on real hosts: a fresh one, and one where it says that bans land and they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hosts.looking import checked, install
from tests.hosts.machines import site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.machines import Machine, Site

FILTER = """table inet t { chain input { type filter hook input priority 0; policy drop;
ct state established,related accept; iif lo accept; meta l4proto { icmp, icmpv6 } accept
tcp dport { 22, 53 } accept; ip6 nexthdr tcp accept
}
}"""


class TestCheck:
    def test_fresh_host_a_filter_and_bans_that_do_not_land(self, tmp_path: Path) -> None:
        """What a rented machine lacks is told, then what a filter drops and lets in, then that fail2ban's word is no ban."""
        with site(tmp_path) as hosts:
            machine = hosts.machine("ns1")
            machine.boot()
            self.fresh(hosts, tmp_path)
            install(machine, "fail2ban", "python3-systemd", "nftables", "netbase")
            self.bans_that_do_not_land(hosts, machine, tmp_path)

    def fresh(self, hosts: Site, folder: Path) -> None:
        """Nothing on it was changed."""
        code, steps = checked(hosts, folder)
        assert code == 1
        lacks = {name for name, step in steps.items() if step["outcome"] == "does not hold"}
        assert lacks == {"HOST-01", "HOST-02", "HOST-03", "HOST-04", "HOST-06", "HOST-11"}
        assert {name for name, step in steps.items() if step["outcome"] == "could not find out"} == {"HOST-13"}
        assert "root may log in by SSH (PermitRootLogin without-password)." in steps["HOST-02"]["seen"]

    def bans_that_do_not_land(self, hosts: Site, machine: Machine, folder: Path) -> None:
        """Tell what the host drops and the plan wants, what is open over IPv6 alone; and a jail whose port is no name of any."""
        jail = "[DEFAULT]\nbackend = systemd\nbanaction = nftables-multiport\n[sshd]\nenabled = true\nport = 22\n"
        (machine.root / "etc/fail2ban/jail.d/trial.local").write_text(jail)
        machine.run("systemctl restart fail2ban && until fail2ban-client ping; do sleep 0.1; done")
        machine.run(f"echo '{FILTER}' | nft -f -")
        steps = checked(hosts, folder)[1]
        assert steps["HOST-03"]["outcome"] == "holds"
        said = steps["HOST-06"]["seen"]
        assert any("IPv4: 53/udp is dropped" in one for one in said)
        assert any(one.startswith("IPv6: ") and "is let in" in one for one in said)
        assert not any(one.startswith("IPv4: ") and "is let in" in one for one in said)
        (machine.root / "etc/fail2ban/jail.d/trial.local").write_text(jail.replace("port = 22", "port = no-such-service"))
        machine.run("systemctl restart fail2ban && until fail2ban-client ping; do sleep 0.1; done")
        step = checked(hosts, folder)[1]["HOST-03"]
        assert step["outcome"] == "does not hold"
        assert "never came into the packet filter" in step["seen"][0]
        assert "203.0.113.254" not in machine.run("fail2ban-client status sshd; nft list ruleset")
