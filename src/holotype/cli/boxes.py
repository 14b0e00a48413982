"""Commands about boxes that people draw."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import holotype as api
from holotype.boxes.campaign import Standing
from holotype.boxes.rules import Rules
from holotype.cli.box_gold import gold_group, propose_command
from holotype.cli.box_reviews import review_command
from holotype.cli.box_turk import TurkOptions, turk_options
from holotype.cli.groups import CommandGroup
from holotype.cli.images import curator_option, login
from holotype.cli.options import json_option, project_option, reason_option
from holotype.cli.progress import bars
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json
from holotype.crowd.conclusion import Policy
from holotype.crowd.policy_names import parse_policy

if TYPE_CHECKING:
    from holotype.boxes.port import BoxCrowd
    from holotype.project import Project
    from holotype.project.boxes import BoxesReport, SynsetBoxes

LOOK: Final = 2.0
"""Seconds between two looks into the inbox."""
_DEFAULT: Final = Rules()
_LISTED: Final = 20


@click.group(cls=CommandGroup)
def boxes() -> None:
    """Have boxes drawn round all instances, judged and covered, by people or from what machines propose."""


@boxes.command("run")
@click.option(
    "--crowd",
    "who",
    type=click.Choice(["web", "simulated", "mturk"]),
    required=True,
    help="Who draws and judges; web: people on the pages of `holotype serve`; mturk: on Mechanical Turk.",
)
@click.option("--query", default="", metavar="QUERY", help="Only what it finds, as: holotype query QUERY.")
@click.option(
    "--under",
    multiple=True,
    metavar="WNID",
    help="Only what lies below this synset, a wnid or a lemma; may be given several times.",
)
@click.option(
    "--quality", type=parse_policy, metavar="POLICY", help="What decides whether a drawing is good, as of crowd run."
)
@click.option("--coverage", type=parse_policy, metavar="POLICY", help="What decides whether all instances have a box.")
@click.option(
    "--attempts",
    type=click.IntRange(1),
    default=_DEFAULT.attempts,
    show_default=True,
    help="Drawings in a row that bring no box, after which somebody who knows must look.",
)
@click.option(
    "--draws",
    type=click.IntRange(1),
    default=_DEFAULT.draws,
    show_default=True,
    help="People who draw the same instance, whose agreement then needs no judge.",
)
@click.option("--budget", type=click.IntRange(0), metavar="N", help="The most replies to ask for, over all runs.")
@click.option("--once", is_flag=True, help="Count what came in, ask what is next, and do not wait for more.")
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulated crowd.")
@turk_options
@project_option
@json_option
def run_command(
    who: str,
    query: str,
    under: tuple[str, ...],
    quality: Policy | None,
    coverage: Policy | None,
    attempts: int,
    draws: int,
    budget: int | None,
    once: bool,
    seed: int,
    turk: TurkOptions,
    project: Path,
    as_json: bool,
) -> None:
    """Have a box drawn round every instance in images that are labelled yes.

    One person draws one box, others say whether it is good, and others whether any instance is without one; each image
    goes on by itself until all have one. People on the web work while this does not run; while it runs, it looks for
    what they hand in, and asks on. Stopped with Ctrl-C, nothing is lost: run it again. People on Mechanical Turk need
    time: run the same command again to collect what they did and to ask on.
    """
    if who != "mturk":
        turk.refuse_unheeded(who)
    rules = Rules(quality or _DEFAULT.quality, coverage or _DEFAULT.coverage, attempts, draws)
    with api.open(project) as db, bars(["boxes"]) as advance:

        def show(standing: Standing) -> None:
            done = sum(standing.counts.values()) - standing.counts["open"]
            advance("boxes", done, sum(standing.counts.values()))

        def again(_: Standing) -> bool:
            time.sleep(0 if once else LOOK)
            return not once and who == "web"

        report = db.boxes.run(_crowd(db, who, seed, turk), rules, query, under, budget, show, again)
    _print_report(report, as_json)


def _crowd(db: Project, who: str, seed: int, turk: TurkOptions) -> BoxCrowd:
    if who == "mturk":
        return turk.crowd(db)
    return db.boxes.web() if who == "web" else db.boxes.simulated(seed)


def _print_report(report: BoxesReport, as_json: bool) -> None:
    if as_json:
        print_json(dataclasses.asdict(report))
        return
    click.echo(report)
    for told in report.refused[:_LISTED]:
        click.echo(plain(f"refused: {told}"), err=True)
    if not report.states or not sum(report.states.values()):
        click.echo("there is nothing to box: no image that can be seen is labelled yes here (holotype crowd run)")
    if report.held_back:
        click.echo("the budget has no replies left for the next page: what is open needs a larger one (--budget)")
    elif report.waiting:
        click.echo(f"{counted(report.up, 'page')} wait for people: run the same command again to go on")
    if report.states.get("person"):
        click.echo("where people do not get on, somebody who knows must look: holotype query state:yes boxes=0")


@boxes.command("status")
@project_option
@json_option
def status_command(project: Path, as_json: bool) -> None:
    """See how the boxes of each synset stand: images by what became of them, boxes, drawings, and what they took.

    Covered images have a box round every instance, empty ones show none, open ones are not done, and where people do
    not get on a person who knows must look. The share accepted is of the drawings that were judged: those that most
    call good. Seconds are of people's work on drawings, judging and coverage, for each box there is.
    """
    with api.open(project) as db:
        found = db.boxes.status()
        name = {one.wnid: db.ontology[one.wnid].name if one.wnid in db.ontology else one.wnid for one in found}
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    if not found:
        click.echo("nobody was asked about boxes yet: holotype boxes run --crowd web")
        return
    columns = ("synset", "images", "covered", "empty", "open", "person", "boxes", "drawings", "accepted", "s a box")
    rows = [[plain(name[one.wnid]), *_cells(one)] for one in found]
    if len(found) > 1:
        rows.append(["all", *_cells(_sum(found))])
    print_table("boxes", columns, rows, last_is_total=len(found) > 1)


def _cells(one: SynsetBoxes) -> list[str]:
    states = [one.states.get(state, 0) for state in ("covered", "empty", "open", "person")]
    counts = [f"{count:,}" for count in (one.images, *states, one.boxes, one.drawings)]
    accepted = f"{one.good / one.judged:.1%}" if one.judged else "-"
    return [*counts, accepted, f"{one.seconds / one.boxes:.1f}" if one.boxes else "-"]


def _sum(found: Sequence[SynsetBoxes]) -> SynsetBoxes:
    states = {state: sum(one.states.get(state, 0) for one in found) for state in ("covered", "empty", "open", "person")}
    names = ("boxes", "drawings", "good", "judged", "seconds")
    boxes, drawings, good, judged, seconds = (sum(getattr(one, name) for one in found) for name in names)
    return dataclasses.replace(
        found[0], states=states, boxes=boxes, drawings=drawings, good=good, judged=judged, seconds=seconds
    )


@boxes.command("redo")
@click.argument("image")
@click.argument("synset")
@reason_option
@curator_option
@project_option
def redo_command(image: str, synset: str, reason: str, curator: str | None, project: Path) -> None:
    """Have the boxes of SYNSET in IMAGE drawn anew, where those there are were concluded wrongly.

    That its boxes are bad, and not all instances have one, is kept as known, with who says so: what was said before
    stays. The next run asks.
    """
    with api.open(project) as db:
        gone = db.boxes.redo(image, synset, curator or login(), reason)
    click.echo(f"{counted(gone, 'box', 'boxes')} will go, and more will be drawn: holotype boxes run --crowd web")


for command in (review_command, propose_command, gold_group):
    boxes.add_command(command)
