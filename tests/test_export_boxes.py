"""Releases in formats of boxes: read by COCO's own tools, checked by arithmetic, and brought back as they were."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from defusedxml.ElementTree import parse
from PIL import Image
from sqlalchemy import select

from conftest import encoded, photo
from holotype.catalog import schema as t
from holotype.imports.boxes import parse_voc
from holotype.imports.tools.label_studio import PREDICTED
from holotype.imports.tools.reading import read_export
from holotype.project import Project
from holotype.releases import Release
from holotype.releases.exports import voc
from holotype.releases.exports.formats import export
from shipped import CAT, COLLIE, LEMMAS, TENCH, Shipped, pictures, ship

CRANE, OTHER_CRANE = "n02012849", "n03126707"
Corners = tuple[str, int, int, int, int]


@pytest.fixture
def release(tmp_path: Path) -> Release:
    return ship(tmp_path / "v1", pictures())


def boxes_of(one: Shipped) -> list[Corners]:
    return sorted(one.boxes)


def coco(path: Path) -> Any:
    """A file as COCO's own tools open it."""
    tools = pytest.importorskip("pycocotools.coco")
    with contextlib.redirect_stdout(io.StringIO()):
        return tools.COCO(str(path))


def test_coco_opens_in_its_own_tools(release: Release, tmp_path: Path) -> None:
    report = export(release, "coco", tmp_path / "out")
    known = {one.id: one for one in pictures()}
    seen = 0
    for split in ("train", "val"):
        found = coco(tmp_path / f"out/annotations/instances_{split}.json")
        categories = {one["id"]: one for one in found.loadCats(found.getCatIds())}
        assert [(key, one["name"], one["wnid"]) for key, one in categories.items()] == [
            *((1, "tench", TENCH), (2, "collie", COLLIE), (3, "tabby", CAT))
        ]
        assert [one["supercategory"] for one in categories.values()] == ["cyprinid", "shepherd dog", "domestic cat"]
        licences = {one["id"]: one["name"] for one in found.dataset["licenses"]}
        for about in found.loadImgs(found.getImgIds()):
            one = known[about["file_name"].partition(".")[0]]
            assert (tmp_path / "out/images" / split / about["file_name"]).read_bytes() == one.data
            assert (about["width"], about["height"]) == one.size
            assert licences[about["license"]] == "CC-BY-4.0"
            assert {categories[key]["wnid"] for key in about["category_ids"]} == set(one.wnids)
            said = found.loadAnns(found.getAnnIds(imgIds=about["id"]))
            assert [box["area"] for box in said] == [box["bbox"][2] * box["bbox"][3] for box in said]
            assert sorted(corners(categories[box["category_id"]]["wnid"], *box["bbox"]) for box in said) == boxes_of(
                one
            )
            seen += 1
    assert seen == report.images == len(known)
    assert any("3 images have labels and no box" in remark for remark in report.remarks)
    assert any("1 images are stored turned" in remark for remark in report.remarks)


def corners(wnid: str, x: float, y: float, width: float, height: float) -> Corners:
    return wnid, round(x), round(y), round(x + width) - 1, round(y + height) - 1


def test_cocos_own_score_of_its_boxes_is_perfect(release: Release, tmp_path: Path) -> None:
    export(release, "coco", tmp_path / "out")
    truth = coco(tmp_path / "out/annotations/instances_train.json")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    told = truth.loadAnns(truth.getAnnIds())
    guesses = [{**{key: one[key] for key in ("image_id", "category_id", "bbox")}, "score": 0.9} for one in told]
    with contextlib.redirect_stdout(io.StringIO()):
        score = evaluation.COCOeval(truth, truth.loadRes(guesses), "bbox")
        score.evaluate()
        score.accumulate()
        score.summarize()
    assert score.stats[0] == 1.0


