"""All steps of a host from what it told: a safe one holds, and no text that a host prints raises."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.checks.json_schema import mistakes
from tests.host.told import SAFE, facts, host, wanted

from mailname.errors import HostError
from mailname.host.check_schema import SCHEMA, host_check_schema
from mailname.host.facts import Facts, Told, read_told, whole_number
from mailname.host.judge import judge
from mailname.host.script import COMMANDS, script
from mailname.host.step import STEPS, Outcome
from mailname.host.survey import Surveyed

# Words that the judges look for, put together at random with anything else.
_WORDS = st.sampled_from(
    [word for text in SAFE.values() for word in text.split(" ")] + ["\n", "=", "-1", "9" * 5000, "٣", "nan", "inf"]
)
_TEXTS = st.text() | st.lists(_WORDS | st.text(max_size=5)).map(" ".join) | st.sampled_from(sorted(SAFE.values()))
_TOLD = st.dictionaries(st.sampled_from([*COMMANDS, "trial"]), st.builds(Told, _TEXTS, st.sampled_from([0, 0, 1, 124, 127])))


class TestJudge:
    def test_safe_host_holds_in_every_step(self) -> None:
        found = judge(facts(), host(), wanted())
        assert [one.code for one in found] == list(STEPS)
        assert [(one.code, one.seen) for one in found if one.outcome is not Outcome.HOLDS] == []

    def test_host_that_tells_nothing_is_not_called_safe(self) -> None:
        """Where nothing is known, nothing holds."""
        found = judge(Facts({}), host(), wanted())
        assert [one.code for one in found if one.outcome is Outcome.HOLDS] == []

    @settings(max_examples=150, deadline=None)
    @given(_TOLD, st.dictionaries(st.just("192.0.2.11"), st.none() | st.just(()) | st.tuples(st.just("x."))))
    def test_no_text_raises(self, told: dict[str, Told], names: dict[str, tuple[str, ...] | None]) -> None:
        """And what is told of it is what the published schema says."""
        safe = {name: Told(text, 0) for name, text in SAFE.items()}
        for known in ({}, safe):
            results = judge(Facts({**known, **told}, names=names), host(), wanted())
            said = {"schema": SCHEMA, "well": False, "hosts": [Surveyed(host(), results).to_json()]}
            assert mistakes(json.loads(json.dumps(said)), host_check_schema()) == []

    def test_trouble_is_what_the_schema_says(self) -> None:
        trouble = Surveyed(host(), trouble=HostError("no way in", remedy="Knock.", step="ssh")).to_json()
        assert mistakes({"schema": SCHEMA, "well": False, "hosts": [trouble]}, host_check_schema()) == []
        assert mistakes({"schema": SCHEMA, "well": False, "hosts": [{**trouble, "steps": None}]}, host_check_schema()) != []


class TestReadTold:
    def test_reads_each_command(self) -> None:
        told = read_told("@ name\n| ns1\n| ns1.example.tech\n= 0\n@ gone\n| sh: not found\n= 127\n@ end\n| \n= 0\n")
        assert told["name"] == Told("ns1\nns1.example.tech", 0)
        assert told["gone"].code == 127

    def test_output_cannot_be_taken_for_another_command_s(self) -> None:
        """A form feed ends a line for Python, and not for the script that marks lines."""
        told = read_told("@ hosts\n| x\f@ uid\n| \u2028= 0\n= 0\n@ end\n= 0\n")
        assert set(told) == {"hosts", "end"}

    @pytest.mark.parametrize("text", ["", "@ name\n| ns1\n= 0\n", "Welcome!\n"])
    def test_what_was_cut_off_is_an_error(self, text: str) -> None:
        with pytest.raises(HostError, match="not whole"):
            read_told(text)

    @given(st.text() | st.lists(st.sampled_from(["@ end", "= 0", "| ", "=", "@", "= " + "9" * 5000])).map("\n".join))
    def test_nothing_but_that_error(self, text: str) -> None:
        whole = "\n@ end\n= 0\n"
        assert "end" in read_told(text + whole)
        with contextlib.suppress(HostError):
            read_told(text)


class TestScript:
    def test_administrator_s_name_is_quoted(self) -> None:
        """Twice: in the command, and the command in the script."""
        assert "'\"'\"'a; reboot'\"'\"'" in script("a; reboot")

    def test_without_the_trial_nothing_is_banned(self) -> None:
        assert "banip" in script("anna")
        assert "banip" not in script("anna", trial=False)

    @given(st.text())
    def test_number(self, text: str) -> None:
        number = whole_number(text)
        assert number is None or 0 <= number < 10**18
