"""How a status looks on a terminal: the unwell first, each with its cause and the next command to type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from mailname.cli.console import out, print_prose, print_table
from mailname.cli.key_view import key_lines
from mailname.view.event_words import counted
from mailname.view.span import ago, ahead, seconds_from_now, span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST_IN_TABLE = 30
_MOST_IN_DETAIL = 10
_ALWAYS_IN_DETAIL = 3
_LABEL = 11  # columns
_ROOMY = 100


def is_unwell(zone: Mapping[str, Any]) -> bool:
    """Tell whether something is wrong with a zone on a server, or between it and one of its secondaries."""
    return (
        zone["state"] != "serving"
        or bool(zone["problem"] or zone.get("last_failure") or zone.get("cause"))
        or any(one.get("cause") for one in zone.get("secondaries", ()))
    )


def problem_of(status: Mapping[str, Any] | None, part: str) -> str | None:
    """Return what a status tells of its ``configuration``, ``disk`` or ``history``: None where that is well or not told."""
    told = (status or {}).get(part)
    problem = told.get("problem") if isinstance(told, dict) else None
    return str(problem) if problem else None


def print_status(status: Mapping[str, Any]) -> None:
    """Print what one server told."""
    zones = sorted(status["zones"], key=lambda zone: not is_unwell(zone))
    unwell = sum(map(is_unwell, zones))
    print_prose(
        out,
        f"{escape(status.get('program', 'mailname'))} {escape(status['version'])} on {escape(', '.join(status['listen']))},"
        + (f" process {status['pid']}," if status["pid"] else "")
        + (f" started {ago(status['since'])}" if status["since"] else "")
        + f": {counted(len(zones), 'zone')}, "
        + _health(unwell, len(zones))
        + ("[red], the disk is not[/]" if not unwell and problem_of(status, "disk") else ""),
    )
    if problem := problem_of(status, "disk"):
        print_prose(out, f"[red]{escape(problem)}[/]", 2)
    if problem := problem_of(status, "history"):
        print_prose(out, f"[yellow]{escape(problem)}; it goes on in memory, and tries the disk again at each status[/]", 2)
    if problem := problem_of(status, "configuration"):
        print_prose(
            out, f"[red]the configuration file is not taken over, and a start would fail with it. {escape(problem)}[/]", 2
        )
    for line in key_lines(status):
        print_prose(out, line, 2)
    if len(zones) > 1:
        _print_table(zones)
    detailed = zones if len(zones) <= _ALWAYS_IN_DETAIL else zones[: min(unwell, _MOST_IN_DETAIL)]
    for zone in detailed:
        out.print()
        print_zone(zone)
    if unwell > len(detailed):
        out.print()
        print_prose(out, f"{unwell - len(detailed)} more are not well. See: mailname status ZONE, mailname status --json")


def _health(unwell: int, count: int) -> str:
    if not unwell:
        return "[green]well[/]" if count == 1 else "[green]all well[/]"
    return "[red]not well[/]" if count == 1 else f"[red]{unwell} not well[/]"


def _print_table(zones: list[Mapping[str, Any]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    width = out.width if out.is_terminal else _ROOMY
    more = ("records", "since") if width >= _ROOMY else ()
    table.add_column("zone", overflow="fold")
    for heading in ("role", "state", "serial", *more, "cause"):
        table.add_column(heading, no_wrap=True)
    for zone in zones[:_MOST_IN_TABLE]:
        cells = {"records": _or_dash(zone["records"]), "since": ago(zone["since"]) if zone["since"] else "-"}
        colour = "green" if zone["state"] == "serving" else "red"
        table.add_row(
            escape(bare(zone["zone"])),
            zone["role"],
            f"[{colour}]{zone['state']}[/]",
            _or_dash(zone["serial"]),
            *(cells[name] for name in more),
            _in_short(zone, with_word=width >= _ROOMY),
        )
    print_table(out, table)
    if (left := len(zones) - _MOST_IN_TABLE) > 0:
        print_prose(out, f"{left:,} more. See: mailname status ZONE, mailname status --json")


def _in_short(zone: Mapping[str, Any], *, with_word: bool) -> str:
    causes = [cause for cause in (zone.get("cause"), *(one.get("cause") for one in zone.get("secondaries", ()))) if cause]
    if causes:
        return f"[red]{causes[0]['code']}{' ' + causes[0]['cause'] if with_word else ''}[/]"
    return "[red]not well[/]" if is_unwell(zone) else ""


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def bare(zone: str) -> str:
    """Return a zone's name as people write it."""
    return zone.rstrip(".") or "."


def print_zone(zone: Mapping[str, Any]) -> None:
    """Print all that a server told of one zone."""
    colour = "red" if is_unwell(zone) else "green"
    print_prose(out, f"[bold]{escape(bare(zone['zone']))}[/] {zone['role']}, [{colour}]{zone['state']}[/]")
    for label, text in _facts(zone):
        print_fact(label, text)


def print_fact(label: str, markup: str) -> None:
    """Print one line with its label in front; where it is wrapped, the rest stands under its beginning."""
    print_prose(out, f"[dim]{label:<{_LABEL}}[/]{markup}", 2, hang=_LABEL)


