"""What must hold on a host before anything is changed there; each fault with what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailname.host.archive import Interpreter
from mailname.host.listening import listeners
from mailname.host.residents import judge_port_53
from mailname.host.step import Outcome

if TYPE_CHECKING:
    from mailname.host.deploy_facts import Standing
    from mailname.plan.hosts import Host

OLDEST_PYTHON = (3, 11)
_OLDEST_SYSTEMD = 247  # Debian 11
_ROOM = 150_000_000  # octets for two releases and their byte code
_CLOCK = 300.0  # seconds: the fudge of a TSIG signature (RFC 8945 section 10)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is in the way, what to do, and the code of the step that tells more; mostly empty."""

    problem: str
    fix: str
    code: str = ""


def faults(host: Host, standing: Standing, plan: str, *, has_key: bool) -> list[Fault]:
    """Return what is in the way of a name server there.

    Args:
        host: which.
        standing: what was found there.
        plan: the plan's file name, for the commands that are told.
        has_key: whether transfers are signed, so that the clock matters.

    """
    found = []
    if not standing.facts.is_root:
        found.append(Fault("the script did not run with all rights", "Give the login sudo without a password (NOPASSWD)."))
    if standing.systemd < _OLDEST_SYSTEMD:
        seen = f"systemd {standing.systemd}" if standing.systemd else "no systemd"
        found.append(
            Fault(f"{seen} runs this host; {_OLDEST_SYSTEMD} or newer is needed", "Install a newer release of its system.")
        )
    if (fault := _python(standing)) is not None:
        found.append(fault)
    if (fault := _port_53(host, standing, plan)) is not None:
        found.append(fault)
    for line in standing.facts["disk"].lines[1:]:
        words = line.split()
        if len(words) >= 6 and words[3].isdecimal() and int(words[3]) < _ROOM:
            room = f"{int(words[3]) // 1_000_000} MB are free at {words[5]}; {_ROOM // 1_000_000} MB are needed"
            found.append(Fault(room, "Make room there: sudo apt-get clean; sudo journalctl --vacuum-size=100M", "HOST-10"))
    if has_key and standing.behind is not None and abs(standing.behind) > _CLOCK:
        side = "behind" if standing.behind > 0 else "ahead of"
        says = f"its clock is {abs(standing.behind):.0f} seconds {side} this computer's; signed transfers allow {_CLOCK:.0f}"
        found.append(Fault(says, f"mailname host prepare {plan}", "HOST-04"))
    return list(dict.fromkeys(found))


def _port_53(host: Host, standing: Standing, plan: str) -> Fault | None:
    """Return who else holds port 53. A Python or a systemd there is ours only where something of ours was deployed."""
    port = judge_port_53(standing.facts, host)
    if port.outcome is Outcome.DOES_NOT_HOLD:
        fix = f"{port.fix} {port.command.replace('PLAN', plan)}"
        if "held by named" in port.seen[0]:
            fix = (
                'Take its zones over as they are: write engine = "bind" into its table of the plan. Or: '
                + fix[:1].lower()
                + fix[1:]
            )
        return Fault(port.seen[0], fix, port.code)
    others = [one for one in listeners(standing.facts) if one.port == 53 and not one.is_local]
    if others and not standing.files:
        says = f"port 53 is held by {others[0]}, at {others[0].address}, which was not deployed by mailname"
        return Fault(says, "See whose it is: sudo ss -lntup 'sport = :53'", port.code)
    return None


def _python(standing: Standing) -> Fault | None:
    here, offered = standing.interpreter, standing.offered
    if here is not None and here.python >= OLDEST_PYTHON:
        return _another_python(here)
    oldest = ".".join(map(str, OLDEST_PYTHON))
    if here is not None:
        return Fault(f"it has {here}; {oldest} or newer is needed", "Upgrade the host: Debian 12 or Ubuntu 24.04 have it.")
    if offered is None or offered.python < OLDEST_PYTHON:
        return Fault(f"it has no Python {oldest} or newer, and apt offers none", "Install one as /usr/bin/python3.")
    return _another_python(offered)


def _another_python(there: Interpreter) -> Fault | None:
    """Return why what is compiled here would not run there: libraries that the server needs are compiled, too."""
    ours = Interpreter.here()
    if ours.fits(there):
        return None
    if (ours.python, ours.machine) == (there.python, there.machine):
        return Fault("its C library is older than this computer's", "Deploy from a computer that is not newer than the hosts.")
    python = ".".join(map(str, there.python))
    return Fault(
        f"it has {there}, and what would be carried there is for {ours}",
        f"Deploy from a computer with its processor and its Python: make clean setup PYTHON=python{python}",
    )


def python_to_install(standing: Standing) -> Interpreter | None:
    """Return the Python that apt is to install there first; None where there is one."""
    return standing.offered if standing.interpreter is None else None
