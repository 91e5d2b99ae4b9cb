"""``mailname rehearse``: the whole journey in a private Internet on this machine, and what the check says of it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shlex
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click
import dns.ttl
from rich.markup import escape

from mailname.cli.console import err, out, print_error, print_json, print_prose, print_table
from mailname.cli.exits import EXIT_INTERRUPTED, EXIT_USAGE, EXIT_WELL, EXITS
from mailname.cli.plan_argument import read_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from mailname.checks import Verdict
    from mailname.lab import Lab
    from mailname.lab.faults import Fault
    from mailname.plan import Plan


@click.command("rehearse")
@click.argument("plan_file", metavar="PLAN", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--json", "as_json", is_flag=True, help="Print the verdict as one JSON document; the progress goes to standard error."
)
@click.option("--serve", is_flag=True, help="Keep it running afterwards, to look around by hand; Ctrl-C ends it.")
@click.option(
    "--web",
    metavar="[ADDR:PORT]",
    is_flag=False,
    flag_value="127.0.0.1:8053",
    help="With --serve: show it as a page, too, from which things are broken and mended. [default: 127.0.0.1:8053]",
)
@click.option("--break", "fault_name", metavar="FAULT[@SERVER]", help="Break one thing before the verdict.")
@click.option("--before-registering", "early", is_flag=True, help="With --break: before the registry is told, which may refuse.")
@click.option(
    "--registry-delay",
    metavar="TIME",
    help="Let the registry's servers learn of the order one after the other, within this time, such as 1h.",
)
@click.option(
    "--speed",
    type=click.FloatRange(1, 1_000_000),
    default=3600.0,
    show_default=True,
    help="With --registry-delay: how many seconds pass there in one of ours.",
)
@click.option("--list-faults", is_flag=True, help="List what can be broken, and which cause the check must then find.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the servers' files here. Default: a temporary folder.",
)
@click.option("--real-addresses", is_flag=True, help="Bind the plan's own addresses and port 53 (root, in a network namespace).")
@click.pass_context
def command(
    ctx: click.Context,
    plan_file: Path | None,
    as_json: bool,
    serve: bool,
    web: str | None,
    fault_name: str | None,
    early: bool,
    registry_delay: str | None,
    speed: float,
    list_faults: bool,
    folder: Path | None,
    real_addresses: bool,
) -> None:
    """Walk the whole journey in a private Internet on this machine: publish, transfer, register, resolve, deliver, check.

    Nothing leaves this machine and no privilege is needed. Exit code 0 when all is well, 1 when the check found something, 2
    when the plan cannot be used or cannot have the fault, 3 when the check could not find out; with --serve 0 when it was ended
    by Ctrl-C.
    """
    if list_faults:
        _list_faults(as_json)
        return
    if plan_file is None:
        raise click.UsageError("Missing argument 'PLAN'.", ctx)
    if web is not None and not serve:
        raise click.UsageError("The page is there as long as the rehearsal: --serve --web.", ctx)
    from mailname.lab.driven_server import is_installed

    plan = read_plan(plan_file)
    for server in plan.name_servers:
        if server.engine != "builtin" and (fault_name is not None or not is_installed(server)):
            told = server.name.to_text(omit_final_dot=True)
            why = "; it is" if fault_name is not None else ", which is not installed here; it is"
            err.print(f"{told} has the engine {server.engine}{why} rehearsed with mailname's own server.", markup=False)
    fault = _find_fault(ctx, fault_name, plan) if fault_name is not None else None
    if early and fault is not None and fault[0].is_at_the_registry:
        raise click.UsageError(f"{fault_name} happens at the registry: it cannot be there before the registry is told.")
    delay = _read_duration(registry_delay) if registry_delay else 0.0
    rehearsal = _Rehearsal(plan, plan_file, fault, err if as_json else out, as_json, serve, early, delay, speed, web)
    with _workplace(folder) as place, _logged_to(place / "servers.log"):
        ctx.exit(asyncio.run(rehearsal.run(place, real_addresses=real_addresses)))


def _list_faults(as_json: bool) -> None:
    from mailname.lab.faults import FAULTS

    if as_json:
        print_json([{"name": fault.name, "cause": fault.cause, "says": fault.says} for fault in FAULTS.values()])
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, show_header=False)
    for fault in FAULTS.values():
        table.add_row(f"[bold]{fault.name}[/]", fault.cause, escape(fault.says))
    print_table(out, table)


def _find_fault(ctx: click.Context, text: str, plan: Plan) -> tuple[Fault, str]:
    """Read ``FAULT`` or ``FAULT@SERVER``; return the fault, and how it is called with its place."""
    from mailname.errors import HostError
    from mailname.lab.fault import aim_at, aim_at_tld
    from mailname.lab.faults import find_fault

    name, _, where = text.partition("@")
    try:
        fault = find_fault(name)
        fault.refuse(plan)
        if aim_at_tld(plan, where) is not None:
            fault.refuse_at_tld()
        elif where:
            aim_at(plan, where)
    except HostError as error:
        print_error(error)
        ctx.exit(EXIT_USAGE)
    return fault, text


def _read_duration(text: str) -> float:
    """Read a time as it is written for a TTL: 3600, 1h, 1h30m."""
    try:
        return float(dns.ttl.from_text(text))
    except dns.ttl.BadTTL as error:
        raise click.BadParameter(f"'{text}' is no time. Write 90, 90s, 30m or 1h30m.", param_hint="--registry-delay") from error


@contextlib.contextmanager
def _workplace(folder: Path | None) -> Iterator[Path]:
    """Give a folder for the servers' files: the one named, or one that is gone afterwards."""
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise click.UsageError(f"cannot use the folder {folder}: {error.strerror}") from error
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="mailname-", ignore_cleanup_errors=True) as made:
        yield Path(made)


