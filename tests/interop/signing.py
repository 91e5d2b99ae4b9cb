"""Zones signed by BIND's dnssec-signzone, and small zones made by chance for it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.interop.programs import need

if TYPE_CHECKING:
    import random
    from pathlib import Path

#: How a zone is denied -> the signer's options.
MODES = {
    "nsec": (),
    "nsec3": ("-3", "-", "-H", "0"),
    "salted": ("-3", "aabbccdd", "-H", "5"),
    "optout": ("-3", "-", "-H", "0", "-A"),
}
LABELS = ("a", "b", "c", "m", "*", "zz", r"\000", "ab", "B-c")


def signed(folder: Path, apex: str, text: str, mode: str) -> str:
    """Return the zone's text, signed with a key made for it."""
    signer, keygen = need("dnssec-signzone", "dnssec-keygen")
    file, out = folder / f"{apex}in", folder / f"{apex}out"
    key = _run(folder, keygen, "-q", "-a", "ECDSAP256SHA256", apex).strip()
    file.write_text(text + (folder / f"{key}.key").read_text())
    _run(folder, signer, "-P", "-z", *MODES[mode], "-O", "full", "-o", apex, "-f", str(out), str(file), key)
    return out.read_text()


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
    return done.stdout


def name_by_chance(chance: random.Random, apex: str) -> str:
    """Return a name of the zone, at most four labels below the apex."""
    return ".".join([*chance.choices(LABELS, k=chance.randint(1, 4)), apex])


def zone_by_chance(chance: random.Random, apex: str) -> str:
    """Return the text of a zone: names over few labels, so that they meet, hide and cover each other."""
    records = [f"{apex} 600 IN SOA ns.{apex} mail.{apex} 1 3600 900 86400 300", f"{apex} 600 IN NS ns.{apex}"]
    records.append(f"ns.{apex} 600 IN A 192.0.2.1")
    owners: set[str] = set()
    for _ in range(chance.randint(3, 25)):
        owner = name_by_chance(chance, apex)
        if owner.lower() in owners:
            continue
        owners.add(owner.lower())
        target = name_by_chance(chance, apex)
        match chance.randint(0, 9):
            case 0 | 1 | 2 | 3:
                records += [f"{owner} 600 IN A 192.0.2.2", f'{owner} 60 IN TXT "text"'][: chance.randint(1, 2)]
            case 4:
                records.append(f"{owner} 600 IN CNAME {target}")
            case 5:
                records.append(f"{owner} 600 IN MX 10 {target}")
            case 6 | 7 if "*" not in owner:
                records.append(f"{owner} 600 IN NS ns.{owner}")
                records.append(f"ns.{owner} 600 IN A 192.0.2.3")
            case 8 if "*" not in owner:
                records += [f"{owner} 600 IN NS ns.{apex}", f"{owner} 600 IN DS 1 13 2 {'00' * 32}"]
            case _:
                records.append(f'{owner} 600 IN TXT "text"')
    return "\n".join(records) + "\n"
