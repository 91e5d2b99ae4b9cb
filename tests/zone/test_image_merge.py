"""Changed images: what is merged says the same as what is built anew, and that the same as the whole new zone's image."""

from __future__ import annotations

import hashlib
import itertools
from typing import TYPE_CHECKING, Any

import dns.name
import dns.rdata
import dns.rdatatype
import pytest
from dns.rdataclass import RdataClass
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.strategies import APEX
from tests.uncompiled import returned_uncompiled
from tests.zone.image_contents import Contents

from mailname.errors import ZoneError
from mailname.zone import Zone, ZoneBuilder, image_merge
from mailname.zone.image import build_image
from mailname.zone.image_merge import Changes, merged, rebuilt
from mailname.zone.image_zone import ImageZone
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

APEX_WIRE = APEX.to_wire() or b""
HEAD = "$TTL 60\n@ SOA ns1 h {serial} 2 3 4 30\n@ NS ns1.example.net.\n"
HASHES = [f"0123456789abcdefghijklmnopqrstu{last}" for last in "0123v"]
RRSIG = "13 2 60 20300101000000 20200101000000 1 @ AAAA"

# What zones of the law are made of: few names, so that they lie above, below and beside one another.
_owner = st.one_of(
    st.just("@"),
    st.sampled_from(HASHES),
    st.lists(st.sampled_from(["a", "b", "C", "*", "ns"]), min_size=1, max_size=3).map(".".join),
)
_target = st.one_of(_owner, st.just("x.example.net."))
_RDATA = {
    "A": st.integers(1, 3).map("192.0.2.{}".format),
    "AAAA": st.integers(1, 2).map("2001:db8::{}".format),
    "NS": _target,
    "MX": _target.map("10 {}".format),
    "SRV": _target.map("1 2 3 {}".format),
    "PTR": _target,
    "TXT": st.sampled_from("xyX"),
    "CNAME": _target,
    "DNAME": _target,
    "NSEC": st.just("a A"),
    "RRSIG": st.sampled_from(["A", "SOA", "NS", "TXT"]).map(f"{{}} {RRSIG}".format),
    "NSEC3": st.sampled_from([5, 5, 6]).map(f"1 0 {{}} ab {HASHES[0]} A".format),
    "NSEC3PARAM": st.just("1 0 5 ab"),
}
_record = st.sampled_from([*_RDATA, "A", "A", "NS", "TXT"]).flatmap(
    lambda rdtype: st.tuples(
        st.just("@") if rdtype == "NSEC3PARAM" else _owner, st.sampled_from([60, 60, 60, 10]), st.just(rdtype), _RDATA[rdtype]
    )
)
Record = tuple[str, int, str, str]


def zone_of(records: list[Record], serial: int, apex: Name = APEX) -> Zone | None:
    """Build a zone of SOA, NS and records; None where they cannot be one."""
    builder = ZoneBuilder(apex)
    try:
        for node in read_zone(HEAD.format(serial=serial), "f", apex).zone.nodes():
            for rrset in node.rrsets.values():
                builder.add(node.owner, rrset.ttl, rrset.rdatas[0])
        for owner, ttl, rdtype, text in records:
            rdata = dns.rdata.from_text(RdataClass.IN, rdtype, text, origin=apex, relativize=False)
            builder.add(dns.name.from_text(owner, apex), ttl, rdata)
        return builder.build()
    except ZoneError:
        return None


def image_of(text: str, serial: int = 1, apex: Name = APEX) -> bytes:
    return build_image(read_zone(HEAD.format(serial=serial) + text, "f", apex).zone)


def rdata_of(rdtype: str, text: str, apex: Name = APEX) -> Rdata:
    return dns.rdata.from_text(RdataClass.IN, rdtype, text, origin=apex, relativize=False)


def changes_of(*lines: str, apex: Name = APEX) -> Changes:
    """Return the changes written as ``- owner type rdata`` and ``+ owner ttl type rdata``."""
    changes = Changes(apex.to_wire() or b"")
    for line in lines:
        sign, owner, *fields = line.split(None, 3 if line[0] == "-" else 4)
        wire = dns.name.from_text(owner, apex).to_wire() or b""
        rdata = rdata_of(fields[-2], fields[-1], apex)
        if sign == "-":
            changes.remove(wire, rdata.rdtype, rdata.to_wire() or b"")
        else:
            changes.add(wire, int(fields[0]), rdata.rdtype, rdata.to_wire() or b"")
    return changes


SERIAL = ("- @ SOA ns1 h 1 2 3 4 30", "+ @ 60 SOA ns1 h 2 2 3 4 30")


