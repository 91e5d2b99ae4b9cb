"""``mailname key``: TSIG keys, in files that only their owner can read."""

from __future__ import annotations

from pathlib import Path

import click

from mailname.cli.console import out
from mailname.cli.key_rotate import rotate


@click.group("key")
def command() -> None:
    """Make and rotate TSIG keys, with which name servers sign transfers (RFC 8945)."""


command.add_command(rotate)


@command.command("pin")
@click.argument("certificate", type=click.Path(path_type=Path, dir_okay=False))
def pin(certificate: Path) -> None:
    """Print the pin of a certificate's public key: what a secondary knows its primary by, for transfers over TLS.

    CERTIFICATE is a PEM file; of several certificates in it, the first counts.
    """
    from mailname.server.tls import certificate_in

    out.print(certificate_in(certificate).pin, markup=False)


@command.command("make")
@click.argument("name")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), help="The file to create. [default: NAME.key]")
@click.option(
    "--algorithm",
    type=click.Choice(["hmac-sha256", "hmac-sha384", "hmac-sha512"]),
    default="hmac-sha256",
    show_default=True,
)
def make(name: str, output: Path | None, algorithm: str) -> None:
    """Make a key called NAME and write it to a file of mode 600, which must not exist yet.

    The file has BIND's form: named, dig -k and mailname read it. Copy it to both servers by a safe way; the secret
    is never printed.
    """
    import dns.exception
    import dns.name

    from mailname.server.keyfile import make_key_file

    try:
        key_name = dns.name.from_text(name)
    except (dns.exception.DNSException, UnicodeError) as error:
        raise click.BadParameter(f"{name} is not a domain name, as key names are", param_hint="NAME") from error
    path = output or Path(f"{key_name.to_text(omit_final_dot=True)}.key")
    make_key_file(path, key_name, algorithm)
    out.print(f"made the key {key_name.to_text(omit_final_dot=True)} ({algorithm}) in {path}", markup=False)
    out.print("Copy this file to each server that transfers the zone, readable only by the server's user.", markup=False)
