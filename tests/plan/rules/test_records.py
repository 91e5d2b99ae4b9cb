from __future__ import annotations

import pytest
from tests.plan.marked_plans import GOOD, assert_told, good


def record(name: str, rdtype: str, data: str, *, more: str = "") -> str:
    return f"[[record]]\nname = {name}\ntype = {rdtype}\ndata = {data}\n{more}"


def text(*lines: str) -> str:
    return 'zone_text = """\n' + "\n".join(lines) + '\n"""\n' + GOOD


class TestData:
    @pytest.mark.parametrize(
        ("rdtype", "data"),
        [
            ("TXT", '"v=spf1 mx -all"'),
            ("TXT", '["one", "\\"two\\" \\"three\\""]'),
            ("CAA", '"0 issue \\"ca.example.net\\""'),
            ("SRV", '"0 0 993 mail"'),
            ("SRV", '"0 0 0 ."'),
            ("NS", '["ns1", "ns.example.org"]'),
            ("TYPE65280", '"\\\\# 1 00"'),
            ("https", '"1 . alpn=h2"'),
        ],
    )
    def test_of_many_types(self, rdtype: str, data: str) -> None:
        """Every type that the zone can hold; TXT may leave its quotes away."""
        assert_told(GOOD + record('"x"', f'"{rdtype}"', data))

    @pytest.mark.parametrize(
        ("rdtype", "data", "what"),
        [
            ('¦"TXTT"', '"x"', 'Did you mean "TXT"?'),
            ('¦"zzz9zz"', '"x"', "TYPE65280"),
            ('¦"ANY"', '"x"', "question"),
            ('¦"NONE"', '"x"', "question"),
            ('¦"RRSIG"', '"x"', "signing"),
            ("¦7", '"x"', "text is needed"),
            ('"A"', '["192.0.2.9", ¦"192.0.2.256"]', "192.0.2.256"),
            ('"A"', "¦[]", "empty list"),
            ('"TXT"', '¦"a\\nb"', "line break"),
            ('"MX"', '¦"mail"', ""),
            ('"MX"', '¦"10 192.0.2.1"', "an address"),
            ('"MX"', '¦"10 post"', "no address"),
            ('"MX"', '¦"10 mial"', "'mail.example.tech'"),
            ('"NS"', '¦"ns9"', "no address"),
            ('"CNAME"', '¦"wwww"', "not in the zone"),
        ],
    )
    def test_that_is_wrong(self, rdtype: str, data: str, what: str) -> None:
        """Told at the type or at the data, whichever is wrong."""
        assert_told(GOOD + record('"x"', rdtype, data), what)

    def test_names_follow_the_plans_rule(self) -> None:
        """With a dot full, without in the domain: no trailing dot is needed."""
        assert_told(GOOD + record('"x"', '"CNAME"', '"mail.example.tech"') + record('"y"', '"CNAME"', '"mail"'))

    def test_of_an_owner_that_is_wrong(self) -> None:
        """Outside the domain, the name that was probably meant is taken."""
        assert_told(GOOD + record('¦"_sip._tcp"', '"SRV"', '"0 0 5060 mail"'), '"_sip._tcp.example.tech"')
        assert_told(good(('addresses  = ["198.51.100.2"]\n', "")) + record('¦"a!"', '"A"', '"192.0.2.9"'))


