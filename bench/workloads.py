"""The zones that are served and the questions that are asked. The same seed makes the same ones in each run."""

from __future__ import annotations

import random
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.interop.signing import signed

TYPES = {"A": 1, "NS": 2, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28}
SMALL = "example.tech."
LARGE = "large.example."
SIGNED = "signed.example."


@dataclass(frozen=True, slots=True)
class Workload:
    """Zones (name -> text) and questions (owner, type) to them."""

    zones: dict[str, str]
    questions: list[tuple[str, str]]
    dnssec: bool = False

    def wire(self) -> list[bytes]:
        """Return the questions as messages, with EDNS."""
        return [question(owner, rdtype, number, dnssec=self.dnssec) for number, (owner, rdtype) in enumerate(self.questions)]


def question(owner: str, rdtype: str, number: int, *, dnssec: bool = False) -> bytes:
    """Return a query message with an OPT record: 1232 octets, the DO bit on request."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in owner.rstrip(".").split("."))
    header = struct.pack("!6H", number & 0xFFFF, 0, 1, 0, 0, 1)
    opt = struct.pack("!BHHIH", 0, 41, 1232, 0x8000 if dnssec else 0, 0)
    return header + labels + b"\0" + struct.pack("!2H", TYPES[rdtype], 1) + opt


def mail_zone(apex: str) -> str:
    """Return the text of a mail domain's zone: 11 records."""
    return f"""$ORIGIN {apex}
$TTL 3600
@ SOA ns1 hostmaster 1 7200 3600 1209600 3600
@ NS ns1
@ NS ns2
@ MX 10 mail
@ A 192.0.2.80
@ TXT "v=spf1 mx -all"
_dmarc TXT "v=DMARC1; p=reject; rua=mailto:postmaster@{apex.rstrip(".")}"
ns1 A 192.0.2.1
ns2 A 192.0.2.2
mail A 192.0.2.25
www A 192.0.2.80
"""


def _mix(apex: str, chance: random.Random) -> list[tuple[str, str]]:
    """Return what is asked of a mail zone: a fifth each of MX, A, NS, TXT, and names that do not exist."""
    return [(apex, "MX"), (f"mail.{apex}", "A"), (apex, "NS"), (apex, "TXT"), (f"{_label(chance)}.{apex}", "A")]


def _label(chance: random.Random) -> str:
    return "x" + "".join(chance.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9))


def small(count: int) -> Workload:
    """One mail zone, asked in turn for each of the mix."""
    chance = random.Random(1)
    return Workload({SMALL: mail_zone(SMALL)}, [one for _ in range(count // 5) for one in _mix(SMALL, chance)])


def present(count: int) -> Workload:
    """The same zone, and only what exists in it."""
    return Workload({SMALL: mail_zone(SMALL)}, [one for _ in range(count // 4) for one in _mix(SMALL, random.Random(1))[:4]])


def flood(count: int) -> Workload:
    """The same zone, and nothing but names that do not exist, none of them twice."""
    chance = random.Random(2)
    return Workload({SMALL: mail_zone(SMALL)}, [(f"{_label(chance)}.{SMALL}", "A") for _ in range(count)])


def large_zone(names: int, serial: int = 1) -> str:
    """Return the text of a zone in which each name has an address and every other one an MX."""
    head = f"$ORIGIN {LARGE}\n$TTL 3600\n@ SOA ns1 hostmaster {serial} 7200 3600 1209600 3600\n@ NS ns1\n@ NS ns2\n"
    lines = [head, "ns1 A 192.0.2.1\nns2 A 192.0.2.2\nmail A 192.0.2.25\n"]
    for i in range(names):
        lines.append(f"n{i} A 198.{18 + i // 65536 % 2}.{i // 256 % 256}.{i % 256}\n")
        if i % 2 == 0:
            lines.append(f"n{i} MX 10 mail\n")
    return "".join(lines)


def large(names: int, count: int) -> Workload:
    """One zone of many names, asked at random: 60 % A, 20 % MX, 10 % NODATA, 10 % NXDOMAIN."""
    chance = random.Random(3)
    asked = []
    for _ in range(count):
        draw, name = chance.random(), chance.randrange(names)
        if draw < 0.6:
            asked.append((f"n{name}.{LARGE}", "A"))
        elif draw < 0.8:
            asked.append((f"n{name // 2 * 2}.{LARGE}", "MX"))
        elif draw < 0.9:
            asked.append((f"n{name}.{LARGE}", "AAAA"))
        else:
            asked.append((f"{_label(chance)}.{LARGE}", "A"))
    return Workload({LARGE: large_zone(names)}, asked)


def many(zones: int, count: int) -> Workload:
    """Many mail zones, asked at random for one of the mix."""
    chance = random.Random(4)
    names = [f"d{number}.example." for number in range(zones)]
    asked = [chance.choice(_mix(chance.choice(names), chance)) for _ in range(count)]
    return Workload({name: mail_zone(name) for name in names}, asked)


def signed_flood(names: int, count: int) -> Workload:
    """A zone signed with NSEC3, asked with the DO bit for names that do not exist."""
    chance = random.Random(5)
    text = large_zone(names).replace(LARGE, SIGNED)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        text = signed(Path(folder), SIGNED, text, "nsec3")
    return Workload({SIGNED: text}, [(f"{_label(chance)}.{SIGNED}", "A") for _ in range(count)], dnssec=True)
