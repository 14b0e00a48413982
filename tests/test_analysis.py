"""What a score hides: metrics by parts, by properties of classes and images, by boxes; confused pairs; subtrees."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holotype.benchmark.analysis import placed
from holotype.benchmark.analysis.binning import counted, fifths, named
from holotype.benchmark.analysis.known_boxes import boxes_of_release, holds_boxes
from holotype.benchmark.analysis.parts import Draws, by_factors, by_parts
from holotype.benchmark.analysis.properties import read_properties
from holotype.benchmark.analysis.subjects import class_means, confused, example_images, item_means
from holotype.benchmark.analysis.subtrees import divided
from holotype.benchmark.analysis.tables import tables
from holotype.benchmark.confusion import most_confused
from holotype.benchmark.detection.rules import by_size
from holotype.benchmark.judged import Means, Metric
from holotype.benchmark.orders import order
from holotype.benchmark.tasks import OURS
from holotype.benchmark.values import Labels
from holotype.errors import PredictionError, UnknownSynset
from holotype.ontology import Ontology
from labelled import guesses, labels, public_models, scored, validation
from placed import boxes, detection_demo, detection_truth, detections, places
from shipped import pictures, ship

ERROR = Metric("error", "lower", "")
SHARED = Path(__file__).resolve().parents[2] / "shared/data"
FAST = Draws(200)


def means(values: Sequence[float]) -> Means:
    return Means([str(at) for at in range(len(values))], (ERROR,), np.array(values, np.float64)[:, None])


def masks(*rows: str) -> dict[str, Any]:
    return {str(at): np.array([one == "x" for one in row]) for at, row in enumerate(rows)}


def test_parts_are_measured_each_with_its_count() -> None:
    found = by_parts("p", "images", means([1, 0, 1, 1]), masks("xx..", "..xx", "....", "xxxx"), FAST)
    assert [(row.name, row.count, row.estimates[0].value) for row in found.rows] == [
        ("0", 2, 0.5),
        ("1", 2, 1.0),
        ("3", 4, 0.75),
    ]
    assert all(row.few for row in found.rows)
    assert found.value()["rows"][0] == {
        "name": "0",
        "images": 2,
        "few": True,
        "metrics": {"error": {"value": 0.5, "low": 0.0, "high": 1.0}},
    }


def test_intervals_of_a_part_are_those_of_its_images() -> None:
    values = (np.random.default_rng(0).random(4000) < 0.2).astype(float)
    part = {"half": np.arange(4000) < 2000}
    row = by_parts("p", "images", means(list(values)), part, Draws(1000)).rows[0]
    assert row.estimates[0].value == values[:2000].mean()
    assert row.estimates[0].high - row.estimates[0].low == pytest.approx(2 * 1.96 * np.sqrt(0.16 / 2000), rel=0.15)
    assert not row.few


def test_items_that_do_not_count_are_in_no_part() -> None:
    found = by_parts("p", "images", means([np.nan, 1, np.nan]), masks("xx.", "x.x"), FAST)
    assert [(row.name, row.count, row.estimates[0].value) for row in found.rows] == [("0", 1, 1.0)]


def test_what_is_of_too_few_is_marked() -> None:
    values = [0.0, 1.0] * 30
    few = {"few": np.arange(60) < 29, "enough": np.arange(60) < 30}
    assert [row.few for row in by_parts("p", "images", means(values), few, FAST).rows] == [True, False]
    assert [row.few for row in by_parts("p", "classes", means(values), few, FAST).rows] == [False, False]


def test_factors_are_told_by_ratio_to_all_that_are_annotated() -> None:
    """ImageNet-X's error ratio: of four annotated images half are wrong, of the two with the factor all."""
    found = by_factors("f", "images", means([1, 1, 0, 0, 1]), masks("xx..."), masks("xxxx.")["0"], FAST)
    first, factor = found.rows
    assert (first.name, first.count, [one.value for one in first.estimates]) == ("all annotated", 4, [0.5, 1.0])
    assert (factor.count, [one.value for one in factor.estimates]) == (2, [1.0, 2.0])
    assert (first.estimates[1].low, first.estimates[1].high) == (1, 1)
    assert factor.estimates[1].low < 2 < factor.estimates[1].high


