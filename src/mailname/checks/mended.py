"""For each code that can be a cause: the facts as they would be once that cause's fix was applied.

A cause is proven by this: judged again on such facts, it and what it claims to explain must be gone (``proof.py``).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from mailname.checks import mended_apart as apart
from mailname.checks import mended_mail as mail
from mailname.checks import mended_parent as parent
from mailname.checks import mended_server as server
from mailname.checks import mended_zone as zone
from mailname.checks.mail_policy import CODES as POLICY_CODES
from mailname.checks.mended_facts import Mended

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mailname.checks.facts import Facts
    from mailname.checks.finding import Finding
    from mailname.plan import Plan

    Mend = Callable[[Mended, Finding], Mended]


def _names_corrected(now: Mended, finding: Finding) -> Mended:
    """Correct the list where the finding says that it is wrong: at the registrar, or in the zone."""
    return parent.names_corrected(now, finding) if finding.where == "registrar" else zone.as_published(now, finding)


MENDS: Mapping[str, Mend] = MappingProxyType(
    {
        "ROOT-01": parent.within_reach,
        "TLD-01": parent.tld_repaired,
        "TLD-02": parent.tld_repaired,
        "REG-01": apart.registered_again,
        "REG-02": apart.registered_again,
        "DELEG-01": parent.registered_as_planned,
        "DELEG-02": parent.glue_added,
        "DELEG-03": parent.glue_corrected,
        "DELEG-04": _names_corrected,
        "DELEG-05": parent.parents_agreed,
        "DELEG-07": zone.apart,
        "DELEG-08": zone.host_has_address,
        "DELEG-10": parent.ds_removed,
        "DELEG-11": server.reachable,
        "NS-01": apart.then_refreshed(server.reachable),
        "NS-02": apart.then_refreshed(server.by_tcp),
        "NS-03": apart.then_refreshed(server.by_udp),
        "NS-04": apart.then_refreshed(server.loaded),
        "NS-05": server.copied,
        "NS-06": apart.then_refreshed(server.loaded),
        "NS-07": server.without_recursion,
        "NS-08": server.without_open_transfer,
        "NS-09": apart.then_refreshed(server.zone_loaded_on_primary),
        "NS-10": server.with_edns,
        "NS-11": server.by_udp,
        "NS-12": apart.with_manners,
        "NS-13": server.loaded,
        "XFER-01": apart.then_refreshed(server.copied),
        "XFER-02": apart.then_refreshed(server.copied),
        "XFER-03": apart.then_refreshed(server.copied),
        "XFER-04": apart.then_refreshed(server.copied),
        "XFER-05": apart.then_refreshed(server.copied),
        "XFER-06": apart.then_refreshed(server.copied),
        "SERIAL-01": server.published_again,
        "SERIAL-02": server.published_again,
        "SERIAL-03": apart.refreshed,
        "SIG-01": apart.signed_again,
        "SOA-01": zone.timers_fit,
        "ZONE-01": zone.host_has_address,
        "ZONE-02": zone.as_published,
        "MX-01": zone.mx_as_planned,
        "MX-02": zone.host_has_address,
        "MX-03": zone.host_has_address,
        "MX-04": zone.mx_as_planned,
        "MX-05": zone.mx_as_planned,
        **dict.fromkeys(sorted(POLICY_CODES), zone.policy_withdrawn),
        "MAIL-01": mail.mail_taken,
        "MAIL-02": mail.mail_taken,
        "MAIL-03": mail.pointed,
        "DANE-01": apart.without_tlsa,
        "MAIL-06": mail.tls_offered,
        "MAIL-07": apart.taken_off,
        "MAIL-04": mail.certificate_renewed,
    }
)


def mended(plan: Plan, facts: Facts, causes: Iterable[Finding]) -> Mended:
    """Apply the fixes that these findings claim, one after the other; of one that is not known nothing changes."""
    now = Mended(plan, facts)
    for finding in causes:
        if mend := MENDS.get(finding.code):
            now = mend(now, finding)
    return now
