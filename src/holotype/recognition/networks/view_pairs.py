"""Two views of the same images: their parts by loaders, their colours on the device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np

from holotype.errors import RecognitionError
from holotype.recognition.contrasts import ContrastRecipe, View
from holotype.recognition.networks.contrastive_views import DRAWS, looked_at
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.feeding import Fed, Feed
from holotype.recognition.preprocessing import Preprocessing
from holotype.releases.loaders import Damaged, Order, RandomCrop, Samples, Settings
from holotype.releases.loaders.draws import key_of, uniforms

MONITORED: Final = 1000
_COLOURS: Final = 31
Pair = tuple[Fed, Fed]


class Pairs:
    """Batches of two views of samples, as a recipe has them: those that are damaged in either are left out of both."""

    def __init__(
        self, samples: Samples, recipe: ContrastRecipe, settings: Settings, device: Any, workers: int | None, least: int
    ) -> None:
        crop = RandomCrop(recipe.scale)
        self._feeds = [
            Feed(samples, replace(settings, augment=View(number, crop)), device, workers, least) for number in (0, 1)
        ]
        self._recipe, self._seed, self._least = recipe, settings.seed, least

    @staticmethod
    def watched(
        samples: Samples, recipe: ContrastRecipe, settings: Settings, device: Any, workers: int | None
    ) -> Pairs:
        """Of some samples all over, in their order, for every process the same."""
        some = np.linspace(0, len(samples) - 1, min(MONITORED, len(samples))).astype(np.int64)
        asked = replace(settings, order=Order("none"), shard=(0, 1), batch_size=64)
        return Pairs(samples.take(np.unique(some)), recipe, asked, device, workers, 0)

    @property
    def damaged(self) -> dict[str, Damaged]:
        """The damaged samples that were left out so far, by id."""
        return self._feeds[0].damaged | self._feeds[1].damaged

    def steps(self) -> int:
        """How many batches an epoch has."""
        return self._feeds[0].steps()

    def batches(self, epoch: int, first: int = 0) -> Iterator[Pair]:
        """Two views of the same images. Raises `RecognitionError` where too few of a batch are sound in both."""
        for one, other in zip(*(feed.batches(epoch, first) for feed in self._feeds), strict=True):
            kept = np.isin(one.numbers, other.numbers), np.isin(other.numbers, one.numbers)
            if kept[0].sum() < self._least:
                raise RecognitionError("too few images of a batch are sound in both of their views")
            yield _taken(one, kept[0]), _taken(other, kept[1])

    def looked_at(self, pair: Pair, epoch: int, shown: Preprocessing) -> tuple[Any, Any]:
        """Two views with colours of their own, normalised, ``(n, 3, size, size)`` each."""
        device = pair[0].images.device
        mean, std = (torch.tensor(one, device=device).view(1, 3, 1, 1) for one in (shown.mean, shown.std))
        keys = (key_of(self._seed, epoch, _COLOURS, view) for view in (0, 1))
        drawn = (uniforms(key, view.numbers, DRAWS) for key, view in zip(keys, pair, strict=True))
        one, other = (
            (looked_at(view.images, look, draws) - mean) / std
            for view, look, draws in zip(pair, self._recipe.looks, drawn, strict=True)
        )
        return one, other


def _taken(shown: Fed, kept: Any) -> Fed:
    if kept.all():
        return shown
    rows = torch.from_numpy(np.flatnonzero(kept)).to(shown.images.device)
    return Fed(shown.images[rows], shown.numbers[kept], shown.labels[rows])
