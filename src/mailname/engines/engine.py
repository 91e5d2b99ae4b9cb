"""What mailname wants of any name server program: its configuration from a plan, and how it is driven by commands.

An engine holds no file and starts nothing. It says what to write, what to run, and what the output means; ``driven`` does it, on
this machine or over SSH (``machine``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from mailname.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name

    from mailname.engines.told_traffic import Traffic
    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.network import Endpoint, IPAddress
    from mailname.server.program import Ran
    from mailname.wire.tsig_key import Key

#: One command: a program and its words. No secret is ever among them.
Words = tuple[str, ...]
#: ``reload`` reads one zone's file again, ``configure`` all that was rendered, ``stop`` ends a server that runs on its own.
Order = Literal["reload", "configure", "retransfer", "refresh", "notify", "stop"]


#: Seconds after which a secondary tries again at the latest where it could not fetch what its primary has.
LONGEST_RETRY = 300


@dataclass(frozen=True, slots=True)
class Places:
    """Where a name server keeps its things on its host.

    Relative paths are relative to the configuration file of the builtin engine; the engines of others want them absolute.
    """

    state: Path = Path("state")
    zones: Path = Path("zones")
    control: Path | None = None
    key_file: Path | None = None
    #: The server's certificate and its private key, used where the plan wants TLS; None leaves TLS out: for rehearsals.
    tls: tuple[Path, Path] | None = (Path("tls.crt"), Path("tls.key"))
    keys: Path = Path("keys")  # the folder with the keys of who may update: NAME.key
    #: Where the server listens, if not at its public addresses: behind a provider's address translation.
    listen: tuple[IPAddress, ...] = ()
    #: Where the rendered files lie.
    folder: Path = Path()
    #: The file the server logs to; None: its journal of systemd.
    log: Path | None = None
    #: Whether the whole configuration is ours; otherwise what we render is included in one that somebody else wrote.
    is_whole: bool = True
    #: A port of 127.0.0.1 for orders, where the program takes them over TCP only; 0: its own usual one.
    control_port: int = 0
    #: Where the endpoints of the plan's world are really found, in a rehearsal: (address, port) of this machine.
    reach: Mapping[Endpoint, tuple[str, int]] = field(default_factory=dict)
    #: From which address of this machine a server of the plan speaks, where ``reach`` is used.
    speaks_from: Mapping[IPAddress, IPAddress] = field(default_factory=dict)

    def place(self, at: Endpoint) -> tuple[str, int]:
        """Return where an endpoint is found."""
        return self.reach.get(at, (str(at.address), at.port))

    def source(self, address: IPAddress) -> IPAddress:
        """Return the address from which a server of the plan speaks."""
        return self.speaks_from.get(address, address)


def debian_places(
    folder: Path, state: Path, zones: Path, addresses: tuple[IPAddress, ...], key: str | None, control: Path | None = None
) -> Places:
    """Return the places beside what Debian's package has: a configuration of others that includes ours.

    Args:
        folder: of what is rendered; the keys are in a folder below.
        state: of what a secondary has fetched.
        zones: of what a primary publishes.
        addresses: where it listens; see ``Places.listen``.
        key: the name of the file with the key for transfers.
        control: the socket for orders, where it is ours.

    """
    keys = folder / "keys"
    key_file = keys / key if key else None
    return Places(state, zones, control, key_file, keys=keys, listen=addresses, folder=folder, is_whole=False)


@dataclass(frozen=True, slots=True)
class Installed:
    """How Debian's package of a program takes in what we render.

    Attributes:
        into: the file of its configuration that includes ours.
        lines: the lines there that do so, in this order, each once; nothing else of the file is touched.
        whole: a file with what holds for the whole server, and its text: it becomes ours as long as nobody has changed the
            package's. None where all of that stands in what is included.
        shared: a file of ours with what is said once for all plans of the host, and its text.

    """

    into: Path
    lines: tuple[str, ...]
    whole: tuple[Path, str] | None = None
    shared: tuple[Path, str] | None = None


class Engine(Protocol):
    """One kind of name server program."""

    name: str

    def render(self, plan: Plan, server: NameServer, places: Places) -> Mapping[Path, str]:
        """Return all configuration files for one name server of a plan, by their paths in ``places.folder``; no secrets."""


class DrivenEngine(Engine, Protocol):
    """A program of others, which is driven by commands. All methods are pure.

    Attributes:
        packages: what Debian's apt installs for it.
        unit: its service of systemd.
        user: as whom it runs there, and the group that may read its keys.
        comment: how a comment begins in its configuration.
        listing: the command that tells all zones of the installed one, whoever wrote them.
        writes_catalog: a catalog is a plain zone of a primary, which ``Driven`` writes for it.
        listed: what finds a zone's name in a line of that; zones that its package brings are not found.

    """

    packages: tuple[str, ...]
    unit: str
    user: str
    comment: str
    listing: Words
    listed: str
    writes_catalog: bool

    def placed(self, addresses: tuple[IPAddress, ...], key: str | None) -> Places:
        """Return where Debian's package has its things.

        Args:
            addresses: where it listens; see ``Places.listen``.
            key: the name of the file with the key for transfers, in the folder of keys.

        """

    def installed(self, plan: Plan, server: NameServer, places: Places, others: Iterable[str] = ()) -> Installed:
        """Return how Debian's package takes in what is rendered for ``placed``; ``places.listen`` is where it is to listen.

        Args:
            plan: the plan.
            server: its server there.
            places: where its things are.
            others: the texts of the files of other plans on the host.

        """

    def program(self, places: Places) -> Words:
        """Return what starts it in the foreground, with the configuration that was rendered whole."""

    def own_keys(self, places: Places) -> Mapping[Path, Name]:
        """Return the key files that it needs for itself, by path, with the name of the key; to be made where they lack."""

    def key_text(self, keys: Iterable[Key]) -> str:
        """Return the text of a key file, a secret, in the form in which the rendered configuration includes it."""

    def zone_file(self, server: NameServer, places: Places, apex: Name) -> Path:
        """Return where a zone's text lies, ``NAME.zone``: what is published at a primary, what was fetched at a secondary."""

    def check(self, places: Places, *, zones: bool = True) -> tuple[Words, ...]:
        """Return the commands of its own checker for all that was rendered into ``places.folder``, with the zones or without."""

    def check_zone(self, apex: Name, file: Path) -> Words:
        """Return the command of its own checker for one zone file."""

    def order(self, places: Places, do: Order, apex: Name | None = None) -> tuple[Words, ...]:
        """Return the commands that carry out an order: for one zone, or for all."""

    def questions(self, places: Places, zones: Iterable[Name]) -> Mapping[str, Words]:
        """Return what to run to learn how it is, by a name for each."""

    def status(
        self, plan: Plan, server: NameServer, places: Places, zones: Iterable[Name], told: Mapping[str, Ran]
    ) -> dict[str, Any]:
        """Return what ``mailname status --json`` says of a server, from what the questions brought.

        Raises:
            HostError: the server does not run, or cannot be asked.

        """

    def counting(self, places: Places) -> Mapping[str, Words]:
        """Return what to run, in this order, to learn what was asked and answered since its start."""

    def counters(self, told: Mapping[str, Ran]) -> Traffic:
        """Return the counts."""


