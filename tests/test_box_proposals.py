"""Boxes that machines propose: files of them, and how they are laid on pictures."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holotype.boxes.proposals import Hindrance, laid, repeats
from holotype.errors import CrowdError
from holotype.imports.proposals import BrokenRow, GivenBox, read_proposals

HEAD = "image,wnid,x_min,y_min,x_max,y_max,score\n"
DOG = "n02084071"


def written(folder: Path, text: str, name: str = "boxes.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_are_boxes_whatever_the_columns_are_called(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}a.jpg,{DOG},10,20,30.5,40,0.9\nb.jpg,dog,0,0,9,9,\n")
    assert read_proposals(path) == (
        [GivenBox("a.jpg", DOG, (10, 20, 30.5, 40), 0.9, 2), GivenBox("b.jpg", "dog", (0, 0, 9, 9), None, 3)],
        [],
    )
    other = written(tmp_path, "x2;y2;x1;y1;label;file;note\n30;40;10;20;dog;a.jpg;hello\n")
    assert read_proposals(other)[0] == [GivenBox("a.jpg", "dog", (10, 20, 30, 40), None, 2)]


def test_parquet_is_read_as_text_is(tmp_path: Path) -> None:
    columns = {"image": ["a", None], "wnid": [DOG, DOG], "score": [0.5, None]}
    corners = {name: [1.0, 2.0] for name in ("x_min", "y_min", "x_max", "y_max")}
    pq.write_table(pa.table(columns | corners), tmp_path / "boxes.parquet")
    assert read_proposals(tmp_path / "boxes.parquet") == (
        [GivenBox("a", DOG, (1, 1, 1, 1), 0.5, 1)],
        [BrokenRow(2, "empty", "it names no image")],
    )


def test_a_date_that_cannot_be_is_no_name(tmp_path: Path) -> None:
    columns = {"image": pa.array([2**62], pa.timestamp("us")), "wnid": [DOG]}
    corners = {name: [1.0] for name in ("x_min", "y_min", "x_max", "y_max")}
    pq.write_table(pa.table(columns | corners), tmp_path / "boxes.parquet")
    with pytest.raises(CrowdError, match="cannot read"):
        read_proposals(tmp_path / "boxes.parquet")


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        (f"a,{DOG},nan,1,2,3,0.5", "no_number", "x_min is a number"),
        (f"a,{DOG},1,inf,2,3,0.5", "no_number", "y_min is a number"),
        (f"a,{DOG},1,1,1e9,3,0.5", "no_number", "x_max is a number below 10,000,000"),
        (f"a,{DOG},1,1,2,three,0.5", "no_number", "y_max is a number.*'three'"),
        (f"a,{DOG},1,1,2,,0.5", "no_number", "y_max is a number"),
        (f"a,{DOG},1,1,2,3,sure", "no_number", "score is a number"),
        (f"a,{DOG},1,1,2,3,nan", "no_number", "score is a number"),
        (f",{DOG},1,1,2,3,0.5", "empty", "names no image"),
        ("a,,1,1,2,3,0.5", "empty", "names no synset"),
        (f"a,{DOG},1,1,2,3", "cells", "6 cells in 7 columns"),
        (f"a,{DOG},1,1,2,3,0.5,9", "cells", "8 cells in 7 columns"),
    ],
)
def test_a_row_that_is_no_box_is_left_out_with_the_reason(tmp_path: Path, row: str, reason: str, detail: str) -> None:

    found, broken = read_proposals(written(tmp_path, f"{HEAD}{row}\nb,{DOG},1,1,2,3,0.5\n"))
    assert [box.image for box in found] == ["b"]
    assert [(one.row, one.reason) for one in broken] == [(2, reason)]
    assert re.search(detail, broken[0].detail)


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("", "has no column image"),
        ("image,wnid,x_min,y_min,x_max\n", "has no column y_max"),
        ("image,wnid,x_min,x_min,y_min,x_max,y_max\n", "the column x_min 2 times"),
        ("image,wnid,x_min,y_min,x_max,y_max\n\xff\xfe", "bytes that are not UTF-8"),
    ],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, text: str, detail: str) -> None:
    path = tmp_path / "boxes.csv"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(CrowdError, match=detail):
        read_proposals(path)


def results(folder: Path, *values: object) -> Path:
    return written(folder, json.dumps(values), "results.json")


def test_coco_results_are_the_pixels_they_touch(tmp_path: Path) -> None:
    one = {"image_id": 42, "category_id": 18, "bbox": [10.2, 20.7, 30.0, 5.5], "score": 0.25}
    names = written(
        tmp_path,
        json.dumps({"images": [{"id": 42, "file_name": "42.jpg"}], "categories": [{"id": 18, "name": "dog"}]}),
        "instances.json",
    )
    assert read_proposals(results(tmp_path, one), names) == ([GivenBox("42.jpg", "dog", (10, 20, 40, 26), 0.25, 1)], [])
    named = one | {"image_id": "a.jpg", "category_id": DOG}
    assert read_proposals(results(tmp_path, named))[0][0].synset == DOG
    whole = named | {"bbox": [0, 0, 500, 375]}
    assert read_proposals(results(tmp_path, whole))[0][0].corners == (0, 0, 499, 374)


def test_results_that_are_none_are_left_out_with_the_reason(tmp_path: Path) -> None:
    good = {"image_id": "a", "category_id": DOG, "bbox": [1, 1, 2, 2], "score": 0.5}
    bad: list[object] = [
        7,
        {},
        good | {"bbox": [1, 1, 2]},
        good | {"bbox": [1, 1, "x", 2]},
        good | {"bbox": [1, 1, float("nan"), 2]},
        good | {"image_id": True},
        good | {"image_id": [1]},
        good | {"category_id": 18},
        good | {"score": "high"},
        good | {"image_id": "\ud800"},
        good | {"category_id": "dog\udfff"},
    ]
    found, broken = read_proposals(results(tmp_path, *bad, good))
    assert [box.row for box in found] == [12]
    assert [one.row for one in broken] == list(range(1, 12))
    names = written(tmp_path, '{"images": [], "categories": []}', "instances.json")
    assert "not in the file that names them" in read_proposals(results(tmp_path, good), names)[1][0].detail


def test_json_that_is_no_results_is_refused(tmp_path: Path) -> None:
    for text in ("{}", "[1,", "", '{"images": [], "annotations": []}'):
        with pytest.raises(CrowdError):
            read_proposals(written(tmp_path, text, "results.json"))
    with pytest.raises(CrowdError, match="no file of COCO's instances"):
        read_proposals(results(tmp_path), written(tmp_path, "[]", "names.json"))
    with pytest.raises(CrowdError, match="only COCO's results"):
        read_proposals(written(tmp_path, HEAD), tmp_path / "names.json")


def test_boxes_are_rounded_and_clipped_and_what_is_outside_is_none() -> None:
    assert laid((0, 0, 49, 59), 50, 60) == ((0, 0, 49, 59), False)
    assert laid((0.4, 0.5, 10.5, 10.49), 50, 60) == ((0, 1, 11, 10), False)
    assert laid((-10, -10, 100, 100), 50, 60) == ((0, 0, 49, 59), True)
    assert laid((50, 0, 60, 10), 50, 60) is Hindrance.OUTSIDE
    assert laid((-9, 0, -1, 10), 50, 60) is Hindrance.OUTSIDE
    assert laid((10, 10, 9, 20), 50, 60) is Hindrance.INVERTED
    assert laid((10, 10, 20, 9), 50, 60) is Hindrance.INVERTED
    assert laid((10, 10, 10, 10), 50, 60) == ((10, 10, 10, 10), False)


def test_of_proposals_of_one_instance_the_surest_is_asked_about() -> None:
    same, near, far = (0, 0, 99, 99), (5, 0, 104, 99), (200, 0, 299, 99)
    assert repeats([same, near, far], [0.5, 0.9, 0.1]) == [True, False, False]
    assert repeats([same, near], [None, None]) == [False, True]
    assert repeats([same, near], [None, 0.0]) == [True, False]
    assert repeats([same, far], [0.9, 0.8], [near]) == [True, False]
    assert repeats([], []) == []
