"""The configuration of NSD as text, and what it tells, read; ``tests/interop`` lets the real one read it."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest
from tests.engines.pair import APEX, PLAN, plan_of

from mailname.engines.engine import Places, driven_engine
from mailname.engines.nsd import Nsd
from mailname.engines.nsd_config import CONFIG, INCLUDED
from mailname.engines.nsd_log import read_log
from mailname.engines.zone_log import ZoneLog
from mailname.errors import HostError
from mailname.server.network import Endpoint
from mailname.server.program import Ran
from mailname.wire.tsig_key import make_key

PLACES = Places(Path("/state"), Path("/zones"), Path("/run/n.ctl"), key_file=Path("/keys/k.key"), folder=Path("/conf"))
PAIR = plan_of(PLAN.replace('role = "', 'engine = "nsd"\nrole = "'))
SECONDARY = PAIR.secondaries[0]
FILE = Path("/zones/example.tech.zone")
MASTER = "zone:\texample.tech\n\tstate: master\n"
COPY = 'zone:\texample.tech\n\tstate: ok\n\tserved-serial: "8 since 2026-11-23T01:22:15"\n'
SOA = "example.tech.\t\t300\tIN\tSOA\tns1.example.tech. host.example.tech. 8 14400 3600 1209600 300\n"


def said(*lines: str) -> str:
    """Return a log with the time in seconds, all in one."""
    return "".join(f"[1795396938] nsd[11098]: {line}\n" for line in lines)


def log_of(*lines: str) -> ZoneLog:
    return read_log(said(*lines), {APEX: FILE})[APEX]


def told(zonestatus: str, answer: str, log: str, code: int = 0) -> dict[str, Ran]:
    return {
        "server": Ran(code, b"version: 4.6.1\nverbosity: 2\n", b"error: connect: Connection refused" if code else b""),
        "zones": Ran(0, zonestatus.encode(), b""),
        "serials": Ran(0, answer.encode(), b""),
        "log": Ran(0, log.encode(), b""),
    }


class TestPrimary:
    def test_gives_the_zone_to_the_plans_secondaries_by_key(self) -> None:
        """Both the address and the key must be right."""
        text = Nsd().render(PAIR, PAIR.primary, PLACES)[INCLUDED]
        assert 'include: "/keys/k.key"' in text
        assert "  notify: 192.0.2.1@53 transfer.example.tech.\n  provide-xfr: 192.0.2.1 transfer.example.tech.\n" in text
        assert "  outgoing-interface: 198.51.100.2\n" in text
        assert '  zonefile: "/zones/example.tech.zone"\n' in text

    def test_without_secondaries_tells_nobody(self) -> None:
        """And nobody may transfer."""
        alone = plan_of(
            PLAN.replace('[[name_server]]\nname = "ns1', '[[mail_host]]\nname = "ns1').replace('role = "secondary"\n', "")
        )
        text = Nsd().render(alone, alone.primary, PLACES)[INCLUDED]
        assert "notify:" not in text
        assert "provide-xfr:" not in text

    def test_with_dynamic_updates_is_refused(self) -> None:
        """NSD has none."""
        plan = plan_of(PLAN + '[[update]]\nkey = "acme.example.tech"\nnames = ["_acme-challenge.example.tech"]\n')
        with pytest.raises(HostError, match="wants the builtin engine"):
            Nsd().render(plan, plan.primary, PLACES)


class TestSecondary:
    def test_gives_it_to_nobody(self) -> None:
        """Its primary alone may notify it."""
        text = Nsd().render(PAIR, SECONDARY, PLACES)[INCLUDED]
        assert "  request-xfr: 198.51.100.2@53 transfer.example.tech.\n" in text
        assert "  allow-notify: 198.51.100.2 transfer.example.tech.\n" in text
        assert "provide-xfr:" not in text
        assert '  zonefile: "/state/example.tech.zone"\n' in text


class TestServer:
    def test_says_no_more_than_it_must(self) -> None:
        """No version; its rate is limited."""
        text = Nsd().render(PAIR, PAIR.primary, PLACES)[INCLUDED]
        for line in ("hide-version: yes", "rrl-ratelimit: 200", "ip-address: 198.51.100.2@53", "minimal-responses: yes"):
            assert line in text

    def test_of_others_gets_our_file_alone(self) -> None:
        """Orders go through a socket; Debian's file has none."""
        files = Nsd().render(PAIR, PAIR.primary, Nsd().placed((), "transfer.example.tech.key"))
        assert set(files) == {Path("example.tech.conf")}
        (text,) = files.values()
        assert "server:" not in text
        assert "include:" not in text
        shared = Nsd().installed(PAIR, PAIR.primary, Nsd().placed((), None)).shared
        assert shared is not None
        assert "ip-address:" not in shared[1]
        assert 'control-interface: "/run/nsd/mailname.ctl"' in shared[1]

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
        text = Nsd().render(PAIR, PAIR.primary, places)[INCLUDED]
        assert "ip-address: 127.0.0.1@2001" in text
        assert "notify: 127.0.0.1@2002 NOKEY\n  provide-xfr: 127.0.0.12 NOKEY\n  outgoing-interface: 127.0.0.11\n" in text


