"""Transfers over TLS (RFC 9103): proven strictly, each way to fail has its reason, and nothing goes in the clear instead."""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import ssl
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dns.edns
import dns.message
import dns.name
import dns.rcode
import pytest
from tests.server.running import APEX, PRIMARY, SECONDARY, Running, Site, free_port, running, until
from tests.server.tls_certificates import Certificates

from mailname.errors import HostError
from mailname.server import tls_client
from mailname.server.config import ServerConfig, ZoneConfig
from mailname.server.network import Endpoint, read_message
from mailname.server.tcp_limits import MOST_PER_CLIENT
from mailname.server.tls import TlsFiles, client_context, server_context
from mailname.transfer.actions import Peer, PeerTls
from mailname.wire.tsig_key import make_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

NAME = "ns.example.tech"


@dataclass
class Secure(Site):
    """A primary with a port for TLS, and a secondary that asks there."""

    tls_port: int = field(default_factory=free_port)

    @property
    def certificates(self) -> Certificates:
        return Certificates(self.folder)

    @property
    def tls_at(self) -> Endpoint:
        return Endpoint(PRIMARY, self.tls_port)

    def serving(self, files: TlsFiles, secondary: PeerTls | None = None) -> ServerConfig:
        """Return the primary's configuration; the secondary must come over TLS."""
        peer = Peer(SECONDARY, self.port, self.key, tls=secondary or PeerTls())
        zone = ZoneConfig(APEX, "primary", self.file, secondaries=(peer,))
        return self.primary(zone, tls_listen=(self.tls_at,), tls=files)

    def asking(self, tls: PeerTls, files: TlsFiles | None = None) -> ServerConfig:
        """Return the secondary's configuration."""
        return self.secondary(self.copy(Peer(PRIMARY, self.tls_port, self.key, tls=tls)), tls=files)


@pytest.fixture
def secure(tmp_path: Path) -> Secure:
    made = Secure(tmp_path)
    made.write(1)
    return made


async def failure(secondary: Running) -> dict[str, Any]:
    """Wait until a refresh has failed, and return how."""
    await until(lambda: secondary.zone_status()["last_failure"])
    found: dict[str, Any] = secondary.zone_status()["last_failure"]
    assert secondary.serial() is None
    assert found["remedy"]
    return found


@contextlib.asynccontextmanager
async def over_tls(at: Endpoint, files: TlsFiles | None = None, *, alpn: str | None = "dot") -> AsyncIterator[Any]:
    """Connect as a client that verifies nothing."""
    context = client_context(files, None, verify=False)
    context.set_alpn_protocols([alpn] if alpn else [])
    reader, writer = await asyncio.open_connection(str(at.address), at.port, ssl=context, server_hostname=NAME)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def answered(streams: Any, name: str, rdtype: str) -> dns.message.Message:
    reader, writer = streams
    wire = dns.message.make_query(name, rdtype, use_edns=0).to_wire()
    writer.write(len(wire).to_bytes(2, "big") + wire)
    return dns.message.from_wire(await read_message(reader))


class TestTransfer:
    @pytest.mark.parametrize("proof", ["pin", "name", "name and pin"])
    @pytest.mark.parametrize("signed", [True, False])
    async def test_arrives(self, secure: Secure, proof: str, signed: bool) -> None:
        """By whatever it is proven, with TSIG besides or without; the NOTIFY goes by UDP, and the next version comes over TLS."""
        files = secure.certificates.make("one") if proof == "pin" else secure.certificates.sign("one")
        pins = (secure.certificates.pin("one"),) if "pin" in proof else ()
        tls = PeerTls(NAME, pins, secure.certificates.ca) if "name" in proof else PeerTls(pins=pins)
        if signed:
            key = make_key(dns.name.from_text("transfer."))
            secure.key, secure.keys = key.name, {key.name: key}
        async with running(secure.serving(files)) as primary, running(secure.asking(tls)) as secondary:
            await until(lambda: secondary.serial() == 1)
            secure.write(2, "\n".join(f"h{number} A 192.0.2.9" for number in range(4000)))
            await primary.reload()
            await until(lambda: secondary.serial() == 2)
            assert secondary.zone_status()["last_transfer"]["messages"] > 1
            assert primary.status()["tls"]["pin"] == secure.certificates.pin("one")

    async def test_over_plain_tcp_is_refused(self, secure: Secure) -> None:
        """A secondary that is to come over TLS gets nothing without, and the primary says why."""
        async with running(secure.serving(secure.certificates.make("one"))) as primary, running(secure.secondary()) as secondary:
            assert (await failure(secondary))["reason"] == "refused"
            await until(lambda: primary.zone_status()["refused"])
            assert "must come over TLS" in primary.zone_status()["refused"][-1]["says"]


