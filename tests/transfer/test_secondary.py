"""The secondary's side, as tables of events and actions."""

from __future__ import annotations

import pytest
from tests.transfer.zones import peer, zone

from mailname.transfer.actions import Action, AskForSoa, Expire, Peer, Resume, Transfer
from mailname.transfer.moment import Memory, Moment
from mailname.transfer.secondary import PATIENCE, Failure, Secondary
from mailname.zone import Serial

FIRST, SECOND, THIRD = peer("192.0.2.2"), peer("192.0.2.3", "transfer.example."), peer("192.0.2.4")
FAILED = Failure(str(FIRST), "timeout-udp", "no answer")


def started(*primaries: Peer, age: float = 0.0, serial: int | None = 7) -> Secondary:
    """Return a secondary that has just begun, at time 0; refresh 100, retry 10, expire 1000."""
    secondary = Secondary(tuple(primaries) or (FIRST,))
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

    def test_remembers_what_was_so_before(self) -> None:
        """What had expired stays so, whatever age the clock now makes of it; failures go on being counted."""
        secondary = Secondary((FIRST,))
        before = Memory(Moment(0.0, 0.0), 5.0, failures=3, expired=True, jumped=7.0)
        assert secondary.on_start(5.0, zone(7), 0.0, before=before) == [Expire(), AskForSoa(FIRST)]
        assert (secondary.expired, secondary.failures, secondary.jumped) == (True, 3, 7.0)
        secondary.on_no_soa(FIRST, FAILED, 6.0)
        assert secondary.failures == 4

    def test_with_many_zones_is_spread(self) -> None:
        """Ten thousand zones ask over ten seconds, not at once."""
        secondary = Secondary((FIRST,), lambda: 0.25)
        assert secondary.on_start(5.0, zone(7), 0.0, spread=10.0) == []
        assert secondary.next_wakeup() == 7.5
        assert secondary.on_timer(7.5) == [AskForSoa(FIRST)]
        secondary = Secondary((FIRST,), lambda: 0.25)
        secondary.on_start(5.0, zone(7), 0.0, before=Memory(Moment(0.0, 0.0), 0.0, refresh_in=1.0), spread=10.0)
        assert secondary.next_wakeup() == 6.0  # it was due sooner

    def test_before_it_nothing_is_due(self) -> None:
        """A NOTIFY that comes while the copy is still read starts nothing: the start asks."""
        secondary = Secondary((FIRST,))
        assert (secondary.on_notify(FIRST, Serial(9), 1.0), secondary.on_timer(9.0), secondary.next_wakeup()) == ([], [], None)

    @pytest.mark.parametrize(("age", "told"), [(30.0, 32.0), (float("inf"), None)])
    def test_what_is_to_be_remembered(self, age: float, told: float | None) -> None:
        """The age of the copy, not a date; none where nothing is known of it."""
        secondary = Secondary((FIRST,))
        secondary.on_start(5.0, zone(7), age)
        assert secondary.memory(Moment(7.0, 1e9, "boot")) == Memory(Moment(7.0, 1e9, "boot"), told, 0.0, 0, told is None, 0.0)


