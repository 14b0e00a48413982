"""What a network is shown of a picture: the published way, to the pixel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from PIL import Image

from holotype.images.decode import decode
from holotype.images.flatten import Pixels
from holotype.images.rejected import MAX_PIXELS, check_size
from holotype.releases.loaders.settings import IMAGENET_MEAN, IMAGENET_STD

Interpolation = Literal["bilinear", "bicubic"]
FILTERS: Final = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
LARGEST: Final = 8_192
"""Pixels that a side is made, at most: a run of a stranger shall not fill the memory."""
_LONG: Final = 8
"""From so many times as long as wide on, a picture is cut before it is resized: what is cut off would fill the
memory."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """What a network was trained to be shown: the shorter side of a picture is made `resize` pixels long, and the
    central square of `size` pixels is shown, its levels (0 to 1) less `mean` and over `std`.

    Pixels are made as Pillow makes them, hence as torchvision and timm do. It is an augmentation of loaders without
    anything random; `mean` and `std` are for whoever puts batches on a device.
    """

    size: int = 224
    resize: int = 256
    interpolation: Interpolation = "bilinear"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def __post_init__(self) -> None:
        if not 0 < self.size <= self.resize:
            raise ValueError(f"{self.size} pixels cannot be cut from {self.resize}")
        if self.resize > LARGEST:
            raise ValueError(f"pictures are made {LARGEST:,} pixels high at most, not {self.resize:,}")
        if not all(map(math.isfinite, (*self.mean, *self.std))) or min(self.std) <= 0:
            raise ValueError(f"levels cannot be normalised by {self.mean} and {self.std}")
        if self.interpolation not in FILTERS:
            raise ValueError(f"interpolation must be one of {', '.join(FILTERS)}, not {self.interpolation!r}")

    @property
    def draws(self) -> int:
        """None: nothing is random."""
        return 0

    def show(self, data: bytes, draws: Sequence[float], out: Pixels) -> None:  # noqa: ARG002
        """Decode an encoded picture and write its centre to `out`, ``(size, size, 3)`` RGB. Raises `Rejected`."""
        out[:] = self.centre(rgb(data))

    def centre(self, pixels: Pixels) -> Pixels:
        """The centre of a picture ``(height, width, 3)``, as ``(size, size, 3)``."""
        height, width = pixels.shape[:2]
        if max(height, width) <= _LONG * min(height, width):
            return central(self.resized(pixels), self.size)
        across, down = self.resized_to(width, height)
        left, top = (round((side - self.size) / 2) for side in (across, down))
        edges = left * width / across, top * height / down
        ends = (left + self.size) * width / across, (top + self.size) * height / down
        box = (*edges, min(ends[0], width), min(ends[1], height))
        whole = Image.fromarray(pixels)
        return np.asarray(whole.resize((self.size, self.size), FILTERS[self.interpolation], box))

    def resized(self, pixels: Pixels) -> Pixels:
        """A picture ``(height, width, 3)`` whose shorter side is `resize` pixels long. Raises `Rejected` where it would
        have more pixels than any picture may."""
        height, width = pixels.shape[:2]
        check_size(*self.resized_to(width, height), MAX_PIXELS)
        return np.asarray(Image.fromarray(pixels).resize(self.resized_to(width, height), FILTERS[self.interpolation]))

    def resized_to(self, width: int, height: int) -> tuple[int, int]:
        """The width and height that `resized` gives a picture of a width and height."""
        if width < height:
            return self.resize, int(self.resize * height / width)
        return int(self.resize * width / height), self.resize

    def value(self) -> dict[str, Any]:
        """This, of values that JSON has: ``Preprocessing.of(it)`` is this again."""
        return {
            "size": self.size,
            "resize": self.resize,
            "interpolation": self.interpolation,
            "mean": list(self.mean),
            "std": list(self.std),
        }

    @staticmethod
    def of(value: Any) -> Preprocessing:
        """What `value` gave. Raises ValueError, KeyError or TypeError where it is none."""
        mean, std = (tuple(float(one) for one in value[name]) for name in ("mean", "std"))
        if len(mean) != 3 or len(std) != 3:
            raise ValueError("mean and std have three numbers each")
        return Preprocessing(int(value["size"]), int(value["resize"]), value["interpolation"], mean, std)


def rgb(data: bytes) -> Pixels:
    """The pixels of an encoded picture, upright, ``(height, width, 3)``. Raises `Rejected`."""
    pixels = decode(data).pixels
    return pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2)


def central(pixels: Pixels, size: int) -> Pixels:
    """The central square of a picture ``(height, width, 3)``, rounded as torchvision's ``CenterCrop`` does."""
    height, width = pixels.shape[:2]
    top, left = round((height - size) / 2), round((width - size) / 2)
    return pixels[top : top + size, left : left + size]