class TestCommands:
    def test_keys_are_in_no_argument(self) -> None:
        """They are in a file of NSD's own form."""
        text = Nsd().key_text([make_key(APEX)])
        assert text.startswith('key:\n  name: "example.tech."\n  algorithm: hmac-sha256\n  secret: ')
        assert Nsd().own_keys(PLACES) == {}

    def test_configure_checks_all_that_others_have_written(self) -> None:
        """It takes keys and zones over without a restart."""
        assert Nsd().order(Nsd().placed((), None), "configure") == (
            ("nsd-checkconf", "/etc/nsd/nsd.conf"),
            ("nsd-control", "reconfig"),
        )
        words = Nsd().order(PLACES, "reload", APEX)
        assert words == (("nsd-control", "-c", str(Path("/conf") / CONFIG), "reload", "example.tech"),)

    def test_engine_is_found_by_its_name(self) -> None:
        """As the plan writes it."""
        found = driven_engine("nsd")
        assert found is not None
        assert found.unit == "nsd"

    def test_counters_are_named_as_those_of_every_engine(self) -> None:
        """Both families together."""
        text = "server0.queries=9\nnum.queries=9\ntime.boot=60.25\nnum.type.MX=7\nnum.type.A=2\nnum.edns=3\n"
        text += "num.udp=4\nnum.udp6=3\nnum.tcp=2\nnum.tcp6=0\nnum.rcode.NXDOMAIN=5\nnum.rcode.NOERROR=4\n"
        told = Nsd().counters({"stats": Ran(0, text.encode(), b"")}).report(None)
        assert (told["questions"], told["answers"], told["edns"]) == (9, 9, 3)
        assert (told["types"], told["rcodes"]) == ({"MX": 7, "A": 2}, {"NXDOMAIN": 5, "NOERROR": 4})
        assert (told["transports"], told["families"]) == ({"udp": 7, "tcp": 2}, {"ipv4": 6, "ipv6": 3})
        assert told["since"].endswith("Z")
        assert "limited" in told["not_counted"]


class TestStatus:
    def test_of_a_primary_has_the_serial_that_it_answers(self) -> None:
        """NSD itself does not tell it; what was sent since the file was read is that version."""
        log = said("info: zone example.tech read with success", "info: ixfr for example.tech. from 192.0.2.1")
        (zone,) = Nsd().status(PAIR, PAIR.primary, PLACES, [APEX], told(MASTER, SOA, log))["zones"]
        assert (zone["role"], zone["serial"], zone["state"]) == ("primary", 8, "serving")
        assert zone["secondaries"][0]["fetched"]["serial_to"] == 8
        log += said("info: zone example.tech read with success")
        (zone,) = Nsd().status(PAIR, PAIR.primary, PLACES, [APEX], told(MASTER, SOA, log))["zones"]
        assert zone["secondaries"][0]["fetched"] is None

    def test_of_a_secondary_that_has_expired_says_so(self) -> None:
        """And has no serial."""
        (zone,) = Nsd().status(PAIR, SECONDARY, PLACES, [APEX], told(COPY, SOA, ""))["zones"]
        assert (zone["serial"], zone["state"]) == (8, "serving")
        (zone,) = Nsd().status(PAIR, SECONDARY, PLACES, [APEX], told(COPY.replace("ok", "expired"), "", ""))["zones"]
        assert (zone["serial"], zone["state"]) == (None, "expired")

    def test_of_a_server_that_does_not_run_is_an_error(self) -> None:
        """Which says where to look."""
        with pytest.raises(HostError, match="Connection refused"):
            Nsd().status(PAIR, SECONDARY, PLACES, [APEX], told("", "", "", code=3))

    def test_leaves_out_a_zone_that_it_does_not_have(self) -> None:
        """Another's is not ours."""
        assert Nsd().status(PAIR, SECONDARY, PLACES, [APEX], told("zone:\tother\n\tstate: master\n", "", ""))["zones"] == []


