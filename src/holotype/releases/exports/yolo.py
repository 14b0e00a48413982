"""YOLO: a text file of boxes for each image, and ``data.yaml``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import yaml

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.detection import UPRIGHT, Categories, Noted
from holotype.releases.exports.listing import write_classes
from holotype.releases.exports.samples import ExportedBox

_NEEDED: Final = ("train", "val")
"""Splits that readers want to see named."""


def write_yolo(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``images/SPLIT/ID.jpg``, ``labels/SPLIT/ID.txt`` and ``data.yaml``.

    A line is the number of the class, the middle of the box and its sides, in shares of the picture's. Classes are
    counted from 0 by wnid, those of boxes with all others. An image without boxes has an empty file.
    """
    categories, noted = Categories(chosen), Noted()
    named = list(dict.fromkeys((*_NEEDED, *chosen.splits)))
    for kind in ("images", "labels"):
        for split in named:
            (folder / kind / split).mkdir(parents=True)
    for split, samples in chosen.by_split(advance):
        images, labels = folder / "images" / split, folder / "labels" / split
        for sample in samples:
            (images / f"{sample.id}.{sample.extension}").write_bytes(sample.data)
            lines = [
                _line(box, categories.number[box.wnid], *sample.size) for box in noted.boxes_of(sample, needs_size=True)
            ]
            (labels / f"{sample.id}.txt").write_text("".join(lines))
    write_classes(chosen, folder)
    about = {
        **{split: f"images/{split}" for split in named},
        "nc": len(categories.names),
        "names": dict(enumerate(categories.names)),
    }
    (folder / "data.yaml").write_text(yaml.safe_dump(about, sort_keys=False, allow_unicode=True), encoding="utf-8")
    bare = [f"there are no images in {split}, which trainers want" for split in named if split not in chosen.splits]
    return [*noted.remarks(UPRIGHT), *bare]


def _line(box: ExportedBox, number: int, width: int, height: int) -> str:
    across, down = box.x_max + 1 - box.x_min, box.y_max + 1 - box.y_min
    middle = (box.x_min + across / 2) / width, (box.y_min + down / 2) / height
    return f"{number} {middle[0]:.8f} {middle[1]:.8f} {across / width:.8f} {down / height:.8f}\n"
