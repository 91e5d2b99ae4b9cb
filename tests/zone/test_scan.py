from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.strategies import nearly_zone_text

from mailname.zone.scan import Entry, scan


def entries(text: str) -> list[Entry]:
    return list(scan(text, "f"))


def words(text: str) -> list[list[str]]:
    return [[token.text for token in entry.tokens] for entry in entries(text)]


class TestEntries:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", []),
            ("\n \n; only a comment\n\t; another\n", []),
            ("a b", [["a", "b"]]),
            ("a b\nc\r\nd\re", [["a", "b"], ["c"], ["d"], ["e"]]),
            ("a\tb \f c\vd", [["a", "b", "c", "d"]]),
            ("a;b\nc", [["a"], ["c"]]),
            (r"a\;b \"c a\ b", [[r"a\;b", r"\"c", r"a\ b"]]),
            ('a "b ; ( ) \\" c" ""', [["a", 'b ; ( ) \\" c', ""]]),
            ("a ( b ; c )\n d ) e\nf", [["a", "b", "d", "e"], ["f"]]),
            ("a(b(c)d)e", [["a", "b", "c", "d", "e"]]),
            ("\ufeffa", [["a"]]),
            ("a\u00a0b \u2028 c", [["a\u00a0b", "\u2028", "c"]]),
        ],
    )
    def test_are_lines_or_parentheses(self, text: str, expected: list[list[str]]) -> None:
        """RFC 1035 section 5.1."""
        assert words(text) == expected

    def test_know_their_places(self) -> None:
        """Lines and columns count from 1, in characters; a byte order mark counts for nothing."""
        text = '\ufeffä "b c"\r\n\t( d\n e ) f'
        assert [(t.text, t.quoted, t.line, t.column, t.width) for entry in entries(text) for t in entry.tokens] == [
            ("ä", False, 1, 1, 1),
            ("b c", True, 1, 3, 5),
            ("d", False, 2, 4, 1),
            ("e", False, 3, 2, 1),
            ("f", False, 3, 6, 1),
        ]

    def test_know_their_places_inside_another_file(self) -> None:
        """A text inside a plan begins at some line and column of it."""
        places = [(t.line, t.column) for entry in scan("a\nb", "f", line_offset=10, column_offset=4) for t in entry.tokens]
        assert places == [(11, 5), (12, 1)]

    def test_know_a_blank_owner(self) -> None:
        assert [entry.blank_owner for entry in entries("a\n b\n\n(c\n d)\n ( e )")] == [False, True, False, True]

    def test_know_what_is_glued(self) -> None:
        """``key="value"`` is one thing for SVCB (RFC 9460 section 2.1)."""
        (entry,) = entries('a="b" c= "d"')
        assert [token.glued for token in entry.tokens] == [False, True, False, False]


class TestMistakes:
    @pytest.mark.parametrize(
        ("text", "at", "problem"),
        [
            ("a )", "f:1:3", "this parenthesis was never opened."),
            ("a\nb ( ( c ) d\ne", "f:2:3", "this parenthesis is never closed."),
            ('a "b', "f:1:3", "this quoted string does not end on its line."),
            ('a "b\nc"', "f:1:3", "this quoted string does not end on its line."),
            ("a b\\", "f:1:4", "a backslash stands at the end of the line."),
            ("a b\\\nc", "f:1:4", "a backslash stands at the end of the line."),
            ('a ( "b\n ) ) )', "f:1:5", "this quoted string does not end on its line."),
        ],
    )
    def test_spoil_their_entry(self, text: str, at: str, problem: str) -> None:
        mistake = next(entry.mistake for entry in entries(text) if entry.mistake)
        assert (str(mistake.at), mistake.problem) == (at, problem)

    def test_leave_the_next_entry_alone(self) -> None:
        assert [bool(entry.mistake) for entry in entries('a "b\nc\nd ) e\nf')] == [True, False, True, False]


class TestScan:
    @given(st.one_of(st.text(), nearly_zone_text))
    def test_of_anything_ends(self, text: str) -> None:
        """Every entry has tokens or a mistake."""
        assert all(entry.tokens or entry.mistake for entry in entries(text))

    def test_takes_time_in_proportion(self) -> None:
        """No text makes the expression go back over what it has read: this would take for ever."""
        assert len(entries('"' + "\\a" * 50_000 + "\n" + "(" * 50_000 + "\\\n" * 10)) == 2
