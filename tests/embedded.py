"""An embedder for tests: the mean colours of the sixteen parts of a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from holotype.images.decode import Rejected
from holotype.recognition.embedders import Embeddings
from holotype.recognition.preprocessing import rgb
from holotype.releases.loaders import Damaged, Samples


@dataclass
class Colours:
    """16 mean colours less grey; `weights` are what they are multiplied by. It counts what it was `asked`."""

    weights: float = 1.0
    name: str = "colours"
    width: int = 48
    source: Mapping[str, str] = field(default_factory=lambda: {"network": "colours"})
    asked: int = 0

    @property
    def digest(self) -> str:
        return hashlib.sha256(f"colours {self.weights}".encode()).hexdigest()

    def embed(self, samples: Samples) -> Embeddings:
        rows, damaged = np.zeros((len(samples), self.width), np.float32), []
        for number in range(len(samples)):
            self.asked += 1
            try:
                pixels = rgb(samples.read(number)).astype(np.float32)
            except Rejected as error:
                damaged.append(Damaged(number, samples.ids[number].as_py(), error.reason, error.detail))
                continue
            parts = [part for row in np.array_split(pixels, 4) for part in np.array_split(row, 4, axis=1)]
            rows[number] = np.concatenate([part.mean(axis=(0, 1)) - 128 for part in parts]) * self.weights
        return Embeddings(rows, tuple(damaged))
