"""All checks, in the order of the ladder, and judging by them: facts in, findings out, nothing else read."""

from __future__ import annotations

import shlex
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from mailname.checks.authority import not_authoritative, zone_expired, zone_fails_to_load, zone_not_loaded
from mailname.checks.block_lists import on_block_list
from mailname.checks.caches import still_remembered
from mailname.checks.dane import certificate_fits_tlsa
from mailname.checks.delegation import delegated, parents_agree
from mailname.checks.ds import ds_has_its_key
from mailname.checks.edns import understands_edns
from mailname.checks.edns_manners import follows_edns
from mailname.checks.expiry import copy_expires
from mailname.checks.glue_missing import glue_missing
from mailname.checks.glue_outside import glue_outside_old
from mailname.checks.glue_wrong import glue_wrong
from mailname.checks.mail_certificate import certificate_good
from mailname.checks.mail_host import mail_host_greets, mail_host_listens
from mailname.checks.mail_name import helo_is_pointer
from mailname.checks.mail_policy import policies_readable
from mailname.checks.mail_policy_effect import key_strong_enough, mail_host_may_send, policy_host_exists, reports_accepted
from mailname.checks.mx import mx_missing
from mailname.checks.mx_null import null_mx_alone
from mailname.checks.mx_several import several_mail_hosts
from mailname.checks.mx_target import mx_target_is_address, mx_target_is_alias, mx_target_without_address
from mailname.checks.ns_name import ns_name_usable
from mailname.checks.ns_set import ns_sets_differ
from mailname.checks.open_transfer import open_transfer
from mailname.checks.partial_answers import answers_in_part
from mailname.checks.plan_differs import plan_differs
from mailname.checks.pointer import address_has_name
from mailname.checks.reachability import server_down, tcp_unreachable, udp_unreachable
from mailname.checks.recursion import open_recursion
from mailname.checks.referral_size import referral_fits
from mailname.checks.registration import on_hold, registration_ends
from mailname.checks.replication import notify_lost, transfer_fails
from mailname.checks.root import root_reachable
from mailname.checks.serials import primary_older, serial_not_raised
from mailname.checks.server_set import different_machines, enough_servers
from mailname.checks.signatures import signatures_valid
from mailname.checks.soa_contact import contact_is_mailbox
from mailname.checks.soa_values import soa_master, soa_timers
from mailname.checks.source_address import same_source_address
from mailname.checks.special_address import address_is_public
from mailname.checks.starttls import starttls_as_promised
from mailname.checks.tld import tld_answers, tld_exists
from mailname.checks.tld_server import tld_servers_answer
from mailname.checks.trailing_dot import trailing_dot_forgotten
from mailname.checks.without_plan import without_plan
from mailname.checks.wording import plan_file as default_plan_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from dns.name import Name

    from mailname.checks.facts import Facts
    from mailname.checks.finding import Finding
    from mailname.plan import Plan

_NO_DELEGATION = ("ROOT-01", "TLD-01", "TLD-02", "DELEG-01")
_UNREACHED = ("DELEG-11", "NS-01", "NS-03")
_NOT_SERVED = ("DELEG-11", "NS-01", "NS-03", "NS-04", "NS-05", "NS-06", "NS-09")


class Check(NamedTuple):
    """One check: the codes that it may find, and what it needs.

    Attributes:
        rung: the rung whose facts it reads; not asked, it cannot be made.
        needs: codes after whose finding this check cannot be made; of a server, when it is made for each server.
        for_each_server: whether it is made for each name server apart.
        needs_plan: whether it compares with what the owner wants; without a plan it is left out.

    """

    codes: tuple[str, ...]
    rung: str
    run: Callable[[Plan, Facts], Iterator[Finding]]
    needs: tuple[str, ...] = ()
    for_each_server: bool = False
    needs_plan: bool = False


