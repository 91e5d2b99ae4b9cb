from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailname.errors import PlanError
from mailname.imports.clauses import Block, Clause, Word, read_clauses


def nothing(pattern: str, directory: str) -> list[tuple[str, str]]:
    del directory
    raise ValueError(f"there is no {pattern}.")


def said(clauses: tuple[Clause, ...]) -> list[object]:
    """Return clauses as nested lists of words."""
    return [[part.text if isinstance(part, Word) else said(part.clauses) for part in clause.parts] for clause in clauses]


class TestWords:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("recursion no;", [["recursion", "no"]]),
            ("a 1; // b 2;\nc 3; # d 4;\n/* e\n5; */ f/* */6;", [["a", "1"], ["c", "3"], ["f", "6"]]),
            ('file "a;b # c";', [["file", "a;b # c"]]),
            (r'version "say \"no\"";', [["version", 'say "no"']]),
            ("acl x { !10.0.0.1; 10/8; };", [["acl", "x", [["!", "10.0.0.1"], ["10/8"]]]]),
            ("a { { b; c; }; };", [["a", [[[["b"], ["c"]]]]]]),
            (
                "controls { inet * allow { any; } keys { k; }; };",
                [["controls", [["inet", "*", "allow", [["any"]], "keys", [["k"]]]]]],
            ),
            ('zone"x"{type primary;};', [["zone", "x", [["type", "primary"]]]]),
            (";;", []),
            ("", []),
        ],
    )
    def test_are_cut_as_bind_cuts_them(self, text: str, words: list[object]) -> None:
        """Comments of three kinds, quoted strings, blocks in blocks, blocks in the middle of a clause."""
        assert said(read_clauses(text, "named.conf", nothing)) == words

    def test_know_their_place(self) -> None:
        """Line and column, counted from 1."""
        clause = read_clauses("a;\n  /* x\n */ b {\n\tc d;\n};", "named.conf", nothing)[1]
        assert str(clause.at) == "named.conf:3:5"
        assert str(clause.block[0].words[0].at) == "named.conf:4:4"
        assert isinstance(clause.parts[1], Block)


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("zone x {\n type primary;\n", "n:1:8: This brace is never closed"),
            ("options { recursion no };", "n:1:24: A semicolon is missing"),
            ("options { };\n}", "n:2:1: This brace closes nothing"),
            ("recursion no", "n:1:1: This statement does not end"),
            ('a;\nfile "x;', "n:2:6: The quoted string that begins here"),
            ("a; /* b", "n:1:4: The comment that begins here"),
            ('include "x.conf";', "n:1:9: there is no x.conf."),
            ("a {" * 60, "deep"),
        ],
    )
    def test_have_a_place_and_a_remedy(self, text: str, says: str) -> None:
        """The first one ends reading: what comes after it cannot be told for sure."""
        with pytest.raises(PlanError) as caught:
            read_clauses(text, "n", nothing)
        assert says in str(caught.value.mistakes[0])
        assert caught.value.mistakes[0].remedy


class TestInclude:
    def test_stands_in_its_place(self) -> None:
        """What is included belongs to the block in which it stands; relative to the directory once that is set."""
        files = {("x/*.conf", "/var"): [("b 1;", "x/1.conf"), ("b 2;", "x/2.conf")]}
        text = 'options { directory "/var"; };\nview v { a; include "x/*.conf"; };'
        clauses = read_clauses(text, "n", lambda *asked: files[asked])
        assert said(clauses[1].block) == [["a"], ["b", "1"], ["b", "2"]]
        assert str(clauses[1].block[2].at) == "x/2.conf:1:1"

    @pytest.mark.parametrize(("name", "says"), [("n", "n includes itself"), ("m", "Too many files")])
    def test_never_ends_in_a_circle(self, name: str, says: str) -> None:
        """A file that includes itself, directly or by ever new names."""
        count = iter(range(1000))

        def more(_pattern: str, _directory: str) -> list[tuple[str, str]]:
            return [('include "n";', name if name == "n" else f"m{next(count)}")]

        with pytest.raises(PlanError, match=re.escape(says)):
            read_clauses('include "n";', "n", more)


class TestAnyText:
    @settings(max_examples=200, deadline=None)
    @given(st.text(st.sampled_from('ab1 \n\t"\\{};!#/*.')) | st.text())
    def test_is_read_or_refused_with_a_place(self, text: str) -> None:
        """Nothing but PlanError comes out, whatever goes in."""
        place = None
        try:
            read_clauses(text, "n", nothing)
        except PlanError as error:
            place = error.mistakes[0].at
        assert place is None or (place.file, place.line >= 1) == ("n", True)
