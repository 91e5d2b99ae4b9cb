"""What ``mailname import`` tells: each plan with what it could not say, for people and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from mailname.cli.console import err, out, print_mistake
from mailname.cli.diff_view import diff_json, print_diff

if TYPE_CHECKING:
    from mailname.cli.import_sources import Collected
    from mailname.cli.import_writing import Imported
    from mailname.errors import Mistake

_MOST_WARNINGS = 20


def print_one(one: Imported) -> None:
    """Tell what was found and how the plan differs from it, before it is asked about."""
    out.print(f"[bold]{escape(one.domain)}[/]: {one.found.zone.record_count} records, serial {one.found.zone.serial}", end=" ")
    out.print(f"[dim]{escape(one.found.where)}[/]")
    for note in one.notes:
        out.print(f"  [yellow]note:[/] {escape(note)}")
    if one.plan.lacks:
        return
    if one.proof.lost_nothing:
        out.print("  [green]proven:[/] the plan means the same zone, record by record")
    for mistake in one.proof.mistakes if one.proof.plan is None else ():
        print_mistake(mistake)
    if one.proof.changes:
        out.print("  The plan means this instead (- as found, + by the plan):")
        print_diff(out, one.proof.changes, apex=one.found.apex, indent="    ")
    for doubt in one.doubts:
        out.print(f"  [yellow]asks:[/] {escape(doubt)}")


def print_end(one: Imported) -> None:
    """Tell what became of it."""
    if one.why_not:
        err.print(f"  [red]not written:[/] {escape(one.why_not)}")
    elif one.written:
        out.print(f"  wrote {one.path}", markup=False)
    else:
        out.print(f"  would write {one.path}", markup=False)


def print_rest(collected: Collected, imported: list[Imported], keys: tuple[str, ...]) -> None:
    """Tell what concerns no single plan, and what to do next."""
    for note in collected.notes:
        out.print(f"[yellow]note:[/] {escape(note)}")
    for mistake in collected.mistakes:
        print_mistake(mistake)
    for key in keys:
        out.print(f"wrote {key}", markup=False)
    warnings = [mistake for one in imported if one.written and one.proof.plan for mistake in one.proof.mistakes]
    for mistake in warnings[:_MOST_WARNINGS]:
        print_mistake(mistake)
    if len(warnings) > _MOST_WARNINGS:
        err.print(f"and {len(warnings) - _MOST_WARNINGS} more warnings: mailname show PLAN tells them", markup=False)
    written = [one for one in imported if one.written]
    if len(imported) > 1:
        out.print(f"{len(written)} of {len(imported)} plans written", markup=False)
    if written:
        path = escape(str(written[0].path))
        err.print(f"[dim]Next: mailname check {path}, mailname deploy {path} --dry-run[/]")


def document(
    collected: Collected, imported: list[Imported], keys: tuple[str, ...], added: dict[str, Any] | None
) -> dict[str, Any]:
    """Return all of it as JSON has it; no secret is in it."""
    return {
        "schema": "mailname.import/1",
        "domains": [_one(one) for one in imported],
        "notes": collected.notes,
        "mistakes": [_mistake(mistake) for mistake in collected.mistakes],
        "keys": list(keys),
        "into": added and {**added, "mistakes": [_mistake(mistake) for mistake in added["mistakes"]]},
    }


def _one(one: Imported) -> dict[str, Any]:
    return {
        "domain": one.domain,
        "from": one.found.where,
        "records": one.found.zone.record_count,
        "serial": int(one.found.zone.serial),
        "plan": str(one.path),
        "written": one.written,
        "why_not": one.why_not or None,
        "lost_nothing": one.proof.lost_nothing and not one.found.signing,
        "diff": diff_json(one.proof.changes),
        "doubts": one.doubts,
        "notes": list(one.notes),
        "warnings": [_mistake(mistake) for mistake in one.proof.mistakes],
    }


def _mistake(mistake: Mistake) -> dict[str, Any]:
    at = mistake.at
    return {
        "file": at.file,
        "line": at.line,
        "column": at.column,
        "severity": mistake.severity,
        "problem": mistake.problem,
        "remedy": mistake.remedy,
    }
