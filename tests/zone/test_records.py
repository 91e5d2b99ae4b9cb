from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest
from hypothesis import given
from tests.strategies import APEX, nearly_zone_text

from mailname.errors import ZoneError
from mailname.zone import records
from mailname.zone.records import Records, read_records

if TYPE_CHECKING:
    from collections.abc import Callable


def read(text: str, *, default_ttl: int | None = 60, include: Callable[[str], tuple[str, str]] | None = None) -> Records:
    return read_records(text, "f", APEX, default_ttl=default_ttl, include=include)


def lines(text: str, *, default_ttl: int | None = 60, include: Callable[[str], tuple[str, str]] | None = None) -> list[str]:
    """Return the records as text; there must be no error."""
    found = read(text, default_ttl=default_ttl, include=include)
    assert found.errors == ()
    return [f"{r.owner.relativize(APEX)} {r.ttl} {r.rdata.rdtype.name} {r.rdata.to_text(APEX)}" for r in found.records]


def mistakes(text: str, *, default_ttl: int | None = 60, include: Callable[[str], tuple[str, str]] | None = None) -> list[str]:
    return [str(mistake) for mistake in read(text, default_ttl=default_ttl, include=include).mistakes]


class TestFields:
    @pytest.mark.parametrize(
        "fields",
        ["A 192.0.2.1", "IN A 192.0.2.1", "60 A 192.0.2.1", "60 in a 192.0.2.1", "IN 1m A 192.0.2.1", "CLASS1 TYPE1 192.0.2.1"],
    )
    def test_may_stand_in_either_order(self, fields: str) -> None:
        """RFC 1035 section 5.1: TTL and class in any order, both may be left out. RFC 3597 section 5: numbered ones too."""
        assert lines("www " + fields) == ["www 60 A 192.0.2.1"]

    def test_have_places(self) -> None:
        (one, two) = read("www  IN A 192.0.2.1\n     TXT ( \n x )").records
        assert (str(one.at), str(one.rdata_at)) == ("f:1:1", "f:1:11")
        assert (str(two.at), str(two.rdata_at)) == ("f:2:6", "f:3:2")

    @pytest.mark.parametrize(
        ("text", "mistake"),
        [
            ("www CNMAE a", "f:1:5: CNMAE is not a record type. Did you mean CNAME?"),
            (
                "www QQQQQQ a",
                "f:1:5: QQQQQQ is not a record type. Types that are not known yet are written as TYPE65280 \\# 2 0A0B.",
            ),
            ("www AXFR a", "f:1:5: AXFR is not a record type."),
            ("www TYPE65536 a", "f:1:5: TYPE65536 is not a record type."),
            ('www "A" 192.0.2.1', "f:1:5: A is not a record type."),
            ("www ä 192.0.2.1", "f:1:5: '\\xe4' is not a record type."),
            ("www", "f:1:4: this record of www.example.tech. has no type."),
            ("www 60 IN", "f:1:10: this record of www.example.tech. has no type."),
            ("www 1x A 192.0.2.1", "f:1:5: 1x is not a TTL. Write seconds, or units as in 1h30m or 2d."),
            ("www 60 60 A 192.0.2.1", "f:1:8: 60 is not a record type."),
            ("www CH A 192.0.2.1", "f:1:5: the class CH is not served. Write IN"),
            ("www CLASS3 A 192.0.2.1", "f:1:5: the class CLASS3 is not served."),
            ("A 192.0.2.1", "f:1:3: 192.0.2.1 is not a TTL. The line begins with A, which was read as the owner"),
            ("MX 10 mail", "f:1:7: mail is not a record type. The line begins with MX, which was read as the owner"),
            (
                "@ A 192.0.2.1\n  www A 192.0.2.1",
                "f:2:3: www is not a record type. The line begins with a blank, so www was not read",
            ),
            (" A 192.0.2.1", "f:1:2: this record has no owner. Write @ before it for example.tech. itself."),
            ('"www" A 192.0.2.1', 'f:1:1: "www" is in quotes, but a name belongs here.'),
            ("a..b A 192.0.2.1", "f:1:1: a..b is not a name"),
        ],
    )
    def test_that_are_wrong_are_told(self, text: str, mistake: str) -> None:
        assert mistakes(text)[0].startswith(mistake)

    def test_beyond_the_hundredth_mistake_are_not_read(self) -> None:
        """Nobody reads the hundred-and-first, and a file that is no zone at all has thousands."""
        assert len(mistakes("www A x\n" * 1000)) == records.MOST_MISTAKES

    def test_with_too_many_warnings_are_read_to_the_end(self) -> None:
        found = read("www 4000000000 A 192.0.2.1\n" * (records.MOST_WARNINGS + 5))
        assert len(found.mistakes) == records.MOST_WARNINGS
        assert len(found.records) == records.MOST_WARNINGS + 5


