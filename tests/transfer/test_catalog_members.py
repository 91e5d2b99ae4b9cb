"""Which zones come, go and begin anew as catalogs change (RFC 9432 section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from hypothesis import given
from hypothesis import strategies as st

from mailname.transfer.catalog import Member, by_zone
from mailname.transfer.catalog_members import Clash, Memberships, Ownership

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ONE, TWO = dns.name.from_text("one.catalog."), dns.name.from_text("two.catalog.")
ZONE, OTHER = dns.name.from_text("example.tech."), dns.name.from_text("example.org.")


def member(
    zone: dns.name.Name = ZONE, label: bytes = b"a", groups: tuple[str, ...] = (), coo: dns.name.Name | None = None
) -> Member:
    return Member(zone, label, groups, coo)


def listed(*members: Member) -> Mapping[dns.name.Name, Member]:
    return by_zone(members)


def by_hand(*zones: dns.name.Name) -> Callable[[dns.name.Name], bool]:
    return lambda zone: zone in zones


NOTHING = by_hand()


class TestCatalog:
    def test_new_member_is_added_and_one_that_left_is_removed(self) -> None:
        memberships = Memberships()
        first = memberships.follow(ONE, listed(member()), NOTHING)
        assert first.added == {ZONE: Ownership(ONE, member())}
        second = memberships.follow(ONE, listed(member(OTHER, b"b")), NOTHING)
        assert second.added == {OTHER: Ownership(ONE, member(OTHER, b"b"))}
        assert second.removed == {ZONE: Ownership(ONE, member())}
        assert memberships.owners == {OTHER: ONE}

    def test_that_says_the_same_changes_nothing(self) -> None:
        memberships = Memberships()
        memberships.follow(ONE, listed(member()), NOTHING)
        assert not memberships.follow(ONE, listed(member()), NOTHING)

    def test_another_group_is_a_change(self) -> None:
        memberships = Memberships()
        memberships.follow(ONE, listed(member()), NOTHING)
        change = memberships.follow(ONE, listed(member(groups=("signed",))), NOTHING)
        assert change.changed == {ZONE: Ownership(ONE, member(groups=("signed",)))}

    def test_another_label_begins_the_zone_anew(self) -> None:
        """Section 5.4: as if it had been removed with all its state, and added again."""
        memberships = Memberships()
        memberships.follow(ONE, listed(member()), NOTHING)
        change = memberships.follow(ONE, listed(member(label=b"b")), NOTHING)
        assert change.reset == {ZONE: Ownership(ONE, member(label=b"b"))}
        assert not change.added
        assert not change.removed

    def test_forgotten_gives_up_its_zones(self) -> None:
        memberships = Memberships()
        memberships.follow(ONE, listed(member()), NOTHING)
        assert memberships.forget(ONE) == {ZONE: Ownership(ONE, member())}
        assert memberships.owners == {}
        assert memberships.forget(ONE) == {}


class TestClash:
    def test_zone_configured_by_hand_stays_with_its_configuration(self) -> None:
        """Section 5.2."""
        memberships = Memberships()
        change = memberships.follow(ONE, listed(member()), by_hand(ZONE))
        assert not change
        assert change.clashes == [Clash(ZONE, ONE, None)]
        assert "by hand" in str(change.clashes[0])

    def test_member_of_another_catalog_stays_there(self) -> None:
        memberships = Memberships()
        memberships.follow(ONE, listed(member()), NOTHING)
        change = memberships.follow(TWO, listed(member()), NOTHING)
        assert not change
        assert change.clashes == [Clash(ZONE, TWO, ONE)]
        assert "no coo property" in str(change.clashes[0])

    def test_zone_that_comes_free_goes_to_the_catalog_that_waits_with_nothing_of_what_was_held(self) -> None:
        """What the former catalog's zone held is not taken over by a catalog that it was not given to."""
        memberships = Memberships()
        memberships.follow(ONE, listed(member()), NOTHING)
        memberships.follow(TWO, listed(member()), NOTHING)
        change = memberships.follow(ONE, {}, NOTHING)
        assert change.reset == {ZONE: Ownership(TWO, member())}
        assert not change.removed
        assert memberships.owners == {ZONE: TWO}

    def test_nobody_waits_any_more_once_the_clash_is_gone(self) -> None:
        memberships = Memberships()
        memberships.follow(ONE, listed(member()), NOTHING)
        memberships.follow(TWO, listed(member()), NOTHING)
        memberships.follow(TWO, {}, NOTHING)
        assert memberships.follow(ONE, {}, NOTHING).removed == {ZONE: Ownership(ONE, member())}

    def test_zone_that_comes_free_and_is_now_configured_by_hand_stays_there(self) -> None:
        memberships = Memberships()
        memberships.follow(ONE, listed(member()), NOTHING)
        memberships.follow(TWO, listed(member()), NOTHING)
        assert not memberships.follow(ONE, {}, by_hand(ZONE)).reset


