"""The plain path against the reference and against itself: what it answers, ``respond`` answers too."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import dns.name
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import strategies
from tests.answer.plain_forms import FORMS, SOURCE, Form, Served, is_compiled, must_be_compiled
from tests.answer.pretend_signing import NSEC, Nsec3, pretend_signed, signed_zones
from tests.answer.questions import ODD_TYPES, TYPES, names_of, query, questions, spoiled
from tests.answer.zones import signed_zone_texts, the_table, zone_of, zone_texts

from mailname.answer import Unserved, ZoneTable, plain
from mailname.errors import ZoneError
from mailname.wire.edns import OptionCode
from mailname.wire.octets import octets
from mailname.zone import Zone
from mailname.zone.denial_index import Nsec3Index
from mailname.zone.image import build_image
from mailname.zone.text import read_zone

ZONE_FILES = Path(__file__).parent.parent / "data" / "zones"
PARENT, CHILD = strategies.APEX, dns.name.from_text("mail.example.tech.")


@cache
def file_zones() -> dict[str, Zone]:
    """Return what of tests/data/zones can be read."""
    found = {}
    for path in sorted(ZONE_FILES.glob("*.zone")):
        for apex in (PARENT, dns.name.root):
            try:
                read = read_zone(
                    path.read_bytes().decode(), str(path), apex, include=lambda name: ((ZONE_FILES / name).read_text(), name)
                )
            except ZoneError:
                continue
            found[path.stem] = read.zone
            break
    return found


@cache
def known() -> dict[str, Served]:
    """Return the zones of the test data, each by itself, and all of those that belong together."""
    found = {"together": Served(the_table())}
    for texts in (zone_texts(), signed_zone_texts()):
        found |= {apex: Served(ZoneTable({dns.name.from_text(apex): zone_of(text, apex)})) for apex, text in texts.items()}
    return found | {name: Served(ZoneTable({zone.apex: zone})) for name, zone in file_zones().items()}


@cache
def known_names(which: str) -> list[dns.name.Name]:
    table = known()[which].table
    return names_of(entry for apex in table if isinstance(entry := table[apex], Zone))


@st.composite
def tables(draw: st.DrawFn) -> ZoneTable:
    """Make one to four zones: unrelated, parent and child, the root; sometimes one that cannot be served."""
    apexes = draw(st.lists(st.sampled_from([PARENT, CHILD, dns.name.root, dns.name.from_text("tech.")]), min_size=1, unique=True))
    table = ZoneTable({apex: draw(strategies.zones(apex)) for apex in apexes})
    if draw(st.integers(0, 4)) == 0:
        table = table.with_zone(dns.name.from_text("mail.example.tech."), Unserved("expired"))
    return table


class TestForms:
    def test_are_two_where_there_is_a_compiler(self) -> None:
        """Elsewhere the source is all there is, and is compared with the reference alone."""
        assert is_compiled(plain) or not must_be_compiled()
        assert len(FORMS) == 1 + is_compiled(plain)
        assert not is_compiled(SOURCE.plain)


class TestAnswer:
    @pytest.mark.parametrize("which", sorted(known()))
    def test_of_known_zones_is_the_references(self, which: str) -> None:
        """Whatever is answered plainly has the same rcode, flags, records and EDNS as ``respond`` gives."""
        chance = random.Random(which)
        served, names = known()[which], known_names(which)
        plain_ones = False
        for _ in range(60):
            rdtype = chance.choice(TYPES + [1, 2, 15, 16] * 4)
            payload = chance.choice([0, 512, 700, 1232, 4096])
            asked = query(chance.choice(names), rdtype, edns=chance.random() < 0.8, payload=payload, dnssec=chance.random() < 0.6)
            plain_ones |= served.agrees(asked)
        assert plain_ones

    @given(tables(), st.data())
    @settings(max_examples=40)
    def test_of_any_zones_is_the_references(self, table: ZoneTable, data: st.DataObject) -> None:
        """Wherever zones meet, whatever they hold, however it is asked."""
        served = Served(table)
        names = [*table, *names_of(entry for apex in table if isinstance(entry := table[apex], Zone))]
        for asked in data.draw(st.lists(questions(names), min_size=1, max_size=12)):
            served.agrees(asked)

    @given(st.data())
    @settings(max_examples=200)
    def test_to_any_question_is_the_references(self, data: st.DataObject) -> None:
        """Types that are no data, other classes and opcodes, options, versions, spellings, lengths."""
        which = data.draw(st.sampled_from(sorted(known())))
        known()[which].agrees(data.draw(questions(known_names(which))))

    @given(st.data())
    @settings(max_examples=200)
    def test_to_a_spoiled_question_is_the_references(self, data: st.DataObject) -> None:
        """What is malformed is not plain; what is still well-formed is answered rightly."""
        which = data.draw(st.sampled_from(["together", "wildcards", "every_type"]))
        known()[which].agrees(data.draw(questions(known_names(which)).flatmap(spoiled)))

    @given(st.binary(max_size=600))
    @settings(max_examples=300)
    def test_to_rubbish_is_none(self, octets: bytes) -> None:
        """No octets crash it or make it hang."""
        known()["together"].agrees(octets)

    @pytest.mark.parametrize("rdtype", ODD_TYPES)
    def test_to_a_type_that_is_no_data_is_left_to_the_reference(self, rdtype: int) -> None:
        """ANY, transfers, RRSIG, OPT: there is more to say about them than one RRset."""
        asked = query(dns.name.from_text("example.tech."), rdtype)
        assert known()["together"].agrees(asked) == (rdtype in {43, 65535})

    def test_is_plain_for_what_people_ask(self) -> None:
        """MX, addresses, NS, SOA, TXT, NODATA, NXDOMAIN, referrals: none of them waits for Python."""
        asked = [
            ("example.tech.", 15),
            ("example.tech.", 1),
            ("EXAMPLE.tech.", 2),
            ("example.tech.", 6),
            ("nope.example.tech.", 1),
        ]
        for name, rdtype in [*asked, ("example.tech.", 257), ("example.tech.", 28)]:
            for edns in (True, False):
                assert known()["together"].agrees(query(dns.name.from_text(name), rdtype, edns=edns)), name

    @pytest.mark.parametrize("cut", range(1, 50))
    def test_to_a_cut_question_is_none(self, cut: int) -> None:
        """Nothing is read behind the end."""
        asked = query(dns.name.from_text("example.tech."), 15)
        assert known()["together"].answer(asked[:-cut]) is None


#: Zones that differ from the other one with NSEC3 in their hashes and flags alone: every third name of theirs is asked for.
ALIKE = ("salted.example.", "optout.example.")


class TestSigned:
    """To who wants signatures (DO)."""

    @pytest.mark.parametrize("apex", sorted(signed_zone_texts()))
    def test_every_name_and_type_is_answered_as_by_the_reference(self, apex: str) -> None:
        """Positive, wildcards, NODATA, NXDOMAIN, referrals with and without DS, aliases; what is too long is left out."""
        served = known()[apex]
        left = 0
        names = known_names(apex)[:: 3 if apex in ALIKE else 1]
        for name in names:
            for rdtype in (1, 2, 6, 43, 47, 51):
                left += not served.agrees(query(name, rdtype, dnssec=True))
        assert left < len(names)

    @given(st.data())
    @settings(max_examples=60)
    def test_of_any_zone_is_the_references(self, data: st.DataObject) -> None:
        """With any chain, whole or not, and any signatures."""
        apex = data.draw(st.sampled_from([PARENT, PARENT, dns.name.root]))
        zone = data.draw(signed_zones(data.draw(strategies.zones(apex))))
        served = Served(ZoneTable({apex: zone}))
        for asked in data.draw(st.lists(questions(names_of([zone])), min_size=1, max_size=12)):
            served.agrees(asked)

    @pytest.mark.parametrize(
        ("salt", "rounds"), [(b"", 0), (b"", 1), (b"s", 2), (b"x" * 35, 3), (b"x" * 36, 1), (b"\xff" * 255, 5)]
    )
    def test_names_are_hashed_with_salt_and_rounds(self, salt: bytes, rounds: int) -> None:
        """RFC 5155 section 5; of every length, so that the hash's blocks end in every place."""
        made = pretend_signed(zone_of("$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n", "example.tech."), Nsec3(salt, rounds))
        served = Served(ZoneTable({PARENT: made}))
        apex = served.table[PARENT]
        assert isinstance(apex, Zone)
        assert isinstance(apex.denial, Nsec3Index)
        for length in range(1, 64):
            for more in ((), (b"m" * 63,), (b"m" * 63, b"n" * 63)):
                assert served.agrees(query(dns.name.Name((b"y" * length, *more, *PARENT.labels)), 1, dnssec=True))

    def test_too_many_rounds_are_not_made(self) -> None:
        """Such a chain is not used: the zone answers as one without (RFC 5155 section 10.3)."""
        made = pretend_signed(zone_of("$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n", "example.tech."), Nsec3(b"", 2501))
        assert Served(ZoneTable({PARENT: made})).agrees(query(dns.name.from_text("x.example.tech."), 1, dnssec=True))

    def test_ds_at_an_apex_is_the_parents(self) -> None:
        """Where both are served; else the child says that it has none (RFC 4035 section 3.1.4.1)."""
        text = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n"
        parent = zone_of(text + "mail NS ns1\nmail DS 1 13 2 " + "00" * 32 + "\n", "example.tech.")
        child = zone_of(text, "mail.example.tech.")
        for sign in (NSEC, Nsec3(b"", 0)):
            both = {PARENT: pretend_signed(parent, sign), CHILD: pretend_signed(child, sign)}
            for table, answers in ((both, 2), ({CHILD: both[CHILD]}, 0), ({PARENT: both[PARENT]}, 2)):
                asked = query(CHILD, 43, dnssec=True)
                served = Served(ZoneTable(table))
                assert served.agrees(asked)
                answer = served.answer(asked)
                assert answer is not None
                assert int.from_bytes(answer[6:8]) == answers
            assert Served(ZoneTable({CHILD: Unserved("expired"), PARENT: both[PARENT]})).agrees(query(CHILD, 43, dnssec=True))
            assert not Served(ZoneTable({CHILD: both[CHILD], PARENT: Unserved("expired")})).agrees(query(CHILD, 43, dnssec=True))


