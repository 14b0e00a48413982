"""Pictures to learn from, small networks that learn quickly, and runs that are stopped and go on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from conftest import encoded, photo
from holotype.releases.loaders import Samples
from test_loader import in_folder


def photographs(folder: Path, count: int, classes: int = 2, damaged: tuple[int, ...] = ()) -> Samples:
    """Photographs of several shapes in a folder, some of them damaged, with labels in turn."""
    files = {
        f"{seed:03}.jpg": b"no picture" if seed in damaged else encoded(photo(seed, 40 + seed % 9, 44))
        for seed in range(count)
    }
    return in_folder(folder, files, [number % classes for number in range(count)], classes)


def edged(folder: Path, count: int) -> Samples:
    """Pictures of boxes with sharp edges, in a folder: interpolation blurs what can be known of them."""
    return in_folder(folder, {f"{seed:03}.png": encoded(_boxes(seed), "PNG") for seed in range(count)})


def _boxes(seed: int) -> Image.Image:
    drawn = np.random.default_rng(seed)
    pixels = np.full((60, 60, 3), drawn.integers(0, 256, 3), np.uint8)
    for left, top, width, height in drawn.integers(4, 48, (12, 4)):
        pixels[top : top + height // 2, left : left + width // 2] = drawn.integers(0, 256, 3)
    return Image.fromarray(pixels)


def digest(folder: Path) -> dict[str, str]:
    """The sha256 of each file of weights below a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.safetensors"))
    }


def after(steps: int) -> Callable[[], bool]:
    """Says to stop when it was asked so many times."""
    asked = 0

    def stopping() -> bool:
        nonlocal asked
        asked += 1
        return asked >= steps

    return stopping


@contextmanager
def exactly(torch: Any) -> Iterator[None]:
    """One thread, so that sums are always made in one order."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def losses() -> tuple[list[float], Callable[..., None]]:
    """Losses as they are told."""
    held: list[float] = []
    return held, lambda at, steps, measures: held.append(float(np.float64(measures["loss"])))
