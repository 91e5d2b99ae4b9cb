"""Secondary zones: asked for, transferred, kept, expired; and why not."""

from __future__ import annotations

import asyncio
import errno
import json
import logging
import os
import re
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, cast

import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.tsig
import pytest
from tests.server.running import APEX, PRIMARY, Running, Site, asked, running, serial_at, until, zone_text

from mailname.errors import HostError
from mailname.server import soa_question
from mailname.server.clock import ShiftedClock
from mailname.server.network import DirectNetwork
from mailname.transfer.actions import Peer
from mailname.transfer.notify import message as notify_message
from mailname.wire.tsig_key import Key, make_key
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from mailname.server.network import Endpoint, IPAddress

KEY_NAME = dns.name.from_text("transfer.example.tech.")


async def failed(server: Running, reason: str) -> dict[str, Any]:
    """Wait until the last refresh failed for a reason."""
    await until(lambda: (server.zone_status()["last_failure"] or {}).get("reason") == reason)
    told: dict[str, Any] = server.zone_status()["last_failure"]
    return told


class TestTransfer:
    async def test_copy_is_the_primary_s(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """The log holds the facts that an operator looks for, on both sides, as greppable lines."""
        caplog.set_level(logging.INFO, "mailname")
        async with running(site.secondary()) as secondary, running(site.primary()) as primary:
            await until(lambda: secondary.serial() == 1)
            site.write(2, "www A 192.0.2.9")
            await primary.reload()
            await until(lambda: secondary.serial() == 2)
            await until(lambda: primary.zone_status()["secondaries"][0]["state"] == "acknowledged")
            assert secondary.context.table[APEX] == primary.context.table[APEX]
            await until(lambda: (secondary.zone_status()["last_notify"] or {}).get("serial") == 2)
            status = secondary.zone_status()
            assert status["last_notify"]["from"] == str(PRIMARY)
            assert status["last_notify"]["serial"] == 2
            assert (status["last_transfer"]["messages"], status["last_transfer"]["records"]) == (1, 5)
            assert status["last_transfer"]["octets"] > 100
            assert (status["last_failure"], status["state"]) == (None, "serving")
        at = re.escape(str(site.primary_at))
        for line in (
            rf"zone example\.tech: received notify from {PRIMARY}:\d+ for serial 2 \(held: serial 1\)",
            rf"zone example\.tech: transfer of serial 2 from {at} started",
            rf"zone example\.tech: transferred serial 2 from {at}: 1 messages, 5 records, \d+ octets, \d+\.\d+ seconds \(IXFR\)",
            r"zone example\.tech: transferred serial 2 to 127\.0\.0\.3:\d+: 1 messages, 5 records, \d+ octets",
        ):
            assert re.search(line, caplog.text), line

    async def test_large_zone_comes_in_several_messages(self, site: Site) -> None:
        """Signed, each of them."""
        site.keys = {KEY_NAME: make_key(KEY_NAME)}
        site.key = KEY_NAME
        site.write(1, "\n".join(f'h{n} TXT "{"x" * 200}"' for n in range(1000)))
        async with running(site.secondary()) as secondary, running(site.primary()):
            await until(lambda: secondary.serial() == 1)
            assert secondary.zone_status()["last_transfer"]["messages"] == 14

    async def test_over_ipv6(self, site: Site) -> None:
        """The same on ::1."""
        at = [replace(site.primary_at, address=ip_address("::1"), port=port) for port in (site.port, site.port + 1)]
        copy = replace(site.copy(), primaries=(Peer(at[0].address, at[0].port),))
        ours = replace(site.zone(), secondaries=(Peer(at[1].address, at[1].port),))
        async with (
            running(site.primary(ours, listen=(at[0],))) as primary,
            running(site.secondary(copy, listen=(at[1],))) as secondary,
        ):
            await until(lambda: secondary.serial() == 1)
            site.write(2)
            await primary.reload()
            await until(lambda: secondary.serial() == 2)
            assert await serial_at(at[1]) == 2

    async def test_secondary_of_a_secondary_gets_it(self, site: Site) -> None:
        """A chain: the copy goes on by transfer."""
        third = replace(site.secondary_at, address=ip_address("127.0.0.4"))
        middle = replace(site.copy(), secondaries=(Peer(third.address, site.port),))
        last = replace(site.copy(), primaries=(Peer(site.secondary_at.address, site.port),))
        async with (
            running(site.primary()) as primary,
            running(site.secondary(middle)) as second,
            running(site.secondary(last, listen=(third,), state=None, control=None)) as server,
        ):
            await until(lambda: server.serial() == 1)
            site.write(2)
            await primary.reload()
            await until(lambda: second.serial() == 2)
            await until(lambda: server.serial() == 2)

    async def test_of_several_primaries_the_highest_serial_wins(self, site: Site) -> None:
        """One is dead, one went back: told, and no obstacle."""
        third = replace(site.secondary_at, address=ip_address("127.0.0.4"))
        old = site.folder / "old.zone"
        old.write_text(zone_text(4), encoding="utf-8")
        site.write(9)
        copy = site.copy(*(Peer(ip_address(host), site.port) for host in ("127.0.0.7", "127.0.0.4", str(PRIMARY))))
        behind = replace(site.zone(), file=old)
        async with (
            running(site.primary()),
            running(site.primary(behind, listen=(third,), state=None, control=None)) as other,
            running(site.secondary(copy)) as secondary,
        ):
            await until(lambda: secondary.serial() == 9)
            await until(lambda: not secondary.zone_status()["busy"])
            secondary.clock.move(3600)
            assert (await failed(secondary, "serial-not-higher"))["offered_serial"] == 4
            assert secondary.serial() == 9
            old.write_text(zone_text(10), encoding="utf-8")
            await other.reload()
            await until(lambda: secondary.serial() == 10)

    async def test_order_transfers_whatever_the_serial(self, site: Site) -> None:
        """``mailname retransfer``: also back to a lower serial."""
        site.write(9)
        async with running(site.secondary()) as secondary:
            async with running(site.primary(state=None)):
                await until(lambda: secondary.serial() == 9)
            site.write(3)
            async with running(site.primary(state=None)):
                assert (await secondary.obey({"do": "retransfer", "zone": "example.tech"}))["ok"]
                await until(lambda: secondary.serial() == 3)


class TestKept:
    async def test_copy_is_served_after_a_restart_without_the_primary(self, site: Site) -> None:
        """From its first answer on."""
        async with running(site.primary()), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1)
            await until(lambda: not secondary.zone_status()["busy"])
        async with running(site.secondary()) as secondary:
            assert await serial_at(site.secondary_at) == 1
            assert secondary.zone_status()["last_transfer"]["serial"] == 1
            told = await failed(secondary, "connection-refused")
            assert "Start the name server" in told["remedy"]

    async def test_copy_that_expired_meanwhile_is_not_served(self, site: Site) -> None:
        """The time without us counts; and it is back as soon as the primary confirms."""
        site.write(1, expire=100)
        async with running(site.primary()), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])
        async with running(site.secondary(), ShiftedClock(101)) as secondary:
            assert await serial_at(site.secondary_at) == "SERVFAIL"
            assert secondary.zone_status()["state"] == "expired"
            async with running(site.primary()):
                await until(lambda: secondary.zone_status()["state"] == "serving")
            assert await serial_at(site.secondary_at) == 1

    @pytest.mark.parametrize("spoil", ["a flipped bit", "cut short", "edited", "record lost", "record spoiled"])
    async def test_spoiled_copy_is_never_served(self, site: Site, spoil: str) -> None:
        """It is transferred again."""
        async with running(site.primary()), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])
        copy, record = (site.folder / "secondary" / f"example.tech.{suffix}" for suffix in ("zone", "json"))
        octets = copy.read_bytes()
        match spoil:
            case "a flipped bit":
                copy.write_bytes(octets.replace(b"192.0.2.1", b"192.0.2.3"))
            case "cut short":
                copy.write_bytes(octets[: len(octets) // 2])
            case "edited":
                copy.write_bytes(octets + b"www A 192.0.2.9\n")
            case "record lost":
                record.unlink()
            case _:
                record.write_text('{"announced": -1, "confirmed_at": 1e300, "last_transfer": 5, "last_failure": []}')
        async with running(site.secondary()) as secondary:
            assert await serial_at(site.secondary_at) == "SERVFAIL"
            json.dumps(secondary.status())
            async with running(site.primary()):
                await until(lambda: secondary.zone_status()["state"] == "serving")

    async def test_disk_that_is_full_does_not_end_service(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """The new version is served from memory and the problem told; the copy is made up for when there is room."""
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])

            def full(*_args: object, **_options: object) -> None:
                raise HostError("cannot write: " + os.strerror(errno.ENOSPC), step="write")

            with monkeypatch.context() as patch:
                patch.setattr(secondary.zones[APEX].versions, "begin", full)
                site.write(2)
                await primary.reload()
                await until(lambda: secondary.serial() == 2)
                assert "No space left" in secondary.zone_status()["problem"]["says"]
            await secondary.obey({"do": "retransfer"})
            await until(lambda: secondary.zone_status()["problem"] is None)
        async with running(site.secondary()):
            assert await serial_at(site.secondary_at) == 2


class TestExpiry:
    async def test_past_expire_is_servfail_and_back_at_once(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """By UDP and TCP; RFC 1035 section 3.3.13. The countdown is told before."""
        site.write(1, expire=5000, retry=1)
        async with running(site.secondary()) as secondary:
            async with running(site.primary()):
                await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])
            secondary.clock.move(4990)
            await failed(secondary, "connection-refused")
            assert await serial_at(site.secondary_at) == 1
            assert secondary.zone_status()["expires_at"]
            secondary.clock.move(20)
            await until(lambda: secondary.zone_status()["state"] == "expired")
            assert await serial_at(site.secondary_at) == "SERVFAIL"
            assert await serial_at(site.secondary_at, tcp=True) == "SERVFAIL"
            assert (await asked(site.secondary_at, rdtype="AXFR", tcp=True)).rcode() == dns.rcode.REFUSED
            assert "expired" in caplog.text
            async with running(site.primary(site.zone(notify=False))):
                await until(lambda: secondary.zone_status()["state"] == "serving")
                assert await serial_at(site.secondary_at) == 1
                assert await serial_at(site.secondary_at, tcp=True) == 1
                assert secondary.zone_status()["last_failure"] is None

    @pytest.mark.parametrize("workers", [0, 2], ids=["in Python", "by workers"])
    async def test_primary_that_comes_back_ends_it_by_its_notify(self, site: Site, workers: int) -> None:
        """Hours before the next try; whoever answers UDP."""
        site.write(1, expire=200_000, retry=100_000, refresh=100_000)
        server = Running(site.secondary(), clock=ShiftedClock(), workers=workers)
        await server.start()
        try:
            async with running(site.primary()):
                await until(lambda: server.serial() == 1 and not server.zone_status()["busy"])
            server.clock.move(200_001)
            await until(lambda: server.zone_status()["state"] == "expired" and not server.zone_status()["busy"])
            assert await serial_at(site.secondary_at) == "SERVFAIL"
            assert await serial_at(site.secondary_at, tcp=True) == "SERVFAIL"
            async with running(site.primary()):
                await until(lambda: server.zone_status()["state"] == "serving")
                assert await serial_at(site.secondary_at) == 1
                assert await serial_at(site.secondary_at, tcp=True) == 1
        finally:
            await server.stop()

    async def test_change_is_found_at_refresh(self, site: Site) -> None:
        """REFRESH repairs a lost NOTIFY."""
        quiet = replace(site.zone(notify=False), allow_transfer=(ip_network("127.0.0.0/8"),))
        async with running(site.primary(quiet)) as primary, running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])
            site.write(2)
            await primary.reload()
            secondary.clock.move(3599)
            assert secondary.serial() == 1
            secondary.clock.move(1)
            await until(lambda: secondary.serial() == 2)