class TestOwner:
    def test_is_the_one_before_when_blank(self) -> None:
        assert lines("a A 192.0.2.1\n\n ; nothing\n TXT x\nb A 192.0.2.2") == [
            "a 60 A 192.0.2.1",
            'a 60 TXT "x"',
            "b 60 A 192.0.2.2",
        ]

    def test_before_origin_changed_is_a_warning(self) -> None:
        """As in BIND: the owner stays what it was, which is seldom meant."""
        found = read("a A 192.0.2.1\n$ORIGIN sub\n TXT x\n TXT y")
        assert [str(record.owner) for record in found.records] == ["a.example.tech."] * 3
        assert [str(mistake) for mistake in found.mistakes] == [
            "f:3:2: warning: the owner above, a.example.tech., holds here too, though $ORIGIN was set to sub.example.tech. "
            "since. Write the owner."
        ]


class TestTtl:
    SOA = "@ SOA ns1 h 1 2 3 4 1h\n"

    def test_is_the_default(self) -> None:
        """RFC 2308 section 4: $TTL holds for what comes after it, whatever the record before has."""
        assert lines("$TTL 1h\na A 192.0.2.1\nb 5 A 192.0.2.1\nc A 192.0.2.1\n$TTL 2h\nd A 192.0.2.1", default_ttl=None) == [
            f"{owner} {ttl} A 192.0.2.1" for owner, ttl in (("a", 3600), ("b", 5), ("c", 3600), ("d", 7200))
        ]

    def test_is_that_of_the_record_before_without_default(self) -> None:
        """RFC 1035 section 5.1; told once."""
        text = "a 5 A 192.0.2.1\nb A 192.0.2.1\nc A 192.0.2.1"
        assert lines(text, default_ttl=None) == ["a 5 A 192.0.2.1", "b 5 A 192.0.2.1", "c 5 A 192.0.2.1"]
        assert mistakes(text, default_ttl=None) == [
            "f:2:3: warning: without $TTL, this record gets the TTL of the record before it, 5. "
            "Begin the file with $TTL, for example: $TTL 86400"
        ]

    def test_is_the_soas_minimum_without_any(self) -> None:
        """As in BIND, and it stays the default."""
        text = self.SOA + "a 5 A 192.0.2.1\nb A 192.0.2.1"
        assert [line.split()[1] for line in lines(text, default_ttl=None)] == ["3600", "5", "3600"]
        assert mistakes(text, default_ttl=None)[0].startswith(
            "f:1:3: warning: without $TTL, records without a TTL get the SOA's minimum"
        )

    def test_is_needed(self) -> None:
        assert mistakes("a A 192.0.2.1", default_ttl=None) == [
            "f:1:3: this record has no TTL. Begin the file with $TTL, for example: $TTL 86400"
        ]

    def test_with_the_highest_bit_is_zero(self) -> None:
        """RFC 2181 section 8, with a warning."""
        assert lines("a 2147483648 A 192.0.2.1") == ["a 0 A 192.0.2.1"]
        assert mistakes("a 2147483648 A 192.0.2.1")[0].startswith("f:1:3: warning: a TTL of 2147483648 counts as 0.")


class TestDirectives:
    def test_origin_is_relative_to_the_one_before(self) -> None:
        assert lines("$ORIGIN a\n@ TXT x\n$origin b\n@ TXT x\n$ORIGIN example.tech.\n@ TXT x") == [
            'a 60 TXT "x"',
            'b.a 60 TXT "x"',
            '@ 60 TXT "x"',
        ]

    @pytest.mark.parametrize(
        ("text", "mistake"),
        [
            ("$TLT 5", "f:1:1: $TLT is not a directive. Did you mean $TTL?"),
            ("$QQQQQQ", "f:1:1: $QQQQQQ is not a directive. There are $GENERATE, $INCLUDE, $ORIGIN, $TTL; write \\$"),
            (" $TTL 5", "f:1:2: $TTL has a blank before it. Write it at the beginning of the line."),
            ("$TTL", "f:1:5: the directive ends here, but something is missing. Write it like this: $TTL 86400"),
            ("$TTL 5 6", "f:1:8: 6 is too much."),
            ("$TTL x", "f:1:6: x is not a TTL."),
            ("$ORIGIN", "f:1:8: the directive ends here"),
            ("$ORIGIN a..b", "f:1:9: a..b is not a name"),
            ("$INCLUDE x", "f:1:1: $INCLUDE cannot be used here."),
            ("$GENERATE 1-2 a$ A", "f:1:19: the directive ends here"),
            (
                "$GENERATE 1-2 a$ MX 10 mail",
                "f:1:24: mail is too much. Write it like this: $GENERATE 1-20 host-$ A 192.0.2.$; data of",
            ),
            ("$GENERATE 1-2 a$ 60 IN A", "f:1:25: the directive ends here"),
            ("$GENERATE 2-1 a$ A 192.0.2.$", "f:1:11: the range 2-1 ends before it begins."),
            ("$GENERATE 0-999999999 a$ A 192.0.2.$", "f:1:11: $GENERATE would make more than 131072 records."),
            ("$GENERATE 1-2 a${ A 192.0.2.$", "f:1:15: the modifier in a${ is wrong."),
            ("$GENERATE 1-2 a$ A 192.0.2.${", "f:1:20: the modifier in 192.0.2.${ is wrong."),
            ("$GENERATE 255-256 a$ A 192.0.2.$", "f:1:24: 192.0.2.256 is not an IPv4 address."),
            ("$GENERATE 1-2 a..$ A 192.0.2.$", "f:1:15: a..1 is not a name"),
            ("$GENERATE 1-2 a$ ANAME 192.0.2.$", "f:1:18: ANAME is not a record type. Did you mean"),
            ('$GENERATE 1-2 a$ TXT "\\"$"', "f:1:22: this quoted string does not end on its line."),
        ],
    )
    def test_that_are_wrong_are_told(self, text: str, mistake: str) -> None:
        assert mistakes(text)[0].startswith(mistake)

    def test_generate_makes_records(self) -> None:
        """The last owner stays, as after any record."""
        assert lines('$GENERATE 1-3/2 a${0,2} 5 IN MX "1$ mail-$ ; comment"\n TXT x') == [
            "a01 5 MX 11 mail-1",
            "a03 5 MX 13 mail-3",
            'a03 60 TXT "x"',
        ]

    def test_generate_has_one_limit_for_a_whole_read(self) -> None:
        assert mistakes("$GENERATE 1-1000 a TXT $\n" + "$GENERATE 0-131071 a TXT $") == [
            "f:2:11: $GENERATE would make more than 131072 records. Make the range smaller."
        ]


