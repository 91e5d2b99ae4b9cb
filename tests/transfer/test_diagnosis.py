from __future__ import annotations

from dataclasses import replace

import pytest

from mailname.transfer.diagnosis import cause_at_primary, cause_at_secondary
from mailname.transfer.failed_connection import OPENED_AND_SILENT
from mailname.transfer.seen_together import View, cause_between
from mailname.transfer.side import Failed, Problem, Refused, Side, Told
from mailname.zone import Serial

ZONE = "example.tech."
NOON, LATER, MUCH_LATER = (f"2026-11-22T12:{minute}:00+00:00" for minute in ("00", "01", "30"))
FAILED = Failed("refused", "192.0.2.1:53: answered REFUSED", "", "192.0.2.1:53", NOON, NOON, 1, 5, "10.0.0.2")
TOLD = Told("192.0.2.2:53", "acknowledged", 5, 1, "", "", None, "")
SECONDARY = Side("ns2", ZONE, "secondary", "serving", 4, frozenset({"192.0.2.2"}), failed=FAILED)
PRIMARY = Side("ns1", ZONE, "primary", "serving", 5, frozenset({"192.0.2.1"}), since=NOON, told=(TOLD,))


def code(secondary: Side, primary: Side | None = None) -> str | None:
    cause = cause_at_secondary(secondary, primary)
    return cause.code if cause else None


class TestAtSecondary:
    def test_behind_nat_the_moment_joins_both_accounts(self) -> None:
        """It asks from a private address; the primary refused another one at the same time, and none of ours."""
        refused = Refused(NOON, "203.0.113.7", "refused", "203.0.113.7 is not a secondary of this zone")
        cause = cause_at_secondary(SECONDARY, replace(PRIMARY, refused=(refused,)))
        assert cause is not None
        assert (cause.code, "saw 203.0.113.7" in cause.says, len(cause.heard)) == ("REPL-02", True, 2)

    def test_refusal_of_another_moment_is_not_ours(self) -> None:
        """A stranger half an hour later says nothing."""
        refused = Refused(MUCH_LATER, "203.0.113.7", "refused", "no")
        cause = cause_at_secondary(SECONDARY, replace(PRIMARY, refused=(refused,)))
        assert cause is not None
        assert len(cause.heard) == 1

    @pytest.mark.parametrize(("reason", "wanted"), [("badtrunc", "REPL-31"), ("unsigned", "REPL-06"), ("new-word", "REPL-28")])
    def test_words_of_failures_have_codes(self, reason: str, wanted: str) -> None:
        """One that nobody knows has the last."""
        assert code(replace(SECONDARY, failed=replace(FAILED, reason=reason))) == wanted

    @pytest.mark.parametrize(("reason", "wanted"), [("catalog-broken", "REPL-32"), ("member-clash", "REPL-32"), ("?", "REPL-28")])
    def test_problem_of_its_own_is_a_cause(self, reason: str, wanted: str) -> None:
        """Where nothing fails between the servers."""
        assert code(replace(SECONDARY, failed=None, problem=Problem(reason, "it is so", "do this"))) == wanted

    def test_without_failure_there_is_none(self) -> None:
        assert code(replace(SECONDARY, failed=None), PRIMARY) is None

    def test_unsigned_request_is_told_as_such(self) -> None:
        """Where the primary was asked, by its words; else as one of two possibilities."""
        refused = Refused(NOON, "10.0.0.2", "refused", "10.0.0.2 is a secondary of this zone, but must sign with the key k")
        cause = cause_at_secondary(SECONDARY, replace(PRIMARY, refused=(refused,)))
        assert cause is not None
        assert (cause.code, cause.remedy.startswith("Name the key on ns2")) == ("REPL-01", True)
        alone = cause_at_secondary(replace(SECONDARY, addresses=frozenset(), failed=replace(FAILED, signed=False)))
        assert alone is not None
        assert (alone.code, "ns2 does not sign" in alone.says) == ("REPL-01", True)

    def test_open_connection_without_an_answer_is_no_closed_port(self) -> None:
        """Small packets pass, large ones do not."""
        says = f"192.0.2.1:53: {OPENED_AND_SILENT}"
        cause = cause_at_secondary(replace(SECONDARY, failed=replace(FAILED, reason="timeout-tcp", says=says)))
        assert cause is not None
        assert (cause.code, "MTU" in cause.remedy) == ("REPL-13", True)

    def test_own_packet_filter_is_told_from_a_missing_route(self) -> None:
        """The system has another word for it."""
        for says, wanted in (
            ("Operation not permitted", "nft list ruleset"),
            ("Network is unreachable", "ip route get 192.0.2.1"),
        ):
            failed = replace(FAILED, reason="unreachable", says=f"192.0.2.1:53: cannot be reached: {says}")
            cause = cause_at_secondary(replace(SECONDARY, failed=failed))
            assert cause is not None
            assert (cause.code, wanted in cause.remedy) == ("REPL-11", True)

    def test_key_is_named(self) -> None:
        """The one with which it signs, not its secret."""
        says = "192.0.2.1:53: the peer rejects our signature with the key k.example. (BADKEY)"
        cause = cause_at_secondary(replace(SECONDARY, failed=replace(FAILED, reason="badkey", says=says)))
        assert cause is not None
        assert "does not know the key k.example with which ns2 signs" in cause.says

    def test_spoiled_file_is_to_be_read_again(self) -> None:
        """What to type stands behind what to mend; not twice."""
        for remedy, ends in (
            ("Use A.", "Use A. Then: mailname reload example.tech"),
            ("Type: mailname publish PLAN", "publish PLAN"),
        ):
            cause = cause_at_secondary(replace(PRIMARY, problem=Problem("load-failed", f"it is so {remedy}", remedy)))
            assert cause is not None
            assert cause.says == "It is so."
            assert cause.remedy.endswith(ends)


