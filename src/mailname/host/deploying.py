"""One host of a deployment: looked at, changed as a whole, and put back as it was where the others do not follow."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mailname.errors import HostError
from mailname.host.deploy_change import Change, change
from mailname.host.deploy_check import faults, python_to_install
from mailname.host.deploy_facts import stand
from mailname.host.deploy_script import COMMIT, INSTALL_PYTHON, START, UNDO, apply, remove, unpack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

    from mailname.host.archive import Archive, Interpreter
    from mailname.host.deploy_change import Wanted
    from mailname.host.deploy_check import Fault
    from mailname.host.deploy_facts import Standing
    from mailname.host.ssh import Login, Ssh
    from mailname.plan.hosts import Host
    from mailname.server.program import Ran

_CARRY = 600.0  # seconds for an archive of some megabytes on a slow line, and its byte code on a slow host


@dataclass(slots=True)
class Deploying:
    """One host. Each step is awaited before the next; none raises but HostError.

    Attributes:
        files: as they are to be, once the host was looked at.
        archive: what is to run there.
        trouble: why it cannot be deployed.
        takes_over_from: the engine that serves the plan there today, if it is another one.

    """

    host: Host
    ssh: Ssh
    login: Login | None = None
    standing: Standing | None = None
    files: Mapping[PurePath, Wanted] = field(default_factory=dict)
    archive: Archive | None = None
    what: Change = field(default_factory=Change)
    faults: list[Fault] = field(default_factory=list)
    trouble: HostError | None = None
    touched: bool = False
    takes_over_from: str = ""

    @property
    def name(self) -> str:
        """The name server's name as people write it, else the host's."""
        name = self.host.name_server.name if self.host.name_server is not None else self.host.name
        return name.to_text(omit_final_dot=True)

    @property
    def goes(self) -> str:
        """What ``remove`` takes away, in words."""
        return "mailname.service, mailname.socket, /etc/mailname, /opt/mailname, /usr/local/bin/mailname"

    @property
    def kept_zones(self) -> str:
        """What goes only with ``--purge``, in words."""
        return "zones and history in /var/lib/mailname"

    async def look(
        self, administrator: str, files: tuple[PurePath, ...], secrets: tuple[PurePath, ...], plan: str, *, has_key: bool
    ) -> None:
        """Log in and find out what stands there, and what is in the way; changes nothing."""
        try:
            self.login = await self.ssh.log_in(self.host, administrator)
            self.standing = await stand(self.ssh, self.login, files, secrets)
        except HostError as error:
            self.trouble = error
            return
        self.faults = faults(self.host, self.standing, plan, has_key=has_key)

    @property
    def interpreter(self) -> Interpreter:
        """The Python that is or will be there."""
        assert self.standing is not None
        found = self.standing.interpreter or self.standing.offered
        assert found is not None  # it would have been a fault
        return found

    def decide(self, archive: Archive, files: Mapping[PurePath, Wanted]) -> None:
        """Find out what has to change."""
        assert self.standing is not None
        self.archive, self.files = archive, files
        self.what = change(self.standing, archive.digest, files, python_to_install(self.standing))

    async def carry(self) -> None:
        """Bring what runs there, without touching what does: Python where it lacks, and the release.

        Raises:
            HostError: it did not work; nothing that ran has changed.

        """
        assert self.login is not None
        assert self.archive is not None
        if self.what.python is not None:
            ran = await self.ssh.as_root(self.login, INSTALL_PYTHON, _CARRY)
            self._expect(ran, "python3 could not be installed", "Install it there: sudo apt-get install python3")
        if self.what.release:
            order = "sh -c " + shlex.quote(unpack(self.archive.digest, len(self.archive.octets)))
            order = order if self.login.is_root else f"sudo -n {order}"
            ran = await self.ssh.run(self.login.target, order, self.archive.octets, _CARRY)
            self._expect(ran, "the release could not be brought there", "Run it again; what ran there runs on.")

    async def apply(self) -> None:
        """Change the host; ``undo`` or ``commit`` follows.

        Raises:
            HostError: a step failed, with the server's own words.

        """
        assert self.login is not None
        self.touched = True
        ran = await self.ssh.as_root(self.login, apply(self.what, self.files), START + 60)
        self._expect(ran, "the server could not be started", "", lines=8)

    async def undo(self) -> None:
        """Put back what stood there before.

        Raises:
            HostError: that did not work either.

        """
        if not self.touched:
            return
        assert self.login is not None
        ran = await self.ssh.as_root(self.login, UNDO, START + 60)
        self._expect(ran, "what ran before could not be put back", "Look there: systemctl status mailname.service")

    async def commit(self) -> None:
        """Let go of what stood there before. Raises HostError."""
        if self.touched:
            assert self.login is not None
            self._expect(await self.ssh.as_root(self.login, COMMIT), "what stood there before could not be let go", "")

    async def remove(self, *, purge: bool) -> None:
        """Take everything away that was deployed. Raises HostError."""
        assert self.login is not None
        ran = await self.ssh.as_root(self.login, remove(purge=purge))
        self._expect(ran, "the server could not be stopped", "Look there: systemctl status mailname.service")

    async def secret(self, path: PurePath) -> bytes:
        """Fetch a file that only root may read. Raises HostError."""
        assert self.login is not None
        ran = await self.ssh.as_root(self.login, f"cat {shlex.quote(str(path))}")
        self._expect(ran, f"{path} could not be read", "")
        return ran.output

    async def own_words(self) -> str:
        """Return what the server there says of itself; why it cannot, where it does not."""
        assert self.login is not None
        try:
            ran = await self.ssh.as_root(self.login, "mailname status </dev/null 2>&1 | tail -n 20", 40.0)
        except HostError as error:
            return error.problem
        return ran.output.decode("utf-8", "replace").strip()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; of secrets only where they lie."""
        return {
            "host": self.name,
            "ssh": self.login.target if self.login else self.host.ssh,
            "addresses": [str(one) for one in self.host.addresses],
            "trouble": {"says": self.trouble.problem, "fix": self.trouble.remedy} if self.trouble else None,
            "faults": [{"code": one.code or None, "says": one.problem, "fix": one.fix} for one in self.faults],
            "core": ("compiled" if self.archive.is_compiled else "uncompiled") if self.archive else None,
            "release": self.archive.digest if self.archive else None,
            "change": self.what.to_json() if self.what else None,
            "takes_over_from": self.takes_over_from or None,
        }

    def _expect(self, ran: Ran, problem: str, remedy: str, lines: int = 3) -> None:
        if ran.code:
            said = ran.complaint.strip() or ran.output.strip()
            last = [line.strip() for line in said.decode("utf-8", "replace").splitlines() if line.strip()][-lines:]
            raise HostError(f"{self.name}: {problem}: {'; '.join(last) or f'exit code {ran.code}'}", remedy=remedy, step="deploy")
