from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.plan.marked_plans import GOOD

from mailname.cli.import_zones import command
from mailname.errors import HostError, PlanError, ZoneError
from mailname.plan import load
from mailname.server.keyfile import load_key_file

NAMED = Path(__file__).parents[1] / "data" / "named"
LISTS = NAMED.parent / "mail_lists"
HOSTER = NAMED / "hoster" / "etc/bind/named.conf"
ZONE = (NAMED / "recipe-primary/var/lib/bind/example.tech.zone").read_text()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def hoster(*arguments: object) -> Result:
    return run(HOSTER, "--root", NAMED / "hoster", *arguments)


class TestConfiguration:
    def test_leaves_out_what_every_server_has(self, tmp_path: Path) -> None:
        """Debian's own zones are nobody's domains, and no reason for another exit code. By name they come all the same."""
        (tmp_path / "db.mine").write_text(ZONE)
        (tmp_path / "named.conf").write_text(
            'zone "localhost" { type master; file "none/db.local"; };\n'
            'zone "127.in-addr.arpa" { type master; file "/etc/bind/db.127"; };\n'
            'zone "0.in-addr.arpa" { type master; file "/etc/bind/db.0"; };\n'
            'zone "10.in-addr.arpa" { type master; file "/etc/bind/db.empty"; };\n'
            'zone "example.tech" { type master; file "db.mine"; };\n'
        )
        result = run(tmp_path / "named.conf", "-o", tmp_path / "plans")
        assert "Left out, as every name server has them: localhost, 127.in-addr.arpa, 0.in-addr.arpa, 10.in-addr.arpa." in (
            " ".join(result.stdout.split())
        )
        assert (result.exit_code, result.stderr.count("error")) == (0, 0), result.output
        assert "db.local" in run(tmp_path / "named.conf", "-o", tmp_path / "plans", "--zone", "localhost").stderr

    def test_of_a_secondary_without_a_copy_says_where_it_is(self, tmp_path: Path) -> None:
        """Its primary has the zone: with the key that its configuration names, if it names one."""
        (tmp_path / "named.conf").write_text(
            'zone "friend.example" { type slave; masters { 192.0.2.99; }; file "friend"; };\n'
            'zone "other.example" { type slave; masters { 192.0.2.98 key "k"; }; file "other"; };\n'
        )
        said = " ".join(run(tmp_path / "named.conf", "-o", tmp_path / "plans").stderr.split())
        assert "mailname import --server 192.0.2.99 --zone friend.example" in said
        assert "mailname import --server 192.0.2.98 --zone other.example --key FILE" in said

    def test_gives_a_plan_for_each_domain(self, tmp_path: Path) -> None:
        """Those that lost nothing are written; the others are told and not written, and what cannot be read has its place."""
        result = hoster("-o", tmp_path, "--keys", tmp_path / "keys")
        assert result.exit_code == 1
        assert sorted(path.name for path in tmp_path.glob("*.toml")) == [
            "customer-a.example.toml",
            "friend.example.toml",
            "hoster.example.toml",
        ]
        assert result.stdout.count("proven: the plan means the same zone") == 3
        assert "customer-b.example has no MX" in result.stdout
        assert "+ @  3600  MX  0 ." in result.stdout
        assert "mname hidden.hoster.example. → ns2.hoster.example." in result.stdout
        assert "20-customers.conf:13:1: error: the zone partner.example has no file here." in result.stderr
        assert "--server 203.0.113.10 --zone partner.example" in result.stderr
        assert "hoster.example is taken from the view external" in result.stdout

    def test_brings_roles_keys_and_addresses_along(self, tmp_path: Path) -> None:
        """A secondary's primary is who it asks; a server's address may stand in another zone; the secret in no plan."""
        result = hoster("-o", tmp_path, "--keys", tmp_path / "keys")
        text = (tmp_path / "friend.example.toml").read_text()
        plan = load(text, "x").plan
        assert str(plan.primary.name) == "ns.friend.example."
        assert [str(one) for server in plan.secondaries for one in server.addresses] == ["198.51.100.53", "2001:db8:100::53"]
        assert plan.transfer_key is not None
        assert str(plan.transfer_key.name) == "transfer-2024."
        key = load_key_file(tmp_path / "keys" / "transfer-2024.key")
        assert str(key.name) == "transfer-2024."
        assert "c3VjaCBh" not in text + result.output

    def test_with_consent_all_are_written(self, tmp_path: Path) -> None:
        """--yes takes the differences that were told."""
        hoster("-o", tmp_path, "--yes")
        assert len(list(tmp_path.glob("*.toml"))) == 5

    def test_of_another_view(self, tmp_path: Path) -> None:
        """Which view is the public one may be said."""
        result = hoster("-o", tmp_path, "--view", "internal", "--zone", "hoster.example", "--dry-run", "--json")
        assert json.loads(result.stdout)["domains"][0]["serial"] == 7
        assert "has no view outside" in hoster("--view", "outside").output

    def test_as_json(self, tmp_path: Path) -> None:
        """One document, versioned, the same exit code."""
        result = hoster("-o", tmp_path, "--json")
        assert result.exit_code == 1
        document = json.loads(result.stdout)
        assert document["schema"] == "mailname.import/1"
        by_name = {one["domain"]: one for one in document["domains"]}
        assert by_name["hoster.example"]["lost_nothing"]
        assert by_name["customer-b.example"]["diff"][0]["type"] == "MX"
        assert not by_name["customer-b.example"]["written"]
        assert {(one["line"], one["severity"]) for one in document["mistakes"]} == {(13, "error")}

    def test_puts_a_reverse_zone_into_the_plan_of_its_servers(self, tmp_path: Path) -> None:
        """Each address keeps its name; alone it has no plan, which is told."""
        result = hoster("-o", tmp_path)
        assert "The reverse zone 113.0.203.in-addr.arpa is in this plan, too, with 6 names" in " ".join(result.stdout.split())
        (reverse,) = load((tmp_path / "hoster.example.toml").read_text(), "x").plan.reverse_zones
        assert str(reverse.prefix) == "203.0.113.0/24"
        assert "box-003.web.hoster.example." in {str(one.name) for one in reverse.ptr}
        alone = hoster("-o", tmp_path / "alone", "--zone", "113.0.203.in-addr.arpa")
        assert alone.exit_code == 1
        assert "No domain that was found has its name servers" in " ".join(alone.stderr.split())

    @pytest.mark.parametrize("side", ["recipe-primary", "recipe-secondary"])
    def test_of_either_side_gives_the_same_plan(self, side: str, tmp_path: Path) -> None:
        """The recipe's pair, from its primary's configuration or from its secondary's."""
        result = run(NAMED / side / "etc/bind/named.conf", "--root", NAMED / side, "-o", tmp_path)
        assert result.exit_code == 0, result.output
        plan = load((tmp_path / "example.tech.toml").read_text(), "x").plan
        assert str(plan.primary.name) == "ns2.example.tech."
        assert plan.transfer_key is not None
        assert str(plan.transfer_key.name) == "transfer.example.tech."

    def test_with_a_mistake_is_told_where(self, tmp_path: Path) -> None:
        conf = tmp_path / "named.conf"
        conf.write_text('options { directory "/x"; }\nzone "a" { };')
        with pytest.raises(PlanError, match=r"named\.conf:2:1: A semicolon is missing before this"):
            run_raising(conf)

    def test_with_a_journal_asks(self, tmp_path: Path) -> None:
        """What dynamic updates have changed may be in the journal only."""
        shutil.copytree(NAMED / "recipe-primary", tmp_path / "root")
        (tmp_path / "root/var/lib/bind/example.tech.zone.jnl").write_bytes(b"x")
        result = run(tmp_path / "root/etc/bind/named.conf", "--root", tmp_path / "root", "-o", tmp_path)
        assert result.exit_code == 1
        assert "rndc sync -clean example.tech" in result.stdout


