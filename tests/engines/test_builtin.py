"""The built-in engine's configuration."""

from __future__ import annotations

from pathlib import Path

import dns.name
import pytest
from tests.engines.pair import APEX, NS1, NS2, PLAN, Pair, plan_of

from mailname.engines.builtin import CONFIG, Builtin
from mailname.engines.engine import Places, engine_named
from mailname.errors import HostError
from mailname.server.config import ZoneConfig
from mailname.server.config_file import load_config
from mailname.server.network import Endpoint
from mailname.server.tls import TlsFiles
from mailname.transfer.actions import Peer, PeerTls

KEY = dns.name.from_text("transfer.example.tech.")


class TestRender:
    def test_primary_knows_its_secondaries_and_nobody_else(self, pair: Pair) -> None:
        """Who else asks for a transfer is refused."""
        config = pair.config("ns2")
        assert config.listen == (Endpoint(NS2),)
        assert config.zones == (ZoneConfig(APEX, "primary", pair.file, secondaries=(Peer(NS1, 53, KEY),)),)

    def test_secondary_knows_its_primary(self, pair: Pair) -> None:
        """With the key; the secret is in the file alone."""
        config = pair.config("ns1")
        assert config.zones == (ZoneConfig(APEX, "secondary", primaries=(Peer(NS2, 53, KEY),)),)
        secret = next(iter(config.keys.values())).secret
        assert secret

    def test_without_a_key_file_transfers_go_by_address(self, tmp_path: Path) -> None:
        """The plan names a key, but there is none yet."""
        plan = plan_of()
        files = Builtin().render(plan, plan.primary, Places())
        config = load_config(files[CONFIG], str(tmp_path / "server.toml"))
        assert config.zones[0].secondaries == (Peer(NS1, 53),)
        assert (config.keys, config.control) == ({}, None)

    def test_with_a_pin_transfers_go_over_tls(self, tmp_path: Path) -> None:
        """The primary gives the zone to nobody without; the secondary knows it by the pin. Not in a rehearsal."""
        pin = "Vq2aFhkVuHpHTqUAUMXRqS1eOVOSwlLzzQyTSPV4ZeE="
        plan = plan_of(PLAN.replace('role = "primary"', f'role = "primary"\ntls_pin = "{pin}"'))
        file = str(tmp_path / "server.toml")
        primary = load_config(Builtin().render(plan, plan.primary, Places())[CONFIG], file)
        assert primary.tls_listen == (Endpoint(NS2, 853),)
        assert primary.tls == TlsFiles(tmp_path / "tls.crt", tmp_path / "tls.key")
        assert primary.zones[0].secondaries == (Peer(NS1, 53, tls=PeerTls()),)
        secondary = load_config(Builtin().render(plan, plan.secondaries[0], Places())[CONFIG], file)
        assert secondary.zones[0].primaries == (Peer(NS2, 853, tls=PeerTls(pins=(pin,))),)
        assert (secondary.tls_listen, secondary.tls) == ((), None)
        plain = load_config(Builtin().render(plan, plan.primary, Places(tls=None))[CONFIG], file)
        assert (plain.tls_listen, plain.zones[0].secondaries) == ((), (Peer(NS1, 53),))

    def test_only_families_that_both_have_are_used(self, tmp_path: Path) -> None:
        """A secondary without IPv6 does not ask the primary's IPv6 address."""
        plan = plan_of(PLAN.replace('addresses = ["198.51.100.2"]\nrole', 'addresses = ["198.51.100.2", "2001:db8::2"]\nrole'))
        config = load_config(Builtin().render(plan, plan.secondaries[0], Places())[CONFIG], str(tmp_path / "x"))
        assert [peer.address for peer in config.zones[0].primaries] == [NS2]
        primary = load_config(Builtin().render(plan, plan.primary, Places())[CONFIG], str(tmp_path / "x"))
        assert [str(at) for at in primary.listen] == ["198.51.100.2:53", "[2001:db8::2]:53"]

    def test_odd_paths_are_quoted(self, tmp_path: Path) -> None:
        """A folder may be called anything."""
        plan = plan_of()
        odd = Path('a "b" \\ c')
        config = load_config(Builtin().render(plan, plan.primary, Places(state=odd))[CONFIG], str(tmp_path / "x"))
        assert config.state == tmp_path / odd


class TestEngineNamed:
    def test_builtin(self) -> None:
        """The default."""
        assert engine_named("builtin").name == "builtin"

    def test_other_is_told(self) -> None:
        """With what to write instead."""
        with pytest.raises(HostError, match="cannot set up the engine powerdns"):
            engine_named("powerdns")
