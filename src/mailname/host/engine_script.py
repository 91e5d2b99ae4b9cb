"""The scripts that put another's name server on a host: its package, the way back, and its removal.

What stood there before is kept beside until all is well, so that the way back works also after the connection broke.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePath

_HEAD = "export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive; cd /"
_TOP = "/var/lib/mailname-engine"
_BEFORE = f"{_TOP}/before"
START = 120.0  # seconds for a server with many zones to be ready


def standing(packages: Iterable[str], unit: str) -> tuple[tuple[str, ...], ...]:
    """Return the commands that tell: which packages are there, what was changed in their configuration, and whether it runs."""
    names = tuple(packages)
    return (
        ("dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Package}\\n", *names),
        ("dpkg", "--verify", *names),
        ("systemctl", "is-active", unit),
        ("test", "-e", f"{_BEFORE}/whole"),
    )


def install(packages: Iterable[str]) -> str:
    """Return the script that installs packages and lets none of them start anything: it would serve what nobody has asked for."""
    names = shlex.join(packages)
    return f"""{_HEAD}
main() {{
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\\nexit 101\\n' > $policy && chmod 755 $policy || exit 1
  fi
  install() {{ apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends {names} 2>&1; }}
  said=$(install) && exit 0
  said=$(apt-get -qq update 2>&1 && install) && exit 0
  printf '%s\\n' "$said" | tail -n 3 >&2; exit 1
}}
main
"""


def keep(files: Iterable[PurePath], unit: str) -> str:
    """Return the script that keeps what stands there; what an earlier run that was cut off has kept stays."""
    listed = " ".join(shlex.quote(str(path)) for path in files)
    return f"""{_HEAD}; umask 077
main() {{
  [ -e {_BEFORE}/whole ] && exit 0
  rm -rf {_BEFORE}; mkdir -p {_BEFORE}/files || exit 1
  systemctl is-active -q {unit} && echo active > {_BEFORE}/active
  systemctl is-enabled {unit} > {_BEFORE}/enabled 2>/dev/null
  for one in {listed}; do
    if [ -e "$one" ]; then cp -a --parents "$one" {_BEFORE}/files || exit 1; else echo "$one" >> {_BEFORE}/absent; fi
  done
  touch {_BEFORE}/whole; sync
}}
main
"""


def start(unit: str, folders: Iterable[PurePath], user: str) -> str:
    """Return the script that makes its folders, lets it start at boot, and starts it where it does not run.

    NSD is "reloading" whenever a transfer came in; that counts as active.
    """
    listed = " ".join(shlex.quote(str(path)) for path in folders)
    quoted = shlex.quote(user)
    return f"""{_HEAD}
main() {{
  install -d -m 750 -o {quoted} -g {quoted} {listed} || exit 1
  systemctl enable -q {unit} 2>/dev/null
  systemctl is-active -q {unit} && exit 0
  systemctl reset-failed {unit} 2>/dev/null
  timeout {START:.0f} systemctl start {unit} && systemctl is-active -q {unit} && exit 0
  journalctl -q --no-pager -o cat -n 6 -u {unit} >&2; exit 1
}}
main
"""


def undo(unit: str, again: tuple[str, ...]) -> str:
    """Return the script that puts back what was kept; ``again`` lets a server that ran before take that over."""
    return f"""{_HEAD}
main() {{
  [ -e {_BEFORE}/whole ] || {{ rm -rf {_BEFORE}; exit 0; }}
  if [ -e {_BEFORE}/absent ]; then while read -r one; do rm -f "$one"; done < {_BEFORE}/absent; fi
  (cd {_BEFORE}/files && find . -type f) | while read -r one; do cp -a "{_BEFORE}/files/$one" "/$one"; done
  if [ -e {_BEFORE}/active ]; then
    {shlex.join(again)} || timeout {START:.0f} systemctl restart {unit} || exit 1
  else
    systemctl stop {unit}; systemctl reset-failed {unit} 2>/dev/null
    [ "$(cat {_BEFORE}/enabled)" = enabled ] || systemctl disable -q {unit} 2>/dev/null
  fi
  rm -rf {_BEFORE}
}}
main
"""


COMMIT = f"{_HEAD}; rm -rf {_BEFORE}; rmdir {_TOP} 2>/dev/null; true\n"


def remove(into: PurePath, lines: Iterable[str], ours: Iterable[PurePath], again: tuple[str, ...]) -> str:
    """Return the script that takes our lines and our files away; the program and what others have configured run on.

    Args:
        into: the file with the lines.
        lines: they.
        ours: files, and folders, that go.
        again: what lets the server take it over.

    """
    more = " ".join(shlex.quote(str(path)) for path in ours)
    drop = " ".join(f"-e {shlex.quote(line)}" for line in lines)
    quoted = shlex.quote(str(into))
    return f"""{_HEAD}
main() {{
  if [ -e {quoted} ]; then
    grep -vxF {drop} {quoted} > {quoted}.new
    cat {quoted}.new > {quoted}; rm -f {quoted}.new
  fi
  rm -rf {more}
  {shlex.join(again)} >/dev/null 2>&1; true
}}
main
"""
