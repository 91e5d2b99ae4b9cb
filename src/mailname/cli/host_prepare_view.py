"""How preparing is told: the diff before, a line for each thing that happens, and what holds afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.markup import escape

from mailname.cli.console import err, out, print_json, print_prose
from mailname.cli.host_view import print_result
from mailname.host.step import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mailname.errors import HostError
    from mailname.host.prepare import Audit, Prepared
    from mailname.plan.hosts import Host

SCHEMA = "mailname.host-prepare/1"
_COLOURS = {"+": "green", "-": "red", "@": "cyan"}

__all__ = ["err"]


def name_of(host: Host) -> str:
    """Return a host's name as people write it."""
    return host.name.to_text(omit_final_dot=True)


def tell(name: str, line: str) -> None:
    """Print what happens on a host."""
    err.print(f"[bold]{escape(name)}[/] {escape(line)}")


def print_audits(audits: Sequence[Audit], troubles: Sequence[tuple[Host, HostError]]) -> None:
    """Print what would be changed on each host."""
    for one in audits:
        out.print(f"[bold]{escape(name_of(one.host))}[/] [dim]{escape(one.login.target)}[/]")
        if not one.changes:
            out.print("  [green]nothing to change[/]")
        title = ""
        for change in one.changes:
            if change.title != title:
                out.print(f"  [bold]{escape(change.title)}[/] [dim]{', '.join(change.codes)}[/]")
                title = change.title
            for line in change.diff:
                colour = _COLOURS.get(line[:1], "dim")
                out.print(f"    [{colour}]{escape(line)}[/]", soft_wrap=True)
        for left in one.left_alone:
            print_prose(out, f"[yellow]left alone:[/] {escape(left.why)}", 2)
            print_prose(out, f"[bold]{escape(left.fix)}[/]", 4)
        out.print()
    for host, trouble in troubles:
        out.print(f"[bold]{escape(name_of(host))}[/]")
        print_prose(out, f"[red]{escape(trouble.problem)}[/]", 2)
        print_prose(out, escape(trouble.remedy), 4)
        out.print()


def print_prepared(audits: Sequence[Audit], prepared: Sequence[Prepared], plan: str) -> None:
    """Print what became of each host, what is left for its owner to mend, and the next command."""
    for one in prepared:
        out.print(f"[bold]{escape(name_of(one.host))}[/]")
        if one.trouble is not None:
            print_prose(out, f"[red]{escape(one.trouble.problem)}[/]", 2)
            if one.trouble.remedy:
                print_prose(out, escape(one.trouble.remedy), 4)
            if one.put_back:
                print_prose(out, f"[bold]{escape(one.put_back)}.[/]", 2)
            if one.done:
                print_prose(out, f"changed, and left so: {escape(', '.join(one.done))}.", 2)
        elif one.done:
            print_prose(out, f"[green]done:[/] {escape(', '.join(one.done))}.", 2)
        if one.rebooted:
            print_prose(out, "[green]restarted:[/] a new boot, and all is back.", 2)
        if one.password_file is not None:
            print_prose(out, f"The administrator's new password stands in {escape(str(one.password_file))}.", 2)
        if one.way_in and one.host.ssh.startswith("root@") and "sshd" in one.done:
            line = f'ssh = "{one.way_in}"'
            print_prose(out, f"root is not let in by SSH any more. Write into the plan, in its place: {escape(line)}", 2)
        for result in one.results:
            if result.outcome is Outcome.DOES_NOT_HOLD:
                print_result(result, plan)
        out.print()
    if not any(one.trouble for one in prepared) and (prepared or audits):
        print_prose(out, "Look at it as a whole, or put the name servers there:")
        out.print(f"  mailname host check {escape(plan)}\n  mailname deploy {escape(plan)}", soft_wrap=True)


def print_as_json(
    audits: Sequence[Audit], prepared: Sequence[Prepared], troubles: Sequence[tuple[Host, HostError]], *, well: bool
) -> None:
    """Print the same as JSON."""
    became = {one.host: one for one in prepared}
    hosts = [
        {
            "host": name_of(one.host),
            "ssh": one.login.target,
            "changes": [change.to_json() for change in one.changes],
            "left_alone": [left.to_json() for left in one.left_alone],
            "prepared": became[one.host].to_json() if one.host in became else None,
            "trouble": None,
        }
        for one in audits
    ]
    hosts += [
        {
            "host": name_of(host),
            "ssh": host.ssh,
            "changes": [],
            "left_alone": [],
            "prepared": None,
            "trouble": {"says": trouble.problem, "fix": trouble.remedy},
        }
        for host, trouble in troubles
    ]
    print_json({"schema": SCHEMA, "well": well, "hosts": hosts})
