"""A deployment over all its hosts: look, decide, change one after the other, publish, wait; or put everything back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailname.cli.deploy_engine import DeployingEngine
from mailname.cli.deploy_handover import Handover, former
from mailname.engines.builtin import Builtin
from mailname.engines.publish import Publishing
from mailname.engines.units import (
    CONFIGURATION,
    KEYS,
    SERVICE,
    SOCKET,
    SYSUSERS,
    TLS_CERTIFICATE,
    TLS_KEY,
    WRAPPER,
    places,
    unit_files,
)
from mailname.errors import HostError
from mailname.host.answering import Asked, wait_for_answers
from mailname.host.archive import Archive, Interpreter, build_archive
from mailname.host.deploy_change import OURS, Wanted
from mailname.host.deploy_check import faults
from mailname.host.deploy_keys import key_octets
from mailname.host.deploy_tls import tls_files
from mailname.host.deploying import Deploying
from mailname.host.primary_by_ssh import CONTROL, PrimaryBySsh
from mailname.plan import expand_all
from mailname.server.network import DirectNetwork, Endpoint
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Mapping
    from pathlib import PurePath

    from dns.name import Name

    from mailname.engines.publish import Publication
    from mailname.host.deploy_facts import Standing
    from mailname.host.ssh import Ssh
    from mailname.plan import Plan
    from mailname.plan.hosts import Host
    from mailname.plan.model import NameServer
    from mailname.server.network import IPAddress

_OVER_TLS = 853


@dataclass(slots=True)
class Deployment:
    """One run of ``mailname deploy``.

    Attributes:
        plan_file: its keys lie in the folder ``keys`` beside it.
        every: all name servers of the plan.
        chosen: those that are deployed.
        asked: how the servers answered at the end.
        published: what was published for the first time.
        unpublished: what the primary serves already, and the plan means otherwise: that waits for ``mailname publish``.
        keys: where each key is from, by its file.
        handovers: where the engine changes, by the name of the host.

    """

    plan: Plan
    plan_file: Path
    ssh: Ssh
    every: list[Deploying]
    chosen: list[Deploying]
    tell: Callable[[str], None]
    asked: list[Asked] = field(default_factory=list)
    published: list[Publication] = field(default_factory=list)
    unpublished: list[Publication] = field(default_factory=list)
    keys: dict[PurePath, str] = field(default_factory=dict)
    handovers: dict[str, Handover] = field(default_factory=dict)

    @classmethod
    def of(
        cls, plan: Plan, plan_file: Path, ssh: Ssh, hosts: list[Host], chosen: set[Host], tell: Callable[[str], None]
    ) -> Deployment:
        """Begin one: nothing is asked yet."""
        every = [_deploying(plan, host, ssh) for host in hosts]
        every.sort(key=lambda one: _server(one).role != "primary")
        return cls(plan, plan_file, ssh, every, [one for one in every if one.host in chosen], tell)

    @property
    def key_names(self) -> dict[Name, str]:
        """The names of all keys, and their algorithms."""
        transfer = self.plan.transfer_key
        found: dict[Name, str] = {transfer.name: transfer.algorithm} if transfer is not None else {}
        return found | {one.key: "hmac-sha256" for one in self.plan.updates if one.key not in found}

    def _keys_of(self, server: NameServer) -> dict[PurePath, Name]:
        """Return the key files of one server: who transfers, and at the primary who updates."""
        transfer = self.plan.transfer_key
        names = [name for name in self.key_names if server.role == "primary" or (transfer and name == transfer.name)]
        return {KEYS / _key_file(name): name for name in names}

    async def look(self) -> None:
        """Look at all hosts at once."""
        has_key = self.plan.transfer_key is not None

        async def one(each: Deploying) -> None:
            secrets = (*self._keys_of(_server(each)), TLS_KEY)
            files = (SYSUSERS, WRAPPER, SOCKET, SERVICE, CONFIGURATION, TLS_CERTIFICATE)
            await each.look(self.plan.hosts.administrator, files, secrets, str(self.plan_file), has_key=has_key)
            if each.trouble is None:
                await self._look_for_former(each, has_key=has_key)

        await asyncio.gather(*map(one, self.every))

    async def _look_for_former(self, one: Deploying, *, has_key: bool) -> None:
        """Find out whether another engine serves the plan there: it is in nobody's way, since it hands port 53 over."""
        assert one.standing is not None
        try:
            was = await former(one, self.plan)
        except HostError as error:
            one.trouble = error
            return
        if was is None:
            return
        one.takes_over_from = was.engine
        listen = listen_at(was.addresses, one.standing.addresses)
        self.handovers[one.name] = Handover(one, self.plan, was, listen)
        there = faults(replace(one.host, name_server=was), one.standing, str(self.plan_file), has_key=has_key)
        told = one.faults
        one.faults = [each for each in told if each in there and "not deployed by mailname" not in each.problem]

    async def decide(self, *, dry_run: bool) -> None:
        """Find out what has to change on each host. Makes the keys that lack beside the plan, unless ``dry_run``.

        Raises:
            HostError: a key cannot be used; see ``key_octets``.

        """
        archives: dict[bool, Archive] = {}
        texts: dict[Name, bytes] = {}
        for name, algorithm in self.key_names.items():
            holders = [
                one
                for one in self.every
                if not isinstance(one, DeployingEngine)
                and one.standing is not None
                and KEYS / _key_file(name) in self._keys_of(_server(one))
            ]
            local = self.plan_file.parent / "keys" / _key_file(name)
            place = KEYS / _key_file(name)
            if not holders and not local.exists():
                refuse_new_key(self.every, local)
            texts[name], self.keys[place] = await key_octets(name, algorithm, local, place, holders, dry_run=dry_run)
        for one in self.chosen:
            standing = one.standing
            assert standing is not None
            if isinstance(one, DeployingEngine):
                server = _server(one)
                names = {path.name: texts[name] for path, name in self._keys_of(server).items()}
                one.decide_engine(names, listen_at(server.addresses, standing.addresses))
                continue
            fits = Interpreter.here().fits(one.interpreter)
            if fits not in archives:
                archives[fits] = await asyncio.to_thread(build_archive, compiled=fits)
            files = self._files(_server(one), standing, texts)
            one.decide(archives[fits], files)

    def _files(self, server: NameServer, standing: Standing, texts: Mapping[Name, bytes]) -> dict[PurePath, Wanted]:
        listen = listen_at(server.addresses, standing.addresses)
        udp = [Endpoint(address) for address in listen]
        over_tls = server.role == "primary" and self.plan.primary.tls_pin is not None
        tcp = udp + [Endpoint(address, _OVER_TLS) for address in listen if over_tls]
        restarts: dict[PurePath, str] = {SOCKET: "socket", SERVICE: "service", CONFIGURATION: "service"}
        files: dict[PurePath, Wanted] = {
            path: Wanted(text.encode(), mode, restarts=restarts.get(path, ""))
            for path, (text, mode) in unit_files(udp, tcp, standing.systemd).items()
        }
        for path, name in self._keys_of(server).items():
            files[path] = Wanted(texts[name], 0o600, OURS, secret=True, restarts="service")
        pin = self.plan.primary.tls_pin
        if over_tls and pin is not None:
            text = server.name.to_text(omit_final_dot=True)
            files |= tls_files(text, pin, self.plan_file.parent / "tls", (TLS_CERTIFICATE, TLS_KEY), standing.files)
        key = _key_file(self.plan.transfer_key.name) if self.plan.transfer_key else None
        where = places(listen if listen != server.addresses else (), key)
        (text,) = Builtin().render(self.plan, server, where).values()
        files[CONFIGURATION] = Wanted(text.encode(), restarts="service")
        return files

    async def carry(self) -> None:
        """Bring everything to the hosts, while what runs there runs on. Raises HostError."""
        await _all(one.carry() for one in self.chosen if one.what.python or one.what.release)

    async def change(self) -> None:
        """Change one host after the other, the primary first: the others answer meanwhile. Raises HostError."""
        for one in self.chosen:
            handover = self.handovers.get(one.name)
            if handover is not None:
                self.tell(f"{one.name}: preparing to take port 53 over from {one.takes_over_from}")
                one.touched = True
                await handover.prepare()
                self.tell(f"{one.name}: taking over")
                await handover.turn()
            if one.what:
                self.tell(f"{one.name}: starting the server")
                await one.apply()
            if handover is not None:
                await handover.settle()
            if _server(one).role == "primary":
                await self._publish_first(one)

    async def _publish_first(self, primary: Deploying) -> None:
        """Publish where the primary has no zone yet; a later change is published by ``mailname publish``."""
        assert primary.login is not None
        place = primary.driven() if isinstance(primary, DeployingEngine) else PrimaryBySsh(self.ssh, primary.login)
        today = datetime.now(UTC).date()
        publishing = Publishing(self.plan, Path(CONTROL), DirectNetwork(), today, place=place)
        found = await publishing.prepare()
        self.unpublished = [one for one in found if one.old is not None and one.needs_writing and one.changes]
        publishing.publications = [one for one in found if one.old is None and not one.unreadable]
        if publishing.publications:
            self.tell(f"{primary.name}: publishing the first zone")
            await publishing.write_and_load()
            self.published = publishing.publications

    async def wait(self, seconds: float) -> bool:
        """Wait until the deployed servers answer at their public addresses, over UDP and TCP; tell whether they do."""
        zones = [one.apex for one in expand_all(self.plan, Serial(0))]
        self.asked = [
            Asked(_server(one).name, zone, Endpoint(address), protocol)
            for one in self.chosen
            for zone in zones
            for address in _server(one).addresses
            for protocol in ("udp", "tcp")
        ]
        self.tell("waiting until all answer over UDP and TCP")
        return await wait_for_answers(DirectNetwork(), self.asked, seconds)

    async def notify(self) -> None:
        """Notify the secondaries once more, where the primary changed before them: with its new key, say, which they lacked then.

        Raises:
            HostError: it cannot be asked.

        """
        primaries = [one for one in self.chosen if _server(one).role == "primary" and one.touched]
        if not any(one.touched for one in self.chosen if one not in primaries):
            return
        for one in primaries:
            assert one.login is not None
            place = one.driven() if isinstance(one, DeployingEngine) else PrimaryBySsh(self.ssh, one.login)
            for zone in expand_all(self.plan, Serial(0)):
                await place.ask({"do": "notify", "zone": zone.apex.to_text()})

    async def undo(self) -> list[HostError]:
        """Put back what ran before on every host that was touched, in the reverse order; return what did not work."""
        failed = []
        for one in reversed(self.chosen):
            if one.touched:
                self.tell(f"{one.name}: putting back what ran before")
            try:
                if one.touched and one.name in self.handovers:
                    await self.handovers[one.name].undo()
                await one.undo()
            except HostError as error:
                failed.append(error)
        return failed

    async def commit(self) -> None:
        """Let go of what stood on the hosts before. Raises HostError."""
        await _all(one.commit() for one in self.chosen)
        await _all(self.handovers[one.name].finish() for one in self.chosen if one.name in self.handovers)

    async def words_of_servers(self) -> dict[str, str]:
        """Return what the servers say of themselves."""
        said = await asyncio.gather(*(one.own_words() for one in self.chosen))
        return {one.name: words for one, words in zip(self.chosen, said, strict=True)}


