"""Masks of a project: brought in from COCO's files and from label maps, each once, and taken back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as theirs
from sqlalchemy import func, select

from conftest import encoded, photo, run
from holotype.catalog import schema as t
from holotype.catalog.masks import MaskRow, of_images
from holotype.errors import AmbiguousLabels, ArchiveError
from holotype.geometry.masks import Masks, runs_of_text, runs_of_values, text_of_runs
from holotype.geometry.masks import encoded as runs_of
from holotype.geometry.values import Bools
from holotype.imports.finding import find
from holotype.imports.masks import NO_OUTLINE, NO_PIXELS, OTHER_SIZE
from holotype.imports.readings import Told
from holotype.imports.tools import label_maps
from holotype.imports.tools.colours import voc_colour
from holotype.imports.tools.shapes import NO_BOXES
from holotype.imports.voc_maps import NO_WNID
from holotype.project import Project, image_pages
from visitors import Site

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools

DOG, CAT = "n02084071", "n02121808"
WIDTH, HEIGHT = 64, 48


@pytest.fixture
def db(project: Project, tmp_path: Path) -> Project:
    """Two dogs and a cat, of 64 x 48 pixels."""
    for name, wnid, seed in (("rex", DOG, 1), ("ben", DOG, 2), ("tom", CAT, 3)):
        (tmp_path / "photos" / wnid).mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / wnid / f"{name}.jpg").write_bytes(encoded(photo(seed, WIDTH, HEIGHT)))
    project.images.ingest(tmp_path / "photos")
    return project


def block(left: int, top: int, right: int, bottom: int) -> Bools:
    """A mask of inclusive pixels."""
    found = np.zeros((HEIGHT, WIDTH), np.bool_)
    found[top : bottom + 1, left : right + 1] = True
    return found


def masks(db: Project, file: str) -> list[MaskRow]:
    held = next(one for one in db.images.inputs() if one.file.endswith(file))
    with db.catalog.read() as connection:
        number = connection.execute(select(t.fingerprint.c.image_id).where(t.fingerprint.c.sha256 == held.sha256))
        return of_images(connection, number.scalars().all())


def pixels(row: MaskRow) -> Bools:
    return Masks.of([runs_of_text(row.counts)], [(row.height, row.width)]).pixels(0)


def count(db: Project) -> int:
    with db.catalog.read() as connection:
        return int(connection.execute(select(func.count()).select_from(t.mask)).scalar_one())


def instances(objects: list[dict[str, Any]], size: tuple[int, int] = (WIDTH, HEIGHT)) -> dict[str, Any]:
    files = ("rex.jpg", "ben.jpg", "tom.jpg")
    return {
        "images": [
            {"id": at, "file_name": file, "width": size[0], "height": size[1]} for at, file in enumerate(files, 1)
        ],
        "categories": [{"id": 1, "name": "dog", "wnid": DOG}, {"id": 2, "name": "cat", "wnid": CAT}],
        "annotations": [{"id": at, **one} for at, one in enumerate(objects, 1)],
    }


def written(path: Path, value: Mapping[str, Any]) -> Path:
    path.write_text(json.dumps(value))
    return path


def rle(mask: Bools) -> dict[str, Any]:
    told = theirs.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": told["size"], "counts": told["counts"].decode()}


# COCO


def test_masks_of_coco_come_in_once_and_go_again(db: Project, tmp_path: Path) -> None:
    one, other = block(3, 4, 20, 30), block(0, 0, 63, 47)
    polygon = [10.0, 10.0, 30.0, 12.0, 22.5, 40.0]
    objects = [
        {"image_id": 1, "category_id": 1, "bbox": [3, 4, 18, 27], "segmentation": rle(one)},
        {"image_id": 1, "category_id": 1, "segmentation": rle(one)},
        {"image_id": 2, "category_id": 1, "segmentation": [polygon]},
        {
            "image_id": 3,
            "category_id": 2,
            "iscrowd": 1,
            "segmentation": {"size": [HEIGHT, WIDTH], "counts": runs_of(other).tolist()},
        },
    ]
    file = written(tmp_path / "out.json", instances(objects))
    report = db.annotations.add(file)
    assert (report.boxes, report.masks, report.known_masks, dict(report.remarks)) == (1, 4, 0, {})
    assert "4 masks are new, 0 were known" in str(report)
    assert [row[-6:] for row in masks(db, "rex.jpg")] == [(18 * 27, 3, 4, 20, 30, 0)]
    assert (pixels(masks(db, "rex.jpg")[0]) == one).all()
    wanted = theirs.decode(theirs.merge(theirs.frPyObjects([polygon], HEIGHT, WIDTH))) > 0
    assert (pixels(masks(db, "ben.jpg")[0]) == wanted).all()
    assert [(row.wnid, row.area, row.crowd) for row in masks(db, "tom.jpg")] == [(CAT, WIDTH * HEIGHT, 1)]
    again = db.annotations.add(file)
    assert (again.masks, again.known_masks, again.votes, count(db)) == (0, 4, 0, 4)
    assert [(one.boxes, one.masks, one.images) for one in db.annotations.files()] == [(1, 4, 3)]
    assert db.annotations.forget("out.json", rehearse=True) == 5
    assert db.annotations.forget("out.json") == 5
    assert count(db) == 0


def test_a_mask_is_a_vote_yes(db: Project, tmp_path: Path) -> None:
    objects = [{"image_id": 3, "category_id": 1, "segmentation": rle(block(1, 1, 9, 9))}]
    report = db.annotations.add(written(tmp_path / "out.json", instances(objects)), annotator="ann")
    assert (report.votes, report.candidates, report.workers) == (1, 1, ("ann",))


def test_masks_that_are_none_or_of_another_size_are_counted_and_not_taken(db: Project, tmp_path: Path) -> None:
    segmentations: list[Any] = [
        {"size": [HEIGHT, WIDTH], "counts": [5]},
        {"size": [WIDTH, HEIGHT], "counts": runs_of(block(1, 1, 2, 2).T).tolist()},
        [[1, 2, 3]],
        [[1, 2, 3, float("nan"), 5, 6]],
        [[1e12, 2, 3, 4, 5, 6]],
        [[0.1, 0.1, 0.2, 0.1, 0.2, 0.2]],
        "x",
        [],
    ]
    objects = [{"image_id": 1, "category_id": 1, "segmentation": one} for one in segmentations]
    report = db.annotations.add(written(tmp_path / "out.json", instances(objects)))
    assert dict(report.remarks) == {NO_OUTLINE: 5, OTHER_SIZE: 1, NO_PIXELS: 1, NO_BOXES: 1}
    turned = instances([{"image_id": 1, "category_id": 1, "segmentation": [[1, 1, 9, 1, 9, 9]]}], (HEIGHT, WIDTH))
    report = db.annotations.add(written(tmp_path / "turned.json", turned))
    assert dict(report.remarks) == {OTHER_SIZE: 1}
    assert count(db) == 0


def test_masks_come_with_a_dataset_of_coco(project: Project, tmp_path: Path) -> None:
    root = tmp_path / "coco"
    (root / "val2017").mkdir(parents=True)
    (root / "annotations").mkdir()
    for name, seed in (("rex.jpg", 1), ("ben.jpg", 2), ("tom.jpg", 3)):
        (root / "val2017" / name).write_bytes(encoded(photo(seed, WIDTH, HEIGHT)))
    objects = [
        {"image_id": 1, "category_id": 1, "bbox": [3, 4, 18, 27], "segmentation": [[3, 4, 21, 4, 21, 31, 3, 31]]},
        {"image_id": 3, "category_id": 2, "iscrowd": 1, "bbox": [0, 0, 9, 9], "segmentation": rle(block(0, 0, 8, 8))},
        {"image_id": 3, "category_id": 2, "bbox": [0, 0, 9, 9], "segmentation": [[1, 2]]},
    ]
    written(root / "annotations/instances_val2017.json", instances(objects))
    ((_, sources),) = _by_dataset(root)
    report = project.datasets.add(sources, "coco")
    assert sum(one.masks for one in report.sources) == 2
    assert "2 masks" in str(report)
    assert any(one.remarks.get(NO_OUTLINE) == 1 for one in report.sources)
    project.datasets.fingerprint()
    with project.catalog.read() as connection:
        said = connection.execute(select(t.mask.c.wnid, t.mask.c.area, t.mask.c.crowd).order_by(t.mask.c.id)).all()
    assert sorted(map(tuple, said)) == [(DOG, 18 * 27, 0), (CAT, 81, 1)]
    again = project.datasets.add(sources, "coco")
    assert (sum(one.masks for one in again.sources), count(project)) == (0, 2)
    gone = project.datasets.forget("coco", [root / "annotations/instances_val2017.json"])
    assert (gone.gone.masks, count(project)) == (2, 0)
    assert "2 masks" in str(gone)


def _by_dataset(root: Path) -> list[tuple[str, Any]]:
    told = Told(table={"dog": DOG, "cat": CAT})
    found: dict[str, list[Any]] = {}
    for take in find([root], told).takes:
        found.setdefault(take.dataset, []).append(take.source)
    return list(found.items())


def test_masks_come_with_a_dataset_of_pascal_voc(project: Project, tmp_path: Path) -> None:
    classes, objects = maps()
    root = put(
        tmp_path / "VOC2012",
        {
            **{f"JPEGImages/{at}.jpg": encoded(photo(at, WIDTH, HEIGHT)) for at in range(3)},
            "Annotations/0.xml": "<annotation><size><width>64</width><height>48</height></size></annotation>",
            "SegmentationClass/0.png": png(classes),
            "SegmentationObject/0.png": png(objects),
            "SegmentationClass/1.png": png(np.where(classes == 12, 15, 0)),
            "SegmentationClass/2.png": b"no map",
        },
    )
    table = {"dog": DOG, "cat": CAT}
    questions = [str(one) for one in find([root], Told(layout="unlabelled")).questions]
    asked = "it is PASCAL VOC's maps of masks, and which wnid each of its classes is, is not told"
    assert questions == [f"{root}/SegmentationClass: {asked}"]
    takes = find([root], Told(layout="unlabelled", table=table)).takes
    report = project.datasets.add([take.source for take in takes], "voc")
    assert sum(one.images for one in report.sources) == 3
    assert sum(one.masks for one in report.sources) == 3
    assert {NO_WNID: 1, label_maps.NO_MAP: 1} in [dict(one.remarks) for one in report.sources]
    with project.catalog.read() as connection:
        said = connection.execute(select(t.mask.c.wnid, t.mask.c.area).order_by(t.mask.c.id)).all()
    assert list(map(tuple, said)) == [(DOG, 110), (DOG, 11 * 16), (CAT, 64 * 18)]
    again = project.datasets.add([take.source for take in takes], "voc")
    assert (sum(one.masks for one in again.sources), count(project)) == (0, 3)


# Label maps


def png(values: Any, mode: str = "P") -> bytes:
    image = Image.fromarray(np.asarray(values, np.uint16 if mode == "I;16" else np.uint8))
    if mode == "P":
        image.putpalette([channel for number in range(256) for channel in voc_colour(number)])
    return encoded(image, "PNG")


def put(root: Path, files: Mapping[str, bytes | str]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return root


def maps() -> tuple[Any, Any]:
    """Classes and objects: two dogs (12) and a cat (8), with a border of void."""
    classes, objects = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
    for number, (label, where) in enumerate(
        [(12, block(2, 2, 12, 12)), (12, block(30, 5, 40, 20)), (8, block(0, 30, 63, 47))], 1
    ):
        classes[where], objects[where] = label, number
    for values in (classes, objects):
        values[block(12, 2, 12, 12)] = 255
    return classes, objects


VOC = {"cat": CAT, "dog": DOG}


def test_objects_of_pascal_voc(db: Project, tmp_path: Path) -> None:
    classes, objects = maps()
    root = put(
        tmp_path / "VOC2012",
        {"SegmentationClass/rex.png": png(classes), "SegmentationObject/rex.png": png(objects)},
    )
    report = db.annotations.add(root, VOC)
    assert (report.tool, report.images, report.masks, dict(report.remarks)) == ("label maps", 1, 3, {})
    assert [(row.wnid, row.area) for row in masks(db, "rex.jpg")] == [(DOG, 110), (DOG, 11 * 16), (CAT, 64 * 18)]
    assert (pixels(masks(db, "rex.jpg")[0]) == block(2, 2, 11, 12)).all()
    again = db.annotations.add(root, VOC)
    assert (again.masks, again.known_masks, again.votes) == (0, 3, 0)
    assert [one.name for one in db.annotations.files()] == ["VOC2012"]
    assert db.annotations.forget("VOC2012") == 3


def test_voc_names_are_asked_for_where_they_have_several_senses(db: Project, tmp_path: Path) -> None:
    root = put(tmp_path / "voc", {"SegmentationClass/rex.png": png(maps()[0])})
    with pytest.raises(AmbiguousLabels, match="'dog' may be"):
        db.annotations.add(root)


def test_maps_of_classes_alone(db: Project, tmp_path: Path) -> None:
    """Grey, of a palette, of 16 bits: their numbers count, each class is a mask, background and void are none."""
    classes = maps()[0]
    names = {"12": DOG, "8": CAT}
    for at, (mode, values) in enumerate([("P", classes), ("L", classes), ("I;16", classes.astype(np.uint16))]):
        root = put(tmp_path / f"maps{at}", {"train/rex.png": png(values, mode)})
        report = db.annotations.add(root, names)
        assert (report.masks, report.known_masks) == ((2, 0) if at == 0 else (0, 2))
    assert [(row.wnid, row.area) for row in masks(db, "rex.jpg")] == [(CAT, 64 * 18), (DOG, 110 + 11 * 16)]


def test_a_labelmap_names_numbers_and_colours(db: Project, tmp_path: Path) -> None:
    classes, _ = maps()
    labels = f"# label:color_rgb:parts:actions\nbackground:0,0,0::\n{DOG}:255,0,0::\ntom cat:0,255,0::\nvoid:9,9,9::\n"
    coloured = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    coloured[classes == 12], coloured[classes == 8], coloured[classes == 255] = (255, 0, 0), (0, 255, 0), (9, 9, 9)
    root = put(tmp_path / "cvat", {"labelmap.txt": labels, "SegmentationClass/rex.png": png(coloured, "RGB")})
    report = db.annotations.add(root, {"tom cat": CAT})
    assert report.masks == 2
    numbered = np.where(classes == 12, 1, np.where(classes == 8, 2, 0))
    root = put(tmp_path / "numbers", {"labelmap.txt": labels, "rex.png": png(numbered, "L")})
    same = db.annotations.add(root, {"tom cat": CAT})
    assert [(row.wnid, row.area) for row in masks(db, "rex.jpg")][:2] == [(DOG, 286), (CAT, 1152)]
    assert same.masks + same.known_masks == 2


def test_what_is_no_label_map_is_counted(db: Project, tmp_path: Path) -> None:
    classes, objects = maps()
    small = classes[:10]
    root = put(
        tmp_path / "voc",
        {
            "labelmap.txt": f"background:::\n{DOG}:::\n",
            "SegmentationClass/rex.png": png(small),
            "SegmentationClass/ben.png": b"\x89PNG\r\n\x1a\n" + bytes(30),
            "SegmentationClass/tom.png": png(np.full((HEIGHT, WIDTH, 3), 7), "RGB"),
            "SegmentationClass/nobody.png": png(np.ones((HEIGHT, WIDTH))),
            "SegmentationObject/rex.png": png(objects),
        },
    )
    report = db.annotations.add(root)
    assert report.unknown == ("nobody.jpg",)
    assert dict(report.remarks) == {
        label_maps.NO_MAP: 1,
        label_maps.NO_COLOURS: 1,
        label_maps.APART: 1,
        label_maps.UNNAMED: 1,
    }
    other = put(tmp_path / "other", {"rex.png": png(np.ones((WIDTH, HEIGHT)))})
    assert dict(db.annotations.add(other, {"1": DOG}).remarks) == {OTHER_SIZE: 1}
    noise = put(tmp_path / "noise", {"rex.png": png(np.arange(HEIGHT * 256).reshape(HEIGHT, -1), "I;16")})
    assert db.annotations.add(noise).masks == 0
    assert count(db) == 0


@pytest.mark.parametrize("text", ["a:300,0,0::\n", "a:red::\n", ":::\n"])
def test_a_labelmap_that_is_none_is_refused_with_its_line(db: Project, tmp_path: Path, text: str) -> None:
    root = put(tmp_path / "maps", {"labelmap.txt": text, "rex.png": png(np.ones((HEIGHT, WIDTH)))})
    with pytest.raises(ArchiveError, match="line 1"):
        db.annotations.add(root)


def test_label_maps_on_the_command_line(db: Project, tmp_path: Path) -> None:
    classes, objects = maps()
    root = put(
        tmp_path / "VOC2012",
        {"SegmentationClass/rex.png": png(classes), "SegmentationObject/rex.png": png(objects)},
    )
    sense = ["--sense", f"dog={DOG}", "--sense", f"cat={CAT}", "-p", db.path]
    told = run("annotations", "add", root, *sense)
    assert "3 masks are new" in told
    assert "VOC2012" in run("annotations", "list", "-p", db.path)
    assert run("annotations", "forget", "VOC2012", "-p", db.path) == "3 boxes and masks are taken back\n"


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 12), st.integers(1, 5))
def test_the_values_of_a_map_share_its_pixels(seed: int, height: int, width: int, values: int) -> None:
    drawn = np.random.default_rng(seed).integers(0, values, (height, width))
    found = {value: Masks.of([runs], [(height, width)]).pixels(0) for value, runs in runs_of_values(drawn, 9)}
    assert sorted(found) == np.unique(drawn).tolist()
    assert all((found[value] == (drawn == value)).all() for value in found)


def test_a_page_says_how_many_masks_it_does_not_draw(db: Project, tmp_path: Path) -> None:
    """Many masks, and one of so many runs that its outline would take seconds, are counted and not drawn."""
    noise = np.random.default_rng(1).random((HEIGHT, WIDTH)) < 0.5
    drawn = [block(at, 3, at + 2, 9) for at in range(image_pages.MOST_MASKS + 5)]
    told = [{"size": [HEIGHT, WIDTH], "counts": runs_of(mask).tolist()} for mask in (noise, *drawn)]
    value = {
        "images": [{"id": 1, "file_name": "rex.jpg", "width": WIDTH, "height": HEIGHT}],
        "categories": [{"id": 1, "name": "dog", "wnid": DOG}],
        "annotations": [
            {"id": at, "image_id": 1, "category_id": 1, "segmentation": one} for at, one in enumerate(told)
        ],
    }
    (tmp_path / "many.json").write_text(json.dumps(value))
    db.annotations.add(tmp_path / "many.json", annotator="ann")
    db.crowd.run(db.crowd.simulated({(task.sha256, task.wnid): True for task in db.candidates.tasks()}))
    (rex,) = (one.sha256 for one in db.images.inputs() if one.file.endswith("rex.jpg"))
    shown = Site(db).nobody().get(f"/image/{rex}")
    assert f"Masks: {len(told)} × dog" in shown
    assert f"Of {len(told)}, {image_pages.MOST_MASKS} are drawn, the largest first." in shown
    with mock.patch.object(image_pages, "_MOST_TEXT", len(text_of_runs(runs_of(noise))) - 1):
        facts = db.explore.image(rex, db.explore.view())
    assert isinstance(facts, image_pages.ImageFacts)
    assert (facts.masked, {mask.area for mask in facts.masks}) == ({DOG: len(told)}, {21})
