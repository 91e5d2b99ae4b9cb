"""BIND 9.18 and newer: its configuration from a plan, and the commands that drive it.

Each plan has a file with its zones; a line of any ``named.conf`` includes it, one its key, and nothing in them touches zones or
options of others. ``named.conf`` around it is rendered where the whole server is ours.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.engines.bind_status import read_status, read_traffic
from mailname.engines.engine import LONGEST_RETRY, Installed, debian_places, refuse_updates
from mailname.engines.several_plans import (
    ALONE,
    CHECKED,
    all_followed,
    all_listen,
    catalog_file,
    listed,
    listens,
    marks,
    plan_file,
)
from mailname.plan import expand_all
from mailname.server.network import Endpoint
from mailname.server.zonefiles import SUFFIX, file_stem
from mailname.wire.tsig_key import key_text
from mailname.zone import Serial

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

CONFIG = Path("named.conf")
INCLUDED = ALONE
CONTROL = Path("rndc.conf")
CONTROL_KEY = Path("rndc.key")
#: Debian's own places; its AppArmor profile lets named write to no others.
_DEBIAN = Path("/etc/bind/mailname")
#: Who was cut off in a transfer asks again soon, and not after the SOA's *retry*, which is an hour mostly.
_RETRYING = ("\tmin-retry-time 5;", f"\tmax-retry-time {LONGEST_RETRY};")
_FOLLOWED = Path("/var/cache/bind/mailname")  # zones that come by a catalog
_LOG_LINES = 4000
_LARGEST_STATISTICS = 4_000_000  # octets: every dump goes to the file's end
_HEAD = "// Written by mailname from the plan: change that, not this file."
#: What holds for the whole server: it answers for its zones alone, and says no more than it must.
HARDENED = """\
	recursion no;
	allow-recursion { none; };
	allow-query-cache { none; };
	allow-transfer { none; };
	notify no;
	minimal-responses yes;
	version none;
	hostname none;
	server-id none;
	dnssec-validation no;
	rate-limit { responses-per-second 200; slip 2; };
	session-keyfile none;
