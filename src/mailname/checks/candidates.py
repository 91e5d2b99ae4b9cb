"""Where what was seen fits two causes: both, the likelier first, with the one probe that tells them apart.

Where the check itself could make that probe, its answer is among the facts, and one candidate is left: the cause then says it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from dns.rdatatype import RdataType

from mailname.checks.delegation import said_by_parents
from mailname.checks.observe_doubt import heard_elsewhere, mute_transports
from mailname.checks.observe_parents import referral_in
from mailname.checks.outcome import Outcome
from mailname.checks.reading import sights
from mailname.checks.wording import dig, listed, spoken
from mailname.zone.serial import Serial

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from dns.rdtypes.ANY.SOA import SOA

    from mailname.checks.facts import Facts, Probe
    from mailname.checks.finding import Finding
    from mailname.plan import Plan
    from mailname.server.network import IPAddress


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that it may be.

    Attributes:
        speaks: what was seen that speaks for it; empty where nothing does.

    """

    says: str
    where: str
    fix: str
    speaks: str = ""

    def to_json(self) -> dict[str, str]:
        """Return it as JSON values."""
        return {"says": self.says, "where": self.where, "fix": self.fix, "speaks": self.speaks}


@dataclass(frozen=True, slots=True)
class Choice:
    """What it may be, the likelier first.

    Attributes:
        command: the line to type that decides; empty where only the server itself can tell.
        tells: which outcome means what.

    """

    candidates: tuple[Candidate, ...]
    command: str = ""
    tells: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"candidates": [one.to_json() for one in self.candidates], "command": self.command, "tells": self.tells}


def choice_of(plan: Plan, facts: Facts, same: Sequence[Finding]) -> Choice | None:
    """Return what findings of one code may be; None where they say it themselves."""
    find = _CHOICES.get(same[0].code)
    return find(plan, facts, same) if find else None


def _signs_of_life(facts: Facts, addresses: Collection[IPAddress]) -> list[str]:
    """Return what tells that a machine is up: any port of it that answers, or refuses."""
    found = [f"TCP port {one.port} of {one.address}" for one in facts.knocks if one.is_sign_of_life and one.address in addresses]
    found += [
        f"TCP port {visit.port} of {visit.address}"
        for visit in facts.mail
        if visit.address in addresses and (visit.connected or visit.outcome is Outcome.REFUSED)
    ]
    found += [
        f"{probe.transport.upper()} port {probe.port} of {probe.address}"
        for probe in facts.at_rung("servers")
        if probe.address in addresses and probe.outcome in (Outcome.ANSWER, Outcome.REFUSED)
    ]
    return list(dict.fromkeys(found))


def _knocked_in_vain(facts: Facts, addresses: Collection[IPAddress]) -> str:
    ports = sorted({one.port for one in facts.knocks if one.address in addresses})
    return f"TCP ports {listed(ports)} are silent too" if ports else ""


def _silent_server(plan: Plan, facts: Facts, same: Sequence[Finding]) -> Choice | None:
    """NS-01 by silence: the machine is down, or a packet filter drops what comes, or nobody lives at this address."""
    addresses = {address for one in same for address in one.addresses}
    if any(probe.outcome is Outcome.REFUSED for probe in facts.at_rung("servers") if probe.address in addresses):
        return None
    names, at = listed(spoken(one.server) for one in same if one.server), listed(sorted(addresses, key=str))
    signs = _signs_of_life(facts, addresses)
    filtered = Candidate(
        f"A packet filter drops what comes to port 53 of {names}.",
        f"firewall on {names}",
        "Open port 53, UDP and TCP, in the firewall there and at its provider.",
        f"The machine is up: {signs[0]} answers." if signs else "",
    )
    if signs:
        return Choice((filtered,))
    down = Candidate(
        f"The machine {names} ({at}) is down, or cut off.",
        f"provider of {names}",
        "Look at its console at the provider; start it, or its network.",
        _knocked_in_vain(facts, addresses),
    )
    candidates = [down, filtered]
    if not any(sight.serial is not None for sight in sights(plan, facts)):
        elsewhere = Candidate(
            f"{names} has another address now than {at}.",
            "registrar",
            "Compare with what the provider says; correct the address at the registrar, and wherever else it stands.",
        )
        candidates.append(elsewhere)
    first = min(addresses, key=str)
    return Choice(
        tuple(candidates),
        f"ping -c 3 {first}",
        "Answers: it is up, so a packet filter drops DNS. No answer: look at its console; if it runs there, compare its address.",
    )


