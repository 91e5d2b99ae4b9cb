"""Why a refresh or a transfer failed: the secondary's reason, and where it can be asked, the primary's own account of it."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from mailname.transfer.cause import Cause
from mailname.transfer.failed_connection import (
    connection_refused,
    reset,
    silent,
    stalled,
    tcp_silent,
    unreachable,
)
from mailname.transfer.primary_without_zone import expired_there, no_zone, not_authoritative, servfail
from mailname.transfer.side import bare, host_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mailname.transfer.side import Failed, Refused, Side

_TOGETHER = 30.0  # seconds within which a failure here and a refusal there are the same event; the clocks may differ
_NOT_READ = "the answer to the SOA question cannot be read"
HERE = "this server"  # how a server calls itself
KEY_CODES = {"badkey": "REPL-03", "badsig": "REPL-04", "badtime": "REPL-05", "unsigned": "REPL-06", "badtrunc": "REPL-31"}


def cause_of_failure(secondary: Side, failed: Failed, primary: Side | None, names: Mapping[str, str] | None = None) -> Cause:
    """Name the cause of a secondary's last failure.

    Args:
        secondary: whose failure it is.
        failed: it.
        primary: the primary's own account, where it could be asked.
        names: how the primary is called, by its addresses; empty where nobody says.

    """
    zone, at = bare(secondary.zone), host_of(failed.peer)
    if names and at not in names:
        return _wrong_primary(secondary, failed, names)
    who = primary.name if primary else (names or {}).get(at, at)
    heard = [(secondary.name, failed.says)]
    refusal = _refusal_of(secondary, failed, primary)
    if refusal is not None and primary is not None:
        heard.append((primary.name, refusal.says))
    code, says, remedy = _finder(failed.reason)(Case(secondary, failed, primary, refusal, zone, at, who))
    return Cause(code, sentence(says), remedy, failed.since, tuple(heard))


class Case:
    """All that is known of one failure."""

    __slots__ = ("at", "failed", "primary", "refusal", "secondary", "who", "zone")

    def __init__(
        self, secondary: Side, failed: Failed, primary: Side | None, refusal: Refused | None, zone: str, at: str, who: str
    ) -> None:
        self.secondary, self.failed, self.primary, self.refusal = secondary, failed, primary, refusal
        self.zone, self.at, self.who = zone, at, who

    @property
    def told(self) -> str:
        """What the secondary says of the failure, without the peer's address."""
        return _after_peer(self.failed.says)

    @property
    def seen_as(self) -> str | None:
        """The address with which the primary saw the question, or else the one from which it was sent."""
        return self.refusal.source if self.refusal else self.failed.asked_from

    @property
    def here(self) -> str:
        """Where the secondary is, in a sentence."""
        return _where(self.secondary)

    @property
    def one_of_several(self) -> str:
        """Half a sentence where another address of a primary has confirmed the zone since; else nothing."""
        is_so = self.failed.offered is None and self.secondary.failures == 0 and len(self.secondary.primaries) > 1
        return "; by another address the zone is confirmed" if is_so else ""

    @property
    def again(self) -> str:
        """The command that tries at once."""
        return f"mailname retransfer {self.zone}"

    @property
    def then(self) -> str:
        """The same as the last thing to type, and where."""
        return f"then: {self.again}" if self.secondary.name == HERE else f"then {self.here}: {self.again}"

    @property
    def by_udp(self) -> str:
        """The line that asks the primary by hand."""
        return f"dig +norec @{self.at} {self.zone} SOA"

    @property
    def by_tcp(self) -> str:
        """The same over TCP."""
        return f"dig +norec +tcp @{self.at} {self.zone} SOA"


_Found = tuple[str, str, str]


def _refused(case: Case) -> _Found:
    seen, names = case.seen_as, case.secondary.addresses
    if case.refusal is not None and case.refusal.reason in KEY_CODES:
        return _keys(case)
    if case.refusal is not None and "must sign" in case.refusal.says:
        return _unsigned_request(case)
    if seen and names and seen not in names:
        return (
            "REPL-02",
            f"{case.who} refuses the transfer: it saw {seen}, and knows {case.secondary.name} as {listed(names)}",
            f"On {case.secondary.name}, listen on {listed(names)} by name (listen), so that it asks from there; or allow {seen}"
            f" on {case.who}. Then: {case.again}",
        )
    if case.failed.offered is None and case.primary is None:
        return (
            "REPL-14",
            f"{case.who} refuses even the question for the SOA: it does not have the zone, or not for {seen or 'this server'}",
            f"Load {case.zone} on {case.who}, or see there: mailname status {case.zone}",
        )
    if case.primary is not None and case.failed.offered is None and case.primary.state != "serving":
        return servfail(case)
    if case.refusal is None and case.failed.signed is False:
        return _unsigned_request(case)
    why = f" ({case.refusal.says})" if case.refusal else ""
    return (
        "REPL-01",
        f"{case.who} does not allow {seen or 'this server'} to transfer the zone{why}",
        f'On {case.who}, add to the zone: [[zone.secondary]] address = "{seen or "ADDRESS"}", with the key if there is one;'
        f" type there: mailname reload; {case.then}",
    )


