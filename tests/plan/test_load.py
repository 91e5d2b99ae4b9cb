from __future__ import annotations

from pathlib import Path

import pytest
from tests.plan.marked_plans import GOOD, assert_told, good, told

from mailname.errors import PlanError
from mailname.plan import decode, load

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.toml"))


class TestExamples:
    @pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
    def test_load_without_any_warning(self, path: Path) -> None:
        """An example is what people copy: nothing in it may be doubtful."""
        assert load(decode(path.read_bytes(), str(path)), str(path)).warnings == ()

    def test_the_tests_own_plan_is_good(self) -> None:
        """Every case below changes a plan without a mistake."""
        assert_told(GOOD)

    def test_the_recipes_roles(self) -> None:
        """The mail host is the primary and published second, the cloud machine the secondary and published first."""
        example = next(path for path in EXAMPLES if path.name == "example.tech.toml")
        plan = load(example.read_text("utf-8"), "plan.toml").plan
        assert [str(server.name) for server in plan.name_servers] == ["ns1.example.tech.", "ns2.example.tech."]
        assert plan.primary is plan.name_servers[1]
        assert plan.secondaries == (plan.name_servers[0],)
        assert plan.mail_hosts[0].addresses[0] in plan.primary.addresses


class TestEveryMistakeAtOnce:
    def test_shape_and_meaning_together(self) -> None:
        """A broken address in one table hides no wrong meaning in another; each mistake has its own line and column."""
        assert_told(
            good(
                ('"192.0.2.1", "2001:db8:1::1"', '"192.0.2.1", ¦"2001:db8::1::1"'),
                ('role      = "secondary"', 'role      = ¦"slave"'),
                ("preference = 10", "¦prefrence = 10"),
                ('name       = "mail.example.tech"', 'name       = ¦"mial.example.tech"'),
                ('addresses  = ["198.51.100.2"]', ""),
                ('"hostmaster@example.tech"', '¦"hostmaster.example.tech"'),
                more='[[record]]\nname = "mail"\ntype = "A"\ndata = "198.51.100.2"\n',
            ),
            "Did you mean 'mail.example.tech'?",
            "Did you mean 'preference'?",
            'Did you mean "secondary"?',
            'Did you mean "hostmaster@example.tech"?',
        )

    def test_five_in_a_plan_with_everything(self) -> None:
        """Dotted keys, inline tables, sub-tables of arrays, quoted keys and text in other scripts keep their places."""
        assert_told(
            'domain = "example.tech" # größer als "ß"\n'
            'contact = "a.b@example.tech"\n'
            'soa.refresh = "4h"\nsoa."retry" = ¦"1x"\n'
            "name_server = [\n"
            '  {name = "ns1", addresses = ["192.0.2.1"], role = "secondary"}, # ü\n'
            '  {name = "ns2", addresses = ["198.51.100.2", ¦"ü"], ¦"rôle" = 1, "role" = "primary"},\n'
            "]\n"
            '[[mail_host]]\nname = "ns2"\n'
            '[[reverse_zone]]\nprefix = ¦"192.0.2.0/26"\n'
            '[[reverse_zone.ptr]]\naddress = "192.0.2.1"\nname = ¦"a_b"\n'
        )

    def test_all_warnings_come_with_the_errors(self) -> None:
        """Who mends a plan wants to mend it once."""
        assert_told(good(("14400", "¦1800"), ("3600", "¦900"), ('"primary"', '¦"primry"')), "Zonemaster", "primary")

    def test_warnings_alone_let_the_plan_through(self) -> None:
        """A warning is shown and the work goes on."""
        loaded = load(good(("14400", "1800")), "plan.toml")
        assert [warning.severity for warning in loaded.warnings] == ["warning"]
        assert loaded.plan.soa.refresh == 1800

    def test_are_in_the_order_of_the_file(self) -> None:
        """A person goes through a file from its top."""
        places = told(good(("86400", '"x"'), ("10", '"y"'), ('"primary"', '"z"'))).places
        assert places == sorted(places)


