"""``mailname status``: what a running server holds, since when, until when, and why the last attempt failed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click
from rich.markup import escape
from rich.table import Table

from mailname.cli.console import out, print_json, print_prose, print_table
from mailname.cli.control_option import control_option, json_option, order
from mailname.cli.exits import EXIT_FINDINGS
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
        f"mailname {status['version']}, process {status['pid']}, started {_ago(status['since'])}, "
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
            _ago(zone["since"]) if zone["since"] else "-",
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
        lines.append(f"[yellow]{len(refused)} transfer(s) refused[/], last {_ago(last['at'])}: {escape(last['says'])}")
    return lines


def _secondary_details(zone: dict[str, Any]) -> list[str]:
    lines = []
    if transfer := zone["last_transfer"]:
        lines.append(
            f"transferred serial {transfer['serial']} from {transfer['peer']} {_ago(transfer['at'])}: {transfer['messages']} "
            f"message(s), {transfer['records']} records, {transfer['octets']} octets, {transfer['seconds']:.3f} s"
        )
    if notify := zone["last_notify"]:
        lines.append(f"last notify {_ago(notify['at'])} from {notify['from']} for serial {notify['serial']}")
    if failure := zone["last_failure"]:
        lines.append(f"[red]refresh failed[/] {_ago(failure['at'])} ({failure['reason']}): {escape(failure['says'])}")
        if failure["remedy"]:
            lines.append(f"  {escape(failure['remedy'])}")
    if zone["state"] == "expired":
        lines.append("[red]expired[/]: it answers SERVFAIL until a primary confirms the zone again")
    elif zone["expires_at"]:
        lines.append(f"refresh {_ahead(zone['refresh_at'])}, expires {_ahead(zone['expires_at'])} unless a primary confirms it")
    return lines


def _seconds_from_now(iso: str) -> float:
    return (datetime.fromisoformat(iso) - datetime.now(UTC)).total_seconds()


def _ago(iso: str) -> str:
    return f"{duration(max(0.0, -_seconds_from_now(iso)))} ago"


def _ahead(iso: str) -> str:
    seconds = _seconds_from_now(iso)
    return f"in {duration(seconds)}" if seconds > 0 else "now"


def duration(seconds: float) -> str:
    """Write a span of time in its two largest units: ``6d 4h``, ``3m 20s``."""
    left = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])
