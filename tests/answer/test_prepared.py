"""Prepared answers against the reference: what is prepared has the octets that ``reply_to`` gives."""

from __future__ import annotations

import random
import string
import struct
from functools import cache

import dns.name
import pytest
from dns.name import Name
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import strategies
from tests.answer.questions import names_of, query, questions, spoiled
from tests.answer.test_plain import tables
from tests.answer.zones import signed_zone_texts, the_table, zone_of, zone_texts

from mailname.answer import Settings, Unserved, ZoneTable, prepared, reply_to
from mailname.answer.prepared import PreparedAnswers
from mailname.wire.message import Request, read_request
from mailname.wire.octets import octets
from mailname.zone import Zone
from mailname.zone.image import build_image
from mailname.zone.image_zone import ImageZone
from mailname.zone.text import read_zone

OFFERED = Settings(cookie_secrets=(bytes(16),), extended_errors=True, nsid=b"one")
APEX = strategies.APEX
SOA = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n NS ns1\n"


def imaged(table: ZoneTable) -> ZoneTable:
    """Return a table with the same zones as images."""
    return ZoneTable({a: ImageZone(build_image(one)) if isinstance(one := table[a], Zone) else one for a in table})


class Answering:
    """A server's way to an answer: what is prepared, else the reference, which is then remembered."""

    def __init__(self, table: ZoneTable, offered: Settings = OFFERED) -> None:
        self.table = table
        self.offered = offered
        self.prepared = PreparedAnswers(offered)
        self.prepared.follow(table)

    def ask(self, wire: bytes) -> bool:
        """Ask and compare; tell whether the answer was prepared."""
        found = self.prepared.find(wire)
        request = read_request(wire)
        if not isinstance(request, Request) or request.opcode or request.has_tsig or request.question.rdtype in (251, 252):
            assert found is None, wire.hex()
            return False
        wanted = reply_to(request, self.table, transport="udp", settings=self.offered, client=bytes(4))
        if found is None:
            self.prepared.remember(request.wire, wanted)
            return False
        assert found.reply(wire).hex() == wanted.wire.hex(), wire.hex()
        assert (found.sort, found.subject, found.kind & 15) == (wanted.sort, wanted.subject, wanted.wire[3] & 15), wire.hex()
        return True

    def asks(self, *names: str, rdtype: int = 1) -> list[bool]:
        """Ask about some names, one after the other."""
        return [self.ask(query(dns.name.from_text(name, APEX), rdtype)) for name in names]


def serving(text: str, *, image: bool = True) -> Answering:
    """Serve example.tech with these records, beside its SOA and NS."""
    table = ZoneTable({APEX: read_zone(SOA + text, "x", APEX).zone})
    return Answering(imaged(table) if image else table)


@cache
def known() -> dict[str, ZoneTable]:
    """Return the zones of the test data, those that belong together in one table."""
    found = {"together": the_table()}
    for texts in (zone_texts(), signed_zone_texts()):
        found |= {apex: ZoneTable({dns.name.from_text(apex): zone_of(text, apex)}) for apex, text in texts.items()}
    return found


@cache
def names_in(which: str) -> list[Name]:
    table = known()[which]
    return names_of(entry for apex in table if isinstance(entry := table[apex], Zone))


def siblings(chance: random.Random, names: list[Name], count: int) -> list[Name]:
    """Return names below some of these, of few lengths, so that many share one; some begin with a label that is in the zone."""
    labels = [b"www", *(label for name in names for label in name.labels if label)]
    made: list[Name] = []
    while len(made) < count:
        name = chance.choice(names)
        first = "".join(chance.choices(string.ascii_letters, k=chance.choice([1, 2, 2, 3, 3, 4, 7]))).encode()
        below = (chance.choice(labels) if chance.random() < 0.3 else first, *((b"b",) if chance.random() < 0.2 else ()))
        if len(octets(name)) + sum(len(label) + 1 for label in below) <= 255:
            made.append(Name((*below, *name.labels)))
    return made


