"""Guesses and scores: slots, ties, and the orders that numbers may be in (cases 8, 10, 14, 15, 17 and 18)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.benchmark.highest import highest
from holotype.benchmark.orders import ORDERS, convert, order
from holotype.benchmark.reading.hidden import bare
from holotype.benchmark.reading.limits import Limits
from holotype.benchmark.reading.names import Classes
from holotype.benchmark.reading.submissions import read_detections, read_guesses, read_places
from holotype.benchmark.reading.truths import read_labels
from holotype.benchmark.values import Labels
from holotype.errors import PredictionError
from submitted import boxes, csv_of, guesses_csv, labels, npy_of, npz_of, write

CLASSES = ("cat", "cow", "dog")
TRUTH = labels([("a", "cat"), ("b", "dog")], CLASSES)
WNIDS = order("sorted").wnids


def test_fewer_guesses_leave_slots_and_more_are_ignored(tmp_path: Path) -> None:
    seven = json.dumps({"a": ["cat", "dog", "cat", "cow", "dog", "cow", "no class at all"], "b": ["dog"]})
    found = read_guesses(write(tmp_path, "g.json", seven), TRUTH)
    assert found.guesses.tolist() == [[0, 2, 0, 1, 2], [2, -1, -1, -1, -1]]
    wide = csv_of(
        "image,guess1,guess2,guess3,guess4,guess5,guess6",
        [["a", "cat", "dog", "cat", "cow", "dog", "cow"], [*"b", *[""] * 6]],
    )
    assert read_guesses(write(tmp_path, "g.csv", wide), TRUTH).guesses.tolist() == [[0, 2, 0, 1, 2], [-1] * 5]
    devkit = read_guesses(write(tmp_path, "g.txt", "0 2 0 1 2 1 1\n2\n"), TRUTH)
    assert devkit.guesses.tolist() == found.guesses.tolist()


def test_a_class_guessed_twice_wastes_a_slot_and_is_counted(tmp_path: Path) -> None:
    found = read_guesses(write(tmp_path, "g.csv", guesses_csv({"a": ["cat"] * 3, "b": ["dog", "cat", "dog"]})), TRUTH)
    assert found.guesses.tolist() == [[0, 0, 0, -1, -1], [2, 0, 2, -1, -1]]
    assert found.repeated == 3


def test_whole_floats_are_class_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "g.csv", "image,guess1,guess2\na,1.0,2\nb,0e0,\n")
    assert read_guesses(path, TRUTH).guesses[:, :2].tolist() == [[1, 2], [0, -1]]


def test_equal_scores_go_to_the_class_that_is_first(tmp_path: Path) -> None:
    """``torch.topk`` gives [8, 6, 7, 5, 9] of ten equal logits; counting strictly larger ones gives 100 %."""
    ten = tuple(f"c{number}" for number in range(10))
    truth = labels([("a", "c0"), ("b", "c9")], ten)
    path = write(tmp_path, "s.npy", npy_of(np.array([[1.0] * 10, [*[0.0] * 8, 1, 1]])))
    found = read_guesses(path, truth)
    assert found.guesses.tolist() == [[0, 1, 2, 3, 4], [8, 9, 0, 1, 2]]
    assert found.tied == 2


def by_hand(row: Sequence[float]) -> list[int]:
    found = sorted(range(len(row)), key=lambda place: (-row[place], place))[:5]
    return found + [-1] * (5 - len(found))


few = st.sampled_from([-1.0, 0.0, -0.0, 0.5, 0.25, 3.0])


@settings(deadline=None)
@given(
    st.integers(1, 12).flatmap(lambda width: st.lists(st.lists(few, min_size=width, max_size=width), min_size=1)),
    st.sampled_from(["f2", "f4", "f8", "i1"]),
)
def test_the_best_are_those_found_by_hand(rows: list[list[float]], kind: str) -> None:
    scores = np.array(rows).astype(kind)
    found, tied = highest(scores)
    assert found.tolist() == [by_hand(row) for row in scores.tolist()]
    six = [sorted(row, reverse=True)[:6] for row in scores.tolist()]
    assert tied.sum() == sum(len(set(map(float, row))) < len(row) for row in six)


def test_many_rows_are_as_each_alone() -> None:
    scores = np.random.default_rng(0).integers(9, size=(1300, 30)).astype(np.float32)
    together, tied = highest(scores)
    alone = [highest(row[None]) for row in scores]
    assert together.tolist() == [found[0].tolist() for found, _ in alone]
    assert tied.tolist() == [bool(ties[0]) for _, ties in alone]


def ilsvrc(images: int) -> Labels:
    """A truth of so many images of ILSVRC2012's classes."""
    names = [f"ILSVRC2012_val_{number:08d}" for number in range(1, images + 1)]
    of = np.random.default_rng(1).integers(1000, size=images)
    return labels([(name, WNIDS[label]) for name, label in zip(names, of, strict=True)], WNIDS)


