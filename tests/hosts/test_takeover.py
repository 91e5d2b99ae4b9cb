"""A pair of BINDs that somebody has set up by hand, taken over by ``import`` and ``deploy`` while it is asked all the time."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.hosts.asker import asking
from tests.hosts.looking import install
from tests.hosts.machines import Machine, Site, site
from tests.hosts.test_deploy import MAIN, Administrator

if TYPE_CHECKING:
    from pathlib import Path

ZONE = """\
$TTL 3600
@       IN SOA ns2.example.tech. hostmaster.example.tech. ( 2026112307 14400 3600 1209600 1800 )
        IN NS  ns1.example.tech.
        IN NS  ns2.example.tech.
        IN MX  10 mail
ns1     IN A   192.0.2.11
ns1     IN AAAA 2001:db8::11
ns2     IN A   192.0.2.12
ns2     IN AAAA 2001:db8::12
mail    IN A   192.0.2.12
"""
OTHER = 'zone "other.example" { type master; file "/etc/bind/db.empty"; };\n'
PRIMARY = """\
// my domain
zone "example.tech" {
	type master;
	file "/var/lib/bind/db.example.tech"; // by hand
	allow-transfer { 192.0.2.11; };
	also-notify { 192.0.2.11; };
};
"""
SECONDARY = 'zone "example.tech" { type slave; file "db.example.tech"; masters { 192.0.2.12; }; };\n'

#: Asks both at the same time, every 10 ms, until its standard input ends; tells how often neither answered well, what each
#: answered else, and each serial that was seen, in their order.
ASKER = """
import asyncio, json, socket, sys, dns.message
class Asked(asyncio.DatagramProtocol):
    def __init__(self): self.out, self.bad, self.well, self.serials = {}, {}, set(), []
    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, 33, 1 << 22)  # SO_RCVBUFFORCE
    def datagram_received(self, data, address):
        number = self.out.pop(data[:2], None)
        if data[3] & 15 or not data[7]:
            self.bad[str(data[3] & 15)] = self.bad.get(str(data[3] & 15), 0) + 1
            return
        self.well.add(number)
        if number % 2:
            serial = dns.message.from_wire(data).answer[0][0].serial
            if self.serials[-1:] != [serial]: self.serials.append(serial)
    def ask(self, number):
        wire = dns.message.make_query("example.tech", ("MX", "SOA")[number % 2], id=number % 65536).to_wire()
        self.out[wire[:2]] = number
        self.transport.sendto(wire)
async def main():
    loop = asyncio.get_running_loop()
    both = [(await loop.create_datagram_endpoint(Asked, remote_addr=(at, 53)))[1] for at in ("192.0.2.11", "192.0.2.12")]
    ended = loop.run_in_executor(None, sys.stdin.read)
    print("asking", flush=True)
    number = 0
    while not ended.done():
        number += 1
        for one in both: one.ask(number)
        await asyncio.sleep(0.01)
    for _ in range(200):
        if not any(one.out for one in both): break
        await asyncio.sleep(0.05)
    neither = number - len(both[0].well | both[1].well)
    told = [{"bad": one.bad, "unanswered": len(one.out), "serials": one.serials} for one in both]
    print(json.dumps({"asked": number, "neither": neither, "servers": told}))
asyncio.run(main())
"""


@dataclass(slots=True)
class Pair:
    """The two hosts, and who takes them over."""

    someone: Administrator
    secondary: Machine
    primary: Machine

    @classmethod
    def set_up(cls, hosts: Site, home: Path) -> Pair:
        """Set the pair up as the recipe does: no key, who may transfer by address, the serial by hand."""
        secondary, primary = hosts.machine("ns1"), hosts.machine("ns2")
        for machine, text in ((primary, OTHER + PRIMARY), (secondary, SECONDARY)):
            machine.boot()
            install(machine, "bind9", "bind9-utils")
            (machine.root / "etc/bind/named.conf.local").write_text(text)
        primary.run("sed -i 's/dnssec-validation auto;/recursion no; allow-transfer { none; };/' /etc/bind/named.conf.options")
        (secondary.root / "etc/resolv.conf").unlink(missing_ok=True)
        (secondary.root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\n")
        (primary.root / "var/lib/bind/db.example.tech").write_text(ZONE)
        for machine in (primary, secondary):
            machine.run("systemctl start named && rndc reconfig")
        primary.run("rndc zonestatus example.tech")
        secondary.run(
            "rndc retransfer example.tech; until rndc zonestatus example.tech | grep -q 'serial: 2026112307'; do sleep 0.1; done"
        )
        home.mkdir()
        return cls(Administrator(hosts, home), secondary, primary)

    def tried(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command that knows of no SSH."""
        argv = self.someone.hosts.inside(sys.executable, "-c", MAIN, *words)
        return subprocess.run(argv, capture_output=True, text=True, check=False, input=given)


