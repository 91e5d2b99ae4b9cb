"""The plan's ``[[update]]``: who may change which names by dynamic update."""

from __future__ import annotations

import dns.name
import pytest
from tests.engines.pair import PLAN

from mailname.errors import PlanError
from mailname.plan import load

UPDATE = '[[update]]\nkey = "acme"\nnames = ["_acme-challenge"]\ntypes = ["txt"]\n'


class TestUpdate:
    def test_is_read(self) -> None:
        """Names are completed with the domain; types are written as zone files do."""
        (one,) = load(PLAN + UPDATE, "plan.toml").plan.updates
        assert one.key == dns.name.from_text("acme.example.tech.")
        assert one.names == (dns.name.from_text("_acme-challenge.example.tech."),)
        assert one.types == ("TXT",)

    def test_is_off_unless_it_is_there(self) -> None:
        assert load(PLAN, "plan.toml").plan.updates == ()

    @pytest.mark.parametrize(
        ("old", "new", "says"),
        [
            ("_acme-challenge", "www.example.org", "outside the domain"),
            ('"txt"', '"ANY"', "'ANY' is not a type of records."),
            ('"txt"', '"TEXT"', "'TEXT' is not a type of records."),
            ('key = "acme"\n', "", "This update has no 'key'."),
            ('names = ["_acme-challenge"]\n', "", "This update has no 'names'."),
            ('["_acme-challenge"]', "[]", "'names' is an empty list."),
            ('["_acme-challenge"]', '"_acme-challenge"', "'names' is a list."),
            ("[[update]]", "[[updates]]", "Did you mean 'update'?"),
        ],
    )
    def test_tells_what_is_wrong(self, old: str, new: str, says: str) -> None:
        assert old in UPDATE
        with pytest.raises(PlanError) as told:
            load(PLAN + UPDATE.replace(old, new), "plan.toml")
        assert says in " ".join(str(mistake) for mistake in told.value.mistakes)
