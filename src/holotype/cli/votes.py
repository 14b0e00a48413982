"""Commands about votes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.options import file_type, json_option, project_option
from holotype.cli.remedies import LINES
from holotype.cli.text import plain, print_json
from holotype.cli.vote_files import read_vote_file
from holotype.project.given_votes import Refusal


@click.group(cls=CommandGroup)
def votes() -> None:
    """Take in votes from elsewhere."""


@votes.command("add")
@click.argument("file", type=file_type)
@click.option("--synset", default="", metavar="SYNSET", help="What votes without a synset are about: a wnid or lemma.")
@project_option
@json_option
def add_command(file: Path, synset: str, project: Path, as_json: bool) -> None:
    """Add the votes of FILE, and conclude again of the candidates they touch.

    FILE is CSV, Parquet or JSON lines, with the columns image (or sha256, id, file), wnid (or synset), worker, answer
    (or label), and maybe seconds and at; or Crowd-Kit's task, worker, label, a task being an image, or an image and a
    wnid. Answers are yes, no, unsure, 1, 0, true or false. A word for a synset means the one of its senses that the
    image is a candidate of. A worker's first vote on a candidate counts, so adding a file again changes nothing. Votes
    that fit no image or synset are left out, and told by their line; so are times that cannot be read, of votes taken.

    Exit code 1 if none fits.
    """
    given, broken = read_vote_file(file, synset)
    with api.open(project) as db:
        report = db.crowd.add(given, refused=broken)
    if as_json:
        told = dataclasses.asdict(report.appended) | {"reasons": report.reasons}
        told |= {name: [dataclasses.asdict(one) for one in getattr(report, name)] for name in ("refused", "untimed")}
        print_json(told)
    else:
        _tell(report.refused)
        _tell(report.untimed)
        click.echo(report)
        if not report.appended.drawn:
            click.echo("to draw them by votes: holotype crowd run --crowd nobody", err=True)
    if report.refused and not report.appended.new + report.appended.known:
        raise click.exceptions.Exit(1)


def _tell(refused: Sequence[Refusal]) -> None:
    """A line for each vote, or time, that was not taken."""
    for one in refused[:LINES]:
        click.echo(plain(f"line {one.line}: {one.detail} ({one.reason})"), err=True)
    if (left := len(refused) - LINES) > 0:
        click.echo(f"and {left:,} more", err=True)
