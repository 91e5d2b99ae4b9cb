"""Rotating the transfer key: both are good until every server has used the new one; interrupted anywhere and run again."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import dns.name
import pytest
from click.testing import CliRunner
from tests.engines.pair import PLAN, Pair, plan_of
from tests.engines.test_publish import CHANGED, Interrupted, published
from tests.server.running import until

from mailname.cli import publish
from mailname.cli.key import command
from mailname.engines import rotation
from mailname.engines.builtin import CONFIG, Builtin
from mailname.engines.engine import Places
from mailname.engines.rotation import Rotation, next_name
from mailname.errors import HostError
from mailname.server.clock import SystemClock
from mailname.server.config_file import load_config
from mailname.server.keyfile import load_keys, make_key_file
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.server.running import Running

    from mailname.server.config import ServerConfig

NAME = dns.name.from_text("transfer.example.tech")
SECOND = dns.name.from_text("k2.transfer.example.tech")


class Apart(Pair):
    """Two servers, each with its own key file, who read their configuration again when told to."""

    def __post_init__(self) -> None:
        make_key_file(self.key_file("ns2"), NAME)
        self.copy()

    def key_file(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def copy(self) -> None:
        """Do what the operator is asked to: copy the primary's file to the secondary."""
        shutil.copy(self.key_file("ns2"), self.key_file("ns1"))

    def names(self, name: str = "ns2") -> list[dns.name.Name]:
        return [key.name for key in load_keys(self.key_file(name))]

    def config(self, name: str) -> ServerConfig:
        server = next(one for one in self.plan.name_servers if one.name.to_text().startswith(name))
        state, zones, socket = (self.folder / f"{name}{what}" for what in ("-state", "-zones", ".sock"))
        places = Places(state, zones, socket, self.key_file(name))
        return load_config(Builtin().render(self.plan, server, places)[CONFIG], str(self.folder / CONFIG))

    @contextlib.asynccontextmanager
    async def server(self, name: str) -> AsyncIterator[Running]:
        async with super().server(name) as running:
            running.on_reload = lambda: running.reconfigure(self.config(name))
            yield running

    @contextlib.asynccontextmanager
    async def both(self) -> AsyncIterator[tuple[Running, Running]]:
        """Run both, the zone published."""
        async with self.server("ns2") as primary, self.server("ns1") as secondary:
            assert all(one.arrived for one in await published(self))
            yield primary, secondary

    async def reread(self, secondary: Running) -> None:
        """Do what ``mailname reload`` does on the secondary."""
        await secondary.reconfigure(self.config("ns1"))

    def rotation(self, *others: str) -> Rotation:
        sockets = {dns.name.from_text(f"{name}.example.tech"): self.folder / f"{name}.sock" for name in others}
        return Rotation(self.plan, self.control, self.network, SystemClock(), sockets)


@pytest.fixture
def apart(tmp_path: Path) -> Apart:
    return Apart(tmp_path)


class TestNextName:
    @pytest.mark.parametrize(
        ("held", "following"),
        [
            (["transfer."], "k2.transfer."),
            (["k2.transfer."], "k3.transfer."),
            (["k9.transfer.", "K10.transfer."], "k11.transfer."),
        ],
    )
    def test_was_nobody_s_before(self, held: list[str], following: str) -> None:
        """A name that comes again with another secret would be BADSIG, not BADKEY."""
        keys = tuple(make_key(dns.name.from_text(name)) for name in held)
        assert next_name(dns.name.from_text("transfer."), keys) == dns.name.from_text(following)


class TestRotation:
    async def test_ends_when_every_server_has_used_the_new_key(self, apart: Apart) -> None:
        """Zones go on arriving at each step; the old key goes last, and is then taken nowhere."""
        async with apart.both() as (primary, secondary):
            first = apart.rotation()
            await first.look()
            await first.begin()
            assert apart.names() == [SECOND, NAME]
            assert apart.key_file("ns2").stat().st_mode & 0o777 == 0o600
            (use,), strangers = await first.wait(0.0)
            await until(lambda: primary.context.key_use.status(primary.config.key_files)[0]["keys"][1]["used_by"])
            (use,), strangers = await first.wait(0.0)
            assert (use.server.to_text(), use.has_moved, use.new_at, strangers) == ("ns1.example.tech.", False, None, [])
            assert use.old_at is not None
            assert all(one.arrived for one in await published(apart, CHANGED))

            apart.copy()
            await apart.reread(secondary)
            second = apart.rotation()
            await second.look()
            assert second.under_way
            (use,), _ = await second.wait(20.0)
            assert use.has_moved
            assert all(one.arrived for one in await published(apart))
            await second.finish()
            assert apart.names() == [SECOND]
            assert [name.to_text() for name in await second.still_accepted()] == ["ns1.example.tech."]
            assert all(one.arrived for one in await published(apart, CHANGED))

            apart.copy()
            await apart.reread(secondary)
            assert await second.still_accepted() == []
            assert all(one.arrived for one in await published(apart))

    async def test_gives_the_key_to_servers_on_this_machine(self, apart: Apart) -> None:
        """Whose control sockets are known: then one run does all."""
        async with apart.both():
            run = apart.rotation("ns1")
            await run.look()
            await run.begin()
            assert apart.names("ns1") == [SECOND, NAME]
            (use,), _ = await run.wait(20.0)
            assert use.has_moved
            await run.finish()
            assert apart.names("ns1") == [SECOND]
            assert await run.still_accepted() == []

    async def test_server_that_used_the_old_key_later_has_not_moved(self, apart: Apart) -> None:
        """Somebody put its old file back."""
        use = rotation.Use(NAME, (), "2026-11-22T10:00:00Z", "2026-11-22T10:00:01Z")
        assert not use.has_moved
        assert replace(use, old_at="2026-11-22T09:00:00Z").has_moved

    async def test_stranger_with_the_old_key_is_named(self, apart: Apart) -> None:
        """It would be shut out without a word."""
        async with apart.both() as (primary, _):
            run = apart.rotation()
            await run.look()
            await run.begin()
            primary.context.key_use.verified(NAME, next(iter(plan_of().mail_hosts[0].addresses)), "AXFR", 1.0)
            assert (await run.uses())[1] == []  # the mail host is the primary's own address
            primary.context.key_use.verified(NAME, ip_address("203.0.113.9"), "AXFR", 1.0)
            assert (await run.uses())[1] == ["203.0.113.9"]


