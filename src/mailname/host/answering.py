"""Whether name servers answer at their addresses, by UDP and by TCP, for every zone and with one serial: asked from here."""

from __future__ import annotations

import asyncio
import errno
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dns.exception
import dns.flags
import dns.message
import dns.rcode
from dns.rdatatype import RdataType

from mailname.server.network import ask_tcp, ask_udp

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name

    from mailname.server.network import Endpoint, Network

_ONE = 1.5  # seconds for one question
_POLL = 0.05
_LONGEST_POLL = 1.0
_NO_WAY = {errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}


@dataclass(slots=True)
class Asked:
    """One zone at one address by one protocol.

    Attributes:
        serial: what it answered, authoritatively; None where it did not.
        says: why not, in a few words.
        from_here: whether this computer has a way to such an address at all; without one, nobody can tell from here.

    """

    server: Name
    zone: Name
    at: Endpoint
    protocol: str
    serial: int | None = None
    says: str = "not asked yet"
    from_here: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "server": self.server.to_text(),
            "zone": self.zone.to_text(),
            "address": str(self.at),
            "protocol": self.protocol,
            "serial": self.serial,
            "says": self.says,
        }


def is_well(every: Iterable[Asked]) -> bool:
    """Tell whether all that can be asked from here answer, each zone with one serial."""
    asked = [one for one in every if one.from_here]
    serials = {(one.zone, one.serial) for one in asked}
    return bool(asked) and all(one.serial is not None for one in asked) and len(serials) == len({zone for zone, _ in serials})


async def wait_for_answers(network: Network, every: list[Asked], seconds: float) -> bool:
    """Ask them all until all are well or the time is up; tell which."""
    deadline = asyncio.get_running_loop().time() + seconds
    pause = _POLL
    while True:
        await asyncio.gather(*(_ask(network, one) for one in every))
        if is_well(every):
            return True
        if asyncio.get_running_loop().time() + pause >= deadline:
            return False
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_POLL)


async def _ask(network: Network, one: Asked) -> None:
    query = dns.message.make_query(one.zone, RdataType.SOA, use_edns=False)
    query.flags = dns.flags.Flag(0)
    ask = ask_udp if one.protocol == "udp" else ask_tcp
    one.serial = None
    try:
        answer = dns.message.from_wire(await ask(network, query.to_wire(), one.at, timeout=_ONE), ignore_trailing=True)
    except TimeoutError:
        one.says = "no answer"
        return
    except EOFError:
        one.says = "the connection was closed without an answer"
        return
    except OSError as error:
        one.from_here = error.errno not in _NO_WAY
        one.says = "nothing listens there" if isinstance(error, ConnectionRefusedError) else error.strerror or "cannot be reached"
        return
    except (dns.exception.DNSException, ValueError):
        one.says = "an answer that cannot be read"
        return
    soa = next((rrset[0] for rrset in answer.answer if rrset.rdtype == RdataType.SOA and rrset.name == one.zone), None)
    if answer.rcode() != dns.rcode.NOERROR:
        one.says = f"answers {dns.rcode.to_text(answer.rcode())}"
    elif soa is None or not answer.flags & dns.flags.AA:
        one.says = "answers without authority"
    else:
        one.serial, one.says = soa.serial, f"serial {soa.serial}"
