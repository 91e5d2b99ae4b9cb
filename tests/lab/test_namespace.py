"""The lab on real addresses and port 53, in a network namespace, with real clients and a real resolver in it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.interop.programs import go_without, need
from tests.lab import plan_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

ADDRESSES = [
    *(f"198.18.0.{number}/32" for number in range(1, 6)),
    "192.0.2.1/32",
    "198.51.100.2/32",
    "2001:db8:1::1/128",
    "2001:db8:2::2/128",
]
RESOLVER = "127.0.0.1"

UNBOUND = """
server:
  interface: 127.0.0.1
  port: 53
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  logfile: "{folder}/unbound.log"
  module-config: "iterator"
  root-hints: "{folder}/root.hints"
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
remote-control:
  control-enable: no
"""


class Namespace:
    """A network namespace with nothing in it but a loopback interface."""

    def __init__(self, ip: str, name: str) -> None:
        self.prefix = [ip, "netns", "exec", name]

    def run(self, *argv: str) -> str:
        done = subprocess.run([*self.prefix, *argv], capture_output=True, text=True, timeout=60, check=False)
        return done.stdout + done.stderr

    @contextmanager
    def running(self, *argv: str) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen([*self.prefix, *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
            try:
                yield process
            finally:
                process.terminate()
                process.communicate(timeout=30)


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    (ip,) = need("ip")
    if os.geteuid() != 0:
        go_without("a network namespace needs root")
    name = f"mailname-{os.getpid()}"
    made = subprocess.run([ip, "netns", "add", name], capture_output=True, text=True, check=False)
    if made.returncode:
        go_without(f"no network namespace can be made here: {made.stderr.strip()}")
    try:
        subprocess.run([ip, "-n", name, "link", "set", "lo", "up"], check=True)
        for address in ADDRESSES:
            nodad = ["nodad"] if ":" in address else []
            subprocess.run([ip, "-n", name, "addr", "add", address, "dev", "lo", *nodad], check=True)
        yield Namespace(ip, name)
    finally:
        subprocess.run([ip, "netns", "del", name], check=True)


def wait_for(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if words in line:
            return
    raise AssertionError("".join(seen))


class TestRealAddresses:
    def test_unbound_resolves_the_mx_from_the_root_down(self, namespace: Namespace, tmp_path: Path) -> None:
        """A resolver that is none of ours, given the root's address and nothing else."""
        unbound, dig, kdig, drill = need("unbound", "dig", "kdig", "drill")
        plan = tmp_path / "example.tech.toml"
        plan.write_text(plan_texts.WITH_KEY)
        (tmp_path / "unbound.conf").write_text(UNBOUND.format(folder=tmp_path))
        (tmp_path / "root.hints").write_text(
            ". 3600 IN NS a.root-servers.invalid.\na.root-servers.invalid. 3600 IN A 198.18.0.1\n"
        )
        mailname = str(Path(sys.executable).with_name("mailname"))
        with namespace.running(mailname, "rehearse", str(plan), "--real-addresses", "--serve") as lab:
            wait_for(lab, "It keeps running")
            with namespace.running(unbound, "-c", str(tmp_path / "unbound.conf")):
                answer = ""
                for _ in range(60):
                    answer = namespace.run(dig, f"@{RESOLVER}", "example.tech", "MX", "+short", "+time=2", "+tries=1")
                    if "mail" in answer:
                        break
                    time.sleep(0.1)
                assert answer.strip() == "10 mail.example.tech."
                assert namespace.run(kdig, f"@{RESOLVER}", "mail.example.tech", "A", "+short").strip() == "198.51.100.2"
                assert "NXDOMAIN" in namespace.run(drill, "nothing.example.tech", f"@{RESOLVER}")
            referral = namespace.run(dig, "@198.18.0.2", "example.tech", "NS", "+norecurse")
            assert "2001:db8:2::2" in referral
            for server in ("192.0.2.1", "2001:db8:2::2"):
                assert "10 mail.example.tech." in namespace.run(dig, f"@{server}", "example.tech", "MX", "+short", "+tcp")
            assert "REFUSED" in namespace.run(kdig, "@198.51.100.2", "example.com", "A")

    @pytest.mark.parametrize(
        ("fault", "cause"),
        [
            ("tcp-blocked@ns2.example.tech/v6", "NS-02"),
            ("udp-blocked@ns1.example.tech/v4", "NS-03"),
            ("port-53-blocked@ns2.example.tech", "NS-01"),
            ("transfer-tcp-blocked", "XFER-04"),
            ("server-down", "NS-01"),
        ],
    )
    def test_fault_is_found_there_too(self, namespace: Namespace, tmp_path: Path, fault: str, cause: str) -> None:
        """The same faults at the same places, on real addresses: the kernel drops the packets."""
        plan = tmp_path / "example.tech.toml"
        plan.write_text(plan_texts.WITH_KEY)
        mailname = str(Path(sys.executable).with_name("mailname"))
        verdict = namespace.run(mailname, "rehearse", str(plan), "--real-addresses", "--json", "--break", fault)
        assert f'"code": "{cause}"' in verdict

    def test_packets_are_dropped_by_the_kernel_for_everybody(self, namespace: Namespace, tmp_path: Path) -> None:
        """A rule of nftables stands before the port while the rehearsal runs: any other program waits in vain, too."""
        nft, dig = need("nft", "dig")
        plan = tmp_path / "example.tech.toml"
        plan.write_text(plan_texts.WITH_KEY)
        mailname = str(Path(sys.executable).with_name("mailname"))
        words = (mailname, "rehearse", str(plan), "--real-addresses", "--serve", "--break", "tcp-blocked@ns2.example.tech/v4")
        with namespace.running(*words) as lab:
            wait_for(lab, "It keeps running")
            rules = namespace.run(nft, "list", "table", "inet", "mailname_lab")
            assert "ip daddr 198.51.100.2 tcp dport 53 drop" in rules
            assert "udp" not in rules
            question = ("example.tech", "MX", "+short", "+time=1", "+tries=1")
            assert "mail.example.tech" in namespace.run(dig, "@198.51.100.2", *question)
            assert "mail.example.tech" not in namespace.run(dig, "@198.51.100.2", *question, "+tcp")
            assert "mail.example.tech" in namespace.run(dig, "@2001:db8:2::2", *question, "+tcp")
        assert "mailname_lab" not in namespace.run(nft, "list", "tables")

    def test_missing_addresses_are_named_with_the_line_to_type(self, namespace: Namespace, tmp_path: Path) -> None:
        """Before anything is started."""
        plan = tmp_path / "example.tech.toml"
        plan.write_text(plan_texts.ORDINARY.replace("192.0.2.1", "192.0.2.77"))
        mailname = str(Path(sys.executable).with_name("mailname"))
        told = namespace.run(mailname, "rehearse", str(plan), "--real-addresses")
        assert "1 addresses of the rehearsal do not exist here" in told
        assert "ip addr add 192.0.2.77/32 dev lo" in told
