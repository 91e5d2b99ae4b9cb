"""``mailname check``: from the root to the mailbox, and the one cause of what is wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from mailname.cli.check_subject import Kind, read_name, read_subject
from mailname.cli.event_loop import run
from mailname.cli.exits import EXIT_FINDINGS, EXIT_USAGE, EXIT_WELL, EXITS
from mailname.cli.json_output import print_json
from mailname.cli.vantage import Vantage
from mailname.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.checks import Facts, Verdict, World
    from mailname.checks.registries import Decision
    from mailname.checks.saved_look import SavedLook
    from mailname.cli.check_registering import Ahead
    from mailname.cli.check_subject import Subject
    from mailname.plan import Plan
    from mailname.server.network import Network

_RUNGS = ("resolver", "root", "tld", "servers", "control", "zone", "mail")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("check")
@click.argument("subject", metavar="[PLAN|DOMAIN|LIST]", required=False)
@click.option("--network", "network_file", metavar="FILE", type=_FILE, help="Look at a rehearsal, by the file it wrote.")
@click.option("--resolver", metavar="ADDR[:PORT]", help="The resolver to ask. Default: the first of /etc/resolv.conf.")
@click.option(
    "--root-hints",
    metavar="FILE",
    type=_FILE,
    help="The root servers, as a zone file of NS and address records. Without --resolver we then ask from there down ourselves.",
)
@click.option("--port", type=click.IntRange(1, 65535), default=53, show_default=True, help="Where all name servers listen.")
@click.option("--ipv4", is_flag=True, help="Ask over IPv4 only.")
@click.option("--ipv6", is_flag=True, help="Ask over IPv6 only.")
@click.option("--control", metavar="NAME=PATH", multiple=True, help="A name server's control socket on this machine.")
@click.option("--zone-file", metavar="FILE", type=_FILE, help="The primary's zone file, where it is on this machine.")
@click.option("--key", "key_file", metavar="FILE", type=_FILE, help="The transfer key, to try a failing transfer from here.")
@click.option("--from", "start", type=click.Choice(_RUNGS), default="resolver", help="The highest rung to ask.")
@click.option("--timeout", type=click.FloatRange(0.05, 60), default=1.2, show_default=True, help="Seconds to wait for one try.")
@click.option("--tries", type=click.IntRange(1, 10), default=2, show_default=True, help="How often to ask a silent server.")
@click.option(
    "--jobs", type=click.IntRange(1, 1000), default=32, show_default=True, help="With a LIST: how many domains at once."
)
@click.option(
    "--rate",
    type=click.FloatRange(0),
    default=100.0,
    show_default=True,
    help="With a LIST: questions a second to one address; 0 for no bound.",
)
@click.option(
    "--out", "into", metavar="FILE", type=_NEW_FILE, help="With a LIST: append one JSON line for each; goes on where it stopped."
)
@click.option("--watch", "watched", is_flag=True, help="Wait until all servers of the registry have the plan's delegation.")
@click.option("--save", metavar="FILE", type=_NEW_FILE, help="Keep what was seen, to judge it again elsewhere.")
@click.option("--replay", metavar="FILE", type=_FILE, help="Judge what --save kept; nobody is asked.")
@click.option(
    "--html", "html_file", metavar="FILE", type=_NEW_FILE, help="Write the verdict as one page, to send to who must fix it."
)
@click.option("--before-registering", is_flag=True, help="Judge as if the delegation were there, by the registry's rules.")
@click.option("--registry", "registry", metavar="TLD", multiple=True, help="By whose rules, such as de; all: by every one known.")
@click.option("--ns", metavar="NAME/ADDR,...", multiple=True, help="A name server to be registered, in place of the plan's.")
@click.option("--ds", metavar="DS", multiple=True, help="A DS record to be registered.")
@click.option(
    "--dnsbl", metavar="LIST", multiple=True, help="Ask this block list for the mail hosts' addresses, such as zen.spamhaus.org."
)
@click.option(
    "--rdap", metavar="URL|FILE", help="Ask this RDAP server, or the domain's by IANA's bootstrap file, for the registration."
)
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON document.")
@click.option("--quiet", is_flag=True, help="Print one line, and nothing on the way.")
@click.pass_context
def command(
    ctx: click.Context,
    subject: str | None,
    network_file: Path | None,
    resolver: str | None,
    root_hints: Path | None,
    port: int,
    ipv4: bool,
    ipv6: bool,
    control: tuple[str, ...],
    zone_file: Path | None,
    key_file: Path | None,
    start: str,
    timeout: float,
    tries: int,
    jobs: int,
    rate: float,
    into: Path | None,
    watched: bool,
    save: Path | None,
    replay: Path | None,
    html_file: Path | None,
    before_registering: bool,
    registry: tuple[str, ...],
    ns: tuple[str, ...],
    ds: tuple[str, ...],
    dnsbl: tuple[str, ...],
    rdap: str | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Walk from the root to the mailbox and tell the one cause of what is wrong.

    With a plan, what is served is compared with it; a DOMAIN is judged by what is seen of it, and so is each domain of a LIST,
    a file whose name ends in .txt, .list or .csv.

    Exit code 0 when all is well, 1 when something is wrong, 2 when the plan or an option is, 3 when it could not be found out.
    """
    if replay is not None:
        if subject is not None:
            raise click.UsageError("--replay judges a saved look, which has its plan in it: leave PLAN or DOMAIN away.")
        saved = _replayed(ctx, replay)
    else:
        if subject is None:
            raise click.UsageError("What is to be checked? Give a PLAN, or a DOMAIN.")
        meant = read_subject(subject, quiet=quiet)
        vantage = Vantage(network_file, resolver, root_hints, control, zone_file, key_file)
        try:
            network, world = vantage.open()
        except HostError as error:
            _refuse(ctx, error)
        families = frozenset({4} if ipv4 and not ipv6 else {6} if ipv6 and not ipv4 else {4, 6})
        world = replace(
            world, start=start, timeout=timeout, tries=tries, port=port, families=families, dnsbl=tuple(map(read_name, dnsbl))
        )
        if rdap is not None:
            from mailname.cli.check_rdap import rdap_server

            world = replace(world, rdap=rdap_server(rdap, meant.name))
        ahead = _ahead(ns, ds) if before_registering or ns or ds else None
        if meant.kind is Kind.LIST:
            if save or html_file or ahead or dnsbl or rdap or start != "resolver":
                raise click.UsageError(
                    "--save, --html, --from, --dnsbl, --rdap and what is asked before registering are for one domain, no list."
                )
            from mailname.cli.check_list import check_list, read_list

            ctx.exit(
                check_list(read_list(meant.listed), network, world, jobs=jobs, rate=rate, into=into, as_json=as_json, quiet=quiet)
            )
        if watched:
            if meant.plan is None or ahead or start not in ("resolver", "root"):
                raise click.UsageError("--watch waits for a plan's delegation, from the root down: give a PLAN, without --from.")
            from mailname.cli.check_watch import watch
            from mailname.watch.clock import world_clock

            run(watch(meant.plan, network, world, quiet=quiet, clock=world_clock(network)))
        saved = run(_look(meant, network_file, network, world, ahead, quiet=quiet))
    if save is not None:
        _write(save, json.dumps(saved.to_json(), indent=1, ensure_ascii=False) + "\n")
    plan, verdict = _judged(ctx, saved)
    asked_registries: tuple[Decision, ...] = ()
    if before_registering or registry:
        from mailname.cli.check_registering import decisions

        asked_registries = decisions(registry, plan, saved.facts, verdict)
    if html_file is not None:
        from mailname.cli.verdict_html import page

        _write(html_file, page(plan, saved.facts, verdict))
    _tell(plan, saved.facts, verdict, asked_registries, as_json=as_json, quiet=quiet)
    refused = any(one.refuses for one in asked_registries) and EXITS[verdict.verdict] == EXIT_WELL
    ctx.exit(EXIT_FINDINGS if refused else EXITS[verdict.verdict])


