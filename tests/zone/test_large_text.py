"""Text of large zones: it reads back as the same zone, record by record, and both forms of the core write the same."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import dns.name
import dns.rdata
import dns.rdatatype
import pytest
from dns.name import Name
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st
from tests import strategies
from tests.strategies import APEX, zones

import mailname.zone
from mailname.uncompiled import prefer_sources
from mailname.zone import Zone, ZoneBuilder, large_text
from mailname.zone.image import build_image
from mailname.zone.image_zone import ImageZone
from mailname.zone.large_text import LARGE, write_large, zone_text
from mailname.zone.load import Loader
from mailname.zone.text import read_zone
from mailname.zone.write import write_zone

if TYPE_CHECKING:
    from types import ModuleType

    from dns.rdata import Rdata

ZONES = Path(__file__).parent.parent / "data" / "zones"
HEAD = "$TTL 86400\n@ SOA ns1 hostmaster 2026112200 7200 900 1209600 3600\n@ NS ns2\n@ NS ns1\n"
LOADER = Loader()


def _uncompiled() -> ModuleType:
    """Load the sources of the writer beside the modules that were installed."""
    names = [f"mailname.zone.{name}" for name in ("fast_write", "fast_write_fields", "fast_write_rdata")]
    installed = {name: sys.modules.pop(name) for name in names}
    prefer_sources()
    try:
        return import_module(names[0])
    finally:
        del sys.path_hooks[0]
        sys.path_importer_cache.clear()
        for name, module in installed.items():
            sys.modules[name] = module
            setattr(mailname.zone, name.rpartition(".")[2], module)


SOURCE = _uncompiled()


def written(zone: Zone) -> bytes:
    """Write a zone with both forms of the core, which must agree."""
    text = b"".join(write_large(zone))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large_text, "ImageWriter", SOURCE.ImageWriter)
        assert b"".join(write_large(zone)) == text
    return text


def zone_of(text: str, apex: Name = APEX) -> Zone:
    return read_zone(text, "f", apex).zone


def lines(records: str, apex: Name = APEX) -> list[str]:
    """Return what is written of records, without what every zone has."""
    text = written(zone_of(HEAD + records, apex)).decode()
    return text.splitlines()[4:]


def records_of(image: bytes) -> list[tuple[bytes, int, int, bytes]]:
    return list(ImageZone(image).wire_records())


def assert_reads_back(zone: Zone, apex: Name = APEX) -> None:
    text = written(zone)
    image = build_image(zone)
    read = LOADER.load(text, "f", apex)
    assert read.warnings == ()
    assert records_of(read.image) == records_of(image)
    assert ImageZone(read.image) == zone
    assert read_zone(text.decode(), "f", apex).zone == zone


_8, _16, _32 = (st.binary(min_size=size, max_size=size) for size in (1, 2, 4))
_name = strategies.names.map(lambda name: name.to_wire() or b"")
_string = st.one_of(st.text('az"\\ ;', max_size=5).map(str.encode), strategies.octets).map(
    lambda octets: bytes([len(octets)]) + octets
)
_strings = st.lists(_string, max_size=3).map(b"".join)
_digits = st.one_of(
    st.binary(max_size=9), st.sampled_from([20, 32, 48, 64]).flatmap(lambda size: st.binary(min_size=size, max_size=size))
)
_salt = st.binary(max_size=9).map(lambda octets: bytes([len(octets)]) + octets)
_hash = st.one_of(st.binary(min_size=20, max_size=20), st.binary(max_size=6)).map(lambda octets: bytes([len(octets)]) + octets)
_window = st.tuples(st.integers(0, 255), st.binary(min_size=1, max_size=32)).map(
    lambda one: bytes([one[0], len(one[1])]) + one[1]
)
_bitmap = st.lists(_window, max_size=3).map(b"".join)
_tag = st.sampled_from([b"\x05issue", b"\x02A1", b"\x01-", b"\x00"])

# What rdata of the types that are written fast is made of.
PARTS = {
    RdataType.A: (_32,),
    RdataType.AAAA: (st.lists(st.sampled_from([b"\0\0", b"\0\1", b"\xab\xcd"]), min_size=8, max_size=8).map(b"".join),),
    RdataType.CAA: (_8, _tag, _digits),
    RdataType.CDNSKEY: (_16, _8, _8, _digits),
    RdataType.CDS: (_16, _8, _8, _digits),
    RdataType.DNAME: (_name,),
    RdataType.DNSKEY: (_16, _8, _8, _digits),
    RdataType.DS: (_16, _8, st.sampled_from([b"\0", b"\1", b"\2", b"\4", b"\7"]), _digits),
    RdataType.MX: (_16, _name),
    RdataType.NAPTR: (_16, _16, _string, _string, _string, _name),
    RdataType.NS: (_name,),
    RdataType.NSEC: (_name, _bitmap),
    RdataType.NSEC3: (_8, _8, _16, _salt, _hash, _bitmap),
    RdataType.NSEC3PARAM: (_8, _8, _16, _salt),
    RdataType.PTR: (_name,),
    RdataType.RRSIG: (_16, _8, _8, _32, _32, _32, _16, _name, _digits),
    RdataType.SPF: (_strings,),
    RdataType.SRV: (_16, _16, _16, _name),
    RdataType.SSHFP: (_8, _8, _digits),
    RdataType.TLSA: (_8, _8, _8, _digits),
    RdataType.TXT: (_strings,),
}


@st.composite
def usual_rdata(draw: st.DrawFn) -> Rdata | None:
    """Make rdata of a type that is written fast, as it would come from the network; None where dnspython refuses it."""
    rdtype = draw(st.sampled_from(sorted(PARTS)))
    wire = b"".join(draw(part) for part in PARTS[rdtype])
    try:
        return dns.rdata.from_wire(RdataClass.IN, rdtype, wire, 0, len(wire))
    except (dns.exception.DNSException, ValueError):
        return None


class TestWriteLarge:
    @given(zones())
    def test_reads_back(self, zone: Zone) -> None:
        """The same zone, always: owners to the letter, records in their order, every type, no warning."""
        assert_reads_back(zone)

    @given(st.lists(st.tuples(strategies.names_below(least=1), usual_rdata()), min_size=1, max_size=4))
    def test_usual_types_read_back(self, records: list[tuple[Name, Rdata | None]]) -> None:
        """Whatever stands in their fields, also what text has no words for."""
        builder = ZoneBuilder(APEX)
        for node in zone_of(HEAD).nodes():
            for rrset in node.rrsets.values():
                for rdata in rrset.rdatas:
                    builder.add(node.owner, rrset.ttl, rdata)
        for owner, one in records:
            if one is not None:
                builder.add(owner, 60, one)
        if not builder.problems():
            assert_reads_back(builder.build())

    @pytest.mark.parametrize("path", sorted(ZONES.glob("*.zone")), ids=lambda path: path.stem)
    def test_zone_of_the_collection_reads_back(self, path: Path) -> None:
        """What others have written, in our words."""
        text = path.read_bytes().decode()
        assert_reads_back(read_zone(text, "f", APEX, include=lambda name: ((ZONES / name).read_text("utf-8"), name)).zone)

    def test_has_a_record_on_each_line_and_an_owner_once(self) -> None:
        """The SOA first; all TTLs are written; names are relative to the apex."""
        text = b"".join(
            write_large(zone_of(HEAD + "www 60 A 192.0.2.1\nwww 60 A 192.0.2.2\n@ A 192.0.2.3\n"), header="By a test.\n\n2")
        )
        assert text.decode().splitlines() == [
            "; By a test.",
            ";",
            "; 2",
            "$ORIGIN example.tech.",
            "@\t86400\tSOA\tns1 hostmaster 2026112200 7200 900 1209600 3600",
            "\t86400\tA\t192.0.2.3",
            "\t86400\tNS\tns2",
            "\t86400\tNS\tns1",
            "www\t60\tA\t192.0.2.1",
            "\t60\tA\t192.0.2.2",
        ]

    @pytest.mark.parametrize(
        ("record", "text"),
        [
            ("CNAME example.net.", "CNAME\texample.net."),
            ("CNAME Www.Example.Tech.", "CNAME\tWww"),
            ("MX 10 @", "MX\t10 @"),
            ("MX 0 .", "MX\t0 ."),
            ("SRV 1 2 3 a.example.tech.", "SRV\t1 2 3 a"),
            ("PTR xexample.tech.", "PTR\txexample.tech."),
            (r"PTR x\007example.tech.", "PTR\tx\\007example.tech."),
            (r"PTR a\.b\ c\@\$.\255", "PTR\ta\\.b\\032c\\@\\$.\\255"),
            ("AAAA ::", "AAAA\t::"),
            ("AAAA ::1", "AAAA\t::1"),
            ("AAAA 2001:db8::", "AAAA\t2001:db8::"),
            ("AAAA 2001:0:0:1:0:0:0:1", "AAAA\t2001:0:0:1::1"),
            ("AAAA 2001:db8:0:1:0:1:2:ffff", "AAAA\t2001:db8:0:1:0:1:2:ffff"),
            ("AAAA 1::2:0:0:3:0:0", "AAAA\t1:0:2::3:0:0"),
            (r'TXT "a;\"\\\200" ""', 'TXT\t"a;\\"\\\\\\200" ""'),
            ("CAA 128 issue ca.example.net", 'CAA\t128 issue "ca.example.net"'),
            ("DS 1 13 1 " + "AB" * 20, "DS\t1 13 1 " + "ab" * 20),
            ("DNSKEY 257 3 13 AAA=", "DNSKEY\t257 3 13 AAA="),
            ("DNSKEY 257 3 13 AAAAAA==", "DNSKEY\t257 3 13 AAAAAA=="),
            ("DNSKEY 257 3 13 AAAA", "DNSKEY\t257 3 13 AAAA"),
            ("CDS 0 0 0 00", "CDS\t0 0 0 00"),
            ("TLSA 3 1 1 " + "0F" * 32, "TLSA\t3 1 1 " + "0f" * 32),
            ("SSHFP 4 2 " + "0F" * 32, "SSHFP\t4 2 " + "0f" * 32),
            (
                "RRSIG A 13 3 60 20240229235959 19700101000000 1 @ AAAA",
                "RRSIG\tA 13 3 60 20240229235959 19700101000000 1 @ AAAA",
            ),
            (
                "RRSIG TYPE65280 13 3 60 4294967295 951782400 1 a AAAA",
                "RRSIG\tTYPE65280 13 3 60 21060207062815 20000229000000 1 a AAAA",
            ),
            ("NSEC b A NSEC TYPE66 TYPE1234", "NSEC\tb A NSEC TYPE66 TYPE1234"),
            ("NSEC3 1 1 5 - " + "0V" * 16 + " A", "NSEC3\t1 1 5 - " + "0v" * 16 + " A"),
            ("NSEC3PARAM 1 0 5 AB", "NSEC3PARAM\t1 0 5 ab"),
            ('NAPTR 1 2 "S" "sip" "" @', 'NAPTR\t1 2 "S" "sip" "" @'),
            (r"LOC 52 22 23 N 4 53 32 E 0m", "LOC\t52 22 23.000 N 4 53 32.000 E 0.00m"),
            (r"TYPE65281 \# 0", "TYPE65281\t\\# 0"),
            (r"TYPE65280 \# 2 0A0B", "TYPE65280\t\\# 2 0a0b"),
            (r"TYPE66 \# 8 0001020035016100", "TYPE66\t\\# 8 0001020035016100"),
        ],
    )
    def test_writes_a_record(self, record: str, text: str) -> None:
        """As others write it too, and read it."""
        (line,) = lines(f"a 60 {record}\n")
        assert line == f"a\t60\t{text}"

    def test_writes_owners_with_escapes(self) -> None:
        """Also those that look like something else."""
        owners = ["*", r"\$TTL", r"\@", r"\;", "IN", "A", r"a\.b", r"\000"]
        found = sorted(line.partition("\t")[0] for line in lines("".join(f"{owner} 60 A 192.0.2.1\n" for owner in owners)))
        assert found == sorted(owners)

    def test_of_the_root_zone_reads_back(self) -> None:
        """Nothing is relative to the root."""
        zone = zone_of("$TTL 5\n. SOA a. b. 1 2 3 4 5\n. NS a.\na. A 192.0.2.1\ntech. NS ns.tech.", dns.name.root)
        assert_reads_back(zone, dns.name.root)
        assert b"tech.\t5\tNS\tns.tech.\n" in written(zone)

    def test_keeps_the_case_of_the_apex(self) -> None:
        """RFC 4343 section 4.1."""
        apex = dns.name.from_text("Example.TECH.")
        zone = zone_of(HEAD + "www.example.tech. MX 10 mail.example.tech.\nftp MX 10 mail\n", apex)
        assert_reads_back(zone, apex)
        text = written(zone)
        assert b"\nwww.example.tech.\t86400\tMX\t10 mail.example.tech.\n" not in text  # the labels of the apex stand once
        assert b"\nwww.example.tech.\t86400\tMX\t10 mail\n" in text
        assert b"\nftp\t86400\tMX\t10 mail\n" in text

    def test_unusual_types_are_written_by_number_where_there_are_many(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A zone of nothing else would take minutes."""
        monkeypatch.setattr(large_text, "_MOST_ASKED", 2)
        records = "".join(f"n{i} 60 LOC 52 22 23 N 4 53 32 E {i}m\n" for i in range(4))
        found = lines(records)
        assert [r"\#" in line for line in found] == [False, False, True, True]
        assert_reads_back(zone_of(HEAD + records))

    def test_rdata_that_is_none_of_its_type_is_written_as_octets(self) -> None:
        """A peer may send such a thing."""
        builder = ZoneBuilder(APEX)
        for rrset in zone_of(HEAD).rrsets():
            builder.add(rrset.owner, rrset.ttl, rrset.rdatas[0])
        builder.add(APEX, 5, dns.rdata.GenericRdata(RdataClass.IN, RdataType.LOC, b"\x01"))
        builder.add(APEX, 5, dns.rdata.GenericRdata(RdataClass.IN, RdataType.A, b"\x01"))
        text = written(builder.build())
        assert b"\t5\tLOC\t\\# 1 01\n" in text
        assert b"\t5\tA\t\\# 1 01\n" in text

    def test_comes_in_pieces(self) -> None:
        """However long records are: an NSEC of all types takes 600,000 octets."""
        bitmap = b"".join(bytes([window, 32]) + (b"\x7f" if window == 0 else b"\xff") + b"\xff" * 31 for window in range(256))
        builder = ZoneBuilder(APEX)
        for rrset in zone_of(HEAD).rrsets():
            builder.add(rrset.owner, rrset.ttl, rrset.rdatas[0])
        wire = b"\x00" + bitmap
        for owner in ("a", "b", "c", "d", "e"):
            builder.add(
                Name((owner.encode(), *APEX.labels)), 5, dns.rdata.from_wire(RdataClass.IN, RdataType.NSEC, wire, 0, len(wire))
            )
        zone = builder.build()
        pieces = list(write_large(zone))
        assert [len(piece) >> 20 for piece in pieces] == [0, 1, 1, 0]
        assert records_of(LOADER.load(b"".join(pieces), "f", APEX).image) == records_of(build_image(zone))


class TestZoneText:
    def test_small_zone_is_written_for_people(self) -> None:
        """With columns."""
        zone = zone_of(HEAD)
        assert b"".join(zone_text(zone, header="x")).decode() == write_zone(zone, header="x")

    def test_large_zone_is_written_fast(self) -> None:
        """Reading it gives the same zone."""
        zone = zone_of(HEAD + "".join(f"n{i} A 192.0.2.1\n" for i in range(LARGE)))
        text = b"".join(zone_text(zone, header="x"))
        assert text == b"".join(write_large(zone, header="x"))
        assert ImageZone(LOADER.load(text, "f", APEX).image) == zone
