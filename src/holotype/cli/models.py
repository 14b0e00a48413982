"""The command that lists networks."""

from __future__ import annotations

from typing import Final

import click

from holotype.cli.networks import networks_here
from holotype.cli.options import json_option
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json

SHOWN: Final = 12


@click.command("models")
@click.argument("text", default="")
@json_option
def models(text: str, as_json: bool) -> None:
    """List the networks that there are, and why some are not.

    With TEXT those whose names have it.
    """
    with networks_here():
        from holotype.recognition.networks.models import list_models
    found = list_models()
    named = [(one.library, [name for name in one.names if text in name], one.why) for one in found]
    if as_json:
        print_json([{"library": library, "names": names, "why": why} for library, names, why in named])
        return
    print_table(
        "networks by library",
        ("library", "networks", "such as"),
        [
            (library, f"{len(names):,}", why or ", ".join(names[:SHOWN]) + (" ..." if len(names) > SHOWN else ""))
            for library, names, why in named
        ],
    )
    if text:
        for name in (name for _, names, _ in named for name in names):
            click.echo(name)
    else:
        total = sum(len(names) for _, names, _ in named)
        click.echo(f"{counted(total, 'network')}; to see all of one kind, give a part of its name")
