"""From what one side, or both, say of a zone to the one cause for which the copy is not in step.

A secondary knows how its questions failed, a primary what it refused and to whom; where both can be asked, each is believed in
what only it can know. Nothing is guessed from silence of a side that was not asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.transfer.cause import Cause
from mailname.transfer.failed_transfer import KEY_CODES, cause_of_failure, is_configured, listed, sentence
from mailname.transfer.side import bare, host_of
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailname.transfer.cause import Where
    from mailname.transfer.side import Refused, Side, Told

_PROBLEMS = {
    "load-failed": "REPL-24",
    "serial-not-raised": "REPL-25",
    "not-kept": "REPL-26",
    "catalog-broken": "REPL-32",
    "member-clash": "REPL-32",
    "went-back": "REPL-15",
}
_SAME_KEY = "Give both servers the same key file (mode 600), and type on both: mailname reload"
_KEY_REMEDIES = {"badtime": "Look at the clock on both: timedatectl status; set it: sudo timedatectl set-ntp true"}
_KEY_TOO = ", and give it the key with which this server signs (its log says BADKEY, BADSIG or BADTIME)"
_PATIENCE = 3  # NOTIFYs that may be lost before it is worth a word: seven seconds


def cause_at_secondary(secondary: Side, primary: Side | None = None, names: Mapping[str, str] | None = None) -> Cause | None:
    """Say why a secondary is not in step, with its primary's account where that could be asked; None where all is well.

    ``names`` tells how the primary is called, by its addresses, where a plan says so.
    """
    if primary is not None and secondary.role == "primary" and primary.role == "primary":
        return _both_primary(secondary, primary)
    if secondary.role != "secondary":
        return _on_its_own(secondary)
    if primary is not None and primary.role == "secondary" and asks(primary, secondary) and asks(secondary, primary):
        return circle(secondary, primary)
    if secondary.failed is not None:
        return cause_of_failure(secondary, secondary.failed, primary, names)
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
    refusals = [one for one in primary.refused if (one.at > told.fetched_at if one.settled is None else not one.settled)]
    mine = [one for one in refusals if one.source == address and (one.reason in KEY_CODES or not has_it)]
    if mine:  # one that has the version, and can no longer ask, will expire one day: it is told before
        return _refusal(primary, mine[-1])
    if told.reason in KEY_CODES:
        return _notify_rejected(primary, told)
    if has_it:
        return _not_fetched(primary, told)
    if told.state == "refused":
        return Cause(
            "REPL-23",
            f"{address} does not take our NOTIFY for serial {told.serial}: it {told.says}.",
            f"On {address}, name this server as a primary of {zone}{_KEY_TOO if 'NOTAUTH' in told.says else ''}; see there:"
            f" mailname status {zone}",
            heard=((primary.name, f"NOTIFY to {told.address}: {told.says}"),),
        )
    strangers = [
        one for one in refusals if one.reason == "refused" and one.at >= primary.since and not is_configured(primary, one)
    ]
    if strangers and told.state == "acknowledged" and told.holds != primary.serial:
        return _perhaps_another_address(primary, told, strangers[-1])
    if told.state == "waiting" and told.tries >= _PATIENCE:
        return Cause(
            "REPL-22",
            f"{address} has not acknowledged the NOTIFY for serial {told.serial} after {told.tries} tries: {said}.",
            f"Start the server there, or open UDP port 53 before it; try: dig +norec @{address} {zone} SOA",
            heard=((primary.name, f"NOTIFY to {told.address}: {said}"),),
        )
    return _not_fetched(primary, told)


def _not_fetched(primary: Side, told: Told) -> Cause | None:
    """Say that a secondary knows of a version and answers another one, which the primary has seen by asking it."""
    if told.state != "acknowledged" or primary.serial is None or told.holds == primary.serial:
        return None
    address, zone = host_of(told.address), bare(primary.zone)
    sent = "it was sent" if told.fetched == primary.serial else "it has acknowledged"
    if told.holds is None:
        if not told.answers:
            return None
        return Cause(
            "REPL-29",
            f"{address} does not serve the zone: {sent} serial {told.serial}, and {told.answers}.",
            f"See on {address}: mailname status {zone}; let TCP and UDP port 53 of this server be open for it",
            heard=((primary.name, f"{told.address} {told.answers}"),),
        )
    heard = ((primary.name, f"{told.address} answers serial {told.holds}"),)
    if Serial(told.holds).is_newer_than(Serial(primary.serial)):
        return Cause(
            "REPL-15",
            f"{address} holds serial {told.holds}, which is newer than the {primary.serial} served here: this server went back,"
            " or the other has another primary (RFC 1982).",
            f"Raise the serial above {told.holds}: mailname publish PLAN",
            heard=heard,
        )
    why = (
        "that did not arrive, or is not taken" if told.fetched == primary.serial else "does not fetch it, or does not get through"
    )
    return Cause(
        "REPL-27",
        f"{address} still answers serial {told.holds}: {sent} {told.serial}, and {why}.",
        f"Let TCP and UDP port 53 of this server be open for {address}; why it fails is told there: mailname status {zone}",
        heard=heard,
    )


def _on_its_own(side: Side) -> Cause | None:
    problem = side.problem
    if problem is None:
        return None
    code = _PROBLEMS.get(problem.reason, "REPL-28")
    # A problem's sentence ends with its remedy: once is enough.
    says = problem.says.removesuffix(problem.remedy).rstrip() if problem.remedy else problem.says
    remedy = problem.remedy
    loads = problem.reason == "load-failed" or (problem.reason == "not-kept" and side.role == "primary")
    if loads and remedy and "mailname" not in remedy:
        remedy = f"{remedy} Then: mailname reload {bare(side.zone)}"
    at: Where | None = "primary" if problem.reason == "not-kept" and side.role == "primary" else None
    return Cause(code, sentence(says), remedy or f"See: mailname history {bare(side.zone)}", heard=((side.name, says),), at=at)


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
    remedy = _KEY_REMEDIES.get(refused.reason, _SAME_KEY)
    return Cause(
        code, f"The request of {refused.source} for {zone} was rejected: {sentence(refused.says)}", remedy, refused.at, heard
    )


def _notify_rejected(primary: Side, told: Told) -> Cause:
    """Say what a secondary answers to a NOTIFY whose signature it cannot take: it cannot ask with that key, or clock, either."""
    address, zone = host_of(told.address), bare(primary.zone)
    says = f"{address} rejects our NOTIFY for {zone}: {told.says.removeprefix(told.address + ': ')}"
    return Cause(
        KEY_CODES[told.reason],
        sentence(says),
        _KEY_REMEDIES.get(told.reason, _SAME_KEY),
        heard=((primary.name, f"NOTIFY to {told.address}: {told.says}"),),
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


def circle(one: Side, other: Side) -> Cause:
    """Say that two servers are secondaries of each other."""
    return Cause(
        "REPL-21",
        f"{one.name} and {other.name} are secondaries of each other: nobody is primary of {bare(one.zone)}.",
        'Let one of them be the primary: role = "primary" and file = "..."; then: mailname reload',
        heard=((one.name, f"asks {listed(one.primaries)}"), (other.name, f"asks {listed(other.primaries)}")),
    )


def asks(one: Side, other: Side) -> bool:
    """Tell whether one has the other among its primaries."""
    return any(host_of(peer) in other.addresses for peer in one.primaries)