class TestSoa:
    @pytest.mark.parametrize(
        ("held", "offered", "action"),
        [
            (None, 1, "transfer"),
            (7, 8, "transfer"),
            (7, 7, "rest"),
            (7, 6, "serial-not-higher"),
            (4294967295, 0, "transfer"),
            (0, 4294967295, "serial-not-higher"),
            (0, 2147483648, "serial-undefined"),
        ],
    )
    def test_newer_is_transferred_by_rfc_1982(self, held: int | None, offered: int, action: str) -> None:
        """Newer: transfer; the same: rest until refresh; older: told, and asked again at retry."""
        secondary = started(serial=held)
        actions = secondary.on_soa(FIRST, Serial(offered), 1.0)
        if action == "transfer":
            assert actions == [Transfer(FIRST, Serial(offered), Serial(held) if held is not None else None)]
            assert secondary.busy
        elif action == "rest":
            assert (actions, secondary.refresh_at, secondary.expire_at) == ([], 101.0, 1001.0)
        else:
            assert (actions, secondary.refresh_at) == ([], 11.0)
            assert secondary.last_failure is not None
            assert (secondary.last_failure.reason, secondary.last_failure.offered) == (action, Serial(offered))
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

    def test_asks_up_to_a_tenth_earlier(self) -> None:
        """By chance, so that zones that came together part."""
        secondary = resting()
        secondary.chance = lambda: 0.5
        secondary.on_timer(100.0)
        secondary.on_soa(FIRST, Serial(7), 100.0)
        assert secondary.refresh_at == 195.0
        secondary.on_timer(195.0)
        secondary.on_no_soa(FIRST, FAILED, 195.0)
        assert secondary.refresh_at == 204.5

    def test_asks_one_thing_at_a_time(self) -> None:
        """While a question is under way only expire is due."""
        secondary = resting()
        secondary.on_timer(100.0)
        assert (secondary.on_timer(101.0), secondary.next_wakeup()) == ([], 1000.0)

    def test_retries_after_failure(self) -> None:
        """RETRY, not REFRESH."""
        secondary = resting()
        secondary.on_timer(100.0)
        assert secondary.on_no_soa(FIRST, FAILED, 102.0) == []
        assert (secondary.next_wakeup(), secondary.last_failure) == (112.0, FAILED)
        assert secondary.on_timer(112.0) == [AskForSoa(FIRST)]

    def test_pauses_double_up_to_refresh_and_shorten_towards_expire(self) -> None:
        """A primary that is down for long is asked no more often than one that is well, until it gets serious."""
        secondary = resting()
        waits, now = [], 100.0
        while now < 1000.0:
            secondary.on_timer(now)
            secondary.on_no_soa(FIRST, FAILED, now)
            waits.append(round((secondary.next_wakeup() or now) - now, 1))
            now = secondary.next_wakeup() or now
        assert waits[:6] == [10, 20, 40, 80, 100, 100]
        assert waits[-4:-1] == [10, 10, 10]
        assert max(waits) == 100

    def test_expired_asks_every_five_minutes_at_least(self) -> None:
        """Nothing is answered: the zone's own retry of an hour is too long now."""
        secondary = Secondary((FIRST,))
        secondary.on_start(0.0, zone(7, refresh=7200, retry=3600, expire=86400), 86400.0)
        secondary.on_no_soa(FIRST, FAILED, 1.0)
        assert secondary.next_wakeup() == 301.0

    def test_without_zone_pauses_double(self) -> None:
        """A secondary that starts before its primary asks again soon."""
        secondary = started(serial=None)
        waits = []
        now = 0.0
        for _ in range(3):
            secondary.on_no_soa(FIRST, FAILED, now)
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
        assert secondary.on_no_soa(FIRST, FAILED, 1002.0) == []
        assert secondary.next_wakeup() == 1012.0

    def test_asks_in_the_moment_of_expiry(self) -> None:
        """Whatever the last failure's pause was."""
        secondary = resting()
        secondary.refresh_at = 1500.0
        assert secondary.on_timer(1000.0) == [Expire(), AskForSoa(FIRST)]

    def test_confirmation_ends_expiry_at_once(self) -> None:
        """The copy was right all the time."""
        secondary = resting()
        secondary.on_timer(1000.0)
        assert secondary.on_soa(FIRST, Serial(7), 1001.0) == [Resume()]
        assert (secondary.expired, secondary.expire_at, secondary.failures) == (False, 2001.0, 0)


class TestClockJumped:
    @pytest.mark.parametrize("seconds", [3600.0, -3600.0, 86400.0, -31536000.0])
    def test_copy_lives_neither_shorter_nor_longer(self, seconds: float) -> None:
        """The jump is remembered until a primary, who is asked at once, confirms the copy."""
        secondary = resting()
        assert secondary.on_clock_jumped(seconds, 50.0) == [AskForSoa(FIRST)]
        assert (secondary.expire_at, secondary.jumped) == (1000.0, seconds)
        secondary.on_soa(FIRST, Serial(7), 51.0)
        assert (secondary.expire_at, secondary.jumped) == (1051.0, 0.0)

    def test_without_a_copy_means_nothing(self) -> None:
        """There is nothing that could expire."""
        secondary = started(serial=None)
        assert (secondary.on_clock_jumped(5.0, 1.0), secondary.jumped) == ([], 0.0)


