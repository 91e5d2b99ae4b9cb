from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plan.marked_plans import GOOD

from mailname.errors import PlanError
from mailname.plan import load

WHOLE = (
    'zone_text = """\nwww CNAME @\nx 60 TXT "a" ; ü\n"""\n'
    + GOOD
    + '[[record]]\nname = "y"\ntype = "MX"\ndata = ["10 mail", "20 ns1"]\nttl = "1h"\n'
    + '[[reverse_zone]]\nprefix = "192.0.2.0/24"\nptr = [{address = "192.0.2.7", name = "z"}]\n'
    + '[transfer_key]\nname = "k"\nalgorithm = "hmac-sha256"\n'
)
PIECES = (
    "",
    " ",
    "\n",
    '"',
    "'",
    '"""',
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "#",
    "\\",
    "ü",
    "\0",
    "1",
    "true",
    "x",
    "@",
    "-",
    "\r",
)


@st.composite
def spoiled_plans(draw: st.DrawFn) -> str:
    """Take a whole plan and spoil it in a few places: cut, put in, or repeat a piece."""
    text = WHOLE
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        text = text[:start] + draw(st.sampled_from((*PIECES, text[start:end] * 2))) + text[end:]
    return text


class TestAnyText:
    def test_the_whole_plan_is_good(self) -> None:
        """What is spoiled below was right before."""
        assert [warning.problem[:12] for warning in load(WHOLE, "p").warnings] == []

    @settings(max_examples=400)
    @given(spoiled_plans())
    def test_ends_in_a_plan_or_in_mistakes_with_places(self, text: str) -> None:
        """Nothing else comes out, whatever a slip of the hand did; every place is in the file, and has something to say."""
        try:
            mistakes = load(text, "plan.toml").warnings
        except PlanError as error:
            mistakes = error.mistakes
            assert any(mistake.severity == "error" for mistake in mistakes)
        lines = text.split("\n")
        for mistake in mistakes:
            assert 1 <= mistake.at.line <= len(lines)
            assert 1 <= mistake.at.column <= len(lines[mistake.at.line - 1]) + 1
            assert mistake.problem

    @given(st.text(max_size=60))
    def test_of_noise(self, text: str) -> None:
        """Also of what never was a plan."""
        with contextlib.suppress(PlanError):
            load(text, "plan.toml")
