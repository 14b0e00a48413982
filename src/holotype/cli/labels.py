"""Commands about labels, and their overruling by a curator."""

from __future__ import annotations

from pathlib import Path

import click

import holotype as api
from holotype.cli.answers import read_answers, read_pairs
from holotype.cli.groups import CommandGroup
from holotype.cli.label_questions import rehearse_command, run_command, status_command
from holotype.cli.options import json_option, project_option, reason_option
from holotype.cli.statements import print_statements
from holotype.cli.text import counted, print_json

curator_option = click.option("--curator", required=True, metavar="NAME", help="Who says so.")


@click.group(cls=CommandGroup)
def labels() -> None:
    """Ask for many labels an image; overrule labels, with a name and a reason."""


labels.add_command(run_command)
labels.add_command(status_command)
labels.add_command(rehearse_command)


@labels.command("overrule")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@curator_option
@reason_option
@project_option
def overrule(file: Path, curator: str, reason: str, project: Path) -> None:
    """Make the labels of FILE, a CSV with the header sha256,wnid,answer (yes or no), what it says, whatever the votes.

    Nobody is asked about them any more, and no worker is judged by them.
    """
    with api.open(project) as db:
        changed = db.labels.overrule(db.candidates.named(read_answers(file), "labels"), curator, reason)
    click.echo(f"{counted(changed, 'label')} overruled")


@labels.command("withdraw")
@click.argument("what", nargs=-1, required=True, metavar="FILE|IMAGE...")
@curator_option
@reason_option
@project_option
def withdraw(what: tuple[str, ...], curator: str, reason: str, project: Path) -> None:
    """Let the votes decide again on the labels of FILE, a CSV that begins with sha256,wnid, or of an image."""
    with api.open(project) as db:
        pairs = read_pairs(what, {(said.sha256, said.wnid) for said in db.labels.overrulings()}, db.images.called)
        changed = db.labels.overrule(db.candidates.named(dict.fromkeys(pairs), "labels"), curator, reason)
    click.echo(
        f"{counted(changed, 'overruling')} withdrawn; if labels are open now, holotype crowd run asks about them"
    )


@labels.command("list")
@project_option
@json_option
def list_overrulings(project: Path, as_json: bool) -> None:
    """List all that curators ever said of labels; of a label, the last counts."""
    with api.open(project) as db:
        print_statements(db.labels.overrulings(), "curator", as_json)


@labels.command("outvoted")
@project_option
@json_option
def list_outvoted(project: Path, as_json: bool) -> None:
    """List accepted images with more noes than yeses, as a CSV: with an answer, yes or no, it can overrule them."""
    with api.open(project) as db:
        found = db.labels.outvoted()
    if as_json:
        print_json([dict(zip(("sha256", "wnid", "yeses", "noes"), row, strict=True)) for row in found])
        return
    click.echo("sha256,wnid,answer")
    for sha256, wnid, yeses, noes in found:
        click.echo(f"{sha256},{wnid},")
        click.echo(f"{sha256[:16]} for {wnid}: {yeses} yes, {noes} no", err=True)
