"""What the commands that talk to a running server share: where it is, and how its answer is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import click

from mailname.cli.console import err, out, print_json
from mailname.errors import HostError

control_option = click.option(
    "--control",
    type=click.Path(path_type=Path),
    default=Path("/run/mailname/control.sock"),
    show_default=True,
    envvar="MAILNAME_CONTROL",
    help="The running server's control socket.",
)
#: Seconds for an answer. A reload with ten thousand new zones takes more than a minute.
_LOOK, _WORK, _MUCH = 20.0, 60.0, 600.0
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def order(control: Path, do: str, zone: str | None = None) -> dict[str, Any]:
    """Give one order to the running server and return its answer."""
    from mailname.server.control import ask

    request: dict[str, Any] = {"do": do}
    if zone is not None:
        request["zone"] = zone
    patience = _LOOK if do in {"status", "history"} else _MUCH if do == "reload" and zone is None else _WORK
    return asyncio.run(ask(control, request, timeout=patience))


def obeyed(control: Path, do: str, zone: str | None, *, as_json: bool) -> None:
    """Give an order and tell the outcome. Raises HostError when the server would not do it."""
    answer = order(control, do, zone)
    if as_json:
        print_json({"schema": f"mailname.{do}/1", **answer})
    if not answer.get("ok"):
        raise HostError(str(answer.get("says", "the server refused")), remedy="See: mailname status")
    if not as_json and answer.get("says"):
        out.print(str(answer["says"]), markup=False)
    elif not as_json:
        err.print("done", markup=False)
