"""What was measured, as text, as JSON and as the tables of docs/performance.md."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table that also reads well as text."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


def spread(values: Sequence[float], form: str) -> str:
    """Return the median and the range."""
    middle = format(statistics.median(values), form)
    return middle if len(values) == 1 else f"{middle} ({format(min(values), form)} to {format(max(values), form)})"


def row_text(row: dict[str, Any]) -> str:
    """Return one row of the result."""
    parts = [f"### {row['title']}"]
    if row.get("figures"):
        parts.append(_figures(row["figures"]))
    if row.get("ratios"):
        parts.append(_ratios(row["ratios"]))
    if row.get("starts"):
        parts.insert(1, _starts(row["starts"]))
    if row.get("pairs"):
        parts.insert(1, _pairs(row["pairs"]))
    if row.get("latency"):
        parts.append(_latency(row["latency"]))
    if row.get("cases"):
        parts.append(_cases(row["cases"]))
    if row.get("aims"):
        parts.append("\n".join(f"- {line}" for line in row["aims"]))
    if row.get("notes"):
        parts.append("\n".join(f"- {note}" for note in row["notes"]))
    if row.get("differences"):
        parts.append(
            "Not measured: the servers answer differently.\n\n" + "\n".join(f"- `{line}`" for line in row["differences"])
        )
    return "\n\n".join(parts) + "\n"


def _cases(cases: list[dict[str, Any]]) -> str:
    lines = [
        (case["case"], told["name"], spread(told["seconds"], ".2f"), f"{told['questions'] or '-'}", told["says"])
        for case in cases
        for told in case["told"]
    ]
    return table(("", "program", "seconds: median (range)", "questions", "told"), lines)


def _figures(figures: list[dict[str, Any]]) -> str:
    lines = [
        (
            one["name"],
            spread(one["cpu_microseconds_per_answer"], ".2f"),
            spread(one["answers_per_second"], ",.0f"),
            f"{statistics.median(one['share_of_the_core_used']):.0%}",
            f"{one['resident_megabytes']:,.0f}",
            f"{one['seconds_to_start']:,.1f}",
        )
        for one in figures
    ]
    return table(
        ("server", "CPU per answer, µs: median (range)", "answers per second", "of its core", "MB", "up after, s"), lines
    )


def _ratios(ratios: list[dict[str, Any]]) -> str:
    lines = []
    for one in ratios:
        aim = "" if one["at_most"] is None else f"≤ {one['at_most']:.2f}"
        reached = {None: "", True: "yes", False: "no"}[one["reached"]]
        what = f", {one['what']}" if "what" in one else ""
        lines.append((f"{one['of']} ÷ {one['to']}{what}", spread(one["values"], ".2f"), aim, reached))
    kind = "" if "what" in ratios[0] else "CPU per answer"
    return table((kind, "ratio: median (range)", "to reach", "reached"), lines)


def _starts(starts: list[dict[str, Any]]) -> str:
    lines = [
        (
            one["name"],
            spread(one["seconds"], ".2f"),
            spread(one["cpu_seconds"], ".2f"),
            spread(one["peak_megabytes"], ",.0f"),
            spread(one["resident_megabytes"], ",.0f"),
        )
        for one in starts
    ]
    return table(("server", "seconds: median (range)", "CPU seconds", "most MB held", "MB held then"), lines)


def _pairs(pairs: list[dict[str, Any]]) -> str:
    """Each kind of value is a column."""
    kinds = [kind for kind in pairs[0] if kind != "name"]
    forms = ["," + (".0f" if "MB" in kind else ".1f" if "ms" in kind else ".3f") for kind in kinds]
    lines = [(one["name"], *(spread(one[kind], form) for kind, form in zip(kinds, forms, strict=True))) for one in pairs]
    return table(("pair", *(f"{kind}: median (range)" for kind in kinds)), lines)


def _latency(measured: list[dict[str, Any]]) -> str:
    lines = []
    for one in measured:
        for when in ("idle", "during"):
            figures = one[when]
            microseconds = [f"{figures[name]:,.0f}" if name in figures else "-" for name in ("p50", "p99", "p999", "longest")]
            seconds = f" ({' + '.join(map(str, one['seconds_per_reload']))} s)" if when == "during" else ""
            label = f"while it loads{seconds}" if when == "during" else when
            counts = [f"{figures[name]:,}" for name in ("asked", "unanswered", "unseen")]
            lines.append((one["name"], label, *counts, *microseconds))
    return table(("server", "", "asked", "no answer", "not seen", "p50, µs", "p99", "p99.9", "longest"), lines)


def whole(result: dict[str, Any]) -> str:
    """Return all rows, headed by where they were measured."""
    machine = "\n".join(f"- {name}: {value}" for name, value in result["machine"].items())
    return f"Measured {result['when']} by `{result['command']}`.\n\n{machine}\n\n" + "\n".join(map(row_text, result["rows"]))


def into_page(page: str, measured: str) -> str:
    """Put the tables between the marks of docs/performance.md."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{measured.strip()}\n\n{END}{after}"
