"""What makes embeddings of images: networks, and features made by hand, which need none."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import MappingProxyType
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from holotype.errors import NotInstalled
from holotype.recognition.pictures import look_at
from holotype.releases.loaders import Damaged, Samples

Floats = npt.NDArray[np.float32]
HOG: Final = "hog"
"""What features made by hand are called: see `holotype.recognition.baseline.features`."""
_WIDTH: Final = 832


@dataclass(frozen=True, slots=True, eq=False)
class Embeddings:
    """What was made of samples: a row each, ``(samples, width)``; rows of those that are `damaged` mean nothing."""

    rows: Floats
    damaged: tuple[Damaged, ...] = ()


class Embedder(Protocol):
    """Whatever makes numbers of images, the same ones of the same image."""

    @property
    def name(self) -> str:
        """What it is called, unless somebody calls it otherwise."""

    @property
    def digest(self) -> str:
        """64 hexadecimal digits that tell it from every other, and from itself with other weights."""

    @property
    def width(self) -> int:
        """How many numbers it makes of an image."""

    @property
    def source(self) -> Mapping[str, str]:
        """What it was made from, so that it can be made again."""

    def embed(self, samples: Samples) -> Embeddings:
        """What it makes of samples. Raises `PackError` or `ArchiveError` where bytes are not there any more."""


@dataclass(frozen=True, slots=True)
class HandMade:
    """Gradients and colours, as the baseline of releases has them: they know nothing, and need no network."""

    name: str = HOG
    digest: str = hashlib.sha256(b"gradients and colours, 1").hexdigest()
    width: int = _WIDTH
    source: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({"network": HOG}))

    def embed(self, samples: Samples) -> Embeddings:
        """The features of samples, computed on all CPUs. Raises `NotInstalled`."""
        try:
            import_module("skimage.feature")
        except ImportError as error:
            raise NotInstalled("scikit-image", "recognition") from error
        from holotype.recognition.described import gradients

        looked = look_at(samples, gradients, kind=None)
        rows = np.zeros((len(samples), self.width), np.float32)
        for number, row in zip(looked.numbers.tolist(), looked.seen, strict=True):
            rows[number] = row
        return Embeddings(rows, looked.damaged)