def test_voc_has_boxes_from_the_first_pixel_on_and_labels_in_lists(release: Release, tmp_path: Path) -> None:
    report = export(release, "voc", tmp_path / "out")
    assert any("1 image is no JPEG, but called so" in remark for remark in report.remarks)
    root = tmp_path / "out/VOCdevkit/VOC2012"
    for one in pictures():
        found = parse_voc((root / "Annotations" / f"{one.id}.xml").read_bytes(), "a.xml")
        from_one = sorted(tuple(edge - 1 for edge in (b.xmin, b.ymin, b.xmax, b.ymax)) for b in found.boxes)
        if one.orientation == 1:
            assert sorted((b.wnid) for b in found.boxes) == sorted(box[0] for box in one.boxes)
            assert from_one == sorted(box[1:] for box in one.boxes)
            assert (found.width, found.height) == one.size
        else:  # upright 60 x 80 is stored as 80 x 60, a quarter turn to the left
            assert (found.width, found.height) == (80, 60)
            assert from_one == [(10, 9, 70, 54)]
        assert found.remarks == ()
        assert (root / "JPEGImages" / f"{one.id}.jpg").read_bytes() == one.data
    lists = {path.name: path.read_text().split("\n")[:-1] for path in (root / "ImageSets/Main").iterdir()}
    for split in ("train", "val"):
        mine = {one.id: one for one in pictures() if one.split == split}
        assert sorted(lists[f"{split}.txt"]) == sorted(mine)
        for wnid in LEMMAS:
            said = dict(line.split() for line in lists[f"{wnid}_{split}.txt"])
            assert said == {key: "1" if wnid in one.wnids else "-1" for key, one in mine.items()}


def test_lists_of_very_many_classes_name_what_shows_them_alone(
    release: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voc, "MOST", 20)
    report = export(release, "voc", tmp_path / "out")
    lines = (tmp_path / f"out/VOCdevkit/VOC2012/ImageSets/Main/{TENCH}_val.txt").read_text().splitlines()
    assert lines == [f"{one.id}  1" for one in pictures() if one.split == "val" and TENCH in one.wnids]
    assert "that would be too many" in report.remarks[-1]


def test_yolo_has_the_middle_and_the_sides_in_shares(release: Release, tmp_path: Path) -> None:
    report = export(release, "yolo", tmp_path / "out", splits=["train"])
    about = yaml.safe_load((tmp_path / "out/data.yaml").read_text())
    assert about == {
        **{"train": "images/train", "val": "images/val", "nc": 3},
        "names": {0: "tench", 1: "collie", 2: "tabby"},
    }
    assert "there are no images in val" in report.remarks[-1]
    wnids = sorted(LEMMAS)
    for one in (one for one in pictures() if one.split == "train"):
        assert next((tmp_path / "out/images/train").glob(f"{one.id}.*")).read_bytes() == one.data
        found = []
        for line in (tmp_path / f"out/labels/train/{one.id}.txt").read_text().splitlines():
            number, *shares = line.split()
            across, down, width, height = (
                float(share) * side for share, side in zip(shares, one.size * 2, strict=True)
            )
            found.append(corners(wnids[int(number)], across - width / 2, down - height / 2, width, height))
        assert sorted(found) == boxes_of(one)
    assert not list((tmp_path / "out/labels/val").iterdir())


def test_fiftyone_finds_labels_and_boxes_by_the_names_of_files(release: Release, tmp_path: Path) -> None:
    """As its importers read them: labels are numbers of `classes`, lists where there are several; boxes are shares."""
    export(release, "fiftyone", tmp_path / "out")
    for split in ("train", "val"):
        files = {path.stem: path for path in (tmp_path / "out" / split / "data").iterdir()}
        labels, boxes = (
            json.loads((tmp_path / "out" / split / name).read_text()) for name in ("labels.json", "detections.json")
        )
        assert labels["classes"] == boxes["classes"] == ["tench", "collie", "tabby"]
        assert files.keys() == labels["labels"].keys() == boxes["labels"].keys()
        wnids = sorted(LEMMAS)
        for one in (one for one in pictures() if one.split == split):
            assert files[one.id].read_bytes() == one.data
            said = labels["labels"][one.id]
            assert {wnids[number] for number in (said if isinstance(said, list) else [said])} == set(one.wnids)
            found = []
            for box in boxes["labels"][one.id]:
                x, y, width, height = (
                    share * side for share, side in zip(box["bounding_box"], one.size * 2, strict=True)
                )
                found.append(corners(wnids[box["label"]], x, y, width, height))
            assert sorted(found) == boxes_of(one)


