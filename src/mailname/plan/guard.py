"""What looks like an accident rather than a wish: asked about before it is published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.mail.mx import is_null_mx
from mailname.plan import names

if TYPE_CHECKING:
    from dns.name import Name
    from dns.rdata import Rdata

    from mailname.zone import Zone


@dataclass(frozen=True, slots=True)
class Objection:
    """A reason not to publish without consent; the code is permanent."""

    code: str
    says: str


def guard(old: Zone | None, new: Zone) -> tuple[Objection, ...]:
    """Return what speaks against putting ``new`` in the place of ``old``; nothing when nothing was published before."""
    if old is None:
        return ()
    found = (_many_removed(old, new), _name_servers_replaced(old, new), _mx_gone(old, new))
    return tuple(objection for objection in found if objection)


def _records(zone: Zone) -> set[tuple[Name, Rdata]]:
    """Return the records without the SOA; another TTL does not make another record."""
    return {(rrset.owner, rdata) for rrset in zone.rrsets() if rrset.rdtype != RdataType.SOA for rdata in rrset.rdatas}


def _many_removed(old: Zone, new: Zone) -> Objection | None:
    before = _records(old)
    gone = before - _records(new)
    if 2 * len(gone) <= len(before):
        return None
    return Objection(
        "many-removed", f"{len(gone)} of {len(before)} records of {names.say(old.apex)} would be gone: more than half."
    )


def _name_servers_replaced(old: Zone, new: Zone) -> Objection | None:
    before, after = (_targets(zone) for zone in (old, new))
    gone = [name for name in before if name not in after]
    if not gone:
        return None
    said = ", ".join(names.say(name) for name in gone)
    if len(gone) == len(before):
        problem = f"All name servers of {names.say(old.apex)} would be replaced; {said} would be gone."
    else:
        problem = f"{said} would no longer be a name server of {names.say(old.apex)}."
    return Objection("name-servers-replaced", f"{problem} As long as the registry still names it, resolvers will ask there.")


def _targets(zone: Zone) -> list[Name]:
    rrset = zone.rrset(zone.apex, RdataType.NS)
    return [rdata.target for rdata in rrset.rdatas if hasattr(rdata, "target")] if rrset else []


def _mx_gone(old: Zone, new: Zone) -> Objection | None:
    before, after = (zone.rrset(zone.apex, RdataType.MX) for zone in (old, new))
    if before is None or all(is_null_mx(rdata) for rdata in before.rdatas):
        return None
    if after is None:
        return Objection("mx-gone", f"{names.say(old.apex)} would have no MX: mail would go to the website's address.")
    if any(is_null_mx(rdata) for rdata in after.rdatas):
        return Objection("mx-gone", f"{names.say(old.apex)} would refuse all mail (null MX, RFC 7505).")
    return None
