"""The secondary's side, as tables of events and actions."""

from __future__ import annotations

from ipaddress import ip_address

import dns.name
import pytest
from tests.transfer.zones import peer, zone

from mailname.transfer.actions import Action, AskForSoa, Expire, Transfer
from mailname.transfer.secondary import Failure, Secondary
from mailname.zone import Serial

FIRST, SECOND = peer("192.0.2.2"), peer("192.0.2.3", "transfer.example.")
FAILED = Failure(str(FIRST), "timeout-udp", "no answer")


def started(*primaries: object, age: float = 0.0, serial: int | None = 7) -> Secondary:
    """Return a secondary that has just begun, at time 0; refresh 100, retry 10, expire 1000."""
    secondary = Secondary((FIRST, SECOND) if len(primaries) == 2 else (FIRST,))
    secondary.on_start(0.0, zone(serial) if serial is not None else None, age)
    return secondary


def resting(serial: int = 7) -> Secondary:
    """Return one that was confirmed at time 0."""
    secondary = started(serial=serial)
    secondary.on_soa(FIRST, Serial(serial), 0.0)
    return secondary


class TestStart:
    def test_asks_at_once(self) -> None:
        """Whether it holds a copy or not: the copy may be old."""
        for kept in (None, zone(7)):
            assert Secondary((FIRST,)).on_start(5.0, kept, 0.0) == [AskForSoa(FIRST)]

    @pytest.mark.parametrize(("age", "expired"), [(0.0, False), (999.0, False), (1000.0, True), (float("inf"), True)])
    def test_copy_that_is_too_old_is_expired(self, age: float, expired: bool) -> None:
        """The time while we were not running counts."""
        secondary = Secondary((FIRST,))
        actions = secondary.on_start(5.0, zone(7), age)
        assert (Expire() in actions, secondary.expired) == (expired, expired)
        assert AskForSoa(FIRST) in actions

    def test_clock_set_back_does_not_lengthen_life(self) -> None:
        """A negative age counts as none."""
        secondary = Secondary((FIRST,))
        secondary.on_start(5.0, zone(7), -86400.0)
        assert secondary.expire_at == 1005.0


class TestSoa:
    @pytest.mark.parametrize(
        ("held", "offered", "action"),
        [
            (None, 1, "transfer"),
            (7, 8, "transfer"),
            (7, 7, "rest"),
            (7, 6, "failure"),
            (4294967295, 0, "transfer"),
            (0, 4294967295, "failure"),
            (0, 2147483648, "failure"),
        ],
    )
    def test_newer_is_transferred_by_rfc_1982(self, held: int | None, offered: int, action: str) -> None:
        """Newer: transfer; the same: rest until refresh; older: told, and asked again at retry."""
        secondary = started(serial=held)
        actions = secondary.on_soa(FIRST, Serial(offered), 1.0)
        if action == "transfer":
            assert actions == [Transfer(FIRST, Serial(offered))]
            assert secondary.busy
        elif action == "rest":
            assert (actions, secondary.refresh_at, secondary.expire_at) == ([], 101.0, 1001.0)
        else:
            assert (actions, secondary.refresh_at) == ([], 11.0)
            assert secondary.last_failure is not None
            assert (secondary.last_failure.reason, secondary.last_failure.offered) == ("serial-not-higher", Serial(offered))
            assert "mailname retransfer" in secondary.last_failure.remedy

    def test_lower_serial_does_not_confirm(self) -> None:
        """The copy goes on ageing towards expire."""
        secondary = started()
        secondary.on_soa(FIRST, Serial(6), 500.0)
        assert secondary.expire_at == 1000.0

    def test_confirmation_of_nothing_is_our_mistake(self) -> None:
        """Only a zone that is held can be confirmed."""
        secondary = Secondary((FIRST,), held=Serial(7))
        with pytest.raises(ValueError, match="timers"):
            secondary.on_soa(FIRST, Serial(7), 0.0)


class TestTimer:
    def test_asks_at_refresh_and_not_before(self) -> None:
        """RFC 1035 section 3.3.13."""
        secondary = resting()
        assert secondary.next_wakeup() == 100.0
        assert secondary.on_timer(99.9) == []
        assert secondary.on_timer(100.0) == [AskForSoa(FIRST)]

    def test_asks_one_thing_at_a_time(self) -> None:
        """While a question is under way only expire is due."""
        secondary = resting()
        secondary.on_timer(100.0)
        assert (secondary.on_timer(101.0), secondary.next_wakeup()) == ([], 1000.0)

    def test_retries_after_failure(self) -> None:
        """RETRY, not REFRESH."""
        secondary = resting()
        secondary.on_timer(100.0)
        assert secondary.on_failed(FAILED, 102.0) == []
        assert (secondary.next_wakeup(), secondary.last_failure) == (112.0, FAILED)
        assert secondary.on_timer(112.0) == [AskForSoa(FIRST)]

    def test_without_zone_pauses_double(self) -> None:
        """A secondary that starts before its primary asks again soon."""
        secondary = started(serial=None)
        waits = []
        now = 0.0
        for _ in range(3):
            secondary.on_failed(FAILED, now)
            waits.append(secondary.refresh_at - now)
            now = secondary.refresh_at
            assert secondary.on_timer(now) == [AskForSoa(FIRST)]
        assert waits == [1, 2, 4]
        assert secondary.next_wakeup() is None

    def test_expires_once(self) -> None:
        """And then keeps asking."""
        secondary = resting()
        secondary.on_timer(100.0)
        assert secondary.on_timer(1000.0) == [Expire()]
        assert secondary.on_timer(1001.0) == []
        secondary.on_failed(FAILED, 1002.0)
        assert secondary.next_wakeup() == 1012.0

    def test_confirmed_after_expiry_is_back_at_once(self) -> None:
        """The same serial is enough."""
        secondary = resting()
        secondary.on_timer(1000.0)
        assert secondary.expired
        secondary.on_soa(FIRST, Serial(7), 1001.0)
        assert (secondary.expired, secondary.expire_at) == (False, 2001.0)


