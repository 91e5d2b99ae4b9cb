"""The plan's ``[hosts]``, and which machines a plan has."""

from __future__ import annotations

from ipaddress import ip_address

import dns.name
import pytest

from mailname.errors import PlanError
from mailname.plan import load
from mailname.plan.hosts import hosts

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me"
PLAN = """
domain = "example.tech"
contact = "hostmaster@example.tech"
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.1", "2001:db8::1"]
role = "secondary"
ssh = "ns1"
[[name_server]]
name = "ns2.example.tech"
addresses = ["198.51.100.2"]
role = "primary"
[[mail_host]]
name = "mail.example.tech"
addresses = ["198.51.100.2", "2001:db8:2::2"]
"""


def spoiled(table: str) -> str:
    with pytest.raises(PlanError) as told:
        load(PLAN + table, "plan.toml")
    return str(told.value)


class TestHosts:
    def test_name_server_and_mail_host_with_one_address_are_one_machine(self) -> None:
        """It is called as the mail host, and is open for both."""
        first, second = hosts(load(PLAN, "plan.toml").plan)
        assert (first.name, first.ssh, first.takes_mail) == (dns.name.from_text("ns1.example.tech"), "ns1", False)
        assert first.open_ports == ((22, "tcp"), (53, "tcp"), (53, "udp"))
        assert (second.name, second.ssh, second.takes_mail) == (dns.name.from_text("mail.example.tech"), "198.51.100.2", True)
        assert second.addresses == (ip_address("198.51.100.2"), ip_address("2001:db8:2::2"))
        assert [port for port, _ in second.open_ports] == [22, 25, 53, 53, 465, 587, 993]

    def test_mail_host_elsewhere_is_a_machine_of_its_own(self) -> None:
        """Without DNS; and one of which the plan says no more than its name is none of ours."""
        more = '[[mail_host]]\nname = "mx.example.tech"\npreference = 20\naddresses = ["203.0.113.7"]\n'
        third = hosts(load(PLAN + more, "plan.toml").plan)[2]
        assert (third.name_server, third.ssh) == (None, "203.0.113.7")
        assert (53, "udp") not in third.open_ports
        elsewhere = '[[mail_host]]\nname = "mx.example.net"\npreference = 20\n'
        assert len(hosts(load(PLAN + elsewhere, "plan.toml").plan)) == 2

    def test_more_ports_are_open_where_the_plan_says_so(self) -> None:
        """On each host; mail ports on mail hosts alone; DNS over TLS where the primary has a certificate."""
        table = '[hosts]\nopen_ports = ["443/tcp", "51820/udp"]\nmail_ports = [25, 4190]\n'
        first, second = hosts(load(PLAN + table, "plan.toml").plan)
        assert first.open_ports == ((22, "tcp"), (53, "tcp"), (53, "udp"), (443, "tcp"), (51820, "udp"))
        assert (4190, "tcp") in second.open_ports
        assert (993, "tcp") not in second.open_ports

    def test_wrong_values_are_told_with_what_to_write(self) -> None:
        """A private key above all."""
        assert load(f'{PLAN}[hosts]\nssh_keys = ["{KEY}"]\n', "plan.toml").plan.hosts.ssh_keys == (KEY,)
        for table, said in (
            ('[hosts]\nadministrator = "root"\n', "no administrator's own account"),
            ('[hosts]\nadministrator = "Me Too"\n', "no name of a user"),
            ('[hosts]\nssh_keys = ["-----BEGIN OPENSSH PRIVATE KEY-----"]\n', "private key, which belongs in no plan"),
            ('[hosts]\nssh_keys = ["ssh-ed25519 AAAA"]\n', "cut short or spoiled"),
            ('[hosts]\nssh_keys = ["hello"]\n', "no SSH public key"),
            ('[hosts]\npassword_logins = "no"\n', "true or false"),
            ('[hosts]\ntime_zone = "berlin"\n', "no time zone"),
            ('[hosts]\nopen_ports = ["443"]\n', "443/tcp"),
            ("[hosts]\nmail_ports = [70000]\n", "1 to 65535"),
            ('[hosts]\ntimezone = "Etc/UTC"\n', "Did you mean 'time_zone'?"),
        ):
            assert said in spoiled(table), table
