"""Faults that only a real host shows, many on each: ``mailname host check`` names every one, and nothing that is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.hosts.looking import checked, install, looked
from tests.hosts.machines import site

if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.machines import Machine

# Open over IPv4 as the plan wants it, and closed over IPv6.
FILTER = """table inet t { chain input { type filter hook input priority 0; policy drop;
ct state established,related accept; iif lo accept; meta l4proto { icmp, ipv6-icmp } accept
meta nfproto ipv4 tcp dport { 22, 53 } accept; meta nfproto ipv4 udp dport 53 accept; ip6 nexthdr tcp tcp dport 22 accept
}
}"""
SLEEPS = "[Service]\\nExecStart=/usr/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"
# A jail whose bans land, and one more address that is banned by it.
JAIL = "[DEFAULT]\\nbackend = systemd\\nbanaction = nftables-multiport\\n[sshd]\\nenabled = true\\nport = 22\\n"


def misconfigure(machine: Machine) -> None:
    """Do everything that is done by mistake, in one go."""
    machine.run(
        f"""set -e
        useradd -m -s /bin/bash -G sudo admin; echo 'admin ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/admin
        printf '{JAIL}' >/etc/fail2ban/jail.d/sshd.local; systemctl restart fail2ban
        until fail2ban-client ping; do sleep 0.1; done
        fail2ban-client set sshd banip 198.51.100.7
        until nft list ruleset | grep -q 198.51.100.7; do sleep 0.1; done
        for one in chrony ntpsec; do printf '{SLEEPS}' >/etc/systemd/system/$one.service; done
        systemctl daemon-reload; systemctl start chrony ntpsec; systemctl enable chrony ntpsec
        systemctl mask fail2ban
        nft flush ruleset; echo '{FILTER}' | nft -f -
        echo 'NoSuchOption yes' >/etc/ssh/sshd_config.d/50-wrong.conf; systemctl reload ssh || true
        hostname vm-4711; rm -f /etc/resolv.conf
        printf 'nameserver 192.0.2.1\\noptions timeout:3 attempts:2\\n' >/etc/resolv.conf""",
    )


class TestFaults:
    def test_all_at_once(self, tmp_path: Path) -> None:
        """Each is told at its step; what is well beside them is not."""
        with site(tmp_path) as hosts:
            # Who resolves names for the host is silent: sudo waits for the host's own name.
            hosts.run("nft", "table ip hole { chain in { type filter hook input priority 0; udp dport 53 drop; }; }")
            machine = hosts.machine("ns1")
            machine.boot()
            install(
                machine, "fail2ban", "python3-systemd", "nftables", "netbase", "nginx-light", "avahi-daemon", "systemd-resolved"
            )
            misconfigure(machine)
            code, steps = checked(hosts, tmp_path)
            said = {name: " ".join(step["seen"]) for name, step in steps.items() if step["outcome"] == "does not hold"}
            assert code == 1
            assert "sudo does not answer within 8 seconds" in said["HOST-01"]
            assert "NoSuchOption" in steps["HOST-02"]["seen"][0]
            assert steps["HOST-02"]["outcome"] == "does not hold"
            assert "198.51.100.7, and the packet filter knows nothing of it" in said["HOST-03"]
            assert "2 services set the clock, one against the other: chrony and ntpsec." in said["HOST-04"]
            assert "IPv6: 53/tcp, 53/udp is dropped, and the plan wants it open." in said["HOST-06"]
            assert "IPv4: 53" not in said["HOST-06"]
            assert "avahi-daemon at 5353/udp (avahi-daemon.service, package avahi-daemon) listens" in said["HOST-07"]
            assert "cannot start at the next boot: fail2ban.service" in said["HOST-07"]
            assert "a web server lives here: nginx at 80/tcp" in said["HOST-08"]
            assert "it takes itself for 'vm-4711'" in said["HOST-09"]
            assert "systemd-resolve holds 53/udp at 127.0.0.53%lo only" in " ".join(steps["HOST-12"]["seen"])
            assert set(said) == {
                "HOST-01",
                "HOST-02",
                "HOST-03",
                "HOST-04",
                "HOST-06",
                "HOST-07",
                "HOST-08",
                "HOST-09",
                "HOST-11",
            }


class TestWayIn:
    def test_each_trouble_is_told_with_what_to_do(self, tmp_path: Path) -> None:
        """Another host key, a silent port 22, and a host that is off: no verdict on any step, and exit code 3."""
        with site(tmp_path) as hosts:
            machine = hosts.machine("ns1")
            machine.boot()
            known = tmp_path / "known_hosts"
            right = known.read_text()
            other = hosts.key.with_suffix(".pub").read_text().split()[1]
            known.write_text(" ".join([*right.split()[:2], other]) + "\n")
            code, host = looked(hosts, tmp_path)
            assert (code, host["steps"]) == (3, [])
            assert host["trouble"]["says"].endswith("Host key verification failed.")
            assert "Was it installed anew? Only then: ssh-keygen -" in host["trouble"]["fix"]
            known.write_text(right)
            hosts.run("nft", "table inet hole { chain out { type filter hook postrouting priority 0; tcp dport 22 drop; }; }")
            code, host = looked(hosts, tmp_path)
            assert (code, host["trouble"]["says"].rpartition(": ")[2]) == (3, "Connection timed out")
            assert "Is the machine on?" in host["trouble"]["fix"]
            hosts.run("nft", "flush ruleset")
            machine.off(by_force=True)
            machine.cut()
            code, host = looked(hosts, tmp_path)
            assert code == 3
            assert "Is the machine on" in host["trouble"]["fix"]
