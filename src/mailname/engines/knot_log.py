"""What knotd logs of a zone, as far as it tells why a copy is, or is not, in step. Pure; the newest line comes last."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from mailname.engines.told_status import refusal
from mailname.engines.zone_log import Stamps, ZoneLog
from mailname.engines.zone_log import peer as peer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dns.name import Name

_LINE = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)) (?:\S+ knotd\[\d+\]: )?"
    r"(?:(?:debug|info|notice|warning|error|critical): )?\[(\S+)\] (.*)"
)
_PEER = r"remote (?:\S+, address )?(\S+?)@(\d+)"
_TRY = re.compile(
    rf"(refresh|AXFR, incoming|IXFR, incoming), {_PEER}, (?:failed \((.*)\)|server responded with error '(\S+)'|"
    r"(malformed .*|remote is expired.*))"
)
_BEHIND = re.compile(rf"refresh, {_PEER}, remote serial (\d+), remote is outdated")
_IN_STEP = re.compile(rf"refresh, {_PEER}, .*zone is up-to-date")
_FETCHED = re.compile(rf"([AI]XFR), incoming, {_PEER}, finished, ([\d.]+) seconds, (\d+) messages?, (\d+) bytes")
_UPDATED = re.compile(rf"refresh, {_PEER}, zone updated, ([\d.]+) seconds, serial (?:none|\d+) -> (\d+)")
_NOTIFIED = re.compile(rf"notify, incoming, {_PEER}, serial (\d+|none)")
_NOTIFY = re.compile(rf"notify, outgoing, {_PEER}, (.*)")
_SENDING = re.compile(rf"([AI]XFR), outgoing, {_PEER}, started, serial (?:\d+ -> )?(\d+)")
_SENT = re.compile(rf"([AI]XFR), outgoing, {_PEER}, finished, ([\d.]+) seconds, \d+ messages?, (\d+) bytes")
_ACCESS = re.compile(rf"ACL, (allowed|denied), action (\w+), {_PEER}, key (?:'(\S+)'|none)")
_BAD_SIGNATURE = re.compile(r"TSIG, key '(\S+)', verification failed '(\w+)'")
_LOADED = re.compile(r"loaded, serial (?:none|\d+) -> (\d+)")
#: What a failure says -> our stable word for it.
_REASONS = (
    ("TSIG", "key-rejected"),
    ("BADKEY", "key-rejected"),
    ("BADSIG", "key-rejected"),
    ("BADTIME", "badtime"),
    ("REFUSED", "refused"),
    ("NOTAUTH", "notauth"),
    ("SERVFAIL", "servfail"),
    ("connection refused", "connection-refused"),
    ("timeout", "timeout-tcp"),
    ("timed out", "timeout-tcp"),
    ("unreachable", "unreachable"),
    ("connection reset", "reset"),
    ("expired", "servfail"),
    ("malformed", "malformed"),
)


@dataclass(slots=True)
class _Reading:
    """The log of one zone, and what the lines before said of it."""

    log: ZoneLog = field(default_factory=ZoneLog)
    fetching: dict[str, object] = field(default_factory=dict)
    sending: dict[str, int] = field(default_factory=dict)
    asked_by: str = ""


def read_log(text: str, zones: Iterable[Name]) -> dict[Name, ZoneLog]:
    """Read the end of a log.

    Args:
        text: lines as Knot writes them into a file, or as ``journalctl -o short-iso-precise`` does.
        zones: of which it is to be told.

    """
    names = {zone.to_text().lower(): zone for zone in zones}
    readings = {name: _Reading() for name in names}
    stamps = Stamps()
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None or (reading := readings.get(found[2].lower())) is None:
            continue
        at = stamps.iso(datetime.fromisoformat(found[1]))
        for read in _READERS:
            if read(at, found[3], reading):
                break
    return {zone: readings[name].log for name, zone in names.items()}


def _reason(says: str) -> str:
    return next((word for mark, word in _REASONS if mark in says), "other")


def _read_try(at: str, says: str, reading: _Reading) -> bool:
    if (found := _TRY.match(says)) is None:
        return False
    peer = peer_of(found[2], found[3])
    told = found[4] or found[5] or found[6]
    said = f"{peer} answers {told}" if found[5] else f"{peer}: {told}"
    reading.log.failed(at, said, peer, _reason(told))
    return True


def _read_behind(at: str, says: str, reading: _Reading) -> bool:
    if (found := _BEHIND.match(says)) is None:
        return False
    told = f"serial {found[3]} of the primary is not newer than the one here"
    reading.log.failed(at, told, peer_of(found[1], found[2]), "serial-not-higher", offered_serial=int(found[3]))
    return True


def _read_refresh(at: str, says: str, reading: _Reading) -> bool:
    """Read a transfer that came, and that there was none to do."""
    log = reading.log
    if (found := _FETCHED.match(says)) is not None:
        reading.fetching = {"kind": found[1], "messages": int(found[5]), "octets": int(found[6])}
    elif (found := _UPDATED.match(says)) is not None:
        peer = peer_of(found[1], found[2])
        more = {"kind": "transfer"} | reading.fetching
        log.last_transfer = {"at": at, "peer": peer, "serial": int(found[4]), "seconds": float(found[3]), **more}
        log.last_failure, log.expired, log.problem, log.loaded_at = None, False, "", at
    elif _IN_STEP.match(says) is not None:
        log.last_failure = None
    else:
        return False
    return True


def _read_notify(at: str, says: str, reading: _Reading) -> bool:
    log = reading.log
    if (found := _NOTIFIED.match(says)) is not None:
        serial = int(found[3]) if found[3].isdecimal() else None
        log.last_notify = {"at": at, "from": found[1], "serial": serial}
        return True
    if (found := _NOTIFY.match(says)) is None:
        return False
    to, told = (found[1] if found[2] == "53" else peer_of(found[1], found[2])), found[3]
    if (rcode := re.match(r"server responded with error '(\S+)'", told)) is not None:
        log.not_taken[to], log.not_taken_at[to] = f"answers {rcode[1]}", at
    elif (failed := re.match(r"failed \((.*)\)", told)) is not None:
        log.not_taken[to], log.not_taken_at[to] = failed[1], at
    else:
        log.not_taken.pop(to, None)
    return True


def _read_sent(at: str, says: str, reading: _Reading) -> bool:
    if (found := _SENDING.match(says)) is not None:
        reading.sending[peer_of(found[2], found[3])] = int(found[4])
        return True
    if (found := _SENT.match(says)) is None:
        return False
    serial = reading.sending.pop(peer_of(found[2], found[3]), None)
    if serial is not None:
        sent = {"at": at, "kind": found[1], "serial_to": serial, "octets": int(found[5]), "seconds": float(found[4])}
        reading.log.fetched[found[2]] = sent
        reading.log.refused = [one for one in reading.log.refused if one["from"] != found[2]]
    return True


def _read_access(at: str, says: str, reading: _Reading) -> bool:
    log = reading.log
    if (found := _ACCESS.match(says)) is not None:
        reading.asked_by = found[3]
        if found[1] == "denied":
            key = f"with the key {found[5].rstrip('.')}" if found[5] else "it must sign with the key"
            told = f"the ACL does not let {found[3]} {found[2]}: {key}"
            if found[2] == "notify":
                log.notify_refused = {"at": at, "from": found[3], "says": told}
            else:
                log.refused.append(refusal(found[3], "refused", told, at))
        return True
    if (found := _BAD_SIGNATURE.match(says)) is None:
        return False
    told = f"the signature with the key {found[1].rstrip('.')} fails: {found[2]}"
    log.refused.append(refusal(reading.asked_by, found[2].lower(), told, at))
    return True


def _read_zone(at: str, says: str, reading: _Reading) -> bool:
    log = reading.log
    if _LOADED.match(says) is not None:
        log.problem, log.expired, log.loaded_at = "", False, at
    elif says == "zone expired":
        log.expired = True
    elif says.startswith(("zone loader, error", "zone file changed with decreased SOA serial")):
        log.problem, log.problem_at = says, at
    elif says.startswith("zone event 'load' failed"):
        log.problem, log.problem_at = log.problem or says, at
    else:
        return False
    return True


_READERS: tuple[Callable[[str, str, _Reading], bool], ...] = (
    _read_try,
    _read_behind,
    _read_refresh,
    _read_notify,
    _read_sent,
    _read_access,
    _read_zone,
)
