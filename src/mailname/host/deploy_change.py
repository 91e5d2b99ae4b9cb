"""What is to stand on a host, and what would have to change there: pure, from what was found."""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

    from mailname.host.archive import Interpreter
    from mailname.host.deploy_facts import Kept, Standing

ROOT, OURS = "root:root", "mailname:mailname"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file as it is to be. Of a secret, no text is ever shown.

    Attributes:
        octets: its content.
        mode: as chmod takes it.
        owner: ``user:group``.
        secret: whether only its owner may read it, and nobody may see it here.
        restarts: what has to start anew when it changes: ``socket``, ``service`` or nothing.

    """

    octets: bytes
    mode: int = 0o644
    owner: str = ROOT
    secret: bool = False
    restarts: str = ""

    def is_as(self, kept: Kept | None) -> bool:
        """Tell whether the host has it so already."""
        if kept is None or (kept.mode, kept.owner) != (self.mode, self.owner):
            return False
        if self.secret:
            return kept.digest == hashlib.sha256(self.octets).hexdigest()
        return kept.octets == self.octets


@dataclass(frozen=True, slots=True)
class Change:
    """All that would change on one host.

    Attributes:
        python: what apt installs first, if anything.
        release: the digest of a release that comes; empty where it is there.
        old_release: the one that it takes the place of.
        files: those that are not as they should be.
        former: what the host has in their place.
        joins: who is to join the group that may use the control socket; mostly empty.
        units: what is done to the units besides: they are to run, and to start at boot.
        under_way: an earlier deployment was cut off in the middle.

    """

    python: Interpreter | None = None
    release: str = ""
    old_release: str = ""
    files: Mapping[PurePath, Wanted] | None = None
    former: Mapping[str, Kept] | None = None
    joins: str = ""
    units: bool = False
    under_way: bool = False

    def __bool__(self) -> bool:
        return bool(self.python or self.release or self.files or self.joins or self.units or self.under_way)

    @property
    def restarts_socket(self) -> bool:
        """Whether port 53 is closed for a moment: its addresses change."""
        return any(one.restarts == "socket" for one in (self.files or {}).values())

    @property
    def restarts_service(self) -> bool:
        """Whether the server starts anew."""
        return bool(self.release or self.units or any(one.restarts for one in (self.files or {}).values()))

    def diff(self) -> str:
        """Return it as people read it: a unified diff of each file, and a line for what is no file."""
        lines = list[str]()
        if self.under_way:
            lines.append("! an earlier deployment was cut off: what it began is finished, or undone as a whole")
        if self.python is not None:
            lines.append(f"+ {self.python}, by apt")
        if self.release:
            lines += [f"- release {self.old_release}"] if self.old_release else []
            lines.append(f"+ release {self.release}")
        for path, one in (self.files or {}).items():
            lines += _file_diff(str(path), one, (self.former or {}).get(str(path)))
        if self.joins:
            lines.append(f"+ {self.joins} may use the control socket (group mailname)")
        if self.restarts_socket or self.units:
            lines.append("~ mailname.socket and mailname.service are started, and start at boot")
        elif self.restarts_service:
            lines.append("~ mailname.service is started anew; questions wait in the socket meanwhile")
        return "\n".join(lines)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, without the texts of secrets."""
        return {
            "python": str(self.python) if self.python else None,
            "release": self.release or None,
            "old_release": self.old_release or None,
            "files": [str(path) for path in self.files or ()],
            "joins": self.joins or None,
            "restarts": "socket" if self.restarts_socket else "service" if self.restarts_service else None,
            "diff": self.diff(),
        }


def _file_diff(path: str, one: Wanted, former: Kept | None) -> list[str]:
    was = f"mode {former.mode:o} {former.owner}" if former else ""
    now = f"mode {one.mode:o} {one.owner}"
    if one.secret:
        return [f"{'~' if former else '+'} {path} (a secret, {now})"]
    old = former.octets.decode("utf-8", "replace").splitlines() if former else []
    new = one.octets.decode("utf-8", "replace").splitlines()
    lines = list(difflib.unified_diff(old, new, path if former else "/dev/null", path, lineterm=""))
    if was and was != now:
        lines.append(f"~ {path}: {was} → {now}")
    return lines or [f"+ {path} (empty)"]


def change(standing: Standing, release: str, files: Mapping[PurePath, Wanted], python: Interpreter | None) -> Change:
    """Return what has to change.

    Args:
        standing: what is there.
        release: the digest that is to be in use.
        files: as they are to be.
        python: what has to be installed first.

    """
    differ = {path: one for path, one in files.items() if not one.is_as(standing.files.get(str(path)))}
    user = standing.user
    joins = user if user not in ("", "root") and "mailname" not in standing.facts["member"].text.split() else ""
    new_release = release if standing.release != release else ""
    return Change(python, new_release, standing.release, differ, standing.files, joins, not standing.runs, standing.is_under_way)
