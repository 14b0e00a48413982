"""Images one by one, as scripts that were written for torchvision's ``ImageFolder`` take them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

from PIL import Image

from holotype.images.decode import decode
from holotype.releases.loaders.samples import Samples


class ImageDataset:
    """Samples as ``(picture, class index)``, for ``torch.utils.data.DataLoader`` and whatever else asks by number.

    A picture is a Pillow image in RGB, upright, or what `transform` makes of it; `target_transform` is given the class
    index. `classes`, `class_to_idx`, `samples`, `targets` and `imgs` are what torchvision's ``ImageFolder`` has, with
    ids in the place of paths. Pickles, so that its workers may be processes.

    Getting one raises `Rejected` where an image is damaged, `PackError` or `ArchiveError` where it is gone.
    """

    def __init__(
        self,
        samples: Samples,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[int], Any] | None = None,
    ) -> None:
        if samples.starts is not None:
            raise ValueError("an image has one label here: give the samples as they were before they were merged")
        self._samples = samples
        self.transform = transform
        self.target_transform = target_transform
        self.classes = list(samples.classes)
        self.class_to_idx = {wnid: index for index, wnid in enumerate(samples.classes)}
        self.targets: list[int] = samples.labels.tolist()

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, number: int) -> tuple[Any, Any]:
        """The picture and the target of a number, negative ones from the end."""
        return self.__getitems__([number])[0]

    def __getitems__(self, numbers: Sequence[int]) -> list[tuple[Any, Any]]:
        """The same of some numbers, as PyTorch asks for a batch: in a bucket neighbours are read by one request."""
        places = range(len(self))
        some = [places[number] for number in numbers]
        return [self._shown(number, data) for number, data in zip(some, self._samples.read_many(some), strict=True)]

    def _shown(self, number: int, data: bytes) -> tuple[Any, Any]:
        picture: Any = Image.fromarray(decode(data).pixels).convert("RGB")
        target: Any = self.targets[number]
        if self.transform is not None:
            picture = self.transform(picture)
        return picture, target if self.target_transform is None else self.target_transform(target)

    @property
    def samples(self) -> Sequence[tuple[str, int]]:
        """The id and the class index of each."""
        return _Listed(self._samples, self.targets)

    @property
    def imgs(self) -> Sequence[tuple[str, int]]:
        """The same as `samples`."""
        return self.samples


class _Listed(Sequence[tuple[str, int]]):
    """Pairs of id and class index, made when asked for."""

    def __init__(self, samples: Samples, targets: list[int]) -> None:
        self._samples = samples
        self._targets = targets

    def __len__(self) -> int:
        return len(self._targets)

    @overload
    def __getitem__(self, number: int) -> tuple[str, int]: ...
    @overload
    def __getitem__(self, number: slice) -> list[tuple[str, int]]: ...
    def __getitem__(self, number: int | slice) -> tuple[str, int] | list[tuple[str, int]]:
        if isinstance(number, slice):
            return [self[one] for one in range(*number.indices(len(self)))]
        number = range(len(self))[number]
        return self._samples.ids[number].as_py(), self._targets[number]
