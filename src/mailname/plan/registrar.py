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
    """What to type at the registrar, what not (``never``), and what to know about this registry."""

    domain: Name
    name_servers: tuple[Delegated, ...]
    ds: tuple[DS, ...]
    notes: tuple[str, ...]
    never: tuple[str, ...] = ()

    @property
    def glue(self) -> tuple[tuple[Name, tuple[IPAddress, ...]], ...]:
        """The glue: each in-domain name server with its addresses."""
        return tuple((server.name, server.glue) for server in self.name_servers if server.glue)


def worksheet(plan: Plan, zone: Zone) -> Worksheet:
    """Return the worksheet of a plan; the zone tells whether there are keys to point to."""
    ds = ds_records(zone)
    return Worksheet(
        plan.domain,
        tuple(_delegated(plan, server.name, server.addresses) for server in plan.name_servers),
        ds,
        tuple(_notes(plan)),
        tuple(_never(plan, signed=bool(ds))),
    )


def _delegated(plan: Plan, name: Name, addresses: tuple[IPAddress, ...]) -> Delegated:
    if plan.holds(name):
        return Delegated(name, addresses, f"the name is in {names.say(plan.domain)}: without glue nobody could find it")
    return Delegated(name, (), "no glue: resolvers find it by its own domain")


def _never(plan: Plan, *, signed: bool) -> list[str]:
    """Say what does not belong there, though a form may ask for it."""
    never = [
        f"Addresses for {names.say(server.name)}: it is outside {names.say(plan.domain)}, resolvers find it by its own domain."
        " What is typed here is thrown away, or it grows old."
        for server in plan.name_servers
        if not plan.holds(server.name)
    ]
    if not signed:
        never.append(
            "A DS record: the zone is not signed. If the registrar shows one from before, remove it, or the domain stays dark."
        )
    never.append("A, MX or TXT records in the registrar's own DNS: it is not asked any more. They are in your zone.")
    never.append("Name servers of a former provider: those that are not above go.")
    return never


def _notes(plan: Plan) -> list[str]:
    tld = plan.domain.labels[-2].decode().lower()
    notes = []
    if any(plan.holds(server.name) for server in plan.name_servers):
        notes.append(
            "Registrars call glue 'host records', 'child name servers', 'glue records' or 'personal name servers'. "
            "Names are typed without a dot at the end."
        )
    if tld.startswith("xn--") or any(label.startswith(b"xn--") for label in plan.domain.labels):
        notes.append("Some registrars want the name as it is spoken, some its xn-- form; both mean the same domain.")
    notes.append(
        "The change takes from a minute to a day until the registry's servers have it: mailname check PLAN --watch tells."
    )
    return notes
