"""The name servers' configurations, as the builtin engine renders them from the plan, in folders of the lab.

Whatever engine the plan names, a rehearsal runs our own server: it is the plan that is rehearsed, not the program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.engines.builtin import CONFIG, Builtin
from mailname.engines.engine import Places
from mailname.server.config_file import load_config
from mailname.server.keyfile import make_key_file

if TYPE_CHECKING:
    from pathlib import Path

    from dns.name import Name

    from mailname.plan import Plan
    from mailname.server.config import ServerConfig

_LONGEST_LABEL = 12
_LONGEST_SOCKET = 100  # what a Unix socket's path may have everywhere; TMPDIR alone has half of it on macOS


def sockets_fit(plan: Plan, folder: Path) -> bool:
    """Tell whether the control sockets can lie in the servers' own folders, or their paths would be too long."""
    homes = (folder / _folder_name(server.name, number) for number, server in enumerate(plan.name_servers, 1))
    return all(len(str(home / "control").encode()) <= _LONGEST_SOCKET for home in homes)


def configurations(plan: Plan, folder: Path, sockets: Path | None = None) -> dict[Name, ServerConfig]:
    """Write each name server's configuration into a folder of its own, and read it back as the server would.

    Args:
        plan: what is rehearsed.
        folder: where the folders are made.
        sockets: another folder for the control sockets.

    """
    key_file: Path | None = None
    if plan.transfer_key is not None:
        key_file = folder / "transfer.key"
        key_file.unlink(missing_ok=True)
        make_key_file(key_file, plan.transfer_key.name, plan.transfer_key.algorithm)
    keys = folder / "keys"
    for name in {one.key for one in plan.updates}:
        keys.mkdir(exist_ok=True)
        (file := keys / f"{name.to_text(omit_final_dot=True)}.key").unlink(missing_ok=True)
        make_key_file(file, name)
    found: dict[Name, ServerConfig] = {}
    for number, server in enumerate(plan.name_servers, 1):
        home = folder / _folder_name(server.name, number)
        control = sockets / home.name if sockets is not None else home / "control"
        places = Places(home / "state", home / "zones", control, key_file, tls=None, keys=keys)
        for wanted in (home, places.zones):
            wanted.mkdir(exist_ok=True)
        for path, text in Builtin().render(plan, server, places).items():
            (home / path).write_text(text, encoding="utf-8")
        found[server.name] = load_config((home / CONFIG).read_text(encoding="utf-8"), str(home / CONFIG))
    return found


def _folder_name(name: Name, number: int) -> str:
    """Return a short name that a person recognises: the number keeps ns1.a.net and ns1.b.net apart."""
    label = name.labels[0].decode("ascii", "replace")
    plain = "".join(letter for letter in label if letter.isalnum() or letter == "-")
    return f"{number}-{plain[:_LONGEST_LABEL]}"
