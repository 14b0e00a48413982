"""Which classes a network or a classifier learns, as commands are told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import click

from holotype.benchmark import Result
from holotype.cli.recognition_data import Data
from holotype.recognition.relabelling import under
from holotype.releases.loaders import Samples

_TOP1: Final = "top-1 error"

classes_option = click.option(
    "--classes",
    "tops",
    multiple=True,
    metavar="SYNSET",
    help="Tell these apart, each with all below it; several times.  [default: what the images are labelled with]",
)
class_size_option = click.option(
    "--max-class-size",
    "max_size",
    type=click.IntRange(min=1),
    metavar="IMAGES",
    help="Learn finer classes, a partition of the hierarchy with at most so many images each, and sum them up.",
)


def samples_among(data: Data, tops: Sequence[str]) -> Callable[[str, Sequence[str]], Samples]:
    """Gives the samples of a split, those under some synsets: labelled as they are, or by some classes."""
    wnids = [data.ontology.resolve(top).wnid for top in tops]

    def asked(split: str, below: Sequence[str]) -> Samples:
        found = data.samples(split, below)
        return under(found, wnids, data.ontology) if wnids else found

    return asked


def print_summed(summed: Result, alone: Result) -> None:
    """Say what summing finer classes up is worth, beside the likeliest of them alone."""
    errors = [f"{one[_TOP1].value:.3f}" for one in (summed, alone)]
    click.echo(f"finer classes summed up have an error of {errors[0]}, the likeliest of them alone has {errors[1]}")
