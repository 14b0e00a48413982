"""Pictures as a network is shown them, and where in each what is shown lies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from PIL import Image

from holotype.files import printable
from holotype.images.flatten import Pixels
from holotype.images.rejected import Rejected
from holotype.recognition.preprocessing import FILTERS, Preprocessing, rgb
from holotype.releases.loaders import Damaged, Samples
from holotype.store.location import TREE, Location
from holotype.store.places import Places
from holotype.store.store import Store

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
View = Literal["centre", "whole"]
VIEWS: Final[tuple[View, ...]] = ("centre", "whole")


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Samples of some `numbers` that were read: what is `shown` of each ``(n, size, size, 3)`` uint8 RGB, where in its
    upright picture that lies, `frames` ``(n, 4)``, left, top, right and bottom edge in pixels, and the width and height
    of the picture, `sizes` ``(n, 2)``; and those that are `damaged`, which are none of them."""

    numbers: Ints
    shown: Pixels
    frames: Floats
    sizes: Ints
    damaged: tuple[Damaged, ...]


def read_pictures(samples: Samples, preprocessing: Preprocessing, view: View, numbers: Ints) -> Pictures:
    """What a network is shown of samples: the ``centre`` of each, as its preprocessing has it, or the ``whole``,
    squeezed to a square. Raises `PackError` or `ArchiveError` where bytes are not there any more."""
    sound: list[int] = []
    shown: list[Pixels] = []
    sizes: list[tuple[int, int]] = []
    damaged: list[Damaged] = []
    for number in numbers.tolist():
        try:
            pixels = rgb(samples.read(number))
        except Rejected as error:
            damaged.append(Damaged(number, samples.ids[number].as_py(), error.reason, error.detail))
            continue
        sound.append(number)
        shown.append(preprocessing.centre(pixels) if view == "centre" else _squeezed(pixels, preprocessing))
        sizes.append((pixels.shape[1], pixels.shape[0]))
    framed = [centre_frame(preprocessing, *size) if view == "centre" else (0.0, 0.0, *size) for size in sizes]
    side = preprocessing.size
    return Pictures(
        np.array(sound, np.int64),
        np.array(shown, np.uint8).reshape(-1, side, side, 3),
        np.array(framed, np.float64).reshape(-1, 4),
        np.array(sizes, np.int64).reshape(-1, 2),
        tuple(damaged),
    )


def given_files(paths: Sequence[Path]) -> Samples:
    """Files of pictures as samples that have no labels, called by their names, or by their paths where several have the
    same name. Raises OSError where one is not there."""
    found = [path.resolve(strict=True) for path in paths]
    folders = list(dict.fromkeys(path.parent for path in found))
    times = Counter(path.name for path in paths)
    ids = [path.name if times[path.name] == 1 else str(path) for path in paths]
    places = Places(
        tuple(Location(str(folder), 0, 0, TREE) for folder in folders),
        np.array([folders.index(path.parent) for path in found], np.int32),
        np.zeros(len(found), np.int64),
        np.array([path.stat().st_size for path in found], np.int64),
        pa.array([path.name for path in found], pa.string()),
    )
    labels = np.full(len(found), -1, np.int32)
    return Samples(places, Store(Path()), labels, pa.array([printable(one) for one in ids], pa.string()), ())


def centre_frame(preprocessing: Preprocessing, width: int, height: int) -> tuple[float, float, float, float]:
    """The edges in a picture of what `Preprocessing.centre` shows of it: left, top, right, bottom, in pixels.

    >>> centre_frame(Preprocessing(size=224, resize=256), 512, 256)
    (144.0, 16.0, 368.0, 240.0)
    """
    wide, high = preprocessing.resized_to(width, height)
    left, top = round((wide - preprocessing.size) / 2), round((high - preprocessing.size) / 2)
    across, down = width / wide, height / high
    right, bottom = left + preprocessing.size, top + preprocessing.size
    return left * across, top * down, right * across, bottom * down


def _squeezed(pixels: Pixels, preprocessing: Preprocessing) -> Pixels:
    square = preprocessing.size, preprocessing.size
    return np.asarray(Image.fromarray(pixels).resize(square, FILTERS[preprocessing.interpolation]))