def _ahead(ns: tuple[str, ...], ds: tuple[str, ...]) -> Ahead:
    from mailname.cli.check_registering import Ahead, delegation_signers, name_servers

    return Ahead(name_servers(ns), delegation_signers(ds))


def _refuse(ctx: click.Context, error: HostError) -> NoReturn:
    from mailname.cli.console import print_error

    print_error(error)
    ctx.exit(EXIT_USAGE)


def _judged(ctx: click.Context, saved: SavedLook) -> tuple[Plan, Verdict]:
    try:
        return saved.judged()
    except HostError as error:
        _refuse(ctx, error)


def _tell(plan: Plan, facts: Facts, verdict: Verdict, registries: tuple[Decision, ...], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json({**verdict.to_json(), **({"registries": [one.to_json() for one in registries]} if registries else {})})
    elif quiet:
        cause = f": {verdict.cause.finding.code} {verdict.cause.finding.says}" if verdict.cause else ""
        click.echo(f"{plan.domain.to_text(omit_final_dot=True)} {verdict.verdict}{cause}")
    else:
        from mailname.cli.verdict_plain import printed

        if not printed(plan, facts, verdict):
            from mailname.cli.console import out
            from mailname.cli.verdict_view import print_verdict

            print_verdict(out, plan, facts, verdict)
        if registries:
            from mailname.cli.check_registering import print_decisions
            from mailname.cli.console import out

            print_decisions(out, registries, plan.domain.to_text(omit_final_dot=True))


def _replayed(ctx: click.Context, file: Path) -> SavedLook:
    from mailname.checks.saved_look import read_saved

    try:
        return read_saved(file.read_bytes(), str(file))
    except HostError as error:
        _refuse(ctx, error)
    except OSError as error:
        raise click.UsageError(f"cannot read {file}: {error.strerror}") from error


def _write(file: Path, text: str) -> None:
    """Write a file whole or not at all."""
    new = file.with_name(f".{file.name}.new")
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(file)
    except OSError as error:
        raise click.UsageError(f"cannot write {file}: {error.strerror}") from error


async def _look(
    subject: Subject, network_file: Path | None, network: Network, world: World, ahead: Ahead | None = None, *, quiet: bool
) -> SavedLook:
    from mailname.checks import Place
    from mailname.checks.saved_look import SavedLook

    if quiet or not sys.stderr.isatty():
        plan, facts = await _observe(subject, network, world, ahead, None)
    else:
        from rich.markup import escape

        from mailname.cli.console import err

        with err.status("asking") as status:
            plan, facts = await _observe(subject, network, world, ahead, lambda words: status.update(escape(words)))
    if subject.kind is Kind.DOMAIN:
        return SavedLook(facts)
    place = Place(str(subject.file), str(network_file) if network_file else None, world.control_sockets)
    plan_data = None if ahead and ahead.servers else subject.plan_data  # other servers than the plan's were looked at
    return SavedLook(facts, plan_data, place, plan)


async def _observe(
    subject: Subject, network: Network, world: World, ahead: Ahead | None, progress: Callable[[str], None] | None
) -> tuple[Plan | None, Facts]:
    from mailname.checks import observe

    if ahead is not None:
        from mailname.cli.check_registering import look_ahead

        return await look_ahead(subject, ahead.servers, ahead.ds, network, world, progress)
    if subject.plan is not None:
        return subject.plan, await observe(subject.plan, network=network, world=world, progress=progress)
    from mailname.checks.observe_domain import observe_domain

    return None, await observe_domain(subject.name, network=network, world=world, progress=progress)
