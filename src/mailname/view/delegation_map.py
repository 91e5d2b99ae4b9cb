"""The map of the delegation as SVG: the hops from the root to the mail host, and the one that is broken.

State is told by shape, sign and word, not by colour alone; colours come from the page's style sheet, so that one drawing suits
light, dark and paper.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.view.html_text import Html, fill, joined

if TYPE_CHECKING:
    from mailname.view.delegation_hops import Hop

WIDTH = 340
_STEP = 58
_TOP = 14
_TRUNK = 22
_BRANCH = 58
_BRANCHES = ("server", "mail")
_SIGNS = {"well": "✓", "fragile": "!", "broken": "✕", "unknown": "?"}
_RUNGS = {"root": "root servers", "tld": "registry", "server": "name server", "mx": "where mail goes", "mail": "mail host"}
_LETTERS = {"title": 35, "branch": 30, "detail": 46, "branch detail": 40}


def draw(hops: tuple[Hop, ...], label: str) -> Html:
    """Draw the hops; ``label`` is the drawing's title, read aloud where it is not seen."""
    height = _TOP + _STEP * len(hops)
    rows = [(hop, _TOP + _STEP * row) for row, hop in enumerate(hops)]
    lines = [_line(rows, row) for row in range(1, len(rows))]
    words = "; ".join(f"{_RUNGS[hop.rung]} {hop.title}: {hop.state}{f' ({hop.code})' if hop.code else ''}" for hop in hops)
    return fill(
        '<svg class="map" viewBox="0 0 $width $height" role="img" aria-labelledby="map-title map-desc">'
        '<title id="map-title">$label</title><desc id="map-desc">$words</desc>$lines$nodes</svg>',
        width=WIDTH,
        height=height,
        label=label,
        words=words,
        lines=joined(lines, ""),
        nodes=joined((_node(hop, y) for hop, y in rows), ""),
    )


def _x(hop: Hop) -> int:
    return _BRANCH if hop.rung in _BRANCHES else _TRUNK


def _line(rows: list[tuple[Hop, int]], row: int) -> Html:
    """Draw the way to one hop: down the trunk, and for a server or a mail host out to it."""
    hop, y = rows[row]
    above = next(at for at in range(row - 1, -1, -1) if rows[at][0].rung not in _BRANCHES)
    start = rows[above][1] + 24 if above == row - 1 or hop.rung not in _BRANCHES else rows[row - 1][1] + 12
    path = f"M{_TRUNK} {start}V{y + 12}" + (f"H{_BRANCH - 12}" if hop.rung in _BRANCHES else "")
    return fill('<path class="way $state" d="$path"/>', state=hop.state if hop.state == "broken" else "", path=path)


def _node(hop: Hop, y: int) -> Html:
    x, middle = _x(hop), y + 12
    branch = hop.rung in _BRANCHES
    mark = f"← {hop.code}" if hop.is_cause else hop.code
    return fill(
        '<g class="hop $state$cause"><title>$full</title>$shape<text class="sign" x="$x" y="$sign_y">$sign</text>'
        '<text class="name" x="$text_x" y="$name_y">$name</text><text class="what" x="$text_x" y="$what_y">$what</text>'
        '<text class="code" x="$right" y="$code_y">$mark</text></g>',
        state=hop.state,
        cause=" cause" if hop.is_cause else "",
        full=f"{_RUNGS[hop.rung]} {hop.title}: {hop.detail}; {hop.state}",
        shape=_shape(hop.state, x, middle),
        x=x,
        sign_y=middle + 4.5,
        sign=_SIGNS[hop.state],
        text_x=x + 20,
        name_y=middle - 1,
        name=_short(hop.title, _LETTERS["branch" if branch else "title"] - (len(mark) + 2 if mark else 0)),
        what_y=middle + 14,
        what=_short(hop.detail, _LETTERS["branch detail" if branch else "detail"]),
        right=WIDTH - 4,
        code_y=middle - 1,
        mark=mark,
    )


def _shape(state: str, x: int, y: int) -> Html:
    """Return a shape of its own for each state: circle, triangle, square, dashed circle."""
    if state == "broken":
        return fill('<rect class="shape" x="$x" y="$y" width="22" height="22" rx="3"/>', x=x - 11, y=y - 11)
    if state == "fragile":
        return fill('<path class="shape" d="$path"/>', path=f"M{x} {y - 13}L{x + 13} {y + 9.5}H{x - 13}Z")
    return fill('<circle class="shape" cx="$x" cy="$y" r="11"/>', x=x, y=y)


def _short(text: str, most: int) -> str:
    """Leave out the middle of what does not fit; the whole stands in the drawing's titles and in the page's text."""
    if len(text) <= most:
        return text
    half = (most - 1) // 2
    return f"{text[: most - 1 - half]}…{text[-half:]}"
