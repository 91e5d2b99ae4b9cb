from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import dns.name
import pytest
from hypothesis import given
from tests.strategies import APEX, zones

from mailname.zone.semantics import inspect
from mailname.zone.text import read_zone

if TYPE_CHECKING:
    from mailname.zone import Zone

HEAD = "$TTL 60\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\n@ NS ns2\nns1 A 192.0.2.1\nns2 AAAA 2001:db8::2\n"
HEAD += "mail A 192.0.2.2\nwww CNAME mail\n"
DOCS = Path(__file__).parents[2] / "docs" / "zone-file.md"


def concerns(text: str) -> list[str]:
    """Return ``code owner type`` of each concern."""
    zone = read_zone(text, "f", APEX).zone
    return [f"{one.code} {one.owner.relativize(APEX)} {one.rdtype.name}" for one in inspect(zone)]


class TestTargets:
    @pytest.mark.parametrize(
        ("records", "expected"),
        [
            ("@ MX 10 mail", []),
            ("@ MX 10 mail.example.net.", []),
            ("@ MX 0 .", []),
            ("@ MX 10 gone", ["MX-02 @ MX"]),
            ("@ MX 10 www", ["MX-03 @ MX"]),
            ("@ MX 10 192.0.2.2", ["MX-04 @ MX"]),
            ("@ MX 10 192.0.2.2.", ["MX-04 @ MX"]),
            ("@ MX 10 2001:db8::1.", ["MX-04 @ MX"]),
            ("@ MX 0 .\n@ MX 10 mail", ["MX-05 @ MX"]),
            ("@ MX 10 a.ent\nb.a.ent A 192.0.2.3", ["MX-02 @ MX"]),
            ("@ MX 10 any.wild\n*.wild A 192.0.2.3", []),
            ("@ MX 10 any.wild\n*.wild MX 10 mail", ["MX-02 @ MX"]),
            ("@ MX 10 any.wild\n*.wild CNAME mail", ["MX-03 @ MX"]),
            ("@ MX 10 a.old\nold DNAME example.net.", ["MX-03 @ MX"]),
            ("@ MX 10 a.child\nchild NS ns.example.net.\nchild NS ns.example.org.", []),
            ("_sip._tcp SRV 1 1 5060 mail", []),
            ("_sip._tcp SRV 0 0 0 .", []),
            ("_sip._tcp SRV 1 1 5060 www", ["ZONE-13 _sip._tcp SRV"]),
            ("_sip._tcp SRV 1 1 5060 gone", ["ZONE-14 _sip._tcp SRV"]),
            ("_sip._tcp SRV 1 1 5060 192.0.2.1", ["ZONE-15 _sip._tcp SRV"]),
            ("@ NS www", ["ZONE-10 @ NS"]),
            ("@ NS gone", ["ZONE-11 @ NS"]),
            ("@ NS 192.0.2.1", ["ZONE-12 @ NS"]),
        ],
    )
    def test_must_be_hosts(self, records: str, expected: list[str]) -> None:
        """RFC 2181 section 10.3, RFC 7505, RFC 2782. A target elsewhere is not ours to judge."""
        assert concerns(HEAD + records) == expected

    @pytest.mark.parametrize(
        ("records", "expected"),
        [
            ("child NS ns.child\nchild NS ns.example.net.\nns.child A 192.0.2.3", []),
            ("child NS ns.child\nchild NS ns.example.net.\nchild DS 1 13 1 " + "ab" * 20, ["ZONE-16 child NS"]),
            ("child NS ns.other\nchild NS ns1\nother NS ns1\nother NS ns2", []),
            ("@ NS ns.child\nchild NS ns1\nchild NS ns2", ["ZONE-16 @ NS"]),
            ("@ NS ns.child\nchild NS ns1\nchild NS ns2\nns.child A 192.0.2.3", []),
            ("child NS ns1", ["ZONE-17 child NS"]),
            ("child NS ns1\nchild NS ns2\nchild DNAME example.net.", ["ZONE-18 child NS"]),
            ("child NS ns1\nchild NS ns2\n@.child MX 10 gone\nx.child MX 10 gone\ny.child NS gone", []),
            ("child NS gone\nchild NS ns1", ["ZONE-11 child NS"]),
        ],
    )
    def test_of_delegations_need_glue(self, records: str, expected: list[str]) -> None:
        """RFC 1034 section 4.2.1. What lies below a cut is glue or nobody's."""
        assert concerns(HEAD + records.replace("@.child", "child")) == expected

    def test_of_a_lonely_name_server_is_a_warning(self) -> None:
        """RFC 1034 section 4.1 wants two."""
        (concern,) = inspect(read_zone(HEAD.replace("@ NS ns2\n", ""), "f", APEX).zone)
        assert (concern.code, concern.severity) == ("ZONE-17", "warning")


class TestForgottenDot:
    @pytest.mark.parametrize(
        ("record", "problem"),
        [
            ("mail.example.tech A 192.0.2.3", "the owner mail.example.tech.example.tech. ends in example.tech. twice."),
            ("example.tech A 192.0.2.3", "the owner example.tech.example.tech. ends in example.tech. twice."),
            (
                "@ MX 10 mail.example.tech",
                "example.tech. MX points at mail.example.tech.example.tech., which ends in example.tech. twice.",
            ),
            ("ftp CNAME MAIL.example.tech", "ftp.example.tech. CNAME points at MAIL.example.tech.example.tech., which ends in"),
            (
                "@ NS ns1.example.tech",
                "example.tech. NS points at ns1.example.tech.example.tech., which ends in example.tech. twice.",
            ),
        ],
    )
    def test_is_told_with_what_was_meant(self, record: str, problem: str) -> None:
        (concern,) = inspect(read_zone(HEAD + record, "f", APEX).zone)
        assert concern.code == "ZONE-01"
        assert concern.problem.startswith(problem)
        meant = re.search(r"Write (\S+) with its final dot", concern.remedy)
        assert meant is not None
        assert dns.name.from_text(meant[1]).is_subdomain(APEX)

    def test_is_told_once_for_owner_and_target(self) -> None:
        assert concerns(HEAD + "x.example.tech MX 10 gone") == ["ZONE-01 x.example.tech MX"]

    def test_of_another_domain_is_offered(self) -> None:
        """A target that is not there and looks like a whole name may be one."""
        (concern,) = inspect(read_zone(HEAD + "@ MX 10 mail.example.net", "f", APEX).zone)
        assert concern.remedy == (
            "Add an A record for mail.example.net.example.tech., or write mail.example.net. with its final dot."
        )

    def test_is_no_matter_in_the_root_zone(self) -> None:
        text = "$TTL 1\n. SOA a. b. 1 2 3 4 5\n. NS a.\n. NS b.\na. A 192.0.2.1\nb. A 192.0.2.1\n. MX 10 1.2.3.4."
        assert [one.code for one in inspect(read_zone(text, "f", dns.name.root).zone)] == ["MX-04"]


class TestInspect:
    @given(zones())
    def test_explains_each_concern_of_any_zone(self, zone: Zone) -> None:
        """Never raises; every concern has a problem, a remedy and a documented code."""
        documented = DOCS.read_text(encoding="utf-8")
        for concern in inspect(zone):
            assert concern.problem.endswith(".")
            assert concern.remedy
            assert f"| {concern.code} |" in documented
