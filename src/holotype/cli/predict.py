"""The command that has a network guess."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from holotype.cli.networks import asked_options, model_argument, trained_network
from holotype.cli.options import project_option
from holotype.cli.progress import bars
from holotype.cli.recognition_data import DataOptions, data_options
from holotype.cli.text import counted
from holotype.recognition.predictions import folded


@click.command("predict")
@model_argument
@data_options
@click.option("--split", default="val", show_default=True, metavar="NAME", help="Whose images.")
@click.option("--under", multiple=True, metavar="SYNSET", help="Only images of these subtrees; several times.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where to write: .csv has five guesses an image, .npz the probability of every class.",
)
@click.option(
    "--views",
    type=click.Choice(["1", "10", "dense"]),
    default="1",
    show_default=True,
    help="What is shown of a picture: its centre, ten crops, or all of it.",
)
@asked_options
@project_option
def predict(
    model: str,
    data: DataOptions,
    split: str,
    under: Sequence[str],
    out: Path,
    views: str,
    weights: str,
    device: str,
    batch_size: int,
    project: Path,
) -> None:
    """Have MODEL guess what images show, as a file that can be scored.

    MODEL is the folder of a run, or a network by name, as `holotype models` lists them, with published weights. Where
    its classes are others than those of the images, the probability of each of theirs is the sum of those under it, and
    what is under none of them does not compete.
    """
    if out.suffix not in (".csv", ".npz"):
        raise click.UsageError(f"--out is a .csv of guesses or an .npz of scores, not {out.name}")
    with data.opened(project) as given, bars(("images",)) as advance:
        samples = given.asked(split, under)
        network = trained_network(model, weights)
        from holotype.recognition.networks.predicting import predict as ask

        same = network.classes in ((), samples.classes)
        fold = None if same else folded(network.classes, samples.classes, given.ontology)
        found = ask(
            network,
            samples,
            views=views,  # type: ignore[arg-type]  # click checked it
            scores=out.suffix == ".npz",
            fold=fold,
            classes=samples.classes if fold is not None else (),
            device=device,
            batch_size=batch_size,
            progress=lambda done, total: advance("images", done, total),
        )
    found.write(out)
    if fold is not None:
        click.echo(_folded(fold))
    asked = len(found.images) - len(found.damaged)
    click.echo(f"{counted(len(found.images), 'image')} = {asked:,} guessed + {len(found.damaged):,} damaged: {out}")
    if not under:  # the benchmark takes no file of some of the images
        there = "" if project == Path() else f" -p {shlex.quote(str(project))}"
        click.echo(f"score it with: holotype evaluate {shlex.quote(str(out))} {data.named()} --split {split}{there}")


def _folded(fold: np.ndarray) -> str:
    """What became of the classes of a network that are others than those that are asked about.

    >>> _folded(np.array([[1, 0], [1, 0]]))
    "2 of the network's 2 classes are summed up to 1 of 2; 1 of these are never guessed"
    """
    kept, asked = int(fold.any(1).sum()), int(fold.any(0).sum())
    told = f"{kept:,} of the network's {counted(len(fold), 'class', 'classes')} are summed up to {asked:,} of "
    told += f"{fold.shape[1]:,}"
    if kept < len(fold):
        told += f"; {len(fold) - kept:,} are under none of them and do not compete, which makes it easier"
    return told if asked == fold.shape[1] else f"{told}; {fold.shape[1] - asked:,} of these are never guessed"