def refuse_updates(plan: Plan, server: NameServer, why: str) -> None:
    """Refuse a plan whose primary takes dynamic updates that this engine cannot keep.

    Raises:
        HostError: the plan has updates, and this is its primary.

    """
    if plan.updates and server.role == "primary":
        raise HostError(
            f"a plan with [[update]] wants the builtin engine at its primary: {why}",
            remedy='Write engine = "builtin" for it in the plan.',
            step="engine",
        )


def engine_named(name: str) -> Engine:
    """Return the engine of this name.

    Raises:
        HostError: mailname cannot set up this program yet.

    """
    from mailname.engines.bind import Bind
    from mailname.engines.builtin import Builtin
    from mailname.engines.knot import Knot
    from mailname.engines.nsd import Nsd

    engines: tuple[Engine, ...] = (Builtin(), Bind(), Knot(), Nsd())
    for engine in engines:
        if engine.name == name:
            return engine
    raise HostError(
        f"mailname cannot set up the engine {name}",
        remedy='Write engine = "builtin" in the plan, or configure that server by hand.',
        step="engine",
    )


def driven_engine(name: str) -> DrivenEngine | None:
    """Return the engine of this name where it is driven by commands; None for the builtin one.

    Raises:
        HostError: mailname cannot set up this program yet.

    """
    from mailname.engines.bind import Bind
    from mailname.engines.knot import Knot
    from mailname.engines.nsd import Nsd

    engines: tuple[DrivenEngine, ...] = (Bind(), Knot(), Nsd())
    found = next((engine for engine in engines if engine.name == name), None)
    if found is None:
        engine_named(name)
    return found
