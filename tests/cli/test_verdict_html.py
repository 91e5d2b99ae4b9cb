"""The verdict as a page: whole in itself, true to the verdict, readable by everybody, and deaf to hostile names."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.checks import test_explain as faults
from tests.checks.small_world import SmallWorld, look, verdict_of

from mailname.cli.verdict_html import page
from mailname.view.delegation_hops import hops
from mailname.view.delegation_map import draw
from mailname.view.html_text import Html, fill, safe
from mailname.view.verdict_doing import look_again, own_letters

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.checks import Facts, Verdict

VOID = {"meta", "br", "hr", "rect", "circle", "path"}
HOSTILE = "</pre><script>alert(1)</script><img src=//evil.example onerror=x>\u202e\x1b[31m&amp;'\""


class Reader(HTMLParser):
    """Reads a page strictly: each element is closed by its own name; remembers tags, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


async def looked(fault: Callable[[SmallWorld], None] | None = None) -> tuple[SmallWorld, Facts, Verdict]:
    world = SmallWorld()
    if fault:
        fault(world)
    facts = await look(world)
    return world, facts, verdict_of(world.plan, facts)


class TestPage:
    @pytest.mark.parametrize("fault", [None, faults.glue_wrong, faults.behind, faults.mail_host_down, faults.not_registered])
    async def test_is_whole_in_itself(self, fault: Callable[[SmallWorld], None] | None) -> None:
        """No script, nothing fetched, nothing sent, and each element closed."""
        world, facts, verdict = await looked(fault)
        written = page(world.plan, facts, verdict)
        reader = read(written)
        assert not {"script", "link", "img", "iframe", "object", "form", "a"} & set(reader.tags)
        assert [name for name, _ in reader.attributes if name in ("src", "href") or name.startswith("on")] == []
        assert "url(" not in written
        assert "@import" not in written
        assert "://" not in written
        assert "$" not in "".join(reader.text)

    async def test_tells_the_cause_where_fix_and_line_to_type(self) -> None:
        world, facts, verdict = await looked(faults.behind)
        text = "".join(read(page(world.plan, facts, verdict)).text)
        assert verdict.cause is not None
        finding = verdict.cause.finding
        for part in (finding.code, finding.says, finding.where, finding.fix, finding.command, "fragile"):
            assert part in text

    async def test_names_its_drawing_for_those_who_do_not_see_it(self) -> None:
        """The drawing has a title, and a description with each hop's state in words."""
        world, facts, verdict = await looked(faults.mail_host_down)
        written = page(world.plan, facts, verdict)
        assert ("role", "img") in read(written).attributes
        described = re.search(r'<desc id="map-desc">([^<]*)</desc>', written)
        assert described
        assert "mail host mail.example.tech: broken (MAIL-01)" in described[1]
        assert "name server ns1.example.tech: well" in described[1]

    async def test_lets_no_hostile_text_become_markup(self) -> None:
        """A banner, a record or a finding may hold anything."""
        world, facts, verdict = await looked(faults.mail_host_down)
        assert verdict.cause is not None
        finding = replace(verdict.cause.finding, says=HOSTILE, where=HOSTILE, fix=HOSTILE, command=HOSTILE)
        bad = verdict._replace(cause=replace(verdict.cause, finding=finding, explains=(finding,)), findings=(finding,))
        mail = tuple(replace(visit, banner=HOSTILE) for visit in facts.mail)
        written = page(world.plan, replace(facts, mail=mail), bad)
        reader = read(written)
        assert not {"script", "img"} & set(reader.tags)
        assert "\x1b" not in written
        assert "\u202e" not in written
        assert "<script>alert(1)</script>" in "".join(reader.text)


