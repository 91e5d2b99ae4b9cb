"""Servers that make or follow a catalog zone: ours, BIND and Knot, each with what its configuration needs for that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dns.name
from tests.interop.mailname_server import Mailname
from tests.interop.real_servers import LOOPBACK, Bind, Key, Knot, PrimaryZone, SecondaryZone

from mailname.transfer.catalog import Member, catalog_text, label_of
from mailname.zone import Serial

if TYPE_CHECKING:
    from collections.abc import Mapping


CATALOG = "catalog.invalid."
GROUP = "elsewhere"  # whoever is in it comes from nowhere
KEY = Key("catalog.example.", "YSBzZWNyZXQgb2YgdGhlIGNhdGFsb2cgaW50ZXJvcCB0ZXN0cw==")
_NOWHERE = 9


class MailnameProducer(Mailname):
    """Ours: a folder of zone files."""

    def __init__(self, notify: int) -> None:
        super().__init__(
            [],
            options=f"""
[[key]]
file = "{KEY.name.rstrip(".")}.key"
[[catalog]]
name = "{CATALOG}"
role = "producer"
folder = "zones"
[[catalog.secondary]]
address = "{LOOPBACK}"
port = {notify}
key = "{KEY.name}"
[[catalog.group]]
name = "{GROUP}"
zones = ["*.{GROUP}"]
""",
        )

    def _configure(self) -> None:
        self.key_file(KEY)
        (self.folder / "zones").mkdir(exist_ok=True)
        super()._configure()

    def put(self, zones: Mapping[str, str]) -> None:
        """Serve exactly these zones."""
        for path in (self.folder / "zones").glob("*.zone"):
            if f"{path.stem}." not in zones:
                path.unlink()
        for name, text in zones.items():
            (self.folder / "zones" / f"{name.rstrip('.')}.zone").write_text(text)
        assert self.order("reload")["ok"]


class MailnameConsumer(Mailname):
    """Ours, with nothing but the catalog in its configuration."""

    def __init__(self, producer: int, port: int) -> None:
        super().__init__(
            [],
            port=port,
            options=f"""
[[key]]
file = "{KEY.name.rstrip(".")}.key"
[[catalog]]
name = "{CATALOG}"
role = "consumer"
[[catalog.primary]]
address = "{LOOPBACK}"
port = {producer}
key = "{KEY.name}"
[[catalog.group]]
name = "{GROUP}"
[[catalog.group.primary]]
address = "{LOOPBACK}"
port = {_NOWHERE}
""",
        )

    def _configure(self) -> None:
        self.key_file(KEY)
        super()._configure()


class BindProducer(Bind):
    """BIND: its catalog is a plain zone, written by hand, and its zones are configured one by one."""

    def __init__(self, notify: int) -> None:
        self.notify = ((LOOPBACK, notify),)
        super().__init__([self._of(CATALOG, catalog_text(dns.name.from_text(CATALOG), Serial(1), ()))])
        self.serial_given = 1

    def _of(self, name: str, text: str) -> PrimaryZone:
        return PrimaryZone(name, text, notify=self.notify, key=KEY)

    def put(self, zones: Mapping[str, str]) -> None:
        """Serve exactly these zones."""
        self.serial_given += 1
        names = [dns.name.from_text(one) for one in zones]
        members = [Member(one, label_of(one), (GROUP,) if one.to_text().endswith(f".{GROUP}.") else ()) for one in names]
        text = catalog_text(dns.name.from_text(CATALOG), Serial(self.serial_given), members)
        served = (*(self._of(name, text) for name, text in zones.items()), self._of(CATALOG, text))
        self.zones = served
        for zone in served:
            self._file(zone.name).write_text(zone.text)
        path = self.folder / "named.conf"
        path.write_text(path.read_text().partition('zone "')[0] + "".join(map(self._zone, self.zones)))
        self._run(self.paths[1], "-c", str(self.folder / "rndc.conf"), "reconfig")
        self._run(self.paths[1], "-c", str(self.folder / "rndc.conf"), "reload")


class BindConsumer(Bind):
    """BIND, with ``catalog-zones``."""

    def __init__(self, producer: int, port: int) -> None:
        primaries = f'{{ {LOOPBACK} port {producer} key "{KEY.name}"; }}'
        catalogs = f'catalog-zones {{ zone "{CATALOG}" default-primaries {primaries} min-update-interval 1; }};'
        super().__init__([SecondaryZone(CATALOG, (LOOPBACK, producer), key=KEY)], options=catalogs, port=port)


class KnotProducer(Knot):
    """Knot, which makes the catalog itself."""

    def __init__(self, notify: int) -> None:
        self.notify = ((LOOPBACK, notify),)
        super().__init__([])

    @property
    def _keys(self) -> dict[str, Key]:
        return {KEY.name: KEY}

    def _configure(self) -> None:
        super()._configure()
        path = self.folder / "knot.conf"
        path.write_text(
            path.read_text()
            + f"remote:\n  - id: all\n    address: {LOOPBACK}@{self.notify[0][1]}\n    key: {KEY.name}\n"
            + f"acl:\n  - id: all\n    address: {LOOPBACK}\n    key: {KEY.name}\n    action: transfer\n"
            + f"zone:\n  - domain: {CATALOG}\n    file: {self._file(CATALOG)}\n"
            + "    catalog-role: generate\n    acl: all\n    notify: all\n"
            + "".join(
                f"  - domain: {zone.name}\n    file: {self._file(zone.name)}\n    acl: all\n    notify: all\n"
                f"    catalog-role: member\n    catalog-zone: {CATALOG}\n"
                + (f"    catalog-group: {GROUP}\n" if zone.name.endswith(f".{GROUP}.") else "")
                for zone in self.members
            )
        )

    members: tuple[PrimaryZone, ...] = ()

    def put(self, zones: Mapping[str, str]) -> None:
        """Serve exactly these zones."""
        self.members = tuple(PrimaryZone(name, text) for name, text in zones.items())
        for zone in self.members:
            self._file(zone.name).write_text(zone.text)
        self._configure()
        self._run(self.paths[1], "-c", str(self.folder / "knot.conf"), "reload")


class KnotConsumer(Knot):
    """Knot, which interprets the catalog."""

    def __init__(self, producer: int, port: int) -> None:
        super().__init__([SecondaryZone(CATALOG, (LOOPBACK, producer), key=KEY)], port=port)

    def _configure(self) -> None:
        super()._configure()
        path = self.folder / "knot.conf"
        template = f"  - id: member\n    master: peer0-0\n    acl: acl0\n    semantic-checks: off\n    storage: {self.folder}\n"
        text = path.read_text().replace("zone:\n  - domain", f"{template}zone:\n  - domain")
        path.write_text(f"{text}    catalog-role: interpret\n    catalog-template: member\n")
