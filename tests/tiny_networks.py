"""A network that learns in no time, and images to learn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from conftest import encoded
from holotype.recognition.preprocessing import Preprocessing
from holotype.recognition.recipes import Optimizer, Recipe
from holotype.recognition.schedules import Schedule, Sizes
from holotype.releases.loaders import Mix, RandomCrop, Samples
from test_loader import in_folder

WNIDS = ("n01440764", "n01443537", "n01484850", "n01491361")
SIZE = 16
RECIPE = Recipe(
    "tiny",
    epochs=3,
    batch_size=8,
    lr=0.05,
    optimizer=Optimizer(weight_decay=1e-3),
    schedule=Schedule("cosine", warmup=1),
    sizes=Sizes(SIZE),
    shown=(SIZE, SIZE + 2),
    augment=RandomCrop((0.5, 1.0)),
    smoothing=0.1,
)
BUSY = replace(RECIPE, mix=Mix(), erase=0.5, colour_noise=0.1, averaging=0.9, clip=1.0)
"""All that is random, and an average."""


def tiny(classes: tuple[str, ...] = WNIDS, norm: str = "group", drop: float = 0.0, seed: int = 0) -> Any:
    """A network of one convolution, with a norm of groups or of batches, and maybe dropout."""
    import torch

    from holotype.recognition.networks.network import Network

    torch.manual_seed(seed)
    norms = {"group": torch.nn.GroupNorm(4, 8), "batch": torch.nn.BatchNorm2d(8)}
    layers = [torch.nn.Conv2d(3, 8, 3, 2), norms[norm], torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(2)]
    ends = [torch.nn.Flatten(), torch.nn.Dropout(drop), torch.nn.Linear(32, len(classes))]
    return Network(torch.nn.Sequential(*layers, *ends), "tiny", Preprocessing(SIZE, SIZE + 2), classes)


def coloured(folder: Path, count: int, classes: int = len(WNIDS), damaged: tuple[int, ...] = ()) -> Samples:
    """So many images in a folder, whose colours tell their class; those of some numbers are cut short."""
    rng = np.random.default_rng(0)
    files = {}
    for number in range(count):
        base = np.array([[220, 30, 30], [30, 220, 30], [30, 30, 220], [200, 200, 40]])[number % classes % 4]
        pixels = np.clip(base + rng.normal(0, 40, (20, 24, 3)), 0, 255).astype(np.uint8)
        data = encoded(Image.fromarray(pixels))
        files[f"{number:03}.jpg"] = data[: len(data) // 3] if number in damaged else data
    labels = [number % classes for number in range(count)]
    samples = in_folder(folder, files, labels, classes)
    return replace(samples, classes=tuple(sorted(WNIDS[:classes])) if classes <= len(WNIDS) else samples.classes)
