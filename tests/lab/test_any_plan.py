"""The zone that our own tools render is always found well: plans of any healthy shape, in the lab and in a small world."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, note, settings
from hypothesis import strategies as st

from mailname.checks import Severity, explain, judge, observe
from mailname.lab import Lab
from mailname.lab.journey import walk
from mailname.plan import load

DOMAINS = st.sampled_from(
    [
        "example.tech",
        "example.co.uk",
        "bücher.example",
        "xn--bcher-kva.tech",
        "mail.example.net",
        "a.de",
        "example.no",
        "nic.tech",
    ]
)
LABELS = st.sampled_from(["ns", "a", "mail", "mx", "one", "very-long-label-of-a-host-that-somebody-chose-in-anger"])
FAMILIES = st.sampled_from([(4,), (6,), (4, 6), (4, 4), (6, 6), (4, 6, 6)])


def _addresses(families: tuple[int, ...], host: int) -> str:
    made = [f"198.51.{host}.{place}" if family == 4 else f"2001:db8:{host}::{place}" for place, family in enumerate(families, 1)]
    return "[" + ", ".join(f'"{address}"' for address in made) + "]"


@st.composite
def healthy_plans(draw: st.DrawFn) -> str:
    """Make up a plan: where its hosts are, how many there are, in which families, with mail, without or elsewhere."""
    domain = draw(DOMAINS)
    # Both families at the primary: a secondary must have one in common with it, and some registries want an IPv4 address.
    families = [(4, 6), *(draw(FAMILIES) for _ in range(draw(st.integers(1, 2))))]
    draw(st.randoms()).shuffle(families)
    outside = draw(st.sampled_from(["", "provider.net", "dns.provider.net", "other.tech"]))
    mixed = draw(st.booleans())
    lines = [f'domain = "{domain}"', f'contact = "hostmaster@{domain}"']
    lines += [f'website = ["198.51.9.{number}"]' for number in draw(st.sets(st.just(80), max_size=1))]
    primary = families.index((4, 6))
    for number, family in enumerate(families):
        zone = outside if outside and (not mixed or number % 2) else domain
        role = "primary" if number == primary else "secondary"
        name = f"{draw(LABELS)}{number}.{zone}"
        lines.append(f'[[name_server]]\nname = "{name}"\naddresses = {_addresses(family, 10 + number)}\nrole = "{role}"')
    for number in range(draw(st.integers(0, 2))):
        elsewhere = draw(st.booleans())
        where = f'name = "mx{number}.mailer.example"' if elsewhere else f'name = "post{number}"'
        own = "" if elsewhere else f"\naddresses = {_addresses(draw(FAMILIES), 30 + number)}"
        lines.append(f"[[mail_host]]\n{where}\npreference = {10 * (number + 1)}{own}")
    if not any("[[mail_host]]" in line for line in lines):
        lines.append('[[record]]\nname = "@"\ntype = "MX"\ndata = "0 ."')
    if draw(st.booleans()):
        lines.append(f'[transfer_key]\nname = "transfer.{domain}"')
    if draw(st.booleans()):
        lines.append('[[reverse_zone]]\nprefix = "198.51.10.0/24"')
    return "\n".join(lines) + "\n"


async def walked(text: str, folder: Path) -> tuple[list[str], str, list[str]]:
    """Walk a plan's journey; return the steps that failed, the verdict, and what was found beyond notes."""
    plan = load(text, "plan.toml").plan
    async with Lab(plan, folder) as lab:
        failed = [f"{step.title}: {step.says}" async for step in walk(lab) if not step.ok]
        facts = await observe(plan, network=lab.network, world=lab.world)
        verdict = explain(plan, facts, judge(plan, facts))
        return failed, verdict.verdict, [str(one) for one in verdict.findings if one.severity is not Severity.NOTE]


class TestAnyHealthyPlan:
    @settings(max_examples=8)
    @given(healthy_plans())
    def test_is_well_from_the_registry_to_the_mailbox(self, text: str) -> None:
        """Every step has its effect, and the check has nothing to say."""
        note(text)
        with tempfile.TemporaryDirectory(prefix="mailname-", ignore_cleanup_errors=True) as folder:
            assert asyncio.run(walked(text, Path(folder))) == ([], "well", [])
