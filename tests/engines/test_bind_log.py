"""What named logs, read: lines as 9.18 writes them."""

from __future__ import annotations

import dns.name
import pytest

from mailname.engines.bind_log import read_log
from mailname.engines.zone_log import ZoneLog

ZONE = dns.name.from_text("example.tech.")
TRY = "zone example.tech/IN: refresh: failure trying primary 192.0.2.2#53 (source 192.0.2.1#0): "


def log_of(*lines: str) -> ZoneLog:
    text = "\n".join(f"2026-11-23T00:49:{number:02}.500Z {line}" for number, line in enumerate(lines))
    return read_log(text, [ZONE])[ZONE]


class TestFailure:
    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            (TRY + "tsig indicates error", "key-rejected"),
            (TRY + "connection refused", "connection-refused"),
            (TRY + "timed out", "timeout-udp"),
            (TRY + "network unreachable", "unreachable"),
            (
                "zone example.tech/IN: refresh: unexpected rcode (REFUSED) from primary 192.0.2.2#53 (source 192.0.2.1#0)",
                "refused",
            ),
            ("zone example.tech/IN: refresh: retry limit for primary 192.0.2.2#53 exceeded (source 192.0.2.1#0)", "timeout-udp"),
            ("transfer of 'example.tech/IN' from 192.0.2.2#53: failed while receiving responses: REFUSED", "refused"),
            ("transfer of 'example.tech/IN' from 192.0.2.2#53: failed to connect: timed out", "timeout-tcp"),
            (
                "transfer of 'example.tech/IN' from 192.0.2.2#53: failed while receiving responses: tsig verify failure",
                "key-rejected",
            ),
        ],
    )
    def test_is_a_stable_word(self, line: str, reason: str) -> None:
        """With whom it was tried and what was said."""
        failed = log_of(line).last_failure
        assert failed is not None
        assert (failed["reason"], failed["peer"]) == (reason, "192.0.2.2:53")

    def test_that_goes_on_is_counted_from_its_first(self) -> None:
        """Who asks since when is told."""
        failed = log_of(TRY + "timed out", TRY + "timed out", TRY + "timed out").last_failure
        assert failed is not None
        assert (failed["count"], failed["since"], failed["at"]) == (3, "2026-11-23T00:49:00.500Z", "2026-11-23T00:49:02.500Z")

    def test_is_over_when_a_transfer_has_come(self) -> None:
        """Its totals are the last transfer's."""
        done = "Transfer completed: 1 messages, 3 records, 190 bytes, 0.001 secs (190000 bytes/sec) (serial 5)"
        log = log_of(TRY + "timed out", f"transfer of 'example.tech/IN' from 192.0.2.2#53: {done}")
        assert log.last_failure is None
        assert log.last_transfer is not None
        assert (log.last_transfer["serial"], log.last_transfer["records"]) == (5, 3)

    def test_of_a_serial_that_is_not_higher_tells_both(self) -> None:
        """RFC 1982."""
        line = "zone example.tech/IN: serial number (3) received from primary 192.0.2.2#53 < ours (7)"
        failed = log_of(line).last_failure
        assert failed is not None
        assert (failed["reason"], failed["offered_serial"]) == ("serial-not-higher", 3)


class TestRefusal:
    def test_of_a_signature_names_its_fault(self) -> None:
        """BADKEY, BADSIG or BADTIME: only the primary knows which."""
        line = "client @0x7f2e 192.0.2.1#35269: request has invalid signature: TSIG k: tsig verify failure (BADSIG)"
        (refused,) = log_of(line).refused
        assert (refused["from"], refused["reason"]) == ("192.0.2.1", "badsig")

    def test_of_a_transfer_is_over_when_he_has_it(self) -> None:
        """A refusal of long ago is no cause."""
        denied = "client @0x7f2e 192.0.2.1#35269 (example.tech): zone transfer 'example.tech/AXFR/IN' denied"
        ended = (
            "client @0x7f2e 192.0.2.1#34727/key k (example.tech): transfer of 'example.tech/IN': AXFR ended: 1 messages, 3"
            " records, 190 bytes, 0.001 secs (190000 bytes/sec) (serial 5)"
        )
        assert [one["reason"] for one in log_of(denied).refused] == ["refused"]
        log = log_of(denied, ended)
        assert log.refused == []
        assert log.fetched["192.0.2.1"]["serial_to"] == 5


class TestZone:
    def test_that_is_not_loaded_says_why(self) -> None:
        """Until it is."""
        failed = "zone example.tech/IN: loading from master file /zones/x failed: bad dotted quad"
        assert "bad dotted quad" in log_of(failed, "zone example.tech/IN: not loaded due to errors.").problem
        assert log_of(failed, "zone example.tech/IN: loaded serial 6").problem == ""
        assert log_of("zone example.tech/IN: expired").expired

    def test_of_another_name_says_nothing_of_ours(self) -> None:
        """Lines that are no log are passed over, too."""
        assert log_of("zone other.tech/IN: expired", "") == ZoneLog()
        assert read_log("no time here: zone example.tech/IN: expired\n", [ZONE])[ZONE] == ZoneLog()

    def test_by_journalctl_is_read_as_well(self) -> None:
        """Its time has an offset, the host's name and the process behind it."""
        line = "2026-11-23T01:49:12+0100 ns1 named[712]: zone example.tech/IN: notify from 192.0.2.2#4711: serial 7"
        log = read_log(line, [ZONE])[ZONE]
        assert log.last_notify == {"at": "2026-11-23T00:49:12.000Z", "from": "192.0.2.2", "serial": 7}

    def test_notify_of_a_stranger_is_told(self) -> None:
        """It does not come from a primary."""
        log = log_of("zone example.tech/IN: refused notify from non-primary: 127.0.0.2#47586")
        assert log.notify_refused is not None
        assert log.notify_refused["from"] == "127.0.0.2"