class TestPrepared:
    @pytest.mark.parametrize("image", [True, False])
    @pytest.mark.parametrize("which", sorted(known()))
    def test_of_known_zones_is_the_references(self, which: str, image: bool) -> None:
        """Names that exist, spelled in any way, and names that do not: the same octets, the same sort of reply."""
        chance = random.Random(which)
        answering = Answering(imaged(known()[which]) if image else known()[which])
        names = names_in(which)
        few = chance.sample(names, min(len(names), 12))
        ready = 0
        for name in [*siblings(chance, few, 250), *chance.choices(few, k=100)]:
            rdtype = chance.choice([1, 1, 1, 2, 5, 15, 16, 16, 28, 33, 43, 255, 257])
            edns = chance.random() < 0.7
            payload = chance.choice([512, 900, 1232])
            wire = bytearray(query(name, rdtype, edns=edns, payload=payload, dnssec=chance.random() < 0.2))
            for at in range(12, 12 + len(octets(name))):
                if bytes([wire[at]]).isalpha() and wire[at] > 63 and chance.random() < 0.5:
                    wire[at] ^= 32
            ready += answering.ask(bytes(wire))
        assert ready

    @given(tables(), st.booleans(), st.data())
    @settings(max_examples=40)
    def test_of_any_zones_is_the_references(self, table: ZoneTable, image: bool, data: st.DataObject) -> None:
        """Wherever zones meet, whatever they hold, however it is asked."""
        names = [*table, *names_of(entry for apex in table if isinstance(entry := table[apex], Zone))]
        answering = Answering(imaged(table) if image else table)
        for asked in data.draw(st.lists(questions(names), min_size=1, max_size=12)):
            for wire in (asked, asked, asked[:2] + asked[2:].swapcase() if data.draw(st.booleans()) else asked):
                answering.ask(wire)
        chance = random.Random(data.draw(st.integers(0, 2**32)))
        for name in siblings(chance, data.draw(st.lists(st.sampled_from(names), min_size=1, max_size=3)), 30):
            answering.ask(query(name, chance.choice([1, 15, 16]), edns=chance.random() < 0.5))

    @given(st.data())
    @settings(max_examples=100)
    def test_to_any_question_is_the_references(self, data: st.DataObject) -> None:
        """Types that are no data, other classes and opcodes, options, versions, spellings, lengths, what is malformed."""
        which = data.draw(st.sampled_from(sorted(known())))
        answering = Answering(imaged(known()[which]))
        asked = data.draw(questions(names_in(which)))
        answering.ask(asked)
        for wire in (asked, *data.draw(st.lists(questions(names_in(which)) | spoiled(asked), max_size=4))):
            answering.ask(wire)
            answering.ask(wire)

    @given(st.binary(max_size=600))
    def test_to_rubbish_is_none(self, octets: bytes) -> None:
        """No octets crash it."""
        assert Answering(known()["together"]).prepared.find(octets) is None


