"""Images that are read one after the other: in a bucket some together, and the next ones meanwhile."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from typing import Final

from holotype.engine import map_batches
from holotype.store.places import Places
from holotype.store.store import Store

_IMAGES: Final = 64
_BYTES: Final = 8 << 20
_AHEAD: Final = 2


def read_in_order(store: Store, places: Places, numbers: Sequence[int]) -> Generator[bytes, None, None]:
    """The bytes of images by their numbers among `places`, in that order.

    Where they lie in a bucket up to 64 images, or 8 MiB, are asked for together, and four times as much ahead at the
    most. Raises what `Store.read` does.
    """
    if not store.is_far:
        yield from (store.read(places[number]) for number in numbers)
        return
    groups = _groups(places, numbers)

    def read(some: Sequence[int]) -> list[bytes]:
        return store.read_many([places[number] for number in some])

    with closing(map_batches(read, groups, workers=_AHEAD, kind="threads")) as found:
        for images in found:
            yield from images


def _groups(places: Places, numbers: Sequence[int]) -> Iterator[list[int]]:
    group: list[int] = []
    size = 0
    for number in numbers:
        length = int(places.length[number])
        if group and (len(group) == _IMAGES or size + length > _BYTES):
            yield group
            group, size = [], 0
        group.append(number)
        size += length
    if group:
        yield group