class TestAtPrimary:
    @pytest.mark.parametrize(("holds", "wanted"), [(None, None), (5, None), (4, "REPL-27"), (6, "REPL-15")])
    def test_what_a_secondary_answers_tells_whether_it_fetched(self, holds: int | None, wanted: str | None) -> None:
        """An acknowledged NOTIFY says nothing of that; who has it from elsewhere is well."""
        cause = cause_at_primary(PRIMARY, replace(TOLD, holds=holds))
        assert (cause.code if cause else None) == wanted

    def test_transfer_that_was_sent_may_not_have_arrived(self) -> None:
        """What is written to a connection is not yet with the other side."""
        cause = cause_at_primary(PRIMARY, replace(TOLD, fetched=5, fetched_at=NOON, holds=4))
        assert cause is not None
        assert (cause.code, "did not arrive" in cause.says) == ("REPL-27", True)

    def test_refusal_before_the_last_transfer_is_history(self) -> None:
        """It has been mended since."""
        primary = replace(PRIMARY, refused=(Refused(NOON, "192.0.2.2", "badsig", "BADSIG"),))
        assert cause_at_primary(primary, replace(TOLD, fetched=5, fetched_at=LATER)) is None
        cause = cause_at_primary(primary, TOLD)
        assert cause is not None
        assert cause.code == "REPL-04"

    @pytest.mark.parametrize(("settled", "wanted"), [(None, None), (False, "REPL-05"), (True, None)])
    def test_refusal_is_settled_when_the_primary_says_so_whatever_the_times(
        self, settled: bool | None, wanted: str | None
    ) -> None:
        """A clock that was wrong wrote them: one that was a day ahead must not hide, nor keep alive, what is so now."""
        refused = Refused(NOON, "192.0.2.2", "badtime", "BADTIME", settled)
        cause = cause_at_primary(replace(PRIMARY, refused=(refused,)), replace(TOLD, fetched=5, fetched_at=LATER))
        assert (cause and cause.code) == wanted

    @pytest.mark.parametrize(
        ("reason", "wanted"), [("badtime", "REPL-05"), ("badkey", "REPL-03"), ("badsig", "REPL-04"), ("timeout-udp", None)]
    )
    def test_notify_whose_signature_is_rejected_tells_why(self, reason: str, wanted: str | None) -> None:
        """Also where it has the version: with that key, or clock, it gets no other one."""
        told = replace(TOLD, state="waiting", reason=reason, says="192.0.2.2:53: 600 seconds", fetched=5, fetched_at=LATER)
        cause = cause_at_primary(PRIMARY, told)
        assert (cause and cause.code) == wanted
        if reason == "badtime":
            assert cause is not None
            assert cause.says == "192.0.2.2 rejects our NOTIFY for example.tech: 600 seconds."
            assert "timedatectl" in cause.remedy

    @pytest.mark.parametrize(("role", "where"), [("primary", "primary"), ("secondary", "secondary")])
    def test_disk_that_takes_nothing_is_mended_where_it_is(self, role: str, where: str) -> None:
        side = Side(
            "this server", ZONE, role, "serving", 5, problem=Problem("not-kept", "cannot write. Make room.", "Make room.")
        )
        cause = cause_at_secondary(side)
        assert cause is not None
        assert (cause.code, cause.where) == ("REPL-26", where)
        assert ("mailname reload example.tech" in cause.remedy) == (role == "primary")

    def test_stranger_makes_nothing_unwell_while_all_have_it(self) -> None:
        """Anybody can ask for a transfer."""
        primary = replace(PRIMARY, refused=(Refused(LATER, "203.0.113.7", "refused", "no"),))
        assert cause_at_primary(primary, replace(TOLD, fetched=5, fetched_at=NOON)) is None

    @pytest.mark.parametrize(("holds", "wanted"), [(None, "REPL-02"), (4, "REPL-02"), (5, None)])
    def test_stranger_is_not_taken_for_one_that_answers_our_version(self, holds: int | None, wanted: str | None) -> None:
        """At one of its addresses it is notified, from another it fetches: what it answers decides."""
        refused = Refused(NOON, "203.0.113.7", "refused", "203.0.113.7 is not a secondary of this zone")
        cause = cause_at_primary(replace(PRIMARY, refused=(refused,)), replace(TOLD, holds=holds))
        assert (cause and cause.code) == wanted

    def test_unsigned_try_of_one_that_has_it_is_no_cause(self) -> None:
        """Somebody tried by hand on that machine."""
        primary = replace(PRIMARY, refused=(Refused(LATER, "192.0.2.2", "refused", "not signed"),))
        assert cause_at_primary(primary, replace(TOLD, fetched=5, fetched_at=NOON)) is None


