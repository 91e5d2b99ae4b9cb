"""Asking without wasting a person's time: one timeout budget per (address, port, transport), shared by all that is asked there.

What an address has not answered in all tries over one transport is not asked of it again: a dead server costs ``tries`` times
``timeout``, however many questions there were.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import dns.rcode
import dns.rdatatype

from mailname.checks.all_ears import ask_all_ears
from mailname.checks.facts import Outcome, Probe, Transport
from mailname.checks.patience import patiently
from mailname.checks.udp_port import UdpPort
from mailname.checks.wire_answer import read_answer, write_question
from mailname.errors import ObservationError
from mailname.server.network import Endpoint, ask_tcp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dns.name import Name
    from dns.rdatatype import RdataType

    from mailname.checks.facts import MailProbe
    from mailname.checks.world import World
    from mailname.server.network import IPAddress, Network

_BOUND = 20  # times the patience that anything may take, however busy this machine is
_PAYLOAD = 1232  # octets: fits into one packet on every usual path


@dataclass(slots=True)
class Budget:
    """What is left to spend on one address over one transport.

    Attributes:
        heard: whether anything ever came back.
        given_up: why nothing more is asked there.
        ends: when waiting for a server that answers some questions and not others ends (the event loop's clock).

    """

    heard: bool = False
    plain: bool = False  # it answers, but not to questions with EDNS
    given_up: Outcome | None = None
    answers_from: Endpoint | None = None  # it answers, and from another address: such answers nobody takes
    ends: float | None = None
    began: float | None = None  # when it was first asked, by the same clock
    retrying: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom we ask: a server at one rung, and the zone as whose authority it is asked."""

    rung: str
    zone: Name
    server: Name
    endpoint: Endpoint


class Asker:
    """Asks, and keeps every answer as a fact."""

    def __init__(
        self,
        network: Network,
        world: World,
        budgets: dict[tuple[Endpoint, Transport], Budget] | None = None,
        turn: Callable[[IPAddress], Awaitable[None]] | None = None,
        *,
        keeps_ports: bool = False,
    ) -> None:
        """Begin with nothing asked.

        Args:
            network: through what.
            world: from where.
            budgets: those of other looks at the same world at the same time.
            turn: waits until an address may be asked again.
            keeps_ports: keep each UDP socket for the next question to the same address, until ``close``.

        """
        self._turn = turn
        self._keeps_ports = keeps_ports
        self.network = network
        self.world = world
        self.probes: list[Probe] = []
        self.mail: list[MailProbe] = []
        self.queries = 0
        self._budgets: dict[tuple[Endpoint, Transport], Budget] = {} if budgets is None else budgets
        self._ports: dict[Endpoint, UdpPort] = {}

    def _port(self, to: Endpoint) -> UdpPort:
        if to not in self._ports:
            self._ports[to] = UdpPort(lambda: self.network.open_udp(to), kept=self._keeps_ports)
        return self._ports[to]

    def close(self) -> None:
        """Close the sockets that were kept."""
        for port in self._ports.values():
            port.close()

    def at(self, address: IPAddress) -> Endpoint:
        """Return where an authoritative server listens."""
        return Endpoint(address, self.world.port)

    def wanted(self, addresses: tuple[IPAddress, ...]) -> tuple[IPAddress, ...]:
        """Return those addresses over whose family we ask."""
        return tuple(address for address in addresses if address.version in self.world.families)

    async def ask(
        self,
        whom: Addressee,
        qname: Name,
        qtype: RdataType,
        *,
        transport: Transport = "udp",
        recurse: bool = False,
        keep: bool = True,
    ) -> Probe:
        """Ask one question and note what came back. A truncated answer is asked again over TCP (RFC 7766 section 5).

        Without ``keep`` it is no fact about the domain: a step on the way to a host's address.
        """
        budget = self._budgets.setdefault((whom.endpoint, transport), Budget())
        began = time.perf_counter()
        query = _Query(qname, qtype, recurse)
        with_edns = not budget.plain
        outcome, wire, tries = await self._exchange(budget, whom, query, transport)
        if wire is not None and with_edns and _refuses_edns(wire):
            budget.plain = True
            outcome, wire = await self._once(budget, whom, query, transport)
        took = (time.perf_counter() - began) * 1000
        probe = self._read(whom, query, transport, outcome, wire, tries, took, budget)
        if keep:
            self.probes.append(probe)
        if probe.tc and transport == "udp":
            whole = await self.ask(whom, qname, qtype, transport="tcp", recurse=recurse, keep=keep)
            return whole if whole.answered else probe
        return probe

    async def ask_in_words(self, whom: Addressee, qname: Name, qtype: RdataType, wire: bytes, *, keep: bool = True) -> Probe:
        """Ask by UDP with a message that is written already; what comes of it changes nothing else."""
        began, outcome, answered, tries = time.perf_counter(), Outcome.SILENT, None, 0
        while outcome is Outcome.SILENT and tries < self.world.tries:
            if self._turn is not None:
                await self._turn(whom.endpoint.address)
            self.queries, tries = self.queries + 1, tries + 1
            try:
                answered = await self._port(whom.endpoint).ask(wire, self.world.timeout)
                outcome = Outcome.ANSWER
            except OSError as error:
                outcome = outcome_of(error)
        took = (time.perf_counter() - began) * 1000
        query = _Query(qname, qtype, recurse=False)
        probe = self._read(whom, query, "udp", outcome, answered, tries, took, Budget())
        if keep:
            self.probes.append(probe)
        return probe

    async def _exchange(
        self, budget: Budget, whom: Addressee, query: _Query, transport: Transport
    ) -> tuple[Outcome, bytes | None, int]:
        outcome, wire = await self._once(budget, whom, query, transport)
        if outcome is not Outcome.SILENT or transport == "tcp":
            return outcome, wire, 1
        for tried in range(1, self.world.tries):
            if not budget.heard or budget.retrying.locked():
                # Only one question tries again, and sees whether EDNS was why; the others wait and learn from what becomes of it.
                async with budget.retrying:
                    if budget.given_up:
                        return budget.given_up, None, tried
                    if not budget.heard:
                        outcome, wire = await self._try_again(budget, whom, query, last=tried + 1 == self.world.tries)
                        if outcome is not Outcome.SILENT:
                            return outcome, wire, tried + 1
                        continue
            outcome, wire = await self._once(budget, whom, query, transport, again=True)
            if outcome is not Outcome.SILENT:
                return outcome, wire, tried + 1
        return outcome, wire, self.world.tries

    async def _try_again(self, budget: Budget, whom: Addressee, query: _Query, *, last: bool) -> tuple[Outcome, bytes | None]:
        """Ask a server by UDP that has not answered yet; the last time without EDNS: some packet filters drop what is new."""
        budget.plain = last
        outcome, wire = await self._once(budget, whom, query, "udp", again=True)
        if last and outcome is Outcome.SILENT:
            budget.given_up, budget.plain = outcome, False
        elif budget.plain:  # or had the others only been lost?
            budget.plain = False
            budget.plain = (await self._once(budget, whom, query, "udp"))[0] is Outcome.SILENT
        return outcome, wire

    async def _once(
        self, budget: Budget, whom: Addressee, query: _Query, transport: Transport, *, again: bool = False
    ) -> tuple[Outcome, bytes | None]:
        if budget.given_up:
            return budget.given_up, None
        now = asyncio.get_running_loop().time()
        budget.began = now if budget.began is None else budget.began
        patience = self.world.timeout if transport == "udp" else self.world.timeout * self.world.tries
        if transport == "tcp" and not budget.heard:
            patience = max(budget.began + patience - now, self.world.timeout / 4)
        if budget.ends is not None:
            # It has let questions fall before: what is asked later shares the time that is left, and then has a moment each.
            patience = min(patience, max(budget.ends - now, self.world.timeout / 4))
        if self._turn is not None:
            await self._turn(whom.endpoint.address)
        self.queries += 1
        try:
            if transport == "udp" and again:
                wire, budget.answers_from = await ask_all_ears(self.network, query.wire(budget), whom.endpoint, patience)
                if budget.answers_from is not None:
                    raise TimeoutError
            elif transport == "udp":
                wire = await self._port(whom.endpoint).ask(query.wire(budget), patience)
            else:
                asked = ask_tcp(self.network, query.wire(budget), whom.endpoint, timeout=_BOUND * patience)
                wire = await patiently(asked, patience)
        except (OSError, EOFError) as error:
            outcome = outcome_of(error)
            if outcome is Outcome.SILENT and budget.ends is None:
                budget.ends = now + self.world.timeout * (self.world.tries + 1)
            if not budget.heard and (transport == "tcp" or outcome is not Outcome.SILENT):
                budget.given_up = outcome
            return outcome, None
        budget.heard = True
        return Outcome.ANSWER, wire

    def _read(
        self,
        whom: Addressee,
        query: _Query,
        transport: Transport,
        outcome: Outcome,
        wire: bytes | None,
        tries: int,
        ms: float,
        budget: Budget,
    ) -> Probe:
        answer = read_answer(wire) if wire is not None else None
        if wire is not None and answer is None:
            outcome = Outcome.GARBLED
        sections = answer.sections if answer else ((), (), ())
        # That a transfer began is the fact; the zone itself is none of our business.
        answered = sections[0][:1] if query.qtype == dns.rdatatype.AXFR else sections[0]
        return Probe(
            rung=whom.rung,
            zone=whom.zone,
            server=whom.server,
            address=whom.endpoint.address,
            port=whom.endpoint.port,
            transport=transport,
            qname=query.qname,
            qtype=query.qtype,
            outcome=outcome,
            rcode=answer.rcode if answer else None,
            aa=bool(answer and answer.aa),
            ra=bool(answer and answer.ra),
            tc=bool(answer and answer.tc),
            answer=answered,
            authority=sections[1],
            additional=sections[2],
            tries=tries,
            ms=round(ms, 2),
            edns=not budget.plain,
            opt=bool(answer and answer.edns),
            expire=answer.expire if answer else None,
            answered_from=budget.answers_from if outcome is Outcome.SILENT else None,
        )


def outcome_of(error: BaseException) -> Outcome:
    """Tell what a failed exchange looked like from here."""
    if isinstance(error, TimeoutError):
        return Outcome.SILENT
    if isinstance(error, EOFError):
        return Outcome.GARBLED
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return Outcome.GARBLED
    if isinstance(error, OSError) and error.errno == errno.ECONNREFUSED:
        return Outcome.REFUSED
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        remedy = "Look at fewer at once (--jobs), or allow more: ulimit -n 8192"
        raise ObservationError("this process may open no more files", remedy=remedy) from error
    if isinstance(error, OSError) and error.errno == errno.ETIMEDOUT:
        return Outcome.SILENT
    return Outcome.UNREACHABLE


class _Query(NamedTuple):
    """A question; how it is put depends on what the server has been found to understand."""

    qname: Name
    qtype: RdataType
    recurse: bool

    def wire(self, budget: Budget) -> bytes:
        payload = None if budget.plain else _PAYLOAD
        number = secrets.randbelow(0x10000)
        return write_question(number, self.qname, self.qtype, recurse=self.recurse, payload=payload)


def _refuses_edns(wire: bytes) -> bool:
    """Tell whether this is the answer of a server that does not know EDNS (RFC 6891 section 7): an error, without OPT."""
    answer = read_answer(wire) if wire[3] & 15 in (dns.rcode.FORMERR, dns.rcode.NOTIMP) else None
    return answer is not None and not answer.edns
