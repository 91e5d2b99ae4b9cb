"""The versions of a domain's zone that were published: shown on the page, and one of them published again from there."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailname.engines.keeping_published import caller, kept, one_of
from mailname.engines.primary_place import PrimaryHere
from mailname.engines.publish import Publishing
from mailname.errors import MailnameError

if TYPE_CHECKING:
    from mailname.engines.primary_place import PrimaryPlace
    from mailname.engines.published import Published
    from mailname.web.domain import Domain

_FRESH = 5.0  # seconds in which they are not asked for again


@dataclass(frozen=True, slots=True)
class Versions:
    """What was published, the newest first; ``problem`` says why that cannot be told."""

    published: tuple[Published, ...] = ()
    problem: str = ""
    asked_at: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"versions": [one.to_json() for one in self.published], "problem": self.problem}


async def primary_of(domain: Domain) -> PrimaryPlace | None:
    """Return where the domain's primary is; None where it can be asked from outside only. Raises HostError."""
    around = domain.around()
    if around.primary is not None:
        return await around.primary()
    control = domain.control_of(domain.plan.primary, around)
    return PrimaryHere(control) if control is not None else None


async def ask_versions(domain: Domain) -> Versions:
    """Ask the primary which versions were published, unless that was just done."""
    now = time.monotonic()
    if domain.versions.asked_at is not None and now - domain.versions.asked_at < _FRESH:
        return domain.versions
    try:
        place = await primary_of(domain)
        found = tuple(reversed(await kept(place, domain.plan.domain))) if place is not None else ()
        problem = "" if place is not None else "The primary is not on this machine, and the plan has no ssh line for it."
    except (MailnameError, OSError) as error:
        found, problem = (), str(error)
    domain.versions = Versions(found, problem, now)
    return domain.versions


async def restore(domain: Domain, serial: int) -> str:
    """Publish a version again, with a higher serial; return what came of it, in a sentence."""
    try:
        place = await primary_of(domain)
        command = f"mailname history {domain.plan_file} --restore {serial}"
        if place is None:
            return f"The primary cannot be reached from here: log in there and type {command}"
        by = replace(caller(), command=f"the page: restore {serial}")
        run = Publishing(domain.plan, Path(), domain.around().network, datetime.now(UTC).date(), place=place, by=by)
        run.restored = await one_of(place, domain.plan, serial)
        (one,) = await run.prepare()
        if one.objections:
            why = " ".join(objection.says for objection in one.objections)
            return f"Nothing was published: {why} If it is meant: {command} --yes-really"
        await run.write_and_load()
    except (MailnameError, OSError) as error:
        return str(error)
    domain.versions = Versions()
    if not one.needs_writing:
        return f"Serial {one.new.serial} is that already."
    return f"Published: what serial {serial} was is serial {one.new.serial} now. Change {domain.plan_file} as well."
