"""What is wrong with a server of a plan, from all that could be found out: what both sides say, and what each answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.transfer.cause import Cause
from mailname.transfer.diagnosis import asks, cause_at_primary, cause_at_secondary, circle
from mailname.transfer.failed_transfer import listed
from mailname.transfer.side import bare, host_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailname.transfer.side import Side
    from mailname.zone import Serial

_ANSWERED = ("answers ", "has no SOA", "an answer")  # how what is said of an answer begins; else there was none
_REFUSED = "refused"  # what is said of a port at which nothing listens


@dataclass(frozen=True, slots=True)
class View:
    """One server as far as it could be asked.

    Attributes:
        name: how it is called.
        addresses: the plan's.
        side: what it says itself; None where it could not be asked.
        serial: what it answers from outside; None where it does not.
        says: what it answers instead.
        lacks_zone: it was asked from inside, and does not have the zone in its configuration.
        udp: whether it answers by UDP from outside; None where nobody asked.
        tcp: the same for TCP.
        seen: whether it was asked from outside; a catalog zone is told to its secondaries only.

    """

    name: str
    addresses: frozenset[str]
    side: Side | None = None
    serial: Serial | None = None
    says: str = ""
    lacks_zone: bool = False
    udp: bool | None = None
    tcp: bool | None = None
    seen: bool = True

    @property
    def names(self) -> Mapping[str, str]:
        """Its name by each of its addresses."""
        return dict.fromkeys(self.addresses, self.name)


def cause_between(zone: str, secondary: View, primary: View) -> Cause | None:
    """Say why a secondary is not in step; None where nothing is wrong."""
    if secondary.lacks_zone:
        return _lacks_zone(zone, secondary, "secondary")
    if primary.lacks_zone and secondary.side is not None and secondary.side.failed is not None:
        return _lacks_zone(zone, primary, "primary")
    if secondary.side is not None and (cause := cause_at_secondary(secondary.side, primary.side, primary.names)):
        return cause
    told = primary.side.told_of(secondary.addresses) if primary.side is not None else None
    if primary.side is not None and told is not None and (cause := cause_at_primary(primary.side, told)):
        return _with_what_is_known(cause, zone, secondary, primary, host_of(told.address))
    name = secondary.name
    heard = ((secondary.name, secondary.says),) if secondary.says else ()
    look = f"See on {name}: mailname status {bare(zone)}"
    if (cause := _unserved(zone, secondary)) is not None:
        return cause
    if primary.serial is not None and secondary.serial is not None and primary.serial.is_newer_than(secondary.serial):
        if primary.side is not None and told is None and primary.side.role == "primary":
            return _not_notified(secondary, primary)
        says = f"{name} still has serial {secondary.serial}, {primary.name} has {primary.serial}, and no failure is known."
        return Cause("REPL-27", says, f"Notify it again, on {primary.name}: mailname notify {bare(zone)}. {look}", heard=heard)
    if primary.serial is not None and secondary.serial is not None and secondary.serial.is_newer_than(primary.serial):
        says = f"{primary.name} went back: it has serial {primary.serial}, {name} already {secondary.serial} (RFC 1982)."
        return Cause("REPL-15", says, f"Raise the serial above {secondary.serial}, on {primary.name}: mailname publish PLAN")
    if primary.side is not None and told is None and primary.side.role == "primary":
        return _not_notified(secondary, primary)
    return _half_served(zone, secondary)


def cause_of_primary(zone: str, primary: View, secondaries: tuple[View, ...]) -> Cause | None:
    """Say what is wrong with the server that the plan calls the primary; None where nothing is."""
    side = primary.side
    if primary.lacks_zone:
        return _lacks_zone(zone, primary, "primary")
    if side is not None and side.role == "secondary":
        for other in secondaries:
            if other.side is not None and asks(side, other.side) and asks(other.side, side):
                return circle(other.side, side)
        return Cause(
            "REPL-36",
            f"{primary.name} is a secondary of {bare(zone)}; the plan calls it the primary. It asks {listed(side.primaries)}.",
            f"Give it the plan's configuration: mailname show PLAN --server {primary.name}; or correct the plan",
            heard=((primary.name, f"asks {listed(side.primaries)}"),),
        )
    if side is not None and (cause := cause_at_secondary(side)):
        return cause
    return _unserved(zone, primary) or _half_served(zone, primary)


def _unserved(zone: str, view: View) -> Cause | None:
    if view.serial is not None or not view.seen:
        return None
    name, at = view.name, min(view.addresses)
    heard = ((name, view.says),) if view.says else ()
    by_hand = f"try: dig +norec @{at} {bare(zone)} SOA"
    if view.says == _REFUSED and not view.udp and not view.tcp:
        return Cause(
            "REPL-07",
            f"Nothing listens on {name} ({listed(view.addresses)}).",
            f"Start the server on {name}: mailname serve --config FILE; where it cannot start, it says why. Then {by_hand}",
            heard=heard,
        )
    if not view.says or view.says == "no answer":
        says = f"{name} gives no answer."
        return Cause("REPL-29", says, f"Start the server there, or open port 53, UDP and TCP, before it; {by_hand}", heard=heard)
    if not view.says.startswith(_ANSWERED):
        says = f"{name} cannot be asked from here: {view.says}."
        remedy = f"Look at the routes here: ip route get {at}; where that is well, a packet filter on the way turns it away"
        return Cause("REPL-29", says, remedy, heard=heard)
    look = f"See on {name}: mailname status {bare(zone)}"
    return Cause("REPL-29", f"{name} does not serve the zone: it {view.says}.", f"{look}; {by_hand}", heard=heard)


def _half_served(zone: str, view: View) -> Cause | None:
    """Say that a server answers by UDP or by TCP alone: resolvers need both (RFC 7766 section 5)."""
    at = min(view.addresses)
    if view.udp is False and view.tcp:
        return Cause(
            "REPL-33",
            f"{view.name} answers by TCP and not by UDP: who asks for a name gets no answer.",
            f"Open UDP port 53 before {view.name}; try: dig +norec @{at} {bare(zone)} SOA",
            heard=((view.name, view.says),),
        )
    if view.tcp is False and view.udp:
        return Cause(
            "REPL-09",
            f"{view.name} answers by UDP and not by TCP: no secondary can fetch the zone there, and long answers are lost.",
            f"Open TCP port 53 before {view.name}; try: dig +norec +tcp @{at} {bare(zone)} SOA",
            heard=((view.name, view.says),),
        )
    return None


def _lacks_zone(zone: str, view: View, role: str) -> Cause:
    return Cause(
        "REPL-14",
        f"{view.name} does not have {bare(zone)} in its configuration; the plan calls it a {role} of the zone.",
        f"Give it the plan's configuration, on {view.name}: mailname show PLAN --server {view.name}; then: mailname reload",
        heard=((view.name, "it does not have the zone"),),
    )


def _not_notified(secondary: View, primary: View) -> Cause:
    told = (
        listed(host_of(one.address) for one in primary.side.told) if primary.side is not None and primary.side.told else "nobody"
    )
    return Cause(
        "REPL-34",
        f"{primary.name} does not tell {secondary.name} of changes: it notifies {told}. The copy gets new only when"
        f" {secondary.name} asks by itself, every refresh.",
        f'On {primary.name}, add to the zone: [[zone.secondary]] address = "{min(secondary.addresses)}", with the key if there is'
        " one; then: mailname reload",
        heard=((primary.name, f"notifies {told}"),),
    )


def _with_what_is_known(cause: Cause, zone: str, secondary: View, primary: View, at: str) -> Cause:
    """Return the primary's account of a NOTIFY that is not acknowledged, with what the secondary shows from outside."""
    if cause.code != "REPL-22":
        return cause
    name = secondary.name
    if secondary.serial is None and secondary.udp is False and secondary.tcp is False:
        found = _unserved(zone, secondary)
        if found is not None and secondary.side is None:
            return Cause(found.code, found.says, found.remedy, cause.since, (*found.heard, *cause.heard))
    if secondary.udp:
        says = (
            f"{name} answers questions by UDP, and the NOTIFY of {primary.name} to {at} is not acknowledged: something drops it."
        )
        remedy = f"Look at the packet filters between {primary.name} and {name}: UDP port 53 of {at}, and the way back"
    elif secondary.side is not None:
        says = (
            f"{name} runs, and the NOTIFY of {primary.name} is not acknowledged: UDP to its port 53, or the way back, is dropped."
        )
        remedy = f"Open UDP port 53 before {name}; try on {primary.name}: dig +norec @{at} {bare(zone)} SOA"
    else:
        return cause
    return Cause(cause.code, says, remedy, cause.since, cause.heard)
