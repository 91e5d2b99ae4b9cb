"""``mailname host security-group``: the plan's ports as a provider's own packet filter takes them."""

from __future__ import annotations

from pathlib import Path

import click

from mailname.cli.exits import EXIT_WELL
from mailname.cli.host_options import chosen

_PROVIDERS = ("aws", "hetzner", "gcp", "openstack")  # as host.security_group has them, which is imported when it is needed


@click.command("security-group")
@click.argument("plan", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("hosts", metavar="[HOST]...", nargs=-1)
@click.option("--provider", type=click.Choice(_PROVIDERS), required=True, help="Whose words: JSON or command lines.")
def security_group(plan: Path, hosts: tuple[str, ...], provider: str) -> int:
    """Print the rules for a provider's own packet filter. Nothing is asked and nothing is applied."""
    from mailname.host.security_group import security_group as rules

    _, wanted = chosen(plan, hosts)
    if provider in ("aws", "hetzner") and len(wanted) > 1:
        names = ", ".join(one.name.to_text(omit_final_dot=True) for one in wanted)
        raise click.UsageError(f"one JSON document is for one host: name it, of {names}.")
    for one in wanted:
        click.echo(rules(one, provider), nl=False)
    return EXIT_WELL
