"""From data to a Plan: every mistake of shape in our words, and repairs, so that one mistake hides no other and counts once.

A misspelt key is told and then judged as what it was meant to be; a value that cannot be read is told and remembered as broken,
so that no rule draws conclusions from its absence.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import dns.name

from mailname.plan import names
from mailname.plan.fault import BROKEN, Fault, Path, WrongValueError, closest
from mailname.plan.model import (
    CatalogTable,
    Hosts,
    MailHost,
    NameServer,
    OtherTtl,
    Plan,
    Pointer,
    Record,
    ReverseZone,
    Soa,
    TransferKey,
    Update,
)
from mailname.plan.table import keys_of, read_table

if TYPE_CHECKING:
    from dns.name import Name

    from mailname.plan.places import Places
    from mailname.plan.table import Misread

_TABLES: dict[str, type] = {
    "": Plan,
    "soa": Soa,
    "name_server": NameServer,
    "mail_host": MailHost,
    "record": Record,
    "reverse_zone": ReverseZone,
    "ptr": Pointer,
    "other_ttl": OtherTtl,
    "transfer_key": TransferKey,
    "update": Update,
    "hosts": Hosts,
    "catalog": CatalogTable,
}
_SYNONYMS = {
    **dict.fromkeys(("address", "ip", "ips", "addr", "addrs", "ipv4", "ipv6", "glue", "a", "aaaa"), "addresses"),
    **dict.fromkeys(("ns", "nameserver", "nameservers", "name_servers", "server", "servers"), "name_server"),
    **dict.fromkeys(("mx", "mail", "mailhost", "mail_hosts", "mailserver", "mail_server", "mail_servers"), "mail_host"),
    **dict.fromkeys(("priority", "prio", "pref", "weight"), "preference"),
    **dict.fromkeys(("email", "mailbox", "hostmaster", "rname", "admin", "owner_email"), "contact"),
    **dict.fromkeys(("zone", "domain_name"), "domain"),
    **dict.fromkeys(("host", "hostname", "owner", "label"), "name"),
    **dict.fromkeys(("www", "site", "web", "default"), "website"),
    **dict.fromkeys(("default_ttl", "time_to_live"), "ttl"),
    **dict.fromkeys(("records", "rr"), "record"),
    **dict.fromkeys(("value", "values", "content", "rdata", "target"), "data"),
    **dict.fromkeys(("rtype", "rdtype", "rrtype"), "type"),
    **dict.fromkeys(("zonetext", "zone_file", "raw"), "zone_text"),
    **dict.fromkeys(("reverse_zones", "reverse"), "reverse_zone"),
    **dict.fromkeys(("tsig", "tsig_key", "key", "transfer_keys"), "transfer_key"),
    **dict.fromkeys(("updates", "dynamic_update", "acme"), "update"),
    **dict.fromkeys(("ptrs", "pointer", "pointers"), "ptr"),
    **dict.fromkeys(("negative_ttl", "negative", "min"), "minimum"),
    **dict.fromkeys(("software", "program", "daemon"), "engine"),
    **dict.fromkeys(("admin_user", "sudo_user", "user"), "administrator"),
    **dict.fromkeys(("timezone", "tz"), "time_zone"),
    **dict.fromkeys(("authorized_keys", "ssh_key", "public_keys", "keys"), "ssh_keys"),
    **dict.fromkeys(("catalogs", "catalogue", "catalog_zone"), "catalog"),
    **dict.fromkeys(("coo", "change_of_ownership"), "gives_to"),
    "group": "groups",
    "kind": "role",
    "network": "prefix",
    "algo": "algorithm",
}


@dataclass(slots=True)
class Validation:
    """The data after repairs, what is wrong with it, and the plan if nothing is."""

    data: dict[str, Any]
    domain: Name
    plan: Plan | None = None
    faults: list[Fault] = field(default_factory=list)
    broken: set[Path] = field(default_factory=set)
    lost: bool = False

    def is_broken(self, path: Path) -> bool:
        """Tell whether a value, or what encloses it, could not be read."""
        return any(path[:depth] in self.broken for depth in range(1, len(path) + 1))

    def at(self, path: Path) -> Any:
        """Return what stands at a path, or None."""
        here: Any = self.data
        for step in path:
            if isinstance(here, dict) and isinstance(step, str):
                here = here.get(step)
            elif isinstance(here, list) and isinstance(step, int) and step < len(here):
                here = here[step]
            else:
                return None
        return here

    def put(self, path: Path, value: object) -> None:
        """Replace what stands at a path."""
        self.at(path[:-1])[path[-1]] = value


def flawless(text: str) -> Validation | None:
    """Read a TOML text whose every key and value is as the model says; None for any other."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    found = Validation(data, _domain(data))
    _mark_broken(found, data, ())
    found.plan = read_table(Plan, data, found.domain).value
    return None if found.broken or found.plan is None else found


