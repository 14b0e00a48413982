"""What a network makes of many pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from holotype.engine import Progress, no_progress
from holotype.recognition.networks.device import device_named
from holotype.recognition.networks.extra import torch
from holotype.recognition.networks.network import Network
from holotype.recognition.preprocessing import Preprocessing
from holotype.releases.loaders import Damaged, Loader, Order, Samples, Settings

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What was made of samples: a row each, `rows` ``(samples, width)``; zeros for those that are `damaged`."""

    rows: Floats
    damaged: tuple[Damaged, ...]


def features(
    network: Network, samples: Samples, device: str = "auto", batch_size: int = 64, progress: Progress = no_progress
) -> Made:
    """What the head of a network gets of each sample, ``(samples, width)``."""
    return made(network, network.features, network.width, samples, device, batch_size, progress)


def outputs(
    network: Network, samples: Samples, device: str = "auto", batch_size: int = 64, progress: Progress = no_progress
) -> Made:
    """The outputs of a network for each sample, before softmax, ``(samples, outputs)``."""
    return made(network, network, network.outputs, samples, device, batch_size, progress)


def made(
    network: Network,
    ask: Callable[[Any], Any],
    width: int,
    samples: Samples,
    device: str = "auto",
    batch_size: int = 64,
    progress: Progress = no_progress,
) -> Made:
    """What `ask` gives of normalised images ``(n, 3, size, size)``, `width` numbers each; its network is moved to the
    device, and set to evaluation."""
    there = device_named(device)
    network.to(there).eval()
    rows = np.zeros((len(samples), width), np.float32)
    damaged: list[Damaged] = []
    with torch.inference_mode():
        for numbers, images, lost in shown(network.preprocessing, samples, there, batch_size, progress):
            damaged += lost
            if len(numbers):
                rows[numbers] = ask(images).float().cpu().numpy()
    return Made(rows, tuple(damaged))


def normalised(pixels: Any, preprocessing: Preprocessing) -> Any:
    """Levels ``(n, height, width, 3)`` uint8 on a device as what its network gets, ``(n, 3, height, width)``."""
    levels = pixels.permute(0, 3, 1, 2).float().div_(255)
    mean, std = (
        torch.tensor(one, device=pixels.device).view(1, 3, 1, 1) for one in (preprocessing.mean, preprocessing.std)
    )
    return levels.sub_(mean).div_(std)


def shown(
    asked: Preprocessing, samples: Samples, device: Any, batch_size: int, progress: Progress = no_progress
) -> Iterator[tuple[Ints, Any, tuple[Damaged, ...]]]:
    """The centres of samples in batches, in their order: their numbers, normalised images on the device
    ``(n, 3, size, size)``, and those that are damaged, which are neither."""
    settings = Settings(batch_size, asked.size, asked, order=Order("none"), damaged="skip")
    done = 0
    progress(0, len(samples))
    for batch in Loader(samples, settings):
        yield batch.numbers, normalised(torch.from_numpy(batch.images).to(device), asked), batch.damaged
        done += len(batch) + len(batch.damaged)
        progress(done, len(samples))