def test_numbers_make_equal_shares_and_equal_numbers_stay_together() -> None:
    parts = fifths(np.array([*range(1, 101), np.nan]))
    assert [int(part.sum()) for part in parts.values()] == [20] * 5
    assert next(iter(parts)) == "1 to 20"
    assert not any(part[-1] for part in parts.values())
    assert list(fifths(np.array([0.25, 0.25, 0.5]), percent=True)) == ["25 %", "50 %"]
    assert fifths(np.array([np.nan])) == {}


def test_counts_and_names_make_parts() -> None:
    assert list(counted(np.array([1]), (1, 2, 3, 6))) == ["1", "2", "3 to 5", "6 or more"]
    assert {name: part.tolist() for name, part in named(["b", "", "a"]).items()} == {
        "a": [False, False, True],
        "b": [True, False, False],
    }


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_properties_of_classes(tmp_path: Path) -> None:
    rows = "".join(f"class {at:03},{'natural' if at % 2 else 'man-made'},{at / 100},note {at}\n" for at in range(40))
    path = table(tmp_path / "c.csv", "class,made,scale,remark\nelsewhere,natural,9,\n" + rows)
    classes = [f"class {at:03}" for at in range(41)]
    found = read_properties(path, ["image"], classes)
    assert (found.unit, list(found.columns), found.left) == ("classes", ["made", "scale"], ("remark",))
    assert {name: int(part.sum()) for name, part in found.parts("made").items()} == {"man-made": 20, "natural": 20}
    assert [int(part.sum()) for part in found.parts("scale").values()] == [8] * 5
    assert found.columns["made"][40] == "", "a class that is not in the table is in no part"


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_factors_of_images_as_imagenet_x_has_them(tmp_path: Path, form: str) -> None:
    rows = [
        {"file_name": f"val/i{at:02}.JPEG", "class": at, "pose": int(at < 3), "color": 0, "metaclass": "dog"}
        for at in range(30)
    ]
    for at, row in enumerate(rows):
        row["justification"] = f"because, of {at}"
    if form == "jsonl":
        text = "".join(json.dumps(row) + "\n" for row in rows)
    else:
        lines = [",".join(rows[0]), *(",".join(f'"{cell}"' for cell in row.values()) for row in rows)]
        text = "\n".join(lines) + "\n"
    items = [f"i{at:02}" for at in range(32)]
    found = read_properties(table(tmp_path / f"x.{form}", text), items, ["dog"])
    assert (found.unit, found.left) == ("images", ("justification",))
    assert {name: int(part.sum()) for name, part in found.flags.items()} == {"pose": 3, "color": 0}
    assert int(found.flagged.sum()) == 30


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("species,made\na,b\n", "has no column wnid or class, nor image or file_name"),
        ("wnid,made\nx,b\n", "says nothing of any of the classes"),
        ("image,pose\nx,1\n", "says nothing of any of the images"),
        ("wnid,made\nc,b\nc,d\n", "line 3: 'c' is there twice"),
        ("image,pose\ni.JPEG,1\ni,0\n", "line 3: 'i' is there twice"),
        ("wnid,made\nc\n", "line 2"),
        ("wnid" + "".join(f",p{at}" for at in range(201)) + "\nc" + ",1" * 201, "has 201 properties, 200 are allowed"),
    ],
)
def test_tables_of_properties_that_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PredictionError, match=said):
        read_properties(table(tmp_path / "p.csv", text), ["i"], ["c"])