def test_label_studio_and_cvat_are_told_of_every_label(release: Release, tmp_path: Path) -> None:
    for name in ("label-studio", "cvat"):
        export(release, name, tmp_path / name)
    names = ["tench (n01440764)", "collie (n02106166)", "tabby (n02123045)"]
    config = parse(tmp_path / "label-studio/config.xml")
    assert (
        [one.get("value") for one in config.iter("Label")]
        == [one.get("value") for one in config.iter("Choice")]
        == names
    )
    assert [one["name"] for one in json.loads((tmp_path / "cvat/labels.json").read_text())] == names
    meta = parse(tmp_path / "cvat/annotations.xml").find("meta/task")
    assert meta is not None
    assert [one.findtext("name") for one in meta.iterfind("labels/label")] == names
    tasks = json.loads((tmp_path / "label-studio/tasks.json").read_text())
    assert len(tasks) == len(pictures()) == int(meta.findtext("size") or 0)
    for task in tasks:
        file = task["data"]["image"].partition("?d=")[2]
        assert (tmp_path / "label-studio" / file).is_file()
        assert {one["to_name"] for one in task["predictions"][0]["result"]} == {"image"}


def test_torchvision_opens_voc_and_coco(release: Release, tmp_path: Path) -> None:
    datasets = pytest.importorskip("torchvision.datasets")
    for name in ("voc", "coco"):
        export(release, name, tmp_path / name)
    for split in ("train", "val"):
        mine = [one for one in pictures() if one.split == split]
        found = datasets.VOCDetection(tmp_path / "voc", "2012", split)
        assert len(found) == len(mine)
        assert sum(len(target["annotation"].get("object", ())) for _, target in found) == sum(
            len(one.boxes) for one in mine
        )
        with contextlib.redirect_stdout(io.StringIO()):
            others = datasets.CocoDetection(
                tmp_path / "coco/images" / split, tmp_path / f"coco/annotations/instances_{split}.json"
            )
        assert sum(len(target) for _, target in others) == sum(len(one.boxes) for one in mine)


@pytest.mark.parametrize(
    ("name", "kind", "root", "first"),
    [("coco", "coco_instances", "", 0), ("voc", "voc", voc.ROOT, 1), ("yolo", "yolo", "", 0), ("cvat", "cvat", "", 0)],
)
def test_datumaro_opens_it(name: str, kind: str, root: str, first: int, tmp_path: Path) -> None:
    """What CVAT reads and writes its other formats by; VOC's pixels are counted from 1, and end with the last."""
    datumaro = pytest.importorskip("datumaro")
    images = [one for one in pictures() if one.orientation == 1]
    export(ship(tmp_path / "v1", images), name, tmp_path / "out")
    found = datumaro.Dataset.import_from(str(tmp_path / "out" / root), kind)
    boxes = {
        (Path(item.id).name, *(round(edge) for edge in one.get_bbox()))
        for item in found
        for one in item.annotations
        if one.type == datumaro.AnnotationType.bbox
    }
    assert boxes == {
        (one.id, x + first, y + first, x_max + 1 - x - first, y_max + 1 - y - first)
        for one in images
        for _, x, y, x_max, y_max in one.boxes
    }


def test_label_studios_own_library_takes_config_and_tasks(release: Release, tmp_path: Path) -> None:
    interface = pytest.importorskip("label_studio_sdk.label_interface")
    export(release, "label-studio", tmp_path / "out")
    config = interface.LabelInterface((tmp_path / "out/config.xml").read_text())
    config.validate()
    for task in json.loads((tmp_path / "out/tasks.json").read_text()):
        assert config.validate_task({"data": task["data"]})
        assert all(config.validate_prediction(one) for one in task["predictions"])


def test_fiftyones_own_importers_find_labels_and_boxes(release: Release, tmp_path: Path) -> None:
    importers = pytest.importorskip("fiftyone.utils.data.importers")
    export(release, "fiftyone", tmp_path / "out")
    known = {one.id: one for one in pictures()}
    wnids = dict(zip(("tench", "collie", "tabby"), sorted(LEMMAS), strict=True))
    for split in ("train", "val"):
        folder = str(tmp_path / "out" / split)
        with importers.FiftyOneImageDetectionDatasetImporter(folder, labels_path="detections.json") as found:
            for path, _, label in found:
                one = known[Path(path).stem]
                assert sorted(wnids[box.label] for box in label.detections) == sorted(box[0] for box in one.boxes)
        with importers.FiftyOneImageClassificationDatasetImporter(folder) as found:
            for path, _, label in found:
                several = getattr(label, "classifications", None) or [label]
                assert {wnids[one.label] for one in several} == set(known[Path(path).stem].wnids)


