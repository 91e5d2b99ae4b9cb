from __future__ import annotations

import pytest
from tests.plan.marked_plans import GOOD, assert_told, good, told

from mailname.errors import PlanError
from mailname.plan.fault import BROKEN
from mailname.plan.toml_text import read_toml


class TestSyntaxError:
    @pytest.mark.parametrize(
        ("old", "new", "what"),
        [
            ('"primary"', "¦primary", 'in quotes: "primary"'),
            ('"primary"', '¦"primary', "no closing quote"),
            ('"primary"', "¦'primary", "no closing quote"),
            ('"primary"', "¦", "has no value"),
            ('"primary"', "¦# king", "has no value"),
            ('"primary"', '"primary"¦; king', "not TOML"),
            ('"primary"', "¦= 1", "not TOML"),
            ("86400", "¦86400s", "in quotes"),
            ('["192.0.2.1"]', "[¦192.0.2.1]", 'in quotes: "192.0.2.1"'),
            ('["192.0.2.1"]', '["192.0.2.1", ¦"192.0.2.3]', "no closing quote"),
            ('["192.0.2.1"]', '["192.0.2.1" ¦"192.0.2.3"]', "comma"),
            ("[[mail_host]]", "¦[[mail_host]", "Write [[mail_host]]"),
            ("[[mail_host]]", "¦[[mail_host", "Write [[mail_host]]"),
            ("[soa]", "¦[soa", "Write [soa]"),
            ("[soa]", "¦king\n[soa]", "neither a key"),
            ("[soa]", "¦= 1\n[soa]", "not TOML"),
            ('["192.0.2.1"]', '[\n  "192.0.2.1",\n  ¦192.0.2.3,\n]', "in quotes"),
            ('["192.0.2.1"]', '[ # two\n  "192.0.2.1"\n  ¦"192.0.2.3",\n]', "comma"),
            ('["192.0.2.1"]', "[¦192.0.2.1,", "in quotes"),
            ("[soa]", "[¦colour.blue]\na = 1\n[soa]", "no key 'colour'"),
            ("ttl  ", "¦tTl_é", "no key 'tTl_é'"),
        ],
    )
    def test_is_told_once_with_its_place(self, old: str, new: str, what: str) -> None:
        """One broken statement is one message; what follows from its absence is not told."""
        assert_told(good((old, new)), what)

    def test_hides_nothing_else(self) -> None:
        """Reading goes on behind each of them."""
        assert_told(good(('"example.tech"', "¦example.tech"), ("14400", "¦4h"), ('"primary"', "¦primary"), ("= 10", "= ¦99999")))

    def test_in_a_multi_line_text_that_never_ends(self) -> None:
        """From there on nothing can be judged; what came before it was told."""
        found = told('ttl = x\nzone_text = """\n' + GOOD)
        assert found.places == [(1, 7), (2, 13)]
        assert 'no closing """' in found.words

    def test_in_a_list_that_never_ends(self) -> None:
        """The file ends in the middle of it."""
        assert "middle of a value" in told(GOOD + "x = [\n1,\n").words

    def test_beyond_all_reason(self) -> None:
        """Nobody reads the thirty-first."""
        with pytest.raises(PlanError) as caught:
            read_toml("\n".join(f"a{n} = x" for n in range(40)), "p.toml")
        assert len(caught.value.mistakes) == 30

    def test_leaves_a_mark(self) -> None:
        """The key is known, its value is not."""
        assert read_toml("a = x\nb = [\nx\n]\nc = [1,\nd = 2\n", "p").data == {"a": BROKEN, "b": BROKEN, "c": BROKEN, "d": 2}

    def test_of_a_line_that_is_lost(self) -> None:
        """What stood there is unknown, so nothing that is missing proves anything."""
        assert_told(good(('role      = "primary"', "¦role primary")), "neither a key")


class TestDuplicate:
    @pytest.mark.parametrize(
        ("old", "new", "what"),
        [
            ("retry   = 3600", "retry = 3600\n¦retry = 3601", "'retry' is there twice"),
            ("retry   = 3600", 'retry = 3600\n¦"retry" = 3601', "'retry' is there twice"),
            ("[soa]", "[soa]\n[¦soa]", "[soa] is there twice"),
            ("[soa]", "soa = {}\n[¦soa]", "[soa] is there twice"),
            ("[soa]", "[mail_host]\nname = 1\n[¦mail_host]\n[soa]", "[mail_host] is there twice"),
            ("[soa]", "soa.retry = 3600\nsoa.¦retry = 3600\n[x]", "'retry' is there twice"),
            ("[soa]", "soa = {retry = 3600, ¦retry = 3600}\n[x]", "'retry' is there twice"),
            ("[soa]", "soa = 1\n¦soa.retry = 3600\n[x]", "'soa' is there twice"),
        ],
    )
    def test_points_at_the_second(self, old: str, new: str, what: str) -> None:
        """The first one counts; the second is told at its key."""
        found = told(good((old, new)))
        assert found.marks[0] in found.places, found.words
        assert what in found.words
        assert sum(what in str(mistake) for mistake in found.mistakes) == 1
