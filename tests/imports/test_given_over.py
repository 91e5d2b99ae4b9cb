"""What becomes of others' named.conf when a plan takes zones over."""

from __future__ import annotations

import dns.name

from mailname.imports.clauses import read_clauses
from mailname.imports.given_over import GivenOver, give_over

OURS = frozenset({dns.name.from_text("example.tech")})
SECRET = "dGhpcyBzZWNyZXQgaXMgcHVibGljLCBvbmx5IGZvciB0ZXN0cw=="
KEY = f'key "transfer" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
PLAIN = 'zone "example.tech" { type master; file "db"; };\n'
OTHER = 'zone "other.example" { type master; file "db.other"; };\n'


def given(text: str, keys: dict[str, tuple[str, str]] | None = None, included: str = "") -> GivenOver:
    """Take the plan's zone out of a configuration and of what it includes."""
    clauses = read_clauses(text, "named.conf", lambda pattern, _: [(included, pattern)])
    return give_over({"named.conf": text, "zones.conf": included}, clauses, OURS, keys or {})


def without_comments(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("//")]


class TestZone:
    def test_that_is_taken_over_becomes_a_comment(self) -> None:
        """And nothing else of the file changes; it says where each statement was."""
        zone = "zone example.tech IN {\n\ttype slave; # a }; in a comment\n\tmasters { 192.0.2.1; };\n}; // end\n"
        text = f"// mine\n{OTHER}\n{zone}"
        found = given(text)
        (name,) = found.files
        assert name == "named.conf"
        lines = found.files["named.conf"].splitlines()
        assert lines[:3] == ["// mine", OTHER.rstrip(), ""]
        assert without_comments(found.files["named.conf"]) == [OTHER.rstrip()]
        assert "// zone example.tech IN {" in lines
        assert found.said == ('zone "example.tech" at named.conf:4:1',)
        assert [zone.name for zone in found.zones] == list(OURS)

    def test_beside_others_in_one_line(self) -> None:
        """What stands before and behind it in its line goes on."""
        text = OTHER.rstrip() + " " + PLAIN.rstrip() + ' zone "third.example" { type master; file "db.3"; };\n'
        left = given(text).files["named.conf"]
        again = read_clauses(left, "named.conf", lambda *_: [])
        assert [clause.words[0].text for clause in again] == ["other.example", "third.example"]

    def test_in_a_file_that_is_included(self) -> None:
        """That file alone changes."""
        found = given('include "zones.conf";\n' + OTHER, included=PLAIN + OTHER.replace("other", "more"))
        assert list(found.files) == ["zones.conf"]
        assert without_comments(found.files["zones.conf"]) == [OTHER.replace("other", "more").rstrip()]

    def test_that_is_not_there(self) -> None:
        """Nothing changes."""
        found = given(OTHER)
        assert (found.files, found.said, found.obstacles) == ({}, (), ())

    def test_taken_over_twice_is_there_once(self) -> None:
        """What is a comment is none of the configuration."""
        once = given(PLAIN + OTHER).files["named.conf"]
        assert given(once).files == {}


class TestKey:
    def test_that_we_bring_along_becomes_a_comment(self) -> None:
        """BIND takes no key twice; those that we do not bring stay."""
        other = KEY.replace("transfer", "another")
        found = given(KEY + other + PLAIN, {"transfer": ("hmac-sha256", SECRET)})
        assert without_comments(found.files["named.conf"]) == [other.rstrip()]
        assert 'key "transfer" at named.conf:1:1' in found.said

    def test_with_another_secret_is_in_the_way(self) -> None:
        """Other zones may use it; no message has the secret in it."""
        found = given(KEY + PLAIN, {"transfer": ("hmac-sha256", "b3RoZXI=")})
        (obstacle,) = found.obstacles
        assert "another secret" in obstacle.problem
        assert SECRET not in str(obstacle)


class TestObstacle:
    def test_views(self) -> None:
        """BIND takes no zone beside views."""
        (obstacle,) = given(f'view "all" {{ {PLAIN} }};').obstacles
        assert "views" in obstacle.problem

    def test_zone_that_bind_signs(self) -> None:
        """The chain of trust would break."""
        (obstacle,) = given(PLAIN.replace("type", "dnssec-policy default; type")).obstacles
        assert "signs example.tech" in obstacle.problem
        assert str(obstacle.at) == "named.conf:1:1"
