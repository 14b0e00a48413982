"""The command that trains networks which know other classes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from holotype.benchmark import evaluate
from holotype.benchmark.tasks import CLASSIFICATION
from holotype.cli.classes import class_size_option, classes_option, print_summed, samples_among
from holotype.cli.evaluate import print_result
from holotype.cli.learning import LearningOptions, learn, learning_options, out_option
from holotype.cli.networks import model_argument, trained_network, weights_option
from holotype.cli.options import project_option
from holotype.cli.recognition_data import Data, DataOptions, data_options
from holotype.files import write_atomically
from holotype.recognition.judging import judged
from holotype.recognition.partition import Partition
from holotype.recognition.relabelling import those_in
from holotype.releases.loaders import Samples

if TYPE_CHECKING:
    from holotype.recognition.networks.finetuning import Transfer
    from holotype.recognition.networks.network import Network

SUMMED: Final = "summed.json"
"""What the file of a run is called that has the scores of finer classes summed up."""


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """What of a network learns, what it is taught, and from which images."""

    split: str
    val: str
    under: tuple[str, ...]
    tops: tuple[str, ...]
    max_size: int | None
    freeze: str
    hierarchy: str
    decay: float

    def transfer(self) -> Transfer:
        """What of the hierarchy the network is taught."""
        from holotype.recognition.networks.finetuning import Transfer

        return Transfer(self.hierarchy, self.decay, self.max_size)  # type: ignore[arg-type]  # click checked it


_OPTIONS: Final = (
    click.option("--split", default="train", show_default=True, metavar="NAME", help="What is learned from."),
    click.option("--val", default="val", show_default=True, metavar="SPLIT", help="What is scored; '' for nothing."),
    click.option("--under", multiple=True, metavar="SYNSET", help="Only images of these subtrees; several times."),
    classes_option,
    class_size_option,
    click.option(
        "--freeze",
        type=click.Choice(["none", "backbone", "bn"]),
        default="none",
        show_default=True,
        help="What does not learn: nothing, all but the last layer, or the batch norms.",
    ),
    click.option(
        "--hierarchy",
        type=click.Choice(["none", "marginal", "semantic"]),
        default="none",
        show_default=True,
        help="A loss that knows what is above the classes.",
    ),
    click.option(
        "--decay",
        type=click.FloatRange(min=0),
        default=0.1,
        show_default=True,
        help="How much more the marginal loss counts what is higher up.",
    ),
)


def transfer_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of transfer, which it gets as one `TransferOptions`, called `asked`."""
    names = tuple(TransferOptions.__dataclass_fields__)

    @wraps(command)
    def packed(*arguments: Any, **given: Any) -> None:
        asked = TransferOptions(**{name: given.pop(name) for name in names})
        command(*arguments, asked=asked, **given)

    for option in reversed(_OPTIONS):
        packed = option(packed)
    return packed


@click.command("finetune", context_settings={"default_map": {"recipe": "finetune"}})
@model_argument
@data_options
@transfer_options
@weights_option
@out_option
@learning_options
@project_option
def finetune(
    model: str,
    data: DataOptions,
    asked: TransferOptions,
    weights: str,
    out: Path,
    learning: LearningOptions,
    project: Path,
) -> None:
    """Train MODEL, which knows other classes, on those of a release.

    It begins with what it knows, but for its last layer, which is a new one. Finer classes that --max-class-size makes
    are summed up to those of --classes in the end, and that is scored.
    """
    recipe = learning.followed()
    with data.opened(project) as given:
        train, val = _shown(given, asked, asked.split), _shown(given, asked, asked.val) if asked.val else None
        network = trained_network(model, weights)
        from holotype.recognition.networks.finetuning import fit_head, sized, taught

        if learning.size is not None:
            sized(network, learning.size)
        what = taught(train, val, given.ontology, recipe, asked.transfer())
        fit_head(network, what.samples.classes, learning.seed)
        source = {**given.source, **asked.transfer().value()}
        learn(
            network, what.samples, what.val, recipe, out, learning, freeze=asked.freeze, loss=what.loss, source=source
        )
        what.keep(out)
        if what.partition is not None and asked.tops and asked.val:
            scored = samples_among(given, asked.tops)(asked.val, asked.under)
            _sum_up(network, what.partition, scored, out, learning)


def _shown(data: Data, asked: TransferOptions, split: str) -> Samples:
    """The images of a split as they are labelled; or by --classes, where no finer classes are to be learned."""
    among = samples_among(data, asked.tops)(split, asked.under)
    return among if asked.max_size is None else those_in(data.samples(split, asked.under), among)


def _sum_up(network: Network, parts: Partition, samples: Samples, out: Path, learning: LearningOptions) -> None:
    """Score what finer classes say of their sums; the first of several processes does."""
    if os.environ.get("RANK", "0") != "0" or not len(samples):
        return
    from holotype.recognition.networks.finetuning import summed_up

    found = summed_up(network, parts, samples, learning.device)
    read = [judged(one, samples, parts.ontology) for one in found]
    (summed, alone), _, _ = evaluate(CLASSIFICATION, read[0][0], [guesses for _, guesses in read])
    value = {"summed up": summed.value(), "the likeliest alone": alone.value()}
    write_atomically(out / SUMMED, json.dumps(value, indent=1).encode())
    if not learning.as_json:
        print_result(summed)
        print_summed(summed, alone)
