"""Training a classifier by a recipe."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.errors import RecognitionError
from holotype.recognition.curves import draw_curves
from holotype.recognition.networks.classifier import Classifier, Machine
from holotype.recognition.networks.distributed import any_of, joined, shard
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.freezing import Freeze, frozen
from holotype.recognition.networks.losses import Loss, loss_of
from holotype.recognition.networks.network import Network
from holotype.recognition.networks.running import Logged, Plan, Ran, Told, run
from holotype.recognition.networks.shown import Shown
from holotype.recognition.networks.stochastic_depth import dropped_paths
from holotype.recognition.networks.weights import weights_digest, write_weights
from holotype.recognition.recipes import Recipe
from holotype.recognition.runs import NO_SOURCE, WEIGHTS
from holotype.releases.loaders import Damaged, Samples

_ASKED_EVERY: Final = 10
_WORKSPACE: Final = "CUBLAS_WORKSPACE_CONFIG"


@dataclass(frozen=True, slots=True)
class Started:
    """What begins: on how many `images` of `classes`, of which those that are `empty`, by wnid, have none; on which
    `device`, by how many `processes`; how many images all of them are shown a step, its `batch`; and how many residual
    `branches` may be dropped."""

    images: int
    classes: int
    empty: tuple[str, ...]
    device: str
    processes: int
    batch: int
    steps: int
    recipe: Recipe
    branches: int


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """A network that has the weights which are kept, how its run ended, and the damaged images that were left out."""

    network: Network
    ran: Ran
    damaged: tuple[Damaged, ...]


def train(
    samples: Samples,
    network: Network,
    recipe: Recipe,
    out: Path,
    *,
    val: Samples | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    resume: bool = False,
    device: str = "auto",
    seed: int = 0,
    source: Mapping[str, str] = NO_SOURCE,
    freeze: Freeze = "none",
    loss: Loss | None = None,
    at_once: int | None = None,
    workers: int | None = None,
    compile: bool = False,
    deterministic: bool = False,
    minutes: float = 15.0,
    started: Callable[[Started], None] = lambda _: None,
    told: Told = lambda *_: None,
    logged: Logged = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Trained:
    """Train a network on samples of its classes by a recipe, in a folder that becomes a run: ``run.json`` says all that
    it follows from, ``log.jsonl`` has a line for each epoch, ``curves.png`` shows them, ``weights.safetensors`` are
    those of the end, of the average where the recipe asks for one, and `create_model` makes the network of the folder.

    `epochs` and `batch_size` are the recipe's where they are not given; with another batch the learning rate is another
    (`Recipe.scaled`). A batch larger than all images is made as large as they are. The network is scored on `val` after
    each epoch. `source` says where the samples are from. `freeze` says what does not learn (see
    `holotype.recognition.networks.freezing`), `loss` gives the mean loss of outputs ``(n, classes)`` and targets, class
    indices ``(n,)`` or, where the recipe mixes, probabilities ``(n, classes)``. With `at_once` a device is given so
    many pictures of its batch at a time. `workers` threads decode. With `deterministic` a GPU computes the same each
    time, and slower. A checkpoint is written after `minutes`, and after each epoch.

    With `resume` a run in the folder is gone on with, to the same weights, bit for bit on a CPU with as many threads.
    Where ``torchrun`` started several processes they share each batch, and learn what one would; mixing is within each,
    and so are batch norms. Damaged images are left out. `started` is told what begins, `told` of each step,
    `logged` of each line of the log, and where it is `stopping` after a step the run is kept and left.

    Raises `RecognitionError` where that cannot be trained or written, `OtherRun` where the folder holds a run of
    something else, and `Diverged` where loss or gradients are no numbers.
    """
    with joined(device) as there, _computing(there, deterministic):
        place = shard()
        asked = _asked(samples, network, recipe, epochs, batch_size, place[1])
        identity = _identity(samples, network, asked, val, seed, freeze, loss) | {"source": dict(source)}
        network.preprocessing = asked.preprocessing(network.preprocessing)
        shown = Shown(samples, asked, network.preprocessing, seed, there, place, workers)
        for size in {shown.size(0), shown.size(asked.epochs - 1), network.preprocessing.size}:
            _try(network, size)
        with dropped_paths(network.module, asked.drop_path) as branches:
            kept = frozen(network, freeze)
            machine = Machine(there, place, at_once, compile)
            job = Classifier(network, asked, shown, loss or loss_of(asked), machine, kept, val, seed)
            plan = Plan(asked.epochs, minutes, place[0], _together(stopping, place[1], there), logged)
            started(_started(samples, asked, shown, there, place[1], branches))
            ran = run(job, plan, out, identity, resume, told)
        job.settle()
        if place[0] == 0:
            _write(network, out, ran)
        return Trained(network, ran, tuple(shown.damaged.values()))


def _asked(
    samples: Samples, network: Network, recipe: Recipe, epochs: int | None, batch_size: int | None, world: int
) -> Recipe:
    """The recipe as it is followed on these samples. Raises `RecognitionError`."""
    count = len(samples)
    if samples.starts is not None:
        raise ValueError("an image has one label here: give the samples as they were before they were merged")
    if network.classes != samples.classes:
        raise RecognitionError(
            f"the network tells {len(network.classes):,} classes apart, which are not the {len(samples.classes):,} "
            "of the images"
        )
    if not samples.classes:
        raise RecognitionError("these images have no labels to learn from")
    if len(samples.classes) < 2:
        raise RecognitionError("a classifier needs two classes to tell apart; there is one")
    if not count:
        raise RecognitionError("there is no image to learn from")
    if count < world:
        raise RecognitionError(f"there are fewer images, {count:,}, than processes, {world:,}")
    batch = min(batch_size or recipe.batch_size, count // world * world)
    if batch % world:
        raise RecognitionError(f"{world:,} processes cannot share a batch of {batch:,} images evenly")
    return replace(recipe.scaled(batch), epochs=epochs or recipe.epochs)


def _try(network: Network, size: int) -> None:
    """Raises `RecognitionError` where a network cannot be shown pictures of that size."""
    device = next(network.parameters()).device
    try:
        with torch.no_grad():
            network.eval()(torch.zeros((2, 3, size, size), device=device))
    except (RuntimeError, ValueError, AssertionError) as error:
        why = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise RecognitionError(f"{network.name} cannot be shown pictures of {size} pixels: {why}") from error


def _identity(
    samples: Samples,
    network: Network,
    recipe: Recipe,
    val: Samples | None,
    seed: int,
    freeze: Freeze,
    loss: Loss | None,
) -> dict[str, Any]:
    """All that a run's weights follow from."""
    return {
        "job": "classifier",
        "model": network.name,
        "classes": list(network.classes),
        "preprocessing": recipe.preprocessing(network.preprocessing).value(),
        "recipe": recipe.value(),
        "seed": seed,
        "freeze": freeze,
        "loss": "the recipe's" if loss is None else getattr(loss, "__qualname__", type(loss).__qualname__),
        "images": samples.digest(),
        "val": None if val is None else val.digest(),
        "initial": weights_digest(network.module),
    }


