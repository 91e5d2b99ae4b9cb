"""What BIND's configuration says of its zones: which there are, in which view, primary or secondary, with whom and which key.

What a zone does not say itself it has from its view, and that from the options, as in BIND. Old words (master, slave, masters)
mean what the new ones do. Everything else of the configuration is passed by.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

import dns.exception
import dns.name

from mailname.errors import Mistake, Position
from mailname.imports.clauses import Block, Clause, Word

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dns.name import Name

    from mailname.plan.address import IPAddress

_ROLES: dict[str, Literal["primary", "secondary"]] = {
    "primary": "primary",
    "master": "primary",
    "secondary": "secondary",
    "slave": "secondary",
}
#: Zones that hold nothing of one's own; they are passed by without a word.
_NOT_OURS = frozenset({"hint", "forward", "stub", "static-stub", "mirror", "redirect", "delegation-only"})
_SERVER_LISTS = frozenset({"primaries", "masters", "remote-servers", "parental-agents"})
_INHERITED = frozenset({"allow-transfer", "also-notify", "masterfile-format", "dnssec-policy"})
_DEEPEST_LIST = 20
_ANYBODY = frozenset({"any", "0.0.0.0/0", "::/0"})


@dataclass(frozen=True, slots=True)
class Peer:
    """A server in a list of primaries or of who is notified, with the key that is used for it."""

    address: IPAddress
    key: str
    at: Position


@dataclass(frozen=True, slots=True)
class ConfiguredZone:
    """One zone of the configuration.

    Attributes:
        view: in which view; empty where there are none.
        file: as written; empty where the zone has none.
        is_raw: the file is in BIND's binary form.
        peers: a secondary's primaries; for a primary, who else is notified.
        transfer: who may transfer: addresses and prefixes as written, and keys as ``key NAME``.
        updates: keys that may update the zone dynamically.
        is_dynamic: something may: the file may be older than what is served.
        is_signed: BIND signs the zone.
        mistakes: what of the zone's clauses could not be used.

    """

    name: Name
    view: str
    role: Literal["primary", "secondary"]
    file: str
    at: Position
    is_raw: bool = False
    peers: tuple[Peer, ...] = ()
    transfer: tuple[Word, ...] = ()
    updates: tuple[str, ...] = ()
    is_dynamic: bool = False
    is_signed: bool = False
    mistakes: tuple[Mistake, ...] = ()

    @property
    def transfer_keys(self) -> tuple[str, ...]:
        """The keys with which the zone is transferred, in either direction."""
        named = [word.text.removeprefix("key ") for word in self.transfer if word.text.startswith("key ")]
        return tuple(dict.fromkeys([*(peer.key for peer in self.peers if peer.key), *named]))


@dataclass(frozen=True, slots=True)
class ConfiguredKey:
    """A TSIG key. Its text for people leaves the secret away."""

    name: str
    algorithm: str
    secret: str = field(repr=False)
    at: Position


@dataclass(frozen=True, slots=True)
class Configuration:
    """All that was read.

    Attributes:
        directory: ``options { directory }``, to which the files of zones are relative.
        open_views: the views that answer anybody, in their order.

    """

    directory: str
    zones: tuple[ConfiguredZone, ...]
    keys: dict[str, ConfiguredKey]
    open_views: tuple[str, ...]
    mistakes: tuple[Mistake, ...]


def read_configuration(clauses: tuple[Clause, ...]) -> Configuration:
    """Say what the clauses of a named.conf mean. Raises nothing: what cannot be used is among the mistakes."""
    return _Reading(clauses).configuration()


@dataclass(slots=True)
class _Reading:
    """The lists and keys that all zones share."""

    clauses: tuple[Clause, ...]
    acls: dict[str, tuple[Clause, ...]] = field(default_factory=dict)
    servers: dict[str, Clause] = field(default_factory=dict)
    keys: dict[str, ConfiguredKey] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def configuration(self) -> Configuration:
        """Go through all clauses."""
        views = [clause for clause in self.clauses if clause.name == "view" and clause.words]
        for clause in [*self.clauses, *(inner for view in views for inner in view.block)]:
            self._share(clause)
        options = [inner for clause in self.clauses if clause.name == "options" for inner in clause.block]
        directory = next((one.words[0].text for one in reversed(options) if one.name == "directory" and one.words), "")
        zones = self._zones(self.clauses, "", options)
        for view in views:
            zones += self._zones(view.block, view.words[0].text, [*options, *view.block])
        self._check_in_view(views, zones)
        open_views = tuple(view.words[0].text for view in views if self._answers_anybody(view))
        return Configuration(directory, tuple(zones), self.keys, open_views, tuple(self.mistakes))

    def _share(self, clause: Clause) -> None:
        if clause.name == "acl" and clause.words:
            self.acls[clause.words[0].text.lower()] = clause.block
        elif clause.name in _SERVER_LISTS and clause.words:
            self.servers[clause.words[0].text.lower()] = clause
        elif clause.name == "key" and clause.words and clause.block:
            said = {inner.name: inner.words[0].text for inner in clause.block if inner.words}
            name = _plain(clause.words[0].text)
            self.keys[name] = ConfiguredKey(name, said.get("algorithm", "").lower(), said.get("secret", ""), clause.at)

    def _zones(self, clauses: Sequence[Clause], view: str, above: list[Clause]) -> list[ConfiguredZone]:
        zones = (self._zone(clause, view, above) for clause in clauses if clause.name == "zone" and clause.words)
        return [zone for zone in zones if zone is not None]

    def _check_in_view(self, views: list[Clause], zones: list[ConfiguredZone]) -> None:
        """Tell where a view wants to share a zone that is not there; those that are there are the same, and told once."""
        known = {(zone.name, zone.view) for zone in zones}
        for view in views:
            for clause in view.block:
                shared = next((one for one in clause.block if one.name == "in-view" and one.words), None)
                if clause.name != "zone" or shared is None or not clause.words:
                    continue
                name = _name(clause.words[0].text)
                if name is not None and (name, shared.words[0].text) not in known:
                    problem = f"The view {shared.words[0].text} has no zone {clause.words[0].text}."
                    self.mistakes.append(Mistake(shared.at, problem, "Correct the view's name.", "warning"))

    def _zone(self, clause: Clause, view: str, above: list[Clause]) -> ConfiguredZone | None:
        written = clause.words[0]
        said = {inner.name: inner for inner in clause.block}
        kind = _first(said.get("type")).lower()
        if "in-view" in said or kind in _NOT_OURS:
            return None
        if len(clause.words) > 1 and clause.words[1].text.upper() not in ("IN", "INTERNET", "CLASS1"):
            return None  # CHAOS and Hesiod are no zones of the Internet
        name, role = _name(written.text), _ROLES.get(kind)
        if name is None or role is None:
            problem = f"'{written.text}' is no zone's name." if name is None else f"The zone {written.text} has no type we know."
            remedy = "Correct it." if name is None else "Write type primary; or type secondary;"
            self.mistakes.append(Mistake(written.at if name is None else clause.at, problem, remedy))
            return None
        inherited = {one.name: one for one in above if one.name in _INHERITED}
        every = inherited | said
        before = len(self.mistakes)
        listed = every.get("primaries") or every.get("masters") if role == "secondary" else every.get("also-notify")
        peers = tuple(self._peers(listed, 0)) if listed is not None else ()
        transfer = tuple(self._matched(every["allow-transfer"].block, 0)) if "allow-transfer" in every else ()
        allowed = tuple(self._matched(said["allow-update"].block, 0)) if "allow-update" in said else ()
        updates = [word.text.removeprefix("key ") for word in allowed if word.text.startswith("key ")]
        policy = [one for one in said["update-policy"].block if one.name == "grant"] if "update-policy" in said else []
        updates += [_plain(one.words[0].text) for one in policy if one.words]
        is_dynamic = "update-policy" in said or any(word.text.lower() != "none" for word in allowed)
        raw = _first(every.get("masterfile-format")).lower()
        policy_name = _first(every.get("dnssec-policy")).lower()
        mistakes = tuple(self.mistakes[before:])
        del self.mistakes[before:]
        return ConfiguredZone(
            name,
            view,
            role,
            _first(said.get("file")),
            clause.at,
            raw == "raw" or (role == "secondary" and raw != "text"),
            peers,
            transfer,
            tuple(dict.fromkeys(updates)),
            is_dynamic,
            policy_name not in ("", "none") or _first(said.get("auto-dnssec")).lower() not in ("", "off"),
            mistakes,
        )

    def _peers(self, clause: Clause, depth: int) -> Iterable[Peer]:
        """Resolve a list of servers; a word in it that is no address is another list."""
        for one in clause.block:
            first = one.parts[0]
            if not isinstance(first, Word):
                continue
            words = [part.text for part in one.parts if isinstance(part, Word)]
            key = _plain(words[words.index("key") + 1]) if "key" in words[:-1] else ""
            try:
                yield Peer(ip_address(first.text), key, first.at)
            except ValueError:
                other = self.servers.get(first.text.lower())
                if other is None or depth >= _DEEPEST_LIST:
                    self.mistakes.append(
                        Mistake(first.at, f"There is no list of servers '{first.text}'.", "Define it, or write addresses.")
                    )
                    continue
                yield from (peer if peer.key else Peer(peer.address, key, peer.at) for peer in self._peers(other, depth + 1))

    def _matched(self, clauses: Iterable[Clause], depth: int) -> Iterable[Word]:
        """Resolve an address match list, ACLs in it replaced by what they hold."""
        for one in clauses:
            words = [part for part in one.parts if isinstance(part, Word)]
            blocks = [part for part in one.parts if isinstance(part, Block)]
            if blocks and not words:
                yield from self._matched(blocks[0].clauses, depth)
                continue
            if not words:
                continue
            text = " ".join(word.text for word in words)
            if words[0].text.lower() == "key" and len(words) > 1:
                yield Word(f"key {_plain(words[1].text)}", words[0].at)
            elif text.lower() in self.acls and depth < _DEEPEST_LIST:
                yield from self._matched(self.acls[text.lower()], depth + 1)
            else:
                yield Word(text.replace("! ", "!"), words[0].at)

    def _answers_anybody(self, view: Clause) -> bool:
        said = {one.name: one for one in view.block}
        if "match-destinations" in said:
            return False
        if "match-clients" not in said:
            return True
        return any(word.text.lower() in _ANYBODY for word in self._matched(said["match-clients"].block, 0))


def _first(clause: Clause | None) -> str:
    return clause.words[0].text if clause is not None and clause.words else ""


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _name(text: str) -> Name | None:
    try:
        return dns.name.from_text(text).canonicalize()
    except (dns.exception.DNSException, UnicodeError):
        return None
