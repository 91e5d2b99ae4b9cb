"""A plan's octets as text."""

from __future__ import annotations

from mailname.errors import Mistake, PlanError, Position


def decode(octets: bytes, file: str) -> str:
    """Turn a file's octets into text; raises PlanError with the place of the first octet that is not UTF-8."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        before = octets[: error.start].decode("utf-8")
        line = before.count("\n") + 1
        column = len(before) - (before.rfind("\n") + 1) + 1
        if octets[:2] in {b"\xff\xfe", b"\xfe\xff"}:
            remedy = "The file looks like UTF-16: save it as UTF-8."
        else:
            remedy = f"Octet {octets[error.start]:#04x} stands there: save the file as UTF-8."
        raise PlanError((Mistake(Position(file, line, column), "The file is not UTF-8 text.", remedy),)) from None
