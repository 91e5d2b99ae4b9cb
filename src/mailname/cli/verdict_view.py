"""How a verdict looks on a terminal: the ladder rung by rung, then the one cause with its fix and evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape
from rich.text import Text

from mailname.checks.finding import CODES
from mailname.checks.wording import spoken
from mailname.cli.console import print_prose
from mailname.cli.verdict_ladder import print_ladder
from mailname.view.ladder_lines import ONE_OF, PROVEN
from mailname.view.verdict_doing import look_again
from mailname.view.verdict_sentence import sentence

if TYPE_CHECKING:
    from rich.console import Console

    from mailname.checks import Cause, Facts, Verdict
    from mailname.checks.candidates import Choice
    from mailname.plan import Plan

_COLOURS = {"well": "green", "fragile": "yellow", "broken": "red", "unknown": "magenta"}
_MOST_EVIDENCE = 3


def print_verdict(console: Console, plan: Plan, facts: Facts, verdict: Verdict) -> None:
    """Print the ladder, the verdict and its cause. Wraps at the console's width; says the same without colours."""
    if facts.asked is not None:
        print_prose(
            console, escape(f"{spoken(facts.asked)} is a name in the zone {spoken(facts.domain)}, which is looked at here.")
        )
        console.print()
    print_ladder(console, plan, facts, verdict)
    console.print()
    colour = _COLOURS[verdict.verdict]
    print_prose(console, f"[bold {colour}]{escape(sentence(plan, facts, verdict))}[/]")
    if verdict.cause:
        _print_cause(console, verdict.cause, colour)
    for other in verdict.also:
        print_prose(console, "[bold]Independent of that[/]")
        _print_cause(console, other, "yellow")
    for note in verdict.notes:
        print_prose(console, f"[bold]Note[/] {note.code} {escape(note.says)} {escape(note.fix)}")
    if verdict.notes:
        console.print()
    blocked = f", {len(verdict.blocked)} checks could not be made" if verdict.blocked else ""
    print_prose(console, f"[dim]{verdict.queries} questions in {verdict.seconds:.2f} s{blocked}[/]")


def _print_cause(console: Console, cause: Cause, colour: str) -> None:
    """Print one cause. Without a frame, so that the line to type can be copied as it stands; that line is never wrapped."""
    finding = cause.finding
    console.print()
    print_prose(console, f"[bold {colour}]{finding.code}[/] [bold]{escape(CODES[finding.code])}[/]")
    print_prose(console, escape(finding.says), 2, hang=0)
    console.print()
    print_prose(console, f"[bold]Where[/]  {escape(finding.where)}", 2, hang=7)
    print_prose(console, f"[bold]Fix[/]    {escape(finding.fix)}", 2, hang=7)
    if finding.command:
        console.print(Text("  ") + Text("Type", "bold") + Text("   ") + Text(finding.command, "bold cyan"), soft_wrap=True)
    if again := look_again(finding):
        console.print(Text("  ") + Text("Then", "bold") + Text("   ") + Text(again, "cyan"), soft_wrap=True)
    if cause.choice:
        _print_choice(console, cause.choice)
    for piece in finding.evidence[:_MOST_EVIDENCE]:
        console.print()
        print_prose(console, f"[dim]{escape(f'{piece.question} @ {piece.server}')}[/]", 2)
        for line in piece.answer.splitlines():
            print_prose(console, f"[dim]{escape(line)}[/]", 4)
    if cause.explains:
        console.print("\n  [bold]This explains[/]")
        for effect in cause.explains:
            print_prose(console, f"{effect.code} {escape(effect.says)}", 4)
    if cause.proven:
        console.print()
        print_prose(console, f"[dim]{PROVEN}[/]", 2)
    console.print()


def _print_choice(console: Console, choice: Choice) -> None:
    """Print what it may be, and the probe that decides."""
    console.print()
    print_prose(console, f"[bold]{ONE_OF}[/]", 2)
    for number, one in enumerate(choice.candidates, 1):
        print_prose(console, escape(f"{number}. {one.says} {one.speaks}".rstrip()), 4, hang=3)
        print_prose(console, f"[dim]{escape(f'{one.where}: {one.fix}')}[/]", 7, hang=0)
    print_prose(console, f"[bold]Which[/]  {escape(choice.tells)}", 2, hang=7)
    if choice.command:
        console.print(Text("  ") + Text("Type", "bold") + Text("   ") + Text(choice.command, "bold cyan"), soft_wrap=True)
