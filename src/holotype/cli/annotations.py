"""Commands about annotations: boxes, masks and labels that people gave to images in a tool of theirs."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.remedies import LINES
from holotype.cli.senses import drafted, said_senses, settled
from holotype.cli.text import counted, moment, plain, print_json, print_listing
from holotype.project.annotating import AnnotationsReport


@click.group("annotations", cls=CommandGroup)
def annotations_group() -> None:
    """Bring in boxes, masks and labels from the tools of annotators."""


@annotations_group.command("add")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--sense", multiple=True, metavar="NAME=WNID", help="What a label means, nothing for no synset; repeat it."
)
@click.option(
    "--senses",
    "table",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A CSV file, name,wnid, of what labels mean; written with every sense, to thin out, if it is not there.",
)
@click.option("--annotator", default="", metavar="NAME", help="Who says what FILE names nobody for.")
@click.option("--predictions", is_flag=True, help="Let the models vote whose predictions Label Studio has.")
@click.option("--dry-run", is_flag=True, help="Say what would come in, and write nothing.")
@project_option
@json_option
def add_command(
    file: Path,
    sense: tuple[str, ...],
    table: Path | None,
    annotator: str,
    predictions: bool,
    dry_run: bool,
    project: Path,
    as_json: bool,
) -> None:
    """Bring in the boxes, masks and labels of FILE; again, only what is new.

    FILE is Label Studio's JSON, the XML of CVAT for images 1.1, COCO's JSON, or a folder of label maps: PNG files
    called as their images, as PASCAL VOC has them. A label, or a box or mask of it, is a vote yes by its annotator; an
    image that is no candidate for it becomes one. A label means the wnid that is told for it or stands in it, or the
    one synset that it is a lemma of. Rotated boxes and other shapes are counted and not taken.

    Exit code 1 if none of the images is known.
    """
    senses = said_senses(sense, table)
    with api.open(project) as db, bars(["images"]) as advance:

        def found(said: Mapping[str, str]) -> dict[str, str]:
            db.annotations.labels(file, names := {**senses, **said})
            return names

        draft = table is not None and not table.exists()
        names = drafted(found, db.ontology, table) if draft and table else settled(found, db.ontology)
        progress = partial(advance, "images")
        report = db.annotations.add(file, names, annotator, predictions, dry_run, progress=progress)
    if as_json:
        print_json(dataclasses.asdict(report))
    else:
        _tell(report)
    if report.images and len(report.unknown) + len(report.ambiguous) >= report.images:
        raise click.exceptions.Exit(1)


def _tell(report: AnnotationsReport) -> None:
    _list(report.unknown, "no image is called {!r}")
    _list(report.ambiguous, "several images are called {!r}: give files names of their own, or ids")
    _list([*report.wordless], "the label {!r} means no synset: say what it means with --sense NAME=WNID")
    _list(report.unmet, "nothing is labelled {!r}, which a sense was given for")
    for remark, count in report.remarks.items():
        click.echo(f"{count:,} {remark}", err=True)
    click.echo(report)
    if report.overtaken:
        _tell_overtaken(report)


def _tell_overtaken(report: AnnotationsReport) -> None:
    """What becomes of labels that were a dataset's word, and what to do."""
    labels = counted(report.overtaken, "label")
    where = f"{report.opened:,} of them" if report.opened else "those that the policy asks for more votes on"
    who = shlex.quote(plain(report.workers[0])) if len(report.workers) == 1 else "NAME"
    click.echo(
        f"votes decide {labels} that a dataset gave, and {where} are in no release until there are enough: ask for "
        f"more with: holotype crowd run; or, where the annotator's word is enough: holotype crowd run --trust {who}"
    )
    if report.rehearsed:
        click.echo("if nobody looked at these pictures anew, do not bring FILE in: what a dataset says would be a vote")


def _list(names: Sequence[str], line: str) -> None:
    for name in names[:LINES]:
        click.echo(plain(line.format(name[:200])), err=True)
    if (left := len(names) - LINES) > 0:
        click.echo(f"and {counted(left, 'more name')}", err=True)


@annotations_group.command("list")
@project_option
@json_option
def list_command(project: Path, as_json: bool) -> None:
    """List the files that came in, oldest first, with the boxes and masks that each was the first to say."""
    with api.open(project) as db:
        files = db.annotations.files()
    if as_json:
        print_json([dataclasses.asdict(one) for one in files])
    else:
        columns = "file", "images", "boxes", "masks", "at", "sha256"
        rows = [(one.name, one.images, one.boxes, one.masks, moment(one.at), one.sha256) for one in files]
        print_listing(columns, rows)


@annotations_group.command("forget")
@click.argument("name", metavar="FILE")
@click.option("--dry-run", is_flag=True, help="Count what would go, and take nothing back.")
@project_option
def forget_command(name: str, dry_run: bool, project: Path) -> None:
    """Take back the boxes and masks that came from FILE, by its name or sha256, as when it was exported again; votes
    stay."""
    with api.open(project) as db:
        gone = db.annotations.forget(name, dry_run)
    click.echo(f"{counted(gone, 'box or mask', 'boxes and masks')} {'would be' if dry_run else 'are'} taken back")
