"""A plan's place in its catalog: where a zone that the primary does not serve yet is put, so that it appears at every secondary.

Refused unless the plan names the catalog, the running primary makes it, and it goes to the plan's secondaries. Who may update is
configured in the catalog's table or the zone's own: a plan that says so is refused until there is one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailname.errors import HostError
from mailname.server.catalog_member_file import member_text
from mailname.server.zonefiles import SUFFIX, file_stem
from mailname.transfer.side import host_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dns.name import Name

    from mailname.plan import Plan


def place_for(plan: Plan, apex: Name, served: Mapping[Name, dict[str, Any]]) -> Path | None:
    """Return where the file of a zone goes that the primary does not serve yet; None where the plan names no catalog.

    Args:
        plan: with or without a catalog.
        apex: the zone.
        served: the primary's status, by zone.

    Raises:
        HostError: the plan's catalog is not made there, or does not go to the plan's secondaries.

    """
    if plan.catalog is None:
        return None
    name = plan.catalog.name.to_text(omit_final_dot=True)
    made = served.get(plan.catalog.name, {})
    told = made.get("catalog") or {}
    if told.get("role") != "producer" or not told.get("folder"):
        raise HostError(
            f"the server does not make the catalog {name} from a folder: {apex.to_text(omit_final_dot=True)} cannot join it",
            remedy="Configure it as the plan says: mailname show PLAN --server NAME; then: mailname reload",
            step="publish",
        )
    goes_to = {host_of(one["address"]) for one in made.get("secondaries", ())}
    wanted = {str(address) for server in plan.secondaries for address in server.addresses if _reaches(plan, address.version)}
    if goes_to != wanted:
        raise HostError(
            f"the catalog {name} goes to {_listed(goes_to)}, and the plan's secondaries are {_listed(wanted)}",
            remedy="Plans that share a catalog have the same name servers: correct the plan, or give it a catalog of its own.",
            step="publish",
        )
    return Path(told["folder"]) / (file_stem(apex) + SUFFIX)


def _reaches(plan: Plan, version: int) -> bool:
    return any(address.version == version for address in plan.primary.addresses)


def _listed(addresses: set[str]) -> str:
    return ", ".join(sorted(addresses)) or "nobody"


def is_from_catalog(plan: Plan, path: Path, served: Mapping[Name, dict[str, Any]]) -> bool:
    """Tell whether what the plan says of groups is to be written beside a zone file."""
    made = served.get(plan.catalog.name) if plan.catalog is not None else None
    told = (made or {}).get("catalog") or {}
    return bool(told.get("folder")) and Path(told["folder"]) == path.parent


def refuse_updates(plan: Plan, apex: Name, may_update: Sequence[str]) -> None:
    """Refuse a zone from the catalog's folder for which the plan allows updates that the server refuses.

    Args:
        plan: with a catalog.
        apex: the zone.
        may_update: the keys that may update it, as the server's status tells them.

    Raises:
        HostError: a key of the plan is not among them.

    """
    if apex != plan.domain:
        return
    missing = sorted({one.key.to_text() for one in plan.updates} - set(may_update))
    if missing:
        raise HostError(
            f"{apex.to_text(omit_final_dot=True)} is served as the catalog's folder has it, and there [[update]] has no effect:"
            f" the server lets {', '.join(name.rstrip('.') for name in missing)} update nothing",
            remedy="Make the key file: mailname key make NAME --output FILE; put its [[key]], and a [[catalog.update]] or the"
            " zone's own [[zone]] table, into the primary's configuration (mailname show PLAN --server NAME); mailname reload",
            step="publish",
        )


def properties(plan: Plan) -> str:
    """Return what the catalog is to say of a plan's zones: the text of the file beside each zone file; empty for nothing."""
    assert plan.catalog is not None  # the caller looked
    return member_text(plan.catalog.groups, plan.catalog.gives_to)
