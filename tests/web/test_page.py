"""The page as people use it: in a browser, by keyboard, without JavaScript; seen by axe; broken and mended over the lab."""

from __future__ import annotations

import json
import re
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.lab import plan_texts
from tests.web.rehearsed import Shown, browser, running, shown, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

_AXE = Path(__file__).parent / "vendored/axe.min.js"
_PLACES = ("", "/transfers?all", "/traffic", "/registrar", "/history")
_LOOKS = [(360, "light"), (1280, "dark"), (360, "dark"), (1280, "light")]
_PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("page")
    plan = folder / "example.tech.toml"
    plan.write_text(plan_texts.WITH_KEY)
    place = folder / "lab"
    with shown(folder, "rehearse", str(plan), "--serve", "--web", "127.0.0.1:0", "--folder", str(place)) as page:
        yield replace(page, plan=plan, network=place / "network.json")


@pytest.fixture(scope="module")
def entered(chromium: Browser, rehearsal: Shown) -> Iterator[BrowserContext]:
    """Enter by the link, so that this one may act."""
    context = chromium.new_context()
    context.set_default_timeout(_PATIENCE)
    page = context.new_page()
    page.goto(rehearsal.link)
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(entered: BrowserContext, rehearsal: Shown) -> Iterator[Page]:
    """Open a page that may complain of nothing, and ask nobody else."""
    made = entered.new_page()
    complaints: list[str] = []
    made.on("console", lambda message: complaints.append(message.text))
    made.on("pageerror", lambda error: complaints.append(str(error)))
    made.on("request", lambda request: None if request.url.startswith(rehearsal.base) else complaints.append(request.url))
    yield made
    made.close()
    assert complaints == []


def violations(page: Page) -> list[str]:
    """Return what axe finds against WCAG 2.2 AA and good practice."""
    found: Any = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {one['help']} {[node['target'] for node in one['nodes']]}" for one in found]


class TestEveryPage:
    @pytest.mark.parametrize("place", _PLACES)
    def test_is_accessible_narrow_and_wide_light_and_dark(self, page: Page, rehearsal: Shown, place: str) -> None:
        """Axe finds nothing, nothing is wider than the screen, and nobody else is asked for anything."""
        page.goto(f"{rehearsal.base}/domain/example.tech{place}")
        page.wait_for_selector("main h1, main .verdict")
        page.evaluate(_AXE.read_text(encoding="utf-8"))
        for width, scheme in _LOOKS if place == "" else _LOOKS[:2]:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
            assert violations(page) == [], (width, scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, scheme)

    def test_forbids_whatever_is_not_its_own(self, page: Page, rehearsal: Shown) -> None:
        """Strict headers on each answer; no inline script or style needs an exception."""
        for place in ("/domain/example.tech", "/static/page.css", "/nothing", "/metrics"):
            headers = page.request.get(rehearsal.base + place).headers
            assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
            assert headers["x-content-type-options"] == "nosniff"


class TestKeyboard:
    def test_reaches_the_verdict_first_then_each_control(self, page: Page, rehearsal: Shown) -> None:
        """The first Tab offers the way past the head; every control is reached, and shows that it is."""
        page.goto(f"{rehearsal.base}/domain/example.tech")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "To the verdict"
        page.keyboard.press("Enter")
        reached = []
        for _ in range(12):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id"))
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
        assert reached[:6] == ["check-now", "tab-domain", "tab-transfers", "tab-traffic", "tab-registrar", "tab-history"]
        assert "break-any" in reached


