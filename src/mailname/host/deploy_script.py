"""The scripts that change a host: each is one function, so that a connection that breaks while it is sent starts nothing.

What stood there before is kept beside until all is well; ``undo`` puts it back, also after the connection broke in the middle.
"""

from __future__ import annotations

import base64
import shlex
from typing import TYPE_CHECKING

from mailname.host.deploy_facts import TOP

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import PurePath

    from mailname.host.deploy_change import Change, Wanted

_HEAD = "export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive; cd /"
_UNITS = "mailname.socket mailname.service"
_BEFORE = f"{TOP}/before"
#: At most so many seconds for a server with many zones to be ready.
START = 180.0

INSTALL_PYTHON = f"""{_HEAD}
dpkg --force-confdef --force-confold --configure -a </dev/null >/dev/null 2>&1 # what broke off half-way
install() {{ apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends python3 2>&1; }}
said=$(install) && exit 0
said=$(apt-get -qq update 2>&1 && install) && exit 0
printf '%s\\n' "$said" | tail -n 3 >&2; exit 1
"""

#: Put back what stood here before. Without a kept state there is nothing to do.
UNDO = f"""{_HEAD}
main() {{
  if [ ! -e {_BEFORE}/whole ]; then rm -rf {_BEFORE}; exit 0; fi
  if [ -e {_BEFORE}/absent ]; then
    if grep -qx /etc/systemd/system/mailname.socket {_BEFORE}/absent; then systemctl disable --now {_UNITS} 2>/dev/null; fi
    while read -r one; do rm -f "$one"; done < {_BEFORE}/absent
  fi
  (cd {_BEFORE}/files && find . -type f) | while read -r one; do cp -a "{_BEFORE}/files/$one" "/$one"; done
  old=$(cat {_BEFORE}/release)
  if [ -n "$old" ]; then ln -sfn "$old" {TOP}/next && mv -T {TOP}/next {TOP}/current; else rm -f {TOP}/current; fi
  systemctl daemon-reload
  if [ "$(cat {_BEFORE}/active)" = "active active" ]; then
    [ -e {_BEFORE}/socket ] && systemctl stop {_UNITS}
    systemctl enable -q {_UNITS} && systemctl start mailname.socket || exit 1
    timeout {START:.0f} systemctl restart mailname.service || exit 1
  else
    systemctl stop {_UNITS} 2>/dev/null
    systemctl reset-failed {_UNITS} 2>/dev/null
  fi
  rm -rf {_BEFORE}
}}
main
"""

#: All is well: what stood here before is let go, but for the release before this one.
COMMIT = f"""{_HEAD}
main() {{
  now=$(readlink {TOP}/current)
  old=$(cat {_BEFORE}/release 2>/dev/null)
  if [ -e {_BEFORE}/whole ] && [ "$old" != "$now" ]; then
    for one in {TOP}/releases/*; do
      case "releases/${{one##*/}}" in "$now"|"$old") ;; *) rm -rf "$one" ;; esac
    done
  fi
  rm -rf {_BEFORE}
}}
main
"""


def unpack(digest: str, size: int) -> str:
    """Return the order that takes an archive from standard input; nothing that runs is touched.

    Args:
        digest: the release's name.
        size: octets of the archive, so that one that was cut off is not taken for whole.

    """
    new = f"{TOP}/releases/.{digest}"
    return f"""{_HEAD}; umask 022; set -e
[ -d {TOP}/releases/{digest} ] && cat >/dev/null && exit 0
mkdir -p {new} && rm -rf {new} && mkdir -p {new}
cat >{new}.tar.gz
[ "$(stat -c %s {new}.tar.gz)" = {size} ] || {{ rm -f {new}.tar.gz; echo "the archive did not arrive whole" >&2; exit 1; }}
tar -xzf {new}.tar.gz -C {new} --no-same-owner
rm -f {new}.tar.gz
python3 -I -m compileall -q -s {new} -p {TOP}/releases/{digest} {new} >/dev/null
python3 -I {new} version >/dev/null
mv -T {new} {TOP}/releases/{digest}"""


