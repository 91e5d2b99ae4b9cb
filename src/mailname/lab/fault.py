"""What a fault is, and the list of all: each breaks one thing as it breaks in real life, and names the cause to be found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dns.name import Name
from dns.rdatatype import RdataType

from mailname.errors import HostError
from mailname.lab.internet import tld_server_names
from mailname.plan import expand
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from mailname.lab.lab import Lab
    from mailname.lab.name_server import LabNameServer
    from mailname.plan import Plan

    Break = Callable[[Lab], Awaitable[None]]

Need = Literal["glue", "secondary", "mail host", "two servers", "own mail host", "both families", "DKIM selector"]


@dataclass(frozen=True, slots=True)
class Aim:
    """Where to break, when it is not to be the usual place: ``NAME@SERVER`` or ``NAME@SERVER/v6``.

    Attributes:
        server: one of the plan's name servers.
        version: one family of its addresses.
        tld_server: one of the TLD's servers, by its number.

    """

    server: LabNameServer | None = None
    version: int | None = None
    tld_server: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break the world.

    Attributes:
        name: what ``--break`` calls it.
        cause: the code of the cause that the check must find; of the note, where nobody is harmed today.
        says: what happened, in one sentence.
        inject: does it, and waits until it has had its effect.
        needs: what the plan must have, or it cannot break this way.

    """

    name: str
    cause: str
    says: str
    inject: Break
    needs: tuple[Need, ...] = ()

    @property
    def is_at_the_registry(self) -> bool:
        """Whether it is the delegation that breaks, or who gives it out."""
        return self.inject.__module__.endswith(".faults_registrar")

    def refuse_at_tld(self) -> None:
        """Raise HostError when this is nothing that befalls one of the TLD's servers."""
        if self.name not in AT_TLD:
            problem = f"the fault '{self.name}' does not happen at a server of the TLD"
            raise HostError(problem, remedy=f"There are {', '.join(AT_TLD)}.", step="break")

    def refuse(self, plan: Plan) -> None:
        """Raise HostError when this plan has nothing that could break this way."""
        for need in self.needs:
            if not _HAS[need](plan):
                problem = f"the fault '{self.name}' cannot be injected: {_LACKS[need]}"
                raise HostError(problem, remedy="See the others: mailname rehearse --list-faults", step="break")


FAULTS: dict[str, Fault] = {}
AT_TLD = ("registry-server-behind", "registry-server-down")  # what takes NAME@a.nic.TLD and NAME@b.nic.TLD


_HAS: dict[Need, Callable[[Plan], bool]] = {
    "glue": lambda plan: any(server.name.is_subdomain(plan.domain) for server in plan.name_servers),
    "secondary": lambda plan: bool(plan.secondaries),
    "mail host": lambda plan: bool(plan.mail_hosts),
    "two servers": lambda plan: len(plan.name_servers) > 1,
    "both families": lambda plan: any({a.version for a in server.addresses} == {4, 6} for server in plan.name_servers[:1]),
    "DKIM selector": lambda plan: dkim_selector(plan) is not None,
    "own mail host": lambda plan: any(host.name.is_subdomain(plan.domain) for host in plan.mail_hosts),
}
_LACKS: dict[Need, str] = {
    "glue": "no name server of this plan is in the domain, so none needs glue",
    "secondary": "this plan has no secondary",
    "mail host": "this plan has no mail host",
    "two servers": "this plan has one name server",
    "both families": "the first name server of this plan has addresses of one family",
    "DKIM selector": "this plan has no DKIM key ([[record]] of type TXT at NAME._domainkey)",
    "own mail host": "no mail host of this plan is in the domain",
}


def dkim_selector(plan: Plan) -> Name | None:
    """Return where the plan has its first DKIM key."""
    zone = expand(plan, Serial(0))
    return next((r.owner for r in zone.rrsets() if r.rdtype == RdataType.TXT and b"_domainkey" in r.owner.labels), None)


def fault(cause: str, says: str, *needs: Need) -> Callable[[Break], Break]:
    """Enter a function as the fault of its name, which ``needs`` this of a plan."""

    def enter(inject: Break) -> Break:
        name = inject.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, cause, says, inject, needs)
        return inject

    return enter


def aim_at(plan: Plan, where: str) -> tuple[Name, int | None]:
    """Read ``SERVER``, ``SERVER/v4`` or ``SERVER/v6``: one of the plan's name servers, and a version of IP.

    Raises:
        HostError: the plan has no such name server, or it has no address of that family.

    """
    text, slash, family = where.partition("/")
    for server in plan.name_servers:
        versions = {f"v{address.version}": address.version for address in server.addresses}
        if server.name.to_text(omit_final_dot=True) == text.rstrip(".") and (not slash or family in versions):
            return server.name, versions.get(family)
    known = ", ".join(server.name.to_text(omit_final_dot=True) for server in plan.name_servers)
    raise HostError(
        f"there is no name server '{where}' to break", remedy=f"There are {known}; /v4 or /v6 may follow.", step="break"
    )


def aim_at_tld(plan: Plan, where: str) -> int | None:
    """Read the name of one of the TLD's servers, such as ``b.nic.tech``; None when it is none of them."""
    hosts = (plan.domain, *(server.name for server in plan.name_servers), *(host.name for host in plan.mail_hosts))
    names = [name.to_text(omit_final_dot=True) for name in tld_server_names(Name(plan.domain.labels[-2:]), hosts)]
    return names.index(where.rstrip(".")) if where.rstrip(".") in names else None


def find_fault(name: str) -> Fault:
    """Return a fault by its name.

    Raises:
        HostError: there is none of that name; with the nearest one.

    """
    if name in FAULTS:
        return FAULTS[name]
    import difflib

    close = difflib.get_close_matches(name, FAULTS, n=1)
    raise HostError(
        f"there is no fault '{name}'",
        remedy=f"Did you mean '{close[0]}'?" if close else "See them all: mailname rehearse --list-faults",
        step="break",
    )
