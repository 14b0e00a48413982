"""The command that trains networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from holotype.cli.learning import LearningOptions, learn, learning_options, out_option
from holotype.cli.networks import model_argument
from holotype.cli.options import project_option
from holotype.cli.recognition_data import DataOptions, data_options

if TYPE_CHECKING:
    from holotype.recognition.networks.network import Network


@click.command("train")
@model_argument
@data_options
@click.option("--under", multiple=True, metavar="SYNSET", help="Only images of its subtree; several times.")
@click.option("--split", default="train", show_default=True, help="What is learned from.")
@click.option("--val", default="val", show_default=True, metavar="SPLIT", help="What is scored; '' for nothing.")
@click.option(
    "--weights",
    default="",
    metavar="NAME|FILE",
    help="Begin with these: pretrained, one of torchvision's sets by name, or a file.",
)
@click.option(
    "--init", type=click.Choice(["he", "xavier", "gaussian"]), help="Begin with weights that are drawn by a rule."
)
@click.option("--freeze", type=click.Choice(["none", "backbone", "bn"]), default="none", help="What does not learn.")
@out_option
@learning_options
@project_option
def train(
    model: str,
    data: DataOptions,
    under: tuple[str, ...],
    split: str,
    val: str,
    weights: str,
    init: str | None,
    freeze: str,
    out: Path,
    learning: LearningOptions,
    project: Path,
) -> None:
    """Train the network MODEL on a release, or on a dataset where it lies."""
    if weights and init:
        raise click.UsageError("--weights are given, and --init draws them: say one of them")
    recipe = learning.followed()
    with data.opened(project) as opened:
        samples = opened.samples(split, under)
        scored = opened.samples(val, under) if val else None
        network = _network(model, samples.classes, weights, init, learning.seed)
        learn(network, samples, scored, recipe, out, learning, freeze=freeze, source=opened.source)


def _network(model: str, classes: tuple[str, ...], weights: str, init: str | None, seed: int) -> Network:
    from holotype.recognition.networks.initialising import initialise
    from holotype.recognition.networks.models import create_model

    network = create_model(model, classes, weights, seed)
    if init is not None:
        initialise(network, init, seed)  # type: ignore[arg-type]
    return network