class TestSeveralPrimaries:
    def test_are_asked_together(self) -> None:
        """One that is silent keeps nobody waiting."""
        assert Secondary((FIRST, SECOND)).on_start(0.0, zone(7), 0.0) == [AskForSoa(FIRST), AskForSoa(SECOND)]

    @pytest.mark.parametrize(
        ("held", "offers", "winner"),
        [
            (7, (8, 9, 8), SECOND),
            (7, (9, 9, 9), FIRST),
            (7, (5, 2147483655, 8), THIRD),
            (4294967290, (4294967295, 1, 0), SECOND),
            (None, (3, 4294967295, 2), FIRST),
        ],
    )
    def test_highest_serial_wins(self, held: int | None, offers: tuple[int, ...], winner: Peer) -> None:
        """By RFC 1982; of the same serial who is named first. One that went backwards is told, and stops nobody."""
        secondary = started(FIRST, SECOND, THIRD, serial=held)
        actions: list[Action] = []
        for one, offered in zip((FIRST, SECOND, THIRD), offers, strict=True):
            assert actions == []
            actions = secondary.on_soa(one, Serial(offered), 0.1)
        assert [action.peer for action in actions if isinstance(action, Transfer)] == [winner]
        if held == 7 and offers[0] == 5:
            assert {str(one): told.reason for one, told in secondary.problems.items()} == {
                str(FIRST): "serial-not-higher",
                str(SECOND): "serial-undefined",
            }

    def test_one_that_is_silent_is_waited_for_half_a_second(self) -> None:
        """And not at all by who has nothing newer to offer."""
        secondary = started(FIRST, SECOND)
        assert secondary.on_soa(FIRST, Serial(8), 1.0) == []
        assert secondary.next_wakeup() == 1.0 + PATIENCE
        assert secondary.on_timer(1.4) == []
        assert secondary.on_timer(1.5) == [Transfer(FIRST, Serial(8), Serial(7))]

    def test_late_answer_with_a_higher_serial_is_followed(self) -> None:
        """After the transfer that was begun without it."""
        secondary = started(FIRST, SECOND)
        secondary.on_soa(FIRST, Serial(8), 1.0)
        secondary.on_timer(1.5)
        assert secondary.on_soa(SECOND, Serial(9), 1.6) == []
        assert secondary.on_transferred(zone(8), 1.7) == [Transfer(SECOND, Serial(9), Serial(8))]

    def test_next_best_is_taken_when_the_best_fails(self) -> None:
        """And the failure is told until it is over."""
        secondary = started(FIRST, SECOND, THIRD)
        for one, serial in ((FIRST, 8), (SECOND, 10), (THIRD, 9)):
            actions = secondary.on_soa(one, Serial(serial), 1.0)
        assert actions == [Transfer(SECOND, Serial(10), Serial(7))]
        assert secondary.on_not_transferred(FAILED, 2.0) == [Transfer(THIRD, Serial(9), Serial(7))]
        assert secondary.on_transferred(zone(9), 3.0) == []
        assert (secondary.problems, secondary.last_failure) == ({SECOND: FAILED}, FAILED)

    def test_newer_that_cannot_be_had_is_tried_again_at_retry(self) -> None:
        """Another primary's word that ours is good does not put it off until refresh."""
        secondary = started(FIRST, SECOND)
        secondary.on_soa(FIRST, Serial(7), 1.0)
        assert secondary.on_soa(SECOND, Serial(8), 1.0) == [Transfer(SECOND, Serial(8), Serial(7))]
        secondary.on_not_transferred(FAILED, 2.0)
        assert (secondary.refresh_at, secondary.expire_at, secondary.failures) == (12.0, 1001.0, 1)

    def test_newer_that_was_cut_off_is_tried_again_soon(self) -> None:
        """A retry of an hour is for a primary that is silent: this one has something, and the line may be well again at once."""
        secondary = Secondary((FIRST,))
        secondary.on_start(0.0, zone(7, refresh=14400, retry=3600, expire=1209600), 0.0)
        now, pauses = 1.0, []
        for _ in range(11):
            assert secondary.on_soa(FIRST, Serial(9), now) == [Transfer(FIRST, Serial(9), Serial(7))]
            secondary.on_not_transferred(FAILED, now)
            pauses.append(secondary.refresh_at - now)
            now = secondary.refresh_at
            assert secondary.on_timer(now) == [AskForSoa(FIRST)]
        assert pauses == [15.0, 30.0, 60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 3840.0, 7680.0, 14400.0]

    def test_one_that_confirms_is_enough(self) -> None:
        """The copy lives on, and the other's failure is told."""
        secondary = started(FIRST, SECOND)
        secondary.on_no_soa(FIRST, FAILED, 1.0)
        assert secondary.on_soa(SECOND, Serial(7), 2.0) == []
        assert (secondary.expire_at, secondary.refresh_at, secondary.last_failure) == (1002.0, 102.0, FAILED)

    def test_transfer_that_is_not_under_way_cannot_fail(self) -> None:
        """Who says so has made a mistake."""
        with pytest.raises(ValueError, match="no transfer"):
            resting().on_not_transferred(FAILED, 1.0)
        with pytest.raises(ValueError, match="no transfer"):
            resting().on_not_newer(Serial(7), 1.0)


