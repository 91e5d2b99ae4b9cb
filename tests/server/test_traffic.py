"""What is asked and answered: counted once, whoever answers, by transport, type, rcode, zone and network."""

from __future__ import annotations

import contextlib
import json
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import pytest
from tests.server.running import PATIENCE, Running, Site, asked, zone_text
from tests.server.test_udp_workers import needs_workers, working

from mailname.answer.rate_limit import RateLimit
from mailname.server.config import ZoneConfig
from mailname.server.network import DirectNetwork, Endpoint, ask_udp
from mailname.server.traffic import rcode_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from mailname.server.config import ServerConfig

OTHER = dns.name.from_text("other.example.")
BOTH_WAYS = pytest.mark.parametrize("workers", [0, pytest.param(2, marks=needs_workers)])


def traffic(server: Running, **order: Any) -> dict[str, Any]:
    """Return the report of a server, as it comes out of the control socket."""
    found: dict[str, Any] = json.loads(json.dumps(server.traffic(order.get("most", 20), order.get("apex"))))
    return found


def other_zone(site: Site) -> ZoneConfig:
    """Return the configuration of a second zone, with its file."""
    file = site.folder / "other.example.zone"
    file.write_text(zone_text(1), encoding="utf-8")
    return ZoneConfig(OTHER, "primary", file)


@contextlib.asynccontextmanager
async def serving(config: ServerConfig, workers: int) -> AsyncIterator[Running]:
    async with working(config, workers=workers) as server:
        yield server


def query(name: str, rdtype: str, **edns: Any) -> dns.message.Message:
    return dns.message.make_query(name, rdtype, **edns)


