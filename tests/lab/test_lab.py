"""The lab as a whole: plans of many shapes, from the zone file to the letter and to the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
import pytest
from tests.lab import plan_texts

from mailname.checks import Severity, explain, judge, observe
from mailname.lab import Lab
from mailname.lab.journey import walk
from mailname.lab.network import missing_addresses
from mailname.plan import Plan, load
from mailname.server.network import Endpoint, ask_tcp
from mailname.server.network_map import MappedNetwork
from mailname.transfer.axfr import query

if TYPE_CHECKING:
    from pathlib import Path


def plan(text: str) -> Plan:
    return load(text, "plan.toml").plan


@pytest.mark.parametrize("shape", plan_texts.ALL)
class TestJourney:
    async def test_every_step_succeeds_and_all_is_well(self, shape: str, tmp_path: Path) -> None:
        """IPv6 only, names outside the domain, two levels below the TLD, not ASCII, addresses that the lab would use itself."""
        rehearsed = plan(plan_texts.ALL[shape])
        async with Lab(rehearsed, tmp_path) as lab:
            steps = [step async for step in walk(lab)]
            assert [step for step in steps if not step.ok] == []
            facts = await observe(rehearsed, network=lab.network, world=lab.world)
            verdict = explain(rehearsed, facts, judge(rehearsed, facts))
            assert (verdict.verdict, [one for one in verdict.findings if one.severity is not Severity.NOTE]) == ("well", [])


class TestLab:
    async def test_letter_really_arrives(self, tmp_path: Path) -> None:
        """The journey ends in a mailbox."""
        async with Lab(plan(plan_texts.ORDINARY), tmp_path) as lab:
            async for _ in walk(lab):
                pass
            (letter,) = [letter for host in lab.mail_hosts.values() for letter in host.letters]
            assert letter.recipients == ("postmaster@example.tech",)

    async def test_serial_rises_with_each_publication(self, tmp_path: Path) -> None:
        """And every secondary follows."""
        async with Lab(plan(plan_texts.WITH_KEY), tmp_path) as lab:
            first = await lab.publish()
            second = await lab.publish()
            assert second.is_newer_than(first)
            assert await lab.wait_for_secondaries()

    async def test_stranger_may_not_transfer(self, tmp_path: Path) -> None:
        """Addresses decide in the lab as outside: the secondary's may, 127.0.0.1 may not."""
        rehearsed = plan(plan_texts.ORDINARY)
        async with Lab(rehearsed, tmp_path) as lab:
            await lab.publish()
            primary = Endpoint(rehearsed.primary.addresses[0])
            stranger = await ask_tcp(lab.network, query(rehearsed.domain, 1), primary, timeout=5)
            secondary = await ask_tcp(
                lab.network, query(rehearsed.domain, 1), primary, timeout=5, source=rehearsed.secondaries[0].addresses[0]
            )
            assert (stranger[3] & 0xF, secondary[3] & 0xF) == (5, 0)

    async def test_network_file_leads_another_process_to_the_same_world(self, tmp_path: Path) -> None:
        """Root hints, resolver, control sockets and zone file are in it."""
        async with Lab(plan(plan_texts.ORDINARY), tmp_path) as lab:
            read = MappedNetwork.load(lab.network_file)
            assert read.root_hints == lab.internet.root_hints
            assert read.resolver == lab.resolver.at
            assert set(read.control) == {dns.name.from_text("ns1.example.tech."), dns.name.from_text("ns2.example.tech.")}
            assert read.zone_file == lab.zone_file
            assert all(path.is_socket() for path in read.control.values())

    async def test_works_in_a_folder_with_a_long_path(self, tmp_path: Path) -> None:
        """A Unix socket's path has about a hundred octets; a folder's may have more."""
        deep = tmp_path / ("d" * 100)
        deep.mkdir()
        async with Lab(plan(plan_texts.ORDINARY), deep) as lab:
            paths = list(lab.network.control.values())
            assert all(path.is_socket() for path in paths)
        assert not any(path.parent.exists() for path in paths)

    async def test_secret_is_not_in_a_file_that_others_read(self, tmp_path: Path) -> None:
        """The transfer key is made for the rehearsal, mode 600."""
        async with Lab(plan(plan_texts.WITH_KEY), tmp_path):
            assert (tmp_path / "transfer.key").stat().st_mode & 0o077 == 0


class TestMissingAddresses:
    def test_are_those_that_no_interface_has(self) -> None:
        """127.0.0.1 is there; a documentation address is not."""
        from ipaddress import ip_address

        absent = ip_address("203.0.113.99")
        assert missing_addresses([ip_address("127.0.0.1"), absent]) == (absent,)
