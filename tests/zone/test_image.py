"""The zone image: its layout holds what it promises."""

from __future__ import annotations

import base64
import random
from dataclasses import dataclass
from typing import NamedTuple

import dns.name
import pytest
from dns.name import Name
from dns.rdatatype import RdataType
from hypothesis import given, settings
from hypothesis import strategies as st
from tests import strategies
from tests.answer.zones import signed_zone_texts, zone_of, zone_texts

from mailname.wire.octets import octets
from mailname.zone import Node, Zone, image
from mailname.zone.image import HEADER, NODE, NONE, RRSET, SLOT, build_image, name_hash
from mailname.zone.signatures import covering

APEX = strategies.APEX
HEAD = "$TTL 60\n@ SOA ns1 hostmaster 1 7200 3600 86400 30\n"


class NodeEntry(NamedTuple):
    """One entry of the nodes."""

    lower: bytes
    spelled: bytes
    labels: int
    flags: int
    cut: int
    wildcard: int
    first_rrset: int
    rrsets: int
    hashed: int


class RRsetEntry(NamedTuple):
    """One entry of the RRsets."""

    rdtype: int
    many: int
    ttl: int
    body: bytes
    patches: list[int]
    additional: list[int]
    node: int
    signatures: bytes
    signed_by: int


@dataclass(frozen=True)
class Read:
    """An image taken apart, as its description says that it is laid out."""

    block: bytes

    @property
    def header(self) -> tuple[int, ...]:
        return HEADER.unpack_from(self.block)[1:14]

    def name(self, at: int, length: int) -> bytes:
        at += self.header[8]
        return self.block[at : at + length]

    def nodes(self) -> list[NodeEntry]:
        _, count, _, _, _, nodes_at, *_ = self.header
        made = []
        for number in range(count):
            lower, spelled, length, labels, flags, cut, wildcard, first, rrsets, _, hashed = NODE.unpack_from(
                self.block, nodes_at + NODE.size * number
            )
            names = self.name(lower, length), self.name(spelled, length)
            made.append(NodeEntry(*names, labels, flags, cut, wildcard, first, rrsets, hashed))
        return made

    def numbers(self, first: int, count: int) -> list[int]:
        at = self.header[7] + 4 * first
        return [int.from_bytes(self.block[at + 4 * i : at + 4 * i + 4], "little") for i in range(count)]

    def rrset(self, number: int) -> RRsetEntry:
        at = self.header[6] + RRSET.size * number
        fields = RRSET.unpack_from(self.block, at)
        rdtype, signed_by, count, patches, ttl, body, length, first, others, other, octets_signed, signatures, node = fields
        return RRsetEntry(
            rdtype,
            count,
            ttl,
            self.name(body, length),
            self.numbers(first, patches),
            self.numbers(others, other),
            node,
            self.name(signatures, octets_signed) if signed_by else b"",
            signed_by,
        )

    def chain(self) -> list[tuple[bytes, int]]:
        """Return the links of the chain: the hash, empty for NSEC, and the node."""
        at, links, parameters = HEADER.unpack_from(self.block)[16:]
        size = 24 if parameters else 4
        found = [self.block[at + size * i : at + size * i + size] for i in range(links)]
        return [(link[:-4], int.from_bytes(link[-4:], "little")) for link in found]

    def parameters(self) -> bytes:
        """Return the rdata of the NSEC3PARAM record that the chain goes by, and what follows."""
        at: int = HEADER.unpack_from(self.block)[18]
        return self.block[at:] if at else b""

    def find(self, name: bytes) -> int | None:
        """Look a name up by the hash index, as a reader does."""
        mask, slots_at = self.header[3], self.header[4]
        nodes = self.nodes()
        at = name_hash(name) & mask
        while True:
            hashed, entry = SLOT.unpack_from(self.block, slots_at + SLOT.size * at)
            if not entry:
                return None
            if hashed == name_hash(name) and nodes[entry - 1].lower == name:
                return int(entry) - 1
            at = (at + 1) & mask

    def records(self, entry: RRsetEntry) -> list[tuple[int, int, bytes]]:
        """Return type, TTL and rdata of an RRset's records, with the pointers to the apex resolved."""
        apex = self.nodes()[0].lower
        body, at, found = bytearray(entry.body), 0, []
        while at < len(body):
            assert body[at : at + 2] == b"\xc0\x0c"
            assert body[at + 4 : at + 6] == b"\0\1"
            length = int.from_bytes(body[at + 10 : at + 12])
            start, rdata, ends = at + 12, b"", at + 12 + length
            for patch in entry.patches:
                if start <= patch < ends:
                    assert body[patch : patch + 2] == b"\xc0\0"
                    rdata += bytes(body[start:patch]) + apex
                    start = patch + 2
            rdata += bytes(body[start:ends])
            found.append((int.from_bytes(body[at + 2 : at + 4]), int.from_bytes(body[at + 6 : at + 10]), rdata))
            at = ends
        return found


