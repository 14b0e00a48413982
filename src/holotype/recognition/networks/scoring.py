"""How many of a network's first guesses, and of its first five, are right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from holotype.recognition.networks.distributed import shard, summed
from holotype.recognition.networks.features import made
from holotype.recognition.networks.network import Network
from holotype.releases.loaders import Samples

_GUESSES: Final = 5


@dataclass(frozen=True, slots=True)
class Right:
    """Of so many sound `images`, the shares whose class is the first guess, `top1`, and among five, `top5`."""

    images: int
    top1: float
    top5: float


def right(network: Network, samples: Samples, device: Any = "cpu", batch_size: int = 64) -> Right:
    """Score a network on samples of its classes, shown as it is to be. Every process scores a part, and all know the
    shares of the whole, with nothing counted twice."""
    rank, world = shard()
    own = samples.take(np.arange(rank, len(samples), world, dtype=np.int64))
    guesses = min(_GUESSES, network.outputs)

    def ask(images: Any) -> Any:
        return network(images).float().topk(guesses).indices

    found = made(network, ask, guesses, own, str(device), batch_size)
    sound = np.ones(len(own), bool)
    sound[[one.number for one in found.damaged]] = False
    hits = (found.rows.astype(np.int64) == own.labels[:, None]) & sound[:, None]
    counted = [float(sound.sum()), float(hits[:, 0].sum()), float(hits.sum())]
    images, first, all_five = summed(counted, device)
    return Right(int(images), first / max(images, 1), all_five / max(images, 1))
