"""What can be trained from: a release, or a dataset where it lies."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Unpack

from holotype.releases.loaders.images import ImageDataset
from holotype.releases.loaders.loader import Loader
from holotype.releases.loaders.samples import Samples
from holotype.releases.loaders.settings import Asked, settings_for


class Loadable(ABC):
    """Images with labels in splits, for training and scoring."""

    @abstractmethod
    def samples(self, split: str, under: str | Sequence[str] = ()) -> Samples:
        """Where the images of a split lie, and their labels; only those in the subtrees `under` which they are to be,
        given by wnids or lemmas. Labels are the same whatever part is taken."""

    def loader(
        self,
        split: str,
        *,
        under: str | Sequence[str] = (),
        multi: bool = False,
        workers: int | None = None,
        hold: int = 1,
        **asked: Unpack[Asked],
    ) -> Loader:
        """Batches of uint8 ``(pictures, size, size, 3)`` and class indices: see `holotype.releases.loaders.Loader`.

        Keywords beside these are those of `holotype.releases.loaders.Settings`: `batch_size` (256), `size` (224),
        `augment`, `seed` (0), `order`, `shard`, `last` and `damaged`. ``train`` is shuffled, and random parts are
        shown; other splits come in their order, and their centres are shown. An image with several labels comes once
        for each, or, with `multi`, once with a row of 0 and 1 as its label.
        """
        samples = self.samples(split, under)
        return Loader(samples.merged() if multi else samples, settings_for(split, **asked), workers, hold)

    def dataset(
        self,
        split: str,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
        *,
        under: str | Sequence[str] = (),
    ) -> ImageDataset:
        """Images one by one, as torchvision's ``ImageFolder`` has them (`holotype.releases.loaders.ImageDataset`)."""
        return ImageDataset(self.samples(split, under), transform, target_transform)
