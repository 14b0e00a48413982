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
from holotype.cli.box_gold import gold_group, propose_command
from holotype.cli.box_rehearsal import rehearse_command
from holotype.cli.box_reviews import review_command
from holotype.cli.box_rulings import redo_command, settle_command
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.tables import print_table
from holotype.cli.text import counted, plain, print_json, tell_left
from holotype.cli.turk import TurkOptions, turk_options
from holotype.crowd.conclusion import Policy
from holotype.crowd.policy_names import parse_policy
from holotype.simulation.box_fitting import fit_drawers

if TYPE_CHECKING:
    from holotype.boxes.port import BoxCrowd
    from holotype.project import Project
    from holotype.project.box_reports import BoxesReport, RulesChange, SynsetBoxes

LOOK: Final = 2.0
"""Seconds between two looks into the inbox."""
_LISTED: Final = 20
_DIGITS: Final = 16


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
    metavar="N",
    help="Drawings in a row that bring no box, after which one who knows must look  [default: as last, at first 8].",
)
@click.option(
    "--draws",
    type=click.IntRange(1),
    metavar="N",
    help="People who draw an instance, whose agreement then needs no judge  [default: as last, at first 1].",
)
@click.option("--budget", type=click.IntRange(0), metavar="N", help="The most replies to ask for, over all runs.")
@click.option("--once", is_flag=True, help="Count what came in, ask what is next, and do not wait for more.")
@click.option("--archived", is_flag=True, help="Ask about images, too, that archives or annotators gave boxes to.")
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulated crowd.")
@turk_options("box-page", "--spend")
@project_option
@json_option
def run_command(
    who: str,
    query: str,
    under: tuple[str, ...],
    quality: Policy | None,
    coverage: Policy | None,
    attempts: int | None,
    draws: int | None,
    budget: int | None,
    once: bool,
    archived: bool,
    seed: int,
    turk: TurkOptions,
    project: Path,
    as_json: bool,
) -> None:
    """Have a box drawn round every instance in images that are labelled yes.

    One person draws one box, others say whether it is good, and others whether any instance is without one; each image
    goes on by itself until all have one. Images that archives gave boxes to are left out, and rules are as last where
    no option says otherwise. People on the web work while this does not run; while it runs, it looks for
    what they hand in, and asks on. Stopped with Ctrl-C, nothing is lost: run it again. People on Mechanical Turk need
    time: run the same command again to collect what they did and to ask on.
    """
    if who != "mturk":
        turk.refuse_unheeded(who)
    with api.open(project) as db, bars(["boxes"]) as advance:
        last = db.boxes.rules()
        rules = dataclasses.replace(
            last,
            quality=quality or last.quality,
            coverage=coverage or last.coverage,
            attempts=attempts or last.attempts,
            draws=draws or last.draws,
        )

        def show(standing: Standing) -> None:
            done = sum(standing.counts.values()) - standing.counts["open"]
            advance("boxes", done, sum(standing.counts.values()))

        def again(_: Standing) -> bool:
            if once or who != "web":
                return False
            time.sleep(LOOK)
            return True

        crowd = _crowd(db, who, seed, turk)
        report = db.boxes.run(crowd, rules, query, under, budget, show, again, archived, _say_change)
    _print_report(report, as_json)


def _crowd(db: Project, who: str, seed: int, turk: TurkOptions) -> BoxCrowd:
    if who == "mturk":
        return turk.crowd(db.boxes.mturk)
    return db.boxes.web() if who == "web" else db.boxes.simulated(seed, fit_drawers(db.boxes.history()))


def _say_change(change: RulesChange) -> None:
    click.echo(plain(str(change)), err=True)


def _print_report(report: BoxesReport, as_json: bool) -> None:
    if as_json:
        print_json(dataclasses.asdict(report))
        return
    click.echo(report)
    if report.archived:
        click.echo(f"{counted(report.archived, 'more image')} left out that archives gave boxes to (--archived)")
    for told in report.refused[:_LISTED]:
        click.echo(plain(f"refused: {told}"), err=True)
    tell_left(len(report.refused) - _LISTED, "refused reply", "refused replies")
    if not report.states or not sum(report.states.values()):
        click.echo("there is nothing to box: no image that can be seen is labelled yes here (holotype crowd run)")
    if report.held_back:
        click.echo("the budget has no replies left for the next page: what is open needs a larger one (--budget)")
    elif report.waiting:
        click.echo(f"{counted(report.up, 'page')} wait for people: run the same command again to go on")
    if report.states.get("person"):
        click.echo("where people do not get on, somebody who knows must look: holotype boxes status --person")


@boxes.command("status")
@click.option("--person", is_flag=True, help="List the images instead where somebody who knows must look.")
@project_option
@json_option
def status_command(person: bool, project: Path, as_json: bool) -> None:
    """See how the boxes of each synset stand: images by what became of them, boxes, drawings, and what they took.

    Covered images have a box round every instance, empty ones show none, open ones are not done, and where people do
    not get on a person who knows must look. The share accepted is of the drawings that were judged: those that most
    call good. Seconds are of people's work on drawings, judging and coverage, for each box there is.
    """
    if person:
        _list_wanted(project, as_json)
        return
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
    if unlabelled := sum(one.unlabelled for one in found):
        click.echo(f"{counted(unlabelled, 'more image')} asked about or drawn on: not labelled yes, so without boxes")
    if any(one.states.get("person") for one in found):
        click.echo("to see where somebody who knows must look: holotype boxes status --person", err=True)


def _list_wanted(project: Path, as_json: bool) -> None:
    with api.open(project) as db:
        found = db.boxes.wanting_a_person()
        name = {one.wnid: db.ontology[one.wnid].name if one.wnid in db.ontology else one.wnid for one in found}
    if as_json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    if not found:
        click.echo("nowhere must somebody who knows look")
        return
    print_table(
        "images",
        ("image", "sha256", "wnid", "synset"),
        [[plain(one.image), one.sha256[:_DIGITS], one.wnid, plain(name[one.wnid])] for one in found],
    )
    click.echo("say what there is: holotype boxes settle IMAGE SYNSET --box x0,y0,x1,y1 --reason WHY", err=True)


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


for command in (settle_command, redo_command, rehearse_command, review_command, propose_command, gold_group):
    boxes.add_command(command)
