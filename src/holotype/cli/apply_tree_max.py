"""The command that tells what images show on every level of the hierarchy."""

from __future__ import annotations

from pathlib import Path

import click

from holotype.cli.apply_options import Application, application_options
from holotype.cli.networks import asked_options, networks_here, trained_network
from holotype.cli.options import json_option, project_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import DataOptions, data_options
from holotype.recognition.described import Describe, by_gradients, by_words
from holotype.recognition.heights import TREE_MAX, tree_max
from holotype.recognition.tree_max import ESTIMATORS, Estimator, Schooling

GRADIENTS = "gradients"
WORDS = "words"


@click.command("tree-max")
@data_options
@application_options
@click.option(
    "--features",
    default=GRADIENTS,
    show_default=True,
    metavar="gradients|words|MODEL",
    help="What images are told by: gradients and colours, visual words of SIFT, or what a network makes of them.",
)
@click.option(
    "--estimator",
    type=click.Choice(ESTIMATORS),
    default="adaboost",
    show_default=True,
    help="The classifier of a synset: boosted stumps as in the paper, or logistic regression.",
)
@click.option(
    "--least", default=20, show_default=True, type=click.IntRange(1), help="Synsets of so many images have one."
)
@click.option(
    "--negatives", default=10, show_default=True, type=click.IntRange(1), help="Negatives are so many of each class."
)
@click.option("--seed", default=0, show_default=True, help="Which negatives are drawn.")
@asked_options
@project_option
@json_option
def tree_max_command(
    data: DataOptions,
    asked: Application,
    features: str,
    estimator: Estimator,
    least: int,
    negatives: int,
    seed: int,
    weights: str,
    device: str,
    batch_size: int,
    project: Path,
    as_json: bool,
) -> None:
    """Tell what images show on every level of the hierarchy, by the surest classifier of a subtree.

    Deng et al. 2009, section 4.2. Beside stands what the classifier of a synset says alone; both are scored by the
    height of synsets in the hierarchy.
    """
    asked.check(TREE_MAX)
    describe = _describe(features, weights, device, batch_size, seed)
    schooling = Schooling(estimator, least, negatives, seed)
    with data.opened(project) as opened, bars(()) as advance:
        train, tests = asked.samples(opened)
        source = {**asked.source(opened), "features": features, **({"weights": weights} if weights else {})}
        found = tree_max(train, tests, opened.ontology, describe, schooling, source, advance)
    asked.tell(found, as_json)


def _describe(features: str, weights: str, device: str, batch_size: int, seed: int) -> Describe:
    """What describes images. Raises `RecognitionError` where there is no such network."""
    if features == GRADIENTS:
        return by_gradients
    if features == WORDS:
        return by_words(seed=seed)
    network = trained_network(features, weights)
    with networks_here():
        from holotype.recognition.networks.describing import by_network
    return by_network(network, device, batch_size)
