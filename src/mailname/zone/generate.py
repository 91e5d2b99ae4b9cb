"""$GENERATE: many records from one line, as BIND has it. Not in any RFC."""

from __future__ import annotations

import re

_RANGE = re.compile(r"(\d{1,10})-(\d{1,10})(?:/(\d{1,10}))?", re.ASCII)
_MODIFIER = re.compile(r"\{([+-]?\d{1,10})(?:,(\d{1,3})(?:,([doxXnN]))?)?\}", re.ASCII)
_PIECE = re.compile(r"\\.|\$\$|\$|[^\\$]++|\\", re.DOTALL)
_HIGHEST = 2**31 - 1
_WIDEST = 127  # BIND formats each number into 128 octets


class GenerateError(Exception):
    """The range or a modifier is wrong. Never leaves the package."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


def numbers(text: str) -> range:
    """Return the numbers of ``start-stop`` or ``start-stop/step``, both ends included.

    Raises:
        GenerateError: it is no such range.

    """
    match = _RANGE.fullmatch(text)
    if match is None:
        raise GenerateError(f"{text} is not a range of numbers.", "Write the first and the last number: 1-20, or 0-254/2.")
    start, stop, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if start > stop:
        raise GenerateError(f"the range {text} ends before it begins.", f"Write {stop}-{start}.")
    if max(start, stop, step) > _HIGHEST or step < 1:
        raise GenerateError(f"the range {text} is not possible.", f"The numbers are at most {_HIGHEST}, the step at least 1.")
    return range(start, stop + 1, step)


def fill(template: str, number: int) -> str:
    """Put a number in place of each ``$`` or ``${offset,width,base}``; ``$$`` is a dollar sign, an escape stays as it is.

    Raises:
        GenerateError: a modifier is wrong.

    """
    out: list[str] = []
    position = 0
    while match := _PIECE.match(template, position):
        piece, position = match[0], match.end()
        if piece == "$$":
            out.append("$")
        elif piece == "$":
            modifier = _MODIFIER.match(template, position)
            if modifier is not None:
                position = modifier.end()
                out.append(_formatted(number + int(modifier[1]), int(modifier[2] or 0), modifier[3] or "d"))
            elif template.startswith("{", position):
                raise GenerateError(
                    f"the modifier in {template} is wrong.",
                    "Write ${offset,width,base} as in ${0,3,d}; base is one of d o x X n N.",
                )
            else:
                out.append(str(number))
        else:
            out.append(piece)
    return "".join(out)


def _formatted(value: int, width: int, base: str) -> str:
    if width > _WIDEST:
        raise GenerateError(f"a width of {width} is too large.", f"It is at most {_WIDEST}.")
    if base in "nN":
        return _nibbles(value, width, base)
    if value < 0 and base != "d":
        value &= 0xFFFFFFFF  # as C prints a negative int without sign
    return format(value, base).zfill(width)


def _nibbles(value: int, width: int, base: str) -> str:
    """Write hexadecimal digits, the lowest first, with dots between: for ip6.arpa.

    The width counts the dots as well, so an even one ends in a dot, as in BIND.
    """
    if value < 0:
        raise GenerateError(f"{value} cannot be written as nibbles.", "Choose an offset that keeps all numbers above zero.")
    digits = format(value, "X" if base == "N" else "x")[::-1].ljust((width + 1) // 2, "0")
    return ".".join(digits) + "." * (2 * len(digits) == width)
