"""The configuration of BIND, as text; ``tests/interop`` lets the real one read it."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.engines.pair import APEX, PLAN, plan_of

from mailname.engines.bind import CONFIG, CONTROL, INCLUDED, Bind
from mailname.engines.engine import Places, driven_engine, engine_named
from mailname.errors import HostError
from mailname.server.network import Endpoint
from mailname.server.program import Ran
from mailname.wire.tsig_key import make_key, parse_keys

PLACES = Places(Path("/state"), Path("/zones"), key_file=Path("/keys/k.key"), folder=Path("/conf"), control_port=9953)
CATALOG = '[catalog]\nname = "catalog.example.tech"\n'
PAIR = plan_of(PLAN.replace('role = "', 'engine = "bind"\nrole = "'))


class TestPrimary:
    def test_gives_the_zone_to_the_plans_secondaries_by_key(self) -> None:
        """Both the address and the key must be right."""
        text = Bind().render(PAIR, PAIR.primary, PLACES)[INCLUDED]
        assert 'allow-transfer { !{ !{ 192.0.2.1; }; any; }; key "transfer.example.tech"; };' in text
        assert 'also-notify { 192.0.2.1 port 53 key "transfer.example.tech"; };' in text
        assert 'include "/keys/k.key";' in text
        assert "ixfr-from-differences yes;" in text
        assert 'file "/zones/example.tech.zone";' in text

    def test_without_secondaries_tells_nobody(self) -> None:
        """And nobody may transfer."""
        alone = plan_of(
            PLAN.replace('[[name_server]]\nname = "ns1', '[[mail_host]]\nname = "ns1').replace('role = "secondary"\n', "")
        )
        text = Bind().render(alone, alone.primary, PLACES)[INCLUDED]
        assert "notify no;" in text
        assert "allow-transfer { none; };" in text

    def test_with_dynamic_updates_is_refused(self) -> None:
        """Publishing would lose what an update has changed there."""
        plan = plan_of(PLAN + '[[update]]\nkey = "acme.example.tech"\nnames = ["_acme-challenge.example.tech"]\n')
        with pytest.raises(HostError, match="wants the builtin engine"):
            Bind().render(plan, plan.primary, PLACES)


class TestSecondary:
    def test_tells_nobody_and_gives_it_to_nobody(self) -> None:
        """Its primary alone may notify it."""
        text = Bind().render(PAIR, PAIR.secondaries[0], PLACES)[INCLUDED]
        assert 'primaries { 198.51.100.2 port 53 key "transfer.example.tech"; };' in text
        assert "notify no;" in text
        assert "allow-transfer { none; };" in text
        assert "allow-notify { 198.51.100.2; };" in text
        assert "transfer-source 192.0.2.1;" in text


class TestCatalog:
    def test_is_followed_by_a_secondary(self) -> None:
        """Its zones are in no file of ours: they come by the catalog, with the key."""
        plan = plan_of(PLAN.replace('role = "secondary"', 'engine = "bind"\nrole = "secondary"') + CATALOG)
        files = Bind().render(plan, plan.secondaries[0], PLACES)
        primary = '198.51.100.2 port 53 key "transfer.example.tech";'
        assert f'catalog-zones {{ zone "catalog.example.tech" default-primaries {{ {primary} }}' in files[CONFIG]
        assert 'zone "catalog.example.tech" {' in files[INCLUDED]
        assert 'zone "example.tech" {' not in files[INCLUDED]

    def test_of_a_primary_is_a_zone_like_the_others(self) -> None:
        """It goes to the plan's secondaries; who writes it learns from the first lines what belongs to it."""
        plan = plan_of(PLAN + CATALOG)
        text = Bind().render(plan, plan.primary, PLACES)[INCLUDED]
        assert 'zone "catalog.example.tech" {\n\ttype primary;\n\tfile "/zones/catalog.example.tech.zone";' in text
        assert text.count('also-notify { 192.0.2.1 port 53 key "transfer.example.tech"; };') == 2
        assert "// is listed in catalog.example.tech. : example.tech. : - : \n" in text


