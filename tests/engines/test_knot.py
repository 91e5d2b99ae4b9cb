"""The configuration of Knot as text, and what it tells, read; ``tests/interop`` lets the real one read it."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import dns.name
import pytest
from tests.engines.pair import APEX, PLAN, plan_of

from mailname.engines.engine import Places, driven_engine
from mailname.engines.knot import Knot
from mailname.engines.knot_config import CONFIG, INCLUDED
from mailname.engines.knot_log import read_log
from mailname.errors import HostError
from mailname.server.network import Endpoint
from mailname.server.program import Ran
from mailname.wire.tsig_key import make_key

PLACES = Places(Path("/state"), Path("/zones"), Path("/run/k.sock"), key_file=Path("/keys/k.key"), folder=Path("/conf"))
PAIR = plan_of(PLAN.replace('role = "', 'engine = "knot"\nrole = "'))
SECONDARY = PAIR.secondaries[0]


def said(*lines: str) -> str:
    """Return a log in the form of Knot's own files, all in one second."""
    return "".join(f"2026-11-23T01:22:09+0000 {line}\n" for line in lines)


def told(zone_status: str, log: str, code: int = 0) -> dict[str, Ran]:
    return {
        "server": Ran(code, b"Version: 3.2.6\n", b"error: failed to connect to socket" if code else b""),
        "zones": Ran(0, zone_status.encode(), b""),
        "clock": Ran(0, b"1795396800\n", b""),
        "log": Ran(0, log.encode(), b""),
    }


class TestPrimary:
    def test_gives_the_zone_to_the_plans_secondaries_by_key(self) -> None:
        """Both the address and the key must be right; the serial is ours."""
        text = Knot().render(PAIR, PAIR.primary, PLACES)[INCLUDED]
        assert 'include: "/keys/k.key"' in text
        assert "    address: [ 192.0.2.1 ]\n    key: transfer.example.tech.\n    action: transfer\n" in text
        assert "    address: 192.0.2.1@53\n    via: 198.51.100.2\n    key: transfer.example.tech.\n" in text
        assert 'file: "/zones/example.tech.zone"\n    zonefile-load: difference\n    zonefile-sync: -1\n' in text
        assert "    notify: [ mailname-1 ]\n    acl: [ mailname ]\n" in text

    def test_without_secondaries_tells_nobody(self) -> None:
        """And nobody may transfer."""
        alone = plan_of(
            PLAN.replace('[[name_server]]\nname = "ns1', '[[mail_host]]\nname = "ns1').replace('role = "secondary"\n', "")
        )
        text = Knot().render(alone, alone.primary, PLACES)[INCLUDED]
        assert "notify:" not in text
        assert "acl:" not in text

    def test_with_dynamic_updates_is_refused(self) -> None:
        """Publishing would lose what an update has changed there."""
        plan = plan_of(PLAN + '[[update]]\nkey = "acme.example.tech"\nnames = ["_acme-challenge.example.tech"]\n')
        with pytest.raises(HostError, match="wants the builtin engine"):
            Knot().render(plan, plan.primary, PLACES)


class TestSecondary:
    def test_gives_it_to_nobody(self) -> None:
        """Its primary alone may notify it."""
        text = Knot().render(PAIR, SECONDARY, PLACES)[INCLUDED]
        assert "    master: [ mailname-1 ]\n" in text
        assert "action: notify\n" in text
        assert "action: transfer" not in text
        assert 'file: "/state/example.tech.zone"\n    zonefile-load: whole\n    zonefile-sync: 0\n' in text


class TestCatalog:
    PLAN = plan_of(PLAN.replace('role = "', 'engine = "knot"\nrole = "') + '[catalog]\nname = "catalog.invalid"\ngroups = "g"\n')

    def test_is_made_by_the_primary(self) -> None:
        """Its members are the plan's zones."""
        text = Knot().render(self.PLAN, self.PLAN.primary, PLACES)[INCLUDED]
        assert "  - domain: catalog.invalid.\n    catalog-role: generate\n    notify: [ mailname-1 ]\n" in text
        assert "    catalog-role: member\n    catalog-zone: catalog.invalid.\n    catalog-group: g\n" in text

    def test_is_followed_by_a_secondary(self) -> None:
        """It has no zone of its own: they are those that the catalog lists."""
        text = Knot().render(self.PLAN, self.PLAN.secondaries[0], PLACES)[INCLUDED]
        assert "domain: example.tech." not in text
        assert "  - id: mailname-member\n" in text
        assert '    file: "/state/%s.zone"\n' in text
        assert "    catalog-role: interpret\n    catalog-template: mailname-member\n" in text