def run_raising(*arguments: object) -> None:
    command.main([str(argument) for argument in arguments], standalone_mode=False)


class TestZoneFile:
    def test_is_named_by_its_file(self, tmp_path: Path) -> None:
        """Relative owners need the zone's name: from the file's, or --zone."""
        (tmp_path / "db.example.tech").write_text(ZONE)
        assert run(tmp_path / "db.example.tech", "-o", tmp_path).exit_code == 0
        assert (tmp_path / "example.tech.toml").exists()
        (tmp_path / "x").write_text(ZONE)
        assert "--zone NAME" in run(tmp_path / "x").output
        assert run(tmp_path / "x", "--zone", "other.tech", "-o", tmp_path, "--dry-run").exit_code == 0

    def test_that_is_there_is_not_written_over(self, tmp_path: Path) -> None:
        """Not without being asked; the same text is no question."""
        source = tmp_path / "example.tech.zone"
        source.write_text(ZONE)
        plan = tmp_path / "example.tech.toml"
        plan.write_text("# mine\n")
        result = run(source, "-o", tmp_path)
        assert result.exit_code == 1
        assert "is already there" in result.stderr
        assert plan.read_text() == "# mine\n"
        assert run(source, "-o", tmp_path, "--force").exit_code == 0
        assert run(source, "-o", tmp_path).exit_code == 0

    def test_that_is_none_is_told_with_every_mistake(self, tmp_path: Path) -> None:
        source = tmp_path / "example.tech.zone"
        source.write_text(ZONE + "www IN CNAME\nftp IN A 192.0.2.256\n")
        with pytest.raises(ZoneError) as caught:
            run_raising(source)
        assert [mistake.at.line for mistake in caught.value.mistakes] == [18, 19]

    def test_needs_the_addresses_of_servers_elsewhere(self, tmp_path: Path) -> None:
        """They stand in no zone here; the option that gives them is named."""
        source = tmp_path / "example.tech.zone"
        source.write_text(ZONE.replace("ns1.example.tech.", "ns1.example.net."))
        result = run(source, "-o", tmp_path)
        assert result.exit_code == 1
        assert "--secondary ns1.example.net=ADDRESS" in result.stderr
        assert run(source, "-o", tmp_path, "--secondary", "ns1.example.net=203.0.113.1").exit_code == 0

    def test_that_cannot_be_read(self, tmp_path: Path) -> None:
        with pytest.raises(HostError, match="No such file"):
            run_raising(tmp_path / "nothing.zone")


