"""What explains what: each rule names a cause, the findings that follow from it, and when it does (and does not) apply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dns.rdatatype import RdataType

from mailname.checks.authority import is_unconfirmed
from mailname.checks.facts import Outcome
from mailname.checks.mail_policy import CODES as POLICY_CODES
from mailname.checks.mail_policy import is_policy
from mailname.checks.plan_differs import differences
from mailname.checks.reading import delegations, source_of_truth

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.checks.facts import Facts
    from mailname.checks.finding import Finding
    from mailname.plan import Plan

    Sight = Callable[["Pair"], bool]

_TRANSFER_FAILS = frozenset({"XFER-01", "XFER-02", "XFER-04", "XFER-05", "XFER-06"})
_TRANSFER = _TRANSFER_FAILS | {"XFER-03"}
_NOT_SERVED = frozenset({"NS-04", "NS-05", "NS-06"})


@dataclass(frozen=True, slots=True)
class Pair:
    """A possible cause, a possible effect of it, and the facts."""

    cause: Finding
    effect: Finding
    plan: Plan
    facts: Facts


@dataclass(frozen=True, slots=True)
class Rule:
    """A cause and what it explains, where all that must be seen is seen and nothing that must not."""

    causes: frozenset[str]
    explains: frozenset[str]
    must_see: tuple[Sight, ...] = ()
    must_not_see: tuple[Sight, ...] = ()

    def holds(self, pair: Pair) -> bool:
        """Tell whether this cause explains this effect."""
        return (
            pair.cause.code in self.causes
            and pair.effect.code in self.explains
            and all(sight(pair) for sight in self.must_see)
            and not any(sight(pair) for sight in self.must_not_see)
        )


def nothing_answered(pair: Pair) -> bool:
    """See that no question to anybody was answered: our own network is cut off."""
    greeted = any(visit.outcome is Outcome.ANSWER for visit in pair.facts.mail)
    return not greeted and not any(probe.answered for probe in pair.facts.probes)


def some_parent_is_right(pair: Pair) -> bool:
    """See that one of the parent's servers has the delegation of the plan: a change is travelling."""
    return any(one.is_as_planned(pair.plan) for one in delegations(pair.facts))


def same_server(pair: Pair) -> bool:
    """See that both are about the same name server or host."""
    return pair.cause.server == pair.effect.server


def cause_is_on_the_primary(pair: Pair) -> bool:
    """See that the cause is about the primary."""
    return pair.cause.server == pair.plan.primary.name


def effect_is_on_a_secondary(pair: Pair) -> bool:
    """See that the effect is about a secondary."""
    return any(server.name == pair.effect.server for server in pair.plan.secondaries)


def judged_by_a_secondary(pair: Pair) -> bool:
    """See that the primary did not answer, so that a secondary's data were judged."""
    truth = source_of_truth(pair.plan, pair.facts)
    return truth is not None and truth.server.role == "secondary"


def secondary_has_expired(pair: Pair) -> bool:
    """See that the secondary itself says that its copy has expired."""
    status = pair.facts.status(pair.effect.server) if pair.effect.server else None
    return bool(status and status.get("state") == "expired" and not is_unconfirmed(status))


def difference_is_of_the_cause(pair: Pair) -> bool:
    """See that one of the differences to the plan is the very record that the cause is about."""
    truth = source_of_truth(pair.plan, pair.facts)
    if truth is None:
        return False
    domain, host = pair.plan.domain, pair.cause.server
    about = {(domain, RdataType.MX), (domain, RdataType.NS)}
    if pair.cause.code == "SOA-01":
        about = {(domain, RdataType.SOA)}
    if pair.cause.code.startswith("POL-"):
        about = {
            key
            for key in differences(pair.facts, truth)
            if key[1] == RdataType.TXT and is_policy(pair.cause.code, key[0], domain)
        }
    if host:
        about |= {(host, RdataType.A), (host, RdataType.AAAA), (host, RdataType.CNAME)}
    return bool(about & set(differences(pair.facts, truth)))


def a_plan_is_given(pair: Pair) -> bool:
    """See that an owner's plan says what is meant."""
    return pair.facts.planned


def cause_is_a_name_server(pair: Pair) -> bool:
    """See that the cause is about one of the name servers' names."""
    return any(server.name == pair.cause.server for server in pair.plan.name_servers)


def zone_lists_other_servers(pair: Pair) -> bool:
    """See that the served zone lists other name servers than the plan."""
    truth = source_of_truth(pair.plan, pair.facts)
    return truth is not None and (pair.plan.domain, RdataType.NS) in differences(pair.facts, truth)


def address_is_not_planned(pair: Pair) -> bool:
    """See that the mail host was looked for only at addresses that the served zone gives and the plan does not."""
    planned = {record.rdata.to_text() for record in pair.facts.expected if record.owner == pair.effect.server}
    return not planned & {str(address) for address in pair.effect.addresses}


