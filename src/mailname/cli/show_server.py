"""``mailname show PLAN --server NAME``: the configuration of one name server of a plan, ready for ``mailname serve --config``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mailname.cli.console import out
from mailname.server.control import DEFAULT_PATH

if TYPE_CHECKING:
    from mailname.plan import NameServer, Plan


def print_configuration(plan: Plan, name: str) -> None:
    """Print the configuration of the name server of this name.

    Raises:
        click.UsageError: the plan has no such server.
        HostError: mailname cannot set up its engine yet.

    """
    from mailname.engines.engine import Places, driven_engine, engine_named

    server = _named(plan, name)
    key = plan.transfer_key
    key_file = Path(f"{key.name.to_text(omit_final_dot=True)}.key") if key else None  # as 'mailname key make' calls it
    driven = driven_engine(server.engine)
    if driven is not None:
        places = driven.placed((), key_file.name if key_file else None)
        for path, text in driven.render(plan, server, places).items():
            out.out(f"{driven.comment} {places.folder / path}\n{text}", end="", highlight=False)
        around = driven.installed(plan, server, places)
        if around.shared is not None:
            out.out(f"{driven.comment} {around.shared[0]}\n{around.shared[1]}", end="", highlight=False)
        lines = "".join(f"{driven.comment} {line}\n" for line in around.lines)
        out.out(f"{driven.comment} in {around.into}:\n{lines}", end="", highlight=False)
        return
    places = Places(control=DEFAULT_PATH, key_file=key_file)
    for text in engine_named(server.engine).render(plan, server, places).values():
        out.out(text, end="", highlight=False)


def _named(plan: Plan, name: str) -> NameServer:
    known = {server.name.to_text(omit_final_dot=True): server for server in plan.name_servers}
    wanted = name.rstrip(".").lower()
    if wanted not in known:
        raise click.UsageError(f"the plan has no name server {name}: it has {', '.join(sorted(known))}.")
    return known[wanted]
