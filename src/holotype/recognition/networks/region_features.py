"""What a network makes of parts of a picture, each warped to the square that it takes (Girshick et al., CVPR 2014)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from holotype.geometry.values import Floats
from holotype.images.flatten import Pixels
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.extra import torch, torchvision
from holotype.recognition.networks.features import normalised
from holotype.recognition.networks.network import Network

CONTEXT: Final = 16 / 227
"""The share of a warped square on each side that shows what is around a box (Girshick et al., appendix A)."""


_LAST: Final = np.array([0.0, 0, 1, 1])


class RegionFeatures:
    """Gives the features of boxes of a picture, ``(boxes, width)``: what the head of a `network` gets of each, warped
    to `size` pixels (0: those that the network was trained on) with some context; what lies outside of the picture has
    the mean colour. Every pixel of a box counts, however much smaller it is made.

    A network that takes one size only needs that.
    """

    def __init__(
        self,
        network: Network,
        size: int = 0,
        device: str = "auto",
        batch_size: int = 64,
        context: float = CONTEXT,
    ) -> None:
        self.size = size or network.preprocessing.size
        self.context = context
        self._network = network
        self._device = device_named(device)
        self._batch_size = batch_size
        network.to(self._device).eval()

    @property
    def width(self) -> int:
        """How many features a box has."""
        return self._network.width

    def __call__(self, pixels: Pixels, boxes: Floats) -> npt.NDArray[np.float32]:
        """The features of boxes ``(boxes, 4)``, inclusive pixels of a picture ``(height, width, 3)``."""
        found = np.zeros((len(boxes), self.width), np.float32)
        with torch.inference_mode():
            image = normalised(torch.tensor(pixels[None]).to(self._device), self._network.preprocessing)
            for first in range(0, len(boxes), self._batch_size):
                some = boxes[first : first + self._batch_size]
                made = self._network.features(warped(image, some, self.size, self.context))
                found[first : first + len(some)] = made.float().cpu().numpy()
        return found


def warped(image: Any, boxes: Floats, size: int, context: float = CONTEXT) -> Any:
    """The parts of an image ``(1, 3, height, width)`` in boxes of inclusive pixels, and around them, as squares
    ``(boxes, 3, size, size)``; 0 where there is no image."""
    corners = torch.as_tensor(around(boxes, context), dtype=torch.float32, device=image.device)
    return torchvision.ops.roi_align(image, [corners], (size, size), sampling_ratio=-1, aligned=True)


def around(boxes: Floats, context: float) -> Floats:
    """Boxes of inclusive pixels with what is around them, as edges between pixels: a box is the middle of what is
    shown, but for the share `context` on each side."""
    edges = boxes + _LAST
    margin = (edges[:, 2:] - edges[:, :2]) * (context / (1 - 2 * context))
    return np.asarray(np.concatenate([edges[:, :2] - margin, edges[:, 2:] + margin], axis=1))
