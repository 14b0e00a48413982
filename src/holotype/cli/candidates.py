"""Commands about candidates: images that may show a synset."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path

import click

import holotype as api
from holotype.cli.answers import PRIORS, chance, read_csv
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.table_files import read_proposals
from holotype.cli.text import print_json


@click.group(cls=CommandGroup)
def candidates() -> None:
    """Say what images may show."""


@candidates.command("add")
@click.argument("table", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--query", metavar="QUERY", help="The images that it finds, instead of a TABLE.")
@click.option("--synset", metavar="SYNSET", help="What they may show; without it, what they are labelled as already.")
@click.option("--source", required=True, help="Who proposes them: a model, a person.")
@click.option("--dataset", help="The dataset that the TABLE's images are of; its names need not be unique elsewhere.")
@project_option
@json_option
def add_command(
    table: Path | None,
    query: str | None,
    synset: str | None,
    source: str,
    dataset: str | None,
    project: Path,
    as_json: bool,
) -> None:
    """Put images up as candidates for synsets, the labels of imported ones too.

    TABLE is a CSV or Parquet file with the columns image, wnid and maybe score, the chance that the image shows the
    synset. An image is named as queries name it, or by its sha256.
    """
    if (table is None) == (query is None):
        raise click.UsageError("give a TABLE, or a --query")
    with api.open(project) as db, bars(["images"]) as advance:
        progress = partial(advance, "images")
        if table is not None:
            report = db.candidates.add(read_proposals(table), source, dataset, progress=progress)
        else:
            report = db.candidates.add_found(query or "", synset, source, progress=progress)
    if as_json:
        print_json(asdict(report))
    else:
        click.echo(f"{report}; ask about them with: holotype crowd run -p {project}")


@candidates.command()
@click.argument("chances", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="What says so: a model, the yield of a query.")
@project_option
def priors(chances: Path, source: str, project: Path) -> None:
    """Say how probable a yes is before any vote: CHANCES is a CSV with the header sha256,wnid,chance."""
    found = read_csv(chances, PRIORS, chance)
    with api.open(project) as db:
        found = db.candidates.named(found, "priors")
        click.echo(f"{db.candidates.add_priors(found, source):,} of {len(found):,} priors are new")
