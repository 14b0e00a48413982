"""PASCAL VOC: an XML file of boxes for each image, maps of masks, and lists of images."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import numpy as np

from holotype.images.decode import EXTENSIONS
from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.detection import Categories, Noted, voc_marks
from holotype.releases.exports.listing import write_classes
from holotype.releases.exports.samples import ExportedBox, Sample
from holotype.releases.exports.voc_maps import VocMaps
from holotype.releases.quantities import plural

STORED: Final = "their sizes and boxes are those of the picture as stored, as this format's readers show it"
ROOT: Final = "VOCdevkit/VOC2012"
"""Where torchvision looks, for the year 2012."""
MOST: Final = 5_000_000
"""Lines of all lists of classes up to which these name the images that do not show a class, too."""


def write_voc(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``VOCdevkit/VOC2012`` with ``JPEGImages``, ``Annotations`` and ``ImageSets/Main``: ``SPLIT.txt``, and
    ``WNID_SPLIT.txt`` with the labels.

    Classes are called by their wnids, which CVAT and Datumaro look up in ``labelmap.txt``. Pixels are counted from 1,
    as VOC counts them, and boxes end with their last pixel; `voc_marks` says what is said of each. Sizes and boxes are
    those of the picture as stored: VOC's readers know no EXIF. All pictures are called ``.jpg``, for readers look for
    nothing else, whatever their bytes are.

    Images with masks have maps in ``SegmentationClass``, of the numbers that classes have in ``labelmap.txt``, and in
    ``SegmentationObject``, of those of instances, and are listed in ``ImageSets/Segmentation``.
    """
    root, noted = folder / ROOT, Noted()
    pictures, annotations, sets = root / "JPEGImages", root / "Annotations", root / "ImageSets/Main"
    for made in (pictures, annotations, sets):
        made.mkdir(parents=True)
    others, drawn = 0, VocMaps(root, Categories(chosen))
    for split, samples in chosen.by_split(advance):
        for sample in samples:
            noted.boxes_of(sample)
            others += sample.extension != EXTENSIONS["JPEG"]
            (pictures / f"{sample.id}.jpg").write_bytes(sample.data)
            (annotations / f"{sample.id}.xml").write_text(_xml(sample, chosen.release.name), encoding="utf-8")
            drawn.add(sample)
        _write_lists(chosen, sets, split)
    lines = "".join(f"{one.wnid}:::\n" for one in Categories(chosen).classes)
    (root / "labelmap.txt").write_text(f"# label:color_rgb:parts:actions\nbackground:0,0,0::\n{lines}")
    write_classes(chosen, folder)
    return [*noted.remarks(STORED), *_remarks(chosen, others), *drawn.remarks()]


def _write_lists(chosen: Chosen, sets: Path, split: str) -> None:
    """The images of a split, and for each class those that show it, 1, and those that do not, -1."""
    images = chosen.images_of(split)
    with (sets / f"{split}.txt").open("w") as file:
        file.writelines(f"{one}\n" for one in chosen.images.ids(images))
    for one in chosen.classes:
        shown = chosen.labelled(one.wnid, split)
        listed = shown if _too_many(chosen) else images
        marks = (" 1" if shows else "-1" for shows in np.isin(listed, shown))
        with (sets / f"{one.wnid}_{split}.txt").open("w") as file:
            file.writelines(f"{name} {mark}\n" for name, mark in zip(chosen.images.ids(listed), marks, strict=True))


def _too_many(chosen: Chosen) -> bool:
    """Whether lists of all images for all classes would be too long."""
    return len(chosen.classes) * len(chosen.images) > MOST


def _remarks(chosen: Chosen, others: int) -> Iterator[str]:
    if others:
        told = plural(others, "image is", "images are")
        yield f"{told} no JPEG, but called so: readers of this format look for ID.jpg, and decode any"
    if _too_many(chosen):
        yield "lists of classes name the images that show them, and not those that do not: that would be too many"


def _xml(sample: Sample, name: str) -> str:
    width, height = sample.stored_size
    row = sample.rows[0]
    depth = {"L": 1, "1": 1, "RGBA": 4, "CMYK": 4}.get(row["mode"], 3)
    lines = [
        "<annotation>",
        f"\t<folder>{ROOT.rpartition('/')[2]}</folder>",
        f"\t<filename>{sample.id}.jpg</filename>",
        f"\t<source><database>{_text(name)}</database><annotation>holotype</annotation>"
        f"<image>{_text(row['url'] or row['source'])}</image></source>",
        f"\t<owner><name>{_text(row['author'])}</name></owner>",
        f"\t<size><width>{width}</width><height>{height}</height><depth>{depth}</depth></size>",
        f"\t<segmented>{int(bool(sample.masks))}</segmented>",
        *map(_object, sample.stored_boxes),
        "</annotation>\n",
    ]
    return "\n".join(lines)


def _object(box: ExportedBox) -> str:
    edges = "".join(
        f"<{name}>{edge + 1}</{name}>"
        for name, edge in (("xmin", box.x_min), ("ymin", box.y_min), ("xmax", box.x_max), ("ymax", box.y_max))
    )
    marks = "".join(f"<{name}>{said}</{name}>" for name, said in voc_marks(box))
    return f"\t<object><name>{_text(box.wnid)}</name><pose>Unspecified</pose>{marks}<bndbox>{edges}</bndbox></object>"


def _text(value: str) -> str:
    """Text as XML may hold it."""
    return escape("".join(one if one.isprintable() else " " for one in value))
