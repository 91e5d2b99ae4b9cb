"""The last rung: whoever listens at the mail host's port 25 should greet as a mail server (RFC 5321 section 3.1)."""

from __future__ import annotations

import contextlib
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailname.checks.asking import outcome_of
from mailname.checks.facts import MailCertificate, MailProbe, Outcome
from mailname.checks.patience import patiently
from mailname.mail.tlsa import prints_of
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    import asyncio

    from dns.name import Name

    from mailname.server.network import IPAddress, Network

SMTP_PORT = 25
_MOST_LINES = 64  # a server that never ends its answer is not listened to for ever


async def visit(network: Network, host: Name, address: IPAddress, *, timeout: float) -> MailProbe:
    """Connect, read the greeting, say EHLO and QUIT. No mail is sent.

    ``timeout`` is the seconds that the whole visit may take.
    """
    began = time.perf_counter()
    heard = _Heard(host)
    outcome = Outcome.GARBLED
    try:
        await patiently(_talk(network, Endpoint(address, SMTP_PORT), heard), timeout)
    except (OSError, EOFError) as error:
        outcome = outcome_of(error)
    except ValueError:  # a line that never ends
        outcome = Outcome.GARBLED
    if heard.banner[:3].isdigit():  # whoever greets is well; what he then says to EHLO is for the record
        outcome = Outcome.ANSWER
    return MailProbe(
        host=host,
        address=address,
        port=SMTP_PORT,
        outcome=outcome,
        connected=heard.connected,
        banner=heard.banner,
        ehlo=tuple(heard.ehlo),
        ms=round((time.perf_counter() - began) * 1000, 2),
        certificate=heard.certificate,
    )


@dataclass(slots=True)
class _Heard:
    """What has come so far."""

    host: Name
    connected: bool = False
    banner: str = ""
    ehlo: list[str] = field(default_factory=list)
    certificate: MailCertificate | None = None


async def _talk(network: Network, at: Endpoint, heard: _Heard) -> None:
    reader, writer = await network.open_tcp(at)
    heard.connected = True
    try:
        greeting = await _reply(reader)
        heard.banner = greeting[0] if greeting else ""
        with contextlib.suppress(OSError, EOFError, ValueError):
            writer.write(b"EHLO check.invalid\r\n")
            heard.ehlo = await _reply(reader)
            if any(line[4:].strip().upper() == "STARTTLS" for line in heard.ehlo):
                heard.certificate = await _secured(reader, writer, heard.host)
            writer.write(b"QUIT\r\n")
            await writer.drain()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def _secured(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: Name) -> MailCertificate | None:
    """Begin TLS and read the certificate (RFC 3207). It is looked at, not believed: nobody is told anything secret here."""
    writer.write(b"STARTTLS\r\n")
    answer = await _reply(reader)
    if not answer or not answer[0].startswith("220"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    await writer.start_tls(context, server_hostname=host.to_text(omit_final_dot=True))
    secured = writer.get_extra_info("ssl_object")
    der = secured.getpeercert(binary_form=True)
    if not der:
        return None
    from mailname.wire.certificate import read_certificate

    found = read_certificate(der)
    # Python 3.13 and newer tell what was sent with it.
    chain = secured.get_unverified_chain() if hasattr(secured, "get_unverified_chain") else None
    above = tuple(one for other in chain if other != der for one in prints_of(other)) if chain is not None else None
    return MailCertificate(found.not_after, found.names, prints_of(der), above)


async def _reply(reader: asyncio.StreamReader) -> list[str]:
    """Read one reply; all its lines but the last have a hyphen after the code (RFC 5321 section 4.2.1)."""
    lines: list[str] = []
    while len(lines) < _MOST_LINES:
        line = (await reader.readline()).decode("ascii", "replace").rstrip("\r\n")
        if not line and reader.at_eof():
            break
        lines.append(line)
        if line[3:4] != "-":
            break
    return lines
