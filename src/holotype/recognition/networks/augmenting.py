"""Changing pictures on the device that trains: what is random follows from seed, epoch and the number of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from holotype.recognition.networks.extra import torch
from holotype.releases.loaders.draws import Numbers, key_of, uniforms

Floats = npt.NDArray[np.float64]
_COLOURS, _ERASED = 5, 6
EIGENVALUES: Final = (0.2175, 0.0188, 0.0045)
EIGENVECTORS: Final = ((-0.5675, 0.7192, 0.4009), (-0.5808, -0.0045, -0.8140), (-0.5836, -0.6948, 0.4203))
"""Of the covariance of ImageNet's RGB levels, from 0 to 1: a column each, as AlexNet's successors print them."""
_AREA: Final = (0.02, 1 / 3)
_RATIO: Final = (0.3, 10 / 3)


@dataclass(frozen=True, slots=True)
class OnDevice:
    """What is done to normalised pictures ``(n, 3, size, size)``: `colour_noise` is the deviation of the noise along
    principal components, `erase` the chance that a part is erased; `std` is what levels were divided by."""

    seed: int
    std: Sequence[float]
    colour_noise: float = 0.0
    erase: float = 0.0

    def __call__(self, images: Any, numbers: Numbers, epoch: int) -> Any:
        """The pictures of those numbers in an epoch, changed in place."""
        if self.colour_noise and len(numbers):
            shift = colour_shift(uniforms(key_of(self.seed, epoch, _COLOURS), numbers, 3), self.colour_noise)
            images += _there(shift / np.asarray(self.std), images).view(-1, 3, 1, 1)
        if self.erase and len(numbers):
            draws = uniforms(key_of(self.seed, epoch, _ERASED), numbers, 5)
            erase_parts(images, erased_parts(draws, self.erase, images.shape[-1]))
        return images


def colour_shift(draws: Floats, deviation: float) -> Floats:
    """What is added to the levels of each picture, ``(n, 3)``: normal multiples of the principal components of colour
    (Krizhevsky et al., NIPS 2012, section 4.1). `draws` are ``(n, 3)`` from [0, 1)."""
    normal = ndtri(np.clip(draws, 1e-12, 1 - 1e-12)) * deviation
    shift: Floats = (normal * np.asarray(EIGENVALUES)) @ np.asarray(EIGENVECTORS).T
    return shift


def erased_parts(draws: Floats, chance: float, size: int) -> npt.NDArray[np.int64]:
    """Left, top, right and bottom of what is erased of each picture of `size` pixels, ``(n, 4)``, 0 where nothing is
    (Zhong et al., AAAI 2020): 2 to 33 % of the area, of a ratio from 3/10 to 10/3. `draws` are ``(n, 5)``."""
    area = size**2 * (_AREA[0] + (_AREA[1] - _AREA[0]) * draws[:, 1])
    ratio = np.exp(math.log(_RATIO[0]) + (math.log(_RATIO[1]) - math.log(_RATIO[0])) * draws[:, 2])
    wide = np.minimum(np.round(np.sqrt(area * ratio)), size - 1)
    tall = np.minimum(np.round(np.sqrt(area / ratio)), size - 1)
    left, top = np.floor((size - wide + 1) * draws[:, 3]), np.floor((size - tall + 1) * draws[:, 4])
    parts = np.stack([left, top, left + wide, top + tall], axis=1).astype(np.int64)
    return np.where(draws[:, :1] < chance, parts, 0)


def erase_parts(images: Any, parts: npt.NDArray[np.int64]) -> None:
    """Set parts of normalised pictures to 0, which is the mean level."""
    edges = _there(parts, images, torch.int64)
    across, down = (torch.arange(images.shape[at], device=images.device) for at in (3, 2))
    columns = (across >= edges[:, 0:1]) & (across < edges[:, 2:3])
    rows = (down >= edges[:, 1:2]) & (down < edges[:, 3:4])
    images.masked_fill_(rows[:, None, :, None] & columns[:, None, None, :], 0)


def _there(values: npt.NDArray[Any], images: Any, dtype: Any = None) -> Any:
    return torch.from_numpy(np.ascontiguousarray(values)).to(images.device, dtype or images.dtype, non_blocking=True)
