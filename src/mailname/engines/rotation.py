"""Rotate the key that signs a plan's transfers: both are good until every server has used the new one, then the old one goes.

The primary's key file is the record of how far it has got: one key, or the new one before the old. So it may be interrupted
anywhere and run again; each run looks at the file, at the running server, and at who has used which key there.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.flags
import dns.message
import dns.name
from dns.rdatatype import RdataType

from mailname.errors import HostError
from mailname.server.control import ask
from mailname.server.keyfile import load_keys, replace_keys
from mailname.server.network import Endpoint, ask_udp
from mailname.wire.tsig import Verified, sign, verify
from mailname.wire.tsig_key import Key, make_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dns.name import Name

    from mailname.plan import Plan
    from mailname.plan.model import NameServer
    from mailname.server.clock import Clock
    from mailname.server.network import IPAddress, Network

_POLL = 0.1  # seconds
_NUDGE = 5.0  # seconds between two NOTIFYs for servers that we have not heard of
_ASK_TIMEOUT = 1.0  # seconds
_NUMBERED = re.compile(rb"k(\d{1,6})")


@dataclass(frozen=True, slots=True)
class Use:
    """What the primary knows of one other server: when it last signed with the new key, and with an old one (ISO times)."""

    server: Name
    addresses: tuple[IPAddress, ...]
    new_at: str | None = None
    old_at: str | None = None

    @property
    def has_moved(self) -> bool:
        """Tell whether it signs with the new key, and not with an old one since."""
        return self.new_at is not None and (self.old_at is None or self.old_at <= self.new_at)


def next_name(called: Name, keys: tuple[Key, ...]) -> Name:
    """Return a name for a new key that no key before it had: ``k2.transfer.example.tech`` after ``transfer.example.tech``.

    A name that comes again with another secret would be answered with BADSIG where the old one is still held, not with BADKEY.
    """
    numbers = [int(found[1]) for key in keys if (found := _NUMBERED.fullmatch(key.name.labels[0].lower()))]
    return dns.name.Name((b"k%d" % (max(numbers, default=1) + 1), *called.labels))


@dataclass(slots=True)
class Rotation:
    """One run of ``mailname key rotate``, step by step.

    Attributes:
        plan: whose transfer key is rotated.
        control: the primary's control socket.
        network: how the servers are asked.
        clock: the time at which a question is signed.
        sockets: control sockets of other servers on this machine, which get the key by themselves.

    """

    plan: Plan
    control: Path
    network: Network
    clock: Clock
    sockets: Mapping[Name, Path] = field(default_factory=dict)
    path: Path = Path()
    keys: tuple[Key, ...] = ()
    #: Taken out of the primary's file by this run, or by one that was interrupted.
    gone: tuple[Key, ...] = ()
    interrupted_at_the_end: bool = False

    @property
    def under_way(self) -> bool:
        """Tell whether there is an old key beside the new one."""
        return len(self.keys) > 1

    @property
    def new(self) -> Key:
        """The key that signs."""
        return self.keys[0]

    async def look(self, *, change: bool = True) -> None:
        """Find the key file, and let the server take over what an interrupted run wrote into it, if we may change anything.

        Raises:
            HostError: there is nothing that could be rotated, and why.

        """
        status = await self._status(self.control)
        self.path = Path(status["file"])
        self.keys = await asyncio.to_thread(load_keys, self.path)
        if _names(status) != [key.name for key in self.keys]:
            self.interrupted_at_the_end = len(self.keys) == 1 and self.new.name in _names(status)
            if change:
                await self._take_over(self.control)
                await self.share()

    async def begin(self) -> None:
        """Put a new key before the old one, everywhere on this machine: from now on both are good."""
        wanted = self.plan.transfer_key
        assert wanted is not None, "look has seen it"
        made = make_key(next_name(wanted.name, self.keys), wanted.algorithm)
        self.keys = (made, *self.keys)
        await self._write()

    async def finish(self) -> None:
        """Take the old key away, everywhere on this machine."""
        self.gone = self.keys[1:]
        self.keys = self.keys[:1]
        await self._write()

    async def _write(self) -> None:
        await asyncio.to_thread(replace_keys, self.path, self.keys)
        await self._take_over(self.control)
        await self.share()

    async def share(self) -> None:
        """Give the keys to the other servers on this machine."""
        for socket in self.sockets.values():
            path = Path((await self._status(socket))["file"])
            await asyncio.to_thread(_copy, self.path, path, self.keys)
            await self._take_over(socket)

    async def _take_over(self, socket: Path) -> None:
        answer = await ask(socket, {"do": "reload"})
        if _names(await self._status(socket)) != [key.name for key in self.keys]:
            raise HostError(
                f"the server at {socket} did not take over the keys in {self.path}: {answer.get('says') or 'it gives no reason'}",
                remedy="The file is in place: reload or start that server again, then repeat this command.",
                step="key",
            )

    async def _status(self, socket: Path) -> dict[str, Any]:
        """Return what a server tells of the plan's key."""
        wanted = self.plan.transfer_key
        if wanted is None:
            raise HostError(
                "the plan has no transfer key", remedy='Add [transfer_key] with name = "transfer.DOMAIN" to the plan.', step="key"
            )
        status = await ask(socket, {"do": "status"})
        for one in status.get("keys", ()):
            if one["name"] is not None and dns.name.from_text(one["name"]) == wanted.name:
                found: dict[str, Any] = one
                return found
        bare = wanted.name.to_text(omit_final_dot=True)
        raise HostError(
            f"the server at {socket} has no keys called {bare}",
            remedy=f'Add name = "{bare}" to the [[key]] with the plan\'s key in its configuration, then: mailname reload',
            step="key",
        )

    def _others(self) -> list[NameServer]:
        return [server for server in self.plan.name_servers if server.name != self.plan.primary.name]

    async def uses(self) -> tuple[list[Use], list[str]]:
        """Return what each other server uses, and addresses that are not the plan's and use an old key."""
        status = await self._status(self.control)
        new_at: dict[str, str] = {}
        old_at: dict[str, str] = {}
        for key in status["keys"]:
            seen = new_at if dns.name.from_text(key["name"]) == self.new.name else old_at
            for one in key["used_by"]:
                seen[one["address"]] = max(one["at"], seen.get(one["address"], ""))
        known = {str(address) for server in self.plan.name_servers for address in server.addresses}
        uses = [
            Use(server.name, tuple(server.addresses), _latest(new_at, server), _latest(old_at, server))
            for server in self._others()
        ]
        return uses, sorted(set(old_at) - known)

    async def wait(self, seconds: float) -> tuple[list[Use], list[str]]:
        """Notify the servers, so that they ask, and wait until each has signed with the new key or the time is up."""
        loop = asyncio.get_running_loop()
        deadline, nudge_at = loop.time() + seconds, loop.time()
        while True:
            uses, strangers = await self.uses()
            if all(use.has_moved for use in uses) or (loop.time() >= deadline and nudge_at > loop.time()):
                return uses, strangers
            if loop.time() >= nudge_at:
                await ask(self.control, {"do": "notify", "zone": self.plan.domain.to_text()})
                nudge_at = loop.time() + _NUDGE
            await asyncio.sleep(_POLL)

    async def still_accepted(self) -> list[Name]:
        """Return the servers that still take what is signed with a key that is gone here."""
        pairs = [(server, address) for server in self._others() for address in server.addresses]
        answers = await asyncio.gather(*(self._accepts(Endpoint(address), key) for _, address in pairs for key in self.gone))
        servers = [server.name for server, _ in pairs for _ in self.gone]
        return list(dict.fromkeys(server for server, accepts in zip(servers, answers, strict=True) if accepts))

    async def _accepts(self, at: Endpoint, key: Key) -> bool:
        query = dns.message.make_query(self.plan.domain, RdataType.SOA, use_edns=False)
        query.flags = dns.flags.Flag(0)
        wire, mac = sign(query.to_wire(), key, self.clock.wall())
        try:
            answer = await ask_udp(self.network, wire, at, timeout=_ASK_TIMEOUT)
        except OSError:  # silence is no acceptance; TimeoutError is an OSError
            return False
        return isinstance(verify(answer, {key.name: key}, self.clock.wall(), mac), Verified)


def _copy(ours: Path, theirs: Path, keys: tuple[Key, ...]) -> None:
    if ours.resolve() != theirs.resolve():
        replace_keys(theirs, keys)


def _names(status: dict[str, Any]) -> list[Name]:
    return [dns.name.from_text(key["name"]) for key in status["keys"]]


def _latest(seen: Mapping[str, str], server: NameServer) -> str | None:
    return max((at for address in server.addresses if (at := seen.get(str(address)))), default=None)
