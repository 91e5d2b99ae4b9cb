"""TTLs and other times in zone-file text: seconds, or BIND's units (1w2d3h4m5s)."""

from __future__ import annotations

import re

HIGHEST_TTL = 2**31 - 1  # RFC 2181 section 8

_UNITS = (("week", 604800), ("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_SECONDS = {name[0]: seconds for name, seconds in _UNITS}
_WRITTEN = re.compile(r"(?:\d{1,12}[wdhms])+|\d{1,12}", re.IGNORECASE | re.ASCII)
_PART = re.compile(r"(\d+)([wdhms]?)", re.IGNORECASE | re.ASCII)


def seconds_from_text(text: str) -> int | None:
    """Return the seconds that are written, or None where this is no time of at most 2**32 - 1 seconds."""
    if len(text) > 64 or not _WRITTEN.fullmatch(text):
        return None
    seconds = sum(int(number) * _SECONDS[(unit or "s").lower()] for number, unit in _PART.findall(text))
    return seconds if seconds < 1 << 32 else None


def limited(ttl: int) -> int:
    """Return the TTL as it counts: one above 2**31 - 1 means 0 (RFC 2181 section 8)."""
    return ttl if ttl <= HIGHEST_TTL else 0


def words(seconds: int) -> str:
    """Say seconds as a person would: ``1 hour 30 minutes``."""
    parts = []
    for name, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'s' if count > 1 else ''}")
    return " ".join(parts) or "0 seconds"