class TestRoom:
    @pytest.mark.parametrize("payload", [0, 511, 512, 513, 600, 800, 1000, 1231, 1232, 1233, 65535])
    def test_is_never_exceeded(self, payload: int) -> None:
        """What the client takes, 512 at least, 1232 at most; what does not fit is left to the reference."""
        for count in range(2, 80, 7):
            text = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n" + "".join(f"big A 192.0.2.{i}\n" for i in range(count))
            served = Served(ZoneTable({PARENT: read_zone(text, "big", PARENT).zone}))
            answer = served.answer(asked := query(dns.name.from_text("big.example.tech."), 1, payload=payload))
            room = min(max(payload, 512), 1232)
            assert (answer is not None) == (12 + 22 + 16 * count + 11 <= room)
            if answer is not None:
                assert len(answer) <= room
                assert served.agrees(asked)

    def test_holds_the_longest_name(self) -> None:
        """255 octets, of which the labels of one octet are 120."""
        apex = dns.name.from_text("example.tech.")
        for room in range(1, 121, 7):
            assert known()["together"].agrees(query(dns.name.Name((b"a",) * room + apex.labels), 1))
        longest = dns.name.Name((b"aa", *(b"a",) * 119, *apex.labels))
        assert len(octets(longest)) == 255
        assert known()["together"].agrees(query(longest, 1))


