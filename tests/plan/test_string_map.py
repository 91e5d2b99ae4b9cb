from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from mailname.plan.string_map import string_map


class TestStringMap:
    @given(st.text(st.sampled_from("ab ü\n\t\U0001f600"), max_size=20))
    def test_of_literal_text(self, value: str) -> None:
        """Without escapes each character is where it stands."""
        text = f"x = '''{value}'''"
        read = tomllib.loads(text)["x"]
        offsets = string_map(text, 4, len(text))
        assert [text[offset] for offset in offsets[:-1]] == list(read)
        assert text[offsets[-1]] == "'"

    @given(st.lists(st.sampled_from(["a", "ü", "\\n", '\\"', "\\\\", "\\u00e4", "\\U0001F600", "\\\n  ", "\n"]), max_size=12))
    def test_of_text_with_escapes(self, pieces: list[str]) -> None:
        """An escape is one character, a line end that is escaped is none."""
        text = 'x = """' + "".join(pieces) + '"""'
        offsets = string_map(text, 4, len(text))
        assert len(offsets) == len(tomllib.loads(text)["x"]) + 1
        assert offsets == sorted(offsets)

    def test_of_an_empty_text(self) -> None:
        """Two quotes are no three."""
        assert string_map('x = ""', 4, 6) == [5]
