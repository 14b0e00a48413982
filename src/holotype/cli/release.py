"""Commands about releases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.named_release import verified
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.release_diff import diff_command
from holotype.cli.release_rebuild import rebuild_command
from holotype.cli.release_takedown import takedown_command
from holotype.cli.remedies import alarm_lines
from holotype.cli.text import print_json
from holotype.errors import ReleaseError
from holotype.releases import Fractions, Recipe, Release

_SHARES = Fractions()


@click.group(cls=CommandGroup)
def release() -> None:
    """Make, list and verify releases."""


@release.command("create")
@click.argument("name")
@click.option("--query", default="", metavar="QUERY", help="Take only what it finds, as: holotype query QUERY.")
@click.option("--train", default=_SHARES.train, show_default=True, help="Share of images to train on.")
@click.option("--val", default=_SHARES.val, show_default=True, help="Share of images to validate on.")
@click.option("--test", default=_SHARES.test, show_default=True, help="Share of images to test on.")
@click.option("--seed", default=0, show_default=True, help="Seed of the split.")
@click.option("--outvoted", is_flag=True, help="Take images that are accepted against more noes than yeses, too.")
@project_option
@json_option
def create_command(
    name: str,
    query: str,
    train: float,
    val: float,
    test: float,
    seed: int,
    outvoted: bool,
    project: Path,
    as_json: bool,
) -> None:
    """Make the release NAME of the images labelled yes."""
    with api.open(project) as db, bars(["release"]) as advance:
        if name in db.releases.checksums():
            raise ReleaseError(f"there is a release {name!r} already: releases are never changed, choose another name")
        made = db.releases.create(
            name,
            Recipe(query, splits=Fractions(train, val, test), seed=seed, outvoted=outvoted),
            lambda done, total: advance("release", done, total),
        )
    if as_json:
        told = {key: made.summary[key] for key in ("outvoted", "alarms")}
        print_json({"name": made.name, "path": str(made.path), **made.statistics, **told})
    else:
        click.echo(f"{made!r} in {made.path}; check it any time with: holotype release verify {made.path}")
        if came := made.summary.get("imported_splits"):
            splits = ", ".join(f"{name} {count:,}" for name, count in came.items())
            click.echo(
                f"{sum(came.values()):,} images keep the split that they came with ({splits}), whatever the shares"
            )
        if "unchecked" in made.summary:
            click.echo(made.summary["unchecked"]["remark"])
        if made.summary["outvoted"]:
            click.echo(f"{made.summary['outvoted']:,} images are accepted against more noes than yeses")
        for line in alarm_lines(made.summary["alarms"]):
            click.echo(line)


@release.command("list")
@project_option
@json_option
def list_releases(project: Path, as_json: bool) -> None:
    """List the project's releases, oldest first."""
    with api.open(project) as db:
        names = db.releases.checksums()
    folders = {name: project / "releases" / name for name in names}
    found: dict[str, dict[str, Any]] = {}
    for name, folder in folders.items():
        try:
            made = Release(folder)
            found[name] = {"path": str(folder), "shown": repr(made), **made.statistics}
        except ReleaseError as error:
            found[name] = {"path": str(folder), "shown": f"{name}: {error}"}
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(entry["shown"] for entry in found.values()))


@release.command("verify")
@click.argument("release_or_name")
@project_option
@json_option
def verify_command(release_or_name: str, project: Path, as_json: bool) -> None:
    """Check every promise of a release, given by folder or name; exit code 1 if one is broken."""
    folder, problems = verified(release_or_name, project)
    if as_json:
        print_json({"path": str(folder), "problems": problems})
    else:
        for problem in problems:
            click.echo(f"{folder}: {problem}")
        if not problems:
            click.echo(f"{folder} is sound")
    if problems:
        raise click.exceptions.Exit(1)


release.add_command(diff_command)
release.add_command(rebuild_command)
release.add_command(takedown_command)
