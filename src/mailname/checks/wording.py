"""Words for a tired person: names without the last dot, lists with an 'and', and the lines to type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from dns.name import Name

    from mailname.plan import NameServer
    from mailname.server.network import IPAddress

# What an operator types to look after each engine (systemd unit names on Debian).
_UNITS = {"builtin": "mailname", "bind": "named", "knot": "knot", "nsd": "nsd"}


def spoken(name: Name) -> str:
    """Return a name as people say it."""
    return name.to_text(omit_final_dot=True)


def listed(items: Iterable[object], last: str = "and") -> str:
    """Join: a, b and c."""
    words = [str(item) for item in items]
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {last} {words[-1]}"


def names(items: Iterable[Name]) -> str:
    """Join names as people say them, in canonical order."""
    return listed(spoken(name) for name in sorted(items))


def dig(address: IPAddress, qname: Name, qtype: str, *options: str) -> str:
    """Return the line that repeats a probe."""
    return " ".join(["dig", "+norec", *options, f"@{address}", spoken(qname) or ".", qtype])


def unit(server: NameServer) -> str:
    """Return the systemd unit of a name server's engine."""
    return _UNITS[server.engine]


def plan_file(domain: Name) -> str:
    """Return the file name under which ``mailname init`` writes the plan of a domain."""
    return f"{spoken(domain)}.toml"


def clock_time(moment: datetime) -> str:
    """Return a time of day in UTC."""
    return moment.strftime("%H:%M:%S UTC")


def duration(seconds: float) -> str:
    """Return seconds in the largest unit that reads well."""
    for size, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = round(seconds / size)
            return f"{count} {word}{'' if count == 1 else 's'}"
    count = round(seconds)
    return f"{count} second{'' if count == 1 else 's'}"


def sentence(text: str) -> str:
    """Return the text with a capital first and a full stop last; host names keep their spelling."""
    text = text.strip()
    if text and not re.match(r"\S*\.\S", text):
        text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
