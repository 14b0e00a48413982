"""Small archives with the names of the real ones, for pages of the documentation that speak of ImageNet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from conftest import encoded, photo
from holotype.imports.boxes import Box
from official import Picture, write_archives, write_devkit, write_solutions

TENCH, GOLDFISH, CHIHUAHUA, RETRIEVER, TABBY = "n01440764", "n01443537", "n02085620", "n02099601", "n02123045"
CLASSES = (TENCH, GOLDFISH, CHIHUAHUA, RETRIEVER, TABBY)


def pictures() -> Iterator[Picture]:
    """Twelve training and four validation images of each of five classes; one is a PNG that is called JPEG, and one
    the cat that pages show."""
    for row, wnid in enumerate(CLASSES):
        for each in range(16):
            split = "val" if each >= 12 else "train"
            number = 5 * (each - 12) + row + 1 if (row, each) != (4, 15) else 293
            name = f"{wnid}_{each}" if split == "train" else f"ILSVRC2012_val_{number:08d}"
            boxes = (Box(wnid, 10, 8, 60, 50),) if split == "val" or each % 2 else ()
            kind = "PNG" if (row, each) == (0, 4) else "JPEG"
            yield Picture(name, split, wnid, encoded(photo(16 * row + each), kind), boxes, (80, 60))


def write_ilsvrc2012(folder: Path) -> None:
    """The official archives, the devkit, and Kaggle's labels of the validation images."""
    write_archives(folder, pictures())
    write_devkit(folder, pictures())
    write_solutions(folder, [one for one in pictures() if one.split == "val"])
    (folder / "LOC_train_solution.csv").unlink()