class TestNotify:
    async def notified(self, site: Site, source: str, serial: int = 9) -> dns.rcode.Rcode:
        zone = read_zone(zone_text(serial), "x", APEX).zone
        query = dns.message.from_wire(notify_message(zone, 1))
        return (await asked(site.secondary_at, query=query, source=source)).rcode()

    async def test_from_a_stranger_is_refused_and_wakes_nobody(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """RFC 1996 section 3.10; the log has the old words."""
        async with running(site.primary()), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])
            before = secondary.zone_status()
            assert await self.notified(site, "127.0.0.9") == dns.rcode.REFUSED
            after = secondary.zone_status()
            assert after.pop("notify_refused")["from"] == "127.0.0.9"
            assert after == {name: value for name, value in before.items() if name != "notify_refused"}
            assert "refused notify from non-primary 127.0.0.9" in caplog.text

    async def test_without_the_signature_that_is_due_is_refused(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """The address alone proves nothing where a key is shared; the primary's own are signed, and taken."""
        site.keys = {KEY_NAME: make_key(KEY_NAME)}
        site.key = KEY_NAME
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])
            assert await self.notified(site, str(PRIMARY)) == dns.rcode.REFUSED
            assert f"must sign NOTIFY with the key {KEY_NAME}; it was not signed" in caplog.text
            site.write(2)
            await primary.reload()
            await until(lambda: secondary.serial() == 2)
            assert primary.zone_status()["secondaries"][0]["state"] == "acknowledged"

    async def test_is_a_hint_only(self, site: Site) -> None:
        """A serial that the primary does not have leads to a question, and to nothing else."""
        async with running(site.primary()), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])
            assert await self.notified(site, str(PRIMARY), 9) == dns.rcode.NOERROR
            await until(lambda: (secondary.zone_status()["last_notify"] or {}).get("serial") == 9)
            await until(lambda: not secondary.zone_status()["busy"])
            assert (secondary.serial(), secondary.zone_status()["last_notify"]["serial"]) == (1, 9)

    async def test_storm_leads_to_few_transfers(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """A hundred at once, of one change: one transfer under way, and at most one after it."""
        caplog.set_level(logging.INFO, "mailname")
        quiet = replace(site.zone(notify=False), allow_transfer=(ip_network("127.0.0.0/8"),))
        async with running(site.primary(quiet)) as primary, running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])
            site.write(2)
            await primary.reload()
            caplog.clear()
            answers = await asyncio.gather(*(self.notified(site, str(PRIMARY), 2) for _ in range(100)))
            assert set(answers) == {dns.rcode.NOERROR}
            await until(lambda: secondary.serial() == 2 and not secondary.zone_status()["busy"])
            assert 1 <= caplog.text.count("transfer of serial 2 from") <= 2

    async def test_for_what_is_no_secondary_zone_is_notauth(self, site: Site) -> None:
        """The primary's own zone, and one that nobody has."""
        async with running(site.primary(listen=(site.secondary_at,))):
            assert await self.notified(site, str(PRIMARY)) == dns.rcode.NOTAUTH

    async def test_of_another_type_is_formerr(self, site: Site) -> None:
        """Only the SOA is notified. RFC 1996 section 3.7."""
        async with running(site.secondary()):
            query = dns.message.make_query(APEX, "A")
            query.set_opcode(dns.opcode.NOTIFY)
            assert (await asked(site.secondary_at, query=query)).rcode() == dns.rcode.FORMERR


