"""Publish: guard, serial, load, wait; interrupted anywhere and run again."""

from __future__ import annotations

import contextlib
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from tests.engines.pair import APEX, PLAN, Pair, SmallWorld, plan_of
from tests.server.running import until
from tests.server.tls_certificates import Certificates

from mailname.engines import publish
from mailname.engines.primary_place import PrimaryHere
from mailname.engines.publish import Arrival, Publishing, ask_serial
from mailname.errors import HostError
from mailname.server.network import Endpoint, IPAddress
from mailname.server.secondary_zone import SecondaryZone
from mailname.zone import Serial

if TYPE_CHECKING:
    from pathlib import Path

TODAY = date(2026, 6, 8)
CHANGED = PLAN.replace("192.0.2.80", "192.0.2.81")


class Interrupted(BaseException):
    """The command is killed here."""


def publishing(pair: Pair, text: str = PLAN) -> Publishing:
    return Publishing(plan_of(text), pair.control, pair.network, TODAY)


async def published(pair: Pair, text: str = PLAN, wait: float = 20.0) -> list[Arrival]:
    run = publishing(pair, text)
    await run.prepare()
    await run.write_and_load()
    return await run.wait(wait, lambda _: None)


class TestSerial:
    async def test_first_is_today_s(self, pair: Pair) -> None:
        """YYYYMMDD00, on every server; the guard has nothing to compare with."""
        async with pair.server("ns2"), pair.server("ns1"):
            run = publishing(pair)
            (one,) = await run.prepare()
            assert (one.old, one.new.serial, one.needs_writing, one.objections) == (None, Serial(2026060800), True, ())
            assert not pair.file.exists()
            await run.write_and_load()
            seen: list[Arrival] = []
            arrivals = await run.wait(20.0, seen.append)
            assert [(one.arrived, one.seen, one.says) for one in arrivals] == [(True, Serial(2026060800), "")] * 2
            assert seen

    async def test_is_raised_exactly_when_content_changes(self, pair: Pair) -> None:
        """Twice the same plan is one version."""
        async with pair.server("ns2") as primary, pair.server("ns1"):
            await published(pair)
            (again,) = await publishing(pair).prepare()
            assert (again.needs_writing, again.changes) == (False, ())
            await published(pair)
            assert primary.serial() == 2026060800
            assert all(one.arrived for one in await published(pair, CHANGED))
            assert primary.serial() == 2026060801

    async def test_is_above_what_any_server_holds(self, pair: Pair) -> None:
        """The primary came back from yesterday's backup; the secondary knows better."""
        async with pair.server("ns1") as secondary:
            async with pair.server("ns2"):
                for text in (PLAN, CHANGED, PLAN):
                    await published(pair, text)
                await until(lambda: secondary.serial() == 2026060802)
            for path in (pair.folder / "ns2-state").glob("example.tech.*"):
                path.unlink()
            pair.file.unlink()
            async with pair.server("ns2"):
                assert all(one.arrived for one in await published(pair))
                assert secondary.serial() == 2026060803

    async def test_is_above_what_was_announced_though_the_file_is_older(self, pair: Pair) -> None:
        """A zone file restored from yesterday is no way back."""
        async with pair.server("ns2") as primary:
            await published(pair, wait=0.1)
            old = pair.file.read_bytes()
            await published(pair, CHANGED, wait=0.1)
            pair.file.write_bytes(old)
            await primary.reload()
            assert primary.serial() == 2026060801
            await published(pair, wait=0.1)
            assert primary.serial() == 2026060802


class TestOverTls:
    async def test_arrives_where_the_plan_has_a_pin(self, pair: Pair) -> None:
        """The zone over TLS, NOTIFY and questions as ever."""
        certificates = Certificates(pair.folder)
        certificates.make("tls")
        text = PLAN.replace('role = "primary"', f'role = "primary"\ntls_pin = "{certificates.pin("tls")}"')
        pair.plan = plan_of(text)
        async with pair.server("ns2") as primary, pair.server("ns1") as secondary:
            assert all(one.arrived for one in await published(pair, text))
            assert all(one.arrived for one in await published(pair, text.replace("192.0.2.80", "192.0.2.81")))
            assert secondary.zone_status()["last_transfer"]["peer"] == "198.51.100.2:853"
            assert primary.status()["tls"]["listen"] == ["198.51.100.2:853"]


class TestGuard:
    async def test_accident_is_objected_to(self, pair: Pair) -> None:
        """The apex NS set replaced: preparing says so and changes nothing."""
        async with pair.server("ns2"):
            await published(pair, wait=0.1)
            before = pair.file.read_bytes()
            without = PLAN.replace("ns1.example", "a.example").replace("ns2.example", "b.example")
            (one,) = await publishing(pair, without).prepare()
            assert one.objections
            assert pair.file.read_bytes() == before


