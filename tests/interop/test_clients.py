"""What people have in their hands: dig, kdig, drill, and unbound as their resolver, put to a running ``mailname serve``."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import dns.exception
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import pytest
from tests.interop.mailname_server import Mailname, MailnameFolder, mailname_program
from tests.interop.programs import need
from tests.interop.real_servers import LOOPBACK, Key, PrimaryZone, RealServer, SecondaryZone, until
from tests.interop.transfer_zone import zone_text
from tests.server.running import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.interop.real_servers import Zone

    Client = Callable[..., str]

ZONE = "example.tech."


def has_ipv6() -> bool:
    with closing(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


IPV6 = socket.has_ipv6 and has_ipv6()
needs_ipv6 = pytest.mark.skipif(not IPV6 and "CI" not in os.environ, reason="this machine has no IPv6 loopback address")
needs_more_loopback = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has more loopback addresses than one")


def run(*words: str) -> str:
    """Run a client and return what it printed, its complaints included."""
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """Return a key as ``mailname key make`` makes it."""
    path = tmp_path_factory.mktemp("key") / "made.key"
    run(mailname_program(), "key", "make", "transfer.example.tech", "-o", str(path))
    found = re.search(r'secret "(.+?)"', path.read_text())
    assert found
    assert path.stat().st_mode & 0o777 == 0o600
    return Key("transfer.example.tech.", found[1])


@pytest.fixture(scope="module")
def server(key: Key) -> Iterator[Mailname]:
    zones: list[Zone] = [
        PrimaryZone(ZONE, zone_text(7, records=3000), key=key),
        PrimaryZone("closed.example.", zone_text(1), allow_transfer=False),
        SecondaryZone("secondary.example.", (LOOPBACK, 9)),
    ]
    with Mailname(zones, more_addresses=("[::1]",) if IPV6 else ()) as one:
        yield one


def dig(server: RealServer, *words: str, at: str = LOOPBACK) -> str:
    return run(need("dig")[0], f"@{at}", "-p", str(server.port), "+tries=2", "+time=5", *words)


def kdig(server: RealServer, *words: str, at: str = LOOPBACK) -> str:
    return run(need("kdig")[0], f"@{at}", "-p", str(server.port), "+retry=1", "+time=5", *words)


def drill(server: RealServer, *words: str, at: str = LOOPBACK) -> str:
    return run(need("drill")[0], "-p", str(server.port), *words[:-2], f"@{at}", *words[-2:])


CLIENTS = [dig, kdig, drill]
by_client = pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)


def records(printed: str) -> set[tuple[str, ...]]:
    """Return the records of a printed answer, without the white space that each client writes otherwise; no TSIG, no OPT."""
    lines = [tuple(line.split()) for line in printed.splitlines() if line and not line.startswith(";")]
    return {line for line in lines if len(line) > 4 and line[3] != "TSIG"}


def status(printed: str) -> str:
    found = re.search(r"(?:status|rcode): (\w+)", printed)
    assert found, printed
    return found[1]


def flags(printed: str) -> set[str]:
    found = re.search(r"(?i)^;; flags: ([a-z ]+)", printed, re.MULTILINE)
    assert found, printed
    return set(found[1].split())


MX = (ZONE, "3600", "IN", "MX", "10", "mail.example.tech.")


class TestOrdinaryQuestions:
    @by_client
    @pytest.mark.parametrize("word", ["", "+tcp"], ids=["udp", "tcp"])
    def test_are_answered_with_authority(self, client: Client, word: str, server: Mailname) -> None:
        """The MX comes with AA, without RA, by UDP and TCP."""
        words = [{drill: "-t"}.get(client, word)] if word else []
        printed = client(server, *words, "example.tech", "MX")
        assert MX in records(printed), printed
        assert (status(printed), flags(printed) & {"qr", "aa", "ra", "tc"}) == ("NOERROR", {"qr", "aa"}), printed

    @needs_ipv6
    @by_client
    def test_are_answered_over_ipv6(self, client: Client, server: Mailname) -> None:
        assert MX in records(client(server, "example.tech", "MX", at="::1"))

    @by_client
    def test_of_every_kind(self, client: Client, server: Mailname) -> None:
        """Wildcard, alias, referral, NODATA, NXDOMAIN and a name that is not ours, as each client reads them."""
        for name, rdtype, expected, holds in (
            ("anything.example.tech", "A", "NOERROR", "192.0.2.42"),
            ("alias.example.tech", "A", "NOERROR", "192.0.2.7"),
            ("x.sub.example.tech", "A", "NOERROR", "192.0.2.53"),
            ("mail.example.tech", "AAAA", "NOERROR", "SOA"),
            ("no.mail.example.tech", "A", "NXDOMAIN", "SOA"),
            ("unknown.example.tech", "TYPE65400", "NOERROR", "\\# 6"),
            ("example.org", "A", "REFUSED", ""),
        ):
            printed = client(server, name, rdtype)
            assert status(printed) == expected, printed
            assert holds in printed

    @pytest.mark.parametrize(
        ("words", "expected", "present", "absent"),
        [
            ("example.tech MX +norec", "NOERROR", "aa", "rd ra"),
            ("example.tech MX +rec", "NOERROR", "aa rd", "ra"),
            ("example.tech MX +cdflag", "NOERROR", "aa", "cd"),
            ("example.tech MX +adflag", "NOERROR", "aa", "ad"),
            ("example.tech MX +noedns", "NOERROR", "aa", "tc"),
            ("example.tech MX +bufsize=4096 +dnssec", "NOERROR", "aa", "tc ad"),
            ("example.tech MX +cookie", "NOERROR", "aa", "tc"),
            ("example.tech MX +nsid", "NOERROR", "aa", "tc"),
            ("example.tech MX +ednsopt=65001:6869", "NOERROR", "aa", "tc"),
            ("example.tech MX +subnet=192.0.2.0/24", "NOERROR", "aa", "tc"),
            ("ExAmPlE.tEcH MX", "NOERROR", "aa", "tc"),
            ("long.example.tech TXT +bufsize=512 +ignore", "NOERROR", "aa tc", "ra"),
            ("long.example.tech TXT +bufsize=65535 +ignore", "NOERROR", "aa tc", "ra"),
            ("long.example.tech TXT +noedns", "NOERROR", "aa", "tc"),  # truncated, asked again by TCP
            ("example.tech ANY +notcp", "NOERROR", "aa", "tc ra"),
            ("example.tech MX +edns=1 +noednsneg", "BADVERS", "qr", "aa"),
            ("version.bind TXT CH", "REFUSED", "qr", "aa"),
            ("example.tech SOA HS", "REFUSED", "qr", "aa"),
            ("example.tech SOA +opcode=status", "NOTIMP", "qr", "aa"),
            ("example.tech SOA +opcode=update", "REFUSED", "qr", "aa"),
            ("secondary.example A", "SERVFAIL", "qr", "aa"),  # not transferred yet
        ],
    )
    def test_with_odd_wishes_by_dig(self, words: str, expected: str, present: str, absent: str, server: Mailname) -> None:
        """Options that people and resolvers add change nothing they should not."""
        printed = dig(server, *words.split())
        assert status(printed) == expected, printed
        assert set(present.split()) <= flags(printed)
        assert not set(absent.split()) & flags(printed)

    @pytest.mark.parametrize("words", ["+padding=64", "+cookie", "+bufsize=512", "+noedns", "+ednsopt=65001:6869", "+dnssec"])
    def test_with_odd_wishes_by_kdig(self, words: str, server: Mailname) -> None:
        printed = kdig(server, *words.split(), "example.tech", "MX")
        assert MX in records(printed), printed
        assert "WARNING" not in printed

    def test_spelling_comes_back_as_it_was_sent(self, server: Mailname) -> None:
        """A resolver that mixes cases to detect forgery finds its own spelling in the question."""
        assert re.search(r"^;ExAmPlE\.tEcH\.", dig(server, "ExAmPlE.tEcH", "MX"), re.MULTILINE)

    def test_any_gives_one_rrset_by_udp_and_all_by_tcp(self, server: Mailname) -> None:
        """RFC 8482 section 4.1; no big answer to a small question with a forged source."""
        by_udp, by_tcp = (records(dig(server, "example.tech", "ANY", way)) for way in ("+notcp", "+tcp"))
        assert len({record[3] for record in by_udp}) == 1
        assert {record[3] for record in by_tcp} >= {"SOA", "NS", "A", "AAAA", "MX", "TXT", "CAA"}

    def test_no_answer_by_udp_is_above_1232_octets(self, server: Mailname) -> None:
        """Whatever the client says it can take."""
        for rdtype in ("ANY", "TXT", "MX"):
            query = dns.message.make_query("long.example.tech.", rdtype, use_edns=0, payload=65535)
            answer = dns.query.udp(query, server.address, 5, server.port, ignore_trailing=True)
            assert len(answer.to_wire()) <= 1232


def with_key(client: Client, key: Key, server: Mailname) -> list[str]:
    """Return the words with which a client signs; only dig reads the key from a file."""
    if client is dig:
        return ["-k", str(server.key_file(key))]
    return ["-y", f"{key.algorithm}:{key.name}:{key.secret}" if client is kdig else f"{key.name}:{key.secret}:{key.algorithm}"]


def over_tcp(client: Client) -> list[str]:
    return ["-t"] if client is drill else []  # the others know that AXFR goes by TCP


class TestTransferByClient:
    @by_client
    def test_with_the_key_gives_the_whole_zone(self, client: Client, server: Mailname, key: Key) -> None:
        """Every record, in several signed messages that the client verifies; the SOA first and last."""
        printed = client(server, *with_key(client, key, server), *over_tcp(client), "example.tech", "AXFR")
        found = records(printed)
        assert len(found) > 3000, printed[:2000]
        assert MX in found
        assert ("host2999.example.tech.", "3600", "IN", "A", "198.51.11.249") in found
        assert "NOTAUTH" not in printed
        assert not re.search(r"(?im)^;.*(fail|error|warning|verif)", printed), printed[-500:]

    @by_client
    def test_without_the_key_is_refused(self, client: Client, server: Mailname) -> None:
        printed = client(server, *over_tcp(client), "example.tech", "AXFR")
        assert not records(printed), printed
        assert re.search("Transfer failed|REFUSED", printed), printed
        assert "must sign with the key" in server.status(ZONE)["refused"][-1]["says"]

    @by_client
    def test_with_another_secret_is_refused(self, client: Client, server: Mailname, key: Key) -> None:
        wrong = Key(key.name.replace("transfer", "other"), key.secret)
        printed = client(server, *with_key(client, wrong, server), *over_tcp(client), "example.tech", "AXFR")
        assert not records(printed), printed
        assert server.status(ZONE)["refused"][-1]["reason"] == "badkey"

    @by_client
    def test_of_a_closed_zone_is_refused(self, client: Client, server: Mailname, key: Key) -> None:
        """The key opens the zone that it is for, no other."""
        for words in ([], with_key(client, key, server)):
            assert not records(client(server, *words, *over_tcp(client), "closed.example", "AXFR"))

    def test_by_ixfr_gives_the_zone_or_the_soa_alone(self, server: Mailname, key: Key) -> None:
        """RFC 1995 section 4: the whole zone to who holds an older one, the SOA to who holds the newest."""
        for client in (dig, kdig):
            words = with_key(client, key, server)
            assert len(records(client(server, *words, "example.tech", "IXFR=1"))) > 3000
            assert {record[3] for record in records(client(server, *words, "example.tech", "IXFR=7"))} == {"SOA"}


class TestNotifyFromAStranger:
    @pytest.mark.parametrize(
        ("zone", "expected"),
        [("example.tech", "NOTAUTH"), ("example.org", "NOTAUTH")],
        ids=["primary here", "not served here"],
    )
    def test_for_what_is_no_secondary_zone(self, zone: str, expected: str, server: Mailname) -> None:
        """A server that is not a secondary of the zone has no authority in the matter (RFC 1996 section 3.10 leaves it open)."""
        assert status(dig(server, "+opcode=notify", zone, "SOA")) == expected

    @needs_more_loopback
    def test_from_another_address_is_refused(self, server: Mailname) -> None:
        """Only the primary's address, or its key, may wake a secondary."""
        query = dns.message.make_query("secondary.example.", "SOA")
        query.set_opcode(dns.opcode.NOTIFY)
        answer = dns.query.udp(query, server.address, 5, server.port, source="127.0.9.9")  # the log's limit is per network
        assert answer.rcode() == dns.rcode.REFUSED
        assert server.status("secondary.example.")["last_notify"] is None
        server.wait_log("zone secondary.example: refused notify from non-primary 127.0.9.9")


