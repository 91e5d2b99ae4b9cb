"""Reverse zones: each prefix once, each address inside its prefix and pointed to one name (RFC 1912 section 2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.plan.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.plan.address import IPNetwork
    from mailname.plan.draft import Draft, ReverseTable


def check(draft: Draft) -> Iterator[Fault]:
    """Judge the reverse zones."""
    seen: set[IPNetwork] = set()
    for zone in draft.reverse_zones:
        if zone.prefix and zone.prefix.value in seen:
            yield Fault(zone.prefix.path, f"The reverse zone of {zone.prefix.value} is there twice.", "Join the two tables.")
        if zone.prefix:
            seen.add(zone.prefix.value)
        yield from _pointers(zone)


def _pointers(zone: ReverseTable) -> Iterator[Fault]:
    seen = set()
    for pointer in zone.ptr:
        if pointer.address is None:
            continue
        address = pointer.address.value
        if zone.prefix and (address.version != zone.prefix.value.version or address not in zone.prefix.value):
            yield Fault(
                pointer.address.path, f"{address} is not in {zone.prefix.value}.", "Put it under the prefix that holds it."
            )
        elif address in seen:
            yield Fault(
                pointer.address.path,
                f"{address} has a second PTR.",
                "Point an address to one name: mail servers expect it.",
                "warning",
            )
        seen.add(address)
