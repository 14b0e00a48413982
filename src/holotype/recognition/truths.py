"""The known boxes of images, by which a discovery is judged."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

import numpy as np

from holotype.benchmark.values import Boxes
from holotype.geometry.values import Floats


class Truths:
    """Known boxes by image and class; crowds are left out, and None knows no box."""

    def __init__(self, known: Boxes | None) -> None:
        self._known = known
        self._items = {} if known is None else {name: at for at, name in enumerate(known.items)}
        self._order = np.zeros(0, np.int64) if known is None else np.argsort(known.image, kind="stable")

    def of(self, image: str, classes: AbstractSet[str], width: int, height: int) -> Floats:
        """The boxes of some classes in an image, ``(boxes, 4)``: left, top, right and bottom edge in shares of it.

        `width` and `height` are its size where the truth does not know it.
        """
        known, item = self._known, self._items.get(image)
        if known is None or item is None:
            return np.zeros((0, 4))
        first, stop = np.searchsorted(known.image[self._order], [item, item + 1])
        rows = [row for row in self._order[first:stop] if known.classes[known.label[row]] in classes]
        corners = known.corners[[row for row in rows if not known.crowd[row]]]
        size = (width, height) if known.sizes is None else known.sizes[item].tolist()
        edges = corners + np.array([0, 0, 1, 1]) * known.inclusive
        return np.asarray(np.clip(edges / np.tile(size, 2), 0, 1), np.float64)
