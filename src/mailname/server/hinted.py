"""A transfer that a NOTIFY asked for, and what its failure means.

No question went before it: that the NOTIFY arrived shows one direction alone. So the primary is asked by UDP before anybody is
told that only TCP is in the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mailname.errors import TransferError
from mailname.server.asking import fetch_zone
from mailname.server.context import bare, log
from mailname.server.soa_question import ask_soa
from mailname.transfer.axfr import NotNewerError
from mailname.transfer.offers import Failure

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.server.asking import TransferredZone
    from mailname.server.change_question import ChangeQuestion
    from mailname.server.context import Context
    from mailname.transfer.actions import Transfer
    from mailname.zone import Serial, Zone

_OF_THE_WAY = frozenset({"timeout-tcp", "connection-refused", "unreachable"})


async def fetch(
    context: Context, transfer: Transfer, apex: Name, held: Zone | None, asked: ChangeQuestion | None = None
) -> TransferredZone | Failure:
    """Transfer a zone, or say why that failed; ``asked``: what changed was asked for by UDP already.

    Raises:
        NotNewerError: what is held is as new.

    """
    log.info("zone %s: transfer of serial %s from %s started", bare(apex), transfer.offered, transfer.peer)
    if asked is not None and (changed := await asked.answered()) is not None:
        return changed
    try:
        return await fetch_zone(context, transfer, apex, held)
    except NotNewerError:
        raise
    except TransferError as error:
        if not transfer.hinted or error.reason not in _OF_THE_WAY:
            return failure_of(error, transfer.offered)
        failed = error
    try:
        offered = await ask_soa(context, transfer.peer, apex)
    except TransferError as error:
        return failure_of(error, None)
    return failure_of(failed, offered)


def failure_of(error: TransferError, offered: Serial | None) -> Failure:
    """Return an error as what is remembered of it, with the serial that the primary had told."""
    return Failure(error.peer, error.reason, error.problem, error.remedy, offered)
