"""Several plans on one host: each has a file of its own, and what is said once for all of them is put together from these files.

A plan's file says in its first lines what it wants of the whole server: where it listens, and which catalog is followed. Who
deploys one plan reads those lines of the others, and leaves everything else of theirs alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import dns.name

from mailname.plan import expand_all
from mailname.server.network import Endpoint
from mailname.server.zonefiles import file_stem
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dns.name import Name

    from mailname.engines.engine import Places
    from mailname.plan import Plan
    from mailname.plan.model import NameServer

#: The file of the one plan of a server that is wholly ours.
ALONE = Path("mailname.conf")
#: What holds for all plans.
SHARED = Path("mailname-server.conf")
#: What the program's own checker reads before anything is put in place.
CHECKED = Path("mailname-checked.conf")
_LISTENS = "listens at "
_FOLLOWS = "follows "
_LISTED = "is listed in "


def plan_file(plan: Plan, server: NameServer, places: Places) -> Path:
    """Return the name of a plan's file; plans that follow one catalog at a secondary have one file for all."""
    if places.is_whole:
        return ALONE
    followed = plan.catalog.name if plan.catalog is not None and server.role == "secondary" else None
    return Path(f"{file_stem(followed or plan.domain)}.conf")


def catalog_file(catalog: Name) -> Path:
    """Return the name of the file with a catalog that plans have together."""
    return Path(f"catalog-{file_stem(catalog)}.conf")


def listens(server: NameServer, places: Places) -> list[str]:
    """Return where a plan's server listens: ``ADDRESS@PORT``; nothing where that is left to what is around it."""
    if not places.is_whole and not places.listen:
        return []
    found = dict.fromkeys(places.place(Endpoint(address)) for address in places.listen or server.addresses)
    return [f"{host}@{port}" for host, port in found]


def marks(server: NameServer, places: Places, follows: str = "", listed: str = "") -> list[str]:
    """Return what a plan's file says of the whole server, to be written as comments at its top."""
    told = ((_LISTENS, " ".join(listens(server, places))), (_FOLLOWS, follows), (_LISTED, listed))
    return [mark + text for mark, text in told if text]


def listed(plan: Plan) -> str:
    """Return what a plan's file says of its catalog, for who writes the catalog as a plain zone."""
    if plan.catalog is None:
        return ""
    zones = " ".join(zone.apex.to_text() for zone in expand_all(plan, Serial(0)))
    gives_to = plan.catalog.gives_to.to_text() if plan.catalog.gives_to is not None else "-"
    return f"{plan.catalog.name.to_text()} : {zones} : {gives_to} : {' '.join(plan.catalog.groups)}"


def listed_by_others(others: Iterable[str]) -> list[tuple[Name, list[Name], tuple[str, ...], Name | None]]:
    """Return each catalog that other plans' files speak of: its name, the zones, their groups, and who may take them over."""
    found = []
    for line in _marked(others, _LISTED):
        catalog, zones, gives_to, groups = (part.strip() for part in line.split(" :", 3))
        given = None if gives_to == "-" else dns.name.from_text(gives_to)
        found.append((dns.name.from_text(catalog), [*map(dns.name.from_text, zones.split())], tuple(groups.split()), given))
    return found


def all_listen(own: Iterable[str], others: Iterable[str]) -> list[str]:
    """Return where the server listens for all plans.

    Args:
        own: for the plan that is deployed.
        others: the texts of the other plans' files.

    """
    told = [one for line in _marked(others, _LISTENS) for one in line.split()]
    return list(dict.fromkeys((*own, *told)))


def all_followed(own: str, others: Iterable[str]) -> list[str]:
    """Return the catalogs that are followed for all plans."""
    return list(dict.fromkeys((*([own] if own else []), *_marked(others, _FOLLOWS))))


def _marked(texts: Iterable[str], mark: str) -> list[str]:
    """Return the rest of each line at a text's top that begins with a mark, after the sign of a comment."""
    found = []
    for text in texts:
        for line in text.splitlines()[:6]:
            words = line.lstrip("#/ ")
            if line[:1] in "#/" and words.startswith(mark):
                found.append(words.removeprefix(mark))
    return found


def still_needed(path: Path, others: Mapping[str, str]) -> bool:
    """Tell whether another plan's file speaks of a key, or of a catalog, by the name of the file that has it."""
    name = path.stem.removeprefix("catalog-")
    return any(f"{name}." in text or f'"{name}"' in text or f" {name}\n" in text for text in others.values())


#: Prints the plans' files in a folder: each one's name and text, with NUL after each.
READ = (
    'cd "$1" 2>/dev/null || exit 0; for one in *.conf; do [ -f "$one" ] || continue;'
    " printf '%s\\0' \"$one\"; cat \"$one\"; printf '\\0'; done"
)


def read_others(told: bytes, own: Iterable[Path]) -> dict[str, str]:
    """Return the texts of the other plans' files, by their names; see ``READ``."""
    parts = told.decode("utf-8", "replace").split("\0")
    skipped = {str(SHARED), str(CHECKED), *map(str, own)}
    return {name: text for name, text in zip(parts[::2], parts[1::2], strict=False) if name not in skipped}
