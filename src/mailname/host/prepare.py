"""Prepare one host: look, change in an order that cannot lock out, come in anew, judge again; put back what fails."""

from __future__ import annotations

import asyncio
import os
import secrets
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from mailname.errors import HostError
from mailname.host import guard
from mailname.host.change import When, order
from mailname.host.changes import changes, left_alone
from mailname.host.driver import Driver, LostError
from mailname.host.judge import judge
from mailname.host.look import look
from mailname.host.ssh import ALONE, Login
from mailname.host.step import Outcome
from mailname.host.wanted_files import ALL, FILTER, FILTER_UNIT, SSHD, SSHD_DROP_IN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mailname.host.change import Change, LeftAlone
    from mailname.host.facts import Facts
    from mailname.host.ssh import Ssh
    from mailname.host.step import Result
    from mailname.plan.hosts import Host
    from mailname.plan.model import Hosts
    from mailname.server.program import Ran

GUARDED_FILES = (SSHD, SSHD_DROP_IN, FILTER, FILTER_UNIT)
_PATIENCE = 30.0  # seconds for fail2ban and the time service to come up, before a step counts as failed
_BETWEEN = 1.0
_TRIES = 5
_TAKES_TIME = {"HOST-04"}  # a clock is in step when its servers have answered some times: told, and no failure of ours


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found before anything happened.

    Attributes:
        host: which.
        login: the way in.
        facts: what it told.
        changes: what would be changed; empty where nothing has to be.
        left_alone: what preparing does not touch, although it is wrong.
        results: every step, as ``host check`` judges it.

    """

    host: Host
    login: Login
    facts: Facts
    changes: tuple[Change, ...]
    left_alone: tuple[LeftAlone, ...]
    results: tuple[Result, ...]


@dataclass(slots=True)
class Prepared:
    """What became of a host.

    Attributes:
        done: the titles of what was changed, and stayed.
        results: every step, as ``host check`` judges it now.
        trouble: why it was not finished.
        put_back: what was changed and is as before again; empty where nothing had to be.
        password_file: where the administrator's new password stands.
        rebooted: whether it was restarted, and all is back.
        way_in: who comes in from now on, as ``ssh`` takes it; empty where nobody was changed.

    """

    host: Host
    done: list[str] = field(default_factory=list)
    results: tuple[Result, ...] = ()
    trouble: HostError | None = None
    put_back: str = ""
    password_file: Path | None = None
    rebooted: bool = False
    way_in: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; the password is not among them."""
        return {
            "done": self.done,
            "steps": [one.to_json() for one in self.results],
            "trouble": {"says": self.trouble.problem, "fix": self.trouble.remedy} if self.trouble else None,
            "put_back": self.put_back,
            "rebooted": self.rebooted,
            "password_file": str(self.password_file) if self.password_file else None,
        }


async def audit(host: Host, wanted: Hosts, ssh: Ssh) -> Audit:
    """Find out what would be changed. Raises HostError."""
    login = await ssh.log_in(host, wanted.administrator)
    facts = await look(host, wanted, ssh, login, files=ALL)
    if not wanted.ssh_keys and not facts["login-keys"].text.strip() and facts["groups"].code:
        raise HostError(
            f"no key is known that {wanted.administrator} could come in with",
            remedy="Write one into the plan: [hosts] ssh_keys.",
            step="prepare",
        )
    return Audit(host, login, facts, changes(facts, host, wanted), left_alone(facts, host), judge(facts, host, wanted))


