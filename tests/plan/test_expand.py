from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import dns.name
import pytest
from dns.rdatatype import RdataType
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan.marked_plans import plan

from mailname.plan import Plan, expand, expand_all, load
from mailname.plan.expand import pointers
from mailname.zone import Serial
from mailname.zone.semantics import inspect
from mailname.zone.text import read_zone, write_zone

if TYPE_CHECKING:
    from mailname.zone import Zone

PLANS = Path(__file__).parents[1] / "data" / "plans"
SERIAL = Serial(2026112200)


def data(zone: Zone, owner: str, rdtype: str) -> list[str]:
    rrset = zone.rrset(dns.name.from_text(owner), RdataType[rdtype])
    return [rdata.to_text() for rdata in rrset.rdatas] if rrset else []


class TestGolden:
    @pytest.mark.parametrize("path", sorted(PLANS.glob("*.toml")), ids=lambda path: path.stem)
    def test_a_plan_means_its_zones(self, path: Path) -> None:
        """What stands in NAME.zone is what a DNS engineer reviewed."""
        zones = expand_all(load(path.read_text("utf-8"), path.name).plan, SERIAL)
        golden = "".join(write_zone(zone, header=str(zone.apex)) + "\n" for zone in zones)
        assert golden == path.with_suffix(".zone").read_text("utf-8")

    def test_the_example_is_the_recipes_zone(self) -> None:
        """SOA, two NS, default A, MX 10 mail, and addresses for ns1, ns2 and mail."""
        zone = expand(plan(), SERIAL)
        assert data(zone, "example.tech.", "NS") == ["ns1.example.tech.", "ns2.example.tech."]
        assert data(zone, "example.tech.", "A") == ["192.0.2.1"]
        assert data(zone, "example.tech.", "MX") == ["10 mail.example.tech."]
        assert data(zone, "ns1.example.tech.", "A") == ["192.0.2.1"]
        assert data(zone, "mail.example.tech.", "A") == ["198.51.100.2"]
        assert zone.soa_rdata.mname == plan().primary.name
        assert zone.serial == SERIAL


class TestExpand:
    def test_hosts_outside_the_domain_get_no_address(self) -> None:
        """A zone holds only its own names."""
        zone = expand(plan(('"ns1.example.tech"', '"ns1.example.org"'), ('"mail.example.tech"', '"mail.example.org"')), SERIAL)
        assert {str(node.owner) for node in zone.nodes()} == {"example.tech.", "ns2.example.tech."}

    def test_mail_hosts_come_in_the_order_of_their_preference(self) -> None:
        """As people read them."""
        more = '[[mail_host]]\nname = "a"\npreference = 5\naddresses = ["203.0.113.1"]\n'
        assert data(expand(plan(more=more), SERIAL), "example.tech.", "MX") == ["5 a.example.tech.", "10 mail.example.tech."]

    def test_a_records_own_ttl_counts(self) -> None:
        """Otherwise the plan's."""
        more = '[[record]]\nname = "x"\ntype = "TXT"\ndata = "a"\nttl = 60\n'
        rrset = expand(plan(more=more), SERIAL).rrset(dns.name.from_text("x.example.tech."), RdataType.TXT)
        assert rrset is not None
        assert rrset.ttl == 60


class TestPointers:
    def test_a_mail_hosts_name_wins(self) -> None:
        """The PTR is what other mail servers compare with the greeting."""
        assert pointers(plan())[ip_address("198.51.100.2")] == dns.name.from_text("mail.example.tech.")
        assert pointers(plan())[ip_address("192.0.2.1")] == dns.name.from_text("ns1.example.tech.")

    def test_the_website_comes_last(self) -> None:
        """Its address points to the domain when nothing else does."""
        changed = plan(('["192.0.2.1"]', '["203.0.113.80"]'))
        assert pointers(changed)[ip_address("203.0.113.80")] == dns.name.from_text("example.tech.")


class TestReverse:
    def test_holds_the_plans_hosts_and_explicit_pointers(self) -> None:
        """An explicit one replaces what the plan would make; addresses elsewhere are left out."""
        more = '[[reverse_zone]]\nprefix = "198.51.100.0/24"\nptr = [{address = "198.51.100.2", name = "x"}]\n'
        more += '[[reverse_zone]]\nprefix = "2001:db8:2::/48"\n'
        forward, fourth, sixth = expand_all(plan(more=more), SERIAL)
        assert forward.apex == dns.name.from_text("example.tech.")
        assert data(fourth, "2.100.51.198.in-addr.arpa.", "PTR") == ["x.example.tech."]
        owner = "2." + "0." * 19 + "2.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
        assert data(sixth, owner, "PTR") == ["ns2.example.tech."]
        assert fourth.soa_rdata.mname == plan().primary.name


labels = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
# What begins with a quote is zone-file text, in which quotes have to come in pairs.
texts = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=300).filter(lambda text: text.lstrip()[:1] != '"')


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\x7f", "\\u007f") + '"'


@st.composite
def plan_texts(draw: st.DrawFn) -> str:
    """Make up a plan with different hosts on different networks, extra records and zone text."""
    names = draw(st.lists(labels, min_size=4, max_size=7, unique=True))
    domain = f"{draw(labels)}.example"
    outside = draw(st.booleans())
    lines = [f'domain = "{domain}"', f'contact = "{draw(labels)}.x@{domain}"', f"ttl = {draw(st.integers(0, 2**31 - 1))}"]
    lines.append(f'zone_text = """\n{names[3]}-x TXT {draw(labels)}\n IN 60 HINFO a b\n"""')
    for number, name in enumerate(names[:2], 1):
        server = f"{name}.example.net" if outside else name
        role = "primary" if number == 1 else "secondary"
        lines.append(
            f'[[name_server]]\nname = "{server}"\naddresses = ["192.0.{number}.1", "2001:db8:{number}::1"]\nrole = "{role}"'
        )
    for number, name in enumerate(names[2:4]):
        lines.append(
            f'[[mail_host]]\nname = "{name}"\npreference = {draw(st.integers(0, 65535))}\naddresses = ["198.51.{number}.1"]'
        )
    lines += [f'[[record]]\nname = "{name}"\ntype = "TXT"\ndata = [{_quoted(draw(texts))}]' for name in names[4:]]
    return "\n".join(lines)


class TestAnyPlan:
    @settings(max_examples=60)
    @given(plan_texts())
    def test_expands_to_a_zone_that_reads_back_and_is_sound(self, text: str) -> None:
        """The zone's text is the same zone, and nothing in it is an error."""
        made: Plan = load(text, "plan.toml").plan
        zone = expand(made, SERIAL)
        assert read_zone(write_zone(zone), "x.zone", zone.apex, include=None).zone == zone
        assert [concern for concern in inspect(zone) if concern.severity == "error"] == []
