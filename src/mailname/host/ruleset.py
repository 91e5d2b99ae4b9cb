"""What a packet filter does with a stranger's first packet: the live ruleset, as ``nft -j list ruleset`` prints it, followed.

Every chain that is hooked to input is asked, because a packet must be let through by all of them. A rule is followed as far as we
can read it: a match that we do not know counts as one that may fit or not, and what depends on it is told as unknown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Literal

from mailname.host.iptables import read_saved

if TYPE_CHECKING:
    from collections.abc import Mapping

Fate = Literal["accepted", "dropped", "unknown"]
_DEPTH = 16
_NUMBERS = {"tcp": 6, "udp": 17}  # as IANA has them; nft prints the one or the other
_DROPS = ("drop", "reject")
_HOOKS = ("prerouting", "input")  # which a packet to the host itself comes through, in this order
# What hardly anybody opens, and what strangers would find open where nothing is dropped.
_ODD = tuple((protocol, port) for protocol in ("tcp", "udp") for port in (7, 1019, 4999, 20011, 31999, 47809, 61999))


@dataclass(frozen=True, slots=True)
class Packet:
    """A stranger's first packet."""

    version: int
    protocol: str
    port: int
    interface: str = ""  # where it comes in; empty where nobody knows

    @property
    def source(self) -> str:
        """An address of nobody (RFC 5737, RFC 3849)."""
        return "198.51.100.77" if self.version == 4 else "2001:db8:ffff::77"