SPOILED = sorted((Path(__file__).parents[1] / "data" / "spoiled_plans").glob("*.toml"))


class TestSpoiledPlans:
    @pytest.mark.parametrize("path", SPOILED, ids=lambda path: path.stem)
    def test_are_told_mistake_by_mistake(self, path: Path) -> None:
        """Plans as people write them: each mark is one message at its place, and there is no message without a mark."""
        assert_told(path.read_text(encoding="utf-8"))


class TestUnknownKey:
    @pytest.mark.parametrize(
        ("old", "new", "hint"),
        [
            ('addresses = ["192', '¦adresses = ["192', "'addresses'"),
            ('addresses = ["192', '¦ip = ["192', "'addresses'"),
            ("domain ", "¦domian ", "'domain'"),
            ("domain ", "¦zone ", "'domain'"),
            ("contact", "¦email", "'contact'"),
            ("[[mail_host]]", "[[¦mail_hosts]]", "'mail_host'"),
            ("[[mail_host]]", "[[¦mx]]", "'mail_host'"),
            ("[[name_server]]", "[[¦name_servr]]", "'name_server'"),
            ("[soa]", "[¦sao]", "'soa'"),
            ('role      = "p', '¦rôle      = "p', "'role'"),
            ("ttl     = 86400", "¦colour = 1", "The keys here are"),
            ("minimum = 1800", "¦colour = 1", "The keys here are"),
            ("preference = 10", "¦refresh = 10", "It belongs to [soa]"),
            ("preference = 10", "¦website = []", "the top of the file"),
        ],
    )
    def test_is_told_once_and_judged_as_what_was_meant(self, old: str, new: str, hint: str) -> None:
        """A misspelt key does not also count as a missing one."""
        if old.startswith("role"):
            old, new = 'role      = "primary"', new.replace('"p', '"primary"').replace("rôle", "rolle")
        assert_told(good((old, new)), hint)

    def test_values_below_it_are_judged_too(self) -> None:
        """The misspelt table's own mistakes keep their places."""
        assert_told(good(("[[name_server]]", "[[¦nameserver]]"), ('"192.0.2.1", "2', '¦"junk", "2')), "junk")

    def test_beside_the_right_key_is_only_told(self) -> None:
        """With both keys there, the right one counts."""
        assert_told(good(("ttl     = 86400", "ttl = 86400\n¦tttl = 1")), "'ttl'")

    def test_a_secret_never_stands_in_a_plan(self) -> None:
        """A plan is shown to others and kept in version control."""
        assert_told(good(more='[transfer_key]\nname = "k"\n¦secret = "abc"\n'), "mailname key")

    def test_zone_text_below_a_table_belongs_to_the_top(self) -> None:
        """TOML reads a key after a [table] as the table's; that surprises people."""
        assert_told(
            good(more='¦zone_text = "x A 300.1.1.1"'[:-1].replace("300.1.1.1", "192.0.2.9") + '"\n'), "the top of the file"
        )


