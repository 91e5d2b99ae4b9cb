"""``mailname check``: from the root to the mailbox, and the one cause of what is wrong."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import click
import dns.exception
import dns.name
import dns.resolver
from rich.markup import escape

from mailname.cli.console import err, out, print_error, print_json
from mailname.cli.exits import EXIT_USAGE, EXITS
from mailname.cli.plan_argument import read_plan
from mailname.errors import HostError

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.checks import Facts, Verdict, World
    from mailname.checks.world import RootHint
    from mailname.plan import Plan
    from mailname.server.network import Endpoint, IPAddress, Network

_RUNGS = ("resolver", "root", "tld", "servers", "control", "zone", "mail")
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("check")
@click.argument("plan_file", metavar="PLAN", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--network", "network_file", metavar="FILE", type=_FILE, help="Look at a rehearsal, by the file it wrote.")
@click.option("--resolver", metavar="ADDR[:PORT]", help="The resolver to ask. Default: the first of /etc/resolv.conf.")
@click.option("--root-hints", metavar="FILE", type=_FILE, help="The root servers, as a zone file of NS and address records.")
@click.option("--control", metavar="NAME=PATH", multiple=True, help="A name server's control socket on this machine.")
@click.option("--zone-file", metavar="FILE", type=_FILE, help="The primary's zone file, where it is on this machine.")
@click.option("--from", "start", type=click.Choice(_RUNGS), default="resolver", help="The highest rung to ask.")
@click.option("--timeout", type=click.FloatRange(0.05, 60), default=1.2, show_default=True, help="Seconds to wait for one try.")
@click.option("--tries", type=click.IntRange(1, 10), default=2, show_default=True, help="How often to ask a silent server.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON document.")
@click.option("--quiet", is_flag=True, help="Print one line, and nothing on the way.")
@click.pass_context
def command(
    ctx: click.Context,
    plan_file: Path,
    network_file: Path | None,
    resolver: str | None,
    root_hints: Path | None,
    control: tuple[str, ...],
    zone_file: Path | None,
    start: str,
    timeout: float,
    tries: int,
    as_json: bool,
    quiet: bool,
) -> None:
    """Walk from the root to the mailbox and tell the one cause of what is wrong.

    Exit code 0 when all is well, 1 when something is wrong, 2 when the plan or an option is, 3 when it could not be found out.
    """
    plan = read_plan(plan_file, quiet=quiet)
    try:
        network, world = _looked_from(network_file)
    except HostError as error:
        print_error(error)
        ctx.exit(EXIT_USAGE)
    world = replace(
        world,
        root_hints=_read_root_hints(root_hints) if root_hints else world.root_hints,
        resolver=_endpoint(resolver) if resolver else world.resolver,
        control_sockets={**world.control_sockets, **dict(_control_socket(one) for one in control)},
        zone_file=_read(zone_file) if zone_file else world.zone_file,
        zone_file_name=str(zone_file) if zone_file else world.zone_file_name,
        start=start,
        timeout=timeout,
        tries=tries,
    )
    facts, verdict = asyncio.run(_look(plan, plan_file, network_file, network, world, quiet=quiet))
    _tell(plan, facts, verdict, as_json=as_json, quiet=quiet)
    ctx.exit(EXITS[verdict.verdict])


def _tell(plan: Plan, facts: Facts, verdict: Verdict, *, as_json: bool, quiet: bool) -> None:
    if as_json:
        print_json(verdict.to_json())
    elif quiet:
        cause = f": {verdict.cause.finding.code} {verdict.cause.finding.says}" if verdict.cause else ""
        out.print(escape(f"{plan.domain.to_text(omit_final_dot=True)} {verdict.verdict}{cause}"))
    else:
        from mailname.cli.verdict_view import print_verdict

        print_verdict(out, plan, facts, verdict)


async def _look(
    plan: Plan, plan_file: Path, network_file: Path | None, network: Network, world: World, *, quiet: bool
) -> tuple[Facts, Verdict]:
    from mailname.checks import Place, explain, judge, observe

    if quiet or not err.is_terminal:
        facts = await observe(plan, network=network, world=world)
    else:
        with err.status("asking") as status:
            facts = await observe(
                plan, network=network, world=world, progress=lambda words: status.update(escape(f"{words} answered"))
            )
    place = Place(str(plan_file), str(network_file) if network_file else None, world.control_sockets)
    return facts, explain(plan, facts, judge(plan, facts, place))


def _looked_from(network_file: Path | None) -> tuple[Network, World]:
    """Return the network to ask through, and what is known of the world: the rehearsal's, or the Internet as it is."""
    from mailname.checks import World
    from mailname.server.network import DirectNetwork

    if network_file is None:
        return DirectNetwork(), World(resolver=_system_resolver())
    from mailname.server.network_map import MappedNetwork

    mapped = MappedNetwork.load(network_file)
    hints: dict[Name, tuple[IPAddress, ...]] = {}
    for name, address in mapped.root_hints:
        hints[name] = (*hints.get(name, ()), address)
    return mapped, World(
        root_hints=tuple(hints.items()),
        resolver=mapped.resolver,
        control_sockets=mapped.control,
        zone_file=_read(mapped.zone_file) if mapped.zone_file and mapped.zone_file.exists() else None,
        zone_file_name=str(mapped.zone_file),
    )


def _system_resolver() -> Endpoint | None:
    from mailname.server.network import Endpoint

    try:
        configured = dns.resolver.Resolver(configure=True)
    except dns.exception.DNSException:
        return None
    first = next((str(server) for server in configured.nameservers), None)
    return Endpoint(ip_address(first.partition("%")[0]), configured.port) if first else None


def _endpoint(text: str) -> Endpoint:
    from mailname.server.network import Endpoint

    host, colon, port = text.rpartition(":")
    # An IPv6 address has colons of its own; with a port it stands in brackets.
    if not colon or (":" in host and not text.startswith("[")) or text.endswith("]"):
        host, port = text, "53"
    try:
        return Endpoint(ip_address(host.strip("[]")), int(port))
    except ValueError as error:
        raise click.BadParameter(
            f"'{text}' is not an address. Write 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353.", param_hint="--resolver"
        ) from error


def _control_socket(text: str) -> tuple[Name, Path]:
    name, equals, path = text.partition("=")
    if not equals or not path:
        raise click.BadParameter(
            f"'{text}' is not NAME=PATH, as in ns1.example.tech=/run/mailname/control.sock.", param_hint="--control"
        )
    try:
        return dns.name.from_text(name), Path(path)
    except dns.exception.DNSException as error:
        raise click.BadParameter(f"'{name}' is not a host name: {error}", param_hint="--control") from error


def _read_root_hints(file: Path) -> tuple[RootHint, ...]:
    """Read a hints file as IANA publishes it: NS records of the root, and the addresses of their targets."""
    from mailname.zone.text import read_records

    read = read_records(_read(file), str(file), dns.name.root, default_ttl=3600)
    found: dict[Name, tuple[IPAddress, ...]] = {}
    for record in read.records:
        if record.rdata.rdtype.name in ("A", "AAAA"):
            found[record.owner] = (*found.get(record.owner, ()), ip_address(record.rdata.to_text()))
    if not found:
        raise click.BadParameter(f"{file} has no root server's address.", param_hint="--root-hints")
    return tuple(found.items())


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise click.UsageError(f"cannot read {file}: it is not UTF-8 text.") from error
    except OSError as error:
        raise click.UsageError(f"cannot read {file}: {error.strerror}") from error