class Preparation:
    """One host that is being prepared.

    Args:
        found: what the audit found.
        wanted: what the plan wants of all hosts.
        ssh: how SSH is called.
        password_file: where a new password of the administrator is written to.
        seconds: after how long the guard restores the former state.
        tell: is called with what happens, one line each.

    """

    def __init__(
        self, found: Audit, wanted: Hosts, ssh: Ssh, password_file: Path, seconds: int, tell: Callable[[str], None]
    ) -> None:
        self._found, self._wanted, self._ssh, self._seconds, self._tell = found, wanted, ssh, seconds, tell
        self._password_file = password_file
        self._prepared = Prepared(found.host)
        place = found.host.ssh.rpartition("@")[2]
        self._administrator = Login(f"{wanted.administrator}@{place}", is_root=False)
        self._armed = False

    async def apply(self) -> Prepared:
        """Do all of it. What goes wrong is told in what is returned."""
        try:
            async with Driver(self._ssh, self._found.login, await self._seen_from()) as driver:
                await self._apply(driver)
        except HostError as error:
            self._prepared.trouble = self._prepared.trouble or error
            if self._armed and not self._prepared.put_back:
                self._prepared.put_back = (
                    f"the host itself puts back sshd's files and the packet filter, at the latest {self._seconds} seconds after "
                    "they were changed, or after its next start"
                )
        return self._prepared

    async def _seen_from(self) -> str:
        ran = await self._ssh.run(self._found.login.target, 'echo "$SSH_CONNECTION"')
        said = ran.output.decode("ascii", "replace").split(" ")[0].partition("%")[0]
        try:
            return str(ip_address(said))
        except ValueError:
            return ""

    def _some(self, when: When) -> list[Change]:
        return [one for one in self._found.changes if one.when is when]

    async def _apply(self, driver: Driver) -> None:
        for change in self._some(When.FIRST):
            await self._one(driver, change)
        guarded, last = self._some(When.GUARDED), self._some(When.LAST)
        if guarded or last:
            await self._come_in_anew("before sshd and the packet filter are touched")
        if guarded:
            await self._behind_guard(driver, guarded)
        for change in last:
            await self._one(driver, change)
        self._prepared.way_in = self._administrator.target
        await self._verify(self._found.changes)

    async def _one(self, driver: Driver, change: Change) -> None:
        self._tell(change.title)
        try:
            if change.makes_password:
                await self._set_password()
            for step in change.steps:
                await driver.apply(step)
        except HostError as error:
            raise type(error)(f"{change.title}: {error.problem}", remedy=error.remedy, step="prepare") from error
        if change.title not in self._prepared.done:
            self._prepared.done.append(change.title)

    async def _set_password(self) -> None:
        """Give the administrator a password; it is written down before it counts, and goes nowhere else but to ``chpasswd``."""
        password = secrets.token_urlsafe(18)
        path = self._password_file
        _write_secret(path, f"{password}\n")
        self._prepared.password_file = path
        script = f"chpasswd <<'END_OF_PASSWORDS'\n{self._wanted.administrator}:{password}\nEND_OF_PASSWORDS\n"
        ran = await self._ssh.as_root(self._found.login, script)
        if ran.code:
            raise HostError(f"chpasswd refuses: {ran.last_words}", step="prepare")

    async def _come_in_anew(self, when: str) -> None:
        """Open a new session as the administrator, and have rights there. Raises HostError."""
        self._tell(f"a new session as {self._wanted.administrator}")
        try:
            ran = await self._once_more()
        except HostError as error:
            raise HostError(
                f"{self._wanted.administrator} does not come in {when}: {error.problem}",
                remedy="Let the plan's ssh_keys hold a key that your ssh offers: ssh " + self._administrator.target,
                step="prepare",
            ) from error
        if ran.output.strip() != b"0":
            raise HostError(f"{self._wanted.administrator} may not use sudo {when}: {ran.last_words}", step="prepare")

    async def _once_more(self) -> Ran:
        """Log in; a second time where nothing listened: sshd opens its sockets anew while it reads its files."""
        for _ in range(_TRIES - 1):
            try:
                return await self._ssh.run(self._administrator.target, "sudo -n id -u", seconds=30.0, options=ALONE)
            except HostError as error:
                if "Connection refused" not in error.problem:
                    raise
            await asyncio.sleep(_BETWEEN)
        return await self._ssh.run(self._administrator.target, "sudo -n id -u", seconds=30.0, options=ALONE)

    async def _behind_guard(self, driver: Driver, guarded: list[Change]) -> None:
        ran = await self._ssh.as_root(self._found.login, guard.arming(GUARDED_FILES, self._seconds))
        if ran.code:
            why = "another guard is still armed" if ran.code == guard.BUSY else ran.last_words
            raise HostError(f"the guard cannot be armed, so nothing was risked: {why}", step="prepare")
        self._armed = True
        self._tell(f"the guard is armed: {self._seconds} seconds")
        before = list(self._prepared.done)
        try:
            for change in guarded:
                await self._one(driver, change)
            await self._come_in_anew("through the new packet filter and sshd")
            await self._judge_guarded({code for one in guarded for code in one.codes})
            await self._disarm()
        except HostError:
            self._prepared.done = before
            await self._revert(driver)
            raise
        self._armed = False
        self._tell("the guard is disarmed")

    async def _disarm(self) -> None:
        order_there = "exec sudo -n sh -s"
        ran = await self._ssh.run(self._administrator.target, order_there, guard.DISARMING.encode(), 30.0, options=ALONE)
        if ran.code == guard.GONE:
            raise HostError(
                "it took too long: the guard has restored what was before",
                remedy="Run it again with --guard 300.",
                step="prepare",
            )
        if ran.code:
            raise HostError(f"the guard cannot be disarmed: {ran.last_words}", step="prepare")

    async def _judge_guarded(self, codes: set[str]) -> None:
        facts = await look(self._found.host, self._wanted, self._ssh, self._administrator, trial=False, files=ALL)
        inside = _ours_to_mend(facts)
        for result in judge(inside, self._found.host, self._wanted):
            if result.code in codes and result.outcome is not Outcome.HOLDS:
                raise HostError(
                    f"{result.code} does not hold afterwards: {' '.join(result.seen)}", remedy=result.fix, step="prepare"
                )

    async def _revert(self, driver: Driver) -> None:
        """Restore the former state now, by whichever way still leads in; else the guard does it."""
        self._tell("putting back sshd's files and the packet filter")
        try:
            await driver.apply(order(guard.REVERTING))
        except HostError as error:
            if isinstance(error, LostError) and error.out_of_reach:
                return
            try:
                ran = await self._ssh.as_root(self._administrator, guard.REVERTING, 30.0, ALONE)
            except HostError:
                return
            if ran.code:
                return
        self._armed = False
        self._prepared.put_back = "sshd's files and the packet filter are as they were before"

    async def _verify(self, made: tuple[Change, ...]) -> None:
        """Judge as ``host check`` does, and let nothing be left to change. Raises HostError."""
        self._tell("looking again")
        login = await self._ssh.log_in(self._found.host, self._wanted.administrator)
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE
        codes = {code for one in made for code in one.codes}
        while True:
            facts = await look(self._found.host, self._wanted, self._ssh, login, files=ALL)
            self._prepared.results = judge(facts, self._found.host, self._wanted)
            left = changes(facts, self._found.host, self._wanted)
            inside = judge(_ours_to_mend(facts), self._found.host, self._wanted)
            mendable = codes - {one.code for one in left_alone(facts, self._found.host)}
            wrong = [one for one in inside if one.code in mendable and one.outcome is Outcome.DOES_NOT_HOLD]
            if not left and not wrong:
                return
            if loop.time() > until:
                break
            await asyncio.sleep(_BETWEEN)
        wrong = [one for one in wrong if one.code not in _TAKES_TIME]
        if not left and not wrong:
            return
        said = "; ".join([f"{one.code}: {one.seen[0]}" for one in wrong] or [f"{one.title} did not stay" for one in left])
        raise HostError(
            f"not all of it holds afterwards: {said}", remedy="See all of it: mailname host check PLAN", step="prepare"
        )


def _ours_to_mend(facts: Facts) -> Facts:
    """Leave away what preparing cannot mend, so that nothing is put back for it: another filter on the way, a weak host key."""
    told = {name: one for name, one in facts.told.items() if name != "host-keys"}
    return replace(facts, tried=(), told=told)


def _write_secret(path: Path, text: str) -> None:
    """Write a new file that only its owner may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as written:
        written.write(text)