class TestMissing:
    @pytest.mark.parametrize(
        ("old", "new", "what"),
        [
            ('domain  = "example.tech"\n', "¦", "no 'domain'"),
            ('contact = "hostmaster@example.tech"\n', "", "no 'contact'"),
            ('[[name_server]]\nname      = "ns1.example.tech"\n', "¦[[name_server]]\n", "no 'name'"),
            ('[[name_server]]\nname      = "ns1.example.tech"\naddresses = ["192.0.2.1", "2001:db8:1::1"]',
             '¦[[name_server]]\nname = "ns1"', "no 'addresses'"),
            ('[[mail_host]]\nname       = "mail.example.tech"\n', "¦[[mail_host]]\n", "no 'name'"),
        ],
    )  # fmt: skip
    def test_points_at_the_table_or_the_first_line(self, old: str, new: str, what: str) -> None:
        """What is not there has no place of its own."""
        text = good((old, new))
        assert_told(text if "¦" in text else "¦" + text, what)

    def test_role(self) -> None:
        """Nobody guesses who holds the zone file, and nobody says that there is no primary."""
        text = good(('[[name_server]]\nname      = "ns2', '¦[[name_server]]\nname      = "ns2'), ('role      = "primary"\n', ""))
        assert_told(text, "no 'role'")

    def test_in_an_inline_table_points_at_its_brace(self) -> None:
        """An inline table begins at its brace."""
        text = GOOD.replace("[soa]", "reverse_zone = [¦{ptr = []}]\n[soa]")
        assert_told(text, "no 'prefix'")

    def test_name_servers(self) -> None:
        """Without a single name server there is one message."""
        head, _, _ = GOOD.partition("[[name_server]]")
        assert_told("¦" + head + '[[mail_host]]\nname = "mail"\naddresses = ["192.0.2.1"]\n', "no name server")

    def test_name_servers_as_an_empty_list(self) -> None:
        """An empty list is told where it stands."""
        head = 'domain = "example.tech"\ncontact = "a@b.example"\nname_server = ¦[]\n'
        assert_told(head + '[[mail_host]]\nname = "mail"\naddresses = ["192.0.2.1"]\n', "empty list")


class TestWrongKindOfValue:
    @pytest.mark.parametrize(
        ("old", "new", "what"),
        [
            ("86400", '¦"86400"', "without quotes"),
            ("86400", "¦true", "must be a time"),
            ("86400", "¦-1", "not a time"),
            ("86400", "¦1.5", "must be a time"),
            ("14400", '¦"4x"', "not a time"),
            ("= 10", '= ¦"10"', "without quotes"),
            ("= 10", "= ¦65536", "out of range"),
            ("= 10", "= ¦true", "whole number"),
            ("= 10", "= ¦1.0", "whole number"),
            ('"mail.example.tech"', "¦25", "text is needed"),
            ('"mail.example.tech"', "¦1979-05-27", "date"),
            ('"mail.example.tech"', '¦["mail"]', "list"),
            ('"mail.example.tech"', "¦{a = 1}", "table"),
            ('"mail.example.tech"', "¦1.5", "number"),
            ('"mail.example.tech"', "¦true", "true or false"),
            ('["198.51.100.2"]', '¦"198.51.100.2"', 'addresses = ["198.51.100.2"]'),
            ('["198.51.100.2"]', "¦7", "is a list"),
            ('["198.51.100.2"]', "[¦7]", "text is needed"),
            ("[[mail_host]]", "¦[mail_host]", "[[mail_host]]"),
            ("[soa]", "¦[[soa]]", "[soa]"),
            ('"primary"', '¦"king"', '"primary" or "secondary"'),
            ('"primary"', '¦"master"', 'Did you mean "primary"?'),
        ],
    )
    def test_is_told_once_at_the_value(self, old: str, new: str, what: str) -> None:
        """One wrong value, one message, and nothing that follows from it."""
        assert_told(good((old, new)), what)

    @pytest.mark.parametrize(
        ("line", "what"),
        [("soa = ¦1", "[soa]"), ("soa = ¦[]", "[soa]"), ("record = ¦1", "[[record]]"), ("record = [¦1]", "[[record]]")],
    )
    def test_a_value_where_a_table_belongs(self, line: str, what: str) -> None:
        """Tables are tables."""
        head, _, rest = GOOD.partition("[soa]")
        tail = "[[name_server]]" + rest.partition("[[name_server]]")[2]
        assert_told(head + line + "\n" + tail, what)

    @pytest.mark.parametrize("engine", ["builtin", "bind", "knot", "nsd"])
    def test_every_engine_is_known(self, engine: str) -> None:
        """Each side may run another program."""
        assert_told(good(('role      = "primary"', f'role = "primary"\nengine = "{engine}"')))

    @pytest.mark.parametrize("pin", ["$", "AAAA"])
    def test_a_pin_that_is_none(self, pin: str) -> None:
        """With the command that prints one."""
        assert_told(good(('role      = "primary"', f'role = "primary"\ntls_pin = ¦"{pin}"')), "mailname key pin CERTIFICATE")

    def test_an_engine_by_its_daemons_name(self) -> None:
        """Named is BIND's."""
        assert_told(good(('role      = "primary"', 'role = "primary"\nengine = ¦"named"')), '"bind"')