class TestServer:
    def test_says_no_more_than_it_must(self) -> None:
        """No version; its rate is limited."""
        text = Knot().render(PAIR, PAIR.primary, PLACES)[INCLUDED]
        for line in ('version: ""', 'identity: ""', "rate-limit: 200", "listen: [ 198.51.100.2@53 ]"):
            assert line in text

    def test_of_others_gets_our_file_alone(self) -> None:
        """It listens where it is told to; the rest is theirs."""
        files = Knot().render(PAIR, PAIR.primary, Knot().placed((), "transfer.example.tech.key"))
        assert set(files) == {Path("example.tech.conf")}
        (text,) = files.values()
        for word in ("server:", "include:", "database:", "mod-rrl:"):
            assert word not in text
        assert "  - id: mailname-example.tech-1\n" in text

    def test_in_a_rehearsal_is_where_the_network_says(self) -> None:
        """Another port of loopback for each server, and another address to speak from."""
        ours, theirs = PAIR.primary.addresses[0], SECONDARY.addresses[0]
        places = Places(
            Path("/state"),
            Path("/zones"),
            folder=Path("/conf"),
            reach={Endpoint(ours): ("127.0.0.1", 2001), Endpoint(theirs): ("127.0.0.1", 2002)},
            speaks_from={ours: ip_address("127.0.0.11"), theirs: ip_address("127.0.0.12")},
        )
        text = Knot().render(PAIR, PAIR.primary, places)[INCLUDED]
        assert "listen: [ 127.0.0.1@2001 ]" in text
        assert "    address: 127.0.0.1@2002\n    via: 127.0.0.11\n" in text
        assert "address: [ 127.0.0.12 ]\n    action: transfer" in text


class TestCommands:
    def test_keys_are_in_no_argument(self) -> None:
        """They are in a file of Knot's own form."""
        key = make_key(APEX)
        text = Knot().key_text([key])
        assert text.startswith("key:\n  - id: example.tech.\n    algorithm: hmac-sha256\n    secret: ")
        assert Knot().own_keys(PLACES) == {}

    def test_configure_checks_all_that_others_have_written(self) -> None:
        """Reload, not restart."""
        assert Knot().order(Knot().placed((), None), "configure") == (("knotc", "conf-check"), ("knotc", "reload"))
        words = Knot().order(PLACES, "reload", APEX)
        assert words == (("knotc", "-c", str(Path("/conf") / CONFIG), "zone-reload", "example.tech."),)

    def test_engine_is_found_by_its_name(self) -> None:
        """As the plan writes it."""
        found = driven_engine("knot")
        assert found is not None
        assert found.unit == "knot"

    def test_counters_are_sums_over_the_zones(self) -> None:
        """Named as those of every engine."""
        text = (
            "[a.] mod-stats.request-protocol[udp4] = 5\n[b.] mod-stats.request-protocol[tcp6] = 2\n"
            "[a.] mod-stats.response-code[NXDOMAIN] = 3\n[b.] mod-stats.response-code[NXDOMAIN] = 1\n"
            "[a.] mod-stats.query-type[MX] = 6\n[a.] mod-stats.edns-presence[request] = 4\n[a.] mod-stats.flag-presence[DO] = 2\n"
            "[a.] mod-stats.server-operation[query] = 9\n[b.] mod-rrl.dropped = 6\n"
        )
        said = {"stats": Ran(0, text.encode(), b""), "started": Ran(0, b"1795356000\n", b"")}
        told = Knot().counters(said).report("minute")
        assert (told["questions"], told["answers"], told["limited"], told["edns"], told["do"]) == (7, 4, 6, 4, 2)
        assert (told["types"], told["rcodes"]) == ({"MX": 6}, {"NXDOMAIN": 4})
        assert (told["transports"], told["families"]) == ({"udp": 5, "tcp": 2}, {"ipv4": 5, "ipv6": 2})
        assert told["since"] == "2026-11-22T14:00:00Z"
        assert told["history"] == {"span": "minute", "problem": None, "rows": []}