def test_ultralytics_finds_pictures_and_boxes(release: Release, tmp_path: Path) -> None:
    utils, dataset = (pytest.importorskip(f"ultralytics.data.{name}") for name in ("utils", "dataset"))
    cfg = pytest.importorskip("ultralytics.cfg")
    export(release, "yolo", tmp_path / "out")
    data = utils.check_det_dataset(str(tmp_path / "out/data.yaml"), autodownload=False)
    assert data["names"] == {0: "tench", 1: "collie", 2: "tabby"}
    for split in ("train", "val"):
        found = dataset.YOLODataset(img_path=data[split], data=data, augment=False, hyp=cfg.get_cfg())
        mine = [one for one in pictures() if one.split == split]
        assert sorted(len(one["bboxes"]) for one in found.labels) == sorted(len(one.boxes) for one in mine)


def accepted(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Tasks as Label Studio exports them when somebody has taken all predictions as they are."""
    return [
        {
            "id": number,
            "data": task["data"],
            "annotations": [{"completed_by": {"email": "ann@example.org"}, "result": task["predictions"][0]["result"]}],
            "predictions": task["predictions"],
        }
        for number, task in enumerate(tasks)
    ]


def from_coco(out: Path) -> list[Path]:
    return sorted((out / "annotations").iterdir())


def from_label_studio(out: Path) -> list[Path]:
    tasks = json.loads((out / "tasks.json").read_text())
    (out / "export.json").write_text(json.dumps(accepted(tasks)))
    return [out / "export.json"]


def from_cvat(out: Path) -> list[Path]:
    return [out / "annotations.xml"]


BACK: list[tuple[str, Callable[[Path], list[Path]], str]] = [
    ("coco", from_coco, "coco:instances_"),
    ("label-studio", from_label_studio, "ann@example.org"),
    ("cvat", from_cvat, "cvat:v1"),
]


def turned_pictures() -> list[Shipped]:
    """Pictures whose bytes are as their rows say: sizes that are no round numbers, and one that is stored turned."""
    sizes = [(641, 479), (33, 77), (1, 1), (500, 375)]
    found = []
    for seed, (width, height) in enumerate(sizes):
        boxes = [(TENCH, 0, 0, width - 1, height - 1), (CAT, width // 3, height // 7, width // 2, height // 2)]
        found.append(
            Shipped(encoded(photo(seed, width, height)), "train", (TENCH, CAT), tuple(boxes), size=(width, height))
        )
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(photo(9, 80, 60), exif=exif)
    found.append(Shipped(lying, "val", (COLLIE,), ((COLLIE, 5, 10, 50, 70),), size=(60, 80), orientation=6))
    found.append(Shipped(encoded(photo(11, 50, 40), "PNG"), "val", (COLLIE,), format="PNG", size=(50, 40)))
    return found


@pytest.mark.parametrize(("name", "written", "worker"), BACK)
def test_what_went_out_comes_back(
    name: str, written: Callable[[Path], list[Path]], worker: str, project: Project, tmp_path: Path
) -> None:
    images = turned_pictures()
    release = ship(tmp_path / "v1", images)
    export(release, name, tmp_path / "out")
    (tmp_path / "photos").mkdir()
    for number, one in enumerate(images):
        (tmp_path / "photos" / f"{number}.jpg").write_bytes(one.data)
    project.images.ingest(tmp_path / "photos")
    reports = [project.annotations.add(path) for path in written(tmp_path / "out")]
    assert not [remark for report in reports for remark in report.remarks if remark != PREDICTED]
    assert not [name for report in reports for name in report.unknown]
    box = t.box.c
    columns = t.image.c.name, box.wnid, box.x_min, box.y_min, box.x_max, box.y_max
    with project.catalog.read() as connection:
        rows = connection.execute(select(*columns).select_from(t.box.join(t.image))).all()
    assert sorted(map(tuple, rows)) == sorted((one.sha256, *corners) for one in images for corners in one.boxes)
    tasks = {task.number: (task.sha256, task.wnid) for task in project.candidates.tasks()}
    votes = [(*tasks[vote.task], vote.worker) for vote in project.crowd.votes()]
    assert sorted(one[:2] for one in votes) == sorted((one.sha256, wnid) for one in images for wnid in one.wnids)
    assert all(one[2].startswith(worker) for one in votes)


def test_predictions_come_back_as_a_machines_where_that_is_asked(
    project: Project, release: Release, tmp_path: Path
) -> None:
    export(release, "label-studio", tmp_path / "out")
    (tmp_path / "photos").mkdir()
    one = pictures()[0]
    (tmp_path / "photos/a.jpg").write_bytes(one.data)
    project.images.ingest(tmp_path / "photos")
    nothing = project.annotations.add(tmp_path / "out/tasks.json")
    assert (nothing.boxes, nothing.votes, nothing.remarks) == (0, 0, {PREDICTED: 7})
    report = project.annotations.add(tmp_path / "out/tasks.json", predictions=True)
    assert (report.boxes, report.votes, report.workers) == (1, 1, ("machine:holotype v1",))


@pytest.mark.parametrize("name", ["coco", "voc", "yolo", "label-studio", "cvat", "fiftyone"])
def test_names_that_are_alike_or_hostile_are_told_apart_and_break_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cranes, a lemma that is markup, and a box of a class that no image has."""
    evil = "\"'><a&b>\n: - {\x07\u2028"
    for wnid, lemmas in ((CRANE, ["crane"]), (OTHER_CRANE, ["crane"]), (COLLIE, [evil])):
        monkeypatch.setitem(LEMMAS, wnid, lemmas)
    images = [
        Shipped(encoded(photo(1)), "train", (CRANE, OTHER_CRANE), ((CRANE, 1, 2, 3, 4), (CAT, 5, 6, 7, 8))),
        Shipped(encoded(photo(2)), "train", (COLLIE,), said={"author": evil, "url": evil, "licence": evil}),
    ]
    release = ship(tmp_path / "v1", images, name="v1")
    export(release, name, tmp_path / "out")
    wnids = sorted([CRANE, OTHER_CRANE, COLLIE, CAT])
    out = tmp_path / "out"
    if name in ("cvat", "coco"):
        files = [*out.glob("annotations.xml"), *out.glob("annotations/*.json")]
        found = read_export(files[0]).export
        labels = {text for one in found.pictures for sheet in one.sheets for text in sheet.labels}
        assert len(labels) == 3
        assert {len(sheet.boxes) for one in found.pictures for sheet in one.sheets} == {0, 2}
    if name == "coco":
        told = json.loads((out / "annotations/instances_train.json").read_text())
        assert [one["wnid"] for one in told["categories"]] == wnids
        assert len({one["name"] for one in told["categories"]}) == 4
        assert f"crane ({CRANE})" in {one["name"] for one in told["categories"]}
    if name == "yolo":
        names = yaml.safe_load((out / "data.yaml").read_text())["names"]
        assert len(set(names.values())) == 4
        line = (out / "labels/train" / f"{images[0].id}.txt").read_text().splitlines()[1]
        assert int(line.split()[0]) == wnids.index(CAT)
    if name == "label-studio":
        assert len(list(parse(out / "config.xml").iter("Label"))) == 4
    if name == "voc":
        assert len(parse_voc((out / f"{voc.ROOT}/Annotations/{images[0].id}.xml").read_bytes(), "a").boxes) == 2
        parse_voc((out / f"{voc.ROOT}/Annotations/{images[1].id}.xml").read_bytes(), "a")
    if name == "fiftyone":
        assert len(set(json.loads((out / "train/labels.json").read_text())["classes"])) == 4


def test_boxes_of_images_of_unknown_size_are_in_no_format_of_shares(tmp_path: Path) -> None:
    broken = Shipped(b"no picture", "train", (TENCH,), ((TENCH, 1, 2, 3, 4),), size=(0, 0))
    release = ship(tmp_path / "v1", [broken])
    for name in ("yolo", "label-studio", "fiftyone"):
        report = export(release, name, tmp_path / name)
        assert any("1 boxes are left out, of images of unknown size" in one for one in report.remarks)
    assert (tmp_path / f"yolo/labels/train/{broken.id}.txt").read_text() == ""
