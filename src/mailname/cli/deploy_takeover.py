"""A BIND that others have set up, whose zones a plan takes over in place: what changes in its files, what is carried over."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mailname.errors import HostError, PlanError
from mailname.host.deploy_check import Fault
from mailname.host.others_named import MAIN, OthersNamed, carry_zone, read_named
from mailname.imports.given_over import GivenOver, give_over
from mailname.wire.tsig_key import algorithm_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePath

    from dns.name import Name

    from mailname.engines.driven import Driven
    from mailname.host.machine_by_ssh import MachineBySsh
    from mailname.wire.tsig_key import Key

_CACHE = "/var/cache/bind"
_SECRET = re.compile(r'(secret\s+)("[^"]*"|[^\s;]+)')


@dataclass(slots=True)
class TakingOver:
    """What is taken over on one host.

    Attributes:
        others: what they have configured.
        given: what becomes of that, once it is decided.

    """

    others: OthersNamed = field(default_factory=OthersNamed)
    given: GivenOver = field(default_factory=lambda: GivenOver({}, (), (), "", ()))

    @classmethod
    async def look(cls, driven: Driven, machine: MachineBySsh) -> TakingOver:
        """Read what is there; changes nothing. Raises HostError."""
        if driven.engine.name != "bind":
            return cls()
        try:
            return cls(await read_named(machine, driven.places.folder))
        except PlanError as error:
            raise HostError(f"{machine}: {error.problem}", remedy=error.remedy, step="deploy") from None

    def faults(self, into: PurePath, zones: Iterable[Name]) -> list[Fault]:
        """Return what is in the way."""
        found = [
            Fault(f"{one.at}: {one.problem}", one.remedy)
            for one in give_over(self._texts, self.others.clauses, frozenset(zones), {}).obstacles
        ]
        if self.others.files and str(into) not in self.others.files:
            found.append(Fault(f"{MAIN} does not include {into}", f'Add this line there: include "{into}";'))
        return found

    def decide(self, zones: Iterable[Name], keys: Iterable[Key]) -> Mapping[PurePath, bytes]:
        """Return the files of others that change.

        Raises:
            HostError: a key is another one there.

        """
        known = {key.name.to_text(omit_final_dot=True): (algorithm_text(key), b64encode(key.secret).decode()) for key in keys}
        self.given = give_over(self._texts, self.others.clauses, frozenset(zones), known)
        for one in self.given.obstacles:
            raise HostError(f"{one.at}: {one.problem}", remedy=one.remedy, step="deploy")
        return {Path(name): text.encode("utf-8", "surrogateescape") for name, text in self.given.files.items()}

    @property
    def _texts(self) -> dict[str, str]:
        return {name: one.text for name, one in self.others.files.items()}

    def former(self, path: PurePath) -> bytes | None:
        """Return what a file holds now."""
        there = self.others.files.get(str(path))
        return there.octets if there is not None else None

    def reading(self, path: PurePath, group: str) -> tuple[int, str]:
        """Return the mode and the group that a file keeps."""
        there = self.others.files.get(str(path))
        return (there.mode, there.group) if there is not None else (0o644, group)

    def carrying(self, driven: Driven) -> tuple[tuple[Path, str], ...]:
        """Return our files for the zones that are taken over, each with the script that fills it."""
        found = []
        for zone in self.given.zones:
            new = driven.engine.zone_file(driven.server, driven.places, zone.name)
            if zone.file:
                old = Path(self.given.directory or _CACHE) / zone.file
                found.append((new, carry_zone(zone.name.to_text(omit_final_dot=True), old, new, driven.engine.user)))
        return tuple(found)


def without_secrets(text: str) -> str:
    """Return a configuration's text as people may see it."""
    return _SECRET.sub(r'\1"..."', text)
