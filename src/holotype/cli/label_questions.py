"""Commands that ask for many labels an image by questions about several synsets at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np
from click.core import ParameterSource

import holotype as api
from holotype.cli.answers import read_answers
from holotype.cli.crowd import STILL_WORKING
from holotype.cli.options import file_type, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.text import counted, plain, print_json
from holotype.cli.turk import TurkOptions, tell_refused, turk_options
from holotype.crowd.conclusion import Policy
from holotype.crowd.expert import Nobody
from holotype.crowd.policy_names import parse_policy
from holotype.crowd.port import Crowd
from holotype.errors import CrowdError
from holotype.project.questions import NAME, POLICY
from holotype.questions.planning import LABELS
from holotype.simulation.labels import SIZE, Answerers, Rehearsed, rehearse_labels
from holotype.textlists import read_lines

if TYPE_CHECKING:
    from holotype.project import Project
    from holotype.questions.plan import Plan

_LARGEST = 4 << 20
"""Bytes of a file of questions."""

policy_option = click.option(
    "--policy",
    type=parse_policy,
    default=str(POLICY),
    show_default=True,
    metavar="POLICY",
    help="When a question is decided: as for `holotype crowd run`.",
)
name_option = click.option("--name", default=NAME, show_default=True, help="What the plan is called.")


def plan_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what is asked: a plan is made anew with any of them, and gone on with without."""
    for option in (
        click.option("--leaves", type=file_type, help="File of wnids or lemmas, one a line, none above another."),
        click.option("--under", multiple=True, metavar="SYNSET", help="The leaves of the ontology below it; several."),
        click.option("--questions", type=file_type, help="YAML of questions made by hand, each with its leaves."),
        click.option("--lists", type=click.IntRange(0, 12), default=0, help="Ask for up to N leaves by their names."),
        click.option("--labels", type=float, default=LABELS, show_default=True, help="Labels an image has, about."),
    ):
        command = option(command)
    return command


@click.command("run")
@plan_options
@click.option("--query", default="", metavar="QUERY", help="The images that are asked about. [default: all]")
@name_option
@click.option(
    "--crowd", "who", type=click.Choice(["web", "simulated", "mturk", "nobody"]), required=True, help="Who answers."
)
@policy_option
@click.option(
    "--truth",
    type=file_type,
    help="CSV with the header sha256,wnid,answer: what the simulated workers see. "
    "[default: what folders, searches and datasets say]",
)
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulated crowd.")
@turk_options("page")
@project_option
@json_option
@click.pass_context
def run_command(
    context: click.Context,
    /,
    leaves: Path | None,
    under: tuple[str, ...],
    query: str,
    questions: Path | None,
    lists: int,
    labels: float,
    name: str,
    who: str,
    policy: Policy,
    truth: Path | None,
    seed: int,
    turk: TurkOptions,
    project: Path,
    as_json: bool,
) -> None:
    """Ask a crowd for many labels an image: general questions first, and below a no nothing more.

    With --leaves or --under the questions are chosen and kept as a plan; run the same command again, or without them,
    to count what came in and to ask what follows from it. Every question is an ordinary candidate: votes, gold and
    workers count as always, and `holotype labels overrule` corrects an answer, which opens what hangs on it.
    """
    if who != "mturk":
        turk.refuse_unheeded(who)
    with api.open(project) as db, bars(["questions"]) as advance:
        if leaves is not None or under:
            db.questions.make(_leaves(db, leaves, under), query, name, _text(questions), lists, labels=labels)
        elif given := _given(context, ("query", "questions", "lists", "labels")):
            raise click.UsageError(f"{given} belongs to a new plan: give --leaves or --under as well")
        people = turk.crowd(db.crowd.mturk) if who == "mturk" else _crowd(db, who, truth, seed)
        report = db.questions.run(people, name, policy, lambda *of: advance("questions", *of))
    tell_refused(getattr(people, "refused", ()))
    if as_json:
        print_json(asdict(report))
        return
    click.echo(report)
    if report.left_out:
        click.echo(f"{counted(report.left_out, 'image')} cannot be shown, and nothing is asked of them")
    if not report.done:
        click.echo(STILL_WORKING if who in ("web", "mturk") else "what is open needs more votes")


