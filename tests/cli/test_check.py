"""The command ``mailname check``, against a small Internet on loopback."""

from __future__ import annotations

import asyncio
import io
import json
import re
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from rich.console import Console
from tests.checks.small_world import PLAN, RESOLVER, ROOT, SmallWorld, look, name, verdict_of

from mailname.checks import CODES
from mailname.cli.check import command
from mailname.cli.verdict_view import print_verdict
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailname.checks import Facts
    from mailname.server.network_map import MappedNetwork


@contextmanager
def running(world: SmallWorld) -> Iterator[MappedNetwork]:
    """Run a small world in a thread of its own, as the command has its own event loop."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(world.__aenter__(), loop).result(10)
    try:
        yield world.network
    finally:
        asyncio.run_coroutine_threadsafe(world.__aexit__(), loop).result(10)
        asyncio.run_coroutine_threadsafe(_settle(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _settle() -> None:
    """Let closed transports call their callbacks."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.sleep(0)


def check(tmp_path: Path, world: SmallWorld, *options: str) -> tuple[int, str, str]:
    """Run the command on a world; returns exit code, standard output and standard error."""
    plan = tmp_path / "plan.toml"
    plan.write_text(PLAN, encoding="utf-8")
    with running(world) as network:
        network.root_hints = ((name("a.root."), ROOT),)
        network.resolver = Endpoint(RESOLVER)
        network.save(tmp_path / "network.json")
        arguments = [str(plan), "--network", str(tmp_path / "network.json"), "--timeout", "0.15", *options]
        result = CliRunner().invoke(command, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout, result.stderr


class TestCheck:
    def test_of_a_healthy_domain_exits_0(self, tmp_path: Path) -> None:
        """Well is exit code 0, and the JSON has all its members."""
        code, stdout, _ = check(tmp_path, SmallWorld(), "--json")
        said = json.loads(stdout)
        assert (code, said["verdict"], said["cause"]) == (0, "well", None)
        assert list(said) == ["schema", "verdict", "cause", "also", "findings", "blocked", "queries", "seconds"]
        assert said["schema"] == "mailname.check/1"

    def test_of_a_broken_domain_exits_1_and_names_the_cause(self, tmp_path: Path) -> None:
        """The cause has code, sentence, place, fix and evidence, and nothing else."""
        world = SmallWorld()
        world.delegate({})
        code, stdout, _ = check(tmp_path, world, "--json")
        cause = json.loads(stdout)["cause"]
        assert (code, cause["code"]) == (1, "DELEG-01")
        assert set(cause) == {"code", "says", "where", "fix", "evidence", "proven", "choice"}
        assert set(cause["evidence"][0]) == {"server", "question", "answer"}

    def test_commands_name_the_plan_that_was_given(self, tmp_path: Path) -> None:
        """What is to be typed can be typed as it stands."""
        world = SmallWorld()
        world.delegate({})
        _, stdout, _ = check(tmp_path, world, "--json")
        assert f"Type: mailname show {tmp_path / 'plan.toml'} --registrar" in json.loads(stdout)["cause"]["fix"]

    def test_of_a_domain_that_cannot_be_reached_exits_3(self, tmp_path: Path) -> None:
        """No verdict on the domain when the root is silent."""
        world = SmallWorld()
        for host in world.hosts.values():
            host.udp = host.tcp = host.smtp = "closed"
        code, stdout, _ = check(tmp_path, world, "--quiet")
        assert code == 3
        assert stdout.startswith("example.tech unknown: ROOT-01 ")

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            (["--control", "nonsense"], "NAME=PATH"),
            (["--resolver", "nobody"], "is not an address"),
            (["--from", "cellar"], "cellar"),
        ],
    )
    def test_with_an_option_it_cannot_read_exits_2(self, tmp_path: Path, options: list[str], word: str) -> None:
        """What is wrong with an option is said with the option."""
        code, _, stderr = check(tmp_path, SmallWorld(), *options)
        assert code == 2
        assert word in stderr

    def test_takes_resolver_and_root_hints_as_options(self, tmp_path: Path) -> None:
        """A hints file has the form of the one that IANA publishes."""
        hints = tmp_path / "hints"
        hints.write_text(f". 3600000 NS A.ROOT.\nA.ROOT. 3600000 A {ROOT}\n", encoding="utf-8")
        code, _, _ = check(tmp_path, SmallWorld(), "--resolver", f"{RESOLVER}:53", "--root-hints", str(hints), "--quiet")
        assert code == 0

    def test_reads_the_zone_file(self, tmp_path: Path) -> None:
        """A zone file that cannot be loaded is told though the old version is served."""
        zone_file = tmp_path / "example.tech.zone"
        zone_file.write_text("@ NONSENSE\n", encoding="utf-8")
        code, stdout, _ = check(tmp_path, SmallWorld(), "--zone-file", str(zone_file), "--json")
        assert (code, json.loads(stdout)["cause"]["code"]) == (1, "NS-09")


