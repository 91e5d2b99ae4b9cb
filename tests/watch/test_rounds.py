"""The whole of it, on a private Internet whose clock runs fast: a fault is said once with its fix, and that it is mended once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from tests.lab import plan_texts
from tests.watch.receivers import Hook, Mailbox, listening

from mailname.cli.main import command
from mailname.lab import Lab
from mailname.plan import load
from mailname.watch.history import FILE, History

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

PATIENCE = 60.0
DOMAIN = "example.tech"


class Process:
    """A ``mailname watch`` that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.lines: list[dict[str, Any]] = []

    async def until(self, **wanted: object) -> dict[str, Any]:
        """Read its lines until one has these members."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            while line := await self.process.stdout.readline():
                self.lines.append(json.loads(line))
                if all(self.lines[-1].get(key) == value for key, value in wanted.items()):
                    return self.lines[-1]
        raise AssertionError(f"it ended without {wanted}: {self.lines}")

    async def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End it, and return its exit code."""
        self.process.send_signal(how)
        async with asyncio.timeout(PATIENCE):
            await self.process.communicate()
        return self.process.returncode or 0


@asynccontextmanager
async def watching(*words: str) -> AsyncIterator[Process]:
    """Run the command until the end of the block at the latest."""
    program = [sys.executable, "-c", "from mailname.cli.main import main; main()", "watch", *words]
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    process = await asyncio.create_subprocess_exec(
        *program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=environment
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def code_of(*words: str) -> tuple[int, str, str]:
    """Run the command to its end, here but beside the lab; return its exit code and what it says."""
    result = await asyncio.to_thread(CliRunner().invoke, command, ["watch", *words])
    return result.exit_code, result.stdout, result.stderr


class TestWatch:
    async def test_says_what_changes_once_also_when_it_was_killed_in_between(self, tmp_path: Path) -> None:
        """A fault is injected and mended; mail and webhook have one word each time, with cause, effect, fix and what to type."""
        box, hook = Mailbox(), Hook()
        plan_file = tmp_path / "example.tech.toml"
        plan_file.write_text(plan_texts.ORDINARY)
        plan = load(plan_texts.ORDINARY, str(plan_file)).plan
        (tmp_path / "lab").mkdir()
        async with Lab(plan, tmp_path / "lab", speed=600) as lab, listening(box), listening(hook):
            settings = tmp_path / "watch.toml"
            settings.write_text(
                f'[mail]\nserver = "127.0.0.1"\nport = {box.port}\nsecurity = "none"\nfrom = "w@example.net"\n'
                f'to = ["me@example.org", "me@{DOMAIN}"]\n[webhook]\nurl = "http://127.0.0.1:{hook.port}/"\n'
            )
            settings.chmod(0o600)
            history = tmp_path / FILE
            words = (str(plan_file), "--settings", str(settings), "--history", str(history))
            looking = (*words, "--network", str(lab.network_file))
            await lab.publish()
            assert await lab.wait_for_secondaries()
            lab.register()

            code, said, warned = await code_of(*words, "--test")
            assert (code, said.count("sent")) == (0, 2)
            assert f"me@{DOMAIN} hears nothing when {DOMAIN} is broken" in " ".join(warned.split())

            code, said, warned = await code_of(*looking, "--once")
            assert code == 0, (said, warned)

            async with watching(*looking, "--json") as process:
                await process.until(event="look", verdict="well")
                await lab.inject("glue-missing")
                change = await process.until(event="change", kind="not_well")
                assert (change["code"], change["where"]) == ("DELEG-02", "registrar")
                await process.until(event="look", told=["DELEG-02"])
                refused = await asyncio.to_thread(CliRunner().invoke, command, ["watch", *looking, "--once"])
                assert "another 'mailname watch' keeps" in str(refused.exception)
                assert await lab.until(lambda: len(box.mails) == 2 and len(hook.posts) == 2, PATIENCE)
                await process.end(signal.SIGKILL)

            code, said, _ = await code_of(*looking, "--once", "--json")
            assert (code, [json.loads(line)["event"] for line in said.splitlines()]) == (1, ["look"])

            async with watching(*looking, "--json") as process:
                await process.until(event="look", verdict="broken")
                lab.register()
                await process.until(event="change", kind="well")
                await process.until(event="look", verdict="well", told=[])
                assert await lab.until(lambda: len(box.mails) == 3 and len(hook.posts) == 3, PATIENCE)
                assert await process.end() == 0

            subjects = [one["Subject"] for one in box.mails]
            assert subjects[0] == "mailname watch: a test"
            assert subjects[1].startswith(f"{DOMAIN}: not well: ")
            assert subjects[2] == f"{DOMAIN} is well again"
            text = box.mails[1].get_content()
            for part in ("mail does not arrive", "Where:  registrar", "To do:", "Type:", "--acknowledge DELEG-02"):
                assert part in text
            assert [post[2]["event"] for post in hook.posts] == ["test", "change", "change"]

            code, said, _ = await code_of(*words, "--told")
            assert [line.split()[2] + line.split()[3] for line in said.splitlines()] == [f"{DOMAIN}not", f"{DOMAIN}mended:"]
            code, said, _ = await code_of(*words, "--acknowledge", "NS-01", "--reason", "new disk", "--until", "3d")
            assert (code, said.startswith(f"Nothing is said of NS-01 at {DOMAIN} until ")) == (0, True)
        code, said, _ = await code_of(*looking, "--once", "--json")
        assert (code, json.loads(said.splitlines()[0])["verdict"]) == (3, "unknown")  # nobody can be asked any more
        code, said, warned = await code_of(*words, "--test")
        assert code == 4, (said, warned)  # nor is there anybody who takes a message
        kept = History(history)
        assert [one.verdict for one in kept.spells(DOMAIN)][::-1] == ["well", "broken", "well", "unknown"]
        assert [one.reason for one in kept.acknowledgements(DOMAIN)] == ["new disk"]
        assert kept.outbox() == []
        kept.close()

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (("--acknowledge", "NS-01"), "belong together"),
            (("--acknowledge", "NS-01", "--reason", "x", "--until", "tomorrow"), "no span such as 3d"),
            (("--acknowledge", "NS-01", "--reason", "x", "--until", "2001-01-01"), "is over"),
            (("--acknowledge", "NS-01", "--reason", " ", "--until", "3d"), "say why"),
            (("--test",), "no way to say anything"),
        ],
    )
    def test_refuses_what_it_cannot_do(self, tmp_path: Path, words: tuple[str, ...], why: str) -> None:
        (tmp_path / "plan.toml").write_text(plan_texts.ORDINARY)
        history = ("--history", str(tmp_path / FILE))
        result = CliRunner().invoke(command, ["watch", str(tmp_path / "plan.toml"), *history, *words])
        assert result.exit_code == 2
        assert why in result.output
