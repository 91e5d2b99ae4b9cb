"""Write each command's usage and options into docs/commands.md, from the commands themselves (``make reference``)."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from mailname.cli.main import COMMANDS
from mailname.cli.main import command as mailname_command

PAGE = Path(__file__).resolve().parent.parent / "docs" / "commands.md"
BEGIN = "<!-- written by make reference -->"
END = "<!-- end -->"


def reference(name: str) -> str:
    """Return the usage and the options of one command and of those beneath it, as Markdown."""
    root = click.Context(mailname_command, info_name="mailname")
    found = mailname_command.get_command(root, name)
    if found is None:
        raise LookupError(name)
    return "\n\n".join(_with_those_beneath(found, click.Context(found, parent=root, info_name=name)))


def _with_those_beneath(command: click.Command, context: click.Context) -> list[str]:
    if isinstance(command, click.Group):
        inner = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        beneath = [(one, click.Context(one, parent=context, info_name=name)) for name, one in inner if one]
        return [part for one, place in beneath for part in _with_those_beneath(one, place)]
    usage = " ".join(command.get_usage(context).removeprefix("Usage: ").split())
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    rows = [f"| `{_cell(spelling)}` | {_cell(meaning)} |" for spelling, meaning in records]
    return [f"`{usage}`", *(["\n".join(["| option | |", "|---|---|", *rows])] if rows else [])]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def with_reference(page: str) -> str:
    """Return the page with every command's reference as it is now; a command without a section gets one at the end."""
    for name, summary in COMMANDS.items():
        heading = f"\n## mailname {name}\n"
        if heading not in page:
            page = f"{page.rstrip()}\n{heading}{summary}\n"
        before, _, rest = page.partition(heading)
        section, following, after = rest.partition("\n## ")
        section = re.sub(rf"\n*{re.escape(BEGIN)}.*?{re.escape(END)}\n*", "\n", section, flags=re.DOTALL)
        block = f"\n\n{BEGIN}\n{reference(name)}\n{END}\n"
        page = before + heading + section.rstrip() + block + following + after
    return page


if __name__ == "__main__":
    text = PAGE.read_text(encoding="utf-8")
    written = with_reference(text)
    if written != text:
        PAGE.write_text(written, encoding="utf-8")
        sys.stderr.write("docs/commands.md is new\n")
