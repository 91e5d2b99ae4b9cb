"""Lists of records for ``mailname import``: added to a plan that is there, or made into a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
import dns.name
from dns.rdataclass import IN
from dns.rdatatype import RdataType
from dns.rdtypes.ANY.NS import NS
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.IN.A import A
from dns.rdtypes.IN.AAAA import AAAA
from rich.markup import escape

from mailname.cli.console import err, out, print_mistake
from mailname.cli.diff_view import diff_json, print_diff
from mailname.errors import ZoneError
from mailname.imports.found_zone import FoundZone
from mailname.imports.into_plan import add_to
from mailname.imports.mail_lists import Listed, read_list
from mailname.imports.proof import prove
from mailname.plan import expand, load
from mailname.server.atomic import write_atomic
from mailname.server.existing_files import read_text
from mailname.zone import Serial, ZoneBuilder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.cli.import_writing import Asking
    from mailname.errors import Mistake
    from mailname.plan.address import IPAddress

_TTL = 3600


def new_zone(
    lists: Mapping[str, str], domain: Name, servers: Mapping[Name, tuple[IPAddress, ...]]
) -> tuple[FoundZone, list[Mistake]]:
    """Make a zone of lists of records, with the name servers that were given, the first of which is the primary.

    Raises:
        ZoneError: the records cannot stand together.

    """
    builder = ZoneBuilder(domain)
    primary = next(iter(servers))
    contact = dns.name.from_text("hostmaster", domain)
    builder.add(domain, _TTL, SOA(IN, RdataType.SOA, primary, contact, 0, 14400, 3600, 1209600, 3600))
    for name, addresses in servers.items():
        builder.add(domain, _TTL, NS(IN, RdataType.NS, name))
        for address in addresses if name.is_subdomain(domain) else ():
            made = A(IN, RdataType.A, str(address)) if address.version == 4 else AAAA(IN, RdataType.AAAA, str(address))
            builder.add(name, _TTL, made)
    mistakes: list[Mistake] = []
    listed = Listed()
    for file, text in lists.items():
        one = read_list(text, file, domain, ttl=_TTL)
        mistakes += one.mistakes
        listed.records += one.records
        listed.comments.head += one.comments.head
        listed.comments.above |= one.comments.above
        listed.comments.beside |= one.comments.beside
    for record in listed.records:
        builder.add(record.owner, record.ttl, record.rdata)
    zone = builder.build()
    order = (zone.rrset(record.owner, record.rdata.rdtype) for record in listed.records)
    unique = {(rrset.owner, rrset.rdtype): rrset for rrset in (*order, *zone.rrsets()) if rrset is not None}
    return FoundZone(zone, ", ".join(lists), tuple(unique.values()), listed.comments), mistakes


def add_lists(path: Path, lists: Mapping[str, str], asking: Asking, *, quiet: bool) -> dict[str, Any]:
    """Add lists of records to a plan; return what the JSON document says of it.

    Raises:
        PlanError: the plan cannot be used as it is.
        HostError: it cannot be read or written.

    """
    old = read_text(path)
    plan = load(old, str(path)).plan
    before, text, known = expand(plan, Serial(0)), old, 0
    mistakes: list[Mistake] = []
    for file, said in lists.items():
        current = load(text, str(path)).plan
        listed = read_list(said, file, current.domain, ttl=current.ttl)
        added = add_to(text, current, listed)
        text, known = added.text, known + added.known
        mistakes += [*listed.mistakes, *added.contradicted]
    proof = prove(text, str(path), before)
    why_not = ""
    if proof.plan is None:
        why_not = "The plan would have mistakes."
        mistakes += proof.mistakes
    if not quiet:
        _tell(path, known, proof.changes, mistakes, plan.domain)
    if not why_not and proof.changes and not asking.dry_run:
        if asking.yes or asking.agreed(f"Add this to {path}?"):
            write_atomic(path, text.encode())
        else:
            why_not = f"Nothing was added to {path}; if it is right: --yes"
    if not quiet and why_not:
        err.print(f"[red]not written:[/] {escape(why_not)}")
    elif not quiet and proof.changes:
        out.print(f"{'would add to' if asking.dry_run else 'wrote'} {path}", markup=False)
    return {
        "plan": str(path),
        "known": known,
        "diff": diff_json(proof.changes),
        "written": bool(proof.changes) and not why_not and not asking.dry_run,
        "why_not": why_not or None,
        "mistakes": mistakes,
    }


def _tell(path: Path, known: int, changes: tuple[Any, ...], mistakes: list[Mistake], domain: Name) -> None:
    if known:
        out.print(f"{known} record{'s are' if known > 1 else ' is'} in {path} already", markup=False)
    print_diff(out, changes, apex=domain)
    for mistake in mistakes:
        print_mistake(mistake)


def zone_of_lists(
    lists: Mapping[str, str], wanted: tuple[Name, ...], servers: Mapping[Name, tuple[IPAddress, ...]]
) -> tuple[FoundZone, list[Mistake]]:
    """Make a zone of lists of records, if all is said that is needed for it.

    Raises:
        UsageError: something is not.

    """
    file = next(iter(lists))
    if len(wanted) != 1 or len(servers) < 1 or not all(servers.values()):
        raise click.UsageError(
            f"{file} is a list of records, not a whole zone. Add it to a plan: --into PLAN; or say for a new one whose they "
            "are and who serves them: --zone NAME --primary NAME=ADDR --secondary NAME=ADDR"
        )
    try:
        return new_zone(lists, wanted[0], servers)
    except ZoneError as error:
        raise click.UsageError(f"{file}: {error}") from None
