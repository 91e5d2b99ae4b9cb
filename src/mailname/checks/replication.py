"""XFER-01 to XFER-05: the zone must get from the primary to each secondary; if not, what stops it is named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dns.rdatatype import RdataType

from mailname.checks.facts import Outcome
from mailname.checks.finding import Evidence, Finding, Severity, evidence_of
from mailname.checks.reading import sight_of
from mailname.checks.wording import clock_time, duration, sentence, spoken, unit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mailname.checks.facts import Facts
    from mailname.checks.reading import Sight
    from mailname.plan import NameServer, Plan
    from mailname.transfer.cause import Cause
    from mailname.transfer.side import Side
    from mailname.zone import Serial

# The stable words of a failed transfer -> the code. What is not here is XFER-05.
_CODES = {
    "refused": "XFER-01",
    "badkey": "XFER-02",
    "badsig": "XFER-02",
    "unsigned": "XFER-02",
    "badtime": "XFER-06",
    "timeout-tcp": "XFER-04",
}
# These say "TCP" only when the SOA question before had come through, that is when a serial was offered.
_TCP_IF_OFFERED = frozenset({"timeout", "connection-refused", "reset", "unreachable"})
# Knot answers NOTAUTH to a transfer that it does not allow: it has the zone, for it told the serial.
_NOT_ALLOWED_IF_OFFERED = "notauth"


@dataclass(frozen=True, slots=True)
class _Lag:
    """A secondary that has not got the primary's version, with what both say about it."""

    server: NameServer
    sight: Sight
    primary: Sight
    held: Serial | None
    wanted: Serial
    status: Mapping[str, Any] | None
    primary_status: Mapping[str, Any] | None

    @property
    def failure(self) -> Mapping[str, Any] | None:
        """The secondary's last failure; it forgets it as soon as a refresh succeeds."""
        return (self.status or {}).get("last_failure")

    @property
    def refusal(self) -> Mapping[str, Any] | None:
        """The last transfer that the primary refused to this secondary."""
        ours = {str(address) for address in self.server.addresses}
        entries = [one for one in (self.primary_status or {}).get("refused", ()) if one["from"] in ours]
        return entries[-1] if entries else None

    @property
    def says(self) -> str:
        """What is there and what is not."""
        holds = f"still has serial {self.held}" if self.held else "does not have the zone"
        return (
            f"{spoken(self.server.name)} ({self.sight.address}) {holds}, {spoken(self.primary.server.name)}"
            f" ({self.primary.address}) has {self.wanted}{self.distance}"
        )

    @property
    def distance(self) -> str:
        """How many serials the primary is ahead (RFC 1982: modulo 2**32); empty where it is not, or there is no copy."""
        if self.held is None or not self.wanted.is_newer_than(self.held):
            return ""
        ahead = (int(self.wanted) - int(self.held)) % 2**32
        return f" ({ahead} serial{'' if ahead == 1 else 's'} ahead)"


def _lags(plan: Plan, facts: Facts) -> Iterator[_Lag]:
    primary = sight_of(plan, facts, plan.primary.name)
    if primary is None or primary.serial is None:
        return
    for server in plan.secondaries:
        sight = sight_of(plan, facts, server.name)
        if sight is None or sight.soa is None:
            continue
        status = facts.status(server.name)
        has_failed = bool(status and status.get("last_failure"))
        expired = bool(status and status.get("state") == "expired")
        is_behind = sight.serial is not None and primary.serial.is_newer_than(sight.serial)
        lag = _Lag(server, sight, primary, sight.serial, primary.serial, status, facts.status(plan.primary.name))
        never_had = sight.serial is None and not expired and (status is not None or lag.refusal is not None)
        # A secondary that is current and can no longer fetch will expire one day: it is told before.
        if is_behind or never_had or has_failed:
            yield lag


