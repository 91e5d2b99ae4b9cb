"""Each cause for which a copy is not in step, made by really misconfiguring a pair; what each side's status then says."""

from __future__ import annotations

import asyncio
import errno
import os
from dataclasses import replace
from functools import partial
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest
from tests.server.fake_primary import fake_primary, zone_answer
from tests.server.running import APEX, PATIENCE, PRIMARY, SECONDARY, Running, Site, running, until

from mailname.errors import HostError
from mailname.server.clock import ShiftedClock
from mailname.server.network import DirectNetwork, Endpoint
from mailname.transfer.actions import Peer, PeerTls
from mailname.transfer.cause import CODES
from mailname.transfer.diagnosis import cause_at_secondary
from mailname.transfer.side import Side, side_of
from mailname.transfer.transfer_limits import TransferLimits
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from mailname.server.network import IPAddress
    from mailname.transfer.cause import Cause

KEY, OTHER_KEY = (dns.name.from_text(f"{name}.example.tech.") for name in ("transfer", "other"))
ELSEWHERE = ip_address("127.0.0.9")


async def told(server: Running) -> dict[str, Any]:
    """Return what ``mailname status --json`` says of the zone."""
    answer = await server.obey({"do": "status", "zone": "example.tech"})
    found: dict[str, Any] = answer["zones"][0]
    return found


async def cause_of(server: Running, code: str) -> dict[str, Any]:
    """Wait until a server names this cause for its zone, and return it."""
    return await _named(server, code, lambda zone: zone["cause"])


async def cause_with(server: Running, code: str) -> dict[str, Any]:
    """Wait until a primary names this cause for its only secondary, and return it."""
    return await _named(server, code, lambda zone: zone["secondaries"][0]["cause"])


async def _named(server: Running, code: str, part: Callable[[dict[str, Any]], dict[str, Any] | None]) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while True:
            cause = part(await told(server))
            if cause is not None and cause["code"] == code:
                return cause
            await asyncio.sleep(0.01)


async def side(server: Running, name: str, *addresses: object) -> Side:
    return side_of(await told(server), name, map(str, addresses))


async def both(secondary: Running, primary: Running, secondary_at: object = SECONDARY) -> Cause:
    """Put both sides together, as for a plan."""
    found = cause_at_secondary(await side(secondary, "ns2", secondary_at), await side(primary, "ns1", PRIMARY))
    assert found is not None
    return found


class NoRoute(DirectNetwork):
    """A machine without a route to anybody, or that does not let a process ask."""

    error = errno.ENETUNREACH

    def open_udp(self, to: Endpoint, source: IPAddress | None = None) -> socket.socket:
        raise OSError(self.error, os.strerror(self.error))


class TooManyFiles(NoRoute):
    error = errno.EMFILE


async def well(*servers: Running) -> None:
    """Wait until no server names any cause."""
    async with asyncio.timeout(PATIENCE):
        for server in servers:
            while True:
                zone = await told(server)
                if not any(one["cause"] for one in (zone, *zone["secondaries"])):
                    break
                await asyncio.sleep(0.01)


class TestLists:
    async def test_not_allowed(self, site: Site) -> None:
        """Both sides name the address: the secondary from where it asked, the primary the one it saw."""
        zone = replace(site.zone(notify=False), allow_transfer=(ip_network("127.0.0.7/32"),))
        async with running(site.primary(zone)) as primary, running(site.secondary()) as secondary:
            cause = await cause_of(secondary, "REPL-01")
            assert "127.0.0.3" in cause["says"]
            assert 'address = "127.0.0.3"' in cause["remedy"]
            refused = (await told(primary))["refused"][-1]
            assert (refused["from"], refused["reason"]) == ("127.0.0.3", "refused")
            found = await both(secondary, primary)
            assert (found.code, len(found.heard)) == ("REPL-01", 2)
            assert "127.0.0.3 is not a secondary of this zone" in found.says

    async def test_wrong_source(self, site: Site) -> None:
        """It asks from an address that the plan does not know; the primary saw that one."""
        at = Endpoint(ELSEWHERE, site.port)
        async with running(site.primary()) as primary, running(site.secondary(listen=(at,))) as secondary:
            await cause_of(secondary, "REPL-01")
            found = await both(secondary, primary)
            assert found.code == "REPL-02"
            assert "saw 127.0.0.9" in found.says
            assert "knows ns2 as 127.0.0.3" in found.says

    async def test_wrong_source_as_the_primary_sees_it(self, site: Site) -> None:
        """Its secondary takes the NOTIFY and does not fetch, and a stranger is refused: they may be one."""
        inside = Endpoint(SECONDARY, site.port)
        async with running(site.primary()) as primary, running(site.secondary(listen=(Endpoint(ELSEWHERE, site.port), inside))):
            cause = await cause_with(primary, "REPL-02")
            assert "127.0.0.3 acknowledged" in cause["says"]
            assert "127.0.0.9 was refused" in cause["says"]