class TestImages:
    def test_without_an_image_are_left_to_the_reference(self) -> None:
        """Expired or not loaded: SERVFAIL is the reference's to say; the parent must not answer in the child's place."""
        asked = query(dns.name.from_text("www.expired.example."), 1)
        assert known()["together"].answer(asked) is None

    @pytest.mark.parametrize("form", FORMS)
    def test_are_replaced_one_by_one(self, form: Form) -> None:
        """The other zones stay; None takes a zone out until the next one comes."""
        texts = [f"$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n A 192.0.2.{number}\n" for number in (1, 2)]
        first, second = (build_image(read_zone(text, "x", PARENT).zone) for text in texts)
        other = build_image(read_zone(texts[0], "x", CHILD).zone)
        apex, below = octets(PARENT), octets(CHILD)
        images = form.serving({apex: first, below: other})
        answer = form.plain.answer_plain
        asked, elsewhere = query(PARENT, 1), query(CHILD, 1)
        for block, ends in [(first, b"\1"), (second, b"\2"), (None, None), (first, b"\1")] * 10:
            images.replace(apex, block)
            got = answer(images, asked)
            assert got is None if ends is None else got[:-11][-1:] == ends or ends in got
            assert answer(images, elsewhere) is not None
        assert apex in images
        assert octets(dns.name.root) not in images

    def test_leave_the_options_that_are_spoken_to_the_reference(self) -> None:
        """And ignore the others (RFC 6891 section 6.1.2), but for EXPIRE of a SOA (RFC 7314)."""
        table = ZoneTable({PARENT: read_zone("$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n", "x", PARENT).zone})
        served = Served(table, (OptionCode.NSID, OptionCode.COOKIE))
        for code in range(40):
            for rdtype in (2, 6):
                bare = query(PARENT, rdtype)
                asked = bare[:-2] + b"\0\4" + code.to_bytes(2) + b"\0\0"
                spoken = code in (OptionCode.NSID, OptionCode.COOKIE) or (code == OptionCode.EXPIRE and rdtype == 6)
                assert (served.answer(asked) is None) == spoken

    def test_are_found_among_many(self) -> None:
        """Ten thousand apexes in one index."""
        block = build_image(read_zone("$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n", "x", PARENT).zone)
        blocks: dict[bytes, bytes | None] = {b"\6" + b"%06d" % number + b"\4test\0": None for number in range(10_000)}
        blocks[octets(PARENT)] = block
        for form in FORMS:
            images = form.serving(blocks)
            assert form.plain.answer_plain(images, query(PARENT, 2)) is not None
            assert form.plain.answer_plain(images, query(dns.name.from_text("007777.test."), 2)) is None
