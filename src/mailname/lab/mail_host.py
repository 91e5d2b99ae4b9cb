"""A mail host that takes letters: the few commands of SMTP that a delivery needs (RFC 5321 section 4.5.1).

It accepts letters for one domain and for its postmaster, and keeps them in memory. It relays nothing.

Not implemented: VRFY beyond its polite form, EXPN, any extension but SIZE.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from mailname.server.network import IPAddress, Network

PORT = 25
LARGEST = 1_000_000  # octets of one letter
_IDLE = 60.0
_PATH = re.compile(r"<([^<>\s]*)>")


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter that was accepted."""

    sender: str
    recipients: tuple[str, ...]
    text: bytes


@dataclass(slots=True)
class _Session:
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)

    def reset(self) -> None:
        self.sender = None
        self.recipients.clear()


class MailHost:
    """Listens on port 25 of its addresses; ``letters`` are those it took."""

    def __init__(self, network: Network, name: str, addresses: tuple[IPAddress, ...], domain: str) -> None:
        """Describe the host.

        Args:
            network: where it listens.
            name: what it greets with.
            addresses: where it listens.
            domain: the domain it takes mail for, without the final dot.

        """
        self.name = name
        self.letters: list[Letter] = []
        self.greeting = f"220 {name} ESMTP"
        self.at = tuple(Endpoint(address, PORT) for address in addresses)
        self._network = network
        self._domain = domain.lower()
        self._servers: list[asyncio.Server] = []
        self._clients: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin to listen."""
        for at in self.at:
            self._servers.append(await asyncio.start_server(self._serve, sock=self._network.listen_tcp(at), limit=LARGEST))

    async def stop(self) -> None:
        """Stop listening and hang up."""
        for server in self._servers:
            server.close()
        clients = tuple(self._clients)
        for client in clients:
            client.cancel()
        await asyncio.gather(*clients, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, EOFError, ValueError, asyncio.CancelledError):
            pass  # hung up, too slow, or a line longer than any letter: there is nobody to tell
        finally:
            self._clients.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session()
        reply = self.greeting
        if not reply:  # a program that is no mail server
            await reader.read()
            return
        while True:
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()
            async with asyncio.timeout(_IDLE):
                line = await reader.readuntil(b"\n")
            verb, _, rest = line.decode("ascii", "replace").strip().partition(" ")
            if verb.upper() == "QUIT":
                writer.write(f"221 {self.name} closing connection\r\n".encode())
                await writer.drain()
                return
            if verb.upper() == "DATA" and session.recipients:
                writer.write(b"354 end with a line that holds a dot only\r\n")
                reply = await self._take_letter(reader, session)
                continue
            reply = self._reply(verb.upper(), rest, session)

    def _reply(self, verb: str, rest: str, session: _Session) -> str:
        match verb:
            case "EHLO":
                session.reset()
                return f"250-{self.name}\r\n250 SIZE {LARGEST}"
            case "HELO" | "RSET":
                session.reset()
                return f"250 {self.name}"
            case "MAIL" if path := _PATH.search(rest):
                session.reset()
                session.sender = path[1]
                return "250 sender accepted"
            case "RCPT" if session.sender is None:
                return "503 say MAIL first"
            case "RCPT" if path := _PATH.search(rest):
                local, _, domain = path[1].partition("@")
                if domain.lower() != self._domain and not (local.lower() == "postmaster" and not domain):
                    return f"550 5.7.1 no relaying: this host takes mail for {self._domain} only"
                session.recipients.append(path[1])
                return "250 recipient accepted"
            case "DATA":
                return "503 no recipient yet"
            case "NOOP":
                return "250 fine"
            case "VRFY":
                return "252 send the letter and see"
            case "MAIL" | "RCPT":
                return "501 an address stands in <angle brackets>"
            case _:
                return "502 command not implemented"

    async def _take_letter(self, reader: asyncio.StreamReader, session: _Session) -> str:
        lines: list[bytes] = []
        size = 0
        while True:
            async with asyncio.timeout(_IDLE):
                line = await reader.readuntil(b"\n")
            if line in (b".\r\n", b".\n"):
                break
            line = line.removeprefix(b".")  # RFC 5321 section 4.5.2
            size += len(line)
            if size <= LARGEST:
                lines.append(line)
        recipients = tuple(session.recipients)
        sender = session.sender or ""
        session.reset()
        if size > LARGEST:
            return "552 5.3.4 the letter is too long"
        self.letters.append(Letter(sender, recipients, b"".join(lines)))
        return f"250 2.0.0 letter {len(self.letters)} accepted"