def _given(context: click.Context, names: tuple[str, ...]) -> str:
    """The first of some options that was given, "" where none was."""
    given = (one for one in names if context.get_parameter_source(one) is ParameterSource.COMMANDLINE)
    return next((f"--{one}" for one in given), "")


def _leaves(db: Project, file: Path | None, under: tuple[str, ...]) -> list[str]:
    """The leaves of a file, and those below synsets."""
    lines = (line.split("#")[0].strip() for line in (read_lines(file, CrowdError) if file is not None else ()))
    below = [one.wnid for text in under for one in db.ontology.leaves(db.lemmas.meant(text))]
    return [*filter(None, lines), *below]


def _text(file: Path | None) -> str:
    if file is None:
        return ""
    if file.stat().st_size > _LARGEST:
        raise CrowdError(f"{plain(str(file))} has more than the {_LARGEST:,} bytes allowed")
    return "\n".join(read_lines(file, CrowdError))


def _crowd(db: Project, who: str, truth: Path | None, seed: int) -> Crowd:
    if who == "web":
        return db.crowd.web()
    if who == "nobody":
        return Nobody()
    if truth is None:
        return db.crowd.simulated(db.questions.claims(), seed)
    return db.crowd.simulated(db.candidates.named(read_answers(truth), "answers"), seed)


@click.command("status")
@name_option
@project_option
@json_option
def status_command(name: str, project: Path, as_json: bool) -> None:
    """Say how far a plan of questions is: what is there, what is verified absent, and what is open."""
    with api.open(project) as db:
        report, plan = db.questions.status(name), db.questions.plan(name)
    if as_json:
        print_json(asdict(report) | {"expected": plan.expected[0]})
        return
    click.echo(report)
    several = len(plan) - len(plan.leaves)
    click.echo(f"{counted(several, 'question')} of several leaves; {plan.expected[0]:.1f} an image expected at first")


@click.command("rehearse")
@plan_options
@click.option("--images", type=click.IntRange(1), default=SIZE, show_default=True, help="Images to simulate.")
@click.option(
    "--sensitivity", type=click.FloatRange(0, 1), default=0.9, show_default=True, help="Yeses to what is there."
)
@click.option(
    "--specificity", type=click.FloatRange(0, 1), default=0.96, show_default=True, help="Noes to what is not."
)
@policy_option
@click.option("--seed", default=2014, show_default=True, help="Seed of images and answers.")
@project_option
@json_option
def rehearse_command(
    leaves: Path | None,
    under: tuple[str, ...],
    questions: Path | None,
    lists: int,
    labels: float,
    images: int,
    sensitivity: float,
    specificity: float,
    policy: Policy,
    seed: int,
    project: Path,
    as_json: bool,
) -> None:
    """Simulate what questions would cost and find, beside asking for each leaf; nothing is asked or kept.

    The images have --labels of the leaves each, by chance.
    """
    with api.open(project) as db:
        plan = db.questions.proposed(_leaves(db, leaves, under), _text(questions), lists, labels=labels)
        names = {wnid: db.ontology[wnid].name for wnid in plan.asked if wnid in db.ontology}
    crowd = Answerers(sensitivity, specificity)
    found = rehearse_labels(plan, crowd, policy, images, np.random.default_rng(seed))
    if as_json:
        print_json({"plan": list(plan.asked), **{one: asdict(result) for one, result in found.items()}})
        return
    _show(plan, names, found)


def _show(plan: Plan, names: dict[str, str], found: dict[str, Rehearsed]) -> None:
    roots = [
        plan.texts.get(wnid) or names.get(wnid, wnid)
        for wnid, parents in zip(plan.asked, plan.parents, strict=True)
        if not parents
    ]
    more = f" and {len(roots) - 12:,} more" if len(roots) > 12 else ""
    click.echo(f"asked of every image: {', '.join(roots[:12])}{more}")
    for name, one in found.items():
        click.echo(f"{name}: {one}")