def validate(data: dict[str, Any], places: Places, *, lost: bool = False) -> Validation:
    """Validate data against the model.

    Args:
        data: what the file holds; repaired in place.
        places: where that stands; follows the keys that are renamed.
        lost: a part of the file could not be read at all, so nothing that is missing is told.

    """
    found = Validation(data, _domain(data), lost=lost)
    _mark_broken(found, data, ())
    told: set[Path] = set(found.broken)
    while True:
        found.domain = _domain(data)
        read = read_table(Plan, data, found.domain)
        found.plan = read.value
        if not read.misread:
            return found
        extra = [one.path for one in read.misread if one.what == "unknown key"]
        for path in sorted(extra, key=lambda path: places.offset(path, "key")):
            _unknown_key(found, path, places)
        if not extra:
            # Each round repairs or remembers each path once, so this ends.
            repaired = [_judge(found, one, told, places) for one in read.misread]
            if not any(repaired):
                return found


def _mark_broken(found: Validation, value: object, path: Path) -> None:
    if value == BROKEN:
        found.broken.add(path)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _mark_broken(found, inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _mark_broken(found, inner, (*path, number))


def _domain(data: dict[str, Any]) -> Name:
    """Return the domain, or where it cannot be read the one that the plan's hosts are in."""
    text = data.get("domain")
    for _ in range(2):
        if isinstance(text, str) and text != BROKEN:
            try:
                return names.read_domain(text)
            except WrongValueError as wrong:
                text = wrong.instead
    hosts: Counter[Name] = Counter()
    for table in ("name_server", "mail_host"):
        rows = data.get(table)
        for row in rows if isinstance(rows, list) else []:
            name = row.get("name") if isinstance(row, dict) else None
            if isinstance(name, str) and name.count(".") >= 2:
                try:
                    hosts[names.read_host(name, dns.name.root).parent()] += 1
                except WrongValueError:
                    continue
    return hosts.most_common(1)[0][0] if hosts else dns.name.from_text("example.invalid.")


def _table_of(path: Path) -> tuple[str, type]:
    """Return the name and the model of the table in which a key stands."""
    name = next((step for step in reversed(path[:-1]) if isinstance(step, str)), "")
    return name, _TABLES.get(name, Plan)


def _keys(table: type) -> tuple[str, ...]:
    return tuple(keys_of(table))


def _unknown_key(found: Validation, path: Path, places: Places) -> None:
    key = str(path[-1])
    table_name, model = _table_of(path)
    keys = _keys(model)
    table = found.at(path[:-1])
    meant = closest(key, keys, {word: target for word, target in _SYNONYMS.items() if target in keys})
    where = f"a [[{table_name}]]" if isinstance(found.at(path[:1]), list) else f"[{table_name}]"
    place = where if table_name else "a plan"
    if table_name == "transfer_key" and key.lower() in {"secret", "secret_file", "password"}:
        remedy = "The secret never stands in the plan: make a key file with 'mailname key make NAME'."
    elif meant:
        remedy = f"Did you mean '{meant}'?"
    elif table_name and key in _keys(Plan):
        remedy = f"It belongs to the top of the file: write '{key}' before the first [table]."
    else:
        home = [name for name, other in _TABLES.items() if key in _keys(other) and other is not model]
        remedy = f"It belongs to [{home[0]}]." if home else f"The keys here are: {', '.join(keys)}."
    # Told at its position, for its path will be another's.
    found.faults.append(Fault(places.at(path, "key"), f"{place[0].upper()}{place[1:]} has no key '{key}'.", remedy))
    value = table.pop(key)
    target: Path
    if meant:
        target = (*path[:-1], meant)
    elif table_name and key in _keys(Plan):
        table, meant, target = found.data, key, (key,)
    else:
        return
    if meant not in table:
        table[meant] = value
        places.move(path, target)
        _forget(found, path, target)
    elif isinstance(table[meant], list) and isinstance(value, list):  # one of several [[tables]] is misspelt
        first = len(table[meant])
        table[meant].extend(value)
        for number in range(len(value)):
            places.move((*path, number), (*target, first + number))
            _forget(found, (*path, number), (*target, first + number))


def _forget(found: Validation, old: Path, new: Path) -> None:
    moved = {path for path in found.broken if path[: len(old)] == old}
    found.broken -= moved
    found.broken |= {new + path[len(old) :] for path in moved}


def _judge(found: Validation, misread: Misread, told: set[Path], places: Places) -> bool:
    """Tell one misreading and repair what it is about, if that can be done; returns whether something was repaired."""
    path, value, wrong = misread.path, misread.value, misread.why
    if path in told or found.is_broken(path):
        found.broken.add(path)
        return False
    told.add(path)
    if wrong is not None:
        found.faults.append(Fault(places.at(path), wrong.problem, wrong.remedy))
        if wrong.instead is not None:
            found.put(path, wrong.instead)
            return True
    elif misread.what == "missing":
        if not found.lost:
            found.faults.append(_missing(path))
    elif misread.what == "empty":
        found.faults.append(
            Fault(places.at(path), f"'{path[-1]}' is an empty list.", _EXAMPLES.get(str(path[-1]), "Write at least one."))
        )
    elif misread.what == "no list":
        return _no_list(found, path, value, places)
    else:
        return _no_table(found, path, value, places)
    found.broken.add(path)
    return False


_EXAMPLES = {
    "domain": 'As in: domain = "example.tech"',
    "contact": 'As in: contact = "hostmaster@example.tech"',
    "addresses": 'As in: addresses = ["192.0.2.1"]',
    "role": 'Write role = "primary" or role = "secondary".',
    "name": 'As in: name = "ns1.example.tech"',
    "type": 'As in: type = "TXT"',
    "data": 'As in: data = "v=spf1 mx -all"',
    "prefix": 'As in: prefix = "192.0.2.0/24"',
    "address": 'As in: address = "192.0.2.1"',
    "key": 'As in: key = "acme.example.tech"',
    "names": 'As in: names = ["_acme-challenge.example.tech"]',
    "name_server": "Add a [[name_server]] table for the primary and one for each secondary.",
}


_NAMES = {"mail_host": "mail.example.tech", "record": "www", "ptr": "mail.example.tech", "transfer_key": "transfer.example.tech"}
_NAMES["catalog"] = "catalog.example.tech"


def _missing(path: Path) -> Fault:
    key = str(path[-1])
    table_name, _ = _table_of(path)
    if key == "name_server":
        return Fault((), "The plan has no name server.", _EXAMPLES[key], point="table")
    what = f"This {table_name.replace('_', ' ')} has no '{key}'." if table_name else f"The plan has no '{key}'."
    remedy = f'As in: name = "{_NAMES[table_name]}"' if key == "name" and table_name in _NAMES else _EXAMPLES[key]
    return Fault(path[:-1], what, remedy, point="table")


def _no_list(found: Validation, path: Path, value: object, places: Places) -> bool:
    key = str(path[-1])
    if isinstance(value, dict):
        problem, remedy = f"[{key}] is a single table.", f"Write [[{key}]] with double brackets: there may be several."
    elif key in _TABLES:
        problem, remedy = f"'{key}' is not a value but a table.", f"Write [[{key}]] and its keys below it."
    else:
        shown = f'"{value}"' if isinstance(value, str) else "..."
        problem, remedy = f"'{key}' is a list.", f"Write {key} = [{shown}] with brackets."
    found.faults.append(Fault(places.at(path), problem, remedy))
    if isinstance(value, dict) or (isinstance(value, str) and key not in _TABLES):
        found.put(path, [value])
        places.move(path, (*path, 0))
        return True
    found.broken.add(path)
    return False


def _no_table(found: Validation, path: Path, value: object, places: Places) -> bool:
    key = next(str(step) for step in reversed(path) if isinstance(step, str))
    single = isinstance(path[-1], str)
    found.faults.append(
        Fault(
            places.at(path),
            f"'{key}' is a table" + (", of which there is one." if isinstance(value, list) else "."),
            f"Write [{key}] with single brackets." if single else f"Write [[{key}]] and its keys below it.",
        )
    )
    if single and isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        found.put(path, value[0])
        places.move((*path, 0), path)
        return True
    found.broken.add(path)
    return False
