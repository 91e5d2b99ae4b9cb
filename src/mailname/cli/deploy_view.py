"""How a deployment is told: what would change as a diff, how far it has got, how it ended, and what to type next."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rich.markup import escape

from mailname.cli.console import err, out, print_json, print_prose
from mailname.cli.exits import EXIT_FAILED, EXIT_WELL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from mailname.cli.deploy_steps import Deployment
    from mailname.errors import HostError, MailnameError
    from mailname.host.deploying import Deploying

SCHEMA = "mailname.deploy/1"
_COLOURS = {"+": "green", "-": "red", "~": "yellow", "!": "yellow", "@": "cyan"}
_FROM = {"new": "is made", "fetched": "is fetched from a host that has it", "file": "is that beside the plan"}
_WOULD = {"new": "would be made", "fetched": "would be fetched from a host that has it"}


class View:
    """Tells of one run: prose to a terminal, or one JSON document with the prose beside it."""

    def __init__(self, plan: Path, *, as_json: bool, dry_run: bool) -> None:
        self._plan, self._as_json, self._dry_run = plan, as_json, dry_run
        self._prose = err if as_json else out

    @contextlib.contextmanager
    def progress(self) -> Iterator[Callable[[str], None]]:
        """Show what is being done, as long as it is."""
        with err.status("looking at the hosts") as spinner:

            def tell(text: str) -> None:
                spinner.update(escape(text))
                if not err.is_terminal:
                    err.print(text, markup=False)

            yield tell

    def tell_changes(self, run: Deployment) -> None:
        """Show what changes on each host, and where the keys are from."""
        for one in run.chosen:
            self._head(one)
            if not one.what:
                self._prose.print("  nothing to change")
            if one.takes_over_from:
                self._prose.print(
                    f"  [yellow]~ takes port 53 over from {one.takes_over_from}, which answers until all is ready[/]"
                )
            for line in one.what.diff().splitlines():
                colour = _COLOURS.get(line[:1], "dim")
                self._prose.print(f"  [{colour}]{escape(line)}[/]")
            if one.what.release and one.archive is not None:
                core = "compiled" if one.archive.is_compiled else "uncompiled, which answers slower"
                self._prose.print(
                    f"  [dim]{len(one.archive.octets) / 1e6:.1f} MB; the core for {escape(str(one.interpreter))} is {core}[/]"
                )
        for path, source in run.keys.items():
            if source in _FROM and any(path in (one.what.files or {}) for one in run.chosen):
                verb = _WOULD.get(source, _FROM[source]) if self._dry_run else _FROM[source]
                self._prose.print(f"the key {escape(path.name)} {verb}: {escape(str(run.plan_file.parent / 'keys' / path.name))}")

    def _head(self, one: Deploying) -> None:
        address = ", ".join(map(str, one.host.addresses))
        self._prose.print(f"[bold]{escape(one.name)}[/] [dim]{escape(address)}[/]")

    def end(
        self,
        run: Deployment,
        code: int,
        trouble: MailnameError | None = None,
        words: Mapping[str, str] | None = None,
        left: Sequence[HostError] = (),
    ) -> int:
        """Tell how it ended; returns the exit code."""
        for one in run.chosen:
            if one.trouble is not None or one.faults:
                self._head(one)
            if one.trouble is not None:
                print_prose(self._prose, f"[red]{escape(one.trouble.problem)}[/]", 2)
                print_prose(self._prose, escape(one.trouble.remedy), 4)
            for fault in one.faults:
                print_prose(self._prose, f"[red]{fault.code + ': ' if fault.code else ''}{escape(fault.problem)}[/]", 2)
                print_prose(self._prose, escape(fault.fix), 4)
        if trouble is not None:
            self._failed(run, trouble, words or {}, left)
        elif code != EXIT_WELL:
            self._prose.print("nothing was changed")
        elif self._dry_run:
            if any(one.what for one in run.chosen):
                self._prose.print(f"nothing was changed; do it: mailname deploy {escape(str(self._plan))}")
        else:
            self._well(run)
        if self._as_json:
            print_json(self._json(run, code, trouble, left))
        return code

    def _failed(self, run: Deployment, trouble: MailnameError, words: Mapping[str, str], left: Sequence[HostError]) -> None:
        print_prose(self._prose, f"[red]{escape(trouble.problem)}[/]")
        if trouble.remedy:
            print_prose(self._prose, escape(trouble.remedy), 2)
        for one in run.asked:
            if one.from_here and (one.serial is None or len({each.serial for each in run.asked if each.zone == one.zone}) > 1):
                where = f"{one.server.to_text(omit_final_dot=True)} {one.at} {one.protocol.upper()}"
                self._prose.print(f"  [red]✗[/] {escape(where)}: {escape(one.says)}")
        for name, said in words.items():
            self._prose.print(f"  [bold]{escape(name)}[/] said of itself:")
            for line in said.splitlines():
                self._prose.print("    " + escape(line))
        for error in left:
            print_prose(self._prose, f"[red]{escape(error.problem)}[/] {escape(error.remedy)}")
        if not left:
            touched = any(one.touched for one in run.chosen)
            self._prose.print("what ran before runs again" if touched else "nothing was changed")
        self._prose.print(f"Find the cause: mailname host check {escape(str(self._plan))}")

    def _well(self, run: Deployment) -> None:
        for published in run.published:
            name = published.new.apex.to_text(omit_final_dot=True)
            self._prose.print(f"[bold]{escape(name)}[/]: published, serial {published.new.serial}")
        for waiting in run.unpublished:
            name = waiting.new.apex.to_text(omit_final_dot=True)
            what = f"the plan means something else than what is served, {len(waiting.changes)} changes"
            print_prose(self._prose, f"[yellow]{escape(name)}[/]: {what}; publish it: mailname publish {escape(str(self._plan))}")
        for one in run.asked:
            if not one.from_here:
                self._prose.print(f"  [yellow]?[/] {escape(str(one.at))} {one.protocol.upper()}: this computer has no way there")
        asked = [one for one in run.asked if one.from_here]
        serials = ", ".join(str(serial) for serial in dict.fromkeys(one.serial for one in asked))
        count = len({one.at for one in asked})
        self._prose.print(f"[green]every server answers over UDP and TCP[/] ({count} addresses, serial {serials})")
        if not any(one.what for one in run.chosen):
            self._prose.print("nothing was changed: all is as the plan says")
        for host in run.chosen:
            server = host.host.name_server
            if server is not None and server.ssh is None and host.login is not None:
                line = f'ssh = "{host.login.target}"'
                self._prose.print(
                    f"publish and status find {escape(host.name)} by this line in its table of the plan: {escape(line)}"
                )
        plan = escape(str(self._plan))
        self._prose.print(f"next: mailname check {plan}; after a change of the plan: mailname publish {plan}")

    def _json(self, run: Deployment, code: int, trouble: MailnameError | None, left: Sequence[HostError]) -> dict[str, object]:
        return {
            "schema": SCHEMA,
            "well": code == EXIT_WELL,
            "dry_run": self._dry_run,
            "rolled_back": code == EXIT_FAILED and not left and any(one.touched for one in run.chosen),
            "trouble": {"says": trouble.problem, "fix": trouble.remedy} if trouble else None,
            "hosts": [one.to_json() for one in run.chosen],
            "published": [{"zone": one.new.apex.to_text(), "serial": one.new.serial.value} for one in run.published],
            "unpublished": [{"zone": one.new.apex.to_text(), "changes": len(one.changes)} for one in run.unpublished],
            "answers": [one.to_json() for one in run.asked],
        }

    def tell_removal(self, there: Sequence[Deploying], *, purge: bool) -> None:
        """Say what goes."""
        for one in there:
            self._head(one)
            self._prose.print(f"  [red]- {escape(one.goes)}[/]")
            kept = escape(one.kept_zones)
            self._prose.print(f"  [red]- {kept}[/]" if purge else f"  [dim]what stays: {kept}[/]")

    def end_removal(self, there: Sequence[Deploying], *, removed: bool) -> int:
        """Tell what was removed."""
        names = ", ".join(one.name for one in there)
        self._prose.print(
            f"removed from {escape(names)}" if removed else "nothing was removed" if there else "nothing is deployed there"
        )
        if self._as_json:
            print_json({"schema": SCHEMA, "well": True, "removed": [one.name for one in there] if removed else []})
        return EXIT_WELL