def flags_of(zone: Zone) -> dict[str, int]:
    """Return the flags of each node by its name as text."""
    return {dns.name.from_wire(node.lower, 0)[0].to_text(): node.flags for node in Read(build_image(zone)).nodes()}


def zone(text: str, apex: str = "example.tech.") -> Zone:
    return zone_of(HEAD + text, apex)


def apex_of(zone: Zone) -> Node:
    node = zone.node(zone.apex)
    assert node is not None
    return node


def assert_holds(zone: Zone) -> None:
    """Check that the image holds the zone, all of it, and nothing else."""
    read = Read(build_image(zone))
    nodes = list(zone.nodes())
    entries = read.nodes()
    assert read.header[0] == len(read.block)
    assert [entry.spelled for entry in entries] == [octets(node.owner) for node in nodes]
    assert [entry.lower for entry in entries] == [octets(node.owner).lower() for node in nodes]
    assert [dns.name.from_wire(entry.lower, 0)[0] for entry in entries] == sorted(node.owner for node in nodes)
    for node, entry in zip(nodes, entries, strict=True):
        assert entry.labels == len(node.owner.labels)
        assert entry.hashed == name_hash(entry.lower)
        found = [read.rrset(entry.first_rrset + place) for place in range(entry.rrsets)]
        assert [rrset.rdtype for rrset in found] == sorted(node.rrsets)
        for rrset in found:
            held = node.rrsets[RdataType.make(rrset.rdtype)]
            # The labels of the apex stand once in an image: their case is the zone's.
            got = sorted((rdtype, ttl, rdata.lower()) for rdtype, ttl, rdata in read.records(rrset))
            if rrset.rdtype == RdataType.RRSIG:  # the TTLs of signatures: TestSignatures
                got = sorted((rdtype, held.ttl, rdata) for rdtype, _, rdata in got)
            assert got == sorted((held.rdtype, held.ttl, octets(rdata).lower()) for rdata in held.rdatas)
            assert (rrset.many, rrset.ttl) == (len(held.rdatas), held.ttl)
    _, _, _, _, _, _, _, _, _, records, serial, negative_ttl, _ = read.header
    assert (records, serial, negative_ttl) == (zone.record_count, zone.serial.value, zone.negative_ttl)


class TestLayout:
    @pytest.mark.parametrize("apex", sorted(zone_texts()))
    def test_holds_every_record_in_canonical_order(self, apex: str) -> None:
        """RFC 4034 section 6.1; spelled as in the zone, found in lower case."""
        assert_holds(zone_of(zone_texts()[apex], apex))

    @pytest.mark.parametrize("apex", sorted(signed_zone_texts()))
    def test_holds_signed_zones(self, apex: str) -> None:
        assert_holds(zone_of(signed_zone_texts()[apex], apex))

    @given(st.one_of(strategies.zones(), strategies.zones(dns.name.root)))
    @settings(max_examples=20)
    def test_holds_any_zone(self, made: Zone) -> None:
        """Whatever may stand in a zone, the root zone among them."""
        assert_holds(made)

    @given(strategies.zones())
    @settings(max_examples=15)
    def test_finds_every_owner_by_its_hash(self, made: Zone) -> None:
        """And nothing that is not there."""
        read = Read(build_image(made))
        entries = read.nodes()
        for number, entry in enumerate(entries):
            if not entry.flags & image.HASHED:
                assert read.find(entry.lower) == number
        owners = {entry.lower for entry in entries}
        for entry in entries:
            for other in (b"\1x" + entry.lower, entry.lower[1 + entry.lower[0] :]):
                assert (read.find(other) is not None) == (other in owners)

    def test_is_at_most_half_full_of_slots(self) -> None:
        """Else a search would not end."""
        for count in (1, 3, 4, 7, 8, 9, 100):
            made = zone(" NS ns1\n" + "".join(f"n{number} A 192.0.2.1\n" for number in range(count)))
            _, nodes, _, mask, *_ = Read(build_image(made)).header
            assert mask & (mask + 1) == 0
            assert 2 * nodes <= mask + 1

    def test_hash_is_of_each_suffix_in_one_pass(self) -> None:
        """From the last octet to the first: FNV-1a of the name backwards."""
        assert name_hash(b"") == 0x811C9DC5
        assert name_hash(b"\0") == ((0x811C9DC5 ^ 0) * 0x01000193) & 0xFFFFFFFF
        assert name_hash(b"a") == 0xE40C292C


