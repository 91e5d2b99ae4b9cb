"""The keys of a deployment: made once beside the plan, or fetched from a host that has them; never seen by anybody."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.atomic import create_secret
from mailname.server.keyfile import load_keys, make_key_file

if TYPE_CHECKING:
    from pathlib import Path, PurePath

    from dns.name import Name

    from mailname.host.deploying import Deploying


async def key_octets(
    name: Name, algorithm: str, local: Path, place: PurePath, every: list[Deploying], *, dry_run: bool
) -> tuple[bytes, str]:
    """Return what the file of a key is to hold on the hosts, and where it is from: ``hosts``, ``file``, ``fetched``, ``new``.

    Hosts that all have the same key keep it, whatever lies here: it may have been rotated there.

    Args:
        name: the key's.
        algorithm: of a new one.
        local: the file beside the plan.
        place: the file on the hosts.
        every: the hosts that are to have it.
        dry_run: make and fetch nothing; what is not there yet is empty.

    Raises:
        HostError: the file here cannot be used, or the host's cannot be fetched.

    """
    holders = [one for one in every if one.standing is not None and one.standing.files.get(str(place))]
    digests = {one.standing.files[str(place)].digest for one in holders if one.standing is not None}
    here = await asyncio.to_thread(_local, local)
    if len(digests) == 1 and len(holders) == len(every):
        same_here = here is not None and hashlib.sha256(here).hexdigest() in digests
        return (here if same_here and here is not None else await holders[0].secret(place)), "hosts"
    if here is not None:
        return here, "file"
    if holders:
        if len(digests) > 1:
            raise HostError(
                f"the hosts have different keys in {place}, and there is none beside the plan",
                remedy=f"Copy the right one to {local}, mode 600.",
                step="key",
            )
        found = await holders[0].secret(place)
        if not dry_run:
            await asyncio.to_thread(_keep, local, found)
        return found, "fetched"
    if dry_run:
        return b"", "new"
    return await asyncio.to_thread(_make, local, name, algorithm), "new"


def _local(path: Path) -> bytes | None:
    if not path.exists():
        return None
    load_keys(path)  # says what is wrong with it
    return path.read_bytes()


def _keep(path: Path, octets: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    create_secret(path, octets)


def _make(path: Path, name: Name, algorithm: str) -> bytes:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    make_key_file(path, name, algorithm)
    return path.read_bytes()
