"""``mailname host check`` on real hosts: a fresh one, and one where it says that bans land and they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hosts.looking import checked, install
from tests.hosts.machines import site

if TYPE_CHECKING:
    from pathlib import Path

FILTER = """table inet t { chain input { type filter hook input priority 0; policy drop;
ct state established,related accept; iif lo accept; meta l4proto { icmp, icmpv6 } accept
tcp dport { 22, 53 } accept; ip6 nexthdr tcp accept
}
}"""


class TestCheck:
    def test_fresh_host(self, tmp_path: Path) -> None:
        """What a rented machine lacks is told, and what it has; nothing on it was changed."""
        with site(tmp_path) as hosts:
            machine = hosts.machine("ns1")
            machine.boot()
            code, steps = checked(hosts, tmp_path)
            assert code == 1
            lacks = {name for name, step in steps.items() if step["outcome"] == "does not hold"}
            assert lacks == {"HOST-01", "HOST-02", "HOST-03", "HOST-04", "HOST-06", "HOST-11"}
            assert {name for name, step in steps.items() if step["outcome"] == "could not find out"} == {"HOST-13"}
            assert "root may log in by SSH (PermitRootLogin without-password)." in steps["HOST-02"]["seen"]

    def test_bans_that_do_not_land(self, tmp_path: Path) -> None:
        """fail2ban says that it bans; the packet filter knows nothing of it."""
        with site(tmp_path) as hosts:
            machine = hosts.machine("ns1")
            machine.boot()
            install(machine, "fail2ban", "python3-systemd", "nftables", "netbase")
            jail = "[DEFAULT]\nbackend = systemd\nbanaction = nftables-multiport\n[sshd]\nenabled = true\nport = 22\n"
            (machine.root / "etc/fail2ban/jail.d/trial.local").write_text(jail)
            machine.run("systemctl restart fail2ban && until fail2ban-client ping; do sleep 0.1; done")
            assert checked(hosts, tmp_path)[1]["HOST-03"]["outcome"] == "holds"
            (machine.root / "etc/fail2ban/jail.d/trial.local").write_text(jail.replace("port = 22", "port = no-such-service"))
            machine.run("systemctl restart fail2ban && until fail2ban-client ping; do sleep 0.1; done")
            step = checked(hosts, tmp_path)[1]["HOST-03"]
            assert step["outcome"] == "does not hold"
            assert "never came into the packet filter" in step["seen"][0]
            assert "203.0.113.254" not in machine.run("fail2ban-client status sshd; nft list ruleset")

    def test_packet_filter_is_read_and_tried(self, tmp_path: Path) -> None:
        """A port that the plan wants and the host drops, and one that is open beside it, over IPv6 alone."""
        with site(tmp_path) as hosts:
            machine = hosts.machine("ns1")
            machine.boot()
            install(machine, "nftables")
            machine.run(f"echo '{FILTER}' | nft -f -")
            step = checked(hosts, tmp_path)[1]["HOST-06"]
            assert any("IPv4: 53/udp is dropped" in said for said in step["seen"])
            assert any(said.startswith("IPv6: ") and "is let in" in said for said in step["seen"])
            assert not any(said.startswith("IPv4: ") and "is let in" in said for said in step["seen"])
