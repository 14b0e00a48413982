"""Masks in releases: carried with their images, checked, taken down, exported, and the same when they come back."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pycocotools.coco import COCO
from sqlalchemy import select

import holotype
from conftest import encoded, photo, run
from holotype.catalog import masks as mask_rows
from holotype.catalog import schema as t
from holotype.geometry.masks import Masks, runs_of_text, text_of_runs
from holotype.geometry.masks import encoded as runs_of
from holotype.geometry.values import Bools
from holotype.imports.masks import OTHER_SIZE
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import Release, verify_release
from holotype.releases.exports.formats import export
from holotype.releases.exports.masks import with_boxes
from holotype.releases.exports.samples import ExportedBox, ExportedMask
from holotype.releases.layout import CHECKSUMS, MASKS, MASKS_SCHEMA, OTHER_SIZES
from holotype.releases.rebuild import rebuild_release
from holotype.releases.takedown import Unwanted, take_down

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools

DOG, CAT = "n02091134", "n02121808"
WIDTH, HEIGHT = 64, 48


def block(left: int, top: int, right: int, bottom: int) -> Bools:
    found = np.zeros((HEIGHT, WIDTH), np.bool_)
    found[top : bottom + 1, left : right + 1] = True
    return found


def rle(mask: Bools) -> dict[str, Any]:
    return {"size": list(mask.shape), "counts": text_of_runs(runs_of(mask))}


SAID: dict[str, list[tuple[str, Bools, bool]]] = {
    "rex": [(DOG, block(2, 2, 20, 20), False), (DOG, block(30, 5, 40, 20), False), (CAT, block(0, 40, 63, 47), True)],
    "tom": [(CAT, block(10, 10, 30, 40), False), (CAT, block(5, 5, 12, 12), False)],
    "turned": [(DOG, block(1, 2, 9, 20), False)],
}
"""Masks by image, in pixels of the upright picture, and whether they are crowds."""


@pytest.fixture(scope="module")
def made(new_project: Callable[[Path], Path], wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of four images, one of which lies turned in its file, with masks of three, and a release."""
    folder = tmp_path_factory.mktemp("masked")
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, wnid, seed in (("rex", DOG, 1), ("ben", DOG, 2), ("tom", CAT, 3)):
        (folder / "photos" / wnid).mkdir(parents=True, exist_ok=True)
        (folder / "photos" / wnid / f"{name}.jpg").write_bytes(encoded(photo(seed, WIDTH, HEIGHT)))
    (folder / "photos" / DOG / "turned.jpg").write_bytes(encoded(photo(4, HEIGHT, WIDTH), exif=exif))
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        truth = {(task.sha256, task.wnid): True for task in db.candidates.tasks()}
        db.crowd.run(db.crowd.simulated(truth))
        (folder / "masks.json").write_text(json.dumps(instances()))
        report = db.annotations.add(folder / "masks.json", annotator="ann")
        assert (report.masks, report.boxes) == (6, 1)
        db.releases.create("v1", outvoted=True)
        return db.path


def instances() -> dict[str, Any]:
    names = {name: at for at, name in enumerate(SAID, 1)}
    annotations: list[dict[str, Any]] = [
        {
            "id": 10 * names[name] + at,
            "image_id": names[name],
            "category_id": 1 if wnid == DOG else 2,
            "iscrowd": int(crowd),
            "segmentation": rle(mask),
            **({"bbox": [2, 2, 19, 19]} if name == "rex" and at == 0 else {}),
        }
        for name, said in SAID.items()
        for at, (wnid, mask, crowd) in enumerate(said)
    ]
    return {
        "images": [
            {"id": at, "file_name": f"{name}.jpg", "width": WIDTH, "height": HEIGHT} for name, at in names.items()
        ],
        "categories": [{"id": 1, "name": "dog", "wnid": DOG}, {"id": 2, "name": "cat", "wnid": CAT}],
        "annotations": annotations,
    }


