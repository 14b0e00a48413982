"""What the steps of a training run are shown: it follows from recipe, seed, epoch and step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from holotype.recognition.networks.augmenting import OnDevice
from holotype.recognition.preprocessing import Preprocessing
from holotype.recognition.recipes import Recipe
from holotype.releases.loaders import Damaged, Loader, Order, Samples, Settings
from holotype.torch import DeviceLoader


class Shown:
    """The batches of samples that a process is shown, of all batches of a recipe its share: of any so many pictures in
    order, the ranks take turns. Damaged pictures are left out of their batches, which are then smaller.

    `shard` is this process's rank and how many there are; the recipe's batch is shared by them.
    """

    def __init__(
        self,
        samples: Samples,
        recipe: Recipe,
        preprocessing: Preprocessing,
        seed: int = 0,
        device: Any = "cpu",
        shard: tuple[int, int] = (0, 1),
        workers: int | None = None,
    ) -> None:
        self._samples = samples
        self._recipe = recipe
        self._preprocessing = preprocessing
        self._seed = seed
        self._device = device
        self._shard = shard
        self._workers = workers
        self._held: tuple[object, DeviceLoader | None] = None, None
        self.damaged: dict[str, Damaged] = {}
        """The damaged images that were left out so far, by id."""

    @property
    def batch_size(self) -> int:
        """How many pictures this process is shown a step."""
        return self._recipe.batch_size // self._shard[1]

    @property
    def steps(self) -> int:
        """How many steps an epoch has; pictures that do not fill a last batch are left out in it."""
        return len(self._samples) // self._recipe.batch_size

    def size(self, epoch: int) -> int:
        """How large pictures are in an epoch."""
        return self._recipe.sizes.at(epoch, self._recipe.epochs) or self._preprocessing.size

    def batches(self, epoch: int, first: int) -> Iterator[tuple[Any, Any]]:
        """Pictures ``(n, 3, size, size)`` and targets of the steps of an epoch, from step `first` on."""
        loader = self._loader(epoch)
        loader.seek(epoch, first)
        for images, targets in loader:
            self.damaged |= loader.damaged
            yield images, targets

    def _loader(self, epoch: int) -> DeviceLoader:
        """The loader of an epoch, which is that of the one before where nothing is different."""
        size = self.size(epoch)
        key = (size, epoch if self._recipe.repeats > 1 else 0)
        held, loader = self._held
        if loader is None or held != key:
            loader = self._new(epoch, size)
            self._held = key, loader
        return loader

    def _new(self, epoch: int, size: int) -> DeviceLoader:
        recipe, asked = self._recipe, self._preprocessing
        repeated = recipe.repeats > 1
        settings = Settings(
            self.batch_size,
            size,
            recipe.augment,
            self._seed,
            Order("none" if repeated else "global"),
            self._shard,
            "drop",
            "skip",
        )
        change = OnDevice(self._seed, asked.std, recipe.colour_noise, recipe.erase)
        return DeviceLoader(
            Loader(self._repeated(epoch) if repeated else self._samples, settings, self._workers),
            self._device,
            mean=asked.mean,
            std=asked.std,
            mix=recipe.mix,
            change=change if recipe.colour_noise or recipe.erase else None,
        )

    def _repeated(self, epoch: int) -> Samples:
        """The samples of an epoch in order, each several times in a row, as many as there are in all."""
        count = len(self._samples)
        shuffled = Order("global").of(count, self._seed, epoch)
        return self._samples.take(np.repeat(shuffled, self._recipe.repeats)[:count])
