"""``mailname web``: the page that tells at a glance whether all is well, for one domain or thousands."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.markup import escape

from mailname.cli.console import out, print_prose
from mailname.cli.exits import EXIT_WELL
from mailname.cli.host_options import ssh_config_option, ssh_with
from mailname.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from mailname.engines.primary_place import PrimaryPlace
    from mailname.plan import Plan
    from mailname.web.domain import Domain, Surroundings
    from mailname.web.door import Door

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DEFAULT = "127.0.0.1:8053"
_SHORTEST_TOKEN = 16


@click.command("web")
@click.argument("plans", metavar="PLAN...", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--listen", metavar="ADDR:PORT", default=DEFAULT, show_default=True, help="Where the page is.")
@click.option("--socket", "socket_path", metavar="PATH", type=click.Path(path_type=Path), help="At a Unix socket instead.")
@click.option("--host", "hosts", metavar="NAME", multiple=True, help="A further name by which the page is called.")
@click.option(
    "--token-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="What lets act; made if it is not there.",
)
@click.option("--read-only", is_flag=True, help="Nobody can act from the page.")
@click.option(
    "--every", metavar="SECONDS", type=click.FloatRange(5), default=300.0, show_default=True, help="From one check to the next."
)
@click.option(
    "--history", "history_file", metavar="FILE", type=_FILE, help="What mailname watch keeps. Default: where it usually does."
)
@click.option("--network", "network_file", metavar="FILE", type=_FILE, help="Look at a rehearsal, by the file it wrote.")
@click.option("--resolver", metavar="ADDR[:PORT]", help="The resolver to ask. Default: the first of /etc/resolv.conf.")
@click.option("--root-hints", metavar="FILE", type=_FILE, help="The root servers, as a zone file of NS and address records.")
@click.option("--control", metavar="[NAME=]PATH", multiple=True, help="A name server's control socket on this machine.")
@ssh_config_option
@click.pass_context
def command(
    ctx: click.Context,
    plans: tuple[Path, ...],
    listen: str,
    socket_path: Path | None,
    hosts: tuple[str, ...],
    token_file: Path | None,
    read_only: bool,
    every: float,
    history_file: Path | None,
    network_file: Path | None,
    resolver: str | None,
    root_hints: Path | None,
    control: tuple[str, ...],
    ssh_config: Path | None,
) -> None:
    """Serve a page that tells of each PLAN's domain whether it is well, and if not, the one cause and what to type.

    It checks them again and again. Whoever opens it can look; to act from it (check now, notify, transfer again) takes the
    token, or the link that is printed here, which works once. At a Unix socket its owner may act.
    """
    from mailname.watch.history import usual_file
    from mailname.web.check_log import CheckLog
    from mailname.web.door import Door
    from mailname.web.live import Live
    from mailname.web.rounds import Rounds
    from mailname.web.serving import listen_at, listen_at_path, served
    from mailname.web.site import Site

    domains = [_domain(file, network_file, resolver, root_hints, control, ssh_config) for file in plans]
    if len({one.name for one in domains}) < len(domains):
        raise click.UsageError("two of the plans are of the same domain.")
    door = Door(
        token=_token(token_file) if token_file is not None and not read_only else None,
        trusts_way=socket_path is not None,
        read_only=read_only,
    )
    live = Live()
    log = CheckLog()
    usual = usual_file()
    watched = history_file or (usual if usual.exists() else None)
    site = Site(Rounds(domains, live, log, every), live, log, door, watched=watched)
    address, port = endpoint(listen)
    names = None if socket_path is not None else frozenset({address, "localhost", "127.0.0.1", "::1", *map(str.lower, hosts)})
    listening = listen_at_path(socket_path) if socket_path is not None else listen_at(address, port)

    def tell() -> None:
        if socket_path is not None:
            print_prose(out, f"The page is at the socket {escape(str(socket_path))}. Ctrl-C ends it.")
        else:
            tell_where(door, address, listening.getsockname()[1])

    try:
        asyncio.run(_serve(lambda: served(site, [listening], names), tell))
    finally:
        if socket_path is not None:
            socket_path.unlink(missing_ok=True)
    ctx.exit(EXIT_WELL)


def tell_where(door: Door, address: str, port: int) -> None:
    """Print where the page is, and the link by which one may act."""
    place = f"http://{f'[{address}]' if ':' in address else address}:{port}"
    print_prose(out, f"The page is at [bold]{place}/[/]. Ctrl-C ends it.")
    if not door.read_only:
        print_prose(out, f"[dim]To act from it, too, open this; it works once:[/] {place}/enter/{door.new_link()}")


async def _serve(serving: Callable[[], AbstractAsyncContextManager[None]], tell: Callable[[], None]) -> None:
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with serving():
        tell()
        await ended.wait()


def endpoint(text: str) -> tuple[str, int]:
    """Read ``ADDR:PORT``."""
    from ipaddress import ip_address

    host, _, port = text.rpartition(":")
    try:
        return str(ip_address(host.strip("[]") if host != "localhost" else "127.0.0.1")), int(port)
    except ValueError as error:
        raise click.BadParameter(f"'{text}' is not ADDR:PORT, as in {DEFAULT} or [::1]:8053.", param_hint="--listen") from error


def _domain(
    file: Path,
    network_file: Path | None,
    resolver: str | None,
    root_hints: Path | None,
    control: tuple[str, ...],
    ssh_config: Path | None,
) -> Domain:
    from mailname.cli.plan_argument import read_plan
    from mailname.web.domain import Domain

    plan = read_plan(file, quiet=True)
    around = _around(plan, file, network_file, resolver, root_hints, control, ssh_config)
    return Domain(plan, str(file), lambda: around)


def _around(
    plan: Plan,
    file: Path,
    network_file: Path | None,
    resolver: str | None,
    root_hints: Path | None,
    control: tuple[str, ...],
    ssh_config: Path | None,
) -> Surroundings:
    from mailname.checks import Place
    from mailname.cli.engine_place import askers, orders
    from mailname.cli.plan_controls import controls
    from mailname.cli.publish import place_by_ssh
    from mailname.cli.vantage import Vantage
    from mailname.web.domain import Surroundings

    found = controls(plan, control, network_file)
    named = tuple(one for one in control if "=" in one)
    network, world = Vantage(network_file, resolver, root_hints, named).open()
    place = Place(str(file), str(network_file) if network_file else None, world.control_sockets)
    others = askers(plan, found.named, ssh_config) if network_file is None else {}
    takers = orders(plan, ssh_config) if network_file is None else {}

    async def primary() -> PrimaryPlace:
        return await place_by_ssh(plan, ssh_with(ssh_config))

    is_far = network_file is None and not found.named and not found.unnamed and plan.primary.ssh is not None
    return Surroundings(
        network, world, place, found.named, tuple(found.unnamed), others, ssh_config, takers, primary if is_far else None
    )


def _token(file: Path) -> str:
    """Read the token; make one where there is no file."""
    import secrets

    from mailname.server.atomic import create_secret

    if not file.exists():
        create_secret(file, f"{secrets.token_urlsafe(32)}\n".encode())
    if file.stat().st_mode & 0o077:
        raise HostError(f"others can read the token in {file}", remedy=f"Type: chmod 600 {file}", step="web")
    token = file.read_text(encoding="utf-8").strip()
    if len(token) < _SHORTEST_TOKEN:
        raise HostError(f"the token in {file} is too short", remedy="Remove the file: a good one is made then.", step="web")
    return token
