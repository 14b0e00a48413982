"""Commands that ask a crowd."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

import holotype as api
from holotype.cli.answers import read_answers, read_pairs
from holotype.cli.campaigns import policy_option
from holotype.cli.groups import CommandGroup
from holotype.cli.machines import NAMES, MachineOptions, machine_line, machine_options
from holotype.cli.options import file_type, json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.rehearsal import forecast_command, rehearse_command
from holotype.cli.remedies import alarm_lines
from holotype.cli.text import counted, print_json
from holotype.cli.turk import TurkOptions, tell_refused, turk_options
from holotype.consensus.calibration import Calibration
from holotype.crowd.conclusion import Policy
from holotype.crowd.expert import Nobody, Source, Trust
from holotype.crowd.imageable import Imageable
from holotype.crowd.machines.voter import Machine
from holotype.crowd.policies import Posterior
from holotype.crowd.port import Crowd
from holotype.errors import CrowdError

if TYPE_CHECKING:
    from holotype.project import Project
    from holotype.project.crowd import CampaignReport
    from holotype.simulation.workers import SimulatedCrowd

STILL_WORKING: Final = "people are still working: run the same command again later"

SHA256: Final = 64
"""Digits of a sha256."""

calibrate_option = click.option(
    "--calibrate", is_flag=True, help="Correct posteriors by what the project's gold shows."
)
back_off_option = click.option(
    "--back-off", is_flag=True, help="Ask for the ancestor where the crowd splits between siblings."
)
under_option = click.option(
    "--under",
    multiple=True,
    metavar="WNID",
    help="Only what lies below this synset, a wnid or a lemma; may be given several times.",
)


@click.group(cls=CommandGroup)
def crowd() -> None:
    """Ask people about every candidate until it is sure."""


@crowd.command("run")
@click.option(
    "--crowd",
    "who",
    type=click.Choice(["web", "simulated", "machine", "nobody"]),
    help="Who answers; web: people on the pages of `holotype serve`; nobody: go by the votes there are.",
)
@policy_option
@calibrate_option
@back_off_option
@under_option
@click.option("--budget", type=click.IntRange(0), metavar="N", help="The most votes to ask for, over all runs.")
@click.option(
    "--only",
    type=file_type,
    metavar="FILE",
    help="Ask about no other candidates than those in this CSV, whose header begins with sha256,wnid.",
)
@click.option(
    "--truth",
    type=file_type,
    help="CSV with the header sha256,wnid,answer (yes or no): what the simulated workers see. "
    "[default: an imported image shows what its dataset says, any other what it is a candidate for]",
)
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulated crowd.")
@click.option(
    "--trust", metavar="NAME", help="One trusted person's votes decide alone; of the simulated, ask only them."
)
@click.option(
    "--accept-source",
    "source",
    metavar="[SOURCE]",
    is_flag=False,
    flag_value="folder",
    help="Take what a source says as it is, and ask nobody: folder (what the folders say) or, as in folder:birds, one.",
)
@machine_options
@project_option
@json_option
@click.pass_context
def run_command(
    context: click.Context,
    /,
    who: str | None,
    policy: Policy,
    calibrate: bool,
    back_off: bool,
    under: tuple[str, ...],
    budget: int | None,
    only: Path | None,
    truth: Path | None,
    seed: int,
    trust: str | None,
    source: str | None,
    machine: MachineOptions,
    project: Path,
    as_json: bool,
) -> None:
    """Ask a crowd about every candidate until it is sure, or conclude from the votes there are.

    Pages for people on the project's site lie there until they are answered; run the same command again and again to
    count what came in and to ask on, or let the site itself do that.

    A machine votes on every candidate once: what is open then is for people. Machines are one voter together, and
    decide nothing without people unless the policy says min_human=0. With --trust or --accept-source nobody need be
    asked. People on the web are asked as well while this does not run: it counts what came in, puts up what is to be
    asked next, and returns; run it again and again. For people on Mechanical Turk see: holotype crowd mturk.
    """
    _refuse_unheeded(context, who, trust, source)
    expert = Source(source) if source is not None else Trust(trust) if trust is not None else None
    stage = "machine" if who == "machine" else "crowd"
    people: Crowd | Machine = Nobody()
    with api.open(project) as db, bars([stage]) as advance:
        asked = expert or Imageable(_calibrated(db, policy) if calibrate else policy)
        if who == "web":
            people = db.crowd.web()
        elif who == "simulated":
            people = _simulated(db, truth, seed, trust)
        elif who == "machine":
            people = machine.machine(db)
        pairs = None if only is None else read_pairs([str(only)], (), db.images.called)
        report = db.crowd.run(people, asked, lambda *of: advance(stage, *of), back_off, under, budget, pairs)
    if isinstance(people, Machine) and report.machine is not None:
        click.echo(machine_line(report.machine, people), err=as_json)
    waiting = "what is open needs more votes" if trust is None else f"{trust} has not answered what is open"
    if who == "web":
        waiting = STILL_WORKING
    _print_report(report, as_json, waiting)


def _refuse_unheeded(context: click.Context, who: str | None, trust: str | None, source: str | None) -> None:
    """Raises `click.UsageError` for an option that would be lost on who is asked, and where nobody is named."""
    if source is not None:
        name, heeded = "--accept-source", {"source"}
    elif trust is not None:
        name, heeded = "--trust", {"trust", "who"} | ({"truth", "seed"} if who == "simulated" else set())
    elif who is None:
        raise click.UsageError("Missing option '--crowd' (or --trust, or --accept-source)")
    else:
        name, heeded = f"--crowd {who}", {"who", "policy", "calibrate", "back_off", "budget"}
        heeded |= {"truth", "seed"} if who == "simulated" else NAMES if who == "machine" else set()
        heeded |= {"only"} if who in ("web", "simulated") else set()
    for parameter in context.command.params:
        given = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if given and parameter.name not in heeded | {"project", "as_json", "under"}:
            raise click.UsageError(f"{name} does not heed {parameter.opts[-1]}: leave it out")


def _simulated(db: Project, truth: Path | None, seed: int, expert: str | None) -> SimulatedCrowd:
    return db.crowd.simulated(None if truth is None else _read_truth(db, truth), seed, expert)


def _read_truth(db: Project, path: Path) -> Mapping[tuple[str, str], bool]:
    truth = _by_sha256(db, db.candidates.named(read_answers(path), "answers"))
    gold = db.gold.answers()
    known = truth.keys() | db.crowd.above(truth)
    missing = [task for task in db.candidates.tasks() if (task.sha256, task.wnid) not in known and task not in gold]
    if missing:
        first = missing[0]
        raise CrowdError(
            f"{path} lacks {counted(len(missing), 'candidate')}, the first is {first.sha256} for {first.wnid}"
        )
    return truth


def _by_sha256(db: Project, truth: Mapping[tuple[str, str], bool]) -> dict[tuple[str, str], bool]:
    """Answers by the sha256 of images that are named otherwise; names that mean none, or several, stay."""
    whole: dict[str, str] = {}
    for name in {image for image, _ in truth if len(image) != SHA256}:
        found = {image.sha256 for image in db.images.called(name)}
        whole[name] = found.pop() if len(found) == 1 else name
    return {(whole.get(image, image), wnid): yes for (image, wnid), yes in truth.items()}


@crowd.command("mturk")
@turk_options("page", required=True)
@policy_option
@calibrate_option
@back_off_option
@under_option
@project_option
@json_option
def mturk_command(
    policy: Policy,
    calibrate: bool,
    back_off: bool,
    under: tuple[str, ...],
    turk: TurkOptions,
    project: Path,
    as_json: bool,
) -> None:
    """Ask people on Mechanical Turk about every candidate until they are sure.

    People need time: run the same command again to collect what they answered and to ask on.
    """
    with api.open(project) as db:
        asked = Imageable(_calibrated(db, policy) if calibrate else policy)
        people = turk.crowd(db.crowd.mturk)
        report = db.crowd.run(people, asked, back_off=back_off, under=under)
    tell_refused(people.refused)
    _print_report(report, as_json, STILL_WORKING)


def _calibrated(db: Project, policy: Policy) -> Policy:
    if not isinstance(policy, Posterior):
        raise click.UsageError(f"--calibrate corrects posteriors; {policy} has none")
    found = db.crowd.calibration(policy)
    why = "gold of both sides contradicts them" if found != Calibration() else "gold does not contradict them"
    click.echo(f"posteriors {'are' if found != Calibration() else 'need not be'} corrected: {why}", err=True)
    return dataclasses.replace(policy, calibration=found)


def _print_report(report: CampaignReport, as_json: bool, waiting: str) -> None:
    if as_json:
        print_json(dataclasses.asdict(report))
        return
    click.echo(report)
    if not report.states:
        click.echo("there is nothing to ask: take in candidates first (holotype ingest, holotype candidates add)")
    for line in alarm_lines(dataclasses.asdict(alarm) for alarm in report.alarms):
        click.echo(line)
    if report.held_back:
        click.echo("the budget has no votes left for the next page: what is open needs a larger one (--budget)")
    elif report.waiting:
        click.echo(waiting)


crowd.add_command(rehearse_command)
crowd.add_command(forecast_command)