class TestChangeOfOwnership:
    def test_keeps_the_state_when_the_label_is_the_same(self) -> None:
        """Section 4.4.1: the old catalog's coo names the new one, and the member is there."""
        memberships = Memberships()
        memberships.follow(ONE, listed(member(coo=TWO)), NOTHING)
        change = memberships.follow(TWO, listed(member()), NOTHING)
        assert change.changed == {ZONE: Ownership(TWO, member())}
        assert memberships.owners == {ZONE: TWO}

    def test_begins_anew_when_the_label_is_another(self) -> None:
        memberships = Memberships()
        memberships.follow(ONE, listed(member(coo=TWO)), NOTHING)
        change = memberships.follow(TWO, listed(member(label=b"b")), NOTHING)
        assert change.reset == {ZONE: Ownership(TWO, member(label=b"b"))}

    def test_waits_for_the_new_catalog(self) -> None:
        """The property alone moves nothing."""
        memberships = Memberships()
        memberships.follow(ONE, listed(member()), NOTHING)
        memberships.follow(ONE, listed(member(coo=TWO)), NOTHING)
        assert memberships.owners == {ZONE: ONE}

    def test_is_not_followed_to_another_catalog_than_the_one_named(self) -> None:
        memberships = Memberships()
        memberships.follow(ONE, listed(member(coo=dns.name.from_text("three.catalog."))), NOTHING)
        assert memberships.follow(TWO, listed(member()), NOTHING).clashes == [Clash(ZONE, TWO, ONE)]

    def test_taken_back_before_the_new_catalog_lists_the_zone_moves_nothing(self) -> None:
        """The property must still be there at that moment."""
        memberships = Memberships()
        memberships.follow(ONE, listed(member(coo=TWO)), NOTHING)
        memberships.follow(ONE, listed(member()), NOTHING)
        assert memberships.follow(TWO, listed(member()), NOTHING).clashes == [Clash(ZONE, TWO, ONE)]

    def test_done_leaves_the_zone_where_it_is_whatever_the_old_catalog_says(self) -> None:
        """The old catalog may go on listing it, and may drop it: it is no longer configured from there (section 5.3)."""
        memberships = Memberships()
        memberships.follow(ONE, listed(member(coo=TWO)), NOTHING)
        memberships.follow(TWO, listed(member()), NOTHING)
        for after in (listed(member(coo=TWO)), {}):
            change = memberships.follow(ONE, after, NOTHING)
            assert not change
            assert not change.clashes
        assert memberships.owners == {ZONE: TWO}


members = st.builds(
    member,
    st.sampled_from([ZONE, OTHER]),
    st.sampled_from([b"a", b"b"]),
    st.just(()),
    st.sampled_from([None, ONE, TWO]),
)
versions = st.tuples(st.sampled_from([ONE, TWO]), st.lists(members, max_size=2, unique_by=lambda one: one.zone))


class TestAnyHistory:
    @given(st.lists(versions, max_size=12))
    def test_each_zone_belongs_to_one_catalog_that_has_listed_it(self, history: list[tuple[dns.name.Name, list[Member]]]) -> None:
        """Owners and what is held agree; nothing is held that its catalog does not list; what is listed is served by somebody."""
        memberships = Memberships()
        last: dict[dns.name.Name, Mapping[dns.name.Name, Member]] = {}
        for catalog, chosen in history:
            last[catalog] = listed(*chosen)
            before = set(memberships.owners)
            change = memberships.follow(catalog, last[catalog], NOTHING)
            assert set(memberships.owners) == before - set(change.removed) | set(change.added)
            held = {zone: owner for owner, zones in memberships.held.items() for zone in zones}
            assert held == memberships.owners
            assert all(last[owner][zone] == memberships.held[owner][zone] for zone, owner in held.items())
