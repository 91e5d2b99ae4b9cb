"""A provider's own packet filter: the rules of the plan in the words of that provider. Nobody is asked, nothing is applied."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailname.plan.hosts import Host

PROVIDERS = ("aws", "hetzner", "gcp", "openstack")
_EVERYBODY = ("0.0.0.0/0", "::/0")


def security_group(host: Host, provider: str) -> str:
    """Return what lets strangers reach the host's open ports and lets ICMP through, IPv4 and IPv6 alike.

    Args:
        host: which.
        provider: one of ``PROVIDERS``: JSON for aws (``--ip-permissions``) and hetzner (``--rules-file``), else command lines.

    """
    name = host.name.to_text(omit_final_dot=True).replace(".", "-")
    match provider:
        case "aws":
            return json.dumps(_aws(host), indent=2) + "\n"
        case "hetzner":
            return json.dumps(_hetzner(host), indent=2) + "\n"
        case "gcp":
            return _gcp(host, name)
        case "openstack":
            return _openstack(host, name)
        case _:
            raise ValueError(f"no such provider: {provider}")


def _aws(host: Host) -> list[dict[str, Any]]:
    four, six = {"IpRanges": [{"CidrIp": _EVERYBODY[0]}]}, {"Ipv6Ranges": [{"CidrIpv6": _EVERYBODY[1]}]}
    rules: list[dict[str, Any]] = [
        {"IpProtocol": protocol, "FromPort": port, "ToPort": port, **four, **six} for port, protocol in host.open_ports
    ]
    rules.append({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, **four})
    rules.append({"IpProtocol": "icmpv6", "FromPort": -1, "ToPort": -1, **six})
    return rules


def _hetzner(host: Host) -> list[dict[str, Any]]:
    common = {"direction": "in", "source_ips": list(_EVERYBODY)}
    ports = [{**common, "protocol": protocol, "port": str(port)} for port, protocol in host.open_ports]
    return [*ports, {**common, "protocol": "icmp"}]


def _gcp(host: Host, name: str) -> str:
    ports = [f"{protocol}:{port}" for port, protocol in host.open_ports]
    lines = []
    for version, everybody, icmp in ((4, _EVERYBODY[0], "icmp"), (6, _EVERYBODY[1], "58")):
        allowed = ",".join([*ports, icmp])
        lines.append(
            f"gcloud compute firewall-rules create {name}-ipv{version} --direction=INGRESS --allow={allowed} "
            f"--source-ranges={everybody}\n"
        )
    return "".join(lines)


def _openstack(host: Host, name: str) -> str:
    lines = [f"openstack security group create {name}\n"]
    for kind, everybody, icmp in (("IPv4", _EVERYBODY[0], "icmp"), ("IPv6", _EVERYBODY[1], "ipv6-icmp")):
        begin = f"openstack security group rule create --ingress --ethertype {kind} --remote-ip {everybody}"
        lines += [f"{begin} --protocol {protocol} --dst-port {port} {name}\n" for port, protocol in host.open_ports]
        lines.append(f"{begin} --protocol {icmp} {name}\n")
    return "".join(lines)
