"""Make ``.venv`` with the pinned packages, on a machine that has python3 and nothing else for Python.

Usage: ``python3 bootstrap.py [runtime|dev|docs]`` (the Makefile calls it; run again it does nothing while nothing changed).

Debian and Ubuntu split ``ensurepip`` off their python3, and bar the system's pip from installing. So the virtual environment is
always made without pip, and the pinned pip comes in by the first of these that works:

1. a pip wheel on this machine (Python's own ``ensurepip``, or Debian's ``/usr/share/python-wheels``);
2. the system's ``pip``, which can install into another environment since version 22.3;
3. the index or folder that pip's own configuration names (``PIP_INDEX_URL``, ``PIP_FIND_LINKS``, ``pip.conf``);
4. the distribution's package of the wheel, fetched by apt as an ordinary user and unpacked inside ``.venv``: nothing is
   installed on the machine, and no root is needed.

Whatever pip is found first installs the pip named in ``requirements/``, by its hash, as it does all else. This file names no
package index: pip knows its own. It uses the standard library only, and runs on Python 3.7 so that it can say what is missing.
"""

from __future__ import annotations

import base64
import configparser
import hashlib
import html
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
NEEDS = (3, 11)
GROUPS = ("runtime", "dev", "docs")
IN_VENV = VENV / "bin" / "python"


def say(text: str) -> None:
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


def fail(problem: str, remedy: str) -> None:
    say(f"{problem}\n  {remedy}")
    sys.exit(1)


def succeeds(*command: str | Path) -> bool:
    """Tell whether a program runs and exits 0. A shim that leads nowhere counts as no."""
    try:
        done = subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    except OSError:
        return False
    return done.returncode == 0


# -- a Python that is new enough ------------------------------------------------------------------------------------------------


