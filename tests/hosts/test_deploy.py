"""``mailname deploy`` on two real hosts without Internet: from nothing to a pair that answers, and through what may go wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hosts.machines import Machine, Site, site
from tests.server.tls_certificates import Certificates

import mailname

PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
[transfer_key]
name = "transfer.example.tech"
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.11", "2001:db8::11"]
role = "primary"
ssh = "root@192.0.2.11"
[[name_server]]
name = "ns2.example.tech"
addresses = ["192.0.2.12", "2001:db8::12"]
role = "secondary"
ssh = "root@192.0.2.12"
[[mail_host]]
name = "mail.example.net"
"""
MAIN = "import sys; from mailname.cli.main import main; main()"
KEY = "/etc/mailname/keys/transfer.example.tech.key"

#: Asks both servers every 5 ms until its standard input ends, then waits for what is still out; tells how many were not answered,
#: and of those what came instead (limited replies are truncated), and what this side itself dropped (SO_MEMINFO).
#: Five questions in turn: like replies to one client are limited to 200 a second, which is no loss that is meant here.
ASKER = """
import asyncio, json, socket, struct, sys, dns.message
ZONE = "example.tech"
ASKED = [(ZONE, "SOA"), (ZONE, "NS"), (ZONE, "MX"), ("ns1." + ZONE, "A"), ("ns2." + ZONE, "AAAA")]
class Asked(asyncio.DatagramProtocol):
    def __init__(self): self.out, self.sent, self.odd = {}, 0, []
    def connection_made(self, transport):
        self.transport = transport  # what waited is answered in one burst, which must find room here
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
    def datagram_received(self, data, address):
        if not data[3] & 15 and not data[2] & 2: self.out.pop(data[:2], None)  # NOERROR, and whole
        else: self.odd.append(data[:4].hex())
    def dropped(self):
        here = self.transport.get_extra_info("socket")
        return struct.unpack("@9I", here.getsockopt(socket.SOL_SOCKET, 55, 36))[8]
    def ask(self):
        self.sent += 1
        name, kind = ASKED[self.sent % len(ASKED)]
        wire = dns.message.make_query(name, kind, id=self.sent % 65536).to_wire()
        self.out[wire[:2]] = True
        self.transport.sendto(wire)
async def main():
    loop = asyncio.get_running_loop()
    both = [(await loop.create_datagram_endpoint(Asked, remote_addr=(at, 53)))[1] for at in ("192.0.2.11", "192.0.2.12")]
    ended = loop.run_in_executor(None, sys.stdin.read)
    print("asking", flush=True)
    while not ended.done():
        for one in both: one.ask()
        await asyncio.sleep(0.005)
    for _ in range(200):
        if not any(one.out for one in both): break
        await asyncio.sleep(0.05)
    said = {"sent": [one.sent for one in both], "lost": [len(one.out) for one in both], "odd": [one.odd for one in both]}
    print(json.dumps({**said, "dropped_here": [one.dropped() for one in both]}))
asyncio.run(main())
"""


