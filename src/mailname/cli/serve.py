"""``mailname serve``: the authoritative name server."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailname.server.config import ServerConfig
    from mailname.server.service import Server


_NO_CONTROL = 'no control socket: status, publish and reload cannot reach this server; add to its configuration: control = "%s"'
_TURN = 0.001  # seconds for which one thread may keep the interpreter while others, the one that answers among them, wait
_FILES_AT_ONCE = 64  # threads that wait for the disk: who wait together are written together (server/durable.py)


@click.command("serve")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), help="The server's TOML file.")
@click.option("--zones", type=click.Path(path_type=Path), help="A folder: each NAME.zone is zone NAME, root.zone the root.")
@click.option("--listen", multiple=True, metavar="ADDR:PORT", help="With --zones: where to listen, UDP and TCP. Repeatable.")
@click.option("--allow-transfer", multiple=True, metavar="CIDR", help="With --zones: who may transfer. Repeatable.")
@click.option("--images", type=click.Path(path_type=Path, file_okay=False), help="With --zones: where to keep what was read.")
@click.option("--no-images", is_flag=True, help="With --zones: read all zones anew at each start.")
@click.option("--control", type=click.Path(path_type=Path), help="The control socket's path.")
@click.option(
    "--workers",
    type=click.IntRange(0, 64),
    help="Threads per address that answer UDP outside the interpreter. Default: one per core; 0: answer in Python.",
)
@click.option("-v", "--verbose", is_flag=True, help="Log more.")
def command(
    config: Path | None,
    zones: Path | None,
    listen: tuple[str, ...],
    allow_transfer: tuple[str, ...],
    images: Path | None,
    no_images: bool,
    control: Path | None,
    workers: int | None,
    verbose: bool,
) -> None:
    """Run the authoritative name server, primary and secondary in one program.

    With --config, everything is in the file. With --zones and --listen, no file is needed: for trying out and for tests.
    What was read of the zones is kept in DIR/.images (or where --images says), so that the next start reads only what changed.
    SIGHUP reads the configuration and the zone files again; SIGTERM and Ctrl-C end the server.
    """
    if (config is None) == (zones is None):
        raise click.UsageError("Give either --config FILE, or --zones DIR with --listen ADDR:PORT.")
    if config is not None and (listen or allow_transfer):
        raise click.UsageError("--listen and --allow-transfer go with --zones; with --config they stand in the file.")
    if config is not None and (images or no_images):
        raise click.UsageError("--images and --no-images go with --zones; with --config images are kept in the state folder.")
    if images and no_images:
        raise click.UsageError("Give --images or --no-images, not both.")
    if zones is not None and not listen:
        raise click.UsageError("--zones needs --listen ADDR:PORT, for example --listen 127.0.0.1:5300.")
    _log_to_stderr(verbose)
    if zones is not None and (no_images or not any((images or zones / ".images").glob("*.pack"))):
        from mailname.server import read_ahead

        read_ahead.begin(zones)  # an image that was kept is found sooner
    if config is not None:
        read = _reader_of_file(config, control)
    else:
        assert zones is not None
        read = _reader_of_folder(zones, listen, allow_transfer, control, None if no_images else images or zones / ".images")
    asyncio.run(_run(read, os.cpu_count() or 1 if workers is None else workers))


def _reader_of_file(path: Path, control: Path | None) -> Callable[[], ServerConfig]:
    last: tuple[str, ServerConfig] | None = None

    def read() -> ServerConfig:
        nonlocal last
        from dataclasses import replace

        from mailname.errors import HostError
        from mailname.server.config_file import has_same_keys, load_config

        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise HostError(f"cannot read {path}: {why}", remedy="Name the server's TOML file: --config FILE") from error
        is_as_before = last is not None and last[0] == text and has_same_keys(last[1])
        config = last[1] if last is not None and is_as_before else load_config(text, str(path))  # many zones take long to read
        last = text, config
        return replace(config, control=control) if control else config

    return read


def _reader_of_folder(
    folder: Path, listen: tuple[str, ...], allow_transfer: tuple[str, ...], control: Path | None, images: Path | None
) -> Callable[[], ServerConfig]:
    from ipaddress import ip_network

    from mailname.server.config import config_for_folder, parse_endpoint

    try:
        endpoints = tuple(parse_endpoint(text) for text in listen)
        networks = tuple(ip_network(text, strict=False) for text in allow_transfer)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return lambda: config_for_folder(folder, endpoints, networks, control, images)


async def _run(read: Callable[[], ServerConfig], workers: int) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from mailname.server.control import DEFAULT_PATH
    from mailname.server.service import Server
    from mailname.server.systemd import InheritedNetwork, inherited_sockets, keep_telling, tell_systemd

    config = read()
    if config.control is None and config.state is not None:
        logging.getLogger("mailname").warning(_NO_CONTROL, DEFAULT_PATH)
    sockets = inherited_sockets(os.environ)
    server = Server(config, network=InheritedNetwork(sockets) if sockets else None, workers=workers)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_FILES_AT_ONCE, "files"))
    ended = asyncio.Event()
    reloads: set[asyncio.Task[None]] = set()

    def reload_soon() -> None:
        task = loop.create_task(_reload(server, read))
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    for ending in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(ending, ended.set)
    loop.add_signal_handler(signal.SIGHUP, reload_soon)
    server.on_reload = lambda: _reread(server, read)
    # Zones are many objects that stay: looking for garbage among them again and again would only delay answers.
    sys.setswitchinterval(_TURN)
    gc.set_threshold(20_000, 20, 50)
    await server.start()
    gc.collect()
    gc.freeze()
    tell_systemd("READY=1")
    telling = loop.create_task(keep_telling(lambda: server.is_answering, partial(_in_words, server)))
    try:
        await ended.wait()
    finally:
        tell_systemd("STOPPING=1")
        telling.cancel()
        await server.stop()


def _in_words(server: Server) -> str:
    count = server.zones.count
    return f"serving {count} zone{'' if count == 1 else 's'}"


async def _reread(server: Server, read: Callable[[], ServerConfig]) -> None:
    """Take over a configuration that changed; a bad one changes nothing and says why."""
    from mailname.errors import PlanError
    from mailname.server.clock import iso
    from mailname.server.context import log

    try:
        config = read()
    except PlanError as error:
        for mistake in error.mistakes:
            log.error("%s", mistake)
        server.context.not_taken_over = f"{iso(server.clock.wall())}: {error}"
        raise
    await server.reconfigure(config)
    server.context.not_taken_over = None


async def _reload(server: Server, read: Callable[[], ServerConfig]) -> None:
    from mailname.errors import MailnameError
    from mailname.server.context import log
    from mailname.server.systemd import tell_systemd

    tell_systemd(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
    try:
        await _reread(server, read)
    except MailnameError as error:
        log.error("the configuration is not taken over: %s", error)
    try:
        await server.reload()
    finally:
        tell_systemd("READY=1")


class _JournalFormatter(logging.Formatter):
    """Prefixes the priority that the journal understands; it adds the time itself."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        priority = {logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6, logging.DEBUG: 7}.get(record.levelno, 6)
        return f"<{priority}>" + super().format(record)


def _log_to_stderr(verbose: bool) -> None:
    from mailname.server.late_lines import LateLines

    handler = LateLines(sys.stderr)
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(_JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%Y-%m-%dT%H:%M:%S"))
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = (
        False  # no line tells them, and each would look them up
    )
    logger = logging.getLogger("mailname")
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
