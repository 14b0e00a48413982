from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.benchmark import MISSING, Truth, bootstrap, flat_errors, hierarchical_errors, read_predictions, score
from holotype.errors import PredictionError

COST = np.array([[0, 1, 5, 9], [1, 0, 5, 9], [5, 5, 0, 9], [9, 9, 9, 0]])


def truth(labels: list[int]) -> Truth:
    return Truth(np.arange(len(labels)), np.array(labels), len(labels))


def test_the_ilsvrc_2010_demo_is_reproduced(shared: Path) -> None:
    from scipy.io import loadmat

    folder = shared / "ilsvrc/2010"
    cost = loadmat(folder / "meta.mat", squeeze_me=True)["cost_matrix"].astype(int)
    labels = np.loadtxt(folder / "ILSVRC2010_validation_ground_truth.txt", dtype=int) - 1
    guesses = np.loadtxt(folder / "demo.val.pred.txt", dtype=int)[:, :5] - 1
    right = Truth(np.arange(len(labels)), labels, len(labels))
    flat = flat_errors(guesses, right).mean(axis=0)
    hierarchical = hierarchical_errors(guesses, right, cost).mean(axis=0)
    assert flat.round(4).tolist() == [0.9101, 0.8716, 0.8422, 0.8191, 0.8003]
    assert hierarchical.round(4).tolist() == [10.3468, 8.7489, 7.8510, 7.2221, 6.7695]


def test_missing_guesses_are_wrong_and_cost_the_maximum() -> None:
    guesses = np.array([[MISSING] * 5, [1, MISSING, MISSING, MISSING, MISSING], [3, 0, MISSING, 2, 1]])
    right = truth([0, 0, 2])
    assert flat_errors(guesses, right).tolist() == [[1] * 5, [1] * 5, [1, 1, 1, 0, 0]]
    assert hierarchical_errors(guesses, right, COST).tolist() == [[9] * 5, [1] * 5, [9, 5, 5, 0, 0]]


def test_an_image_with_several_labels_is_wrong_by_the_share_that_is_missed() -> None:
    several = Truth(np.array([0, 0, 1]), np.array([0, 2, 3]), 2)
    guesses = np.array([[0, 1, 2, MISSING, MISSING], [0, 1, 2, 3, MISSING]])
    assert flat_errors(guesses, several).tolist() == [[0.5, 0.5, 0, 0, 0], [1, 1, 1, 0, 0]]


def test_classes_without_a_common_ancestor_cost_the_maximum() -> None:
    cost = np.array([[0, 4, -1], [4, 0, -1], [-1, -1, 0]])
    assert hierarchical_errors(np.array([[2, 1, 0, MISSING, MISSING]]), truth([0]), cost).tolist() == [[4, 4, 0, 0, 0]]


predictions = st.lists(
    st.tuples(st.lists(st.integers(0, 3), max_size=4, unique=True), st.integers(0, 3)), min_size=1, max_size=12
)


@given(predictions, st.randoms(use_true_random=False))
def test_laws_of_the_errors(rows: list[tuple[list[int], int]], random: object) -> None:
    guesses = np.array([found + [MISSING] * (5 - len(found)) for found, _ in rows])
    right = truth([label for _, label in rows])
    flat, hierarchical = flat_errors(guesses, right), hierarchical_errors(guesses, right, COST)
    assert (np.diff(flat, axis=1) <= 0).all()
    assert (np.diff(hierarchical, axis=1) <= 0).all()
    assert ((flat == 0) == (hierarchical == 0)).all()
    order = np.random.default_rng(len(rows)).permutation(len(rows))
    assert (flat_errors(guesses[order], truth([rows[i][1] for i in order])) == flat[order]).all()
    names = np.array([2, 0, 3, 1, MISSING])
    assert (flat_errors(names[guesses], truth([int(names[label]) for _, label in rows])) == flat).all()
    swapped = guesses[:, [0, 4, 3, 2, 1]]
    assert (flat_errors(swapped, right)[:, [0, 4]] == flat[:, [0, 4]]).all()


def test_the_interval_is_that_of_a_proportion() -> None:
    errors = (np.arange(2000) < 500).astype(float)[:, None]
    (estimate,) = bootstrap(errors, resamples=3000)
    half = 1.96 * (0.25 * 0.75 / 2000) ** 0.5
    assert estimate.value == 0.25
    assert estimate.low == pytest.approx(0.25 - half, abs=0.002)
    assert estimate.high == pytest.approx(0.25 + half, abs=0.002)
    assert bootstrap(errors, seed=3) == bootstrap(errors, seed=3)
    assert str(estimate).startswith("0.250 [0.2")


