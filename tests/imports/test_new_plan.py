from __future__ import annotations

from ipaddress import ip_address

import dns.name
import pytest
from dns.rdatatype import RdataType
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.plan.marked_plans import GOOD
from tests.strategies import zones

from mailname.imports.found_zone import FoundZone, found, found_in_text
from mailname.imports.new_plan import Known, NewPlan, new_plan
from mailname.imports.proof import Proof, prove
from mailname.plan import expand, load
from mailname.zone import Serial, Zone
from mailname.zone.text import write_zone

APEX = dns.name.from_text("example.tech.")
ZONE = """\
; What Bob knows about this zone
$TTL 1h
@ SOA ns1 hostmaster ( 7 ; serial
  4h 1h 2w 1h )
  NS ns1 ; in the cellar
  NS ns2
  MX 10 mail
  A 192.0.2.80
ns1 A 192.0.2.1
ns2 A 198.51.100.2
mail A 192.0.2.25
"""


def no_file(written: str) -> tuple[str, str]:
    raise OSError(written)


def zone_of(text: str) -> FoundZone:
    return found_in_text(text, "x.zone", APEX, no_file)


def proven(zone: FoundZone, known: Known | None = None) -> tuple[NewPlan, Proof]:
    new = new_plan(zone, known or Known())
    return new, prove(new.text, "plan.toml", zone.zone)


class TestTables:
    def test_express_what_they_can(self) -> None:
        """SOA, name servers, website, mail host: nothing is left that zone-file text has to say."""
        new, proof = proven(zone_of(ZONE))
        assert proof.lost_nothing
        assert proof.plan is not None
        assert "zone_text" not in new.text
        assert [str(server.name) for server in proof.plan.name_servers] == ["ns1.example.tech.", "ns2.example.tech."]
        assert [str(host.addresses[0]) for host in proof.plan.mail_hosts] == ["192.0.2.25"]
        assert proof.plan.primary.name == dns.name.from_text("ns1.example.tech.")

    @pytest.mark.parametrize(
        ("record", "means"),
        [
            ('@ TXT "v=spf1 mx -all"', "SPF"),
            ('_dmarc TXT "v=DMARC1; p=none"', "DMARC"),
            ('a._domainkey TXT ( "v=DKIM1; " "p=abc" )', "DKIM"),
            ('_mta-sts TXT "v=STSv1; id=1"', "MTA-STS"),
            ('_smtp._tls TXT "v=TLSRPTv1; rua=mailto:t@example.tech"', "TLS-RPT"),
            ("_25._tcp.mail TLSA 3 1 1 " + "ab" * 32, "TLSA"),
        ],
    )
    def test_say_what_the_mail_s_records_are_for(self, record: str, means: str) -> None:
        new, proof = proven(zone_of(ZONE + record))
        assert proof.lost_nothing
        assert f"[[record]]  # {means}" in new.text

    def test_keep_other_ttls(self) -> None:
        """Each RRset that the tables make may have its own."""
        zone = zone_of(ZONE.replace("  NS ns1", "  86400 NS ns1").replace("mail A", "mail 300 A") + "www 60 CNAME @")
        new, proof = proven(zone)
        assert proof.lost_nothing
        assert new.text.count("[[other_ttl]]") == 2
        assert "www                      60 CNAME" in new.text


class TestComments:
    def test_go_with_their_record(self) -> None:
        """Above the table or beside the line; what stands beside the SOA's numbers everybody knows."""
        new, _ = proven(zone_of(ZONE + "; the shop\nshop A 192.0.2.81 ; until May\n; the end\n"))
        assert new.text.startswith("# What Bob knows about this zone\n")
        assert "# in the cellar\n[[name_server]]" in new.text
        assert "; the shop\nshop                     A      192.0.2.81  ; until May\n; the end\n" in new.text
        assert "serial\n" not in new.text


