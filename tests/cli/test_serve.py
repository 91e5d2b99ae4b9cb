"""``mailname serve``: started, told to read again, ended."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import dns.query
import dns.zone
import pytest
from click.testing import CliRunner
from tests.cli.serving import PROGRAM, asked, refuses, serving, until
from tests.server.running import PATIENCE, free_port, zone_text

from mailname.cli.serve import command

if TYPE_CHECKING:
    from pathlib import Path

ROOT_ZONE = """$TTL 86400
. SOA a.root. hostmaster.root. 1 1800 900 604800 86400
. NS a.root.
a.root. A 192.0.2.1
tech. NS a.nic.tech.
a.nic.tech. A 192.0.2.53
"""


@pytest.fixture
def zones(tmp_path: Path) -> Path:
    folder = tmp_path / "zones"
    folder.mkdir()
    (folder / "example.tech.zone").write_text(zone_text(1), encoding="utf-8")
    (folder / "root.zone").write_text(ROOT_ZONE, encoding="utf-8")
    return folder


class TestFolder:
    def test_serves_each_zone_of_a_folder(self, tmp_path: Path, zones: Path) -> None:
        """No configuration: for trying out and for tests. The root zone too; transfers to whom it is allowed."""
        port = free_port()
        where = f"127.0.0.1:{port}"
        with serving(tmp_path, "--zones", str(zones), "--listen", where, "--allow-transfer", "127.0.0.0/8"):
            assert asked(port, "example.tech", "MX") == "10 mail.example.tech."
            assert asked(port, ".", "SOA", tcp=True).startswith("a.root.")
            copy = dns.zone.from_xfr(dns.query.xfr("127.0.0.1", "example.tech", port=port, lifetime=PATIENCE))
            assert len(list(copy.iterate_rdatas())) == 7

    def test_nobody_may_transfer_by_default(self, tmp_path: Path, zones: Path) -> None:
        """Not even this machine."""
        port = free_port()
        with serving(tmp_path, "--zones", str(zones), "--listen", f"127.0.0.1:{port}") as server:
            assert asked(port, "example.tech", "AXFR", tcp=True) == "REFUSED"
            until(lambda: "refused transfer to 127.0.0.1" in server.log)

    def test_sighup_reads_changed_and_new_zones(self, tmp_path: Path, zones: Path) -> None:
        """And keeps the last good version of one that is broken; one whose file went is not served any more."""
        port = free_port()
        with serving(tmp_path, "--zones", str(zones), "--listen", f"127.0.0.1:{port}") as server:
            (zones / "example.tech.zone").write_text("rubbish", encoding="utf-8")
            (zones / "new.test.zone").write_text(zone_text(5), encoding="utf-8")
            (zones / "root.zone").unlink()
            server.process.send_signal(signal.SIGHUP)
            until(lambda: asked(port, "new.test", "SOA").split()[2:3] == ["5"])
            until(lambda: "serving serial 1 on" in server.log)
            assert asked(port, "example.tech", "SOA").split()[2] == "1"
            assert asked(port, ".", "SOA") == "REFUSED"

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
    def test_ends_cleanly(self, tmp_path: Path, zones: Path, how: signal.Signals) -> None:
        """Exit code 0, no traceback, ports and socket file free again."""
        port, control = free_port(), tmp_path / "control"
        options = ("--zones", str(zones), "--listen", f"127.0.0.1:{port}", "--control", str(control))
        with serving(tmp_path, *options) as server:
            assert control.is_socket()
            server.process.send_signal(how)
            assert server.process.wait(PATIENCE) == 0
            assert "Traceback" not in server.log
            assert refuses(port)
            assert not control.exists()


class TestConfig:
    def test_sighup_with_a_bad_configuration_changes_nothing(self, tmp_path: Path, zones: Path) -> None:
        """It is told with its place, and the zone files are read again all the same."""
        port = free_port()
        config = tmp_path / "server.toml"
        good = f"""listen = ["127.0.0.1:{port}"]
state = "state"
[[zone]]
name = "example.tech"
role = "primary"
file = "{zones / "example.tech.zone"}"
"""
        config.write_text(good, encoding="utf-8")
        with serving(tmp_path, "--config", str(config)) as server:
            config.write_text(good.replace('"primary"', '"primry"'), encoding="utf-8")
            (zones / "example.tech.zone").write_text(zone_text(2), encoding="utf-8")
            server.process.send_signal(signal.SIGHUP)
            until(lambda: asked(port, "example.tech", "SOA").split()[2:3] == ["2"])
            assert f"{config}:5:8: 'primry' cannot be 'role'" in server.log

    def test_that_is_bad_at_the_start_ends_with_its_mistakes(self, tmp_path: Path) -> None:
        """Exit code 2, as for a plan; each mistake in the form that editors jump to."""
        config = tmp_path / "server.toml"
        config.write_text('listen = ["here"]\n', encoding="utf-8")
        done = subprocess.run([PROGRAM, "serve", "--config", config], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 2
        assert f"{config}:1:11: error:" in done.stderr
        assert "Traceback" not in done.stderr

    def test_port_that_is_taken_is_told(self, tmp_path: Path, zones: Path) -> None:
        """Exit code 4, with the command that shows by whom."""
        port = free_port()
        options = ["--zones", str(zones), "--listen", f"127.0.0.1:{port}"]
        with serving(tmp_path, *options):
            done = subprocess.run([PROGRAM, "serve", *options], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 4
        assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
        assert "ss -lntup" in done.stderr


class TestUsage:
    @pytest.mark.parametrize(
        ("options", "says"),
        [
            ([], "Give either --config FILE, or --zones DIR"),
            (["--config", "a", "--zones", "b"], "Give either --config FILE, or --zones DIR"),
            (["--config", "a", "--listen", "127.0.0.1"], "go with --zones"),
            (["--zones", "a"], "--zones needs --listen"),
            (["--zones", "a", "--listen", "here"], "here is not an address"),
            (["--zones", "a", "--listen", "127.0.0.1", "--allow-transfer", "all"], "all"),
        ],
    )
    def test_contradictions_are_told(self, options: list[str], says: str) -> None:
        """Exit code 2."""
        done = CliRunner().invoke(command, options)
        assert done.exit_code == 2
        assert says in done.output