class Ruleset:
    """A ruleset; ``hooked`` are the filter chains that packets to the host itself come through."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._chains: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._rules: dict[tuple[str, str, str], list[list[dict[str, Any]]]] = {}
        self._sets: dict[tuple[str, str, str], list[Any]] = {}
        for entry in entries:
            for kind, value in entry.items():
                if kind == "chain":
                    self._chains[value["family"], value["table"], value["name"]] = value
                elif kind == "rule":
                    key = (value["family"], value["table"], value["chain"])
                    self._rules.setdefault(key, []).append(value.get("expr", []))
                elif kind in ("set", "map"):
                    self._sets[value["family"], value["table"], value["name"]] = value.get("elem", [])
        self.hooked = sorted(
            (key for key, chain in self._chains.items() if chain.get("hook") in _HOOKS and chain.get("type") == "filter"),
            key=lambda key: (_HOOKS.index(self._chains[key]["hook"]), self._chains[key].get("prio", 0)),
        )

    def drops_by_default(self, version: int) -> bool:
        """Tell whether what no rule lets through is dropped: by what becomes of odd packets, else by what the chains say."""
        fates = {self.fate(Packet(version, *one)) for one in _ODD}
        if "unknown" not in fates:
            return fates == {"dropped"}
        return any(
            self._chains[key].get("policy") == "drop" or self._ends_with_drop(key)
            for key in self.hooked
            if _sees(key[0], version)
        )

    def _ends_with_drop(self, key: tuple[str, str, str]) -> bool:
        rules = self._rules.get(key, [])
        return (
            bool(rules)
            and all(set(one) & {*_DROPS, "counter", "log"} for one in rules[-1])
            and self._verdict(rules[-1]) == "dropped"
        )

    @staticmethod
    def _verdict(expressions: list[dict[str, Any]]) -> Fate | None:
        return "dropped" if any(word in one for one in expressions for word in _DROPS) else None

    def fate(self, packet: Packet) -> Fate:
        """Return what becomes of a packet."""
        unsure = False
        for key in self.hooked:
            if not _sees(key[0], packet.version):
                continue
            fate = self._through(key, packet, _DEPTH)
            if fate is None or fate == "return":
                fate = "dropped" if self._chains[key].get("policy") == "drop" else "accepted"
            if fate == "dropped":
                return "dropped"
            unsure = unsure or fate == "unknown"
        return "unknown" if unsure else "accepted"

    def _through(self, key: tuple[str, str, str], packet: Packet, depth: int) -> str | None:
        if depth == 0:
            return "unknown"
        unsure = False
        for rule in self._rules.get(key, []):
            fate, sure = self._one(key, rule, packet, depth)
            if fate == "goes on" or fate is None:
                continue
            if sure:
                return "unknown" if unsure and fate != "return" else fate
            unsure = True
        return "unknown" if unsure else None

    def _one(self, key: tuple[str, str, str], rule: list[dict[str, Any]], packet: Packet, depth: int) -> tuple[str | None, bool]:
        """Return what a rule decides, if anything, and whether it is sure that the rule fits."""
        sure = True
        for expression in rule:
            for word, value in expression.items():
                if word == "match":
                    fits = self._fits(key, value, packet)
                    if fits is False:
                        return None, True
                    sure = sure and fits is not None
                elif word in ("accept", *_DROPS):
                    return ("dropped" if word in _DROPS else "accepted"), sure
                elif word == "return":
                    return "return", sure
                elif word in ("jump", "goto"):
                    return self._jump(key, word, value["target"], packet, depth), sure
                elif word == "vmap":
                    return self._mapped(key, value, packet, depth)
                elif word in ("limit", "ct count"):
                    if value.get("inv"):
                        return None, True  # over a limit, which one packet is not
                elif word in ("xt", "quota", "meter") or (word == "set" and "stmt" in value):
                    sure = False
        return None, sure

    def _jump(self, key: tuple[str, str, str], word: str, target: str, packet: Packet, depth: int) -> str:
        fate = self._through((key[0], key[1], target), packet, depth - 1)
        if fate in (None, "return"):
            return "return" if word == "goto" else "goes on"
        return fate or "goes on"

    def _mapped(self, key: tuple[str, str, str], value: Mapping[str, Any], packet: Packet, depth: int) -> tuple[str | None, bool]:
        """Return what the verdict is that a map (``tcp dport vmap { 22 : accept }``) has for the packet."""
        data = value["data"]
        pairs = self._sets.get((key[0], key[1], data[1:]), []) if isinstance(data, str) else data["set"]
        for one, verdict in pairs:
            fits = self._fits_plainly(key, value["key"], one, packet)
            if fits is None:
                return "unknown", False
            if fits:
                return self._one(key, [verdict], packet, depth)
        return None, True

    def _fits(self, key: tuple[str, str, str], match: Mapping[str, Any], packet: Packet) -> bool | None:
        """Tell whether a match fits the packet; None where we cannot tell."""
        left, right, negated = match.get("left", {}), match.get("right"), match.get("op") == "!="
        fits = self._fits_plainly(key, left, right, packet)
        return fits if fits is None else fits != negated

    def _fits_plainly(self, key: tuple[str, str, str], left: Any, right: Any, packet: Packet) -> bool | None:
        if not isinstance(left, dict):
            return None
        if "ct" in left:
            # A stranger's first packet is new, and nothing was done to its address.
            return (
                _among("new", right) if left["ct"].get("key") == "state" else False if left["ct"].get("key") == "status" else None
            )
        if "meta" in left:
            value = {
                "iifname": packet.interface or "uplink",
                "iif": packet.interface or "uplink",
                "l4proto": packet.protocol,
                "nfproto": f"ipv{packet.version}",
                "protocol": "ip" if packet.version == 4 else "ip6",
                "pkttype": "host",
            }.get(left["meta"].get("key"))
            if value == "uplink":
                return False if _among("lo", right) and not _among("uplink", right) else None
            if isinstance(right, str) and right.startswith("@"):
                return self._holds(key, right, value) if value is not None else None
            return None if value is None else _among(value, right)
        if set(left) & {"&", "fib", "exthdr"}:
            return _said_of_header(left, right)
        payload = left.get("payload", {})
        protocol, field = payload.get("protocol"), payload.get("field")
        if protocol in ("tcp", "udp", "th"):
            if protocol not in ("th", packet.protocol):
                return False
            return self._holds(key, right, packet.port) if field == "dport" else None
        if protocol in ("icmp", "icmpv6", "ipv6-icmp", "igmp"):
            return False
        if protocol in ("ip", "ip6"):
            if (protocol == "ip6") != (packet.version == 6):
                return False
            if field in ("protocol", "nexthdr"):
                return _among(packet.protocol, right) or _among(_NUMBERS.get(packet.protocol, 0), right)
            if field == "daddr":
                return False if _for_many(right) else None
            return self._holds(key, right, packet.source) if field == "saddr" else None
        return None

    def _holds(self, key: tuple[str, str, str], right: Any, value: int | str) -> bool | None:
        if isinstance(right, str) and right.startswith("@"):
            elements = self._sets.get((key[0], key[1], right[1:]), [])
            return any(self._holds(key, one, value) for one in elements)
        if isinstance(right, dict):
            if "set" in right:
                return any(self._holds(key, one, value) for one in right["set"])
            if "elem" in right:
                return self._holds(key, right["elem"].get("val"), value)
            if "range" in right:
                low, high = right["range"]
                return _number(low) <= _number(value) <= _number(high)
            if "prefix" in right and isinstance(value, str):
                return ip_address(value) in ip_network(f"{right['prefix']['addr']}/{right['prefix']['len']}", strict=False)
            return None
        return str(right) == str(value) if isinstance(right, int | str) else None


def _number(value: Any) -> int:
    return value if isinstance(value, int) else int(ip_address(str(value)))


def _among(value: int | str, right: Any) -> bool:
    if isinstance(right, dict):
        right = right.get("set", [])
    return value in right if isinstance(right, list) else right == value


def _said_of_header(left: Mapping[str, Any], right: Any) -> bool | None:
    if "exthdr" in left:
        return right in (False, "missing")  # a first packet has no routing header and is no fragment
    return _route(left["fib"], right) if "fib" in left else _flags(left["&"], right)


def _flags(mask: list[Any], right: Any) -> bool | None:
    """Tell whether the first packet of a TCP connection, which has SYN alone, fits ``tcp flags & MASK == FLAGS``."""
    if mask[0].get("payload", {}).get("field") != "flags":
        return None
    return ({"syn"} & _words(mask[1:])) == _words(right)


def _words(value: Any) -> set[str]:
    """Return all flags that are named, however nft puts them together."""
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {word for one in inner for word in _words(one)}


def _route(fib: Mapping[str, Any], right: Any) -> bool | None:
    """Tell what the routing table says of a stranger's packet: it is for the host itself, and comes from where it should."""
    if fib.get("result") == "type" and fib.get("flags") == ["daddr"]:
        return _among("local", right)
    if fib.get("result") in ("oif", "check") and "saddr" in fib.get("flags", ()):
        return right not in (False, "missing", 0)
    return None


