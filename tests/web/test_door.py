"""Who may act from the page, and who may not."""

from __future__ import annotations

from starlette.requests import Request

from mailname.web.door import COOKIE, Door
from mailname.web.guard import host_of

_TOKEN = "correct-horse-battery"


def request(**headers: str) -> Request:
    named = {"host": "127.0.0.1:8053", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Request({"type": "http", "headers": [(name.encode(), value.encode()) for name, value in named.items()]})


def entered(door: Door) -> Request:
    session = door.admit(_TOKEN)
    assert session is not None
    return request(cookie=f"{COOKIE}={session}")


class TestToken:
    def test_lets_act_with_the_word_of_the_form(self) -> None:
        """The session and the word together; each alone is not enough."""
        door = Door(token=_TOKEN)
        asked = entered(door)
        word = door.form_word(asked)
        assert door.refuses(asked, {"word": word}) == ""
        assert "Load the page again" in door.refuses(asked, {})
        assert "enter the token" in door.refuses(request(), {"word": word})

    def test_wrong_one_lets_nobody_in(self) -> None:
        """Nothing but the token, or a link that was not used."""
        door = Door(token=_TOKEN)
        assert [door.admit(word) for word in ("", "correct", _TOKEN + "x")] == [None, None, None]

    def test_in_a_header_needs_no_form(self) -> None:
        """A program sends it; no browser does by itself."""
        door = Door(token=_TOKEN)
        assert door.refuses(request(authorization=f"Bearer {_TOKEN}"), {}) == ""
        assert door.refuses(request(authorization="Bearer other"), {}) == "The token is wrong."
        assert door.refuses(request(authorization=f"Bearer {_TOKEN}", origin="http://evil.example"), {}) != ""
        assert Door().refuses(request(authorization="Bearer "), {}) == "The token is wrong."

    def test_is_not_in_what_is_printed(self) -> None:
        """A repr goes into logs."""
        assert _TOKEN not in repr(Door(token=_TOKEN))


class TestLink:
    def test_lets_in_once(self) -> None:
        """What stands in a terminal's scrollback opens nothing."""
        door = Door()
        word = door.new_link()
        assert (door.admit(word) is not None, door.admit(word)) == (True, None)


class TestOtherSite:
    def test_cannot_act_with_our_session(self) -> None:
        """By its origin, or by what the browser says of it."""
        door = Door(token=_TOKEN)
        session = door.admit(_TOKEN)
        for header in ({"origin": "http://evil.example"}, {"origin": "null"}, {"sec_fetch_site": "same-site"}):
            asked = request(cookie=f"{COOKIE}={session}", **header)
            assert door.refuses(asked, {"word": door.form_word(asked)}) == "This request came from another site."
        asked = request(cookie=f"{COOKIE}={session}", origin="http://127.0.0.1:8053", sec_fetch_site="same-origin")
        assert door.refuses(asked, {"word": door.form_word(asked)}) == ""


class TestReadOnly:
    def test_nobody_acts(self) -> None:
        """Neither token nor socket help."""
        door = Door(token=_TOKEN, trusts_way=True, read_only=True)
        assert (door.admit(_TOKEN), door.session(request())) == (None, None)
        assert door.refuses(request(authorization=f"Bearer {_TOKEN}"), {}) == "This page is read-only."


class TestSocket:
    def test_its_owner_acts_from_our_forms_only(self) -> None:
        """No token is needed; a form of another site has not the word."""
        door = Door(trusts_way=True)
        asked = request()
        assert door.refuses(asked, {"word": door.form_word(asked)}) == ""
        assert door.refuses(asked, {}) != ""


class TestHost:
    def test_is_read_without_port_and_brackets(self) -> None:
        """As browsers write it."""
        written = ["127.0.0.1:8053", "[::1]:8053", "LocalHost", ""]
        assert [host_of(one) for one in written] == ["127.0.0.1", "::1", "localhost", ""]


class TestWhatAPageTells:
    def test_comes_from_us_alone(self) -> None:
        """A link of somebody else puts no words on the page."""
        door = Door()
        says = "Checked: example.tech is well. 50 % & more"
        assert door.unsealed(door.sealed(says)) == says
        for forged in ("", "Call us now.", f"{'0' * 32}.Call us now.", Door().sealed(says), door.sealed(says) + "!", "é.é"):
            assert door.unsealed(forged) == ""
