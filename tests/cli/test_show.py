from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import dns.name
import pytest
from click.testing import CliRunner, Result
from tests.plan.marked_plans import GOOD, good

from mailname.cli.console import err, out
from mailname.cli.show import command
from mailname.errors import HostError, PlanError, ZoneError
from mailname.server.config_file import load_config
from mailname.server.keyfile import make_key_file
from mailname.zone.text import read_zone

DNSKEY = "mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ=="


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    path = tmp_path / "example.tech.toml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def show(*arguments: object, text: str | None = None) -> Result:
    if text is not None:
        Path(str(arguments[0])).write_text(text, encoding="utf-8")
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


class TestShow:
    def test_is_a_zone_file_with_a_summary(self, plan_file: Path) -> None:
        """What is printed can be loaded as it is; the summary is a comment."""
        result = show(plan_file)
        assert result.exit_code == 0
        assert "; example.tech: 10 records" in result.stdout
        assert ";   ns2.example.tech   primary    198.51.100.2" in result.stdout
        assert read_zone(result.stdout, "x", dns.name.from_text("example.tech.")).zone.record_count == 10

    def test_zone_alone(self, plan_file: Path) -> None:
        """Nothing but the zone, with the serial asked for."""
        result = show(plan_file, "--zone", "--serial", 7)
        assert result.stdout.startswith("$ORIGIN example.tech.\n")
        assert "7 " in result.stdout

    def test_serial_is_todays(self, plan_file: Path) -> None:
        """As publish would begin it."""
        days = {datetime.now(UTC).strftime("%Y%m%d")}
        serial = json.loads(show(plan_file, "--json").stdout)["zones"][0]["serial"]
        days.add(datetime.now(UTC).strftime("%Y%m%d"))
        assert str(serial) in {day + "00" for day in days}

    def test_reverse_zones_follow(self, plan_file: Path) -> None:
        """Each zone of the plan."""
        result = show(plan_file, text=GOOD + '[[reverse_zone]]\nprefix = "192.0.2.0/24"\n')
        assert "$ORIGIN 2.0.192.in-addr.arpa." in result.stdout

    def test_summary_of_everything(self, plan_file: Path) -> None:
        """Another engine, a mail host elsewhere, and a domain in its own script."""
        text = good(('"primary"', '"primary"\nengine = "nsd"'), ('addresses  = ["198.51.100.2"]\n', "")).replace(
            "mail.example.tech", "mail.example.org"
        )
        result = show(plan_file, text=text.replace("example.tech", "bücher.tech").replace('website = ["192.0.2.1"]', ""))
        assert "(nsd)" in result.stdout
        assert "(address elsewhere)" in result.stdout
        assert "bücher.tech (xn--bcher-kva.tech)" in result.stdout

    def test_warnings_go_to_standard_error(self, plan_file: Path) -> None:
        """The zone stays clean."""
        result = show(plan_file, text=good(("14400", "1800")))
        assert "warning:" in result.stderr
        assert "warning" not in result.stdout

    def test_a_plan_with_mistakes_is_not_shown(self, plan_file: Path) -> None:
        """The caller tells them all and exits with 2."""
        result = show(plan_file, text=good(("14400", '"x"'), ("= 10", "= -1")))
        assert isinstance(result.exception, PlanError)
        assert len(result.exception.mistakes) == 2

    def test_on_a_terminal_says_what_comes_next(self, plan_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """And dims the comments; the words stay the same."""
        monkeypatch.setattr(out, "_force_terminal", True)
        result = show(plan_file)
        assert "--registrar" in result.stderr
        assert "ns1.example.tech" in result.stdout


class TestRegistrar:
    def test_lists_hosts_then_names_then_ds(self, plan_file: Path) -> None:
        """What to type, in the order of the plan."""
        result = show(plan_file, "--registrar")
        assert result.exit_code == 0
        lines = [line.split() for line in result.stdout.splitlines()]
        assert ["ns1.example.tech", "192.0.2.1", "2001:db8:1::1"] in lines
        assert ["ns2.example.tech", "198.51.100.2", "2001:db8:2::2"] in lines
        assert ["ns1.example.tech"] in lines
        assert [line for line in result.stdout.splitlines() if line[:2] in ("1.", "2.", "3.")] == [
            "1. Host objects, each with its addresses",
            "2. The name servers, by name alone",
            "3. DS",
        ]
        assert "not signed" in result.stdout

    def test_says_what_must_not_be_typed(self, plan_file: Path) -> None:
        """Names outside the domain are typed alone: no form has an address for them."""
        text = good(('"ns1.example.tech"', '"ns1.example.org"'), ('addresses = ["192.0.2.1"', 'addresses = ["203.0.113.7"'))
        for style in ("hosts-first", "one-form", "glue-apart"):
            told, _, never = show(plan_file, "--registrar", "--style", style, text=text).stdout.partition("Do not type")
            assert "203.0.113.7" not in told
            assert "ns1.example.org" in told
            assert "Addresses for ns1.example.org" in never

    def test_gives_the_ds_of_a_signed_zone(self, plan_file: Path) -> None:
        """Its four fields."""
        text = good(("[soa]", f'zone_text = "@ DNSKEY 257 3 13 {DNSKEY}"\n[soa]'))
        assert "algorithm 13, digest type 2, digest" in show(plan_file, "--registrar", text=text).stdout

    def test_in_one_form_has_names_and_addresses_on_one_page(self, plan_file: Path) -> None:
        """As the form asks; --style alone asks for the worksheet."""
        result = show(plan_file, "--style", "route53")
        assert (
            "1. The name servers, each with its addresses\n   There: Add or edit name servers (Name; Glue IPs)" in result.stdout
        )
        assert "2. DS" in result.stdout

    def test_of_a_form_that_was_not_read_says_so(self, plan_file: Path) -> None:
        """Nobody should rely on hearsay without knowing it."""
        assert "were not verified" in show(plan_file, "--style", "godaddy").stdout
        assert "were not verified" not in show(plan_file, "--style", "ionos").stdout

    def test_tells_of_addresses_for_which_a_form_has_no_place(self, plan_file: Path) -> None:
        """Two IPv4 addresses of one name, and one field."""
        text = good(('["192.0.2.1", "2001:db8:1::1"]', '["192.0.2.1", "192.0.2.9"]'))
        assert "takes 1 IPv4 address(es)" in show(plan_file, "--style", "ionos", text=text).stdout
        assert "address(es)" not in show(plan_file, "--style", "ovh", text=text).stdout

    def test_of_an_unknown_form_names_those_that_are_known(self, plan_file: Path) -> None:
        """A mistake on the command line."""
        result = show(plan_file, "--style", "nowhere")
        assert (result.exit_code, "Known are hosts-first, one-form, glue-apart" in result.stderr) == (2, True)

    def test_on_a_narrow_terminal_stays_within_it(self, plan_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Eighty columns, with the longest IPv6 addresses: one below the other."""
        monkeypatch.setattr(out, "_force_terminal", True)
        monkeypatch.setattr(out, "_width", 80)
        text = good(("2001:db8:1::1", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1111")).replace(
            "ns1.example", "a-rather-long-name.example"
        )
        result = show(plan_file, "--registrar", text=text)
        assert max(len(line) for line in re.sub(r"\x1b\[[0-9;]*m", "", result.stdout).splitlines()) <= 80
        assert "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1111" in result.stdout

    def test_as_json_has_the_steps(self, plan_file: Path) -> None:
        """For programs that type it themselves."""
        sheet = json.loads(show(plan_file, "--style", "ionos", "--json").stdout)["registrar"]
        assert (sheet["style"], sheet["panel"]["verified"]) == ("one-form", True)
        assert [step["entries"][0]["addresses"] for step in sheet["steps"]] == [["192.0.2.1", "2001:db8:1::1"]]
        assert sheet["never"]


class TestServer:
    @pytest.mark.parametrize(("name", "role", "peer"), [("ns1", "secondary", "primary"), ("ns2", "primary", "secondary")])
    def test_is_what_serve_takes(self, plan_file: Path, tmp_path: Path, name: str, role: str, peer: str) -> None:
        """With the key file that 'mailname key make' writes, and the control socket at which the other commands look."""
        text = show(plan_file, "--server", f"{name}.example.tech.").stdout
        file = tmp_path / "server.toml"
        make_key_file(tmp_path / "transfer.example.tech.key", dns.name.from_text("transfer.example.tech"))
        config = load_config(text, str(file))
        assert str(config.control) == "/run/mailname/control.sock"
        assert config.zones[0].role == role
        assert f"[[zone.{peer}]]" in text

    def test_of_nobody_is_a_mistake(self, plan_file: Path) -> None:
        """Whom the plan has is said."""
        result = show(plan_file, "--server", "ns9.example.tech")
        assert result.exit_code == 2
        assert "it has ns1.example.tech, ns2.example.tech" in result.stderr


class TestDiff:
    def test_against_itself(self, plan_file: Path, tmp_path: Path) -> None:
        """Nothing, whatever the serial is."""
        published = tmp_path / "zone"
        published.write_text(show(plan_file, "--zone", "--serial", 7).stdout, encoding="utf-8")
        assert show(plan_file, "--diff", published).stdout.startswith("Nothing")

    def test_shows_what_comes_and_goes(self, plan_file: Path, tmp_path: Path) -> None:
        """And speaks up where it looks like an accident."""
        published = tmp_path / "zone"
        before = show(plan_file, "--zone", "--serial", 7).stdout.replace("ns1", "ns7").replace("14400 ", "14401 ")
        published.write_text(before, encoding="utf-8")
        result = show(plan_file, "--diff", published)
        assert "+ ns1" in result.stdout
        assert "- ns7" in result.stdout
        assert "~ @" in result.stdout
        assert "refresh 14401 → 14400" in result.stdout
        assert "ns7.example.tech would no longer be a name server" in result.stderr

    def test_as_json(self, plan_file: Path, tmp_path: Path) -> None:
        """The changes and the objections."""
        published = tmp_path / "zone"
        published.write_text(show(plan_file, "--zone", "--serial", 7).stdout.replace("ns1", "ns7"), encoding="utf-8")
        document = json.loads(show(plan_file, "--diff", published, "--json").stdout)
        assert {change["kind"] for change in document["diff"]} == {"add", "remove", "change"}
        assert [objection["code"] for objection in document["objections"]] == ["name-servers-replaced"]

    def test_without_a_file_asks_the_primary(self, plan_file: Path, tmp_path: Path) -> None:
        """What is published is what the running primary holds; where none runs, it is said how to name it."""
        for arguments in ((plan_file, "--diff"), ("--diff", plan_file)):
            result = show(*arguments, "--control", tmp_path / "none.sock")
            assert isinstance(result.exception, HostError)
            assert "--control PATH" in result.exception.remedy

    def test_against_no_file(self, plan_file: Path) -> None:
        """A mistake on the command line."""
        assert show(plan_file, "--diff", "nowhere.zone").exit_code == 2

    def test_against_a_file_that_is_no_zone(self, plan_file: Path, tmp_path: Path) -> None:
        """With the place of what is wrong in it."""
        (tmp_path / "zone").write_text("@ NONSENSE\n", encoding="utf-8")
        result = show(plan_file, "--diff", tmp_path / "zone")
        assert isinstance(result.exception, ZoneError)
        assert str(result.exception.at) == f"{tmp_path / 'zone'}:1:3"


class TestJson:
    def test_holds_everything(self, plan_file: Path) -> None:
        """One document, with a schema's name."""
        result = show(plan_file, "--json", text=good(("14400", "1800")))
        document = json.loads(result.stdout)
        assert document["schema"] == "mailname.show/1"
        assert document["primary"] == "ns2.example.tech."
        assert document["registrar"]["name_servers"][0]["glue"] == ["192.0.2.1", "2001:db8:1::1"]
        assert document["warnings"][0]["line"] == 7
        assert {"owner": "example.tech.", "ttl": 86400, "type": "MX", "data": ["10 mail.example.tech."]} in document["zones"][0][
            "rrsets"
        ]
        assert result.stderr == ""
        assert err.stderr
