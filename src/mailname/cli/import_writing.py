"""Plans on their way to the disk: drafted, proven, asked about, written."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
import dns.name

from mailname.errors import HostError, Mistake, Position
from mailname.imports.new_plan import NewPlan, new_plan
from mailname.imports.proof import Proof, prove
from mailname.imports.reverse_zones import home, join
from mailname.imports.takeover import hidden
from mailname.plan.names import say
from mailname.server.atomic import create_secret, write_atomic
from mailname.wire.tsig_key import key_text, parse_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mailname.cli.import_sources import Collected
    from mailname.imports.found_zone import FoundZone
    from mailname.imports.named_conf import ConfiguredKey
    from mailname.imports.takeover import Takeover


_ARPA = dns.name.from_text("arpa.")


@dataclass(slots=True)
class Imported:
    """One domain: what was found, its plan, the proof, and what became of it.

    Attributes:
        doubts: why the plan is not written without consent.
        why_not: why it was not written; empty where it was.

    """

    found: FoundZone
    plan: NewPlan
    proof: Proof
    path: Path
    notes: tuple[str, ...]
    doubts: list[str] = field(default_factory=list)
    written: bool = False
    why_not: str = ""

    @property
    def domain(self) -> str:
        """The domain, as people say it."""
        return say(self.found.apex)


def drafted(collected: Collected, takeover: Takeover, folder: Path, tell: Callable[[str], None]) -> list[Imported]:
    """Draft and prove the plan of each zone that was found; a reverse zone goes into the plan of a domain."""
    imported: list[Imported] = []
    for zone in takeover.zones:
        if zone.apex.is_subdomain(_ARPA):
            continue
        tell(say(zone.apex))
        configured = collected.configured.get(zone.apex)
        around = takeover.around(zone, configured)
        plan = new_plan(zone, around.known)
        path = folder / f"{say(zone.apex)}.toml"
        proof = prove(plan.text, str(path), zone.zone)
        one = Imported(zone, plan, proof, path, (*plan.notes, *around.notes))
        if plan.lacks:
            servers = ", ".join(map(say, plan.lacks))
            might = hidden(zone, configured) if configured is not None else ""
            seen = f" The configuration names {might}: is that it?" if might else ""
            one.why_not = f"The address of {servers} is not known.{seen} Give it: --secondary {say(plan.lacks[0])}=ADDRESS"
        elif proof.plan is None:
            one.doubts.append("what was found makes no good plan: it has mistakes")
        elif proof.changes:
            one.doubts.append("the plan means another zone than the one that was found")
        if zone.signing:
            one.doubts.append(
                f"the zone is signed, and a plan's zone is not ({zone.signing} records of signing are left out): before it is "
                "published, remove the DS records at the registrar and wait until they are forgotten"
            )
        if configured is not None and configured.is_signed and not zone.signing:
            one.doubts.append("BIND signs the zone: before the plan is published, remove the DS records at the registrar")
        if Path(f"{zone.where}.jnl").exists():
            one.doubts.append(
                f"there is a journal beside {zone.where}, so the file may be older than what is served; "
                f"bring it up to date before: rndc sync -clean {say(zone.apex)}"
            )
        imported.append(one)
    for zone in takeover.zones:
        if zone.apex.is_subdomain(_ARPA) and (why_not := _join_reverse(zone, imported)):
            problem = f"{say(zone.apex)} is a reverse zone, which has no plan of its own. {why_not}"
            remedy = "Write it as [[reverse_zone]] into the plan of a domain that the same servers serve."
            collected.mistakes.append(Mistake(Position(zone.where, 1, 1), problem, remedy, "warning"))
    return imported


def _join_reverse(zone: FoundZone, imported: list[Imported]) -> str:
    """Write a reverse zone into the plan of a domain with the same name servers; return why it cannot be, or nothing."""
    good = {one.found.zone.apex: one for one in imported if one.proof.plan is not None and not one.why_not}
    domain = home(zone.zone, (one.found.zone for one in good.values()))
    if domain is None:
        return "No domain that was found has its name servers."
    one = good[domain.apex]
    joined = join(one.plan.text, str(one.path), zone.zone)
    if joined.why_not:
        return joined.why_not
    one.plan = replace(one.plan, text=joined.text)
    one.proof = prove(joined.text, str(one.path), one.found.zone)
    one.notes = (*one.notes, joined.note)
    return ""


@dataclass(frozen=True, slots=True)
class Asking:
    """How consent is had."""

    yes: bool
    force: bool
    dry_run: bool
    can_ask: bool

    def write(self, one: Imported) -> None:
        """Write a plan, if that is wanted.

        Raises:
            HostError: the file cannot be written.

        """
        if one.why_not or self.dry_run:
            return
        if one.doubts and not self.yes and not self.agreed("Write the plan all the same?"):
            one.why_not = "It differs from what was found; if that is right: --yes"
            return
        octets = one.plan.text.encode()
        if one.path.exists():
            if one.path.is_file() and one.path.read_bytes() == octets:
                one.written = True
                return
            if not self.force and not self.agreed(f"{one.path} is already there. Write over it?"):
                one.why_not = f"{one.path} is already there: --output elsewhere, or over it with --force"
                return
        try:
            one.path.parent.mkdir(parents=True, exist_ok=True)
            if one.path.exists():
                write_atomic(one.path, octets)
            else:  # a thousand of them shall not wait for the disk a thousand times
                one.path.write_bytes(octets)
        except OSError as error:
            remedy = "Name a folder that this user may write to: --output FOLDER"
            raise HostError(f"cannot write {one.path}: {error.strerror}", remedy=remedy, step="import") from error
        one.written = True

    def agreed(self, question: str) -> bool:
        """Ask, where somebody is there who can answer."""
        return self.can_ask and click.confirm(question, default=False, err=True)


def write_keys(keys: Iterable[ConfiguredKey], folder: Path) -> tuple[str, ...]:
    """Write each key that we can use into a file of its own, which nobody else may read; return their names.

    Raises:
        HostError: a file cannot be written, or is there already.

    """
    written: list[str] = []
    for key in keys:
        text = f'key "{key.name}" {{ algorithm {key.algorithm}; secret "{key.secret}"; }};'
        try:
            usable = parse_key(text)
        except ValueError:
            continue  # of an algorithm that we do not use, or of rndc's older ones: told where a zone needs it
        path = folder / f"{key.name}.key"
        if path.exists():
            raise HostError(f"{path} is already there", remedy="Keys are never written over: --keys FOLDER", step="import")
        folder.mkdir(parents=True, exist_ok=True)
        create_secret(path, key_text(usable).encode())
        written.append(str(path))
    return tuple(written)
