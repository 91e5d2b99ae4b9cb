"""The named.conf that others have written on a host, read with what it includes; and the zones that it served, carried over."""

from __future__ import annotations

import binascii
import shlex
from base64 import b64decode
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mailname.errors import HostError
from mailname.imports.clauses import read_clauses

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import PurePath

    from mailname.host.machine_by_ssh import MachineBySsh
    from mailname.imports.clauses import Clause

#: What Debian's package starts named with.
MAIN = "/etc/bind/named.conf"
_CACHE = "/var/cache/bind"  # where Debian's named runs, and relative names begin
_MOST_LOOKS = 20

# $1 is where relative names begin, $2 a pattern: each file's mode, group, name and octets, in a line.
_READ = """cd "$1" 2>/dev/null; IFS=
for one in $2; do
  [ -f "$one" ] && echo "$(stat -c '%a %G' -- "$one") $(printf %s "$one" | base64 -w 0) $(base64 -w 0 -- "$one")"
done; true"""


@dataclass(frozen=True, slots=True)
class OthersFile:
    """A file that others wrote, and who may read it: that stays as it is."""

    octets: bytes
    mode: int
    group: str

    @property
    def text(self) -> str:
        """Its text; octets that are no UTF-8 come through unchanged."""
        return self.octets.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class OthersNamed:
    """What others have configured.

    Attributes:
        files: by name, as the clauses' places have them.
        clauses: all of it, what is included in its place, but for what is ours.

    """

    files: Mapping[str, OthersFile] = field(default_factory=dict)
    clauses: tuple[Clause, ...] = ()


async def read_named(machine: MachineBySsh, ours: PurePath) -> OthersNamed:
    """Read what others have configured for named; nothing where there is no BIND.

    Args:
        machine: where.
        ours: the folder of our own files, which are left out.

    Raises:
        HostError: SSH fails.
        PlanError: it cannot be read, with the place.

    """
    seen: dict[tuple[str, str], list[tuple[str, OthersFile]]] = {}
    wanted = {("/", MAIN)}

    def include(pattern: str, directory: str) -> list[tuple[str, str]]:
        place = (directory or _CACHE, pattern)
        if place not in seen and not Path(pattern).is_relative_to(ours):
            wanted.add(place)
        return [(one.text, name) for name, one in seen.get(place, ())]

    for _ in range(_MOST_LOOKS):  # each look finds what the files of the one before include
        asked = sorted(wanted)
        wanted.clear()
        ran = await machine.run(tuple(("sh", "-c", _READ, "sh", folder, pattern) for folder, pattern in asked))
        for (folder, pattern), told in zip(asked, ran, strict=True):
            seen[folder, pattern] = [_file(line, folder) for line in told.output.decode("ascii", "replace").splitlines()]
        main = seen["/", MAIN]
        if not main:
            return OthersNamed()
        clauses = read_clauses(main[0][1].text, MAIN, include)
        if not wanted:
            return OthersNamed({name: one for found in seen.values() for name, one in found}, clauses)
    raise HostError(f"{machine}: {MAIN} includes files more than {_MOST_LOOKS} deep", step="deploy")


def _file(line: str, folder: str) -> tuple[str, OthersFile]:
    try:
        mode, group, name, *rest = line.split(" ")
        octets = b64decode("".join(rest), validate=True)
        path = Path(folder) / b64decode(name, validate=True).decode("utf-8", "surrogateescape")
        return str(path), OthersFile(octets, int(mode, 8), group)
    except (ValueError, binascii.Error) as error:
        raise HostError("what came back over SSH cannot be read", step="ssh") from error


def carry_zone(zone: str, old: PurePath, new: PurePath, user: str) -> str:
    """Return the script that writes a zone that named serves into our file for it, as text, with what its journal knows.

    So the server that takes it over answers the same, under the same serial, from its first moment.
    """
    words = "named-compilezone -q -j -i none -k ignore -n ignore -m ignore -M ignore -S ignore -r ignore -W ignore"
    place, theirs, name = (shlex.quote(str(one)) for one in (new, old, zone))
    beside, owner = shlex.quote(str(new.with_name(f".{new.name}.carried"))), shlex.quote(user)
    folder = shlex.quote(str(new.parent))
    return f"""export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; cd /
main() {{
  [ -d {folder} ] || install -d -m 750 -o {owner} -g {owner} {folder} || exit 1
  rndc sync {name} >/dev/null 2>&1
  [ -e {theirs} ] || exit 0
  for form in text raw; do
    said=$({words} -f $form -F text -o {beside} {name} {theirs} 2>&1) && break
  done
  [ -s {beside} ] || {{ rm -f {beside}; printf '%s\\n' "$said" >&2; exit 1; }}
  chown {owner}: {beside} && chmod 644 {beside} && sync {beside} && mv {beside} {place}
}}
main
"""
