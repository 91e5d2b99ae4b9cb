"""A server's configuration read from a small TOML file, every mistake with its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from mailname.answer import Settings
from mailname.answer.rate_limit import RateLimit
from mailname.answer.settings import LONGEST_IDENTITY
from mailname.errors import HostError
from mailname.server.catalog_file import CatalogTable, contradictions
from mailname.server.config import Role, ServerConfig, ZoneConfig
from mailname.server.config_fields import STRICT, EndpointField, NameField, NetworkField, PeerTable, TlsEndpointField, peers_of
from mailname.server.config_text import Contradiction, read_toml_as
from mailname.server.key_use import KeyFile
from mailname.server.keyfile import load_keys
from mailname.server.tls import TlsFiles
from mailname.server.update_file import UpdateTable, update_contradictions
from mailname.transfer.transfer_limits import TransferLimits

if TYPE_CHECKING:
    from collections.abc import Container

    from dns.name import Name

    from mailname.wire.tsig_key import Key


class _KeyTable(BaseModel):
    model_config = STRICT
    file: Path
    name: NameField | None = None


class _ZoneTable(BaseModel):
    model_config = STRICT
    name: NameField
    role: Role
    file: Path | None = None
    primaries: tuple[PeerTable, ...] = Field((), alias="primary")
    secondaries: tuple[PeerTable, ...] = Field((), alias="secondary")
    allow_transfer: tuple[NetworkField, ...] = ()
    updates: tuple[UpdateTable, ...] = Field((), alias="update")


class _RateLimitTable(BaseModel):
    model_config = STRICT
    responses_per_second: int = Field(RateLimit().responses_per_second, ge=0, le=1_000_000)
    slip: int = Field(RateLimit().slip, ge=0, le=100)
    window: int = Field(RateLimit().window, ge=1, le=3600)
    ipv4_prefix: int = Field(RateLimit().ipv4_prefix, ge=1, le=32)
    ipv6_prefix: int = Field(RateLimit().ipv6_prefix, ge=1, le=128)
    exempt: tuple[NetworkField, ...] = Field(RateLimit().exempt, max_length=32)  # as many as a worker looks through

    def value(self) -> RateLimit:
        return RateLimit(**{name: getattr(self, name) for name in type(self).model_fields})


class _RepliesTable(BaseModel):
    model_config = STRICT
    nsid: str | None = Field(None, max_length=LONGEST_IDENTITY // 4)
    version: str | None = Field(None, max_length=LONGEST_IDENTITY // 4)
    identity: str | None = Field(None, max_length=LONGEST_IDENTITY // 4)
    require_cookies: bool = False

    def value(self) -> Settings:
        nsid = self.nsid.encode() if self.nsid is not None else None
        return Settings(nsid=nsid, version=self.version, identity=self.identity, require_cookies=self.require_cookies)


class _TransferLimitsTable(BaseModel):
    model_config = STRICT
    idle: float = Field(TransferLimits().idle, gt=0, le=3600)
    total: float = Field(TransferLimits().total, gt=0, le=86400)
    records: int = Field(TransferLimits().records, ge=3, le=100_000_000)
    octets: int = Field(TransferLimits().octets, ge=512, le=1 << 36)

    def value(self) -> TransferLimits:
        return TransferLimits(self.idle, self.total, self.records, self.octets)


class _TlsTable(BaseModel):
    model_config = STRICT
    certificate: Path
    key: Path
    client_ca: Path | None = None

    def value(self, top: Path) -> TlsFiles:
        return TlsFiles(top / self.certificate, top / self.key, top / self.client_ca if self.client_ca else None)


class _ServerTable(BaseModel):
    model_config = STRICT
    listen: tuple[EndpointField, ...] = Field(min_length=1)
    state: Path
    control: Path | None = None
    tls_listen: tuple[TlsEndpointField, ...] = ()
    tls: _TlsTable | None = None
    keys: tuple[_KeyTable, ...] = Field((), alias="key")
    zones: tuple[_ZoneTable, ...] = Field((), alias="zone")
    catalogs: tuple[CatalogTable, ...] = Field((), alias="catalog")
    rate_limit: _RateLimitTable | None = None
    replies: _RepliesTable | None = None
    transfer_limits: _TransferLimitsTable | None = None


def _contradictions(read: _ServerTable, keys: Container[Name] | None) -> list[Contradiction]:
    """Return (where, what is wrong, what to do) for what the types cannot say."""
    wrong: list[Contradiction] = []
    seen: set[Name] = set()
    for number, zone in enumerate(read.zones):
        at, name = ("zone", number), zone.name.to_text(omit_final_dot=True)
        if zone.name in seen:
            wrong.append(((*at, "name"), f"the zone {name} is listed twice", "Keep one of the two."))
        seen.add(zone.name)
        if zone.role == "primary" and zone.file is None:
            wrong.append((at, f"the primary zone {name} has no file", 'Add: file = "NAME.zone"'))
        if zone.role == "secondary" and not zone.primaries:
            wrong.append((at, f"the secondary zone {name} has no primary", "Add a [[zone.primary]] with its address."))
        wrong += update_contradictions(at, zone.name, zone.role, zone.updates, keys)
        for kind, peers in (("primary", zone.primaries), ("secondary", zone.secondaries)):
            for index, peer in enumerate(peers):
                if mistake := peer.tls_mistake(kind):
                    wrong.append(((*at, kind, index), *mistake))
                unknown = [key for key in peer.key if keys is not None and key not in keys]
                if unknown:
                    remedy = "Add a [[key]] with the file that holds it."
                    says = f"there is no key {unknown[0].to_text(omit_final_dot=True)}"
                    wrong.append(((*at, kind, index, "key"), says, remedy))
    if read.tls_listen and read.tls is None:
        wrong.append((("tls_listen",), "there is no certificate for TLS", "Add a [tls] with certificate and key."))
    wrong += contradictions(read.catalogs, seen, keys)
    return wrong


def _key_sets(files: list[KeyFile]) -> dict[Name, tuple[Name, ...]]:
    return {one.name: tuple(key.name for key in one.keys) for one in files if one.name is not None}


def has_same_keys(config: ServerConfig) -> bool:
    """Tell whether the key files of a configuration hold what they held when it was read."""
    try:
        return all(load_keys(one.path) == one.keys for one in config.key_files)
    except HostError:
        return False


def load_config(text: str, file: str) -> ServerConfig:
    """Read a server's configuration. Paths in it are relative to the file's folder.

    Raises:
        PlanError: every mistake, with file, line and column; a key file that cannot be used is one.

    """
    folder = Path(file).parent
    files: list[KeyFile] = []
    keys: dict[Name, Key] = {}

    def inspect(read: _ServerTable) -> list[Contradiction]:
        wrong: list[Contradiction] = []
        for number, table in enumerate(read.keys):
            try:
                found = KeyFile(folder / table.file, table.name, load_keys(folder / table.file))
            except HostError as error:
                wrong.append((("key", number, "file"), error.problem, error.remedy))
            else:
                files.append(found)
                keys.update((key.name, key) for key in found.keys)
        # Where a file could not be read, a key that is missing may be in it.
        return wrong + _contradictions(read, None if wrong else {*keys, *_key_sets(files)})

    read = read_toml_as(_ServerTable, text, file, inspect)
    key_sets = _key_sets(files)
    zones = tuple(
        ZoneConfig(
            zone.name,
            zone.role,
            folder / zone.file if zone.file else None,
            peers_of(zone.primaries, "primary", key_sets, folder),
            peers_of(zone.secondaries, "secondary", key_sets, folder),
            zone.allow_transfer,
            tuple(one.value(key_sets) for one in zone.updates),
        )
        for zone in read.zones
    )
    control = folder / read.control if read.control else None
    rate_limit = read.rate_limit.value() if read.rate_limit else RateLimit()
    replies = read.replies.value() if read.replies else Settings()
    catalogs = tuple(catalog.value(folder, key_sets) for catalog in read.catalogs)
    known = tuple(files)
    config = ServerConfig(read.listen, zones, folder / read.state, control, keys, rate_limit, replies, None, known, catalogs)
    limits = read.transfer_limits.value() if read.transfer_limits else TransferLimits()
    tls = read.tls.value(folder) if read.tls else None
    return replace(config, tls_listen=read.tls_listen, tls=tls, transfer_limits=limits)
