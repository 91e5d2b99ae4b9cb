"""``mailname check --before-registering``: the servers judged as if the delegation were there, by the registry's own rules."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

import click
import dns.exception
import dns.name
import dns.rdata
from dns.rdataclass import RdataClass
from dns.rdatatype import RdataType
from rich.markup import escape

from mailname.cli.console import print_prose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dns.name import Name
    from dns.rdata import Rdata
    from rich.console import Console

    from mailname.checks import Facts, Verdict, World
    from mailname.checks.registries import Decision, Registry
    from mailname.cli.check_subject import Subject
    from mailname.plan import NameServer, Plan
    from mailname.plan.model import Role
    from mailname.server.network import Network


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is going to be registered, where it is not what the plan says."""

    servers: tuple[NameServer, ...] = ()
    ds: tuple[Rdata, ...] = ()


def name_servers(texts: Iterable[str]) -> tuple[NameServer, ...]:
    """Read ``--ns NAME/ADDR[,ADDR]``, one name as often as it has addresses; a name outside the domain may come without one."""
    from mailname.plan import NameServer

    servers: dict[Name, NameServer] = {}
    for text in texts:
        name, _, addresses = text.partition("/")
        try:
            found = tuple(ip_address(one.strip()) for one in addresses.split(",") if one.strip())
            known = dns.name.from_text(name)
        except (ValueError, dns.exception.DNSException) as error:
            says = f"'{text}' is not NAME/ADDRESS, as in ns1.example.tech/192.0.2.1."
            raise click.BadParameter(says, param_hint="--ns") from error
        if (before := servers.get(known)) is not None:
            servers[known] = replace(before, addresses=tuple(dict.fromkeys((*before.addresses, *found))))
            continue
        role: Role = "secondary" if servers else "primary"
        servers[known] = NameServer(name=known, addresses=found, role=role, engine="builtin")
    return tuple(servers.values())


def delegation_signers(texts: Iterable[str]) -> tuple[Rdata, ...]:
    """Read ``--ds "TAG ALGORITHM TYPE DIGEST"``."""
    found = []
    for text in texts:
        try:
            found.append(dns.rdata.from_text(RdataClass.IN, RdataType.DS, text))
        except (ValueError, dns.exception.DNSException) as error:
            raise click.BadParameter(f"'{text}' is no DS record: {error}", param_hint="--ds") from error
    return tuple(found)


async def look_ahead(
    subject: Subject,
    servers: Sequence[NameServer],
    ds: Sequence[Rdata],
    network: Network,
    world: World,
    progress: Callable[[str], None] | None,
) -> tuple[Plan | None, Facts]:
    """Look at the servers alone, and add the delegation as it is to be; return the plan with them, where there is one."""
    from mailname.checks import observe
    from mailname.checks.asking import Asker
    from mailname.checks.assumed import before_registering
    from mailname.checks.observe import Look, say_nothing
    from mailname.checks.observe_servers import questions
    from mailname.checks.seen import expected_as_seen

    world = replace(world, start="servers", signed=bool(ds), walks_for_hosts=world.start in ("resolver", "root"))
    if (plan := subject.plan) is not None:
        if servers:
            plan = replace(plan, name_servers=tuple(servers))
        facts = await observe(plan, network=network, world=world, progress=progress)
        return plan, before_registering(facts, plan.name_servers, ds)
    if not servers:
        raise click.UsageError("Name the servers that are to be registered: --ns NAME/ADDRESS, twice or more.")
    began = time.perf_counter()
    wanted = questions(subject.name, (), [server.name for server in servers], frozenset())
    look = Look(subject.name, Asker(network, world), wanted, progress or say_nothing, tuple(servers), ())
    await look.all_rungs()
    facts = look.facts(began)
    return None, before_registering(replace(facts, expected=expected_as_seen(facts), planned=False), servers, ds)


def decisions(names: Iterable[str], plan: Plan, facts: Facts, verdict: Verdict) -> tuple[Decision, ...]:
    """Put the rules of some registries to what was seen: that of the domain unless others are named; ``all`` is every one.

    Raises:
        BadParameter: there is no such TLD among the known ones.

    """
    from mailname.checks.registries import decide, registries, registry_of

    wanted: list[Registry] = []
    for name in names or (plan.domain.labels[-2].decode("ascii"),):
        if name == "all":
            wanted += registries()
            continue
        found = registry_of(name)
        if names and "*" in found.tlds and name != "*":
            known = ", ".join(tld for one in registries() for tld in one.tlds if tld != "*")
            raise click.BadParameter(f"the rules of '{name}' are not known. Known are {known}, and all.", param_hint="--registry")
        wanted.append(found)
    return tuple(decide(one, plan, facts, verdict.findings) for one in dict.fromkeys(wanted))


def print_decisions(console: Console, found: Iterable[Decision], domain: str) -> None:
    """Print what each registry would say."""
    for one in found:
        from mailname.checks.registries import sentence_of, sentence_on_junk

        console.print()
        colour = "red" if one.refuses else "yellow" if one.objections else "green"
        mark = "✗" if one.refuses else "!" if one.objections else "✓"
        print_prose(console, f"[{colour}]{mark}[/] [bold]{escape(sentence_of(one, domain))}[/]")
        for objection in one.objections:
            word = "must" if objection.rule.level == "must" else "should"
            sure = "" if objection.rule.verified else " (this rule was not verified in the registry's own text)"
            print_prose(console, escape(f"{word}: {objection.says}{sure}"), 4)
        print_prose(console, escape(sentence_on_junk(one.registry)), 4)
        print_prose(console, f"[dim]{escape(f'It looks {one.registry.looks}. Source: {one.registry.source}.')}[/]", 4)