class TestSeveralPrimaries:
    def test_next_is_asked_when_one_fails(self) -> None:
        """In the order of the configuration, then retry."""
        secondary = started(FIRST, SECOND)
        assert secondary.on_failed(FAILED, 1.0) == [AskForSoa(SECOND)]
        assert secondary.on_failed(FAILED, 2.0) == []
        assert secondary.refresh_at == 12.0

    def test_next_is_asked_when_one_offers_less(self) -> None:
        """Another may have the newer version."""
        assert started(FIRST, SECOND).on_soa(FIRST, Serial(6), 1.0) == [AskForSoa(SECOND)]

    def test_who_notified_is_asked_first(self) -> None:
        """He has it."""
        secondary = started(FIRST, SECOND)
        secondary.on_soa(FIRST, Serial(7), 1.0)
        assert secondary.on_notify(SECOND.address) == [AskForSoa(SECOND)]
        assert secondary.on_failed(FAILED, 2.0) == [AskForSoa(FIRST)]


class TestNotify:
    @pytest.mark.parametrize(
        ("source", "key", "accepted"),
        [
            ("192.0.2.2", None, True),
            ("203.0.113.9", "transfer.example.", True),
            ("203.0.113.9", "other.example.", False),
            ("203.0.113.9", None, False),
        ],
    )
    def test_only_primaries_may_wake_us(self, source: str, key: str | None, accepted: bool) -> None:
        """By address, or by a key that is agreed. RFC 1996 section 3.10."""
        name = dns.name.from_text(key) if key else None
        assert started(FIRST, SECOND).accepts_notify_from(ip_address(source), name) is accepted

    def test_is_a_hint_only(self) -> None:
        """The SOA is asked for before anything is transferred. RFC 1996 section 3.11."""
        assert resting().on_notify(FIRST.address) == [AskForSoa(FIRST)]

    @pytest.mark.parametrize("storm", [1, 1000])
    def test_while_busy_leads_to_one_more_question(self, storm: int) -> None:
        """What we are asking may be older than what it told; a thousand of them are one."""
        secondary = started()
        assert [secondary.on_notify(FIRST.address) for _ in range(storm)] == [[]] * storm
        assert secondary.on_soa(FIRST, Serial(7), 1.0) == [AskForSoa(FIRST)]
        assert secondary.on_soa(FIRST, Serial(7), 2.0) == []


class TestTransferred:
    def test_zone_is_held_and_confirmed(self) -> None:
        """With the new zone's own timers."""
        secondary = started(serial=None)
        secondary.on_soa(FIRST, Serial(8), 1.0)
        assert secondary.on_transferred(zone(8, refresh=50, expire=500), 2.0) == []
        assert (secondary.held, secondary.refresh_at, secondary.expire_at) == (Serial(8), 52.0, 502.0)

    def test_failure_keeps_what_is_held(self) -> None:
        """And does not count as confirmation."""
        secondary = started()
        secondary.on_soa(FIRST, Serial(8), 1.0)
        secondary.on_failed(FAILED, 2.0)
        assert (secondary.held, secondary.expire_at, secondary.refresh_at) == (Serial(7), 1000.0, 12.0)


class TestRetransfer:
    @pytest.mark.parametrize("offered", [6, 7, 8])
    def test_takes_whatever_serial(self, offered: int) -> None:
        """The operator's order; once only."""
        secondary = resting()
        assert secondary.on_retransfer() == [AskForSoa(FIRST)]
        assert secondary.on_soa(FIRST, Serial(offered), 1.0) == [Transfer(FIRST, Serial(offered))]
        secondary.on_transferred(zone(offered), 2.0)
        secondary.on_timer(secondary.refresh_at)
        assert secondary.on_soa(FIRST, Serial(offered), 200.0) == []

    def test_while_a_question_is_under_way_is_carried_out_after_it(self) -> None:
        """The answer to the question already leads to a transfer."""
        secondary = started()
        assert secondary.on_retransfer() == []
        assert secondary.on_soa(FIRST, Serial(7), 1.0) == [Transfer(FIRST, Serial(7))]

    def test_is_not_lost_when_what_was_under_way_fails(self) -> None:
        """The order gets a try of its own."""
        secondary: Secondary = started()
        secondary.on_retransfer()
        assert secondary.on_failed(FAILED, 1.0) == [AskForSoa(FIRST)]
        assert secondary.on_soa(FIRST, Serial(7), 2.0) == [Transfer(FIRST, Serial(7))]

    def test_that_fails_is_not_repeated(self) -> None:
        """A week later nobody wants it any more."""
        secondary = resting()
        secondary.on_retransfer()
        actions: list[Action] = secondary.on_failed(FAILED, 1.0)
        assert actions == []
        secondary.on_timer(11.0)
        assert secondary.on_soa(FIRST, Serial(7), 12.0) == []
