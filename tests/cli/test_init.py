from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailname.cli import init
from mailname.plan import load

ALL = (
    "--contact=hostmaster@example.tech",
    "--primary=ns2.example.tech=198.51.100.2,2001:db8:2::2",
    "--secondary=ns1.example.tech=192.0.2.1",
    "--mail=mail.example.tech=198.51.100.2",
    "--website=192.0.2.1",
)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "_can_ask", lambda: True)


def run(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(init.command, list(arguments), input=answers)


class TestInit:
    def test_with_all_answers_asks_nothing(self) -> None:
        """And the plan loads without a warning."""
        result = run("example.tech", *ALL)
        assert result.exit_code == 0, result.output
        loaded = load(Path("example.tech.toml").read_text("utf-8"), "p")
        assert loaded.warnings == ()
        assert loaded.plan.primary is loaded.plan.name_servers[1]
        assert str(loaded.plan.website[0]) == "192.0.2.1"

    def test_primary_first(self) -> None:
        """The published order is the owner's."""
        assert run("example.tech", *ALL, "--first=primary", "--output=x.toml").exit_code == 0
        plan = load(Path("x.toml").read_text("utf-8"), "x").plan
        assert plan.primary is plan.name_servers[0]

    def test_several_secondaries(self) -> None:
        """The option may be repeated."""
        assert run("example.tech", *ALL, "--secondary=ns3.example.org=203.0.113.3").exit_code == 0
        assert len(load(Path("example.tech.toml").read_text("utf-8"), "x").plan.secondaries) == 2

    def test_yes_takes_every_default(self) -> None:
        """Only addresses have none; the mail host is the primary's machine."""
        result = run("example.tech", "--yes", "--primary=ns2=198.51.100.2", "--secondary=ns1=192.0.2.1")
        assert result.exit_code == 0, result.output
        plan = load(Path("example.tech.toml").read_text("utf-8"), "x").plan
        assert plan.contact == "hostmaster@example.tech"
        assert plan.website == ()
        assert str(plan.mail_hosts[0].name) == "mail.example.tech."
        assert plan.mail_hosts[0].addresses == plan.primary.addresses

    @pytest.mark.parametrize(("mail", "count"), [("mx", 1), ("mx.example.tech", 1), ("mx.example.org", 0)])
    def test_mail_host_without_addresses(self, mail: str, count: int) -> None:
        """In the domain it is the primary's machine; outside it has its own."""
        arguments = [one for one in ALL if not one.startswith("--mail")]
        assert run("example.tech", *arguments, f"--mail={mail}").exit_code == 0
        assert len(load(Path("example.tech.toml").read_text("utf-8"), "x").plan.mail_hosts[0].addresses) == 2 * count

    def test_missing_answers_without_a_terminal(self) -> None:
        """The options are named; nothing is written."""
        result = run("example.tech", "--contact=a@example.tech")
        assert result.exit_code == 2
        assert "--primary, --secondary, --mail, --website" in result.stderr
        result = run("example.tech", "--yes")
        assert result.exit_code == 2
        assert "missing: --primary, --secondary." in result.stderr
        assert list(Path().iterdir()) == []

    def test_never_writes_over_a_file(self) -> None:
        """Unless it is told to."""
        Path("example.tech.toml").write_text("mine", encoding="utf-8")
        result = run("example.tech", *ALL)
        assert result.exit_code == 2
        assert "--force" in result.stderr
        assert Path("example.tech.toml").read_text("utf-8") == "mine"
        assert run("example.tech", *ALL, "--force").exit_code == 0

    @pytest.mark.parametrize(
        ("change", "what"),
        [
            ("--contact=nobody", "no @"),
            ("--primary=ns2", "no addresses"),
            ("--primary=ns2=junk", "not an IP address"),
            ("--primary=ns_2=192.0.2.1", "'_'"),
            ("--primary=ns2=,", "At least one"),
            ("--website=junk", "not an IP address"),
            ("--mail=m_x", "'_'"),
            ("--secondary=ns1.example.tech=203.0.113.4", "make no plan"),
        ],
    )
    def test_a_wrong_answer(self, change: str, what: str) -> None:
        """Told with its option; nothing is written."""
        result = run("example.tech", *ALL, change)
        assert result.exit_code == 2
        assert what in result.stderr
        assert not Path("example.tech.toml").exists()

    def test_a_wrong_domain(self) -> None:
        """Before anything is asked."""
        result = run("tech", *ALL)
        assert result.exit_code == 2
        assert "top-level" in result.stderr

    def test_warnings_are_told(self) -> None:
        """The plan is written all the same."""
        result = run("example.tech", *ALL[:1], "--primary=ns2=192.0.2.2", *ALL[2:])
        assert result.exit_code == 0
        assert "in one prefix" in result.stderr


@pytest.mark.usefixtures("at_a_terminal")
class TestInterview:
    def test_asks_for_what_is_missing(self) -> None:
        """Enter takes the default; each default comes from what is known by then."""
        answers = "\n\n198.51.100.2\n\n192.0.2.1 2001:db8:1::1\n\n\n\n"
        result = run("example.tech", answers=answers)
        assert result.exit_code == 0, result.output
        plan = load(Path("example.tech.toml").read_text("utf-8"), "x").plan
        assert plan.contact == "hostmaster@example.tech"
        assert [str(server.name) for server in plan.name_servers] == ["ns1.example.tech.", "ns2.example.tech."]
        assert plan.mail_hosts[0].addresses == plan.primary.addresses
        assert plan.website == plan.secondaries[0].addresses

    def test_asks_again_after_a_wrong_answer(self) -> None:
        """And says what was wrong with it."""
        answers = "nobody\n\n\njunk\n\n198.51.100.2\n\n192.0.2.1\n\n\nnone\n"
        result = run("example.tech", answers=answers)
        assert result.exit_code == 0, result.output
        assert "no @" in result.output
        assert "junk" in result.output
        assert load(Path("example.tech.toml").read_text("utf-8"), "x").plan.website == ()

    def test_asks_nothing_that_was_given(self) -> None:
        """Options answer their questions."""
        result = run("example.tech", *ALL)
        assert "Contact" not in result.output


class TestTerminal:
    def test_is_needed_for_questions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Standard input tells."""
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        assert isinstance(init._can_ask(), bool)