class TestHops:
    @pytest.mark.parametrize(
        ("fault", "rung", "state"),
        [
            (faults.not_registered, "tld", "broken"),
            (faults.glue_wrong, "tld", "fragile"),
            (faults.server_stopped, "server", "broken"),
            (faults.tcp_blocked, "server", "fragile"),
            (faults.mx_without_address, "mx", "broken"),
            (faults.mail_host_down, "mail", "broken"),
        ],
    )
    async def test_mark_the_broken_one(self, fault: Callable[[SmallWorld], None], rung: str, state: str) -> None:
        """The cause stands at the hop that is broken, and at no hop above it."""
        world, facts, verdict = await looked(fault)
        marked = [hop for hop in hops(world.plan, facts, verdict) if hop.is_cause]
        assert (marked[0].rung, marked[0].state) == (rung, state)
        assert verdict.cause is not None
        assert {hop.code for hop in marked} == {verdict.cause.finding.code}

    async def test_are_all_well_where_all_is(self) -> None:
        world, facts, verdict = await looked()
        assert {hop.state for hop in hops(world.plan, facts, verdict)} == {"well"}

    async def test_show_where_wrong_glue_leads(self) -> None:
        world, facts, verdict = await looked(faults.glue_wrong)
        strangers = [hop for hop in hops(world.plan, facts, verdict) if "by the glue" in hop.detail]
        assert [(hop.title, hop.state, hop.code) for hop in strangers] == [("ns1.example.tech", "broken", "DELEG-03")]

    async def test_tell_their_state_by_shape_too(self) -> None:
        """Square, triangle and circle."""
        world, facts, verdict = await looked(faults.glue_wrong)
        drawn = draw(hops(world.plan, facts, verdict), "x")
        assert "<rect" in drawn
        assert "<circle" in drawn
        assert 'Z"/>' in drawn


class TestEscaping:
    @given(st.text())
    def test_leaves_nothing_that_is_markup(self, text: str) -> None:
        reader = read(fill('<p title="$text">$text</p>', text=text))
        assert reader.tags == ["p"]
        assert len(reader.attributes) == 1

    def test_leaves_html_of_ours_as_it_is(self) -> None:
        assert safe(Html("<b>x</b>")) == "<b>x</b>"


class TestWhatTheReaderDoes:
    """Who gets the page has neither the plan nor this program."""

    async def test_what_the_registrar_must_have_stands_in_the_page(self) -> None:
        """Names, with their addresses where these are glue."""
        world, facts, verdict = await looked(faults.not_registered)
        text = "".join(read(page(world.plan, facts, verdict)).text)
        assert "ns1.example.tech 192.0.2.1\nns2.example.tech 198.51.100.2" in text

    async def test_a_question_for_dig_stands_beside_our_own_command(self) -> None:
        """It shows whether the fault is mended."""
        world, facts, verdict = await looked(faults.glue_wrong)
        assert verdict.cause is not None
        assert verdict.cause.finding.command.startswith("mailname ")
        assert look_again(verdict.cause.finding).startswith("dig +norec @198.18.0.2 ")
        assert look_again(verdict.cause.finding) in "".join(read(page(world.plan, facts, verdict)).text)

    @pytest.mark.parametrize(("fault", "label"), [(faults.tcp_blocked, "Look again"), (faults.mx_missing, "Type")])
    async def test_a_line_that_mends_nothing_is_not_told_as_what_to_type(
        self, fault: Callable[[SmallWorld], None], label: str
    ) -> None:
        """It looks again; the mending is described above it."""
        world, facts, verdict = await looked(fault)
        assert verdict.cause is not None
        text = "".join(read(page(world.plan, facts, verdict)).text)
        assert f"{label}{verdict.cause.finding.command}" in text

    async def test_is_not_told_that_mail_hosts_answer_where_there_are_none(self) -> None:
        """The page says what was seen, and no more."""
        world, facts, verdict = await looked()
        told = "".join(read(page(world.plan, facts, verdict)).text)
        silent = "".join(read(page(world.plan, replace(facts, mail=()), verdict)).text)
        assert "its MX and its mail hosts" in told
        assert "its MX and its mail hosts" not in silent

    @pytest.mark.parametrize(
        ("name", "letters"),
        [("example.tech", ""), ("xn--mnchen-3ya.example", "m\u00fcnchen.example"), ("xn--a-\u0000.example", "")],
    )
    def test_a_name_is_shown_in_the_letters_of_its_owner(self, name: str, letters: str) -> None:
        """IDNA 2008; what is no such name stays as it is."""
        assert own_letters(name) == letters
