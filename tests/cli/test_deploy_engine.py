"""What a deployment of another's server would change, as it is shown."""

from __future__ import annotations

from pathlib import Path

from mailname.cli.deploy_engine import EngineChange, with_line

LINE = 'include "/etc/bind/mailname/example.tech.conf";'
INTO, KEY = Path("/etc/bind/named.conf.local"), Path("/etc/bind/mailname/keys/k.key")


class TestWithLine:
    def test_adds_it_at_the_end_and_touches_nothing_else(self) -> None:
        """Also after a last line without its end, and to a file that is not UTF-8."""
        assert with_line(b"", [LINE]) == f"{LINE}\n".encode()
        assert with_line(b"// \xff\nzone x {};", [LINE]) == b"// \xff\nzone x {};\n" + f"{LINE}\n".encode()

    def test_that_is_there_is_not_added_again(self) -> None:
        """However it is indented."""
        before = f"a\n\t{LINE}\nb\n".encode()
        assert with_line(before, [LINE]) == before


class TestEngineChange:
    def test_shows_lines_and_no_secret(self) -> None:
        """A key is named alone."""
        change = EngineChange(
            "bind9", {INTO: f"a\n{LINE}\n".encode(), KEY: b"hidden"}, {INTO: b"a\n"}, frozenset({KEY}), starts=True
        )
        shown = change.diff()
        assert f"+{LINE}" in shown
        assert "+ bind9, by apt" in shown
        assert "hidden" not in shown + str(change.to_json())
        assert "starts at boot" in shown

    def test_shows_no_secret_of_others(self) -> None:
        """A key that becomes a comment has its secret in a file of others."""
        text = b'key "k" { secret "b2xk"; };\n'
        change = EngineChange(files={INTO: b"// " + text}, former={INTO: text}, taken=('key "k" at named.conf.local:1:1',))
        assert "b2xk" not in str(change.to_json())
        assert 'key "k" at named.conf.local:1:1' in change.diff()

    def test_of_nothing_is_none(self) -> None:
        """What others wrote and stays is no change."""
        assert not EngineChange(untouched=("/etc/bind/named.conf.options is not ours and stays as it is",))
        assert EngineChange(under_way=True)
