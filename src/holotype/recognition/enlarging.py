"""Pictures made smaller and larger, and how near the larger one comes to what there was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from holotype.images.flatten import Pixels
from holotype.images.part import decode_part

Levels = npt.NDArray[np.float32]

SCALES: Final = (2, 3, 4)
_WEIGHTS: Final = (65.481, 128.553, 24.966)


@dataclass(frozen=True, slots=True)
class Enlarging:
    """What a network that enlarges pictures is, and how it learns: SRCNN (Dong et al., TPAMI 2016) of three layers with
    `kernels` and `widths`, which enlarges `scale` times what bicubic interpolation has enlarged.

    As published it makes the picture; as `residual` one it makes what is to be added to the interpolated one, which
    takes a tenth of the steps. Both learn here by Adam (Kingma and Ba, ICLR 2015), the last layer at a tenth of `lr`
    as published, lowered along half a cosine; parts of `patch` pixels are shown. The paper took stochastic gradient
    descent with rates of 1e-4 and 1e-5, parts of 33 pixels and 8e8 of them.
    """

    scale: int = 3
    residual: bool = True
    kernels: tuple[int, int, int] = (9, 1, 5)
    widths: tuple[int, int] = (64, 32)
    lr: float = 2e-3
    patch: int = 36
    batch_size: int = 16
    epochs: int = 20

    def __post_init__(self) -> None:
        if self.scale not in SCALES:
            raise ValueError(f"scale must be one of {', '.join(map(str, SCALES))}, not {self.scale}")
        if any(one < 1 or one % 2 == 0 for one in self.kernels) or min(self.widths) < 1:
            raise ValueError(f"kernels must be odd and widths positive, not {self.kernels} and {self.widths}")
        if self.patch % self.scale or self.patch <= 2 * self.radius:
            raise ValueError(f"patch must be a multiple of {self.scale} above {2 * self.radius}, not {self.patch}")
        if self.epochs < 1 or self.batch_size < 1 or not self.lr > 0:
            raise ValueError("epochs and batch_size must be at least 1, and lr above 0")

    @property
    def radius(self) -> int:
        """How many pixels on each side a pixel follows from."""
        return sum(one // 2 for one in self.kernels)

    def value(self) -> dict[str, Any]:
        """This, of values that JSON has."""
        return asdict(self) | {"kernels": list(self.kernels), "widths": list(self.widths)}

    @staticmethod
    def of(value: Any) -> Enlarging:
        """What `value` gave. Raises ValueError, KeyError or TypeError where it is none."""
        return Enlarging(**{**value, "kernels": tuple(value["kernels"]), "widths": tuple(value["widths"])})


@dataclass(frozen=True, slots=True)
class Part:
    """A random part of a picture at its own size, turned and mirrored in one of eight ways: an augmentation of loaders.

    A picture that is smaller is continued by its mirror image.
    """

    @property
    def draws(self) -> int:
        """Where it lies, and how it is turned."""
        return 3

    def show(self, data: bytes, draws: Sequence[float], out: Pixels) -> None:
        """Write a part to `out`, ``(size, size, 3)``. Raises `Rejected`."""
        size = len(out)

        def chosen(width: int, height: int) -> tuple[float, float, float, float]:
            left, top = int(max(width - size + 1, 1) * draws[0]), int(max(height - size + 1, 1) * draws[1])
            return float(left), float(top), float(min(left + size, width)), float(min(top + size, height))

        pixels, box = decode_part(data, chosen, size, all_rows=True)
        left, top, right, bottom = (int(edge) for edge in box)
        part = pixels[top:bottom, left:right]
        lacking = [(0, size - side) for side in part.shape[:2]]
        part = np.pad(part, (*lacking, (0, 0)), mode="symmetric")
        way = int(8 * draws[2])
        part = np.rot90(part, way % 4)
        out[:] = part[:, ::-1] if way >= 4 else part


def shrunk(pixels: Pixels, scale: int) -> Pixels:
    """A picture ``(height, width, 3)`` made `scale` times smaller by Pillow's bicubic filter, which averages; rows and
    columns that fill no pixel are cut off. Raises ValueError where nothing is left."""
    height, width = (side // scale for side in pixels.shape[:2])
    if not height or not width:
        raise ValueError(f"a picture of {pixels.shape[1]} x {pixels.shape[0]} pixels is no {scale} times smaller one")
    whole = Image.fromarray(np.ascontiguousarray(pixels[: height * scale, : width * scale]))
    return np.asarray(whole.resize((width, height), Image.Resampling.BICUBIC))


def enlarged(pixels: Pixels, scale: int) -> Pixels:
    """A picture made `scale` times larger by Pillow's bicubic interpolation, ``(scale * height, scale * width, 3)``."""
    height, width = pixels.shape[:2]
    return np.asarray(Image.fromarray(pixels).resize((width * scale, height * scale), Image.Resampling.BICUBIC))


def luminance(pixels: Pixels) -> Levels:
    """Y of ITU-R BT.601, from 16 to 235, ``(height, width)``: what the field measures enlarged pictures by."""
    return np.asarray(pixels.astype(np.float32) @ np.array(_WEIGHTS, np.float32) / 255 + 16, np.float32)


def psnr(one: npt.NDArray[Any], other: npt.NDArray[Any], border: int = 0) -> float:
    """The peak signal-to-noise ratio of two arrays of levels up to 255, in dB, but for a `border` of pixels; infinite
    where they are equal. Raises ValueError where they have other shapes, or no pixel is left."""
    if one.shape != other.shape:
        raise ValueError(f"pictures of {one.shape} and {other.shape} cannot be compared")
    inner = tuple(slice(border, side - border) for side in one.shape[:2])
    difference = one[inner].astype(np.float64) - other[inner]
    if not difference.size:
        raise ValueError(f"nothing is left of {one.shape} without {border} pixels on each side")
    error = float(np.mean(difference**2))
    return float(10 * np.log10(255**2 / error)) if error else float("inf")
