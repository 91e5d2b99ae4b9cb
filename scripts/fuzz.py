"""Fuzz what strangers can send to: ``make fuzz SECONDS=300``, or one target with ``ARGS="--target query"``.

Guided by coverage where atheris can be installed (the extra ``fuzz``); elsewhere good inputs are spoiled at random. Inputs that
reached something new are kept in build/fuzz/corpus, those that broke something in build/fuzz/broken; both serve the next run. It
begins with tests/data/fuzz, which ``--keep`` fills with what of build/fuzz/corpus reaches something that nothing before it did.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
import traceback
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "fuzz"
KEPT = ROOT / "tests" / "data" / "fuzz"
NAMES = ["query", "zone-text", "pack", "transfer", "ixfr", "journal", "tsig", "named-conf", "mail-list", "found-zone"]
LONGEST = 4096
LONGEST_KEPT = 2048
MOST_KEPT = 80  # for each target


def main() -> int:
    """Run all targets in turn, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60, help="for all targets together")
    parser.add_argument("--target", choices=NAMES)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--unguided", action="store_true", help="without atheris, which the address sanitizer does not go with")
    parser.add_argument("--keep", action="store_true", help="fill tests/data/fuzz for one target; with MAILNAME_PURE=1")
    options = parser.parse_args()
    if options.keep:
        return keep(options.target, options.seconds)
    if options.here:
        return run(options.target, options.seconds, guided=not options.unguided)
    chosen = [options.target] if options.target else NAMES
    failed = []
    for name in chosen:
        words = ["--here", "--target", name, "--seconds", str(max(options.seconds // len(chosen), 1))]
        words += ["--unguided"] if options.unguided else []
        print(f"fuzzing {name}", flush=True)
        if subprocess.run([sys.executable, "-m", "scripts.fuzz", *words], cwd=ROOT, check=False).returncode:
            failed.append(name)
    print(f"broken: {', '.join(failed)}; inputs in {FOLDER / 'broken'}" if failed else "nothing broke")
    return bool(failed)


def run(name: str, seconds: int, *, guided: bool) -> int:
    """Fuzz one target in this process."""
    corpus, broken = FOLDER / "corpus" / name, FOLDER / "broken" / name
    corpus.mkdir(parents=True, exist_ok=True)
    broken.mkdir(parents=True, exist_ok=True)
    if guided:
        try:
            import atheris
        except ImportError:
            print("  atheris is not installed: inputs are spoiled at random")
        else:
            with atheris.instrument_imports(include=["mailname"]):
                from scripts import fuzz_targets
            for number, seed in enumerate(fuzz_targets.seeds(name)):
                (corpus / f"seed-{number}").write_bytes(seed)
            # A folder of its own: the library leaves its inputs where it stands.
            words = [f"-max_total_time={seconds}", f"-max_len={LONGEST}", f"-artifact_prefix={broken}/", "-timeout=20"]
            words += ["-verbosity=0", "-print_final_stats=1"]
            atheris.Setup([sys.argv[0], *words, str(corpus), *kept_folder(name)], fuzz_targets.TARGETS[name])
            atheris.Fuzz()
            return 0
    return spoil(name, seconds, corpus, broken)


def spoil(name: str, seconds: int, corpus: Path, broken: Path) -> int:
    """Change good inputs at random until the time is over or something breaks."""
    from scripts import fuzz_targets

    target, chance = fuzz_targets.TARGETS[name], random.Random()
    inputs = [*fuzz_targets.seeds(name), *(path.read_bytes()[:LONGEST] for path in [*kept(name), *sorted(corpus.iterdir())])]
    for data in inputs:
        target(data)
    ends, tried = time.monotonic() + seconds, 0
    while time.monotonic() < ends:
        data = spoiled(chance, chance.choice(inputs), chance.choice(inputs))
        tried += 1
        (broken / "running").write_bytes(data)  # what kills the process is found here
        try:
            target(data)
        except Exception:  # noqa: BLE001 - whatever it is, it is what we are looking for
            traceback.print_exc()
            (broken / f"{os.getpid()}-{tried}").write_bytes(data)
            return 1
    (broken / "running").unlink()
    print(f"  {tried} inputs")
    return 0


def kept(name: str) -> list[Path]:
    """Return the inputs that the repository keeps for a target."""
    return sorted((KEPT / name).glob("*"))


def kept_folder(name: str) -> list[str]:
    """Return the folder that holds them, if there is one."""
    return [str(KEPT / name)] if (KEPT / name).is_dir() else []


def keep(name: str, seconds: int) -> int:
    """Add to the kept inputs those that lead from one line of our sources to another as none did before; the shortest first."""
    from scripts import fuzz_targets

    target, steps = fuzz_targets.TARGETS[name], set[tuple[str, int, int]]()
    for path in kept(name):
        steps |= steps_of(target, path.read_bytes())
    found = {path.read_bytes() for path in (FOLDER / "corpus" / name).glob("*")} | set(fuzz_targets.seeds(name))
    (KEPT / name).mkdir(parents=True, exist_ok=True)
    ends = time.monotonic() + seconds
    for data in sorted((data for data in found if len(data) <= LONGEST_KEPT), key=lambda data: (len(data), data)):
        if time.monotonic() > ends or len(kept(name)) >= MOST_KEPT:
            break
        if made := steps_of(target, data) - steps:
            steps |= made
            (KEPT / name / sha256(data).hexdigest()[:16]).write_bytes(data)
    print(f"{name}: {len(kept(name))} inputs kept, {len(steps)} steps")
    return 0


def steps_of(target: Callable[[bytes], None], data: bytes) -> set[tuple[str, int, int]]:
    """Return from which line to which one a target goes in our sources, and where it returns from."""
    steps: set[tuple[str, int, int]] = set()

    def enter(frame: FrameType, _event: str, _about: object) -> Any:
        file, before = frame.f_code.co_filename, 0
        if f"{os.sep}mailname{os.sep}" not in file:
            return None

        def step(frame: FrameType, event: str, _about: object) -> Any:
            nonlocal before
            line = frame.f_lineno if event == "line" else -frame.f_lineno
            steps.add((file, before, line))
            before = line
            return step

        return step

    sys.settrace(enter)
    try:
        target(data)
    finally:
        sys.settrace(None)
    return steps


def spoiled(chance: random.Random, data: bytes, other: bytes) -> bytes:
    """Change, cut, double, lengthen an input, or splice it with another."""
    made = bytearray(data)
    for _ in range(chance.choice([1, 1, 2, 3, 8])):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(6):
            case 0:
                made[at : at + 1] = bytes([chance.choice([0, 1, 12, 41, 63, 64, 127, 128, 192, 255])])
            case 1:
                made[at : at + 1] = chance.randbytes(1)
            case 2:
                del made[at : at + chance.randrange(1, 12)]
            case 3:
                made[at:at] = chance.randbytes(chance.randrange(1, 8))
            case 4:
                made[at:at] = made[at : at + chance.randrange(1, 40)]
            case _:
                begin = chance.randrange(len(other) + 1)
                made[at:] = other[begin : begin + LONGEST]
    return bytes(made[:LONGEST])


if __name__ == "__main__":
    sys.exit(main())
