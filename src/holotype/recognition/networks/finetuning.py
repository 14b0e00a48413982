"""Training a network that knows other classes: what of it learns, on which classes, and by which loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from holotype.engine import Progress, no_progress
from holotype.errors import RecognitionError
from holotype.files import write_atomically
from holotype.ontology import Ontology
from holotype.recognition.hierarchy import levels, marginals
from holotype.recognition.judging import guessed
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.features import outputs
from holotype.recognition.networks.hierarchical_losses import DECAY, MarginalLoss, SemanticSoftmax
from holotype.recognition.networks.losses import Loss
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.training import Trained, train
from holotype.recognition.partition import PARTITION, Partition, counts_of, partition
from holotype.recognition.predictions import Predictions
from holotype.recognition.recipes import FINETUNE, Recipe
from holotype.recognition.relabelling import relabelled
from holotype.releases.loaders import Samples

Hierarchical = Literal["none", "marginal", "semantic"]
HIERARCHICAL: Final[tuple[Hierarchical, ...]] = ("none", "marginal", "semantic")


@dataclass(frozen=True, slots=True)
class Transfer:
    """What of the hierarchy a network is taught.

    With a `max_size` its classes are a partition of the images' own, of so many images at most (see
    `holotype.recognition.partition`). The loss is the recipe's, or one that knows what is above the classes:
    ``marginal``, with `decay`, or ``semantic`` (see `holotype.recognition.networks.hierarchical_losses`).
    """

    hierarchical: Hierarchical = "none"
    decay: float = DECAY
    max_size: int | None = None

    def __post_init__(self) -> None:
        if self.hierarchical not in HIERARCHICAL:
            raise ValueError(f"hierarchical is one of {', '.join(HIERARCHICAL)}, not {self.hierarchical!r}")

    def value(self) -> dict[str, str]:
        """This, as what a run's description says beside its source."""
        by_depth = {"decay": f"{self.decay:g}"} if self.hierarchical == "marginal" else {}
        small = {} if self.max_size is None else {"classes of at most": f"{self.max_size} images"}
        return {"hierarchical": self.hierarchical, **by_depth, **small}


@dataclass(frozen=True, slots=True, eq=False)
class Taught:
    """What a network is shown and by which `loss`, None for the recipe's; with the `partition` where there is one."""

    samples: Samples
    val: Samples | None
    loss: Loss | None
    partition: Partition | None

    def keep(self, out: Path) -> None:
        """Leave the partition, where there is one, in the folder of a run."""
        if self.partition is not None:
            write_atomically(out / PARTITION, json.dumps(self.partition.value()).encode())


def taught(samples: Samples, val: Samples | None, ontology: Ontology, recipe: Recipe, transfer: Transfer) -> Taught:
    """What a network is taught of samples whose classes are of an ontology.

    Of `val` those are left out whose classes have no images to learn from, where there is a partition. Raises
    `UnknownSynset` for a class that is not in the ontology.
    """
    parts = None
    if transfer.max_size is not None:
        parts = partition(ontology, counts_of(samples), transfer.max_size)
        of = parts.of
        samples, val = relabelled(samples, of), None if val is None else relabelled(val, of)
    return Taught(samples, val, _loss(samples.classes, ontology, recipe, transfer), parts)


def _loss(classes: tuple[str, ...], ontology: Ontology, recipe: Recipe, transfer: Transfer) -> Loss | None:
    match transfer.hierarchical:
        case "marginal":
            loss: Loss = MarginalLoss(marginals(classes, ontology), transfer.decay, recipe.smoothing)
            return loss
        case "semantic":
            loss = SemanticSoftmax(levels(classes, ontology), recipe.smoothing)
            return loss
        case "none":
            return None


def finetune(
    network: Network,
    samples: Samples,
    out: Path,
    *,
    ontology: Ontology,
    recipe: Recipe = FINETUNE,
    val: Samples | None = None,
    transfer: Transfer = Transfer(),
    source: Mapping[str, str] | None = None,
    seed: int = 0,
    **training: Any,
) -> Trained:
    """Train a network, which knows other classes, on those of samples, in a folder that becomes a run.

    It gets a new head, drawn by `seed`, unless it has just those classes. All else is as in
    `holotype.recognition.networks.training.train`, to which `training` is given: ``freeze`` says what does not learn,
    the ``backbone``, all but the head, or the statistics and slopes of its batch norms, ``bn``. The folder also has
    ``partition.json`` where there is one, which `holotype.recognition.partition.read_partition` reads. Raises what
    `train` raises, and `UnknownSynset`.
    """
    what = taught(samples, val, ontology, recipe, transfer)
    fit_head(network, what.samples.classes, seed)
    about = {**(source or {}), **transfer.value()}
    trained = train(
        what.samples, network, recipe, out, val=what.val, loss=what.loss, source=about, seed=seed, **training
    )
    if trained.ran.finished:
        what.keep(out)
    return trained


def fit_head(network: Network, classes: tuple[str, ...], seed: int = 0) -> None:
    """Give a network a new head for classes, wnids in class order, unless it has just those."""
    if network.classes != classes:
        network.reset_head(classes, torch.Generator().manual_seed(seed))


def sized(network: Network, size: int) -> None:
    """Have a network be shown, and scored on, pictures of another size, with as much of them left out."""
    shown = network.preprocessing
    network.preprocessing = replace(shown, size=size, resize=max(size, round(shown.resize * size / shown.size)))


def summed_up(
    network: Network, parts: Partition, samples: Samples, device: str = "auto", progress: Progress = no_progress
) -> tuple[Predictions, Predictions]:
    """What a network that was trained on a partition says of samples of higher classes: the sums of its probabilities,
    and, beside them, the likeliest of its classes alone.

    Raises `RecognitionError` where the network has other classes than the partition.
    """
    if network.classes != parts.classes:
        raise RecognitionError(f"{network.name} does not tell the classes of this partition apart")
    made = outputs(network, samples, device, progress=progress)
    finest = torch.from_numpy(made.rows).double().softmax(1).numpy()
    shares = parts.shares(samples.classes)
    damaged = [one.id for one in made.damaged]
    alone = guessed(shares[finest.argmax(axis=1)], samples, damaged)
    return guessed(finest @ shares, samples, damaged), alone
