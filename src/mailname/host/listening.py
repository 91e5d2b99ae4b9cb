"""What listens on a host to the world: port, program, unit, package."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from mailname.host.facts import whole_number

if TYPE_CHECKING:
    from mailname.host.facts import Facts
    from mailname.plan.hosts import Host

#: The units that let people in by SSH, by all their names.
SSH_UNITS = ("ssh.service", "ssh.socket", "sshd.service", "sshd.socket")
_USERS = re.compile(r'\("([^"]*)",pid=(\d+)')


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that takes what comes from elsewhere."""

    protocol: str
    address: str
    port: int
    program: str
    unit: str = ""
    package: str = ""

    @property
    def is_local(self) -> bool:
        """Whether only this host itself can reach it."""
        try:
            return ip_address(self.address.partition("%")[0]).is_loopback
        except ValueError:
            return False

    @property
    def is_everywhere(self) -> bool:
        """Whether it is reached at every address of the host."""
        try:
            return ip_address(self.address.partition("%")[0]).is_unspecified
        except ValueError:
            return False

    def __str__(self) -> str:
        of = ", ".join(word for word in (self.unit, f"package {self.package}" if self.package else "") if word)
        return f"{self.program or 'something'} at {self.port}/{self.protocol}{f' ({of})' if of else ''}"


def listeners(facts: Facts) -> list[Listener]:
    """Return all listening sockets, in order, as ``ss`` prints them."""
    sockets = {
        words[0].rpartition(":")[2]: words[1]
        for words in map(str.split, facts["sockets"].lines)
        if len(words) > 1 and ":" in words[0]
    }
    processes = {words[0]: words[1:] for words in (line.split(" ") for line in facts["processes"].lines) if len(words) == 4}
    found = set()
    for line in facts["listening"].lines:
        words = line.split()
        if len(words) < 5 or words[0] not in ("tcp", "udp"):
            continue
        address, _, port = words[4].rpartition(":")
        number = whole_number(port)
        if number is None:
            continue
        address = address.replace("[", "").replace("]", "").replace("*", "::")  # the zone of an address stands behind the bracket
        users = _USERS.findall(line) or [("", "")]
        program = users[0][0]
        pid = next((one for _, one in users if one in processes), users[0][1])
        unit, _, package = processes.get(pid, ["", "", ""])
        if pid == "1":
            unit = sockets.get(port, unit)
        found.add(Listener(words[0], address, number, program, unit, package))
    return sorted(found, key=lambda one: (one.port, one.protocol, one.address))


def sshd_ports_not_open(facts: Facts, host: Host) -> list[int]:
    """Return the ports at which sshd lets people in from elsewhere, and which the plan does not open."""
    found = {one.port for one in listeners(facts) if not one.is_local and is_sshd(one)}
    return sorted(port for port in found if (port, "tcp") not in host.open_ports)


def is_sshd(one: Listener) -> bool:
    """Tell whether it is sshd, or systemd in its place."""
    return one.program == "sshd" or one.unit in SSH_UNITS