def _deploying(plan: Plan, host: Host, ssh: Ssh) -> Deploying:
    """Return how a host is deployed: with our server, or another's."""
    assert host.name_server is not None
    if host.name_server.engine == "builtin":
        return Deploying(host, ssh)
    found = DeployingEngine(host, ssh)
    found.plan = plan
    return found


def refuse_new_key(every: Iterable[Deploying], local: Path) -> None:
    """Refuse to make a key that hosts have already: it would be another one on those that are not deployed now.

    Raises:
        HostError: a host has it; copy it from there.

    """
    for one in every:
        if isinstance(one, DeployingEngine) and one.has_key(local.name):
            raise HostError(
                f"{one.name} has the key {local.name}, and there is none beside the plan",
                remedy=f"Copy {one.driven().places.keys / local.name} from there to {local}, mode 600.",
                step="key",
            )


async def _all(steps: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Run steps side by side to their ends; raises the first one's fault when all have ended."""
    ended = await asyncio.gather(*steps, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one


def _key_file(name: Name) -> str:
    return f"{name.to_text(omit_final_dot=True)}.key"


def _server(one: Deploying) -> NameServer:
    assert one.host.name_server is not None  # only name servers are deployed
    return one.host.name_server


def listen_at(public: tuple[IPAddress, ...], own: tuple[str, ...]) -> tuple[IPAddress, ...]:
    """Return where a server listens: its public addresses; where the host has none of a family's, its own of that family.

    Providers translate a public address to a private one: only that is on the host.
    """
    theirs = [ip_address(one) for one in own]
    found: list[IPAddress] = []
    for address in public:
        family = [one for one in theirs if one.version == address.version and not one.is_link_local]
        found += [address] if address in family or not family else family[:1]
    return tuple(dict.fromkeys(found))
