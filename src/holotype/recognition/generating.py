"""Generators of pictures: how large, and how they learn; how far made pictures are from real ones."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.errors import RecognitionError


@dataclass(frozen=True, slots=True)
class Autoencoder:
    """A network that makes a small latent picture of one, and a picture of that again: `channels` of its levels, from
    the outside, each but the first of half the side; `latent` channels. `kl` weighs how far latents are from N(0, 1)
    against the squared error, a millionth in "High-Resolution Image Synthesis with Latent Diffusion Models" (Rombach et
    al., CVPR 2022, 3.1 and G)."""

    channels: tuple[int, ...] = (16, 32, 32)
    layers: int = 1
    latent: int = 4
    kl: float = 1e-6
    lr: float = 2e-3
    batch_size: int = 16
    epochs: int = 30

    @property
    def factor(self) -> int:
        """What the side of a picture is divided by."""
        return int(2 ** (len(self.channels) - 1))


@dataclass(frozen=True, slots=True)
class Diffusion:
    """A network that takes noise out of latent pictures of classes (Ho et al., NeurIPS 2020): a U-Net of levels with
    `channels`, those of `attention` with self-attention, trained on `times` steps of noise, whose variances go from one
    of `betas` to the other, their roots on a line.

    Of `drop` of the pictures the class is withheld, so that it can guide (Ho and Salimans, 2022). What is left of
    training is a running mean of the weights with the decay `ema`.
    """

    channels: tuple[int, ...] = (32, 64)
    attention: tuple[bool, ...] = (False, True)
    layers: int = 1
    betas: tuple[float, float] = (0.0015, 0.0195)
    times: int = 1000
    drop: float = 0.1
    ema: float = 0.995
    lr: float = 1e-3
    batch_size: int = 32
    epochs: int = 60


@dataclass(frozen=True, slots=True)
class Generating:
    """Class-conditional latent diffusion of pictures of `size` pixels (Rombach et al., CVPR 2022)."""

    size: int = 32
    autoencoder: Autoencoder = field(default_factory=Autoencoder)
    diffusion: Diffusion = field(default_factory=Diffusion)

    def __post_init__(self) -> None:
        least = self.autoencoder.factor * 2 ** (len(self.diffusion.channels) - 1)
        if self.size < least or self.size % least:
            raise ValueError(f"size must be a multiple of {least}, not {self.size}")
        if len(self.diffusion.attention) != len(self.diffusion.channels):
            raise ValueError("attention says of each level of the U-Net whether it has some")

    def value(self) -> dict[str, Any]:
        """This, of values that JSON has."""
        return dict(_listed(asdict(self)))


RECIPES: Final[Mapping[str, Generating]] = MappingProxyType(
    {
        "tiny": Generating(),
        "small": Generating(
            64,
            Autoencoder((64, 128, 128), layers=2, lr=5e-4, batch_size=64),
            Diffusion((128, 256, 256), (False, True, True), layers=2, ema=0.999, lr=2e-4, batch_size=128, epochs=400),
        ),
        "ldm-f4": Generating(
            256,
            Autoencoder((128, 256, 512), layers=2, latent=3, lr=4.5e-6 * 12, batch_size=12, epochs=3),
            Diffusion(
                (192, 384, 576, 960),
                (False, True, True, True),
                layers=2,
                ema=0.9999,
                lr=1e-4,
                batch_size=1200,
                epochs=167,
            ),
        ),
    }
)
"""``tiny``, for 32 pixels on a CPU in minutes; ``small``, for 64 pixels on a GPU; ``ldm-f4``, ImageNet at 256 pixels
with the widths, rate, batch and 178,000 steps of LDM-4 in appendix E of Rombach et al. (CVPR 2022), whose U-Net is told
classes by cross-attention and not, as here, with the time, and whose autoencoder learns by adversarial and perceptual
losses too. Only ``tiny`` was measured by us."""


def recipe_named(name: str) -> Generating:
    """One of the `RECIPES`. Raises `RecognitionError` where there is none of that name."""
    if name not in RECIPES:
        raise RecognitionError(f"there is no way to learn to generate called {name[:60]!r}: {', '.join(RECIPES)}")
    return RECIPES[name]


def frechet_distance(one: npt.NDArray[np.floating[Any]], other: npt.NDArray[np.floating[Any]]) -> float:
    """How far two sets of features, ``(pictures, width)``, are from each other: the squared Frechet distance of the
    normal distributions with their means and covariances ("FID", Heusel et al., NIPS 2017, with Inception's features).

    It falls with the number of pictures: compare only what was measured with as many, and with as many real ones.
    Raises ValueError where there are fewer than two pictures, or widths differ.
    """
    if min(len(one), len(other)) < 2 or one.shape[1:] != other.shape[1:]:
        raise ValueError(f"features of shapes {one.shape} and {other.shape} have no distance")
    first, second = (np.asarray(each, np.float64) for each in (one, other))
    moved = first.mean(0) - second.mean(0)
    spread = [np.atleast_2d(np.cov(each, rowvar=False)) for each in (first, second)]
    root = _root(spread[0])
    shared = np.linalg.eigvalsh(root @ spread[1] @ root)
    found = moved @ moved + np.trace(spread[0]) + np.trace(spread[1]) - 2 * np.sqrt(np.clip(shared, 0, None)).sum()
    return max(float(found), 0.0)


def _root(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T)


def groups_of(*channels: int) -> int:
    """Into how many groups channels are normalised: 32, or as many as divide all of them."""
    return math.gcd(32, *channels)


def _listed(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        name: _listed(one) if isinstance(one, dict) else list(one) if isinstance(one, tuple) else one
        for name, one in value.items()
    }
