from __future__ import annotations

import pytest
from tests.plan.marked_plans import assert_told, good


class TestTimers:
    def test_of_the_old_recipe(self) -> None:
        """Refresh 1800 and retry 900 are below what some demand; expire and minimum are fine."""
        assert_told(good(("14400", "¦1800"), ("3600", "¦900")), "Zone02", "Zone04", "the .de registry")

    @pytest.mark.parametrize(
        ("old", "new", "whose"),
        [
            ("14400", "1000", "RFC 1912"),
            ("14400", "90000", ".de"),
            ("3600", "30000", ".de"),
            ("1209600", "86400", "RFC 1912"),
            ("1209600", "9999999", "RFC 1912"),
            ("1800", "60", "Zone06"),
            ("1800", "100000", "Zone06"),
            ("3600", "5000", "eighth"),
            ("3600", "14400", "Zone03"),
        ],
    )
    def test_outside_a_range_name_its_owner(self, old: str, new: str, whose: str) -> None:
        """One message each, and whose rule it is."""
        assert_told(good((old, "¦" + new)), whose)

    def test_against_a_default_blame_what_is_given(self) -> None:
        """Who gives only refresh is told at refresh."""
        assert_told(good(("14400", "¦86400"), ("retry   = 3600\n", "")), "eighth")

    def test_that_are_broken_are_not_compared(self) -> None:
        """A retry that is no time proves nothing about refresh."""
        assert_told(good(("14400", "86400"), ("3600", '¦"x"')))
