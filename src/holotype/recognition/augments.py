"""How pictures are shown in training, beside what loaders have: scaled crops, and changes with a chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from holotype.images.flatten import Pixels
from holotype.images.part import decode_part
from holotype.releases.loaders.augment import Augment
from holotype.releases.loaders.crops import Box
from holotype.releases.loaders.randaugment import NAMES, change
from holotype.releases.loaders.resample import resample


class Change(Protocol):
    """A change of pixels in place. A frozen value, whose ``repr`` says all of it."""

    @property
    def draws(self) -> int:
        """How many random numbers a picture needs."""
        ...

    def apply(self, pixels: Pixels, draws: Sequence[float]) -> None:
        """Change ``(height, width, 3)`` uint8 pixels, as `draws`, numbers from [0, 1), have it."""
        ...


@dataclass(frozen=True, slots=True)
class ScaledCrop:
    """A random square of a picture whose shorter side was made so many pixels long as `sides` have, for pictures of 224
    pixels, drawn anew for each (Simonyan and Zisserman, ICLR 2015, section 3.1); mirrored with the chance `flip`.

    With `central` it lies within the central square of the picture (Krizhevsky et al., NIPS 2012, section 4.1).
    """

    sides: tuple[int, int] = (256, 256)
    central: bool = False
    flip: float = 0.5

    def __post_init__(self) -> None:
        if not 224 <= self.sides[0] <= self.sides[1]:
            raise ValueError(f"sides are two, ascending, of 224 or more, not {self.sides}")

    @property
    def draws(self) -> int:
        """One for the side, two for the place, and one for the flip."""
        return 4

    def show(self, data: bytes, draws: Sequence[float], out: Pixels) -> None:
        """Write a random part of a picture to `out`. Raises `Rejected`."""
        pixels, box = decode_part(data, lambda width, height: self._box(width, height, draws), len(out))
        resample(pixels, box, len(out), draws[3] < self.flip, out)

    def _box(self, width: int, height: int, draws: Sequence[float]) -> Box:
        low, high = self.sides
        shorter = min(width, height)
        side = shorter * 224 / (low + (high - low) * draws[0])
        wide, tall = (shorter, shorter) if self.central else (width, height)
        left = (width - wide) / 2 + (wide - side) * draws[1]
        top = (height - tall) / 2 + (tall - side) * draws[2]
        return left, top, left + side, top + side


@dataclass(frozen=True, slots=True)
class Changed:
    """What `crop` shows of a picture, and then `changes` of it, one after the other."""

    crop: Augment
    changes: tuple[Change, ...]

    @property
    def draws(self) -> int:
        """Those of all."""
        return self.crop.draws + sum(one.draws for one in self.changes)

    def show(self, data: bytes, draws: Sequence[float], out: Pixels) -> None:
        """Write a changed part of a picture to `out`. Raises `Rejected`."""
        self.crop.show(data, draws[: self.crop.draws], out)
        at = self.crop.draws
        for one in self.changes:
            one.apply(out, draws[at : at + one.draws])
            at += one.draws


@dataclass(frozen=True, slots=True)
class Sometimes:
    """A change that is made with a `chance`."""

    change: Change
    chance: float = 0.5

    @property
    def draws(self) -> int:
        """One more than the change itself."""
        return 1 + self.change.draws

    def apply(self, pixels: Pixels, draws: Sequence[float]) -> None:
        """Change pixels in place, or not."""
        if draws[0] < self.chance:
            self.change.apply(pixels, draws[1:])


_WIDE: Final = {
    "shear_x": 0.99 / 0.3,
    "shear_y": 0.99 / 0.3,
    "translate_x": 32 / 224 * 331 / 150,
    "translate_y": 32 / 224 * 331 / 150,
    "rotate": 135 / 30,
    "brightness": 0.99 / 0.9,
    "colour": 0.99 / 0.9,
    "contrast": 0.99 / 0.9,
    "sharpness": 0.99 / 0.9,
    "posterize": 6 / 4,
}
"""How much farther the wide ranges go than those of RandAugment; what is not named goes as far."""


@dataclass(frozen=True, slots=True)
class TrivialAugment:
    """One change, drawn from RandAugment's fourteen, of a strength that is drawn too, in the wide ranges (Mueller and
    Hutter, ICCV 2021, table 1); pictures are moved by up to a seventh of their sides, 32 pixels of 224."""

    @property
    def draws(self) -> int:
        """Which, how much, and which way."""
        return 3

    def apply(self, pixels: Pixels, draws: Sequence[float]) -> None:
        """Change pixels in place, as `draws` have it."""
        name = NAMES[int(draws[0] * len(NAMES))]
        strength = int(draws[1] * 31) / 30 * _WIDE.get(name, 1.0)
        change(pixels, name, strength if draws[2] < 0.5 else -strength)
