"""Who is told in tests: a real SMTP server and a real web server, both on loopback."""

from __future__ import annotations

import asyncio
import base64
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator
    from email.message import EmailMessage


@dataclass
class Mailbox:
    """An SMTP server that takes everything, unless it is told otherwise.

    Attributes:
        refuses: commands that it answers with 450, such as DATA.
        password: what AUTH PLAIN must say, where a password is wanted.

    """

    tls: ssl.SSLContext | None = None
    refuses: tuple[str, ...] = ()
    password: str | None = None
    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak SMTP on one connection."""

        def say(text: str) -> None:
            writer.write(f"{text}\r\n".encode())

        say("220 box.example ESMTP")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            self.commands.append(line)
            if verb in self.refuses:
                say("450 not now")
            elif verb == "EHLO":
                say("250-box.example")
                say("250-STARTTLS" if self.tls and writer.get_extra_info("sslcontext") is None else "250-PIPELINING")
                say("250 AUTH PLAIN")
            elif verb == "STARTTLS" and self.tls:
                say("220 go on")
                await writer.start_tls(self.tls)
            elif verb == "AUTH":
                given = base64.b64decode(line.split()[2]).decode().split("\0")
                say("235 welcome" if given[2] == self.password else f"535 {line} is wrong")
            elif verb == "DATA":
                say("354 go on")
                octets = b""
                while (piece := await reader.readline()) != b".\r\n":
                    octets += piece.removeprefix(b".") if piece.startswith(b"..") else piece
                self.mails.append(message_from_bytes(octets, policy=policy.default))
                say("250 taken")
            elif verb == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        writer.close()


@dataclass
class Hook:
    """A web server that notes what is posted.

    Attributes:
        status: what it answers.

    """

    status: str = "204 No Content"
    port: int = 0
    posts: list[tuple[str, dict[str, str], dict[str, Any]]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers["content-length"]))
        self.posts.append((head[0], headers, json.loads(body)))
        writer.write(f"HTTP/1.1 {self.status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        writer.close()


@asynccontextmanager
async def listening(server: Mailbox | Hook) -> AsyncIterator[int]:
    """Let it listen on a free port of loopback."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listener.sockets[0].getsockname()[1]
    async with listener:
        yield server.port
