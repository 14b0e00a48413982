"""Commands about candidates: images that may show a synset."""

from __future__ import annotations

from pathlib import Path

import click

import holotype as api
from holotype.cli.answers import PRIORS, chance, read_csv
from holotype.cli.groups import CommandGroup
from holotype.cli.options import project_option


@click.group(cls=CommandGroup)
def candidates() -> None:
    """Say what images may show."""


@candidates.command()
@click.argument("chances", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="What says so: a model, the yield of a query.")
@project_option
def priors(chances: Path, source: str, project: Path) -> None:
    """Say how probable a yes is before any vote: CHANCES is a CSV with the header sha256,wnid,chance."""
    found = read_csv(chances, PRIORS, chance)
    with api.open(project) as db:
        click.echo(f"{db.candidates.add_priors(found, source):,} of {len(found):,} priors are new")