def records(wire: bytes) -> list[tuple[int, int, bytes]]:
    """Take records apart that have a pointer as owner: type, TTL, rdata."""
    found, at = [], 0
    while at < len(wire):
        ends = at + 12 + int.from_bytes(wire[at + 10 : at + 12])
        found.append((int.from_bytes(wire[at + 2 : at + 4]), int.from_bytes(wire[at + 6 : at + 10]), wire[at + 12 : ends]))
        at = ends
    return found


class TestSignatures:
    @pytest.mark.parametrize("apex", sorted(signed_zone_texts()))
    def test_lie_together_with_the_ttl_of_what_they_cover(self, apex: str) -> None:
        """Each RRset knows its own (RFC 4035 section 2.2); those that it has, in the order in which they came."""
        made = zone_of(signed_zone_texts()[apex], apex)
        read = Read(build_image(made))
        for node, entry in zip(made.nodes(), read.nodes(), strict=True):
            for place in range(entry.rrsets):
                rrset = read.rrset(entry.first_rrset + place)
                found = covering(node.rrsets, node.rrsets[RdataType.make(rrset.rdtype)])
                held = [(46, found.ttl, octets(rdata)) for rdata in found.rdatas] if found else []
                assert records(rrset.signatures) == held
                assert rrset.signed_by == len(held)

    def test_of_the_negative_soa_have_its_ttl(self) -> None:
        """RFC 2308 section 3 and RFC 4034 section 3."""
        for apex, text in signed_zone_texts().items():
            made = zone_of(text, apex)
            read = Read(build_image(made))
            soa = read.rrset(read.header[2] - 1)
            found = covering(apex_of(made).rrsets, made.soa)
            assert found is not None
            assert records(soa.signatures) == [(46, made.negative_ttl, octets(rdata)) for rdata in found.rdatas]

    def test_are_sorted_by_what_they_cover(self) -> None:
        """However the zone file has them: those of one type stay in its order, those of what is not there have their own TTL."""
        chance = random.Random(46)
        for count in range(1, 40):
            covered = [chance.choice(["A", "TXT", "NS", "AAAA", "CAA"]) for _ in range(count)]
            lines = [f" RRSIG {one} 13 2 70 20300101000000 20200101000000 {tag} @ AAAA" for tag, one in enumerate(covered)]
            made = zone(" NS ns1\nx TXT t\nx A 192.0.2.1\nx" + "\n".join(lines) + "\n")
            read = Read(build_image(made))
            entry = read.nodes()[1]
            rrsets = [read.rrset(entry.first_rrset + place) for place in range(entry.rrsets)]
            of_all = records(rrsets[-1].body)
            found = [(RdataType(int.from_bytes(rdata[:2])).name, int.from_bytes(rdata[16:18])) for _, _, rdata in of_all]
            assert found == sorted(zip(covered, range(count), strict=True), key=lambda pair: (RdataType[pair[0]].value, pair[1]))
            assert [ttl for _, ttl, _ in of_all] == [60 if one in {"A", "TXT"} else 70 for one, _ in found]
            for rrset, name in zip(rrsets, ("A", "TXT"), strict=False):
                assert rrset.signed_by == covered.count(name)
                assert records(rrset.signatures) == [one for one, pair in zip(of_all, found, strict=True) if pair[0] == name]


