"""What a reader does who has neither our plan nor our program: what to enter at the registrar, and how to look again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.checks.without_plan import repeated
from mailname.checks.wording import spoken

if TYPE_CHECKING:
    from mailname.checks import Facts, Finding
    from mailname.plan import Plan

_HAS_NO_DIG = ("mailname", "sudo", "journalctl")
_NOT_OF_THE_DELEGATION = ("TLD", "DELEG-10")


def only_looks(finding: Finding) -> bool:
    """Tell whether the line to type mends nothing, and only asks the same again."""
    return bool(finding.command) and finding.command.split(" ", 1)[0] not in _HAS_NO_DIG


def look_again(finding: Finding) -> str:
    """Return the line that asks the same again, to see whether it is mended; empty where the line to type does that itself."""
    if only_looks(finding):
        return ""
    own = [p for p in finding.evidence if not finding.code.startswith("DELEG") and p.server.startswith(f"{finding.server} ")]
    return next((line for piece in (*own, *finding.evidence) if (line := repeated(piece))), "")


def to_enter(plan: Plan, facts: Facts, finding: Finding) -> tuple[str, ...]:
    """Return what the registrar should have, by the plan: a line for each name server, with glue where it is needed."""
    if not facts.planned or finding.where != "registrar" or finding.code.startswith(_NOT_OF_THE_DELEGATION):
        return ()
    return tuple(
        " ".join([spoken(server.name), *(map(str, server.addresses) if server.name.is_subdomain(plan.domain) else ())])
        for server in plan.name_servers
    )


def own_letters(domain: str) -> str:
    """Return a domain in the letters of its owner where it is written in ASCII (xn--); empty where there is no difference."""
    if "xn--" not in domain:
        return ""
    import idna

    try:
        return idna.decode(domain)
    except idna.IDNAError:  # the name was typed by somebody, or came from the network
        return ""
