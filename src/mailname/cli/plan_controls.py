"""Where the servers of a plan are asked from inside: the control sockets that options, a rehearsal and this machine name."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
import dns.exception
import dns.name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.name import Name

    from mailname.plan import Plan
    from mailname.server.network import Network

DEFAULT = Path("/run/mailname/control.sock")


@dataclass(frozen=True, slots=True)
class Controls:
    """Through what to ask.

    Attributes:
        network: the Internet as it is, or a rehearsal.
        named: sockets by name server.
        unnamed: sockets whose servers are found by the addresses that they listen on.

    """

    network: Network
    named: dict[Name, Path]
    unnamed: list[Path]


def controls(plan: Plan, given: Sequence[str], network_file: Path | None) -> Controls:
    """Read what ``--control [NAME=]PATH`` and ``--network`` name; without them the socket of a server on this machine."""
    from mailname.server.network import DirectNetwork
    from mailname.server.network_map import MappedNetwork

    network = MappedNetwork.load(network_file) if network_file else DirectNetwork()
    named = dict(network.control) if isinstance(network, MappedNetwork) else {}
    named |= dict(_named(one) for one in given if "=" in one)
    unknown = named.keys() - {server.name for server in plan.name_servers}
    if unknown and given:
        raise click.BadParameter(f"the plan has no name server {min(unknown)}.", param_hint="--control")
    unnamed = [Path(one) for one in given if "=" not in one]
    if not given and network_file is None:
        here = Path(os.environ.get("MAILNAME_CONTROL") or DEFAULT)
        unnamed = [here] if here.exists() else []
    return Controls(network, named, unnamed)


def _named(text: str) -> tuple[Name, Path]:
    name, _, path = text.partition("=")
    try:
        return dns.name.from_text(name), Path(path)
    except dns.exception.DNSException as error:
        raise click.BadParameter(f"'{name}' is not a host name: {error}", param_hint="--control") from error