def test_clutter_and_scale_follow_from_boxes() -> None:
    truth = boxes(
        [("a", "cat", 0, 0, 9, 9), ("a", "cat", 0, 0, 19, 9), ("b", "dog", 0, 0, 9, 19)],
        items=["c"],
        sizes=[(20, 20), (20, 20), (20, 20)],
    )
    assert placed.boxes_per_image(truth).tolist() == [2, 1, 0]
    assert placed.scales(truth).tolist() == [0.25, 0.5, 0.5]
    assert placed.of_images(truth, placed.scales(truth))[:2].tolist() == [0.375, 0.5]
    assert np.isnan(placed.of_images(truth, placed.scales(truth))[2])
    assert placed.of_classes(truth, placed.scales(truth)).tolist() == [0.375, 0.5]
    assert placed.instances(truth).tolist() == [2, 1]
    unknown = boxes([("a", "cat", 0, 0, 9, 39)])
    assert placed.scales(unknown).tolist() == [20], "the side of a square, where sizes of images are not known"


def test_localisation_is_analysed_by_clutter_and_scale() -> None:
    rows = [(f"i{at:02}", "cat", 0, 0, 9 + at, 9) for at in range(20)]
    truth = boxes([*rows, ("i00", "cat", 50, 50, 59, 59)], sizes=[(100, 100)] * 20)
    said = places(truth, {f"i{at:02}": [("cat", 0, 0, 9 + at, 9)] for at in range(10)})
    task = OURS["localisation"]
    found = {one.title: one for one in tables(truth, said, task.judge(truth, said), draws=FAST)}
    clutter = found["boxes an image"]
    assert [(row.name, row.count, row.estimates[0].value) for row in clutter.rows] == [("1", 19, 10 / 19), ("2", 1, 0)]
    scale = found["share of the image that a box takes, mean of an image"]
    assert [row.estimates[0].value for row in scale.rows] == [0, 0, 0.5, 1, 1]
    assert "chance of localisation of a class" not in found, "one class alone is no comparison"


def test_classification_is_analysed_by_boxes_that_are_known_of_its_images(tmp_path: Path) -> None:
    """Whose images and classes need not be those that are scored."""
    truth = labels([0, 0, 1, 1])
    said = guesses([[0], [1], [1], [0]])
    known = boxes(
        [
            *(("image 00000", "class 000", 0, 0, side, side) for side in (9, 19)),
            ("image 00002", "class 001", 0, 0, 49, 49),
            ("image 00003", "class 001", 0, 0, 49, 49),
            ("elsewhere", "other", 0, 0, 9, 9),
        ],
        sizes=[(100, 100)] * 4,
    )
    judged = OURS["classification"].judge(truth, said)
    found = {one.title: one for one in tables(truth, said, judged, draws=FAST, boxes=known)}
    assert [(row.name, row.count, row.estimates[0].value) for row in found["boxes an image"].rows] == [
        ("1", 2, 0.5),
        ("2", 1, 0),
    ]
    assert [row.name for row in found["share of the image that a box takes, mean of a class"].rows] == ["2.5 %", "25 %"]
    assert [row.name for row in found["chance of localisation of a class"].rows] == ["0 %", "100 %"]


def test_a_file_of_boxes_is_told_from_a_table_of_properties(tmp_path: Path) -> None:
    files = {
        "b.csv": ("image,label,x1,y1,x2,y2\na,x,0,0,1,1\n", True),
        "k.csv": ("ImageId,PredictionString\na,x 0 0 1 1\n", True),
        "c.json": ('{"images": [], "annotations": [], "categories": []}', True),
        "p.csv": ("wnid,made\nx,y\n", False),
        "x.jsonl": ('{"file_name": "a", "pose": 1}\n{"file_name": "b", "pose": 0}\n', False),
    }
    for name, (text, wanted) in files.items():
        assert holds_boxes(table(tmp_path / name, text)) == wanted, name


