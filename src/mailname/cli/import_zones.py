"""``mailname import``: plans from what exists, each proven to mean the zone that was found."""

from __future__ import annotations

import asyncio
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailname.cli.console import err, print_json
from mailname.cli.control_option import json_option
from mailname.cli.exits import EXIT_FINDINGS, EXIT_WELL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dns.name import Name

    from mailname.cli.import_sources import Collected
    from mailname.plan.address import IPAddress
    from mailname.server.network import Endpoint

_HOST = "NAME[=ADDR,...]"


@click.command("import")
@click.argument("sources", metavar="[FILE]...", nargs=-1, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--server", metavar="ADDR[:PORT]", help="Transfer the zones from this server (AXFR).")
@click.option("--zone", "zones", metavar="NAME", multiple=True, help="Only this zone; may be repeated. Needed with --server.")
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), help="With --server: the file with the TSIG key.")
@click.option("--view", metavar="NAME", help="The view of a BIND configuration whose zones are the public ones.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), help="Where the copy of another host's files begins.")
@click.option("--primary", metavar=_HOST, help="Which name server holds the zone file, and its addresses.")
@click.option("--secondary", "secondaries", metavar=_HOST, multiple=True, help="Addresses of another; may be repeated.")
@click.option(
    "--engine",
    type=click.Choice(["bind", "knot", "nsd"]),
    help="What the name servers run and go on running; else our own server.",
)
@click.option("--into", type=click.Path(path_type=Path, dir_okay=False), help="Add lists of records to this plan.")
@click.option(
    "--output",
    "-o",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path(),
    help="Where the plans go. [default: here]",
)
@click.option(
    "--keys", type=click.Path(path_type=Path, file_okay=False), help="Write the TSIG keys found into this folder, mode 600."
)
@click.option("--yes", is_flag=True, help="Write a plan even where it differs from what was found.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@click.option("--dry-run", is_flag=True, help="Tell what would be written, and write nothing.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    sources: tuple[Path, ...],
    server: str | None,
    zones: tuple[str, ...],
    key: Path | None,
    view: str | None,
    root: Path | None,
    primary: str | None,
    secondaries: tuple[str, ...],
    engine: str | None,
    into: Path | None,
    folder: Path,
    keys: Path | None,
    yes: bool,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write a plan for each domain that FILE or a server has: BIND's named.conf, zone files, lists of records.

    What the new plan means is compared with what was found, record by record. A plan that differs, or a file that is there, is
    asked about; without a terminal it takes --yes or --force.

    Exit code 0 when all is written, 1 when something is not.
    """
    from mailname.cli.import_lists import add_lists, zone_of_lists
    from mailname.cli.import_sources import collect_files
    from mailname.cli.import_view import document, print_end, print_one, print_rest
    from mailname.cli.import_writing import Asking, drafted, write_keys
    from mailname.imports.takeover import Takeover

    if into is not None and not sources:
        raise click.UsageError("--into takes lists of records from files.")
    wanted = tuple(_zone_name(text) for text in zones)
    if bool(sources) == bool(server):
        raise click.UsageError("Give files or --server, one of them: mailname import named.conf")
    if server is not None and not wanted:
        raise click.UsageError("A server is asked for zones by their names: --zone NAME")
    asking = Asking(yes=yes, force=force, dry_run=dry_run, can_ask=sys.stdin.isatty() and not as_json)
    given, first = _given(primary, secondaries)
    with _progress(quiet=as_json) as tell:
        if server is not None:
            collected = asyncio.run(_from_server(server, wanted, key))
        else:
            collected = collect_files(sources, wanted, view, root, tell)
        if collected.lists and into is None:
            zone, mistakes = zone_of_lists(collected.lists, wanted, given)
            collected.zones.append(zone)
            collected.mistakes += mistakes
        takeover = Takeover(tuple(collected.zones), given, first, collected.keys, engine or "")
        imported = drafted(collected, takeover, folder, tell)
    added = add_lists(into, collected.lists, asking, quiet=as_json) if into is not None else None
    for one in imported:
        if not as_json:
            print_one(one)
        asking.write(one)
        if not as_json:
            print_end(one)
    written_keys = () if keys is None or dry_run else write_keys(collected.keys.values(), keys)
    if as_json:
        print_json(document(collected, imported, written_keys, added))
    elif imported or into is None:
        print_rest(collected, imported, written_keys)
    if not imported and not collected.mistakes and not collected.lists:
        raise click.UsageError("There is no zone in what was given.")
    if added is not None and (added["why_not"] or added["mistakes"]):
        ctx.exit(EXIT_FINDINGS)
    well = all(one.written or dry_run for one in imported) and not collected.mistakes
    ctx.exit(EXIT_WELL if well else EXIT_FINDINGS)


def _zone_name(text: str) -> Name:
    from mailname.imports.takeover import name_of

    name = name_of(text)
    if name is None:
        raise click.BadParameter(f"'{text}' is no zone's name.", param_hint="--zone")
    return name


def _given(primary: str | None, secondaries: tuple[str, ...]) -> tuple[dict[Name, tuple[IPAddress, ...]], Name | None]:
    """Read the name servers that were given: addresses by name, and who is the primary."""
    from mailname.plan.address import read_address
    from mailname.plan.fault import WrongValueError
    from mailname.plan.names import read_domain

    given: dict[Name, tuple[IPAddress, ...]] = {}
    names: list[Name] = []
    for option, text in [("--primary", primary), *(("--secondary", one) for one in secondaries)]:
        if text is None:
            continue
        name, _, addresses = text.partition("=")
        try:
            names.append(read_domain(name))
            if addresses:
                given[names[-1]] = tuple(read_address(one) for one in addresses.split(","))
        except WrongValueError as wrong:
            raise click.BadParameter(f"{wrong.problem} {wrong.remedy}", param_hint=option) from None
    return given, names[0] if primary is not None else None


async def _from_server(server: str, wanted: tuple[Name, ...], key_file: Path | None) -> Collected:
    from mailname.cli.import_sources import collect_from_server
    from mailname.server.keyfile import load_key_file
    from mailname.server.network import DirectNetwork

    key = load_key_file(key_file) if key_file is not None else None
    return await collect_from_server(DirectNetwork(), await server_at(server), wanted, key)


async def server_at(text: str) -> Endpoint:
    """Return where a server is that was given by address or by name.

    Raises:
        UsageError: it is neither.

    """
    import socket
    from ipaddress import ip_address

    from mailname.server.config import parse_endpoint
    from mailname.server.network import Endpoint

    try:
        return parse_endpoint(text)
    except ValueError as error:
        host, _, port = text.partition(":")
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, int(port or 53), type=socket.SOCK_STREAM)
        except (OSError, ValueError, UnicodeError):
            raise click.UsageError(f"there is no server {text}: {error}.") from None
        return Endpoint(ip_address(found[0][4][0]), int(port or 53))


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[str], None]]:
    """Show on a terminal which zone is being read."""
    if quiet or not err.is_terminal:
        yield lambda _name: None
        return
    count = 0
    with err.status("reading") as status:

        def tell(name: str) -> None:
            nonlocal count
            count += 1
            status.update(f"{count} zones: {name}")

        yield tell
