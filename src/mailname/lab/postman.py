"""Delivers one letter, as the sending mail server that all this is for (RFC 5321 section 3.3)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from mailname.errors import ObservationError

if TYPE_CHECKING:
    from mailname.server.network import Endpoint, Network


async def deliver(network: Network, to: Endpoint, *, sender: str, recipient: str, text: str, timeout: float) -> tuple[str, str]:
    """Hand a letter over.

    Args:
        network: the world to connect through.
        to: the mail host's address and port.
        sender: the envelope's sender.
        recipient: the envelope's recipient.
        text: header and body, lines ended by a line feed.
        timeout: seconds for all of it.

    Returns:
        the host's greeting, and what it said when it took the letter.

    Raises:
        ObservationError: the host could not be reached, or did not take the letter; says at which command.

    """
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await network.open_tcp(to)
            try:
                return await _converse(reader, writer, sender, recipient, text, str(to))
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError as error:
        raise ObservationError(f"{to} did not take a letter within {timeout:g} seconds", server=str(to)) from error
    except (OSError, EOFError) as error:
        raise ObservationError(f"cannot hand a letter to {to}: {error}", server=str(to)) from error


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, sender: str, recipient: str, text: str, server: str
) -> tuple[str, str]:
    async def say(line: str, expected: str) -> str:
        if line:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()
        while True:
            reply = (await reader.readuntil(b"\n")).decode("ascii", "replace").strip()
            if reply[3:4] != "-":
                break
        if not reply.startswith(expected):
            raise ObservationError(f"{server} answered {line.partition(' ')[0] or 'the connection'} with: {reply}", server=server)
        return reply

    greeting = await say("", "220")
    await say("EHLO rehearsal.invalid", "250")
    await say(f"MAIL FROM:<{sender}>", "250")
    await say(f"RCPT TO:<{recipient}>", "250")
    await say("DATA", "354")
    body = "\r\n".join(f".{line}" if line.startswith(".") else line for line in text.splitlines())
    accepted = await say(f"{body}\r\n.", "250")
    await say("QUIT", "221")
    return greeting, accepted