def _started(samples: Samples, recipe: Recipe, shown: Shown, device: Any, world: int, branches: int) -> Started:
    found = np.bincount(samples.labels, minlength=len(samples.classes))
    empty = tuple(wnid for wnid, count in zip(samples.classes, found.tolist(), strict=True) if not count)
    return Started(
        len(samples), len(samples.classes), empty, str(device), world, recipe.batch_size, shown.steps, recipe, branches
    )


def _together(stopping: Callable[[], bool], world: int, device: Any) -> Callable[[], bool]:
    """Whether all processes are to stop: as soon as one is told so, and they ask each other, which takes time."""
    if world == 1:
        return stopping
    asked = 0

    def together() -> bool:
        nonlocal asked
        asked += 1
        return asked % _ASKED_EVERY == 0 and any_of(stopping(), device)

    return together


@contextmanager
def _computing(device: Any, deterministic: bool) -> Iterator[None]:
    """Settings of PyTorch's, and its random numbers, which are as before when this ends."""
    backend = torch.backends.cudnn
    before = backend.benchmark, torch.are_deterministic_algorithms_enabled(), os.environ.get(_WORKSPACE)
    backend.benchmark = not deterministic
    if deterministic:
        os.environ.setdefault(_WORKSPACE, ":4096:8")
        torch.use_deterministic_algorithms(True)
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        backend.benchmark = before[0]
        torch.use_deterministic_algorithms(before[1])
        if before[2] is None:
            os.environ.pop(_WORKSPACE, None)


def _write(network: Network, out: Path, ran: Ran) -> None:
    """Leave the curves, and, of a run that is over, its weights. Raises `RecognitionError`."""
    try:
        draw_curves(out)
        if ran.finished:
            write_weights(network.module, out / WEIGHTS)
    except OSError as error:
        raise RecognitionError(f"what the run in {out} has come to could not be written: {error}") from error