class TestRehearsal:
    def test_fault_is_injected_and_mended_from_the_page_and_others_see_it_live(
        self, page: Page, entered: BrowserContext, rehearsal: Shown
    ) -> None:
        """Who breaks sees the cause and the line to type; who has the page open sees it without a reload, and is told."""
        watching = entered.new_page()
        watching.goto(f"{rehearsal.base}/domain/example.tech")
        watching.wait_for_selector("main.well")
        page.goto(f"{rehearsal.base}/domain/example.tech")
        page.select_option("#fault", "glue-missing")
        page.click("#break-one")
        page.wait_for_selector("main.broken")
        assert "DELEG-02" in page.inner_text(".cause")
        assert "--registrar" in page.inner_text("pre.type[data-copy]")
        assert page.text_content(".hop.cause .code") == "← DELEG-02"
        watching.wait_for_selector("main.broken")
        assert watching.text_content("#announce") == "example.tech is broken: mail does not arrive."
        page.click("#mend")
        page.wait_for_selector("main.well")
        assert "It was: glue-missing" in page.inner_text("#said")
        watching.wait_for_selector("main.well")
        page.goto(f"{rehearsal.base}/domain/example.tech/history")
        assert "DELEG-02" in page.inner_text("main")
        watching.close()

    def test_actions_are_taken_by_the_servers(self, page: Page, rehearsal: Shown) -> None:
        """Check now, notify and transfer again each say what came of it."""
        place = f"{rehearsal.base}/domain/example.tech"
        page.goto(place)
        page.click("#check-now")
        page.wait_for_selector("#said")
        assert page.inner_text("#said") == "Checked: example.tech is well."
        for number, says in (
            (1, "ns1.example.tech asks its primary now."),
            (2, "ns2.example.tech notifies its secondaries now."),
        ):
            page.goto(place)
            page.click(f"#order-{number}")
            page.wait_for_selector("#said")
            assert page.inner_text("#said") == says


class TestWithoutJavaScript:
    def test_everything_can_be_read_and_done(
        self, chromium: Browser, entered: BrowserContext, rehearsal: Shown, tmp_path: Path
    ) -> None:
        """Verdict, cause, fix and line to type in the order in which they are read aloud; forms break, mend and restore."""
        changed = tmp_path / "changed.toml"
        changed.write_text(plan_texts.WITH_KEY + '[[record]]\nname = "new"\ntype = "TXT"\ndata = "new"\n')
        typed("publish", str(changed), "--network", str(rehearsal.network))
        state = entered.storage_state()
        context = chromium.new_context(java_script_enabled=False, storage_state=state, viewport={"width": 360, "height": 800})
        context.set_default_timeout(_PATIENCE)
        page = context.new_page()
        place = f"{rehearsal.base}/domain/example.tech"
        page.goto(f"{place}/history")
        new, old = page.locator("#changes-title ~ ol > li").all()
        assert "mailname publish" in new.inner_text()
        new.locator("summary").click()
        assert '+ new.example.tech. 3600 TXT "new"' in new.inner_text()
        old.locator("button").click()
        assert re.fullmatch(r"Published: what serial \d+ was is serial \d+ now\. Change .* as well\.", page.inner_text("#said"))
        assert '- new.example.tech. 3600 TXT "new"' in str(page.locator("#changes-title ~ ol > li").first.text_content())
        page.goto(place)
        page.select_option("#fault", "glue-missing")
        page.click("#break-one")
        read = page.locator("main").aria_snapshot()
        parts = ["broken", 'heading "example.tech"', "mail does not arrive", "The cause", "DELEG-02", "term: Fix", "term: Type"]
        assert re.search(".*".join(map(re.escape, parts)), read, re.DOTALL), read
        assert page.locator("figure svg.map").is_visible()
        page.click("#mend")
        assert "It was: glue-missing" in page.inner_text("#said")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        context.close()


class TestStranger:
    def test_looks_without_javascript_and_cannot_act(self, chromium: Browser, entered: BrowserContext, rehearsal: Shown) -> None:
        """The whole page is there; no button is; a POST of his is refused, and the link that was used lets nobody in."""
        context = chromium.new_context(java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{rehearsal.base}/domain/example.tech")
        assert page.inner_text("[data-sentence]") == "example.tech is well: its mail finds its way."
        for part in ("figure svg.map", ".server", ".timeline li", ".plotted"):
            assert page.is_visible(part)
        assert page.query_selector("form") is None
        assert page.request.post(f"{rehearsal.base}/lab/break", form={"fault": "glue-missing"}).status == 403
        page.goto(rehearsal.link)
        assert "has been used" in page.inner_text("#said")
        context.close()

    def test_other_name_and_other_site_are_refused(self, entered: BrowserContext, rehearsal: Shown) -> None:
        """A foreign site that made our browser ask, by its own name or with our cookie, gets nothing."""
        asked = entered.request
        assert asked.get(rehearsal.base + "/", headers={"host": "evil.example"}).status == 421
        for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}, {}):
            answer = asked.post(rehearsal.base + "/lab/mend", form={"word": "x"}, headers=headers)
            assert answer.status == 403


