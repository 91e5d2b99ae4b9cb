from __future__ import annotations

from pathlib import Path

import dns.name
import dns.rdatatype
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan.marked_plans import GOOD, plan

from mailname.imports.into_plan import add_to
from mailname.imports.mail_lists import Listed, read_list
from mailname.plan import expand, load
from mailname.zone import Serial

LISTS = Path(__file__).parents[1] / "data" / "mail_lists"
DOMAIN = dns.name.from_text("example.tech.")
KEY = "dGhpcyBpcyBub3QgYSByZWFsIGtleSwgb25seSBhIHRlc3Q"


def read(text: str) -> Listed:
    return read_list(text, "list.txt", DOMAIN, ttl=3600)


def said(listed: Listed) -> list[str]:
    return [
        f"{one.owner.relativize(DOMAIN)} {dns.rdatatype.to_text(one.rdata.rdtype)} {one.rdata.to_text()}"
        for one in listed.records
    ]


class TestList:
    @pytest.mark.parametrize(
        ("name", "records"),
        [
            (
                "opendkim",
                [
                    'mail2024._domainkey TXT "v=DKIM1; h=sha256; k=rsa; " '
                    '"p=dGhpcyBpcyBub3QgYSByZWFsIGtleSwgb25seSBhIHRlc3QsIGJ1dCBpdCBpcyBsb25nIGVub3VnaA" "dG8gYmUgY3V0IGluIHR3bw"'
                ],
            ),
            ("rspamd", [f'dkim._domainkey TXT "v=DKIM1; k=rsa;" "p={KEY}"']),
            (
                "whole_names",
                [
                    "@ MX 10 mail.example.tech.",
                    f'2026a._domainkey TXT "v=DKIM1;h=sha256;p={KEY}" "bW9yZSBvZiBpdA"',
                    '_dmarc TXT "v=DMARC1;p=reject;rua=mailto:dmarc@example.tech!10m"',
                    "_mta-sts CNAME mail.example.net.",
                    "_submissions._tcp SRV 0 1 465 mail.example.tech.",
                    "_25._tcp.mail TLSA 3 1 1 " + "ab" * 32,
                ],
            ),
            (
                "bare_texts",
                [
                    "@ MX 10 mail.example.tech.",
                    '@ TXT "v=spf1 mx -all"',
                    '_dmarc TXT "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.tech"',
                    's1._domainkey TXT "v=DKIM1; k=ed25519; p=dGhpcyBpcyBub3QgYSBrZXk="',
                ],
            ),
            (
                "type_first",
                [
                    "@ MX 10 mail.example.tech.",
                    'r1._domainkey TXT "v=DKIM1; k=rsa; h=sha256; p=dGhpcyBpcyBub3QgYSBrZXk"',
                    "autoconfig CNAME mail.example.tech.",
                    "_imaps._tcp SRV 0 1 993 mail.example.tech.",
                    '_smtp._tls TXT "v=TLSRPTv1; rua=mailto:postmaster@example.tech"',
                ],
            ),
            (
                "relative_names",
                [
                    "mail A 198.51.100.2",
                    "autodiscover CNAME mail.example.tech.",
                    "@ MX 10 mail.example.tech.",
                    "_autodiscover._tcp SRV 0 1 443 mail.example.tech.",
                ],
            ),
            (
                "mox",
                [
                    "_25._tcp.mail TLSA 3 1 1 " + "ab" * 32,
                    'mail TXT "v=spf1 a -all"',
                    "@ MX 10 mail.example.tech.",
                    f'2026a._domainkey TXT "v=DKIM1;h=sha256;p={KEY}" "bW9yZSBvZiBpdA"',
                    '2026b._domainkey TXT "v=DKIM1;h=sha256;k=ed25519;p=dGhpcyBpcyBub3QgYSBrZXk="',
                    '@ TXT "v=spf1 ip4:198.51.100.2 mx ~all"',
                    '_dmarc TXT "v=DMARC1;p=reject;rua=mailto:dmarc@example.tech!10m"',
                    "mta-sts CNAME mail.example.tech.",
                    '_mta-sts TXT "v=STSv1; id=20261123T041500"',
                    '_smtp._tls TXT "v=TLSRPTv1;rua=mailto:tls@example.tech"',
                    "autoconfig CNAME mail.example.tech.",
                    "_autodiscover._tcp SRV 0 1 443 mail.example.tech.",
                    "_imaps._tcp SRV 0 1 993 mail.example.tech.",
                    "_pop3._tcp SRV 0 0 0 .",
                    '@ CAA 0 issue "letsencrypt.org"',
                ],
            ),
            (
                "stalwart",
                [
                    '202611e._domainkey TXT "v=DKIM1; k=ed25519; h=sha256; p=dGhpcyBpcyBub3QgYSBrZXk="',
                    f'202611r._domainkey TXT "v=DKIM1; k=rsa; h=sha256; p={KEY}" "bW9yZSBvZiBpdA"',
                    "_25._tcp.mail TLSA 3 1 1 " + "ab" * 32,
                    "_25._tcp.mail TLSA 2 1 1 " + "cd" * 32,
                    'mail TXT "v=spf1 a -all"',
                    '@ TXT "v=spf1 mx -all"',
                    "@ MX 10 mail.example.tech.",
                    '_dmarc TXT "v=DMARC1; p=reject; rua=mailto:postmaster@example.tech"',
                    "_jmap._tcp SRV 0 1 443 mail.example.tech.",
                    "mta-sts CNAME mail.example.tech.",
                    '@ CAA 0 issue "letsencrypt.org; accounturi=https://acme.example/acct/7"',
                    '@ CAA 0 iodef "mailto:postmaster@example.tech"',
                    '_validation-persist TXT "letsencrypt.org; accounturi=https://acme.example/acct/7; policy=wildcard"',
                    '_ua-auto-config TXT "v=UAAC1; a=sha256; d=dGhpcyBpcyBubyBkaWdlc3Q="',
                ],
            ),
            (
                "mailcow",
                [
                    "mail A 198.51.100.2",
                    "_25._tcp.mail TLSA 3 1 1 " + "ab" * 32,
                    "@ MX 10 mail.example.tech.",
                    "autodiscover CNAME mail.example.tech.",
                    "_autodiscover._tcp SRV 0 1 443 mail.example.tech.",
                    '_mta-sts TXT "v=STSv1;id=20261123041500;"',
                    '@ TXT "v=spf1 mx a -all"',
                    f'dkim._domainkey TXT "v=DKIM1;k=rsa;t=s;s=email;p={KEY}"',
                    "_pop3._tcp SRV 0 0 0 .",
                ],
            ),
            (
                "mailinabox_page",
                [
                    "@ MX 10 mail.example.tech.",
                    '@ TXT "v=spf1 mx -all"',
                    f'mail._domainkey TXT "v=DKIM1; h=sha256; k=rsa; s=email; p={KEY}"',
                    "_443._tcp.mail TLSA 3 1 1 " + "ab" * 32,
                    "mail SSHFP 1 2 " + "ab" * 32,
                ],
            ),
        ],
    )
    def test_is_read_as_it_is_meant(self, name: str, records: list[str]) -> None:
        """The forms in which mail servers print what is to be published."""
        listed = read((LISTS / f"{name}.txt").read_text())
        assert said(listed) == records
        told = ("outside", "no record", "NS is made by the plan")
        assert not [one for one in listed.mistakes if not any(text in one.problem for text in told)]

    def test_tells_what_is_no_record_of_the_domain(self) -> None:
        """With its place; nothing is passed by in silence."""
        told = [str(mistake) for mistake in read((LISTS / "bare_texts.txt").read_text()).mistakes]
        assert len(told) == 1
        assert told[0].startswith("list.txt:5:1: warning: other.example is outside the domain example.tech.")
        assert "list.txt:1:1: warning: This line is no record." in str(read("hello\n").mistakes[0])

    def test_does_not_take_owners_for_types(self) -> None:
        """A host called mx, or a."""
        assert said(read("mx IN A 192.0.2.1\na A 192.0.2.2\ntxt 300 TXT x y\n")) == [
            "mx A 192.0.2.1",
            "a A 192.0.2.2",
            'txt TXT "x y"',
        ]

    def test_leaves_to_the_plan_what_it_makes(self) -> None:
        listed = read("@ NS ns1\n@ SOA a b 1 2 3 4 5\nsub NS ns.example.net.\n")
        assert said(listed) == ["sub NS ns.example.net."]
        assert len(listed.mistakes) == 2

    @settings(max_examples=150, deadline=None)
    @given(st.text(st.sampled_from('TXTMA @."();\\|\n\t1_-=')) | st.text())
    def test_of_any_text_raises_nothing(self, text: str) -> None:
        """Each record that comes of it is in the domain."""
        assert all(record.owner.is_subdomain(DOMAIN) for record in read(text).records)


