"""Messages of a transfer, filled from an image: the same octets in both forms, names as they are spelled, well compressed."""

from __future__ import annotations

import dns.message
import dns.name
import pytest
from dns.rdatatype import RdataType
from hypothesis import given
from hypothesis import strategies as st
from tests.answer.zones import signed_table
from tests.strategies import zones
from tests.transfer.forms import FORMS
from tests.transfer.zones import APEX, zone

from mailname.errors import ZoneError
from mailname.transfer import axfr, axfr_objects
from mailname.wire.octets import octets
from mailname.zone import Zone
from mailname.zone.image import build_image
from mailname.zone.image_zone import ImageZone
from mailname.zone.text import read_zone

Record = tuple[str, int, int, bytes]
HEADS = (bytes(12), bytes(12))


def sent(of: Zone, limit: int = 16384) -> list[bytes]:
    """Send a zone with both forms of the core, which must agree."""
    streams = [[wire for wire, _ in form.outgoing(of, 1, reserve=16384 - limit)] for form in FORMS]
    assert all(stream == streams[0] for stream in streams)
    return streams[0]


def records(messages: list[bytes]) -> list[Record]:
    """Read the records of messages with dnspython: owner as spelled, TTL, type, rdata in canonical form."""
    return [
        (rrset.name.to_text(), rrset.ttl, rrset.rdtype, rrset[0].to_digestable())
        for wire in messages
        for rrset in dns.message.from_wire(wire, one_rr_per_rrset=True).answer
    ]


def wanted(of: Zone) -> list[Record]:
    """Return the records that a zone has, each owner as it is spelled where it came first."""
    spelled = {node.owner: node.owner.to_text() for node in of.nodes()}
    found = [
        (spelled[rrset.owner], rrset.ttl, int(rrset.rdtype), rdata.to_digestable())
        for rrset in of.rrsets()
        for rdata in rrset.rdatas
    ]
    return [*found, found[0]]


class TestMessages:
    @given(of=zones(), limit=st.integers(40, 400))
    def test_hold_all_records_in_order(self, of: Zone, limit: int) -> None:
        """The SOA first and last, owners in order and as they are spelled; only a message with one record is too large."""
        messages = sent(of, limit)
        assert records(messages) == wanted(of)
        assert all(len(wire) <= limit or int.from_bytes(wire[6:8], "big") == 1 for wire in messages)

    @pytest.mark.parametrize("apex", sorted(signed_table()))
    def test_of_a_signed_zone_give_signatures_their_ttl(self, apex: dns.name.Name) -> None:
        """Each signature has the TTL of what it covers (RFC 4034 section 3)."""
        of = signed_table()[apex]
        assert isinstance(of, Zone)
        assert sorted(records(sent(of))) == sorted(wanted(of))

    def test_are_compressed_like_dnspythons(self) -> None:
        """Owners and names in rdata: to earlier owners, earlier rdata, and parts of them (RFC 5936 section 3.4)."""
        more = "\n".join(
            f"h{n}.deep.sub A 192.0.2.1\n TXT x\n MX 10 mail.deep.sub\nc{n} CNAME w{n}.else.example.\nd{n} CNAME h{n}.deep.sub"
            for n in range(50)
        )
        of = zone(7, more=more)
        (ours,) = sent(of)
        ((theirs, _),) = axfr_objects.messages(of, ours[: 12 + 14 + 4], HEADS[1], 16384)
        assert len(ours) <= len(theirs)

    def test_do_not_point_behind_what_a_pointer_reaches(self) -> None:
        """Fourteen bits (RFC 1035 section 4.1.4): names behind that are found by none."""
        of = zone(7, more="\n".join(f"h{n}.sub A 192.0.2.1\n MX 10 h{n + 1}.sub\n TXT x" for n in range(1200)))
        image = ImageZone(build_image(of))
        for form in FORMS:
            filler = form.MessageFiller(image.image)
            head = octets_of_head()
            messages = []
            while not filler.sent:
                messages.append(filler.fill(head, 65000))
                head = HEADS[1]
            assert max(map(len, messages)) > 40000
            assert records(messages) == wanted(of)

    def test_hold_so_many_names_that_some_are_forgotten(self) -> None:
        """Thousands of different names of rdata in one message: what cannot be remembered is written out."""
        of = zone(7, more="\n".join(f"h NS {'abcdefghijklmnopqrstuvwxyz'[n % 26]}{n}." for n in range(2000)))
        assert records(sent(of, 16384)) == wanted(of)

    def test_of_the_root_zone_have_nothing_to_point_to(self) -> None:
        """The apex is no label."""
        text = ". 60 SOA a. b. 1 2 3 4 5\n. 60 NS a.\na. 60 A 192.0.2.1\nb.a. 60 NS c.b.a.\nb. 60 MX 1 ."
        of = read_zone(text, "f", dns.name.root).zone
        for limit in (40, 16384):
            assert records(sent(of, limit)) == wanted(of)


def octets_of_head() -> bytes:
    return (1).to_bytes(2, "big") + b"\x84\0\0\1" + bytes(6) + octets(APEX) + int(RdataType.AXFR).to_bytes(2, "big") + b"\0\1"


class TestZoneWithoutImage:
    def test_is_sent_from_its_objects(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """One that no image can hold is sent all the same."""

        def refuse(_: Zone) -> bytes:
            raise ZoneError("too large", remedy="")

        of = zone(7, more="\n".join(f"h{n} A 192.0.2.1\n MX 10 mail" for n in range(100)))
        image = sent(of, 400)
        monkeypatch.setattr(axfr, "build_image", refuse)
        objects = [wire for wire, _ in axfr.outgoing(of, 1, reserve=16384 - 400)]
        assert records(objects) == records(image) == wanted(of)
        assert all(len(wire) <= 400 for wire in objects)
