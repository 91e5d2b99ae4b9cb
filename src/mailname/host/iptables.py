"""What ``iptables-save`` prints, as the entries that ``nft -j`` would print: ufw, and whoever else writes rules by iptables.

A match or a target that is not known here becomes nft's own word for it, ``xt``: one that may fit or not.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_STATES = ("--ctstate", "--state")
_PORTS = ("--dport", "--dports", "--destination-port", "--destination-ports")
_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "reject", "RETURN": "return"}
_STATEMENTS = ("LOG", "NFLOG", "MARK", "CONNMARK", "ULOG", "TRACE", "SET")  # targets after which the next rule is asked
_KNOWN = ("tcp", "udp", "conntrack", "state", "multiport", "comment", "limit", "addrtype", "rt")


def read_saved(text: str, family: str) -> list[dict[str, Any]]:
    """Read the table ``filter``; empty where nothing was printed or nothing is in it.

    Args:
        text: what iptables-save printed for that table.
        family: ``ip`` or ``ip6``.

    """
    entries: list[dict[str, Any]] = []
    of = {"family": family, "table": "filter"}
    for line in text.split("\n"):
        if line.startswith(":"):
            name, _, policy = line[1:].partition(" ")
            policy = policy.partition(" ")[0].lower()
            hooked = {"type": "filter", "hook": name.lower(), "prio": 0, "policy": policy} if policy != "-" else {}
            entries.append({"chain": {**of, "name": name, **hooked}})
        elif line.startswith("-A "):
            try:
                words = shlex.split(line)
            except ValueError:
                words = ["-A", line.split(" ")[1], "-m", "unreadable", "-j", "unreadable"]
            if len(words) > 1:
                entries.append({"rule": {**of, "chain": words[1], "expr": list(_expressions(words[2:], family))}})
    return entries


def _expressions(words: list[str], family: str) -> Iterator[dict[str, Any]]:
    """Yield a rule's matches and its verdict, in order."""
    negated = False
    left = iter(words)
    for word in left:
        if word == "!":
            negated = True
            continue
        if word in ("-j", "-g"):
            yield from _target(next(left, ""), "goto" if word == "-g" else "jump")
            return  # what follows are the target's own options
        expression = _match(word, left, family)
        if expression is not None:
            if negated and "match" in expression:
                expression["match"]["op"] = "!="
            elif negated:
                expression = {"xt": {"name": word}}
            yield expression
        negated = False


def _match(word: str, left: Iterator[str], family: str) -> dict[str, Any] | None:
    if word == "-m":
        name = next(left, "")
        return None if name in _KNOWN else {"xt": {"name": name}}
    if word in ("-p", "--protocol"):
        return _compared({"meta": {"key": "l4proto"}}, next(left, ""))
    if word in ("-s", "--source"):
        address, middle, length = next(left, "").partition("/")
        right = {"prefix": {"addr": address, "len": length}} if middle else address
        return _compared({"payload": {"protocol": family, "field": "saddr"}}, right)
    if word in ("-d", "--destination"):
        return _compared({"payload": {"protocol": family, "field": "daddr"}}, next(left, "").partition("/")[0])
    if word == "--rt-type":
        next(left, "")
        return _compared({"exthdr": {"name": "rt"}}, True)
    if word in ("-i", "--in-interface"):
        return _compared({"meta": {"key": "iifname"}}, next(left, ""))
    if word in _STATES:
        return _compared({"ct": {"key": "state"}}, next(left, "").lower().split(","))
    if word in _PORTS:
        return _compared(
            {"payload": {"protocol": "th", "field": "dport"}}, {"set": [_port(one) for one in next(left, "").split(",")]}
        )
    if word == "--dst-type":
        return _compared({"fib": {"result": "type", "flags": ["daddr"]}}, next(left, "").lower())
    if word == "--tcp-flags":
        mask, flags = (next(left, "").lower().split(",") for _ in range(2))
        return _compared({"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, mask]}, flags)
    if word == "--syn":
        return _compared({"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["fin", "syn", "rst", "ack"]]}, ["syn"])
    if word in ("--comment", "--limit", "--limit-burst"):
        next(left, "")  # one packet is below each limit
        return None
    return {"xt": {"name": word}} if word.startswith("-") else None


def _target(name: str, word: str) -> Iterator[dict[str, Any]]:
    if name in _VERDICTS:
        yield {_VERDICTS[name]: None}
    elif name and name not in _STATEMENTS:
        yield {word: {"target": name}}


def _port(text: str) -> Any:
    low, middle, high = text.partition(":")
    if middle and low.isdecimal() and high.isdecimal():
        return {"range": [int(low[:5]), int(high[:5])]}
    return int(low[:5]) if low.isdecimal() and not middle else text


def _compared(left: dict[str, Any], right: Any) -> dict[str, Any]:
    return {"match": {"op": "==", "left": left, "right": right}}
