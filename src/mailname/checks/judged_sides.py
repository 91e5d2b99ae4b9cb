"""Every name server of a plan and one zone: what was seen, what it told, and why its copy is not in step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailname.transfer.seen_together import View, cause_between, cause_of_primary
from mailname.transfer.side import side_of
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name

    from mailname.checks.observe_sides import Inside, Seen, Sides
    from mailname.plan import NameServer, Plan
    from mailname.transfer.cause import Cause


@dataclass(frozen=True, slots=True)
class JudgedServer:
    """One name server and one zone: all that is known, and what is wrong."""

    server: NameServer
    seen: tuple[Seen, ...]
    inside: Inside
    status: Mapping[str, Any] | None
    cause: Cause | None

    @property
    def name(self) -> str:
        """The server's name, as people write it."""
        return self.server.name.to_text(omit_final_dot=True)

    @property
    def well(self) -> bool:
        """Whether it serves the zone at every address, by UDP and TCP, and knows of nothing that is wrong."""
        return not (self.cause or self.not_taken_over or self.disk) and all(one.is_well for one in self.seen)

    @property
    def not_taken_over(self) -> str | None:
        """When and why its configuration file was refused; None where that is the one at work, or nobody could ask."""
        return self._problem_of("configuration")

    @property
    def disk(self) -> str | None:
        """What is wrong with its disk; None where nothing is, or nobody could ask."""
        return self._problem_of("disk")

    def _problem_of(self, part: str) -> str | None:
        told = (self.inside.status or {}).get(part)
        return told.get("problem") if isinstance(told, dict) else None

    def to_json(self) -> dict[str, Any]:
        """Return it as ``mailname status PLAN --json`` tells it."""
        return {
            "server": self.name,
            "role": self.server.role,
            "engine": self.server.engine,
            "well": self.well,
            "addresses": [
                {
                    "address": str(one.address),
                    "serial": one.serial.value if one.serial else None,
                    "expires_in": one.expire,
                    "rcode": one.rcode,
                    "udp": one.udp,
                    "tcp": one.tcp,
                    "says": one.says,
                }
                for one in self.seen
            ],
            "asked": {"how": self.inside.how or None, "says": self.inside.says},
            "configuration": {"problem": self.not_taken_over},
            "disk": {"problem": self.disk},
            "status": self.status,
            "cause": self.cause.to_json() if self.cause else None,
        }


def judged(plan: Plan, sides: Sides, zone: Name) -> list[JudgedServer]:
    """Put together what was seen of a zone and what its servers told, and find each one's cause."""
    views = {server.name: _view(sides, zone, server) for server in plan.name_servers}
    primary = views[plan.primary.name]
    found = []
    for server in plan.name_servers:
        view, inside = views[server.name], sides.inside[server.name]
        if server.role == "primary":
            others = tuple(views[one.name] for one in plan.secondaries)
            cause = cause_of_primary(zone.to_text(), view, others)
        else:
            cause = cause_between(zone.to_text(), view, primary)
        found.append(JudgedServer(server, sides.outside[zone, server.name], inside, inside.zone(zone), cause))
    return found


def _view(sides: Sides, zone: Name, server: NameServer) -> View:
    name, addresses = server.name.to_text(omit_final_dot=True), [str(address) for address in server.addresses]
    status = sides.inside[server.name].zone(zone)
    seen = sides.outside[zone, server.name]
    reached = [one for one in seen if one.is_from_here]
    serials: list[Serial] = [one.serial for one in seen if one.serial is not None]
    if not seen and status and isinstance(status.get("serial"), int):  # a catalog: what it says itself
        serials.append(Serial(status["serial"]))
    return View(
        name,
        frozenset(addresses),
        side_of(status, name, addresses) if status else None,
        serials[0] if serials else None,
        next((one.says for one in seen if one.says), ""),
        lacks_zone=status is None and sides.inside[server.name].status is not None,
        udp=any(one.udp for one in reached) if reached else None,
        tcp=any(one.tcp for one in reached) if reached else None,
        seen=bool(seen),
    )
