"""Restart a host, and prove that all is back: a new boot, nothing failed, the same listeners, the same judgement."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.host.judge import judge
from mailname.host.listening import listeners
from mailname.host.look import look
from mailname.host.ssh import ALONE
from mailname.host.step import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.host.facts import Facts
    from mailname.host.ssh import Ssh
    from mailname.host.step import Result
    from mailname.plan.hosts import Host
    from mailname.plan.model import Hosts

PATIENCE = 300.0  # seconds for a machine to come back
_SETTLED = 60.0  # seconds for its services, after that
_BETWEEN = 1.0
_RESTART = "systemd-run -q --on-active=1 --timer-property=AccuracySec=100ms systemctl reboot"


async def reboot(host: Host, wanted: Hosts, ssh: Ssh, tell: Callable[[str], None]) -> tuple[Result, ...]:
    """Restart a host and return every step as it is then.

    Raises:
        HostError: it would not let anybody in afterwards, does not come back, or not whole.

    """
    login = await ssh.log_in(host, wanted.administrator)
    before = await look(host, wanted, ssh, login, trial=False)
    if before["sshd"].code:
        raise HostError(
            "sshd would not start again: it does not accept its own configuration", remedy="sudo sshd -t", step="reboot"
        )
    if before["guard"].code == 0:
        raise HostError(
            "a guard of a preparation is still armed: it would restore the former state after the restart",
            remedy="Wait two minutes; the guard restores what was before and goes away. Then run it again.",
            step="reboot",
        )
    tell("restarting")
    ran = await ssh.as_root(login, _RESTART)
    await ssh.let_go(login.target)
    if ran.code:
        raise HostError(f"it does not restart: {ran.last_words}", step="reboot")
    loop = asyncio.get_running_loop()
    began = loop.time()
    await _new_boot(login.target, ssh, _boot(before))
    tell(f"a new boot after {loop.time() - began:.0f} seconds")
    until = loop.time() + _SETTLED
    while True:
        after = await look(host, wanted, ssh, await ssh.log_in(host, wanted.administrator))
        wrong = list(_missing(before, after)) + _worse(before, after, host, wanted)
        if not wrong:
            tell("all is back")
            return judge(after, host, wanted)
        if loop.time() > until:
            raise HostError(
                f"not all is back after the restart: {'; '.join(wrong)}", remedy="mailname host check PLAN", step="reboot"
            )
        await asyncio.sleep(_BETWEEN)


def _boot(facts: Facts) -> str:
    return next(iter(facts["machine"].lines), "")


async def _new_boot(target: str, ssh: Ssh, old: str) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + PATIENCE
    while loop.time() < until:
        try:
            ran = await ssh.run(target, "cat /proc/sys/kernel/random/boot_id", seconds=20.0, options=ALONE)
        except HostError:
            await asyncio.sleep(_BETWEEN)
            continue
        if ran.code == 0 and ran.output.decode("ascii", "replace").strip() not in ("", old):
            return
        await asyncio.sleep(_BETWEEN)
    raise HostError(
        f"it did not come back within {PATIENCE:.0f} seconds", remedy="Look at the provider's console.", step="reboot"
    )


def _missing(before: Facts, after: Facts) -> list[str]:
    """Return what listened or answered before and does not now, and what systemd is not content with."""
    state = after["machine"].lines[-1:]
    wrong = [] if state == ["running"] else [f"systemd says '{state[0] if state else 'nothing'}'"]
    failed = [line.split()[0] for line in after["failed"].lines if line.strip()]
    if failed:
        wrong.append(f"failed: {', '.join(failed)}")
    listen = {(one.protocol, one.port, one.address) for one in listeners(after)}
    gone = [one for one in listeners(before) if not _passing(one.port) and (one.protocol, one.port, one.address) not in listen]
    wrong += [f"{one} listened at {one.address} and does not now" for one in gone]
    answering = {(one.address, one.port, one.protocol) for one in after.tried if one.says == "open"}
    wrong += [
        f"{one.at} answered and does not now"
        for one in before.tried
        if one.says == "open" and (one.address, one.port, one.protocol) not in answering
    ]
    return wrong


def _passing(port: int) -> bool:
    """Tell whether a port is one that a client takes for a while (RFC 6335 section 6)."""
    return port >= 32768


def _worse(before: Facts, after: Facts, host: Host, wanted: Hosts) -> list[str]:
    """Return the steps that held before and do not now. Whether bans land is tried after the restart alone."""
    held = {one.code for one in judge(before, host, wanted) if one.outcome is not Outcome.DOES_NOT_HOLD}
    return [
        f"{one.code}: {one.seen[0]}"
        for one in judge(after, host, wanted)
        if one.code in held and one.outcome is Outcome.DOES_NOT_HOLD
    ]
