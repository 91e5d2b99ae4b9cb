"""What named logs of a zone, as far as it tells why a copy is, or is not, in step. Pure; the newest line comes last."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from mailname.engines.told_status import refusal
from mailname.engines.zone_log import ZoneLog, iso
from mailname.engines.zone_log import peer as peer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from dns.name import Name

_LINE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)) (?:\S+ named\[\d+\]: )?(.*)")
_PEER = r"(\S+?)#(\d+)"
_OUR_TRY = re.compile(
    rf"zone (\S+)/IN(?:/\S+)?: refresh: (?:failure trying primary|unexpected rcode \((\w+)\) from primary|"
    rf"non-authoritative answer from primary|retry limit for primary) {_PEER}(?: exceeded)? \(source (\S+?)#\d+\)(?:: (.*))?"
)
_TRANSFER = re.compile(rf"transfer of '(\S+)/IN(?:/\S+)?' from {_PEER}: (.*)")
_COMPLETED = re.compile(r"Transfer completed: (\d+) messages?, (\d+) records?, (\d+) bytes, ([\d.]+) secs .*\(serial (\d+)\)")
_LOWER = re.compile(rf"zone (\S+)/IN(?:/\S+)?: serial number \((\d+)\) received from primary {_PEER} < ours \((\d+)\)")
_CLIENT = r"client (?:@\S+ )?(\S+?)#\d+(?:/key (\S+))?"
_BAD_SIGNATURE = re.compile(rf"{_CLIENT}(?: \(\S+\))?: request has invalid signature: TSIG (\S+): .*\((BAD\w+)\)")
_DENIED = re.compile(rf"{_CLIENT} \((\S+)\): zone transfer '(\S+)/[AI]XFR/IN' denied")
_ENDED = re.compile(
    rf"{_CLIENT} \((\S+)\): transfer of '(\S+)/IN(?:/\S+)?': ([AI]XFR)(?:-style IXFR)? ended: "
    r"\d+ messages?, \d+ records?, (\d+) bytes, ([\d.]+) secs .*\(serial (?:\d+ -> )?(\d+)\)"
)
_NOT_TAKEN = re.compile(rf"zone (\S+)/IN(?:/\S+)?: notify (?:response from|to) {_PEER}(?: failed)?: (.*)")
_STRANGER = re.compile(rf"zone (\S+)/IN(?:/\S+)?: refused notify from non-primary: {_PEER}")
_ZONE = re.compile(r"zone (\S+)/IN(?:/\S+)?: (.*)")
_LOADED = re.compile(r"loaded serial (\d+)|transferred serial (\d+)")
#: What a transfer's or a refresh's failure says -> our stable word for it.
_REASONS = (
    ("tsig verify failure", "key-rejected"),
    ("tsig indicates error", "key-rejected"),
    ("expected a TSIG", "unsigned"),
    ("clocks are unsynchronized", "badtime"),
    ("REFUSED", "refused"),
    ("NOTAUTH", "notauth"),
    ("SERVFAIL", "servfail"),
    ("connection refused", "connection-refused"),
    ("timed out", "timeout-udp"),
    ("retry limit", "timeout-udp"),
    ("unreachable", "unreachable"),
    ("permission denied", "unreachable"),
    ("address not available", "unreachable"),
    ("non-authoritative", "not-authoritative"),
    ("connection reset", "reset"),
    ("end of file", "reset"),
    ("unexpected end", "reset"),
    ("FORMERR", "malformed"),
    ("not at top of zone", "malformed"),
)


def read_log(text: str, zones: Iterable[Name]) -> dict[Name, ZoneLog]:
    """Read the end of a log.

    Args:
        text: lines with the time in front, as ``print-time iso8601-utc`` or ``journalctl -o short-iso`` write it.
        zones: of which it is to be told.

    """
    names = {zone.to_text(omit_final_dot=True).lower(): zone for zone in zones}
    logs = {zone: ZoneLog() for zone in names.values()}
    by_name = {name: logs[zone] for name, zone in names.items()}
    for line in text.splitlines():
        if (found := _LINE.match(line)) is not None:
            at, says = iso(datetime.fromisoformat(found[1])), found[2]
            for read in _READERS:
                if read(at, says, by_name):
                    break
    return logs


def _of(name: str, logs: Mapping[str, ZoneLog]) -> ZoneLog | None:
    return logs.get(name.rstrip(".").lower())


def _reason(says: str) -> str:
    return next((word for mark, word in _REASONS if mark in says), "other")


def _read_try(at: str, says: str, logs: Mapping[str, ZoneLog]) -> bool:
    if (found := _OUR_TRY.match(says)) is None:
        return False
    if (log := _of(found[1], logs)) is not None:
        rcode, source, peer = found[2], found[5], peer_of(found[3], found[4])
        told = rcode or found[6] or ("non-authoritative answer" if "non-authoritative" in says else "retry limit: no answer")
        said = f"{peer} answers {rcode}" if rcode else f"{peer}: {told}"
        asked_from = None if source.strip("0.:") == "" else source
        log.failed(at, said, peer, _reason(told), asked_from=asked_from)
    return True


def _read_transfer(at: str, says: str, logs: Mapping[str, ZoneLog]) -> bool:
    if (found := _TRANSFER.match(says)) is None:
        return False
    log, peer, told = _of(found[1], logs), peer_of(found[2], found[3]), found[4]
    if log is None:
        return True
    if (done := _COMPLETED.match(told)) is not None:
        counts = {"messages": int(done[1]), "records": int(done[2]), "octets": int(done[3]), "seconds": float(done[4])}
        failed = log.last_failure is not None and log.last_failure["at"] == at  # the totals of one that failed
        if not failed and int(done[2]):
            log.last_transfer = {"at": at, "peer": peer, "kind": "transfer", "serial": int(done[5]), **counts}
            log.last_failure, log.expired = None, False
    elif told.startswith(("failed", "Transfer status:", "resetting")) and "success" not in told and "up to date" not in told:
        why = told.rpartition(": ")[2]
        reason = _reason(why)
        log.failed(at, f"{peer}: {told}", peer, "timeout-tcp" if reason == "timeout-udp" else reason, offered_serial=None)
    return True


def _read_lower(at: str, says: str, logs: Mapping[str, ZoneLog]) -> bool:
    if (found := _LOWER.match(says)) is None:
        return False
    if (log := _of(found[1], logs)) is not None:
        told = f"serial {found[2]} of the primary is not newer than {found[5]} here"
        log.failed(at, told, peer_of(found[3], found[4]), "serial-not-higher", offered_serial=int(found[2]))
    return True


def _read_bad_signature(at: str, says: str, logs: Mapping[str, ZoneLog]) -> bool:
    """Read a refusal that names no zone: it is noted for each."""
    if (found := _BAD_SIGNATURE.match(says)) is None:
        return False
    for log in logs.values():
        log.refused.append(refusal(found[1], found[4].lower(), f"the signature with the key {found[3]} fails: {found[4]}", at))
    return True


def _read_denied(at: str, says: str, logs: Mapping[str, ZoneLog]) -> bool:
    if (found := _DENIED.match(says)) is None:
        return False
    if (log := _of(found[4], logs)) is not None:
        key = f"with the key {found[2]}" if found[2] else "it must sign with the key"
        log.refused.append(refusal(found[1], "refused", f"allow-transfer does not let {found[1]}: {key}", at))
    return True


def _read_ended(at: str, says: str, logs: Mapping[str, ZoneLog]) -> bool:
    if (found := _ENDED.match(says)) is None:
        return False
    if (log := _of(found[4], logs)) is not None:
        log.fetched[found[1]] = {
            "at": at,
            "kind": found[5],
            "serial_to": int(found[8]),
            "octets": int(found[6]),
            "seconds": float(found[7]),
        }
        log.refused = [one for one in log.refused if one["from"] != found[1]]
        log.not_taken.pop(found[1], None)
    return True


def _read_not_taken(_at: str, says: str, logs: Mapping[str, ZoneLog]) -> bool:
    if (found := _NOT_TAKEN.match(says)) is None:
        return False
    if (log := _of(found[1], logs)) is not None:
        log.not_taken[found[2]] = f"answers {found[4]}" if found[4].isupper() else found[4]
    return True


def _read_stranger(at: str, says: str, logs: Mapping[str, ZoneLog]) -> bool:
    if (found := _STRANGER.match(says)) is None:
        return False
    if (log := _of(found[1], logs)) is not None:
        log.notify_refused = {"at": at, "from": found[2], "says": "it is no primary of the zone"}
    return True


def _read_zone(at: str, says: str, logs: Mapping[str, ZoneLog]) -> bool:
    found = _ZONE.match(says)
    log = _of(found[1], logs) if found is not None else None
    if found is None or log is None:
        return False
    told = found[2]
    if _LOADED.match(told):
        log.problem, log.expired = "", False
        if told.startswith("transferred"):
            log.last_failure = None
    elif told == "expired":
        log.expired = True
    elif told.startswith(("loading from", "ixfr-from-differences: new serial", "zone serial")) and "unchanged" not in told:
        log.problem, log.problem_at = told, at
    elif told.startswith("notify from "):
        sender, _, serial = told.removeprefix("notify from ").partition(": serial ")
        number = int(serial) if serial.isdecimal() else None
        log.last_notify = {"at": at, "from": sender.partition("#")[0], "serial": number}
    elif told.startswith("refresh: success") or "up to date" in told:
        log.last_failure = None
    return True


_READERS: tuple[Callable[[str, str, Mapping[str, ZoneLog]], bool], ...] = (
    _read_try,
    _read_transfer,
    _read_lower,
    _read_bad_signature,
    _read_denied,
    _read_ended,
    _read_not_taken,
    _read_stranger,
    _read_zone,
)
