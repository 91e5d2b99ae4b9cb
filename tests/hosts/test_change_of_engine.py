"""``mailname deploy`` where the plan names another engine: each hands port 53 over to the next, and nobody who asks notices."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.hosts.asker import asking
from tests.hosts.machines import Machine, site
from tests.hosts.test_deploy import PLAN, Administrator

if TYPE_CHECKING:
    from pathlib import Path

UNITS = ("mailname.socket", "mailname.service", "named", "knot", "nsd", "mailname-handover")
OF = {"builtin": ["mailname.socket", "mailname.service"], "bind": ["named"], "knot": ["knot"], "nsd": ["nsd"]}


def plan_of(primary: str, secondary: str) -> str:
    """Return the plan with these engines."""
    text = PLAN.replace('role = "primary"', f'engine = "{primary}"\nrole = "primary"')
    return text.replace('role = "secondary"', f'engine = "{secondary}"\nrole = "secondary"')


def running(machine: Machine) -> list[str]:
    """Return which of the units run."""
    said = machine.run(f"for one in {' '.join(UNITS)}; do systemctl is-active -q $one && echo $one; done; true")
    return said.split()


def state(machine: Machine) -> str:
    """Return all that a deployment could have changed."""
    places = "/etc/knot /etc/nsd/mailname /etc/bind /etc/mailname /etc/systemd/system /var/lib/mailname-engine"
    return machine.run(f"find {places} -type f -exec sha256sum {{}} + 2>/dev/null | sort -k 2; true")


class TestChangeOfEngine:
    def test_loses_no_question_and_no_serial(self, tmp_path: Path) -> None:
        """Go from the built-in engine to BIND, to Knot, and from Knot to NSD, to the built-in one; and back from what fails."""
        with site(tmp_path) as hosts:
            machines = [hosts.machine("ns1"), hosts.machine("ns2")]
            for machine in machines:
                machine.boot()
            someone = Administrator(hosts, tmp_path / "home")
            someone.folder.mkdir()
            someone.plan.write_text(plan_of("builtin", "knot"))
            code, told = someone.deploy("--yes")
            assert code == 0, json.dumps(told)
            secret = (someone.folder / "keys/transfer.example.tech.key").read_text().split('"')[3]
            assert secret not in json.dumps(told)
            assert machines[1].run("stat -c '%a' /etc/knot/mailname/keys/*").split() == ["640"]
            machines[0].run("systemctl mask -q --runtime nsd")  # what it is asked to start later, and cannot

            self.changed(someone, machines, "bind", "nsd")
            self.changed(someone, machines, "knot", "builtin")
            self.second_run_changes_nothing(someone, machines)
            self.change_is_published_over_ssh(someone)
            self.engine_that_does_not_start_leaves_the_former_one(someone, machines)
            self.removed(someone, machines)

    def changed(self, someone: Administrator, machines: list[Machine], *engines: str) -> dict[str, Any]:
        someone.plan.write_text(plan_of(*engines))
        with asking(someone.hosts) as asked:
            code, told = someone.deploy("--yes")
        assert code == 0, json.dumps(told)
        self.nothing_was_lost(asked)
        assert told["published"] == []
        assert [running(machine) for machine in machines] == [OF[engine] for engine in engines]
        for machine in machines:
            assert machine.run("nft list tables; ls -d /run/mailname-handover /var/*/*/mailname-handover 2>/dev/null; true") == ""
        return told

    def nothing_was_lost(self, asked: dict[str, Any]) -> None:
        assert asked["lost"] == [0, 0, 0, 0], asked
        assert asked["tcp"]["lost"] == 0, asked
        assert asked["fallen"] == [], asked
        assert min(asked["udp"]) > 100
        assert asked["tcp"]["sent"] > 20

    def second_run_changes_nothing(self, someone: Administrator, machines: list[Machine]) -> None:
        before = [state(machine) for machine in machines]
        done = someone.tried("deploy", str(someone.plan))
        assert done.returncode == 0, done.stderr
        assert "nothing was changed: all is as the plan says" in done.stdout
        assert [state(machine) for machine in machines] == before

    def change_is_published_over_ssh(self, someone: Administrator) -> None:
        text = someone.plan.read_text()
        someone.plan.write_text(text.replace('tech"\n[transfer', 'tech"\nwebsite = ["192.0.2.99"]\n[transfer', 1))
        done = someone.tried("publish", str(someone.plan), "--json")
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["zones"][0]["serial"] == told["zones"][0]["old_serial"] + 1
        assert [one["arrived"] for one in told["servers"]] == [True] * 4
        status = someone.tried("status", str(someone.plan), "--json")
        assert status.returncode == 0, status.stdout + status.stderr
        inside = [one["status"]["serial"] for one in json.loads(status.stdout)["zones"][0]["servers"]]
        assert inside == [told["zones"][0]["serial"]] * 2
        someone.plan.write_text(text)

    def engine_that_does_not_start_leaves_the_former_one(self, someone: Administrator, machines: list[Machine]) -> None:
        """Start what was in the middle of going again, before the questions go there."""
        good, before = someone.plan.read_text(), [state(machine) for machine in machines]
        someone.plan.write_text(plan_of("nsd", "builtin"))
        with asking(someone.hosts) as asked:
            code, told = someone.deploy("--yes")
        assert (code, told["rolled_back"]) == (4, True), told["trouble"]
        assert "masked" in told["trouble"]["says"]
        self.nothing_was_lost(asked)
        assert [running(machine) for machine in machines] == [OF["knot"], OF["builtin"]]
        assert [state(machine) for machine in machines] == before
        someone.plan.write_text(good)

    def removed(self, someone: Administrator, machines: list[Machine]) -> None:
        done = someone.tried("deploy", str(someone.plan), "--remove", "--yes")
        assert done.returncode == 0, done.stderr
        files = "/etc/knot/knot.conf /etc/nsd/nsd.conf /etc/bind/named.conf.local"
        folders = "/etc/knot/mailname /etc/nsd/mailname /etc/bind/mailname /etc/mailname"
        for machine in machines:
            assert machine.run(f"grep -l mailname {files} 2>/dev/null; find {folders} -type f 2>/dev/null; true") == ""
