"""What was seen of a machine whose DNS or mail port is mute: whether another of its ports gives a sign of life."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

from mailname.checks.json_values import text, whole
from mailname.checks.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mailname.server.network import IPAddress


class Knock(NamedTuple):
    """One TCP connection that was tried and closed at once."""

    address: IPAddress
    port: int
    outcome: Outcome

    @property
    def is_sign_of_life(self) -> bool:
        """Whether the machine itself answered: by taking the connection, or by refusing it."""
        return self.outcome in (Outcome.ANSWER, Outcome.REFUSED)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"address": str(self.address), "port": self.port, "outcome": self.outcome.value}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Knock:
        """Read what ``to_json`` gave."""
        return cls(ip_address(text(value, "address")), whole(value, "port"), Outcome(text(value, "outcome")))