class TestTakeover:
    def test_of_a_pair_by_hand(self, tmp_path: Path) -> None:
        """Imported, shown, asked about, deployed with BIND in place: one of the two answers at any time, and no serial falls."""
        with site(tmp_path) as hosts:
            pair = Pair.set_up(hosts, tmp_path / "home")
            someone = pair.someone
            root = str(pair.primary.root)
            words = ("--root", root, "--zone", "example.tech", "--engine", "bind", "-o", str(someone.folder))
            done = pair.tried("import", f"{root}/etc/bind/named.conf", *words)
            assert done.returncode == 0, done.stdout + done.stderr
            (someone.folder / "example.tech.toml").rename(someone.plan)
            argv = hosts.inside(sys.executable, "-c", ASKER)
            with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as asker:
                assert asker.stdout is not None
                assert asker.stdout.readline() == "asking\n"
                refused = someone.tried("deploy", str(someone.plan), given="n\n")
                untouched = (pair.primary.root / "etc/bind/named.conf.local").read_text()
                code, told = someone.deploy("--yes")
                assert told["unpublished"] == []
                status = someone.tried("status", str(someone.plan), "--json")
                someone.plan.write_text(someone.plan.read_text().replace("ttl        = 3600", "ttl        = 7200", 1))
                (waiting,) = someone.deploy()[1]["unpublished"]
                published = someone.tried("publish", str(someone.plan), "--json")
                said = json.loads(asker.communicate()[0])
            shown = " ".join(refused.stdout.split())
            for text in (
                'zone "example.tech" at /etc/bind/named.conf.local:3:1',
                "- allow-transfer { 192.0.2.11; };",
                '+include "/etc/bind/mailname/',
                "named.conf.options stays as it is, since this host asks it for all names (127.0.0.1 in /etc/resolv.conf)",
            ):
                assert text in shown, refused.stdout
            assert status.returncode == 0, status.stdout  # the NOTIFY that came before the key is told no more
            assert waiting["zone"] == "example.tech."
            assert (refused.returncode, untouched) == (130, OTHER + PRIMARY)
            assert code == 0, told
            assert {one["serial"] for one in told["answers"]} == {2026112307}
            now = (pair.primary.root / "etc/bind/named.conf.local").read_text().splitlines()
            assert now[:2] == (OTHER + PRIMARY).splitlines()[:2]
            ours = [line for line in now[2:] if not line.startswith("//")]
            assert ours
            assert all(line.startswith('include "/etc/bind/mailname/') for line in ours), ours
            pair.primary.run("rndc zonestatus other.example")
            assert published.returncode == 0, published.stderr
            new = json.loads(published.stdout)["zones"][0]["serial"]
            assert new == 2026112308
            assert said["neither"] == 0, said
            for server in said["servers"]:
                assert server["serials"] == [2026112307, new], said
                assert server["unanswered"] == 0, said
            assert someone.deploy()[1]["hosts"][0]["change"] is None
            self.then_to_our_own_server(pair, new)

    def then_to_our_own_server(self, pair: Pair, serial: int) -> None:
        """Take the other zone elsewhere first; then not one question is lost."""
        someone = pair.someone
        (pair.secondary.root / "etc/resolv.conf").unlink()  # its BIND, which it asks, goes
        someone.plan.write_text(someone.plan.read_text().replace('engine     = "bind"', 'engine     = "builtin"'))
        code, told = someone.deploy("--yes")
        assert code != 0
        assert "other.example" in told["trouble"]["says"]
        pair.primary.run("sed -i '/^zone \"other.example\"/d' /etc/bind/named.conf.local && rndc reconfig")
        with asking(someone.hosts) as asked:
            code, told = someone.deploy("--yes")
        assert code == 0, json.dumps(told)
        assert asked["lost"] == [0, 0, 0, 0], asked
        assert asked["fallen"] == [], asked
        assert {one["serial"] for one in told["answers"]} == {serial}
        for machine in (pair.primary, pair.secondary):
            assert machine.run("systemctl is-active named; systemctl is-active mailname.service; true").split() == [
                "inactive",
                "active",
            ]
