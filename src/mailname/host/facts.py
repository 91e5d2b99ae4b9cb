"""What a host said of itself: the output of each command of the script that was run there, and what was tried from outside.

The script prints ``@ NAME`` before a command's output, ``| `` before each of its lines, and ``= CODE`` after it, so that no
output can be taken for another command's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from mailname.errors import HostError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from ipaddress import IPv4Address, IPv6Address

END = "end"
_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Told:
    """What one command printed, without its last line end, and its exit status: 127 where there is no such command."""

    text: str
    code: int

    @property
    def lines(self) -> list[str]:
        """Its lines."""
        return self.text.split("\n") if self.text else []


_NOTHING = Told("", 127)


@dataclass(frozen=True, slots=True)
class Tried:
    """A port that was tried from outside.

    Attributes:
        says: ``open`` (somebody listens), ``closed`` (nothing listens, the packet filter lets it through), ``silent`` (nothing
            came back), ``unreachable`` (something on the way refused).

    """

    address: IPv4Address | IPv6Address
    port: int
    protocol: str
    says: str

    @property
    def at(self) -> str:
        """The port and where."""
        return f"{self.port}/{self.protocol} at {self.address}"


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one host.

    Attributes:
        told: each command's output, by its name.
        tried: ports, from here.
        offered_logins: by which methods sshd lets a stranger try, as it says itself.
        names: the names to which each address leads; None where nobody told.
        forward: the addresses of each of those names.

    """

    told: Mapping[str, Told]
    tried: tuple[Tried, ...] = ()
    offered_logins: str = ""
    names: Mapping[str, tuple[str, ...] | None] = field(default_factory=lambda: MappingProxyType({}))
    forward: Mapping[str, tuple[str, ...] | None] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, name: str) -> Told:
        return self.told.get(name, _NOTHING)

    @property
    def is_root(self) -> bool:
        """Whether the script was run with all rights."""
        return self["uid"].text == "0"

    def pairs(self, name: str, separator: str = "=") -> dict[str, str]:
        """Return the lines ``KEY=VALUE`` of a command's output."""
        found = (line.partition(separator) for line in self[name].lines)
        return {key.strip(): value.strip() for key, middle, value in found if middle}

    def kept(self) -> dict[str, str]:
        """Return the text of the files that were asked for, as far as there are such."""
        texts: dict[str, list[str]] = {}
        lines: list[str] = []
        for line in self["kept"].lines:
            if line.startswith("# "):
                lines = texts.setdefault(line.split(" ")[1], [])
            else:
                lines.append(line[1:])
        return {path: "".join(f"{line}\n" for line in lines) for path, lines in texts.items()}


def whole_number(text: str) -> int | None:
    """Read a number that is not negative, of at most 18 digits; None for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def read_told(text: str) -> dict[str, Told]:
    """Read what the script printed.

    Raises:
        HostError: it is not whole: the connection was cut, or something else answered.

    """
    found: dict[str, Told] = {}
    name, lines = "", list[str]()
    for line in text.split("\n"):  # not splitlines: a form feed that a command printed ends no line of the script
        mark, rest = line[:2], line[2:]
        if mark == "@ ":
            name, lines = rest, []
        elif mark == "| " or line == "|":
            lines.append(rest)
        elif mark == "= " and name and (code := whole_number(rest)) is not None:
            found[name] = Told("\n".join(lines).rstrip("\n"), code)
            name = ""
    if END not in found:
        raise HostError(
            "what the host told of itself is not whole",
            remedy="Run it again; where it ends at the same place, look what is printed at each login there (.bashrc, motd).",
            step="look",
        )
    return found
