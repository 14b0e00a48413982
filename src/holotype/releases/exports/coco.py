"""COCO: ``annotations/instances_SPLIT.json`` beside ``images/SPLIT``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from holotype.licences import parse
from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.detection import UPRIGHT, Categories, Lists, Noted
from holotype.releases.exports.masks import with_boxes
from holotype.releases.exports.samples import ExportedBox, ExportedMask, Sample
from holotype.releases.verified import ABSENT

_WEB: Final = ("https://", "http://")


def write_coco(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``annotations/instances_SPLIT.json`` and ``images/SPLIT/ID.jpg``.

    Categories are numbered from 1 by wnid, which each has beside its name. A box is x, y, width and height in pixels:
    width = x_max - x_min + 1; ``iscrowd`` says that it is of a group, 0 where nobody said, and ``attributes`` what was
    said of it beside that. A mask is run lengths as text, beside the box of its instance where there is one. All images
    are listed, those without boxes too; ``category_ids`` are an image's labels, and ``neg_category_ids``, as in LVIS,
    what it was verified not to show.
    """
    categories, noted = Categories(chosen), Noted()
    absent = _absent(chosen, categories)
    licences: dict[str, int] = {}
    images = number = 0
    (folder / "annotations").mkdir()
    head = {"info": _info(chosen), "categories": _categories(categories)}
    for split, samples in chosen.by_split(advance):
        pictures = folder / "images" / split
        pictures.mkdir(parents=True)
        with Lists(folder, ("images", "annotations")) as lists:
            for sample in samples:
                images += 1
                file = f"{sample.id}.{sample.extension}"
                (pictures / file).write_bytes(sample.data)
                licence = licences.setdefault(sample.rows[0]["licence"], len(licences) + 1)
                told = _image(images, file, sample, licence, categories)
                lists.add("images", told | absent.get(sample.id, {}))
                for box, mask in with_boxes(noted.boxes_of(sample), sample.masks):
                    number, instance = number + 1, box or mask
                    if instance is not None:
                        one = {"id": number, "image_id": images, "category_id": categories.number[instance.wnid] + 1}
                        lists.add("annotations", one | _annotation(instance, mask))
            path = folder / "annotations" / f"instances_{split}.json"
            lists.write(path, {**head, "licenses": [_licence(name, number) for name, number in licences.items()]})
    return noted.remarks(UPRIGHT)


def _info(chosen: Chosen) -> dict[str, Any]:
    name = chosen.release.name
    return {"description": name, "version": name, "url": "", "contributor": "", "date_created": "", "year": 0}


def _categories(categories: Categories) -> list[dict[str, Any]]:
    named = zip(categories.classes, categories.names, categories.above, strict=True)
    return [
        {"id": one.number + 1, "name": name, "supercategory": above, "wnid": one.wnid} for one, name, above in named
    ]


def _absent(chosen: Chosen, categories: Categories) -> dict[str, dict[str, list[int]]]:
    """The categories that each image is verified not to show, as LVIS names them, of images that have any."""
    found: dict[str, dict[str, list[int]]] = {}
    for one in chosen.release.verified.to_pylist():
        if one["said"] == ABSENT and one["wnid"] in categories.number:
            numbers = found.setdefault(one["id"], {"neg_category_ids": []})["neg_category_ids"]
            numbers.append(categories.number[one["wnid"]] + 1)
    return {id: {name: sorted(numbers) for name, numbers in told.items()} for id, told in found.items()}


def _licence(name: str, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "name": name or "unknown",
        "url": parse(name).canonical or (name if name.startswith(_WEB) else ""),
    }


def _image(number: int, file: str, sample: Sample, licence: int, categories: Categories) -> dict[str, Any]:
    width, height = sample.size
    row = sample.rows[0]
    return {
        "id": number,
        "file_name": file,
        "width": width,
        "height": height,
        "license": licence,
        "coco_url": row["url"],
        "flickr_url": "",
        "date_captured": "",
        "author": row["author"],
        "category_ids": [categories.number[wnid] + 1 for wnid in sample.wnids],
    }


def _annotation(box: ExportedBox | ExportedMask, mask: ExportedMask | None) -> dict[str, Any]:
    width, height = box.x_max - box.x_min + 1, box.y_max - box.y_min + 1
    flags = box.flags if isinstance(box, ExportedBox) else {}
    others = {name: said for name, said in flags.items() if name != "group_of"}
    return {
        "bbox": [box.x_min, box.y_min, width, height],
        "area": width * height if mask is None else mask.area,
        "iscrowd": int(flags.get("group_of", False) or (mask is not None and mask.crowd)),
        "segmentation": [] if mask is None else {"size": [mask.height, mask.width], "counts": mask.counts},
        **({"attributes": others} if others else {}),
    }
