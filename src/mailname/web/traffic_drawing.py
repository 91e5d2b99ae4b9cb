"""Traffic as a table side by side and as a drawing of the last day, for who has no JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailname.view.html_text import Html, fill, joined
from mailname.view.latency_words import latency_words, time_words, up_to
from mailname.view.traffic_words import moment_of, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailname.checks.observe_traffic import Told
    from mailname.checks.traffic_share import Share

_WIDTH, _HEIGHT = 720, 120
_COLUMNS = 96  # of a quarter of an hour in a whole day
_MINUTE = 60
_MOST = 5


def columns(told: Mapping[str, Told], shares: Sequence[Share]) -> list[dict[str, Any]]:
    """Return what each server counted since it began, as parts of the whole."""
    return [_column(name, one.report, shares) for name, one in told.items() if one.report is not None]


def _column(name: str, report: Mapping[str, Any], shares: Sequence[Share]) -> dict[str, Any]:
    answers = report["answers"]
    share = next((one for one in shares if one.server == name), None)
    return {
        "server": name,
        "questions": f"{report['questions']:,}",
        "since": report["since"][:16].replace("T", " ") + " UTC",
        "now": f"{report['now']['questions'] / report['now']['seconds']:.1f}" if report.get("now") else "",
        "share": percent(share.share) if share else "",
        "types": _parts(report["types"], answers),
        "rcodes": _parts(report["rcodes"], answers),
        "transports": _parts({key.upper(): count for key, count in report["transports"].items()}, answers),
        "families": _parts({"IPv4": report["families"]["ipv4"], "IPv6": report["families"]["ipv6"]}, answers),
        "edns": percent(report["edns"] / answers) if answers else "",
        "do": percent(report["do"] / answers) if answers else "",
        "limited": f"{report['limited']:,}",
        "latency": latency_words(report.get("latency") or {}),
        "within": _within(report.get("latency") or {}),
        "names": [(one["name"], f"{one['questions']:,}") for one in report.get("names", ())[:_MOST]],
        "networks": [(one["network"], f"{one['questions']:,}") for one in report["clients"][:_MOST]],
        "problem": report["history"]["problem"] if report.get("history") else "",
    }


def _within(latency: Mapping[str, int]) -> list[tuple[str, str]]:
    """Return the histogram: which part of the answers took how long, the shortest first."""
    bounds, answers = up_to(latency), sum(latency.values())
    parts = [(bound, latency.get(str(bound), 0)) for bound, _ in bounds]
    return [(f"{time_words(bound // 2)} to {time_words(bound)}", percent(count / answers)) for bound, count in parts if count]


def _parts(counts: Mapping[str, int], whole: int) -> list[tuple[str, str]]:
    most = sorted(counts.items(), key=lambda one: -one[1])[:_MOST]
    return [(name, percent(count / whole)) for name, count in most if count and whole]


def drawing(told: Mapping[str, Told]) -> Html:
    """Draw the questions of the last day, or of the time since they are counted, one line for each server."""
    rows = {
        name: one.report["history"]["rows"] for name, one in told.items() if one.report is not None and one.report.get("history")
    }
    if len({row["start"] for each in rows.values() for row in each}) < 2:
        return Html()
    moments = [moment_of(row["start"]) for each in rows.values() for row in each]
    span = max(_MINUTE, -(-(max(moments) - min(moments)) // (_COLUMNS - 1) // _MINUTE) * _MINUTE)
    heights = {name: _heights(each, max(moments) // span, span) for name, each in rows.items()}
    top = max((max(each) for each in heights.values()), default=0) or 1
    lines = (
        fill('<polyline class="line line-$number" points="$points"/>', number=number % 4, points=_points(each, top))
        for number, each in enumerate(heights.values())
    )
    says = "; ".join(f"{name} {sum(each):,}" for name, each in heights.items())
    return fill(
        '<svg class="plot" viewBox="0 0 $width $height" role="img" aria-label="In the last day: $says">$lines</svg>',
        width=_WIDTH,
        height=_HEIGHT,
        says=says,
        lines=joined(lines, ""),
    )


def _heights(rows: Sequence[Mapping[str, Any]], last: int, span: int) -> list[int]:
    found = [0] * _COLUMNS
    for row in rows:
        place = _COLUMNS - 1 - (last - moment_of(row["start"]) // span)
        if place >= 0:
            found[place] += row["questions"]
    return found


def _points(heights: Sequence[int], top: int) -> str:
    step = _WIDTH / (_COLUMNS - 1)
    return " ".join(
        f"{number * step:.1f},{_HEIGHT - 6 - (_HEIGHT - 12) * height / top:.1f}" for number, height in enumerate(heights)
    )