class TestKeys:
    @pytest.fixture
    def signed(self, site: Site) -> Site:
        site.keys, site.key = {KEY: make_key(KEY)}, KEY
        return site

    async def test_unknown_key(self, signed: Site) -> None:
        """BADKEY, on both sides."""
        theirs = {OTHER_KEY: make_key(OTHER_KEY)}
        copy = signed.copy(Peer(PRIMARY, signed.port, OTHER_KEY))
        async with running(signed.primary()) as primary, running(signed.secondary(copy, keys=theirs)) as secondary:
            assert "BADKEY" in (await cause_of(secondary, "REPL-03"))["says"]
            assert "other.example.tech" in (await cause_with(primary, "REPL-03"))["says"]
            assert (await both(secondary, primary)).code == "REPL-03"

    async def test_other_secret(self, signed: Site) -> None:
        """BADSIG, on both sides; the secret is nowhere."""
        ours = {KEY: make_key(KEY)}
        async with running(signed.primary()) as primary, running(signed.secondary(keys=ours)) as secondary:
            assert "BADSIG" in (await cause_of(secondary, "REPL-04"))["says"]
            assert "BADSIG" in (await cause_with(primary, "REPL-04"))["says"]
            for text in (str(await told(primary)), str(await told(secondary))):
                assert all(key.secret.hex() not in text for key in (*ours.values(), *signed.keys.values()))

    async def test_clocks_differ(self, signed: Site) -> None:
        """BADTIME, with the seconds, on both sides."""
        async with running(signed.primary(), ShiftedClock(4000)) as primary, running(signed.secondary()) as secondary:
            for cause in (await cause_of(secondary, "REPL-05"), await cause_with(primary, "REPL-05")):
                assert any(f"{seconds} seconds" in cause["says"] for seconds in range(3990, 4011))
                assert "timedatectl" in cause["remedy"]
            assert (await both(secondary, primary)).code == "REPL-05"

    async def test_clock_that_is_set_under_the_primary_is_told_at_once_and_forgotten_when_it_is_right(self, signed: Site) -> None:
        """Nothing was published, no refresh is due: its NOTIFY tells. What it wrote lies in the future afterwards."""
        async with running(signed.primary()) as primary, running(signed.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1)
            primary.clock.set_wall(172800)
            assert "172800 seconds" in (await cause_with(primary, "REPL-05"))["says"]
            assert "172800 seconds" in (await cause_of(secondary, "REPL-05"))["says"]
            assert (await told(primary))["secondaries"][0]["reason"] in ("badtime", None)
            primary.clock.set_wall(-172800)
            await well(primary, secondary)

    async def test_key_that_is_changed_at_the_primary_is_told_before_the_next_refresh(self, signed: Site) -> None:
        """The secondary cannot take the NOTIFY; so it asks, and the primary's answer says why."""
        ours = {KEY: make_key(KEY)}
        async with running(signed.secondary()) as secondary:
            async with running(signed.primary()):
                await until(lambda: secondary.serial() == 1)
            signed.write(2)
            async with running(signed.primary(keys=ours)) as primary:
                await cause_of(secondary, "REPL-04")
                await cause_with(primary, "REPL-04")

    async def test_not_signed(self, signed: Site) -> None:
        """The secondary does not sign: the primary says with which key it must."""
        copy = signed.copy(Peer(PRIMARY, signed.port))
        async with running(signed.primary()) as primary, running(signed.secondary(copy)) as secondary:
            await cause_of(secondary, "REPL-01")
            found = await both(secondary, primary)
            assert "must sign with the key transfer.example.tech" in found.says

    async def test_answers_are_not_signed(self, signed: Site) -> None:
        """The primary does not know of the key, and answers all the same."""
        async with fake_primary(signed, zone_answer), running(signed.secondary()) as secondary:
            assert "does not sign" in (await cause_of(secondary, "REPL-06"))["says"]


