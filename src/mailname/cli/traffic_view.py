"""How traffic looks on a terminal: name servers side by side, each with its counts and what they were over time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from mailname.cli.console import out, print_prose, print_table
from mailname.server.traffic_file import added
from mailname.view.latency_words import latency_words
from mailname.view.traffic_words import apart, moment_of, percent, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailname.checks.observe_traffic import Told, Window
    from mailname.checks.traffic_share import Share
    from mailname.server.traffic_file import Counts

_COUNTED = ("questions", "answers", "limited", "types", "rcodes", "transports", "families", "edns", "do")
_BARS = "▁▂▃▄▅▆▇█"
_COLUMNS = 24
_MOST_TYPES = 6


def print_servers(told: Mapping[str, Told], shares: Sequence[Share], window: Window, why: str = "") -> None:
    """Print what servers told, a column for each."""
    said = {name: one for name, one in told.items() if one.report is not None}
    if said:
        table = Table(box=None, pad_edge=False, header_style="bold")
        table.add_column("", style="dim", no_wrap=True)
        for name in said:
            table.add_column(escape(name), overflow="fold")
        columns = [
            _column(one.report or {}, next((share for share in shares if share.server == name), None), window)
            for name, one in said.items()
        ]
        for label in columns[0]:
            if any(column[label] for column in columns):
                table.add_row(label, *(escape(column[label]) for column in columns))
        print_table(out, table)
    for text in filter(None, (sentence(shares), why)):
        out.print()
        print_prose(out, f"[bold]{escape(text)}[/]")
    for name, one in told.items():
        if one.report is None:
            print_prose(out, f"[red]{escape(name)}[/] tells nothing: {escape(one.says)}")


def _column(report: Mapping[str, Any], share: Share | None, window: Window) -> dict[str, str]:
    rows = report["history"]["rows"]
    total: Counts = {}
    for row in rows:
        total = added(total, {name: part for name, part in row.items() if name not in ("start", "seconds")})
    counts = total or {name: report[name] for name in (*_COUNTED, *(["latency"] if "latency" in report else []))}
    answers = _number(counts["answers"])
    now = report["now"]
    return {
        "since": f"{_moment(rows[0]['start'])}, of the last {window.name}" if rows else _moment(report["since"]),
        "questions": f"{_number(counts['questions']):,}",
        "share": f"{percent(share.share)} ({apart(share)})" if share else "",
        "now": f"{now['questions'] / now['seconds']:.1f} a second",
        "types": _parts(counts["types"], answers),
        "answers": _parts(counts["rcodes"], answers),
        "by": _parts(counts["transports"], answers),
        "from": _parts(counts["families"], answers),
        "EDNS": _edns(counts, answers, report),
        "limited": f"{limited:,}" if (limited := _number(counts["limited"])) else "",
        "latency": _latency(counts.get("latency") or {}),
        "names": "\n".join(f"{one['name']} {one['questions']:,}" for one in report.get("names", ())),
        "zones": "\n".join(f"{one['zone']} {one['answers']:,}" for one in report["zones"]),
        "networks": "\n".join(f"{one['network']} {one['questions']:,}" for one in report["clients"]),
        "over time": _bars(rows, window),
        "history": f"not kept: {problem}" if (problem := report["history"]["problem"]) else "",
        "not told": ", ".join(_PLAINLY.get(one, one) for one in report.get("not_counted", ())),
    }


def _edns(counts: Counts, answers: int, report: Mapping[str, Any]) -> str:
    if not answers:
        return ""
    do = "" if "do" in report.get("not_counted", ()) else f", DO {percent(_number(counts['do']) / answers)}"
    return f"{percent(_number(counts['edns']) / answers)}{do}"


def _latency(counts: int | dict[str, int]) -> str:
    return latency_words(counts) if isinstance(counts, dict) else ""


def _number(count: int | dict[str, int]) -> int:
    return count if isinstance(count, int) else sum(count.values())


def _moment(text: str) -> str:
    return f"{text[:16]} UTC".replace("T", " ")


def _parts(counts: int | dict[str, int], whole: int) -> str:
    if isinstance(counts, int) or not whole:
        return ""
    most = sorted(counts.items(), key=lambda one: -one[1])[:_MOST_TYPES]
    return ", ".join(
        f"{name.upper() if name in ('udp', 'tcp') else _FAMILIES.get(name, name)} {percent(count / whole)}"
        for name, count in most
        if count
    )


_PLAINLY = {"do": "DO", "clients": "networks"}
_FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}


def _bars(rows: Sequence[Mapping[str, Any]], window: Window) -> str:
    """Draw the questions of the last spans, so many together that they fit; the newest is at the right."""
    if len(rows) < 2:
        return ""
    seconds = rows[0]["seconds"] * max(1, window.spans // _COLUMNS)
    last = moment_of(rows[-1]["start"]) // seconds
    heights = [0] * _COLUMNS
    for row in rows:
        place = _COLUMNS - 1 - (last - moment_of(row["start"]) // seconds)
        if place >= 0:
            heights[place] += row["questions"]
    top = max(heights)
    return "".join(_BARS[(len(_BARS) - 1) * height // top] if height else " " for height in heights) if top else ""