class TestArguments:
    @pytest.mark.parametrize(
        ("words", "says"),
        [
            ((), "Give files or --server"),
            (("--server", "127.0.0.1"), "--zone NAME"),
            (("--server", "127.0.0.1", "--zone", "a..b"), "is no zone's name"),
            ((HOSTER, "--primary", "ns1"), "Write the whole name"),
        ],
    )
    def test_that_make_no_sense(self, words: tuple[object, ...], says: str) -> None:
        result = run(*words)
        assert result.exit_code == 2
        assert says in result.output


class TestLists:
    def test_are_added_to_a_plan(self, tmp_path: Path) -> None:
        """Shown, asked about, and written at the end; the plan as it was stays above."""
        plan = tmp_path / "plan.toml"
        plan.write_text(GOOD)
        words = (LISTS / "opendkim.txt", LISTS / "whole_names.txt", "--into", plan)
        asked = run(*words)
        assert asked.exit_code == 1
        assert "if it is right: --yes" in asked.stderr
        assert plan.read_text() == GOOD
        result = run(*words, "--yes")
        assert result.exit_code == 0, result.output
        assert "+ mail2024._domainkey" in result.stdout
        assert plan.read_text().startswith(GOOD)
        again = json.loads(run(*words, "--json").stdout)["into"]
        assert (again["known"], again["diff"], again["written"]) == (7, [], False)

    def test_are_a_new_plan_with_name_servers(self, tmp_path: Path) -> None:
        """Whose they are and who serves them has to be said; else both ways are named."""
        assert "--into PLAN" in run(LISTS / "whole_names.txt").output
        servers = ("--primary", "ns1.example.tech=192.0.2.1", "--secondary", "ns2.example.tech=198.51.100.2")
        result = run(LISTS / "relative_names.txt", "--zone", "example.tech", *servers, "-o", tmp_path)
        assert result.exit_code == 0, result.output
        plan = load((tmp_path / "example.tech.toml").read_text(), "x").plan
        assert [str(host.name) for host in plan.mail_hosts] == ["mail.example.tech."]
