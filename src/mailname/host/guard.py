"""The dead man's switch: a timer on the host that restores the former state unless somebody who has come in anew stops it.

It holds copies of exactly the files that are about to change, and of the rules of our own table. It is a unit that is enabled, so
it lives through a restart: the time then counts from the boot on. What restores is put away last, so a restore that is cut in the
middle begins again.
"""

from __future__ import annotations

import shlex

from mailname.host.change_filter import TABLE, UNIT

FOLDER = "/var/lib/mailname-guard"
TIMER = "mailname-guard.timer"
SERVICE = "mailname-guard.service"
SECONDS = 120
GONE = 7  # the exit status of a disarming that came too late
BUSY = 8  # of an arming where another guard is still armed
_UNITS = "/etc/systemd/system"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; export PATH"

_PUT_AWAY = f"""systemctl disable -q {TIMER}
rm -f {_UNITS}/{TIMER} {_UNITS}/{SERVICE}
rm -rf {FOLDER}
systemctl daemon-reload
systemctl stop {TIMER} 2>/dev/null
systemctl reset-failed {TIMER} {SERVICE} 2>/dev/null"""

_RESTORE = f"""#!/bin/sh
{_PATH}
cd {FOLDER} || exit 0
[ -e filter-enabled ] || systemctl disable -q --now {UNIT} 2>/dev/null
while read -r path; do
  if [ -e "files$path" ]; then cp -a "files$path" "$path.mailname-old" && mv "$path.mailname-old" "$path"
  else rm -f "$path"; fi
done <list
systemctl daemon-reload
nft delete table {TABLE} 2>/dev/null
if [ -s table ]; then nft -f table; fi
if sshd -t; then systemctl reload ssh 2>/dev/null || systemctl reload sshd 2>/dev/null; fi
echo 'what was before the preparation is restored: nobody came in anew in time'
sync
cd /
{_PUT_AWAY}
exit 0
"""


def arming(paths: tuple[str, ...], seconds: int) -> str:
    """Return the script that keeps the present state and arms the timer, for a shell with all rights."""
    listed = " ".join(map(shlex.quote, paths))
    return f"""{_PATH}
set -eu
[ ! -e {FOLDER}/list ] || exit {BUSY}
rm -rf {FOLDER}
umask 077
mkdir -p {FOLDER}/files
cd {FOLDER}
for path in {listed}; do
  if [ -e "$path" ]; then mkdir -p "files${{path%/*}}"; cp -a "$path" "files$path"; fi
done
nft list table {TABLE} >table 2>/dev/null || rm -f table
if systemctl is-enabled -q {UNIT} 2>/dev/null; then touch filter-enabled; fi
cat >restore <<'END_OF_RESTORE'
{_RESTORE}END_OF_RESTORE
chmod 700 restore
cat >{_UNITS}/{SERVICE} <<'END_OF_UNIT'
[Unit]
Description=Restores what was before 'mailname host prepare'
[Service]
Type=oneshot
ExecStart=/bin/sh {FOLDER}/restore
END_OF_UNIT
cat >{_UNITS}/{TIMER} <<'END_OF_UNIT'
[Unit]
Description=Restores what was before 'mailname host prepare', unless that ends well
[Timer]
OnActiveSec={seconds}
AccuracySec=1s
[Install]
WantedBy=timers.target
END_OF_UNIT
chmod 644 {_UNITS}/{SERVICE} {_UNITS}/{TIMER}
printf '%s\\n' {listed} >list
sync
systemctl daemon-reload
systemctl enable -q {TIMER}
systemctl restart {TIMER}
systemctl is-active -q {TIMER}
"""


DISARMING = f"""{_PATH}
systemctl stop {TIMER} 2>/dev/null
[ -e {FOLDER}/list ] || exit {GONE}
case $(systemctl is-active {SERVICE}) in active|activating) exit {GONE};; esac
{_PUT_AWAY}
exit 0
"""

REVERTING = f"""{_PATH}
[ -e {FOLDER}/list ] || exit 0
systemctl start {SERVICE} && [ ! -e {FOLDER}/list ]
"""
