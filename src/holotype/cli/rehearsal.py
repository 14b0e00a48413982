"""Commands that rehearse a campaign and price it; they ask nobody and store nothing."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import click
import numpy as np

import holotype as api
from holotype.cli.campaigns import dollars, policy_option
from holotype.cli.options import Command, json_option, project_option
from holotype.cli.tables import print_table
from holotype.cli.text import print_json
from holotype.crowd.conclusion import Policy
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior
from holotype.simulation.fitting import History, fit_population
from holotype.simulation.forecast import Forecast, Interval, forecast
from holotype.simulation.rehearsal import Prices, Rehearsal, images_like, rehearse
from holotype.simulation.workers import Population

_PRICES = Prices()

SETTLED = 5
"""Votes an image from which on hard images can be told from workers' errors: see `holotype.simulation.fitting`."""


def _shared(command: Command) -> Command:
    reward = click.option(
        "--reward",
        type=dollars,
        default=str(_PRICES.reward),
        show_default=True,
        metavar="DOLLARS",
        help=f"What a worker gets for a page of {_PRICES.page_size}; the platform takes {_PRICES.fee:.0%} on top.",
    )
    seed = click.option("--seed", default=2009, show_default=True, help="Seed of the simulation.")
    for option in (json_option, seed, reward, policy_option, project_option):
        command = option(command)
    return command


@click.command("rehearse")
@click.option("--tasks", default=2000, show_default=True, type=click.IntRange(1, 1_000_000), help="Simulated images.")
@click.option(
    "--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw precision and recall to an .svg or .png file."
)
@_shared
def rehearse_command(
    tasks: int, plot: Path | None, project: Path, policy: Policy, reward: Decimal, seed: int, as_json: bool
) -> None:
    """Compare policies on simulated images, answered by workers like the project's own.

    Beside the policy that is named: a majority of five, a lead of three, and other thresholds. Precision and recall are
    those of the simulation.
    """
    if plot is not None and plot.suffix not in (".svg", ".png"):
        raise click.BadParameter(f"{plot} must end in .svg or .png", param_hint="--plot")
    with api.open(project) as db:
        history = db.crowd.history()
    others: list[Policy] = [Fixed(5), Lead(3, 9), *(Posterior(accept) for accept in (0.9, 0.96, 0.98, 0.99))]
    policies = [policy, *(other for other in others if other != policy)]
    rng = np.random.default_rng(seed)
    wnids = images_like(history, tasks, rng)
    live = [Imageable(one) for one in policies]
    population = fit_population(history)
    found = rehearse(population, wnids, live, Prices(float(reward)), rng)
    if plot is not None:
        _plot(found, plot)
    if as_json:
        print_json({"votes": len(history.seconds), "policies": [_values(one) for one in found]})
    else:
        click.echo(_who(history, population))
        _print_rehearsals(found)


def _who(history: History, population: Population) -> str:
    votes = len(history.seconds)
    if votes:
        who = (
            f"simulated workers are like the {history.ballot.workers:,} behind the project's {votes:,} votes: "
            f"sensitivity {population.sensitivity:.2f}, specificity {population.specificity:.2f}, "
            f"{population.hard:.0%} hard images"
        )
        if votes < SETTLED * max(int((history.ballot.votes_per_task > 0).sum()), 1):
            who += (
                f"\nwith fewer than {SETTLED} votes an image the share of hard images, on which precision hangs, is "
                "hardly more than a guess"
            )
        return who
    return "the project has no votes yet: simulated workers are the default population, not your crowd"


def _values(found: Rehearsal) -> dict[str, object]:
    values = dataclasses.asdict(found)
    return {name: None if value != value else value for name, value in values.items()}


def _label(found: Rehearsal) -> str:
    """The policy by what tells it from the others."""
    bare = found.policy.removeprefix("imageable(").rpartition(", least=")[0] or found.policy
    name, more, _ = bare.partition(", reject")
    return f"{name})" if more else name


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.1f} %"


def _print_rehearsals(found: Sequence[Rehearsal]) -> None:
    print_table(
        f"{found[0].images:,} simulated images; the first policy is {found[0].policy}",
        ("policy", "votes/image", "$/1,000", "precision", "recall", "undecided"),
        [
            (
                _label(one),
                f"{one.votes:.2f}",
                f"{1000 * one.dollars:.2f}",
                _share(one.precision),
                _share(one.recall),
                _share(one.undecided),
            )
            for one in found
        ],
    )


def _plot(found: Sequence[Rehearsal], path: Path) -> None:
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; --plot needs: pip install 'holotype[demo]'") from error
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.subplots()
    votes = [one.votes for one in found]
    axes.scatter(votes, [one.precision for one in found], marker="o", label="precision")
    axes.scatter(votes, [one.recall for one in found], marker="s", label="recall")
    for one in found:
        axes.annotate(_label(one), (one.votes, one.recall), fontsize=7)
    axes.set(xlabel="votes per image", title=f"{found[0].images:,} simulated images")
    axes.legend()
    figure.savefig(path)


@click.command("forecast")
@_shared
def forecast_command(project: Path, policy: Policy, reward: Decimal, seed: int, as_json: bool) -> None:
    """Estimate the votes, hours and money it takes to finish, from the votes there are."""
    with api.open(project) as db:
        history = db.crowd.history()
    rng = np.random.default_rng(seed)
    population = fit_population(history)
    found = forecast(history, population, Imageable(policy), Prices(float(reward)), rng)
    if as_json:
        print_json({"cast": len(history.seconds), **dataclasses.asdict(found)})
    else:
        click.echo(_who(history, population))
        _print_forecast(found)


def _print_forecast(found: Forecast) -> None:
    def row(name: str, interval: Interval, form: str) -> tuple[str, ...]:
        return (name, *(format(bound, form) for bound in (interval.median, interval.low, interval.high)))

    rows = [
        row("votes", found.votes, ",.0f"),
        row("hours of work", found.hours, ",.2f"),
        row("dollars", found.dollars, ",.2f"),
    ]
    if found.elapsed is not None:
        rows.append(row("hours at the rate so far", found.elapsed, ",.2f"))
    print_table(f"to finish {found.open:,} open candidates under {found.policy}", ("", "median", "5 %", "95 %"), rows)
