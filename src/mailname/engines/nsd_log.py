"""What nsd logs of a zone, as far as it tells why a copy is, or is not, in step. Pure; the newest line comes last."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from mailname.engines.told_status import refusal
from mailname.engines.zone_log import Stamps, ZoneLog
from mailname.engines.zone_log import peer as peer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from dns.name import Name

_LINE = re.compile(
    r"(?:\[(\d+)\]|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)) \S+) nsd\[\d+\]: "
    r"(?:(?:debug|info|notice|warning|error): )?(.*)"
)
_PEER = r"(\S+?)@(\d+)"
_RECEIVED = re.compile(
    rf"zone (\S+) received update to serial (\d+) at \S+ from {_PEER}(?: TSIG verified with key \S+)?"
    r" of (\d+) bytes in (\S+) seconds"
)
_ERROR_CODE = re.compile(rf"xfrd: zone (\S+) received error code (.+) from {_PEER}")
_BAD_ANSWER = re.compile(rf"xfrd: zone (\S+), from {_PEER}: (.*)")
_CONNECT = re.compile(rf"(\S+): Could not tcp connect to {_PEER}: (.*)")
_OLD = re.compile(rf"xfrd: zone (\S+) ignoring old serial \((.*)\) from {_PEER}")
_NOTIFIED = re.compile(r"notify for (\S+) from (\S+?)(?: serial (\d+))?$")
_DENIED = re.compile(r"(notify|axfr|ixfr) for (\S+) from (\S+) refused, (.*)")
#: As we configure it, NSD sends the whole zone to who asks for what changed, too.
_SENT = re.compile(r"[ai]xfr for (\S+) from (\S+)$")
_SIGNATURE = re.compile(r"query: bad tsig (?:signature|\((.*)\)) for key (\S+) from (\S+)")
_NOTIFY_ERROR = re.compile(rf"xfrd: zone (\S+): received notify response error (.+) from {_PEER}")
_NOTIFY_LOST = re.compile(rf"xfrd: zone (\S+): max notify send count reached, {_PEER} unreachable")
_READ = re.compile(r"zone (\S+) (?:read with success|serial \d+ is updated to \d+)")
_FILE = re.compile(r"(?:zone (\S+) file )?(/.*?)(?::(\d+): (.*)| read with \d+ errors)$")
#: NSD's words for rcodes -> ours.
_RCODES = {"SERVER NOT AUTHORITATIVE FOR ZONE": "NOTAUTH"}
#: What a failure says -> our stable word for it.
_REASONS = (
    ("tsig error (Bad Time", "badtime"),
    ("tsig", "key-rejected"),
    ("TSIG", "key-rejected"),
    ("REFUSED", "refused"),
    ("NOTAUTH", "notauth"),
    ("SERVFAIL", "servfail"),
    ("refused", "connection-refused"),
    ("timed out", "timeout-tcp"),
    ("unreachable", "unreachable"),
    ("reset", "reset"),
)


def read_log(text: str, files: Mapping[Name, Path]) -> dict[Name, ZoneLog]:
    """Read the end of a log.

    Args:
        text: lines with seconds since 1970 in front (``log-time-ascii: no``), or as ``journalctl -o short-iso-precise`` has them.
        files: the zones of which it is to be told, and where their text lies.

    """
    logs = {zone: ZoneLog() for zone in files}
    reading = _Reading({zone.to_text().lower(): logs[zone] for zone in files}, {str(files[zone]): logs[zone] for zone in files})
    stamps = Stamps()
    for line in text.splitlines():
        if (found := _LINE.match(line)) is None:
            continue
        at = datetime.fromtimestamp(int(found[1]), UTC) if found[1] else datetime.fromisoformat(found[2])
        reading.line(stamps.iso(at), found[3])
    return logs


class _Reading:
    """Reads line after line into the logs of the zones."""

    def __init__(self, by_name: dict[str, ZoneLog], by_file: dict[str, ZoneLog]) -> None:
        self._by_name, self._by_file = by_name, by_file
        self._readers: tuple[Callable[[str, str], bool], ...] = (
            self._received,
            self._failed,
            self._asked,
            self._told,
            self._zone,
        )

    def line(self, at: str, says: str) -> None:
        """Read one line."""
        any(read(at, says) for read in self._readers)

    def _of(self, name: str) -> ZoneLog:
        """Return the log of a zone; of another one than ours, one that nobody reads."""
        return self._by_name.get(f"{name.rstrip('.').lower()}.", ZoneLog())

    def _all(self) -> Iterable[ZoneLog]:
        return self._by_name.values()

    def _received(self, at: str, says: str) -> bool:
        if (found := _RECEIVED.match(says)) is None:
            return False
        log, seconds = self._of(found[1]), float(found[6])
        got = {"at": at, "peer": peer_of(found[3], found[4]), "kind": "transfer", "serial": int(found[2])}
        log.last_transfer = got | {"octets": int(found[5]), "seconds": seconds}
        log.last_failure = None
        return True

    def _failed(self, at: str, says: str) -> bool:
        if (found := _ERROR_CODE.match(says)) is not None:
            rcode, peer = _RCODES.get(found[2], found[2]), peer_of(found[3], found[4])
            self._of(found[1]).failed(at, f"{peer} answers {rcode}", peer, _reason(rcode))
        elif (found := _BAD_ANSWER.match(says) or _CONNECT.match(says)) is not None:
            peer = peer_of(found[2], found[3])
            self._of(found[1]).failed(at, f"{peer}: {found[4]}", peer, _reason(found[4]))
        elif (found := _OLD.match(says)) is not None:
            told = f"the serial of the primary is not newer than the one here ({found[2]})"
            self._of(found[1]).failed(at, told, peer_of(found[3], found[4]), "serial-not-higher", offered_serial=None)
        else:
            return False
        return True

    def _asked(self, at: str, says: str) -> bool:
        """Read what others wanted of it: a NOTIFY, a transfer, and why they did not get it."""
        if (found := _DENIED.match(says)) is not None:
            log, told = self._of(found[2]), f"{found[1]} from {found[3]} refused: {found[4].strip()}"
            if found[1] == "notify":
                log.notify_refused = {"at": at, "from": found[3], "says": told}
            else:
                log.refused.append(refusal(found[3], "refused", told, at))
        elif (found := _SIGNATURE.match(says)) is not None:  # it names no zone: it is noted for each
            reason = _bad(found[1] or "")
            told = f"the signature with the key {found[2].rstrip('.')} fails: {reason.upper()}"
            for log in self._all():
                log.refused.append(refusal(found[3], reason, told, at))
        elif (found := _NOTIFIED.match(says)) is not None:
            self._of(found[1]).last_notify = {"at": at, "from": found[2], "serial": int(found[3]) if found[3] else None}
        elif (found := _SENT.match(says)) is not None:
            log = self._of(found[1])
            log.fetched[found[2]] = {"at": at, "kind": "AXFR", "serial_to": None, "octets": 0, "seconds": 0.0}
            log.refused = [one for one in log.refused if one["from"] != found[2]]
        else:
            return False
        return True

    def _told(self, at: str, says: str) -> bool:
        """Read how its own NOTIFY went; that one was taken is not logged."""
        if (found := _NOTIFY_ERROR.match(says)) is not None:
            what = f"answers {_RCODES.get(found[2], found[2])}"
        elif (found := _NOTIFY_LOST.match(says)) is not None:
            what = "no answer"
        else:
            return False
        log, *to = self._of(found[1]), found[found.re.groups - 1], found[found.re.groups]
        place = to[0] if to[1] == "53" else peer_of(to[0], to[1])
        if what != "no answer" or place not in log.not_taken:
            log.not_taken[place], log.not_taken_at[place] = what, at
        return True

    def _zone(self, at: str, says: str) -> bool:
        if (found := _READ.match(says)) is not None:
            log = self._of(found[1])
            log.problem, log.loaded_at = "", at
            log.not_taken.clear()  # they are told again
        elif (found := _FILE.match(says)) is not None and (log := self._by_file.get(found[2], ZoneLog())):
            log.problem, log.problem_at = (says if found[4] else log.problem or says), at
        else:
            return False
        return True


def _reason(says: str) -> str:
    return next((word for mark, word in _REASONS if mark in says), "other")


def _bad(says: str) -> str:
    """Return the fault of a signature as the others name it: NSD gives the error's text, or none for a wrong one."""
    words = says.lower()
    return "badkey" if "key" in words else "badtime" if "time" in words else "badsig"