def _for_many(right: Any) -> bool:
    """Tell whether an address is none of a host's own, but everybody's on its network."""
    address = right.get("prefix", {}).get("addr", "") if isinstance(right, dict) else right
    return isinstance(address, str) and address.lower().startswith(("224.", "239.", "255.255.255.255", "ff0"))


def _sees(family: str, version: int) -> bool:
    return family in ("inet", "ip" if version == 4 else "ip6")


def read_ruleset(text: str, iptables: str = "", ip6tables: str = "") -> Ruleset | None:
    """Read what nft printed; None for what is no ruleset.

    nft does not tell what the matches of iptables look at (``xt``): a table of iptables is taken from what iptables-save printed.
    """
    try:
        entries = [entry for entry in json.loads(text)["nftables"] if isinstance(entry, dict)] if text else []
        for family, saved in (("ip", iptables), ("ip6", ip6tables)):
            theirs = read_saved(saved, family)
            if theirs:
                entries = [one for one in entries if not _is_of(one, family, "filter")] + theirs
        rules = Ruleset(entries)
        rules.drops_by_default(4), rules.drops_by_default(6)  # what cannot be followed is no ruleset either
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError):
        return None
    return rules


def _is_of(entry: dict[str, Any], family: str, table: str) -> bool:
    return any(value.get("family") == family and value.get("table") == table for value in entry.values())