def use_new_enough_python() -> None:
    """Go on in this process, or start again in a newer Python from PATH, or say that there is none."""
    if sys.version_info >= NEEDS:
        return
    test = f"import sys, venv; sys.exit(sys.version_info < {NEEDS})"
    for minor in range(20, NEEDS[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and succeeds(other, "-c", test):
            os.execv(other, [other, str(Path(__file__).resolve()), *sys.argv[1:]])
    found = ".".join(map(str, sys.version_info[:3]))
    fail(
        f"mailname needs Python {NEEDS[0]}.{NEEDS[1]} or newer; this python3 is {found}, and no newer one is on PATH.",
        "Install a newer one (for example 'apt-get install python3.11'), then run this again.",
    )


# -- what pip has been told -----------------------------------------------------------------------------------------------------


def pip_setting(name: str) -> list[str]:
    """Return the words of one of pip's settings, from its environment variable or else its configuration files."""
    from_environment = os.environ.get("PIP_" + name.upper().replace("-", "_"))
    if from_environment:
        return from_environment.split()
    home = Path.home()
    config_home = Path(os.environ.get("XDG_CONFIG_HOME", str(home / ".config")))
    files = [
        *(Path(folder) / "pip/pip.conf" for folder in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")),
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        home / "Library/Application Support/pip/pip.conf",
        config_home / "pip/pip.conf",
    ]
    if os.environ.get("PIP_CONFIG_FILE"):
        files.append(Path(os.environ["PIP_CONFIG_FILE"]))
    words: list[str] = []
    for file in files:
        config = configparser.RawConfigParser()
        try:
            config.read(str(file), encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue  # pip itself will tell what is wrong with it
        for section in ("global", "install"):
            if config.has_option(section, name):
                words = config.get(section, name).split()
    return words


def read_url(url: str) -> bytes:
    """Read a URL or a file, with the user and password a URL may carry."""
    if "://" not in url:
        return Path(url).expanduser().read_bytes()
    parts = urllib.parse.urlsplit(url)
    headers = {"Accept": "text/html"}
    if parts.username and parts.hostname:
        user = f"{urllib.parse.unquote(parts.username)}:{urllib.parse.unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        parts = parts._replace(netloc=parts.hostname + (f":{parts.port}" if parts.port else ""))
    request = urllib.request.Request(urllib.parse.urlunsplit(parts), headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        body: bytes = answer.read()
    return body


def pinned_pip() -> tuple[str, set[str]]:
    """Return the file name of the pip wheel in the pins, and the SHA-256 sums that it may have."""
    text = (ROOT / "requirements/runtime.txt").read_text(encoding="utf-8")
    pin = re.search(r"^pip==(\S+)((?: \\\n\s+--hash=sha256:[0-9a-f]{64})+)", text, re.MULTILINE)
    if pin is None:
        fail("requirements/runtime.txt has no pin for pip.", "Run 'make pins'.")
        raise AssertionError
    return f"pip-{pin.group(1)}-py3-none-any.whl", set(re.findall(r"[0-9a-f]{64}", pin.group(2)))


def pip_wheel_from_configured_index() -> Path | None:
    """Fetch the pinned pip wheel from where pip's configuration points, and check its SHA-256."""
    name, sums = pinned_pip()
    pages = [url.rstrip("/") + "/pip/" for url in pip_setting("index-url") + pip_setting("extra-index-url")]
    for place in pages + pip_setting("find-links"):
        try:
            wheel = _wheel_at(place, name)
        except (OSError, ValueError) as error:
            say(f"no pip from {urllib.parse.urlsplit(place).hostname or place}: {error}")
            continue
        if wheel is None:
            continue
        if hashlib.sha256(wheel).hexdigest() not in sums:
            say(f"{name} has not the SHA-256 of requirements/runtime.txt; it is not used.")
            continue
        target = VENV / "bootstrap" / name
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(wheel)
        return target
    return None


def _wheel_at(place: str, name: str) -> bytes | None:
    """Read the file ``name`` from a folder, or by the links of an index page. A ``file:`` index keeps its page in index.html."""
    folder = Path(urllib.request.url2pathname(urllib.parse.urlsplit(place).path)) if place.startswith("file:") else Path(place)
    if "://" not in place or place.startswith("file:"):
        if (folder / name).is_file():
            return (folder / name).read_bytes()
        page_file = folder / "index.html" if folder.is_dir() else folder
        if not page_file.is_file():
            return None
        place = page_file.resolve().as_uri()
    page = read_url(place).decode("utf-8", "replace")
    for link in re.findall(r"""href\s*=\s*["']([^"']+)""", page):
        url = urllib.parse.urljoin(place, html.unescape(link)).split("#")[0]
        if urllib.parse.unquote(url).rsplit("/", 1)[-1] == name:
            base = urllib.parse.urlsplit(place)
            if base.username and urllib.parse.urlsplit(url).netloc == base.netloc.rsplit("@", 1)[-1]:
                url = url.replace("://", "://" + base.netloc.rsplit("@", 1)[0] + "@", 1)
            return read_url(url)
    return None


# -- the distribution's own packages, without root ------------------------------------------------------------------------------


def unpack_debian_package(name: str) -> Path | None:
    """Fetch one package by apt as an ordinary user and unpack it inside ``.venv``; apt checks its signature."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    folder = VENV / "bootstrap"
    (folder / "lists/partial").mkdir(parents=True, exist_ok=True)
    (folder / "cache/archives/partial").mkdir(parents=True, exist_ok=True)
    patience = ["-qq", "-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1", "-o", "APT::Sandbox::User=root"]
    own_cache = ["-o", f"Dir::Cache={folder}/cache"]
    own_lists = ["-o", f"Dir::State::Lists={folder}/lists"]

    def apt(*words: str) -> None:
        subprocess.run(["apt-get", *patience, *words], cwd=str(folder), stdout=sys.stderr, stderr=subprocess.DEVNULL, check=False)

    apt(*own_cache, "download", name)
    if not list(folder.glob(f"{name}_*.deb")):
        apt(*own_cache, *own_lists, "update")
        apt(*own_cache, *own_lists, "download", name)
    for package in folder.glob(f"{name}_*.deb"):
        if succeeds("dpkg-deb", "-x", package, folder / name):
            return folder / name
    return None


def certificates() -> dict[str, str]:
    """Give pip the distribution's certificates where the machine has none installed (``--no-install-recommends``)."""
    told = any(os.environ.get(name) for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")) or pip_setting("cert")
    if told or Path("/etc/ssl/certs/ca-certificates.crt").exists() or not shutil.which("apt-get"):
        return {}
    bundle = VENV / "certificates.pem"
    if not bundle.exists():
        say("this machine has no certificates (package ca-certificates): taking the distribution's for this set-up only")
        package = unpack_debian_package("ca-certificates")
        if package is None:
            return {}
        parts = sorted((package / "usr/share/ca-certificates").rglob("*.crt"))
        bundle.write_bytes(b"\n".join(part.read_bytes() for part in parts))
    return {"PIP_CERT": str(bundle)}


# -- pip ------------------------------------------------------------------------------------------------------------------------


def pip_wheels_here() -> list[Path]:
    """Return the pip wheels on this machine, newest name last."""
    folders = [Path("/usr/share/python-wheels")]
    try:
        import ensurepip
    except ImportError:
        pass
    else:
        folders.insert(0, Path(ensurepip.__file__).parent / "_bundled")
    return [wheel for folder in folders for wheel in sorted(folder.glob("pip-*.whl"), reverse=True)]


def find_pip() -> list[str]:
    """Return the words of a command that runs some pip for ``.venv``; see the order in this file's first lines."""

    def from_wheel(wheel: Path | None) -> list[str] | None:
        return [str(IN_VENV), f"{wheel}/pip"] if wheel and succeeds(IN_VENV, f"{wheel}/pip", "--version") else None

    if succeeds(IN_VENV, "-m", "pip", "--version"):
        return [str(IN_VENV), "-m", "pip"]
    for wheel in pip_wheels_here():
        found = from_wheel(wheel)
        if found:
            return found
    for python in (sys.executable, "/usr/bin/python3", "python3"):
        system_pip = [python, "-m", "pip", "--python", str(IN_VENV)]
        if succeeds(*system_pip, "--version"):
            return system_pip
    found = from_wheel(pip_wheel_from_configured_index())
    if found:
        return found
    say("there is no pip here: taking the distribution's wheel for this set-up only")
    package = unpack_debian_package("python3-pip-whl")
    for wheel in sorted((package / "usr/share/python-wheels").glob("pip-*.whl")) if package else []:
        found = from_wheel(wheel)
        if found:
            return found
    fail(
        "no pip could be found: none in this Python, none on the system, none at an index of pip's configuration, none by apt.",
        "Install your system's package for it (Debian and Ubuntu: 'apt-get install python3-venv'), then run this again.",
    )
    raise AssertionError


def run_pip(pip: list[str], *words: str) -> None:
    environment = {**os.environ, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    environment.pop("PYTHONPATH", None)
    environment.update(certificates())
    command = [*pip, "install", "--quiet", "--no-input", *words]
    if subprocess.run(command, cwd=str(ROOT), env=environment, check=False, stdout=sys.stderr).returncode:
        fail(
            f"pip could not install: {' '.join(words)}",
            "Its own message stands above. If no index can be reached, set PIP_INDEX_URL or PIP_FIND_LINKS to one that can.",
        )


# -- the whole ------------------------------------------------------------------------------------------------------------------


def state_of(group: str) -> str:
    """Return a digest of all that a set-up depends on. The folder counts: an editable install knows where it stands.

    So do the sources of the compiled core, or an update would go on with what was compiled before, and a C compiler: when one
    comes, the core is compiled.
    """
    digest = hashlib.sha256(f"{ROOT} {sys.version_info[:2]} {shutil.which('cc')} {has_headers()}".encode())
    for name in ("bootstrap.py", "pyproject.toml", "setup.py", f"requirements/{group}.txt"):
        digest.update((ROOT / name).read_bytes())
    for path in sorted((ROOT / "src").rglob("*")):
        if path.suffix in {".pxd", ".pyx", ".h"} or (path.suffix == ".py" and path.with_suffix(".pxd").exists()):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def has_headers() -> bool:
    """Tell whether C extensions can be compiled for this Python: Debian keeps its headers in a package of their own."""
    return Path(sysconfig.get_path("include"), "Python.h").exists()


def is_set_up(group: str) -> bool:
    stamp = VENV / f"set-up-{group}"
    return stamp.is_file() and stamp.read_text(encoding="ascii") == state_of(group) and succeeds(IN_VENV, "-c", "import mailname")


def make_environment() -> None:
    if succeeds(IN_VENV, "-c", f"import sys; sys.exit(sys.version_info < {NEEDS})"):
        return
    try:
        import venv
    except ImportError:
        fail("this python3 has no module venv.", "Install the full Python (Debian and Ubuntu: 'apt-get install python3-venv').")
    say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    venv.EnvBuilder(clear=True, symlinks=True, with_pip=False).create(str(VENV))


def main() -> None:
    group = sys.argv[1] if len(sys.argv) > 1 else "runtime"
    if group not in GROUPS:
        fail(f"'{group}' is no set of packages.", f"Choose one of: {', '.join(GROUPS)}.")
    use_new_enough_python()
    # What developers need contains what running needs.
    if is_set_up(group) or (group == "runtime" and is_set_up("dev")):
        return
    make_environment()
    say(f"installing the pinned packages of requirements/{group}.txt")
    run_pip(find_pip(), "--require-hashes", "-r", f"requirements/{group}.txt")
    run_pip([str(IN_VENV), "-m", "pip"], "--no-deps", "--no-build-isolation", "--no-index", "-e", str(ROOT))
    # An installed package is compiled to byte code; sources that Python may not write beside would be at each start.
    subprocess.run([str(IN_VENV), "-m", "compileall", "-q", str(ROOT / "src")], check=False)
    shutil.rmtree(str(VENV / "bootstrap"), ignore_errors=True)
    (VENV / f"set-up-{group}").write_text(state_of(group), encoding="ascii")


if __name__ == "__main__":
    main()