def _transport_silent(plan: Plan, facts: Facts, same: Sequence[Finding]) -> Choice | None:
    """NS-02, NS-03 at every server: their filters, or that of our own network."""
    del plan
    transport = "tcp" if same[0].code == "NS-02" else "udp"
    if transport not in mute_transports(facts) or heard_elsewhere(facts, "tcp" if transport == "tcp" else "udp"):
        return None
    kind, servers = transport.upper(), listed(spoken(one.server) for one in same if one.server)
    tried = heard_elsewhere(facts, "tcp" if transport == "tcp" else "udp") is False
    ours = Candidate(
        f"Our own network lets no {kind} to port 53 out.",
        "your own network",
        f"Let this machine's firewall and provider pass {kind} port 53 outwards, or check from another machine.",
        f"No root server answers over {kind} either." if tried else "",
    )
    theirs = Candidate(
        f"{kind} port 53 is closed before {servers}.", same[0].where, same[0].fix, "" if tried else "The other transport works."
    )
    option = ["+tcp"] if transport == "tcp" else []
    command = " ".join(["dig", "+norec", *option, "@198.41.0.4", ".", "NS"])
    tells = f"An answer: our network passes {kind}, so it is the servers'. None: it is our own network."
    return Choice((ours, theirs) if tried else (theirs, ours), command, tells)


def _soa_serial(facts: Facts, probe: Probe) -> Serial | None:
    for one in facts.at_rung("tld"):
        if one.endpoint == probe.endpoint and one.qtype == RdataType.SOA and one.answered:
            found = cast("tuple[SOA, ...]", one.rdatas(one.qname, RdataType.SOA))
            return Serial(found[0].serial) if found else None
    return None


def _parents_disagree(plan: Plan, facts: Facts, same: Sequence[Finding]) -> Choice | None:
    """DELEG-05: a change is travelling, or a server of the registry is broken; the serials of their own zone tell."""
    del same
    said = said_by_parents(facts)
    ready = [p for p in said if (referral := referral_in(p)) and _is_planned(plan, referral.servers)]
    late = [p for p in said if p not in ready]
    if not late:
        return None
    model = ready[0] if ready else late.pop()
    if not late:
        return None
    zone, name = spoken(model.zone), f"{spoken(late[0].server)} ({late[0].address})"
    pairs = [(_soa_serial(facts, one), _soa_serial(facts, model)) for one in late]
    known = all(held is not None and newest is not None for held, newest in pairs)
    travelling = Candidate(
        f"The change is travelling: {name} has not got the registry's newest version yet.",
        "wait",
        "Wait: a change takes a while to reach all servers of a registry; if it has not after a day, ask the registrar.",
        f"{name} has an older version of {zone} (serial {pairs[0][0]}, {spoken(model.server)} has {pairs[0][1]})."
        if known
        else "",
    )
    broken = Candidate(
        f"{name} is broken: it serves something else than the others of {zone}.",
        "registrar",
        f"Tell the registrar that {name} gives another delegation than {spoken(model.server)} ({model.address}).",
        f"It says so under the serial {pairs[0][0]} that {spoken(model.server)} has too." if known else "",
    )
    if known:
        return Choice((broken,) if all(held == newest for held, newest in pairs) else (travelling,))
    return Choice(
        (travelling, broken),
        dig(late[0].address, model.zone, "SOA"),
        f"A lower serial than {spoken(model.server)} ({model.address}) has: it is travelling. The same: that server is broken.",
    )


def _is_planned(plan: Plan, servers: Mapping[Any, Any]) -> bool:
    return set(servers) == {server.name for server in plan.name_servers}


_ASK_ENGINE = {
    "builtin": "mailname status {domain}",
    "bind": "sudo rndc zonestatus {domain}",
    "knot": "sudo knotc zone-status {domain}",
    "nsd": "sudo nsd-control zonestatus {domain}",
}