class TestTrailingDot:
    def test_lost_in_the_data(self) -> None:
        """The classic: told at the name itself, and as nothing else."""
        assert_told(text("@ MX 10 ¦mail.example.tech"), "no trailing dot", "mail.example.tech.example.tech")

    def test_lost_in_the_owner(self) -> None:
        """The record counts as what was meant."""
        assert_told(text("¦post.example.tech A 192.0.2.9", "x MX 10 post"), "no trailing dot")

    def test_lost_twice_in_one_record(self) -> None:
        """Two names, two messages."""
        assert_told(text("¦x.example.tech ( CNAME", " ¦mail.example.tech )"))

    def test_lost_of_the_domain_itself(self) -> None:
        """The shortest case."""
        assert_told(text("x CNAME ¦example.tech"))

    def test_lost_towards_another_domain(self) -> None:
        """A full name elsewhere looks like a long one here."""
        assert_told(text("x CNAME ¦mail.example.org"), "'mail.example.org.' with a trailing dot?")

    def test_a_warning_of_the_text_itself(self) -> None:
        """What the zone's reader warns of, with the file's place."""
        assert_told(text("x ¦4294967295 TXT a"), "TTL")

    def test_not_lost(self) -> None:
        """Names with the dot, and names that only begin alike."""
        assert_told(text("x CNAME mail.example.tech.", "y CNAME mail", "example.tech.x A 192.0.2.1", "z CNAME www.example.org."))

    def test_lost_in_other_letters(self) -> None:
        """Case does not matter in names."""
        assert_told(text("x CNAME ¦MAIL.example.tech"))

    def test_lost_where_an_origin_hides_it(self) -> None:
        """When the name as a whole is not in the text, the record is pointed at."""
        assert_told(text("$ORIGIN tech.example.tech.", "¦www.example A 192.0.2.1"))


class TestReserved:
    @pytest.mark.parametrize(
        ("line", "what"),
        [
            ("¦@ SOA ns1 x 1 2 3 4 5", "made from the plan"),
            ("¦@ NS ns3", "[[name_server]]"),
            ("¦x NSEC y A", "signing"),
            ("¦www.example.org. A 192.0.2.1", "outside the domain"),
            ("¦$INCLUDE x", "$INCLUDE"),
        ],
    )
    def test_in_zone_text(self, line: str, what: str) -> None:
        """What the plan or signing makes is not written by hand, and a zone holds only its own names."""
        assert_told(text(line), what)


class TestTwice:
    def test_the_same_record(self) -> None:
        """The line of the first is named."""
        assert_told(text("x TXT a", "x TXT ¦a"), "line 2")

    def test_another_ttl(self) -> None:
        """RFC 2181 section 5.2."""
        assert_told(text("x 60 TXT a", "¦x 61 TXT b"), "TTL")

    def test_what_the_plan_makes(self) -> None:
        """An address belongs in one place."""
        assert_told(text("ns1 A ¦192.0.2.1", "@ A ¦192.0.2.1"), "already makes")

    def test_another_address_than_the_plans(self) -> None:
        """The glue would differ from the zone."""
        assert_told(text("ns1 A ¦192.0.2.9", "@ A ¦192.0.2.9"), "by the name server", "by website")

    def test_one_name_with_two_sets_of_addresses(self) -> None:
        """A mail host that is a name server, too, has that one's addresses."""
        assert_told(good(('"mail.example.tech"', '"ns2"'), ('["198.51.100.2"]', '¦["198.51.100.2"]')), "other addresses")


class TestAlias:
    @pytest.mark.parametrize(
        ("lines", "what"),
        [
            (("¦x CNAME mail", "x TXT a"), "has other records (TXT)"),
            (("x CNAME mail", "¦x CNAME ns1"), "second CNAME"),
            (("¦@ CNAME mail",), "domain itself"),
            (("x CNAME mail", "y MX 10 ¦x"), "is an alias"),
        ],
    )
    def test_stands_alone(self, lines: tuple[str, ...], what: str) -> None:
        """RFC 1034 section 3.6.2."""
        assert_told(text(*lines), what)

    def test_of_a_name_server(self) -> None:
        """An NS may not name one; told there, once, whoever else names it."""
        marked = good(('"ns1.example.tech"', '¦"ns1.example.tech"'))
        assert_told('zone_text = "ns1 CNAME mail\\nx MX 10 ns1"\n' + marked, "an NS may not name one")

    def test_to_a_name_that_is_only_passed_through(self) -> None:
        """An empty non-terminal exists."""
        assert_told(text("a.b TXT x", "c CNAME b"))
