"""``mailname rehearse`` as a person runs it: in a process of its own, with other programs looking at it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.interop.programs import need
from tests.lab import plan_texts

from mailname.lab.faults import FAULTS

# -W always: a socket left open or a coroutine not awaited is told on standard error.
MAILNAME = [sys.executable, "-W", "always", "-c", "from mailname.cli.main import main; main()"]


@pytest.fixture
def plan(tmp_path: Path) -> Path:
    file = tmp_path / "example.tech.toml"
    file.write_text(plan_texts.WITH_KEY)
    return file


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def environment(temporary: Path) -> dict[str, str]:
    return {**os.environ, "TMPDIR": str(temporary), "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}


def mailname(temporary: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*MAILNAME, *argv], capture_output=True, text=True, timeout=120, check=False, env=environment(temporary)
    )


class TestVerdict:
    def test_healthy_plan_is_well(self, plan: Path, temporary: Path) -> None:
        """Exit 0; the JSON alone on standard output, the progress on standard error; nothing left behind."""
        done = mailname(temporary, "rehearse", str(plan), "--json")
        assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "well")
        assert "a letter is delivered" in done.stderr
        assert "Warning" not in done.stderr
        assert list(temporary.iterdir()) == []

    def test_for_people_shows_each_step(self, plan: Path, temporary: Path) -> None:
        """The steps in order, then the verdict."""
        done = mailname(temporary, "rehearse", str(plan))
        titles = ["publish", "notify", "transfer", "register", "the TLD", "the resolver", "a letter"]
        places = [done.stdout.index(f"✓ {title}") for title in titles]
        assert places == sorted(places)
        assert done.returncode == 0

    def test_other_engines_are_stood_in_for_and_it_is_said(self, plan: Path, temporary: Path) -> None:
        """What is broken is broken in our own server; who plays another's part is no secret."""
        plan.write_text(plan.read_text().replace('role = "secondary"', 'role = "secondary"\nengine = "knot"', 1))
        done = mailname(temporary, "rehearse", str(plan), "--json", "--break", "glue-missing")
        assert done.returncode == 1
        assert "has the engine knot; it is rehearsed with mailname's own server" in done.stderr

    def test_broken_world_is_told_with_its_cause(self, plan: Path, temporary: Path) -> None:
        """Exit 1 and the fault's cause."""
        done = mailname(temporary, "rehearse", str(plan), "--json", "--break", "glue-missing")
        assert done.returncode == 1
        assert json.loads(done.stdout)["cause"]["code"] == "DELEG-02"
        assert "Warning" not in done.stderr

    def test_folder_is_kept(self, plan: Path, temporary: Path, tmp_path: Path) -> None:
        """Configurations, zone files and log can be read afterwards."""
        folder = tmp_path / "kept"
        assert mailname(temporary, "rehearse", str(plan), "--folder", str(folder)).returncode == 0
        assert "transferred serial" in (folder / "servers.log").read_text()
        assert (folder / "2-ns2" / "zones" / "example.tech.zone").exists()

    def test_folder_can_be_used_again(self, plan: Path, temporary: Path, tmp_path: Path) -> None:
        """What the first run kept on disk does not stand in the second one's way."""
        folder = tmp_path / "kept"
        for _ in range(2):
            done = mailname(temporary, "rehearse", str(plan), "--folder", str(folder), "--break", "trailing-dot")
            assert (done.returncode, "✗ " in done.stdout.partition("!")[0]) == (1, False), done.stdout

    def test_interrupted_leaves_nothing_behind(self, plan: Path, temporary: Path) -> None:
        """Exit 130, no files, no traceback."""
        argv = [*MAILNAME, "rehearse", str(plan), "--break", "udp-blocked"]
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(temporary)
        ) as process:
            _read_until(process, "udp-blocked")  # the check waits for an answer that never comes
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (130, "")
        assert list(temporary.iterdir()) == []


class TestFaults:
    def test_are_listed_as_json(self, temporary: Path) -> None:
        """Name, cause, and what happened."""
        listed = json.loads(mailname(temporary, "rehearse", "--list-faults", "--json").stdout)
        assert [(one["name"], one["cause"]) for one in listed] == [(fault.name, fault.cause) for fault in FAULTS.values()]
        assert all(one["says"].endswith(".") for one in listed)

    def test_are_listed_for_people(self, temporary: Path) -> None:
        """One line each."""
        assert "glue-missing" in mailname(temporary, "rehearse", "--list-faults").stdout

    def test_unknown_one_is_a_usage_error(self, plan: Path, temporary: Path) -> None:
        """Exit 2 with the nearest name."""
        done = mailname(temporary, "rehearse", str(plan), "--break", "glue-mising")
        assert done.returncode == 2
        assert "Did you mean 'glue-missing'?" in done.stderr

    def test_that_the_plan_cannot_have_is_a_usage_error(self, tmp_path: Path, temporary: Path) -> None:
        """Exit 2 before the journey begins."""
        file = tmp_path / "foreign.toml"
        file.write_text(plan_texts.FOREIGN_SERVERS)
        done = mailname(temporary, "rehearse", str(file), "--break", "glue-missing")
        assert (done.returncode, done.stdout) == (2, "")
        assert "none needs glue" in done.stderr

    def test_missing_plan_is_a_usage_error(self, temporary: Path) -> None:
        """Exit 2."""
        assert mailname(temporary, "rehearse").returncode == 2