def shown(world: SmallWorld, facts: Facts, *, width: int, terminal: bool = True) -> str:
    """Return what a terminal of this width, without colours, shows."""
    written = io.StringIO()
    console = Console(width=width, file=written, force_terminal=terminal, color_system=None, highlight=False)
    print_verdict(console, world.plan, facts, verdict_of(world.plan, facts))
    return written.getvalue()


class TestVerdictView:
    async def test_shows_the_ladder_and_the_cause(self) -> None:
        """Each rung has a mark; the cause has where, fix and the line to type."""
        world = SmallWorld()
        world.delegate({})
        facts = await look(world)
        text = shown(world, facts, width=100)
        assert "✓ root" in text
        assert "✗ registry DELEG-01" in text
        assert f"DELEG-01 {CODES['DELEG-01']}" in text
        assert "  Type   mailname show example.tech.toml --registrar\n" in text

    async def test_fits_a_narrow_terminal(self) -> None:
        """No line is longer than the terminal is wide, but the one to type; none ends with spaces."""
        world = SmallWorld()
        world.delegate({})
        facts = await look(world)
        lines = shown(world, facts, width=40).splitlines()
        assert [line for line in lines if len(line) > 40] == [
            "  Type   mailname show example.tech.toml --registrar",
            "  Then   dig +norec @198.18.0.2 example.tech. NS",
        ]
        assert [line for line in lines if line != line.rstrip()] == []

    @pytest.mark.parametrize("width", [60, 80, 120])
    async def test_fits_any_terminal(self, width: int) -> None:
        """But for the line to type, which can be copied whole."""
        world = SmallWorld()
        world.host("192.0.2.1").tcp = "closed"
        world.host("198.51.100.2").smtp = "closed"
        facts = await look(world)
        lines = shown(world, facts, width=width).splitlines()
        assert [line for line in lines if len(line) > width and not line.startswith("  Type   ")] == []
        assert any(line.startswith("  Type   ") for line in lines)

    @pytest.mark.parametrize(("terminal", "no_colour"), [(False, None), (True, "1")])
    async def test_has_no_colours_where_none_are_wanted(
        self, terminal: bool, no_colour: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In a pipe, and with NO_COLOR; the marks say the same."""
        monkeypatch.delenv("FORCE_COLOR", raising=False)
        if no_colour:
            monkeypatch.setenv("NO_COLOR", no_colour)
        world = SmallWorld()
        world.delegate({})
        facts = await look(world)
        written = io.StringIO()
        console = Console(width=100, file=written, force_terminal=terminal, highlight=False)
        print_verdict(console, world.plan, facts, verdict_of(world.plan, facts))
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", written.getvalue())
        assert "✗ registry DELEG-01" in re.sub(r"\x1b\[[0-9;]*m", "", written.getvalue())

    async def test_is_not_wrapped_in_a_pipe(self) -> None:
        """A search for a sentence finds it whole."""
        world = SmallWorld()
        world.delegate({})
        facts = await look(world)
        cause = verdict_of(world.plan, facts).cause
        assert cause is not None
        assert f"  {cause.finding.says}\n" in shown(world, facts, width=40, terminal=False)

    async def test_says_what_was_not_asked(self) -> None:
        """Rungs above the start are marked as not asked."""
        world = SmallWorld()
        facts = await look(world, start="servers")
        text = shown(world, facts, width=100)
        assert "- registry not asked" in text
