"""What ``mailname status`` tells of keys and of the certificate: which key signs, who uses which, and until when TLS is good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from mailname.view.span import ago, ahead

if TYPE_CHECKING:
    from collections.abc import Mapping


def key_lines(status: Mapping[str, Any]) -> list[str]:
    """Return a line for each key of a file with several (a rotation is under way), and one for the certificate."""
    lines = []
    for file in status.get("keys", ()):
        for key in file["keys"] if len(file["keys"]) > 1 else ():
            what = "signs" if key["signs"] else "is taken, too"
            users = ", ".join(f"{one['address']} {ago(one['at'])}" for one in key["used_by"]) or "nobody since the start"
            lines.append(f"key {escape(key['name'].rstrip('.'))} {what}; used by {users}")
    if tls := status.get("tls"):
        until = (
            f"the certificate is good until {tls['expires'][:10]} ({ahead(tls['expires'])})"
            if tls["expires"] and not tls["says"]
            else ""
        )
        bad = f"[red]{escape(tls['says'])}[/]"
        at = f" at {', '.join(tls['listen'])}" if tls["listen"] else ""
        lines.append(f"TLS{at}: {until or bad}")
    return lines
