"""What happened between two servers, in one line of words."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from mailname.transfer.failed_transfer import KEY_CODES
from mailname.view.span import span

if TYPE_CHECKING:
    from collections.abc import Mapping


def in_words(event: Mapping[str, Any]) -> str:
    """Say what happened."""
    to, held = event["serial_to"], event["serial_from"]
    incoming = event["direction"] == "in"
    match event["what"]:
        case "transfer":
            before = f" after {held}" if held is not None else ""
            done = "fetched" if incoming else "sent"
            return (
                f"{event['kind']} {done}: serial {to}{before}, {counted(event['messages'], 'message')},"
                f" {counted(event['records'], 'record')}, {counted(event['octets'], 'octet')}, {event['seconds']:.3f} s"
            )
        case "up-to-date":
            return f"{'has' if incoming else 'has already'} serial {to}: up to date"
        case "notify" if event["result"] == "acknowledged":
            told = f"serial {to}" if to is not None else "no serial"
            return f"NOTIFY of {told} {'received' if incoming else 'acknowledged'}"
        case "notify":
            told = f"serial {to}" if to is not None else "no serial"
            return f"NOTIFY of {told} {'refused' if incoming else 'not acknowledged'}: {event['says']}"
        case "refused":
            what = "request" if event["result"] in KEY_CODES else "transfer"  # a signature is judged before what is asked
            return f"{what} refused ({event['result']}): {event['says']}"
        case "failed" if incoming:
            offered = f", serial {to} was offered" if to is not None else ""
            return f"refresh failed ({event['result']}{offered}): {event['says']}"
        case "failed":
            return f"sending serial {to} failed: {event['says']}"
        case "expired":
            return f"serial {held} expired: {event['says']}"
        case _:
            return f"served again, serial {to}"


def repeated(event: Mapping[str, Any]) -> str:
    """Say how often the same happened in a row, and in what time."""
    if event["count"] == 1:
        return ""
    seconds = (datetime.fromisoformat(event["end"]) - datetime.fromisoformat(event["start"])).total_seconds()
    return f" ({event['count']} times" + (f" in {span(seconds)})" if seconds >= 1 else ")")


def counted(number: int, word: str) -> str:
    """Write a count with its word."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"
