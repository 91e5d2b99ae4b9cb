"""The story of pairs of engines, to be run inside a network namespace as root: ``... -m tests.interop.pair_story DIR P-S ...``.

The lab runs both name servers at the plan's own addresses and port 53, and the commands that people type are given in it. What
came of each pair is printed as one JSON document in a line; the test judges it.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import subprocess
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from mailname.cli.publish import command as publish
from mailname.cli.retransfer import command as retransfer
from mailname.cli.status import command as status
from mailname.errors import MailnameError
from mailname.lab import Lab
from mailname.lab.driven_server import LabDrivenServer
from mailname.plan import Plan, load
from mailname.server.keyfile import make_key_file
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    import click

PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
website = ["192.0.2.80"]
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.1", "2001:db8::1"]
role = "secondary"
engine = "@SECONDARY@"
[[name_server]]
name = "ns2.example.tech"
addresses = ["198.51.100.2", "2001:db8::2"]
role = "primary"
engine = "@PRIMARY@"
[[mail_host]]
name = "mail.example.tech"
addresses = ["198.51.100.2"]
[transfer_key]
name = "transfer.example.tech"
"""
_PATIENCE = 60.0
KEY_CAUSES = ("REPL-03", "REPL-04")


class Story:
    """One pair, and the file of its plan, which is changed as it goes on."""

    def __init__(self, primary: str, secondary: str, folder: Path) -> None:
        self.file = folder / "plan.toml"
        self.text = PLAN.replace("@PRIMARY@", primary).replace("@SECONDARY@", secondary)
        self.file.write_text(self.text)
        self.folder = folder
        self.lab = Lab(self.plan, folder, real_addresses=True, engines=True)
        self.changes = 0

    @property
    def plan(self) -> Plan:
        return load(self.file.read_text(), str(self.file)).plan

    async def typed(self, command: click.Command, *words: str) -> tuple[int, dict[str, Any]]:
        """Type a command with ``--json`` from beside the servers; return its exit code and document."""
        argv = [str(self.file), *words, "--network", str(self.lab.network_file), "--json"]
        done = await asyncio.to_thread(CliRunner().invoke, command, argv)
        return done.exit_code, json.loads(done.stdout) if done.stdout.startswith("{") else {"said": done.output}

    async def publish(self, seconds: float = _PATIENCE) -> tuple[int, dict[str, Any]]:
        """Change the plan, and publish it."""
        self.changes += 1
        self.file.write_text(self.text.replace("192.0.2.80", f"192.0.2.{80 + self.changes}"))
        code, told = await self.typed(publish, "--wait", str(seconds))
        return code, {
            "says": told.get("said"),
            "serial": told.get("zones", [{}])[0].get("serial"),
            "servers": told.get("servers"),
        }

    async def kind(self, serial: int) -> str:
        """Return how the secondary got a version, once one of both sides tells."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                _, told = await self.typed(status)
                inside = [one["status"] or {} for one in told["zones"][0]["servers"]]
                got = [one["last_transfer"] for one in inside if one.get("last_transfer")]
                sent = [each["fetched"] for one in inside for each in one.get("secondaries", ()) if each.get("fetched")]
                kinds = [one["kind"] for one in got if one["serial"] == serial]
                kinds += [one["kind"] for one in sent if one["serial_to"] == serial]
                if found := [kind for kind in kinds if kind in ("AXFR", "IXFR")]:
                    return str(found[0])
                await asyncio.sleep(0.2)

    async def wrong_key(self) -> None:
        """Give the secondary another secret under the same name."""
        secondary, key = self.lab.secondaries[0], self.plan.transfer_key
        assert key is not None
        if isinstance(secondary, LabDrivenServer):
            secondary.shared_key = self.folder / "wrong.key"
            make_key_file(secondary.shared_key, key.name)
            await secondary.configure()
        else:
            await secondary.restart(replace(secondary.config, keys={key.name: make_key(key.name)}))

    async def right_key(self) -> None:
        secondary, key = self.lab.secondaries[0], self.plan.transfer_key
        assert key is not None
        if isinstance(secondary, LabDrivenServer):
            secondary.shared_key = self.folder / "transfer.key"
            await secondary.configure()
        else:
            await secondary.restart(replace(secondary.config, keys=self.lab.primary.config.keys))

    async def retransfer(self) -> list[Any]:
        """Type ``mailname retransfer`` at the secondary's control socket."""
        control = str(self.lab.secondaries[0].config.control)
        done = await asyncio.to_thread(CliRunner().invoke, retransfer, ["example.tech", "--control", control])
        return [done.exit_code, done.output]

    async def cause(self) -> dict[str, Any]:
        """Return what ``status`` says is wrong with the secondary: its last word before the time is up, or that it is the key."""
        found: dict[str, Any] = {}
        for _ in range(150):
            _, told = await self.typed(status)
            (zone,) = told["zones"]
            secondary = next(one for one in zone["servers"] if one["role"] == "secondary")
            found = secondary["cause"] or {}
            if found.get("code") in KEY_CAUSES:
                break
            await asyncio.sleep(0.2)
        return found

    def serial(self) -> int | None:
        found: int | None = self.lab.primary.zone_status(self.plan.domain).get("serial")
        return found

    def prepare(self) -> None:
        """Give the namespace the addresses of the plan's world."""
        for address in self.lab.needed_addresses():
            subprocess.run(
                ["ip", "address", "replace", f"{address}/{address.max_prefixlen}", "dev", "lo", "nodad"],
                check=True,
                capture_output=True,
            )

    async def tell(self) -> dict[str, Any]:
        """Go through it; return what came of each part."""
        told: dict[str, Any] = {}
        async with self.lab as lab:
            told["engines"] = [type(one).__name__ for one in (lab.primary, *lab.secondaries)]
            told["first"] = await self.publish()
            told["change"] = await self.publish()
            told["kind"] = await self.kind(told["change"][1]["serial"])
            await self.wrong_key()
            told["refused"] = await self.publish(0.5)  # it never arrives
            told["cause"] = await self.cause()
            await self.right_key()
            told["retransfer"] = await self.retransfer()
            told["mended"] = await self.typed(publish, "--wait", str(_PATIENCE))
            await lab.until(lambda: self.serial() == told["refused"][1]["serial"], _PATIENCE)
            before = self.serial()
            await (lab.primary.kill() if isinstance(lab.primary, LabDrivenServer) else lab.primary.stop())
            await lab.primary.start()
            await lab.until(lambda: self.serial() is not None, _PATIENCE)
            told["restart"] = [before, self.serial()]
            told["after"] = await self.publish()
        return told


def tell_one(folder: Path, pair: str) -> None:
    """Print what came of a pair; of a story that broke off, what broke it."""
    primary, _, secondary = pair.partition("-")
    folder.mkdir()
    story = Story(primary, secondary, folder)
    story.prepare()
    try:
        told = asyncio.run(story.tell())
    except (AssertionError, MailnameError, OSError, TimeoutError):
        told = {"ended": traceback.format_exc()}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    for each in sys.argv[2:]:  # a process for each, with all modules loaded, so that nothing of one story is left in another
        process = multiprocessing.get_context("fork").Process(target=tell_one, args=(Path(sys.argv[1], each), each))
        process.start()
        process.join()
