"""The pictures of samples, decoded and looked at by threads, one by one."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final, Generic, NamedTuple, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from holotype.engine import Engine, Progress, chosen, map_batches, no_progress
from holotype.images.flatten import Pixels
from holotype.images.rejected import Rejected
from holotype.recognition.preprocessing import rgb
from holotype.releases.loaders import Damaged, Samples
from holotype.store.location import Location
from holotype.store.store import Store

Seen = TypeVar("Seen")
_AWAY: Final = 16
"""Pictures that go to another process, or come from an object store, together."""
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
    kind: Engine | None = "threads",
) -> Looked[Seen]:
    """What `look` makes of each picture, upright RGB ``(height, width, 3)``; it is called in threads, or by the engine
    `kind`, None for the one that is chosen.

    Damaged pictures are left out, and told. Raises `PackError` or `ArchiveError` where bytes are not there any more.
    """
    numbers: list[int] = []
    seen: list[Seen] = []
    damaged: list[Damaged] = []
    progress(0, len(samples))
    with closing(looked_at(samples, range(len(samples)), look, workers, kind)) as looked:
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
    samples: Samples,
    numbers: Iterable[int],
    look: Callable[[Pixels], Seen],
    workers: int | None = None,
    kind: Engine | None = "threads",
) -> Generator[tuple[int, Seen | Damaged], None, None]:
    """The `numbers` of samples with what `look` makes of the picture of each, ahead on threads or as for `look_at`, in
    their order; a `Damaged` of one that is no sound picture. Raises `PackError` or `ArchiveError`."""
    asked = (_Picture(number, samples.ids[number].as_py(), samples.places[number]) for number in numbers)
    if samples.store.is_far and (kind or chosen()) == "processes":
        kind = "threads"  # what speaks to an object store does not outlive a fork
    size = 1 if kind == "threads" and not samples.store.is_far else _AWAY
    batches = iter(lambda: list(islice(asked, size)), [])
    with closing(map_batches(partial(_seen, samples.store, look), batches, workers=workers, kind=kind)) as found:
        for pictures in found:
            yield from pictures


class _Picture(NamedTuple):
    """A sample's number and id, and where its picture lies."""

    number: int
    id: str
    place: Location


def _seen(
    store: Store, look: Callable[[Pixels], Seen], pictures: Sequence[_Picture]
) -> list[tuple[int, Seen | Damaged]]:
    read = store.read_many([picture.place for picture in pictures])
    seen = (_one_seen(look, picture, data) for picture, data in zip(pictures, read, strict=True))
    return [(picture.number, one) for picture, one in zip(pictures, seen, strict=True)]


def _one_seen(look: Callable[[Pixels], Seen], picture: _Picture, data: bytes) -> Seen | Damaged:
    try:
        return look(rgb(data))
    except Rejected as why:
        return Damaged(picture.number, picture.id, why.reason, why.detail)


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