def transfer_fails(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find secondaries whose transfers fail, by the reason that they or the primary give."""
    for lag in _lags(plan, facts):
        if lag.failure:
            reason = str(lag.failure["reason"])
            code = _CODES.get(reason, "XFER-05")
            offered = lag.failure.get("offered_serial") is not None
            if offered and reason in _TCP_IF_OFFERED:
                code = "XFER-04"
            elif offered and reason == _NOT_ALLOWED_IF_OFFERED:
                code = "XFER-01"
            yield _failed(plan, facts, lag, code, str(lag.failure["says"]), str(lag.failure.get("remedy") or ""))
        elif lag.refusal and lag.held != lag.wanted:
            reason = str(lag.refusal["reason"])
            code = _CODES.get(reason, "XFER-01")
            yield _failed(plan, facts, lag, code, str(lag.refusal["says"]), "")
        elif _is_stuck_on_tcp(facts, lag):
            yield _failed(plan, facts, lag, "XFER-04", "the transfer was begun and nothing comes over TCP", "")
        elif lag.status is None and lag.held != lag.wanted and (reason := _refused_key(facts, plan)):
            why = f"signed with the key of our key file, the primary answers us {reason.upper()}"
            yield _failed(plan, facts, lag, _CODES[reason], why, "")


def _refused_key(facts: Facts, plan: Plan) -> str:
    """Return how the primary refuses the plan's key when we sign with it; empty where it does not, or was not asked."""
    tried = (one.result for one in facts.transfers if one.key is not None and one.server == plan.primary.name)
    return next((result for result in tried if result in ("badkey", "badsig", "badtime")), "")


def _is_stuck_on_tcp(facts: Facts, lag: _Lag) -> bool:
    """Tell whether TCP to the primary is dead for us as well, or a transfer hangs that should take a moment."""
    if lag.held == lag.wanted:
        return False
    hangs = bool(lag.status and lag.status.get("busy")) and _was_looked_at_twice(facts, lag)
    return hangs or (lag.status is None and lag.primary.tcp not in (None, Outcome.ANSWER))


def _was_looked_at_twice(facts: Facts, lag: _Lag) -> bool:
    key = (lag.sight.address, "udp", facts.domain, RdataType.SOA)
    return sum((p.address, p.transport, p.qname, p.qtype) == key for p in facts.probes if p.rung == "servers") > 1


def _failed(plan: Plan, facts: Facts, lag: _Lag, code: str, why: str, remedy: str) -> Finding:
    secondary, primary = spoken(lag.server.name), spoken(plan.primary.name)
    key = plan.transfer_key
    where, fix = {
        "XFER-01": (
            f"configuration on {primary}",
            f"Allow {secondary} ({lag.sight.address}) to transfer {spoken(plan.domain)} on {primary}, and reload it.",
        ),
        "XFER-02": (
            f"key file on {secondary}",
            f"Put the same key{f' {spoken(key.name)}' if key else ''}, name, algorithm and secret, on {primary} and {secondary},"
            " and reload both.",
        ),
        "XFER-04": (
            f"firewall on {primary}",
            f"Open TCP port 53 on {primary} for {secondary} ({lag.sight.address}); UDP gets through, transfers need TCP.",
        ),
        "XFER-06": (
            f"clocks of {secondary} and {primary}",
            "Look at the clock on both (timedatectl status), and set it (sudo timedatectl set-ntp true).",
        ),
    }.get(code, (f"configuration on {secondary}", sentence(remedy or f"See the log on {secondary} and on {primary}")))
    if told := _told_by_both(plan, lag):
        why = f"{why.rstrip('.')}; {told.code} {told.word}"
        if code == "XFER-05":
            fix = told.remedy
    return Finding(
        code,
        Severity.FRAGILE,
        f"{lag.says}: {_verb(code)} ({why.rstrip('.')}).",
        where,
        fix,
        _retransfer(plan, lag.server),
        _evidence(facts, lag),
        server=lag.server.name,
        addresses=(lag.sight.address,),
    )


def _told_by_both(plan: Plan, lag: _Lag) -> Cause | None:
    """Return the cause that ``mailname status`` names, from the accounts of both sides; None where neither tells."""
    if lag.status is None:
        return None
    from mailname.transfer.diagnosis import cause_at_secondary  # only where a transfer fails
    from mailname.transfer.side import side_of

    def side(server: NameServer, status: Mapping[str, Any]) -> Side:
        return side_of(status, spoken(server.name), map(str, server.addresses))

    primary = side(plan.primary, lag.primary_status) if lag.primary_status else None
    return cause_at_secondary(side(lag.server, lag.status), primary)


def _verb(code: str) -> str:
    return {
        "XFER-01": "the primary refuses it the transfer",
        "XFER-02": "the transfer key is not the same on both",
        "XFER-04": "TCP from the secondary to the primary is blocked",
        "XFER-06": "the clocks of both differ by more than signatures allow",
    }.get(code, "the transfer fails")


def notify_lost(plan: Plan, facts: Facts) -> Iterator[Finding]:
    """Find secondaries that are behind though nothing has failed: they do not know of the new version yet (RFC 1996 3.1)."""
    explained = {finding.server for finding in transfer_fails(plan, facts)}
    for lag in _lags(plan, facts):
        if lag.server.name in explained or lag.held is None or lag.held == lag.wanted or _is_under_way(facts, lag):
            continue
        when = (lag.status or {}).get("refresh_at")
        name, domain = spoken(lag.server.name), spoken(plan.domain)
        if lag.status is None:
            says = (
                f"{lag.says}: the NOTIFY was lost or the transfer fails; it asks again by itself"
                f" within {duration(plan.soa.refresh)}."
            )
        else:
            heard = "no NOTIFY of it has arrived" if not _has_heard(lag) else "it has heard of it and not fetched it yet"
            until = f"; it asks again by itself {_at(facts, str(when))}" if when else ""
            says = f"{lag.says}: {heard}{until}."
        notified = _notified(lag)
        if notified and notified.get("state") != "acknowledged":
            tries = notified.get("tries")
            says = f"{says[:-1]} (NOTIFY to {notified['address']}: {notified['state']}, {tries} tries)."
        builtin = plan.primary.engine == "builtin"
        yield Finding(
            "XFER-03",
            Severity.FRAGILE,
            says,
            "wait",
            f"Wait, or notify {name} again now; if that changes nothing, open UDP port 53 on {name} for the primary"
            f" ({lag.primary.address}).",
            f"mailname notify {domain}" if builtin else _retransfer(plan, lag.server),
            _evidence(facts, lag),
            server=lag.server.name,
            addresses=(lag.sight.address,),
        )


def _has_heard(lag: _Lag) -> bool:
    heard = (lag.status or {}).get("last_notify")
    return heard is not None and heard.get("serial") == int(lag.wanted)


def _notified(lag: _Lag) -> Mapping[str, Any] | None:
    ours = {str(address) for address in lag.server.addresses}
    for one in (lag.primary_status or {}).get("secondaries", ()):
        if str(one["address"]).rpartition(":")[0].strip("[]") in ours:
            return dict(one)
    return None


def _is_under_way(facts: Facts, lag: _Lag) -> bool:
    """Tell whether the secondary knows of the version and is about to have it; after a second look it should."""
    notified = _notified(lag)
    knows = _has_heard(lag) or bool(notified and notified.get("state") == "acknowledged")
    since = (lag.primary_status or {}).get("since")
    if not knows or not since or _was_looked_at_twice(facts, lag):
        return False
    return (facts.at - _time(str(since))).total_seconds() < 5


def _at(facts: Facts, text: str) -> str:
    moment = _time(text)
    left = (moment - facts.at).total_seconds()
    return f"at {clock_time(moment)}, in {duration(left)}" if left > 0 else "any moment"


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _retransfer(plan: Plan, server: NameServer) -> str:
    domain = spoken(plan.domain)
    return {
        "builtin": f"mailname retransfer {domain}",
        "bind": f"sudo rndc retransfer {domain}",
        "knot": f"sudo knotc zone-retransfer {domain}",
        "nsd": f"sudo nsd-control force_transfer {domain}",
    }.get(server.engine, f"journalctl -u {unit(server)} -n 30")


def _evidence(facts: Facts, lag: _Lag) -> tuple[Evidence, ...]:
    probes = [facts.probe(one.address, "udp", facts.domain, RdataType.SOA) or one.soa for one in (lag.primary, lag.sight)]
    pieces = [evidence_of(probe) for probe in probes if probe]
    if lag.failure:
        told = f"{lag.failure['at']} {lag.failure['peer']} {lag.failure['reason']}: {lag.failure['says']}"
        pieces.append(Evidence(f"{lag.server.name} control socket", "status: last failure", told))
    elif lag.refusal:
        told = f"{lag.refusal['at']} {lag.refusal['from']} {lag.refusal['reason']}: {lag.refusal['says']}"
        pieces.append(Evidence(f"{lag.primary.server.name} control socket", "status: refused", told))
    for one in facts.transfers:
        key = f"signed with {one.key}" if one.key is not None else "without a key"
        result = one.result if one.serial is None else f"{one.result}, serial {one.serial}"
        pieces.append(Evidence(f"{one.server} {one.address} tcp", f"{facts.domain} {one.question} from here, {key}", result))
    return tuple(pieces)
