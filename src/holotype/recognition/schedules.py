"""How learning rates and sizes of pictures go over a run: they follow from where it is, and from nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

Way = Literal["constant", "steps", "linear", "cosine"]
_WAYS: Final = ("constant", "steps", "linear", "cosine")
_MOST_WARMUP: Final = 1 / 4
_MULTIPLE: Final = 32


@dataclass(frozen=True, slots=True)
class Schedule:
    """The learning rate as a share of a recipe's.

    It rises linearly from `start` to 1 in `warmup` epochs, but in no more than a quarter of the run. Then it stays
    (``constant``), is multiplied by `factor` after each of the `drops`, parts of the run from 0 to 1 (``steps``), or
    goes down to the share `end` at the end of the run, on a line or on half a cosine (Loshchilov and Hutter, ICLR
    2017).
    """

    way: Way = "cosine"
    warmup: float = 0.0
    start: float = 0.0
    end: float = 0.0
    drops: tuple[float, ...] = ()
    factor: float = 0.1

    def __post_init__(self) -> None:
        if self.way not in _WAYS:
            raise ValueError(f"a schedule is one of {', '.join(_WAYS)}, not {self.way!r}")
        if self.warmup < 0 or list(self.drops) != sorted(self.drops):
            raise ValueError(f"warmup must be 0 or more, and drops ascend, not {self.warmup} and {self.drops}")

    def share(self, epoch: float, epochs: int) -> float:
        """The share after so many epochs of a run of `epochs`; parts of an epoch count.

        >>> [round(Schedule("linear", warmup=2).share(epoch, 16), 3) for epoch in (0, 1, 2, 9, 16)]
        [0.0, 0.5, 1.0, 0.5, 0.0]
        """
        warmup = min(self.warmup, epochs * _MOST_WARMUP)
        if epoch < warmup:
            return self.start + (1 - self.start) * epoch / warmup
        if self.way == "constant":
            return 1.0
        if self.way == "steps":
            return float(self.factor ** sum(epoch >= epochs * drop for drop in self.drops))
        left = 1 - (epoch - warmup) / (epochs - warmup)
        if self.way == "cosine":
            left = (1 - math.cos(math.pi * left)) / 2
        return self.end + (1 - self.end) * left


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many pixels wide and high pictures are in training: `first`, and from the part `ramp` of the run on more and
    more, up to `last`, in multiples of 32 (Leclerc et al., FFCV, CVPR 2023, section 4). A `first` of 0 is the size that
    the network is shown; a `last` of 0 is `first`."""

    first: int = 224
    last: int = 0
    ramp: tuple[float, float] = (0.0, 1.0)

    def __post_init__(self) -> None:
        if self.first < 0 or (self.last and self.last < self.first):
            raise ValueError(f"sizes must be 0 or more, and not shrink, not {self.first} and {self.last}")
        if not 0 <= self.ramp[0] <= self.ramp[1] <= 1:
            raise ValueError(f"a ramp is two ascending parts of a run, not {self.ramp}")

    def at(self, epoch: int, epochs: int) -> int:
        """The size in an epoch of a run of `epochs`.

        >>> [Sizes(160, 192, (11 / 16, 13 / 16)).at(epoch, 16) for epoch in (0, 11, 12, 13)]
        [160, 160, 192, 192]
        """
        begins, ends = (round(part * epochs, 6) for part in self.ramp)
        if not self.last or epoch <= begins:
            return self.first
        if epoch >= ends:
            return self.last
        between = self.first + (self.last - self.first) * (epoch - begins) / (ends - begins)
        return min(max(int(between / _MULTIPLE + 0.5) * _MULTIPLE, self.first), self.last)

    def scaled(self, size: int) -> Sizes:
        """The same, with `size` for the largest."""
        largest = max(self.first, self.last)
        return Sizes(round(self.first * size / largest) if largest else size, size if self.last else 0, self.ramp)
