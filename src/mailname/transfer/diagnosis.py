"""From what one side, or both, say of a zone to the one cause for which the copy is not in step.

A secondary knows how its questions failed, a primary what it refused and to whom; where both can be asked, each is believed in
what only it can know. Nothing is guessed from silence of a side that was not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.transfer.cause import Cause
from mailname.transfer.failed_transfer import KEY_CODES, cause_of_failure, is_configured, listed, sentence
from mailname.transfer.side import bare, host_of

if TYPE_CHECKING:
    from mailname.transfer.side import Refused, Side, Told
    from mailname.zone import Serial

_PROBLEMS = {
    "load-failed": "REPL-24",
    "serial-not-raised": "REPL-25",
    "not-kept": "REPL-26",
    "catalog-broken": "REPL-32",
    "member-clash": "REPL-32",
}
_PATIENCE = 3  # NOTIFYs that may be lost before it is worth a word: seven seconds


def cause_at_secondary(secondary: Side, primary: Side | None = None) -> Cause | None:
    """Say why a secondary is not in step, with its primary's account where that could be asked; None where all is well."""
    if primary is not None and secondary.role == "primary" and primary.role == "primary":
        return _both_primary(secondary, primary)
    if secondary.role != "secondary":
        return _on_its_own(secondary)
    if primary is not None and primary.role == "secondary" and _asks(primary, secondary) and _asks(secondary, primary):
        return _circle(secondary, primary)
    if secondary.failed is not None:
        return cause_of_failure(secondary, secondary.failed, primary)
    return _on_its_own(secondary)


def cause_at_primary(primary: Side, told: Told) -> Cause | None:
    """Say why one of its secondaries is not in step, as far as a primary can know that alone; None where nothing is wrong."""
    address, zone, said = host_of(told.address), bare(primary.zone), told.says or "no answer"
    if told.rival:
        return Cause(
            "REPL-20",
            f"{address} is primary of {bare(primary.zone)} too: {told.rival}.",
            _one_primary(primary.zone),
            heard=((primary.name, told.rival),),
        )
    has_it = told.fetched == primary.serial and primary.serial is not None
    refusals = [one for one in primary.refused if one.at > told.fetched_at]
    mine = [one for one in refusals if one.source == address and (one.reason in KEY_CODES or not has_it)]
    if mine:  # one that has the version, and can no longer ask, will expire one day: it is told before
        return _refusal(primary, mine[-1])
    if has_it:
        return None
    if told.state == "refused":
        return Cause(
            "REPL-23",
            f"{address} does not take our NOTIFY for serial {told.serial}: it {told.says}.",
            f"On {address}, name this server as a primary of {zone}; see there: mailname status {zone}",
            heard=((primary.name, f"NOTIFY to {told.address}: {told.says}"),),
        )
    strangers = [
        one for one in refusals if one.reason == "refused" and one.at >= primary.since and not is_configured(primary, one)
    ]
    if strangers and told.state == "acknowledged":
        return _perhaps_another_address(primary, told, strangers[-1])
    if told.state == "waiting" and told.tries >= _PATIENCE:
        return Cause(
            "REPL-22",
            f"{address} has not acknowledged the NOTIFY for serial {told.serial} after {told.tries} tries: {said}.",
            f"Start the server there, or open UDP port 53 before it; try: dig +norec @{address} {zone} SOA",
            heard=((primary.name, f"NOTIFY to {told.address}: {said}"),),
        )
    return None


