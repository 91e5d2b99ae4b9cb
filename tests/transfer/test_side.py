from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mailname.transfer.cause import CODES
from mailname.transfer.diagnosis import cause_at_primary, cause_at_secondary
from mailname.transfer.seen_together import View, cause_between
from mailname.transfer.side import host_of, side_of
from mailname.zone import Serial

NAMES = [
    "zone",
    "role",
    "state",
    "serial",
    "since",
    "announced",
    "problem",
    "primaries",
    "last_transfer",
    "last_failure",
    "refused",
    "secondaries",
    "at",
    "from",
    "reason",
    "result",
    "says",
    "remedy",
    "peer",
    "count",
    "offered_serial",
    "asked_from",
    "address",
    "tries",
    "rival",
    "fetched",
    "serial_to",
]
WORDS = [
    "primary",
    "secondary",
    "serving",
    "expired",
    "refused",
    "waiting",
    "acknowledged",
    "notauth",
    "badkey",
    "badtime",
    "servfail",
    "malformed",
    "tls-pin",
    "x",
    "192.0.2.1",
    "192.0.2.1:53",
    "2026-11-22T10:00:00Z",
    "2026-11-22T10:00:05Z",
    "serial-not-higher",
    "timeout-tcp",
    "load-failed",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 1 << 33) | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=8),
    max_leaves=30,
)
STATUSES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=14)


class TestAnyStatus:
    @given(STATUSES, STATUSES, st.booleans())
    def test_leads_to_a_known_cause_or_to_none(self, one: dict[str, object], other: dict[str, object], alone: bool) -> None:
        """A status may come over SSH from any release: nothing in it raises."""
        secondary, primary = side_of(one, "ns2", ["192.0.2.2"]), side_of(other, "ns1", ["192.0.2.1"])
        views = View("ns2", frozenset({"192.0.2.2"}), secondary, Serial(1)), View("ns1", frozenset({"192.0.2.1"}), primary, None)
        found = [cause_at_secondary(secondary, None if alone else primary), cause_between("example.tech.", *views)]
        found += [cause_at_primary(primary, told) for told in primary.told]
        for cause in found:
            assert cause is None or (cause.code in CODES and cause.says and cause.remedy)


class TestHost:
    def test_is_what_stands_before_the_port(self) -> None:
        """Of both families, with brackets and without."""
        hosts = {
            "192.0.2.1:53": "192.0.2.1",
            "192.0.2.1": "192.0.2.1",
            "[2001:db8::1]:53": "2001:db8::1",
            "2001:db8::1": "2001:db8::1",
        }
        assert {text: host_of(text) for text in hosts} == hosts