class TestChain:
    def test_of_nsec_is_every_owner_that_has_one(self) -> None:
        """In canonical order, the apex first."""
        made = zone_of(signed_zone_texts()["nsec.example."], "nsec.example.")
        read = Read(build_image(made))
        assert read.chain() == [(b"", number) for number, node in enumerate(made.nodes()) if RdataType.NSEC in node.rrsets]
        assert read.parameters() == b""

    @pytest.mark.parametrize("apex", ["nsec3.example.", "salted.example.", "optout.example."])
    def test_of_nsec3_is_sorted_by_hash(self, apex: str) -> None:
        """The hash is what the owner spells in base32hex (RFC 5155 section 3)."""
        made = zone_of(signed_zone_texts()[apex], apex)
        read = Read(build_image(made))
        spelled = {number: node.owner.labels[0] for number, node in enumerate(made.nodes()) if RdataType.NSEC3 in node.rrsets}
        assert read.chain() == [(base64.b32hexdecode(label.upper()), number) for number, label in spelled.items()]
        assert [link for link, _ in read.chain()] == sorted(link for link, _ in read.chain())
        (parameters,) = apex_of(made).rrsets[RdataType.NSEC3PARAM].rdatas
        assert read.parameters().startswith(octets(parameters))

    def test_of_an_unsigned_zone_is_empty(self) -> None:
        read = Read(build_image(zone(" NS ns1\nx NSEC y A\n")))
        assert read.chain() == []
        assert not read.block[61] & image.ZONE_SIGNED

    def test_without_signatures_is_a_chain(self) -> None:
        """What a zone has, it proves with."""
        read = Read(build_image(zone(" NS ns1\n NSEC x NS SOA\nx NSEC @ TXT\n")))
        assert read.chain() == [(b"", 0), (b"", 1)]
        assert read.block[61] & image.ZONE_SIGNED

    @pytest.mark.parametrize("owner", ["x", "v" * 31, "v" * 33, "w" * 32, "0" * 31 + "-", f"{'0' * 32}.sub"])
    def test_with_an_owner_that_is_no_hash_is_marked(self, owner: str) -> None:
        """Its links may stand in another order than the hashes: such a zone's proofs are the reference's to find."""
        good = f"{'0' * 32} NSEC3 1 0 0 - {'V' * 32} NS\n"
        for text, odd in ((good, 0), (good + f"{owner} NSEC3 1 0 0 - {'V' * 32} A\n", image.ZONE_ODD)):
            assert build_image(zone(f" NS ns1\n NSEC3PARAM 1 0 0 -\n{text}"))[61] & image.ZONE_ODD == odd

    @pytest.mark.parametrize(("label", "digits"), [("v", "V"), ("V" * 31, "V" * 31), ("0v" * 20, "0V" * 16)])
    def test_has_nothing_in_its_links_but_the_owners_first_label(self, label: str, digits: str) -> None:
        """A label that is shorter than a hash is not read past its end, wherever the records' data end."""
        read = Read(build_image(zone(f" NS ns1\n NSEC3PARAM 1 0 0 -\n{label} NSEC3 1 0 0 - 00 A\n")))
        at, links = HEADER.unpack_from(read.block)[-3:-1]
        assert links == 1
        assert read.block[at : at + 20] == base64.b32hexdecode(digits.ljust(32, "0"))