def test_perfect_and_hopeless_scores() -> None:
    right = truth([0, 1, 2, 3])
    perfect = score(np.array([[label, *[MISSING] * 4] for label in range(4)]), right, COST)
    assert (perfect.top1.value, perfect.top5.high, perfect.hierarchical[0].high) == (0, 0, 0)
    nothing = score(np.full((4, 5), MISSING), right, COST)
    assert (nothing.top1.low, nothing.top5.value, nothing.hierarchical[4].value) == (1, 1, 9)


WNIDS = ["n00000001", "n00000002", "n00000003"]
IMAGES = ["a", "b"]


def read(tmp_path: Path, text: str | bytes) -> list[list[int]]:
    path = tmp_path / "predictions.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    found: list[list[int]] = read_predictions(path, IMAGES, WNIDS).tolist()
    return found


@pytest.mark.parametrize(
    "text",
    [
        "image,guess1,guess2\na,n00000002,n00000001\nb,n00000003,\n",
        "image,guess1,guess2\r\nb,n00000003,\r\na,n00000002,n00000001\r\n\r\n",
        '\ufeffimage,guess1,guess2\n"a" , n00000002,"n00000001"\nb,n00000003,',
    ],
)
def test_guesses_are_read_whatever_the_order_and_line_ends(tmp_path: Path, text: str) -> None:
    if '" ,' in text:
        text = text.replace('"a" ,', '"a",')
    assert read(tmp_path, text) == [[1, 0, -1, -1, -1], [2, -1, -1, -1, -1]]


def test_the_five_highest_scores_are_the_guesses_and_ties_go_to_the_first_class(tmp_path: Path) -> None:
    text = "image,n00000003,n00000001,n00000002\na,.5,-1e3,7\nb,1,1,1\n"
    assert read(tmp_path, text) == [[1, 2, 0, -1, -1], [0, 1, 2, -1, -1]]


GUESS = "image,guess1,guess2\n"
SCORE = "image,n00000001,n00000002,n00000003\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: the header"),
        ("id,guess1\n", "line 1: the header"),
        (GUESS, r"2 of 2 images have no row: a, b"),
        (GUESS + "a,n00000001,\n", r"1 of 2 images have no row: b"),
        (GUESS + "a,n00000001,\na,n00000002,\n", "line 3: image 'a' stands in line 2 already"),
        (GUESS + "a,n00000001,\nc,n00000002,\n", "line 3: unknown image 'c'"),
        (GUESS + "a,n00000009,\nb,,\n", "line 2: unknown class 'n00000009'"),
        (GUESS + "a,nan,\nb,,\n", "line 2: unknown class 'nan'"),
        (GUESS + "a,,n00000001\nb,,\n", "line 2: an empty guess before"),
        (GUESS + "a,n00000001,n00000001\nb,,\n", "line 2: a class is guessed twice"),
        (GUESS + "a,n00000001\nb,,\n", "line 2: 2 cells where the header has 3"),
        (GUESS + "a,n00000001,,\nb,,\n", "line 2: 4 cells"),
        (SCORE + "a,1,2,nan\nb,1,2,3\n", "line 2: the score of n00000003 is not a finite number: 'nan'"),
        (SCORE + "a,1,2,inf\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,1e999\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,0x10\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,1_0\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2," + "1" * 100_000 + "x\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,٣\nb,1,2,3\n", "line 2"),
        (SCORE + "a,1,2,\nb,1,2,3\n", "line 2"),
        ("image,n00000001,n00000002\n", "missing: n00000003"),
        ("image,n00000001,n00000002,n00000002,n00000003\n", "doubled: n00000002"),
        (b"image,guess1\n\xff\xfe,n00000001\n", "line 2: bytes that are not UTF-8"),
        (GUESS + 'a,"n00000001,\n', "line 2: unexpected end of data"),
        (GUESS + "\n".join(f"x{n},n00000001," for n in range(9)), r"line 6.*\(and 4 more\)"),
    ],
)
def test_unacceptable_predictions_are_refused_with_row_numbers(tmp_path: Path, text: str | bytes, message: str) -> None:
    with pytest.raises(PredictionError, match=message):
        read(tmp_path, text)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match="cannot read"):
        read_predictions(tmp_path / "none.csv", IMAGES, WNIDS)