@contextlib.contextmanager
def _logged_to(file: Path) -> Iterator[None]:
    """Let the servers log to a file: what they say of a fault belongs to looking around, not between the steps."""
    log = logging.getLogger("mailname")
    before = (log.level, log.propagate)
    handler = logging.FileHandler(file, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    log.propagate = False
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
        log.level, log.propagate = before


class _Rehearsal:
    """One run of the command."""

    def __init__(
        self,
        plan: Plan,
        plan_file: Path,
        fault: tuple[Fault, str] | None,
        console: Console,
        as_json: bool,
        serve: bool,
        early: bool,
        delay: float,
        speed: float,
        web: str | None,
    ) -> None:
        self.plan = plan
        self.plan_file = plan_file
        self.fault = fault
        self.console = console
        self.as_json = as_json
        self.serve = serve
        self.web = web
        self.early = early
        self.delay = delay
        self.speed = speed if delay else 1.0

    async def run(self, place: Path, *, real_addresses: bool) -> int:
        """Walk, break, check, and serve on if asked to; returns the exit code."""
        from mailname.lab import Lab

        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        serving = False
        try:
            lab = Lab(
                self.plan,
                place,
                real_addresses=real_addresses,
                registry_delay=self.delay,
                speed=self.speed,
                engines=self.fault is None,
            )
            async with lab:
                await self._walk(lab)
                if self.fault is not None and not self.early:
                    await self._break(lab, *self.fault)
                verdict = await self._check(lab)
                if not self.serve:
                    return EXITS[verdict.verdict]
                self._print_ways_in(lab)
                serving = True
                if self.web is not None:
                    from mailname.cli.rehearse_web import show

                    await show(self.plan, self.plan_file, lab, (self.fault[1],) if self.fault else (), self.web)
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            if not serving:
                return EXIT_INTERRUPTED
            self.console.print("[dim]ended[/]")
        return EXIT_WELL

    async def _walk(self, lab: Lab) -> None:
        from mailname.lab.journey import walk

        domain = self.plan.domain.to_text(omit_final_dot=True)
        self.console.print(f"[bold]{escape(domain)}[/], rehearsed on this machine")

        async def before_registering() -> None:
            if self.fault is not None and self.early:
                await self._break(lab, *self.fault)
            if self.delay and self.serve:
                watch = (
                    f"mailname check {shlex.quote(str(self.plan_file))} --watch --network {shlex.quote(str(lab.network_file))}"
                )
                self.console.print(f"[dim]from another terminal:[/] {escape(watch)}")

        async for step in walk(lab, before_registering):
            mark = "[green]✓[/]" if step.ok else "[red]✗[/]"
            self.console.print(f"{mark} [bold]{escape(step.title)}[/] [dim]{step.seconds * 1000:.0f} ms[/]")
            for line in step.says:
                print_prose(self.console, escape(line), 4)

    async def _break(self, lab: Lab, fault: Fault, name: str) -> None:
        self.console.print(f"[yellow]![/] [bold]{escape(name)}[/]")
        print_prose(self.console, escape(fault.says), 4)
        await lab.inject(name)

    async def _check(self, lab: Lab) -> Verdict:
        from mailname.checks import Place, explain, judge, observe

        facts = await observe(self.plan, network=lab.network, world=lab.world)
        # Only what goes on running can be spoken to.
        place = Place(str(self.plan_file))
        if self.serve:
            place = Place(str(self.plan_file), str(lab.network_file), lab.world.control_sockets)
        verdict = explain(self.plan, facts, judge(self.plan, facts, place))
        if self.as_json:
            print_json(verdict.to_json())
        else:
            from mailname.cli.verdict_view import print_verdict

            out.print("\n[bold]What the check sees[/], from the outside in")
            print_verdict(out, self.plan, facts, verdict)
        return verdict

    def _print_ways_in(self, lab: Lab) -> None:
        """Print the lines with which to look around by hand."""
        domain = self.plan.domain.to_text(omit_final_dot=True)
        tld = lab.internet.registry.apex.to_text(omit_final_dot=True)
        console = self.console
        console.print("\n[bold]It keeps running; look around from another terminal.[/] Ctrl-C ends it.\n")
        asked = [(lab.resolver.at, f"{domain} MX", "the resolver")]
        asked.append((lab.internet.root.at[0], f"{domain} NS +norecurse", "the root server"))
        asked.extend((at, f"{domain} NS +norecurse", f"a server of {tld}") for one in lab.internet.tld_servers for at in one.at)
        for server in self.plan.name_servers:
            name = server.name.to_text(omit_final_dot=True)
            asked.extend(
                (at, f"{domain} MX +norecurse", f"{name}, {server.role}, {at.address}")
                for at in lab.name_servers[server.name].config.listen
            )
        lines = [
            (f"dig @{host} -p {port} {question}", what)
            for (host, port), question, what in ((lab.network.place(a), q, w) for a, q, w in asked)
        ]
        plan, network = shlex.quote(str(self.plan_file)), shlex.quote(str(lab.network_file))
        lines.append((f"mailname check {plan} --network {network}", "the verdict"))
        lines.append((f"mailname status {plan} --network {network}", "both sides of the transfer"))
        for host, control in lab.network.control.items():
            lines.append((f"mailname status --control {shlex.quote(str(control))}", host.to_text(omit_final_dot=True)))
        lines.append((f"mailname publish {plan} --network {network}", "after you changed the plan"))
        width = max(len(line) for line, _ in lines)
        for line, what in lines:
            console.print(f"  {escape(line):<{width}}  [dim]# {escape(what)}[/]")
        console.print(
            f"\n  zone file: {escape(str(lab.zone_file))}\n  what the servers log: {escape(str(lab.folder / 'servers.log'))}\n"
        )
