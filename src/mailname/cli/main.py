"""The ``mailname`` command: finds the command's module when it is asked for, and turns exceptions into exit codes."""

from __future__ import annotations

import gc
import importlib
import sys

import click

from mailname import __version__
from mailname.cli.dns_features import tell_what_is_installed
from mailname.cli.exits import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_UNKNOWN, EXIT_USAGE, EXIT_WELL, end_quietly
from mailname.errors import HostError, MailnameError, ObservationError, PlanError

# Name -> one line of help. The module mailname.cli.NAME holds a click command called ``command``; it is imported only when
# asked for, so that the start of one command does not pay for the others.
COMMANDS = {
    "init": "Ask what is needed and write a commented plan.",
    "show": "Show the zone a plan means, the registrar's worksheet, or what would change.",
    "import": "Write plans from what exists: BIND's configuration, zone files, running servers.",
    "schema": "Print the JSON Schema of the plan, for editors.",
    "rehearse": "Walk the whole journey in a private Internet on this machine.",
    "host": "Look after the machines of a plan: are they safe?",
    "deploy": "Put the name servers on the plan's hosts, as services of systemd.",
    "publish": "Show what changes, raise the serial, load it, and wait until every server has it.",
    "serial": "Tell which serial each server holds, who is ahead, and mend it.",
    "check": "Walk from the root to the mailbox and tell the one cause of what is wrong.",
    "watch": "Look again and again, and say a word when something changes.",
    "serve": "Run the authoritative name server, primary and secondary in one program.",
    "key": "Make and rotate TSIG keys for transfers.",
    "status": "Tell what a running server holds: serials, timers, last transfers.",
    "history": "Tell what happened: transfers, NOTIFYs, failures, refusals.",
    "traffic": "Tell which name server the world asks, and for what.",
    "web": "Serve the page that tells at a glance whether all is well.",
    "notify": "Tell a running primary to notify its secondaries now.",
    "retransfer": "Tell a running secondary to transfer a zone now.",
    "reload": "Tell a running server to read its zone files again.",
    "version": "Tell the version and what it runs on.",
}
_MODULES = {"import": "import_zones"}  # where the command's name is a word of Python
# Objects that are made before the youngest are looked through for garbage. What a start imports stays, and is most of what
# a short command makes: to look through it after each 700, as Python does, is a tenth of its time.
_BEFORE_COLLECTING = 50_000


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        if cmd_name != "version":
            tell_what_is_installed()
        command = importlib.import_module(f"mailname.cli.{_MODULES.get(cmd_name, cmd_name)}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"mailname.cli.{cmd_name}.command is not a click command")
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            if not close:
                raise
            raise click.UsageError(f"{error.message} Did you mean '{close[0]}'?", ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="mailname %(version)s")
def command() -> None:
    """Give a self-hosted mail domain its name: one plan in, a zone, two servers and one verdict out."""


def main() -> None:
    """Run the command line. Exit codes: 0 well, 1 findings, 2 usage or plan, 3 could not find out, 4 failed, 130 interrupted."""
    gc.set_threshold(_BEFORE_COLLECTING)
    try:
        code = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        end_quietly()
    gc.freeze()  # Python looks for garbage twice as it ends, through all that was imported
    sys.exit(code)


def _run() -> int:
    try:
        # Not click's standalone mode: it takes Ctrl-C for a failure, exit code 1.
        code = command.main(standalone_mode=False)
    except click.Abort:  # Ctrl-C, or the end of the answers; click has ended the line on which ^C stands
        return EXIT_INTERRUPTED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        raise
    except (MailnameError, OSError) as error:
        return _tell(error)
    return code if isinstance(code, int) else EXIT_WELL


def _tell(error: MailnameError | OSError) -> int:
    """Tell what went wrong, and return the exit code."""
    from mailname.cli.console import print_error

    if isinstance(error, OSError):
        # Where more is known about a file, the command says it; a full disk can come from anywhere.
        error = HostError(f"{error.strerror}{f': {error.filename}' if error.filename else ''}")
    print_error(error)
    if isinstance(error, PlanError):
        return EXIT_USAGE
    return EXIT_UNKNOWN if isinstance(error, ObservationError) else EXIT_FAILED
