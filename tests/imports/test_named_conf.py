from __future__ import annotations

from pathlib import Path

import dns.name
import pytest

from mailname.imports.clauses import read_clauses
from mailname.imports.named_conf import Configuration, ConfiguredZone, read_configuration
from mailname.server.existing_files import ExistingFiles, read_text

NAMED = Path(__file__).parents[1] / "data" / "named"


def read(text: str) -> Configuration:
    return read_configuration(read_clauses(text, "named.conf", lambda *_: []))


def the_zone(text: str) -> ConfiguredZone:
    configuration = read(text)
    assert configuration.mistakes == ()
    (zone,) = configuration.zones
    return zone


def hoster() -> dict[tuple[str, str], ConfiguredZone]:
    root = NAMED / "hoster"
    path = root / "etc/bind/named.conf"
    configuration = read_configuration(read_clauses(read_text(path), "named.conf", ExistingFiles(path.parent, root).include))
    assert configuration.mistakes == ()
    return {(str(zone.name), zone.view): zone for zone in configuration.zones}


class TestZones:
    def test_of_a_real_configuration(self) -> None:
        """Views, includes with a pattern, old words and new ones; forward zones and zones of another view are none of it."""
        assert {name: zone.role for name, zone in hoster().items()} == {
            ("hoster.example.", "internal"): "primary",
            ("hoster.example.", "external"): "primary",
            ("113.0.203.in-addr.arpa.", "external"): "primary",
            ("customer-a.example.", "external"): "primary",
            ("customer-b.example.", "external"): "primary",
            ("customer-c.example.", "external"): "primary",
            ("friend.example.", "external"): "secondary",
            ("partner.example.", "external"): "secondary",
        }

    def test_inherit_from_view_and_options(self) -> None:
        """The zone's own word wins over the view's, and that over the options'; lists in lists are resolved."""
        zones = hoster()
        own = zones["customer-b.example.", "external"]
        assert [word.text for word in own.transfer] == ["key transfer-2024"]
        shared = zones["customer-a.example.", "external"]
        assert [word.text for word in shared.transfer] == ["198.51.100.53", "!198.51.100.99", "key transfer-2024"]
        assert [str(peer.address) for peer in shared.peers] == ["198.51.100.53"]

    def test_of_a_secondary_know_their_primaries(self) -> None:
        """A list names another one, with a key for all that it holds."""
        peers = hoster()["friend.example.", "external"].peers
        assert [(str(peer.address), peer.key) for peer in peers] == [("203.0.113.10", ""), ("203.0.113.9", "transfer-2024")]

    @pytest.mark.parametrize(
        ("clauses", "updates", "is_dynamic"),
        [
            ("allow-update { none; };", (), False),
            ("allow-update { key acme.; };", ("acme",), True),
            ("allow-update { 10.0.0.1; };", (), True),
            ("update-policy { grant acme. zonesub any; };", ("acme",), True),
            ("update-policy local;", (), True),
        ],
    )
    def test_may_be_dynamic(self, clauses: str, updates: tuple[str, ...], *, is_dynamic: bool) -> None:
        """Who may update, and whether the file may be older than what is served."""
        zone = the_zone(f'zone "x.example" {{ type primary; file "x"; {clauses} }};')
        assert (zone.updates, zone.is_dynamic) == (updates, is_dynamic)

    def test_of_a_secondary_are_binary_unless_said(self) -> None:
        """BIND writes what it transfers in its own form; the options may say otherwise."""
        assert the_zone("zone x { type slave; masters { 192.0.2.1; }; };").is_raw
        assert not the_zone("options { masterfile-format text; }; zone x { type slave; masters { 192.0.2.1; }; };").is_raw

    @pytest.mark.parametrize(
        ("text", "says"),
        [
            ("zone a..b { type primary; };", "1:6: 'a..b' is no zone's name"),
            ("zone x { file y; };", "1:1: The zone x has no type"),
            ("view v { zone x { in-view w; }; };", "1:19: warning: The view w has no zone x"),
        ],
    )
    def test_that_cannot_be_used_are_told(self, text: str, says: str) -> None:
        """With their place; the others are read on."""
        configuration = read(text + 'zone "good" { type primary; };')
        assert says in str(configuration.mistakes[0])
        assert [str(zone.name) for zone in configuration.zones] == ["good."]

    def test_with_a_list_that_is_not_there(self) -> None:
        """The zone is read; the missing list is its own mistake."""
        (zone,) = read("zone x { type secondary; primaries { nobody; }; };").zones
        assert "There is no list of servers 'nobody'" in str(zone.mistakes[0])

    def test_of_other_classes_are_passed_by(self) -> None:
        """The CHAOS zone bind, with which people hide a version."""
        assert read('zone "bind" CH { type master; file "x"; };').zones == ()


class TestViews:
    def test_that_answer_anybody(self) -> None:
        """Without match-clients or with any; one that is for the office only does not."""
        text = "acl all { any; }; view a { match-clients { 10/8; }; }; view b { }; view c { match-clients { all; }; };"
        assert read(text + "view d { match-destinations { 10.0.0.1; }; };").open_views == ("b", "c")


class TestKeys:
    def test_never_show_their_secret(self) -> None:
        """In logs and errors there is the name."""
        key = read('key "K." { algorithm HMAC-SHA256; secret "aGVsbG8="; };').keys["k"]
        assert (key.algorithm, key.secret) == ("hmac-sha256", "aGVsbG8=")
        assert "aGVsbG8" not in repr(key)


class TestListsInCircles:
    def test_end(self) -> None:
        """BIND refuses them; we neither hang nor raise."""
        text = "acl a { b; }; acl b { a; }; masters m { m; }; zone x { type slave; masters { m; }; allow-transfer { a; }; };"
        (zone,) = read(text).zones
        assert zone.name == dns.name.from_text("x.")