"""


class Bind:
    """ISC BIND's named."""

    name = "bind"
    packages: tuple[str, ...] = ("bind9", "bind9-utils")
    unit = "named"
    user = "bind"
    comment = "//"
    listing: tuple[str, ...] = ("named-checkconf", "-l")
    listed = r"^(?!localhost |(?:0|127|255)\.in-addr\.arpa )(\S+) \S+ \S+ (?!hint)"
    writes_catalog = True

    def placed(self, addresses: tuple[IPAddress, ...], key: str | None) -> Places:
        """Return where Debian's package has its things."""
        return debian_places(_DEBIAN, Path("/var/cache/bind/mailname"), Path("/var/lib/bind/mailname"), addresses, key)

    def render(self, plan: Plan, server: NameServer, places: Places) -> Mapping[Path, str]:
        """Return the plan's file, and where the whole server is ours, ``named.conf`` and ``rndc.conf``."""
        refuse_updates(plan, server, "publishing would lose what BIND was told")
        found = {plan_file(plan, server, places): _included(plan, server, places)}
        if plan.catalog is not None and server.role == "primary" and not places.is_whole:
            own = _zone(plan, server, places, plan.catalog.name)
            found[catalog_file(plan.catalog.name)] = "\n".join((_HEAD, *own)) + "\n"
        if places.is_whole:
            found[CONFIG] = f"{_HEAD}\n{_controls(places)}{_logging(places)}{options(plan, server, places)}"
            found[CONFIG] += f'include "{places.folder / INCLUDED}";\n'
            found[CONTROL] = _rndc(places)
        return found

    def installed(self, plan: Plan, server: NameServer, places: Places, others: Iterable[str] = ()) -> Installed:
        """Return the lines for ``named.conf.local``, and the options file of Debian's package."""
        text = f"{_HEAD}\n{options(plan, server, replace(places, state=Path('/var/cache/bind')), tuple(others))}"
        key_file = places.key_file if plan.transfer_key is not None else None
        made = [catalog_file(plan.catalog.name)] if plan.catalog is not None and server.role == "primary" else []
        ours = (places.folder / file for file in (*made, plan_file(plan, server, places)))
        files = (*([key_file] if key_file is not None else []), *ours)
        lines = tuple(f'include "{file}";' for file in files)
        return Installed(Path("/etc/bind/named.conf.local"), lines, (Path("/etc/bind/named.conf.options"), text))

    def program(self, places: Places) -> Words:
        """Return what starts it in the foreground."""
        return ("named", "-f", "-n", "1", "-c", str(places.folder / CONFIG))

    def own_keys(self, places: Places) -> Mapping[Path, Name]:
        """Return the key of ``rndc``; Debian's package makes its own."""
        return {places.folder / CONTROL_KEY: dns.name.from_text("rndc-key.")} if places.is_whole else {}

    def key_text(self, keys: Iterable[Key]) -> str:
        """Return key clauses, as our own key files have them."""
        return "\n".join(map(key_text, keys))

    def zone_file(self, server: NameServer, places: Places, apex: Name) -> Path:
        """Return where a zone's text lies."""
        return _zone_file(server, places, apex)

    def check(self, places: Places, *, zones: bool = True) -> tuple[Words, ...]:
        """Return named-checkconf, which loads the zones as well."""
        config = str(places.folder / (CONFIG if places.is_whole else CHECKED))
        return (("named-checkconf", *(("-z",) if zones else ()), config),)

    def check_zone(self, apex: Name, file: Path) -> Words:
        """Return named-checkzone with the checks that are faults for named itself."""
        return ("named-checkzone", "-i", "local", apex.to_text(), str(file))

    def order(self, places: Places, do: Order, apex: Name | None = None) -> tuple[Words, ...]:
        """Return the words for ``rndc``."""
        if do == "configure":
            whole = () if places.is_whole else (("named-checkconf",),)  # with what others have written around
            return (*whole, _rndc_words(places, "reconfig"))
        zone = () if apex is None else (apex.to_text(omit_final_dot=True),)
        return (_rndc_words(places, do, *zone),)

    def questions(self, places: Places, zones: Iterable[Name]) -> Mapping[str, Words]:
        """Return ``rndc status``, ``rndc zonestatus`` of each zone, and the end of its log."""
        found: dict[str, Words] = {"server": _rndc_words(places, "status")}
        for zone in zones:
            found[f"zone {zone.to_text()}"] = _rndc_words(places, "zonestatus", zone.to_text(omit_final_dot=True))
        journal = ("journalctl", "-q", "--no-pager", "-u", self.unit, "-o", "short-iso", "-n", str(_LOG_LINES))
        found["log"] = ("tail", "-n", str(_LOG_LINES), str(places.log)) if places.log is not None else journal
        return found

    def status(
        self, plan: Plan, server: NameServer, places: Places, zones: Iterable[Name], told: Mapping[str, Ran]
    ) -> dict[str, Any]:
        """Read what rndc and the log told."""
        return read_status(plan, server, places, {zone: self.zone_file(server, places, zone) for zone in zones}, told)

    def counting(self, places: Places) -> Mapping[str, Words]:
        """Return ``rndc stats``, and the end of the file that it writes to; one that has grown large is begun anew."""
        statistics = places.state / "named.stats" if places.is_whole else Path("/var/cache/bind/named.stats")
        last = f'tail -n 2000 "$1"; [ "$(stat -c %s "$1")" -lt {_LARGEST_STATISTICS} ] || : > "$1"'
        return {
            "stats": _rndc_words(places, "stats"),
            "statistics": ("sh", "-c", last, "sh", str(statistics)),
            "server": _rndc_words(places, "status"),
        }

    def counters(self, told: Mapping[str, Ran]) -> Traffic:
        """Read the last dump of the statistics file."""
        return read_traffic(*(told[name].output.decode("utf-8", "replace") for name in ("statistics", "server")))


