"""Commands that ask a crowd."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

import holotype as api
from holotype.cli import show
from holotype.cli.answers import PRIORS, chance, read_answers, read_csv
from holotype.cli.options import dollars, json_option, policy_option, project_option
from holotype.cli.rehearsal import forecast_command, rehearse_command
from holotype.consensus.calibration import Calibration
from holotype.crowd.conclusion import Policy
from holotype.crowd.expert import Nobody, Source, Trust
from holotype.crowd.imageable import Imageable
from holotype.crowd.mturk.terms import Quote, Terms
from holotype.crowd.policies import Posterior
from holotype.errors import CrowdError

if TYPE_CHECKING:
    from holotype.crowd.mturk.platform import MTurk
    from holotype.project import Project
    from holotype.project.crowd import CampaignReport


@click.group(invoke_without_command=True)
@project_option
@click.option("--crowd", type=click.Choice(["simulated", "mturk"]), help="Who answers.  [required]")
@click.option(
    "--truth",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="CSV with the header sha256,wnid,answer (yes or no): what the simulated workers see. "
    "[default: every image is what its folder says]",
)
@policy_option
@click.option(
    "--trust", metavar="NAME", help="One trusted person's votes decide alone; of the simulated, ask only them."
)
@click.option(
    "--accept-source",
    metavar="[SOURCE]",
    is_flag=False,
    flag_value="folder",
    help="Take what a source says as it is, and ask nobody: folder (what the folders say) or, as in folder:birds, one.",
)
@click.option("--calibrate", is_flag=True, help="Correct posteriors by what the project's gold shows.")
@click.option("--back-off", is_flag=True, help="Ask for the ancestor where the crowd splits between siblings.")
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulated crowd.")
@click.option("--page-url", metavar="URL", help="mturk: where a page with its questions is, with {page} for its id.")
@click.option("--reward", type=dollars, metavar="DOLLARS", help="mturk: what a worker gets for a page.")
@click.option("--budget", type=dollars, metavar="DOLLARS", help="mturk: the most all pages may cost, over all runs.")
@click.option("--production", is_flag=True, help="mturk: real workers and real money instead of the sandbox.")
@click.option("--yes", is_flag=True, help="mturk: do not ask before spending.")
@json_option
@click.pass_context
def verify(
    context: click.Context,
    /,
    project: Path,
    crowd: str | None,
    truth: Path | None,
    policy: Policy,
    trust: str | None,
    accept_source: str | None,
    calibrate: bool,
    back_off: bool,
    seed: int,
    as_json: bool,
    **mturk: Any,
) -> None:
    """Ask a crowd about every candidate until it is sure.

    People need time: with mturk, run the same command again to collect what they answered. With --trust or
    --accept-source no crowd is needed.
    """
    if context.invoked_subcommand is not None:
        if any(context.get_parameter_source(name) is ParameterSource.COMMANDLINE for name in context.params):
            raise click.UsageError(f"options come after the command: verify {context.invoked_subcommand} ...")
        return
    expert = _expert(context, trust, accept_source)
    if expert is not None:
        report = _by_expert(project, expert, crowd, truth, seed)
        _print_report(report, as_json, f"{trust} has not answered what is open")
        return
    if crowd is None:
        raise click.UsageError("Missing option '--crowd' (or --trust, or --accept-source)")
    with api.open(project) as db:
        if calibrate:
            policy = _calibrated(db, policy)
        if crowd == "mturk":
            people = _mturk(db, **mturk)
            report = db.crowd.run(people, Imageable(policy), back_off=back_off)
            for sheet in people.refused:
                click.echo(f"not readable: assignment {sheet.assignment} of {sheet.worker}: {sheet.reason}", err=True)
        else:
            with show.bars(["crowd"]) as advance:
                workers = db.crowd.simulated(None if truth is None else _read_truth(db, truth), seed)
                report = db.crowd.run(
                    workers, Imageable(policy), lambda done, total: advance("crowd", done, total), back_off
                )
    _print_report(report, as_json, "people are still working: run the same command again later")


def _print_report(report: CampaignReport, as_json: bool, waiting: str) -> None:
    if as_json:
        show.as_json(dataclasses.asdict(report))
        return
    click.echo(report)
    show.alarms(dataclasses.asdict(alarm) for alarm in report.alarms)
    if report.waiting:
        click.echo(waiting)


def _expert(context: click.Context, trust: str | None, source: str | None) -> Trust | Source | None:
    """The policy of one expert that is asked for, with no option beside it that it would not heed."""
    if trust is None and source is None:
        return None
    heeded = {"project", "as_json", *(("trust", "crowd", "truth", "seed") if source is None else ("accept_source",))}
    given = {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    if lost := sorted(given - heeded):
        asked = "--trust" if source is None else "--accept-source"
        raise click.UsageError(f"{asked} decides alone: leave out --{lost[0].replace('_', '-')}")
    return Source(source) if source is not None else Trust(trust or "")


def _by_expert(
    project: Path, expert: Trust | Source, crowd: str | None, truth: Path | None, seed: int
) -> CampaignReport:
    if crowd == "mturk":
        raise click.UsageError("mturk cannot ask one person alone: without --crowd, the votes there are decide")
    with api.open(project) as db:
        if crowd is None:
            return db.crowd.run(Nobody(), expert)
        said = None if truth is None else _read_truth(db, truth)
        with show.bars(["crowd"]) as advance:
            person = db.crowd.simulated(said, seed, expert.name)
            return db.crowd.run(person, expert, lambda done, total: advance("crowd", done, total))


def _calibrated(db: Project, policy: Policy) -> Policy:
    if not isinstance(policy, Posterior):
        raise click.UsageError(f"--calibrate corrects posteriors; {policy} has none")
    found = db.crowd.calibration(policy)
    why = "gold of both sides contradicts them" if found != Calibration() else "gold does not contradict them"
    click.echo(f"posteriors {'are' if found != Calibration() else 'need not be'} corrected: {why}", err=True)
    return dataclasses.replace(policy, calibration=found)


verify.add_command(rehearse_command)
verify.add_command(forecast_command)


def _mturk(
    db: Project, page_url: str | None, reward: Decimal | None, budget: Decimal | None, production: bool, yes: bool
) -> MTurk:
    if page_url is None or reward is None:
        raise click.UsageError("--crowd mturk needs --page-url and --reward")

    def agree(price: Quote) -> None:
        click.echo(f"{price} {'of real money' if production else 'of play money in the sandbox'}", err=True)
        if not yes and not click.confirm("post them?", err=True):
            raise CrowdError("nothing was posted: the price was declined")

    endpoint = os.environ.get("AWS_ENDPOINT_URL_MTURK")
    return db.crowd.mturk(Terms(page_url, reward), budget, production, endpoint, agree)


def _read_truth(db: Project, path: Path) -> Mapping[tuple[str, str], bool]:
    truth, gold = read_answers(path), db.gold.answers()
    known = truth.keys() | db.crowd.above(truth)
    missing = [task for task in db.candidates.tasks() if (task.sha256, task.wnid) not in known and task not in gold]
    if missing:
        first = missing[0]
        raise CrowdError(f"{path} lacks {len(missing):,} candidates, the first is {first.sha256} for {first.wnid}")
    return truth


@click.command()
@click.argument("chances", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="What says so: a model, the yield of a query.")
@project_option
def priors(chances: Path, source: str, project: Path) -> None:
    """Say how probable a yes is before any vote: CHANCES is a CSV with the header sha256,wnid,chance."""
    found = read_csv(chances, PRIORS, chance)
    with api.open(project) as db:
        click.echo(f"{db.candidates.add_priors(found, source):,} of {len(found):,} priors are new")