def same_silent_machine(pair: Pair) -> bool:
    """See that name server and mail host share their addresses, and every port there is silent: the machine is down."""
    if not set(pair.effect.addresses) <= set(pair.cause.addresses):
        return False
    at = pair.effect.addresses
    outcomes = [p.outcome for p in pair.facts.probes if p.address in at]
    outcomes += [visit.outcome for visit in pair.facts.mail if visit.address in at]
    return set(outcomes) <= {Outcome.SILENT, Outcome.UNREACHABLE}


def registration_is_over(pair: Pair) -> bool:
    """See that the registration has ended already."""
    told = pair.facts.registration
    return told is not None and told.ends is not None and told.ends < pair.facts.at


RULES = (
    # Whoever is on hold, or has let it end, is not in the TLD's zone any more, whatever the registrar's form says.
    Rule(frozenset({"REG-01"}), frozenset({"DELEG-01", "DELEG-05", "REG-02"})),
    Rule(frozenset({"REG-02"}), frozenset({"DELEG-01", "DELEG-05"}), (registration_is_over,)),
    Rule(frozenset({"ROOT-01"}), frozenset({"TLD-01", "NS-01", "NS-03", "MAIL-01", "MAIL-02"}), (nothing_answered,)),
    Rule(frozenset({"DELEG-02", "DELEG-03", "DELEG-04"}), frozenset({"DELEG-05"}), must_not_see=(some_parent_is_right,)),
    # What looks mute and answers from elsewhere is told as that.
    Rule(frozenset({"NS-11"}), frozenset({"NS-01", "NS-03", "XFER-03"}), (same_server,)),
    # A name server that is down or mute takes its consequences with it.
    Rule(frozenset({"NS-01"}), frozenset({"MAIL-01", "MAIL-02"}), (same_silent_machine,)),
    Rule(
        frozenset({"NS-01", "NS-02", "NS-04", "NS-06", "NS-09"}),
        _TRANSFER | _NOT_SERVED,
        (cause_is_on_the_primary, effect_is_on_a_secondary),
    ),
    Rule(frozenset({"NS-03"}), frozenset({"XFER-03", "XFER-05"}), (cause_is_on_the_primary, effect_is_on_a_secondary)),
    Rule(frozenset({"NS-03"}), frozenset({"XFER-03"}), (same_server,)),
    Rule(frozenset({"NS-01", "NS-03", "NS-04"}), frozenset({"ZONE-02"}), (cause_is_on_the_primary, judged_by_a_secondary)),
    Rule(frozenset({"NS-09"}), frozenset({"ZONE-02"})),
    # A transfer that fails explains a secondary that has nothing; a copy that has expired is told as that, with the failure.
    Rule(_TRANSFER_FAILS, _NOT_SERVED, (same_server,), (secondary_has_expired,)),
    Rule(_TRANSFER, frozenset({"SERIAL-03"}), (same_server,)),
    # A copy that cannot be refreshed keeps its old signatures.
    Rule(_TRANSFER | {"SERIAL-03"}, frozenset({"SIG-01"}), (same_server,)),
    Rule(
        frozenset({"NS-01", "NS-02", "NS-03", "NS-04", "NS-06", "NS-09"}),
        frozenset({"SERIAL-03"}),
        (cause_is_on_the_primary, effect_is_on_a_secondary),
    ),
    Rule(frozenset({"NS-05"}), _TRANSFER, (same_server, secondary_has_expired)),
    Rule(frozenset({"NS-04", "NS-06"}), frozenset({"NS-09"}), (same_server,)),
    # A zone edited by hand differs from the plan; what the edit broke is the cause.
    Rule(frozenset({"ZONE-01"}), frozenset({"MX-02"}), (same_server,)),
    Rule(frozenset({"ZONE-01"}), frozenset({"DELEG-08"}), (same_server,)),
    Rule(frozenset({"ZONE-01"}), frozenset({"DELEG-04"}), (zone_lists_other_servers,)),
    Rule(frozenset({"ZONE-01"}), frozenset({"DELEG-04"}), (cause_is_a_name_server,), (a_plan_is_given,)),
    Rule(
        frozenset({"ZONE-01", "MX-01", "MX-02", "MX-03", "MX-04", "MX-05", "DELEG-04", "DELEG-08", "SOA-01"} | POLICY_CODES),
        frozenset({"ZONE-02"}),
        (difference_is_of_the_cause,),
    ),
    Rule(frozenset({"SERIAL-01", "SERIAL-02"}), frozenset({"ZONE-02"})),
    Rule(frozenset({"SERIAL-02"}), frozenset({"XFER-05"}), (same_server,)),
    Rule(frozenset({"NS-06"}), frozenset({"NS-07"}), (same_server,)),
    Rule(frozenset({"ZONE-02"}), frozenset({"MAIL-01", "MAIL-02"}), (address_is_not_planned,)),
)
