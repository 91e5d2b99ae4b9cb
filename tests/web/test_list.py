"""The page of all domains: a thousand of them, sorted, filtered, and what a name or a server may say in it."""

from __future__ import annotations

import re
from typing import Any

from tests.checks import small_world
from tests.checks.small_world import SmallWorld, verdict_of
from tests.lab import plan_texts

from mailname.plan import load
from mailname.web.app import app
from mailname.web.check_log import CheckLog
from mailname.web.domain import Domain, Look, Surroundings
from mailname.web.door import Door
from mailname.web.live import Live
from mailname.web.rounds import Rounds
from mailname.web.site import Site

_PLAN = small_world.plan_of()


def around() -> Surroundings:
    raise AssertionError("a page asks nobody")


def site(looks: dict[str, Look]) -> Site:
    domains = []
    for name, look in looks.items():
        plan = load(plan_texts.ORDINARY.replace("example.tech", name), "plan").plan
        domains.append(Domain(plan, "plan", around, look))
    live, log = Live(), CheckLog()
    return Site(Rounds(domains, live, log, 300), live, log, Door())


async def get(site: Site, path: str, query: str = "") -> tuple[int, str]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": [(b"host", b"localhost")]}
    await app(site, frozenset({"localhost"}))({**scope, "scheme": "http", "server": ("localhost", 80)}, receive, send)
    return sent[0]["status"], b"".join(one.get("body", b"") for one in sent).decode()


async def looks() -> dict[str, Look]:
    """Look at a small world that is well, and at one that lacks its glue."""
    found = {}
    for state in ("well", "broken"):
        async with SmallWorld() as world:
            if state == "broken":
                world.delegate({server.name: () for server in world.plan.name_servers})
            facts = await small_world.look(world)
        found[state] = Look(facts, verdict_of(_PLAN, facts))
        assert found[state].verdict.verdict == state
    return found


def names(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/domain/([^"]+)"', page)


class TestList:
    async def test_of_a_thousand_shows_what_is_not_well_first(self) -> None:
        """The broken one is on top, and is told in the title; sorting and filters work by plain links and forms."""
        seen = await looks()
        shown = site({f"d{number:04}.tech": seen["broken" if number == 777 else "well"] for number in range(1000)})
        status, page = await get(shown, "/")
        assert (status, len(names(page)), names(page)[:2]) == (200, 200, ["d0777.tech", "d0000.tech"])
        assert "<title>1 of 1000 domains not well</title>" in page
        assert "1 of 1,000 domains is broken" in page
        assert "DELEG-02" in page
        _, page = await get(shown, "/", "sort=domain")
        assert names(page)[:2] == ["d0000.tech", "d0001.tech"]
        assert "1 to 200 of 1,000" in page
        assert names((await get(shown, "/", "sort=domain&from=all"))[1]) == [f"d{number:04}.tech" for number in range(1000)]
        last = (await get(shown, "/", "sort=domain&from=800"))[1]
        assert (names(last)[0], 'id="before"' in last, 'id="next"' in last) == ("d0800.tech", True, False)
        for nonsense in ("1000", "-1", "9" * 30, "x"):
            assert names((await get(shown, "/", f"sort=domain&from={nonsense}"))[1])[0] == "d0000.tech"
        _, page = await get(shown, "/", "unwell=on")
        assert names(page) == ["d0777.tech"]
        _, page = await get(shown, "/", "q=d04&sort=nonsense")
        assert len(names(page)) == 100

    async def test_of_one_is_its_own_page(self) -> None:
        """With one plan nobody has to choose."""
        seen = await looks()
        status, _ = await get(site({"example.tech": seen["well"]}), "/")
        assert status == 303

    async def test_what_was_asked_for_is_escaped(self) -> None:
        """A name in the address is no HTML."""
        seen = await looks()
        shown = site({"a.tech": seen["well"], "b.tech": seen["broken"]})
        _, page = await get(shown, "/", "q=%3Cscript%3Ealert(1)%3C/script%3E&said=%3Cb%3E")
        assert "<script>alert" not in page
        assert "<b>" not in page
        assert (await get(shown, "/domain/c.tech"))[0] == 404