class TestWhyNot:
    """Each failure under its word, with a remedy, and what is held is served on."""

    async def test_refused(self, site: Site, caplog: pytest.LogCaptureFixture) -> None:
        """Nobody may transfer by default; both sides say so."""
        async with running(site.primary(site.zone(notify=False))) as primary, running(site.secondary()) as secondary:
            told = await failed(secondary, "refused")
            assert "Allow this server on the primary" in told["remedy"] or "transfer list" in told["remedy"]
            assert told["offered_serial"] == 1
            refused = primary.zone_status()["refused"][0]
            assert (refused["from"], refused["reason"]) == ("127.0.0.3", "refused")
            assert "refused transfer to 127.0.0.3" in caplog.text

    async def test_notauth(self, site: Site) -> None:
        """The primary does not have the zone at all."""
        async with running(replace(site.primary(), zones=())), running(site.secondary()) as secondary:
            assert (await failed(secondary, "no-zone"))["peer"] == str(site.primary_at)

    async def test_servfail(self, site: Site) -> None:
        """The primary has it and cannot load it."""
        site.file.write_text("rubbish", encoding="utf-8")
        async with running(site.primary()), running(site.secondary()) as secondary:
            assert "look at its log" in (await failed(secondary, "servfail"))["remedy"]

    async def test_serial_not_higher(self, site: Site) -> None:
        """The primary went back: told, never followed."""
        site.write(9)
        async with running(site.secondary()) as secondary:
            async with running(site.primary(state=None)):
                await until(lambda: secondary.serial() == 9 and not secondary.zone_status()["busy"])
            site.write(3)
            async with running(site.primary(state=None)):
                told = await failed(secondary, "serial-not-higher")
                assert told["offered_serial"] == 3
                assert await serial_at(site.secondary_at) == 9

    @pytest.mark.parametrize("reason", ["badkey", "badsig", "badtime", "unsigned"])
    async def test_signatures(self, site: Site, reason: str) -> None:
        """Told on both sides, as the reason and in words."""
        key = make_key(KEY_NAME)
        primary_clock = ShiftedClock(86400 if reason == "badtime" else 0)
        site.key = KEY_NAME
        theirs: dict[dns.name.Name, Key] = {KEY_NAME: key}
        if reason == "badsig":
            theirs = {KEY_NAME: make_key(KEY_NAME)}
        elif reason == "badkey":
            theirs = {}
        ours = site.zone(notify=False, allow=()) if reason == "badkey" else site.zone()
        if reason == "unsigned":
            site.key = None  # the secondary does not sign, though the primary wants it to
        copy = site.copy()
        async with (
            running(site.primary(ours, keys=theirs), primary_clock) as primary,
            running(site.secondary(copy, keys={KEY_NAME: key})) as secondary,
        ):
            if reason == "unsigned":
                await failed(secondary, "refused")
                assert "must sign with the key" in primary.zone_status()["refused"][0]["says"]
                return
            told = await failed(secondary, reason)
            refused = primary.zone_status()["refused"][0]
            assert refused["reason"] == reason
            assert reason.upper() in refused["says"]
            if reason == "badtime":
                assert "86400 seconds" in told["says"] or "86399 seconds" in told["says"]

    async def test_answer_that_is_not_signed(self, site: Site) -> None:
        """A server without TSIG answers our signed question unsigned: not taken."""

        class Deaf(asyncio.DatagramProtocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                self.transport = cast("asyncio.DatagramTransport", transport)

            def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
                query = dns.message.from_wire(data, keyring=False)
                answer = dns.message.Message(query.id)
                answer.flags = dns.flags.QR | dns.flags.AA
                answer.question = query.question
                answer.answer = [dns.rrset.from_text(APEX, 60, "IN", "SOA", "a. b. 9 1 1 1 1")]
                self.transport.sendto(answer.to_wire(), addr)

        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Deaf, local_addr=(str(PRIMARY), site.port))
        site.key = KEY_NAME
        try:
            async with running(site.secondary(keys={KEY_NAME: make_key(KEY_NAME)})) as secondary:
                assert "key is missing" in (await failed(secondary, "unsigned"))["remedy"]
        finally:
            transport.close()

    async def test_tcp_blocked(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """UDP gets through, TCP does not: exactly that is said."""

        class NoTcp(DirectNetwork):
            async def open_tcp(
                self, to: Endpoint, source: IPAddress | None = None
            ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
                raise TimeoutError

        monkeypatch.setattr(soa_question, "UDP_TIMEOUT", 0.05)
        async with running(site.primary()):
            server = Running(site.secondary(), network=NoTcp(), clock=ShiftedClock())
            await server.start()
            try:
                assert "UDP gets through, TCP does not" in (await failed(server, "timeout-tcp"))["remedy"]
            finally:
                await server.stop()
        server = Running(site.secondary(), network=NoTcp(), clock=ShiftedClock())
        with monkeypatch.context() as patch:
            patch.setattr(soa_question, "ask_udp", _silence)
            await server.start()
            try:
                await failed(server, "timeout-udp")
            finally:
                await server.stop()


async def _silence(*_args: object, **_options: object) -> bytes:
    raise TimeoutError


class TestReconfigured:
    async def test_zone_removed_while_it_is_transferred_is_not_served_again(self, site: Site) -> None:
        """What is under way ends without effect."""
        opened, go_on = asyncio.Event(), asyncio.Event()

        class Slow(DirectNetwork):
            async def open_tcp(
                self, to: Endpoint, source: IPAddress | None = None
            ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
                opened.set()
                await go_on.wait()
                return await super().open_tcp(to, source)

        async with running(site.primary()):
            server = Running(site.secondary(), network=Slow(), clock=ShiftedClock())
            await server.start()
            try:
                await opened.wait()
                await server.reconfigure(replace(server.config, zones=()))
                go_on.set()
                assert not server.context.tasks
                assert await serial_at(site.secondary_at) == "REFUSED"
                assert not (site.folder / "secondary" / "example.tech.zone").exists()
            finally:
                await server.stop()

    async def test_other_primary_serves_the_copy_on(self, site: Site) -> None:
        """A changed list of primaries does not empty the zone."""
        async with running(site.primary()), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])
            other = replace(site.copy(), primaries=(Peer(ip_address("127.0.0.7"), site.port),))
            await secondary.reconfigure(replace(secondary.config, zones=(other,)))
            assert await serial_at(site.secondary_at) == 1

    async def test_promoted_secondary_serves_as_primary(self, site: Site) -> None:
        """The way out when the primary is lost for good: the copy becomes the source."""
        site.write(7)
        async with running(site.primary()), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 7 and not secondary.zone_status()["busy"])
            site.write(8)
            await secondary.reconfigure(replace(secondary.config, zones=(site.zone(notify=False),)))
            assert await serial_at(site.secondary_at) == 8
