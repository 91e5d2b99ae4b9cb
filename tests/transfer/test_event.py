from __future__ import annotations

from dataclasses import replace

from mailname.transfer.event import Event

FAILED = Event("example.tech.", "192.0.2.1:53", "in", "failed", 10.0, 11.0, "refused", serial_from=4, serial_to=5, says="no")


class TestEvent:
    def test_again_is_joined_with_how_often_and_since_when(self) -> None:
        """An outage of a week is one row, not a thousand."""
        again = replace(FAILED, start=20.0, end=21.0)
        assert again.repeats(FAILED)
        joined = again.after(FAILED)
        assert (joined.start, joined.end, joined.count) == (10.0, 21.0, 2)

    def test_another_reason_stands_for_itself(self) -> None:
        """The day on which the cause changed is worth knowing."""
        assert not replace(FAILED, result="badkey").repeats(FAILED)
        assert not replace(FAILED, serial_to=6).repeats(FAILED)

    def test_transfers_stand_for_themselves(self) -> None:
        """Two of the same serial are two."""
        fetched = replace(FAILED, what="transfer", result="ok")
        assert not replace(fetched, start=20.0).repeats(fetched)

    def test_notifys_have_a_lane_of_their_own(self) -> None:
        """They come between failures and do not interrupt them."""
        assert replace(FAILED, what="notify").lane != FAILED.lane

    def test_strangers_share_one_place(self) -> None:
        """So that no number of them drives out what happened with our own secondaries."""
        assert {replace(FAILED, peer=f"192.0.2.{n}", known=False).bucket for n in range(9)} == {"*"}
        assert FAILED.bucket == "192.0.2.1:53"

    def test_words_of_a_peer_are_bounded(self) -> None:
        """He may send any number of them."""
        assert len(replace(FAILED, says="x" * 10_000).bounded().says) == 400
