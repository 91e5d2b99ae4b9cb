"""Dynamic updates sent to a running server: carried out, refused, kept, and not undone by a new zone file (RFC 2136)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rcode
import dns.tsig
import dns.update
import pytest
from dns.rdatatype import RdataType
from tests.server.running import APEX, Site, asked, running, until

from mailname.errors import HostError
from mailname.server.network import DirectNetwork, Endpoint, ask_tcp, ask_udp
from mailname.update.policy import UpdateRule
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.server.config import ServerConfig

ACME, OTHER = dns.name.from_text("acme.example.tech."), dns.name.from_text("other.example.tech.")
CHALLENGE = dns.name.from_text("_acme-challenge.example.tech.")
KEYS = {name: make_key(name, "hmac-sha256") for name in (ACME, OTHER)}
RULE = UpdateRule((ACME,), (CHALLENGE, dns.name.from_text("*.dyn.example.tech.")), frozenset({RdataType.TXT, RdataType.A}))


def config(site: Site, *rules: UpdateRule) -> ServerConfig:
    return site.primary(replace(site.zone(notify=False), update=rules or (RULE,)), keys=KEYS)


def update(zone: str = "example.tech.", *, key: dns.name.Name | None = ACME) -> dns.update.UpdateMessage:
    made = dns.update.UpdateMessage(zone)
    if key is not None:
        made.use_tsig({key: dns.tsig.Key(key, KEYS[key].secret, "hmac-sha256")}, key)
    return made


async def sent(at: Endpoint, made: dns.update.UpdateMessage, *, tcp: bool = False) -> str:
    """Send an update and return the rcode; dnspython verifies the answer's signature."""
    ask = ask_tcp if tcp else ask_udp
    octets = await ask(DirectNetwork(), made.to_wire(), at, timeout=30)
    answer = dns.message.from_wire(octets, keyring=made.keyring, request_mac=made.mac)
    assert answer.had_tsig == (made.keyring is not None)
    return dns.rcode.to_text(answer.rcode())


async def texts(at: Endpoint, name: str = "_acme-challenge.example.tech.", rdtype: str = "TXT") -> set[str]:
    answer = await asked(at, name, rdtype)
    return {rdata.to_text() for rrset in answer.answer for rdata in rrset}


def challenge(text: str, *, key: dns.name.Name | None = ACME) -> dns.update.UpdateMessage:
    made = update(key=key)
    made.add(CHALLENGE, 60, "TXT", text)
    return made


