"""The child process that pyinfra lives in: steps come in as JSON lines, and what became of each goes out as JSON lines.

The first line names the host and the way in. Then ``{"do": "audit", "step": ...}`` answers whether it would change something,
``{"do": "apply", "step": ...}`` does it. pyinfra runs gevent and takes over loggers; neither comes into our own process so, and
another version of it is met at these two words.
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from pyinfra.api.command import StringCommand
from pyinfra.api.config import Config
from pyinfra.api.connect import connect_all
from pyinfra.api.exceptions import PyinfraError
from pyinfra.api.operation import add_op, operation
from pyinfra.api.operations import run_ops
from pyinfra.api.state import State
from pyinfra.context import host
from pyinfra.facts.files import File, Sha256File
from pyinfra.operations import apt, server, systemd

from mailname.host.pyinfra_ssh import LOST, OneHost

if TYPE_CHECKING:
    from pyinfra.api.host import Host
    from pyinfra.api.operation import OperationMeta

Step = dict[str, Any]
_CONFIG: Any = Config  # it has no types
Commands = Generator[Any, None, None]
_MOST = 8  # lines of a failure that are told
_PROGRESS = ("Get:", "Ign:", "Hit:", "Reading ", "Fetched ", "debconf: delaying")
_ERROR = re.compile(r"^[EW]: |^dpkg:|error|cannot|unable|denied|No space|Read-only", re.IGNORECASE)
_LOCK = "-o DPkg::Lock::Timeout=300"  # a fresh host upgrades itself in the background
# What a connection that broke has left half installed: apt does nothing before it is finished. It may still be under way.
_FINISHED = """tries=0
until said=$(dpkg --force-confdef --force-confold --configure -a 2>&1 </dev/null); do
  tries=$((tries + 1))
  case $tries$said in 60*) ;; *lock*) sleep 5; continue ;; esac
  printf '%s\\n' "$said" | tail -n 5 >&2; exit 1
done"""


@operation()
def managed_file(path: str, text: str, mode: str, check_new: str = "", check: str = "", after: str = "") -> Commands:
    """Put a file beside the old one, judge it, move it over, let it count; where something fails, the old one comes back.

    All of it is one operation: as several, those that depend on the first would be told as changes in every audit.
    """
    if host.get_fact(Sha256File, path=path) == hashlib.sha256(text.encode()).hexdigest():
        info = host.get_fact(File, path=path)
        if info and str(info["mode"]) == mode:
            host.noop(f"{path} is as it should be")
            return
    quoted = {"path": path, "new": f"{path}.mailname-new", "old": f"{path}.mailname-old", "folder": path.rpartition("/")[0]}
    lines = [f"{name}={shlex.quote(value)}" for name, value in quoted.items()]
    lines += ["export new", 'mkdir -p "$folder" && rm -f "$new" || exit 1']
    lines += [f"(umask 077; base64 -d >$new) <<'END' || exit 1\n{base64.b64encode(text.encode()).decode()}\nEND"]
    lines += [f"chown root:root $new && chmod {mode} $new || exit 1"]
    back = f"if [ -e $old ]; then mv $old $path; else rm -f $path; fi; {_shell(after) if after else ':'} >/dev/null 2>&1; exit 1"
    lines += [f"{_shell(check_new)} || {{ rm -f $new; exit 1; }}"] if check_new else []
    lines += ["rm -f $old; if [ -e $path ]; then cp -a $path $old; fi", "mv $new $path || exit 1"]
    lines += [f"{_shell(one)} || {{ {back}; }}" for one in (check, after) if one]
    yield StringCommand("sh", "-c", shlex.quote("\n".join([*lines, "rm -f $old"])))


def _shell(words: str) -> str:
    return f"sh -c {shlex.quote(words)}"


@operation()
def ordered(words: str) -> Commands:
    """Run a shell command."""
    yield StringCommand("sh", "-c", shlex.quote(words))


def _hold(units: list[str]) -> str:
    """Return a command that keeps units from starting until the next boot, or until they are released."""
    links = "; ".join(f"ln -sfn /dev/null /run/systemd/system/{shlex.quote(one)}" for one in units)
    return f"mkdir -p /run/systemd/system; {links}; systemctl daemon-reload"


def _release(units: list[str]) -> str:
    links = " ".join(f"/run/systemd/system/{shlex.quote(one)}" for one in units)
    return f"rm -f {links}; systemctl daemon-reload"


def why(lines: list[str]) -> str:
    """Return what a program that failed says of it, without its progress. apt prints dpkg's errors among that."""
    said = [line.strip() for line in lines if line.strip() and not line.startswith(_PROGRESS)]
    errors = [line for line in said if _ERROR.search(line)]
    return "\n".join((errors or said)[-_MOST:])