def difference(old: bytes, new: bytes, apex: Name = APEX) -> Changes:
    """Return the changes from one image to another, as an incremental transfer has them."""
    # A signature's TTL is that of what it covers, whatever it says itself.
    before, after = (
        {(owner.lower(), rdtype, ttl * (rdtype != 46), rdata): (owner, ttl) for owner, rdtype, ttl, rdata in records}
        for records in (ImageZone(old).wire_records(), ImageZone(new).wire_records())
    )
    changes = Changes(apex.to_wire() or b"")
    for key, (owner, _) in before.items():
        if key not in after:
            changes.remove(owner, key[1], key[3])
    for key, (owner, ttl) in after.items():
        if key not in before:
            changes.add(owner, ttl, key[1], key[3])
    return changes


def unordered(contents: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return what an image says but for the order of the records of an RRset."""
    counts, nodes, negative, found, chain = contents

    def rrset(said: tuple[Any, ...]) -> tuple[Any, ...]:
        rdtype, count, ttl, body, patches, hosts, signatures, signed = said
        return rdtype, count, ttl, len(body), len(patches), sorted(hosts), signatures, signed if signatures == 0 else len(signed)

    # Which of several NSEC3 records of one owner begins a chain is a matter of their order; no zone that is signed has such.
    if any(one[0] == dns.rdatatype.NSEC3 and one[1] > 1 for node in nodes for one in node[6]):
        counts, found, chain = counts[:-1], None, None
    return counts, [(*node[:1], *node[2:6], [rrset(one) for one in node[6]]) for node in nodes], rrset(negative), found, chain


def both(image: bytes, *lines: str, apex: Name = APEX) -> bytes:
    """Apply changes in both ways, which must say the same."""
    one = merged(image, changes_of(*lines, apex=apex))
    assert Contents(one).all() == Contents(rebuilt(image, changes_of(*lines, apex=apex))).all()
    return one


class TestMerged:
    @settings(max_examples=200)
    @given(st.lists(st.lists(st.tuples(_record, st.booleans()), max_size=8), min_size=2, max_size=4))
    def test_any_change_gives_the_new_zone(self, steps: list[list[tuple[Record, bool]]]) -> None:
        """Node for node, list for list: cuts, wildcards, empty non-terminals, hosts, signatures, proofs."""
        image: bytes | None = None
        held: list[Record] = []
        for serial, step in enumerate(steps):
            wanted = [record for record in held if (record, False) not in step] + [record for record, added in step if added]
            zone = zone_of(wanted, serial)
            if zone is None:
                continue
            new = build_image(zone)
            if image is not None:
                result = merged(image, difference(image, new))
                assert Contents(result).all() == Contents(rebuilt(image, difference(image, new))).all()
                assert unordered(Contents(result).all()) == unordered(Contents(new).all())
                assert ImageZone(result) == zone
            image = result if image is not None else new
            held = wanted

    @pytest.mark.parametrize(
        ("before", "changes", "after"),
        [
            ("a A 192.0.2.1\n", ["- a A 192.0.2.1", "+ a 60 A 192.0.2.2"], "a A 192.0.2.2\n"),
            ("a A 192.0.2.1\n", ["- a A 192.0.2.1"], ""),
            ("x.y.a A 192.0.2.1\n", ["- x.y.a A 192.0.2.1"], ""),
            ("x.y.a A 192.0.2.1\n", ["- x.y.a A 192.0.2.1", "+ y.a 60 TXT t"], "y.a TXT t\n"),
            ("x.a A 192.0.2.1\na TXT t\n", ["- a TXT t"], "x.a A 192.0.2.1\n"),
            ("b A 192.0.2.1\n", ["+ c.d.b 60 A 192.0.2.1"], "b A 192.0.2.1\nc.d.b A 192.0.2.1\n"),
            ("a MX 1 b\n", ["+ b 60 A 192.0.2.1"], "a MX 1 b\nb A 192.0.2.1\n"),
            ("a MX 1 b\nb A 192.0.2.1\n", ["- b A 192.0.2.1"], "a MX 1 b\n"),
            ("a MX 1 b\nb A 192.0.2.1\n", ["+ b 60 NS ns.example.net."], "a MX 1 b\nb A 192.0.2.1\nb NS ns.example.net.\n"),
            ("_s SRV 1 1 1 b\nz TXT t\n", ["+ b 60 AAAA ::1"], "_s SRV 1 1 1 b\nz TXT t\nb AAAA ::1\n"),
            ("d NS ns.d\n", ["+ ns.d 60 A 192.0.2.1"], "d NS ns.d\nns.d A 192.0.2.1\n"),
            ("d NS ns.d\nns.d A 192.0.2.1\n", ["- d NS ns.d", "- ns.d A 192.0.2.1"], ""),
            ("a.d A 192.0.2.1\n", ["+ d 60 NS ns.example.net."], "a.d A 192.0.2.1\nd NS ns.example.net.\n"),
            ("*.a A 192.0.2.1\nb.a TXT t\n", ["- *.a A 192.0.2.1"], "b.a TXT t\n"),
            ("b.a TXT t\n", ["+ *.a 60 A 192.0.2.1"], "b.a TXT t\n*.a A 192.0.2.1\n"),
            ("*.a A 192.0.2.1\n", ["+ b.a 60 TXT t"], "*.a A 192.0.2.1\nb.a TXT t\n"),
            ("a CNAME b\n", ["- a CNAME b", "+ a 60 TXT t"], "a TXT t\n"),
            ("a DNAME b\n", ["- a DNAME b", "+ a 60 TXT t"], "a TXT t\n"),
            ("b.a TXT t\n", ["+ a 60 DNAME c"], "b.a TXT t\na DNAME c\n"),
            ("A TXT t\n", ["- a TXT t", "+ a 60 TXT u"], "a TXT u\n"),
        ],
    )
    def test_change_gives_the_new_zone(self, before: str, changes: list[str], after: str) -> None:
        """One of each kind."""
        result = both(image_of(before), *SERIAL, *changes)
        assert unordered(Contents(result).all()) == unordered(Contents(image_of(after, 2)).all())
        assert list(ImageZone(result).wire_records()) == list(ImageZone(image_of(after, 2)).wire_records())

    def test_changes_are_made_in_order(self) -> None:
        """Several versions may lie between, as in RFC 1995 section 4."""
        third = ("- @ SOA ns1 h 2 2 3 4 30", "+ @ 60 SOA ns1 h 3 2 3 4 30")
        result = both(image_of("a TXT t\n"), *SERIAL, "+ b 60 TXT t", "- a TXT t", *third, "- b TXT t", "+ a 5 TXT t")
        assert list(ImageZone(result).wire_records()) == list(ImageZone(image_of("a 5 TXT t\n", 3)).wire_records())

    def test_record_that_is_there_is_not_added(self) -> None:
        """Names in rdata are the same in any case; strings are not."""
        result = both(image_of("a TXT t\nm MX 1 a\nr NAPTR 1 1 a a a .\n"), "+ a 60 TXT t", "+ a 9 TXT T", "+ m 60 MX 1 A")
        assert ImageZone(result) == ImageZone(image_of("a TXT t\na TXT T\nm MX 1 a\nr NAPTR 1 1 a a a .\n"))

    def test_record_is_removed_whatever_its_case_where_names_are_meant(self) -> None:
        """RP is no type whose names are known here: all but the case is the same."""
        assert ImageZone(both(image_of("r RP a b\nr TXT t\n"), "- r RP A b")) == ImageZone(image_of("r TXT t\n"))

    def test_no_change_changes_nothing(self) -> None:
        """But for what is left behind."""
        image = image_of("a TXT t\n*.b A 192.0.2.1\n")
        assert Contents(merged(image, changes_of())).all() == Contents(image).all()

    def test_of_the_root_zone(self) -> None:
        """Where no names are compressed."""
        text = "$TTL 60\n. SOA ns1. h. 1 2 3 4 30\n. NS a.root.\na.root. A 192.0.2.1\ncom. NS ns.com.\n"
        image = build_image(read_zone(text, "f", dns.name.root).zone)
        result = both(image, "+ ns.com. 60 A 192.0.2.1", "- a.root. A 192.0.2.1", "+ a.root. 60 AAAA ::1", apex=dns.name.root)
        after = text.replace("A 192.0.2.1", "AAAA ::1") + "ns.com. A 192.0.2.1\n"
        assert unordered(Contents(result).all()) == unordered(
            Contents(build_image(read_zone(after, "f", dns.name.root).zone)).all()
        )

    def test_large_rrset_changes(self) -> None:
        """Half of its records go, as many come."""
        before = "".join(f"a A 192.0.{i // 250}.{i % 250}\n" for i in range(600))
        lines = [f"- a A 192.0.{i // 250}.{i % 250}" for i in range(0, 600, 2)]
        lines += [f"+ a 60 A 198.51.100.{i}" for i in range(200)]
        result = ImageZone(both(image_of(before), *lines))
        assert result.record_count == 2 + 300 + 200

    def test_many_merges_leave_little_behind(self) -> None:
        """Never more than a quarter is dead; then the image is built anew."""
        image = image_of("".join(f"n{i} TXT {'x' * 200}\n" for i in range(40)))
        size = len(image)
        sizes = []
        for turn in range(60):
            image = merged(
                image,
                changes_of(f"- n{turn % 40} TXT {'xy'[turn // 40] * 200}", f"+ n{turn % 40} 60 TXT {'yz'[turn // 40] * 200}"),
            )
            sizes.append(len(image))
        assert max(sizes) < size * 1.4
        assert any(after < before for before, after in itertools.pairwise(sizes))

    def test_that_touches_much_is_built_anew(self) -> None:
        """A copy would save nothing."""
        image = image_of("".join(f"n{i} TXT t\n" for i in range(1300)))
        result = merged(image, changes_of(*(f"- n{i} TXT t" for i in range(1300)), "+ a 60 TXT t"))
        assert result == image_of("a TXT t\n")

    def test_simple_change_is_not_built_anew(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Whatever the zone's size: names that come and go, delegations, signatures and links of the chain among them."""
        monkeypatch.setattr(image_merge, "_built_anew", None)
        text = (
            f"@ NSEC3PARAM 1 0 5 ab\n{HASHES[0]} NSEC3 1 0 5 ab {HASHES[1]} A\n@ RRSIG SOA {RRSIG}\nx.b A 192.0.2.1\nd NS a.d\n"
            * 1
        )
        text += "a.d A 192.0.2.1\na.d TXT t\n" + "".join(f"m{i} MX 1 n{i}\n" for i in range(50))
        image = image_of(text)
        for changes in (
            [*SERIAL, f"- @ RRSIG SOA {RRSIG}", f"+ @ 60 RRSIG SOA {RRSIG.replace('1 @', '2 @')}"],
            [f"+ {HASHES[2]} 60 NSEC3 1 0 5 ab {HASHES[0]} A", f"+ {HASHES[2]} 60 RRSIG NSEC3 {RRSIG}", "+ n7 60 A 192.0.2.7"],
            ["+ e 60 NS a.e", "+ a.e 60 A 192.0.2.1"],
            ["- d NS a.d", "- a.d A 192.0.2.1", "- a.d TXT t"],
            ["- x.b A 192.0.2.1", "+ *.x.b 60 A 192.0.2.1"],
        ):
            merged(image, changes_of(*changes))


class TestRefusal:
    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            (["- a TXT u"], "a record a.example.tech. TXT is to be removed, but is not there"),
            (["- b TXT t"], "a record b.example.tech. TXT is to be removed, but is not there"),
            (["- a TXT t", "- a TXT t"], "a record a.example.tech. TXT is to be removed, but is not there"),
            (["+ a.example.net. 60 TXT t"], "a record a.example.net. TXT is not in the zone"),
            (["+ a 60 CNAME b"], "a CNAME record and other data"),
            (["+ c 60 CNAME d"], "a second SOA, CNAME or DNAME record"),
            (["+ @ 60 SOA ns1 h 2 2 3 4 30"], "a second SOA, CNAME or DNAME record"),
            (["+ a 60 SOA ns1 h 2 2 3 4 30"], "a SOA record below the apex"),
            (["- @ SOA ns1 h 1 2 3 4 30"], "no SOA record at the apex"),
            (["- @ NS ns1.example.net."], "no NS record at the apex"),
        ],
    )
    def test_change_that_cannot_be_made_is_refused(self, changes: list[str], problem: str) -> None:
        """The image before goes on serving."""
        image = image_of("a TXT t\nc CNAME b\n")
        for way in (merged, rebuilt):
            with pytest.raises(ZoneError, match=problem):
                way(image, changes_of(*changes))

    def test_rrset_with_too_many_records_is_refused(self) -> None:
        """An image holds 65535."""
        changes = Changes(APEX_WIRE)
        for i in range(65536):
            changes.add(b"\x01a" + APEX_WIRE, 60, 1, i.to_bytes(4))
        with pytest.raises(ZoneError, match="too large"):
            merged(image_of(""), changes)


def digest_of_merges() -> str:
    """Return a digest of images merged by this form of the core."""
    found = hashlib.sha256()
    image = image_of("d NS a.d\na.d A 192.0.2.1\nm MX 1 n\n*.w TXT t\nz RRSIG A " + RRSIG + "\n")
    for changes in (
        ["+ n 60 A 192.0.2.1", "+ x.y 60 SRV 1 1 1 n"],
        ["- n A 192.0.2.1", "+ b.w 60 TXT t"],
        ["+ @ 60 NSEC a A", "+ z 60 A 192.0.2.1"],
        ["- d NS a.d", "- a.d A 192.0.2.1", "- *.w TXT t", f"+ q 60 NSEC3 1 0 5 ab {HASHES[0]} A"],
        ["- @ NSEC a A", "+ @ 60 NSEC3PARAM 1 0 5 ab"],
    ):
        image = merged(image, changes_of(*changes))
        found.update(image)
        found.update(rebuilt(image, changes_of()))
    return found.hexdigest()


class TestForms:
    def test_both_forms_of_the_core_merge_alike(self) -> None:
        """Octet for octet."""
        assert returned_uncompiled(digest_of_merges) == digest_of_merges()
