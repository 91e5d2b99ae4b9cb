"""Times in a plan: seconds, or a number with units as in zone files ("4h", "1d12h")."""

from __future__ import annotations

import re

from mailname.plan.fault import WrongValueError

PATTERN = r"^([0-9]+[wdhmsWDHMS])+$"
_IN_WORDS = r"(\s*\d+\s*(w|d|h|m|s|weeks?|days?|hours?|min|minutes?|sec|seconds?)\b[\s,]*)+"
MAXIMUM = 2**31 - 1  # RFC 2181 section 8
_UNITS = {"w": 604800, "d": 86400, "h": 3600, "m": 60, "s": 1}


def read_seconds(value: object) -> int:
    """Return seconds; raises WrongValueError for what is no time."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise WrongValueError("This must be a time.", 'Write seconds, as in 3600, or units, as in "1h".')
    if isinstance(value, str):
        if value.isdecimal():
            raise WrongValueError(f'"{value}" is text, not a number.', f"Write {int(value)} without quotes.", instead=int(value))
        if not re.fullmatch(PATTERN, value):
            problem = f'"{value}" is not a time.'
            if re.fullmatch(_IN_WORDS, value.lower()):
                short = "".join(f"{number}{unit[0]}" for number, unit in re.findall(r"(\d+)\s*([a-z]+)", value.lower()))
                raise WrongValueError(problem, f'Write "{short}".', instead=short)
            raise WrongValueError(problem, 'Write seconds, as in 3600, or units w d h m s, as in "1h30m".')
        value = sum(int(number) * _UNITS[unit.lower()] for number, unit in re.findall(r"([0-9]+)(\D)", value))
    if not 0 <= value <= MAXIMUM:
        raise WrongValueError(f"{value} is not a time in seconds.", f"Write a number from 0 to {MAXIMUM}.")
    return value


def say_seconds(seconds: int) -> str:
    """Say a number of seconds as a person would: '14400 (4 hours)'."""
    for unit, name in ((604800, "week"), (86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit and seconds % unit == 0:
            count = seconds // unit
            return f"{seconds} ({count} {name}{'s' if count > 1 else ''})"
    return f"{seconds} ({seconds} second{'s' if seconds != 1 else ''})" if seconds < 60 else str(seconds)
