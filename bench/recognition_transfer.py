"""Transfer, on the real images: probes, partitions, losses that know the hierarchy, and finetuning.

Learned, and settings chosen, on the training images alone; reported on those of validation, which no network has seen.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.benchmark import evaluate
from holotype.benchmark.tasks import CLASSIFICATION
from holotype.ontology import Ontology, load_wordnet
from holotype.recognition.judging import guessed, judged
from holotype.recognition.partition import Partition, counts_of, partition
from holotype.recognition.probing import By, Known, accuracy, known, probe
from holotype.releases.loaders import Samples
from real_images import COARSE, coarse_class, coarsely, images

NETWORKS: Final = ("efficientnet_lite0", "efficientnet_lite2")
SIZES: Final = (5, 10, 20, 40, 80)
BOTH: Final[tuple[By, ...]] = ("linear", "knn")
SMALL: Final = 96
DISTANCE: Final = "average hierarchical distance@5"


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """The images of one part that are of a coarse class: with their own labels, with coarse ones, and features."""

    fine: Samples
    coarse: Samples
    features: npt.NDArray[np.float32]


def halves(name: str, ontology: Ontology) -> dict[str, Half]:
    """The training and the validation images, as a network with published weights sees them."""
    from holotype.recognition.networks.features import features
    from holotype.recognition.networks.models import create_model

    network, found = create_model(name, weights="pretrained"), {}
    for part in ("train", "val"):
        whole = images(part)
        named = [coarse_class(wnid, ontology) for wnid in whole.classes]
        fine = whole.take(np.flatnonzero([named[label] != "" for label in whole.labels]))
        found[part] = Half(fine, coarsely(whole, ontology), features(network, fine).rows)
    return found


def rows() -> Iterator[tuple[str, str]]:
    """What was measured, and the figure."""
    ontology = load_wordnet()
    better = []
    for name in NETWORKS:
        seen = halves(name, ontology)
        yield from _probes(name, seen)
        for size in SIZES:
            for what, summed, alone in _partitions(name, seen, size, ontology):
                better.append((size >= 10, summed > alone))
                yield what, f"{summed:.3f} summed up, {alone:.3f} by the likeliest class alone"
        if name == NETWORKS[0]:
            yield from _losses(name, seen, ontology)
    for told, which in (("10 images a class or more", True), ("5 images a class", False)):
        some = [one for enough, one in better if enough == which]
        yield f"summing beats the likeliest class alone, at most {told}", f"{sum(some)} of {len(some)} settings"
    yield from _finetuned(ontology)


def _probes(name: str, seen: dict[str, Half]) -> Iterator[tuple[str, str]]:
    train, test = (known(one.features, one.coarse) for one in (seen["train"], seen["val"]))
    for by in BOTH:
        found = probe(train, by=by)
        right = accuracy(found.probe.probabilities(test.features), test.labels)
        yield f"{name}, {by}, {len(COARSE)} coarse classes, {len(test.labels)} val images", f"{right:.3f}"


def _partitions(name: str, seen: dict[str, Half], size: int, ontology: Ontology) -> Iterator[tuple[str, float, float]]:
    fine, test = seen["train"].fine, known(seen["val"].features, seen["val"].coarse)
    parts = partition(ontology, counts_of(fine), size)
    shares = parts.shares_of(_coarse(parts, ontology), test.classes)
    train = known(seen["train"].features, parts.relabelled(fine))
    for by in BOTH:
        found = probe(train, by=by, shares=shares)
        said = found.probe.probabilities(test.features)
        summed = accuracy(said @ shares, test.labels)
        alone = accuracy(shares[said.argmax(axis=1)], test.labels)
        yield f"{name}, {by}, {len(parts.classes)} classes of at most {size} images, {found.setting}", summed, alone


def _coarse(parts: Partition, ontology: Ontology) -> dict[str, str]:
    return {wnid: coarse_class(wnid, ontology) for wnid in parts.synsets}


def _losses(name: str, seen: dict[str, Half], ontology: Ontology) -> Iterator[tuple[str, str]]:
    """A last layer learned on features, by losses that differ in nothing else."""
    from holotype.recognition.hierarchy import marginals
    from holotype.recognition.networks.extra import torch
    from holotype.recognition.networks.hierarchical_losses import MarginalLoss

    parts = partition(ontology, counts_of(seen["train"].fine), 10)
    train = known(seen["train"].features, parts.relabelled(seen["train"].fine))
    asked = seen["val"].fine
    held = asked.take(np.flatnonzero([asked.classes[label] in parts.of for label in asked.labels]))
    test = parts.relabelled(held)
    place = {one: number for number, one in enumerate(asked.ids.to_pylist())}
    features = seen["val"].features[[place[one] for one in test.ids.to_pylist()]]
    hierarchy = marginals(parts.classes, ontology)
    losses: dict[str, Callable[[Any, Any], Any]] = {"cross-entropy": torch.nn.CrossEntropyLoss()}
    losses |= {f"marginal loss, decay {decay:g}": MarginalLoss(hierarchy, decay) for decay in (0.1, 0.2, 0.5)}
    for told, loss in losses.items():
        scores = _learned(train, features, loss)
        truth, guesses = judged(guessed(scores, test, ()), test, ontology)
        ((result,), _, _) = evaluate(CLASSIFICATION, truth, [guesses], resamples=10)
        figures = (f"{result[metric].value:.3f}" for metric in ("top-1 error", DISTANCE))
        what = f"{name}, last layer by {told}, {len(parts.classes)} classes, {len(test)} val images"
        yield what, "top-1 error {}, mean distance of five guesses {}".format(*figures)


def _learned(train: Known, features: npt.NDArray[np.float32], loss: Callable[[Any, Any], Any]) -> Any:
    """The probabilities of features, by a layer that was learned on others."""
    from holotype.recognition.networks.extra import torch

    mean, spread = train.features.mean(axis=0), train.features.std(axis=0) + 1e-6
    inputs, targets = torch.from_numpy((train.features - mean) / spread), torch.from_numpy(train.labels)
    layer = torch.nn.Linear(inputs.shape[1], len(train.classes))
    torch.nn.init.zeros_(layer.weight)
    torch.nn.init.zeros_(layer.bias)
    optimizer = torch.optim.AdamW(layer.parameters(), lr=1e-3)
    for _ in range(300):
        optimizer.zero_grad()
        loss(layer(inputs), targets).backward()
        optimizer.step()
    with torch.no_grad():
        return layer(torch.from_numpy((features - mean) / spread)).softmax(1).numpy()


def _finetuned(ontology: Ontology) -> Iterator[tuple[str, str]]:
    from holotype.recognition.networks.finetuning import finetune, sized
    from holotype.recognition.networks.models import create_model
    from holotype.recognition.recipes import FINETUNE
    from holotype.recognition.schedules import Sizes

    train, val = (coarsely(images(part), ontology) for part in ("train", "val"))
    recipe = replace(FINETUNE, epochs=5, batch_size=64, sizes=Sizes(SMALL))
    for weights, freeze in (("pretrained", "none"), ("pretrained", "bn"), ("pretrained", "backbone"), ("", "none")):
        network = create_model(NETWORKS[0], weights=weights)
        sized(network, SMALL)
        with tempfile.TemporaryDirectory() as folder:
            trained = finetune(
                network, train, Path(folder) / "run", ontology=ontology, recipe=recipe, val=val, freeze=freeze
            )
        begun = f"published weights, frozen: {freeze}" if weights else "random weights"
        what = f"{NETWORKS[0]} finetuned, {SMALL} pixels, {recipe.epochs} epochs, {begun}"
        yield what, f"{trained.ran.scores['top1']:.3f}"


if __name__ == "__main__":
    for what, figure in rows():
        print(f"{what:<100} {figure}", flush=True)
