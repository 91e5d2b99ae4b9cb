"""Who may update what: rules that give names and types to keys. What no rule allows is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.zone.name_pattern import any_matches

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dns.name import Name

#: What a rule without types does not allow: the zone's own affairs, and what signing makes.
RESERVED = frozenset(
    {RdataType.SOA, RdataType.NS, RdataType.RRSIG, RdataType.NSEC, RdataType.NSEC3, RdataType.NSEC3PARAM, RdataType.DNSKEY}
)


@dataclass(frozen=True, slots=True)
class UpdateRule:
    """What one key may update.

    Attributes:
        keys: any of these; a rotated key has two names for a while.
        names: exact names, or ``*.NAME`` for all below NAME.
        types: none stands for all but those of ``RESERVED``.

    """

    keys: tuple[Name, ...]
    names: tuple[Name, ...]
    types: frozenset[RdataType] = frozenset()

    def allows(self, name: Name, rdtype: RdataType) -> bool:
        """Tell whether records of this name and type may be changed."""
        return (rdtype in self.types if self.types else rdtype not in RESERVED) and any_matches(self.names, name)


def rules_of(rules: Iterable[UpdateRule], key: Name) -> tuple[UpdateRule, ...]:
    """Return the rules that are for a key."""
    return tuple(rule for rule in rules if key in rule.keys)


def is_allowed(rules: Iterable[UpdateRule], name: Name, rdtype: RdataType) -> bool:
    """Tell whether one of several rules allows a change."""
    return any(rule.allows(name, rdtype) for rule in rules)