class TestOwnDisk:
    def test_that_works_again_asks_for_what_it_refused(self) -> None:
        """And for nothing where it had refused no version."""
        secondary = resting()
        assert secondary.on_kept_again(1.0) == []
        secondary.on_notify(FIRST, Serial(8), 2.0)
        secondary.on_not_transferred(Failure(str(FIRST), "not-kept", "no room", "Make room."), 3.0)
        assert secondary.on_kept_again(4.0) == [AskForSoa(FIRST)]


class TestNotify:
    def test_of_a_newer_serial_leads_to_a_transfer_whose_soa_decides(self) -> None:
        """RFC 1996 section 3.11; no question for the SOA before."""
        assert resting().on_notify(FIRST, Serial(8), 1.0) == [Transfer(FIRST, Serial(8), Serial(7), hinted=True)]
        assert started(FIRST, serial=None).on_notify(FIRST, Serial(8), 1.0) == [Transfer(FIRST, Serial(8), hinted=True)]

    @pytest.mark.parametrize("told", [None, 6, 2147483655])
    def test_of_no_newer_serial_leads_to_a_question(self, told: int | None) -> None:
        """The SOA decides."""
        assert resting().on_notify(FIRST, Serial(told) if told else None, 1.0) == [AskForSoa(FIRST)]

    def test_of_the_serial_held_leads_to_nothing(self) -> None:
        """It tells what we have, and we know that it is so; unless we do not."""
        secondary = resting()
        assert secondary.on_notify(FIRST, Serial(7), 1.0) == []
        secondary.on_timer(100.0)
        secondary.on_no_soa(FIRST, FAILED, 101.0)
        assert secondary.on_notify(FIRST, Serial(7), 102.0) == [AskForSoa(FIRST)]

    def test_ends_the_alarm_about_the_address_that_it_comes_from(self) -> None:
        """Both of a primary's addresses were silent; its return must not leave a failure told."""
        secondary = started(FIRST, SECOND)
        for silent in (FIRST, SECOND):
            secondary.on_no_soa(silent, FAILED, 1.0)
        assert secondary.on_notify(FIRST, Serial(7), 2.0) == [AskForSoa(FIRST)]
        secondary.on_soa(FIRST, Serial(7), 2.0)
        assert secondary.on_notify(FIRST, Serial(7), 3.0) == []
        assert secondary.on_notify(SECOND, Serial(7), 3.0) == [AskForSoa(SECOND)]
        secondary.on_soa(SECOND, Serial(7), 3.0)
        assert secondary.last_failure is None
        assert secondary.on_notify(SECOND, Serial(7), 4.0) == []

    def test_brings_back_what_had_expired(self) -> None:
        """The shortest way back: the primary is there again and says so."""
        secondary = resting()
        secondary.on_timer(1000.0)
        secondary.on_no_soa(FIRST, FAILED, 1001.0)
        assert secondary.on_notify(FIRST, Serial(7), 1002.0) == [AskForSoa(FIRST)]
        assert secondary.on_soa(FIRST, Serial(7), 1002.0) == [Resume()]

    def test_that_misled_is_not_believed_again(self) -> None:
        """Somebody sends in the primary's name: the next one leads to a question, until a transfer brought something."""
        secondary = resting()
        secondary.on_notify(FIRST, Serial(9), 1.0)
        assert secondary.on_not_newer(Serial(7), 1.1) == []
        assert secondary.expire_at == 1001.1
        assert secondary.on_notify(FIRST, Serial(9), 2.0) == [AskForSoa(FIRST)]
        assert secondary.on_soa(FIRST, Serial(8), 2.1) == [Transfer(FIRST, Serial(8), Serial(7))]
        secondary.on_transferred(zone(8), 2.2)
        assert secondary.on_notify(FIRST, Serial(9), 3.0) == [Transfer(FIRST, Serial(9), Serial(8), hinted=True)]

    def test_that_leads_nowhere_makes_the_next_wait_a_little(self) -> None:
        """A flood of NOTIFYs in a primary's name is no flood of questions to it."""
        secondary = resting()
        asked, now = 0, 10.0
        for _ in range(10_000):
            now += 0.001
            for action in [*secondary.on_notify(FIRST, None, now), *secondary.on_timer(now)]:
                assert action == AskForSoa(FIRST)
                asked += 1
                secondary.on_soa(FIRST, Serial(7), now)
        assert 5 <= asked <= 8
        assert secondary.on_notify(FIRST, None, now + 100.0) == [AskForSoa(FIRST)]
        secondary.on_soa(FIRST, Serial(7), now + 100.0)
        assert secondary.on_notify(FIRST, None, now + 100.2) == [AskForSoa(FIRST)]

    @pytest.mark.parametrize("storm", [1, 1000])
    def test_while_asking_leads_to_one_more_question(self, storm: int) -> None:
        """What we are asking may be older than what it told; a thousand of them are one."""
        secondary = started()
        assert [secondary.on_notify(FIRST, None, 0.5) for _ in range(storm)] == [[]] * storm
        assert secondary.on_soa(FIRST, Serial(7), 1.0) == [AskForSoa(FIRST)]
        assert secondary.on_soa(FIRST, Serial(7), 2.0) == []

    @pytest.mark.parametrize("storm", [1, 100])
    def test_while_transferring_leads_to_one_more_transfer(self, storm: int) -> None:
        """One under way, and one more after: of the newest that was told."""
        secondary = resting()
        secondary.on_notify(FIRST, Serial(8), 1.0)
        assert [secondary.on_notify(FIRST, Serial(9 + number), 1.0) for number in range(storm)] == [[]] * storm
        newest = Serial(8 + storm)
        assert secondary.on_transferred(zone(8), 2.0) == [Transfer(FIRST, newest, Serial(8), hinted=True)]
        assert secondary.on_transferred(zone(newest.value), 3.0) == []

    def test_while_another_primary_is_silent_is_not_delayed(self) -> None:
        """A question that nobody answers takes seconds."""
        secondary = started(FIRST, SECOND)
        secondary.on_soa(FIRST, Serial(7), 0.1)
        assert secondary.busy
        assert secondary.on_notify(FIRST, Serial(8), 0.2) == [Transfer(FIRST, Serial(8), Serial(7), hinted=True)]
        assert secondary.on_transferred(zone(8), 0.3) == []
        assert secondary.on_no_soa(SECOND, FAILED, 8.0) == []
        assert secondary.failures == 0

    def test_during_a_question_to_its_sender_is_followed_too(self) -> None:
        """The answer under way is older."""
        secondary = started()
        assert secondary.on_notify(FIRST, Serial(8), 0.1) == [Transfer(FIRST, Serial(8), Serial(7), hinted=True)]
        assert secondary.on_soa(FIRST, Serial(7), 0.2) == []
        assert secondary.on_transferred(zone(8), 0.3) == []
        assert not secondary.busy

    def test_whose_sender_fails_leads_to_the_others(self) -> None:
        """What it told may be there too; the retry time follows, though refresh is far."""
        secondary = Secondary((FIRST, SECOND))
        secondary.on_start(0.0, zone(7), 0.0)
        for one in (FIRST, SECOND):
            secondary.on_soa(one, Serial(7), 0.0)
        secondary.on_notify(FIRST, Serial(8), 1.0)
        assert secondary.on_not_transferred(FAILED, 2.0) == [AskForSoa(SECOND)]
        assert secondary.on_soa(SECOND, Serial(8), 2.0) == [Transfer(SECOND, Serial(8), Serial(7))]
        secondary.on_not_transferred(FAILED, 3.0)
        assert secondary.refresh_at == 13.0


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
        secondary.on_not_transferred(FAILED, 2.0)
        assert (secondary.held, secondary.expire_at, secondary.refresh_at) == (Serial(7), 1000.0, 12.0)

    def test_lie_of_the_soa_question_is_found_out(self) -> None:
        """It offered more than it transfers: refused, with the reason."""
        secondary = started()
        secondary.on_soa(FIRST, Serial(8), 1.0)
        assert secondary.on_not_newer(Serial(6), 2.0) == []
        assert secondary.last_failure is not None
        assert secondary.last_failure.reason == "serial-not-higher"
        assert secondary.on_notify(FIRST, Serial(8), 3.0) == [Transfer(FIRST, Serial(8), Serial(7), hinted=True)]


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

    def test_of_several_primaries_takes_the_highest(self) -> None:
        """Lower than ours or not."""
        secondary = started(FIRST, SECOND)
        for one in (FIRST, SECOND):
            secondary.on_soa(one, Serial(7), 0.0)
        secondary.on_retransfer()
        secondary.on_soa(FIRST, Serial(4), 1.0)
        assert secondary.on_soa(SECOND, Serial(5), 1.0) == [Transfer(SECOND, Serial(5))]

    def test_while_a_question_is_under_way_is_carried_out_after_it(self) -> None:
        """The answer to the question already leads to a transfer."""
        secondary = started()
        assert secondary.on_retransfer() == []
        assert secondary.on_soa(FIRST, Serial(7), 1.0) == [Transfer(FIRST, Serial(7))]
        assert secondary.on_transferred(zone(7), 2.0) == []

    def test_while_a_transfer_is_under_way_is_carried_out_after_it(self) -> None:
        """What is under way may be what the operator wants to be rid of."""
        secondary = started()
        secondary.on_soa(FIRST, Serial(8), 1.0)
        assert secondary.on_retransfer() == []
        assert secondary.on_transferred(zone(8), 2.0) == [AskForSoa(FIRST)]
        assert secondary.on_soa(FIRST, Serial(3), 2.0) == [Transfer(FIRST, Serial(3))]
        assert secondary.on_transferred(zone(3), 3.0) == []
        assert secondary.held == Serial(3)

    def test_is_not_lost_when_what_was_under_way_fails(self) -> None:
        """The order gets a try of its own."""
        secondary = started()
        secondary.on_retransfer()
        assert secondary.on_no_soa(FIRST, FAILED, 1.0) == [AskForSoa(FIRST)]
        assert secondary.on_soa(FIRST, Serial(7), 2.0) == [Transfer(FIRST, Serial(7))]

    def test_that_fails_is_not_repeated(self) -> None:
        """A week later nobody wants it any more."""
        secondary = resting()
        secondary.on_retransfer()
        assert secondary.on_no_soa(FIRST, FAILED, 1.0) == []
        secondary.on_timer(11.0)
        assert secondary.on_soa(FIRST, Serial(7), 12.0) == []
