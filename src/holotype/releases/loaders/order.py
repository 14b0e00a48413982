"""The order in which an epoch shows its images, and which rank shows which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from holotype.releases.loaders.draws import Numbers, hashes, key_of

Shuffle = Literal["global", "blocks", "none"]
Last = Literal["keep", "drop", "pad"]

PADDING: Final = -1
"""The number, and the label, of a place in a batch that holds no image."""

_ORDER, _BLOCKS = 1, 2


@dataclass(frozen=True, slots=True)
class Order:
    """How an epoch is put in order: ``global`` is one shuffle of all images; ``none`` is the order of the release.

    ``blocks`` shuffles runs of `block` images that lie side by side, and the images of `window` such runs among each
    other: reading stays near, as disks that turn and object stores like it, and mixing is that of
    ``block * window`` images.
    """

    shuffle: Shuffle = "global"
    block: int = 64
    window: int = 256

    def __post_init__(self) -> None:
        if self.shuffle not in ("global", "blocks", "none"):
            raise ValueError(f"shuffle must be one of global, blocks, none, not {self.shuffle!r}")
        if self.block < 1 or self.window < 1:
            raise ValueError(f"block and window must be at least 1, not {self.block} and {self.window}")

    def of(self, count: int, seed: int, epoch: int) -> Numbers:
        """The numbers 0 to `count` - 1 in the order of an epoch, ``(count,)``; it follows from these values alone."""
        numbers = np.arange(count, dtype=np.int64)
        if self.shuffle == "none":
            return numbers
        drawn = hashes(key_of(seed, epoch, _ORDER), numbers)
        if self.shuffle == "global":
            return np.argsort(drawn, kind="stable")
        blocks = np.arange(-(-count // self.block), dtype=np.int64)
        blocks = blocks[np.argsort(hashes(key_of(seed, epoch, _BLOCKS), blocks), kind="stable")]
        rows = (blocks[:, None] * self.block + np.arange(self.block)).ravel()
        windows = np.arange(len(rows)) // (self.block * self.window)
        rows, windows = rows[rows < count], windows[rows < count]
        return rows[np.lexsort((drawn[rows], windows))]


def share(order: Numbers, rank: int, world: int, batch_size: int, last: Last, near: bool = False) -> Numbers:
    """What one of `world` ranks shows of an epoch, in order, in batches of `batch_size`.

    All ranks together show every image once. What does not fill a batch of every rank is: with ``keep``, dealt out as
    it is, so that last batches are shorter and ranks may differ by one image, and by one batch; with ``drop``, left out
    in this epoch; with ``pad``, filled up with `PADDING`, so that all ranks have equally many full batches.

    Ranks take turns, so that the same images are in the first so many batches of all ranks however many there are;
    with `near` each takes one piece of the order, so that no two read the same blocks.
    """
    whole = world * batch_size
    if last == "drop":
        order = order[: len(order) // whole * whole]
    elif last == "pad":
        order = np.concatenate([order, np.full(-len(order) % whole, PADDING, np.int64)])
    if not near:
        return order[rank::world]
    return order[len(order) * rank // world : len(order) * (rank + 1) // world]
