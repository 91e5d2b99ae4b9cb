"""Messages that no proper client sends, octet by octet, each under a name that says what is odd."""

from __future__ import annotations

import struct

NAME = b"\x07example\x04tech\0"
OTHER = b"\x03org\0"
SOA_IN = b"\0\x06\0\x01"
_SAME_NAME = b"\xc0\x0c"


def message(
    *,
    message_id: int = 4711,
    flags: int = 0,
    question: bytes = NAME + SOA_IN,
    counts: tuple[int, int, int, int] = (1, 0, 0, 0),
    rest: bytes = b"",
) -> bytes:
    return struct.pack("!HHHHHH", message_id, flags, *counts) + question + rest


def opt(*, version: int = 0, flags: int = 0, options: bytes = b"", payload: int = 1232, owner: bytes = b"\0") -> bytes:
    return owner + struct.pack("!HHBBHH", 41, payload, 0, version, flags, len(options)) + options


def record(rdtype: int, rdata: bytes, *, owner: bytes = _SAME_NAME, rdclass: int = 1, ttl: int = 60) -> bytes:
    return owner + struct.pack("!HHIH", rdtype, rdclass, ttl, len(rdata)) + rdata


A = record(1, b"\xc0\0\x02\x01")
SOA = record(6, b"\0\0" + bytes(20))
TSIG = record(
    250,
    b"\x0bhmac-sha256\0" + bytes(6) + struct.pack("!HH", 300, 32) + bytes(32) + struct.pack("!HHH", 4711, 0, 0),
    owner=b"\x03key\0",
    rdclass=255,
    ttl=0,
)
_ONE = (1, 0, 0, 1)
_TWO = (1, 0, 0, 2)

RAW_MESSAGES = {
    # EDNS
    "EDNS": message(counts=_ONE, rest=opt()),
    "EDNS, DO": message(counts=_ONE, rest=opt(flags=0x8000)),
    "EDNS, unknown flags": message(counts=_ONE, rest=opt(flags=0x4001)),
    "EDNS, payload 0": message(counts=_ONE, rest=opt(payload=0)),
    "EDNS, unknown option": message(counts=_ONE, rest=opt(options=b"\xfd\xe9\0\x02hi")),
    "EDNS, option too long": message(counts=_ONE, rest=opt(options=b"\xfd\xe9\0\x05hi")),
    "EDNS, option cut": message(counts=_ONE, rest=opt(options=b"\xfd\xe9\0")),
    "EDNS version 1": message(counts=_ONE, rest=opt(version=1)),
    "EDNS version 1, DO": message(counts=_ONE, rest=opt(version=1, flags=0x8000)),
    "EDNS version 1, not our zone": message(question=OTHER + SOA_IN, counts=_ONE, rest=opt(version=1)),
    "EDNS, not our zone": message(question=OTHER + SOA_IN, counts=_ONE, rest=opt()),
    "two OPT": message(counts=_TWO, rest=opt() + opt()),
    "OPT in the answer section": message(counts=(1, 1, 0, 0), rest=opt()),
    "OPT in the authority section": message(counts=(1, 0, 1, 0), rest=opt()),
    "OPT with an owner": message(counts=_ONE, rest=opt(owner=b"\x01a\0")),
    "OPT whose owner is a pointer to the root": message(counts=_ONE, rest=opt(owner=b"\xc0\x19")),
    # records where a query has none
    "a record in the answer section": message(counts=(1, 1, 0, 0), rest=A),
    "a record in the authority section": message(counts=(1, 0, 1, 0), rest=A),
    "a record in the additional section": message(counts=_ONE, rest=A),
    "a record before the OPT": message(counts=_TWO, rest=A + opt()),
    "a record after the OPT": message(counts=_TWO, rest=opt() + A),
    "IXFR by UDP, with a SOA": message(question=NAME + b"\0\xfb\0\x01", counts=(1, 0, 1, 0), rest=SOA),
    # lengths and counts
    "octets after the end": message(rest=b"xx"),
    "octets after the OPT": message(counts=_ONE, rest=opt() + b"xyz"),
    "an OPT that is not counted": message(rest=opt()),
    "a record that is not there": message(counts=_ONE),
    "an answer that is not there": message(counts=(1, 1, 0, 0)),
    "a question that is not there": message(question=b""),
    "no question": message(question=b"", counts=(0, 0, 0, 0)),
    "no question, with EDNS": message(question=b"", counts=(0, 0, 0, 1), rest=opt()),
    "two questions": message(counts=(2, 0, 0, 0), rest=NAME + SOA_IN),
    "eleven octets": message()[:11],
    "a question without type": message(question=NAME),
    "a cut name": message(question=b"\x07exam"),
    "a name that points at itself": message(question=b"\xc0\x0c" + SOA_IN),
    "a name that points into the header": message(question=b"\xc0\x04" + SOA_IN),
    "a label of 64 octets": message(question=b"\x40" + b"a" * 64 + b"\0" + SOA_IN),
    "a name of 257 octets": message(question=(b"\x3f" + b"a" * 63) * 4 + b"\0" + SOA_IN),
    # TSIG
    "TSIG with an unknown key": message(counts=_ONE, rest=TSIG),
    "EDNS and TSIG with an unknown key": message(counts=_TWO, rest=opt() + TSIG),
    "TSIG before OPT": message(counts=_TWO, rest=TSIG + opt()),
    "two TSIG": message(counts=_TWO, rest=TSIG + TSIG),
    "TSIG in the answer section": message(counts=(1, 1, 0, 0), rest=TSIG),
    # header
    "a response": message(flags=0x8000),
    "a NOTIFY response": message(flags=0xA000),
    "NOTIFY": message(flags=0x2400),
    "NOTIFY for a zone of others": message(flags=0x2400, question=OTHER + SOA_IN),
    "UPDATE for a zone of others": message(flags=0x2800, question=OTHER + SOA_IN),
    "DSO": message(flags=0x3000, question=b"", counts=(0, 0, 0, 0)),
    "STATUS without question": message(flags=0x1000, question=b"", counts=(0, 0, 0, 0)),
    **{f"opcode {opcode}": message(flags=opcode << 11) for opcode in (1, 2, 3, *range(5, 16))},
    **{f"opcode {opcode}, with EDNS": message(flags=opcode << 11, counts=_ONE, rest=opt()) for opcode in (1, 2, 5)},
    **{f"flags {flags:04x}": message(flags=flags) for flags in (0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10, 0x01, 0x0F, 0x130)},
    # classes
    **{f"class {number}": message(question=NAME + struct.pack("!HH", 6, number)) for number in (0, 2, 3, 4, 254, 255, 65535)},
    **{f"class {number}, no zone": message(question=OTHER + struct.pack("!HH", 6, number)) for number in (3, 254, 255)},
    "class CH, version.bind": message(question=b"\x07version\x04bind\0\0\x10\0\x03"),
}