@dataclass(slots=True)
class Administrator:
    """Somebody at the administrator's computer, with a plan in a folder of his own."""

    hosts: Site
    folder: Path
    source: Path | None = None

    @property
    def plan(self) -> Path:
        return self.folder / "plan.toml"

    def tried(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run ``mailname WORDS`` there; with ``source``, that of another version."""
        argv = self.hosts.inside(sys.executable, "-c", MAIN, *words, "--ssh-config", str(self.hosts.ssh_config))
        environment = {**os.environ, "NO_COLOR": "1"} | ({"PYTHONPATH": str(self.source)} if self.source else {})
        return subprocess.run(argv, capture_output=True, text=True, check=False, env=environment, input=given)

    def deploy(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Return the exit code and the JSON document."""
        done = self.tried("deploy", str(self.plan), "--json", *words)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    def version(self, name: str) -> Path:
        """Return the folder of a copy of the sources, which counts as another release."""
        top = self.folder / name
        shutil.copytree(Path(mailname.__file__).parent, top / "mailname", ignore=shutil.ignore_patterns("__pycache__"))
        (top / "mailname" / "newer.py").write_text(f'"""{name}."""\n')
        return top


def state(machine: Machine) -> str:
    """Return all that a deployment could have changed: files, links, units."""
    places = "/etc/mailname /etc/systemd/system /etc/sysusers.d /usr/local/bin /opt/mailname/current"
    listed = f"find {places} -not -type d -exec sha256sum {{}} + 2>/dev/null | sort -k 2; readlink /opt/mailname/current"
    return machine.run(f"{listed}; systemctl is-active mailname.socket mailname.service; true")


class TestDeploy:
    def test_two_hosts(self, tmp_path: Path) -> None:
        """From nothing to a pair that answers; again; a change; an upgrade; what goes wrong is put back; and taken away."""
        with site(tmp_path) as hosts:
            machines = [hosts.machine("ns1"), hosts.machine("ns2")]
            for machine in machines:
                machine.boot()
            someone = Administrator(hosts, tmp_path / "home")
            someone.folder.mkdir()
            someone.plan.write_text(PLAN)

            self.nothing_is_changed_where_port_53_is_taken(someone, machines)
            self.nothing_is_changed_where_the_program_finds_no_place(someone, machines)
            self.first_deployment(someone, machines)
            self.second_run_changes_nothing(someone, machines)
            self.change_is_published_over_ssh(someone)
            self.upgrade_loses_no_question(someone, machines)
            self.release_that_does_not_start_is_put_back(someone, machines)
            self.server_that_nobody_reaches_is_put_back(someone, machines)
            self.transfers_over_tls_and_updates(someone, machines)
            self.removed(someone, machines)

    def nothing_is_changed_where_port_53_is_taken(self, someone: Administrator, machines: list[Machine]) -> None:
        """HOST-12 on the second host keeps the first one untouched, too."""
        machines[1].run("DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends nsd")
        machines[1].run("systemctl start nsd && until ss -lnu | grep -q ':53 '; do sleep 0.1; done")
        before = [state(machine) for machine in machines]
        code, told = someone.deploy()
        assert code == 1
        assert [[fault["code"] for fault in host["faults"]] for host in told["hosts"]] == [[], ["HOST-12"]]
        assert "nsd" in told["hosts"][1]["faults"][0]["says"]
        assert [state(machine) for machine in machines] == before
        assert not (someone.folder / "keys").exists()
        machines[1].run("systemctl disable --now nsd; apt-get -qq purge -y nsd")

    def nothing_is_changed_where_the_program_finds_no_place(self, someone: Administrator, machines: list[Machine]) -> None:
        """Tell it as a document, too: what stands in the way is no folder."""
        machines[0].run("mkdir -p /opt/mailname && touch /opt/mailname/releases")
        code, told = someone.deploy()
        assert (code, told["rolled_back"]) == (4, False)
        assert "the release could not be brought there" in told["trouble"]["says"]
        machines[0].run("rm -r /opt/mailname")

    def first_deployment(self, someone: Administrator, machines: list[Machine]) -> None:
        code, told = someone.deploy()
        assert code == 0, told
        answers = {(one["address"], one["protocol"]) for one in told["answers"] if one["serial"] is not None}
        places = ("192.0.2.11:53", "[2001:db8::11]:53", "192.0.2.12:53", "[2001:db8::12]:53")
        assert answers == {(place, protocol) for place in places for protocol in ("udp", "tcp")}
        assert {one["serial"] for one in told["answers"]} == {told["published"][0]["serial"]}
        secret = (someone.folder / "keys/transfer.example.tech.key").read_text()
        assert secret.split('"')[3] not in json.dumps(told)
        for machine in machines:
            assert machine.run(f"stat -c '%a %U' {KEY}; cat {KEY}") == f"600 mailname\n{secret}"
            assert machine.run("ps -o user= -C python3 | sort -u").split() == ["mailname"]
            assert machine.run("systemctl is-enabled mailname.socket mailname.service").split() == ["enabled", "enabled"]
            assert "CapEff:\t0000000000000000" in machine.run("cat /proc/$(systemctl show -p MainPID --value mailname)/status")
            status = json.loads(machine.run("mailname status --json"))
            assert [zone["serial"] for zone in status["zones"]] == [told["published"][0]["serial"]]
        score = machines[0].run("systemd-analyze security --no-pager mailname.service").split("mailname.service: ")[1].split()
        assert float(score[0]) <= 2.0
        assert score[1] == "OK"

    def second_run_changes_nothing(self, someone: Administrator, machines: list[Machine]) -> None:
        before = [state(machine) for machine in machines]
        started = [machine.run("systemctl show -p ActiveEnterTimestampMonotonic mailname.service") for machine in machines]
        done = someone.tried("deploy", str(someone.plan))
        assert done.returncode == 0, done.stderr
        assert "nothing was changed: all is as the plan says" in done.stdout
        assert [state(machine) for machine in machines] == before
        assert [
            machine.run("systemctl show -p ActiveEnterTimestampMonotonic mailname.service") for machine in machines
        ] == started
        dry = someone.tried("deploy", str(someone.plan), "--dry-run")
        assert dry.stdout.count("nothing to change") == 2

    def change_is_published_over_ssh(self, someone: Administrator) -> None:
        someone.plan.write_text(PLAN.replace('tech"\n[transfer', 'tech"\nwebsite = ["192.0.2.99"]\n[transfer', 1))
        done = someone.tried("publish", str(someone.plan), "--json")
        told = json.loads(done.stdout)
        assert done.returncode == 0, done.stderr
        assert told["zones"][0]["serial"] == told["zones"][0]["old_serial"] + 1
        assert [one["arrived"] for one in told["servers"]] == [True] * 4

    def upgrade_loses_no_question(self, someone: Administrator, machines: list[Machine]) -> None:
        """Ask each server every 5 ms, while both change from one release to the next."""
        someone.source = someone.version("upgrade")
        old = [machine.run("readlink /opt/mailname/current") for machine in machines]
        argv = someone.hosts.inside(sys.executable, "-c", ASKER)
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asking:
            assert asking.stdout is not None
            assert asking.stdout.readline() == "asking\n"
            code, told = someone.deploy()
            said = json.loads(asking.communicate()[0])
        assert code == 0, told
        assert [host["change"]["restarts"] for host in told["hosts"]] == ["service", "service"]
        if said["lost"] != [0, 0]:  # where they went, for who reads of it: what is written here is shown whole
            seen = "nstat -az; ss -lunmp; mailname traffic --json; journalctl -u mailname -o short-precise"
            sys.stderr.write("\n".join(machine.run(seen) for machine in machines))
        assert said["lost"] == [0, 0], said
        assert min(said["sent"]) > 100
        assert all(machine.run("readlink /opt/mailname/current") != was for machine, was in zip(machines, old, strict=True))
        assert all(machine.run("ls /opt/mailname").split() == ["current", "releases"] for machine in machines)

    def release_that_does_not_start_is_put_back(self, someone: Administrator, machines: list[Machine]) -> None:
        """Leave the second host untouched, and tell the reason in the server's own words."""
        good, someone.source = someone.source, someone.version("broken")
        (someone.source / "mailname/server/service.py").write_text('raise RuntimeError("broken on purpose")\n')
        before = [state(machine) for machine in machines]
        code, told = someone.deploy()
        assert (code, told["rolled_back"]) == (4, True), told["trouble"]
        assert "broken on purpose" in told["trouble"]["says"]
        assert [state(machine) for machine in machines] == before
        someone.source = good
        assert someone.deploy()[1]["hosts"][0]["change"] is None

    def server_that_nobody_reaches_is_put_back(self, someone: Administrator, machines: list[Machine]) -> None:
        """Name an address that leads nowhere: its server starts well, and does not answer from here."""
        good = someone.plan.read_text()
        before = [state(machine) for machine in machines]
        someone.plan.write_text(good.replace('"192.0.2.12"', '"192.0.2.77"', 1))
        code, told = someone.deploy("--wait", "3")
        assert (code, told["rolled_back"]) == (4, True), told["trouble"]
        assert {one["address"] for one in told["answers"] if one["serial"] is None} == {"192.0.2.77:53"}
        assert [state(machine) for machine in machines] == before
        someone.plan.write_text(good)
        assert someone.deploy()[0] == 0

    def transfers_over_tls_and_updates(self, someone: Administrator, machines: list[Machine]) -> None:
        """Bring the certificate and the key of who may update to the primary; with ``--host`` to nobody else."""
        (someone.folder / "tls").mkdir()
        certificates = Certificates(someone.folder / "tls")
        certificates.make("ns1.example.tech")
        pin = f'role = "primary"\ntls_pin = "{certificates.pin("ns1.example.tech")}"'
        update = '[[update]]\nkey = "acme.example.tech"\nnames = ["_acme-challenge.example.tech"]\ntypes = ["TXT"]\n'
        text = someone.plan.read_text().replace('role = "primary"', pin) + update
        someone.plan.write_text(text)
        second = state(machines[1])
        code, told = someone.deploy("--host", "ns1.example.tech")
        assert (code, [host["host"] for host in told["hosts"]]) == (0, ["ns1.example.tech"]), told
        assert state(machines[1]) == second
        assert machines[0].run("stat -c '%a %U' /etc/mailname/tls.key") == "600 mailname\n"
        assert someone.deploy()[0] == 0
        assert machines[0].run("ls /etc/mailname/keys").split() == ["acme.example.tech.key", "transfer.example.tech.key"]
        assert machines[1].run("ls /etc/mailname/keys").split() == ["transfer.example.tech.key"]
        someone.plan.write_text(text.replace("192.0.2.99", "192.0.2.98", 1))
        done = someone.tried("publish", str(someone.plan), "--json")
        assert done.returncode == 0, done.stderr
        assert [one["arrived"] for one in json.loads(done.stdout)["servers"]] == [True] * 4
        assert ":853" in machines[1].run("mailname status"), "the zone did not come over TLS"

    def removed(self, someone: Administrator, machines: list[Machine]) -> None:
        assert someone.tried("deploy", str(someone.plan), "--remove", given="n\n").returncode == 130
        assert someone.deploy()[0] == 0
        done = someone.tried("deploy", str(someone.plan), "--remove", given="y\n")
        assert done.returncode == 0, done.stderr
        for machine in machines:
            assert machine.run("ls -d /opt/mailname /etc/mailname /etc/systemd/system/mailname* 2>/dev/null; true") == ""
            assert ":53 " not in machine.run("ss -lntu")
        assert machines[0].run("ls /var/lib/mailname/zones").split() == ["example.tech.zone"]
        assert someone.tried("deploy", str(someone.plan), "--remove", "--yes").stdout == "nothing is deployed there\n"
