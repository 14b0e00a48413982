"""Releases say of boxes by whom they are, how many agree, and their flags; formats carry these, and they come back."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

import holotype
from holotype.benchmark.boxed import boxes_of_release
from holotype.catalog import schema as t
from holotype.imports.boxes import Box, parse_voc
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import Release
from holotype.releases.build import Workshop, seal
from holotype.releases.check_tables import check_boxes
from holotype.releases.diff import diff_releases
from holotype.releases.exports.formats import export
from holotype.releases.layout import BOXES, BOXES_EXTRAS, BOXES_SCHEMA, CHECKSUMS, DOCUMENTS, FLAGS
from holotype.releases.rebuild import rebuild_release
from holotype.releases.takedown import Unwanted
from holotype.releases.verify import verify_release
from said_boxes import MANY, Said, images, say


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    """Twelve labelled images, the first with four boxes, the second with one that is nobody's word but an archive's."""
    db = copy_of(labelled_once)
    (first, wnid), (second, other), *_ = images(db)
    say(db, [*((first, wnid, one) for one in MANY), (second, other, Said((3, 3, 9, 9)))])
    return db


def rows(release: Release) -> set[tuple[object, ...]]:
    names = ("x_min", "by", "support", "source", *FLAGS)
    return {tuple(row[name] for name in names) for row in release.boxes.to_pylist()}


def test_boxes_say_by_whom_and_what_is_said_of_them(db: Project) -> None:
    release = db.releases.create("v2", outvoted=True)
    assert release.boxes.column_names == [*BOXES_SCHEMA.names, *BOXES_EXTRAS.names]
    assert rows(release) == {
        (1, "archive", -1.0, "ILSVRC2012_bbox_val.tgz", 1, 0, -1, 0),
        (5, "people", 2 / 3, "people", 0, 1, -1, -1),
        (0, "machine", 1.0, "machine:detr/r50", -1, -1, 1, -1),
        (40, "archive", -1.0, "ILSVRC2012_bbox_val.tgz", -1, -1, -1, 1),
        (3, "archive", -1.0, "ILSVRC2012_bbox_val.tgz", -1, -1, -1, -1),
    }
    assert release.verify() == []
    assert release.rebuild().same
    told = (release.path / "datasheet.md").read_text()
    assert "5 boxes in 2 images (3 by the archives of their images, 1 by machines, 1 by people)" in told
    fields = {one["name"]: one for one in json.loads((release.path / "croissant.json").read_text())["recordSet"]}
    assert {one["name"]: one["dataType"] for one in fields["boxes"]["field"]} == {
        **dict.fromkeys(("id", "wnid", "source", "by"), "sc:Text"),
        **dict.fromkeys(("x_min", "y_min", "x_max", "y_max", *FLAGS), "sc:Integer"),
        "support": "sc:Float",
    }


def test_boxes_that_leave_their_picture_are_cut_off_and_those_outside_left_out(db: Project) -> None:
    """As an archive may have them: pictures have 80 x 60 pixels, and one beyond the last is how some datasets count."""
    (first, wnid), *_ = images(db)
    say(db, [(first, wnid, Said(box)) for box in ((70, 50, 500, 500), (90, 10, 120, 30), (-5, -5, 80, 60))])
    release = db.releases.create("v2", outvoted=True)
    kept = {tuple(row[name] for name in BOXES_SCHEMA.names[2:6]) for row in release.boxes.to_pylist()}
    assert {(70, 50, 79, 59), (0, 0, 80, 60)} <= kept
    assert not any(left >= 80 for left, *_ in kept)
    assert (release.summary["boxes_cut"], release.summary["boxes_outside"]) == (2, 1)
    assert release.verify() == []
    assert release.rebuild().same


def test_no_worker_is_named_by_a_box(db: Project) -> None:
    release = db.releases.create("v2", outvoted=True)
    names = {review.worker for review in db.workers.review()}
    assert names
    assert not names & {row["source"] for row in release.boxes.to_pylist()}
    assert "machine:detr/r50" in {row["source"] for row in release.boxes.to_pylist()}, "machines are named"


def test_older_releases_are_as_they_were(db: Project, tmp_path: Path) -> None:
    """One that says nothing but where boxes are is read, verified, made anew, held against others and exported."""
    made = Workshop(db.releases.create("v2", outvoted=True).path.with_name("v0"))
    left = shutil.ignore_patterns(*DOCUMENTS, CHECKSUMS)
    shutil.copytree(made.folder.with_name("v2"), made.partial, ignore=left)
    pq.write_table(pq.read_table(made.partial / BOXES).select(BOXES_SCHEMA.names), made.partial / BOXES)
    made.work.mkdir()
    seal(made, {})
    old, new = Release(made.folder), db.releases["v2"]
    assert old.boxes.column_names == BOXES_SCHEMA.names
    assert "5 boxes in 2 images." in (old.path / "datasheet.md").read_text()
    assert verify_release(old.path) == []
    assert rebuild_release(old, db.ontology).same
    assert len(diff_releases(old, new).rows) == 0
    export(old, "coco", tmp_path / "out")
    for path in (tmp_path / "out/annotations").glob("*.json"):
        told = json.loads(path.read_text())["annotations"]
        assert {(one["iscrowd"], "attributes" in one) for one in told} <= {(0, False)}
    splits = [row["split"] for row in old.rows() if row["boxes"]]
    assert not any(boxes_of_release(old, split).crowd.any() for split in splits)


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("by", "somebody", "has a box by nobody that is known"),
        ("support", 1.5, "has a box whose support is no share"),
        ("support", float("nan"), "has a box whose support is no share"),
        ("occluded", 2, "has a box whose occluded is neither 1, 0 nor -1"),
    ],
)
def test_what_cannot_be_said_of_a_box_is_found(db: Project, column: str, value: object, said: str) -> None:
    release = db.releases.create("v2", outvoted=True)
    table = release.boxes
    at = table.column_names.index(column)
    wrong = pa.array([value, *table[column].to_pylist()[1:]], table.schema.field(column).type)
    pq.write_table(table.set_column(at, table.schema.field(column), wrong), release.path / BOXES)
    assert any(said in line for line in check_boxes(Release(release.path)))


def test_images_that_are_taken_down_leave_the_others_boxes(db: Project) -> None:
    release = db.releases.create("v2", outvoted=True)
    (second,) = {row["id"] for row in release.boxes.to_pylist() if row["x_min"] == 3}
    db.releases.takedown("v2", "v2.1", "ann", "asked to", Unwanted([str(second)]))
    new = db.releases["v2.1"]
    assert rows(new) == {row for row in rows(release) if row[0] != 3}
    assert new.verify() == []


def test_groups_and_what_is_difficult_are_crowds_of_a_truth(db: Project) -> None:
    release = db.releases.create("v2", outvoted=True)
    (split,) = {row["split"] for row in release.rows() if row["boxes"] == len(MANY)}
    truth = boxes_of_release(release, split)
    crowds = {tuple(corners) for corners in truth.corners[truth.crowd].tolist()}
    assert crowds == {one.corners for one in MANY if 1 in one.flags[2:]}


def back(db: Project, file: Path, tmp_path: Path, wordnet: Ontology) -> list[tuple[object, ...]]:
    """What comes back of boxes, into a project of the same pictures, of a file that was exported."""
    with holotype.open(shutil.copytree(db.path, tmp_path / "again"), wordnet) as other:
        other.catalog.transact(lambda connection: connection.execute(t.box.delete()))
        other.annotations.add(file)
        box = t.box.c
        with other.catalog.read() as connection:
            asked = select(*(box[name] for name in ("x_min", "y_min", "x_max", "y_max", *FLAGS)))
            return [tuple(row) for row in connection.execute(asked)]


CARRIED = {"coco": ("annotations.json", 2), "cvat": ("annotations.xml", 1)}
"""The file that comes back, and the place of the flag that is 0 in a format where nobody said it."""


@pytest.mark.parametrize("name", CARRIED)
def test_flags_come_back_as_they_went_out(name: str, db: Project, tmp_path: Path, wordnet: Ontology) -> None:
    file, place = CARRIED[name]
    release = db.releases.create("v2", outvoted=True)
    export(release, name, tmp_path / "out")
    if name == "coco":
        parts = [json.loads(path.read_text()) for path in (tmp_path / "out/annotations").glob("*.json")]
        whole = {key: [one for part in parts for one in part[key]] for key in ("images", "annotations")}
        path = tmp_path / "out/annotations.json"
        path.write_text(json.dumps({**whole, "categories": parts[0]["categories"]}))
    flags = [[*one.flags] for one in (*MANY, Said((3, 3, 9, 9)))]
    for one in flags:
        one[place] = one[place] or 0
    wanted = [(*one.corners, *told) for one, told in zip((*MANY, Said((3, 3, 9, 9))), flags, strict=True)]
    assert sorted(back(db, tmp_path / "out" / file, tmp_path, wordnet), key=repr) == sorted(wanted, key=repr)


def test_vocs_annotations_say_what_they_have_words_for(db: Project, tmp_path: Path) -> None:
    release = db.releases.create("v2", outvoted=True)
    for name in ("voc", "imagenet"):
        export(release, name, tmp_path / name)
    said: dict[int, Box] = {}
    for path in (tmp_path / "voc").rglob("*.xml"):
        said |= {box.xmin - 1: box for box in parse_voc(path.read_bytes(), path.name).boxes}
    told = {x: (box.truncated, box.occluded, box.group_of, box.difficult) for x, box in said.items()}
    assert told == {
        1: (True, False, None, False),
        5: (False, True, None, False),
        0: (False, None, None, False),
        40: (False, None, None, True),
        3: (False, None, None, False),
    }


def test_tables_and_samples_say_flags_too(db: Project, tmp_path: Path) -> None:
    release = db.releases.create("v2", outvoted=True)
    for name in ("tables", "parquet", "webdataset", "fiftyone", "tfrecord", "yolo", "label-studio"):
        export(release, name, tmp_path / name)
    lines = (tmp_path / "tables/boxes.csv").read_text().splitlines()
    assert lines[0] == "id,wnid,x_min,y_min,x_max,y_max,source,by,support,truncated,occluded,group_of,difficult"
    assert any(line.endswith(",people,people,0.6666666666666666,0,1,-1,-1") for line in lines)
    parts = [pq.read_table(path) for path in (tmp_path / "parquet/data").glob("*.parquet")]
    boxes = [box for part in parts for row in part["boxes"].to_pylist() for box in row]
    assert {(box["x_min"], box["by"], box["group_of"]) for box in boxes} >= {(0, "machine", 1), (1, "archive", -1)}