class TestNameThatDoesNotExist:
    @pytest.mark.parametrize("image", [True, False])
    def test_is_answered_after_another_of_its_length(self, image: bool) -> None:
        """A flood of names costs one reply of the reference for each length."""
        answering = serving("www A 192.0.2.1\n", image=image)
        assert answering.asks("abc", "abd", "Xyz", "ab", "zz") == [False, True, True, False, True]
        assert answering.asks("abc.www", "abd.www") == [False, True]

    def test_is_answered_whatever_the_type(self) -> None:
        """NXDOMAIN speaks of the name (RFC 8020)."""
        answering = serving("www A 192.0.2.1\n")
        assert [answering.asks("abc", rdtype=rdtype)[0] for rdtype in (1, 28, 255, 65280)] == [False, True, True, True]

    def test_that_the_soa_names_gets_its_own_reply(self) -> None:
        """There the SOA's MNAME is a pointer to the question."""
        table = ZoneTable({APEX: read_zone("$TTL 60\n@ SOA ghost h 1 2 3 4 5\n NS ns1\nns1 A 192.0.2.1\n", "x", APEX).zone})
        answering = Answering(imaged(table))
        assert answering.asks("abcde", "ghost", "edcba", "a.ghost", "a.other", "b.other") == [
            *(False, False, True),
            *(False, False, True),
        ]
        # Learned from the odd one, it would be wrong for the others.
        assert Answering(imaged(table)).asks("ghost", "abcde", "edcba") == [False, False, True]

    def test_of_a_truncated_reply_is_for_the_reference(self) -> None:
        """What was left out may lead anywhere, as here to one of the names themselves."""
        long = ".".join(["b" * 63] * 3 + ["c" * 48])
        answering = serving(f"* CNAME {long}\n")
        for name in (long.replace("c", "d"), long.replace("c", "e"), long):
            assert answering.ask(query(dns.name.from_text(name, APEX), 1, edns=False)) is False

    def test_in_a_large_zone_without_image_is_for_the_reference(self) -> None:
        """Nobody knows without a walk that it does not exist; each reply serves the same question alone."""
        answering = serving("".join(f"n{number} A 192.0.2.1\n" for number in range(500)), image=False)
        assert answering.asks("abc", "abd", "abc", "ABC") == [False, False, True, True]

    def test_below_a_wildcard_is_answered_by_type(self) -> None:
        """RFC 4592: what stands for it depends on the type."""
        answering = serving("* A 192.0.2.1\n* MX 10 mail\nmail A 192.0.2.2\n")
        assert answering.asks("abc", "abd") == [False, True]
        assert answering.asks("abc", "abd", rdtype=15) == [False, True]
        assert answering.asks("abe", "abf", rdtype=16) == [False, True]

    def test_that_a_wildcard_alias_leads_to_gets_its_own_reply(self) -> None:
        """A loop ends where it closes."""
        answering = serving("* CNAME abc\n")
        assert answering.asks("abd", "abe", "abc", "abf") == [False, True, False, True]

    def test_below_a_dname_is_for_the_reference(self) -> None:
        """The synthesised alias repeats the name's labels (RFC 6672)."""
        answering = serving("old DNAME new\nnew A 192.0.2.1\n")
        assert answering.asks("abc.old", "abd.old") == [False, False]

    def test_that_is_hidden_by_a_dname_is_for_the_reference_unless_spelled_alike(self) -> None:
        """The synthesised alias repeats the letters' case, too."""
        answering = serving("old DNAME new\nwww.old A 192.0.2.1\n")
        assert answering.asks("www.old", "WWW.old", "www.old", "Www.old") == [False, False, True, False]

    def test_below_a_zone_cut_is_a_prepared_referral(self) -> None:
        """One for all types, unless the name is on the way to the glue."""
        answering = serving("sub NS ns.sub\nns.sub A 192.0.2.1\n")
        assert answering.asks("abc.sub", "abd.sub", "ns.sub", "ns.sub") == [False, True, False, True]
        assert answering.asks("ab.sub", "ns.sub", "cd.sub", rdtype=28) == [False, False, True]

    def test_that_is_no_name_is_for_the_reference(self) -> None:
        """A label that runs past the end, or is none, in no zone of ours: FORMERR, though names outside are prepared."""
        answering = serving("")
        wire = query(dns.name.from_text("abc.example.org."), 1)
        assert answering.ask(wire) is False
        for length in (2, 4, 40, 63, 64, 192, 255):
            assert answering.ask(wire[:12] + bytes([length]) + wire[13:]) is False

    def test_outside_our_zones_is_refused(self) -> None:
        """The same for each name of a length."""
        answering = serving("")
        assert answering.asks("a.example.org.", "b.example.org.", "aa.example.org.") == [False, True, False]

    def test_below_a_zone_that_has_expired_is_servfail(self) -> None:
        """The same for each name of a length."""
        answering = Answering(ZoneTable({APEX: Unserved("expired")}))
        assert answering.asks("abc", "abd") == [False, True]

    def test_with_dnssec_in_a_signed_zone_is_for_the_reference(self) -> None:
        """The proof is another for each name."""
        (apex, text), *_ = signed_zone_texts().items()
        answering = Answering(imaged(ZoneTable({dns.name.from_text(apex): zone_of(text, apex)})))
        asked = [query(dns.name.from_text(name + apex), 1, dnssec=True) for name in ("abcde.", "edcba.")]
        assert [answering.ask(wire) for wire in asked] == [False, False]


class TestQuestion:
    def test_may_be_spelled_in_any_way(self) -> None:
        """0x20: the letters' case goes back as it came."""
        answering = serving("www A 192.0.2.1\n")
        assert answering.asks("www", "WWW", "wWw") == [False, True, True]

    def test_may_have_options_that_nobody_reads(self) -> None:
        """RFC 6891 section 6.1.2. What we answer, as a cookie, is for the reference."""
        answering = serving("www A 192.0.2.1\n")
        answering.asks("www")
        for code, ready in ((8, True), (12, True), (65001, True), (10, False), (3, False)):
            wire = query(dns.name.from_text("www", APEX), 1)
            asked = wire[:-2] + struct.pack("!HHHQ", 12, code, 8, 0)
            assert answering.ask(asked) is ready, code

    @pytest.mark.parametrize("rdtype", [251, 252])
    def test_for_a_transfer_is_for_the_reference(self, rdtype: int) -> None:
        """Whatever is prepared for other types of the same name."""
        answering = serving("")
        assert answering.asks("abc", "abd", "a.example.org.", rdtype=1) == [False, True, False]
        assert answering.asks("abd", "b.example.org.", rdtype=rdtype) == [False, False]

    def test_with_less_room_than_a_prepared_tail_is_asked_again(self) -> None:
        """And what was truncated for one client is whole for another."""
        answering = serving(f'* TXT "{"x" * 250}" "{"x" * 250}" "{"x" * 250}"\n')
        names = iter(dns.name.from_text(f"n{number}", APEX) for number in range(10, 99))
        asked = [answering.ask(query(next(names), 16, payload=payload)) for payload in (1100, 1000, 600, 1000, 1100, 1101, 1232)]
        assert asked == [False, True, False, True, True, False, False]

    def test_with_room_for_more_is_asked_again(self) -> None:
        """What was left out for one client is not left out for another."""
        answering = serving("".join(f"@ MX 10 mail{n}\nmail{n} A 192.0.2.{n}\nmail{n} AAAA 2001:db8::{n}\n" for n in range(9)))
        for _ in range(2):
            for payload in (512, 520, 1231, 700, 1232, 4096):
                answering.ask(query(APEX, 15, payload=payload))
            answering.ask(query(APEX, 15, edns=False))


