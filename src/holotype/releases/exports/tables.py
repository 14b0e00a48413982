"""Tables as text: CSV of labels, boxes and classes, and JSON lines of images; with the pictures or without."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import fields
from itertools import chain
from pathlib import Path
from typing import Any, Final

from holotype.releases.exports.chosen import Advance, Chosen
from holotype.releases.exports.listing import formulas, write_classes
from holotype.releases.exports.samples import ExportedBox, Sample
from holotype.releases.layout import MACHINES

_FIRST: Final = ("file", "id", "split", "class", "wnid", "name")
_ADDRESS: Final = ("shard", "offset", "length", "path")
_OF_A_LABEL: Final = ("wnid", "rank", "yes", "unsure", "no", "score", "policy", MACHINES)
_BOX: Final = tuple(field.name for field in fields(ExportedBox))


def write_csv_with_images(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """As `write_tables`, with the pictures: ``images/1a/ID.jpg``, which the column `file` names."""

    def store(sample: Sample) -> str:
        path = Path("images", sample.id[:2], f"{sample.id}.{sample.extension}")
        (folder / path.parent).mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(sample.data)
        return path.as_posix()

    return _write(chosen, folder, advance, chosen.samples(), store)


def write_tables(chosen: Chosen, folder: Path, advance: Advance) -> list[str]:
    """``labels.csv``, a label a row; ``boxes.csv``, a box a row; ``classes.csv``; and ``images.jsonl``, an image a line
    with all its labels and boxes. Boxes are in pixels of the picture turned upright; flags and support that nobody
    said are -1."""
    return _write(chosen, folder, advance, chosen.described(chosen.images_of()), lambda _: "")


def _write(
    chosen: Chosen, folder: Path, advance: Advance, samples: Iterable[Sample], store: Callable[[Sample], str]
) -> list[str]:
    write_classes(chosen, folder)
    run = 0
    told = [name for name in chosen.columns if name not in (*_FIRST, *_ADDRESS)]
    with ExitStack() as stack:
        open_new = (
            stack.enter_context((folder / name).open("w", encoding="utf-8", newline=""))
            for name in ("labels.csv", "boxes.csv", "images.jsonl")
        )
        to_labels, to_boxes, lines = next(open_new), next(open_new), next(open_new)
        labels, boxes = (csv.writer(file, lineterminator="\n") for file in (to_labels, to_boxes))
        labels.writerow((*_FIRST, *told))
        boxes.writerow(("id", *_BOX))
        for done, sample in enumerate(samples, 1):
            file = store(sample)
            of_labels = [_label(row, file, chosen, told) for row in sample.rows]
            of_boxes = [[sample.id, *(getattr(box, name) for name in _BOX)] for box in sample.boxes]
            labels.writerows(of_labels)
            boxes.writerows(of_boxes)
            run += formulas(chain(*of_labels, *of_boxes))
            lines.write(json.dumps(_line(sample, file, chosen, told), ensure_ascii=False) + "\n")
            advance(done, len(chosen.images))
    remark = "cells begin with =, +, - or @: a spreadsheet runs them as formulas, unless it imports columns as text"
    return [f"{run:,} {remark}"] if run else []


def _label(row: Mapping[str, Any], file: str, chosen: Chosen, told: Iterable[str]) -> list[Any]:
    one = chosen.classes[chosen.numbers[row["wnid"]]]
    cells = (" ".join(row[name]) if name == MACHINES else row[name] for name in told)
    return [file, row["id"], row["split"], one.number, one.wnid, one.name, *cells]


def _line(sample: Sample, file: str, chosen: Chosen, told: Iterable[str]) -> dict[str, Any]:
    image = {name: sample.rows[0][name] for name in ("id", "split", *told) if name not in _OF_A_LABEL}
    labels = [
        {"class": chosen.numbers[row["wnid"]], **{name: row[name] for name in _OF_A_LABEL if name in row}}
        for row in sample.rows
    ]
    return {"file": file, **image, "labels": labels, "boxes": [_box(box) for box in sample.boxes]}


def _box(box: ExportedBox) -> dict[str, Any]:
    return {name: getattr(box, name) for name in _BOX}
