"""Who is asked for what changed by UDP, and who is not."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from mailname.server.network import Endpoint
from mailname.server.unwilling import SILENT, UNWILLING, Unwilling

ONE, OTHER = (Endpoint(ip_address(f"192.0.2.{number}")) for number in (1, 2))


class TestUnwilling:
    def test_nobody_at_first(self) -> None:
        assert Unwilling().is_willing(ONE, 0.0)

    @pytest.mark.parametrize(("passed", "asked"), [(SILENT - 1, False), (SILENT, True)])
    def test_one_that_was_silent_is_left_alone_for_a_time(self, passed: float, asked: bool) -> None:
        servers = Unwilling()
        servers.silent(ONE, 10.0)
        assert servers.is_willing(ONE, 10.0 + passed) == asked
        assert servers.is_willing(OTHER, 10.0)

    def test_one_answer_without_a_change_may_be_one_that_was_too_long(self) -> None:
        servers = Unwilling()
        servers.sent_no_change(ONE, 10.0)
        assert servers.is_willing(ONE, 10.0)

    def test_two_in_a_row_are_the_servers_way(self) -> None:
        servers = Unwilling()
        servers.sent_no_change(ONE, 10.0)
        servers.sent_no_change(ONE, 11.0)
        assert not servers.is_willing(ONE, 10.0 + UNWILLING)
        assert servers.is_willing(ONE, 11.0 + UNWILLING)

    def test_a_change_in_between_makes_it_good(self) -> None:
        servers = Unwilling()
        servers.sent_no_change(ONE, 10.0)
        servers.well(ONE)
        servers.sent_no_change(ONE, 11.0)
        assert servers.is_willing(ONE, 11.0)