class TestFailure:
    @pytest.mark.parametrize(
        ("tls", "reason", "says"),
        [
            (PeerTls(pins=("A" * 43 + "=",)), "tls-pin", "which is not the one that is configured"),
            (PeerTls("ns9.example.tech"), "tls-untrusted", "not accepted"),
            (PeerTls("ns9.example.tech", ca=Path("ca.crt")), "tls-name", "ns9.example.tech"),
            (PeerTls(), "tls-untrusted", "neither a name nor a pin"),
            (PeerTls(NAME, ca=Path("empty")), "tls-files", "no CA certificates"),
        ],
    )
    async def test_of_proof_is_named(self, secure: Secure, tls: PeerTls, reason: str, says: str) -> None:
        """The zone is not asked for, neither so nor in the clear."""
        files = secure.certificates.sign("one")
        if tls.ca is not None:
            (secure.folder / "empty").touch()
            tls = replace(tls, ca=secure.folder / tls.ca)
        async with running(secure.serving(files)) as primary, running(secure.asking(tls)) as secondary:
            told = await failure(secondary)
            assert (told["reason"], says in told["says"]) == (reason, True), told
            assert primary.zone_status()["refused"] == []

    async def test_expired_certificate_is_named(self, secure: Secure) -> None:
        """With what to do, there or with the clock here. A pin does not expire: the key is what is trusted."""
        files = secure.certificates.sign("one", days="-1")
        tls = PeerTls(NAME, ca=secure.certificates.ca)
        async with running(secure.serving(files)) as primary:
            assert "has expired" in primary.status()["tls"]["says"]
            async with running(secure.asking(tls)) as secondary:
                told = await failure(secondary)
                assert (told["reason"], "expired" in told["says"]) == ("tls-expired", True)
                await secondary.reconfigure(secure.asking(PeerTls(pins=(secure.certificates.pin("one"),))))
                await until(lambda: secondary.serial() == 1)

    @pytest.mark.parametrize(
        ("peer", "reason"),
        [
            ("nobody", "tls-refused"),
            ("plain", "tls-failed"),
            ("no alpn", "tls-alpn"),
            ("another alpn", "tls-alpn"),
            ("tls 1.2", "tls-closed"),
            ("silent", "tls-timeout"),
            ("closes", "tls-closed"),
            ("closes later", "tls-closed"),
        ],
    )
    async def test_of_who_is_there_is_named(
        self, secure: Secure, monkeypatch: pytest.MonkeyPatch, peer: str, reason: str
    ) -> None:
        """Nobody, somebody else, or an old one."""
        monkeypatch.setattr(tls_client, "HANDSHAKE", 0.3)
        files = secure.certificates.make("one")
        async with pretender(secure, files, peer), running(secure.asking(PeerTls(pins=(secure.certificates.pin("one"),)))) as one:
            assert (await failure(one))["reason"] == reason


@contextlib.asynccontextmanager
async def pretender(secure: Secure, files: TlsFiles, kind: str) -> AsyncIterator[None]:
    """Run what is no port for transfers over TLS."""
    if kind == "nobody":
        yield
        return
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    if kind == "tls 1.2":
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    if kind in {"another alpn", "closes later"}:
        context.set_alpn_protocols(["dot" if kind == "closes later" else "h2"])

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if kind == "plain":
                await reader.read(1)
                writer.write(b"\x00\x01x" * 10)
            if kind in {"plain", "closes", "closes later"}:
                writer.close()
            else:
                await reader.read()
                writer.close()

    plain = kind in {"plain", "silent", "closes"}
    server = await asyncio.start_server(connected, str(PRIMARY), secure.tls_port, ssl=None if plain else context)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


