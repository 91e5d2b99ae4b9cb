"""Real hosts on one machine: each with systemd, sshd and a packet filter of its own, on one network that nothing else is on.

A host is a container of systemd-nspawn that boots from an overlay over the image, in a network namespace of its own. A bridge
joins them in one more namespace, where the tests run what an administrator would run on his own computer.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.hosts.image import image
from tests.interop.programs import go_without, need

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = ("192.0.2.1", "2001:db8::1")
_REBOOT = 133  # nspawn's exit status when the host asks for a restart
_PATIENCE = 60.0
_number = itertools.count(1)


class HostsError(AssertionError):
    """A command of the test's own failed; says which, and what it said."""


def _run(*argv: str) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise HostsError(f"{' '.join(argv)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def _lives(process: int) -> bool:
    """Tell whether a process, or what was below it in its own process namespace, still runs."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "XZ"
    return False


def _children(process: int) -> list[int]:
    """Return a process's children; none where it has ended."""
    with contextlib.suppress(FileNotFoundError):
        return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


@dataclass(slots=True)
class Machine:
    """One host. Its root folder can be read and changed from outside at any time.

    Attributes:
        addresses: IPv4 and IPv6.
        root: its root folder, as it sees it.

    """

    name: str
    addresses: tuple[str, str]
    root: Path
    site: Site
    _nspawn: subprocess.Popen[bytes] | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _keeper: threading.Thread | None = None
    boots: int = 0

    @property
    def namespace(self) -> str:
        return f"{self.site.namespace}-{self.name}"

    @property
    def console(self) -> Path:
        """What the host has printed while it booted."""
        return self.root.parent / "console"

    def boot(self) -> None:
        """Boot, and again whenever it reboots, until ``off``. Returns when sshd answers."""
        self._ended.clear()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()
        self.wait_for_ssh()

    def _keep(self) -> None:
        argv = ["systemd-nspawn", "--quiet", f"--directory={self.root}", "--boot", "--timezone=off", "--resolv-conf=off"]
        argv += [f"--machine={self.namespace}", f"--network-namespace-path=/run/netns/{self.namespace}"]
        argv += ["--capability=CAP_NET_ADMIN", "--drop-capability=CAP_SYS_TIME", "--register=no", "--keep-unit", "--console=pipe"]
        with self.console.open("ab") as console:
            while not self._ended.is_set():
                self._nspawn = subprocess.Popen(
                    argv, stdin=subprocess.DEVNULL, stdout=console, stderr=console, start_new_session=True
                )
                self.boots += 1
                if self._nspawn.wait() != _REBOOT:
                    return

    def off(self, *, by_force: bool = False) -> None:
        """Shut the host down, or pull its plug."""
        self._ended.set()
        if self._nspawn is not None and self._nspawn.poll() is None:
            if not by_force:
                self._nspawn.send_signal(signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._nspawn.wait(10)
            self._pull_plug(self._nspawn)
        if self._keeper is not None:
            self._keeper.join()

    @staticmethod
    def _pull_plug(nspawn: subprocess.Popen[bytes]) -> None:
        """Kill the host's first process, and all others with it: it outlives nspawn, and holds what the machine has few of."""
        children = _children(nspawn.pid)
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        nspawn.kill()
        nspawn.wait()
        until = time.monotonic() + _PATIENCE
        while any(_lives(child) for child in children):  # its sshd would greet for the host that boots next
            if time.monotonic() > until:
                raise HostsError(f"a host whose plug was pulled lives on: {children}")
            time.sleep(0.01)

    def wait_for_ssh(self) -> None:
        """Wait until sshd greets."""
        until = time.monotonic() + _PATIENCE
        asked = ["timeout", "1", "bash", "-c", f"read -r -n 4 said </dev/tcp/{self.addresses[0]}/22 && [ $said = SSH- ]"]
        while subprocess.run(self.site.inside(*asked), capture_output=True, check=False).returncode:
            if time.monotonic() > until:
                raise HostsError(f"{self.name} does not answer by SSH:\n{self.console.read_text(errors='replace')[-3000:]}")
            if self._nspawn is not None and self._nspawn.poll() not in (None, _REBOOT):
                few = "are there inotify instances left? see fs.inotify.max_user_instances"
                raise HostsError(
                    f"{self.name} ended while it booted ({few}):\n{self.console.read_text(errors='replace')[-3000:]}"
                )
            time.sleep(0.1)

    def wait_for_reboot(self, boots: int) -> None:
        """Wait until the host has booted more often than this, and greets again."""
        until = time.monotonic() + _PATIENCE
        while self.boots <= boots:
            if time.monotonic() > until:
                raise HostsError(f"{self.name} did not reboot")
            time.sleep(0.05)
        self.wait_for_ssh()

    def tried(self, command: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a shell command there by SSH, with the key of this site's administrator."""
        argv = ["ssh", "-F", str(self.site.ssh_config), "-o", "BatchMode=yes", f"{user}@{self.addresses[0]}", command]
        return subprocess.run(self.site.inside(*argv), capture_output=True, text=True, check=False, timeout=_PATIENCE)

    def inside(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command there as root, at its console: without its network, its sshd and its logins."""
        assert self._nspawn is not None
        (first,) = _children(self._nspawn.pid)
        within = ["nsenter", f"--target={first}", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"]
        clean = ["env", "-i", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        argv = [*within, *clean, "sh", "-c", command]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=_PATIENCE)

    def run(self, command: str, user: str = "root") -> str:
        """Run a shell command there and return what it printed; a failure fails the test. Whoever is not root comes by SSH."""
        done = self.inside(command) if user == "root" else self.tried(command, user)
        if done.returncode:
            raise HostsError(f"{self.name}: {command}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def cut(self, *, off: bool = True) -> None:
        """Pull its network cable, or put it in again."""
        _run("ip", "-n", self.site.namespace, "link", "set", self.cable, "down" if off else "up")

    @property
    def cable(self) -> str:
        return f"{self.name[:8]}-{os.getpid() % 100000}"

    def join_network(self) -> None:
        """Make its network namespace, and the cable to the bridge."""
        ip = "ip"
        _run(ip, "netns", "add", self.namespace)
        peer = ["type", "veth", "peer", "name", "host0", "netns", self.namespace]
        _run(ip, "link", "add", self.cable, "netns", self.site.namespace, *peer)
        _run(ip, "-n", self.site.namespace, "link", "set", self.cable, "master", "bridge", "up")
        for address, length in zip(self.addresses, (24, 64), strict=True):
            nodad = ["nodad"] if length == 64 else []
            _run(ip, "-n", self.namespace, "addr", "add", f"{address}/{length}", "dev", "host0", *nodad)
        for device in ("host0", "lo"):
            _run(ip, "-n", self.namespace, "link", "set", device, "up")


@dataclass(slots=True)
class Site:
    """A network of hosts, and the computer of their administrator, who has a key to root on each."""

    folder: Path
    namespace: str
    machines: list[Machine] = field(default_factory=list)

    def inside(self, *argv: str) -> list[str]:
        """Return the command that runs something on the administrator's computer."""
        return ["ip", "netns", "exec", self.namespace, *argv]

    def run(self, *argv: str) -> str:
        """Run something on the administrator's computer and return what it printed; a failure fails the test."""
        return _run(*self.inside(*argv))

    @property
    def key(self) -> Path:
        return self.folder / "id_ed25519"

    @property
    def ssh_config(self) -> Path:
        """What ``ssh -F`` takes: the administrator's key, and the hosts' own keys."""
        return self.folder / "ssh_config"

    def _prepare(self) -> None:
        _run("ip", "netns", "add", self.namespace)
        _run("ip", "-n", self.namespace, "link", "set", "lo", "up")
        _run("ip", "-n", self.namespace, "link", "add", "bridge", "type", "bridge")
        _run("ip", "-n", self.namespace, "addr", "add", f"{HERE[0]}/24", "dev", "bridge")
        _run("ip", "-n", self.namespace, "addr", "add", f"{HERE[1]}/64", "dev", "bridge", "nodad")
        _run("ip", "-n", self.namespace, "link", "set", "bridge", "up")
        # who is cut off is missed after seconds there, not after a quarter of an hour
        _run(*self.inside("sysctl", "-q", "net.ipv4.tcp_retries2=3"))
        _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "administrator", "-f", str(self.key))
        known = self.folder / "known_hosts"
        known.touch()
        self.ssh_config.write_text(
            f"Host *\n  IdentityFile {self.key}\n  IdentitiesOnly yes\n  UserKnownHostsFile {known}\n"
            "  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking yes\n  ConnectTimeout 5\n"
        )

    def machine(self, name: str) -> Machine:
        """Make one more host, which is off: change its ``root`` as you like, then ``boot``."""
        number = 11 + len(self.machines)
        folder = self.folder / name
        for part in ("upper", "work", "root"):
            (folder / part).mkdir(parents=True)
        machine = Machine(name, (f"192.0.2.{number}", f"2001:db8::{number}"), folder / "root", self)
        # volatile: nothing that a host writes is worth a wait for the disk
        layers = f"lowerdir={image()},upperdir={folder / 'upper'},workdir={folder / 'work'},volatile"
        _run("mount", "-t", "overlay", "overlay", "-o", layers, str(machine.root))
        self.machines.append(machine)
        full_name = f"{name}.example.tech"
        (machine.root / "etc/hostname").write_text(f"{name}\n")
        (machine.root / "etc/hosts").write_text(
            "127.0.0.1 localhost\n::1 localhost\n" + "".join(f"{address} {full_name} {name}\n" for address in machine.addresses)
        )
        _run("chroot", str(machine.root), "ssh-keygen", "-A")
        keys = machine.root / "root/.ssh"
        keys.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.key.with_suffix(".pub"), keys / "authorized_keys")
        with (self.folder / "known_hosts").open("a") as known:
            kind, secret = (machine.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text().split()[:2]
            known.write(f"{','.join((*machine.addresses, full_name))} {kind} {secret}\n")
        machine.join_network()
        return machine

    def _remove(self) -> None:
        for machine in self.machines:
            machine.off(by_force=True)
            subprocess.run(["umount", "--lazy", str(machine.root)], check=False, capture_output=True)
            subprocess.run(["ip", "netns", "del", machine.namespace], check=False, capture_output=True)
        subprocess.run(["ip", "netns", "del", self.namespace], check=False, capture_output=True)


@contextlib.contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Make a network without hosts, and remove it with all its hosts at the end."""
    need("systemd-nspawn", "ip", "ssh", "ssh-keygen", "mount")
    if os.geteuid() != 0:
        go_without("hosts of their own need root")
    made = Site(folder, f"hosts-{os.getpid()}-{next(_number)}")
    image()
    try:
        try:
            made._prepare()
        except HostsError as error:
            go_without(f"no network of hosts can be made here: {error}")
        yield made
    finally:
        made._remove()
