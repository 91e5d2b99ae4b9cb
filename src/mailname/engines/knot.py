"""Knot DNS 3.2 and newer: its configuration from a plan, and the commands that drive it.

Each plan has a file with its zones; a few lines of any ``knot.conf`` include it, our keys, and what holds for all plans.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailname.engines.engine import Installed, debian_places, refuse_updates
from mailname.engines.knot_config import CONFIG, include_lines, included, shared, whole, zone_file
from mailname.engines.knot_status import read_status, read_traffic
from mailname.engines.several_plans import CHECKED, SHARED
from mailname.wire.tsig_key import HASHES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name

    from mailname.engines.engine import Order, Places, Words
    from mailname.engines.told_traffic import Traffic
    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.network import IPAddress
    from mailname.server.program import Ran
    from mailname.wire.tsig_key import Key

_DEBIAN = Path("/etc/knot/mailname")
_LOG_LINES = 4000
_WORDS: dict[Order, str] = {
    "reload": "zone-reload",
    "configure": "reload",
    "retransfer": "zone-retransfer",
    "refresh": "zone-refresh",
    "notify": "zone-notify",
    "stop": "stop",
}
#: Knot's own reader of zone files, for one file that is not in its place yet: a configuration of that zone alone names it.
_CHECK_ZONE = """\
printf 'server:\\n  rundir: "%s"\\ndatabase:\\n  storage: "%s"\\nzone:\\n  - domain: "%s"\\n    file: "%s"\\n' \
"${2%/*}" "${2%/*}" "$1" "$2" > "$2.conf" && knotc -c "$2.conf" zone-check "$1"
code=$?; rm -f "$2.conf"; exit $code"""


class Knot:
    """CZ.NIC's knotd."""

    name = "knot"
    packages: tuple[str, ...] = ("knot",)
    unit = "knot"
    user = "knot"
    comment = "#"
    listing: tuple[str, ...] = ("knotc", "zone-status", "+role")
    listed = r"^\[(\S+)\]"
    writes_catalog = False

    def placed(self, addresses: tuple[IPAddress, ...], key: str | None) -> Places:
        """Return where Debian's package has its things."""
        return debian_places(_DEBIAN, Path("/var/lib/knot/mailname"), Path("/var/lib/knot/mailname-zones"), addresses, key)

    def render(self, plan: Plan, server: NameServer, places: Places) -> Mapping[Path, str]:
        """Return the plan's file, and where the whole server is ours, ``knot.conf``."""
        refuse_updates(plan, server, "publishing would lose what Knot was told")
        found = included(plan, server, places)
        if places.is_whole:
            found[CONFIG] = whole(places)
        return found

    def installed(self, plan: Plan, server: NameServer, places: Places, others: Iterable[str] = ()) -> Installed:
        """Return the lines for ``knot.conf``: what we include says where it listens, too."""
        file = places.folder / SHARED
        lines = include_lines(plan, server, places, file)
        return Installed(Path("/etc/knot/knot.conf"), lines, shared=(file, shared(server, places, others)))

    def program(self, places: Places) -> Words:
        """Return what starts it in the foreground."""
        return ("knotd", "-c", str(places.folder / CONFIG))

    def own_keys(self, places: Places) -> Mapping[Path, Name]:
        """Return nothing: orders go through a socket that only its user may open."""
        del places
        return {}

    def key_text(self, keys: Iterable[Key]) -> str:
        """Return the section ``key``."""
        return "key:\n" + "".join(
            f"  - id: {key.name.to_text()}\n    algorithm: {_algorithm(key)}\n"
            f'    secret: "{base64.b64encode(key.secret).decode()}"\n'
            for key in keys
        )

    def zone_file(self, server: NameServer, places: Places, apex: Name) -> Path:
        """Return where a zone's text lies."""
        return zone_file(server, places, apex)

    def check(self, places: Places, *, zones: bool = True) -> tuple[Words, ...]:
        """Return ``knotc conf-check``, and with the zones ``knotc zone-check``."""
        knotc = ("knotc", "-c", str(places.folder / (CONFIG if places.is_whole else CHECKED)))
        return ((*knotc, "conf-check"), *(((*knotc, "zone-check"),) if zones else ()))

    def check_zone(self, apex: Name, file: Path) -> Words:
        """Return ``knotc zone-check`` of that file."""
        return ("sh", "-c", _CHECK_ZONE, "knotc zone-check", apex.to_text(), str(file))

    def order(self, places: Places, do: Order, apex: Name | None = None) -> tuple[Words, ...]:
        """Return the words for ``knotc``. With ``configure``, all that others have written around our file is checked as well."""
        zone = () if apex is None else (apex.to_text(),)
        words = self._knotc(places, _WORDS[do], *zone)
        return (self._knotc(places, "conf-check"), words) if do == "configure" else (words,)

    def _knotc(self, places: Places, *words: str) -> Words:
        return ("knotc", *(("-c", str(places.folder / CONFIG)) if places.is_whole else ()), *words)

    def questions(self, places: Places, zones: Iterable[Name]) -> Mapping[str, Words]:
        """Return ``knotc status``, ``knotc zone-status``, what time it is there, and the end of its log."""
        asked = [zone.to_text() for zone in zones]
        journal = ("journalctl", "-q", "--no-pager", "-u", self.unit, "-o", "short-iso-precise", "-n", str(_LOG_LINES))
        return {
            "server": self._knotc(places, "status", "version"),
            # All of them in one answer: one that it does not have would be an error.
            "zones": self._knotc(places, "zone-status", *(asked if len(asked) == 1 else ())),
            "clock": ("date", "+%s"),
            "log": ("tail", "-n", str(_LOG_LINES), str(places.log)) if places.log is not None else journal,
        }

    def status(
        self, plan: Plan, server: NameServer, places: Places, zones: Iterable[Name], told: Mapping[str, Ran]
    ) -> dict[str, Any]:
        """Read what knotc and the log told."""
        return read_status(plan, server, places, {zone: self.zone_file(server, places, zone) for zone in zones}, told)

    def counting(self, places: Places) -> Mapping[str, Words]:
        """Return ``knotc zone-stats`` for all zones, and when Knot's process was started."""
        process = (places.state if places.is_whole else Path("/run/knot")) / "knot.pid"
        return {
            "stats": self._knotc(places, "zone-stats", "--"),
            "started": ("sh", "-c", 'stat -c %Y "/proc/$(cat "$1")"', "sh", str(process)),
        }

    def counters(self, told: Mapping[str, Ran]) -> Traffic:
        """Return the counts; Knot does not count the questions for what it does not serve."""
        return read_traffic(*(told[name].output.decode("utf-8", "replace") for name in ("stats", "started")))


def _algorithm(key: Key) -> str:
    return f"hmac-{HASHES[key.algorithm][0]}"
