"""The forms in which registrars take name servers, glue and DS: the worksheet as steps, in the order of one form.

The forms are data (``registrar_styles.toml``); this module gets their text and holds no file.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from mailname.errors import HostError

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.plan.address import IPAddress
    from mailname.plan.registrar import Worksheet

Order = Literal["first", "beside", "apart"]


@dataclass(frozen=True, slots=True)
class Style:
    """One form in which registrars take a delegation."""

    name: str
    glue: Order
    title: str


@dataclass(frozen=True, slots=True)
class Panel:
    """One registrar's form, and what its fields are called there. ``limit``: addresses of a family for one name, 0 for any."""

    name: str
    style: Style
    registrar: str
    host_page: str
    host_field: str
    address_field: str
    server_page: str
    limit: int
    verified: bool
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line to type: a name, and the addresses that go with it."""

    name: Name
    addresses: tuple[IPAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One page to fill in: what it is, where it is found and what is typed there."""

    title: str
    where: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Styles:
    """All forms that are known."""

    styles: tuple[Style, ...]
    panels: tuple[Panel, ...]

    def find(self, name: str) -> tuple[Style, Panel | None]:
        """Return the form of a style's or a registrar's name.

        Raises:
            HostError: there is none of that name; with all that there are.

        """
        wanted = name.strip().lower()
        for style in self.styles:
            if style.name == wanted:
                return style, None
        for panel in self.panels:
            if panel.name == wanted:
                return panel.style, panel
        known = [*(style.name for style in self.styles), *(panel.name for panel in self.panels)]
        raise HostError(f"the form '{name}' is not known", remedy=f"Known are {', '.join(known)}.", step="show")


def read_styles(text: str) -> Styles:
    """Read the data file's text."""
    raw = tomllib.loads(text)
    styles = {one["name"]: Style(**one) for one in raw["style"]}
    return Styles(tuple(styles.values()), tuple(_panel(one, styles) for one in raw["panel"]))


def _panel(raw: dict[str, Any], styles: dict[str, Style]) -> Panel:
    return Panel(**{**raw, "style": styles[raw["style"]]})


def steps(sheet: Worksheet, style: Style, panel: Panel | None = None) -> tuple[Step, ...]:
    """Return what to type, page by page. Only names in the domain have addresses in it (RFC 1034 section 4.2.1)."""
    pages = panel.server_page if panel else ""
    fields = f"{panel.host_field}; {panel.address_field}" if panel else ""
    glue = tuple(Entry(server.name, server.glue) for server in sheet.name_servers if server.glue)
    if style.glue == "beside":
        everything = tuple(Entry(server.name, server.glue) for server in sheet.name_servers)
        title = "The name servers, each with its addresses" if glue else "The name servers, by name alone"
        return (Step(title, f"{pages} ({fields})" if panel else "", everything),)
    named = Step("The name servers, by name alone", pages, tuple(Entry(server.name) for server in sheet.name_servers))
    if not glue:
        return (named,)
    kind = "Host objects, each with its addresses" if style.glue == "first" else "Glue records, each with its addresses"
    hosts = Step(kind, f"{panel.host_page} ({fields})" if panel else "", glue)
    return (hosts, named)


def too_many(sheet: Worksheet, panel: Panel | None) -> tuple[tuple[Name, int, int], ...]:
    """Return the names with more addresses of a family than the form takes: name, version of IP, how many too many."""
    if panel is None or not panel.limit:
        return ()
    return tuple(
        (server.name, version, count - panel.limit)
        for server in sheet.name_servers
        for version in (4, 6)
        if (count := sum(address.version == version for address in server.glue)) > panel.limit
    )