class TestInclude:
    FILES: ClassVar = {
        "plain": "b TXT in\n$TTL 7\nc TXT in",
        "blank": " TXT in",
        "wrong": "b A x",
        "self": "$INCLUDE self",
        "origin": "$ORIGIN deep\nb TXT in",
    }

    def include(self, path: str) -> tuple[str, str]:
        if path == "../secret":
            raise ZoneError("../secret lies outside the zone's folder.", remedy="Move it.")
        if path not in self.FILES and not path.startswith("n"):
            raise FileNotFoundError(2, "No such file or directory")
        return self.FILES.get(path, f"$INCLUDE n{path}\n$INCLUDE n{path}"), path

    def test_gives_owner_and_origin_back_but_not_the_ttl(self) -> None:
        """As in BIND; RFC 1035 section 5.1 speaks of the origin only."""
        assert lines("a TXT out\n$INCLUDE plain sub\n TXT out\nd TXT out", include=self.include) == [
            'a 60 TXT "out"',
            'b.sub 60 TXT "in"',
            'c.sub 7 TXT "in"',
            'a 7 TXT "out"',
            'd 7 TXT "out"',
        ]
        assert lines("$INCLUDE origin\nd TXT out", include=self.include) == ['b.deep 60 TXT "in"', 'd 60 TXT "out"']

    def test_begins_with_the_owner_above(self) -> None:
        assert lines('a TXT out\n$INCLUDE "blank"', include=self.include) == ['a 60 TXT "out"', 'a 60 TXT "in"']

    @pytest.mark.parametrize(
        ("text", "mistake"),
        [
            ("$INCLUDE", "f:1:9: the directive ends here"),
            ("$INCLUDE plain a b", "f:1:18: b is too much."),
            ("$INCLUDE plain a..b", "f:1:16: a..b is not a name"),
            ("$INCLUDE ../secret", "f:1:10: ../secret lies outside the zone's folder. Move it."),
            (
                "$INCLUDE gone",
                "f:1:10: gone cannot be read: No such file or directory. Correct the file name, or create the file.",
            ),
            ("\n$INCLUDE wrong", "wrong:1:5: x is not an IPv4 address."),
            ("$INCLUDE self", "self:1:10: self includes itself. Remove this line."),
        ],
    )
    def test_that_is_wrong_is_told(self, text: str, mistake: str) -> None:
        """A mistake in an included file has that file's name."""
        assert mistakes(text, include=self.include)[0].startswith(mistake)

    def test_has_a_deepest_level(self) -> None:
        """Files that include more and more files end the reading, not the machine."""
        found = mistakes("$INCLUDE n", include=self.include)
        assert found == ["nnnnnnnnnn:1:1: files are included more than 10 deep. Does a file include itself?"]

    def test_has_a_greatest_number(self) -> None:
        found = mistakes("$INCLUDE plain\n" * 1001, include=self.include)
        assert found == ["f:1001:1: files are included more than 1000 times. Does a file include itself?"]


class TestReadRecords:
    @given(nearly_zone_text)
    def test_of_anything_raises_nothing(self, text: str) -> None:
        """Whatever the text is: records, and mistakes that stand in it."""
        found = read(text)
        assert all(mistake.at.file == "f" for mistake in found.mistakes)

    def test_takes_places_from_around_the_text(self) -> None:
        """A fragment of a plan is told in the plan's lines and columns."""
        found = read_records("x\ny", "plan.toml", APEX, default_ttl=60, line_offset=11, column_offset_first_line=5)
        assert [str(mistake.at) for mistake in found.mistakes] == ["plan.toml:12:7", "plan.toml:13:2"]
