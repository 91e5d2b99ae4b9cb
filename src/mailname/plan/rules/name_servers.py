"""Name servers: how many, on which addresses, and who is the primary (RFC 1034 section 4.1, RFC 2182 sections 3.1 and 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.plan import names
from mailname.plan.address import prefix, private_reason
from mailname.plan.fault import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.plan.address import IPAddress
    from mailname.plan.draft import At, Draft, Host


def check(draft: Draft) -> Iterator[Fault]:
    """Judge the name servers together."""
    yield from _count(draft)
    yield from _roles(draft)
    yield from _names(draft)
    yield from _addresses(draft)
    yield from _families(draft)


def _count(draft: Draft) -> Iterator[Fault]:
    if len(draft.name_servers) == 1 and draft.name_servers_whole:
        yield Fault(
            draft.name_servers[0].path,
            "There is only one name server: when it blinks, the domain is gone, and most registries ask for two.",
            "Add a [[name_server]] on another machine (RFC 2182).",
            "warning",
            "table",
        )


def _roles(draft: Draft) -> Iterator[Fault]:
    primaries = [server for server in draft.name_servers if server.role and server.role.value == "primary"]
    for extra in primaries[1:]:
        assert extra.role
        yield Fault(
            extra.role.path,
            f"{_called(extra)} is a second primary; the first is {_called(primaries[0])}.",
            'Exactly one server holds the zone file: write role = "secondary" for the others.',
        )
    unknown = not draft.name_servers_whole or any(server.role is None for server in draft.name_servers)
    if primaries or unknown or not draft.name_servers:
        return
    mail = {address.value for host in draft.mail_hosts for address in host.addresses}
    likely = next((s for s in draft.name_servers if mail & {a.value for a in s.addresses}), draft.name_servers[-1])
    assert likely.role
    yield Fault(
        likely.role.path,
        "No name server is the primary, so nobody holds the zone file.",
        f'Did you mean role = "primary" for {_called(likely)}?',
    )


def _names(draft: Draft) -> Iterator[Fault]:
    seen: dict[object, Host] = {}
    for server in draft.name_servers:
        if server.name is None:
            continue
        if server.name.value in seen:
            yield Fault(
                server.name.path,
                f"{_called(server)} is there twice.",
                "Give each server its own name; several addresses of one server stand in one list.",
            )
        seen.setdefault(server.name.value, server)


def _addresses(draft: Draft) -> Iterator[Fault]:
    earlier: list[tuple[Host, At[IPAddress]]] = []
    for server in draft.name_servers:
        near = False
        own: set[IPAddress] = set()
        for address in server.addresses:
            if address.value in own:
                yield Fault(address.path, f"{address.value} is there twice.", "Keep one of them.", "warning")
                continue
            own.add(address.value)
            if reason := private_reason(address.value):
                yield Fault(
                    address.path,
                    f"{address.value} is {reason}: the Internet cannot reach a name server there.",
                    "Write its public address.",
                    "warning",
                )
            same = next((other for other, one in earlier if one.value == address.value), None)
            beside = next((pair for pair in earlier if prefix(pair[1].value) == prefix(address.value)), None)
            if same:
                if server.name is None or same.name is None or server.name.value != same.name.value:
                    yield Fault(
                        address.path,
                        f"{_called(server)} has the same address as {_called(same)}: {address.value}.",
                        "Two names for one machine are one name server: use a second machine.",
                    )
                near = True
            elif beside and not near:
                near = True
                yield Fault(
                    address.path,
                    f"{address.value} of {_called(server)} is in one prefix with {beside[1].value} of {_called(beside[0])}, "
                    f"{prefix(address.value)}: they will fail together.",
                    "Put one of the servers into another network (RFC 2182 section 3.1).",
                    "warning",
                )
        earlier += [(server, address) for address in server.addresses]


def _families(draft: Draft) -> Iterator[Fault]:
    """Find secondaries that have no address of a family in which the primary has one: they can never fetch the zone."""
    primary = next((one for one in draft.name_servers if one.role and one.role.value == "primary"), None)
    if primary is None or not primary.whole:
        return
    there = {address.value.version for address in primary.addresses}
    for server in draft.name_servers:
        here = {address.value.version for address in server.addresses}
        if server is primary or not server.whole or not here or not there or here & there:
            continue
        theirs, ours = (next(iter(versions)) for versions in (there, here))
        yield Fault(
            server.addresses[0].path,
            f"{_called(server)} has IPv{ours} only and the primary {_called(primary)} IPv{theirs} only:"
            " the zone cannot get from one to the other.",
            f"Write an IPv{theirs} address of {_called(server)} as well, or an IPv{ours} address of {_called(primary)}.",
        )


def _called(server: Host) -> str:
    return names.say(server.name.value) if server.name else "this name server"
