"""The command that gives a release up whose making was stopped."""

from __future__ import annotations

from pathlib import Path

import click

import holotype as api
from holotype.cli.named_release import place_named
from holotype.cli.options import project_option
from holotype.cli.text import counted
from holotype.errors import ReleaseError
from holotype.releases.uploads import abandon
from holotype.store.bucket import Bucket, is_url


@click.command("abandon")
@click.argument("name_or_url")
@project_option
def abandon_command(name_or_url: str, project: Path) -> None:
    """Take away what is there of a release whose making was stopped, so that another can be made at its place.

    Nobody may be making it any more. Who does, on another machine, stops before the next shard.
    """
    place = place_named(name_or_url, project)
    if place is None:
        with api.open(project) as db:
            gone = db.releases.abandon(name_or_url)
    elif is_url(place):
        gone = abandon(Bucket(place))
        if not gone:
            raise ReleaseError(f"nobody began a release at {place}: nothing is taken away")
    else:
        raise ReleaseError(f"{name_or_url} is no name of a release, and no URL")
    objects = f", {counted(gone, 'object')} in the object store" if gone else ""
    click.echo(f"what was left of making {name_or_url} is taken away{objects}")