class TestPositionsInZoneText:
    @pytest.mark.parametrize("quotes", ['"""', "'''"])
    def test_are_the_files_own(self, quotes: str) -> None:
        """An editor jumps to the file, not into a value."""
        text = f"zone_text = {quotes}\n\nwww A 192.0.2.1\nftp A ¦192.0.2.256\n{quotes}\n"
        assert_told(text + GOOD, "192.0.2.256")

    def test_on_the_line_of_the_quotes(self) -> None:
        """Text may begin right after the quotes."""
        assert_told('zone_text = """ftp A ¦192.0.2.256"""\n' + GOOD)
        assert_told("zone_text = 'ftp A ¦192.0.2.256'\n" + GOOD)

    def test_after_escapes(self) -> None:
        """One character of the value may be many in the file, or none."""
        assert_told('zone_text = "x TXT \\"\\u00e4 \\\\\\" y\\"\\nftp\\tA ¦192.0.2.256"\n' + GOOD)
        assert_told('zone_text = """\\\n   x TXT a\n  ; \\U0001F600 ü\nftp \\\n   A ¦192.0.2.256"""\n' + GOOD)

    def test_several_mistakes(self) -> None:
        """All of them, and one does not make the names of its line unknown."""
        text = 'zone_text = """\n$TTL ¦x\nmail A ¦junk\n¦$FOO\n"""\n'
        assert_told(text + good(('addresses  = ["198.51.100.2"]\n', "")))

    def test_an_owner_that_cannot_be_read_hides_absence(self) -> None:
        """When a name is unknown, nobody can say that a name is missing."""
        text = 'zone_text = """\n¦a..b A 192.0.2.1\n"""\n'
        assert_told(text + good(('addresses  = ["198.51.100.2"]\n', "")))

    def test_a_record_that_continues_the_owner_above(self) -> None:
        """A blank owner is the owner before it; that one's addresses are then unknown, not missing."""
        text = 'zone_text = """\nmail TXT a\n A ¦junk\n"""\n'
        assert_told(text + good(('addresses  = ["198.51.100.2"]\n', "")))
        assert_told('zone_text = """\n ¦A 192.0.2.1\n"""\n' + good(('addresses  = ["198.51.100.2"]\n', "")))


class TestFile:
    def test_empty(self) -> None:
        """An empty file says how to begin, and nothing else."""
        for text in ("", " \n", "\ufeff\n"):
            found = told(text)
            assert found.places == [(1, 1)]
            assert "mailname init" in found.words

    def test_only_comments(self) -> None:
        """So does one without a single key."""
        assert "mailname init" in told("# nothing\n").words

    def test_byte_order_mark_is_warned_of(self) -> None:
        """An editor of another system leaves one; the plan is readable all the same."""
        found = told("\ufeff" + GOOD)
        assert found.places == [(1, 1)]
        assert found.mistakes[0].severity == "warning"

    def test_line_ends_of_another_system(self) -> None:
        """CRLF is TOML; lines and columns stay what an editor shows."""
        marked = good(("14400", "¦1"), more="zone_text = 1\n"[:0])
        found = told(('zone_text = """\nx A ¦junk\n"""\n' + marked).replace("\n", "\r\n"))
        assert found.places == found.marks

    def test_not_utf_8(self) -> None:
        """The first octet that is no text is pointed at."""
        with pytest.raises(PlanError, match=r"^p.toml:2:4: The file is not UTF-8") as caught:
            decode("a = 1\nü= ".encode() + b"\xe4\n", "p.toml")
        assert "0xe4" in caught.value.remedy

    def test_utf_16(self) -> None:
        """A whole file in another encoding is called by its name."""
        with pytest.raises(PlanError) as caught:
            decode(GOOD.encode("utf-16"), "p.toml")
        assert "UTF-16" in caught.value.remedy
