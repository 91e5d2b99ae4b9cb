"""``mailname status``: what a running server holds, since when, until when, and why the last attempt failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from mailname.cli.console import out, print_json, print_prose, print_table
from mailname.cli.control_option import control_option, json_option, order
from mailname.cli.exits import EXIT_FINDINGS
from mailname.cli.span import ago, ahead
from mailname.errors import HostError

if TYPE_CHECKING:
    from pathlib import Path


@click.command("status")
@click.argument("zone", required=False)
@control_option
@json_option
@click.pass_context
def command(ctx: click.Context, zone: str | None, control: Path, as_json: bool) -> None:
    """Tell what a running server holds: serials, timers, last transfers, and what went wrong.

    Exit code 1 when a zone is not served, expired, or its last refresh failed.
    """
    answer = order(control, "status", zone)
    if not answer.pop("ok", False):
        raise HostError(str(answer.get("says", "the server gave no status")))
    if as_json:
        print_json(answer)
    else:
        _print(answer)
    if any(_is_unwell(one) for one in answer["zones"]):
        ctx.exit(EXIT_FINDINGS)


def _is_unwell(zone: dict[str, Any]) -> bool:
    return zone["state"] != "serving" or bool(zone["problem"]) or bool(zone.get("last_failure"))


def _print(status: dict[str, Any]) -> None:
    zones = status["zones"]
    out.print(
        f"mailname {status['version']}, process {status['pid']}, started {ago(status['since'])}, "
        f"on {', '.join(status['listen'])}: {len(zones)} zone(s)",
        markup=False,
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("zone", "role", "state", "serial", "records", "since"):
        table.add_column(heading, style="dim" if heading == "since" else None)
    for zone in zones:
        colour = "green" if not _is_unwell(zone) else "red" if zone["state"] != "serving" else "yellow"
        table.add_row(
            escape(zone["zone"].rstrip(".") or "."),
            zone["role"],
            f"[{colour}]{zone['state']}[/]",
            str(zone["serial"] if zone["serial"] is not None else "-"),
            str(zone["records"] if zone["records"] is not None else "-"),
            ago(zone["since"]) if zone["since"] else "-",
        )
    print_table(out, table)
    for zone in zones:
        for line in _details(zone):
            print_prose(out, f"{escape(zone['zone'].rstrip('.') or '.')}: {line}", 2)


def _details(zone: dict[str, Any]) -> list[str]:
    lines = []
    if problem := zone["problem"]:
        lines.append(f"[red]{escape(problem['says'])}[/]")
    if zone["role"] == "secondary":
        lines += _secondary_details(zone)
    for one in zone.get("secondaries", ()):
        says = f" ({escape(one['says'])})" if one["says"] else ""
        tries = f" after {one['tries']} tries" if one["state"] == "waiting" else ""
        lines.append(f"notify to {one['address']}: {one['state']}{tries}{says}")
    if refused := zone.get("refused"):
        last = refused[-1]
        lines.append(f"[yellow]{len(refused)} transfer(s) refused[/], last {ago(last['at'])}: {escape(last['says'])}")
    return lines


def _secondary_details(zone: dict[str, Any]) -> list[str]:
    lines = []
    if transfer := zone["last_transfer"]:
        lines.append(
            f"transferred serial {transfer['serial']} from {transfer['peer']} {ago(transfer['at'])}: {transfer['messages']} "
            f"message(s), {transfer['records']} records, {transfer['octets']} octets, {transfer['seconds']:.3f} s"
        )
    if notify := zone["last_notify"]:
        lines.append(f"last notify {ago(notify['at'])} from {notify['from']} for serial {notify['serial']}")
    if failure := zone["last_failure"]:
        lines.append(f"[red]refresh failed[/] {ago(failure['at'])} ({failure['reason']}): {escape(failure['says'])}")
        if failure["remedy"]:
            lines.append(f"  {escape(failure['remedy'])}")
    if zone["state"] == "expired":
        lines.append("[red]expired[/]: it answers SERVFAIL until a primary confirms the zone again")
    elif zone["expires_at"]:
        lines.append(f"refresh {ahead(zone['refresh_at'])}, expires {ahead(zone['expires_at'])} unless a primary confirms it")
    return lines