def _facts(zone: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if cause := zone.get("cause"):
        yield from cause_facts(cause, zone.get("last_failure"))
    elif problem := zone["problem"]:
        yield "problem", f"[red]{escape(problem['says'])}[/]"
    elif failure := zone.get("last_failure"):
        yield "problem", f"[red]{escape(failure['says'])}[/] {escape(failure['remedy'])}"
    if zone["serial"] is not None:
        count = f", {counted(zone['records'], 'record')}" if zone["records"] is not None else ""
        yield "serial", f"{zone['serial']}{count}" + (f", since {ago(zone['since'])}" if zone["since"] else "")
    if zone["role"] == "secondary":
        yield from _secondary_facts(zone)
    told: set[tuple[str, str]] = set()
    for one in zone.get("secondaries", ()):
        yield from _facts_of_secondary(one, zone["serial"], told)
    ours = {_host(one["address"]) for one in zone.get("secondaries", ())}
    if others := [one for one in zone.get("refused", ()) if one["from"] not in ours]:
        last = others[-1]
        yield (
            "refused",
            f"{ago(last['at'])} from {escape(last['from'])}, {counted(len(others), 'time')} in all: {escape(last['says'])}",
        )


def cause_facts(cause: Mapping[str, Any], failure: Mapping[str, Any] | None = None) -> Iterator[tuple[str, str]]:
    """Yield a cause's lines: what, since when, and what to type."""
    since = f", since {span(max(0.0, -seconds_from_now(cause['since'])))}" if cause.get("since") else ""
    tries = f", {failure['count']} times" if failure and failure.get("count", 1) > 1 else ""
    yield "cause", f"[red]{cause['code']} {cause['cause']}[/]{since}{tries}"
    yield "", escape(cause["says"])
    yield "remedy", f"[bold]{escape(cause['remedy'])}[/]"


def _secondary_facts(zone: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "primary", escape(", ".join(zone["primaries"])) + (" (asking now)" if zone.get("busy") else "")
    if zone["state"] == "expired":
        when = f"{ago(zone['expires_at'])}; " if zone["expires_at"] else ""
        yield "expired", f"[red]{when}it answers SERVFAIL until a primary confirms the zone again[/]"
    elif zone["expires_at"]:
        until = f"{ahead(zone['expires_at'])} unless a primary confirms it"
        until = f"[yellow]{until}[/]" if zone.get("last_failure") else until
        yield "expires", f"{until}; asks again {ahead(zone['refresh_at'])}"
    elif zone["refresh_at"]:
        yield "refresh", f"asks again {ahead(zone['refresh_at'])}"
    if confirmed := zone.get("confirmed_at"):
        yield "confirmed", ago(confirmed)
    if clock := zone.get("clock"):
        yield "clock", f"[yellow]{escape(clock['says'])}[/]"
    if notify := zone["last_notify"]:
        told = f"serial {notify['serial']}" if notify["serial"] is not None else "no serial"
        yield "notify", f"{ago(notify['at'])} from {escape(notify['from'])}, {told}"
    if refused := zone.get("notify_refused"):
        yield "", f"[dim]refused one {ago(refused['at'])} from {escape(refused['from'])}: {escape(refused['says'])}[/]"
    if transfer := zone["last_transfer"]:
        yield (
            "transfer",
            f"{ago(transfer['at'])} from {escape(transfer['peer'])}, {transfer.get('kind', 'AXFR')}: serial {transfer['serial']},"
            f" {counted(transfer['messages'], 'message')}, {counted(transfer['records'], 'record')},"
            f" {counted(transfer['octets'], 'octet')}, {transfer['seconds']:.3f} s",
        )


def _facts_of_secondary(one: Mapping[str, Any], serial: int | None, told: set[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield what a primary tells of one of its secondaries; a cause that was told of another of its addresses is named alone."""
    notified = {
        "acknowledged": f"has acknowledged serial {one['serial']}",
        "waiting": f"has not acknowledged serial {one['serial']} yet ({one['tries']} tries)",
        "refused": f"does not take our NOTIFY: {one['says']}",
    }.get(one["state"], one["state"])
    fetched = ""
    if last := one.get("fetched"):
        which = "it" if last["serial_to"] == serial else f"serial {last['serial_to']}"
        fetched = (
            f"; fetched {which} {ago(last['at'])} ({last['kind']}, {counted(last['octets'], 'octet')}, {last['seconds']:.3f} s)"
        )
    yield "secondary", f"{escape(one['address'])} {escape(notified)}{escape(fetched)}"
    if cause := one.get("cause"):
        same = cause["code"], cause["says"].replace(one["address"], "").replace(_host(one["address"]), "")
        yield from [("cause", f"[red]{cause['code']} {cause['cause']}[/], as above")] if same in told else cause_facts(cause)
        told.add(same)
    elif refused := one.get("refused"):
        yield "", f"[dim]last refused {ago(refused['at'])}: {escape(refused['says'])}[/]"


def _host(peer: str) -> str:
    from mailname.transfer.side import host_of

    return host_of(peer)
