"""Label maps and COCO's files that are damaged, forged, or made to take long: counted, not taken for something else."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from holotype.geometry.masks import runs_of_text
from holotype.imports.boxes import Annotation
from holotype.imports.coco import read_coco
from holotype.imports.tools import coco, label_maps
from holotype.imports.tools.label_maps import NO_MAP, NOISE, read_label_maps
from holotype.ontology import Ontology
from holotype.project.annotated import meant

SQUARE = [2, 2, 8, 2, 8, 8, 2, 8]
ODD: tuple[Any, ...] = (
    None,
    True,
    [],
    {},
    "",
    "x",
    1.5,
    -1,
    10**30,
    float("inf"),
    float("nan"),
    [1],
    {"a": 1},
    "1",
    [[[]]],
)


def png(values: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.array(values)).save(file, "PNG")
    return file.getvalue()


def grey(bits: int, rows: Sequence[bytes], width: int) -> bytes:
    """A PNG of grey of so many bits, as Pillow does not write it."""
    header = struct.pack(">IIBBBBB", width, len(rows), bits, 0, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), (b"IEND", b"")
    chunks = (
        struct.pack(">I", len(one)) + kind + one + struct.pack(">I", zlib.crc32(kind + one)) for kind, one in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def areas(folder: Path, *maps: bytes) -> tuple[dict[str, int], dict[str, int]]:
    """The pixels of each label of maps, and what was not taken of them."""
    for number, data in enumerate(maps):
        (folder / f"{number}.png").write_bytes(data)
    found, *_ = read_label_maps(folder)
    sheets = [sheet for picture in found.pictures for sheet in picture.sheets]
    return {mask.label: mask.area for sheet in sheets for mask in sheet.masks}, dict(found.remarks)


@pytest.mark.parametrize(
    ("bits", "rows", "expected"),
    [
        (1, [b"\x40", b"\x50"], {"1": 3}),
        (2, [bytes([0b00011011]), bytes([0b11111100])], {"1": 1, "2": 1, "3": 4}),
        (4, [b"\x01\x2f", b"\xff\x00"], {"1": 1, "2": 1, "15": 3}),
        (16, [b"\0\1\1\0\0\0\0\0"], {"1": 1, "256": 1}),
    ],
)
def test_numbers_of_few_bits_are_as_they_were_written(
    bits: int, rows: list[bytes], expected: dict[str, int], tmp_path: Path
) -> None:
    """Pillow spreads grey of 2 and 4 bits until the highest is 255, which would be void."""
    assert areas(tmp_path, grey(bits, rows, 4)) == (expected, {})


def test_no_damaged_bit_is_taken_for_other_pixels(tmp_path: Path) -> None:
    values = np.zeros((40, 60), np.uint8)
    values[5:20, 10:40], values[15:35, 30:55] = 7, 9
    data = png(values)
    assert areas(tmp_path, data)[0] == {"7": 400, "9": 500}
    begin = data.index(b"IDAT") + 4
    damaged = [data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :] for at in range(begin, len(data) - 12)]
    cut = [data[:-12], data[: begin + 20]]
    assert areas(tmp_path, *damaged, *cut) == ({}, {NO_MAP: len(damaged) + len(cut)})


def test_a_small_file_of_many_runs_is_noise(tmp_path: Path) -> None:
    """Without a bound 300 KiB of this take 8 GiB of memory, and a minute."""
    board = np.indices((2100, 2100), np.uint8).sum(axis=0, dtype=np.uint8) % 2
    assert areas(tmp_path, png(board)) == ({}, {NOISE: 1})


def test_maps_of_more_values_than_allowed_are_counted(tmp_path: Path) -> None:
    many = np.arange(120 * 120, dtype=np.uint16).reshape(120, 120)
    assert areas(tmp_path, png(many), png(many // 2)) == (areas(tmp_path, png(many // 2))[0], {NOISE: 1})


def test_links_and_pipes_cost_no_other_map(tmp_path: Path) -> None:
    """A map of objects that is a link leads elsewhere; what is no plain file is counted."""
    (tmp_path / "SegmentationClass").mkdir()
    (tmp_path / "SegmentationObject").mkdir()
    (tmp_path / "elsewhere").write_bytes(png(np.full((4, 4), 3, np.uint8)))
    os.mkfifo(tmp_path / "SegmentationClass/0.png")
    for name in ("1.png", "2.png"):
        (tmp_path / "SegmentationClass" / name).write_bytes(png(np.full((4, 4), 12, np.uint8)))
    (tmp_path / "SegmentationObject/1.png").symlink_to(tmp_path / "elsewhere")
    found, *_ = read_label_maps(tmp_path)
    assert [mask.label for picture in found.pictures for mask in picture.sheets[0].masks] == ["dog", "dog"]
    assert dict(found.remarks) == {NO_MAP: 1}


def test_a_number_of_a_class_is_no_word_by_chance(wordnet: Ontology) -> None:
    """1 and 100 are lemmas of WordNet: one, and hundred."""
    assert wordnet.meanings("100")
    assert meant(["1", "100", " 12 "], {"100": "n02121808"}, {"1": "n02084071"}, wordnet.meanings) == {
        "1": "n02084071",
        "100": "n02121808",
        " 12 ": "",
    }


def test_objects_of_the_class_that_most_of_their_pixels_are_of() -> None:
    rng = np.random.default_rng(3)
    classes, objects = rng.integers(0, 4, (30, 40)), rng.integers(0, 9, (30, 40)) * 8000
    found = label_maps._classes_of(classes.astype(np.int32), objects.astype(np.int32))
    for value in np.unique(objects[objects != 0]).tolist():
        times = np.bincount(classes[objects == value], minlength=4)
        times[0] = 0
        assert times[found[value]] == times.max()


def test_no_value_of_any_type_ends_the_import(tmp_path: Path) -> None:
    """Whatever stands at a key of COCO's file is taken, counted, or a reason to refuse the file: never a traceback."""
    file, read = tmp_path / "instances_val.json", 0
    for value in ODD:
        for key in ("image_id", "category_id", "bbox", "segmentation", "iscrowd", "id", "attributes"):
            told = dict(GOOD[1], **{key: value})
            read += len(both(file, {"annotations": [told, GOOD[1]]}))
        for key in ("id", "width", "height", "coco_url", "category_ids"):
            read += len(both(file, {"images": [dict(GOOD[0], **{key: value})]}))
    assert read == len(ODD) * 12, "one bad value costs no other"