class TestRefusedByTheServer:
    @pytest.mark.parametrize("first", [True, False])
    async def test_old_file_is_back(self, pair: Pair, monkeypatch: pytest.MonkeyPatch, first: bool) -> None:
        """What is served and what lies in the file stay the same; or there is no file, as before."""
        async with pair.server("ns2") as primary:
            if not first:
                await published(pair, wait=0.1)
            before = pair.file.read_bytes() if pair.file.exists() else None
            run = publishing(pair, CHANGED)
            await run.prepare()
            monkeypatch.setattr(publish, "write_zone", lambda zone, header: "rubbish\n")
            with pytest.raises(HostError, match="did not take over the new version"):
                await run.write_and_load()
            assert (pair.file.read_bytes() if pair.file.exists() else None) == before
            assert primary.serial() == (None if first else 2026060800)

    async def test_server_that_is_not_the_primary(self, pair: Pair) -> None:
        """The wrong socket."""
        async with pair.server("ns1"):
            run = Publishing(plan_of(), pair.folder / "ns1.sock", pair.network, TODAY)
            with pytest.raises(HostError, match=r"is not the primary of example\.tech"):
                await run.prepare()

    async def test_server_that_is_down(self, pair: Pair) -> None:
        """Nothing is written behind its back."""
        with pytest.raises(HostError, match="no server listens"):
            await publishing(pair).prepare()
        assert not pair.file.exists()


class TestWait:
    async def test_server_that_is_down_is_named(self, pair: Pair) -> None:
        """With what the primary knows of it."""
        async with pair.server("ns2"):
            late = {str(one.server): one for one in await published(pair, wait=0.2)}
            assert late["ns2.example.tech."].arrived
            assert not late["ns1.example.tech."].arrived
            assert late["ns1.example.tech."].says.startswith("nothing listens there; NOTIFY: ")

    async def test_refused_transfer_is_named(self, pair: Pair) -> None:
        """The primary says why it did not give the zone."""
        async with pair.server("ns2") as primary:
            pair.plan = plan_of(PLAN.replace('[transfer_key]\nname = "transfer.example.tech"\n', ""))
            async with pair.server("ns1"):
                await published(pair, wait=0.0)
                await until(lambda: primary.zone_status()["refused"])
                (late,) = [one for one in await published(pair, wait=0.0) if not one.arrived]
                assert "must sign with the key transfer.example.tech." in late.says

    async def test_secondary_that_is_behind_is_named(self, pair: Pair) -> None:
        """With the serial that it still answers."""
        async with pair.server("ns2"), pair.server("ns1") as secondary:
            await published(pair)
            await secondary.reconfigure(secondary.config)
            copy = secondary.zones[APEX]
            assert isinstance(copy, SecondaryZone)
            copy.logic.started = False  # it hangs
            (late,) = [one for one in await published(pair, CHANGED, wait=0.2) if not one.arrived]
            assert late.says.startswith("still answers serial 2026060800; NOTIFY")


class TestInterrupted:
    @pytest.mark.parametrize("step", ["before the write", "after the write", "while waiting"])
    async def test_run_again_ends_right(self, pair: Pair, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
        """The same plan again: every server has it, and the serial rose once or was not seen before."""
        async with pair.server("ns2") as primary, pair.server("ns1") as secondary:
            await published(pair)

            async def die(*_args: object, **_options: object) -> Any:
                raise Interrupted

            run = publishing(pair, CHANGED)
            await run.prepare()
            where: dict[str, tuple[object, str]] = {
                "before the write": (PrimaryHere, "read"),
                "after the write": (PrimaryHere, "ask"),
                "while waiting": (publish, "ask_serial"),
            }
            with monkeypatch.context() as patch:
                patch.setattr(*where[step], die)
                with contextlib.suppress(Interrupted):
                    await run.write_and_load()
                    await run.wait(1.0, lambda _: None)
            before = primary.serial()
            assert all(one.arrived for one in await published(pair, CHANGED))
            assert primary.serial() == secondary.serial() == 2026060801
            assert before in {2026060800, 2026060801}
            assert "192.0.2.81" in pair.file.read_text(encoding="utf-8")

    async def test_server_that_dies_in_the_middle(self, pair: Pair, tmp_path: Path) -> None:
        """Its next start serves the file that was written, and publishing again finds nothing to do but wait."""
        async with pair.server("ns2"):
            await published(pair, wait=0.1)
            run = publishing(pair, CHANGED)
            await run.prepare()
            await run._write(run.publications[0])
        async with pair.server("ns2") as primary, pair.server("ns1"):
            assert primary.serial() == 2026060801
            assert all(one.arrived for one in await published(pair, CHANGED))
            assert primary.serial() == 2026060801


class TestAskSerial:
    @pytest.mark.parametrize(
        ("answer", "says"),
        [
            (TimeoutError(), "no answer"),
            (ConnectionRefusedError(), "nothing listens there"),
            (OSError(113, "No route to host"), "cannot be reached (No route to host)"),
            (b"\x00", "an answer that cannot be read"),
            (bytes.fromhex("000084050000000000000000"), "answers REFUSED"),
            (bytes.fromhex("000084000000000000000000"), "answers without the SOA"),
        ],
    )
    async def test_says_in_a_few_words_why_there_is_none(
        self, monkeypatch: pytest.MonkeyPatch, answer: bytes | Exception, says: str
    ) -> None:
        """Beside the server's name in the list of those that are late."""

        async def answered(*_args: object, **_options: object) -> bytes:
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr(publish, "ask_udp", answered)
        at: IPAddress = next(iter(plan_of().primary.addresses))
        assert await ask_serial(SmallWorld(), Endpoint(at), APEX) == says