def apply(what: Change, files: Iterable[PurePath]) -> str:
    """Return the script that changes everything but the release's files.

    Args:
        what: the change.
        files: all files that are ours, changed or not: they are kept for the way back.

    """
    changed = what.files or {}
    steps = [_keep(files, restarts_socket=what.restarts_socket)]
    steps += _writes({path: one for path, one in changed.items() if path.name.endswith(".conf")})
    steps.append("systemd-sysusers /etc/sysusers.d/mailname.conf || fail 'the user mailname cannot be made'")
    steps.append(
        "install -d -m 755 /etc/mailname && install -d -m 750 -o root -g mailname /etc/mailname/keys || fail 'no folder'"
    )
    steps += _writes({path: one for path, one in changed.items() if not path.name.endswith(".conf")})
    if what.joins:
        steps.append(f"usermod -aG mailname {shlex.quote(what.joins)} || fail 'nobody can join the group mailname'")
    if what.release:
        steps.append(f"ln -sfn releases/{what.release} {TOP}/next && mv -T {TOP}/next {TOP}/current || fail 'no link'")
    if what.restarts_service:
        steps += [
            "systemctl daemon-reload || fail 'systemd does not take the units'",
            f"systemctl enable -q {_UNITS} || fail units",
        ]
        if what.restarts_socket:
            steps.append(f"systemctl stop {_UNITS}")
        steps.append("systemctl start mailname.socket || fail_to_start 'the sockets cannot be opened' mailname.socket")
        steps.append(
            f"timeout {START:.0f} systemctl restart mailname.service || fail_to_start 'it does not start' mailname.service"
        )
    body = "\n".join("  " + step for step in steps)
    return f"{_HEAD}; umask 022\n{_FAIL}\nmain() {{\n{body}\n}}\nmain\n"


_FAIL = r"""fail() { echo "$1" >&2; exit 1; }
fail_to_start() {
  echo "$1" >&2
  said=$(journalctl -q --no-pager -o cat -n 6 "_SYSTEMD_UNIT=$2") # its own last words, else systemd's of it
  [ -n "$said" ] || said=$(journalctl -q --no-pager -o cat -n 6 "UNIT=$2")
  printf '%s\n' "$said" >&2
  exit 1
}"""


def _keep(files: Iterable[PurePath], *, restarts_socket: bool) -> str:
    listed = " ".join(shlex.quote(str(path)) for path in files)
    return f"""if [ ! -e {_BEFORE}/whole ]; then
    rm -rf {_BEFORE}; mkdir -p {TOP} && mkdir -m 700 {_BEFORE} {_BEFORE}/files || fail 'there is no room at {TOP}'
    readlink {TOP}/current > {_BEFORE}/release
    echo $(systemctl is-active {_UNITS}) > {_BEFORE}/active
    for one in {listed}; do
      if [ -e "$one" ]; then cp -a --parents "$one" {_BEFORE}/files || fail "$one"; else echo "$one" >> {_BEFORE}/absent; fi
    done
    {"touch" if restarts_socket else "rm -f"} {_BEFORE}/socket
    touch {_BEFORE}/whole; sync
  fi"""


def _writes(files: Mapping[PurePath, Wanted]) -> list[str]:
    """Return a step for each file: written beside it, then put into its place. The content is in no argument of a program."""
    steps = []
    for path, one in files.items():
        new, place = shlex.quote(f"{path}.new"), shlex.quote(str(path))
        content = base64.b64encode(one.octets).decode()
        steps.append(
            f"(umask 077; mkdir -p {shlex.quote(str(path.parent))}; base64 -d > {new} <<'END'\n{content}\nEND\n  ) && "
            f"chown {one.owner} {new} && chmod {one.mode:o} {new} && mv {new} {place} || fail {place}"
        )
    return steps


def remove(*, purge: bool) -> str:
    """Return the script that takes everything away that was deployed. ``purge``: zones, history and the user as well."""
    more = "rm -rf /var/lib/mailname; userdel mailname 2>/dev/null" if purge else ":"
    return f"""{_HEAD}
main() {{
  systemctl disable -q --now {_UNITS} 2>/dev/null
  systemctl reset-failed {_UNITS} 2>/dev/null
  rm -f /etc/systemd/system/mailname.socket /etc/systemd/system/mailname.service /etc/sysusers.d/mailname.conf
  systemctl daemon-reload
  rm -rf /usr/local/bin/mailname /etc/mailname {TOP}
  {more}
  [ "$(systemctl is-active {_UNITS} | sort -u)" != active ]
}}
main
"""
