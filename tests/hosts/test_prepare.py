"""``mailname host prepare`` on real hosts: it makes a fresh one safe, leaves it alone then, and locks nobody out on the way."""

from __future__ import annotations

import contextlib
import json
import stat
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from tests.hosts.machines import Machine, Site, site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
[hosts]
time_zone = "Europe/Berlin"
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.11", "2001:db8::11"]
role = "primary"
[[name_server]]
name = "ns2.example.tech"
addresses = ["192.0.2.12", "2001:db8::12"]
role = "secondary"
[[mail_host]]
name = "mail.example.net"
"""
# A host of the tests may not set the clock, which is this machine's; whom it asks for the time is on the administrator's side.
TIME = """
import socket, struct, time
here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
here.bind(("192.0.2.1", 123))
while True:
    asked, whom = here.recvfrom(512)
    now = struct.pack("!Q", int((time.time() + 2208988800) * 2**32))
    here.sendto(bytes([0x24, 1, 6, 0xEC]) + bytes(8) + b"GPS\\0" + now + asked[40:48] + now + now, whom)
"""
CHRONY = "[Unit]\nConditionCapability=\n[Service]\nUser=root\nExecStart=\nExecStart=/usr/sbin/chronyd -x\n"
MAIN = "import sys; from mailname.cli.main import main; main()"
SSHD = "etc/ssh/sshd_config.d/10-mailname.conf"


def words(hosts: Site, folder: Path, command: str, *options: str) -> list[str]:
    plan = folder / "plan.toml"
    plan.write_text(PLAN)
    own = [sys.executable, "-c", MAIN, "host", command, str(plan), "--ssh-config", str(hosts.ssh_config), "--json", *options]
    return hosts.inside(*own)


def said(hosts: Site, folder: Path, command: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit code, and what was told of each host."""
    done = subprocess.run(words(hosts, folder, command, *options), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)["hosts"]
    return done.returncode, told


def fresh(hosts: Site, name: str) -> Machine:
    """Return a host that is off, and on which chrony will run."""
    machine = hosts.machine(name)
    for path, text in (("systemd/system/chrony.service.d/x.conf", CHRONY), ("chrony/conf.d/x.conf", "server 192.0.2.1 iburst\n")):
        file = machine.root / "etc" / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
    return machine


@contextlib.contextmanager
def time_server(hosts: Site) -> Iterator[None]:
    """Tell the time on the administrator's side (RFC 5905 section 7.3)."""
    with subprocess.Popen(hosts.inside(sys.executable, "-c", TIME)) as running:
        try:
            yield
        finally:
            running.kill()


def outcomes(host: dict[str, Any]) -> dict[str, str]:
    return {step["code"]: step["outcome"] for step in host["steps"]}


