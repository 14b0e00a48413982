"""Commands about embeddings: what networks make of images."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Final

import click

import holotype as api
from holotype.cli.embedding_uses import (
    diversity_command,
    near_duplicates_command,
    order_command,
    similar_command,
    vote_command,
)
from holotype.cli.groups import CommandGroup
from holotype.cli.images import curator_option, login
from holotype.cli.networks import asked_options, embedder_named
from holotype.cli.options import engine_option, json_option, project_option, reason_option
from holotype.cli.progress import bars
from holotype.cli.tables import print_table
from holotype.cli.text import counted, moment, on_a_terminal, plain, print_json
from holotype.recognition.vectors import SUFFIXES

_LISTED: Final = 20


@click.group(cls=CommandGroup)
def embeddings() -> None:
    """Keep what networks make of images: find similar ones, order what to ask, let them vote."""


@embeddings.command("add")
@click.argument("what", metavar="MODEL|FILE")
@click.option("--as", "name", default="", metavar="NAME", help="What to call the embeddings. [default: as the model]")
@click.option("--query", default="", metavar="QUERY", help="Embed what it finds, as: holotype query QUERY.")
@click.option(
    "--dtype",
    type=click.Choice(["float16", "float32"]),
    default="float16",
    show_default=True,
    help="What numbers are kept as.",
)
@asked_options
@project_option
@engine_option
@json_option
def add_command(
    what: str,
    name: str,
    query: str,
    dtype: str,
    weights: str,
    device: str,
    batch_size: int,
    project: Path,
    as_json: bool,
) -> None:
    """Embed the images that MODEL made nothing of yet, or take embeddings from FILE.

    MODEL is the folder of a run, a network by name, as `holotype models` lists them, with published weights, or hog:
    gradients and colours, which need no network. FILE is an .npz with the arrays images and vectors, or Parquet with
    columns called so; images have any of their names. Killed and run again, it goes on. The same NAME always means the
    same weights.
    """
    path = Path(what)
    given = os.path.isfile(what) and path.suffix.lower() in SUFFIXES
    if given and query:
        raise click.UsageError("a file has the images that it has: leave --query out")
    with api.open(project) as db, bars(["images"]) as advance:
        if given:
            report = db.embeddings.add_file(path, name or path.stem, dtype, partial(advance, "images"))
        else:
            embedder = embedder_named(what, weights, device, batch_size)
            report = db.embeddings.add(embedder, name, query, dtype, partial(advance, "images"))
    if as_json:
        print_json(asdict(report))
        return
    click.echo(report)
    for line in report.problems[:_LISTED]:
        click.echo(plain(line), err=True)
    if len(report.problems) > _LISTED:
        click.echo(f"... and {len(report.problems) - _LISTED:,} more (all of them: --json)", err=True)


@embeddings.command("list")
@project_option
@json_option
def list_command(project: Path, as_json: bool) -> None:
    """List the embeddings there are, by the model that made them, and what was removed."""
    with api.open(project) as db:
        held, said = db.embeddings.models(), db.embeddings.removals()
    if as_json:
        told = [{**asdict(one), "source": json.loads(one.source)} for one in held]
        print_json({"models": told, "removals": [asdict(one) for one in said]})
        return
    rows = [
        (one.name, f"{one.embeddings:,}", f"{one.width:,}", one.dtype, one.digest[:12], moment(one.at)) for one in held
    ]
    print_table("embeddings", ("name", "images", "numbers", "kept as", "digest", "since"), rows)
    for one in said:
        what = "removed" if one.removed else "restored"
        click.echo(f"{one.name} {what} by {plain(one.curator)} at {moment(one.at)}: {plain(one.reason)}")


@embeddings.command("remove")
@click.argument("name")
@reason_option
@curator_option
@project_option
def remove_command(name: str, reason: str, curator: str | None, project: Path) -> None:
    """Use the embeddings NAME no more; they are kept. To undo it: holotype embeddings restore."""
    with api.open(project) as db:
        new = db.embeddings.remove(name, curator or login(), reason)
    click.echo(f"{name} removed" if new else f"{name} is removed already")


@embeddings.command("restore")
@click.argument("name")
@reason_option
@curator_option
@project_option
def restore_command(name: str, reason: str, curator: str | None, project: Path) -> None:
    """Use the embeddings NAME again that were removed."""
    with api.open(project) as db:
        new = db.embeddings.restore(name, curator or login(), reason)
    click.echo(f"{name} restored" if new else f"{name} is not removed")


@embeddings.command("forget")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@project_option
def forget_command(name: str, yes: bool, project: Path) -> None:
    """Delete the embeddings NAME for good, and the name with them. Votes that were cast by them stay."""
    asks = not yes and on_a_terminal()
    if not (yes or asks):
        raise click.UsageError("say --yes to forget")
    if asks and not click.confirm(f"Delete all embeddings {name!r}?"):
        return
    with api.open(project) as db:
        gone = db.embeddings.forget(name)
    click.echo(f"forgot {counted(gone, 'embedding')}")


for one in (similar_command, near_duplicates_command, diversity_command, order_command, vote_command):
    embeddings.add_command(one)