def _unsigned_request(case: Case) -> _Found:
    why = f": {case.refusal.says}" if case.refusal else f"; {case.secondary.name} does not sign what it asks for"
    sign = (
        f'name the key {case.here}, in its [[key]] and [[zone.primary]] (key = "NAME"), type: mailname reload; then: {case.again}'
    )
    if case.refusal is not None:
        return "REPL-01", f"{case.who} does not allow the transfer{why}", sign[:1].upper() + sign[1:]
    return (
        "REPL-01",
        f"{case.who} does not allow {case.seen_as or 'this server'} to transfer the zone{why}",
        f'If it wants signatures, {sign}. If not, on {case.who}: [[zone.secondary]] address = "{case.seen_as or "ADDRESS"}", and'
        " mailname reload",
    )


def _notauth(case: Case) -> _Found:
    if case.failed.offered is not None:  # it told the serial, so it has the zone: Knot says NOTAUTH to whom it does not allow
        return _refused(case)
    return (
        "REPL-14",
        f"{case.who} does not have the zone: it answers NOTAUTH",
        f"Load {case.zone} on {case.who}; see there: mailname status {case.zone}",
    )


def _keys(case: Case) -> _Found:
    reason = case.failed.reason if case.failed.reason in KEY_CODES else case.refusal.reason if case.refusal else "badkey"
    code = KEY_CODES[reason]
    told = case.refusal.says if case.refusal else case.failed.says
    key = " " + found[1].rstrip(".") if (found := re.search(r"with the key (\S+)", case.failed.says)) else ""
    both = f"{case.secondary.name} and {case.who}"
    same = f"Give {both} the same key file (mode 600), type on both: mailname reload; {case.then}"
    apart = _seconds_apart(told) or _seconds_apart(case.failed.says)
    return {
        "REPL-03": (
            code,
            f"{case.who} does not know the key{key} with which {case.secondary.name} signs, or not with its algorithm (BADKEY)",
            same,
        ),
        "REPL-04": (code, f"the key's secret is not the same on {both} (BADSIG)", same),
        "REPL-05": (
            code,
            f"the clocks of {both} differ by {apart or 'too many'} seconds (BADTIME)",
            f"Look at the clock on both: timedatectl status; set it: sudo timedatectl set-ntp true; {case.then}",
        ),
        "REPL-31": (
            code,
            f"one of {both} truncates the MACs of its signatures, the other does not allow that (BADTRUNC)",
            same,
        ),
        "REPL-06": (code, f"{case.who} does not sign its answers: {_after_peer(case.failed.says)}", same),
    }[code]


def _key_rejected(case: Case) -> _Found:
    """Say what a secondary that was told no more than "TSIG error" cannot: which of the three it is (BIND)."""
    if case.refusal is not None and case.refusal.reason in KEY_CODES:
        return _keys(case)
    both = f"{case.secondary.name} and {case.who}"
    return (
        "REPL-03",
        f"{case.who} rejects the signature of {case.secondary.name}: the key, its secret or the clocks are not the same",
        f"Give {both} the same key file (mode 600) and the same time; whether it is BADKEY, BADSIG or BADTIME, the log on"
        f" {case.who} says; {case.then}",
    )


def _serial_not_higher(case: Case) -> _Found:
    held, offered = case.secondary.serial, case.failed.offered
    before = host_of(case.secondary.fetched_from)
    back = before == case.at or (
        case.primary is not None and ((case.primary.announced == held and held is not None) or before in case.primary.addresses)
    )
    remedy = (
        f"On the primary: mailname publish PLAN, which raises the serial above {held};"
        f" to take the older zone, {case.here}: {case.again}"
    )
    if back:
        return (
            "REPL-15",
            f"{case.who} went back: it offers serial {offered} and had served {held} before (RFC 1982); {held} is served on here",
            remedy,
        )
    return "REPL-16", f"{case.who} offers serial {offered}, which is not newer than the {held} held here (RFC 1982)", remedy


