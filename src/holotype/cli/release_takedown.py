"""The command that makes a release without some images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

import holotype as api
from holotype.cli.images import login
from holotype.cli.named_release import place_named
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.text import counted, print_json
from holotype.errors import ReleaseError
from holotype.releases import NAME, Release, open_release
from holotype.releases.takedown import TakenDown, Unwanted, take_down
from holotype.releases.uploads import beside


@click.command("takedown")
@click.argument("release_or_name")
@click.argument("new")
@click.option(
    "--image", "images", multiple=True, metavar="ID", help="An image, by its id, its sha256, or DATASET/NAME."
)
@click.option("--url", "urls", multiple=True, metavar="URL", help="Images with this address on the web.")
@click.option("--author", "authors", multiple=True, metavar="NAME", help="Images by this author.")
@click.option("--reason", default="", metavar="TEXT", help="Why; kept in the catalog, not in the release.")
@click.option("--curator", metavar="NAME", help="Who decides it [default: your login].")
@project_option
@json_option
def takedown_command(
    release_or_name: str,
    new: str,
    images: tuple[str, ...],
    urls: tuple[str, ...],
    authors: tuple[str, ...],
    reason: str,
    curator: str | None,
    project: Path,
    as_json: bool,
) -> None:
    """Make the release NEW of another, given by folder, URL or name, without some images.

    All else is equal. Votes and boxes of the images are gone too, and the new release tells how many were taken down,
    not which. In a project they are withdrawn, for which it takes a --reason; beside a folder or a URL NEW is made
    next to it.
    """
    unwanted = Unwanted(images, urls, authors)
    place = place_named(release_or_name, project)
    with bars(["takedown"]) as advance:

        def progress(done: int, total: int) -> None:
            advance("takedown", done, total)

        if place is None:
            with api.open(project) as db:
                old = db.releases[release_or_name].where
                found = db.releases.takedown(release_or_name, new, curator or login(), reason, unwanted, progress)
        else:
            if not NAME.fullmatch(new):
                raise ReleaseError(f"a release's name is letters, digits, '.', '_' and '-', not {new!r}")
            old = place
            found = _taken_down(open_release(place), new, unwanted, progress)
    if as_json:
        told = {"images": found.images, "labels": found.labels, "near_duplicates": found.near}
        print_json({"path": str(found.path), **told, "left_out": found.left_out, "old": old})
    else:
        _tell(found, old, place is None)


def _taken_down(release: Release, new: str, unwanted: Unwanted, progress: Callable[[int, int], None]) -> TakenDown:
    """Make a release next to another; what becomes one in a bucket lies in the user's cache meanwhile."""
    if release.shards is None:
        return take_down(release, release.path.resolve().parent / new, unwanted, progress)
    folder = release.path.parent.parent / "making" / release.path.name / new
    return take_down(release, folder, unwanted, progress, beside(release.shards, new))


def _tell(found: TakenDown, old: str, own: bool) -> None:
    are = "is" if found.images == 1 else "are"
    what = f"{counted(found.images, 'image')} with {counted(found.labels, 'label')} {are}"
    withdrawn = ", and withdrawn from the project" if own else ""
    click.echo(f"{what} taken down{withdrawn}; the release without them is {found.path}")
    for line in found.left_out:
        click.echo(line)
    if found.near:
        some = ", ".join(found.near[:10]) + (", ..." if len(found.near) > 10 else "")
        click.echo(
            f"warning: look at {counted(len(found.near), 'near-duplicate')} of what was taken down, still there: {some}"
        )
    click.echo(f"{old} still has them: releases are never changed, so delete it, and ask who has a copy to do so")
