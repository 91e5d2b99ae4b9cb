"""What an RDAP server says, read; and which server to ask."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import dns.name
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailname.checks.rdap import RegistrationFact, base_for, domain_url, read_registration

if TYPE_CHECKING:
    from collections.abc import Mapping

DOMAIN = dns.name.from_text("example.tech")
ANSWER: Mapping[str, Any] = {
    "objectClassName": "domain",
    "status": ["client hold", "active", 7],
    "events": [
        {"eventAction": "registration", "eventDate": "2020-01-01T00:00:00Z"},
        {"eventAction": "expiration", "eventDate": "2027-01-01T00:00:00Z"},
    ],
    "entities": [
        {"roles": ["abuse"], "vcardArray": ["vcard", [["fn", {}, "text", "Somebody"]]]},
        {
            "roles": ["registrar"],
            "vcardArray": [
                "vcard",
                [["version", {}, "text", "4.0"], ["fn", {}, "text", "Names Inc."], ["email", {}, "text", "a@b"]],
            ],
        },
    ],
}
FILE = {
    "version": "1.0",
    "services": [
        [["tech", "site"], ["http://rdap.test/x/", "https://rdap.test/x/"]],
        [["example.tech"], ["https://closer.test/"]],
    ],
}
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["objectClassName", "status", "events", "entities", "roles", "vcardArray", "eventAction", "eventDate"]
            ),
            inner | st.sampled_from(["domain", "expiration", "registrar"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


class TestAnswer:
    def test_gives_status_end_and_registrar_and_nothing_else(self) -> None:
        """Addresses of people are not kept."""
        told = read_registration("u", json.dumps(ANSWER).encode())
        assert told == RegistrationFact("u", "", ("client hold", "active"), datetime(2027, 1, 1, tzinfo=UTC), "Names Inc.")
        assert RegistrationFact.from_json(told.to_json()) == told
        assert "a@b" not in json.dumps(told.to_json())

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"objectClassName": "entity"}', b"[" * 100_000])
    def test_that_is_none_is_a_problem(self, body: bytes) -> None:
        assert read_registration("u", body).problem != ""

    @given(ANY_JSON)
    def test_of_any_json_raises_nothing(self, value: Any) -> None:
        body = {"objectClassName": "domain", **value} if isinstance(value, dict) else value
        told = read_registration("u", json.dumps(body).encode())
        assert RegistrationFact.from_json(told.to_json()) == told


class TestBootstrap:
    @pytest.mark.parametrize(
        ("domain", "url"),
        [("other.tech", "https://rdap.test/x/"), ("EXAMPLE.TECH", "https://closer.test/"), ("example.de", None), ("xtech", None)],
    )
    def test_gives_the_longest_match_and_https(self, domain: str, url: str | None) -> None:
        """RFC 9224 sections 4 and 5.1."""
        assert base_for(json.dumps(FILE).encode(), dns.name.from_text(domain)) == url

    @pytest.mark.parametrize(
        "text", ["", "[]", "{}", '{"services": 1}', '{"services": [1]}', '{"services": [[1, 2]]}', "[" * 100_000]
    )
    def test_that_is_none_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"it |service|Expecting"):
            base_for(text.encode(), DOMAIN)


class TestUrl:
    @pytest.mark.parametrize("base", ["https://rdap.test/x", "https://rdap.test/x/"])
    def test_is_that_of_the_domain(self, base: str) -> None:
        """RFC 9082 section 3.1.3."""
        assert domain_url(base, DOMAIN) == "https://rdap.test/x/domain/example.tech"