class TestPrepare:
    def test_two_hosts(self, tmp_path: Path) -> None:
        """Side by side: one loses its network behind the guard and is finished by a second run, at the other sshd is broken."""
        with site(tmp_path) as hosts, time_server(hosts):
            first, second = machines = [fresh(hosts, "ns1"), fresh(hosts, "ns2")]
            config = second.root / "etc/ssh/sshd_config"
            broken = config.read_text() + "NoSuchOption yes\n"
            for machine in machines:
                machine.boot()
            config.write_text(broken)
            second.run("dpkg-query -s sudo >/var/lib/dpkg/updates/0001")  # as dpkg leaves it when it is cut off
            assert "dpkg was interrupted" in second.inside("apt-get -qq install -y --no-install-recommends cron").stderr
            self.dry_run_changes_nothing(hosts, tmp_path, machines)
            told = self.network_is_cut_behind_the_guard(hosts, tmp_path, first)
            assert "NoSuchOption" in told[1]["left_alone"][0]["why"]
            assert told[1]["prepared"]["trouble"] is None
            assert outcomes(told[1]["prepared"])["HOST-06"] == "holds"
            assert config.read_text() == broken
            assert not (second.root / SSHD).exists()
            assert second.tried("true").returncode == 0, "root does not come in any more"
            self.second_run_finishes_it(hosts, tmp_path, first)
            self.owner_who_tries_root_is_no_guesser(hosts, first)
            self.third_run_changes_nothing(hosts, tmp_path, first)
            self.comes_back_from_a_reboot(hosts, tmp_path, first)

    def dry_run_changes_nothing(self, hosts: Site, folder: Path, machines: list[Machine]) -> None:
        code, told = said(hosts, folder, "prepare", "--dry-run")
        assert code == 1
        assert {change["title"] for change in told[0]["changes"]} >= {"packages", "sshd", "packet filter", "fail2ban"}
        assert "sshd" not in {change["title"] for change in told[1]["changes"]}
        for machine in machines:
            assert not (machine.root / SSHD).exists()
            assert not (machine.root / "home/admin").exists()

    def network_is_cut_behind_the_guard(self, hosts: Site, folder: Path, machine: Machine) -> list[dict[str, Any]]:
        """Cut off between arming and disarming, the host puts back by itself what could have locked out."""
        argv = words(hosts, folder, "prepare", "--yes", "--guard", "20")
        guard = machine.root / "var/lib/mailname-guard/list"
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
            try:
                while not (machine.root / "etc/mailname/filter.nft").exists():
                    assert running.poll() is None, "it ended before it came to the packet filter"
                    time.sleep(0.01)
                machine.cut()
                output, _ = running.communicate(timeout=300)
            finally:
                running.kill()
        told: list[dict[str, Any]] = json.loads(output)["hosts"]
        assert running.returncode == 4
        assert "puts back" in told[0]["prepared"]["put_back"]
        until = time.monotonic() + 60
        while guard.exists():
            assert time.monotonic() < until, "the guard restored nothing"
            time.sleep(0.1)
        machine.cut(off=False)
        machine.wait_for_ssh()
        assert not (machine.root / SSHD).exists()
        assert not (machine.root / "etc/mailname/filter.nft").exists()
        assert "inet mailname" not in machine.run("nft list tables; systemctl list-unit-files 'mailname*'; true")
        return told

    def second_run_finishes_it(self, hosts: Site, folder: Path, machine: Machine) -> None:
        """Every step holds then; what came before the cut is not done again."""
        code, (host,) = said(hosts, folder, "prepare", "ns1.example.tech", "--yes")
        assert host["prepared"]["trouble"] is None, host["prepared"]
        assert {"packages", "sshd", "packet filter"} & set(host["prepared"]["done"]) == {"sshd", "packet filter"}
        assert [step for step in host["prepared"]["steps"] if step["outcome"] == "does not hold"] == []
        assert code == 0
        password = folder / "plan.ns1.example.tech.password"
        assert stat.S_IMODE(password.stat().st_mode) == 0o600
        assert password.read_text().strip() not in json.dumps(host)
        assert machine.tried("true").returncode, "root comes in by SSH"

    def owner_who_tries_root_is_no_guesser(self, hosts: Site, machine: Machine) -> None:
        """Try root, as plans that say ``root@`` do, from an address that nobody has excepted: only the wrong name counts."""
        over_ipv6 = ["ssh", "-F", str(hosts.ssh_config), "-o", "BatchMode=yes"]
        for name in ("root", "root", "root", "nobody-at-all"):
            tried = subprocess.run(
                hosts.inside(*over_ipv6, f"{name}@{machine.addresses[1]}", "true"), capture_output=True, check=False
            )
            assert tried.returncode == 255
        until = time.monotonic() + 60
        while (failed := machine.run("fail2ban-client status sshd").partition("Total failed:")[2].split()[0]) == "0":
            assert time.monotonic() < until, "fail2ban did not see the wrong name"
            time.sleep(0.1)
        assert failed == "1"

    def third_run_changes_nothing(self, hosts: Site, folder: Path, machine: Machine) -> None:
        _, (host,) = said(hosts, folder, "check", "ns1.example.tech")
        assert {key: value for key, value in outcomes(host).items() if value != "holds"} == {"HOST-13": "could not find out"}
        code, (host,) = said(hosts, folder, "prepare", "ns1.example.tech", "--dry-run")
        assert (code, host["changes"]) == (0, [])
        listed = "sudo find /etc -newer /etc/ssh/sshd_config.d/10-mailname.conf -type f"
        before = machine.run(listed, user="admin")
        code, (host,) = said(hosts, folder, "prepare", "ns1.example.tech", "--yes")
        assert (code, host["changes"], host["prepared"]) == (0, [], None)
        assert machine.run(listed, user="admin") == before

    def comes_back_from_a_reboot(self, hosts: Site, folder: Path, machine: Machine) -> None:
        boots = machine.boots
        code, (host,) = said(hosts, folder, "prepare", "ns1.example.tech", "--yes", "--reboot")
        assert (code, host["prepared"]["rebooted"], machine.boots) == (0, True, boots + 1), host["prepared"]
        assert not machine.tried("ls /var/lib/mailname-guard /etc/systemd/system/mailname-guard.timer", user="admin").stdout