def _servfail(plan: Plan, facts: Facts, same: Sequence[Finding]) -> Choice | None:
    """NS-05 where the secondary cannot be asked itself: its copy has expired, or none ever came."""
    unknown = [one for one in same if one.server is not None and facts.status(one.server) is None]
    if len(unknown) < len(same):
        return None
    server = next(one for one in plan.name_servers if one.name == unknown[0].server)
    name, domain = spoken(server.name), spoken(plan.domain)
    expired = Candidate(
        f"The copy on {name} has expired: no transfer came through for the time of the SOA's expire.",
        f"configuration on {name}",
        "See there why the last transfers failed; what worked once was changed since: a key, a list, a packet filter.",
    )
    never = Candidate(
        f"{name} never got the zone: it was told of it, and the first transfer failed.",
        f"configuration on {name}",
        "See there whom it asks and with which key, and whether the primary allows it.",
    )
    command = _ASK_ENGINE[server.engine].format(domain=domain) if facts.planned else ""
    if plan.primary.name in {one.server for one in same}:  # without a plan, and nobody serves the zone
        name = listed(spoken(one.server) for one in same if one.server)
        unloaded = Candidate(
            f"The zone does not load on {name}: its file has a mistake, is missing, or cannot be read.",
            f"configuration on {name}",
            "See in the server's log why the zone was not loaded, correct it, and reload.",
        )
        return Choice((unloaded, expired, never))
    return Choice(
        (expired, never), command, f"Typed on {name}: a serial or a time of expiry is told where there was a copy once."
    )


def _behind(plan: Plan, facts: Facts, same: Sequence[Finding]) -> Choice | None:
    """XFER-03 where neither side told anything itself: the NOTIFY was lost, or the transfer fails."""
    if any(one.server is None or facts.status(one.server) is not None for one in same):
        return None
    server = next(one for one in plan.name_servers if one.name == same[0].server)
    name, primary = spoken(server.name), spoken(plan.primary.name)
    given = [one for one in facts.transfers if one.question == "AXFR" and one.result == "given"]
    lost = Candidate(
        f"{name} has not heard of the new version: NOTIFY was lost, and its time to ask has not come.",
        "wait",
        f"Wait, or notify it again; open UDP port 53 on {name} for {primary}.",
        f"The transfer works from here{f' with the key {spoken(given[-1].key)}' if given[-1].key else ''}." if given else "",
    )
    refused = Candidate(
        f"{name} asked, and its transfer fails: it is not in the list of {primary}, its key is another, or TCP is blocked.",
        f"configuration on {primary}",
        f"See on {name} why the last transfer failed; allow its address and key on {primary}, and TCP port 53.",
    )
    command = _ASK_ENGINE[server.engine].format(domain=spoken(plan.domain)) if facts.planned else ""
    tells = f"Typed on {name}: a failed transfer is told with its reason; where none is, it has not heard of the version."
    return Choice((lost, refused), command, tells)


def _mail_host_silent(plan: Plan, facts: Facts, same: Sequence[Finding]) -> Choice | None:
    """MAIL-01 by silence: the host is down, or its filter or provider drops port 25, or our own network does."""
    del plan
    addresses = {address for one in same for address in one.addresses}
    visits = [visit for visit in facts.mail if visit.address in addresses]
    if any(visit.outcome is not Outcome.SILENT for visit in visits):
        return None
    names = listed(spoken(one.server) for one in same if one.server)
    signs = _signs_of_life(facts, addresses)
    filtered = Candidate(
        f"A firewall on {names}, or its provider, drops what comes to port 25.",
        same[0].where,
        same[0].fix,
        f"The machine is up: {signs[0]} answers." if signs else "",
    )
    candidates = [filtered]
    if not signs:
        up = Candidate(
            f"The machine {names} is down, or cut off.",
            f"provider of {names}",
            "Look at its console at the provider; start it, or its network.",
            _knocked_in_vain(facts, addresses),
        )
        candidates.insert(0, up)
    if not any(visit.connected or visit.outcome is Outcome.REFUSED for visit in facts.mail):
        ours = Candidate(
            "Our own network lets nothing out to port 25, as many do.",
            "your own network",
            "Check from another machine; senders do not go through this network.",
            f"None of {len(facts.mail)} mail host addresses answers there." if len(facts.mail) > 1 else "",
        )
        candidates.insert(0 if ours.speaks and signs else len(candidates), ours)
    if len(candidates) == 1:
        return Choice((filtered,))
    return Choice(
        tuple(candidates),
        f"nc -vz {min(addresses, key=str)} 25",
        "Typed on a machine elsewhere: if it connects, our own network is to blame; if not, the mail host's side.",
    )


_CHOICES: Mapping[str, Callable[[Plan, Facts, Sequence[Finding]], Choice | None]] = MappingProxyType(
    {
        "NS-01": _silent_server,
        "NS-02": _transport_silent,
        "NS-03": _transport_silent,
        "NS-05": _servfail,
        "DELEG-05": _parents_disagree,
        "XFER-03": _behind,
        "MAIL-01": _mail_host_silent,
    }
)
