"""NOTIFY: its message, its retries, its acknowledgement."""

from __future__ import annotations

import dns.flags
import dns.message
import dns.opcode
import dns.rdatatype
import pytest
from tests.transfer.zones import APEX, peer, zone

from mailname.transfer.actions import SendNotify
from mailname.transfer.notify import LONGEST_RETRY, Notifying, message
from mailname.zone import Serial


class TestMessage:
    def test_is_what_rfc_1996_asks_for(self) -> None:
        """Opcode NOTIFY, AA, the SOA asked for and the new SOA as a hint. RFC 1996 sections 3.6 and 3.7."""
        read = dns.message.from_wire(message(zone(7), 4711))
        assert (read.id, read.opcode(), read.flags & dns.flags.AA) == (4711, dns.opcode.NOTIFY, dns.flags.AA)
        assert (read.question[0].name, read.question[0].rdtype) == (APEX, dns.rdatatype.SOA)
        assert read.answer[0][0].serial == 7


class TestNotifying:
    def test_starts_silent(self) -> None:
        """Nobody is told of nothing."""
        one = Notifying(peer())
        assert (one.state, one.on_timer(10.0)) == ("not notified", None)

    def test_announces_at_once(self) -> None:
        """The first NOTIFY does not wait. RFC 1996 section 3.1."""
        one = Notifying(peer())
        assert one.announce(Serial(7), 0.0) == SendNotify(peer(), Serial(7))
        assert one.state == "waiting"

    def test_repeats_with_doubled_pauses_until_acknowledged(self) -> None:
        """1, 2, 4 ... seconds; an answer ends it."""
        one = Notifying(peer())
        one.announce(Serial(7), 0.0)
        assert one.on_timer(0.9) is None
        sent = []
        now = 0.0
        for _ in range(5):
            assert one.next_at is not None
            sent.append(one.next_at - now)
            now = one.next_at
            assert one.on_timer(now) == SendNotify(peer(), Serial(7))
        assert sent == [1, 2, 4, 8, 16]
        one.on_answer(Serial(7), "NOERROR")
        assert (one.state, one.next_at, one.on_timer(now + 10_000)) == ("acknowledged", None, None)

    def test_refusal_is_tried_again_seldom(self) -> None:
        """The other side may be configured anew meanwhile; what it says then counts."""
        one = Notifying(peer())
        one.announce(Serial(7), 0.0)
        one.on_answer(Serial(7), "NOTAUTH", 1.0)
        assert (one.state, one.next_at) == ("refused", 1.0 + LONGEST_RETRY)
        assert one.on_timer(LONGEST_RETRY) is None
        assert one.on_timer(1.0 + LONGEST_RETRY) == SendNotify(peer(), Serial(7))
        assert one.state == "refused"
        one.on_answer(Serial(7), "NOERROR", 1000.0)
        assert (one.state, one.next_at) == ("acknowledged", None)

    def test_secondary_that_is_gone_for_years_is_still_told(self) -> None:
        """The pause stays at fifteen minutes, however often it was tried."""
        one = Notifying(peer())
        one.announce(Serial(7), 0.0)
        for _ in range(3000):
            assert one.next_at is not None
            assert one.on_timer(one.next_at) is not None
        assert one.next_at is not None
        last = one.next_at
        one.on_timer(last)
        assert one.next_at - last == LONGEST_RETRY

    def test_refusal_ends_the_retries_and_is_told(self) -> None:
        """Repeating would not change a refusal."""
        one = Notifying(peer())
        one.announce(Serial(7), 0.0)
        one.on_answer(Serial(7), "REFUSED")
        assert (one.state, one.says, one.on_timer(100.0)) == ("refused", "answered REFUSED to NOTIFY", None)

    def test_answer_to_an_older_serial_does_not_acknowledge(self) -> None:
        """The zone changed again meanwhile: the newer serial is still to be told."""
        one = Notifying(peer())
        one.announce(Serial(7), 0.0)
        one.announce(Serial(8), 0.1)
        one.on_answer(Serial(7), "NOERROR")
        one.on_seen(Serial(7))
        one.on_failure(Serial(7), "late")
        assert (one.state, one.says) == ("waiting", "")

    def test_failure_is_told_while_waiting(self) -> None:
        """The status says why there is no acknowledgement yet."""
        one = Notifying(peer())
        one.announce(Serial(7), 0.0)
        one.on_failure(Serial(7), "no answer by UDP")
        assert (one.state, one.says) == ("waiting", "no answer by UDP")

    def test_transfer_acknowledges(self) -> None:
        """A secondary that has fetched the serial has heard of it."""
        one = Notifying(peer())
        one.announce(Serial(7), 0.0)
        one.on_seen(Serial(7))
        one.on_failure(Serial(7), "no answer by UDP")
        assert (one.state, one.says) == ("acknowledged", "")

    @pytest.mark.parametrize("rcode", ["NOERROR", "NOTAUTH"])
    def test_new_serial_starts_again(self, rcode: str) -> None:
        """Whatever was answered before, a new version is told."""
        one = Notifying(peer())
        one.announce(Serial(7), 0.0)
        one.on_answer(Serial(7), rcode)
        assert one.announce(Serial(8), 50.0) == SendNotify(peer(), Serial(8))
        assert (one.state, one.tries, one.says) == ("waiting", 1, "")
