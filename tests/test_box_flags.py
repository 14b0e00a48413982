"""Flags of boxes (truncated, occluded, of a group, difficult) come in with them, whatever says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, select

from conftest import encoded, photo
from holotype.catalog import schema as t
from holotype.catalog.annotations import NO_FLAGS, BoxRow, Flags, add_boxes
from holotype.imports.annotations import annotation_parts, annotations_of
from holotype.imports.boxes import Annotation, Box, flag, parse_voc
from holotype.imports.coco import read_coco
from holotype.imports.openimages import read_openimages
from holotype.imports.samples import read_sample
from holotype.project import Project

DOG, CAT = "n02084071", "n02121808"
Said = tuple[bool | None, bool | None, bool | None, bool | None]


def flags(found: Annotation) -> list[Said]:
    return [astuple(box)[5:] for box in found.boxes]


def thing(*inside: str) -> str:
    corners = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
    return f"<object><name>{DOG}</name>{''.join(inside)}{corners}</object>"


def test_voc_and_ilsvrc_say_truncated_occluded_and_difficult() -> None:
    """ILSVRC's files have ``pose``, ``truncated`` and ``difficult``; VOC's of 2009 and later ``occluded``, too."""
    ilsvrc = thing("<pose>Unspecified</pose><truncated>1</truncated><difficult>0</difficult>")
    later = thing("<truncated>0</truncated><occluded>1</occluded><difficult>1</difficult>")
    odd = thing("<truncated> Unspecified</truncated><occluded/>")
    found = parse_voc(f"<annotation>{ilsvrc}{later}{odd}</annotation>".encode(), "x.xml")
    assert flags(found) == [
        (True, None, None, False),
        (False, True, None, True),
        (None, None, None, None),
    ]


def test_open_images_says_group_of_and_minus_one_says_nothing(tmp_path: Path) -> None:
    head = (
        "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside"
    )
    rows = ["a,xclick,/m/dog,1,0,.5,0,.5,1,0,0,0,0", "a,activemil,/m/dog,1,0,.4,0,.5,-1,-1,-1,-1,-1"]
    path = tmp_path / "train-annotations-bbox.csv"
    path.write_text("\n".join((head, *rows, "b,xclick,/m/dog,1,0,.5,0,.5,0,1,1,0,0")) + "\n")
    first, second = read_openimages(path, {"/m/dog": DOG})
    assert flags(first) == [(False, True, False, None), (None, None, None, None)]
    assert flags(second) == [(True, False, True, None)]


def test_cocos_crowds_are_groups(tmp_path: Path) -> None:
    said = [{"image_id": 1, "category_id": 7, "bbox": [0, 0, 9, 9], "iscrowd": crowd} for crowd in (0, 1)]
    value = {
        "images": [{"id": 1, "file_name": "1.jpg"}],
        "categories": [{"id": 7, "name": "dog"}],
        "annotations": [*said, {"image_id": 1, "category_id": 7, "bbox": [0, 0, 5, 5]}],
    }
    path = tmp_path / "instances_val.json"
    path.write_text(json.dumps(value))
    (found,) = read_coco(path, {"dog": DOG})
    assert [box.group_of for box in found.boxes] == [False, True, None]


def test_samples_of_shards_say_flags_beside_corners() -> None:
    box = {"wnid": DOG, "xmin": 1, "ymin": 2, "xmax": 3, "ymax": 4, "truncated": 1, "occluded": False, "difficult": -1}
    found = read_sample({"json": json.dumps({"boxes": [box]}).encode()}, ())
    assert found.boxes[0] == Box(DOG, 1, 2, 3, 4, truncated=True, occluded=False)


def test_journals_hold_flags_and_older_ones_are_read() -> None:
    found = Annotation("a", 9, 9, (Box(DOG, 1, 2, 3, 4, group_of=True), Box(DOG, 0, 0, 1, 1)))
    tables = [part.table for part in annotation_parts(iter([found]))]
    assert list(annotations_of(tables)) == [found]
    (row,) = tables[0].to_pylist()
    old = {
        **row,
        "boxes": [{name: box[name] for name in ("wnid", "xmin", "ymin", "xmax", "ymax")} for box in row["boxes"]],
    }

    class Older:
        @staticmethod
        def to_pylist() -> list[dict[str, Any]]:
            return [old]

    assert [flags(one) for one in annotations_of([Older()])] == [[(None,) * 4, (None,) * 4]]


@pytest.mark.parametrize("said", ["2", "", "maybe", -1, None, "nan"])
def test_what_is_neither_yes_nor_no_says_nothing(said: object) -> None:
    assert flag(said) is None


@pytest.fixture
def image(project: Project, tmp_path: Path) -> int:
    """The id of an image of a project."""
    (tmp_path / "photos" / DOG).mkdir(parents=True)
    (tmp_path / "photos" / DOG / "1.jpg").write_bytes(encoded(photo(1, 64, 48)))
    project.images.ingest(tmp_path / "photos")
    with project.catalog.read() as connection:
        return int(connection.execute(select(t.image.c.id)).scalar_one())


def said(db: Project) -> list[tuple[int | None, ...]]:
    box = t.box.c
    with db.catalog.read() as connection:
        columns = box.x_min, box.truncated, box.occluded, box.group_of, box.difficult
        return [tuple(row) for row in connection.execute(select(*columns).order_by(box.id))]


def add(db: Project, image: int, *boxes: BoxRow, told: Mapping[BoxRow, Flags]) -> int:
    flags = {(image, box): one for box, one in told.items()}

    def work(connection: Connection) -> int:
        file = connection.execute(select(t.file.c.id).limit(1)).scalar_one()
        return add_boxes(connection, {image: boxes}, file, flags)

    return db.catalog.transact(work)


def test_the_same_box_said_again_with_flags_is_no_second_one(project: Project, image: int) -> None:
    """What nobody said before is taken; what somebody did stays, for the first to say it is believed."""
    one, other = BoxRow(DOG, 1, 2, 3, 4), BoxRow(DOG, 5, 5, 9, 9)
    assert add(project, image, one, other, told={other: Flags(occluded=True)}) == 2
    assert said(project) == [(1, None, None, None, None), (5, None, 1, None, None)]
    assert add(project, image, one, other, told={one: Flags(True, False), other: Flags(False, False)}) == 0
    assert said(project) == [(1, 1, 0, None, None), (5, 0, 1, None, None)]
    assert add(project, image, one, one, told={one: NO_FLAGS}) == 1, "said twice, it is there twice"


def test_tools_of_annotators_say_flags(project: Project, image: int, tmp_path: Path) -> None:
    edges = 'xtl="1" ytl="1" xbr="9" ybr="9"'
    more = '<attribute name="truncated">true</attribute><attribute name="difficult">false</attribute>'
    cvat = (
        "<annotations><meta><task><id>1</id><name>a</name></task></meta>"
        '<image id="0" name="1.jpg" width="64" height="48">'
        f'<box label="{DOG}" occluded="1" {edges}>{more}</box></image></annotations>'
    )
    (tmp_path / "a.xml").write_text(cvat)
    assert project.annotations.add(tmp_path / "a.xml").boxes == 1
    assert said(project) == [(1, 1, 1, None, 0)]
    about = {"attributes": {"occluded": False}, "iscrowd": 1}
    coco = {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 64, "height": 48}],
        "categories": [{"id": 1, "name": DOG}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 8, 8], "iscrowd": 1},
            {"id": 2, "image_id": 1, "category_id": 1, "bbox": [20, 20, 8, 8], **about},
        ],
    }
    (tmp_path / "b.json").write_text(json.dumps(coco))
    assert project.annotations.add(tmp_path / "b.json").boxes == 1
    assert said(project) == [(1, 1, 1, 1, 0), (20, None, 0, 1, None)]
