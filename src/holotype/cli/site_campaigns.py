"""Commands about campaigns that a site drives: the same facts that its operators' pages write."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

import holotype as api
from holotype.cli.campaigns import policy_option
from holotype.cli.groups import CommandGroup
from holotype.cli.options import json_option, project_option
from holotype.cli.tables import print_table
from holotype.cli.text import plain, print_json
from holotype.crowd.conclusion import Policy
from holotype.crowd.imageable import Imageable
from holotype.project import Project
from holotype.project.campaigns import Campaign, Figures, Foreseen

number_argument = click.argument("number", type=int)
by_option = click.option("--by", required=True, metavar="NAME", help="Who says so; kept in the catalog.")

why_option = click.option("--reason", default="", metavar="TEXT", help="Why; kept in the catalog.")


@click.group(cls=CommandGroup)
def campaigns() -> None:
    """Start, pause and stop campaigns that the project's site drives, several at once."""


@campaigns.command("start")
@click.option("--under", multiple=True, metavar="WNID", help="Only what lies below this synset, a wnid or a lemma.")
@policy_option
@click.option("--budget", type=click.IntRange(0), metavar="N", help="The most votes it may take.")
@click.option("--back-off", is_flag=True, help="Ask for the ancestor where the crowd splits between siblings.")
@by_option
@project_option
def start(under: tuple[str, ...], policy: Policy, budget: int | None, back_off: bool, by: str, project: Path) -> None:
    """Have people on the site asked about every candidate, or those of some subtrees."""
    with api.open(project) as db:
        _say(db, db.campaigns.start(by, under, Imageable(policy), budget, back_off))


@campaigns.command("pause")
@number_argument
@by_option
@why_option
@project_option
def pause(number: int, by: str, reason: str, project: Path) -> None:
    """Ask nobody any more for now; pages that people have before them still count."""
    with api.open(project) as db:
        _say(db, db.campaigns.pause(number, by, reason))


@campaigns.command("resume")
@number_argument
@by_option
@project_option
def resume(number: int, by: str, project: Path) -> None:
    """Go on with a campaign that was paused."""
    with api.open(project) as db:
        _say(db, db.campaigns.resume(number, by))


@campaigns.command("stop")
@number_argument
@by_option
@why_option
@project_option
def stop(number: int, by: str, reason: str, project: Path) -> None:
    """Ask nobody any more, for good."""
    with api.open(project) as db:
        _say(db, db.campaigns.stop(number, by, reason))


@campaigns.command("forecast")
@number_argument
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulation.")
@project_option
@json_option
def forecast(number: int, seed: int, project: Path, as_json: bool) -> None:
    """Estimate the votes and hours it takes to finish a campaign, and keep that for the site."""
    with api.open(project) as db:
        found = db.campaigns.forecast(number, seed)
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        click.echo(f"{_span(found)} votes to come for {found.open:,} open candidates (median, 5 % to 95 %)")


@campaigns.command("list")
@project_option
@json_option
def list_campaigns(project: Path, as_json: bool) -> None:
    """Say how all campaigns stand."""
    with api.open(project) as db:
        found = [
            (one, db.campaigns.figures(one.id), db.campaigns.foreseen(one.id)) for one in db.campaigns.everything()
        ]
        rows = [_row(db, *one) for one in found]
    if as_json:
        print_json({"campaigns": [_values(*one) for one in found]})
        return
    columns = "number", "state", "candidates", "decided", "open", "undecided", "votes", "budget", "votes to come"
    print_table(f"{len(found):,} campaigns", ("on", *columns), rows)
    for campaign, _, _ in found:
        if said := campaign.error or campaign.detail:
            click.echo(f"campaign {campaign.id}: {plain(said)}")


def _row(db: Project, campaign: Campaign, figures: Figures, foreseen: Foreseen | None) -> tuple[object, ...]:
    states = figures.states
    counts = states.get("yes", 0) + states.get("no", 0), states.get("open", 0), states.get("undecided", 0)
    votes = f"{figures.spent:,}", "-" if campaign.budget is None else f"{campaign.budget:,}"
    coming = "-" if foreseen is None else _span(foreseen)
    about = _named(db, campaign), campaign.id, campaign.state, f"{figures.candidates:,}"
    return *about, *(f"{count:,}" for count in counts), *votes, coming


def _values(campaign: Campaign, figures: Figures, foreseen: Foreseen | None) -> dict[str, Any]:
    coming = None if foreseen is None else dataclasses.asdict(foreseen)
    return {**dataclasses.asdict(campaign), **dataclasses.asdict(figures), "forecast": coming}


def _named(db: Project, campaign: Campaign) -> str:
    return ", ".join(db.ontology[wnid].name for wnid in campaign.under) or "everything"


def _span(found: Foreseen) -> str:
    return f"{found.votes.median:,.0f} ({found.votes.low:,.0f} to {found.votes.high:,.0f})"


def _say(db: Project, campaign: Campaign) -> None:
    click.echo(f"campaign {campaign.id} on {plain(_named(db, campaign))} is {campaign.state}")
