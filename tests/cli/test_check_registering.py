"""The command ``mailname check --before-registering``: the delegation as it is to be, and what a registry would say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from click.testing import CliRunner
from tests.checks.small_world import RESOLVER, ROOT, TLD, SmallWorld, name, zone_of
from tests.checks.test_observe_domain import FOREIGN, HEAD, with_provider
from tests.cli.test_check import check, running

from mailname.cli.check import command
from mailname.lab.zone_edit import with_timers
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.server.network_map import MappedNetwork

SERVERS = ("--ns", "ns1.example.tech/192.0.2.1", "--ns", "ns2.example.tech/198.51.100.2")


def not_registered() -> SmallWorld:
    world = SmallWorld()
    world.delegate({})
    return world


def saved(network: MappedNetwork, tmp_path: Path) -> str:
    network.root_hints = ((name("a.root."), ROOT),)
    network.resolver = Endpoint(RESOLVER)
    network.save(tmp_path / "network.json")
    return str(tmp_path / "network.json")


class TestBeforeRegistering:
    def test_a_domain_that_is_not_registered_yet_is_well(self, tmp_path: Path) -> None:
        """The servers are judged as if the delegation were there."""
        code, told, _ = check(tmp_path, not_registered(), "--before-registering")
        assert (code, "example.tech is well" in told) == (0, True)
        assert "look at no name server" in told

    def test_without_it_the_domain_is_broken(self, tmp_path: Path) -> None:
        """The same world."""
        assert check(tmp_path, not_registered(), "--quiet")[1].startswith("example.tech broken: DELEG-01")

    def test_a_server_without_tcp_is_refused_by_some(self, tmp_path: Path) -> None:
        """The same fault counts here and not there."""
        world = not_registered()
        world.host("192.0.2.1").tcp = "closed"
        code, told, _ = check(tmp_path, world, "--before-registering", "--registry", "all", "--json")
        decided = {one["tlds"][0]: one["refuses"] for one in json.loads(told)["registries"]}
        assert code == 1
        assert {tld for tld, refuses in decided.items() if refuses} == {"de", "is", "at", "*"}
        assert {"tech", "uk", "it", "be", "hu"} <= set(decided)

    def test_a_rule_that_was_not_verified_is_told_as_such(self, tmp_path: Path) -> None:
        """Nobody should rely on hearsay without knowing it."""
        world = not_registered()
        world.host("192.0.2.1").tcp = "closed"
        assert "was not verified" in check(tmp_path, world, "--before-registering", "--registry", "de")[1]

    def test_a_warning_alone_is_no_refusal(self, tmp_path: Path) -> None:
        """A quarter of refresh is a good retry; a half is not."""
        world = not_registered()
        world.serve(with_timers(world.zone, refresh=7200, retry=3600))
        told = check(tmp_path, world, "--before-registering", "--registry", "de")[1]
        assert "passes, with 1 warning" in told

    def test_a_registry_that_is_not_known_is_refused(self, tmp_path: Path) -> None:
        """With those that are."""
        code, _, error = check(tmp_path, not_registered(), "--registry", "nowhere")
        assert (code, "Known are de, tech" in error) == (2, True)

    def test_shows_what_is_going_to_be_registered_as_that(self, tmp_path: Path) -> None:
        """It is no answer of anybody's: nobody was asked."""
        told = check(tmp_path, not_registered(), "--before-registering", "--ds", "12345 13 2 " + "ab" * 32)[1]
        assert "as it is going to be: ns1.example.tech 192.0.2.1" in told
        assert "@ as it is going to be registered" in told
        assert "0.0.0.0" not in told

    def test_a_ds_without_its_key_is_found_before_it_does_harm(self, tmp_path: Path) -> None:
        """The DS that is about to be entered."""
        ds = "12345 13 2 " + "ab" * 32
        code, told, _ = check(tmp_path, not_registered(), "--before-registering", "--ds", ds, "--quiet")
        assert (code, "DELEG-10" in told) == (1, True)

    def test_a_domain_without_a_plan_needs_its_servers(self, tmp_path: Path) -> None:
        """They are nowhere to be seen yet."""
        with running(not_registered()) as network:
            world = [
                "example.tech",
                "--network",
                saved(network, tmp_path),
                "--timeout",
                "0.15",
                "--quiet",
                "--before-registering",
            ]
            good = CliRunner().invoke(command, [*world, *SERVERS])
            none = CliRunner().invoke(command, world)
        assert (good.exit_code, good.stdout) == (0, "example.tech well\n")
        assert (none.exit_code, "--ns NAME/ADDRESS" in none.stderr) == (2, True)

    def test_a_server_outside_the_domain_is_looked_up(self, tmp_path: Path) -> None:
        """From the root down, as no resolver is asked; and one name may be written once for each of its addresses."""
        world = with_provider(SmallWorld(FOREIGN))
        world.hosts[TLD].table = world.hosts[TLD].table.with_zone(name("tech."), zone_of(HEAD, "tech."))
        with running(world) as network:
            network.root_hints = ((name("a.root."), ROOT),)
            network.save(tmp_path / "network.json")
            words = [
                "example.tech",
                "--network",
                str(tmp_path / "network.json"),
                "--timeout",
                "0.5",
                "--json",
                "--before-registering",
            ]
            given = ["--ns", "ns1.provider.net/192.0.2.1", "--ns", "ns1.provider.net/192.0.2.1", "--ns", "ns2.provider.net"]
            good = CliRunner().invoke(command, [*words, *given])
            lost = CliRunner().invoke(command, [*words, "--ns", "ns8.provider.net", "--ns", "ns9.provider.net"])
        assert (good.exit_code, json.loads(good.stdout)["verdict"]) == (0, "well")
        told = json.loads(lost.stdout)
        assert (told["verdict"], told["cause"]["code"]) == ("broken", "DELEG-08")

    def test_a_server_that_cannot_be_read_is_refused(self, tmp_path: Path) -> None:
        """An address is wanted, and it is no address."""
        code, _, error = check(tmp_path, not_registered(), "--ns", "ns1.example.tech/192.0.2")
        assert (code, "is not NAME/ADDRESS" in error) == (2, True)
