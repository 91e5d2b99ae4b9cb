"""One host of a deployment that gets another's name server: Debian's package, our files, and one line in its configuration."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from mailname.cli.deploy_takeover import TakingOver, without_secrets
from mailname.cli.engine_place import driven_at
from mailname.engines.engine import driven_engine
from mailname.engines.several_plans import still_needed
from mailname.errors import HostError
from mailname.host import engine_script
from mailname.host.deploy_check import faults
from mailname.host.deploy_facts import stand
from mailname.host.deploying import Deploying
from mailname.host.machine_by_ssh import MachineBySsh
from mailname.wire.tsig_key import parse_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePath

    from mailname.engines.driven import Driven
    from mailname.engines.engine import DrivenEngine, Installed
    from mailname.host.deploy_change import Change
    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.network import IPAddress

_INSTALL = 600.0  # seconds for packages over a slow line
_WORTH = ("recursion no;", "minimal-responses yes;", "version none;", "rate-limit", "allow-transfer { none; };")


@dataclass(frozen=True, slots=True)
class EngineChange:
    """All that would change on one host.

    Attributes:
        release: the packages that apt installs first; mostly empty.
        files: those that are not as they should be.
        former: what they hold now; a secret's text is never here.
        secrets: those of them that nobody may see.
        starts: the server does not run yet.
        under_way: an earlier deployment was cut off in the middle.
        untouched: what others wrote and stays, with what it lacks.
        taken: statements of others that become comments.

    """

    release: str = ""
    files: Mapping[PurePath, bytes] = field(default_factory=dict)
    former: Mapping[PurePath, bytes] = field(default_factory=dict)
    secrets: frozenset[PurePath] = frozenset()
    starts: bool = False
    under_way: bool = False
    untouched: tuple[str, ...] = ()
    taken: tuple[str, ...] = ()
    python: None = None

    def __bool__(self) -> bool:
        return bool(self.release or self.files or self.starts or self.under_way)

    def diff(self) -> str:
        """Return it as people read it."""
        lines = ["! an earlier deployment was cut off: what it began is finished, or undone as a whole"] if self.under_way else []
        lines += [f"+ {self.release}, by apt"] if self.release else []
        for path, octets in self.files.items():
            if path in self.secrets:
                lines.append(f"+ {path} (a secret, mode 640)")
                continue
            old = self.former.get(path)
            before, after = (without_secrets((one or b"").decode("utf-8", "replace")).splitlines() for one in (old, octets))
            lines += difflib.unified_diff(before, after, str(path) if old is not None else "/dev/null", str(path), lineterm="")
        lines += [f"~ {one}" for one in self.untouched]
        lines += [f"~ {one}: what others wrote becomes a comment; the zone goes on under its serial" for one in self.taken]
        if self.starts:
            lines.append("~ the server is started, and starts at boot")
        elif self.files:
            lines.append("~ the server takes it over without a restart")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without the texts of secrets."""
        return {
            "packages": self.release or None,
            "files": [str(path) for path in self.files],
            "restarts": "service" if self.starts else None,
            "untouched": list(self.untouched),
            "taken_over": list(self.taken),
            "diff": self.diff(),
        }


