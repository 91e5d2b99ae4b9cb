"""The name servers' configurations, as the builtin engine renders them from the plan, in folders of the lab.

Whatever engine the plan names, a rehearsal runs our own server: it is the plan that is rehearsed, not the program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.engines.builtin import CONFIG, Builtin
from mailname.engines.engine import Places
from mailname.server.config import ServerConfig, load_config
from mailname.server.keyfile import make_key_file

if TYPE_CHECKING:
    from pathlib import Path

    from dns.name import Name

    from mailname.plan import Plan

_LONGEST_LABEL = 12  # the path of a Unix socket has about 100 octets on every system


def configurations(plan: Plan, folder: Path) -> dict[Name, ServerConfig]:
    """Write each name server's configuration into a folder of its own, and read it back as the server would."""
    key_file: Path | None = None
    if plan.transfer_key is not None:
        key_file = folder / "transfer.key"
        key_file.unlink(missing_ok=True)
        make_key_file(key_file, plan.transfer_key.name, plan.transfer_key.algorithm)
    found: dict[Name, ServerConfig] = {}
    for number, server in enumerate(plan.name_servers, 1):
        home = folder / _folder_name(server.name, number)
        places = Places(state=home / "state", zones=home / "zones", control=home / "control", key_file=key_file)
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
