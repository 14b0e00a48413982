"""How different images are from one another, by embeddings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holotype.recognition.neighbours import BLOCK, Rows, unit


@dataclass(frozen=True, slots=True)
class Spread:
    """How different so many `images` are: the mean `distance` of two of them (1 less the cosine), which does not hang
    on how many there are, and how many altogether `different` ones would be as diverse, the Vendi score of Friedman and
    Dieng (TMLR 2023)."""

    images: int
    distance: float
    different: float


def spread(rows: Rows) -> Spread:
    """How different rows ``(n, width)`` are from one another. A single one has a distance of 0.

    >>> spread(np.eye(3)), spread(np.ones((3, 2)))
    (Spread(images=3, distance=1.0, different=3.0), Spread(images=3, distance=0.0, different=1.0))
    """
    count, width = rows.shape
    if not count:
        return Spread(0, 0.0, 0.0)
    total, gram = np.zeros(width), np.zeros((width, width))
    for start in range(0, count, BLOCK):
        block = unit(rows[start : start + BLOCK]).astype(np.float64)
        total += block.sum(axis=0)
        gram += block.T @ block
    distance = 1 - (total @ total - np.trace(gram)) / (count * (count - 1)) if count > 1 else 0.0
    share = np.linalg.eigvalsh(gram / count)
    share = share[share > 1e-12]
    return Spread(count, round(float(distance), 6), round(float(np.exp(-(share * np.log(share)).sum())), 3))
