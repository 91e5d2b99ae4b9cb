"""mailname serial: what each server holds, and the way of all of them to the serial that is wanted, interrupted anywhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from tests.engines.pair import APEX, PLAN, Pair
from tests.engines.test_publish import CHANGED, TODAY, Interrupted, published, publishing
from tests.server.running import until

from mailname.cli import publish
from mailname.cli.serial import command
from mailname.engines import serials
from mailname.engines.serials import Serials, servers_of
from mailname.errors import HostError
from mailname.server.control import ask
from mailname.zone import Serial
from mailname.zone.serial import next_serial
from mailname.zone.serial_repair import FARTHEST, Done, Publish, WaitFor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.server.running import Running

    from mailname.zone.serial_repair import Action

SLIP = 2062060800  # somebody's finger
WANTED = next_serial(TODAY, ())


def desk(pair: Pair) -> Serials:
    return Serials(APEX, pair.control, pair.network, servers_of(pair.plan))


def rewrite(pair: Pair, serial: int) -> None:
    """Change the serial in the zone file, as with an editor."""
    text = pair.file.read_text(encoding="utf-8")
    pair.file.write_text(text.replace(str(WANTED), str(serial)), encoding="utf-8")


@contextlib.asynccontextmanager
async def slipped(pair: Pair) -> AsyncIterator[tuple[Running, Running]]:
    """Run both servers, a serial far in the future on both."""
    async with pair.server("ns2") as primary, pair.server("ns1") as secondary:
        assert all(one.arrived for one in await published(pair))
        rewrite(pair, SLIP)
        await primary.reload()
        await until(lambda: secondary.serial() == SLIP)
        yield primary, secondary


class TestGo:
    async def test_back_to_a_lower_serial_by_two_steps(self, pair: Pair) -> None:
        """Every secondary takes each; the content and the file's text stay but for the serial."""
        async with slipped(pair) as (primary, secondary):
            before = pair.file.read_text(encoding="utf-8")
            told: list[Action] = []
            assert await desk(pair).go(WANTED, 20.0, told.append) == Done()
            assert primary.serial() == secondary.serial() == WANTED.value
            assert [one.serial.value for one in told if isinstance(one, Publish)] == [SLIP + FARTHEST, WANTED.value]
            assert pair.file.read_text(encoding="utf-8") == before.replace(str(SLIP), str(WANTED))
            (one,) = await publishing(pair).prepare()
            assert (one.needs_writing, one.new.serial) == (False, WANTED)

    async def test_lower_serial_is_held_over_a_restart(self, pair: Pair) -> None:
        """What was announced before the steps is no reason to raise it again."""
        async with pair.server("ns2"), pair.server("ns1"):
            await published(pair)
            assert await desk(pair).go(Serial(7), 20.0, lambda _: None) == Done()
        async with pair.server("ns2") as primary, pair.server("ns1") as secondary:
            assert primary.serial() == secondary.serial() == 7
            assert primary.zone_status()["announced"] == 7
            (one,) = await publishing(pair).prepare()
            assert (one.needs_writing, one.new.serial) == (False, Serial(7))

    async def test_waits_for_a_secondary_that_has_not_taken_the_step(self, pair: Pair) -> None:
        """Its answer is not known, or an old one: the last step would strand it. The next run goes on from there."""
        async with pair.server("ns2") as primary:
            async with pair.server("ns1") as secondary:
                await published(pair)
                rewrite(pair, SLIP)
                await primary.reload()
                await until(lambda: secondary.serial() == SLIP)
            told: list[Action] = []
            assert await desk(pair).go(WANTED, 0.0, told.append) == WaitFor(Serial(SLIP))
            assert (told, primary.serial()) == ([WaitFor(Serial(SLIP))], SLIP)
            async with pair.server("ns1") as secondary:
                assert await desk(pair).go(WANTED, 20.0, told.append) == Done()
                assert secondary.serial() == WANTED.value

    @pytest.mark.parametrize("step", [1, 2])
    async def test_interrupted_between_file_and_server_goes_on(
        self, pair: Pair, monkeypatch: pytest.MonkeyPatch, step: int
    ) -> None:
        """At either step: the file has it, the server has not heard."""
        async with slipped(pair) as (primary, secondary):
            count = 0

            async def die_at_the_order(control: Path, order: dict[str, Any]) -> dict[str, Any]:
                nonlocal count
                count += order["do"] == "reload"
                if count == step:
                    raise Interrupted
                return await ask(control, order)

            with monkeypatch.context() as patch, contextlib.suppress(Interrupted):
                patch.setattr(serials, "ask", die_at_the_order)
                await desk(pair).go(WANTED, 20.0, lambda _: None)
            assert primary.serial() != WANTED.value
            assert await desk(pair).go(WANTED, 20.0, lambda _: None) == Done()
            assert primary.serial() == secondary.serial() == WANTED.value

    async def test_above_a_secondary_that_is_ahead(self, pair: Pair) -> None:
        """The primary was restored from yesterday, file and state: the secondary refuses it until it is repaired."""
        state, kept = pair.folder / "ns2-state", pair.folder / "yesterday"
        async with pair.server("ns1") as secondary:
            async with pair.server("ns2"):
                await published(pair)
            shutil.copytree(state, kept)
            yesterday = pair.file.read_bytes()
            async with pair.server("ns2"):
                await published(pair, CHANGED)
                await until(lambda: secondary.serial() == WANTED.value + 1)
            shutil.rmtree(state)
            shutil.copytree(kept, state)
            pair.file.write_bytes(yesterday)
            async with pair.server("ns2") as primary:
                await until(lambda: secondary.zone_status()["last_failure"])
                assert primary.serial() == WANTED.value
                looking = desk(pair)
                await looking.look()
                assert {answer.serial for answer in looking.answers} == {WANTED, WANTED.plus(1)}
                assert await looking.go(next_serial(TODAY, looking.known), 20.0, lambda _: None) == Done()
                assert primary.serial() == secondary.serial() == WANTED.value + 2

    async def test_publish_after_a_restore_never_goes_lower(self, pair: Pair) -> None:
        """It asks the living servers; its own memory is of yesterday."""
        state, kept = pair.folder / "ns2-state", pair.folder / "yesterday"
        async with pair.server("ns1") as secondary:
            async with pair.server("ns2"):
                await published(pair)
            shutil.copytree(state, kept)
            async with pair.server("ns2"):
                for text in (CHANGED, PLAN, CHANGED):
                    await published(pair, text)
                await until(lambda: secondary.serial() == WANTED.value + 3)
            shutil.rmtree(state)
            shutil.copytree(kept, state)
            rewrite(pair, WANTED.value)
            async with pair.server("ns2"):
                assert all(one.arrived for one in await published(pair))
                assert secondary.serial() == WANTED.value + 4

    async def test_file_with_other_content_is_not_touched(self, pair: Pair) -> None:
        """An older file is back: its content is not what is served."""
        async with slipped(pair) as (primary, _):
            rewritten = pair.file.read_text(encoding="utf-8").replace(str(SLIP), str(WANTED)).replace("192.0.2.80", "192.0.2.9")
            pair.file.write_text(rewritten, encoding="utf-8")
            with pytest.raises(HostError, match="its content may be another one"):
                await desk(pair).go(WANTED, 1.0, lambda _: None)
            assert (pair.file.read_text(encoding="utf-8"), primary.serial()) == (rewritten, SLIP)


