"""What all commands share: two consoles, JSON on standard output, and how an error is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from mailname.cli.exits import end_quietly
from mailname.cli.json_output import print_json
from mailname.errors import MailnameError, PlanError

if TYPE_CHECKING:
    from rich.table import Table
    from rich.tree import Tree

    from mailname.errors import Mistake

__all__ = ["err", "out", "print_error", "print_json", "print_mistake", "print_prose", "print_table"]

_WIDE = 10_000  # columns of a pipe


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """End without words; rich's own way is exit code 1, which means findings here."""
        end_quietly()


# Results go to standard output, progress and prose beside a JSON result to standard error; rich honours NO_COLOR and pipes.
out = _Console(highlight=False, soft_wrap=True)
err = _Console(stderr=True, highlight=False, soft_wrap=True)


def print_prose(console: Console, markup: str, indent: int = 0, *, hang: int = 2) -> None:
    """Print a paragraph: wrapped between words on a terminal, whole in a pipe, where programs read it.

    Args:
        console: where.
        markup: the text, in rich's markup.
        indent: columns before the first line.
        hang: columns more before the lines that follow.

    """
    text = Text.from_markup(markup)
    fits = not console.is_terminal or text.cell_len <= console.width - indent
    lines = [text] if fits else text.wrap(console, max(console.width - indent - hang, 20))
    for number, line in enumerate(lines):
        line.rstrip()
        console.print(Text(" " * (indent + (hang if number else 0))) + line, soft_wrap=True)


def print_table(console: Console, table: Table | Tree, *, whole: bool = False) -> None:
    """Print a table or a tree: as wide as the terminal, in a pipe one line for each row, and no spaces at the ends of lines.

    ``whole``: no cell is wrapped or cut off, however narrow the terminal is; what is to be typed must be there.
    """
    options = console.options if console.is_terminal and not whole else console.options.update(width=_WIDE)
    for segments in console.render_lines(table, options, pad=False):
        line = Text.assemble(*((segment.text, segment.style or "") for segment in segments))
        line.rstrip()
        console.print(line, soft_wrap=True)


def print_mistake(mistake: Mistake) -> None:
    """Tell one mistake on standard error, in the form that editors jump to."""
    colour = "red" if mistake.severity == "error" else "yellow"
    err.print(
        f"[bold]{escape(str(mistake.at))}[/]: [{colour}]{mistake.severity}:[/] {escape(mistake.problem)}"
        + (f" [dim]{escape(mistake.remedy)}[/]" if mistake.remedy else "")
    )


def print_error(error: MailnameError) -> None:
    """Tell an exception on standard error: for a plan, each mistake on its own line as editors read them."""
    if isinstance(error, PlanError):
        for mistake in error.mistakes:
            print_mistake(mistake)
        return
    at = getattr(error, "at", None)
    place = f"[bold]{escape(str(at))}[/]: " if at else ""
    err.print(f"{place}[red]error:[/] {escape(error.problem)}")
    if error.remedy:
        err.print(f"  {escape(error.remedy)}")
