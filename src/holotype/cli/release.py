"""Commands about releases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any, Final

import click

import holotype as api
from holotype.cli.groups import CommandGroup, Elsewhere
from holotype.cli.named_release import verified
from holotype.cli.options import archives_option, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.release_abandon import abandon_command
from holotype.cli.release_diff import diff_command
from holotype.cli.release_publish import publish_command
from holotype.cli.release_rebuild import rebuild_command
from holotype.cli.release_takedown import takedown_command
from holotype.cli.remedies import alarm_lines
from holotype.cli.text import counted, plain, print_json
from holotype.crowd.policy_names import hears_votes
from holotype.errors import ReleaseError
from holotype.images.variants import Variant
from holotype.licences import LicencePolicy
from holotype.releases import Counts, Fractions, Recipe, open_release
from holotype.releases.questions import read_words
from holotype.releases.recipe import TOGETHER
from holotype.releases.selection import Selection
from holotype.releases.shares import Shares

_SHARES = Fractions()


_EXPORT = Elsewhere(
    "holotype.cli.release_export:export_command", "Write RELEASE to a new folder in another tool's format."
)


@click.group(cls=CommandGroup, elsewhere={"export": _EXPORT})
def release() -> None:
    """Make, list, verify and export releases."""


_CHOICES: Final = (
    click.option("--query", default="", metavar="QUERY", help="Take only what it finds, as: holotype query QUERY."),
    click.option("--dataset", "datasets", multiple=True, metavar="NAME", help="Take only images of it; several times."),
    click.option(
        "--licences",
        default="",
        metavar="WORDS",
        help="Take only images under these, as cc0,by  [default: those that the project takes]",
    ),
    click.option("--per-synset", type=click.IntRange(1), metavar="N", help="Take at most N images of a synset."),
    click.option("--at-least", default=0, metavar="N", help="Leave out synsets with fewer than N images."),
    click.option("--balanced", is_flag=True, help="Take as many images of each synset as of the smallest one."),
    click.option("--outvoted", is_flag=True, help="Take images that are accepted against more noes than yeses, too."),
)
_SPLITS: Final = (
    click.option("--train", type=float, help=f"Share of images to train on  [default: {_SHARES.train}]"),
    click.option("--val", type=float, help=f"Share of images to validate on  [default: {_SHARES.val}]"),
    click.option("--test", type=float, help=f"Share of images to test on  [default: {_SHARES.test}]"),
    click.option("--val-count", type=click.IntRange(0), metavar="N", help="Validate on N images of each synset."),
    click.option("--test-count", type=click.IntRange(0), metavar="N", help="Test on N images of each synset."),
    click.option("--seed", default=0, show_default=True, help="Seed of the split, and of what is drawn."),
    click.option(
        "--together",
        default=",".join(TOGETHER),
        show_default=True,
        metavar="KINDS",
        help="What keeps images in one split: near-duplicates, the address they were taken from, the author.",
    ),
    click.option(
        "--against",
        multiple=True,
        metavar="RELEASE|DATASET",
        help="Certify what each split shares with it; several times.",
    ),
)
_BYTES: Final = (
    click.option("--manifest-only", is_flag=True, help="Leave images in the archives that they were imported from."),
    click.option(
        "--short-side", type=click.IntRange(1), metavar="N", help="Make the shorter side N pixels, where it is longer."
    ),
    click.option("--quality", type=click.IntRange(1, 100), metavar="N", help="JPEG quality of those  [default: 90]"),
    click.option("--strip", is_flag=True, help="Take metadata out of pictures, and turn them upright."),
    click.option("--blur-faces", is_flag=True, help="Blur the faces that were found: holotype faces."),
    click.option(
        "--unlooked", is_flag=True, help="With --blur-faces, take images that nobody looked for faces on, too."
    ),
    click.option(
        "--face-score", type=click.FloatRange(0, 1), default=0.0, metavar="S", help="Blur only faces as sure as this."
    ),
    click.option("--keep-orientation", is_flag=True, help="Do not turn those upright."),
)
_DATASHEET: Final = click.option(
    "--datasheet",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Your words for the datasheet: a YAML file of keys and texts.",
)


def _asked(command: Callable[..., Any]) -> Callable[..., Any]:
    """A command with all options that make a recipe."""
    return reduce(lambda made, option: option(made), reversed((*_CHOICES, *_SPLITS, *_BYTES, _DATASHEET)), command)


@release.command("create")
@click.argument("name")
@_asked
@project_option
@json_option
def create_command(name: str, project: Path, as_json: bool, **asked: Any) -> None:
    """Make the release NAME of the images labelled yes.

    Making one that was stopped goes on where that was, if nothing else is asked for and nothing has changed.
    """
    recipe = _recipe(**asked)
    with api.open(project) as db, bars(["release"]) as advance:
        if name in db.releases.checksums():
            raise ReleaseError(f"there is a release {name!r} already: releases are never changed, choose another name")
        made = db.releases.create(name, recipe, lambda done, total: advance("release", done, total))
    if as_json:
        told = {key: made.summary[key] for key in ("outvoted", "alarms", "other_licences") if key in made.summary}
        print_json({"name": made.name, "path": made.where, **made.statistics, **told})
    else:
        checked = f"{name} -p {project}" if made.files else made.where  # the project may read what lies elsewhere
        click.echo(f"{made!r} in {made.where}; check it any time with: holotype release verify {checked}")
        if came := made.summary.get("imported_splits"):
            splits = ", ".join(f"{name} {count:,}" for name, count in came.items())
            click.echo(
                f"{counted(sum(came.values()), 'image keeps', 'images keep')} the split that they came "
                f"with ({splits}), whatever the shares"
            )
        if others := made.summary.get("other_licences"):
            taken = ", ".join(made.summary["recipe"]["licences"])
            codes = ", ".join(f"{code} {number:,}" for code, number in others.items())
            click.echo(
                f"{counted(sum(others.values()), 'label')} left out: under other licences than {taken} ({codes})"
            )
        for check in made.leaks:
            if check.result == "leaks":
                click.echo(check.text)
        if "unchecked" in made.summary:
            click.echo(made.summary["unchecked"]["remark"])
        if made.summary["outvoted"]:
            some = counted(made.summary["outvoted"], "image is", "images are")
            click.echo(f"{some} accepted against more noes than yeses")
        if any(map(hears_votes, made.summary["policies"])):  # else they are no matter of these labels
            for line in alarm_lines(made.summary["alarms"]):
                click.echo(line)


def _recipe(**asked: Any) -> Recipe:
    """The recipe that options ask for."""
    return Recipe(
        asked["query"],
        asked["datasets"],
        Selection(asked["per_synset"], asked["at_least"], asked["balanced"]),
        _shares(*(asked[name] for name in ("train", "val", "test", "val_count", "test_count"))),
        asked["seed"],
        tuple(filter(None, asked["together"].split(","))),
        asked["outvoted"],
        asked["against"],
        _variant(*(asked[name] for name in ("short_side", "quality", "strip", "keep_orientation"))),
        asked["manifest_only"],
        words={} if asked["datasheet"] is None else read_words(asked["datasheet"]),
        licences=LicencePolicy.of(asked["licences"]).words,
        blur_faces=asked["blur_faces"],
        unlooked=asked["unlooked"],
        face_score=asked["face_score"],
    )


def _shares(
    train: float | None, val: float | None, test: float | None, val_count: int | None, test_count: int | None
) -> Shares:
    shares = {name: value for name, value in (("train", train), ("val", val), ("test", test)) if value is not None}
    if val_count is None and test_count is None:
        return replace(_SHARES, **shares)
    if shares:
        raise click.UsageError("splits are made by shares or by counts, not by both")
    return Counts(val_count or 0, test_count or 0)


def _variant(short_side: int | None, quality: int | None, strip: bool, keep_orientation: bool) -> Variant | None:
    if short_side is None and quality is None and not (strip or keep_orientation):
        return None
    return Variant(short_side, 90 if quality is None else quality, "keep" if keep_orientation else "apply")


@release.command("list")
@project_option
@json_option
def list_releases(project: Path, as_json: bool) -> None:
    """List the project's releases, oldest first."""
    with api.open(project) as db:
        places = db.releases.places()
    found: dict[str, dict[str, Any]] = {}
    for name, where in places.items():
        try:
            made = open_release(where)
            found[name] = {"path": where, "shown": repr(made), **made.statistics}
        except ReleaseError as error:
            found[name] = {"path": where, "shown": f"{name}: {error}"}
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(entry["shown"] for entry in found.values()))


