"""The primary's side: who is notified, who may transfer."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import dns.name
import pytest
from tests.transfer.zones import peer

from mailname.transfer.actions import SendNotify
from mailname.transfer.primary import Primary, Refusal
from mailname.zone import Serial

KEY = "transfer.example."


def name(text: str | None) -> dns.name.Name | None:
    return dns.name.from_text(text) if text else None


class TestPublished:
    def test_every_secondary_is_notified(self) -> None:
        """All at once. RFC 1996 section 3.1."""
        primary = Primary((peer("192.0.2.1"), peer("192.0.2.3")))
        assert primary.on_published(Serial(7), 0.0) == [
            SendNotify(peer("192.0.2.1"), Serial(7)),
            SendNotify(peer("192.0.2.3"), Serial(7)),
        ]
        assert primary.held == Serial(7)

    def test_only_who_did_not_answer_is_notified_again(self) -> None:
        """The others have heard it."""
        primary = Primary((peer("192.0.2.1"), peer("192.0.2.3")))
        primary.on_published(Serial(7), 0.0)
        primary.on_notify_answer(peer("192.0.2.1"), Serial(7), "NOERROR")
        primary.on_notify_failed(peer("192.0.2.3"), Serial(7), "no answer")
        assert primary.next_wakeup() == 1.0
        assert primary.on_timer(1.0) == [SendNotify(peer("192.0.2.3"), Serial(7))]
        assert [one.says for one in primary.notifying] == ["", "no answer"]

    def test_without_secondaries_nothing_is_due(self) -> None:
        """No timer runs."""
        primary = Primary(())
        assert (primary.on_published(Serial(7), 0.0), primary.on_timer(9.0), primary.next_wakeup()) == ([], [], None)


class TestTransferred:
    def test_address_acknowledges(self) -> None:
        """The secondary at this address has it."""
        primary = Primary((peer("192.0.2.1"), peer("192.0.2.3")))
        primary.on_published(Serial(7), 0.0)
        primary.on_transferred(ip_address("192.0.2.1"), None, Serial(7))
        assert [one.state for one in primary.notifying] == ["acknowledged", "waiting"]

    def test_key_acknowledges_when_it_can_mean_one_only(self) -> None:
        """Behind a NAT the address differs; a key shared by two secondaries does not tell which of them."""
        one = Primary((peer("192.0.2.1", KEY),))
        two = Primary((peer("192.0.2.1", KEY), peer("192.0.2.3", KEY)))
        for primary in (one, two):
            primary.on_published(Serial(7), 0.0)
            primary.on_transferred(ip_address("203.0.113.9"), name(KEY), Serial(7))
        assert one.notifying[0].state == "acknowledged"
        assert [other.state for other in two.notifying] == ["waiting", "waiting"]


class TestWhoMayTransfer:
    @pytest.mark.parametrize(
        ("source", "key", "refused"),
        [
            ("192.0.2.1", None, None),
            ("192.0.2.3", KEY, None),
            ("203.0.113.9", KEY, None),
            ("198.51.100.7", None, None),
            ("203.0.113.9", None, "203.0.113.9 is not a secondary of this zone"),
            (
                "203.0.113.9",
                "other.example.",
                "203.0.113.9 is not a secondary of this zone, and the key other.example. is not its key",
            ),
            (
                "192.0.2.3",
                None,
                "192.0.2.3 is a secondary of this zone, but must sign with the key transfer.example.; the request was not signed",
            ),
            (
                "192.0.2.3",
                "other.example.",
                "192.0.2.3 is a secondary of this zone, but must sign with the key transfer.example., not other.example.",
            ),
            ("2001:db8::9", None, "2001:db8::9 is not a secondary of this zone"),
        ],
    )
    def test_nobody_but_secondaries_and_allowed_networks(self, source: str, key: str | None, refused: str | None) -> None:
        """The key counts from everywhere; an address counts where no key was agreed; else it is said why not."""
        primary = Primary((peer("192.0.2.1"), peer("192.0.2.3", KEY)), (ip_network("198.51.100.0/24"),))
        assert primary.objection(ip_address(source), name(key)) == refused

    def test_by_default_nobody(self) -> None:
        """No list, no transfer."""
        assert Primary(()).objection(ip_address("127.0.0.1"), None)

    def test_last_refusals_are_remembered(self) -> None:
        """Twenty of them: strangers cannot fill the memory."""
        primary = Primary(())
        for number in range(30):
            primary.on_refused(Refusal(float(number), "203.0.113.9", "refused", "no"))
        assert [one.at for one in primary.refused] == [float(number) for number in range(10, 30)]


class TestSettled:
    """What was refused for a signature counts until the same address has signed well: in that order, not by clocks."""

    def refused(self, *reasons: str) -> Primary:
        primary = Primary((peer("192.0.2.1", KEY), peer("192.0.2.3", KEY)))
        for reason in reasons:  # as a clock two days ahead wrote it
            primary.on_refused(Refusal(2e9, "192.0.2.1", reason, reason))
        return primary

    def test_good_signature_settles_what_was_wrong_with_signatures(self) -> None:
        """Key and clocks agree now; whether it may transfer, nobody has shown."""
        primary = self.refused("badtime", "refused", "badkey")
        primary.on_signed_well(ip_address("192.0.2.3"))
        assert len(primary.refused) == 3
        primary.on_signed_well(ip_address("192.0.2.1"))
        assert [one.reason for one in primary.refused] == ["refused"]
        assert primary.proven == {"192.0.2.1", "192.0.2.3"}

    def test_good_signature_with_its_key_settles_all(self) -> None:
        """It did not sign before, and was refused for that; now it may transfer. With another key it may not."""
        primary = self.refused("badtime", "refused")
        primary.on_signed_well(ip_address("192.0.2.1"), name("other.example."))
        assert [one.reason for one in primary.refused] == ["refused"]
        primary.on_signed_well(ip_address("192.0.2.1"), name(KEY))
        assert not primary.refused

    def test_transfer_settles_all(self) -> None:
        primary = self.refused("badtime", "refused")
        primary.on_transferred(ip_address("192.0.2.1"), name(KEY), Serial(7))
        assert not primary.refused

    def test_next_refusal_begins_anew(self) -> None:
        primary = self.refused()
        primary.on_signed_well(ip_address("192.0.2.1"))
        primary.on_refused(Refusal(1.0, "192.0.2.1", "badsig", "badsig"))
        assert (len(primary.refused), primary.proven) == (1, set())

    def test_strangers_are_not_counted(self) -> None:
        """Whoever may transfer by his network is none of the secondaries: his address is not kept."""
        primary = self.refused()
        primary.on_transferred(ip_address("203.0.113.9"), None, Serial(7))
        assert primary.proven == set()