def test_boxes_of_a_release_are_known(tmp_path: Path) -> None:
    release = ship(tmp_path / "v1", pictures())
    found = boxes_of_release(release, "train")
    assert found is not None
    assert len(found.items) == 5
    assert found.classes == tuple(release.wnids)
    assert found.sizes is not None
    assert sorted(map(tuple, found.corners.astype(int).tolist())) == sorted(
        box[1:] for one in pictures() if one.split == "train" for box in one.boxes
    )
    assert placed.boxes_per_image(found).sum() == 5
    assert boxes_of_release(ship(tmp_path / "v2", [one for one in pictures() if not one.boxes]), "train") is None


def test_detection_is_analysed_by_size_of_objects() -> None:
    images = [f"i{at}" for at in range(4)]
    truth = boxes([(one, name, 0, 0, side, side) for one in images for name, side in (("ant", 20), ("bus", 200))])
    said = detections(truth, [(one, "bus", 1, 0, 0, 200, 200) for one in images])
    judged = OURS["detection"].judge(truth, said)
    (found,) = [one for one in tables(truth, said, judged, draws=FAST) if one.title == "size of objects"]
    assert [(row.name, row.count, row.estimates[0].value) for row in found.rows] == [
        ("small (to 32² pixels)", 1, 0),
        ("large (from 96² pixels)", 1, 1),
    ]


def test_images_of_several_labels_are_analysed_by_how_many() -> None:
    truth = labels([0, 1, [0, 1], [0, 2, 3]])
    said = guesses([[0], [0], [1], [1]])
    judged = OURS["real"].judge(truth, said)
    (found,) = tables(truth, said, judged, draws=FAST)
    assert [(row.name, row.count, row.estimates[0].value) for row in found.rows] == [
        ("1", 2, 0.5),
        ("2", 1, 0),
        ("3", 1, 1),
    ]


def test_any_task_of_means_is_analysed_by_properties_of_its_items(tmp_path: Path) -> None:
    truth, said = {"a": ["x"], "b": ["y"]}, {"a": "x", "b": "?"}
    judged = OURS["squad"].judge(truth, said)
    path = table(tmp_path / "p.csv", "id,kind\na,when\nb,who\n")
    (found,) = tables(truth, said, judged, [read_properties(path, judged.items, ())], FAST)
    assert [(row.name, row.estimates[0].value) for row in found.rows] == [("when", 1), ("who", 0)]
    assert found.unit == "items"


def test_classes_are_the_unit_of_what_is_said_of_classes(tmp_path: Path) -> None:
    """One class of a kind has many images: it counts as one class all the same."""
    truth = labels([0] * 30 + [1, 2, 3])
    said = guesses([[0]] * 30 + [[0], [2], [2]])
    path = table(tmp_path / "p.csv", "class,kind\nclass 000,a\nclass 001,a\nclass 002,b\nclass 003,b\n")
    judged = OURS["classification"].judge(truth, said)
    (found,) = tables(truth, said, judged, [read_properties(path, judged.items, truth.classes)], FAST)
    assert [(row.name, row.count, row.estimates[0].value) for row in found.rows] == [("a", 2, 0.5), ("b", 2, 0.5)]


def test_confused_pairs_have_shares_and_examples() -> None:
    truth = labels([0, 0, 0, 0, 1, [0, 1]])
    said = guesses([[1], [1], [0], [2], [0], [1]])
    pairs = [(one.label, one.guess) for one in most_confused(truth, said)]
    found = confused(truth, said, pairs, FAST)
    assert pairs[0] == ("class 000", "class 001")
    assert (found.rows[0].count, found.rows[0].estimates[0].value) == (5, 0.4)
    assert example_images(truth, said, *pairs[0]) == ["image 00000", "image 00001"], "not what is another of its labels"
    assert example_images(truth, said, "class 000", "no class") == []


def test_pairs_whose_names_run_together_are_two() -> None:
    truth = labels([0, 1, 2])
    truth = Labels(truth.items, ("a", "a b", "b c", "c"), truth.image, truth.label)
    found = confused(truth, guesses([[2], [3], [2]]), [("a", "b c"), ("a b", "c")], FAST)
    assert [row.estimates[0].value for row in found.rows] == [1, 1]


