"""A primary that cannot be reached, or not to the end: nothing listens, a packet filter, a line that breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailname.transfer.failed_transfer import Case

_Found = tuple[str, str, str]
_FORBIDDEN = "Operation not permitted"  # what the system says where its own filter drops what a program sends
OPENED_AND_SILENT = "the connection was opened, and no answer came"  # by TCP: it is not closed to us


def connection_refused(case: Case) -> _Found:
    """Name what a refused connection means: by UDP it may answer."""
    if case.failed.offered is not None:
        return (
            "REPL-08",
            f"{case.who} answers by UDP, and refuses TCP connections to its port",
            f"Let the server on {case.who} listen on TCP too, and let its packet filter pass it; try: {case.by_tcp}",
        )
    return (
        "REPL-07",
        f"nothing listens at {case.failed.peer}{case.one_of_several}",
        f"Let the server on {case.who} listen there, or correct its address {case.here}; try: {case.by_udp}"
        if case.one_of_several
        else f"Start the server on {case.who}, or correct its address {case.here}; try: {case.by_udp}",
    )


def tcp_silent(case: Case) -> _Found:
    """Name what silence by TCP means where UDP is answered."""
    if OPENED_AND_SILENT in case.failed.says:
        return (
            "REPL-13",
            f"{case.who} takes the connection, and nothing of the transfer comes: large packets are lost on the way, or it hangs",
            f"Lower the MTU on {case.who}, or let ICMP 'too big' pass on the way; try {case.here}: ping -M do -s 1400 {case.at}",
        )
    return (
        "REPL-09",
        f"{case.who} answers by UDP, and nothing comes back over TCP: port 53 TCP is dropped on the way or there",
        f"Open TCP port 53 for {case.failed.asked_from or 'this server'} before {case.who}; try: {case.by_tcp}",
    )


def silent(case: Case) -> _Found:
    """Name what silence means."""
    return (
        "REPL-10",
        f"{case.failed.peer if case.who == case.at else f'{case.who} ({case.failed.peer})'} answers neither by UDP nor by TCP"
        f"{case.one_of_several}",
        f"Open port 53, UDP and TCP, of {case.at}, or correct the address {case.here}; try: {case.by_udp}"
        if case.one_of_several
        else f"Start the server there, or open port 53, UDP and TCP, before it; try: {case.by_udp}",
    )


def unreachable(case: Case) -> _Found:
    """Name what the system means that sends nothing at all."""
    whom = case.who if case.who == case.at else f"{case.who} ({case.at})"
    if _FORBIDDEN in case.failed.says:
        return (
            "REPL-11",
            f"a packet filter of {case.secondary.name} itself forbids what it sends to {whom}: {_FORBIDDEN}",
            f"Look at it {case.here}: sudo nft list ruleset",
        )
    return (
        "REPL-11",
        f"{case.secondary.name} cannot reach {whom}: {case.told.removeprefix('cannot be reached: ')}{case.one_of_several}",
        f"Look at the routes {case.here}: ip route get {case.at}; where that is well, a packet filter on the way turns it away",
    )


def reset(case: Case) -> _Found:
    """Name what the end of a connection means."""
    return (
        "REPL-12",
        f"the connection to {case.who} was closed in the middle of the transfer: {case.told}",
        f"Look at the log on {case.who}, and at what stands between; it is tried again by itself, or now: {case.again}",
    )


def stalled(case: Case) -> _Found:
    """Name what a transfer means that does not go on."""
    return (
        "REPL-13",
        f"the transfer from {case.who} began and stopped: {case.told}",
        f"Look for a link that loses large packets (MTU), or a server that hangs; it is tried again, or now: {case.again}",
    )
