from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from tests.cli.serving import PROGRAM, serving
from tests.server.running import free_port

from mailname.cli.status_view import print_status

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

CAUSE = {"code": "REPL-22", "cause": "notify-unanswered", "remedy": "Start the server there", "since": None}


def secondary(address: str) -> dict[str, Any]:
    peer = f"[{address}]:53" if ":" in address else f"{address}:53"
    cause = {**CAUSE, "says": f"{address} has not acknowledged: {peer}: no answer."}
    return {"address": peer, "state": "waiting", "serial": 5, "tries": 4, "says": "", "cause": cause}


class TestSecondaries:
    def test_one_cause_at_two_addresses_is_told_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        """A server with IPv4 and IPv6 is two lines, and one thing to mend."""
        zone = {
            "zone": "example.tech.",
            "role": "primary",
            "state": "serving",
            "serial": 5,
            "records": 3,
            "since": "2026-11-22T12:00:00Z",
            "problem": None,
            "refused": [],
            "secondaries": [secondary("192.0.2.1"), secondary("2001:db8::1")],
        }
        since = {"version": "1", "listen": ["192.0.2.2:53"], "pid": 1, "since": "2026-11-22T12:00:00Z", "keys": []}
        print_status({**since, "zones": [zone]})
        shown = capsys.readouterr().out
        assert shown.count("Start the server there") == 1
        assert shown.count("REPL-22 notify-unanswered, as above") == 1


class TestConfiguration:
    def test_that_was_refused_is_told_until_it_is_mended(self, tmp_path: Path) -> None:
        """The server goes on as it was, and would not start again: exit code 1."""
        config, control = tmp_path / "server.toml", tmp_path / "control"
        good = f'listen = ["127.0.0.1:{free_port()}"]\nstate = "state"\ncontrol = "control"\n'
        config.write_text(good, encoding="utf-8")

        def mailname(do: str, *options: str) -> subprocess.CompletedProcess[str]:
            words = [PROGRAM, do, "--control", str(control), *options]
            environment = {**os.environ, "COLUMNS": "200"}
            return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=environment)

        with serving(tmp_path, "--config", str(config)):
            config.write_text(good + 'lsten = "x"\n', encoding="utf-8")
            assert mailname("reload").returncode == 4
            told = mailname("status")
            assert (told.returncode, "a start would fail with it" in told.stdout, ":4:1:" in told.stdout) == (1, True, True)
            config.write_text(good, encoding="utf-8")
            assert mailname("reload").returncode == 0
            assert json.loads(mailname("status", "--json").stdout)["configuration"] == {"problem": None}
