"""What the steps of an epoch are shown: batches of samples on a device, which follow from epoch and step alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from holotype.errors import RecognitionError
from holotype.recognition.networks.extra import torch
from holotype.releases.loaders import Damaged, Loader, Samples, Settings


@dataclass(frozen=True, slots=True, eq=False)
class Fed:
    """Pictures on a device: `images` ``(n, size, size, 3)`` uint8, the places of their samples, and their labels,
    ``(n,)`` int64 on the device."""

    images: Any
    numbers: npt.NDArray[np.int64]
    labels: Any


class Feed:
    """The sound pictures of samples, batch by batch; those that are `damaged` are left out, and told here by id.

    For learning, where batches have at least so many, the last batch of an epoch is left out where it is not full, and
    batches are no larger than there are samples for. With a `least` of 0 all are shown, and batches may be empty.

    Raises `RecognitionError` where there are fewer than `least` samples, or so few of a batch are sound.
    """

    def __init__(
        self, samples: Samples, settings: Settings, device: Any, workers: int | None = None, least: int = 1
    ) -> None:
        if len(samples) < least:
            raise RecognitionError(f"{len(samples):,} images are too few to learn from: it takes {least:,}")
        size = max(min(settings.batch_size, len(samples)), 1)
        self.settings = replace(settings, batch_size=size, last="drop" if least else "keep", damaged="skip")
        self._loader = Loader(samples, self.settings, workers)
        self._device = device
        self._least = least

    @property
    def damaged(self) -> dict[str, Damaged]:
        """The damaged samples that were left out so far, by id."""
        return self._loader.damaged

    def steps(self) -> int:
        """How many batches an epoch has."""
        return len(self._loader)

    def batches(self, epoch: int, first: int) -> Iterator[Fed]:
        """The batches of an epoch from number `first` on. Memory of pictures is used again: it lasts for one step."""
        self._loader.seek(epoch, first)
        for batch in self._loader:
            if len(batch) < self._least:
                lost = batch.damaged[0]
                raise RecognitionError(f"too few images of a batch are sound: {lost.id} is {lost.reason}")
            images = torch.from_numpy(batch.images).to(self._device)
            yield Fed(images, batch.numbers, torch.from_numpy(batch.labels).to(self._device))
