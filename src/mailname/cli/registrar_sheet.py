"""``mailname show PLAN --registrar``: the worksheet, page by page, in the form in which the registrar takes it."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from mailname.checks.registries import registry_of, sentence_on_junk
from mailname.cli.console import print_prose, print_table
from mailname.plan.registrar_styles import read_styles, steps, too_many

if TYPE_CHECKING:
    from dns.rdtypes.ANY.DS import DS
    from rich.console import Console

    from mailname.plan.registrar import Worksheet
    from mailname.plan.registrar_styles import Entry, Panel, Style, Styles

DEFAULT = "hosts-first"
_MARGIN = 3


@cache
def styles() -> Styles:
    """Return the forms that are known."""
    return read_styles(resources.files("mailname.plan").joinpath("registrar_styles.toml").read_text(encoding="utf-8"))


def print_sheet(console: Console, sheet: Worksheet, style: Style, panel: Panel | None) -> None:
    """Print what to type, what not, and what to know."""
    domain = _say(sheet.domain)
    console.print(f"[bold]What to type at the registrar of {escape(domain)}[/]")
    print_prose(console, escape(f"As {panel.registrar} takes it." if panel else f"With {style.title}."), hang=0)
    pages = steps(sheet, style, panel)
    for number, step in enumerate(pages, 1):
        console.print(f"\n[bold]{number}. {escape(step.title)}[/]")
        if step.where:
            print_prose(console, f"[dim]{escape(f'There: {step.where}')}[/]", _MARGIN, hang=0)
        _print_entries(console, step.entries)
    console.print(f"\n[bold]{len(pages) + 1}. DS[/]")
    for ds in sheet.ds:
        _print_ds(console, ds)
    if not sheet.ds:
        console.print(" " * _MARGIN + "None.")
    console.print("\n[bold]Do not type[/]")
    for line in sheet.never:
        print_prose(console, escape(f"- {line}"), _MARGIN)
    console.print("\n[bold]Know[/]")
    for line in (*_limits(sheet, panel), *_registry(sheet), *sheet.notes, *_sources(panel)):
        print_prose(console, escape(f"- {line}"), _MARGIN)


def _print_entries(console: Console, entries: tuple[Entry, ...]) -> None:
    """Print names with addresses as a table, or one below the other where that is wider than the terminal."""
    from rich.table import Table

    rows = [(_say(entry.name), *(_addresses(entry, version) for version in (4, 6))) for entry in entries]
    if not any(entry.addresses for entry in entries):
        for name, *_ in rows:
            console.print(" " * _MARGIN + name, markup=False)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if console.is_terminal and _MARGIN + sum(widths) + 2 * 3 > console.width:
        for entry in entries:
            console.print(" " * _MARGIN + _say(entry.name), markup=False)
            for address in entry.addresses:
                console.print(f"{' ' * 2 * _MARGIN}[dim]IPv{address.version}[/]  {address}")
        return
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    for heading in ("", "name", "IPv4", "IPv6"):
        table.add_column(heading, no_wrap=True)
    for name, four, six in rows:
        table.add_row("", name, four or "-", six or "-")
    print_table(console, table, whole=True)


def _addresses(entry: Entry, version: int) -> str:
    return ", ".join(str(address) for address in entry.addresses if address.version == version)


def _print_ds(console: Console, ds: DS) -> None:
    margin = " " * _MARGIN
    console.print(f"{margin}key tag {ds.key_tag}, algorithm {int(ds.algorithm)}, digest type {int(ds.digest_type)}, digest")
    console.print(f"{margin}{ds.digest.hex().upper()}")


def _limits(sheet: Worksheet, panel: Panel | None) -> list[str]:
    return [
        f"This form takes {panel.limit if panel else 0} IPv{version} address(es) for one name: {_say(name)} has {more} too many. "
        "Enter the rest at the registrar's support, or give the name fewer addresses in the plan."
        for name, version, more in too_many(sheet, panel)
    ]


def _registry(sheet: Worksheet) -> list[str]:
    """Say what the registry of this TLD makes of the name servers."""
    registry = registry_of(sheet.domain.labels[-2].decode("ascii"))
    if "*" in registry.tlds:
        return ["The rules of this registry are not known: mailname check PLAN --before-registering goes by IANA's."]
    told = [sentence_on_junk(registry)]
    if any(rule.level == "must" for rule in registry.rules):
        sure = "" if registry.verified else " (not verified in its own text)"
        told.insert(
            0,
            f"{registry.name} looks {registry.looks}; where its rules are not kept, it {registry.failing}{sure}."
            " Have the servers running first, and try: mailname check PLAN --before-registering.",
        )
    return told


def _sources(panel: Panel | None) -> list[str]:
    if panel is None:
        known = ", ".join(one.name for one in styles().panels)
        return [f"--style puts it in a registrar's own words. Known are {known}."]
    sure = f"The words of this form are from {panel.source}."
    unsure = f"The words of this form were not verified in the registrar's own text; they are from {panel.source}."
    return [*([panel.note] if panel.note else []), sure if panel.verified else unsure]


def sheet_json(sheet: Worksheet, style: Style, panel: Panel | None) -> dict[str, Any]:
    """Return the worksheet as JSON values."""
    return {
        "name_servers": [
            {
                "name": str(server.name),
                "glue_needed": server.glue_needed,
                "glue": [str(address) for address in server.glue],
                "why": server.why,
            }
            for server in sheet.name_servers
        ],
        "ds": [ds.to_text() for ds in sheet.ds],
        "never": list(sheet.never),
        "notes": [*_limits(sheet, panel), *_registry(sheet), *sheet.notes],
        "style": style.name,
        "panel": {"name": panel.name, "verified": panel.verified, "source": panel.source} if panel else None,
        "steps": [
            {
                "title": step.title,
                "where": step.where,
                "entries": [
                    {"name": str(entry.name), "addresses": [str(address) for address in entry.addresses]}
                    for entry in step.entries
                ],
            }
            for step in steps(sheet, style, panel)
        ],
    }


def _say(name: object) -> str:
    return str(name).rstrip(".")
