"""Heat maps: how much each place of pictures says for what they are asked about, on the pixels of the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.recognition.shown import Floats, Ints
from holotype.releases.loaders import Damaged

Heat = npt.NDArray[np.float32]
FINEST: Final = 512
"""Pixels of the longer side of what a map is laid on: larger pictures are measured as if scaled down to that."""


@dataclass(frozen=True, slots=True, eq=False)
class HeatMaps:
    """Maps of samples, of those of `numbers`, called `ids`: the `maps` ``(n, h, w)`` from 0 to 1, each over the part of
    its picture in `frames` ``(n, 4)``, left, top, right and bottom edge in pixels; width and height of the upright
    pictures, `sizes` ``(n, 2)``; the synsets that they are about, `wnids`, "" where nobody said what the outputs of a
    network are; and the `probabilities` ``(n,)`` that it gives them. Samples that are `damaged` have none.
    """

    ids: tuple[str, ...]
    wnids: tuple[str, ...]
    numbers: Ints
    maps: Heat
    frames: Floats
    sizes: Ints
    probabilities: Heat
    damaged: tuple[Damaged, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def peaks(self) -> Floats:
        """Where each map is highest, x and y from the edges of its picture ``(n, 2)``: the middle of the first such
        place by rows."""
        count, rows, columns = self.maps.shape
        row, column = np.unravel_index(self.maps.reshape(count, rows * columns).argmax(1), (rows, columns))
        within = np.stack([(column + 0.5) / columns, (row + 0.5) / rows], axis=1)
        return np.asarray(self.frames[:, :2] + within * (self.frames[:, 2:] - self.frames[:, :2]), np.float64)

    def spread(self, row: int, finest: int = FINEST) -> Heat:
        """A map on its picture ``(height, width)``: bilinear between the middles of its places, zeros where nothing was
        shown; on the pixels of the picture, or where its longer side has more than `finest`, as if scaled down to
        that."""
        width, height = self.sizes[row].tolist()
        left, top, right, bottom = self.frames[row].tolist()
        scale = min(1.0, finest / max(width, height))
        rows, columns = self.maps.shape[1:]
        across = _weights(columns, left, right, width, max(1, round(width * scale)))
        down = _weights(rows, top, bottom, height, max(1, round(height * scale)))
        return np.asarray(down @ self.maps[row] @ across.T, np.float32)


def joined(parts: Sequence[HeatMaps], damaged: Sequence[Damaged] = ()) -> HeatMaps:
    """Maps of several batches as one, in their order."""
    if not parts:
        none = np.zeros((0, 4))
        zeros = np.zeros((0, 1, 1), np.float32), none, np.zeros((0, 2), np.int64), np.zeros(0, np.float32)
        return HeatMaps((), (), np.zeros(0, np.int64), *zeros, tuple(damaged))
    columns = ("numbers", "maps", "frames", "sizes", "probabilities")
    numbers, maps, frames, sizes, probabilities = (
        np.concatenate([getattr(part, name) for part in parts]) for name in columns
    )
    ids, wnids = (tuple(one for part in parts for one in getattr(part, name)) for name in ("ids", "wnids"))
    return HeatMaps(ids, wnids, numbers, maps, frames, sizes, probabilities, tuple(damaged))


def _weights(places: int, first: float, last: float, length: int, pixels: int) -> Floats:
    """What each of so many `places` between two edges counts for each pixel of a side ``(pixels, places)``."""
    middle = (np.arange(pixels) + 0.5) * length / pixels
    at = ((middle - first) / (last - first) * places - 0.5).clip(0, places - 1)
    counts = (1 - np.abs(at[:, None] - np.arange(places))).clip(0, None)
    counts[(middle < first) | (middle > last)] = 0
    return np.asarray(counts, np.float64)