def _malformed(case: Case) -> _Found:
    if _NOT_READ in case.failed.says:
        return (
            "REPL-17",
            f"what {case.who} sends is no DNS message that can be read: {case.told}; the version held before is served on",
            f"Look at the server on {case.who}, and at what stands between that might rewrite DNS; try: {case.by_udp}",
        )
    return (
        "REPL-17",
        f"what {case.who} sends is no good zone: {_after_peer(case.failed.says)}; the version held before is served on",
        f"Mend that record on {case.who}; then: {case.again}",
    )


def _tls(case: Case) -> _Found:
    says = f"no connection over TLS to {case.who}: {_after_peer(case.failed.says)}"
    return "REPL-30", says, case.failed.remedy or f"See: mailname history {case.zone}"


def _not_kept(case: Case) -> _Found:
    return (
        "REPL-26",
        f"serial {case.failed.offered} was fetched and is not served, because a restart would fall behind it: {case.failed.says}",
        f"{case.failed.remedy} Then: {case.again}",
    )


def _other(case: Case) -> _Found:
    return "REPL-28", _after_peer(case.failed.says), case.failed.remedy or f"See: mailname history {case.zone}"


def _failed(case: Case) -> _Found:
    """Name an answer that no server of the zone gives: FORMERR, NOTIMP, NXDOMAIN."""
    return (
        "REPL-28",
        f"{case.who} {case.told}",
        f"Look at what listens at {case.failed.peer}: a server of {case.zone} does not say that; try: {case.by_udp}",
    )


_FINDERS: dict[str, Callable[[Case], _Found]] = {
    "failed": _failed,
    "refused": _refused,
    "notauth": _notauth,
    **dict.fromkeys(KEY_CODES, _keys),
    "key-rejected": _key_rejected,
    "connection-refused": connection_refused,
    "timeout-tcp": tcp_silent,
    "timeout-udp": silent,
    "unreachable": unreachable,
    "reset": reset,
    "stalled": stalled,
    "too-slow": stalled,
    "not-authoritative": not_authoritative,
    "servfail": servfail,
    "no-zone": no_zone,
    "primary-expired": expired_there,
    "serial-not-higher": _serial_not_higher,
    "serial-undefined": _serial_not_higher,
    "malformed": _malformed,
    "too-large": _malformed,
    "not-kept": _not_kept,
}


def _wrong_primary(secondary: Side, failed: Failed, names: Mapping[str, str]) -> Cause:
    right, why = listed(names), _after_peer(failed.says)
    return Cause(
        "REPL-35",
        sentence(f"{secondary.name} asks {failed.peer}, which is no address of {min(names.values())} ({right}): {why}"),
        f"Correct [[zone.primary]] {_where(secondary)}: mailname show PLAN --server {secondary.name}; then: mailname reload",
        failed.since,
        ((secondary.name, failed.says),),
    )


def _where(secondary: Side) -> str:
    return "here" if secondary.name == HERE else f"on {secondary.name}"


def _finder(reason: str) -> Callable[[Case], _Found]:
    return _FINDERS.get(reason, _tls if reason.startswith("tls-") else _other)


def _refusal_of(secondary: Side, failed: Failed, primary: Side | None) -> Refused | None:
    """Return the primary's account of the failure: by the address that we sent from, or, behind NAT, by the moment."""
    if primary is None:
        return None
    ours = secondary.addresses | ({failed.asked_from} if failed.asked_from else set())
    by_address = [one for one in primary.refused if one.source in ours]
    others = [one for one in primary.refused if not is_configured(primary, one) and _apart(one.at, failed.at) <= _TOGETHER]
    found = by_address or (others if failed.reason in ("refused", "notauth") else [])
    return min(found, key=lambda one: _apart(one.at, failed.at)) if found else None


def is_configured(primary: Side, refused: Refused) -> bool:
    """Tell whether a primary has refused one of its own secondaries."""
    return any(host_of(one.address) == refused.source for one in primary.told)


def _apart(one: str, other: str) -> float:
    if not one or not other:
        return float("inf")
    return abs((datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds())


def _seconds_apart(says: str) -> str | None:
    found = re.search(r"(\d+) seconds", says)
    return found[1] if found else None


def _after_peer(says: str) -> str:
    """Return a failure's sentence without the address in front, which is told already."""
    return re.sub(r"^(\[[0-9a-f:]+\]|[0-9.]+):\d+: ", "", says)


def listed(items: Iterable[str]) -> str:
    """Join addresses."""
    return " or ".join(sorted(items))


def sentence(text: str) -> str:
    """Return a text with a capital first and a full stop last; names and addresses keep their spelling."""
    if not re.match(r"\S*[.:]\S", text):
        text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
