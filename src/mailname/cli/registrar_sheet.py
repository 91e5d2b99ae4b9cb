"""``mailname show PLAN --registrar``: the worksheet, page by page, in the form in which the registrar takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from mailname.cli.console import print_prose, print_table
from mailname.plan.registrar_styles import steps
from mailname.view.worksheet import limits, registry_says, say, sources

if TYPE_CHECKING:
    from dns.rdtypes.ANY.DS import DS
    from rich.console import Console

    from mailname.plan.registrar import Worksheet
    from mailname.plan.registrar_styles import Entry, Panel, Style

_MARGIN = 3


def print_sheet(console: Console, sheet: Worksheet, style: Style, panel: Panel | None) -> None:
    """Print what to type, what not, and what to know."""
    domain = say(sheet.domain)
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
    for line in (*limits(sheet, panel), *registry_says(sheet), *sheet.notes, *sources(panel)):
        print_prose(console, escape(f"- {line}"), _MARGIN)


def _print_entries(console: Console, entries: tuple[Entry, ...]) -> None:
    """Print names with addresses as a table, or one below the other where that is wider than the terminal."""
    from rich.table import Table

    rows = [(say(entry.name), *(_addresses(entry, version) for version in (4, 6))) for entry in entries]
    if not any(entry.addresses for entry in entries):
        for name, *_ in rows:
            console.print(" " * _MARGIN + name, markup=False)
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if console.is_terminal and _MARGIN + sum(widths) + 2 * 3 > console.width:
        for entry in entries:
            console.print(" " * _MARGIN + say(entry.name), markup=False)
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
