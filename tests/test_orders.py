from __future__ import annotations

import csv
import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from conftest import run
from holotype.benchmark.orders import ORDERS, convert, detect_order, order
from holotype.cli.orders import read_guesses, read_labels
from holotype.errors import PredictionError
from holotype.imports.devkit import parse_meta
from holotype.imports.solution import read_solution
from holotype.ontology import Ontology, is_wnid

names = st.sampled_from(sorted(ORDERS))
indices = arrays.arrays(np.int64, arrays.array_shapes(max_dims=3), elements=st.integers(-1, 999))


def test_the_table_holds_a_thousand_synsets_none_above_another(wordnet: Ontology) -> None:
    wnids = order("sorted").wnids
    assert len(set(wnids)) == 1000
    assert all(map(is_wnid, wnids))
    assert not any(set(wnids) & {above.wnid for above in wordnet.ancestors(wnid)} for wnid in wnids)


def test_the_first_classes_are_those_everybody_knows(wordnet: Ontology) -> None:
    assert [wordnet[order(name).wnids[1]].name for name in ("devkit", "sorted", "background")] == [
        "kit fox",
        "goldfish",
        "tench",
    ]
    assert order("devkit").wnids[0] == order("background").wnids[0] == ""
    assert order("string").wnids[:4] == tuple(order("sorted").wnids[n] for n in (0, 1, 10, 100))


def test_the_table_is_that_of_the_devkits_and_agrees_with_kaggles_labels(shared: Path) -> None:
    from scipy.io import loadmat

    folder = shared / "ilsvrc"
    meta = parse_meta((folder / "2014/meta_clsloc.mat").read_bytes(), "meta_clsloc.mat")
    assert ("", *meta.wnids) == order("devkit").wnids
    ids = np.loadtxt(folder / "2014/ILSVRC2014_clsloc_validation_ground_truth.txt", dtype=int)
    truth = {found.name: found.wnids for found in read_solution(folder / "LOC_val_solution.csv")}
    assert [(wnid,) for wnid in order("devkit").to_wnids(ids)] == [truth[name] for name in sorted(truth)]
    records = loadmat(folder / "2015/ILSVRC2015_clsloc_validation_ground_truth.mat", squeeze_me=True)["rec"]
    labels = [int(np.atleast_1d(record["objects"])["label"][0]) for record in records]
    assert labels == ids.tolist()


@given(indices, names, names)
def test_converting_there_and_back_changes_nothing(found: npt.NDArray[np.int64], source: str, target: str) -> None:
    start = convert(found, "sorted", source)
    there = convert(start, source, target)
    assert there.shape == found.shape
    assert (convert(there, target, source) == start).all()
    assert order(source).to_wnids(start.ravel()) == order(target).to_wnids(there.ravel())
    assert ((there == -1) == (found == -1)).all()


