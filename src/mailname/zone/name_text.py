"""Names in zone-file text: relative and absolute, with escapes (RFC 1035 section 5.1, RFC 4343 section 2.1)."""

from __future__ import annotations

import dns.name
from dns.name import Name


class NameTextError(Exception):
    """The text is not a name. Never leaves the package."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


def name_from_text(text: str, origin: Name) -> Name:
    r"""Return the absolute name that is written.

    Args:
        text: as written, with escapes; ``@`` is the origin, a final dot makes a name absolute.
        origin: absolute; what relative names end in.

    Raises:
        NameTextError: it is no name; the problem and the remedy are in plain words.

    """
    if text == "@":
        return origin
    if not text.isascii():
        raise _not_ascii(text)
    try:
        if "\\" in text:
            return dns.name.from_text(text, origin)
        if text == ".":
            return dns.name.root
        labels = text.encode("ascii").split(b".")
        return Name(labels if labels[-1] == b"" and len(labels) > 1 else (*labels, *origin.labels))
    except (dns.name.EmptyLabel, dns.name.LabelTooLong, dns.name.NameTooLong, dns.name.BadEscape) as error:
        raise _explained(text, error) from None


def name_to_text(name: Name, origin: Name) -> str:
    """Write a name, relative where the origin's part of it is spelled exactly as the origin is; ``@`` for the origin itself."""
    shared = len(origin.labels)
    if name.labels[-shared:] != origin.labels:
        return name.to_text()
    return Name(name.labels[:-shared]).to_text() if len(name.labels) > shared else "@"


def _explained(text: str, error: dns.exception.DNSException) -> NameTextError:
    shown = text if len(text) <= 80 else text[:77] + "..."
    if isinstance(error, dns.name.EmptyLabel):
        what = "begins with a dot" if text.startswith(".") else "has two dots in a row"
        return NameTextError(f"{shown} is not a name: it {what}.", "Separate the labels of a name by single dots.")
    if isinstance(error, dns.name.LabelTooLong):
        return NameTextError(f"{shown} is not a name: a label is longer than 63 octets.", "Shorten the label.")
    if isinstance(error, dns.name.NameTooLong):
        return NameTextError(f"{shown} is not a name: with its origin it is longer than 255 octets.", "Shorten the name.")
    return NameTextError(
        f"{shown} is not a name: a backslash in it is not followed by a character or by a number from 000 to 255.",
        r"Write \. for a dot inside a label, \032 for a space, \\ for a backslash.",
    )


def _not_ascii(text: str) -> NameTextError:
    import idna

    strange = next(c for c in text if not c.isascii())
    if strange in "\u00a0\u2007\u202f\u200b\ufeff":
        return NameTextError(
            f"{text!a} contains an invisible character (U+{ord(strange):04X}).",
            "Replace it with an ordinary space, or remove it.",
        )
    try:
        spelled = idna.encode(text.rstrip("."), uts46=True).decode() + ("." if text.endswith(".") else "")
    except (idna.IDNAError, UnicodeError):
        return NameTextError(
            f"{text!a} is not a name in ASCII.", "Names in a zone file are ASCII; write IDNs in their xn-- form."
        )
    return NameTextError(f"{text} is not a name in ASCII.", f"Write it in its IDN form: {spelled}")
