"""The lab's mail host and the postman, speaking SMTP over real sockets."""

from __future__ import annotations

from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from mailname.errors import ObservationError
from mailname.lab.mail_host import MailHost
from mailname.lab.network import LabNetwork
from mailname.lab.postman import deliver
from mailname.server.network import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOST = Endpoint(ip_address("192.0.2.2"), 25)


@asynccontextmanager
async def running() -> AsyncIterator[tuple[LabNetwork, MailHost]]:
    network = LabNetwork()
    host = MailHost(network, "mail.example.tech", (HOST.address,), "example.tech")
    await host.start()
    try:
        yield network, host
    finally:
        await host.stop()
        network.close()


async def converse(network: LabNetwork, lines: list[str]) -> list[str]:
    reader, writer = await network.open_tcp(HOST)
    replies = [(await reader.readline()).decode().strip()]
    for line in lines:
        writer.write(f"{line}\r\n".encode())
        while (reply := (await reader.readline()).decode().strip())[3:4] == "-":
            pass
        replies.append(reply)
    writer.close()
    await writer.wait_closed()
    return replies


class TestMailHost:
    async def test_letter_for_the_domain_is_accepted_whole(self) -> None:
        """Dots at the start of a line come through: RFC 5321 section 4.5.2."""
        async with running() as (network, host):
            text = "Subject: hello\n\n.a line that starts with a dot\n..and two"
            greeting, accepted = await deliver(
                network, HOST, sender="me@sender.invalid", recipient="postmaster@Example.TECH", text=text, timeout=5
            )
            assert greeting == "220 mail.example.tech ESMTP"
            assert accepted.startswith("250 ")
            assert host.letters[0].recipients == ("postmaster@Example.TECH",)
            assert host.letters[0].text.decode().replace("\r\n", "\n").rstrip("\n") == text

    async def test_letter_for_another_domain_is_not_relayed(self) -> None:
        """An open relay would teach the wrong thing."""
        async with running() as (network, host):
            with pytest.raises(ObservationError, match="answered RCPT with: 550"):
                await deliver(network, HOST, sender="a@b.invalid", recipient="x@other.invalid", text="hi", timeout=5)
            assert host.letters == []

    @pytest.mark.parametrize(
        ("line", "code"),
        [
            ("DATA", "503"),
            ("RCPT TO:<a@example.tech>", "503"),
            ("MAIL FROM nobody", "501"),
            ("TURN", "502"),
            ("NOOP", "250"),
            ("VRFY x", "252"),
        ],
    )
    async def test_command_out_of_place_is_told_so(self, line: str, code: str) -> None:
        """RFC 5321 section 4.2.2's codes."""
        async with running() as (network, _):
            assert (await converse(network, [line]))[1][:3] == code


class TestPostman:
    async def test_closed_port_is_told_with_the_address(self) -> None:
        """What a person must fix is in the sentence."""
        network = LabNetwork()
        network.reserve(HOST)
        with pytest.raises(ObservationError, match=r"192\.0\.2\.2:25"):
            await deliver(network, HOST, sender="a@b.invalid", recipient="x@example.tech", text="hi", timeout=5)
        network.close()