class TestPort:
    async def test_answers_what_belongs_to_transfers_and_nothing_else(self, secure: Secure) -> None:
        """The SOA, to whom the transfer is forbidden REFUSED, and for all else "not supported"."""
        async with running(secure.serving(secure.certificates.make("one"))), over_tls(secure.tls_at) as streams:
            soa = await answered(streams, "example.tech.", "SOA")
            assert (soa.rcode(), len(soa.answer)) == (dns.rcode.NOERROR, 1)
            mail = await answered(streams, "example.tech.", "MX")
            assert (mail.rcode(), mail.answer) == (dns.rcode.REFUSED, [])
            (option,) = [one for one in mail.options if isinstance(one, dns.edns.EDEOption)]
            assert option.code == dns.edns.EDECode.NOT_SUPPORTED
            stranger = await answered(streams, "example.tech.", "AXFR")
            assert stranger.rcode() == dns.rcode.REFUSED

    async def test_is_not_held_by_who_never_shakes_hands(self, secure: Secure) -> None:
        """More silent connections than one client may have, and some that talk of something else: others get through."""
        async with running(secure.serving(secure.certificates.make("one"))), contextlib.AsyncExitStack() as stack:
            for number in range(MOST_PER_CLIENT + 20):
                silent = stack.enter_context(socket.create_connection((str(PRIMARY), secure.tls_port), 5, ("127.0.0.9", 0)))
                if number % 3 == 0:
                    silent.sendall(b"GET / HTTP/1.1\r\n\r\n")
            streams = await stack.enter_async_context(over_tls(secure.tls_at))
            assert (await answered(streams, "example.tech.", "SOA")).rcode() == dns.rcode.NOERROR

    @pytest.mark.parametrize("alpn", [None, "h2"])
    async def test_closes_on_who_does_not_speak_dot(self, secure: Secure, alpn: str | None) -> None:
        """Whoever that is, it has not come for a zone."""
        async with running(secure.serving(secure.certificates.make("one"))), over_tls(secure.tls_at, alpn=alpn) as (reader, _):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""

    async def test_older_tls_is_not_spoken(self, secure: Secure) -> None:
        """TLS 1.3 only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        async with running(secure.serving(secure.certificates.make("one"))):
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection(str(PRIMARY), secure.tls_port, ssl=context)


class TestMutual:
    async def test_client_without_a_trusted_certificate_gets_nothing(
        self, secure: Secure, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Where client_ca is given, the primary asks who is there before anything else."""
        ours, theirs = secure.certificates.sign("one"), secure.certificates.sign("two")
        tls = PeerTls(pins=(secure.certificates.pin("one"),))
        serving = secure.serving(replace(ours, client_ca=secure.certificates.ca))
        async with running(serving):
            for files in (None, secure.certificates.make("stranger")):
                async with running(secure.asking(tls, files)) as secondary:
                    told = await failure(secondary)
                    assert told["reason"] == "tls-closed", told
                    assert "client_ca" in told["remedy"]
                    assert re.search(r"TLS with 127\.0\.0\.3:\d+ failed: .*CERTIFICATE", caplog.text)
            async with running(secure.asking(tls, theirs)) as secondary:
                await until(lambda: secondary.serial() == 1)

    async def test_pin_of_the_secondary_is_wanted(self, secure: Secure) -> None:
        """A self-signed pair: each trusts the other's key, and no CA."""
        ours, theirs, other = (secure.certificates.make(name) for name in ("one", "two", "three"))
        both = secure.folder / "clients.crt"
        both.write_text(theirs.certificate.read_text() + other.certificate.read_text())
        wanted = PeerTls(pins=(secure.certificates.pin("two"),))
        tls = PeerTls(pins=(secure.certificates.pin("one"),))
        async with running(secure.serving(replace(ours, client_ca=both), wanted)) as primary:
            async with running(secure.asking(tls, other)) as secondary:
                assert (await failure(secondary))["reason"] == "refused"
                assert secure.certificates.pin("three") in primary.zone_status()["refused"][-1]["says"]
            async with running(secure.asking(tls, theirs)) as secondary:
                await until(lambda: secondary.serial() == 1)


class TestRenewal:
    async def test_is_taken_over_without_a_restart(self, secure: Secure) -> None:
        """New connections see it; one that is open goes on."""
        serving = secure.serving(secure.certificates.make("one"))
        before = secure.certificates.pin("one")
        async with running(serving) as primary, over_tls(secure.tls_at) as streams:
            secure.certificates.make("one")
            after = secure.certificates.pin("one")
            assert after != before
            await primary.reconfigure(serving)
            assert primary.status()["tls"]["pin"] == after
            assert (await answered(streams, "example.tech.", "SOA")).rcode() == dns.rcode.NOERROR
            async with running(secure.asking(PeerTls(pins=(after,)))) as secondary:
                await until(lambda: secondary.serial() == 1)

    async def test_bad_files_change_nothing(self, secure: Secure) -> None:
        """The configuration is not taken over, and the old certificate is shown on."""
        serving = secure.serving(secure.certificates.make("one"))
        pin = secure.certificates.pin("one")
        async with running(serving) as primary:
            other = secure.certificates.make("other")
            with pytest.raises(HostError, match="do not belong together"):
                await primary.reconfigure(replace(serving, tls=replace(other, key=secure.folder / "one.key")))
            async with running(secure.asking(PeerTls(pins=(pin,)))) as secondary:
                await until(lambda: secondary.serial() == 1)


class TestFiles:
    @pytest.mark.parametrize(
        ("spoil", "says"),
        [
            (lambda folder: (folder / "one.key").chmod(0o644), "others can read the private key"),
            (lambda folder: (folder / "one.key").unlink(), "cannot read .*one.key"),
            (lambda folder: (folder / "one.crt").unlink(), "cannot read .*one.crt"),
            (lambda folder: (folder / "one.crt").write_text("rubbish"), "cannot be used"),
        ],
    )
    def test_that_cannot_be_used_are_told(self, tmp_path: Path, spoil: Any, says: str) -> None:
        """Each with its name."""
        files = Certificates(tmp_path).make("one")
        spoil(tmp_path)
        with pytest.raises(HostError, match=says):
            server_context(files)
