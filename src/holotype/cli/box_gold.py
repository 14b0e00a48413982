"""Commands about what is known of boxes for sure, and about boxes that machines propose."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.images import curator_option, login
from holotype.cli.options import file_type, json_option, project_option, reason_option
from holotype.cli.tables import print_table
from holotype.cli.text import counted, moment, plain, print_json

if TYPE_CHECKING:
    from holotype.imports.proposals import BrokenRow
    from holotype.project.box_gold import BoxStatement

_LISTED: Final = 20
_SHOWN: Final = 16

per_synset_option = click.option(
    "--per-synset",
    type=click.IntRange(1),
    default=40,
    show_default=True,
    help="The most gold questions of each kind that a synset is to have.",
)
complete_option = click.option(
    "--complete", is_flag=True, help="The boxes of each image are all there are: gold of coverage, too."
)
names_option = click.option(
    "--names",
    type=file_type,
    metavar="FILE",
    help="A file of COCO's instances that says what the numbers of images and categories in results are.",
)


@click.group("gold", cls=CommandGroup)
def gold_group() -> None:
    """Boxes that are known, asked about among the rest to learn about who judges.

    Of each good box a bad one is made, moved or scaled, and of each complete image one without one of its boxes. They
    are asked of everybody, look like all others, and are boxes of no image.
    """


@gold_group.command("agreed")
@click.option(
    "--people",
    type=click.IntRange(2),
    default=3,
    show_default=True,
    help="How many people's drawings of an instance must agree.",
)
@per_synset_option
@project_option
def agreed_command(people: int, per_synset: int, project: Path) -> None:
    """Make gold of drawings on which several people agree, every two by an intersection over union of .7 or more."""
    with api.open(project) as db:
        report = db.boxes.gold.agree(people, per_synset)
    click.echo(report)
    if not report.images:
        click.echo(f"no {people} people drew the same: have several draw each (holotype boxes run --draws {people})")


@gold_group.command("imported")
@click.option(
    "--under",
    multiple=True,
    metavar="WNID",
    help="Only what lies below this synset, a wnid or a lemma; may be given several times.",
)
@complete_option
@per_synset_option
@project_option
def imported_command(under: tuple[str, ...], complete: bool, per_synset: int, project: Path) -> None:
    """Make gold of boxes that archives gave, such as ILSVRC's, whose validation boxes are complete."""
    with api.open(project) as db:
        report = db.boxes.gold.imported(under, complete, per_synset)
    click.echo(report)
    if not report.images:
        click.echo("no image that was read and is a candidate has a box of an archive (holotype datasets add)")


@gold_group.command("add")
@click.argument("file", type=file_type)
@complete_option
@names_option
@project_option
def add_command(file: Path, complete: bool, names: Path | None, project: Path) -> None:
    """Make gold of the boxes of FILE, which somebody knows: a table or results as of boxes propose."""
    with api.open(project) as db:
        report, refused = db.boxes.gold.add(file, file.name, complete, names)
    click.echo(report)
    print_broken(refused)


@gold_group.command("list")
@project_option
@json_option
def list_command(project: Path, as_json: bool) -> None:
    """List what is known of boxes, or was, with its number and source."""
    with api.open(project) as db:
        held = db.boxes.gold.statements()
        name = {one.wnid: db.ontology[one.wnid].name if one.wnid in db.ontology else one.wnid for one in held}
    if as_json:
        print_json([dataclasses.asdict(one) for one in held])
        return
    columns = ("number", "image", "synset", "asks", "answer", "boxes", "source", "reason", "said")
    print_table("gold of boxes", columns, [_row(one, plain(name[one.wnid])) for one in held])


def _row(one: BoxStatement, synset: str) -> Sequence[str]:
    answer = "withdrawn" if one.answer is None else "yes" if one.answer else "no"
    boxes = " ".join("({},{},{},{})".format(*box) for box in one.boxes[:2])
    more = f" and {len(one.boxes) - 2:,} more" if len(one.boxes) > 2 else ""
    told = plain(one.source), plain(one.reason), moment(one.at)
    return str(one.number), one.sha256[:_SHOWN], synset, str(one.kind), answer, boxes + more, *told


@gold_group.command("withdraw")
@click.argument("what", nargs=-1, required=True, metavar="NUMBER|IMAGE...")
@reason_option
@curator_option
@project_option
def withdraw_command(what: tuple[str, ...], reason: str, curator: str | None, project: Path) -> None:
    """Be sure no more of gold: of questions by their numbers (boxes gold list), or of all that an image has.

    It is asked of nobody any more, what was answered tells nothing of workers, and it is not made again.
    """
    asked = [int(one) if one.isascii() and one.isdigit() and len(one) < _SHOWN else one for one in what]
    with api.open(project) as db:
        changed = db.boxes.gold.withdraw(asked, curator or login(), reason)
    click.echo(f"{counted(changed, 'gold question')} withdrawn")


@click.command("propose")
@click.argument("name")
@click.argument("file", type=file_type)
@click.option("--min-score", "least", type=float, metavar="S", help="Leave out boxes that are less sure than this.")
@names_option
@project_option
@json_option
def propose_command(
    name: str, file: Path, least: float | None, names: Path | None, project: Path, as_json: bool
) -> None:
    """Have people only verify the boxes of FILE, which the machine NAME proposes, instead of drawing.

    FILE is CSV or Parquet with the columns image, wnid, x_min, y_min, x_max, y_max and maybe score, in inclusive pixels
    of the upright picture from 0, or COCO's results in JSON. Images have any of their names, synsets are wnids or
    words. Boxes are rounded, and clipped to their picture; rows that are no box of a candidate are told with the
    reason. The same file again adds nothing. To count a machine no more: holotype workers block machine:NAME.
    """
    with api.open(project) as db:
        report = db.boxes.propose(name, file, least, names)
    if as_json:
        print_json(dataclasses.asdict(report))
        return
    click.echo(report)
    print_broken(report.refused)
    if report.new:
        click.echo("now people verify them: holotype boxes run --crowd web")


def print_broken(rows: Sequence[BrokenRow]) -> None:
    """The rows that were not taken, with the reasons: the first of them."""
    for one in rows[:_LISTED]:
        click.echo(f"row {one.row}: {plain(one.detail)} ({one.reason})", err=True)
    if len(rows) > _LISTED:
        click.echo(f"... and {counted(len(rows) - _LISTED, 'more row')} (all of them: --json)", err=True)