@release.command("verify")
@click.argument("release_or_name")
@archives_option
@project_option
@json_option
def verify_command(release_or_name: str, archives: tuple[Path, ...], project: Path, as_json: bool) -> None:
    """Check every promise of a release, given by folder, URL or name; exit code 1 if one is broken."""
    with bars(["verify"]) as advance:
        found = verified(release_or_name, project, archives, lambda done, total: advance("verify", done, total))
    folder = found.where
    if as_json:
        asked = {} if found.asked is None else {"requests": found.asked.requests, "bytes": found.asked.bytes}
        print_json({"path": folder, "problems": found.problems, "unchecked": found.unchecked, **asked})
    else:
        for line in (*found.problems, *found.unchecked):
            click.echo(f"{folder}: {plain(line)}")
        if found.asked is not None:
            click.echo(f"{folder}: read by {counted(found.asked.requests, 'request')}, {found.asked.bytes:,} bytes")
        if found.foreign:
            click.echo("to look at those too: --archives FOLDER")
        if not found.problems:
            click.echo(f"{folder} is sound" + (", but for what was not looked at" if found.foreign else ""))
    if found.problems:
        raise click.exceptions.Exit(1)


release.add_command(abandon_command)
release.add_command(publish_command)
release.add_command(diff_command)
release.add_command(rebuild_command)
release.add_command(takedown_command)
