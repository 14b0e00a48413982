"""The command that rehearses a campaign for boxes; it asks nobody and stores nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

import holotype as api
from holotype.boxes.rules import Rules
from holotype.boxes.values import Kind
from holotype.cli.campaigns import dollars
from holotype.cli.options import json_option, project_option
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json
from holotype.crowd.conclusion import Policy
from holotype.crowd.policies import Lead
from holotype.crowd.policy_names import parse_policy

if TYPE_CHECKING:
    from holotype.simulation.box_fitting import BoxHistory
    from holotype.simulation.box_rehearsal import BoxRehearsal, Picture, Wage

_MOST: Final = 2000
_DEFAULT: Final = Rules()


@click.command("rehearse")
@click.option("--query", default="", metavar="QUERY", help="Only what it finds, as: holotype query QUERY.")
@click.option("--under", multiple=True, metavar="WNID", help="Only what lies below this synset; several times.")
@click.option(
    "--images", type=click.IntRange(1, 100_000), metavar="N", help="So many made images instead of the project's own."
)
@click.option(
    "--boxes",
    "per_image",
    type=click.FloatRange(1, 10),
    metavar="X",
    help="Boxes an image, of images whose boxes no archive says; ILSVRC's have 1.6.",
)
@click.option("--quality", type=parse_policy, metavar="POLICY", help="What decides whether a drawing is good.")
@click.option("--coverage", type=parse_policy, metavar="POLICY", help="What decides whether all instances have a box.")
@click.option(
    "--wage",
    type=dollars,
    default="12",
    show_default=True,
    metavar="DOLLARS",
    help="What an hour of work costs; a platform takes 20 % on top.",
)
@click.option("--seed", default=2009, show_default=True, help="Seed of the simulation.")
@project_option
@json_option
def rehearse_command(
    query: str,
    under: tuple[str, ...],
    images: int | None,
    per_image: float | None,
    quality: Policy | None,
    coverage: Policy | None,
    wage: Decimal,
    seed: int,
    project: Path,
    as_json: bool,
) -> None:
    """Estimate what a campaign for boxes takes, and how good the boxes are, with simulated people.

    They are like those of Su, Deng and Fei-Fei (2012), and draw and work as the project's own do once enough of their
    drawings were judged. Until then a question takes the seconds that they give for a box, which is cautious. Beside
    the rules that are named: two who draw at once, whose agreement needs no judge, and leads of two judges.
    """
    from holotype.simulation.box_fitting import fit_drawers
    from holotype.simulation.box_rehearsal import Wage, made_pictures, rehearse_boxes
    from holotype.simulation.scenes import ILSVRC, Scenes

    with api.open(project) as db:
        history = db.boxes.history()
        usual = per_image or history.per_image
        scenes = Scenes.of(min(10.0, usual)) if usual else ILSVRC
        pictures = made_pictures(images, scenes, seed) if images else db.boxes.pictures(query, under, scenes)
    if not pictures:
        raise click.ClickException(
            "there is no image to rehearse with: label some, or say how many there would be (--images 1000)"
        )
    named = Rules(quality or _DEFAULT.quality, coverage or _DEFAULT.coverage)
    several = {"rules": named, "two draw": Rules(draws=2), "leads of two": Rules(Lead(2, 7), Lead(2, 7))}
    people, cost = fit_drawers(history), Wage(float(wage))
    found = {name: rehearse_boxes(pictures[:_MOST], rules, people, seed) for name, rules in several.items()}
    if as_json:
        print_json({"images": len(pictures), "rehearsals": [_values(one, cost) for one in found.values()]})
        return
    _print(found, pictures, history, cost)


def _values(one: BoxRehearsal, wage: Wage) -> dict[str, object]:
    values = dataclasses.asdict(one) | {"dollars": wage.dollars(one.seconds), "seconds_a_box": one.seconds_a_box}
    values["questions"] = {str(kind): count for kind, count in one.questions.items()}
    values["score"] |= {"coverage": one.score.coverage, "accuracy": one.score.accuracy}
    return {name: None if value != value else value for name, value in values.items()}


def _print(found: dict[str, BoxRehearsal], pictures: Sequence[Picture], history: BoxHistory, wage: Wage) -> None:
    from holotype.simulation.box_fitting import ENOUGH

    own = history.judged >= ENOUGH
    click.echo(
        f"simulated people are like the project's own, {history.good / history.judged:.0%} of whose drawings are good"
        if own
        else "simulated people are those of Su, Deng and Fei-Fei (2012): too few drawings here were judged to tell"
    )
    whole = len(pictures) / min(len(pictures), _MOST)
    if whole > 1:
        click.echo(f"figures are those of the first {_MOST:,} images, for all {len(pictures):,}")
    rows = [(name, *_cells(one, wage, whole)) for name, one in found.items()]
    columns = ("", "boxes", "drawings", "judged", "coverage", "hours", "$", "s a box", "covered", "accurate", "person")
    print_table(f"boxes of {counted(len(pictures), 'image')}", columns, rows)


def _cells(one: BoxRehearsal, wage: Wage, whole: float) -> list[str]:
    asked = [f"{one.questions[kind] * whole:,.0f}" for kind in (Kind.DRAW, Kind.QUALITY, Kind.COVERAGE)]
    seconds = one.seconds * whole
    return [
        f"{one.score.boxes * whole:,.0f}",
        *asked,
        f"{seconds / 3600:,.1f}",
        f"{wage.dollars(seconds):,.2f}",
        f"{one.seconds_a_box:.0f}",
        f"{one.score.coverage:.1%}",
        f"{one.score.accuracy:.1%}",
        f"{one.person * whole:,.0f}",
    ]
