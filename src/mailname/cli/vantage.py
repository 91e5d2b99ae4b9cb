"""Where a check looks from, as its options say: the Internet as it is, a rehearsal, or a world of one's own."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click
import dns.exception
import dns.name

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.checks import World
    from mailname.checks.world import RootHint
    from mailname.server.network import Endpoint, IPAddress, Network
    from mailname.wire.tsig_key import Key

_RESOLV_CONF = Path("/etc/resolv.conf")


class Vantage(NamedTuple):
    """The options that say where we look from; each None or empty where it was not given."""

    network_file: Path | None = None
    resolver: str | None = None
    root_hints: Path | None = None
    control: tuple[str, ...] = ()
    zone_file: Path | None = None
    key_file: Path | None = None

    def open(self) -> tuple[Network, World]:
        """Return the network to ask through, and what is known of the world.

        With root hints and no resolver no resolver is asked: this machine's own would tell of another world.

        Raises:
            HostError: the network file, or the key file, cannot be used.
            UsageError: an option cannot be read.

        """
        network, world = _looked_from(self.network_file, system_resolver=not (self.resolver or self.root_hints))
        return network, replace(
            world,
            root_hints=_read_root_hints(self.root_hints) if self.root_hints else world.root_hints,
            resolver=_endpoint(self.resolver) if self.resolver else world.resolver,
            control_sockets={**world.control_sockets, **dict(_control_socket(one) for one in self.control)},
            zone_file=_read(self.zone_file) if self.zone_file else world.zone_file,
            zone_file_name=str(self.zone_file) if self.zone_file else world.zone_file_name,
            ssh=self.network_file is None and self.root_hints is None,  # in a world of one's own nobody is asked who is outside
            transfer_key=_key(self.key_file) if self.key_file else None,
        )


def _key(file: Path) -> Key:
    from mailname.server.keyfile import load_key_file

    return load_key_file(file)


def _looked_from(network_file: Path | None, *, system_resolver: bool) -> tuple[Network, World]:
    """Return the network to ask through, and what is known of the world: the rehearsal's, or the Internet as it is."""
    from mailname.checks import World
    from mailname.server.network import DirectNetwork

    if network_file is None:
        return DirectNetwork(), World(resolver=_system_resolver() if system_resolver else None)
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

    # Two lines of ours instead of dnspython's resolver, whose import takes longer than a healthy look.
    with contextlib.suppress(OSError, ValueError):
        for line in _RESOLV_CONF.read_text(encoding="utf-8", errors="replace").splitlines():
            words = line.split()
            if len(words) > 1 and words[0] == "nameserver":
                return Endpoint(ip_address(words[1].partition("%")[0]))
    return None


def resolver_named(text: str | None) -> Endpoint | None:
    """Return the resolver that an option names, else this machine's; None where there is none."""
    return _endpoint(text) if text else _system_resolver()


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
    from mailname.zone.records import read_records

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
