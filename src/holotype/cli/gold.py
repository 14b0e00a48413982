"""Commands about gold, which tells about workers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

import holotype as api
from holotype.cli.answers import read_answers, read_pairs
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option, reason_option
from holotype.cli.statements import print_statements
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json


@click.group(cls=CommandGroup)
def gold() -> None:
    """Candidates whose answer is known, asked to learn about workers."""


@gold.command("add")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@project_option
def add_gold(file: Path, project: Path) -> None:
    """Add the known answers of FILE, a CSV with the header sha256,wnid,answer (yes or no).

    An image may have any of its names, and a synset be a word: it means the sense that the image is a candidate of.
    """
    with api.open(project) as db:
        new = db.gold.add(db.candidates.named(read_answers(file), "gold answers"), file.name)
    click.echo(f"{counted(new, 'gold answer')} added")


@gold.command("correct")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@reason_option
@project_option
def correct_gold(file: Path, reason: str, project: Path) -> None:
    """Say what the answers of FILE, as of gold add, are in truth; what was said before stays in the history."""
    with api.open(project) as db:
        said = db.candidates.named(read_answers(file), "gold answers")
        changed = db.gold.correct(said, file.name, reason)
    click.echo(f"{counted(changed, 'gold answer')} changed, and the labels drawn again")


@gold.command("withdraw")
@click.argument("what", nargs=-1, required=True, metavar="FILE|IMAGE...")
@reason_option
@project_option
def withdraw_gold(what: tuple[str, ...], reason: str, project: Path) -> None:
    """Be sure no more of the gold of FILE, a CSV that begins with sha256,wnid, or of an image, for all its synsets.

    Its label follows from the votes again. To undo it: holotype gold correct.
    """
    with api.open(project) as db:
        pairs = read_pairs(what, {(said.sha256, said.wnid) for said in db.gold.history()}, db.images.called)
        said = db.candidates.named(dict.fromkeys(pairs), "gold answers")
        changed = db.gold.correct(said, "command line", reason)
    click.echo(f"{counted(changed, 'gold answer')} withdrawn, and the labels drawn again")


@gold.command("siblings")
@click.option("--per-synset", required=True, type=click.IntRange(1), help="Gold noes a synset is to have.")
@click.option("--seed", default=0, show_default=True, help="Seed of the draw.")
@project_option
def sibling_gold(per_synset: int, seed: int, project: Path) -> None:
    """Make gold noes of images that are gold yes for a sibling of the synset."""
    with api.open(project) as db:
        new = db.gold.add_siblings(per_synset, seed)
    click.echo(f"{counted(new, 'gold answer')} added")


@gold.command("list")
@click.option("--history", is_flag=True, help="List all that was ever said to be gold, and why it was corrected.")
@project_option
@json_option
def list_gold(history: bool, project: Path, as_json: bool) -> None:
    """Count the gold of every synset; with --json, list it."""
    with api.open(project) as db:
        if history:
            print_statements(db.gold.history(), "source", as_json)
            return
        held = db.gold.answers()
        names = {task.wnid: db.ontology[task.wnid].name for task in held}
    if as_json:
        print_json(
            [{"sha256": task.sha256, "wnid": task.wnid, "answer": "yes" if yes else "no"} for task, yes in held.items()]
        )
        return
    count = Counter((task.wnid, yes) for task, yes in held.items())
    rows = [(name, wnid, count[wnid, True], count[wnid, False]) for wnid, name in names.items()]
    print_table("", ("synset", "wnid", "yes", "no"), rows)
