"""What mailname wants of any name server program: its configuration from a plan, as files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from mailname.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.network import IPAddress


@dataclass(frozen=True, slots=True)
class Places:
    """Where a name server keeps its things on its host. Relative paths are relative to the configuration file."""

    state: Path = Path("state")
    zones: Path = Path("zones")
    control: Path | None = None
    key_file: Path | None = None
    #: The server's certificate and its private key, used where the plan wants TLS; None leaves TLS out: for rehearsals.
    tls: tuple[Path, Path] | None = (Path("tls.crt"), Path("tls.key"))
    keys: Path = Path("keys")  # the folder with the keys of who may update: NAME.key
    #: Where the server listens, if not at its public addresses: behind a provider's address translation.
    listen: tuple[IPAddress, ...] = ()


class Engine(Protocol):
    """One kind of name server program."""

    name: str

    def render(self, plan: Plan, server: NameServer, places: Places) -> Mapping[Path, str]:
        """Return all configuration files for one name server of a plan."""


def engine_named(name: str) -> Engine:
    """Return the engine of this name.

    Raises:
        HostError: mailname cannot set up this program yet.

    """
    from mailname.engines.builtin import Builtin

    if name == Builtin.name:
        return Builtin()
    raise HostError(
        f"mailname cannot set up the engine {name}",
        remedy='Write engine = "builtin" in the plan, or configure that server by hand.',
        step="engine",
    )