MANY = ilsvrc(2000)
RIGHT = np.where(np.random.default_rng(2).random(2000) < 0.7, MANY.label, (MANY.label + 7) % 1000)


@pytest.mark.parametrize("name", ORDERS)
def test_the_order_of_numbers_is_told_or_detected(tmp_path: Path, name: str) -> None:
    numbers = convert(RIGHT[:, None], "sorted", name)
    path = write(tmp_path, "g.npz", npz_of(images=MANY.items, guesses=numbers))
    told, found = read_guesses(path, MANY, name), read_guesses(path, MANY)
    assert told.guesses[:, 0].tolist() == found.guesses[:, 0].tolist() == RIGHT.tolist()
    assert told.remarks == ()
    assert found.remarks == (f"class numbers were taken to be in {name} order, which the predictions show",)


@pytest.mark.parametrize("name", ["sorted", "background"])
def test_a_wrong_order_is_warned_of(tmp_path: Path, name: str) -> None:
    numbers = convert(RIGHT[:, None], "sorted", "devkit")
    numbers[numbers == 1000] = 999
    path = write(tmp_path, "g.npz", npz_of(images=MANY.items, guesses=numbers))
    found = read_guesses(path, MANY, name)
    assert found.remarks == (f"these class numbers look as if they were in devkit order, not {name}",)


def test_numbers_of_another_order_are_refused_with_what_they_look_like(tmp_path: Path) -> None:
    path = write(tmp_path, "g.npz", npz_of(images=MANY.items, guesses=RIGHT[:, None]))
    with pytest.raises(PredictionError, match=r"0 is no class in order devkit \(these .* look .* in sorted order"):
        read_guesses(path, MANY, "devkit")
    with pytest.raises(
        PredictionError, match="there is no class order 'caffe', but devkit, sorted, string, background"
    ):
        read_guesses(path, MANY, "caffe")


def test_an_order_that_cannot_be_told_has_to_be_said(tmp_path: Path) -> None:
    path = write(tmp_path, "g.npz", npz_of(images=MANY.items, guesses=RIGHT[::-1, None]))
    with pytest.raises(PredictionError, match="cannot be told; say which order .background, devkit, sorted, string.,"):
        read_guesses(path, MANY)
    off = write(tmp_path, "o.npz", npz_of(images=MANY.items, guesses=convert(RIGHT[:, None], "sorted", "devkit") - 1))
    with pytest.raises(PredictionError, match="they look as if they were devkit minus one"):
        read_guesses(off, MANY)


def test_the_devkits_lines_are_of_the_devkits_numbers(tmp_path: Path) -> None:
    numbers = convert(RIGHT, "sorted", "devkit")
    path = write(tmp_path, "g.txt", "".join(f"{number}\n" for number in numbers))
    found = read_guesses(path, MANY)
    assert found.guesses[:, 0].tolist() == RIGHT.tolist()
    assert found.remarks == ("rows have no ids, and were taken in the order of the images' ids",)
    other = write(tmp_path, "o.txt", "".join(f"{number + 1}\n" for number in RIGHT))
    assert "look as if they were in background order, not devkit" in read_guesses(other, MANY).remarks[0]


def test_scores_in_another_order_are_taken_so_or_warned_of(tmp_path: Path) -> None:
    scores = np.zeros((2000, 1000), np.float32)
    scores[np.arange(2000), convert(RIGHT, "sorted", "string")] = 1
    path = write(tmp_path, "s.npy", npy_of(scores))
    found = read_guesses(path, MANY)
    assert found.guesses[:, 0].tolist() == RIGHT.tolist()
    assert found.remarks[-1] == "scores were taken to be in string order, which they show"
    assert "these scores look as if they were in string order" in read_guesses(path, MANY, "sorted").remarks
    with_none = np.pad(scores[:, :0], ((0, 0), (1, 1000)))
    with_none[np.arange(2000), 1 + RIGHT] = 1
    path = write(tmp_path, "b.npy", npy_of(with_none))
    assert read_guesses(path, MANY, "background").guesses[:, 0].tolist() == RIGHT.tolist()