class DeployingEngine(Deploying):
    """One host whose server is driven by commands; its steps are those of ``Deploying``."""

    plan: Plan
    keys: Mapping[Path, bytes]
    pristine: bool = False
    listen: tuple[IPAddress, ...] = ()
    others: Mapping[str, str] = MappingProxyType({})
    taking: TakingOver = TakingOver()

    @property
    def server(self) -> NameServer:
        """The plan's name server there."""
        assert self.host.name_server is not None
        return self.host.name_server

    @property
    def engine(self) -> DrivenEngine:
        """Its engine."""
        found = driven_engine(self.server.engine)
        assert found is not None
        return found

    @property
    def installed(self) -> Installed:
        """How its package takes in what is ours."""
        return self.engine.installed(self.plan, self.server, self.driven(self.listen).places, self.others.values())

    def driven(self, listen: tuple[IPAddress, ...] = ()) -> Driven:
        """Return the server there; it was logged in."""
        assert self.login is not None
        return driven_at(self.plan, self.server, MachineBySsh(self.ssh, self.login), listen)

    def has_key(self, name: str) -> bool:
        """Tell whether a key file is there."""
        return self.standing is not None and str(self.driven().places.keys / name) in self.standing.files

    @property
    def asks(self) -> list[str]:
        """What would change in a configuration that was there before; nothing where there is nothing to ask."""
        into = self.installed.into
        changes = into in self.wanted.files and into in self.wanted.former
        there = self.wanted.former.get(into, b"").decode("utf-8", "replace").splitlines()
        added = [f"{into} gets the line {line}" for line in self.installed.lines if changes and line not in there]
        return [*added, *(f"{one} becomes a comment" for one in self.wanted.taken)]

    @property
    def goes(self) -> str:
        """What ``remove`` takes away, in words."""
        folder, file = self.driven().places.folder, next(iter(self.driven().render()))
        what = f"{folder / file}; other plans' files stay" if self.others else str(folder)
        return f"our lines in {self.installed.into}, {what}; {self.engine.unit} runs on"

    @property
    def kept_zones(self) -> str:
        """What goes only with ``--purge``, in words."""
        places = self.driven().places
        return "zones of other plans, too" if self.others else f"zones in {places.zones} and {places.state}"

    @property
    def _ours(self) -> tuple[Path, ...]:
        """All files that we may write there, but for the keys."""
        driven, installed = self.driven(), self.installed
        rendered = (*(driven.places.folder / path for path in driven.render()), *(installed.shared or ())[:1])
        taken = (*map(Path, self.taking.given.files), *(path for path, _ in self.taking.carrying(driven)))
        return (*rendered, *taken, installed.into, *(installed.whole[:1] if installed.whole is not None else ()))

    async def look(
        self, administrator: str, _files: tuple[PurePath, ...], secrets: tuple[PurePath, ...], plan: str, *, has_key: bool
    ) -> None:
        """Log in and find out what stands there: our files, and what the package tells of itself."""
        try:
            self.login = await self.ssh.log_in(self.host, administrator)
            places = self.driven().places
            self.others = await self.driven().others()
            keys = tuple(places.keys / path.name for path in secrets if path.suffix == ".key" and path.name != "tls.key")
            self.standing = await stand(self.ssh, self.login, self._ours, keys)
            commands = engine_script.standing(self.engine.packages, self.engine.unit)
            told = await MachineBySsh(self.ssh, self.login).run(commands)
            self.taking = await TakingOver.look(self.driven(), MachineBySsh(self.ssh, self.login))
        except HostError as error:
            self.trouble = error
            return
        there, verified, active, underway = told
        installed = there.output.decode("utf-8", "replace").splitlines()
        self.missing = " ".join(
            name
            for name in self.engine.packages
            if not any(one.startswith("ii") and one.split()[-1] == name for one in installed)
        )
        changed = {line.split()[-1] for line in verified.output.decode("utf-8", "replace").splitlines() if line.strip()}
        whole = self.installed.whole
        self.pristine = bool(self.missing) or (whole is not None and str(whole[0]) not in changed)
        self.active = active.code == 0
        self.under_way = underway.code == 0
        self.faults = [one for one in faults(self.host, self.standing, plan, has_key=has_key) if "Python" not in one.problem]
        if self.active:  # who listens there is the plan's engine already
            self.faults = [one for one in self.faults if "not deployed by mailname" not in one.problem]
        if not self.missing:
            self.faults += self.taking.faults(self.installed.into, self.driven().zones, runs=self.active)

    def decide_engine(self, texts: Mapping[str, bytes], listen: tuple[IPAddress, ...]) -> None:
        """Find out what has to change.

        Args:
            texts: the key files here, by name.
            listen: where it is to listen; see ``Places.listen``.

        """
        assert self.standing is not None
        self.listen = listen
        driven, installed = self.driven(listen), self.installed
        keys = {driven.places.keys / name: octets for name, octets in texts.items() if driven.places.key_file is not None}
        self.keys = {
            path: self.engine.key_text(parse_keys(octets.decode("ascii"))).encode() if octets else b""
            for path, octets in keys.items()
        }
        wanted: dict[PurePath, bytes] = {driven.places.folder / path: text.encode() for path, text in driven.render().items()}
        if installed.shared is not None:
            wanted[installed.shared[0]] = installed.shared[1].encode()
        kept = {path: self.standing.files[str(path)] for path in self._ours if str(path) in self.standing.files}
        former: dict[PurePath, bytes] = {path: one.octets for path, one in kept.items()}
        own_keys = [key for octets in texts.values() if octets for key in parse_keys(octets.decode("ascii"))]
        taken = self.taking.decide(driven.zones, own_keys if driven.places.key_file is not None else [])
        former |= {path: self.taking.former(path) or b"" for path in taken}
        wanted |= taken
        wanted[installed.into] = with_line(taken.get(installed.into, former.get(installed.into, b"")), installed.lines)
        untouched: tuple[str, ...] = ()
        if installed.whole is not None:
            path, text = installed.whole
            mine = former.get(path, b"").splitlines()[:1] == text.encode().splitlines()[:1]
            if mine or (self.pristine and not self.taking.resolves):
                wanted[path] = text.encode()
            else:
                untouched = (_untouched(path, former.get(path, b""), self.taking.resolves),)
                if self.plan.catalog is not None:
                    raise HostError(
                        f"{self.name}: {path} is not ours, and what follows the plan's catalog has its place there",
                        remedy="Leave [catalog] out of the plan, or take back the package's own file and deploy again.",
                        step="deploy",
                    )
        files = {path: octets for path, octets in wanted.items() if former.get(path) != octets}
        for path, octets in self.keys.items():
            there = self.standing.files.get(str(path))
            if there is None or there.digest != hashlib.sha256(octets).hexdigest():
                files[path] = octets
        starts, said = not self.active, self.taking.given.said
        self.wanted = EngineChange(self.missing, files, former, frozenset(self.keys), starts, self.under_way, untouched, said)
        self.what = cast("Change", self.wanted)  # it is told and asked as that of our own server

    async def carry(self) -> None:
        """Install the package; nothing of it is started. Raises HostError."""
        if self.missing:
            assert self.login is not None
            ran = await self.ssh.as_root(self.login, engine_script.install(self.engine.packages), _INSTALL)
            self._expect(ran, f"{self.missing} could not be installed", "Install it there by hand: sudo apt-get install")

    async def apply(self) -> None:
        """Put our files in place once the engine's checker has taken them, and let the server take them over."""
        assert self.login is not None
        self.touched = True
        driven, engine, installed = self.driven(self.listen), self.engine, self.installed
        files = (*self._ours, *map(Path, self.keys))
        ran = await self.ssh.as_root(self.login, engine_script.keep(files, engine.unit))
        self._expect(ran, "what stands there could not be kept", "Is there room in /var/lib?")
        for path, script in self.taking.carrying(driven):
            self._expect(await self.ssh.as_root(self.login, script), f"{path} could not be written", "", lines=8)
        await driven.put(self.keys)
        taken = {path: self.wanted.files[path] for path in map(Path, self.taking.given.files) if path in self.wanted.files}
        there = (
            taken.get(installed.into) or await driven.machine.read(installed.into) or b""
        )  # the package may just have brought it
        around = {**taken, installed.into: with_line(there, installed.lines)}
        if installed.whole is not None and (path := installed.whole[0]) in self.wanted.files:
            around[path] = self.wanted.files[path]
        for path, octets in around.items():
            if await driven.machine.read(path) != octets:
                mode, group = self.taking.reading(path, engine.user)
                await driven.machine.write(path, octets, mode=mode, group=group)
        folders = (driven.places.state, driven.places.zones)
        ran = await self.ssh.as_root(self.login, engine_script.start(engine.unit, folders, engine.user), engine_script.START + 60)
        self._expect(ran, "the server could not be started", "", lines=8)
        answer = await driven.ask({"do": "configure"})
        if not answer["ok"]:
            raise HostError(f"{self.name}: {answer['says']}", step="deploy")

    async def undo(self) -> None:
        """Put back what stood there before; the package stays. Raises HostError."""
        if not self.touched:
            return
        assert self.login is not None
        again = self.engine.order(self.driven().places, "configure")[-1]
        ran = await self.ssh.as_root(self.login, engine_script.undo(self.engine.unit, again), engine_script.START + 60)
        self._expect(ran, "what ran before could not be put back", f"Look there: systemctl status {self.engine.unit}")

    async def commit(self) -> None:
        """Let go of what stood there before. Raises HostError."""
        if self.touched:
            assert self.login is not None
            self._expect(await self.ssh.as_root(self.login, engine_script.COMMIT), "what stood there could not be let go", "")

    async def remove(self, *, purge: bool) -> None:
        """Take our line and our files away; the program runs on with what others have configured. Raises HostError."""
        assert self.login is not None
        places, installed = self.driven().places, self.installed
        await self.driven().leave_catalog()  # first: who follows it lets the zones go before they are refused
        stored = (places.state, places.zones) if purge and not self.others else ()
        again = self.engine.order(places, "configure")[-1]
        script = removal(self.driven(), installed, self.others, stored, again)
        self._expect(await self.ssh.as_root(self.login, script), "it could not be taken away", "")

    async def own_words(self) -> str:
        """Return the end of what the server logs there."""
        assert self.login is not None
        words = ("journalctl", "-q", "--no-pager", "-u", self.engine.unit, "-o", "cat", "-n", "12")
        try:
            (ran,) = await MachineBySsh(self.ssh, self.login).run((words,))
        except HostError as error:
            return error.problem
        return ran.output.decode("utf-8", "replace").strip()