class TestChange:
    def test_of_a_zone_drops_what_was_prepared_of_it_alone(self) -> None:
        """Nothing is answered from the version before."""
        other = dns.name.from_text("example.org.")
        table = ZoneTable({APEX: read_zone(SOA, "x", APEX).zone, other: read_zone(SOA, "x", other).zone})
        answering = Answering(table)
        assert answering.asks("abc", "abd", "a.example.org.", "b.example.org.") == [False, True] * 2
        answering.table = answering.table.replacing(APEX, read_zone(SOA + "abd A 192.0.2.1\n", "x", APEX).zone)
        answering.prepared.follow(answering.table)
        assert answering.asks("abc", "abd", "abe", "c.example.org.") == [False, False, True, True]

    def test_of_many_zones_lets_go_of_their_former_versions(self) -> None:
        """Nobody has to ask for that, and not everything is looked through at each change."""
        apexes = [dns.name.from_text(f"z{number}.test.") for number in range(10)]
        answering = Answering(ZoneTable({apex: read_zone(SOA, "x", apex).zone for apex in apexes}))
        answering.asks(*(f"a.{apex}" for apex in apexes))
        kept = answering.prepared.kept
        for apex in (*apexes, apexes[0]):
            answering.table = answering.table.replacing(apex, read_zone(SOA + "abd A 192.0.2.1\n", "x", apex).zone)
            answering.prepared.follow(answering.table)
        assert (kept, answering.prepared.kept) == (10, 0)

    def test_to_the_same_table_is_none(self) -> None:
        answering = serving("")
        answering.asks("abc")
        answering.prepared.follow(answering.table)
        assert answering.asks("abd") == [True]

    def test_of_the_parent_drops_what_it_says_about_its_child(self) -> None:
        """DS at a zone cut is the parent's (RFC 4035 section 3.1.4.1)."""
        child = dns.name.from_text("sub", APEX)
        parents = [read_zone(f"{SOA}sub NS ns1\n{ds}", "x", APEX).zone for ds in ("", f"sub DS 1 8 2 {'00' * 32}\n")]
        answering = Answering(ZoneTable({APEX: parents[0], child: read_zone(SOA, "x", child).zone}))
        assert answering.asks("sub", "sub", rdtype=43) == [False, True]
        answering.table = answering.table.replacing(APEX, parents[1])
        answering.prepared.follow(answering.table)
        assert answering.asks("sub", "sub", rdtype=43) == [False, True]

    def test_of_the_set_of_zones_drops_all(self) -> None:
        """A new zone may lie below one that we had, and nobody has to think about it."""
        answering = serving("")
        assert answering.asks("a.sub", "b.sub") == [False, True]
        child = dns.name.from_text("sub", APEX)
        answering.table = answering.table.replacing(child, read_zone(SOA, "x", child).zone)
        answering.prepared.follow(answering.table)
        assert answering.asks("a.sub", "b.sub") == [False, True]


class TestMemory:
    def test_does_not_grow_with_names_that_do_not_exist(self) -> None:
        """A flood of them is answered from what is kept of their length."""
        answering = serving("")
        answering.asks("aaaaaa")
        assert all(answering.asks(*(f"x{number:05d}" for number in range(300))))
        assert answering.prepared.kept == 1

    def test_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is full is emptied, and answers come from the reference again."""
        monkeypatch.setattr(prepared, "_MOST_KEPT", 10)
        answering = serving("".join(f"n{number} A 192.0.2.1\n" for number in range(100)))
        for _ in range(2):
            answering.asks(*(f"n{number}" for number in range(100)))
            assert answering.prepared.kept <= 10
        assert answering.asks("n1", "n1") == [False, True]

    def test_of_questions_is_not_spent_on_spellings(self) -> None:
        """One that comes in another spelling each time leaves nothing behind."""
        answering = serving("www A 192.0.2.1\n")
        assert answering.asks("www", "wwW", "wWw", "wWW", "Www") == [False, True, True, True, True]
        assert len(answering.prepared._exact) == 1

    def test_of_zones_is_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However many are served."""
        monkeypatch.setattr(prepared, "_MOST_ZONES", 3)
        apexes = [dns.name.from_text(f"z{number}.test.") for number in range(10)]
        answering = Answering(ZoneTable({apex: read_zone(SOA, "x", apex).zone for apex in apexes}))
        for apex in apexes:
            assert answering.asks(f"abc.{apex}", f"abd.{apex}") == [False, True]
