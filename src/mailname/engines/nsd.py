"""NSD 4.6 and newer: its configuration from a plan, and the commands that drive it.

Each plan has a file with its zones; a few lines of any ``nsd.conf`` include it, our keys, and what holds for all plans. NSD tells
no serial of a zone that it is primary of: it is asked for that as anybody may, with ``dig``.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailname.engines.engine import Installed, debian_places, refuse_updates
from mailname.engines.nsd_config import CONFIG, INCLUDED, include_lines, included, shared, whole, zone_file
from mailname.engines.nsd_status import read_status, read_traffic
from mailname.engines.several_plans import CHECKED, SHARED, plan_file
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

_DEBIAN = Path("/etc/nsd/mailname")
_LOG_LINES = 4000
_WORDS: dict[Order, str] = {
    "reload": "reload",
    "configure": "reconfig",
    "retransfer": "force_transfer",
    "refresh": "transfer",
    "notify": "notify",
    "stop": "stop",
}
#: Where it listens is in what was rendered, also behind a provider's address translation.
_ASK = """\
at=$(sed -n 's/^  ip-address: //p' "$1" | head -n 1); at=${at:-127.0.0.1@53}; shift
exec dig +noall +answer +norecurse +time=2 +tries=1 -p "${at##*@}" "@${at%@*}" "$@\""""


class Nsd:
    """NLnet Labs' nsd."""

    name = "nsd"
    packages: tuple[str, ...] = ("nsd", "bind9-dnsutils")  # the second has dig
    unit = "nsd"
    user = "nsd"
    comment = "#"
    listing: tuple[str, ...] = ("nsd-control", "zonestatus")
    listed = r"^zone:\s+(\S+)"
    writes_catalog = False

    def placed(self, addresses: tuple[IPAddress, ...], key: str | None) -> Places:
        """Return where Debian's package has its things; its unit lets it write to few other places."""
        return debian_places(
            _DEBIAN,
            Path("/var/lib/nsd/mailname"),
            Path("/var/lib/nsd/mailname-zones"),
            addresses,
            key,
            Path("/run/nsd/mailname.ctl"),
        )

    def render(self, plan: Plan, server: NameServer, places: Places) -> Mapping[Path, str]:
        """Return the plan's file, and where the whole server is ours, ``nsd.conf``."""
        refuse_updates(plan, server, "NSD takes no dynamic updates")
        found = {plan_file(plan, server, places): included(plan, server, places)}
        if places.is_whole:
            found[CONFIG] = whole(places)
        return found

    def installed(self, plan: Plan, server: NameServer, places: Places, others: Iterable[str] = ()) -> Installed:
        """Return the lines for ``nsd.conf``: what we include says where it listens, too."""
        file = places.folder / SHARED
        lines = include_lines(plan, server, places, file)
        return Installed(Path("/etc/nsd/nsd.conf"), lines, shared=(file, shared(server, places, others)))

    def program(self, places: Places) -> Words:
        """Return what starts it in the foreground."""
        return ("nsd", "-d", "-P", "", "-c", str(places.folder / CONFIG))

    def own_keys(self, places: Places) -> Mapping[Path, Name]:
        """Return nothing: orders go through a socket that only its user may open."""
        del places
        return {}

    def key_text(self, keys: Iterable[Key]) -> str:
        """Return a ``key`` clause for each."""
        return "".join(
            f'key:\n  name: "{key.name.to_text()}"\n  algorithm: hmac-{HASHES[key.algorithm][0]}\n'
            f'  secret: "{base64.b64encode(key.secret).decode()}"\n'
            for key in keys
        )

    def zone_file(self, server: NameServer, places: Places, apex: Name) -> Path:
        """Return where a zone's text lies."""
        return zone_file(server, places, apex)

    def check(self, places: Places, *, zones: bool = True) -> tuple[Words, ...]:
        """Return ``nsd-checkconf``; each zone file passes ``nsd-checkzone`` before it is written."""
        del zones
        return (("nsd-checkconf", str(places.folder / (CONFIG if places.is_whole else CHECKED))),)

    def check_zone(self, apex: Name, file: Path) -> Words:
        """Return ``nsd-checkzone``."""
        return ("nsd-checkzone", apex.to_text(), str(file))

    def order(self, places: Places, do: Order, apex: Name | None = None) -> tuple[Words, ...]:
        """Return the words for ``nsd-control``. With ``configure``, all that others have written is checked as well."""
        zone = () if apex is None else (apex.to_text(omit_final_dot=True),)
        words = self._control(places, _WORDS[do], *zone)
        if do == "configure" and not places.is_whole:
            return (("nsd-checkconf", "/etc/nsd/nsd.conf"), words)
        return (words,)

    def _control(self, places: Places, *words: str) -> Words:
        return ("nsd-control", *(("-c", str(places.folder / CONFIG)) if places.is_whole else ()), *words)

    def questions(self, places: Places, zones: Iterable[Name]) -> Mapping[str, Words]:
        """Return ``nsd-control status`` and ``zonestatus``, and the end of its log; ``serials`` are to be asked of the server."""
        journal = ("journalctl", "-q", "--no-pager", "-u", self.unit, "-o", "short-iso-precise", "-n", str(_LOG_LINES))
        return {
            "server": self._control(places, "status"),
            "zones": self._control(places, "zonestatus"),
            "serials": _serials(places, zones),
            # Each order and each question is a line of its own there.
            "log": ("grep", "-av", "]: info: .*control c", str(places.log)) if places.log is not None else journal,
        }

    def status(
        self, plan: Plan, server: NameServer, places: Places, zones: Iterable[Name], told: Mapping[str, Ran]
    ) -> dict[str, Any]:
        """Read what nsd-control, the server itself and the log told."""
        return read_status(plan, server, places, {zone: self.zone_file(server, places, zone) for zone in zones}, told)

    def counting(self, places: Places) -> Mapping[str, Words]:
        """Return ``nsd-control stats_noreset``."""
        return {"stats": self._control(places, "stats_noreset")}

    def counters(self, told: Mapping[str, Ran]) -> Traffic:
        """Return the counts."""
        return read_traffic(told["stats"].output.decode("utf-8", "replace"))


def _serials(places: Places, zones: Iterable[Name]) -> Words:
    """Return the question for the SOA of each zone, at the first address where it listens."""
    asked = [word for zone in zones for word in (zone.to_text(), "SOA")]
    return ("sh", "-c", _ASK, "dig", str(places.folder / (INCLUDED if places.is_whole else SHARED)), *asked)
