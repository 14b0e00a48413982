"""Commands about votes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

import holotype as api
from holotype.cli.groups import CommandGroup
from holotype.cli.options import file_type, json_option, project_option
from holotype.cli.remedies import LINES
from holotype.cli.text import plain, print_json
from holotype.cli.vote_files import read_vote_file


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
    wnid. Answers are yes, no, unsure, 1, 0, true or false. A worker's first vote on a candidate counts, so adding a
    file again changes nothing. Votes that fit no image or synset are left out, and told by their line.

    Exit code 1 if none fits.
    """
    given, broken = read_vote_file(file, synset)
    with api.open(project) as db:
        report = db.crowd.add(given, refused=broken)
    if as_json:
        told = dataclasses.asdict(report.appended) | {"reasons": report.reasons}
        print_json(told | {"refused": [dataclasses.asdict(one) for one in report.refused]})
    else:
        for one in report.refused[:LINES]:
            click.echo(plain(f"line {one.line}: {one.detail} ({one.reason})"), err=True)
        if (left := len(report.refused) - LINES) > 0:
            click.echo(f"and {left:,} more", err=True)
        click.echo(report)
        if not report.appended.drawn:
            click.echo("to draw them by votes: holotype crowd run --crowd nobody", err=True)
    if report.refused and not report.appended.new + report.appended.known:
        raise click.exceptions.Exit(1)