class TestWholeServer:
    def test_answers_for_its_zones_alone_and_says_no_more_than_it_must(self) -> None:
        """No recursion, no version; its rate is limited."""
        files = Bind().render(PAIR, PAIR.primary, PLACES)
        for line in ("recursion no;", "minimal-responses yes;", "version none;", "rate-limit {", "allow-transfer { none; };"):
            assert line in files[CONFIG]
        assert "listen-on port 53 { 198.51.100.2; };" in files[CONFIG]
        assert "listen-on-v6 { none; };" in files[CONFIG]
        assert "default-port 9953;" in files[CONTROL]

    def test_of_others_gets_our_zones_alone(self) -> None:
        """One file for each plan, to be included by one line: neither options nor controls are ours there."""
        files = Bind().render(PAIR, PAIR.primary, Bind().placed((), "transfer.example.tech.key"))
        assert set(files) == {Path("example.tech.conf")}
        (text,) = files.values()
        assert "options" not in text
        assert "include" not in text  # two plans may have one key

    def test_in_a_rehearsal_is_where_the_network_says(self) -> None:
        """Another port of loopback for each server, and another address to speak from."""
        ours, theirs = PAIR.primary.addresses[0], PAIR.secondaries[0].addresses[0]
        places = Places(
            Path("/state"),
            Path("/zones"),
            folder=Path("/conf"),
            reach={Endpoint(ours): ("127.0.0.1", 2001), Endpoint(theirs): ("127.0.0.1", 2002)},
            speaks_from={ours: ip_address("127.0.0.11"), theirs: ip_address("127.0.0.12")},
        )
        files = Bind().render(PAIR, PAIR.primary, places)
        assert "listen-on port 2001 { 127.0.0.1; };" in files[CONFIG]
        assert "also-notify { 127.0.0.1 port 2002; };" in files[INCLUDED]
        assert "notify-source 127.0.0.11;" in files[INCLUDED]
        assert "!{ !{ 127.0.0.12; }; any; }" in files[INCLUDED] or "allow-transfer { 127.0.0.12; }" in files[INCLUDED]


class TestCommands:
    def test_keys_are_in_no_argument(self) -> None:
        """They are in files."""
        engine = Bind()
        key = make_key(APEX)
        assert parse_keys(engine.key_text([key])) == (key,)
        assert engine.own_keys(PLACES).keys() == {Path("/conf/rndc.key")}
        assert engine.check(PLACES) == (("named-checkconf", "-z", "/conf/named.conf"),)
        assert engine.order(PLACES, "reload", APEX) == (("rndc", "-c", "/conf/rndc.conf", "reload", "example.tech"),)

    def test_of_debians_package_check_the_whole_before_it_is_taken_over(self) -> None:
        """What others have written around our file included."""
        words = Bind().order(Bind().placed((), None), "configure")
        assert words == (("named-checkconf",), ("rndc", "reconfig"))

    def test_counters_are_those_of_the_last_dump(self) -> None:
        """The file grows by one dump each time."""
        counts = "                  {} IPv4 requests received\n                   2 UDP queries received\n"
        counts += "                   4 responses sent\n                   1 responses dropped for rate limits\n"
        head = "+++ Statistics Dump +++ (1)\n++ Incoming Queries ++\n                   3 MX\n"
        dump = f"{head}++ Outgoing Rcodes ++\n                   4 NOERROR\n++ Name Server Statistics ++\n{counts}"
        text = dump.format(5) + dump.format(14) + "++ Resolver Statistics ++\n[Common]\n    9 responses sent\n"
        said = {"statistics": text, "server": "version: BIND 9.18\nboot time: Sun, 22 Nov 2026 14:00:00 GMT\n"}
        told = Bind().counters({name: Ran(0, one.encode(), b"") for name, one in said.items()}).report(None)
        assert (told["questions"], told["answers"], told["limited"]) == (14, 4, 1)
        assert (told["types"], told["rcodes"]) == ({"MX": 3}, {"NOERROR": 4})
        assert told["transports"] == {"udp": 2, "tcp": 0}
        assert told["since"] == "2026-11-22T14:00:00Z"
        assert told["not_counted"] == ["do", "zones", "clients", "names", "latency"]


class TestEngineNamed:
    def test_bind_is_driven_by_commands_and_the_builtin_one_is_not(self) -> None:
        """Who is neither is told."""
        assert engine_named("bind").name == "bind"
        found = driven_engine("bind")
        assert found is not None
        assert found.unit == "named"
        assert driven_engine("builtin") is None


class TestInstalled:
    def test_takes_in_one_line_and_the_options_of_the_whole_server(self) -> None:
        """The package's own folder stays that of the whole server."""
        engine = Bind()
        found = engine.installed(PAIR, PAIR.primary, engine.placed(PAIR.primary.addresses, "transfer.example.tech.key"))
        key = 'include "/etc/bind/mailname/keys/transfer.example.tech.key";'
        assert found.lines == (key, 'include "/etc/bind/mailname/example.tech.conf";')
        assert found.whole is not None
        assert found.whole[0] == Path("/etc/bind/named.conf.options")
        assert 'directory "/var/cache/bind";' in found.whole[1]
        assert "listen-on port 53 { 198.51.100.2; };" in found.whole[1]
