"""The scripts that hand port 53 over; ``tests/hosts/test_change_of_engine.py`` runs them."""

from __future__ import annotations

import subprocess
from ipaddress import ip_address
from pathlib import Path

from mailname.host import handover_script

V4, V6 = ip_address("192.0.2.11"), ip_address("2001:db8::11")


class TestRuleset:
    def test_leads_what_comes_to_the_servers_own_addresses(self) -> None:
        """What another program answers at another address stays there."""
        text = handover_script.ruleset((V4, V6))
        assert 'iifname != "lo" ip daddr { 192.0.2.11 } meta l4proto { tcp, udp } th dport 53 jump ours' in text
        assert "ip6 daddr { 2001:db8::11 }" in text

    def test_of_a_server_with_one_family_leaves_the_other_alone(self) -> None:
        """An empty set would be a mistake of grammar."""
        assert "ip6 daddr" not in handover_script.ruleset((V4,))


class TestScripts:
    def test_are_understood_by_the_shell(self) -> None:
        """None is run here."""
        rules = handover_script.ruleset((V4, V6))
        folder = Path("/var/lib/knot/mailname-handover")
        words = ("knotd", "-c", "/a folder/knot.conf")
        every = [
            handover_script.INSTALL,
            handover_script.CLEAR,
            handover_script.BACK,
            handover_script.beside(words, "knot", folder, rules, ("named",), ("knot",)),
            handover_script.turn(("named",)),
            handover_script.release(("mailname.socket", "mailname.service")),
            handover_script.end(folder),
        ]
        for script in every:
            subprocess.run(["sh", "-n"], input=script, text=True, check=True)
        assert "-- knotd -c '/a folder/knot.conf'" in every[3]

    def test_that_bring_the_former_one_back_start_it_before_questions_go_there(self) -> None:
        """The packets are led to the one beside as long as nobody is at port 53."""
        back = handover_script.beside(("knotd",), "knot", Path("/f"), "", ("named",), ("knot",))
        assert back.index("systemctl start named") < back.index("nft delete table")
