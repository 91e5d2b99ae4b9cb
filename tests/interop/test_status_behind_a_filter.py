"""TCP dropped or refused between two servers by a real packet filter, while UDP gets through: the case that betrays people."""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from tests.cli.serving import PROGRAM, until
from tests.interop.namespace import namespace
from tests.interop.programs import need
from tests.server.running import zone_text

from mailname.errors import HostError
from mailname.server.control import ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PORT = 5300
PRIMARY = f"""listen = ["127.0.0.2:{PORT}"]
state = "primary"
control = "primary.sock"
[[zone]]
name = "example.tech"
role = "primary"
file = "example.tech.zone"
  [[zone.secondary]]
  address = "127.0.0.3"
  port = {PORT}
"""
SECONDARY = f"""listen = ["127.0.0.3:{PORT}"]
state = "secondary"
control = "secondary.sock"
[[zone]]
name = "example.tech"
role = "secondary"
  [[zone.primary]]
  address = "127.0.0.2"
  port = {PORT}
"""


@contextmanager
def serving(inside: tuple[str, ...], folder: Path, name: str, config: str) -> Iterator[None]:
    (folder / f"{name}.toml").write_text(config)
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([*inside, PROGRAM, "serve", "--config", str(folder / f"{name}.toml")], stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def answers(control: Path) -> bool:
    """Tell whether a server takes orders there already."""
    try:
        asyncio.run(ask(control, {"do": "status"}))
    except HostError:
        return False
    return True


def zone_at(control: Path) -> dict[str, Any]:
    """Return what a server says of the zone; nothing while it starts."""
    zones: list[dict[str, Any]] = asyncio.run(ask(control, {"do": "status"}))["zones"]
    return zones[0] if zones else {"cause": None, "serial": None}


def filtered(inside: tuple[str, ...], nft: str, verdict: str) -> None:
    """Let the filter do this with TCP to port 53, and nothing else."""
    rules = f"flush ruleset\ntable inet filter {{ chain input {{ type filter hook input priority 0; {verdict}; }}; }}\n"
    subprocess.run([*inside, nft, "-f", "-"], input=rules, text=True, check=True)


class TestTcp:
    def test_dropped_refused_and_open_again(self, tmp_path: Path) -> None:
        """Each is told apart by the secondary alone, and the exit code is 0 once the zone came."""
        (nft,) = need("nft")
        (tmp_path / "example.tech.zone").write_text(zone_text(7))
        control = tmp_path / "secondary.sock"
        with ExitStack() as stack:
            inside = stack.enter_context(namespace())
            filtered(inside, nft, f"tcp dport {PORT} drop")
            stack.enter_context(serving(inside, tmp_path, "primary", PRIMARY))
            until(lambda: answers(tmp_path / "primary.sock"))
            stack.enter_context(serving(inside, tmp_path, "secondary", SECONDARY))
            until(lambda: answers(control))
            until(lambda: (zone_at(control)["cause"] or {}).get("code") == "REPL-09")
            said = told(control, 1)
            assert "answers by UDP, and nothing comes back over TCP" in said
            assert "dig +norec +tcp @127.0.0.2 example.tech SOA" in said
            filtered(inside, nft, f"tcp dport {PORT} reject with tcp reset")
            until(lambda: (zone_at(control)["cause"] or {}).get("code") == "REPL-08")
            filtered(inside, nft, "accept")
            asyncio.run(ask(control, {"do": "retransfer"}))
            until(lambda: zone_at(control)["serial"] == 7)
            until(lambda: zone_at(control)["cause"] is None)
            assert "well" in told(control, 0)
            events = asyncio.run(ask(control, {"do": "history"}))["events"]
            results = [one["result"] for one in reversed(events) if one["what"] in ("failed", "transfer")]
            assert results == ["timeout-tcp", "connection-refused", "ok"]


def told(control: Path, code: int) -> str:
    """Return what ``mailname status`` prints."""
    done = subprocess.run(
        [PROGRAM, "status", "--control", str(control)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"NO_COLOR": "1"},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout
