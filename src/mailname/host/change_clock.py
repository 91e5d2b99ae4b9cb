"""What has to be changed so that the clock is right: one time service, the time zone, and logs that know it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from mailname.host.change import Change, order, unit
from mailname.host.clock import judge_clock, judge_time_zone, time_services
from mailname.host.step import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailname.host.facts import Facts
    from mailname.plan.model import Hosts


def clock_changes(facts: Facts) -> Iterator[Change]:
    """Start chrony where nothing keeps the clock; where several do, leave one. A service that runs alone is left as it is."""
    if judge_clock(facts).outcome is not Outcome.DOES_NOT_HOLD:
        return
    running = time_services(facts)
    keep = "chrony" if not running or "chrony" in running else running[0]
    others = [name for name in running if name != keep]
    if others:
        words = " ".join(shlex.quote(name) for name in others)
        yield Change(
            "clock",
            ("HOST-04",),
            tuple(f"- unit {name}: stopped for good, {keep} keeps the clock" for name in others),
            (order(f"systemctl disable -q --now {words}"),),
        )
    if not running:
        yield Change("clock", ("HOST-04",), (f"+ unit {keep}: started, now and at boot",), (unit(keep),))


def zone_changes(facts: Facts, wanted: Hosts) -> Iterator[Change]:
    """Set the time zone, and let what writes times into logs know."""
    judged = judge_time_zone(facts, wanted)
    if judged.outcome is not Outcome.DOES_NOT_HOLD:
        return
    zone = wanted.time_zone
    restart = "for unit in rsyslog cron; do systemctl try-restart $unit.service 2>/dev/null; done; true"
    now = next(iter(facts["zone"].lines), "").partition("/zoneinfo/")[2]
    shown: tuple[str, ...] = (
        (f"- time zone {now}", f"+ time zone {zone}") if any("time zone" in one for one in judged.seen) else ()
    )
    steps = (order(f"timedatectl set-timezone {shlex.quote(zone)}"),) if shown else ()
    old = [
        f"+ unit {one.partition(' ')[0]}: restarted, so that it writes the new time" for one in judged.seen if "old time" in one
    ]
    yield Change("time zone", ("HOST-05",), (*shown, *old), (*steps, order(restart)))
