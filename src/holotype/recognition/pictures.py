"""The pictures of samples, decoded and looked at by threads, one by one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, map_batches, no_progress
from holotype.images.flatten import Pixels
from holotype.images.rejected import Rejected
from holotype.recognition.preprocessing import rgb
from holotype.releases.ahead import read_in_order
from holotype.releases.loaders import Damaged, Samples

Seen = TypeVar("Seen")
_TOLD: Final = 16
"""After so many pictures how far it is is told."""


@dataclass(frozen=True, slots=True, eq=False)
class Looked(Generic[Seen]):
    """What was seen in the samples of these `numbers`, in their order, and the samples that are `damaged`."""

    numbers: npt.NDArray[np.int64]
    seen: tuple[Seen, ...]
    damaged: tuple[Damaged, ...]


def look_at(
    samples: Samples,
    look: Callable[[Pixels], Seen],
    workers: int | None = None,
    progress: Progress = no_progress,
) -> Looked[Seen]:
    """What `look` makes of each picture, upright RGB ``(height, width, 3)``; it is called in threads.

    Damaged pictures are left out, and told. Raises `PackError` or `ArchiveError` where bytes are not there any more.
    """
    numbers: list[int] = []
    seen: list[Seen] = []
    damaged: list[Damaged] = []
    progress(0, len(samples))
    with closing(looked_at(samples, range(len(samples)), look, workers)) as looked:
        for number, one in looked:
            if isinstance(one, Damaged):
                damaged.append(one)
            else:
                numbers.append(number)
                seen.append(one)
            if (number + 1) % _TOLD == 0 or number + 1 == len(samples):
                progress(number + 1, len(samples))
    return Looked(np.array(numbers, np.int64), tuple(seen), tuple(damaged))


def looked_at(
    samples: Samples, numbers: Iterable[int], look: Callable[[Pixels], Seen], workers: int | None = None
) -> Generator[tuple[int, Seen | Damaged], None, None]:
    """The `numbers` of samples with what `look` makes of the picture of each, ahead on threads, in their order; a
    `Damaged` of one that is no sound picture. Raises `PackError` or `ArchiveError`."""

    def one(number: int, data: bytes | None = None) -> tuple[int, Seen | Damaged]:
        try:
            return number, look(rgb(samples.read(number) if data is None else data))
        except Rejected as why:
            return number, Damaged(number, samples.ids[number].as_py(), why.reason, why.detail)

    if not samples.store.is_far:
        yield from map_batches(one, numbers, workers=workers)
        return
    asked = list(numbers)
    with closing(read_in_order(samples.store, samples.places, asked)) as read:
        yield from map_batches(lambda pair: one(*pair), zip(asked, read, strict=True), workers=workers)


def squeezed(pixels: Pixels, side: int) -> Pixels:
    """A picture ``(height, width, 3)`` made `side` pixels wide and high, whatever its shape, by averaging."""
    return resized(pixels, side, side)


def within(pixels: Pixels, side: int) -> Pixels:
    """A picture ``(height, width, 3)`` whose longer side is made `side` pixels long."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    return resized(pixels, max(1, round(height * scale)), max(1, round(width * scale)))


def resized(pixels: Pixels, height: int, width: int) -> Pixels:
    """A picture ``(height, width, 3)`` of another size: averaged where it becomes smaller, interpolated where not."""
    smaller = height * width < pixels.shape[0] * pixels.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    found: npt.NDArray[Any] = cv2.resize(pixels, (width, height), interpolation=how)
    return found