def test_examples_are_never_images_that_were_right() -> None:
    truth = labels([[0, 1], 0])
    assert example_images(truth, guesses([[1], [1]]), "class 000", "class 001") == ["image 00001"]


def test_which_metrics_are_analysed() -> None:
    truth = labels([0, 1])
    judged = OURS["classification"].judge(truth, scored([[1, 0, 0, 0], [1, 0, 0, 0]]))
    chosen = item_means(judged)
    assert chosen is not None
    assert [metric.name for metric in chosen.metrics] == ["top-1 error", "top-5 error"]
    classes = class_means(truth, guesses([[0], [0]]), judged)
    assert classes is not None
    assert classes.values[:2, 0].tolist() == [0, 1]
    assert np.isnan(classes.values[2:]).all()


def test_subtrees_divide_the_classes_of_ilsvrc(wordnet: Ontology) -> None:
    classes = order("sorted").wnids
    found = divided(classes, wordnet)
    sizes = np.bincount(found.group)
    assert len(found.names) == len(sizes) == 14
    assert sizes.sum() == 1000
    assert sizes.max() <= 110, "none is much larger than the others"
    assert {"bird", "container"} <= set(found.names)
    bird = found.names.index("bird")
    assert {wnid for wnid, at in zip(classes, found.group, strict=True) if at == bird} == {
        wnid for wnid in classes if wordnet.is_under(wnid, "n01503061")
    }


def test_few_classes_are_not_divided_further_than_they_go(wordnet: Ontology) -> None:
    assert len(divided(["n02084071", "n02121808"], wordnet).names) <= 2
    with pytest.raises(UnknownSynset):
        divided(["red"], wordnet)


def test_the_tables_do_not_depend_on_the_order_of_properties(tmp_path: Path) -> None:
    truth = labels([0, 1, 2, 3])
    said = guesses([[0], [0], [2], [2]])
    judged = OURS["classification"].judge(truth, said)
    rows = ["class 000,1,a", "class 001,2,b", "class 002,3,a"]
    texts = ["class,n,k\n" + "\n".join(lines) + "\n" for lines in (rows, rows[::-1])]
    paths = [table(tmp_path / f"{at}.csv", text) for at, text in enumerate(texts)]
    found = [tables(truth, said, judged, [read_properties(path, judged.items, truth.classes)], FAST) for path in paths]
    assert found[0] == found[1]


@pytest.mark.skipif(not (SHARED / "ilsvrc/predictions").is_dir(), reason="public predictions are not at hand")
def test_natural_classes_are_easier_than_artefacts_for_resnet(wordnet: Ontology, tmp_path: Path) -> None:
    """As of ILSVRC's entries (Russakovsky et al., IJCV 2015, section 6.3.3)."""
    truth = validation(SHARED)
    said = public_models(SHARED)["resnet50"]
    kinds = ["man-made" if wordnet.is_under(wnid, "n00021939") else "natural" for wnid in truth.classes]
    rows = "".join(f"{wnid},{kind}\n" for wnid, kind in zip(truth.classes, kinds, strict=True))
    judged = OURS["classification"].judge(truth, said)
    said_of = read_properties(table(tmp_path / "made.csv", "wnid,made\n" + rows), judged.items, truth.classes)
    (found,) = tables(truth, said, judged, [said_of], FAST)
    made, natural = (row.estimates[0] for row in found.rows)
    assert [row.count for row in found.rows] == [522, 478]
    assert natural.high < made.low


def test_the_demo_of_detection_finds_large_objects_better() -> None:
    truth, said = detection_truth(), detection_demo()
    judged = OURS["detection"].judge(truth, said)
    (found,) = [one for one in tables(truth, said, judged, draws=FAST) if one.title == "size of objects"]
    small, medium, large = (row.estimates[0] for row in found.rows)
    assert small.high < medium.low < medium.high < large.low
    assert medium.value == pytest.approx(np.nanmean(by_size(truth, said)["medium"]))