#: The private Internet of one process: root, TLD and the domain.
WORLD = {
    ".": """\
$TTL 86400
@ IN SOA a.root.invalid. hostmaster.invalid. 1 86400 7200 1209600 86400
@ NS a.root.invalid.
a.root.invalid. A 127.0.0.1
tech. NS ns.nic.tech.
ns.nic.tech. A 127.0.0.1
""",
    "tech.": """\
$TTL 3600
@ IN SOA ns.nic hostmaster.nic 1 86400 7200 1209600 3600
@ NS ns.nic
ns.nic A 127.0.0.1
example NS ns1.example
example NS ns2.example
ns1.example A 127.0.0.1
ns2.example A 127.0.0.1
""",
    "example.tech.": """\
$TTL 3600
@ IN SOA ns1 hostmaster 2016060100 86400 7200 1209600 1800
@ NS ns1
@ NS ns2
@ A 192.0.2.80
@ MX 10 mail
ns1 A 127.0.0.1
ns2 A 127.0.0.1
mail A 192.0.2.25
mail AAAA 2001:db8::25
*.wild TXT "any"
a.b.c.d TXT "deep"
www CNAME @
old DNAME new
mail.new A 192.0.2.26
big TXT "{big}" "{big}" "{big}" "{big}" "{big}" "{big}"
""".format(big="x" * 250),
}