@pytest.mark.parametrize(
    ("index", "source", "message"),
    [
        (1000, "sorted", "1000 is no class in order sorted; it is one in order devkit and background"),
        (0, "devkit", "0 is no class in order devkit; it is one in order sorted and string"),
        (0, "background", "it is one in order sorted and string"),
        (1001, "background", "1001 is no class in order background; nor is it in any other"),
        (-2, "sorted", "-2 is no class"),
    ],
)
def test_an_index_that_is_no_class_is_named_with_the_orders_it_fits(index: int, source: str, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        convert(np.array([[5, index]]), source, "string")
    with pytest.raises(PredictionError, match=message):
        order(source).to_wnids([index])


def test_fractions_and_unknown_orders_are_refused() -> None:
    with pytest.raises(PredictionError, match="whole numbers, not float64"):
        convert(np.array([1.0]), "sorted", "devkit")
    with pytest.raises(PredictionError, match="whole numbers, not float32"):
        detect_order(np.zeros((1, 1), np.float32), ["n01440764"], "sorted")
    with pytest.raises(PredictionError, match="no class order 'caffe', but devkit, sorted"):
        order("caffe")


def test_unsigned_and_small_integers_convert_alike() -> None:
    for kind in (np.uint8, np.int16, np.uint64):
        assert convert(np.array([0, 7], kind), "sorted", "background").tolist() == [1, 8]


@pytest.fixture(scope="module")
def real(shared: Path) -> tuple[dict[str, npt.NDArray[np.int64]], list[str]]:
    """Top-5 guesses of five models in sorted order, and the labels."""
    folder = shared / "ilsvrc/predictions"
    with gzip.open(folder / "row_order.json.gz") as file:
        labels = [wnid for _, wnid in json.load(file)["image_filenames"]]
    with np.load(folder / "val_top5.npz") as models:
        return {name: models[name].astype(np.int64) for name in models}, labels


def test_every_real_model_is_recognised_in_every_order(
    real: tuple[dict[str, npt.NDArray[np.int64]], list[str]],
) -> None:
    models, labels = real
    for guesses in models.values():
        for name in ORDERS:
            verdict = detect_order(convert(guesses, "sorted", name), labels, "sorted")
            assert (verdict.found, verdict.images, verdict.classes) == (name, 50_000, 1000)
    verdict = detect_order(convert(models["resnet50"], "sorted", "devkit"), labels, "sorted")
    assert str(verdict) == (
        "these predictions look as if they were in devkit order: top-1 76.1 % read as devkit, 0.1 % read as sorted"
    )


def test_every_real_model_is_recognised_one_beside_an_order(
    real: tuple[dict[str, npt.NDArray[np.int64]], list[str]],
) -> None:
    models, labels = real
    same = {("sorted", 1): "background", ("background", -1): "sorted"}
    for guesses in models.values():
        for name in ORDERS:
            for added, words in ((-1, "minus one"), (1, "plus one")):
                verdict = detect_order(convert(guesses, "sorted", name) + added, labels, "sorted")
                known = same.get((name, added), "")
                assert (verdict.found, verdict.shifted) == (known, "" if known else f"{name} {words}")


def test_twenty_images_of_a_real_model_are_enough_if_their_classes_differ(
    real: tuple[dict[str, npt.NDArray[np.int64]], list[str]],
) -> None:
    models, labels = real
    devkit = convert(models["resnet50"], "sorted", "devkit")
    spread = np.arange(0, 50_000, 2500)
    assert detect_order(devkit[spread], [labels[row] for row in spread], "sorted").found == "devkit"
    verdict = detect_order(devkit[:20], labels[:20], "sorted")  # twenty tenches: any order may map one class right
    assert verdict.found == ""
    assert "cannot be told from 20 images of 1 classes: top-1 90.0 % read as devkit" in str(verdict)


def test_random_and_constant_predictions_are_in_no_order() -> None:
    draw = np.random.default_rng(0)
    labels = order("sorted").to_wnids(draw.integers(0, 1000, 20_000))
    for guesses in (draw.integers(0, 1001, (20_000, 5)), np.full((20_000, 1), 7), np.full((20_000, 1), -1)):
        verdict = detect_order(guesses, labels, "sorted")
        assert (verdict.found, verdict.shifted) == ("", "")
    found = [detect_order(draw.integers(0, 1000, (20, 1)), labels[n : n + 20], "devkit") for n in range(200)]
    assert {one.found + one.shifted for one in found} == {""}


def test_a_good_model_in_an_order_of_its_own_is_in_none_of_ours() -> None:
    own = np.random.default_rng(1).permutation(1000)
    verdict = detect_order(own[:, None], order("sorted").wnids, "sorted")
    assert verdict.found == ""


def test_orders_that_agree_on_the_images_cannot_be_told_apart() -> None:
    last = np.arange(990, 1000)  # the same in sorted and in string order
    verdict = detect_order(last[:, None], order("sorted").to_wnids(last), "sorted")
    assert (verdict.found, verdict.top1["sorted"], verdict.top1["string"]) == ("", 1, 1)


@pytest.mark.parametrize(
    ("guesses", "truth", "message"),
    [
        (np.zeros((2, 5), int), ["n01440764"], r"shape \(2, 5\) do not fit the labels of 1 images"),
        (np.zeros(1, int), ["n01440764"], r"shape \(1,\)"),
        (np.zeros((0, 5), int), [], r"shape \(0, 5\)"),
        (np.zeros((1, 5), int), ["n00001740"], "'n00001740' is no class of ILSVRC2012"),
    ],
)
def test_labels_that_do_not_fit_are_refused(guesses: npt.NDArray[np.int64], truth: list[str], message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        detect_order(guesses, truth, "sorted")


# the command


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """A solution file of 40 images of as many classes; the rows are not in the order of the names."""
    rows = [(f"val_{n:02d}", f"{order('sorted').wnids[10 * n]} 1 2 3 4 ") for n in range(40)]
    with (tmp_path / "LOC_val_solution.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("ImageId", "PredictionString"), *reversed(rows)])
    return tmp_path / "LOC_val_solution.csv"


DEVKIT = convert(np.arange(0, 400, 10), "sorted", "devkit")


def test_the_orders_are_listed() -> None:
    assert json.loads(run("orders", "--json")) == dict(ORDERS)
    assert run("orders").splitlines()[1:] == [f"{name}\t{users}" for name, users in ORDERS.items()]


def test_the_command_says_which_order_a_file_is_in_and_whether_it_is_as_declared(tmp_path: Path, truth: Path) -> None:
    (tmp_path / "p.txt").write_text("".join(f"{index} 1\n" for index in DEVKIT))
    asked = ("orders", "--detect", tmp_path / "p.txt", "--truth", truth)
    assert run(*asked, expect=1).startswith("these predictions look as if they were in devkit order: top-1 100.0 %")
    assert run(*asked, "--declared", "devkit").startswith(
        "these predictions are in devkit order, as declared: top-1 100"
    )
    found = json.loads(run(*asked, "--declared", "devkit", "--json"))
    assert (found["declared"], found["found"], found["images"], found["classes"]) == ("devkit", "devkit", 40, 40)
    assert (list(found["top1"]), found["top1"]["devkit"]) == (list(ORDERS), 1)


def test_guesses_are_read_from_arrays_and_from_text(tmp_path: Path) -> None:
    pairs = np.stack([DEVKIT, (DEVKIT + 1) % 1000], 1)
    np.save(tmp_path / "flat.npy", DEVKIT.astype(np.int16))
    np.save(tmp_path / "pairs.npy", pairs)
    np.savetxt(tmp_path / "blanks.txt", pairs, "%5d", newline=" \r\n")
    np.savetxt(tmp_path / "commas.txt", pairs, "%d", delimiter=", ")
    for name in ("flat.npy", "pairs.npy", "blanks.txt", "commas.txt"):
        assert read_guesses(tmp_path / name, 40)[:, 0].tolist() == DEVKIT.tolist()


def test_an_order_that_cannot_be_told_is_no_answer(tmp_path: Path, truth: Path) -> None:
    (tmp_path / "p.txt").write_text("7\n" * 40)
    asked = ("orders", "--detect", tmp_path / "p.txt", "--truth", truth)
    assert "cannot be told from 40 images" in run(*asked, expect=1)
    assert json.loads(run(*asked, "--json", expect=1))["found"] == ""


def test_predictions_that_miss_an_order_by_one_get_a_hint(tmp_path: Path, truth: Path) -> None:
    (tmp_path / "p.txt").write_text("".join(f"{index - 1}\n" for index in DEVKIT))
    asked = ("orders", "--detect", tmp_path / "p.txt", "--truth", truth)
    assert run(*asked, "--declared", "devkit", expect=1).startswith(
        "these predictions look as if they were devkit minus one: top-1 100.0 % read as devkit minus one, "
    )
    found = json.loads(run(*asked, "--json", expect=1))
    assert (found["found"], found["shifted"], found["top1"]["devkit minus one"]) == ("", "devkit minus one", 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("1\n" * 39, "p has 39 rows for the 40 images of the truth"),
        ("1\n" * 41, "p has more rows than the truth has images, 40"),
        ("", "p has 0 rows"),
        ("1\n\n1\n", "p, line 2: expected whole numbers, not ''"),
        ("1\n1 0.5\n", "p, line 2: expected whole numbers, not '1 0.5'"),
        ("٣\n" * 40, "p, line 1: expected whole numbers"),
        ("9" * 5000, "p, line 1: expected whole numbers"),
        (np.zeros((39, 5), int), "p has 39 rows for the 40"),
        (np.zeros((40, 5)), "p has float64 of shape (40, 5), not whole numbers"),
        (np.zeros((40, 5, 1), int), "p has int64 of shape (40, 5, 1), not"),
        (np.array(7), "p has int64 of shape (), not"),
        (np.zeros((40, 0), int), "predictions of shape (40, 0) do not fit"),
    ],
)
def test_predictions_that_do_not_fit_are_refused_in_one_line(tmp_path: Path, data: Any, message: str) -> None:
    if isinstance(data, str):
        (tmp_path / "p").write_text(data)
    else:
        with (tmp_path / "p").open("wb") as file:
            np.save(file, data)
    with pytest.raises(PredictionError, match=re.escape(message)) as caught:
        detect_order(read_guesses(tmp_path / "p", 40), ["n01440764"] * 40, "sorted")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "header",
    ["{'descr':'<i8','fortran_order':False,'shape':(1000000000000,5)}\n", "({[\n", "-" * 9000, "(" * 9000, "\0", ""],
)
def test_a_damaged_npy_takes_no_memory_and_is_one_line(tmp_path: Path, header: str) -> None:
    (tmp_path / "p").write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + bytes(80))
    with pytest.raises(PredictionError, match="p is no .npy that is read here, or is damaged") as caught:
        read_guesses(tmp_path / "p", 40)
    assert "\n" not in str(caught.value)