class TestFlags:
    def test_of_a_cut_and_what_lies_below(self) -> None:
        """Glue and whatever else is below a zone cut leads to the cut, which is not the zone's to answer."""
        made = zone(" NS ns1\nkid NS a.ns.kid\na.ns.kid A 192.0.2.1\nkids A 192.0.2.2\nkid.kid NS x.\nafter A 192.0.2.3\n")
        found = flags_of(made)
        assert found == {
            "example.tech.": 0,
            "after.example.tech.": 0,
            "kid.example.tech.": image.CUT,
            "kid.kid.example.tech.": image.BELOW_CUT,
            "ns.kid.example.tech.": image.BELOW_CUT,
            "a.ns.kid.example.tech.": image.BELOW_CUT,
            "kids.example.tech.": 0,
        }
        entries = Read(build_image(made)).nodes()
        cut = next(number for number, entry in enumerate(entries) if entry.flags & image.CUT)
        assert {entry.cut for entry in entries if entry.flags & (image.CUT | image.BELOW_CUT)} == {cut}
        assert {entry.cut for entry in entries if not entry.flags} == {NONE}

    def test_of_an_alias_and_of_a_moved_tree(self) -> None:
        """CNAME; DNAME and what it hides (RFC 6672 section 2.4)."""
        found = flags_of(zone(" NS ns1\nwww CNAME mail\nold DNAME new\nnew A 192.0.2.1\n"))
        assert found["www.example.tech."] == image.HAS_CNAME
        assert found["old.example.tech."] == image.HAS_DNAME
        assert found["new.example.tech."] == 0

    def test_of_a_wildcards_parent(self) -> None:
        """The closest encloser knows its wildcard, so that one look finds the source of synthesis (RFC 4592 section 3.3.1)."""
        made = zone(" NS ns1\n* MX 10 mail\n*.a.b TXT x\n*.*.a.b TXT y\nx.* A 192.0.2.1\n")
        entries = Read(build_image(made)).nodes()
        names = {dns.name.from_wire(entry.lower, 0)[0].relativize(made.apex).to_text(): entry for entry in entries}
        sources = {name: entries[entry.wildcard].lower for name, entry in names.items() if entry.flags & image.HAS_WILDCARD}
        assert sources == {name: b"\1*" + names[name].lower for name in ("@", "a.b", "*.a.b")}
        assert {entry.wildcard for name, entry in names.items() if name not in sources} == {NONE}

    @given(strategies.zones())
    @settings(max_examples=15)
    def test_agree_with_the_zone(self, made: Zone) -> None:
        """What the zone says of each of its names."""
        entries = Read(build_image(made)).nodes()
        cuts = [node.owner for node in made.nodes() if RdataType.NS in node.rrsets and node.owner != made.apex]
        for node, entry in zip(made.nodes(), entries, strict=True):
            below = [cut for cut in cuts if node.owner.is_subdomain(cut) and node.owner != cut]
            assert bool(entry.flags & image.BELOW_CUT) == bool(below), node.owner
            assert bool(entry.flags & image.CUT) == (node.owner in cuts and not below), node.owner
            assert bool(entry.flags & image.HAS_CNAME) == (RdataType.CNAME in node.rrsets)
            assert bool(entry.flags & image.HAS_WILDCARD) == (Name((b"*", *node.owner.labels)) in {n.owner for n in made.nodes()})

    def test_of_the_zone_tell_whether_it_is_signed(self) -> None:
        for texts, signed in ((zone_texts(), 0), (signed_zone_texts(), image.ZONE_SIGNED)):
            for apex, text in texts.items():
                assert build_image(zone_of(text, apex))[61] & image.ZONE_SIGNED == signed, apex


class TestAdditional:
    def lists(self, text: str) -> dict[tuple[str, str], list[str]]:
        read = Read(build_image(zone(text)))
        nodes = read.nodes()
        found = {}
        for entry in nodes:
            for place in range(entry.rrsets):
                rrset = read.rrset(entry.first_rrset + place)
                others = [read.rrset(number) for number in rrset.additional]
                names = [f"{self.owner(nodes[one.node])} {RdataType(one.rdtype).name}" for one in others]
                if names:
                    found[self.owner(entry), RdataType(rrset.rdtype).name] = names
        return found

    def owner(self, entry: NodeEntry) -> str:
        return dns.name.from_wire(entry.lower, 0)[0].relativize(APEX).to_text()

    def test_lists_the_addresses_of_hosts(self) -> None:
        """Of MX, NS and SRV (RFC 1035 section 3.3.9), each once, in the order of the records."""
        text = " NS ns1\n MX 10 mail\n MX 20 mail\n MX 30 else.example.org.\n_x._tcp SRV 0 0 1 mail\nns1 A 192.0.2.1\n"
        assert self.lists(text + "mail A 192.0.2.2\nmail AAAA 2001:db8::2\n") == {
            ("@", "NS"): ["ns1 A"],
            ("@", "MX"): ["mail A", "mail AAAA"],
            ("_x._tcp", "SRV"): ["mail A", "mail AAAA"],
        }

    def test_lists_needed_glue_before_the_rest(self) -> None:
        """What lies below the cut cannot be had elsewhere (RFC 9471 section 3.1); addresses below a cut go with NS only."""
        text = " NS ns1\n MX 10 a.kid\nns1 A 192.0.2.1\nkid NS ns1\nkid NS a.kid\na.kid A 192.0.2.3\n"
        found = self.lists(text)
        assert found[("kid", "NS")] == ["a.kid A", "ns1 A"]
        assert ("@", "MX") not in found
