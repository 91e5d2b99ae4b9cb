"""SSH to a host, by the program ``ssh`` and its configuration: without questions, and with known host keys only."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.server.program import run_program

if TYPE_CHECKING:
    from pathlib import Path

    from mailname.plan.hosts import Host
    from mailname.server.program import Ran

CONNECT = 8  # seconds
#: A new session, not one more in a connection that stands already.
ALONE = ("-o", "ControlMaster=no", "-o", "ControlPath=none")
PERSISTS = 60  # seconds that a shared connection is kept where nobody could end it
_FAILED = 255  # ssh's own exit status
_OWN = ("ssh: ", "ssh_", "client_loop", "Connection closed", "Connection reset", "Timeout, server", "Broken pipe", "Bad ", "mux_")
_NO_SUCH_PROGRAM = 127  # the shell's
_REMEDIES = (
    ("IDENTIFICATION HAS CHANGED", "Its key is not the one that you know. Was it installed anew? Only then: {forget}"),
    ("Host key verification failed", "Compare its key with the provider's console, then log in once by hand: ssh {target}"),
    ("Permission denied", "Let your key in there: ssh-copy-id {target}"),
    ("Could not resolve", "Write an address, or a Host of your ssh_config, as ssh = in the plan."),
    ("timed out", "Is the machine on? A packet filter on the way may drop port 22, or have banned you."),
    ("Connection refused", "Is sshd running there, or have you been banned? Look at the provider's console."),
    ("No route", "Is the machine on, and the address right?"),
    ("unreachable", "Has this computer a way there: IPv6, for an IPv6 address?"),
    ("kex_exchange", "sshd closed the door: too many logins at once, or you have been banned. Look at the provider's console."),
)


@dataclass(frozen=True, slots=True)
class Login:
    """A way into a host that was tried: as whom, and whether sudo has to be put in front."""

    target: str
    is_root: bool


@dataclass(frozen=True, slots=True)
class Ssh:
    """How ``ssh`` is called.

    Attributes:
        config: what its option -F takes.
        sockets: a folder for the sockets of connections that are shared, see ``shared_ssh``; None shares none.

    """

    config: Path | None = None
    sockets: Path | None = None
    _sharing: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def words(self, target: str, *options: str) -> list[str]:
        """Return the command line up to the order."""
        given = ["-F", str(self.config)] if self.config else []
        fixed = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT}", "-o", "StrictHostKeyChecking=yes"]
        alive = ["-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=5"]
        return ["ssh", *given, *fixed, *alive, *options, "-T", "--", target]

    async def run(self, target: str, order: str, given: bytes = b"", seconds: float = 60.0, options: tuple[str, ...] = ()) -> Ran:
        """Run a shell command there.

        Raises:
            HostError: ssh did not get in, or nothing came back in time.

        """
        try:
            options = options or await self._shared(target)
            ran = await run_program(*self.words(target, *options), order, seconds=seconds, given=given)
        except TimeoutError as error:
            raise HostError(
                f"{target} did not answer by SSH within {seconds:.0f} seconds", remedy="Try it by hand: ssh " + target, step="ssh"
            ) from error
        except OSError as error:
            raise HostError(f"ssh cannot be started: {error.strerror}", remedy="Install openssh-client.", step="ssh") from error
        if ran.code == _FAILED:
            raise _not_in(target, ran)
        return ran

    async def _shared(self, target: str) -> tuple[str, ...]:
        """Return the options that share a connection; none where the configuration that ssh reads does so already."""
        if self.sockets is None:
            return ()
        if target not in self._sharing:
            ran = await run_program(*self.words(target, "-G"), seconds=20.0)
            own = [
                line.split()[1] for line in ran.output.decode("utf-8", "replace").splitlines() if line.startswith("controlpath ")
            ]
            path = self.sockets / hashlib.sha256(target.encode()).hexdigest()[:8]
            ours = ("-o", "ControlMaster=auto", "-o", f"ControlPath={path}", "-o", f"ControlPersist={PERSISTS}")
            self._sharing[target] = ours if own in ([], ["none"]) else ()
        return self._sharing[target]

    async def let_go(self, target: str) -> None:
        """End the shared connection: the machine at its end is about to go away."""
        if options := await self._shared(target):
            await run_program(*self.words(target, *options, "-O", "exit"), seconds=20.0)

    async def as_root(self, login: Login, script: str, seconds: float = 120.0, options: tuple[str, ...] = ()) -> Ran:
        """Run a shell script there with all rights; it is given on standard input, so that no process list shows it."""
        order = "exec sh -s" if login.is_root else "exec sudo -n sh -s"
        return await self.run(login.target, order, script.encode(), seconds, options)

    async def log_in(self, host: Host, administrator: str) -> Login:
        """Find the way in: as the plan says, else as the administrator, else as root.

        Raises:
            HostError: there is none; the reason of the first that was tried.

        """
        place = host.ssh.rpartition("@")[2]
        as_administrator = f"{administrator}@{place}"
        # A user in the plan goes first: root, whom a prepared host does not let in any more, or one who is not there yet.
        targets = [host.ssh, as_administrator] if "@" in host.ssh else [as_administrator, host.ssh]
        targets.append(f"root@{place}")
        first: HostError | None = None
        without_sudo: HostError | None = None
        for target in dict.fromkeys(targets):
            try:
                ran = await self.run(target, "id -u; sudo -n id -u", seconds=30.0)
            except HostError as error:
                if "Permission denied" not in error.problem:
                    first = error  # whoever it had been, there is no way to the machine
                    break
                first = first or error
                continue
            told = ran.output.split()
            if told[:1] == [b"0"]:
                return Login(target, is_root=True)
            if b"0" in told[1:]:
                return Login(target, is_root=False)
            without_sudo = without_sudo or _without_rights(target, ran)
        if without_sudo is not None:
            raise without_sudo
        raise first or HostError(f"there is no way into {host.ssh}", step="ssh")

    async def offered_logins(self, target: str) -> str:
        """Return by which methods sshd lets a stranger try, as it says itself; empty where it does not say."""
        options = ("-o", "PreferredAuthentications=none", "-o", "PubkeyAuthentication=no")
        stranger = f"nobody@{target.rpartition('@')[2]}"
        try:
            ran = await run_program(*self.words(stranger, *options), "true", seconds=20.0)
        except (TimeoutError, OSError):
            return ""
        said = ran.complaint.decode("utf-8", "replace")
        return said.rpartition("Permission denied (")[2].partition(")")[0] if "Permission denied (" in said else ""


def _without_rights(target: str, ran: Ran) -> HostError:
    """Return that somebody gets in and may do nothing there, and what to type: a password for sudo is never asked for here."""
    if ran.code == _NO_SUCH_PROGRAM:
        remedy = "Install it there as root (apt-get install sudo), or let root in with your key for the time of preparing."
        return HostError(f"{target} gets in, but is not root, and sudo is not installed there", remedy=remedy, step="ssh")
    user = target.partition("@")[0] if "@" in target else "USER"
    line, place = f"{user} ALL=(ALL:ALL) NOPASSWD: ALL", f"ssh -t {target} sudo visudo -f /etc/sudoers.d/zz-{user}"
    remedy = f"Let root in with your key for the time of preparing, or write this line, '{line}', there: {place}"
    return HostError(f"{target} gets in, but may not use sudo without a password", remedy=remedy, step="ssh")


def _not_in(target: str, ran: Ran) -> HostError:
    said = ran.complaint.decode("utf-8", "replace")
    remedy = next((text for mark, text in _REMEDIES if mark.lower() in said.lower()), "Try it by hand: ssh {target}")
    forget = next((line.strip() for line in said.split("\n") if line.strip().startswith("ssh-keygen -f ")), "")
    # what the order printed there before the connection ended stands among ssh's own words
    own = [
        line
        for line in said.split("\n")
        if any(mark.lower() in line.lower() for mark in (*_OWN, *(mark for mark, _ in _REMEDIES)))
    ]
    last = own[-1].strip() if own else ""
    return HostError(
        f"{target} cannot be reached by SSH: {last or 'the connection ended'}",
        remedy=remedy.format(target=target, forget=forget or f"ssh-keygen -R {target.rpartition('@')[2]}"),
        step="ssh",
    )
