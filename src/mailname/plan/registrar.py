"""The registrar's worksheet: which name servers to type there, which addresses as glue, which DS (RFC 1034 section 4.2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.dnssec.ds import ds_records
from mailname.plan import names

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdtypes.ANY.DS import DS

    from mailname.plan.address import IPAddress
    from mailname.plan.model import Plan
    from mailname.zone import Zone


@dataclass(frozen=True, slots=True)
class Delegated:
    """One name server as the registry should have it. ``glue`` is empty when none is needed; ``why`` says so."""

    name: Name
    glue: tuple[IPAddress, ...]
    why: str

    @property
    def glue_needed(self) -> bool:
        """Tell whether the registry must know the addresses."""
        return bool(self.glue)


@dataclass(frozen=True, slots=True)
class Worksheet:
    """What to type at the registrar, and what to know about this registry."""

    domain: Name
    name_servers: tuple[Delegated, ...]
    ds: tuple[DS, ...]
    notes: tuple[str, ...]

    @property
    def glue(self) -> tuple[tuple[Name, tuple[IPAddress, ...]], ...]:
        """The glue: each in-domain name server with its addresses."""
        return tuple((server.name, server.glue) for server in self.name_servers if server.glue)


def worksheet(plan: Plan, zone: Zone) -> Worksheet:
    """Return the worksheet of a plan; the zone tells whether there are keys to point to."""
    return Worksheet(
        plan.domain,
        tuple(_delegated(plan, server.name, server.addresses) for server in plan.name_servers),
        ds_records(zone),
        tuple(_notes(plan)),
    )


def _delegated(plan: Plan, name: Name, addresses: tuple[IPAddress, ...]) -> Delegated:
    if plan.holds(name):
        return Delegated(name, addresses, f"the name is in {names.say(plan.domain)}: without glue nobody could find it")
    return Delegated(name, (), "no glue: resolvers find it by its own domain")


def _notes(plan: Plan) -> list[str]:
    tld = plan.domain.labels[-2].decode().lower()
    notes = []
    if any(plan.holds(server.name) for server in plan.name_servers):
        notes.append(
            "Registrars call glue 'host records', 'child name servers' or 'personal name servers': "
            "enter them first, then name them as the domain's name servers."
        )
    if tld == "de":
        notes.append(
            "The .de registry asks the name servers before it accepts the change, over UDP and TCP port 53: "
            "have both servers running first (mailname check)."
        )
    if tld.startswith("xn--") or any(label.startswith(b"xn--") for label in plan.domain.labels):
        notes.append("Some registrars want the name as it is spoken, some its xn-- form; both mean the same domain.")
    notes.append("The change takes from a minute to a day until the registry's servers have it: mailname check tells.")
    return notes
