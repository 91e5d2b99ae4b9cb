"""Whom resolvers prefer, and how sure that is, in plain words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailname.checks.traffic_share import shares

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mailname.checks.observe_traffic import Told
    from mailname.checks.traffic_share import Share

_ENOUGH = 30  # questions in sight, below which a share says nothing
_TOGETHER = 60  # seconds: servers that started within them have counted for as long as each other


def moment_of(text: str) -> int:
    """Return a time as reports write it in seconds since 1970."""
    return int(datetime.fromisoformat(text).timestamp())


def sentence(shares: Sequence[Share]) -> str:
    """Say in plain words whom resolvers prefer; nothing where nobody was asked, or there is no choice."""
    if len(shares) < 2:
        return ""
    first = max(shares, key=lambda one: one.share)
    about = f"Resolvers ask {first.server} in {percent(first.share)} of cases ({apart(first)})"
    return f"{about}, of {first_of(shares):,} questions" + (
        "." if first.spans else ". That is by their number alone; a few minutes more tell how it varies."
    )


def first_of(shares: Sequence[Share]) -> int:
    """Return how many questions all shares are of."""
    return sum(one.questions for one in shares)


def apart(share: Share) -> str:
    """Say how far off a share may be, in percent, rounded up."""
    far = max(share.most - share.share, share.share - share.least) * 100
    return f"±{max(-int(-far // 1), 1)}" if far >= 1 else "±1"


def percent(part: float) -> str:
    """Write a part of one in percent."""
    return f"{part * 100:.0f} %"


def shares_of(told: Mapping[str, Told]) -> tuple[list[Share], str]:
    """Return each server's share, over the time in which all have counted; or why there is none."""
    reports = {name: one.report for name, one in told.items() if one.report is not None}
    if len(reports) < 2:
        return [], ""
    rows = {
        name: {moment_of(row["start"]): row["questions"] for row in report["history"]["rows"]} for name, report in reports.items()
    }
    if all(rows.values()):
        begin = max(_begun(report, rows[name]) for name, report in reports.items())
        return shares({name: {at: count for at, count in series.items() if at >= begin} for name, series in rows.items()}), ""
    since = [moment_of(report["since"]) for report in reports.values()]
    if max(since) - min(since) <= _TOGETHER:
        return shares({name: {0: report["questions"]} for name, report in reports.items()}), ""
    if sum(report["now"]["questions"] for report in reports.values()) >= _ENOUGH:
        found = shares({name: {0: report["now"]["questions"]} for name, report in reports.items()})
        return found, f"Of the {max(report['now']['seconds'] for report in reports.values()):.0f} s in which all were watched."
    return [], (
        "No share yet: not every server keeps a history, or has counted for a whole minute in this time. "
        "Watch them for longer: mailname traffic PLAN --for 60"
    )


def _begun(report: Mapping[str, Any], rows: Mapping[int, int]) -> int:
    """Return since when a history is complete.

    Who was not asked in a minute has no row of it, but has counted since it was started, or since its first row; where somebody
    else keeps the history, since he does.
    """
    if since := report["history"].get("since"):
        return moment_of(since) + _TOGETHER
    return min(moment_of(report["since"]) - _TOGETHER, *rows)