class TestInterrupted:
    async def test_between_file_and_server_at_the_beginning(self, apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
        """The next run lets the server read what is there, and makes no third key."""
        async with apart.both() as (primary, _):
            run = apart.rotation()
            await run.look()
            await interrupted(run.begin(), monkeypatch)
            assert len(primary.config.keys) == 1
            again = apart.rotation()
            await again.look()
            assert (again.under_way, list(primary.config.keys), apart.names()) == (True, [SECOND, NAME], [SECOND, NAME])

    async def test_between_file_and_server_at_the_end(self, apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
        """The next run lets the server forget the old key, and begins no other rotation."""
        async with apart.both() as (primary, _):
            run = apart.rotation("ns1")
            await run.look()
            await run.begin()
            await run.wait(20.0)
            await interrupted(run.finish(), monkeypatch)
            assert len(primary.config.keys) == 2
            again = apart.rotation("ns1")
            await again.look()
            assert (again.under_way, again.interrupted_at_the_end, list(primary.config.keys)) == (False, True, [SECOND])
            assert apart.names("ns1") == [SECOND]


async def interrupted(step: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go as far as the first word to the server."""

    async def die(*_: object, **__: object) -> None:
        raise Interrupted

    with monkeypatch.context() as patch, contextlib.suppress(Interrupted):
        patch.setattr(rotation, "ask", die)
        await step


class TestImpossible:
    async def test_plan_without_a_key(self, apart: Apart) -> None:
        """There is nothing to rotate."""
        async with apart.server("ns2"):
            plan = plan_of(PLAN.split("[transfer_key]")[0])
            with pytest.raises(HostError, match="has no transfer key"):
                await replace(apart.rotation(), plan=plan).look()

    async def test_server_whose_key_has_no_name_in_the_configuration(self, apart: Apart) -> None:
        """It says what to add."""
        async with apart.server("ns2") as primary:
            files = tuple(replace(one, name=None) for one in primary.config.key_files)
            await primary.reconfigure(replace(primary.config, key_files=files))
            with pytest.raises(HostError, match=r"has no keys called transfer\.example\.tech"):
                await apart.rotation().look()

    async def test_server_that_does_not_take_it_over(self, apart: Apart) -> None:
        """The file is in place; the next run goes on."""
        async with apart.both() as (primary, _):
            primary.on_reload = None
            run = apart.rotation()
            await run.look()
            with pytest.raises(HostError, match="did not take over the keys"):
                await run.begin()


class TestCommand:
    async def run(self, apart: Apart, *options: str) -> tuple[int, dict[str, Any], str]:
        plan = apart.folder / "plan.toml"
        plan.write_text(PLAN, encoding="utf-8")
        words = ["rotate", str(plan), "--json", *options]
        done = await asyncio.to_thread(lambda: CliRunner().invoke(command, words, standalone_mode=False))
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.return_value or done.exit_code, json.loads(done.stdout), done.stderr

    async def test_tells_what_is_missing_and_finishes(self, apart: Apart, monkeypatch: pytest.MonkeyPatch) -> None:
        """Exit code 1 until every server has used the new key; the secret is never told."""
        monkeypatch.setattr(publish, "surroundings", lambda *_: (apart.control, apart.network))
        async with apart.both() as (_, secondary):
            code, told, _ = await self.run(apart, "--finish")
            assert (code, told["state"]) == (0, "no rotation under way")
            code, told, says = await self.run(apart, "--wait", "0")
            assert (code, told["state"], told["new"], told["old"]) == (1, "waiting", SECOND.to_text(), [NAME.to_text()])
            assert "ns1.example.tech: has not used the new key yet" in says
            assert f"Copy {apart.key_file('ns2')} to ns1.example.tech" in says
            apart.copy()
            await apart.reread(secondary)
            code, told, _ = await self.run(apart, "--dry-run")
            assert (code, apart.names()) == (1, [SECOND, NAME])
            code, told, says = await self.run(apart, "--wait", "20")
            assert (code, told["state"], told["servers"][0]["uses_new_key"]) == (0, "finished", True)
            assert told["still_take_old_key"] == ["ns1.example.tech."]
            assert "the old key is gone" in says
            assert apart.names() == [SECOND]
            for key in load_keys(apart.key_file("ns1")):
                assert base64.b64encode(key.secret).decode() not in says + json.dumps(told)
