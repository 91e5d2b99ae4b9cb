"""Several hosts looked at side by side; one that cannot be reached does not keep the others waiting."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mailname.errors import HostError
from mailname.host.judge import judge
from mailname.host.look import look

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailname.host.facts import Facts
    from mailname.host.ssh import Ssh
    from mailname.host.step import Result
    from mailname.plan.hosts import Host
    from mailname.plan.model import Hosts
    from mailname.server.network import Endpoint


@dataclass(frozen=True, slots=True)
class Surveyed:
    """One host: its steps, or why it could not be looked at."""

    host: Host
    results: tuple[Result, ...] = ()
    facts: Facts | None = None
    trouble: HostError | None = None

    @property
    def name(self) -> str:
        """The host's name as people write it."""
        return self.host.name.to_text(omit_final_dot=True)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "host": self.name,
            "ssh": self.host.ssh,
            "addresses": [str(one) for one in self.host.addresses],
            "trouble": {"says": self.trouble.problem, "fix": self.trouble.remedy} if self.trouble else None,
            "steps": [one.to_json() for one in self.results],
        }


async def survey(
    hosts: Iterable[Host], wanted: Hosts, ssh: Ssh, *, resolver: Endpoint | None = None, trial: bool = True
) -> list[Surveyed]:
    """Look at all of them at once and judge each."""

    async def one(host: Host) -> Surveyed:
        try:
            login = await ssh.log_in(host, wanted.administrator)
            facts = await look(host, wanted, ssh, login, resolver=resolver, trial=trial)
        except HostError as error:
            return Surveyed(host, trouble=error)
        return Surveyed(host, judge(facts, host, wanted), facts)

    return list(await asyncio.gather(*map(one, hosts)))
