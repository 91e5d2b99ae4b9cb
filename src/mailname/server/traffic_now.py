"""Who in a running server counts what is asked, all of them together: the workers, and the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailname.server.traffic_report import Counted, report
from mailname.server.udp import UdpListener
from mailname.server.udp_workers import UdpWorkers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dns.name import Name

    from mailname.server.context import Context
    from mailname.server.dispatch import Dispatcher


def reported(
    udp: Sequence[UdpListener | UdpWorkers], dispatcher: Dispatcher, context: Context, since: float, most: int, only: Name | None
) -> dict[str, Any]:
    """Return what has been counted since the start, as ``traffic_report.report`` does."""
    workers = [counters for listener in udp if isinstance(listener, UdpWorkers) for counters in listener.seen()]
    plain = [listener.traffic() for listener in udp if isinstance(listener, UdpListener)]
    dispatcher.traffic.forget_others(context.table)
    counted = Counted(
        dispatcher.traffic,
        [*plain, *(counters.traffic() for counters in workers)],
        dispatcher.rates.limited,
        workers,
        context.images.images if context.images else None,
        {apex: tally[0] for apex, tally in dispatcher.prepared.tallies.items() if context.table.entry(apex) is not None},
    )
    return report(counted, since, most, only)