@pytest.fixture(scope="module")
def world() -> Iterator[MailnameFolder]:
    with MailnameFolder(WORLD) as server:
        yield server


@contextmanager
def unbound(folder: Path, authority: RealServer) -> Iterator[int]:
    """Run unbound as a resolver that asks one server as root, TLD and domain alike; give the port on which it listens."""
    program = need("unbound")[0]
    port = free_port()
    stubs = "".join(
        f'stub-zone:\n  name: "{zone}"\n  stub-addr: {authority.address}@{authority.port}\n  stub-prime: no\n' for zone in WORLD
    )
    (folder / "unbound.conf").write_text(
        f"""server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  verbosity: 1
  do-daemonize: no
  interface: {LOOPBACK}@{port}
  access-control: {LOOPBACK}/32 allow
  do-not-query-localhost: no
  do-ip6: no
  module-config: "iterator"
  qname-minimisation-strict: yes
  use-caps-for-id: yes
  harden-below-nxdomain: yes
  num-threads: 1
  outgoing-range: 64
remote-control:
  control-enable: no
{stubs}"""
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "-d", "-c", str(folder / "unbound.conf")], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:

        def answers() -> bool:
            try:
                return dns.query.udp(dns.message.make_query(".", "NS"), LOOPBACK, 0.5, port).rcode() == dns.rcode.NOERROR
            except (OSError, dns.exception.DNSException):
                return False

        assert until(lambda: process.poll() is not None or answers()), (folder / "log").read_text()
        assert process.poll() is None, (folder / "log").read_text()
        yield port
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def resolver(world: MailnameFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with unbound(tmp_path_factory.mktemp("unbound"), world) as port:
        yield port


class TestUnbound:
    @pytest.mark.parametrize(
        ("name", "rdtype", "expected", "holds"),
        [
            ("example.tech.", "MX", "NOERROR", "10 mail.example.tech."),
            ("mail.example.tech.", "A", "NOERROR", "192.0.2.25"),
            ("mail.example.tech.", "AAAA", "NOERROR", "2001:db8::25"),
            ("example.tech.", "NS", "NOERROR", "ns2.example.tech."),
            ("www.example.tech.", "A", "NOERROR", "192.0.2.80"),
            ("mail.old.example.tech.", "A", "NOERROR", "192.0.2.26"),
            ("anything.wild.example.tech.", "TXT", "NOERROR", '"any"'),
            ("a.b.c.d.example.tech.", "TXT", "NOERROR", '"deep"'),
            ("b.c.d.example.tech.", "TXT", "NOERROR", ""),
            ("big.example.tech.", "TXT", "NOERROR", "x" * 250),
            ("mail.example.tech.", "TXT", "NOERROR", ""),
            ("nobody.example.tech.", "MX", "NXDOMAIN", ""),
            ("nobody.tech.", "MX", "NXDOMAIN", ""),
            ("nobody.", "MX", "NXDOMAIN", ""),
        ],
    )
    def test_resolves(self, name: str, rdtype: str, expected: str, holds: str, resolver: int) -> None:
        """With minimised names, mixed case and TCP after truncation, as resolvers ask today."""
        answer = dns.query.udp_with_fallback(dns.message.make_query(name, rdtype), LOOPBACK, 10, resolver)[0]
        assert dns.rcode.to_text(answer.rcode()) == expected, answer
        assert bool(answer.answer) == bool(holds)
        assert holds in "".join(rrset.to_text() for rrset in answer.answer)


class TestFolderOfZones:
    def test_transfers_to_nobody(self, world: MailnameFolder) -> None:
        """``--zones`` without ``--allow-transfer``."""
        for zone in WORLD:
            assert not records(dig(world, zone, "AXFR"))

    @needs_more_loopback
    def test_transfers_to_whom_it_was_told(self) -> None:
        with MailnameFolder(WORLD, arguments=("--allow-transfer", "127.0.0.1/32")) as server:
            assert MX in records(dig(server, "example.tech", "AXFR"))
            assert "Transfer failed" in dig(server, "-b", "127.0.0.2", "example.tech", "AXFR")

    def test_refers_from_the_root_and_the_tld(self, world: MailnameFolder) -> None:
        """A server of parent and child answers from the child; what only the parent knows comes from the parent."""
        assert status(dig(world, "example.tech", "MX")) == "NOERROR"
        assert "127.0.0.1" in dig(world, "a.root.invalid", "A")
        assert status(dig(world, "nobody", "A")) == "NXDOMAIN"
