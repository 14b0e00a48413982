"""A detector that learns, step by step, from images with boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

import numpy as np

from holotype.errors import RecognitionError
from holotype.geometry.values import Floats
from holotype.images.flatten import Pixels
from holotype.recognition.boxed import BoxedImages, Instances
from holotype.recognition.networks.detectors import TorchDetector
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.running import At
from holotype.recognition.pictures import looked_at
from holotype.releases.loaders import Damaged, Order
from holotype.releases.loaders.draws import key_of, uniforms

_FLIP: Final = 11
_SAMPLING: Final = 12
_LAST: Final = np.array([0.0, 0, 1, 1])


@dataclass(frozen=True, slots=True)
class DetectorRecipe:
    """How a detector is trained, as torchvision's reference is (``references/detection/train.py``): stochastic gradient
    descent whose learning rate `lr`, for a batch of 16, grows with the batch, rises in `warmup` steps, and is a tenth
    after each of the `drops`, parts of the run; half of the pictures are mirrored."""

    epochs: int = 26
    batch_size: int = 16
    lr: float = 0.02
    momentum: float = 0.9
    weight_decay: float = 1e-4
    warmup: int = 1000
    drops: tuple[float, ...] = (16 / 26, 22 / 26)

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of a step of a run of so many.

        >>> recipe = DetectorRecipe(batch_size=8, warmup=10)
        >>> [round(recipe.rate(step, 1000), 6) for step in (0, 9, 10, 700, 900)]
        [0.001, 0.01, 0.01, 0.001, 0.0001]
        """
        warm = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        dropped = sum(step >= drop * steps for drop in self.drops)
        return float(self.lr * self.batch_size / 16 * warm * 0.1**dropped)

    def value(self) -> dict[str, Any]:
        """This, of values that JSON has."""
        return asdict(self) | {"drops": list(self.drops)}


@dataclass(frozen=True, slots=True)
class Shown:
    """Pictures of a batch, ``(3, height, width)`` each, and the boxes and labels of each, as torchvision wants them."""

    pictures: list[Any]
    targets: list[dict[str, Any]]


class DetectorJob:
    """A job of `holotype.recognition.networks.running.run`: which pictures a step sees, which of them are mirrored and
    which proposals it samples follows from `seed`, epoch and step."""

    def __init__(
        self,
        detector: TorchDetector,
        images: BoxedImages,
        recipe: DetectorRecipe,
        seed: int = 0,
        score: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        self._detector, self._images, self._recipe, self._seed, self._score = detector, images, recipe, seed, score
        learning = [one for one in detector.parameters() if one.requires_grad]
        self._optimizer = torch.optim.SGD(
            learning, recipe.lr, momentum=recipe.momentum, weight_decay=recipe.weight_decay
        )
        self.damaged: dict[str, Damaged] = {}
        """The damaged images that were left out, by id."""

    def steps(self, epoch: int) -> int:  # noqa: ARG002
        """How many steps an epoch has."""
        return -(-len(self._images) // self._recipe.batch_size)

    def batches(self, epoch: int, first: int) -> Iterator[Shown]:
        """What the steps of an epoch are shown, from `first` on; damaged pictures are left out of their batch."""
        size = self._recipe.batch_size
        order = Order().of(len(self._images), self._seed, epoch)[first * size :]
        mirrored = uniforms(key_of(self._seed, epoch, _FLIP), order, 1)[:, 0] < 0.5
        with closing(looked_at(self._images.samples, order.tolist(), lambda pixels: pixels)) as looked:
            for start in range(0, len(order), size):
                some = mirrored[start : start + size].tolist()
                yield self._shown(zip(islice(looked, len(some)), some, strict=True))

    def _shown(self, looked: Iterable[tuple[tuple[int, Any], bool]]) -> Shown:
        shown = Shown([], [])
        for (number, pixels), mirrored in looked:
            if isinstance(pixels, Damaged):
                self.damaged[pixels.id] = pixels
                continue
            seen, target = as_shown(pixels, self._images.of(number), mirrored)
            shown.pictures.append(self._detector.looked(seen))
            shown.targets.append(target)
        return shown

    def step(self, batch: Shown, at: At) -> Mapping[str, Any]:
        """Learn from a batch: the losses of the detector, and their sum."""
        there = self._detector.device
        if not batch.pictures:
            return {"loss": torch.zeros((), device=there)}
        rate = self._recipe.rate(at.total, self._recipe.epochs * self.steps(at.epoch))
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._detector.train()
        with torch.random.fork_rng(devices=[there] if there.type == "cuda" else []):
            torch.manual_seed(key_of(self._seed, at.epoch, at.step, _SAMPLING) >> 1)
            targets = [{name: one.to(there) for name, one in target.items()} for target in batch.targets]
            losses = self._detector.module([picture.to(there) for picture in batch.pictures], targets)
        loss = sum(losses.values())
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._optimizer.step()
        return {"loss": loss.detach(), **{name: one.detach() for name, one in losses.items()}}

    def scored(self, epoch: int) -> Mapping[str, float]:
        """What the detector is worth. Raises `RecognitionError` where no picture was sound."""
        if epoch == 0 and len(self.damaged) == len(self._images):
            raise RecognitionError(f"none of {len(self._images):,} images is sound")
        return self._score()

    def state(self) -> dict[str, Any]:
        """The weights, and what the optimizer remembers."""
        return {"module": self._detector.module.state_dict(), "optimizer": self._optimizer.state_dict()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Become what had that state."""
        self._detector.module.load_state_dict(state["module"])
        self._optimizer.load_state_dict(state["optimizer"])


def as_shown(pixels: Pixels, instances: Instances, mirrored: bool) -> tuple[Pixels, dict[str, Any]]:
    """A picture and what torchvision wants to know of it: ``boxes`` between pixels, and ``labels``, from 1. Crowds are
    left out, and so is what of a box lies outside of the picture."""
    height, width = pixels.shape[:2]
    within = clipped(instances.corners[~instances.crowd], width, height)
    if mirrored:
        pixels, within = pixels[:, ::-1], within[:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [width, 0, width, 0]
    labels = torch.from_numpy(instances.label[~instances.crowd] + 1)
    return pixels, {"boxes": torch.from_numpy(within.astype(np.float32)), "labels": labels}


def clipped(corners: Floats, width: int, height: int) -> Floats:
    """Boxes of inclusive pixels as edges between pixels, within a picture, a pixel wide and high at least."""
    edges = corners + _LAST
    first = np.clip(edges[:, :2], 0, [width - 1, height - 1])
    return np.concatenate([first, np.clip(edges[:, 2:], first + 1, [width, height])], axis=1)