@BOTH_WAYS
class TestTraffic:
    async def test_is_counted_by_what_it_was(self, site: Site, workers: int) -> None:
        """Type, rcode, transport, family, EDNS and DO; of who answers as well."""
        async with serving(site.primary(site.zone(notify=False), other_zone(site)), workers) as server:
            at = site.primary_at
            for message, tcp in [
                (query("example.tech.", "MX", use_edns=0), False),
                (query("example.tech.", "MX", want_dnssec=True), False),
                (query("no.example.tech.", "A", use_edns=False), False),
                (query("other.example.", "SOA", use_edns=False), True),
                (query("elsewhere.example.", "CAA", use_edns=0), False),
                (query("example.tech.", "TYPE65280", use_edns=False), True),
                (query("example.tech.", "A", use_edns=1), False),
            ]:
                await asked(at, query=message, tcp=tcp)
            seen = traffic(server)
        assert seen["questions"] == seen["answers"] == 7
        assert seen["types"] == {"MX": 2, "A": 1, "SOA": 1, "CAA": 1, "other": 1}
        assert seen["rcodes"] == {"NOERROR": 4, "NXDOMAIN": 1, "REFUSED": 1, "BADVERS": 1}
        assert seen["transports"] == {"udp": 5, "tcp": 2}
        assert seen["families"] == {"ipv4": 7, "ipv6": 0}
        assert (seen["edns"], seen["do"]) == (3, 1)
        assert sum(seen["answered_by"].values()) == 7
        assert bool(seen["answered_by"]["plain"]) == bool(workers)
        assert {one["zone"]: one["answers"] for one in seen["zones"]} == {"example.tech": 4, "other.example": 1}
        assert [(one["network"], one["questions"], one["at_least"]) for one in seen["clients"]] == [("127.0.0.0/24", 7, 7)]
        assert {one["since"] for one in seen["zones"]} | {seen["since"]} >= {seen["since"]}

    async def test_same_question_again_is_counted_again(self, site: Site, workers: int) -> None:
        """However its answer was found."""
        async with serving(site.primary(), workers) as server:
            for _ in range(50):
                await asked(site.primary_at, "example.tech.", "MX")
            seen = traffic(server)
        assert seen["types"] == {"MX": 50}
        assert seen["questions"] == seen["answers"] == seen["clients"][0]["questions"] == 50
        assert seen["zones"][0]["answers"] == 50

    @pytest.mark.parametrize(
        ("name", "rdtype"), [("elsewhere.example.", "CAA"), ("example.tech.", "RRSIG"), ("example.tech.", "ANY")]
    )
    async def test_what_is_no_plain_question_is_counted_again(self, site: Site, workers: int, name: str, rdtype: str) -> None:
        """Who answered it first may have prepared the answer for the next."""
        async with serving(site.primary(), workers) as server:
            for _ in range(5):
                await asked(site.primary_at, name, rdtype)
            seen = traffic(server)
        assert seen["types"] == {rdtype: 5}
        assert seen["questions"] == seen["answers"] == seen["transports"]["udp"] == 5
        assert sum(seen["latency"].values()) == sum(seen["rcodes"].values()) == 5
        assert [(one["name"], one["questions"]) for one in seen["names"]] == [(name[:-1], 5)]

    async def test_names_and_latency_are_told(self, site: Site, workers: int) -> None:
        """Letters' case is no difference; each answer took its time, and no name is kept that nobody asked for."""
        async with serving(site.primary(), workers) as server:
            for name, times in [
                ("www.example.tech.", 3),
                ("Mail.Example.TECH.", 2),
                ("mail.example.tech.", 2),
                ("no.example.tech.", 1),
            ]:
                for number in range(times):
                    await asked(site.primary_at, name, "A", tcp=number == 1)
            seen = traffic(server)
            assert traffic(server, most=1)["names"] == seen["names"][:1]
        assert [(one["name"], one["questions"], one["at_least"]) for one in seen["names"]] == [
            ("mail.example.tech", 4, 4),
            ("www.example.tech", 3, 3),
            ("no.example.tech", 1, 1),
        ]
        assert sum(seen["latency"].values()) == seen["answers"] == 8
        assert all(int(bound).bit_count() == 1 for bound in seen["latency"])
        assert seen["microseconds"] <= sum(int(bound) * count for bound, count in seen["latency"].items())

    async def test_busiest_come_first_and_no_more_than_wanted(self, site: Site, workers: int) -> None:
        """A report does not grow with the number of zones or of clients."""
        async with serving(site.primary(site.zone(notify=False), other_zone(site)), workers) as server:
            await asked(site.primary_at, "example.tech.", "MX")
            for number in range(3):
                await asked(site.primary_at, "other.example.", "SOA", source=f"127.0.{number // 2}.9")
            seen = traffic(server, most=1)
            assert [(one["zone"], one["answers"]) for one in seen["zones"]] == [("other.example", 3)]
            assert len(seen["clients"]) == 1
            assert traffic(server, most=0)["zones"] == []
            one = traffic(server, apex=dns.name.from_text("example.tech."))["zones"]
            assert [(zone["zone"], zone["answers"]) for zone in one] == [("example.tech", 1)]

    async def test_zone_keeps_its_count_when_others_come_and_go(self, site: Site, workers: int) -> None:
        """And one that comes anew in its place begins at nothing."""
        both = (site.zone(notify=False), other_zone(site))
        third = dns.name.from_text("third.example.")
        config = site.primary(*both)
        async with serving(config, workers) as server:
            await asked(site.primary_at, "example.tech.", "MX")
            await asked(site.primary_at, "other.example.", "MX")
            site.write(2)
            await server.reload()
            await server.reconfigure(site.primary(both[0]))
            assert [one["zone"] for one in traffic(server)["zones"]] == ["example.tech"] or workers
            await server.reconfigure(site.primary(both[0], ZoneConfig(third, "primary", both[1].file)))
            for _ in range(3):
                await asked(site.primary_at, "third.example.", "MX")
            await asked(site.primary_at, "example.tech.", "MX")
            seen = {one["zone"]: one["answers"] for one in traffic(server)["zones"]}
        assert seen == {"third.example": 3, "example.tech": 2}

    async def test_what_was_limited_is_told(self, site: Site, workers: int) -> None:
        """Its network is known all the same."""
        limit = RateLimit(responses_per_second=1, window=1, slip=1, exempt=())
        async with serving(site.primary(rate_limit=limit), workers) as server:
            cut = 0
            for _ in range(5):
                cut += bool((await asked(site.primary_at, "example.tech.", "MX")).flags & dns.flags.TC)
            seen = traffic(server)
        assert cut >= 3
        assert seen["limited"] == cut
        assert seen["clients"][0]["questions"] == 5

    async def test_ipv6_is_told_apart(self, site: Site, workers: int) -> None:
        at = Endpoint(ip_address("::1"), site.port)
        config = site.primary()
        async with serving(type(config)(**{**vars_of(config), "listen": (at,)}), workers) as server:
            await asked(at, "example.tech.", "MX")
            seen = traffic(server)
        assert seen["families"] == {"ipv4": 0, "ipv6": 1}
        assert seen["clients"][0]["network"] == str(ip_network("::/48"))

    async def test_garbage_harms_no_count(self, site: Site, workers: int) -> None:
        """What cannot be read has an rcode and no type; what gets no answer is a question at most."""
        async with serving(site.primary(), workers) as server:
            cut = query("example.tech.", "MX").to_wire()[:-3]
            await ask_udp(DirectNetwork(), cut, site.primary_at, timeout=PATIENCE)
            seen = traffic(server)
        assert seen["rcodes"] == {"FORMERR": 1}
        assert seen["types"] == {}
        assert seen["zones"] == []

    async def test_control_socket_tells(self, site: Site, workers: int) -> None:
        """With a bound that is looked at."""
        async with serving(site.primary(), workers) as server:
            assert (await server.obey({"do": "traffic"}))["schema"] == "mailname.traffic/1"
            assert (await server.obey({"do": "traffic", "zone": "example.tech", "most": 1}))["ok"]
            for most in (-1, 1001, "ten", None):
                assert not (await server.obey({"do": "traffic", "most": most}))["ok"]
            assert not (await server.obey({"do": "traffic", "zone": "other.example"}))["ok"]


def vars_of(config: ServerConfig) -> dict[str, Any]:
    """Return a configuration's fields."""
    return {name: getattr(config, name) for name in config.__dataclass_fields__}


class TestRcode:
    def test_upper_bits_are_read(self) -> None:
        """BADVERS is 16: 0 in the header. RFC 6891 section 6.1.3."""
        message = dns.message.make_response(query("example.tech.", "MX", use_edns=0))
        message.set_rcode(dns.rcode.BADVERS)
        assert rcode_of(message.to_wire()) == 16

    @pytest.mark.parametrize("length", range(12, 45))
    def test_cut_reply_is_no_trouble(self, length: int) -> None:
        """We wrote it; still nothing may raise here."""
        message = dns.message.make_response(query("example.tech.", "MX", use_edns=0))
        assert rcode_of(message.to_wire()[:length]) in {0, 16}
