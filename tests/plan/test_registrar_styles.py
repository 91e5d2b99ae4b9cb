from __future__ import annotations

from importlib import resources

import pytest
from tests.plan.marked_plans import plan

from mailname.errors import HostError
from mailname.plan import expand
from mailname.plan.registrar import Worksheet, worksheet
from mailname.plan.registrar_styles import read_styles, steps, too_many
from mailname.zone import Serial

STYLES = read_styles(resources.files("mailname.plan").joinpath("registrar_styles.toml").read_text(encoding="utf-8"))


def sheet(*changes: tuple[str, str]) -> Worksheet:
    made = plan(*changes)
    return worksheet(made, expand(made, Serial(1)))


class TestData:
    def test_each_panel_says_where_its_words_are_from(self) -> None:
        """And whether they were read there."""
        assert all(panel.source and panel.registrar and panel.server_page for panel in STYLES.panels)

    def test_names_are_unique(self) -> None:
        """--style takes both kinds."""
        names = [*(style.name for style in STYLES.styles), *(panel.name for panel in STYLES.panels)]
        assert len(names) == len(set(names))

    def test_a_form_with_pages_of_hosts_says_where(self) -> None:
        """But for those where the addresses stand beside the names."""
        assert all(bool(panel.host_page) == (panel.style.glue != "beside") for panel in STYLES.panels)


class TestFind:
    def test_takes_a_style_or_a_registrar(self) -> None:
        """In any case of letters."""
        assert STYLES.find("One-Form")[1] is None
        style, panel = STYLES.find("IONOS")
        assert panel is not None
        assert (style.name, panel.name) == ("one-form", "ionos")

    def test_of_another_name_is_refused(self) -> None:
        """With those that are known."""
        with pytest.raises(HostError, match="is not known"):
            STYLES.find("nowhere")


class TestSteps:
    @pytest.mark.parametrize("panel", STYLES.panels, ids=lambda panel: panel.name)
    def test_have_every_name_and_every_address_once(self, panel: object) -> None:
        """No form loses what the worksheet has."""
        found = STYLES.find(getattr(panel, "name", ""))
        pages = steps(sheet(), *found)
        assert [entry.name for entry in pages[-1].entries] == [server.name for server in sheet().name_servers]
        typed = [address for page in pages for entry in page.entries for address in entry.addresses]
        assert typed == [address for server in sheet().name_servers for address in server.glue]

    def test_without_glue_are_the_names_alone(self) -> None:
        """No page of hosts is to be opened."""
        outside = sheet(('"ns1.example.tech"', '"ns1.example.org"'), ('"ns2.example.tech"', '"ns2.example.org"'))
        for style in STYLES.styles:
            (page,) = steps(outside, style)
            assert page.title == "The name servers, by name alone"


class TestTooMany:
    def test_counts_each_family(self) -> None:
        """One address of each is enough for a form with one field of each."""
        panel = STYLES.find("ionos")[1]
        assert too_many(sheet(), panel) == ()
        two = sheet(("2001:db8:1::1", "192.0.2.9"))
        assert [(str(name), version, more) for name, version, more in too_many(two, panel)] == [("ns1.example.tech.", 4, 1)]
        assert too_many(two, None) == ()
