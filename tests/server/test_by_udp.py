"""Who is asked for what changed by UDP, and who is not."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mailname.server.by_udp import PROVEN, SILENT, UNWILLING, ByUdp
from mailname.server.network import Endpoint

ONE, OTHER = (Endpoint(ip_address(f"192.0.2.{number}")) for number in (1, 2))


def _known() -> ByUdp:
    servers = ByUdp()
    for one in (ONE, OTHER):
        servers.reached_by_tcp(one, 5.0)
    return servers


class TestByUdp:
    def test_nobody_at_first(self) -> None:
        """A new zone needs TCP: that it is closed must come out."""
        assert not ByUdp().may_ask(ONE, 0.0)

    @pytest.mark.parametrize(("passed", "asked"), [(0.0, True), (PROVEN - 1, True), (PROVEN, False)])
    def test_one_that_was_reached_by_tcp(self, passed: float, asked: bool) -> None:
        assert _known().may_ask(ONE, 5.0 + passed) == asked

    @pytest.mark.parametrize(("passed", "asked"), [(SILENT - 1, False), (SILENT, True)])
    def test_one_that_was_silent_is_left_alone_for_a_time(self, passed: float, asked: bool) -> None:
        servers = _known()
        servers.silent(ONE, 10.0)
        assert servers.may_ask(ONE, 10.0 + passed) == asked
        assert servers.may_ask(OTHER, 10.0)

    def test_one_answer_without_a_change_may_be_one_that_was_too_long(self) -> None:
        servers = _known()
        servers.sent_no_change(ONE, 10.0)
        assert servers.may_ask(ONE, 10.0)

    def test_two_in_a_row_are_the_servers_way(self) -> None:
        servers = _known()
        servers.sent_no_change(ONE, 10.0)
        servers.sent_no_change(ONE, 11.0)
        servers.reached_by_tcp(ONE, 10.0 + UNWILLING)
        assert not servers.may_ask(ONE, 10.0 + UNWILLING)
        assert servers.may_ask(ONE, 11.0 + UNWILLING)

    def test_a_change_in_between_makes_it_good(self) -> None:
        servers = _known()
        servers.sent_no_change(ONE, 10.0)
        servers.well(ONE)
        servers.sent_no_change(ONE, 11.0)
        assert servers.may_ask(ONE, 11.0)