class TestZoneWithoutAPlan:
    async def test_secondaries_are_those_that_the_primary_lists(self, pair: Pair) -> None:
        """And the other server's socket is no primary's."""
        async with slipped(pair):
            looking = Serials(APEX, pair.control, pair.network)
            await looking.look()
            assert [(str(one.server.at), one.serial) for one in looking.answers] == [("192.0.2.1:53", Serial(SLIP))]
            with pytest.raises(HostError, match="is not the primary of"):
                await Serials(APEX, pair.folder / "ns1.sock", pair.network).look()


class TestRewrite:
    @pytest.mark.parametrize(
        ("soa", "rewritten"),
        [
            ("@ SOA ns hm 7 7 7 7 7", "@ SOA ns hm 9 7 7 7 7"),
            ("@ soa ns hm (\n 7 ; serial\n 8 9 10 11 )", "@ soa ns hm (\n 9 ; serial\n 8 9 10 11 )"),
            ("@ 7 IN SOA 7.ns hm.7 7 2 3 4 5", "@ 7 IN SOA 7.ns hm.7 9 2 3 4 5"),
        ],
    )
    def test_changes_the_serial_alone(self, tmp_path: Path, soa: str, rewritten: str) -> None:
        """What is there besides stays as it was written."""
        path = tmp_path / "example.tech.zone"
        text = f"$TTL 60\n{soa}\n  NS ns ; 7\nns A 192.0.2.7\n"
        path.write_text(text)
        assert serials._rewrite(path, APEX, Serial(9)) == text.encode()
        assert path.read_text() == text.replace(soa, rewritten)
        assert list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("soa", ["@ SOA ns hm ( ; 7 is no serial\n 7 8 9 10 11 )", "@ SOA ns hm 07 8 9 10 11"])
    def test_where_it_is_not_clear_nothing_is_written(self, tmp_path: Path, soa: str) -> None:
        """A number in a comment before it, or another spelling."""
        path = tmp_path / "example.tech.zone"
        text = f"$TTL 60\n{soa}\n  NS ns\nns A 192.0.2.7\n"
        path.write_text(text)
        with pytest.raises(HostError, match="not clear"):
            serials._rewrite(path, APEX, Serial(9))
        assert path.read_text() == text
        assert list(tmp_path.iterdir()) == [path]

    def test_file_that_cannot_be_read_is_left_alone(self, tmp_path: Path) -> None:
        """With the reason."""
        path = tmp_path / "example.tech.zone"
        path.write_text("rubbish")
        with pytest.raises(HostError, match="cannot be read"):
            serials._rewrite(path, APEX, Serial(9))
        assert path.read_text() == "rubbish"