class TestWhatNoPlanSays:
    def test_a_primary_that_is_no_name_server(self) -> None:
        """The difference is there, and said."""
        new, proof = proven(zone_of(ZONE.replace("SOA ns1", "SOA hidden")))
        assert [change.rdtype for change in proof.changes] == [RdataType.SOA]
        assert "hidden.example.tech" in new.notes[0]

    def test_a_contact_that_is_no_mailbox(self) -> None:
        new, proof = proven(zone_of(ZONE.replace("hostmaster", ".")))
        assert not proof.lost_nothing
        assert "is no mailbox" in new.notes[0]

    def test_no_mx(self) -> None:
        """A plan says where mail goes."""
        _, proof = proven(zone_of(ZONE.replace("  MX 10 mail\n", "")))
        assert [(change.kind, change.rdtype) for change in proof.changes] == [("add", RdataType.MX)]

    def test_an_alias_as_mail_host_is_a_mistake(self) -> None:
        """Nothing is lost in silence: the plan cannot be used, and says why."""
        _, proof = proven(zone_of(ZONE.replace("mail A 192.0.2.25", "mail CNAME ns1")))
        assert proof.plan is None
        assert "alias" in str(proof.mistakes[0])

    def test_a_name_server_without_address(self) -> None:
        """Outside the zone its address has to be told."""
        zone = zone_of(ZONE.replace("NS ns2", "NS ns.example.net."))
        name = dns.name.from_text("ns.example.net.")
        assert proven(zone)[0].lacks == (name,)
        new, proof = proven(zone, Known({name: (ip_address("203.0.113.5"),)}))
        assert new.lacks == ()
        assert proof.lost_nothing

    def test_signatures_are_left_out(self) -> None:
        """A plan's zone is not signed."""
        zone = zone_of(ZONE + "@ DNSKEY 257 3 13 " + "A" * 86 + "==\n")
        assert zone.signing == 1
        assert proven(zone)[1].lost_nothing


class TestProof:
    def test_sees_a_lost_record(self) -> None:
        """It compares with what was found, whatever wrote the plan."""
        zone = zone_of(ZONE + "www CNAME @\n")
        new = new_plan(zone, Known())
        lost = "\n".join(line for line in new.text.splitlines() if not line.startswith("www"))
        proof = prove(lost, "plan.toml", zone.zone)
        assert [(change.kind, str(change.owner)) for change in proof.changes] == [("remove", "www.example.tech.")]


class TestAnyZone:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(zones(APEX))
    def test_is_told_whole_or_its_difference_is(self, zone: Zone) -> None:
        """Whatever a zone holds: the plan means it, or the proof says what is otherwise."""
        new, proof = proven(found(zone, "a server"))
        assert proof.lost_nothing or proof.mistakes or new.notes


_NAME = st.sampled_from(["a", "shop", "_sip._tcp", "*", "deep.down", "www"])
_RECORD = st.one_of(
    st.tuples(_NAME, st.just("TXT"), st.sampled_from(['"some text"', '"a; b" "c\\"d"', "plain", '"\\195\\164"'])),
    st.tuples(_NAME, st.just("A"), st.sampled_from(["192.0.2.7", "192.0.2.8"])),
    st.tuples(_NAME, st.just("SRV"), st.sampled_from(["0 1 993 mail", "0 0 0 ."])),
    st.tuples(_NAME, st.just("CAA"), st.just('0 issue "ca.example.net"')),
    st.tuples(
        st.sampled_from(["k._domainkey", "_dmarc", "@"]), st.just("TXT"), st.text("abc =;", min_size=1, max_size=300).map(repr)
    ),
)


@st.composite
def plans(draw: st.DrawFn) -> str:
    """Make a plan with records of all kinds: as tables, with TTLs, and as zone-file text."""
    text = GOOD
    for name, rdtype, data in draw(st.lists(_RECORD, max_size=6, unique_by=lambda one: one[:2])):
        ttl = draw(st.sampled_from([None, 60, 86400]))
        written = data.strip("'") if rdtype == "TXT" and data.startswith("'") else data
        text += f"\n[[record]]\nname = '{name if '.' not in name else name + '.example.tech'}'\ntype = '{rdtype}'\n"
        text += f"data = '''{written.replace('mail', 'mail.example.tech')}'''\n" + (f"ttl = {ttl}\n" if ttl else "")
    if draw(st.booleans()):
        text += "\n[[other_ttl]]\nname = '@'\ntype = 'NS'\nttl = 300\n"
    return text


class TestRoundTrip:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(text=plans(), as_text=st.booleans())
    def test_the_import_of_a_plan_s_zone_renders_the_same_zone(self, text: str, *, as_text: bool) -> None:
        """import(render(plan)) means what plan means, taken from a zone file or from a transfer."""
        zone = expand(load(text, "plan.toml").plan, Serial(2026112301))
        one = found_in_text(write_zone(zone), "x.zone", APEX, no_file) if as_text else found(zone, "a server")
        _, proof = proven(one)
        assert proof.lost_nothing, (proof.mistakes, proof.changes)