def test_pickles_are_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "p.npy", np.array([print], object), allow_pickle=True)
    with pytest.raises(PredictionError, match="Python objects"):
        read_guesses(tmp_path / "p.npy", 1)


def test_an_error_of_the_command_is_one_line(tmp_path: Path, truth: Path) -> None:
    (tmp_path / "p").write_text("x\n")
    said = run("orders", "--detect", tmp_path / "p", "--truth", truth, expect=2)
    assert said == f"error: {tmp_path}/p, line 1: expected whole numbers, not 'x'\n"
    assert "--detect and --truth go together" in run("orders", "--detect", tmp_path / "p", expect=2)


def test_an_image_of_two_classes_has_no_label(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text("ImageId,PredictionString\na,n01440764 1 2 3 4 n01443537 1 2 3 4\n")
    with pytest.raises(PredictionError, match=r"s.csv: 'a' has boxes of n01440764 and n01443537: no one label"):
        read_labels(tmp_path / "s.csv")


def test_a_real_model_is_recognised_from_its_file(
    tmp_path: Path, shared: Path, real: tuple[dict[str, npt.NDArray[np.int64]], list[str]]
) -> None:
    with gzip.open(shared / "ilsvrc/predictions/row_order.json.gz") as file:
        names = [name for name, _ in json.load(file)["image_filenames"]]
    np.save(tmp_path / "p.npy", convert(real[0]["resnet50"][np.argsort(names)], "sorted", "devkit"))
    said = run("orders", "--detect", tmp_path / "p.npy", "--truth", shared / "ilsvrc/LOC_val_solution.csv", expect=1)
    assert "in devkit order: top-1 76.1 % read as devkit" in said