class TestUpdate:
    @pytest.mark.parametrize("tcp", [False, True], ids=["UDP", "TCP"])
    async def test_is_served_when_it_is_answered_and_raises_the_serial(self, site: Site, tcp: bool) -> None:
        async with running(config(site)) as server:
            assert await sent(site.primary_at, challenge("one"), tcp=tcp) == "NOERROR"
            assert await texts(site.primary_at) == {'"one"'}
            assert server.serial() == 2
            assert server.zone_status()["by_update"] == ['_acme-challenge.example.tech. TXT "one"']
            assert server.zone_status()["problem"] is None
            away = update()
            away.delete(CHALLENGE, "TXT", "one")
            assert await sent(site.primary_at, away, tcp=tcp) == "NOERROR"
            assert await texts(site.primary_at) == set()
            assert server.serial() == 3
            assert server.zone_status()["by_update"] == []

    async def test_that_changes_nothing_keeps_the_serial(self, site: Site) -> None:
        async with running(config(site)) as server:
            for _ in range(2):
                assert await sent(site.primary_at, challenge("one")) == "NOERROR"
            assert server.serial() == 2

    async def test_several_at_once_are_all_carried_out(self, site: Site) -> None:
        async with running(config(site)) as server:
            made = (sent(site.primary_at, challenge(f"token-{number}"), tcp=number % 2 == 0) for number in range(20))
            assert set(await asyncio.gather(*made)) == {"NOERROR"}
            assert await texts(site.primary_at) == {f'"token-{number}"' for number in range(20)}
            assert server.serial() == 21

    async def test_whose_prerequisite_does_not_hold_does_nothing(self, site: Site) -> None:
        async with running(config(site)) as server:
            made = challenge("one")
            made.present("nobody")
            assert await sent(site.primary_at, made) == "NXDOMAIN"
            assert await texts(site.primary_at) == set()
            assert server.serial() == 1

    async def test_of_which_one_part_is_not_allowed_does_nothing(self, site: Site) -> None:
        async with running(config(site)) as server:
            made = challenge("one")
            made.add("www", 60, "A", "192.0.2.9")
            assert await sent(site.primary_at, made) == "REFUSED"
            assert await texts(site.primary_at) == set()
            assert server.serial() == 1

    @pytest.mark.parametrize("key", [OTHER, None], ids=["other key", "no key"])
    async def test_by_others_is_refused_and_logged(
        self, site: Site, key: dns.name.Name | None, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running(config(site)):
            for _ in range(20):
                assert await sent(site.primary_at, challenge("one", key=key)) == "REFUSED"
            assert await texts(site.primary_at) == set()
        assert 1 <= caplog.text.count("not signed with a key that may update") <= 10

    async def test_of_a_zone_that_is_not_here_is_notauth(self, site: Site) -> None:
        async with running(config(site)):
            assert await sent(site.primary_at, update("example.org.")) == "NOTAUTH"
            assert await sent(site.primary_at, update("_acme-challenge.example.tech.")) == "NOTAUTH"

    async def test_sent_to_a_secondary_is_refused(self, site: Site) -> None:
        """Nothing is forwarded (section 6)."""
        told = replace(site.zone(), update=(RULE,))
        async with running(site.primary(told, keys=KEYS)), running(site.secondary(keys=KEYS)) as secondary:
            await until(lambda: secondary.serial() == 1)
            assert await sent(site.secondary_at, challenge("one")) == "REFUSED"

    async def test_reaches_the_secondary(self, site: Site) -> None:
        told = replace(site.zone(), update=(RULE,))
        async with running(site.primary(told, keys=KEYS)), running(site.secondary()) as secondary:
            await until(lambda: secondary.serial() == 1)
            assert await sent(site.primary_at, challenge("one")) == "NOERROR"
            await until(lambda: secondary.serial() == 2)
            assert await texts(site.secondary_at) == {'"one"'}

    async def test_is_off_unless_configured(self, site: Site) -> None:
        async with running(site.primary(keys=KEYS)):
            assert await sent(site.primary_at, challenge("one")) == "REFUSED"

    async def test_malformed_is_formerr(self, site: Site) -> None:
        async with running(config(site)):
            wire = bytearray(update(key=None).to_wire())
            wire[-4:-2] = b"\0\1"  # the zone section's type: A
            assert (await ask_udp(DirectNetwork(), bytes(wire), site.primary_at, timeout=30))[3] & 15 == 1
            assert (await ask_udp(DirectNetwork(), bytes(wire[:-1]), site.primary_at, timeout=30))[3] & 15 == 1

    async def test_that_the_disk_does_not_take_is_servfail(self, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
        async with running(config(site)) as server:

            def fail(*_: object, **__: object) -> None:
                raise HostError("the disk is full", step="write")

            monkeypatch.setattr("mailname.server.updated_names.write_atomic", fail)
            assert await sent(site.primary_at, challenge("one")) == "SERVFAIL"
            assert await texts(site.primary_at) == set()
            assert server.serial() == 1


class TestUpdatesAndTheZoneFile:
    async def test_updates_survive_a_new_start(self, site: Site) -> None:
        async with running(config(site)):
            assert await sent(site.primary_at, challenge("one")) == "NOERROR"
        async with running(config(site)) as server:
            assert await texts(site.primary_at) == {'"one"'}
            assert server.serial() == 2
            assert server.zone_status()["problem"] is None

    @pytest.mark.parametrize("restart", [False, True], ids=["reload", "new start"])
    async def test_updates_survive_a_new_version_of_the_file(self, site: Site, restart: bool) -> None:
        """Twice: what was kept once is kept again."""
        async with running(config(site)) as server:
            assert await sent(site.primary_at, challenge("one")) == "NOERROR"
            for serial in (10, 20):
                site.write(serial, f"host{serial} A 192.0.2.{serial}")
                if not restart:
                    assert await server.reload(APEX) == {}
                    assert server.serial() == serial
                    assert await texts(site.primary_at) == {'"one"'}
                    assert await texts(site.primary_at, f"host{serial}.example.tech.", "A") == {f"192.0.2.{serial}"}
                    assert server.zone_status()["by_update"] == ['_acme-challenge.example.tech. TXT "one"']
                    assert await server.reload(APEX) == {}
                    assert server.zone_status()["problem"] is None
                else:
                    await server.stop()
                    async with running(config(site)) as again:
                        assert again.serial() == serial
                        assert await texts(site.primary_at) == {'"one"'}
                        assert again.zone_status()["problem"] is None
                    async with running(config(site)) as again:
                        assert await texts(site.primary_at) == {'"one"'}
                        assert again.zone_status()["problem"] is None

    async def test_file_that_says_otherwise_is_obeyed(self, site: Site) -> None:
        async with running(config(site)) as server:
            assert await sent(site.primary_at, challenge("one")) == "NOERROR"
            site.write(10, '_acme-challenge TXT "by hand"')
            await server.reload(APEX)
            assert await texts(site.primary_at) == {'"by hand"'}
            assert server.zone_status()["by_update"] == []
            site.write(11)
            await server.reload(APEX)
            assert await texts(site.primary_at) == set()

    async def test_record_of_the_file_that_was_updated_stays_updated_until_the_file_changes_it(self, site: Site) -> None:
        site.write(1, "home.dyn A 192.0.2.80")
        async with running(config(site)) as server:
            made = update()
            made.replace("home.dyn", 60, "A", "192.0.2.81")
            assert await sent(site.primary_at, made) == "NOERROR"
            site.write(10, "home.dyn A 192.0.2.80\nnew A 192.0.2.1")
            await server.reload(APEX)
            assert await texts(site.primary_at, "home.dyn.example.tech.", "A") == {"192.0.2.81"}
            site.write(11, "home.dyn A 192.0.2.82")
            await server.reload(APEX)
            assert await texts(site.primary_at, "home.dyn.example.tech.", "A") == {"192.0.2.82"}

    async def test_update_that_no_longer_fits_gives_way(self, site: Site) -> None:
        """The new file has an alias where the update has an address."""
        async with running(config(site)) as server:
            made = update()
            made.add("home.dyn", 60, "A", "192.0.2.81")
            assert await sent(site.primary_at, made) == "NOERROR"
            assert await sent(site.primary_at, challenge("one")) == "NOERROR"
            site.write(10, "home.dyn CNAME mail")
            assert await server.reload(APEX) == {}
            assert await texts(site.primary_at, "home.dyn.example.tech.", "CNAME") == {"mail.example.tech."}
            assert await texts(site.primary_at) == {'"one"'}

    async def test_spoiled_memory_is_told_and_the_zone_is_served(
        self, site: Site, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with running(config(site)):
            assert await sent(site.primary_at, challenge("one")) == "NOERROR"
        path = tmp_path / "primary" / "example.tech.updates.json"
        for spoiled in (b"{", b'{"version": 2}', b'{"version": 1, "names": [["x"]]}', b"[]"):
            path.write_bytes(spoiled)
            async with running(config(site)):
                assert await texts(site.primary_at) == {'"one"'}
            assert f"cannot use {path}" in caplog.text
            caplog.clear()
