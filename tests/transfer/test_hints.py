"""Whose NOTIFY is taken."""

from __future__ import annotations

from ipaddress import ip_address

import dns.name
import pytest
from tests.transfer.zones import peer

from mailname.transfer.hints import Hints, sender
from mailname.zone import Serial

PLAIN, KEYED = peer("192.0.2.2"), peer("192.0.2.3", "transfer.example.")


class TestSender:
    @pytest.mark.parametrize(
        ("source", "key", "found"),
        [
            ("192.0.2.2", None, PLAIN),
            ("192.0.2.2", "other.example.", PLAIN),
            ("192.0.2.2", "transfer.example.", KEYED),
            ("192.0.2.3", "transfer.example.", KEYED),
            ("203.0.113.9", "transfer.example.", KEYED),
            ("192.0.2.3", None, "must sign NOTIFY with the key transfer.example.; it was not signed"),
            ("192.0.2.3", "other.example.", "with the key transfer.example.; it was signed with other.example."),
            ("203.0.113.9", "other.example.", "is not a primary of this zone, and the key other.example. is no primary's"),
            ("203.0.113.9", None, "203.0.113.9 is not a primary of this zone"),
        ],
    )
    def test_is_a_primary_by_its_key_or_where_there_is_none_by_its_address(
        self, source: str, key: str | None, found: object
    ) -> None:
        """RFC 1996 section 3.10. A primary with a key must sign: its address can be forged."""
        who = sender((PLAIN, KEYED), ip_address(source), dns.name.from_text(key) if key else None)
        if isinstance(found, str):
            assert isinstance(who, str)
            assert found in who
        else:
            assert who == found

    def test_key_of_two_is_told_apart_by_the_address(self) -> None:
        """Where the address is neither's, it is the first."""
        other = peer("192.0.2.4", "transfer.example.")
        key = dns.name.from_text("transfer.example.")
        assert sender((KEYED, other), other.address, key) == other
        assert sender((KEYED, other), ip_address("203.0.113.9"), key) == KEYED


class TestWaiting:
    @pytest.mark.parametrize(
        ("told", "kept"),
        [((8, 9, 8), 9), ((8, None, 9), None), ((None, 9), None), ((4294967295, 0), 0), ((8,), 8)],
    )
    def test_newest_of_a_primary_is_kept(self, told: tuple[int | None, ...], kept: int | None) -> None:
        """One that told nothing may be of anything."""
        hints = Hints()
        for serial in told:
            hints.wait(PLAIN, Serial(serial) if serial is not None else None)
        assert hints.take() == (PLAIN, Serial(kept) if kept is not None else None)
        assert hints.take() is None