CHECKS = (
    Check(("ROOT-01",), "root", root_reachable),
    Check(("TLD-02",), "root", tld_exists, ("ROOT-01",)),
    Check(("TLD-01",), "tld", tld_answers, ("ROOT-01", "TLD-02")),
    Check(("TLD-03",), "tld", tld_servers_answer, ("ROOT-01", "TLD-01", "TLD-02")),
    Check(("REG-01",), "tld", on_hold),
    Check(("REG-02",), "tld", registration_ends),
    Check(("DELEG-01",), "tld", delegated, ("ROOT-01", "TLD-01", "TLD-02")),
    Check(("DELEG-02",), "tld", glue_missing, _NO_DELEGATION),
    Check(("DELEG-03",), "tld", glue_wrong, _NO_DELEGATION),
    Check(("DELEG-04",), "tld", ns_sets_differ, _NO_DELEGATION),
    Check(("DELEG-05",), "tld", parents_agree, _NO_DELEGATION),
    Check(("DELEG-06",), "tld", enough_servers, _NO_DELEGATION),
    Check(("DELEG-07",), "servers", different_machines),
    Check(("DELEG-08",), "servers", ns_name_usable, ("DELEG-01", *_NOT_SERVED)),
    Check(("DELEG-09",), "tld", referral_fits, _NO_DELEGATION),
    Check(("DELEG-10",), "tld", ds_has_its_key, (*_NO_DELEGATION, *_NOT_SERVED)),
    Check(("DELEG-11",), "servers", address_is_public),
    Check(("DELEG-12",), "tld", glue_outside_old, _NO_DELEGATION),
    Check(("NS-01",), "servers", server_down, for_each_server=True),
    Check(("NS-02",), "servers", tcp_unreachable, ("NS-01",), for_each_server=True),
    Check(("NS-03",), "servers", udp_unreachable, ("NS-01",), for_each_server=True),
    Check(("NS-04",), "servers", zone_not_loaded, ("NS-01",), for_each_server=True),
    Check(("NS-05",), "servers", zone_expired, ("NS-01",), for_each_server=True),
    Check(("NS-06",), "servers", not_authoritative, ("NS-01",), for_each_server=True),
    Check(("NS-09",), "servers", zone_fails_to_load, ("NS-01",)),
    Check(("NS-07",), "servers", open_recursion, _UNREACHED, for_each_server=True),
    Check(("NS-10",), "servers", understands_edns, _UNREACHED, for_each_server=True),
    Check(("NS-12",), "servers", follows_edns, (*_UNREACHED, "NS-10"), for_each_server=True),
    Check(("NS-11",), "servers", same_source_address, for_each_server=True),
    Check(("NS-13",), "servers", answers_in_part, _UNREACHED, for_each_server=True),
    Check(("NS-08",), "servers", open_transfer, ("NS-01", "NS-02"), for_each_server=True),
    Check(("XFER-01", "XFER-02", "XFER-04", "XFER-05", "XFER-06"), "servers", transfer_fails, ("NS-01",), for_each_server=True),
    Check(("XFER-03",), "servers", notify_lost, _NOT_SERVED, for_each_server=True),
    Check(("SERIAL-01",), "servers", serial_not_raised, _NOT_SERVED, for_each_server=True),
    Check(("SERIAL-02",), "servers", primary_older, _NOT_SERVED, for_each_server=True),
    Check(("SERIAL-03",), "servers", copy_expires, _NOT_SERVED, for_each_server=True),
    Check(("SOA-01",), "servers", soa_timers, _NOT_SERVED),
    Check(("SOA-02",), "servers", soa_master, _NOT_SERVED, needs_plan=True),
    Check(("SOA-03",), "servers", contact_is_mailbox, _NOT_SERVED),
    Check(("SIG-01",), "servers", signatures_valid, (*_NO_DELEGATION, "DELEG-10", "NS-01", "NS-03"), for_each_server=True),
    Check(("ZONE-01",), "servers", trailing_dot_forgotten, _NOT_SERVED),
    Check(("ZONE-02",), "servers", plan_differs, _NOT_SERVED, needs_plan=True),
    Check(("MX-01",), "servers", mx_missing, _NOT_SERVED, needs_plan=True),
    Check(("MX-02",), "servers", mx_target_without_address, (*_NOT_SERVED, "MX-01")),
    Check(("MX-03",), "servers", mx_target_is_alias, (*_NOT_SERVED, "MX-01")),
    Check(("MX-04",), "servers", mx_target_is_address, (*_NOT_SERVED, "MX-01")),
    Check(("MX-05",), "servers", null_mx_alone, (*_NOT_SERVED, "MX-01")),
    Check(("MX-06",), "servers", several_mail_hosts, (*_NOT_SERVED, "MX-01")),
    Check(("POL-01", "POL-02", "POL-03", "POL-04", "POL-05"), "servers", policies_readable, _NOT_SERVED),
    Check(("POL-06",), "servers", key_strong_enough, _NOT_SERVED),
    Check(("POL-07",), "servers", mail_host_may_send, (*_NOT_SERVED, "MX-01", "POL-01")),
    Check(("POL-08",), "resolver", reports_accepted, (*_NOT_SERVED, "POL-02")),
    Check(("POL-09",), "servers", policy_host_exists, (*_NOT_SERVED, "POL-04")),
    Check(("CACHE-01",), "resolver", still_remembered, (*_NO_DELEGATION, *_NOT_SERVED)),
    Check(("MAIL-01",), "mail", mail_host_listens),
    Check(("MAIL-02",), "mail", mail_host_greets, ("MAIL-01",)),
    Check(("MAIL-04",), "mail", certificate_good, ("MAIL-01", "MAIL-02")),
    Check(("MAIL-06",), "mail", starttls_as_promised, ("MAIL-01", "MAIL-02", "POL-04")),
    Check(("MAIL-05",), "resolver", helo_is_pointer, ("MAIL-01", "MAIL-02", "MAIL-03")),
    Check(("DANE-01", "DANE-02"), "servers", certificate_fits_tlsa, (*_NOT_SERVED, "MAIL-01", "MAIL-02")),
    Check(("MAIL-07", "MAIL-08"), "resolver", on_block_list),
    Check(("MAIL-03",), "resolver", address_has_name, ("MAIL-01",)),
)


