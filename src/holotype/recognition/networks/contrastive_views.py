"""The colours of views, changed for a whole batch on its device; all that is random is drawn before, by image."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.recognition.contrasts import Look
from holotype.recognition.networks.extra import torch

DRAWS: Final = 13
"""Random numbers that a picture needs."""
_LUMA: Final = (0.299, 0.587, 0.114)
_SIGMA: Final = (0.1, 2.0)


def looked_at(images: Any, look: Look, draws: npt.NDArray[np.float64]) -> Any:
    """Pictures ``(n, size, size, 3)`` uint8 on a device with other colours, as levels from 0 to 1,
    ``(n, 3, size, size)``. All that is random follows from the `draws`, ``(n, DRAWS)`` from [0, 1)."""
    levels = images.permute(0, 3, 1, 2).float() / 255
    factors = torch.from_numpy(draws.astype(np.float32)).to(images.device)
    levels = _jittered(levels, look, draws, factors)
    for chance, column, change in ((look.grey, 9, _greyed), (look.blur, 10, None), (look.solarise, 12, _solarised)):
        rows = np.flatnonzero(draws[:, column] < chance)
        if len(rows):
            some = levels[rows]
            levels[rows] = change(some) if change is not None else blurred(some, _spread(factors[rows, 11], some))
    return levels


def _jittered(levels: Any, look: Look, draws: npt.NDArray[np.float64], factors: Any) -> Any:
    """Each picture's four changes in an order of its own."""
    order = np.argsort(draws[:, 1:5], axis=1)
    for turn in range(4):
        for which, change in enumerate((brightened, contrasted, saturated, hued)):
            rows = np.flatnonzero((order[:, turn] == which) & (draws[:, 0] < look.jittered))
            if len(rows) and look.jitter[which]:
                most = look.jitter[which]
                by = (2 * factors[rows, 5 + which] - 1) * most
                levels[rows] = change(levels[rows], by.view(-1, 1, 1, 1))
    return levels


def brightened(levels: Any, by: Any) -> Any:
    """Levels times ``1 + by``, within 0 and 1."""
    return (levels * (1 + by).clamp(min=0)).clamp(0, 1)


def contrasted(levels: Any, by: Any) -> Any:
    """Levels moved from the mean of their picture's luminance."""
    return _blended(levels, _greyed(levels)[:, :1].mean((1, 2, 3), keepdim=True), by)


def saturated(levels: Any, by: Any) -> Any:
    """Levels moved from their grey."""
    return _blended(levels, _greyed(levels), by)


def hued(levels: Any, by: Any) -> Any:
    """Hues turned, by 1 all the way round; value and saturation in HSV stay."""
    red, green, blue = levels.unbind(1)
    value, chroma = levels.amax(1), levels.amax(1) - levels.amin(1)
    over = torch.where(chroma > 0, chroma, torch.ones_like(chroma))
    hue = torch.where(value == green, (blue - red) / over + 2, (red - green) / over + 4)
    hue = torch.where(value == red, ((green - blue) / over) % 6, hue)
    turned = hue + 6 * by[:, :, 0]
    places = [(turned + place) % 6 for place in (5, 3, 1)]
    return torch.stack([value - chroma * torch.minimum(one, 4 - one).clamp(0, 1) for one in places], 1)


def blurred(levels: Any, sigma: Any) -> Any:
    """Each picture blurred by a Gaussian of its own `sigma` in pixels, ``(n,)``; edges are mirrored."""
    count, channels, size, _ = levels.shape
    radius = max(1, min(size // 2 - 1, round(size / 20)))
    at = torch.arange(-radius, radius + 1, device=levels.device, dtype=torch.float32)
    kernels = torch.exp(-(at**2) / (2 * sigma.view(-1, 1) ** 2))
    kernels = (kernels / kernels.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    made = levels.reshape(1, count * channels, size, size)
    made = torch.nn.functional.pad(made, (radius,) * 4, mode="reflect")
    for shape in ((-1, 1, 1, 2 * radius + 1), (-1, 1, 2 * radius + 1, 1)):
        made = torch.nn.functional.conv2d(made, kernels.view(shape), groups=count * channels)
    return made.view(levels.shape)


def _spread(drawn: Any, levels: Any) -> Any:
    """Sigmas from .1 to 2 pixels of a picture of 224, in pixels of these."""
    low, high = _SIGMA
    return ((low + (high - low) * drawn) * levels.shape[-1] / 224).clamp(min=0.05)


def _greyed(levels: Any) -> Any:
    weights = torch.tensor(_LUMA, device=levels.device).view(1, 3, 1, 1)
    return (levels * weights).sum(1, keepdim=True).expand_as(levels)


def _solarised(levels: Any) -> Any:
    return torch.where(levels >= 0.5, 1 - levels, levels)


def _blended(levels: Any, other: Any, by: Any) -> Any:
    return (other + (levels - other) * (1 + by).clamp(min=0)).clamp(0, 1)
