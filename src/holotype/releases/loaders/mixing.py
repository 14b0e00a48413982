"""Mixing the pictures of a batch with each other: what is mixed, and how much; the pixels are mixed on the device."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from scipy.special import betaincinv

from holotype.releases.loaders.draws import key_of, uniforms

_MIX: Final = 4


@dataclass(frozen=True, slots=True)
class Mixed:
    """How each picture of a batch is mixed with the one before it: its own `share` of the label, from 0 to 1, and of
    every pixel; or, where there is a `box` (left, top, right, bottom in pixels), all pixels but those in it."""

    share: float
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Mix:
    """Mixup (Zhang et al., ICLR 2018) or CutMix (Yun et al., ICCV 2019): shares are drawn from Beta(a, a), a being
    `mixup` or `cutmix`; 0 is never that way. With both, half of the batches each; with `chance`, only some batches."""

    mixup: float = 0.2
    cutmix: float = 1.0
    chance: float = 1.0

    def __post_init__(self) -> None:
        if min(self.mixup, self.cutmix) < 0 or not 0 <= self.chance <= 1:
            raise ValueError(f"mixup and cutmix must be 0 or more, and chance from 0 to 1, not {self}")

    def drawn(self, seed: int, epoch: int, batch: int, size: int) -> Mixed | None:
        """How a batch of pictures of `size` pixels is mixed, None where it is not; it follows from these values."""
        whether, which, share, x, y = uniforms(key_of(seed, epoch, _MIX), [batch], 5)[0].tolist()
        if whether >= self.chance or not (self.mixup or self.cutmix):
            return None
        cut = which < 0.5 if self.mixup and self.cutmix else bool(self.cutmix)
        alpha = self.cutmix if cut else self.mixup
        own = float(betaincinv(alpha, alpha, share))
        return _cut(own, size, (x, y)) if cut else Mixed(own)


def _cut(own: float, size: int, centre: Sequence[float]) -> Mixed:
    """A square of what is not its `own` around a centre, as far as it lies inside."""
    half = 0.5 * math.sqrt(1 - own) * size
    left, top = (max(int(int(at * size) - half), 0) for at in centre)
    right, bottom = (min(int(int(at * size) + half), size) for at in centre)
    return Mixed(1 - (right - left) * (bottom - top) / size**2, (left, top, right, bottom))