@pytest.fixture
def db(made: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(made)


def shown(db: Project) -> dict[str, str]:
    """The ids of images by the name of their file."""
    return {Path(one.file).stem: one.sha256[:16] for one in db.images.inputs()}


def pixels(row: dict[str, Any]) -> Bools:
    return Masks.of([runs_of_text(row["counts"])], [(row["height"], row["width"])]).pixels(0)


def held(release: Release, name: str) -> list[tuple[str, bytes, bool]]:
    rows = [row for row in release.masks.to_pylist() if row["id"] == name]
    return sorted((row["wnid"], pixels(row).tobytes(), row["crowd"]) for row in rows)


def said(name: str) -> list[tuple[str, bytes, bool]]:
    return sorted((wnid, mask.tobytes(), crowd) for wnid, mask, crowd in SAID[name])


# Carried, checked, taken down


def test_masks_are_carried_with_their_images(db: Project) -> None:
    release = db.releases["v1"]
    names = shown(db)
    assert verify_release(release.path) == []
    assert {name: held(release, names[name]) for name in SAID} == {name: said(name) for name in SAID}
    assert set(release.masks["source"].to_pylist()) == {"masks.json"}
    assert "6 masks in 3 images" in (release.path / "datasheet.md").read_text()
    croissant = json.loads((release.path / "croissant.json").read_text())
    assert "masks" in [one["name"] for one in croissant["recordSet"]]


def test_a_release_without_masks_has_no_file_of_them_and_opens(project: Project, tmp_path: Path) -> None:
    (tmp_path / "photos" / DOG).mkdir(parents=True)
    (tmp_path / "photos" / DOG / "rex.jpg").write_bytes(encoded(photo(1, WIDTH, HEIGHT)))
    project.images.ingest(tmp_path / "photos")
    project.crowd.run(project.crowd.simulated({(one.sha256, DOG): True for one in project.candidates.tasks()}))
    release = project.releases.create("v1", outvoted=True)
    assert not (release.path / MASKS).exists()
    assert release.masks.equals(MASKS_SCHEMA.empty_table())
    assert verify_release(release.path) == []


def test_smaller_pictures_have_smaller_masks(db: Project) -> None:
    from holotype.images.variants import Variant

    release = db.releases.create("small", outvoted=True, variant=Variant(short_side=24))
    assert verify_release(release.path) == []
    row = next(one for one in release.masks.to_pylist() if one["id"] == shown(db)["rex"] and one["x_min"] == 1)
    assert (row["width"], row["height"]) == (32, 24)
    assert (pixels(row) == block(2, 2, 20, 20)[1::2, 1::2]).all()


def test_masks_of_another_size_than_their_image_are_left_out_and_counted(db: Project) -> None:
    with db.catalog.write() as connection:
        image = connection.execute(select(t.mask.c.image_id)).scalars().first()
        file = connection.execute(select(t.mask.c.file_id)).scalars().first()
        assert image is not None
        assert file is not None
        mask_rows.add(connection, {image: [mask_rows.MaskRow(DOG, 2, 2, "13", 3, 0, 0, 1, 1, 0)]}, file)
    release = db.releases.create("v2", outvoted=True)
    assert (len(release.masks), release.summary[OTHER_SIZES]) == (6, 1)
    assert verify_release(release.path) == []


def test_a_release_is_rebuilt_and_taken_down_with_its_masks(db: Project, wordnet: Ontology, tmp_path: Path) -> None:
    release, gone = db.releases["v1"], shown(db)["rex"]
    assert rebuild_release(release, wordnet).same
    take_down(release, tmp_path / "v2", Unwanted(images=[gone]))
    left = Release(tmp_path / "v2")
    assert set(left.masks["id"].to_pylist()) == {shown(db)["tom"], shown(db)["turned"]}
    assert verify_release(left.path) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"counts": "!"}, "are not those of its run lengths"),
        ({"area": 7}, "are not those of its run lengths"),
        ({"x_max": 63}, "are not those of its run lengths"),
        ({"width": 1 << 30, "height": 1 << 30}, "another size than its picture"),
        ({"id": "0123456789abcdef"}, "is not in manifest.parquet"),
    ],
)
def test_wrong_masks_are_found(db: Project, tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    path = Path(shutil.copytree(db.releases["v1"].path, tmp_path / "v1"))
    rows = pq.read_table(path / MASKS).to_pylist()
    rows[0] |= change
    pq.write_table(pa.Table.from_pylist(rows, MASKS_SCHEMA), path / MASKS)
    _sealed(path)
    assert any(problem in one for one in verify_release(path))


def _sealed(path: Path) -> None:
    from holotype.files import sha256_file

    names = sorted(one.name for one in path.iterdir() if one.name != CHECKSUMS)
    (path / CHECKSUMS).write_text("".join(f"{sha256_file(path / name)}  {name}\n" for name in names))


# Exports


def coco(path: Path) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(str(path))


def test_coco_has_masks_beside_the_boxes_of_their_instances(db: Project, tmp_path: Path) -> None:
    report = export(db.releases["v1"], "coco", tmp_path / "out")
    assert not [one for one in report.remarks if "left out" in one]
    found: dict[str, list[tuple[str, bytes, bool]]] = {}
    boxed = []
    for file in (tmp_path / "out/annotations").iterdir():
        tools = coco(file)
        wnids = {one["id"]: one["wnid"] for one in tools.dataset["categories"]}
        for one in tools.loadAnns(tools.getAnnIds()):
            name = tools.loadImgs(one["image_id"])[0]["file_name"][:16]
            mask = tools.annToMask(one).astype(np.bool_)
            found.setdefault(name, []).append((wnids[one["category_id"]], mask.tobytes(), bool(one["iscrowd"])))
            assert one["area"] == mask.sum()
            boxed.append(one["bbox"] == [2, 2, 19, 19])
    names = shown(db)
    assert {name: sorted(found[names[name]]) for name in SAID} == {name: said(name) for name in SAID}
    assert boxed.count(True) == 1  # one annotation of the box and its mask


def test_a_crowd_is_of_one_instance_with_the_box_of_a_group() -> None:
    group, alone = (ExportedBox("n1", 2, 2, 20, 20, "a", group_of=said) for said in (1, -1))
    crowd, one = (ExportedMask("n1", 64, 48, "", 9, 2, 2, 20, 20, many, "a") for many in (True, False))
    assert with_boxes([alone, group], [crowd, one]) == [(alone, one), (group, crowd)]
    assert with_boxes([alone], [crowd]) == [(alone, None), (None, crowd)]
    assert with_boxes([group], [one]) == [(group, None), (None, one)]


def test_what_went_out_as_coco_comes_back(db: Project, tmp_path: Path) -> None:
    export(db.releases["v1"], "coco", tmp_path / "out")
    known = sum(db.annotations.add(one).known_masks for one in (tmp_path / "out/annotations").iterdir())
    assert known == 6


def test_voc_has_maps_of_classes_and_objects_as_pictures_are_stored(db: Project, tmp_path: Path) -> None:
    report = export(db.releases["v1"], "voc", tmp_path / "out")
    root, names = tmp_path / "out/VOCdevkit/VOC2012", shown(db)
    assert "1 mask of crowds is void" in report.remarks
    classes = Image.open(root / "SegmentationClass" / f"{names['rex']}.png")
    objects = np.asarray(Image.open(root / "SegmentationObject" / f"{names['rex']}.png"))
    assert classes.mode == "P"
    assert (classes.getpalette() or [])[3:6] == [128, 0, 0]
    numbers = np.asarray(classes)
    assert (numbers == np.select([block(0, 40, 63, 47), block(2, 2, 20, 20) | block(30, 5, 40, 20)], [255, 1])).all()
    assert ((objects == 1) == block(2, 2, 20, 20)).all()
    assert ((objects == 2) == block(30, 5, 40, 20)).all()
    turned = Image.open(root / "SegmentationClass" / f"{names['turned']}.png")
    picture = Image.open(io.BytesIO((root / "JPEGImages" / f"{names['turned']}.jpg").read_bytes()))
    assert turned.size == picture.size == (HEIGHT, WIDTH)
    assert (np.rot90(np.asarray(turned), -1) == block(1, 2, 9, 20)).all()
    listed = sorted(line for file in (root / "ImageSets/Segmentation").iterdir() for line in file.read_text().split())
    assert listed == sorted(names[name] for name in SAID)
    assert "<segmented>1</segmented>" in (root / "Annotations" / f"{names['rex']}.xml").read_text()
    assert "<segmented>0</segmented>" in (root / "Annotations" / f"{names['ben']}.xml").read_text()


def test_what_went_out_as_voc_comes_back_but_for_what_its_maps_cannot_hold(db: Project, tmp_path: Path) -> None:
    export(db.releases["v1"], "voc", tmp_path / "out")
    again = db.annotations.add(tmp_path / "out/VOCdevkit")
    assert (again.unknown, again.known_masks, again.masks) == ((), 3, 1)  # a tom is covered by the other
    assert dict(again.remarks) == {OTHER_SIZE: 1}  # the one that is stored turned


def test_overlapping_masks_leave_the_smaller_one_on_top(db: Project, tmp_path: Path) -> None:
    export(db.releases["v1"], "voc", tmp_path / "out")
    path = tmp_path / "out/VOCdevkit/VOC2012/SegmentationObject" / f"{shown(db)['tom']}.png"
    assert ((np.asarray(Image.open(path)) == 2) == block(5, 5, 12, 12)).all()


def test_label_maps_come_back_as_they_went_out(db: Project, tmp_path: Path) -> None:
    report = export(db.releases["v1"], "label-maps", tmp_path / "out")
    assert "1 image has no mask and no map" in report.remarks
    path = next((tmp_path / "out/masks").rglob(f"{shown(db)['rex']}.png"))
    assert (np.asarray(Image.open(path)) == 1).sum() == 19 * 19 + 11 * 16
    upright = np.asarray(Image.open(next((tmp_path / "out/masks").rglob(f"{shown(db)['turned']}.png"))))
    assert (upright == block(1, 2, 9, 20)).all()
    again = db.annotations.add(tmp_path / "out/masks")
    assert (again.unknown, again.masks, again.known_masks) == ((), 2, 1)  # a mask of a class is of all its instances


def test_other_formats_say_that_they_have_no_place_for_masks(db: Project, tmp_path: Path) -> None:
    report = export(db.releases["v1"], "yolo", tmp_path / "out")
    assert "masks are left out: formats that have them are coco, voc, label-maps" in report.remarks


def test_exports_of_masks_on_the_command_line(db: Project, tmp_path: Path) -> None:
    run("release", "export", "v1", "--format", "label-maps", "--out", tmp_path / "out", "-p", db.path)
    assert (tmp_path / "out/masks/labelmap.txt").read_text().splitlines()[1:] == [
        "background:::",
        f"{DOG}:::",
        f"{CAT}:::",
    ]


# Compared


def test_masks_and_boxes_that_came_and_went_are_counted(db: Project) -> None:
    same = db.releases.diff("v1", "v1").beside["masks"]
    assert (same.before, same.after, same.added, same.removed) == (6, 6, 0, 0)
    some = db.releases["v1"].masks["id"][0].as_py()
    lost = sum(row["id"] == some for row in db.releases["v1"].masks.to_pylist())
    boxes = sum(row["id"] == some for row in db.releases["v1"].boxes.to_pylist())
    db.releases.create("less", query=f"-id:{some}", outvoted=True)
    found = db.releases.diff("v1", "less").beside
    assert lost > 0
    assert (found["masks"].added, found["masks"].removed, found["masks"].after) == (0, lost, 6 - lost)
    assert (found["boxes"].added, found["boxes"].removed) == (0, boxes)
    assert db.releases.diff("less", "v1").beside["masks"].added == lost
    out = run("release", "diff", "v1", "less", "--project", db.path)
    assert f"masks: 6 before, {6 - lost} after: 0 came, {lost} went" in out
