"""Question shapes: what of a header and an OPT record makes another answer, and what does not."""

from __future__ import annotations

import struct

import dns.name
import pytest
from tests.answer.questions import query

from mailname.answer import Settings
from mailname.answer import question_shape as module
from mailname.answer.question_shape import Shape, Shapes

NAME = dns.name.from_text("example.tech.")
ENDS = 12 + 14 + 4


def shape(wire: bytes, offered: Settings | None = None) -> Shape | None:
    return Shapes(offered or Settings()).of(wire, ENDS)


def asked(flags: int = 0, rdtype: int = 1, options: bytes = b"", **edns: int) -> bytes:
    wire = bytearray(query(NAME, rdtype, payload=edns.get("payload", 1232), dnssec=bool(edns.get("do"))))
    wire[2:4] = flags.to_bytes(2, "big")
    wire[-2:] = len(options).to_bytes(2, "big")
    return bytes(wire) + options


class TestShape:
    @pytest.mark.parametrize("flags", [0x0010, 0x0020, 0x0030, 0x0400, 0x0200, 0x0080, 0x000F])
    def test_is_the_same_with_flags_that_do_not_matter(self, flags: int) -> None:
        """CD and AD are cleared (RFC 4035 section 3.1.6); a question has no AA, TC, RA or rcode."""
        assert shape(asked(flags)) == shape(asked()) is not None

    def test_differs_by_what_comes_back(self) -> None:
        """RD, DO, the OPT record itself, and the class of the limit."""
        others = [
            *(asked(), asked(0x0100), asked(do=1), query(NAME, 1, edns=False), asked(payload=512), asked(payload=1000)),
        ]
        found = [shape(one) for one in others]
        assert None not in found
        assert len({one.key for one in found if one}) == len(others)

    @pytest.mark.parametrize(("payload", "limit"), [(0, 512), (511, 512), (513, 513), (1232, 1232), (65535, 1232)])
    def test_has_the_limit_that_holds(self, payload: int, limit: int) -> None:
        found = shape(asked(payload=payload))
        assert found is not None
        assert found.limit == limit

    @pytest.mark.parametrize("flags", [0x8000, 0x0800, 0x2000, 0x2800])
    def test_of_a_response_or_another_opcode_is_none(self, flags: int) -> None:
        assert shape(asked(flags)) is None

    @pytest.mark.parametrize("at", [4, 5, 7, 9, 10, 11, 28, 29])
    def test_of_other_counts_and_classes_is_none(self, at: int) -> None:
        wire = bytearray(asked())
        wire[at] += 1
        assert shape(bytes(wire)) is None

    @pytest.mark.parametrize("at", [30, 31, 32, 36])
    def test_of_what_is_no_opt_record_of_version_0_is_none(self, at: int) -> None:
        """Not the root's, another type, a later version (BADVERS)."""
        wire = bytearray(asked())
        wire[at] += 1
        assert shape(bytes(wire)) is None

    @pytest.mark.parametrize("cut", range(1, 42))
    def test_of_a_cut_question_is_none(self, cut: int) -> None:
        assert shape(asked()[:-cut]) is None

    def test_of_a_lengthened_question_is_none(self) -> None:
        assert shape(asked() + b"\0") is None
        assert shape(query(NAME, 1, edns=False) + b"\0") is None

    def test_where_there_is_no_question_is_none(self) -> None:
        """No octet of the name is zero, so that it is found nowhere."""
        assert Shapes(Settings()).of(asked(), 4) is None


class TestOptions:
    @pytest.mark.parametrize("options", [b"\0\x08\0\0", b"\0\x0f\0\2ab", b"\xff\xff\0\1a\0\x0c\0\0"])
    def test_that_nobody_reads_do_not_matter(self, options: bytes) -> None:
        assert shape(asked(options=options)) == shape(asked())

    @pytest.mark.parametrize("options", [b"\0", b"\0\x08\0\1", b"\0\x08\0\0\0"])
    def test_that_overrun_are_for_the_reference(self, options: bytes) -> None:
        assert shape(asked(options=options)) is None

    def test_that_are_answered_are_for_the_reference(self) -> None:
        """Cookies and NSID if we have any, EXPIRE with the SOA."""
        cookie, nsid = struct.pack("!HHQ", 10, 8, 7), struct.pack("!HH", 3, 0)
        assert shape(asked(options=cookie)) == shape(asked(options=nsid)) == shape(asked())
        assert shape(asked(options=cookie), Settings(cookie_secrets=(bytes(16),))) is None
        assert shape(asked(options=nsid), Settings(nsid=b"x")) is None
        assert shape(asked(options=b"\0\x09\0\0")) is not None
        assert shape(asked(rdtype=6, options=b"\0\x09\0\0")) is None


class TestMemory:
    def test_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whoever sends another payload each time makes it forget, never grow."""
        monkeypatch.setattr(module, "_MOST_KNOWN", 5)
        shapes = Shapes(Settings())
        for payload in range(600, 630):
            assert shapes.of(asked(payload=payload), ENDS) == shape(asked(payload=payload))
            assert len(shapes.known) <= 5