def _zone_file(server: NameServer, places: Places, apex: Name) -> Path:
    return (places.zones if server.role == "primary" else places.state) / (file_stem(apex) + SUFFIX)


def options(plan: Plan, server: NameServer, places: Places, others: tuple[str, ...] = ()) -> str:
    """Return the options of a server that is wholly ours; ``others`` are the files of other plans on the host."""
    own = listens(server, replace(places, listen=places.listen or server.addresses))
    listen = [(at.partition("@")[0], at.partition("@")[2]) for at in all_listen(own, others)]
    lines = ["options {", f'\tdirectory "{places.state}";']
    for version, word in ((4, "listen-on"), (6, "listen-on-v6")):
        of_family = [(address, port) for address, port in listen if (":" in address) == (version == 6)]
        lines += [f"\t{word} port {port} {{ {address}; }};" for address, port in of_family] or [f"\t{word} {{ none; }};"]
    if places.control_port:  # it runs on its own, without Debian's folders and as anybody
        lines += ["\tpid-file none;", f'\tstatistics-file "{places.state / "named.stats"}";', "\tempty-zones-enable no;"]
    if followed := all_followed(_follows(plan, server, places), others):
        lines.append(f"\tcatalog-zones {{ {' '.join(followed)} }};")
        from_primary = " ".join(f"{places.source(address)};" for address in plan.primary.addresses)
        lines += [f"\tallow-notify {{ {from_primary} }};", *_RETRYING, *_sources(server, places)]
    return "\n".join(lines) + f"\n{HARDENED}}};\n"


def _follows(plan: Plan, server: NameServer, places: Places) -> str:
    """Return what lets a secondary follow the catalog (RFC 9432): zones that appear in it are fetched with no word here."""
    if plan.catalog is None or server.role == "primary":
        return ""
    asked = _asked(plan, server, places)
    stored = f'in-memory no zone-directory "{_FOLLOWED if not places.is_whole else places.state}" min-update-interval 1;'
    return f'zone "{_bare(plan.catalog.name)}" default-primaries {{ {asked} }} {stored}'


def _asked(plan: Plan, server: NameServer, places: Places) -> str:
    """Return the primary's addresses, each with the key."""
    key = _key(plan, places)
    return " ".join(f"{_at(places, address)}{key};" for address in plan.primary.addresses if _reachable(address, server))


def _key(plan: Plan, places: Places) -> str:
    signed = plan.transfer_key is not None and places.key_file is not None
    return f' key "{_bare(plan.transfer_key.name)}"' if signed and plan.transfer_key is not None else ""


def _included(plan: Plan, server: NameServer, places: Places) -> str:
    followed = plan.catalog.name if plan.catalog is not None and server.role == "secondary" else None
    lines = [_HEAD, f"// {server.role} of {_bare(followed or plan.domain)}: {_bare(server.name)}"]
    listed_in = listed(plan) if server.role == "primary" else ""
    lines += [f"// {one}" for one in marks(server, places, _follows(plan, server, places), listed_in)]
    key = _key(plan, places)
    if key and places.is_whole:
        lines.append(f'include "{places.key_file}"; // the secret: mode 640 or less')
    every = [followed] if followed is not None else [zone.apex for zone in expand_all(plan, Serial(0))]
    if plan.catalog is not None and followed is None and places.is_whole:
        every.append(plan.catalog.name)
    for apex in every:
        lines += ["", *_zone(plan, server, places, apex)]
    return "\n".join(lines) + "\n"


def _zone(plan: Plan, server: NameServer, places: Places, apex: Name) -> list[str]:
    """Return one zone: of a plan, or the catalog, which is a zone as any other (RFC 9432 section 3)."""
    own = [f'zone "{_bare(apex)}" {{', f"\ttype {server.role};", f'\tfile "{_zone_file(server, places, apex)}";']
    if server.role == "primary":
        own += _as_primary(plan, places, server, apex, _key(plan, places))
    else:
        own += _as_secondary(plan, places, server)
    return [*own, *_sources(server, places), "};"]