class TestForPrograms:
    def test_everything_shown_is_told_as_json(self, entered: BrowserContext, rehearsal: Shown) -> None:
        """One versioned document for each domain; metrics and health beside it."""
        asked = entered.request
        told = json.loads(asked.get(f"{rehearsal.base}/api/1/domain/example.tech").text())
        assert (told["schema"], told["verdict"], told["check"]["verdict"]) == ("mailname.web-domain/1", "well", "well")
        assert {one["server"] for one in told["servers"]} == {"ns1.example.tech", "ns2.example.tech"}
        assert any(one["what"] == "transfer" for one in told["transfers"])
        assert told["registrar"]["name_servers"]
        assert told["history"]
        questions = {one["server"]: one["traffic"]["questions"] for one in told["traffic"]["servers"]}
        assert all(questions.values())
        listed = json.loads(asked.get(f"{rehearsal.base}/api/1/domains").text())
        assert [(one["domain"], one["verdict"]) for one in listed["domains"]] == [("example.tech", "well")]
        metrics = asked.get(f"{rehearsal.base}/metrics").text()
        assert 'mailname_verdict{domain="example.tech",verdict="well"} 1.0' in metrics
        assert 'mailname_questions_total{server="ns1.example.tech"}' in metrics
        assert asked.get(f"{rehearsal.base}/healthz").text() == "ok\n"


class TestCommand:
    def test_serves_several_domains_with_a_token(self, chromium: Browser, rehearsal: Shown, tmp_path: Path) -> None:
        """The list tells what is not well first; who enters the token may act; the token is its owner's file."""
        other = tmp_path / "other.tech.toml"
        other.write_text(plan_texts.ORDINARY.replace("example.tech", "other.tech"))
        token = tmp_path / "token"
        words = ["--network", str(rehearsal.network), "--listen", "127.0.0.1:0", "--token-file", str(token)]
        with shown(tmp_path, "web", str(rehearsal.plan), str(other), *words) as web:
            assert token.stat().st_mode & 0o777 == 0o600
            context = chromium.new_context(viewport={"width": 360, "height": 800})
            context.set_default_timeout(_PATIENCE)
            page = context.new_page()
            page.goto(web.base)
            page.wait_for_selector("tr.broken")  # the page itself tells when the checks are done
            page.wait_for_selector("tr.well")
            assert [one.inner_text() for one in page.query_selector_all("tbody th")] == ["other.tech", "example.tech"]
            page.evaluate(_AXE.read_text(encoding="utf-8"))
            assert violations(page) == []
            page.click("#nav-enter")
            page.fill("#token", "something else")
            page.click("#go")
            assert page.inner_text("#said") == "That is not the token."
            page.fill("#token", token.read_text().strip())
            page.click("#go")
            page.click("text=other.tech")
            page.click("#check-now")
            page.wait_for_selector("#said")
            assert page.inner_text("#said") == "Checked: other.tech is broken."
            assert page.query_selector("#mend") is None
            page.click("#leave")
            page.goto(f"{web.base}/domain/other.tech")
            assert page.query_selector("#check-now") is None
            context.close()

    def test_at_a_socket_its_owner_acts(self, rehearsal: Shown, tmp_path: Path) -> None:
        """Nobody else can open it; it is gone afterwards."""
        path = tmp_path / "web.sock"
        with running(
            tmp_path, "The page is at", "web", str(rehearsal.plan), "--network", str(rehearsal.network), "--socket", str(path)
        ):
            assert path.stat().st_mode & 0o777 == 0o600
            page = over_socket(path, "GET", "/domain/example.tech")
            (word,) = set(re.findall(r'name="word" value="(\w+)"', page))
            assert "303 See Other" in over_socket(path, "POST", "/domain/example.tech/check", f"word={word}")
            assert "403 Forbidden" in over_socket(path, "POST", "/domain/example.tech/check", "word=x")
        assert not path.exists()


def over_socket(path: Path, method: str, place: str, body: str = "") -> str:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asked:
        asked.settimeout(60)
        asked.connect(str(path))
        asked.sendall(f"{method} {place} HTTP/1.0\r\nHost: web\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        return b"".join(iter(lambda: asked.recv(65536), b"")).decode()
