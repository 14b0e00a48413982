"""The command that shows near-duplicates."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

import holotype as api
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.text import counted, print_json
from holotype.files import write_atomically
from holotype.images.gallery import group_sheet
from holotype.ontology import Ontology
from holotype.queries.results import Result


@click.command("near-duplicates")
@click.option("--across", is_flag=True, help="Only groups with images of several datasets, own images being one.")
@click.option("--sheet", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with the images here.")
@project_option
@json_option
def near_duplicates(across: bool, sheet: Path | None, project: Path, as_json: bool) -> None:
    """List groups of images that are copies of one another: mirrored, scaled, encoded anew.

    Images are compared once they were read: own ones when they are taken in, imported ones by: holotype datasets
    fingerprint.
    """
    with api.open(project) as db:
        with bars([]) as advance:
            groups = db.images.near_duplicates(across, partial(advance, "comparing"))
        unread, crowd = db.datasets.unread(), db.images.crowd()
        if sheet is not None:
            _write_sheet(sheet, groups, db.ontology)
    if as_json:
        print_json([[dataclasses.asdict(image.candidate) for image in group] for group in groups])
        return
    for group in groups:
        click.echo(" ".join(map(_full_name, group)))
    click.echo(f"{counted(sum(map(len, groups)), 'image')} in {counted(len(groups), 'group')}", err=True)
    if crowd is not None:
        such = "" if crowd.image is None else f", one of {crowd.image.dataset or '.'}/{crowd.image.name}"
        click.echo(f"{crowd.size:,} hashes have the same 24 bits{such}: comparing them was slow", err=True)
    if unread:
        click.echo(
            f"{counted(unread, 'image')} {'was' if unread == 1 else 'were'} not read yet and not compared; to read "
            f"{'it' if unread == 1 else 'them'}: holotype datasets fingerprint -p {project}",
            err=True,
        )


def _write_sheet(path: Path, groups: Sequence[Sequence[Result]], ontology: Ontology) -> None:
    def caption(image: Result) -> str:
        name = ontology[image.wnid].name if image.wnid in ontology else "no label"
        return f"{_full_name(image)} {image.wnid} {name}"

    titled = [(f"Group {number}", group) for number, group in enumerate(groups, 1)]
    write_atomically(path, "".join(group_sheet("Near-duplicates", titled, caption=caption)).encode())


def _full_name(image: Result) -> str:
    """An image's dataset, a dot for the project's own, and its name there."""
    return f"{image.candidate.dataset or '.'}/{image.name}"
