"""Publishing a plan beside dynamic updates: they are kept and told, and where the plan says otherwise it counts."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rcode
import dns.tsig
import dns.update
import pytest
from tests.engines.pair import NS1, NS2, PLAN, Pair, plan_of

from mailname.engines.publish import Publishing, UpdatedRecord
from mailname.server.keyfile import load_keys, make_key_file
from mailname.server.network import Endpoint, IPAddress, ask_tcp

if TYPE_CHECKING:
    from pathlib import Path

ACME = dns.name.from_text("acme.example.tech.")
CHALLENGE = "_acme-challenge.example.tech."
UPDATE = f"""
[[update]]
key = "{ACME.to_text(omit_final_dot=True)}"
names = ["_acme-challenge", "www"]
types = ["TXT", "A"]
"""
TODAY = date(2026, 6, 8)


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    (tmp_path / "keys").mkdir()
    make_key_file(tmp_path / "keys/acme.example.tech.key", ACME)
    return Pair(tmp_path, plan_of(PLAN + UPDATE))


async def update(pair: Pair, *records: tuple[str, str, str]) -> str:
    """Replace RRsets by an update; return the rcode."""
    made = dns.update.UpdateMessage("example.tech.")
    (key,) = load_keys(pair.folder / "keys/acme.example.tech.key")
    made.use_tsig({ACME: dns.tsig.Key(ACME, key.secret, "hmac-sha256")}, ACME)
    for owner, kind, data in records:
        made.replace(dns.name.from_text(owner), 60, kind, data)
    octets = await ask_tcp(pair.network, made.to_wire(), Endpoint(NS2), timeout=30)
    return dns.rcode.to_text(dns.message.from_wire(octets, keyring=made.keyring, request_mac=made.mac).rcode())


async def texts(pair: Pair, owner: str, kind: str, server: IPAddress = NS2) -> list[str]:
    octets = await ask_tcp(pair.network, dns.message.make_query(owner, kind).to_wire(), Endpoint(server), timeout=30)
    return [rdata.to_text() for rrset in dns.message.from_wire(octets).answer for rdata in rrset]


async def publish(pair: Pair, text: str) -> tuple[UpdatedRecord, ...]:
    """Publish a plan, and return what it says of updates."""
    run = Publishing(plan_of(text), pair.control, pair.network, TODAY)
    (one,) = await run.prepare()
    await run.write_and_load()
    assert all(arrival.arrived for arrival in await run.wait(20.0, lambda _: None))
    return one.by_update


class TestPublish:
    async def test_keeps_what_was_updated_and_tells_it(self, pair: Pair) -> None:
        """Again and again, at the secondary too."""
        async with pair.server("ns2"), pair.server("ns1"):
            assert await publish(pair, PLAN + UPDATE) == ()
            assert await update(pair, (CHALLENGE, "TXT", "token")) == "NOERROR"
            for address in ("192.0.2.81", "192.0.2.82"):
                kept = await publish(pair, PLAN.replace("192.0.2.80", address) + UPDATE)
                assert kept == (UpdatedRecord(f'{CHALLENGE} TXT "token"', kept=True),)
                assert await texts(pair, CHALLENGE, "TXT") == ['"token"']
                assert await texts(pair, "example.tech.", "A") == [address]
            assert await texts(pair, CHALLENGE, "TXT", NS1) == ['"token"']

    async def test_overrules_an_update_where_the_plan_says_something_else(self, pair: Pair) -> None:
        www = '[[record]]\nname = "www"\ntype = "A"\ndata = "192.0.2.{}"\n'
        async with pair.server("ns2"), pair.server("ns1"):
            await publish(pair, PLAN + UPDATE + www.format(1))
            assert await update(pair, ("www.example.tech.", "A", "192.0.2.99"), (CHALLENGE, "TXT", "token")) == "NOERROR"
            assert {one.kept for one in await publish(pair, PLAN + UPDATE + www.format(1))} == {True}
            assert await texts(pair, "www.example.tech.", "A") == ["192.0.2.99"]
            told = await publish(pair, PLAN + UPDATE + www.format(2))
            assert {(one.says.split()[0], one.kept) for one in told} == {("www.example.tech.", False), (CHALLENGE, True)}
            assert await texts(pair, "www.example.tech.", "A") == ["192.0.2.2"]
            assert await texts(pair, CHALLENGE, "TXT") == ['"token"']

    async def test_what_the_plan_does_not_allow_is_refused(self, pair: Pair) -> None:
        async with pair.server("ns2"), pair.server("ns1"):
            await publish(pair, PLAN + UPDATE)
            assert await update(pair, ("mail.example.tech.", "A", "192.0.2.99")) == "REFUSED"
