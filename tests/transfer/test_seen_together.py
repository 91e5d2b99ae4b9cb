from __future__ import annotations

from dataclasses import replace

import pytest

from mailname.transfer.seen_together import View, cause_between, cause_of_primary
from mailname.transfer.side import Failed, Problem, Side, Told
from mailname.zone import Serial

ZONE = "example.tech."
NOON = "2026-11-22T12:00:00+00:00"
FAILED = Failed("timeout-udp", "192.0.2.1:53: no answer by UDP, nor by TCP", "", "192.0.2.1:53", NOON, NOON, 1, None, "192.0.2.2")
TOLD = Told("192.0.2.2:53", "waiting", 5, 4, "192.0.2.2:53: no answer by UDP", "", 4, NOON)
COPY = Side("ns2", ZONE, "secondary", "serving", 4, frozenset({"192.0.2.2"}), primaries=("192.0.2.1:53",))
ORIGINAL = Side("ns1", ZONE, "primary", "serving", 5, frozenset({"192.0.2.1"}), told=(TOLD,))
SECONDARY = View("ns2", frozenset({"192.0.2.2"}), COPY, Serial(4), udp=True, tcp=True)
PRIMARY = View("ns1", frozenset({"192.0.2.1"}), ORIGINAL, Serial(5), udp=True, tcp=True)
GONE = replace(SECONDARY, side=None, serial=None, says="refused", udp=False, tcp=False)
DEAF = replace(PRIMARY, side=None, serial=None, says="no answer", udp=False, tcp=False)


class TestSecondary:
    @pytest.mark.parametrize(
        ("secondary", "primary", "code", "words"),
        [
            (GONE, replace(PRIMARY, side=None), "REPL-07", "Nothing listens on ns2"),
            (GONE, PRIMARY, "REPL-07", "Nothing listens on ns2"),
            (replace(GONE, says="no answer"), replace(PRIMARY, side=None), "REPL-29", "open port 53"),
            (SECONDARY, PRIMARY, "REPL-22", "ns2 answers questions by UDP"),
            (replace(SECONDARY, udp=False, says="not by UDP"), PRIMARY, "REPL-22", "ns2 runs"),
            (replace(GONE, says="no answer", udp=None, tcp=None), PRIMARY, "REPL-22", "after 4 tries"),
            (replace(SECONDARY, side=None, lacks_zone=True), PRIMARY, "REPL-14", "--server ns2"),
            (replace(SECONDARY, side=replace(COPY, failed=FAILED)), replace(DEAF, lacks_zone=True), "REPL-14", "--server ns1"),
            (replace(SECONDARY, side=replace(COPY, failed=FAILED)), DEAF, "REPL-10", "(192.0.2.1:53) answers neither"),
            (
                replace(SECONDARY, side=replace(COPY, failed=replace(FAILED, peer="192.0.2.77:53"))),
                PRIMARY,
                "REPL-35",
                "asks 192.0.2.77:53, which is no address of ns1 (192.0.2.1)",
            ),
            (SECONDARY, replace(PRIMARY, side=replace(ORIGINAL, told=())), "REPL-34", "it notifies nobody"),
            (
                replace(SECONDARY, serial=Serial(5)),
                replace(PRIMARY, side=replace(ORIGINAL, told=(replace(TOLD, address="192.0.2.77:53"),))),
                "REPL-34",
                "it notifies 192.0.2.77",
            ),
            (replace(SECONDARY, serial=Serial(5), udp=False), replace(PRIMARY, side=None), "REPL-33", "Open UDP port 53"),
            (replace(SECONDARY, serial=Serial(5), tcp=False), replace(PRIMARY, side=None), "REPL-09", "Open TCP port 53"),
        ],
    )
    def test_has_one_cause(self, secondary: View, primary: View, code: str, words: str) -> None:
        """With the name that the plan gives it, and what to type."""
        cause = cause_between(ZONE, secondary, primary)
        assert cause is not None
        assert (cause.code, words in f"{cause.says} {cause.remedy}") == (code, True), cause

    def test_that_serves_the_version_of_a_primary_that_knows_it_is_well(self) -> None:
        told = replace(TOLD, state="acknowledged", fetched=5)
        assert (
            cause_between(ZONE, replace(SECONDARY, serial=Serial(5)), replace(PRIMARY, side=replace(ORIGINAL, told=(told,))))
            is None
        )

    def test_goes_by_the_plan_where_the_primary_was_installed_anew(self) -> None:
        """It fetched from one of its addresses, and is offered less at another: the same server went back."""
        failed = replace(FAILED, reason="serial-not-higher", peer="[2001:db8::1]:53", offered=2)
        side = replace(COPY, failed=failed, fetched_from="192.0.2.1:53")
        both = frozenset({"192.0.2.1", "2001:db8::1"})
        primary = replace(PRIMARY, addresses=both, side=replace(ORIGINAL, addresses=both, serial=2))
        cause = cause_between(ZONE, replace(SECONDARY, side=side), primary)
        assert cause is not None
        assert cause.code == "REPL-15"


class TestPrimary:
    @pytest.mark.parametrize(
        ("primary", "code", "words"),
        [
            (replace(PRIMARY, side=None, serial=None, lacks_zone=True), "REPL-14", "--server ns1"),
            (
                replace(PRIMARY, side=replace(ORIGINAL, problem=Problem("load-failed", "a.zone:1:1: no.", ""))),
                "REPL-24",
                "a.zone",
            ),
            (
                replace(PRIMARY, side=replace(COPY, name="ns1", addresses=PRIMARY.addresses, primaries=("192.0.2.2:53",))),
                "REPL-21",
                "each other",
            ),
            (replace(PRIMARY, side=replace(COPY, name="ns1", primaries=("192.0.2.9:53",))), "REPL-36", "--server ns1"),
            (DEAF, "REPL-29", "ns1 gives no answer"),
            (replace(DEAF, says="refused"), "REPL-07", "mailname serve"),
            (replace(DEAF, says="No route to host"), "REPL-29", "cannot be asked from here: No route to host"),
            (replace(PRIMARY, udp=False, says="not by UDP: no answer"), "REPL-33", "Open UDP port 53 before ns1"),
            (replace(PRIMARY, tcp=False, says="not by TCP: no answer"), "REPL-09", "Open TCP port 53 before ns1"),
        ],
    )
    def test_has_one_cause(self, primary: View, code: str, words: str) -> None:
        """Its own, not that of its secondaries."""
        cause = cause_of_primary(ZONE, primary, (SECONDARY,))
        assert cause is not None
        assert (cause.code, words in f"{cause.says} {cause.remedy}") == (code, True), cause

    def test_that_serves_has_none(self) -> None:
        assert cause_of_primary(ZONE, PRIMARY, (SECONDARY,)) is None
