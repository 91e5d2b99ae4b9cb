"""``mailname show PLAN --diff SERVER``: what any server serves of the plan's zones, transferred or asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mailname.cli.console import err
from mailname.cli.import_zones import server_at
from mailname.errors import ObservationError, TransferError
from mailname.plan import expand_all
from mailname.plan.names import say
from mailname.server.network import DirectNetwork, Endpoint
from mailname.server.network_map import MappedNetwork
from mailname.zone import Serial

if TYPE_CHECKING:
    from mailname.plan import Plan
    from mailname.server.network import Network
    from mailname.wire.tsig_key import Key
    from mailname.zone import Zone

#: Reasons for which a server that answers everybody else gives us no transfer.
_NOT_FOR_US = frozenset({"refused", "notauth", "badkey", "unsigned", "failed", "servfail", "reset"})


async def live_zones(plan: Plan, server: str, key_file: Path | None, network_file: Path | None) -> list[tuple[str, Zone | None]]:
    """Return what a server serves of each zone of a plan, with the words for where it is from.

    Args:
        plan: whose zones.
        server: the name of one of its name servers, an address, or any other name.
        key_file: the transfer key; without one that of the plan, where it lies here, is taken.
        network_file: the network file of a rehearsal.

    Raises:
        ObservationError: the server does not answer for the zone.

    """
    from mailname.server.asked_zone import asked_zone
    from mailname.server.keyfile import load_key_file
    from mailname.server.whole_zone import whole_zone

    network: Network = MappedNetwork.load(network_file) if network_file is not None else DirectNetwork()
    at = await _place(plan, server)
    if key_file is None and plan.transfer_key is not None:
        key_file = next((path for path in _usual_places(say(plan.transfer_key.name)) if path.is_file()), None)
    key: Key | None = load_key_file(key_file) if key_file is not None else None
    found: list[tuple[str, Zone | None]] = []
    for zone in expand_all(plan, Serial(0)):
        try:
            live: Zone = await whole_zone(network, at, zone.apex, key)
        except TransferError as error:
            if error.reason not in _NOT_FOR_US:
                raise ObservationError(error.problem, remedy=error.remedy, server=str(at)) from error
            live = await asked_zone(network, at, zone)
            err.print(
                f"{at} gives no transfer ({error.reason}): it was asked for each name of the plan; other names stay unseen.",
                markup=False,
            )
        found.append((f"{say(zone.apex)} at {at}", live))
    return found


def _usual_places(name: str) -> tuple[Path, ...]:
    """Return where ``mailname key make`` and ``mailname import --keys`` put a key."""
    return Path(f"{name}.key"), Path("keys") / f"{name}.key"


async def _place(plan: Plan, server: str) -> Endpoint:
    """Return the address of a server: those of the plan are not asked for elsewhere."""
    wanted = server.rstrip(".").lower()
    named = next((one for one in plan.name_servers if say(one.name).lower() == wanted), None)
    return Endpoint(named.addresses[0]) if named is not None else await server_at(server)
