"""The command that scores predictions."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from holotype.benchmark import Scores
from holotype.benchmark.evaluate import evaluate
from holotype.cli.named_release import opened_release
from holotype.cli.options import json_option, project_option
from holotype.cli.tables import print_table
from holotype.cli.text import counted, print_json
from holotype.releases import SPLITS


@click.command("evaluate")
@click.argument("predictions", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--release", "name", required=True, metavar="NAME|DIR", help="A release, by name or folder.")
@click.option("--split", default="test", show_default=True, type=click.Choice(SPLITS), help="The split to score.")
@project_option
@json_option
def evaluate_command(predictions: Path, name: str, split: str, project: Path, as_json: bool) -> None:
    """Score PREDICTIONS, a CSV keyed by image id, as ILSVRC does."""
    with opened_release(name, project) as named:
        scores = evaluate(predictions, named.release, named.ontology, split)
    if as_json:
        print_json(dataclasses.asdict(scores))
    else:
        print_scores(scores)


def print_scores(scores: Scores) -> None:
    """The errors with 1 to 5 guesses and their intervals."""
    print_table(
        f"{counted(scores.images, 'image')}; mean and 95 % bootstrap interval",
        ("guesses", "flat error", "hierarchical error"),
        [(k, *pair) for k, pair in enumerate(zip(scores.flat, scores.hierarchical, strict=True), 1)],
    )
