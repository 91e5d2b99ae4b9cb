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
#: Prints the addresses in /etc/resolv.conf at which named listens.
ASKS_NAMED = (
    "sh",
    "-c",
    r"""held=$(ss -Hlnup 'sport = :53' | grep -F '"named"')
for one in $(sed -n 's/^nameserver[[:space:]][[:space:]]*//p' /etc/resolv.conf 2>/dev/null); do
  printf '%s\n' "$held" | sed 's/%[^:]*:53 /:53 /' | grep -qF -e " $one:53 " -e "[$one]:53 " && echo "$one"
done; true""",
)
_SECRET = re.compile(r'(secret\s+)("[^"]*"|[^\s;]+)')


@dataclass(slots=True)
class TakingOver:
    """What is taken over on one host.

    Attributes:
        others: what they have configured.
        given: what becomes of that, once it is decided.
        mute: what rndc says where named runs and takes no orders; empty where all is well.
        resolves: the address at which the host asks its own named for all names; empty where it asks others.

    """

    others: OthersNamed = field(default_factory=OthersNamed)
    given: GivenOver = field(default_factory=lambda: GivenOver({}, (), (), "", ()))
    mute: str = ""
    resolves: str = ""

    @classmethod
    async def look(cls, driven: Driven, machine: MachineBySsh) -> TakingOver:
        """Read what is there; changes nothing. Raises HostError."""
        if driven.engine.name != "bind":
            return cls()
        ran, asked = await machine.run((("rndc", "status"), ASKS_NAMED))
        mute = (ran.last_words or f"exit code {ran.code}") if ran.code else ""
        resolves = next(iter(asked.output.decode("ascii", "replace").split()), "")
        try:
            return cls(await read_named(machine, driven.places.folder), mute=mute, resolves=resolves)
        except PlanError as error:
            raise HostError(f"{machine}: {error.problem}", remedy=error.remedy, step="deploy") from None

    def faults(self, into: PurePath, zones: Iterable[Name], *, runs: bool) -> list[Fault]:
        """Return what is in the way; ``runs`` tells whether named runs there."""
        found = [
            Fault(f"{one.at}: {one.problem}", one.remedy)
            for one in give_over(self._texts, self.others.clauses, frozenset(zones), {}).obstacles
        ]
        if self.others.files and str(into) not in self.others.files:
            found.append(Fault(f"{MAIN} does not include {into}", f'Add this line there: include "{into}";'))
        if runs and self.mute:
            remedy = "Make its key, and let named read that: sudo rndc-confgen -a -u bind && sudo pkill -HUP -x named"
            found.append(Fault(f"named runs and takes no orders: {self.mute.removeprefix('rndc: ')}", remedy))
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
