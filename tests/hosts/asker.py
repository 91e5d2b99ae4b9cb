"""Somebody who asks both name servers all the time, over UDP and TCP, IPv4 and IPv6, and counts what is not answered."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.hosts.machines import Site

#: Each socket asks every 20 ms, over TCP every 60 ms by a connection of its own, until standard input ends. Five questions
#: in turn: like replies to one client are limited. ``fallen`` are serials that were lower than one before.
_ASKER = """
import asyncio, json, socket, struct, sys, dns.flags, dns.message
ZONE = "example.tech"
ASKED = [(ZONE, "SOA"), (ZONE, "NS"), (ZONE, "MX"), ("ns1." + ZONE, "A"), ("ns2." + ZONE, "AAAA")]
serials, fallen, wrong = {}, [], []
def question(number):
    name, kind = ASKED[number % len(ASKED)]
    return dns.message.make_query(name, kind, id=number % 65536).to_wire()
def is_answer(server, data):
    if data[3] & 15 or data[2] & 2 or not data[2] & 4: return False  # NOERROR, whole and authoritative
    for rrset in dns.message.from_wire(data).answer:
        if rrset.rdtype == 6:
            if rrset[0].serial < serials.get(server, 0): fallen.append((server, serials[server], rrset[0].serial))
            serials[server] = rrset[0].serial
    return True
class Asked(asyncio.DatagramProtocol):
    def __init__(self): self.out, self.sent, self.late = {}, 0, 0
    def connection_made(self, transport):
        self.transport = transport
        self.server = transport.get_extra_info("peername")[0]
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
    def datagram_received(self, data, address):
        if is_answer(self.server, data): self.out.pop(data[:2], None)
        else: wrong.append((self.server, data[:12].hex()))
    def ask(self):
        self.sent += 1
        wire = question(self.sent)
        self.out[wire[:2]] = self.sent
        self.transport.sendto(wire)
async def by_tcp(server, number, told):
    told["sent"] += 1
    try:
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection(server, 53)
            wire = question(number)
            writer.write(struct.pack("!H", len(wire)) + wire)
            (size,) = struct.unpack("!H", await reader.readexactly(2))
            if not is_answer(server, await reader.readexactly(size)): told["lost"] += 1
            writer.close()
    except (OSError, EOFError, TimeoutError) as error:
        told["lost"] += 1
        wrong.append((server, repr(error)))
async def main():
    loop = asyncio.get_running_loop()
    servers = ("192.0.2.11", "192.0.2.12", "2001:db8::11", "2001:db8::12")
    every = [(await loop.create_datagram_endpoint(Asked, remote_addr=(at, 53)))[1] for at in servers]
    ended = loop.run_in_executor(None, sys.stdin.read)
    print("asking", flush=True)
    told, tasks, number = {"sent": 0, "lost": 0}, set(), 0
    while not ended.done():
        for one in every: one.ask()
        number += 1
        if number % 3 == 0:
            tasks.add(task := loop.create_task(by_tcp(servers[number // 3 % 4], number, told)))
            task.add_done_callback(tasks.discard)
        await asyncio.sleep(0.02)
    for _ in range(200):
        if not tasks and not any(one.out for one in every): break
        await asyncio.sleep(0.05)
    print(json.dumps({"udp": [one.sent for one in every], "lost": [len(one.out) for one in every], "tcp": told,
        "serials": serials, "fallen": fallen, "wrong": wrong[:20]}))
asyncio.run(main())
"""


@contextlib.contextmanager
def asking(hosts: Site) -> Iterator[dict[str, Any]]:
    """Ask both servers while the block runs; what came of it is in the dictionary after it."""
    told: dict[str, Any] = {}
    argv = hosts.inside(sys.executable, "-c", _ASKER)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asker:
        assert asker.stdout is not None
        assert asker.stdout.readline() == "asking\n"
        try:
            yield told
        finally:
            said = asker.communicate()[0]
        told.update(json.loads(said))