class Child:
    """One host's steps, one after the other, each with fresh facts."""

    def __init__(self, opening: dict[str, Any]) -> None:
        self._name = str(opening["host"])
        self._words = [str(word) for word in opening["ssh"]]
        self._seen_from = str(opening["from"])
        self._with_sudo = bool(opening["sudo"])
        self._hosts: list[Host] = []  # as they were met since the last question

    def _state(self) -> State:
        inventory = OneHost(self._name, self._words, self._seen_from, with_sudo=self._with_sudo)
        self._hosts.append(inventory.get_host(self._name))
        state = State(inventory, _CONFIG())
        connect_all(state)
        return state

    def _add(self, state: State, step: Step) -> list[OperationMeta]:
        added: list[dict[Any, OperationMeta]]
        match step["kind"]:
            case "packages":
                held = step["held"]
                added = [add_op(state, ordered, words=_hold(held))] if held else []
                added.append(add_op(state, ordered, words=_FINISHED))
                added.append(add_op(state, apt.update, cache_time=3600))
                added.append(add_op(state, apt.packages, packages=step["names"], no_recommends=True, extra_install_args=_LOCK))
            case "user":
                kept = {"shell": "/bin/bash", "groups": step["groups"], "create_home": True}
                added = [add_op(state, server.user, user=step["name"], **kept)]
            case "keys":
                added = [add_op(state, server.user_authorized_keys, user=step["name"], public_keys=step["lines"])]
            case "file":
                rest = {key: value for key, value in step.items() if key != "kind"}
                added = [add_op(state, managed_file, **rest)]
            case "unit":
                added = [add_op(state, systemd.service, service=step["name"], running=True, enabled=True)]
            case "order":
                added = [add_op(state, ordered, words=step["words"])]
            case other:
                raise ValueError(f"no such step: {other}")
        return [meta for one in added for meta in one.values()]

    def audit(self, step: Step) -> dict[str, Any]:
        """Tell whether a step would change something."""
        metas = self._add(self._state(), step)
        return {"says": "would change" if any(meta.will_change for meta in metas) else "same"}

    def apply(self, step: Step) -> dict[str, Any]:
        """Do a step."""
        state = self._state()
        metas = self._add(state, step)
        try:
            run_ops(state)
        except PyinfraError as error:
            failed = [meta for meta in metas if meta.is_complete() and not meta.did_succeed()]
            said = [line for meta in failed for line in (*meta.stdout_lines, *meta.stderr_lines)]
            return {"says": "failed", "said": why(said) or str(error)}
        finally:
            if step.get("held"):
                self._release(step["held"])
        return {"says": "changed" if any(meta.did_change() for meta in metas) else "same"}

    def _release(self, units: list[str]) -> None:
        state = self._state()
        add_op(state, ordered, words=_release(units))
        run_ops(state)

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Do what a line asks for."""
        self._hosts.clear()
        do = self.audit if asked["do"] == "audit" else self.apply
        try:
            answer = do(asked["step"])
        except (PyinfraError, OSError, subprocess.TimeoutExpired) as error:
            answer = {"says": "failed", "said": str(error)}
        if answer["says"] == "failed" and any(one.connector_data.get(LOST) for one in self._hosts):
            answer["says"] = "lost"
        return answer


def main() -> None:
    """Read lines from standard input and answer each. All else that is printed goes to standard error."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    logging.disable(logging.CRITICAL)
    child = Child(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        print(json.dumps(child.answer(json.loads(line))), file=out, flush=True)


if __name__ == "__main__":
    main()
