"""The plan's ports in each provider's words."""

from __future__ import annotations

import json

import pytest
from tests.host.told import host

from mailname.host.security_group import PROVIDERS, security_group

GCP = (
    "gcloud compute firewall-rules create ns1-example-tech-ipv4 --direction=INGRESS "
    "--allow=tcp:22,tcp:53,udp:53,icmp --source-ranges=0.0.0.0/0\n"
    "gcloud compute firewall-rules create ns1-example-tech-ipv6 --direction=INGRESS "
    "--allow=tcp:22,tcp:53,udp:53,58 --source-ranges=::/0\n"
)


class TestSecurityGroup:
    def test_of_gcp(self) -> None:
        """One rule takes one kind of address there, and ICMPv6 by its number."""
        assert security_group(host(), "gcp") == GCP

    def test_of_hetzner(self) -> None:
        common = {"direction": "in", "source_ips": ["0.0.0.0/0", "::/0"]}
        assert json.loads(security_group(host(), "hetzner")) == [
            {**common, "protocol": "tcp", "port": "22"},
            {**common, "protocol": "tcp", "port": "53"},
            {**common, "protocol": "udp", "port": "53"},
            {**common, "protocol": "icmp"},
        ]

    def test_of_aws(self) -> None:
        first = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
        everybody = {"IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
        rules = json.loads(security_group(host(), "aws"))
        assert rules[0] == {**first, **everybody}
        assert [rule["IpProtocol"] for rule in rules] == ["tcp", "tcp", "udp", "icmp", "icmpv6"]

    def test_of_openstack(self) -> None:
        lines = security_group(host(), "openstack").splitlines()
        assert lines[0] == "openstack security group create ns1-example-tech"
        assert lines[-1].endswith("--ethertype IPv6 --remote-ip ::/0 --protocol ipv6-icmp ns1-example-tech")
        assert len(lines) == 9

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_opens_both_kinds_of_address(self, provider: str) -> None:
        text = security_group(host(), provider)
        assert "0.0.0.0/0" in text
        assert "::/0" in text
