"""``mailname deploy`` of Knot and NSD on two real hosts: Debian's packages, our files, one line in each configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.hosts.machines import Machine, site
from tests.hosts.test_deploy import PLAN, Administrator

if TYPE_CHECKING:
    from pathlib import Path

PAIR = PLAN.replace('role = "secondary"', 'engine = "nsd"\nrole = "secondary"').replace(
    'role = "primary"', 'engine = "knot"\nrole = "primary"'
)
UNITS = {"secondary": "nsd", "primary": "knot"}


def state(machine: Machine) -> str:
    """Return all that a deployment could have changed."""
    return machine.run(
        "find /etc/knot /etc/nsd /var/lib/mailname-engine -type f -exec sha256sum {} + 2>/dev/null | sort -k 2; true"
    )


class TestDeployKnotAndNsd:
    def test_two_hosts(self, tmp_path: Path) -> None:
        """Fresh hosts; again; a change over SSH; removal. What fails and is undone, ``test_deploy_bind`` shows."""
        with site(tmp_path) as hosts:
            machines = [hosts.machine("ns1"), hosts.machine("ns2")]
            for machine in machines:
                machine.boot()
            someone = Administrator(hosts, tmp_path / "home")
            someone.folder.mkdir()
            someone.plan.write_text(PAIR)
            self.first_deployment(someone, machines)
            self.second_run_changes_nothing(someone, machines)
            self.change_is_published_over_ssh(someone)
            self.removed(someone, machines)

    def first_deployment(self, someone: Administrator, machines: list[Machine]) -> None:
        code, told = someone.deploy("--yes")
        assert code == 0, json.dumps(told)
        places = {"192.0.2.11:53", "[2001:db8::11]:53", "192.0.2.12:53", "[2001:db8::12]:53"}
        assert {one["address"] for one in told["answers"] if one["serial"] is not None} == places
        secret = (someone.folder / "keys/transfer.example.tech.key").read_text().split('"')[3]
        assert secret not in json.dumps(told)
        units = {machine.run("systemctl is-active nsd >/dev/null && echo nsd || echo knot").strip() for machine in machines}
        assert units == set(UNITS.values())
        for machine in machines:
            modes = machine.run("stat -c '%a' /etc/knot/mailname/keys/* /etc/nsd/mailname/keys/* 2>/dev/null; true").split()
            assert modes == ["640"]

    def second_run_changes_nothing(self, someone: Administrator, machines: list[Machine]) -> None:
        before = [state(machine) for machine in machines]
        done = someone.tried("deploy", str(someone.plan))
        assert done.returncode == 0, done.stderr
        assert "nothing was changed: all is as the plan says" in done.stdout
        assert [state(machine) for machine in machines] == before

    def change_is_published_over_ssh(self, someone: Administrator) -> None:
        someone.plan.write_text(PAIR.replace('tech"\n[transfer', 'tech"\nwebsite = ["192.0.2.99"]\n[transfer', 1))
        done = someone.tried("publish", str(someone.plan), "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["zones"][0]["serial"] == told["zones"][0]["old_serial"] + 1
        assert [one["arrived"] for one in told["servers"]] == [True] * 4
        status = someone.tried("status", str(someone.plan), "--json")
        assert status.returncode == 0, status.stdout + status.stderr
        inside = [one["status"] for one in json.loads(status.stdout)["zones"][0]["servers"]]
        assert [one["serial"] for one in inside] == [told["zones"][0]["serial"]] * 2
        fetched = [each["fetched"]["kind"] for one in inside for each in one["secondaries"] if each["fetched"]]
        assert "IXFR" in fetched

    def removed(self, someone: Administrator, machines: list[Machine]) -> None:
        done = someone.tried("deploy", str(someone.plan), "--remove", "--yes")
        assert done.returncode == 0, done.stderr
        for machine in machines:
            assert machine.run("grep -l mailname /etc/knot/knot.conf /etc/nsd/nsd.conf 2>/dev/null; true") == ""
            assert machine.run("ls -d /etc/knot/mailname /etc/nsd/mailname 2>/dev/null; true") == ""
