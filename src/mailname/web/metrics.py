"""What is known of the domains, as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from mailname.view.latency_words import up_to

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.metrics_core import Metric

    from mailname.web.domain import Domain
    from mailname.web.site import Site

CONTENT_TYPE = CONTENT_TYPE_LATEST
_STATES = ("well", "fragile", "broken", "unknown")


def exposition(site: Site) -> bytes:
    """Return all metrics as text."""
    registry = CollectorRegistry()
    registry.register(_Domains(site))
    return generate_latest(registry)


class _Domains(Collector):
    def __init__(self, site: Site) -> None:
        self._domains = tuple(site.domains.values())

    def collect(self) -> Iterator[Metric]:
        """Yield each metric with its values."""
        yield from self._verdicts()
        yield from self._servers()
        yield from self._traffic()

    def _verdicts(self) -> Iterator[Metric]:
        verdict = GaugeMetricFamily("mailname_verdict", "1 for the verdict that holds.", labels=["domain", "verdict"])
        cause = GaugeMetricFamily("mailname_cause", "1 for each cause of what is wrong.", labels=["domain", "code"])
        checked = GaugeMetricFamily("mailname_checked_seconds", "When it was checked last, since 1970.", labels=["domain"])
        took = GaugeMetricFamily("mailname_check_duration_seconds", "How long the check took.", labels=["domain"])
        for one in self._domains:
            for state in _STATES:
                verdict.add_metric([one.name, state], float(one.state == state))
            if one.look is None:
                continue
            found = one.look.verdict
            for each in (found.cause, *found.also):
                if each is not None:
                    cause.add_metric([one.name, each.finding.code], 1.0)
            checked.add_metric([one.name], one.look.facts.at.timestamp())
            took.add_metric([one.name], found.seconds)
        yield from (verdict, cause, checked, took)

    def _servers(self) -> Iterator[Metric]:
        names = ["domain", "server", "address"]
        serial = GaugeMetricFamily("mailname_serial", "The serial that an address answers.", labels=names)
        expires = GaugeMetricFamily("mailname_expires_in_seconds", "Until a copy may be served no longer.", labels=names)
        well = GaugeMetricFamily("mailname_server_well", "1 where it answers by UDP and TCP.", labels=names)
        for domain, server, seen in ((d, s, a) for d in self._domains for s in d.servers for a in s.seen):
            labels = [domain.name, server.name, str(seen.address)]
            well.add_metric(labels, float(seen.is_well))
            if seen.serial is not None:
                serial.add_metric(labels, seen.serial.value)
            if seen.expire is not None:
                expires.add_metric(labels, seen.expire)
        yield from (serial, expires, well)

    def _traffic(self) -> Iterator[Metric]:
        """Tell each server once, whichever of the domains names it."""
        asked = CounterMetricFamily("mailname_questions", "What a name server was asked.", labels=["server"])
        limited = CounterMetricFamily("mailname_limited", "Answers that were too many and not given.", labels=["server"])
        types = CounterMetricFamily("mailname_questions_by_type", "The same by type.", labels=["server", "type"])
        rcodes = CounterMetricFamily("mailname_answers_by_rcode", "What it answered.", labels=["server", "rcode"])
        names = GaugeMetricFamily("mailname_name_questions", "Of the names asked for most.", labels=["server", "name"])
        networks = GaugeMetricFamily("mailname_network_questions", "Of the networks that ask most.", labels=["server", "network"])
        took = HistogramMetricFamily(
            "mailname_answer_seconds", "From taking a question to sending its answer.", labels=["server"]
        )
        for name, report in _reports(self._domains).items():
            for one in report.get("names", ()):
                names.add_metric([name, one["name"]], one["questions"])
            for one in report.get("clients", ()):
                networks.add_metric([name, one["network"]], one["questions"])
            if latency := report.get("latency"):
                buckets = [(repr(bound / 1e6), float(seen)) for bound, seen in up_to(latency)]
                took.add_metric([name], [*buckets, ("+Inf", float(sum(latency.values())))], report["microseconds"] / 1e6)
            asked.add_metric([name], report["questions"])
            limited.add_metric([name], report["limited"])
            for rdtype, count in report["types"].items():
                types.add_metric([name, rdtype], count)
            for rcode, count in report["rcodes"].items():
                rcodes.add_metric([name, rcode], count)
        yield from (asked, limited, types, rcodes, names, networks, took)


def _reports(domains: tuple[Domain, ...]) -> dict[str, Mapping[str, Any]]:
    return {name: told.report for domain in domains for name, told in domain.traffic.items() if told.report is not None}
