"""The archive that ``mailname deploy`` carries to a host: this very installation, with all that its server needs.

It is the same octets for the same installation, and named by its digest. Whoever unpacks it runs ``python3 -I FOLDER``.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import platform
import re
import sys
import sysconfig
import tarfile
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import mailname

_MAIN = 'import sys\n\nfrom mailname.cli.main import main\n\nsys.argv[0] = "mailname"\nmain()\n'
_SOURCES = (".pyx", ".pxd", ".c", ".h", ".pyc")
_NAME = re.compile(r"[A-Za-z0-9._-]+")
#: What of a distribution is left at home: Cython compiles, and only its shadow is used where nothing is compiled; colours
#: for source text are not printed by a server.
_AT_HOME = ("pyinfra",)  # what prepares hosts, and all that it alone needs, stays with who prepares them
_ONLY = {"cython": re.compile(r"cython\.py|Cython/(__init__|Shadow)\.py|[^/]*\.dist-info/METADATA")}
_NOT = {"pygments": re.compile(r"pygments/(lexers/(?!_mapping|__init__)|styles/(?!_mapping|__init__|default)).*")}


@dataclass(frozen=True, slots=True)
class Interpreter:
    """What compiled modules are made for."""

    python: tuple[int, int]
    machine: str
    libc: tuple[int, ...]

    @classmethod
    def here(cls) -> Interpreter:
        """Return what runs this."""
        return cls(sys.version_info[:2], platform.machine(), version_of(platform.libc_ver()[1]))

    def fits(self, there: Interpreter) -> bool:
        """Tell whether modules that were compiled here run there: the same Python and processor, and no older C library."""
        return (self.python, self.machine) == (there.python, there.machine) and bool(self.libc) and self.libc <= there.libc

    def __str__(self) -> str:
        return f"Python {self.python[0]}.{self.python[1]} on {self.machine}"


def version_of(text: str) -> tuple[int, ...]:
    """Read a version's numbers; empty where there are none."""
    return tuple(int(part) for part in re.findall(r"\d+", text)[:2])


@dataclass(frozen=True)
class Archive:
    """A release: a tar. ``digest`` names its content."""

    digest: str
    content: bytes
    is_compiled: bool

    @cached_property
    def octets(self) -> bytes:
        """The tar.gz; made when somebody wants it, which is not where the release is there already."""
        return gzip.compress(self.content, 6, mtime=0)


def build_archive(*, compiled: bool = True) -> Archive:
    """Pack the running installation. ``compiled`` False leaves the compiled core at home: its sources do the same."""
    files = {"__main__.py": _MAIN.encode()}
    files |= _own_files(compiled=compiled)
    for one in _needed("mailname"):
        files |= _files_of(one)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name in sorted(files):
            told = tarfile.TarInfo(name)
            told.size, told.mode = len(files[name]), 0o644
            tar.addfile(told, io.BytesIO(files[name]))
    content = plain.getvalue()
    is_compiled = any(name.startswith("mailname/") and name.endswith(".so") for name in files)
    return Archive(hashlib.sha256(content).hexdigest()[:16], content, is_compiled)


def _own_files(*, compiled: bool) -> dict[str, bytes]:
    top = Path(mailname.__file__).parent
    ours = sysconfig.get_config_var("EXT_SUFFIX")
    found = {}
    for path in top.rglob("*"):
        if not path.is_file() or path.suffix in _SOURCES or "__pycache__" in path.parts:
            continue
        if path.suffix == ".so" and not (compiled and path.name.endswith(str(ours))):
            continue
        found[f"mailname/{path.relative_to(top).as_posix()}"] = path.read_bytes()
    return found


def _needed(name: str) -> list[Distribution]:
    """Return the distributions that one needs to run, and those that these need; without itself."""
    found: dict[str, Distribution] = {}
    left = [name]
    while left:
        wanted = left.pop()
        if wanted in _AT_HOME:
            continue
        key = re.sub(r"[-_.]+", "-", wanted).lower()
        if key in found:
            continue
        try:
            found[key] = distribution(wanted)
        except PackageNotFoundError:
            continue  # wanted on another system, or by another Python
        requirements = found[key].requires or ()
        left += [match[0] for text in requirements if "extra ==" not in text and (match := _NAME.match(text))]
    del found[name]
    return [found[key] for key in sorted(found)]


def _files_of(one: Distribution) -> dict[str, bytes]:
    name = one.metadata["Name"].lower()
    only, left_out = _ONLY.get(name), _NOT.get(name)
    found = {}
    for path in one.files or ():
        text = path.as_posix()
        if text.startswith(("..", "/")) or path.suffix in _SOURCES or "__pycache__" in path.parts:
            continue
        if text.endswith(("/RECORD", "/INSTALLER", "/REQUESTED", "/direct_url.json")):
            continue  # how it was installed here, which another installation of the same does otherwise
        if (only and not only.fullmatch(text)) or (left_out and left_out.fullmatch(text)):
            continue
        found[text] = Path(str(path.locate())).read_bytes()
    return found
