"""Tar shards of WebDataset: an image, its class and what is known of it, under one key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.listing import second_labels, write_classes
from holotype.releases.exports.samples import Sample
from holotype.releases.exports.shards import write_shards
from holotype.releases.layout import SHARD_BYTES, WORKS
from holotype.store.tar.writing import tar_end, tar_member

ABOUT: Final = ("orientation", "origin", "source", "licence", "author", "url", *WORKS)
"""Columns of the manifest that speak of an image, whatever its labels, as far as it has them."""


def write_webdataset(chosen: Chosen, folder: Path, advance: Advance, shard_bytes: int = SHARD_BYTES) -> list[str]:
    """``SPLIT-000000.tar`` of ``ID.jpg``, ``ID.cls`` (the number of the class of the first label) and ``ID.json``.

    Images are in the order of their ids, which is as good as shuffled. Sizes and boxes are those of the picture as
    stored: what decodes samples knows no EXIF.
    """
    write_classes(chosen, folder)
    for split, samples in chosen.by_split(advance, shuffled=True):
        members = (_member(sample, chosen.numbers) for sample in samples)
        write_shards(members, f"{split}-{{:06d}}.tar", folder, shard_bytes, tar_end)
    return second_labels(chosen, "ID.cls has the first, ID.json has all")


def _member(sample: Sample, numbers: Mapping[str, int]) -> bytes:
    about = json.dumps(_about(sample, numbers), ensure_ascii=False).encode()
    members = {sample.extension: sample.data, "cls": str(numbers[sample.wnids[0]]).encode(), "json": about}
    parts = (tar_member(f"{sample.id}.{extension}", data) for extension, data in members.items())
    return b"".join(part for member in parts for part in member)


def _about(sample: Sample, numbers: Mapping[str, int]) -> dict[str, Any]:
    width, height = sample.stored_size
    boxes = [
        {"wnid": box.wnid, "xmin": box.x_min, "ymin": box.y_min, "xmax": box.x_max, "ymax": box.y_max, **box.flags}
        for box in sample.stored_boxes
    ]
    return {
        "id": sample.id,
        "wnids": sample.wnids,
        "classes": [numbers[wnid] for wnid in sample.wnids],
        "width": width,
        "height": height,
        "boxes": boxes,
        **{name: sample.rows[0][name] for name in ABOUT if name in sample.rows[0]},
    }
