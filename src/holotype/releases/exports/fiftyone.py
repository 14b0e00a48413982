"""FiftyOne's own layout: pictures, and their labels and boxes as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.detection import UPRIGHT, Categories, Noted, as_json
from holotype.releases.exports.listing import write_classes
from holotype.releases.exports.samples import ExportedBox


def write_fiftyone(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``SPLIT/data/ID.jpg``, ``SPLIT/labels.json`` as FiftyOneImageClassificationDataset has it, and
    ``SPLIT/detections.json`` as FiftyOneImageDetectionDataset does.

    Labels are numbers of the file's ``classes``; an image with several has a list. Boxes are x, y, width and height in
    shares of the picture's.
    """
    categories, noted = Categories(chosen), Noted()
    for split, samples in chosen.by_split(advance):
        (folder / split / "data").mkdir(parents=True)
        with (
            (folder / split / "labels.json").open("w", encoding="utf-8") as labels,
            (folder / split / "detections.json").open("w", encoding="utf-8") as detections,
        ):
            for file in (labels, detections):
                file.write(f'{{"classes": {as_json(categories.names)},\n"labels": {{')
            for place, sample in enumerate(samples):
                (folder / split / "data" / f"{sample.id}.{sample.extension}").write_bytes(sample.data)
                numbers = [categories.number[wnid] for wnid in sample.wnids]
                boxes = noted.boxes_of(sample, needs_size=True)
                found = [_box(box, categories.number[box.wnid], *sample.size) for box in boxes]
                for file, said in ((labels, numbers[0] if len(numbers) == 1 else numbers), (detections, found)):
                    file.write(f'{"," if place else ""}\n"{sample.id}": {as_json(said)}')
            for file in (labels, detections):
                file.write("}}\n")
    write_classes(chosen, folder)
    return noted.remarks(UPRIGHT)


def _said(box: ExportedBox) -> dict[str, bool]:
    """What is said of a box, of a group as FiftyOne's evaluation calls it."""
    return {{"group_of": "iscrowd"}.get(name, name): said for name, said in box.flags.items()}


def _box(box: ExportedBox, number: int, width: int, height: int) -> dict[str, Any]:
    across, down = box.x_max + 1 - box.x_min, box.y_max + 1 - box.y_min
    return {
        "label": number,
        "bounding_box": [box.x_min / width, box.y_min / height, across / width, down / height],
        "attributes": {"wnid": box.wnid, "source": box.source, **_said(box)},
    }