def _as_primary(plan: Plan, places: Places, server: NameServer, apex: Name, key: str) -> list[str]:
    """Return who is told, and who may transfer: the plan's secondaries, by the key, and where addresses are real, by both."""
    peers = [address for one in plan.secondaries for address in one.addresses if _reachable(address, server)]
    journal = places.state / (file_stem(apex) + ".jnl")
    lines = ["\tixfr-from-differences yes;", f'\tjournal "{journal}";', "\tmax-journal-size default;", "\tallow-query { any; };"]
    if not peers:
        return [*lines, "\tnotify no; // there is nobody to tell", "\tallow-transfer { none; };"]
    told = " ".join(f"{_at(places, address)}{key};" for address in peers)
    listed = " ".join(f"{places.source(address)};" for address in peers)
    strangers = f"!{{ !{{ {listed} }}; any; }}; "
    by_key = f"{strangers}{key.strip()};" if key else listed
    return [
        *lines,
        "\tnotify explicit;",
        "\tnotify-delay 0;",
        f"\talso-notify {{ {told} }};",
        f"\tallow-transfer {{ {by_key} }};",
    ]


def _as_secondary(plan: Plan, places: Places, server: NameServer) -> list[str]:
    asked = _asked(plan, server, places)
    from_primary = " ".join(f"{places.source(address)};" for address in plan.primary.addresses)
    return [
        "\tmasterfile-format text;",
        f"\tprimaries {{ {asked} }};",
        f"\tallow-notify {{ {from_primary} }};",
        "\tallow-query { any; };",
        "\tallow-transfer { none; };",
        "\tnotify no; // there is nobody to tell",
        *_RETRYING,
    ]


def _sources(server: NameServer, places: Places) -> list[str]:
    """Return the addresses to speak from: those by which the others know this server."""
    lines = []
    own = places.listen or server.addresses
    if places.speaks_from:  # a rehearsal: IPv4 alone
        only = places.source(own[0])
        return _speak_from(server, "", only)
    for version, suffix in ((4, ""), (6, "-v6")):
        first = next((address for address in own if address.version == version), None)
        if first is not None:
            lines += _speak_from(server, suffix, first)
    return lines


def _speak_from(server: NameServer, suffix: str, address: IPAddress) -> list[str]:
    if server.role == "primary":
        return [f"\tnotify-source{suffix} {address};"]
    return [f"\ttransfer-source{suffix} {address};"]


def _reachable(address: IPAddress, server: NameServer) -> bool:
    return any(own.version == address.version for own in server.addresses)


def _at(places: Places, address: IPAddress) -> str:
    host, port = places.place(Endpoint(address))
    return f"{host} port {port}"


def _controls(places: Places) -> str:
    own = f'include "{places.folder / CONTROL_KEY}";\n'
    at = f"inet 127.0.0.1 port {places.control_port or 953}"
    return f'{own}controls {{ {at} allow {{ 127.0.0.1; }} keys {{ "rndc-key"; }}; }};\n'


def _logging(places: Places) -> str:
    if places.log is None:
        return ""
    channel = f'channel ours {{ file "{places.log}"; severity info; print-time iso8601-utc; }};'
    return f"logging {{ {channel} category default {{ ours; }}; }};\n"


def _rndc(places: Places) -> str:
    own = f'include "{places.folder / CONTROL_KEY}";\n'
    return f'{own}options {{ default-key "rndc-key"; default-server 127.0.0.1; default-port {places.control_port or 953}; }};\n'


def _rndc_words(places: Places, *words: str) -> Words:
    return ("rndc", *(("-c", str(places.folder / CONTROL)) if places.is_whole else ()), *words)


def _bare(name: Name) -> str:
    return name.to_text(omit_final_dot=True)