class TestOneAddressOfSeveral:
    @pytest.mark.parametrize("reason", ["timeout-udp", "connection-refused", "unreachable"])
    def test_is_named_without_taking_the_server_for_dead(self, reason: str) -> None:
        """Two addresses of one primary, and one of them fails: the zone is confirmed by the other."""
        failed = replace(FAILED, reason=reason, says="192.0.2.1:53: no answer", offered=None)
        both = replace(SECONDARY, failed=failed, primaries=("192.0.2.1:53", "[2001:db8::1]:53"))
        for failures, told in ((0, True), (1, False), (None, False)):
            cause = cause_at_secondary(replace(both, failures=failures))
            assert cause is not None
            assert ("by another address the zone is confirmed" in cause.says) == told
            assert ("Start the server" in cause.remedy) == (not told and reason != "unreachable")


class TestBetween:
    @pytest.mark.parametrize(
        ("theirs", "ours", "wanted"),
        [(None, 5, "REPL-29"), (4, 5, "REPL-27"), (6, 5, "REPL-15"), (5, 5, None), (4, None, None), (2**32 - 1, 5, "REPL-27")],
    )
    def test_from_outside_alone_serials_tell(self, theirs: int | None, ours: int | None, wanted: str | None) -> None:
        """By RFC 1982."""
        secondary = View("ns2", frozenset({"192.0.2.2"}), None, Serial(theirs) if theirs else None, "answers SERVFAIL")
        primary = View("ns1", frozenset({"192.0.2.1"}), None, Serial(ours) if ours else None)
        cause = cause_between(ZONE, secondary, primary)
        assert (cause.code if cause else None) == wanted
