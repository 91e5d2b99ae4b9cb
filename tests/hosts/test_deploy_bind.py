"""``mailname deploy`` of BIND on two real hosts: Debian's package, our files, one line in its configuration; and undone."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.hosts.machines import Machine, site
from tests.hosts.test_deploy import PLAN, Administrator

if TYPE_CHECKING:
    from pathlib import Path

LINE = 'include "/etc/bind/mailname/example.tech.conf";'
KEY_LINE = 'include "/etc/bind/mailname/keys/transfer.example.tech.key";'
BIND = PLAN.replace('role = "', 'engine = "bind"\nrole = "')
OTHERS = 'zone "other.example" { type primary; file "/etc/bind/db.empty"; };\n'


def state(machine: Machine) -> str:
    """Return all that a deployment could have changed."""
    listed = "find /etc/bind /var/lib/mailname-engine -type f -exec sha256sum {} + 2>/dev/null | sort -k 2"
    return machine.run(f"{listed}; systemctl is-active named; systemctl is-enabled named; true")


class TestDeployBind:
    def test_two_hosts(self, tmp_path: Path) -> None:
        """A fresh host and one with BIND and a zone of others; again; a change over SSH; a wrong key; what fails; removal."""
        with site(tmp_path) as hosts:
            machines = [hosts.machine("ns1"), hosts.machine("ns2")]
            for machine in machines:
                machine.boot()
            someone = Administrator(hosts, tmp_path / "home")
            someone.folder.mkdir()
            someone.plan.write_text(BIND)
            machines[1].run("DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends bind9 bind9-utils")
            (machines[1].root / "etc/bind/named.conf.local").write_text(OTHERS)
            machines[1].run("sed -i 's/dnssec-validation auto;/recursion no;/' /etc/bind/named.conf.options; rndc reconfig")

            self.dry_run_changes_nothing(someone, machines)
            self.first_deployment(someone, machines)
            self.second_run_changes_nothing(someone, machines)
            self.change_is_published_over_ssh(someone, machines)
            self.wrong_key_is_named(someone, machines)
            self.server_that_nobody_reaches_is_put_back(someone, machines)
            self.removed(someone, machines)

    def dry_run_changes_nothing(self, someone: Administrator, machines: list[Machine]) -> None:
        before = [state(machine) for machine in machines]
        done = someone.tried("deploy", str(someone.plan), "--dry-run")
        assert done.returncode == 0, done.stderr
        assert "+ bind9 bind9-utils, by apt" in done.stdout
        assert f"+{LINE}" in done.stdout
        assert "/etc/bind/named.conf.options is not ours and stays as it is" in done.stdout
        assert [state(machine) for machine in machines] == before

    def first_deployment(self, someone: Administrator, machines: list[Machine]) -> None:
        code, told = someone.deploy("--yes")
        assert code == 0, told
        places = {"192.0.2.11:53", "[2001:db8::11]:53", "192.0.2.12:53", "[2001:db8::12]:53"}
        assert {one["address"] for one in told["answers"] if one["serial"] is not None} == places
        assert (machines[1].root / "etc/bind/named.conf.local").read_text() == f"{OTHERS}{KEY_LINE}\n{LINE}\n"
        assert "recursion no" in (machines[1].root / "etc/bind/named.conf.options").read_text()
        secret = (someone.folder / "keys/transfer.example.tech.key").read_text().split('"')[3]
        assert secret not in json.dumps(told)
        for machine in machines:
            assert machine.run("stat -c '%a %G' /etc/bind/mailname/keys/*").split() == ["640", "bind"]
            assert machine.run("systemctl is-active named; systemctl is-enabled named").split() == ["active", "enabled"]
            machine.run("rndc zonestatus localhost")  # a default zone of the package
        machines[1].run("rndc zonestatus other.example")
        stranger = someone.hosts.inside("dig", "+norec", "+time=10", "@192.0.2.11")
        for question, says in ((("example.org", "A"), "status: REFUSED"), (("version.bind", "TXT", "CH"), "ANSWER: 0")):
            asked = subprocess.run([*stranger, *question], capture_output=True, text=True, check=False)
            assert says in asked.stdout, asked.stdout

    def second_run_changes_nothing(self, someone: Administrator, machines: list[Machine]) -> None:
        before = [state(machine) for machine in machines]
        done = someone.tried("deploy", str(someone.plan))
        assert done.returncode == 0, done.stderr
        assert "nothing was changed: all is as the plan says" in done.stdout
        assert [state(machine) for machine in machines] == before

    def change_is_published_over_ssh(self, someone: Administrator, machines: list[Machine]) -> None:
        someone.plan.write_text(BIND.replace('tech"\n[transfer', 'tech"\nwebsite = ["192.0.2.99"]\n[transfer', 1))
        done = someone.tried("publish", str(someone.plan), "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["zones"][0]["serial"] == told["zones"][0]["old_serial"] + 1
        assert [one["arrived"] for one in told["servers"]] == [True] * 4
        assert "IXFR ended" in machines[0].run("journalctl -q --no-pager -u named -o cat")
        status = someone.tried("status", str(someone.plan), "--json")
        assert status.returncode == 0, status.stdout + status.stderr
        inside = [one["status"]["serial"] for one in json.loads(status.stdout)["zones"][0]["servers"]]
        assert inside == [told["zones"][0]["serial"]] * 2

    def wrong_key_is_named(self, someone: Administrator, machines: list[Machine]) -> None:
        key = "/etc/bind/mailname/keys/transfer.example.tech.key"
        good = machines[1].run(f"cat {key}")
        machines[1].run(f"tsig-keygen transfer.example.tech > {key} && rndc reconfig && rndc refresh example.tech")
        machines[1].run("until journalctl -q -u named -o cat | grep -q 'tsig indicates error'; do sleep 0.2; done")
        status = someone.tried("status", str(someone.plan), "--json")
        assert status.returncode == 1, status.stderr
        causes = [one["cause"] for one in json.loads(status.stdout)["zones"][0]["servers"] if one["role"] == "secondary"]
        assert [one["code"] for one in causes] == ["REPL-04"], causes
        (machines[1].root / key[1:]).write_text(good)
        machines[1].run("rndc reconfig && rndc retransfer example.tech")

    def server_that_nobody_reaches_is_put_back(self, someone: Administrator, machines: list[Machine]) -> None:
        good = someone.plan.read_text()
        before = [state(machine) for machine in machines]
        someone.plan.write_text(good.replace('"192.0.2.12"', '"192.0.2.77"', 1))
        code, told = someone.deploy("--wait", "3", "--yes")
        assert (code, told["rolled_back"]) == (4, True), told["trouble"]
        assert [state(machine) for machine in machines] == before
        someone.plan.write_text(good)

    def removed(self, someone: Administrator, machines: list[Machine]) -> None:
        done = someone.tried("deploy", str(someone.plan), "--remove", "--yes")
        assert done.returncode == 0, done.stderr
        for machine in machines:
            assert LINE not in machine.run("cat /etc/bind/named.conf.local")
            assert machine.run("ls -d /etc/bind/mailname 2>/dev/null; true") == ""
        assert (machines[1].root / "etc/bind/named.conf.local").read_text() == OTHERS
        machines[1].run("rndc zonestatus other.example")