class TestServe:
    @pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
    def test_others_look_around_until_it_is_ended(self, plan: Path, temporary: Path, ending: signal.Signals) -> None:
        """Both dig and a second mailname see the same world; the end is clean: exit 0, no files, no warnings."""
        (dig,) = need("dig")
        argv = [*MAILNAME, "rehearse", str(plan), "--serve"]
        with subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(temporary)
        ) as process:
            try:
                told = _read_until(process, "what the servers log")
                ports = re.findall(r"dig @127\.0\.0\.1 -p (\d+) example\.tech (\S+).*# (.+)", told)
                assert [what.split(",")[0] for _, _, what in ports][:4] == [
                    "the resolver",
                    "the root server",
                    "a server of tech",
                    "a server of tech",
                ]
                for port, rdtype, what in ports:
                    for transport in ("+notcp", "+tcp"):
                        line = [dig, "@127.0.0.1", "-p", port, "example.tech", rdtype, transport, "+time=5"]
                        answer = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False).stdout
                        assert "status: NOERROR" in answer, what
                network = re.search(r"--network (\S+)", told)
                assert network is not None
                check = mailname(temporary, "check", str(plan), "--network", network[1], "--json")
                assert json.loads(check.stdout)["verdict"] == "well"
                self._change_the_plan(plan, temporary, network[1])
                (both_sides,) = re.findall(r"mailname (status \S+ --network \S+)", told)
                assert mailname(temporary, *both_sides.split()).returncode == 0
                controls = re.findall(r"mailname status --control (\S+)", told)
                assert [mailname(temporary, "status", "--control", path).returncode for path in controls] == [0, 0]
            finally:
                process.send_signal(ending)
                _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")
        assert list(temporary.iterdir()) == []

    def _change_the_plan(self, plan: Path, temporary: Path, network: str) -> None:
        """Edit, see the difference, publish to both servers; what looks like an accident is held back."""
        at = ("--network", network)
        assert mailname(temporary, "show", str(plan), "--diff", *at).stdout.startswith("Nothing: ")
        good = plan.read_text()
        plan.write_text(good.replace('website = ["192.0.2.1"', 'website = ["192.0.2.77"'))
        difference = mailname(temporary, "show", "--diff", str(plan), *at)
        assert [line.split()[0] for line in difference.stdout.splitlines()] == ["-", "+"]
        stale = mailname(temporary, "check", str(plan), *at)
        assert (stale.returncode, f"Type   mailname publish {plan} --network {network}" in stale.stdout) == (1, True)
        assert mailname(temporary, "publish", str(plan), *at).returncode == 0
        assert mailname(temporary, "check", str(plan), *at, "--quiet").stdout == "example.tech well\n"
        plan.write_text(good.partition("[[mail_host]]")[0] + '[[record]]\nname = "@"\ntype = "MX"\ndata = "0 ."\n')
        accident = mailname(temporary, "publish", str(plan), *at)
        assert (accident.returncode, "--yes-really" in accident.stderr) == (4, True)
        plan.write_text(good)
        zone_file = Path(json.loads(Path(network).read_text())["zone_file"])
        zone_file.write_text("@ NONSENSE\n")
        blind = mailname(temporary, "publish", str(plan), *at)
        assert (blind.returncode, f"cannot be read, so what changes is not known: {zone_file}:1:3: " in blind.stdout) == (0, True)


def _read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    seen = ""
    for line in process.stdout:
        seen += line
        if words in line:
            return seen
    raise AssertionError(seen)


class TestRegistry:
    def test_refuses_what_is_broken_before_it_is_told(self, plan: Path, temporary: Path) -> None:
        """The .de registry looks first: the order is refused, and the domain is not there."""
        plan.write_text(plan_texts.ORDINARY.replace("example.tech", "example.de"))
        done = mailname(temporary, "rehearse", str(plan), "--json", "--break", "zone-not-loaded", "--before-registering")
        assert (done.returncode, json.loads(done.stdout)["cause"]["code"]) == (1, "DELEG-01")
        assert "DENIC looks at the name servers first: the order is refused" in done.stderr

    def test_an_hour_of_delay_takes_a_second(self, plan: Path, temporary: Path) -> None:
        """The clock of the rehearsal runs 3600 times as fast as ours."""
        done = mailname(temporary, "rehearse", str(plan), "--json", "--registry-delay", "1h")
        assert (done.returncode, json.loads(done.stdout)["verdict"]) == (0, "well")
        assert "0 of 2 servers of tech have the plan's delegation" in done.stderr

    def test_a_fault_of_the_registry_cannot_be_there_before(self, plan: Path, temporary: Path) -> None:
        """Nor can a delay be no time."""
        early = mailname(temporary, "rehearse", str(plan), "--break", "glue-wrong", "--before-registering")
        assert (early.returncode, "before the registry is told" in early.stderr) == (2, True)
        late = mailname(temporary, "rehearse", str(plan), "--registry-delay", "soon")
        assert (late.returncode, "Write 90, 90s, 30m or 1h30m" in late.stderr) == (2, True)
