"""Each fault leads to its cause, and to nothing unrelated beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from tests.checks.json_schema import mistakes
from tests.lab import plan_texts

from mailname.checks import CODES, explain, judge, observe
from mailname.checks.verdict_schema import check_schema
from mailname.errors import HostError
from mailname.lab import Lab
from mailname.lab.fault import aim_at
from mailname.lab.faults import FAULTS, find_fault
from mailname.plan import Plan, load

if TYPE_CHECKING:
    from pathlib import Path

WANTED = {
    "glue-missing": "DELEG-02",
    "glue-wrong": "DELEG-03",
    "ns-set-differs": "DELEG-04",
    "not-registered": "DELEG-01",
    "server-down": "NS-01",
    "tcp-blocked": "NS-02",
    "udp-blocked": "NS-03",
    "zone-not-loaded": "NS-04",
    "secondary-expired": "NS-05",
    "transfer-refused": "XFER-01",
    "wrong-key": "XFER-02",
    "notify-lost": "XFER-03",
    "transfer-tcp-blocked": "XFER-04",
    "serial-not-raised": "SERIAL-01",
    "mx-missing": "MX-01",
    "mx-no-address": "MX-02",
    "mail-host-down": "MAIL-01",
    "trailing-dot": "ZONE-01",
    "glue-missing-for-one": "DELEG-02",
    "glue-swapped": "DELEG-03",
    "old-provider-listed": "DELEG-04",
    "registry-server-behind": "DELEG-05",
    "ds-left-over": "DELEG-10",
    "ds-of-another-key": "DELEG-10",
    "ds-of-unknown-kind": "DELEG-10",
    "registry-server-down": "TLD-03",
    "registry-down": "TLD-01",
    "root-unreachable": "ROOT-01",
    "port-53-blocked": "NS-01",
    "all-servers-down": "NS-01",
    "transfer-open": "NS-08",
    "resolver-in-its-place": "NS-06",
    "zone-file-broken": "NS-09",
    "primary-restored": "SERIAL-02",
    "mx-null": "MX-01",
    "mx-null-beside": "MX-05",
    "mx-alias": "MX-03",
    "mx-address": "MX-04",
    "trailing-dot-at-owner": "ZONE-01",
    "soa-expires-early": "SOA-01",
    "edited-by-hand": "ZONE-02",
    "spf-twice": "POL-01",
    "spf-misspelt": "POL-01",
    "dmarc-without-policy": "POL-02",
    "mta-sts-without-id": "POL-04",
    "tls-reports-nowhere": "POL-05",
    "port-25-blocked": "MAIL-01",
    "mail-host-refuses": "MAIL-02",
    "mail-host-mute": "MAIL-02",
    "pointer-missing": "MAIL-03",
    "pointer-elsewhere": "MAIL-03",
    "glue-without-ipv6": "DELEG-02",
    "glue-wrong-ipv6": "DELEG-03",
    "delegated-elsewhere": "DELEG-04",
    "key-of-another-name": "XFER-02",
    "key-forgotten": "XFER-01",
    "clock-ahead": "XFER-06",
    "primary-elsewhere": "XFER-05",
    "name-server-alias": "DELEG-08",
    "mail-address-old": "ZONE-02",
    "trailing-dot-in-ns": "ZONE-01",
    "soa-retries-late": "SOA-01",
    "soa-denies-long": "SOA-01",
    "dmarc-twice": "POL-02",
    "spf-for-everybody": "POL-01",
    "spf-includes-nobody": "POL-01",
    "answers-from-elsewhere": "NS-11",
    "unknown-options-dropped": "NS-12",
    "recursion-without-flag": "NS-07",
    "mx-questions-dropped": "NS-13",
    "secondary-cut-off": "XFER-05",
    "mail-host-listed": "MAIL-07",
    "domain-on-hold": "REG-01",
    "registration-ends": "REG-02",
    "dkim-key-cut": "POL-03",
    "dmarc-reports-elsewhere": "POL-08",
    "mta-sts-without-host": "POL-09",
}

NOTES = ["registry-server-down"]  # nobody is harmed by these today
AT_A_SERVER = [
    "server-down",
    "tcp-blocked",
    "udp-blocked",
    "port-53-blocked",
    "zone-not-loaded",
    "transfer-open",
    "answers-from-elsewhere",
]
NO_MAIL = '[[record]]\nname = "@"\ntype = "MX"\ndata = "0 ."\n'


def plan(text: str) -> Plan:
    return load(text, "plan.toml").plan


async def cause_of(fault: str, rehearsed: Plan, folder: Path) -> tuple[str | None, list[str]]:
    async with Lab(rehearsed, folder) as lab:
        await lab.publish()
        assert await lab.wait_for_secondaries()
        lab.register()
        await lab.inject(fault)
        facts = await observe(rehearsed, network=lab.network, world=lab.world)
        verdict = explain(rehearsed, facts, judge(rehearsed, facts))
        assert mistakes(verdict.to_json(), check_schema()) == []
        assert verdict.cause is None or verdict.cause.proven
        return verdict.cause.finding.code if verdict.cause else None, [other.finding.code for other in verdict.also]


class TestFault:
    def test_list_is_complete(self) -> None:
        """The issue's list, and what each must be found as."""
        assert {fault.name: fault.cause for fault in FAULTS.values()} == WANTED

    def test_causes_are_known_codes(self) -> None:
        """Every code has its page."""
        assert {fault.cause for fault in FAULTS.values()} <= set(CODES)

    @pytest.mark.parametrize("name", sorted(WANTED.keys() - NOTES))
    async def test_is_found_as_its_cause_alone(self, name: str, tmp_path: Path) -> None:
        """One cause, and nothing unrelated beside it."""
        assert await cause_of(name, plan(plan_texts.WITH_KEY), tmp_path) == (WANTED[name], [])

    @pytest.mark.parametrize("where", ["a.nic.tech", "b.nic.tech"])
    async def test_that_harms_nobody_is_a_note(self, where: str, tmp_path: Path) -> None:
        """All is well, and one server of the registry is named."""
        rehearsed = plan(plan_texts.ORDINARY)
        async with Lab(rehearsed, tmp_path) as lab:
            await lab.publish()
            assert await lab.wait_for_secondaries()
            lab.register()
            await lab.inject(f"registry-server-down@{where}")
            facts = await observe(rehearsed, network=lab.network, world=lab.world)
        verdict = explain(rehearsed, facts, judge(rehearsed, facts))
        assert (verdict.verdict, verdict.cause, [note.code for note in verdict.notes]) == ("well", None, ["TLD-03"])
        assert f"1 of 2 servers of tech is of no use from here: {where} (" in verdict.notes[0].says

    @pytest.mark.parametrize(
        "name", ["server-down", "tcp-blocked", "udp-blocked", "port-53-blocked", "zone-not-loaded", "transfer-open"]
    )
    @pytest.mark.parametrize("where", ["ns1.example.tech", "ns2.example.tech"])
    async def test_at_each_server_is_found_there(self, name: str, where: str, tmp_path: Path) -> None:
        """At the secondary and at the primary."""
        assert await cause_of(f"{name}@{where}", plan(plan_texts.ORDINARY), tmp_path) == (WANTED[name], [])

    @pytest.mark.parametrize("name", ["tcp-blocked", "udp-blocked", "port-53-blocked", "mx-questions-dropped"])
    @pytest.mark.parametrize("family", ["v4", "v6"])
    async def test_at_one_family_is_found_there(self, name: str, family: str, tmp_path: Path) -> None:
        """One packet filter was forgotten: often that of IPv6."""
        assert await cause_of(f"{name}@ns1.example.tech/{family}", plan(plan_texts.ORDINARY), tmp_path) == (WANTED[name], [])

    @pytest.mark.parametrize("where", ["a.nic.tech", "b.nic.tech"])
    async def test_at_each_server_of_the_registry_is_found_there(self, where: str, tmp_path: Path) -> None:
        """Whichever of them is late."""
        assert await cause_of(f"registry-server-behind@{where}", plan(plan_texts.ORDINARY), tmp_path) == ("DELEG-05", [])

    async def test_that_is_none_of_the_registry_s_is_refused_there(self, tmp_path: Path) -> None:
        """With what can happen there."""
        with pytest.raises(HostError, match="does not happen at a server of the TLD") as caught:
            await cause_of("tcp-blocked@a.nic.tech", plan(plan_texts.ORDINARY), tmp_path)
        assert "registry-server-behind" in caught.value.remedy

    @pytest.mark.parametrize("where", ["ns9.example.tech", "ns1.example.tech/v5", "ns1.example.tech/"])
    def test_at_a_server_that_the_plan_does_not_have_is_refused(self, where: str) -> None:
        """Before anything runs, with those that there are."""
        with pytest.raises(HostError, match="to break"):
            aim_at(plan(plan_texts.ORDINARY), where)

    @pytest.mark.parametrize("name", ["wrong-key", "transfer-refused", "secondary-expired"])
    async def test_without_a_transfer_key_is_found_too(self, name: str, tmp_path: Path) -> None:
        """Where addresses decide who may transfer."""
        assert await cause_of(name, plan(plan_texts.V6_ONLY), tmp_path) == (WANTED[name], [])

    @pytest.mark.parametrize(
        "name", ["ns-set-differs", "server-down", "notify-lost", "mx-no-address", "mail-host-down", "trailing-dot"]
    )
    async def test_with_hosts_elsewhere_is_found_too(self, name: str, tmp_path: Path) -> None:
        """Name servers and mail host outside the domain."""
        assert await cause_of(name, plan(plan_texts.FOREIGN_SERVERS), tmp_path) == (WANTED[name], [])

    @pytest.mark.parametrize(
        "name", ["transfer-tcp-blocked", "glue-wrong", "trailing-dot", "server-down", "serial-not-raised", "mx-no-address"]
    )
    async def test_among_three_secondaries_is_found_too(self, name: str, tmp_path: Path) -> None:
        """One of several secondaries is broken, the others are not."""
        assert await cause_of(name, plan(plan_texts.NOT_ASCII_WITH_THREE_SECONDARIES), tmp_path) == (WANTED[name], [])

    @pytest.mark.parametrize("name", ["glue-wrong", "zone-not-loaded", "notify-lost", "serial-not-raised", "mx-missing"])
    async def test_below_a_second_level_of_the_registry_is_found_too(self, name: str, tmp_path: Path) -> None:
        """IPv4 alone, and a TLD that delegates below co.uk."""
        assert await cause_of(name, plan(plan_texts.V4_ONLY_BELOW_CO_UK), tmp_path) == (WANTED[name], [])

    @pytest.mark.parametrize("name", ["glue-missing", "ns-set-differs", "server-down", "zone-not-loaded", "trailing-dot"])
    async def test_with_one_server_alone_is_found_too(self, name: str, tmp_path: Path) -> None:
        """Then it is the primary that is broken."""
        assert await cause_of(name, plan(plan_texts.ONE_SERVER_ALONE), tmp_path) == (WANTED[name], [])

    async def test_that_the_plan_cannot_have_is_refused(self, tmp_path: Path) -> None:
        """No name server in the domain: no glue that could be missing."""
        with pytest.raises(HostError, match="none needs glue"):
            await cause_of("glue-missing", plan(plan_texts.FOREIGN_SERVERS), tmp_path)

    @pytest.mark.parametrize(
        ("name", "shape", "why"),
        [
            ("glue-wrong", plan_texts.FOREIGN_SERVERS, "none needs glue"),
            ("notify-lost", plan_texts.ONE_SERVER_ALONE, "no secondary"),
            ("serial-not-raised", plan_texts.ONE_SERVER_ALONE, "no secondary"),
            ("trailing-dot", plan_texts.ORDINARY.partition("[[mail_host]]")[0] + NO_MAIL, "no mail host"),
        ],
    )
    def test_that_the_plan_cannot_have_is_refused_before_anything_runs(self, name: str, shape: str, why: str) -> None:
        """The plan alone tells it."""
        with pytest.raises(HostError, match=why):
            find_fault(name).refuse(plan(shape))


class TestFindFault:
    def test_misspelled_names_the_nearest(self) -> None:
        """Did you mean."""
        with pytest.raises(HostError) as caught:
            find_fault("glue-mising")
        assert caught.value.remedy == "Did you mean 'glue-missing'?"
