"""``mailname watch``: looks again and again, and says a word when something changes."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mailname.cli.event_loop import run
from mailname.cli.exits import EXIT_FAILED, EXIT_FINDINGS, EXIT_UNKNOWN, EXIT_USAGE, EXIT_WELL
from mailname.cli.vantage import Vantage
from mailname.errors import HostError, MailnameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailname.checks import World
    from mailname.plan import Plan
    from mailname.server.network import Endpoint, Network
    from mailname.watch.history import History
    from mailname.watch.rounds import Watched
    from mailname.watch.settings import Settings
    from mailname.watch.telling import Telling

log = logging.getLogger("mailname")

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("watch")
@click.argument("plans", metavar="PLAN...", nargs=-1, required=True, type=_FILE)
@click.option("--settings", "settings_file", metavar="FILE", type=_FILE, help="Who is told, how, and when not.")
@click.option("--history", "history_file", metavar="FILE", type=_NEW_FILE, help="Where what was found is kept.")
@click.option("--once", is_flag=True, help="Look once at each domain, say what is to be said, and end; for cron.")
@click.option("--test", "trial", is_flag=True, help="Send a test message by every way of the settings, and end.")
@click.option("--told", is_flag=True, help="Print what was said of these domains, and end.")
@click.option("--acknowledge", metavar="TOPIC", help="Somebody knows: say nothing of this code or topic until a day.")
@click.option("--reason", help="With --acknowledge: why.")
@click.option("--until", metavar="DAY", help="With --acknowledge: the day on which it ends, such as 2026-12-01, or a span: 3d.")
@click.option("--network", "network_file", metavar="FILE", type=_FILE, help="Look at a rehearsal, by the file it wrote.")
@click.option("--resolver", metavar="ADDR[:PORT]", help="The resolver to ask. Default: the first of /etc/resolv.conf.")
@click.option("--root-hints", metavar="FILE", type=_FILE, help="The root servers, as a zone file of NS and address records.")
@click.option("--port", type=click.IntRange(1, 65535), default=53, show_default=True, help="Where all name servers listen.")
@click.option("--rdap", metavar="URL|FILE", help="Ask this RDAP server, or the domain's by IANA's bootstrap file, once a day.")
@click.option("--jobs", type=click.IntRange(1, 200), default=8, show_default=True, help="How many domains at once.")
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each look and each change.")
@click.pass_context
def command(
    ctx: click.Context,
    plans: tuple[Path, ...],
    settings_file: Path | None,
    history_file: Path | None,
    once: bool,
    trial: bool,
    told: bool,
    acknowledge: str | None,
    reason: str | None,
    until: str | None,
    network_file: Path | None,
    resolver: str | None,
    root_hints: Path | None,
    port: int,
    rdap: str | None,
    jobs: int,
    as_json: bool,
) -> None:
    """Look at domains again and again, keep what was found, and say a word when something changes.

    The looks follow the TTLs and SOA timers in sight. Said is what changes: well to not well, with the cause, what it means for
    mail and the fix; not well to well; and what comes near its end.

    Exit code with --once: 0 when all is well, 1 when something is wrong, 3 when it could not be found out, 4 when a message did
    not go. 2 when a plan, the settings or an option is wrong.
    """
    from mailname.cli.plan_argument import read_plan
    from mailname.watch.history import History, usual_file
    from mailname.watch.settings import Settings, read_settings
    from mailname.watch.telling import Telling

    if (reason is None) != (acknowledge is None) or (until is None) != (acknowledge is None):
        raise click.UsageError("--acknowledge, --reason and --until belong together.")
    read = [(file, read_plan(file)) for file in plans]
    _refuse_doubles(read)
    try:
        settings = read_settings(settings_file) if settings_file else Settings()
    except HostError as error:
        from mailname.cli.console import print_error

        print_error(error)
        ctx.exit(EXIT_USAGE)
    if not told and acknowledge is None:
        _warn([plan for _, plan in read], settings, *((None, None) if trial else _ways(network_file, resolver, root_hints)))
    history = History(history_file or usual_file())
    with contextlib.closing(history):
        if acknowledge is not None:
            _acknowledge(history, [plan for _, plan in read], acknowledge, reason or "", until or "")
            return
        if told:
            _print_told(history, [plan for _, plan in read], as_json=as_json)
            return
        telling = Telling(settings, history)
        if trial:
            ctx.exit(run(_try(telling, [plan for _, plan in read])))
        network, world = Vantage(network_file, resolver, root_hints).open()
        world = replace(world, port=port)
        with _alone(history.path):
            watched = [_watched(file, plan, world, network_file, rdap) for file, plan in read]
            ctx.exit(run(_watch(watched, network, settings, telling, jobs, once=once, as_json=as_json)))


def _refuse_doubles(read: list[tuple[Path, Plan]]) -> None:
    seen: dict[object, Path] = {}
    for file, plan in read:
        if plan.domain in seen:
            raise click.UsageError(f"{file} and {seen[plan.domain]} are plans of one domain.")
        seen[plan.domain] = file


def _ways(network_file: Path | None, resolver: str | None, root_hints: Path | None) -> tuple[Network, Endpoint | None]:
    from mailname.cli.vantage import Vantage

    network, world = Vantage(network_file, resolver, root_hints).open()
    return network, world.resolver


def _warn(plans: list[Plan], settings: Settings, network: Network | None, resolver: Endpoint | None) -> None:
    """Warn of who hears nothing when a domain is broken; with a resolver, of those whose own domain needs it, too."""
    from mailname.cli.console import err
    from mailname.watch.dependence import dependences, told_domains
    from mailname.watch.recipients import recipients

    elsewhere = {}
    if network is not None and resolver is not None:
        elsewhere = run(recipients(network, resolver, told_domains(settings)))
    for sentence in dependences(plans, settings, elsewhere):
        err.print(f"warning: {sentence}", markup=False)


@contextlib.contextmanager
def _alone(history: Path) -> Iterator[None]:
    """Be the only one that looks and writes down what it finds."""
    lock = history.with_name(f"{history.name}.lock")
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise HostError(
                f"another 'mailname watch' keeps the history {history}",
                remedy="Give all plans to one, or another file with --history.",
                step="history",
            ) from None
        yield


def _watched(file: Path, plan: Plan, world: World, network_file: Path | None, rdap: str | None) -> Watched:
    from mailname.checks import Place
    from mailname.watch.rounds import Watched

    if rdap is not None:
        from mailname.cli.check_rdap import rdap_server

        world = replace(world, rdap=rdap_server(rdap, plan.domain))
    place = Place(str(file), str(network_file) if network_file else None, world.control_sockets)
    return Watched(plan, place, world, _rereading(file, plan))


def _rereading(file: Path, plan: Plan) -> Callable[[], Plan]:
    """Return what reads a plan again where its file has changed; while it cannot be used, the last good one counts."""
    from mailname.cli.plan_argument import read_plan

    def stamp() -> tuple[int, int] | None:
        with contextlib.suppress(OSError):
            found = file.stat()
            return found.st_mtime_ns, found.st_size
        return None

    last, good = stamp(), plan

    def again() -> Plan:
        nonlocal last, good
        if (now := stamp()) == last:
            return good
        last = now
        try:
            read = read_plan(file, quiet=True)
        except (MailnameError, click.ClickException) as error:
            log.warning("%s cannot be used, the plan as it was counts: %s", file, error)
            return good
        if read.domain != plan.domain:
            log.warning("%s is the plan of another domain now; the plan as it was counts", file)
            return good
        good = read
        return good

    return again


async def _watch(
    watched: list[Watched],
    network: Network,
    settings: Settings,
    telling: Telling,
    jobs: int,
    *,
    once: bool,
    as_json: bool,
) -> int:
    from mailname.watch.clock import world_clock
    from mailname.watch.rounds import Rounds

    rounds = Rounds(watched, network, world_clock(network), settings, telling, _teller(as_json=as_json), jobs)
    if not once:
        _log_to_standard_error()
        working = asyncio.ensure_future(rounds.run())
        loop = asyncio.get_running_loop()
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(one, working.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await working
        return EXIT_WELL
    if await rounds.once():
        return EXIT_FAILED
    verdicts = set(rounds.verdicts.values())
    return EXIT_FINDINGS if verdicts & {"fragile", "broken"} else EXIT_UNKNOWN if "unknown" in verdicts else EXIT_WELL


def _log_to_standard_error() -> None:
    logging.basicConfig(format="%(message)s", level=logging.INFO)


def _teller(*, as_json: bool) -> Callable[[dict[str, Any]], None]:
    from mailname.cli.console import out

    def tell_json(document: dict[str, Any]) -> None:
        out.print(json.dumps(document, ensure_ascii=False), markup=False)

    def tell(document: dict[str, Any]) -> None:
        at = datetime.fromisoformat(document["at"]).strftime("%H:%M:%S UTC")
        if document["event"] == "look":
            cause = f": {document['cause']['code']} {document['cause']['says']}" if document["cause"] else ""
            again = timedelta(seconds=round(document["again"]))
            out.print(f"{at} {document['domain']} {document['verdict']}{cause} (again in {again})", markup=False)
        else:
            kind = {"not_well": "not well", "well": "mended"}.get(document["kind"], document["kind"])
            fix = f" {document['fix']} Type: {document['command']}" if document["kind"] != "well" and document["command"] else ""
            out.print(f"{at} {document['domain']} {kind}: {document['says']}{fix}", markup=False)

    return tell_json if as_json else tell


async def _try(telling: Telling, plans: list[Plan]) -> int:
    """Send a test message by every way, and tell how it went."""
    from mailname.checks.wording import spoken
    from mailname.cli.console import err, out, print_error
    from mailname.watch.message import trial_message

    if not telling.channels:
        err.print("The settings have no way to say anything: add [mail], [webhook] or [command], and give --settings FILE.")
        return EXIT_USAGE
    now = datetime.now(UTC)
    trial = trial_message([spoken(plan.domain) for plan in plans], now)
    failed = False
    for channel in telling.channels:
        try:
            await telling.say(channel, os.getpid(), trial, now.timestamp())
        except HostError as error:
            print_error(error)
            failed = True
        else:
            out.print(f"{channel}: sent. See whether it has arrived.", markup=False)
    return EXIT_FAILED if failed else EXIT_WELL


def _acknowledge(history: History, plans: list[Plan], topic: str, reason: str, until: str) -> None:
    from mailname.checks.wording import spoken
    from mailname.cli.console import out
    from mailname.watch.history import Acknowledgement

    now = datetime.now(UTC)
    end = _end(until, now)
    if end <= now:
        raise click.BadParameter(f"'{until}' is over.", param_hint="--until")
    if not reason.strip():
        raise click.BadParameter("say why, for the one who reads it in a month.", param_hint="--reason")
    with history.together():
        for plan in plans:
            history.acknowledge(Acknowledgement(spoken(plan.domain), topic, reason, now.timestamp(), end.timestamp()))
    for plan in plans:
        words = f"Nothing is said of {topic} at {spoken(plan.domain)} until {end:%Y-%m-%d %H:%M} UTC."
        out.print(words, markup=False)


def _end(text: str, now: datetime) -> datetime:
    from mailname.plan.duration import read_seconds
    from mailname.plan.fault import WrongValueError

    try:
        read = datetime.fromisoformat(text)
        return read if read.tzinfo else read.replace(tzinfo=UTC)
    except ValueError:
        pass
    try:
        return now + timedelta(seconds=read_seconds(text))
    except (WrongValueError, OverflowError) as error:
        raise click.BadParameter(
            f"'{text}' is no day such as 2026-12-01, and no span such as 3d.", param_hint="--until"
        ) from error


def _print_told(history: History, plans: list[Plan], *, as_json: bool) -> None:
    from mailname.checks.wording import spoken
    from mailname.cli.console import out
    from mailname.watch.message import SCHEMA

    for plan in plans:
        domain = spoken(plan.domain)
        for one in reversed(history.transitions(domain)):
            at = datetime.fromtimestamp(one.at, UTC)
            if as_json:
                line = {
                    "schema": SCHEMA,
                    "event": "told",
                    "at": at.isoformat(),
                    "domain": domain,
                    "kind": one.kind,
                    "topic": one.topic,
                    "says": one.says,
                }
                out.print(json.dumps(line, ensure_ascii=False), markup=False)
            else:
                kind = {"not_well": "not well", "well": "mended"}.get(one.kind, one.kind)
                out.print(f"{at:%Y-%m-%d %H:%M} {domain} {kind}: {one.says}", markup=False)
