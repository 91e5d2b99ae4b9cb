"""How the state of hosts is told on a terminal: a line for each step; where it does not hold, why, and what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from mailname.cli.console import out, print_prose
from mailname.host.step import STEPS, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailname.host.step import Result
    from mailname.host.survey import Surveyed

_MARKS = {Outcome.HOLDS: "[green]ok[/]  ", Outcome.DOES_NOT_HOLD: "[red]no[/]  ", Outcome.UNKNOWN: "[yellow]?[/]   "}


def print_hosts(found: Sequence[Surveyed], plan: str) -> None:
    """Print every host, and one line at the end that says how many steps do not hold, and the next command."""
    for number, one in enumerate(found):
        if number:
            out.print()
        address = ", ".join(map(str, one.host.addresses))
        out.print(f"[bold]{escape(one.name)}[/] [dim]{escape(address)}[/]")
        if one.trouble is not None:
            print_prose(out, f"[red]{escape(one.trouble.problem)}[/]", 2)
            print_prose(out, escape(one.trouble.remedy), 4)
        for result in one.results:
            print_result(result, plan)
    _end(found, plan)


def print_result(result: Result, plan: str) -> None:
    """Print one step."""
    head = f"{_MARKS[result.outcome]}[dim]{result.code}[/] {escape(STEPS[result.code])}"
    if result.outcome is Outcome.HOLDS:
        print_prose(out, f"{head}[dim]: {escape(' '.join(result.seen))}[/]" if result.seen else head, 2, hang=12)
        return
    print_prose(out, head, 2, hang=12)
    for said in result.seen:
        print_prose(out, escape(said), 14)
    if result.fix:
        print_prose(out, f"[bold]{escape(result.fix)}[/]", 14)
    if result.command:
        print_prose(out, escape(result.command.replace("PLAN", plan)), 16)


def _end(found: Sequence[Surveyed], plan: str) -> None:
    results = [result for one in found for result in one.results]
    wrong = sum(result.outcome is Outcome.DOES_NOT_HOLD for result in results)
    unsure = sum(result.outcome is Outcome.UNKNOWN for result in results)
    out.print()
    if wrong:
        print_prose(out, f"[red]{wrong} of {len(results)} steps do not hold.[/] See what would be changed:")
        out.print(f"  mailname host prepare {escape(plan)} --dry-run")
    elif any(one.trouble for one in found):
        print_prose(out, "[yellow]Not every host could be looked at.[/]")
    elif unsure:
        print_prose(out, f"[yellow]Nothing is wrong, but {unsure} of {len(results)} steps could not be found out.[/]")
    else:
        print_prose(out, "[green]Every step holds.[/] Put the name servers there:")
        out.print(f"  mailname deploy {escape(plan)}")