def cause_between(zone: str, secondary: View, primary: View) -> Cause | None:
    """Say why a secondary is not in step, from all that could be found out: what both say themselves, and what they answer."""
    if secondary.side is not None and (cause := cause_at_secondary(secondary.side, primary.side)):
        return cause
    told = primary.side.told_of(secondary.addresses) if primary.side is not None else None
    if primary.side is not None and told is not None and (cause := cause_at_primary(primary.side, told)):
        return cause
    name, at = secondary.name, min(secondary.addresses)
    heard = ((secondary.name, secondary.says),) if secondary.says else ()
    look = f"See on {name}: mailname status {bare(zone)}"
    if secondary.serial is None:
        says = f"{name} does not serve the zone: it {secondary.says or 'gives no answer'}."
        return Cause("REPL-29", says, f"{look}; try: dig +norec @{at} {bare(zone)} SOA", heard=heard)
    if primary.serial is not None and primary.serial.is_newer_than(secondary.serial):
        says = f"{name} still has serial {secondary.serial}, {primary.name} has {primary.serial}, and no failure is known."
        return Cause("REPL-27", says, f"Notify it again, on {primary.name}: mailname notify {bare(zone)}. {look}", heard=heard)
    if primary.serial is not None and secondary.serial.is_newer_than(primary.serial):
        says = f"{primary.name} went back: it has serial {primary.serial}, {name} already {secondary.serial} (RFC 1982)."
        return Cause("REPL-15", says, f"Raise the serial above {secondary.serial}, on {primary.name}: mailname publish PLAN")
    return None


@dataclass(frozen=True, slots=True)
class View:
    """One server as far as it could be asked.

    Attributes:
        name: how it is called.
        addresses: the plan's.
        side: what it says itself; None where it could not be asked.
        serial: what it answers from outside; None where it does not.
        says: what it answers instead.

    """

    name: str
    addresses: frozenset[str]
    side: Side | None = None
    serial: Serial | None = None
    says: str = ""


def _on_its_own(side: Side) -> Cause | None:
    problem = side.problem
    if problem is None:
        return None
    code = _PROBLEMS.get(problem.reason, "REPL-28")
    # A problem's sentence ends with its remedy: once is enough.
    says = problem.says.removesuffix(problem.remedy).rstrip() if problem.remedy else problem.says
    return Cause(code, sentence(says), problem.remedy or f"See: mailname history {bare(side.zone)}", heard=((side.name, says),))


def _refusal(primary: Side, refused: Refused) -> Cause:
    zone = bare(primary.zone)
    heard = ((primary.name, refused.says),)
    code = KEY_CODES.get(refused.reason)
    if code is None:
        return Cause(
            "REPL-01",
            sentence(f"the transfer to {refused.source} was refused: {refused.says}"),
            "If it may have the zone, let it sign with that key, or correct [[zone.secondary]] here; then: mailname reload",
            refused.at,
            heard,
        )
    remedy = "Give both servers the same key file (mode 600), and type on both: mailname reload"
    if code == "REPL-05":
        remedy = "Look at the clock on both: timedatectl status; set it: sudo timedatectl set-ntp true"
    return Cause(
        code, f"The request of {refused.source} for {zone} was rejected: {sentence(refused.says)}", remedy, refused.at, heard
    )


def _perhaps_another_address(primary: Side, told: Told, refused: Refused) -> Cause:
    address = host_of(told.address)
    return Cause(
        "REPL-02",
        f"{address} acknowledged the NOTIFY for serial {told.serial} and has not fetched it, and {refused.source} was refused:"
        " if that is the same server, it asks from another address.",
        f"Let it ask from {address} (listen there by name), or allow {refused.source} here: [[zone.secondary]] address ="
        f' "{refused.source}"; then: mailname reload',
        refused.at,
        ((primary.name, refused.says),),
    )


def _both_primary(one: Side, other: Side) -> Cause:
    says = f"both {other.name} and {one.name} are primary of {bare(one.zone)} (serials {other.serial} and {one.serial})"
    return Cause(
        "REPL-20", sentence(says), _one_primary(one.zone), heard=((other.name, "primary here"), (one.name, "primary here"))
    )


def _one_primary(zone: str) -> str:
    other = 'role = "secondary" and [[zone.primary]]'
    return f"Let one of them be the primary of {bare(zone)}; on the other: {other}; then: mailname reload"


def _circle(one: Side, other: Side) -> Cause:
    return Cause(
        "REPL-21",
        f"{one.name} and {other.name} are secondaries of each other: nobody is primary of {bare(one.zone)}.",
        'Let one of them be the primary: role = "primary" and file = "..."; then: mailname reload',
        heard=((one.name, f"asks {listed(one.primaries)}"), (other.name, f"asks {listed(other.primaries)}")),
    )


def _asks(one: Side, other: Side) -> bool:
    return any(host_of(peer) in other.addresses for peer in one.primaries)