GOOD: tuple[dict[str, Any], ...] = (
    {"id": 1, "file_name": "a.jpg", "width": 10, "height": 12},
    {"id": 1, "image_id": 1, "category_id": 7, "bbox": [1, 1, 3, 3], "segmentation": [SQUARE], "iscrowd": 0},
)


def both(file: Path, more: dict[str, Any]) -> list[Annotation]:
    """What both readers of COCO's files make of one."""
    told = {"images": GOOD[:1], "categories": [{"id": 7, "name": "cat"}], "annotations": GOOD[1:], **more}
    file.write_text(json.dumps(told))
    assert len(coco.read_coco(json.loads(file.read_text()), file.name).pictures) == 1
    found = list(read_coco(file, {"cat": "n02121808"}))
    assert all(0 <= side <= 9_999_999 for one in found for side in (one.width, one.height)), "a catalog can keep it"
    return found


@pytest.mark.parametrize(
    ("said", "crowd"),
    [(1, True), (1.0, True), ("1", True), (True, True), (0, False), ("0", False), ("false", False), (-1, False)],
)
def test_a_crowd_is_one_however_it_is_written(said: Any, crowd: bool, tmp_path: Path) -> None:
    (found,) = both(tmp_path / "instances_val.json", {"annotations": [dict(GOOD[1], iscrowd=said)]})
    assert [mask.crowd for mask in found.masks] == [crowd]
    assert [bool(box.group_of) for box in found.boxes] == [crowd]
    assert runs_of_text(found.masks[0].counts).sum() == 120
