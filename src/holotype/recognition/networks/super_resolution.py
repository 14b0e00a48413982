"""Super-resolution: a network that enlarges pictures better than interpolation does (SRCNN)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from holotype.engine import Progress, no_progress
from holotype.errors import RecognitionError
from holotype.images.flatten import Pixels
from holotype.images.rejected import Rejected
from holotype.recognition.enlarging import Enlarging, enlarged, luminance, psnr, shrunk
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.weights import read_weights
from holotype.recognition.preprocessing import rgb
from holotype.recognition.runs import RUN, WEIGHTS, read_run
from holotype.releases.loaders import Samples

NAME: Final = "srcnn"
_STRIP: Final = 1 << 20
_RANGE: Final = 255 / 219


class SRCNN(torch.nn.Module):  # type: ignore[misc]
    """Three convolutions that look at patches, map them and put them together again: "Image Super-Resolution Using Deep
    Convolutional Networks" (Dong et al., TPAMI 2016, 3.1). Its biases are 0 at first and its weights He's; those of
    the last layer of a residual one N(0, .001), so that it begins near interpolation."""

    def __init__(self, asked: Enlarging, seed: int = 0) -> None:
        super().__init__()
        self.asked = asked
        channels = (1, *asked.widths, 1)
        self.layers = torch.nn.ModuleList(
            torch.nn.Conv2d(channels[at], channels[at + 1], size, padding=size // 2, padding_mode="replicate")
            for at, size in enumerate(asked.kernels)
        )
        generator = torch.Generator().manual_seed(seed)
        for layer in self.layers:
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            torch.nn.init.zeros_(layer.bias)
        if asked.residual:
            torch.nn.init.normal_(self.layers[-1].weight, std=1e-3, generator=generator)

    def forward(self, levels: Any) -> Any:
        """The luminance of interpolated pictures, levels from 0 to 1, ``(n, 1, height, width)``, as it should be."""
        made = levels
        for layer in self.layers[:-1]:
            made = layer(made).relu()
        made = self.layers[-1](made)
        return levels + made if self.asked.residual else made


@dataclass(frozen=True, slots=True)
class Score:
    """How near enlarged pictures come to a picture, in dB of luminance: by `bicubic` interpolation, by the `network`;
    the picture's `id`."""

    id: str
    bicubic: float
    network: float

    @property
    def gain(self) -> float:
        """What the network is ahead by, in dB."""
        return self.network - self.bicubic


def enlarger(folder: Path) -> SRCNN:
    """The network of a run. Raises `RecognitionError` where there is none that enlarges."""
    said = read_run(folder)
    try:
        if said.model != NAME:
            raise ValueError(f"its network is {said.model}")
        network = SRCNN(Enlarging.of(said.value["asked"]))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RuntimeError) as error:
        raise RecognitionError(f"{folder / RUN} is of no network that enlarges pictures: {error}") from error
    read_weights(network, folder / WEIGHTS)
    network.eval()
    return network


def upscaled(network: SRCNN, pixels: Pixels, device: str = "auto", strip: int = _STRIP) -> Pixels:
    """A picture ``(height, width, 3)`` enlarged, ``(scale * height, scale * width, 3)``: its luminance by the network,
    its colours by bicubic interpolation, as the paper does. Strips of about `strip` pixels are computed at a time, so
    that memory does not grow with the picture; they fit together exactly."""
    there = device_named(device)
    network.to(there).eval()
    whole = enlarged(pixels, network.asked.scale)
    before = luminance(whole)
    after = np.empty_like(before)
    height, width = before.shape
    rows, margin = max(strip // width, 1), network.asked.radius
    with torch.inference_mode():
        for top in range(0, height, rows):
            first, last = max(top - margin, 0), min(top + rows + margin, height)
            part = torch.from_numpy(before[first:last]).to(there)[None, None] / 255
            after[top : top + rows] = (network(part)[0, 0] * 255).cpu().numpy()[top - first :][:rows]
    added = ((after - before) * _RANGE)[:, :, None]
    return np.clip(np.rint(whole + added), 0, 255).astype(np.uint8)


def score(
    network: SRCNN, samples: Samples, device: str = "auto", progress: Progress = no_progress
) -> tuple[Score, ...]:
    """How near samples that are shrunk and enlarged again come to what they were, in their order: 8-bit pictures are
    compared, but for a border of the network's radius. Those that are damaged, too small, or of one colour, which
    interpolation makes again without any error, are left out."""
    scale, border = network.asked.scale, network.asked.radius
    found = []
    for number in range(len(samples)):
        progress(number, len(samples))
        try:
            pixels = rgb(samples.read(number))
        except Rejected:
            continue
        height, width = (side // scale * scale for side in pixels.shape[:2])
        if min(height, width) <= 2 * border:
            continue
        small = shrunk(pixels, scale)
        again = enlarged(small, scale), upscaled(network, small, device)
        truth, *made = (luminance(one) for one in (pixels[:height, :width], *again))
        one = Score(samples.ids[number].as_py(), *(psnr(one, truth, border) for one in made))
        if math.isfinite(one.bicubic):
            found.append(one)
    progress(len(samples), len(samples))
    return tuple(found)