class TestAddition:
    def test_adds_what_is_new_and_nothing_else(self) -> None:
        """At the end of the plan, as tables with their comments; what the plan makes already is counted."""
        added = add_to(GOOD, plan(), read((LISTS / "whole_names.txt").read_text()))
        assert added.text.startswith(GOOD)
        assert added.known == 1
        assert added.contradicted == ()
        assert '# where clients find it\n[[record]]\nname = "_submissions._tcp.example.tech"' in added.text
        zone = expand(load(added.text, "plan.toml").plan, Serial(0))
        assert zone.record_count == expand(plan(), Serial(0)).record_count + 5

    def test_twice_is_once(self) -> None:
        listed = read((LISTS / "opendkim.txt").read_text())
        once = add_to(GOOD, plan(), listed).text
        assert add_to(once, load(once, "p").plan, listed).text == once

    def test_tells_what_contradicts_the_plan(self) -> None:
        """A second SPF policy would make both void; another address is another host."""
        text = GOOD + '\n[[record]]\nname = "@"\ntype = "TXT"\ndata = "v=spf1 a -all"\n'
        added = add_to(text, load(text, "p").plan, read("@ TXT v=spf1 mx -all\nmail A 192.0.2.77\n@ TXT some=thing\n"))
        assert [mistake.at.line for mistake in added.contradicted] == [1, 2]
        assert "some=thing" in added.text
        assert "v=spf1 mx" not in added.text
