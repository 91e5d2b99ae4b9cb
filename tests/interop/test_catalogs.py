"""Catalog zones between us, BIND and Knot, in both directions: zones appear and disappear at servers that nobody touches.

NSD of this age knows no catalogs, and BIND cannot follow those of this Knot, which answers for them by TCP alone. First proven
between the others themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.message
import dns.rcode
import pytest
from tests.interop.catalog_servers import (
    GROUP,
    BindConsumer,
    BindProducer,
    KnotConsumer,
    KnotProducer,
    MailnameConsumer,
    MailnameProducer,
)
from tests.interop.real_servers import until
from tests.interop.transfer_zone import zone_text
from tests.server.running import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.real_servers import RealServer

Producer = BindProducer | KnotProducer | MailnameProducer
Consumer = BindConsumer | KnotConsumer | MailnameConsumer
PRODUCERS: dict[str, type[Producer]] = {"bind": BindProducer, "knot": KnotProducer, "mailname": MailnameProducer}
CONSUMERS: dict[str, type[Consumer]] = {"bind": BindConsumer, "knot": KnotConsumer, "mailname": MailnameConsumer}
ONE, TWO, THREE = "one.example.", "Two.example.", "x.three.example."
IN_GROUP = f"grouped.{GROUP}."


class Pair:
    """A producer and a consumer of its catalog, both running."""

    def __init__(self, producer: Producer, consumer: Consumer) -> None:
        self.producer = producer
        self.consumer = consumer


@pytest.fixture(
    scope="class",
    params=[
        ("bind", "knot"),
        ("mailname", "mailname"),
        ("mailname", "bind"),
        ("mailname", "knot"),
        ("bind", "mailname"),
        ("knot", "mailname"),
    ],
    ids="-to-".join,
)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    port = free_port()
    with PRODUCERS[request.param[0]](port) as producer, CONSUMERS[request.param[1]](producer.port, port) as consumer:
        yield Pair(producer, consumer)


def is_gone(server: RealServer, zone: str) -> bool:
    return server.ask(dns.message.make_query(zone, "SOA")).rcode() == dns.rcode.REFUSED


class TestMembers:
    def test_come_and_go_as_the_catalog_says(self, pair: Pair) -> None:
        pair.producer.put({ONE: zone_text(1), TWO: zone_text(1)})
        pair.consumer.wait_serial(ONE, 1)
        pair.consumer.wait_serial(TWO, 1)
        pair.producer.put({TWO: zone_text(2), THREE: zone_text(1)})
        pair.consumer.wait_serial(THREE, 1)
        assert until(lambda: is_gone(pair.consumer, ONE)), pair.consumer.log()
        pair.producer.put({ONE: zone_text(3), TWO: zone_text(2)})
        pair.consumer.wait_serial(ONE, 3)
        assert until(lambda: is_gone(pair.consumer, THREE)), pair.consumer.log()

    def test_are_there_after_the_consumer_was_killed(self, pair: Pair) -> None:
        """They are served from their copies, and the catalog is followed on."""
        pair.producer.put({ONE: zone_text(5), TWO: zone_text(5)})
        pair.consumer.wait_serial(ONE, 5)
        pair.consumer.kill()
        pair.producer.put({ONE: zone_text(5), THREE: zone_text(5)})
        pair.consumer.start()
        pair.consumer.wait_serial(THREE, 5)
        pair.producer.put({ONE: zone_text(6), THREE: zone_text(5)})
        pair.consumer.wait_serial(ONE, 6)
        if not isinstance(pair.consumer, KnotConsumer):  # which misses a removal that it learns of while it starts
            assert until(lambda: is_gone(pair.consumer, TWO)), pair.consumer.log()

    def test_group_is_understood_by_ours(self, pair: Pair) -> None:
        """The group sends us to a primary where there is nothing."""
        if not isinstance(pair.consumer, MailnameConsumer):
            return
        pair.producer.put({ONE: zone_text(7), IN_GROUP: zone_text(7)})
        pair.consumer.wait_serial(ONE, 7)
        ours = pair.consumer
        assert until(lambda: ours.order("status", IN_GROUP)["ok"]), ours.log()
        status = ours.wait_status(IN_GROUP, lambda status: status["last_failure"])
        assert status["member_of"] == "catalog.invalid."
        assert status["last_failure"]["reason"] == "connection-refused"