class TestLog:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("error: xfrd: zone example.tech, from 192.0.2.2@53: tsig error (Bad Signature)", "key-rejected"),
            ("error: xfrd: zone example.tech received error code REFUSED from 192.0.2.2@53", "refused"),
            ("error: xfrd: zone example.tech received error code SERVER NOT AUTHORITATIVE FOR ZONE from 192.0.2.2@53", "notauth"),
            ("error: example.tech: Could not tcp connect to 192.0.2.2@53: Connection refused", "connection-refused"),
            ("info: xfrd: zone example.tech ignoring old serial (3/8) from 192.0.2.2@53", "serial-not-higher"),
        ],
    )
    def test_of_a_failure_gives_a_stable_word(self, line: str, reason: str) -> None:
        """With whom it was tried."""
        failed = log_of(line).last_failure
        assert failed is not None
        assert (failed["reason"], failed["peer"]) == (reason, "192.0.2.2:53")

    def test_of_a_transfer_ends_the_failure(self) -> None:
        """Its totals are the last transfer's."""
        log = log_of(
            "error: xfrd: zone example.tech received error code REFUSED from 192.0.2.2@53",
            "info: zone example.tech. received update to serial 9 at 2026-11-23T01:22:17 from 192.0.2.2@53 TSIG verified with key"
            " k. of 157 bytes in 4.2e-05 seconds",
        )
        assert log.last_failure is None
        assert log.last_transfer is not None
        assert (log.last_transfer["serial"], log.last_transfer["octets"]) == (9, 157)

    def test_of_a_bad_signature_names_who_asked(self) -> None:
        """It names no zone: it is noted for each."""
        log = log_of(
            "error: query: bad tsig signature for key k. from 192.0.2.1",
            "error: query: bad tsig (Bad Key) for key k. from 192.0.2.1",
        )
        assert [(one["from"], one["reason"]) for one in log.refused] == [("192.0.2.1", "badsig"), ("192.0.2.1", "badkey")]

    def test_of_a_refusal_tells_what_was_wanted(self) -> None:
        """A transfer, or a NOTIFY."""
        log = log_of(
            "info: axfr for example.tech. from 192.0.2.9 refused, no acl matches",
            "info: notify for example.tech. from 192.0.2.9 refused, no acl matches.",
        )
        assert [one["from"] for one in log.refused] == ["192.0.2.9"]
        assert log.notify_refused is not None
        assert log.notify_refused["from"] == "192.0.2.9"
        taken = log_of("info: notify for example.tech. from 192.0.2.2 serial 7").last_notify
        assert taken is not None
        assert taken["serial"] == 7

    def test_of_a_notify_that_is_not_taken_says_what_was_answered(self) -> None:
        """Until the zone is read, and told, again."""
        error = (
            "error: xfrd: zone example.tech.: received notify response error SERVER NOT AUTHORITATIVE FOR ZONE from 192.0.2.1@53"
        )
        lost = "error: xfrd: zone example.tech.: max notify send count reached, 192.0.2.1@53 unreachable"
        assert log_of(error, lost).not_taken == {"192.0.2.1": "answers NOTAUTH"}
        assert log_of(lost).not_taken == {"192.0.2.1": "no answer"}
        assert log_of(error, "info: zone example.tech read with success").not_taken == {}

    def test_of_a_file_that_cannot_be_read_is_a_problem(self) -> None:
        """Until it can."""
        bad = (f"error: {FILE}:1: syntax error", f"error: zone example.tech file {FILE} read with 3 errors")
        assert "syntax error" in log_of(*bad).problem
        assert log_of(*bad, "info: zone example.tech read with success").problem == ""
        assert log_of("error: /zones/other.zone:1: syntax error") == ZoneLog()

    def test_by_journalctl_is_read_as_well(self) -> None:
        """Its time has an offset; lines that are no log are passed over."""
        line = "2026-11-23T01:49:12.5+0100 ns1 nsd[712]: notify for example.tech. from 192.0.2.2 serial 7\nno log\n"
        log = read_log(line, {APEX: FILE})[APEX]
        assert log.last_notify == {"at": "2026-11-23T00:49:12.500Z", "from": "192.0.2.2", "serial": 7}
