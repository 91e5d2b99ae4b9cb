"""Two independent faults at once: both are named, and nothing else is.

Each pair breaks two of four things: what the registrar has, one name server, the zone's content, the mail host. All pairs were
looked at when this was written; here every fifth is, and ``python -m tests.checks.test_pairs`` looks at all.
"""

from __future__ import annotations

import asyncio
import itertools
import sys

import pytest
from tests.checks import test_explain as one
from tests.checks.small_world import SmallWorld, look, verdict_of

CAUSES = {fault.__name__: (fault, code) for fault, code, _ in one.FAULTS}
ZONE = [
    "mx_missing",
    "null_mx",
    "mx_without_address",
    "mx_to_nowhere",
    "mx_to_alias",
    "mx_to_literal",
    "dot_forgotten_in_mx",
    "dot_forgotten_at_owner",
    "website_edited",
    "soa_retries_too_late",
    "soa_expires_at_once",
    "null_mx_beside_another",
    "two_spf_records",
    "dmarc_without_policy",
    "mta_sts_without_id",
    "tls_reports_to_nowhere",
]
REGISTRAR = [
    "glue_missing",
    "glue_missing_for_one",
    "glue_wrong",
    "ns_set_differs",
    "ns_left_out",
    "not_registered",
    "ds_left_over",
    "ds_nobody_knows",
]
SERVER = [
    "server_stopped",
    "server_silent",
    "tcp_blocked",
    "tcp_closed",
    "udp_blocked",
    "not_loaded",
    "servfail_on_secondary",
    "resolver_in_place_of_server",
    "open_transfer",
    "edns_refused",
    "edns_dropped",
]
MAIL = ["mail_host_down", "mail_host_mute", "mail_host_refuses"]
# The zone first: what a server does not have loaded it shall not be given again.
PAIRS = [
    pair
    for some, others in itertools.combinations((ZONE, REGISTRAR, SERVER, MAIL), 2)
    for pair in itertools.product(some, others)
]


async def causes_of(*faults: str) -> set[str | None]:
    """Return the codes of the causes; one that was not proven has a question mark."""
    world = SmallWorld()
    for fault in faults:
        CAUSES[fault][0](world)
    verdict = verdict_of(world.plan, await look(world))
    return {f"{cause.finding.code}{'' if cause.proven else '?'}" for cause in (verdict.cause, *verdict.also) if cause}


def wanted(*faults: str) -> set[str]:
    return {CAUSES[fault][1] for fault in faults}


class TestTwoIndependentFaults:
    @pytest.mark.parametrize(("first", "second"), PAIRS[::5])
    async def test_are_both_named(self, first: str, second: str) -> None:
        """Neither hides the other, nothing is told that follows from one of them, and each is proven beside the other."""
        assert await causes_of(first, second) == wanted(first, second)


if __name__ == "__main__":
    missed = [pair for pair in PAIRS if asyncio.run(causes_of(*pair)) != wanted(*pair)]
    lines = [f"{len(PAIRS) - len(missed)} of {len(PAIRS)} pairs", *map(str, missed)]
    sys.stdout.write("\n".join(lines) + "\n")
