from __future__ import annotations

from tests.plan.marked_plans import GOOD, assert_told


class TestReverseZones:
    def test_the_same_prefix_twice(self) -> None:
        """Told at the second."""
        assert_told(
            GOOD + '[[reverse_zone]]\nprefix = "192.0.2.0/24"\n[[reverse_zone]]\nprefix = ¦"192.0.2.0/24"\n', "there twice"
        )

    def test_an_address_outside_its_prefix(self) -> None:
        """Of either family."""
        head = GOOD + '[[reverse_zone]]\nprefix = "192.0.2.0/24"\n'
        assert_told(head + 'ptr = [{address = ¦"198.51.100.2", name = "a"}, {address = ¦"2001:db8::1", name = "b"}]\n', "not in")

    def test_a_second_name_for_an_address(self) -> None:
        """Mail servers expect one."""
        head = GOOD + '[[reverse_zone]]\nprefix = "192.0.2.0/24"\n'
        assert_told(head + 'ptr = [{address = "192.0.2.1", name = "a"}, {address = ¦"192.0.2.1", name = "b"}]\n', "second PTR")

    def test_a_broken_prefix_or_address_is_told_alone(self) -> None:
        """What cannot be read is compared with nothing."""
        assert_told(
            GOOD
            + '[[reverse_zone]]\nprefix = ¦"x/24"\nptr = [{address = "192.0.2.1", name = "a"}, {address = ¦"x", name = "b"}]\n'
        )