def with_line(octets: bytes, lines: Iterable[str]) -> bytes:
    """Return a configuration with these lines more at its end, each where it lacks."""
    there = [one.strip() for one in octets.decode("utf-8", "surrogateescape").splitlines()]
    lacking = [line for line in lines if line not in there]
    before = octets if not octets or not lacking or octets.endswith(b"\n") else octets + b"\n"
    return before + "".join(f"{line}\n" for line in lacking).encode()


def removal(
    driven: Driven, installed: Installed, others: Mapping[str, str], stored: Iterable[PurePath], again: tuple[str, ...]
) -> str:
    """Return the script that takes a plan away, and leaves what other plans on the host have, or have with it.

    Args:
        driven: the plan's server there.
        installed: how it was taken in.
        others: the files of other plans, by their names.
        stored: folders with zones that go as well.
        again: what lets the server take it over.

    """
    folder = driven.places.folder
    if not others:
        return engine_script.remove(installed.into, installed.lines, (folder, *stored), again)
    key_file = driven.places.key_file
    files = [folder / path for path in driven.render()] + ([key_file] if key_file is not None else [])
    going = [path for path in files if path == files[0] or not still_needed(path, others)]
    lines = [line for line in installed.lines if any(str(path) in line for path in going)]
    return engine_script.remove(installed.into, lines, (*going, *stored), again)


def _untouched(path: Path, octets: bytes, asks_it: str) -> str:
    text = octets.decode("utf-8", "replace")
    lacks = [one for one in _WORTH if one not in text]
    if asks_it:  # whoever sends mail looks up names there
        lacks = [one for one in lacks if "recursion" not in one]
    told = f"; it lacks: {' '.join(lacks)}" if lacks else ""
    why = f"stays as it is, since this host asks it for all names ({asks_it} in /etc/resolv.conf)" if asks_it else ""
    return f"{path} {why or 'is not ours and stays as it is'}{told}"
