"""How the commands write spans of time and moments: ``6d 4h``, ``3m 20s ago``."""

from __future__ import annotations

from datetime import UTC, datetime


def span(seconds: float) -> str:
    """Write a span of time in its two largest units: ``6d 4h``, ``3m 20s``."""
    left = round(seconds)
    parts: list[str] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def seconds_from_now(iso: str) -> float:
    """Return the seconds until a moment; negative when it is past."""
    return (datetime.fromisoformat(iso) - datetime.now(UTC)).total_seconds()


def ago(iso: str) -> str:
    """Write how long ago a moment was."""
    return f"{span(max(0.0, -seconds_from_now(iso)))} ago"


def ahead(iso: str) -> str:
    """Write how far ahead a moment is."""
    seconds = seconds_from_now(iso)
    return f"in {span(seconds)}" if seconds > 0 else "now"