class TestStatus:
    def test_of_a_secondary_tells_its_expiry_as_a_time(self) -> None:
        """Knot writes how long it is until then."""
        line = "[example.tech.] role: slave | serial: 9 | refresh: +3h59m59s | expiration: +13D23h57m26s\n"
        (zone,) = Knot().status(PAIR, SECONDARY, PLACES, [APEX], told(line, ""))["zones"]
        assert (zone["role"], zone["serial"], zone["state"]) == ("secondary", 9, "serving")
        assert zone["refresh_at"] == "2026-11-23T05:19:59Z"
        assert zone["expires_at"] == "2026-12-07T01:17:26Z"

    def test_of_a_primary_tells_who_did_not_take_its_notify(self) -> None:
        """Until he does."""
        line = "[example.tech.] role: master | serial: 7 | notify: +59m59s\n"
        failed = "warning: [example.tech.] notify, outgoing, remote 192.0.2.1@53, server responded with error 'BADSIG'"
        taken = "info: [example.tech.] notify, outgoing, remote 192.0.2.1@53, serial 7"
        (zone,) = Knot().status(PAIR, PAIR.primary, PLACES, [APEX], told(line, said(failed)))["zones"]
        assert (zone["secondaries"][0]["state"], zone["secondaries"][0]["says"]) == ("refused", "answers BADSIG")
        (zone,) = Knot().status(PAIR, PAIR.primary, PLACES, [APEX], told(line, said(failed, taken)))["zones"]
        assert zone["secondaries"][0]["state"] == "acknowledged"

    def test_of_a_server_that_does_not_run_is_an_error(self) -> None:
        """Which says where to look."""
        with pytest.raises(HostError, match="failed to connect"):
            Knot().status(PAIR, SECONDARY, PLACES, [APEX], told("", "", code=1))

    def test_leaves_out_a_zone_that_it_does_not_have(self) -> None:
        """An empty one has no serial."""
        assert Knot().status(PAIR, SECONDARY, PLACES, [APEX], told("[other.] role: slave | serial: 1", ""))["zones"] == []
        (zone,) = Knot().status(PAIR, SECONDARY, PLACES, [APEX], told("[example.tech.] role: slave | serial: -", ""))["zones"]
        assert (zone["serial"], zone["state"]) == (None, "not loaded")


class TestLog:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("refresh, remote mailname-1, address 192.0.2.2@53, failed (failed to verify TSIG)", "key-rejected"),
            ("refresh, remote 192.0.2.2@53, server responded with error 'REFUSED'", "refused"),
            ("AXFR, incoming, remote 192.0.2.2@53, server responded with error 'NOTAUTH'", "notauth"),
            ("refresh, remote mailname-1, address 192.0.2.2@53, failed (connection reset)", "reset"),
            ("refresh, remote 192.0.2.2@53, remote serial 3, remote is outdated", "serial-not-higher"),
        ],
    )
    def test_of_a_failure_gives_a_stable_word(self, line: str, reason: str) -> None:
        """With whom it was tried."""
        failed = read_log(said(f"info: [example.tech.] {line}"), [APEX])[APEX].last_failure
        assert failed is not None
        assert (failed["reason"], failed["peer"]) == (reason, "192.0.2.2:53")

    def test_of_a_transfer_ends_the_failure(self) -> None:
        """And tells how it came."""
        log = read_log(
            said(
                "info: [example.tech.] refresh, remote m, address 192.0.2.2@53, failed (connection reset)",
                "info: [example.tech.] IXFR, incoming, remote 192.0.2.2@53, finished, 0.00 seconds, 1 messages, 505 bytes",
                "info: [example.tech.] refresh, remote 192.0.2.2@53, zone updated, 0.01 seconds, serial 5 -> 8, expires in 9",
            ),
            [APEX],
        )[APEX]
        assert log.last_failure is None
        assert log.last_transfer is not None
        assert (log.last_transfer["kind"], log.last_transfer["serial"], log.last_transfer["octets"]) == ("IXFR", 8, 505)

    def test_of_a_bad_signature_names_who_asked(self) -> None:
        """It is in the line before."""
        log = read_log(
            said(
                "debug: [example.tech.] ACL, allowed, action query, remote 192.0.2.1@43211, key 'k.'",
                "debug: [example.tech.] TSIG, key 'k.', verification failed 'BADSIG'",
                "debug: [example.tech.] ACL, denied, action transfer, remote 192.0.2.9@43211, key none",
            ),
            [APEX],
        )[APEX]
        assert [(one["from"], one["reason"]) for one in log.refused] == [("192.0.2.1", "badsig"), ("192.0.2.9", "refused")]

    def test_of_one_second_keeps_the_order(self) -> None:
        """Knot's own files have whole seconds; the journal has more."""
        line = "info: [example.tech.] zone expired"
        log = read_log(said(line, "info: [example.tech.] loaded, serial none -> 5, 183 bytes"), [APEX])[APEX]
        assert (log.expired, log.loaded_at) == (False, "2026-11-23T01:22:09.001Z")
        journal = "2026-11-23T01:22:09.250000+0100 ns1 knotd[7]: [example.tech.] zone expired\n"
        assert read_log(journal, [APEX])[APEX].expired

    def test_of_a_file_that_cannot_be_read_is_a_problem(self) -> None:
        """Until it can; another zone's is none."""
        bad = "error: [example.tech.] zone loader, error in zone, file '/zones/x', line 1 (invalid number)"
        assert "line 1 (invalid number)" in read_log(said(bad), [APEX])[APEX].problem
        assert read_log(said(bad), [dns.name.from_text("other.")])[dns.name.from_text("other.")].problem == ""
        lower = "warning: [example.tech.] zone file changed with decreased SOA serial"
        then = "error: [example.tech.] zone event 'load' failed (value is out of range)"
        assert "decreased SOA serial" in read_log(said(lower, then), [APEX])[APEX].problem