class TestCommand:
    async def run(self, pair: Pair, *options: str) -> tuple[int, dict[str, Any], str]:
        plan = pair.folder / "plan.toml"
        plan.write_text(PLAN, encoding="utf-8")
        words = [str(plan), "--json", *options]
        done = await asyncio.to_thread(lambda: CliRunner().invoke(command, words, standalone_mode=False))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.return_value or done.exit_code, json.loads(done.stdout), done.stderr

    async def test_explains_foretells_and_repairs(self, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        """Exit code 0 when all hold the same; what is foretold is what is done."""
        monkeypatch.setattr(publish, "surroundings", lambda *_: (pair.control, pair.network))
        async with slipped(pair) as (primary, _):
            code, told, says = await self.run(pair)
            assert (code, told["state"], told["primary"]["serves"]) == (0, "in step", SLIP)
            assert "in step" in says
            code, told, says = await self.run(pair, "--to", str(WANTED), "--dry-run")
            assert (code, told["steps"], primary.serial()) == (0, [SLIP + FARTHEST, WANTED.value], SLIP)
            assert "within 4h (refresh)" in says
            assert told["seconds"] == {"refresh": 14400, "retry": 3600, "expire": 1209600}
            code, told, _ = await self.run(pair, "--to", str(WANTED), "--wait", "20")
            assert (code, told["state"], primary.serial()) == (0, "done", WANTED.value)

    async def test_tells_who_is_not_in_step(self, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
        """A server that is down: exit code 1; left out, the others are mended."""
        monkeypatch.setattr(publish, "surroundings", lambda *_: (pair.control, pair.network))
        async with pair.server("ns2"):
            await published(pair, wait=0.1)
            code, told, says = await self.run(pair)
            assert (code, told["state"]) == (1, "not in step")
            assert "ns1.example.tech (192.0.2.1:53): not known, nothing listens there" in says
            code, told, says = await self.run(pair, "--to", "7", "--wait", "0")
            assert (code, told["state"]) == (1, "waiting")
            assert "mailname notify example.tech" in says
            code, told, _ = await self.run(pair, "--to", "7", "--without", "ns1.example.tech")
            assert (code, told["state"], told["primary"]["serves"]) == (0, "done", 7)

    @pytest.mark.parametrize(
        ("words", "says"),
        [
            (["none.toml"], "there is no plan none.toml"),
            (["a..b"], "neither a plan's file nor a zone's name"),
            (["example.tech", "--to", "5", "--repair"], "give one"),
        ],
    )
    def test_wrong_words_are_told(self, words: list[str], says: str) -> None:
        """Exit code 2."""
        done = CliRunner().invoke(command, words)
        assert done.exit_code == 2
        assert says in done.output
