from __future__ import annotations

import pytest

from mailname.plan import load
from mailname.plan.template import Answers, HostAnswer, render

ANSWERS = Answers(
    "example.tech",
    "hostmaster@example.tech",
    ("192.0.2.1",),
    HostAnswer("ns2.example.tech", ("198.51.100.2", "2001:db8:2::2")),
    (HostAnswer("ns1", ("192.0.2.1",)), HostAnswer("ns3.example.org", ("203.0.113.3",))),
    HostAnswer("mail.example.tech", ("198.51.100.2",)),
)


class TestTemplate:
    @pytest.mark.parametrize("first", ["primary", "secondary"])
    def test_loads_without_a_warning(self, first: str) -> None:
        """What we write is what we would accept."""
        answers = Answers(ANSWERS.domain, ANSWERS.contact, (), ANSWERS.primary, ANSWERS.secondaries, ANSWERS.mail, first)  # type: ignore[arg-type]  # one of the two
        loaded = load(render(answers), "plan.toml")
        assert loaded.warnings == ()
        assert loaded.plan.name_servers[0].role == first

    def test_holds_the_answers(self) -> None:
        """All of them, and glue is spoken of only where it is needed."""
        text = render(ANSWERS)
        plan = load(text, "plan.toml").plan
        assert str(plan.website[0]) == "192.0.2.1"
        assert [str(server.name) for server in plan.name_servers] == [
            "ns1.example.tech.",
            "ns3.example.org.",
            "ns2.example.tech.",
        ]
        assert text.count("as glue") == 2
        assert text.count("no glue is needed") == 1

    def test_of_a_mail_host_elsewhere(self) -> None:
        """It has its addresses there."""
        answers = Answers(
            ANSWERS.domain, ANSWERS.contact, (), ANSWERS.primary, ANSWERS.secondaries, HostAnswer("mx.example.org", ())
        )
        assert load(render(answers), "plan.toml").plan.mail_hosts[0].addresses == ()

    def test_what_is_commented_out_is_right_too(self) -> None:
        """Who takes the marks away gets a plan that loads."""
        text = render(Answers(ANSWERS.domain, ANSWERS.contact, (), ANSWERS.primary, ANSWERS.secondaries, ANSWERS.mail))
        keys = ("website", "[transfer_key]", "name", "[[record]]", "type", "data")
        lines = [line[2:] if line.startswith(tuple(f"# {key}" for key in keys)) else line for line in text.split("\n")]
        assert load("\n".join(lines), "plan.toml").plan.transfer_key is not None
