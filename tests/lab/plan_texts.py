"""Plans of many shapes, as text: what the lab must be able to rehearse."""

from __future__ import annotations

ORDINARY = """
domain = "example.tech"
contact = "hostmaster@example.tech"
website = ["192.0.2.1", "2001:db8:1::1"]
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.1", "2001:db8:1::1"]
role = "secondary"
[[name_server]]
name = "ns2.example.tech"
addresses = ["198.51.100.2", "2001:db8:2::2"]
role = "primary"
[[mail_host]]
name = "mail.example.tech"
addresses = ["198.51.100.2"]
"""

WITH_KEY = f"""{ORDINARY}
[transfer_key]
name = "transfer.example.tech"
[[record]]
name = "s1._domainkey.example.tech"
type = "TXT"
data = '''"v=DKIM1; k=ed25519; p=AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA="'''
"""

FOREIGN_SERVERS = """
domain = "example.tech"
contact = "hostmaster@example.tech"
[[name_server]]
name = "ns1.provider.net"
addresses = ["203.0.113.1"]
role = "secondary"
[[name_server]]
name = "ns2.dns.provider.net"
addresses = ["198.51.100.2"]
role = "primary"
[[mail_host]]
name = "mx.mailer.example"
"""

SAME_TLD_AND_TLD_ITSELF = """
domain = "mail.example.tech"
contact = "hostmaster@example.tech"
[[name_server]]
name = "ns1.example.tech"
addresses = ["203.0.113.1"]
role = "secondary"
[[name_server]]
name = "ns2.other.tech"
addresses = ["198.51.100.2"]
role = "primary"
[[mail_host]]
name = "in.mail.example.tech"
addresses = ["198.51.100.2"]
"""

V6_ONLY = """
domain = "example.tech"
contact = "hostmaster@example.tech"
[[name_server]]
name = "ns1.example.tech"
addresses = ["2001:db8:1::1"]
role = "secondary"
[[name_server]]
name = "ns2.example.tech"
addresses = ["2001:db8:2::2"]
role = "primary"
[[mail_host]]
name = "mail.example.tech"
addresses = ["2001:db8:2::2"]
"""

V4_ONLY_BELOW_CO_UK = """
domain = "example.co.uk"
contact = "hostmaster@example.co.uk"
[[name_server]]
name = "ns1.example.co.uk"
addresses = ["192.0.2.1"]
role = "secondary"
[[name_server]]
name = "ns2.example.co.uk"
addresses = ["198.51.100.2"]
role = "primary"
[[mail_host]]
name = "mail.example.co.uk"
addresses = ["198.51.100.2"]
"""

NOT_ASCII_WITH_THREE_SECONDARIES = """
domain = "bücher.example"
contact = "hostmaster@bücher.example"
[[name_server]]
name = "ns1.bücher.example"
addresses = ["192.0.2.1"]
role = "secondary"
[[name_server]]
name = "ns2.bücher.example"
addresses = ["198.51.100.2"]
role = "primary"
[[name_server]]
name = "ns3.bücher.example"
addresses = ["203.0.113.3", "2001:db8:3::3"]
role = "secondary"
[[name_server]]
name = "ns4.provider.net"
addresses = ["203.0.113.66"]
role = "secondary"
[[mail_host]]
name = "mail.bücher.example"
addresses = ["198.51.100.2"]
[[mail_host]]
name = "mail2.bücher.example"
preference = 20
addresses = ["203.0.113.3"]
"""

ONE_SERVER_ALONE = """
domain = "example.tech"
contact = "hostmaster@example.tech"
[[name_server]]
name = "ns1.example.tech"
addresses = ["192.0.2.1", "2001:db8:1::1"]
role = "primary"
[[mail_host]]
name = "mail.example.tech"
addresses = ["198.51.100.2"]
"""

NIC_WITH_REVERSE_ZONE = """
domain = "nic.tech"
contact = "hostmaster@nic.tech"
[[name_server]]
name = "a.nic.tech"
addresses = ["192.0.2.1"]
role = "secondary"
[[name_server]]
name = "b.nic.tech"
addresses = ["192.0.2.2"]
role = "primary"
[[mail_host]]
name = "mail.nic.tech"
addresses = ["192.0.2.2"]
[[reverse_zone]]
prefix = "192.0.2.0/24"
"""

LAB_ADDRESSES = ORDINARY.replace("192.0.2.1", "198.18.0.1").replace("198.51.100.2", "198.18.0.2")

ALL = {name.lower(): text for name, text in list(globals().items()) if name.isupper() and isinstance(text, str)}
