"""Labels that a release may be made of, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from holotype.releases.keys import Keys

Integers = npt.NDArray[np.integer]
FEW: Final = 1 << 22
"""Numbers of synsets below this are looked up in a table; ranks are."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Labels of `n` images, ``(m,)``, each pair of an image and a synset once, in any order.

    `image` has places among the images, 0 to n - 1. `synset` has a number from 0 on that stands for a synset for good,
    as its rank does or the digits of its wnid: draws are made of it. `keys`, ``(n,)``, are the images' `id_keys`
    (`holotype.releases.keys`), no two the same.

    Raises `ValueError` where the columns do not fit together.
    """

    image: Integers
    synset: Integers
    keys: Keys

    def __post_init__(self) -> None:
        if self.image.shape != self.synset.shape or self.image.ndim != 1 or self.keys.ndim != 1:
            raise ValueError(f"{self.image.shape} images do not fit {self.synset.shape} synsets")
        if len(self.image) and not (0 <= self.image.min() <= self.image.max() < len(self.keys)):
            raise ValueError(f"images are numbered from 0 to {len(self.keys) - 1:,}")
        if len(self.synset) and self.synset.min() < 0:
            raise ValueError("synsets have numbers from 0 on")

    def numbered(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """The synsets that have labels, sorted, ``(synsets,)``; and the place of each label's among them, ``(m,)``."""
        top = int(self.synset.max(initial=-1)) + 1
        if top > FEW:
            synsets = np.unique(np.sort(self.synset))
            return synsets.astype(np.int64), np.searchsorted(synsets, self.synset).astype(np.int32)
        known = np.zeros(top, bool)
        known[self.synset] = True
        number = np.cumsum(known, dtype=np.int32) - np.int32(1)
        return np.flatnonzero(known), np.asarray(number[self.synset])