def test_rows_in_the_order_of_folders(tmp_path: Path) -> None:
    folders = np.lexsort([np.arange(2000), MANY.label])
    path = write(tmp_path, "g.npy", npy_of(RIGHT[folders, None]))
    with pytest.raises(
        PredictionError, match="cannot be told; .* order of the images' ids, unless the order of rows is told"
    ):
        read_guesses(path, MANY)
    found = read_guesses(path, MANY, rows="imagefolder")
    assert found.guesses[:, 0].tolist() == RIGHT.tolist()
    assert found.remarks[-1] == "rows have no ids, and were taken in the order of the images' classes and ids"
    wrong = read_guesses(path, MANY, "sorted")
    assert (
        "they look as if they were in the order imagefolder, and not sorted: tell the order of rows, imagefolder"
        in wrong.remarks
    )
    other = read_guesses(write(tmp_path, "o.npy", npy_of(RIGHT[:, None])), MANY, "sorted", rows="imagefolder")
    assert (
        "they look as if they were in the order sorted, and not imagefolder: tell the order of rows, sorted"
        in other.remarks
    )
    told = write(tmp_path, "g.npz", npz_of(guesses=RIGHT[folders, None], rows="imagefolder"))
    assert read_guesses(told, MANY).guesses[:, 0].tolist() == RIGHT.tolist()
    scores = np.eye(1000, dtype=np.float32)[RIGHT[folders]]
    found = read_guesses(write(tmp_path, "s.npy", npy_of(scores)), MANY, rows="imagefolder")
    assert found.guesses[:, 0].tolist() == RIGHT.tolist()


def test_a_truth_without_labels_detects_nothing(tmp_path: Path) -> None:
    """A server reads submissions so: nothing that is read may depend on what is hidden."""
    hidden = bare(MANY)
    path = write(tmp_path, "g.npz", npz_of(images=MANY.items, guesses=RIGHT[:, None]))
    assert read_guesses(path, hidden, "sorted").guesses[:, 0].tolist() == RIGHT.tolist()
    with pytest.raises(PredictionError, match="cannot be told"):
        read_guesses(path, hidden)
    with pytest.raises(PredictionError, match="no class or several"):
        read_guesses(write(tmp_path, "g.npy", npy_of(RIGHT[:, None])), hidden, "sorted", rows="imagefolder")


MODELS = {"resnet50": (76.13, 92.86), "vgg16": (71.59, 90.38), "alexnet": (56.52, 79.07), "resnet18": (69.76, 89.08)}


@pytest.mark.parametrize("model", MODELS)
def test_public_models_score_what_is_published(shared: Path, tmp_path: Path, model: str) -> None:
    """As arrays in the order of ImageFolder, whose numbers are by wnid: both are told, or shown by the predictions."""
    truth = read_labels(shared / "ilsvrc/LOC_val_solution.csv")
    guesses = np.load(shared / "ilsvrc/predictions/val_top5.npz")[model]
    found = read_guesses(write(tmp_path, "g.npy", npy_of(guesses)), truth, rows="imagefolder")
    right = found.guesses == truth.label[:, None]
    top1, top5 = 100 * right[:, 0].mean(), 100 * right.any(axis=1).mean()
    assert (round(top1, 2), round(top5, 2)) == pytest.approx(MODELS[model], abs=0.011)
    assert "sorted order, which the predictions show" in found.remarks[0]


def test_numbers_of_detections_are_the_truths_own_or_remarked_on(tmp_path: Path) -> None:
    path = write(tmp_path, "d.txt", "1 1 .5 1 2 3 4\n")
    assert "places among the classes sorted by name" in read_detections(path, boxes("ab", CLASSES)).remarks[0]
    own = replace(boxes("ab", CLASSES), numbers=(3, 1, 2))
    found = read_detections(path, own)
    assert (found.label.tolist(), found.remarks) == ([1], ())
    with pytest.raises(PredictionError, match="line 1: numbers of ILSVRC2012's classes have several orders"):
        read_detections(path, boxes("ab", WNIDS))


