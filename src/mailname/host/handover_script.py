"""The scripts that hand port 53 over from one program to another on a host, so that no question stays without an answer.

The new program is started beside, at another port, with the zones as they are. The packet filter then leads what comes to port 53
there: the new port is written into each packet on its way in, and 53 into each answer, with no state but which TCP connections
began meanwhile. The one that goes is stopped, the one that comes is started at port 53, and the packets are led there again.
Nobody who asks sees another port, and no rule of the host's own filter sees one either.

A run that is cut off leaves nothing half done: the program beside ends after some minutes, and what ran before is started again.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import PurePath

    from mailname.server.network import IPAddress

PORT = 53053
#: Of 127.0.0.1, where the program beside takes orders, if it takes them over TCP.
CONTROL_PORT = 53054
UNIT = "mailname-handover"
_HEAD = "export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; cd /"
_FOLDER = "/run/mailname-handover"
TURNED = f"{_FOLDER}/turned"
_TABLE = "inet mailname_handover"
_LASTS = 900  # seconds until the program beside ends by itself
_DRAIN = "1"  # seconds for what was taken in to be answered
START = 150.0  # seconds for a server with many zones to be ready

_BEGIN = f"""\
  chain begin {{
    udp dport 53 udp dport set {PORT}
    meta nfproto ipv4 tcp flags & (fin | syn | rst | ack) == syn add @moved4 {{ ip saddr . tcp sport }}
    meta nfproto ipv6 tcp flags & (fin | syn | rst | ack) == syn add @moved6 {{ ip6 saddr . tcp sport }}
  }}
"""


def ruleset(addresses: Iterable[IPAddress]) -> str:
    """Return what leads questions to the program beside.

    It is behind the host's own rules on the way in, and before them and the tracking of connections on the way out: both see
    port 53. A connection that began before stays where it is, one that began meanwhile stays there to its end. What the host
    itself asks goes to port 53.
    """
    every = tuple(addresses)
    led = ""
    for word, version in (("ip", 4), ("ip6", 6)):
        ours = ", ".join(str(one) for one in every if one.version == version)
        if ours:
            led += f'    iifname != "lo" {word} daddr {{ {ours} }} meta l4proto {{ tcp, udp }} th dport 53 jump ours\n'
    return f"""\
table {_TABLE} {{
  set moved4 {{ type ipv4_addr . inet_service; flags timeout, dynamic; timeout 1m; }}
  set moved6 {{ type ipv6_addr . inet_service; flags timeout, dynamic; timeout 1m; }}
{_BEGIN}  chain ours {{
    jump begin
    ip saddr . tcp sport @moved4 tcp dport set {PORT}
    ip6 saddr . tcp sport @moved6 tcp dport set {PORT}
  }}
  chain in {{
    type filter hook input priority 200; policy accept;
{led}  }}
  chain out {{
    type filter hook output priority -350; policy accept;
    oifname != "lo" udp sport {PORT} udp sport set 53
    oifname != "lo" tcp sport {PORT} tcp sport set 53
  }}
}}
"""


_LEAVE = f"""if nft list table {_TABLE} >/dev/null 2>&1; then
  nft flush chain {_TABLE} begin; sleep {_DRAIN}; nft delete table {_TABLE}
fi"""

#: nft where it lacks: a tool that changes nothing by being there.
INSTALL = f"""{_HEAD}; export DEBIAN_FRONTEND=noninteractive
main() {{
  command -v nft >/dev/null && exit 0
  install() {{ apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends nftables 2>&1; }}
  said=$(install) && exit 0
  said=$(apt-get -qq update 2>&1 && install) && exit 0
  printf '%s\\n' "$said" | tail -n 3 >&2; exit 1
}}
main
"""

#: An earlier hand-over that was cut off is undone: what ran before it runs again.
CLEAR = f"""{_HEAD}
main() {{
  systemctl stop {UNIT} 2>/dev/null; systemctl reset-failed {UNIT} 2>/dev/null
  [ ! -e {_FOLDER}/back ] || sh {_FOLDER}/back
  rm -rf {_FOLDER}; mkdir -m 755 {_FOLDER}
}}
main
"""


def beside(words: Iterable[str], user: str, folder: PurePath, rules: str, old: Iterable[str], new: Iterable[str]) -> str:
    """Return the script that starts the program beside, and what brings all back by itself if nobody goes on.

    Args:
        words: what starts it.
        user: as whom it runs.
        folder: its files, which become his.
        rules: the ruleset.
        old: the units of the one that goes.
        new: those of the one that comes.

    """
    before, after = " ".join(old), " ".join(new)
    return f"""{_HEAD}; umask 022
main() {{
  cat > {_FOLDER}/rules <<'END'
{rules}END
  cat > {_FOLDER}/back <<'END'
{_HEAD}
if [ -e {TURNED} ]; then
  systemctl stop {after}; systemctl disable -q {after} 2>/dev/null
  systemctl enable -q {before} 2>/dev/null; timeout {START:.0f} systemctl start {before}
  rm -f {TURNED}
fi
{_LEAVE}
END
  nft -c -f {_FOLDER}/rules || exit 1
  chown -R {shlex.quote(user)} {shlex.quote(str(folder))} || exit 1
  for _ in $(seq 100); do # systemd may not have forgotten the unit of the hand-over before yet
    said=$(systemd-run -q --unit={UNIT} --collect -p User={shlex.quote(user)} -p RuntimeMaxSec={_LASTS} -p LimitNOFILE=65536 \\
      -p 'ExecStopPost=+/bin/sh {_FOLDER}/back' -- {shlex.join(words)} 2>&1) && exit 0
    case $said in *already*) sleep 0.2 ;; *) break ;; esac
  done
  printf '%s\\n' "$said" >&2; exit 1
}}
main
"""


def turn(old: Iterable[str]) -> str:
    """Return the script that leads questions to the program beside, and then stops the one that goes."""
    return f"""{_HEAD}
main() {{
  systemctl is-active -q {UNIT} || exit 1
  nft -f {_FOLDER}/rules || exit 1
  touch {TURNED}; sleep {_DRAIN}
  systemctl stop {" ".join(old)}
}}
main
"""


def release(old: Iterable[str]) -> str:
    """Return the script that leads questions to port 53 again: who listens there now answers, and starts at boot alone."""
    return f"""{_HEAD}
main() {{
  rm -f {TURNED}
  {_LEAVE}
  systemctl disable -q {" ".join(old)} 2>/dev/null; true
}}
main
"""


#: What ran before answers again, and the program beside until it does.
BACK = f"""{_HEAD}
main() {{
  [ -e {_FOLDER}/back ] || exit 0
  if [ ! -e {TURNED} ]; then
    systemctl is-active -q {UNIT} && nft -f {_FOLDER}/rules
    touch {TURNED}; sleep {_DRAIN}
  fi
  sh {_FOLDER}/back
}}
main
"""


def end(folder: PurePath) -> str:
    """Return the script that ends the program beside, and removes its files."""
    return f"{_HEAD}; systemctl stop {UNIT} 2>/dev/null; rm -rf {_FOLDER} {shlex.quote(str(folder))}; true\n"


#: Says which sockets listen at port 53, one on each line.
LISTENING = ("sh", "-c", "ss -Hlntu 'sport = :53' | tr -s ' ' | cut -d ' ' -f 1,5")
