"""The primary's certificate for transfers over TLS: it lies beside the plan and goes to the host, or is there already."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.host.deploy_change import OURS, Wanted
from mailname.server.tls import certificate_in

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path, PurePath

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def tls_files(
    name: str, pin: str, folder: Path, there: tuple[PurePath, PurePath], kept: Collection[str]
) -> dict[PurePath, Wanted]:
    """Return the certificate and its key as they are to be on the host; nothing where both are there, and none lies here.

    Args:
        name: the server's; its files are ``NAME.crt`` and ``NAME.key``.
        pin: what the plan says of the certificate's key.
        folder: ``tls`` beside the plan.
        there: where both lie on the host.
        kept: the files that the host has.

    Raises:
        HostError: a file lacks, may be read by others, or is not the one that the plan's pin is of.

    """
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    if not certificate.exists() and not key.exists() and all(str(one) in kept for one in there):
        return {}
    try:
        octets = certificate.read_bytes(), key.read_bytes()
    except OSError as error:
        raise HostError(
            f"{name}: its transfers go over TLS (tls_pin), and {error.filename} cannot be read: {error.strerror}",
            remedy=f"Put {certificate.name} and {key.name} (mode 600) into {folder}. See docs/transfers-over-tls.md",
            step="tls",
        ) from error
    found = certificate_in(certificate).pin
    if key.stat().st_mode & _OTHERS:
        raise HostError(f"{key} may be read by others", remedy=f"chmod 600 {key}", step="tls")
    if found != pin:
        raise HostError(
            f"the certificate {certificate} has another key than the plan's tls_pin says",
            remedy=f'If it is the right one, write tls_pin = "{found}" into the table of {name}.',
            step="tls",
        )
    return {
        there[0]: Wanted(octets[0], restarts="service"),
        there[1]: Wanted(octets[1], 0o600, OURS, secret=True, restarts="service"),
    }
