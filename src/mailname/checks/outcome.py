"""What became of a question or a visit, before anyone judges it."""

from __future__ import annotations

import enum


class Outcome(enum.StrEnum):
    """What became of a question, before anyone judges it."""

    ANSWER = "answer"
    SILENT = "silent"
    REFUSED = "refused"  # the port is closed: TCP reset or ICMP port unreachable. Not the rcode of that name
    UNREACHABLE = "unreachable"  # no route from here
    GARBLED = "garbled"