class TestConnections:
    async def test_unreachable(self, site: Site) -> None:
        """No route from this machine."""
        async with running(site.secondary(), network=NoRoute()) as secondary:
            cause = await cause_of(secondary, "REPL-11")
            assert os.strerror(errno.ENETUNREACH) in cause["says"]
            assert "ip route get 127.0.0.2" in cause["remedy"]

    async def test_too_many_open_files(self, site: Site) -> None:
        """That is no fault of the way: the routes are well."""
        async with running(site.secondary(), network=TooManyFiles()) as secondary:
            cause = await cause_of(secondary, "REPL-28")
            assert "too many files open" in cause["says"]
            assert "LimitNOFILE" in cause["remedy"]

    async def test_tls(self, site: Site) -> None:
        """The sentence says which part of it did not work."""
        copy = site.copy(Peer(PRIMARY, site.port, tls=PeerTls(pins=("A" * 43 + "=",))))
        async with running(site.secondary(copy)) as secondary:
            assert "over TLS" in (await cause_of(secondary, "REPL-30"))["says"]

    async def test_nothing_listens(self, site: Site) -> None:
        """Neither UDP nor TCP: the port is closed."""
        async with running(site.secondary()) as secondary:
            cause = await cause_of(secondary, "REPL-07")
            assert f"Nothing listens at {site.primary_at}" in cause["says"]

    async def test_tcp_refused(self, site: Site) -> None:
        """UDP answers, TCP is closed."""
        async with fake_primary(site, zone_answer, tcp=False), running(site.secondary()) as secondary:
            cause = await cause_of(secondary, "REPL-08")
            assert "answers by UDP, and refuses TCP" in cause["says"]
            assert "dig +norec +tcp @127.0.0.2" in cause["remedy"]

    async def test_tcp_silent(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """UDP answers, TCP says nothing."""
        monkeypatch.setattr("mailname.server.asking.TCP_TIMEOUT", 0.2)
        async with (
            fake_primary(site, lambda query, tcp: None if tcp else zone_answer(query, tcp)),
            running(site.secondary()) as secondary,
        ):
            assert "takes the connection, and nothing of the transfer comes" in (await cause_of(secondary, "REPL-13"))["says"]

    async def test_silent(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """Neither answers."""
        monkeypatch.setattr("mailname.server.soa_question.UDP_TIMEOUT", 0.1)
        monkeypatch.setattr("mailname.server.soa_question.TCP_TIMEOUT", 0.2)
        async with fake_primary(site, lambda _query, _tcp: None), running(site.secondary()) as secondary:
            assert "neither by UDP nor by TCP" in (await cause_of(secondary, "REPL-10"))["says"]

    async def test_reset_in_the_middle(self, site: Site) -> None:
        """A part of the zone came, then the connection was gone."""
        async with fake_primary(site, zone_answer, cut=True), running(site.secondary()) as secondary:
            cause = await cause_of(secondary, "REPL-12")
            assert "closed in the middle" in cause["says"]
            assert "after 1 message" in cause["says"]

    async def test_stalled_in_the_middle(self, site: Site) -> None:
        """A part of the zone came, then nothing more."""
        patient = site.secondary(transfer_limits=TransferLimits(idle=0.2))
        async with fake_primary(site, zone_answer), running(patient) as secondary:
            assert "after 1 message" in (await cause_of(secondary, "REPL-13"))["says"]


class TestZones:
    async def test_not_authoritative(self, site: Site) -> None:
        """A resolver was named as primary."""
        async with (
            fake_primary(site, lambda query, tcp: zone_answer(query, tcp, aa=False)),
            running(site.secondary()) as secondary,
        ):
            assert "without authority (no AA)" in (await cause_of(secondary, "REPL-14"))["says"]

    @pytest.mark.parametrize(
        ("record", "rcode", "code", "says", "remedy"),
        [
            (
                "parking.example. 60 IN SOA ns. hostmaster. 1 60 60 60 60",
                0,
                "REPL-14",
                "it tells of parking.example.",
                "address here",
            ),
            ("", 0, "REPL-14", "without a SOA of the zone: it is no server of", "address here"),
            ("", dns.rcode.NXDOMAIN, "REPL-28", "127.0.0.2 answered NXDOMAIN", "Look at what listens at 127.0.0.2"),
            ("cut", 0, "REPL-17", "no DNS message that can be read", "what stands between"),
        ],
    )
    async def test_something_else_answers_at_its_address(
        self, site: Site, record: str, rcode: int, code: str, says: str, remedy: str
    ) -> None:
        """A parked name, a server of other zones, a box that rewrites what passes: no record is to be mended there."""

        def answer(query: bytes, tcp: bool) -> bytes:
            del tcp
            reply = dns.message.make_response(dns.message.from_wire(query))
            reply.flags |= dns.flags.AA
            reply.set_rcode(dns.rcode.Rcode.make(rcode))
            if record == "cut":
                return reply.to_wire()[:-3]
            if record:
                owner, ttl, _, rdtype, *rdata = record.split()
                reply.authority.append(dns.rrset.from_text(owner, int(ttl), "IN", rdtype, " ".join(rdata)))
            return reply.to_wire()

        async with fake_primary(site, answer), running(site.secondary()) as secondary:
            cause = await cause_of(secondary, code)
            assert says in cause["says"]
            assert remedy in cause["remedy"]

    async def test_not_configured_at_the_primary(self, site: Site) -> None:
        """Another zone is there, this one is not."""
        other = replace(site.zone(), name=dns.name.from_text("other.test."), file=site.folder / "other.zone")
        (site.folder / "other.zone").write_text(site.file.read_text(encoding="utf-8"), encoding="utf-8")
        async with running(site.primary(other)), running(site.secondary()) as secondary:
            says = (await cause_of(secondary, "REPL-14"))["says"]
            assert "127.0.0.2 does not have the zone, and says so: answered REFUSED (Not Authoritative)" in says

    async def test_primary_went_back(self, site: Site) -> None:
        """A backup was put back: both serials are named, and that it was the same primary that had the higher one."""
        site.write(9)
        async with running(site.secondary()) as secondary:
            async with running(site.primary(state=None)):
                await until(lambda: secondary.serial() == 9)
            site.write(3)
            async with running(site.primary(state=None)):
                cause = await cause_of(secondary, "REPL-15")
                assert "offers serial 3 and had served 9 before" in cause["says"]
                assert secondary.serial() == 9

    async def test_another_primary_is_behind(self, site: Site) -> None:
        """It never had the higher serial: it did not go back, it is late."""
        late = Endpoint(ip_address("127.0.0.4"), site.port)
        site.write(9)
        copy = site.copy(Peer(PRIMARY, site.port), Peer(late.address, site.port))
        async with running(site.secondary(copy)) as secondary:
            async with running(site.primary()):
                await until(lambda: secondary.serial() == 9)
            site.write(3)
            async with running(site.primary(listen=(late,), state=None, control=None)):
                secondary.clock.move(4000)
                assert "127.0.0.4 offers serial 3" in (await cause_of(secondary, "REPL-16"))["says"]

    async def test_disk_does_not_take_it(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        """The zone is served, and would not be after a restart."""
        async with running(site.primary()) as primary, running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1 and not secondary.zone_status()["busy"])

            def full(*_args: object, **_options: object) -> None:
                raise HostError("cannot write: " + os.strerror(errno.ENOSPC), step="write")

            monkeypatch.setattr(secondary.zones[APEX].versions, "begin", full)
            site.write(2)
            await primary.reload()
            assert "No space left" in (await cause_of(secondary, "REPL-26"))["says"]
            assert secondary.serial() == 2

    async def test_something_else(self, site: Site) -> None:
        """A code of its own, and the peer's word."""

        def not_implemented(query: bytes, _tcp: bool) -> bytes:
            reply = dns.message.make_response(dns.message.from_wire(query))
            reply.set_rcode(dns.rcode.NOTIMP)
            return reply.to_wire()

        async with fake_primary(site, not_implemented), running(site.secondary()) as secondary:
            assert "NOTIMP" in (await cause_of(secondary, "REPL-28"))["says"]

    async def test_malformed_record(self, site: Site) -> None:
        """The number of the record and what is wrong with it are named."""
        records = ("example.tech. 60 IN NS ns1.example.tech.", "other.test. 60 IN A 192.0.2.1")
        async with (
            fake_primary(site, lambda query, tcp: zone_answer(query, tcp, *records)),
            running(site.secondary()) as secondary,
        ):
            cause = await cause_of(secondary, "REPL-17")
            assert "record 3" in cause["says"]
            assert "other.test" in cause["says"]

    async def test_expired_there_too(self, site: Site) -> None:
        """SERVFAIL from a primary that is itself a secondary: it says so to who asks it for the SOA, and so does its own side."""
        third = Endpoint(ip_address("127.0.0.4"), site.port)
        middle = replace(site.copy(), secondaries=(Peer(third.address, site.port),))
        last = replace(site.copy(), primaries=(Peer(SECONDARY, site.port),))
        async with running(site.secondary(middle)) as second:
            async with running(site.primary()):
                await until(lambda: second.serial() == 1)
            second.clock.move(90_000)
            await until(lambda: second.zone_status()["state"] == "expired")
            async with running(site.secondary(last, listen=(third,), state=None, control=None)) as server:
                assert "(Invalid Data)" in (await cause_of(server, "REPL-18"))["says"]
                found = cause_at_secondary(await side(server, "ns3", third.address), await side(second, "ns2", SECONDARY))
                assert found is not None
                assert found.code == "REPL-18"
                assert "itself a secondary whose copy has expired (serial 1)" in found.says

    async def test_primary_cannot_load_it(self, site: Site) -> None:
        """The primary names the line; from both sides together, so does the secondary's cause."""
        site.file.write_text("nonsense\n", encoding="utf-8")
        async with running(site.primary(state=None)) as primary, running(site.secondary()) as secondary:
            await cause_of(secondary, "REPL-19")
            assert "example.tech.zone:1" in (await cause_of(primary, "REPL-24"))["says"]
            assert "example.tech.zone:1" in (await both(secondary, primary)).says

    async def test_serial_not_raised(self, site: Site) -> None:
        """On the primary, the only side that can know it."""
        async with running(site.primary()) as primary:
            site.write(1, "www A 192.0.2.9")
            await primary.reload()
            assert "its serial 1 did not" in (await cause_of(primary, "REPL-25"))["says"]


def _has_tried(primary: Running, tries: int) -> bool:
    return bool(primary.zone_status()["secondaries"][0]["tries"] >= tries)


class TestRoles:
    async def test_both_primary(self, site: Site) -> None:
        """Each learns it from the other's NOTIFY, and from both sides it is certain."""
        theirs = replace(site.zone(), secondaries=(Peer(PRIMARY, site.port),))
        second = site.secondary(theirs)
        async with running(site.primary()) as primary, running(second) as other:
            assert "NOTIFY" in (await cause_with(primary, "REPL-20"))["says"]
            assert "NOTIFY" in (await cause_with(other, "REPL-20"))["says"]
            found = await both(other, primary)
            assert found.code == "REPL-20"
            assert "Both ns1 and ns2 are primary" in found.says
            await other.reconfigure(site.secondary())  # it is what it was meant to be: that is no cause any more
            primary.clock.move(1000)
            await well(primary, other)

    async def test_secondaries_of_each_other(self, site: Site) -> None:
        """Nobody is primary."""
        first = site.primary(site.copy(Peer(SECONDARY, site.port)))
        async with running(first) as one, running(site.secondary()) as other:
            await cause_of(other, "REPL-19")
            assert (await both(other, one)).code == "REPL-21"

    async def test_notify_is_refused(self, site: Site) -> None:
        """The secondary has another primary in its configuration."""
        copy = site.copy(Peer(ip_address("127.0.0.8"), site.port))
        async with running(site.secondary(copy)) as secondary, running(site.primary()) as primary:
            assert "does not take our NOTIFY" in (await cause_with(primary, "REPL-23"))["says"]
            assert (await told(secondary))["notify_refused"]["from"] == "127.0.0.2"

    async def test_notify_is_not_answered(self, site: Site) -> None:
        """One lost NOTIFY is worth no word, three are."""
        async with running(site.primary()) as primary:
            for tries in (1, 2):
                await until(lambda: primary.zone_status()["secondaries"][0]["says"])
                assert (await told(primary))["secondaries"][0]["cause"] is None
                primary.clock.move(1000)
                await until(partial(_has_tried, primary, tries + 1))
            assert "after 3 tries" in (await cause_with(primary, "REPL-22"))["says"]


class TestWell:
    async def test_names_no_cause(self, site: Site) -> None:
        """And what was wrong before is forgotten when the zone is fetched."""
        async with running(site.secondary()) as secondary:
            await cause_of(secondary, "REPL-07")
            async with running(site.primary()) as primary:
                await until(lambda: secondary.serial() == 1)
                await until(lambda: not secondary.zone_status()["busy"])
                assert (await told(secondary))["cause"] is None
                assert (await told(primary))["secondaries"][0]["cause"] is None

    def test_codes_are_words_of_their_own(self) -> None:
        """A code is permanent: no word stands for two."""
        words = [word for word, _ in CODES.values()]
        assert len(set(words)) == len(words)
        assert APEX.to_text() == "example.tech."