class Place(NamedTuple):
    """Where the plan and its servers are found from here, so that what is to be typed can be typed as it stands.

    Attributes:
        plan_file: where the plan lies; without it the file that ``mailname init`` writes is named.
        network_file: a rehearsal's network file.
        control_sockets: the control sockets, where they are not at the usual place.

    """

    plan_file: str | None = None
    network_file: str | None = None
    control_sockets: Mapping[Name, Path] = MappingProxyType({})

    def typed(self, plan: Plan, finding: Finding) -> str:
        """Return the line to type for a finding."""
        words = shlex.split(finding.command)
        if words[:1] != ["mailname"]:
            return finding.command
        usual = default_plan_file(plan.domain)
        words = [self.plan_file if word == usual and self.plan_file else word for word in words]
        if words[1] == "publish" and self.network_file:
            words += ["--network", self.network_file]
        elif words[1] in ("publish", "notify", "reload", "retransfer"):
            server = plan.primary.name if words[1] in ("publish", "notify") else finding.server
            if server is not None and server in self.control_sockets:
                words += ["--control", str(self.control_sockets[server])]
        return shlex.join(words)


def checks_for(facts: Facts) -> Iterator[Check]:
    """Iterate over the checks that can be made of such facts: without a plan, not those that ask what the owner wants."""
    return (check for check in CHECKS if facts.planned or not check.needs_plan)


def judge(plan: Plan, facts: Facts, place: Place | None = None) -> tuple[Finding, ...]:
    """Return everything that is wrong by these facts, from the root down; the lines to type are those for this place."""
    found = (finding for check in checks_for(facts) if facts.asks(check.rung) for finding in check.run(plan, facts))
    if not facts.planned:
        return tuple(map(without_plan, found))
    if place is None:
        return tuple(found)
    return tuple(replace(one, command=place.typed(plan, one)) for one in found)