def test_places_are_remarked_on_as_guesses_are(tmp_path: Path) -> None:
    names = [f"ILSVRC2012_val_{number:08d}" for number in range(1, 2001)]
    none = np.zeros((2000, 4))
    truth = replace(boxes(names, WNIDS), image=MANY.image, label=MANY.label, corners=none)
    rows = [f"{number + 1} 1 2 3 4" for number in RIGHT]
    found = read_places(write(tmp_path, "p.txt", "\n".join(rows)), truth)
    assert found.remarks[0] == "these class numbers look as if they were in background order, not devkit"
    lines = [f"{number} 1 2 3 4" for number in convert(RIGHT, "sorted", "devkit")]
    found = read_places(write(tmp_path, "p.txt", "\n".join(lines)), truth)
    assert found.guesses[:, 0].tolist() == RIGHT.tolist()
    assert found.remarks == ("rows have no ids, and were taken in the order of the images' ids",)


def test_strings_of_too_many_places_are_not_read_on(tmp_path: Path) -> None:
    text = "ImageId,PredictionString\na," + "cat 1 2 3 4 " * 300 + "\nb,\n"
    path = write(tmp_path, "p.csv", text)
    with pytest.raises(PredictionError, match="has more than the 200 rows allowed, which are in its strings"):
        read_places(path, boxes("ab", CLASSES), Limits(rows=200))
    with pytest.raises(PredictionError, match="an image has 300 rows, 100 are allowed"):
        read_places(path, boxes("ab", CLASSES), Limits(per_item=100))
    wide = npz_of(images=["a", "b"], guesses=np.zeros((2, 150), int), boxes=np.zeros((2, 150, 4)))
    with pytest.raises(PredictionError, match="has 300 rows, 200 are allowed"):
        read_places(write(tmp_path, "p.npz", wide), boxes("ab", CLASSES), Limits(rows=200))


def test_what_is_said_of_a_submission_does_not_depend_on_what_is_hidden(tmp_path: Path) -> None:
    """Private labels are shuffled: what is read, remarked and refused stays the same, to the letter."""
    shuffled = replace(MANY, label=np.random.default_rng(3).permutation(MANY.label))
    numbers = convert(RIGHT[:, None], "sorted", "devkit")
    files = [
        write(tmp_path, "g.npz", npz_of(images=MANY.items, guesses=numbers)),
        write(tmp_path, "d.txt", "".join(f"{number}\n" for number in numbers[:, 0])),
        write(tmp_path, "s.npy", npy_of(np.eye(1000, dtype=np.float32)[RIGHT])),
        write(tmp_path, "wrong.npz", npz_of(images=MANY.items, guesses=RIGHT[:, None])),
    ]
    said: list[object] = []
    for truth in (MANY, shuffled):
        for path in files:
            try:
                found = read_guesses(path, bare(truth), "" if path.suffix == ".npy" else "devkit")
                said.append((found.guesses.tobytes(), found.remarks, found.tied))
            except PredictionError as error:
                said.append(str(error))
    assert said[: len(files)] == said[len(files) :]
    assert len(set(map(str, said))) == len(files)
    placed = replace(boxes(MANY.items, WNIDS), image=MANY.image, label=MANY.label, corners=np.ones((2000, 4)))
    empty = bare(placed)
    assert (empty.items, empty.classes) == (placed.items, placed.classes)
    assert not any(
        len(getattr(empty, name)) for name in ("image", "label", "corners", "crowd", "area", "ignored", "unplaced")
    )


@pytest.mark.parametrize(
    ("classes", "hint"),
    [
        (("n02084071", "n02121808"), "classes are wnids, as 'n02084071'"),
        (("1", "2"), "wnids from the meta file beside"),
    ],
)
def test_a_name_where_classes_are_called_otherwise_is_told_so(classes: tuple[str, ...], hint: str) -> None:
    assert hint in Classes.of(classes).unknown("dog")
    assert Classes.of(("cat", "fox")).unknown("dog") == "unknown class 'dog'"
    assert Classes.of(classes).unknown(classes[0][:-1] + "9") == f"unknown class '{classes[0][:-1]}9'"
