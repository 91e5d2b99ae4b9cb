"""A name that a check keeps says of itself and of others what dnspython's names say."""

from __future__ import annotations

import pickle

import dns.name
from hypothesis import given
from hypothesis import strategies as st

from mailname.checks.known_name import KnownName, known

LABELS = st.lists(st.sampled_from(["a", "A", "b", "ab", "aB", "xn--a", "*", "\\000"]), max_size=4)
NAMES = LABELS.map(lambda labels: dns.name.from_text(".".join(labels) + "."))


class TestKnownName:
    @given(NAMES, NAMES)
    def test_compares_as_dnspython_does(self, one: dns.name.Name, other: dns.name.Name) -> None:
        """Letters count the same in either case; whichever of the two is kept, or both."""
        for left, right in ((known(one), other), (one, known(other)), (known(one), known(other))):
            assert (left == right) is (one == other)
            assert (left != right) is (one != other)
            assert (left < right) is (one < other)
            assert left.is_subdomain(right) is one.is_subdomain(other)

    @given(NAMES)
    def test_stands_in_a_table_for_dnspythons(self, name: dns.name.Name) -> None:
        assert {known(name): 1}[name] == {name: 1}[known(name)] == 1
        assert known(name).to_text() == name.to_text()

    def test_letters_stay_as_they_are_written(self) -> None:
        upper, lower = (known(dns.name.from_text(text)) for text in ("EXAMPLE.tech.", "example.tech."))
        assert upper == lower
        assert (str(upper), str(lower)) == ("EXAMPLE.tech.", "example.tech.")

    def test_is_below_no_relative_name(self) -> None:
        """Nor is a relative name kept as an absolute one."""
        relative = dns.name.from_text("tech", None)
        kept = known(dns.name.from_text("example.tech."))
        assert known(relative) is relative
        assert not kept.is_subdomain(relative)
        assert not kept.is_subdomain(dns.name.empty)
        assert kept != relative

    def test_is_no_text(self) -> None:
        assert known(dns.name.root) != "."

    def test_survives_being_written_to_a_file(self) -> None:
        kept = known(dns.name.from_text("example.tech."))
        again = pickle.loads(pickle.dumps(kept))
        assert isinstance(again, KnownName)
        assert again == kept
