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


def said(hosts: Site, folder: Path, command: str, *options: str) -> tuple[int, dict[str, Any]]:
    """Return the exit code, and what was told of the one host."""
    done = subprocess.run(words(hosts, folder, command, *options), capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    (host,) = json.loads(done.stdout)["hosts"]
    return done.returncode, host


def fresh(hosts: Site) -> Machine:
    """Return a host that is booted, and on which chrony will run."""
    machine = hosts.machine("ns1")
    for path, text in (("systemd/system/chrony.service.d/x.conf", CHRONY), ("chrony/conf.d/x.conf", "server 192.0.2.1 iburst\n")):
        file = machine.root / "etc" / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
    machine.boot()
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
    def test_fresh_host_is_safe_afterwards_and_left_alone_then(self, tmp_path: Path) -> None:
        """The dry run changes nothing, preparing makes every step hold, and a second run finds nothing to change."""
        with site(tmp_path) as hosts, time_server(hosts):
            machine = fresh(hosts)
            code, host = said(hosts, tmp_path, "prepare", "--dry-run")
            assert code == 1
            assert {change["title"] for change in host["changes"]} >= {"packages", "sshd", "packet filter", "fail2ban"}
            assert not (machine.root / SSHD).exists()
            assert not (machine.root / "home/admin").exists()

            code, host = said(hosts, tmp_path, "prepare", "--yes")
            assert host["prepared"]["trouble"] is None, host["prepared"]
            assert [step for step in host["prepared"]["steps"] if step["outcome"] == "does not hold"] == []
            assert code == 0
            password = tmp_path / "plan.ns1.example.tech.password"
            assert stat.S_IMODE(password.stat().st_mode) == 0o600
            assert password.read_text().strip() not in json.dumps(host)
            assert machine.tried("true").returncode, "root comes in by SSH"
            code, host = said(hosts, tmp_path, "check")
            assert {key: value for key, value in outcomes(host).items() if value != "holds"} == {"HOST-13": "could not find out"}
            code, host = said(hosts, tmp_path, "prepare", "--dry-run")
            assert (code, host["changes"]) == (0, [])
            before = machine.run("sudo find /etc -newer /etc/ssh/sshd_config.d/10-mailname.conf -type f", user="admin")
            code, host = said(hosts, tmp_path, "prepare", "--yes")
            assert (code, host["changes"], host["prepared"]) == (0, [], None)
            assert machine.run("sudo find /etc -newer /etc/ssh/sshd_config.d/10-mailname.conf -type f", user="admin") == before
            boots = machine.boots
            code, host = said(hosts, tmp_path, "prepare", "--yes", "--reboot")
            assert (code, host["prepared"]["rebooted"], machine.boots) == (0, True, boots + 1), host["prepared"]
            assert not machine.tried("ls /var/lib/mailname-guard /etc/systemd/system/mailname-guard.timer", user="admin").stdout

    def test_network_cut_behind_the_guard(self, tmp_path: Path) -> None:
        """Cut off between arming and disarming, the host puts back by itself what could have locked out."""
        with site(tmp_path) as hosts, time_server(hosts):
            machine = fresh(hosts)
            running = subprocess.Popen(
                words(hosts, tmp_path, "prepare", "--yes", "--guard", "20"),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            guard = machine.root / "var/lib/mailname-guard/list"
            try:
                while not (machine.root / "etc/mailname/filter.nft").exists():
                    assert running.poll() is None, "it ended before it came to the packet filter"
                    time.sleep(0.01)
                machine.cut()
                output, _ = running.communicate(timeout=120)
            finally:
                running.kill()
                running.wait()
            (host,) = json.loads(output)["hosts"]
            assert running.returncode == 4
            assert "puts back" in host["prepared"]["put_back"]
            until = time.monotonic() + 60
            while guard.exists():
                assert time.monotonic() < until, "the guard restored nothing"
                time.sleep(0.1)
            machine.cut(off=False)
            assert not (machine.root / SSHD).exists()
            assert not (machine.root / "etc/mailname/filter.nft").exists()
            assert "inet mailname" not in machine.run("nft list tables; systemctl list-unit-files 'mailname*'; true")
            code, host = said(hosts, tmp_path, "prepare", "--yes")
            assert (code, host["prepared"]["trouble"]) == (0, None)

    def test_sshd_that_is_misconfigured_already(self, tmp_path: Path) -> None:
        """A line that sshd refuses is told; sshd is not touched, all else is prepared."""
        with site(tmp_path) as hosts, time_server(hosts):
            machine = fresh(hosts)
            config = machine.root / "etc/ssh/sshd_config"
            config.write_text(config.read_text() + "NoSuchOption yes\n")
            before = config.read_text()
            code, host = said(hosts, tmp_path, "prepare", "--yes")
            assert "NoSuchOption" in host["left_alone"][0]["why"]
            assert code == 1
            assert config.read_text() == before
            assert not (machine.root / SSHD).exists()
            assert outcomes(host["prepared"])["HOST-06"] == "holds"
            machine.run("true")
