"""nsupdate, the client of BIND that certificate clients are modelled on, updates a zone of ours; and BIND does the same with it.

What both do with the same commands has to come to the same zone.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.interop.mailname_server import Mailname
from tests.interop.programs import need
from tests.interop.real_servers import LOOPBACK, Bind, Key, PrimaryZone
from tests.interop.transfer_zone import difference, transfer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.real_servers import RealServer, Zone

ZONE = "example.tech."
ACME = Key("acme.example.tech.", "c2VjcmV0IG9mIHRoZSBjZXJ0aWZpY2F0ZSBjbGllbnQhISE=")
OTHER = Key("other.example.tech.", "dGhlIHNlY3JldCBvZiBzb21lYm9keSBlbHNlIGVudGlyZWx5ISE=")
TEXT = """\
$TTL 3600
@ SOA ns1 hostmaster 1 86400 7200 1209600 1800
@ NS ns1
@ NS ns2
@ MX 10 mail
ns1 A 192.0.2.1
ns2 A 192.0.2.2
mail A 192.0.2.25
home.dyn A 192.0.2.80
alias.dyn CNAME mail
"""


class UpdatedMailname(Mailname):
    """Ours, which lets a key update ``_acme-challenge`` and what is below ``dyn``."""

    @property
    def _keys(self) -> dict[str, Key]:
        return {key.name: key for key in (ACME, OTHER)}

    def _zone(self, zone: Zone) -> list[str]:
        return [
            *super()._zone(zone),
            "[[zone.update]]",
            f'key = "{ACME.name}"',
            f'names = ["_acme-challenge.{ZONE}"]',
            'types = ["TXT"]',
            "[[zone.update]]",
            f'key = "{ACME.name}"',
            f'names = ["*.dyn.{ZONE}"]',
        ]


class UpdatedBind(Bind):
    """BIND with the same rules."""

    @property
    def _keys(self) -> dict[str, Key]:
        return {key.name: key for key in (ACME, OTHER)}

    def _zone(self, zone: Zone) -> str:
        policy = (
            f"update-policy {{ grant {ACME.name} name _acme-challenge.{ZONE} TXT; grant {ACME.name} subdomain dyn.{ZONE} ANY; }};"
        )
        return super()._zone(zone).replace("type primary;", f"type primary; {policy}")


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[RealServer, RealServer]]:
    zone = PrimaryZone(ZONE, TEXT)
    with UpdatedMailname([zone]) as ours, UpdatedBind([zone]) as theirs:
        yield ours, theirs


def nsupdate(server: RealServer, commands: str, key: Key | None = ACME, *, tcp: bool = False) -> str:
    """Send one update; return the rcode that nsupdate tells, or NOERROR."""
    (program,) = need("nsupdate")
    lines = [f"server {LOOPBACK} {server.port}", f"zone {ZONE}"]
    if key is not None:
        lines.append(f"key {key.algorithm}:{key.name} {key.secret}")
    done = subprocess.run(
        [program, *(["-v"] if tcp else [])],
        input="\n".join([*lines, commands, "send", ""]),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode == 0:
        return "NOERROR"
    assert "update failed: " in done.stderr, done.stderr
    return done.stderr.partition("update failed: ")[2].split()[0].partition("(")[0]


UPDATES = {
    "challenge": "update add _acme-challenge.example.tech. 60 TXT token-1",
    "second challenge": "update add _acme-challenge.example.tech. 60 TXT token-2",
    "first challenge goes": "update delete _acme-challenge.example.tech. TXT token-1",
    "all challenges go": "update delete _acme-challenge.example.tech. TXT",
    "host is replaced": "update delete home.dyn.example.tech. A\nupdate add home.dyn.example.tech. 60 A 192.0.2.81",
    "host below a new name": "update add a.b.dyn.example.tech. 60 AAAA 2001:db8::1",
    "data beside an alias": "update add alias.dyn.example.tech. 60 A 192.0.2.9",
    "alias is replaced": "update add alias.dyn.example.tech. 60 CNAME ns1.example.tech.",
    "whole name goes": "update delete a.b.dyn.example.tech.",
    "unknown type": "update add x.dyn.example.tech. 60 TYPE65400 \\# 2 abcd",
    "name server of the apex": "update delete example.tech. NS ns1.example.tech.",
    "other name": "update add www.example.tech. 60 A 192.0.2.9",
    "other type": 'update add _acme-challenge.example.tech. 60 CAA 0 issue "ca.example"',
    "one of two is not allowed": "update add y.dyn.example.tech. 60 A 192.0.2.9\nupdate add www.example.tech. 60 A 192.0.2.9",
    "SOA": "update add example.tech. 3600 SOA ns1.example.tech. hostmaster.example.tech. 99 1 1 1 1",
    "name in use": "prereq yxdomain mail.example.tech.\nupdate add p1.dyn.example.tech. 60 TXT x",
    "name not in use": "prereq yxdomain nobody.example.tech.\nupdate add p2.dyn.example.tech. 60 TXT x",
    "name should not be": "prereq nxdomain mail.example.tech.\nupdate add p3.dyn.example.tech. 60 TXT x",
    "RRset exists": "prereq yxrrset mail.example.tech. A\nupdate add p4.dyn.example.tech. 60 TXT x",
    "RRset does not exist": "prereq yxrrset mail.example.tech. TXT\nupdate add p5.dyn.example.tech. 60 TXT x",
    "RRset should not be": "prereq nxrrset mail.example.tech. A\nupdate add p6.dyn.example.tech. 60 TXT x",
    "RRset is so": "prereq yxrrset mail.example.tech. A 192.0.2.25\nupdate add p7.dyn.example.tech. 60 TXT x",
    "RRset is otherwise": "prereq yxrrset mail.example.tech. A 192.0.2.26\nupdate add p8.dyn.example.tech. 60 TXT x",
}


class TestNsupdate:
    @pytest.mark.parametrize("tcp", [False, True], ids=["UDP", "TCP"])
    def test_comes_to_the_same_zone_as_with_bind(self, servers: tuple[RealServer, RealServer], tcp: bool) -> None:
        """Each update has the same rcode at both; in the end both serve the same records but for the SOA's serial."""
        ours, theirs = servers
        told = {
            name: (nsupdate(ours, commands, tcp=tcp), nsupdate(theirs, commands, tcp=tcp)) for name, commands in UPDATES.items()
        }
        assert {name: both for name, both in told.items() if both[0] != both[1]} == {}
        assert {both[0] for both in told.values()} == {"NOERROR", "REFUSED", "NXDOMAIN", "YXDOMAIN", "NXRRSET", "YXRRSET"}
        here, there = (frozenset(one for one in transfer(server, ZONE, None) if one[3] != 6) for server in servers)
        assert difference(here, there) == []

    @pytest.mark.parametrize("key", [OTHER, None], ids=["other key", "no key"])
    def test_of_others_is_refused(self, servers: tuple[RealServer, RealServer], key: Key | None) -> None:
        for server in servers:
            assert nsupdate(server, "update add _acme-challenge.example.tech. 60 TXT theirs", key) == "REFUSED"

    def test_is_there_after_a_kill(self, servers: tuple[RealServer, RealServer]) -> None:
        """What was answered NOERROR is on the disk."""
        ours = servers[0]
        assert nsupdate(ours, "update add kept.dyn.example.tech. 60 TXT kept") == "NOERROR"
        serial = ours.serial(ZONE)
        ours.kill()
        ours.start()
        assert ours.serial(ZONE) == serial
        assert any(record[0].to_text() == "kept.dyn.example.tech." for record in transfer(ours, ZONE, None))
