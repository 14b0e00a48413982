"""The command that shows near-duplicates."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

import holotype as api
from holotype.cli.options import json_option, project_option
from holotype.cli.text import print_json
from holotype.files import write_atomically
from holotype.images.gallery import contact_sheet


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
        groups = db.images.near_duplicates(across)
        if sheet is not None:
            pages = [
                "".join(
                    contact_sheet(f"Group {number}", group, {image.wnid: image.wnid or "no label" for image in group})
                )
                for number, group in enumerate(groups, 1)
            ]
            write_atomically(sheet, "".join(pages).encode())
    if as_json:
        print_json([[dataclasses.asdict(image.candidate) for image in group] for group in groups])
        return
    for group in groups:
        click.echo(" ".join(f"{one.candidate.dataset or '.'}/{one.name}" for one in group))
    click.echo(f"{sum(map(len, groups)):,} images in {len(groups):,} groups", err=True)
