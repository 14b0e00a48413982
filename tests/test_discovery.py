"""Where objects are, from images alone: words, rectangles, boxes, how good they are, and the views that there are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from holotype.errors import RecognitionError
from holotype.geometry.boxes import iou
from holotype.images.flatten import Pixels
from holotype.recognition.discovery import in_pixels, localize
from holotype.recognition.foreground import Beliefs, General
from holotype.recognition.placing import HALF, WHOLE, WORDS, beside, centred, held, placed, union_area
from holotype.recognition.rectangles import mask, rectangles, size_prior, sums
from holotype.recognition.viewpoints import SIDE, cut, viewpoints
from holotype.recognition.words import Cells, Grid, Vocabulary, describe

DICE = np.random.default_rng(0)


def noise(height: int, width: int, coarse: int, seed: int, colour: tuple[int, int, int]) -> Pixels:
    """Texture of one colour and grain."""
    dice = np.random.default_rng(seed)
    grains = dice.normal(0, 40, (height // coarse + 1, width // coarse + 1))
    level = np.kron(grains, np.ones((coarse, coarse)))[:height, :width, None]
    return np.asarray(np.clip(np.array(colour) + level, 0, 255), np.uint8)


def planted(count: int) -> tuple[list[Pixels], np.ndarray]:
    """Pictures of background, each of another kind, with the same kind of patch somewhere; and where, in shares."""
    dice = np.random.default_rng(5)
    pictures, boxes = [], []
    for number in range(count):
        picture = noise(120, 160, (2, 7, 12)[number % 3], number, tuple(dice.integers(40, 200, 3).tolist()))
        high, wide = int(dice.integers(50, 75)), int(dice.integers(60, 90))
        top, left = int(dice.integers(0, 120 - high)), int(dice.integers(0, 160 - wide))
        picture[top : top + high, left : left + wide] = noise(high, wide, 4, 1000 + number, (210, 40, 60))
        pictures.append(picture)
        boxes.append((left / 160, top / 120, (left + wide) / 160, (top + high) / 120))
    return pictures, np.array(boxes)


@pytest.fixture(scope="module")
def scene() -> tuple[list[Cells], General, np.ndarray]:
    """Planted pictures as cells, how frequent words are in them and in as many without a patch, where patches are."""
    grid = Grid(side=120, step=8, size=4.0)
    pictures, boxes = planted(16)
    others = [noise(120, 160, (2, 7, 12)[n % 3], 50 + n, tuple(DICE.integers(40, 200, 3).tolist())) for n in range(16)]
    vocabulary = Vocabulary.fit([describe(one, grid) for one in pictures], grid, 60, 40)
    cells = [vocabulary.cells(one) for one in pictures + others]
    return cells[:16], General.of(cells, len(vocabulary.shapes.centres), len(vocabulary.colours.centres)), boxes


def test_a_planted_patch_is_found(scene: tuple[list[Cells], General, np.ndarray]) -> None:
    cells, general, boxes = scene
    found = localize(cells, general)
    overlaps = iou(found, boxes, inclusive=False)
    centre = iou(np.tile(centred(0.5**0.5, 0.5**0.5), (16, 1)), boxes, inclusive=False)
    assert np.median(overlaps) > 0.75
    assert (overlaps >= 0.5).sum() >= 14 > (centre >= 0.5).sum()


def test_the_order_of_pictures_does_not_matter(scene: tuple[list[Cells], General, np.ndarray]) -> None:
    cells, general, _ = scene
    forth, back = localize(cells, general), localize(cells[::-1], general)
    assert (forth == back[::-1]).all()


def test_few_pictures_are_enough_for_an_answer(scene: tuple[list[Cells], General, np.ndarray]) -> None:
    cells, general, _ = scene
    assert localize([], general).shape == (0, 4)
    (box,) = localize(cells[:1], general)
    assert (box[:2] < box[2:]).all()
    assert box.min() >= 0
    assert box.max() <= 1


def test_a_blank_picture_has_the_box_that_was_believed(scene: tuple[list[Cells], General, np.ndarray]) -> None:
    _, general, _ = scene
    blank = Cells(np.zeros((12, 16), np.int16), np.zeros((12, 16), np.int16), 160, 120)
    (box,) = localize([blank], general)
    assert abs(box[0] + box[2] - 1) < 0.1
    assert abs(box[1] + box[3] - 1) < 0.1
    (small,) = localize([blank], general, Beliefs(side=0.3, sizing=100.0))
    assert small[2] - small[0] < 0.45


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"spread": 0.0}, {"shared": 0.0}, {"local": -1.0}])
def test_beliefs_that_cannot_be(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Beliefs(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (7, 5), (3000, 12)])
def test_pictures_of_any_size_have_cells(size: tuple[int, int]) -> None:
    found = describe(np.full((*size, 3), 90, np.uint8), Grid())
    assert found.shapes.shape[:2] == found.colours.shape[:2]
    assert min(found.shapes.shape[:2]) >= 1
    assert max(found.shapes.shape[:2]) == 24
    assert np.isfinite(found.shapes).all()
    assert np.isfinite(found.colours).all()
    assert (found.colours[..., 3:] < 0.5).all()


def test_the_colours_of_cells_are_those_of_lab() -> None:
    red = np.zeros((100, 240, 3), np.uint8)
    red[:, :120, 0] = 255
    found = describe(red, Grid()).colours
    assert found[3, 2, :3] == pytest.approx([53.24, 80.09, 67.20], abs=0.1)  # the red of sRGB in CIE Lab
    assert found[3, 20, :3] == pytest.approx([0, 0, 0], abs=0.1)


def test_few_cells_make_few_words() -> None:
    blank = describe(np.zeros((1, 1, 3), np.uint8), Grid(side=20, step=10))
    vocabulary = Vocabulary.fit([blank], Grid(side=20, step=10))
    assert len(vocabulary.shapes.centres) == len(vocabulary.colours.centres) == 4
    with pytest.raises(RecognitionError, match="no picture"):
        Vocabulary.fit([], Grid())
    with pytest.raises(ValueError, match="above 0"):
        Grid(step=0)


@given(scores=arrays(np.float64, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-9, 9)))
def test_sums_are_those_of_the_cells_inside(scores: np.ndarray) -> None:
    rows, columns = scores.shape
    found = rectangles(rows, columns)
    assert len(found) == rows * (rows + 1) // 2 * columns * (columns + 1) // 2
    assert len(np.unique(found, axis=0)) == len(found)
    expected = [scores[mask(one, rows, columns)].sum() for one in found]
    assert sums(scores) == pytest.approx(np.array(expected), abs=1e-9)


def test_a_box_of_the_believed_size_loses_nothing() -> None:
    found = size_prior(4, 4, 0.5, 2.0)
    best = rectangles(4, 4)[found == 0]
    assert len(best) == 9
    assert (best[:, 2:] - best[:, :2] == 2).all()
    assert found.min() == -2.0 * 16 * 0.5


PLACES = st.integers(0, 12)


@given(corners=st.lists(st.tuples(PLACES, PLACES, PLACES, PLACES), min_size=2, max_size=5))
def test_precision_and_recall_are_those_of_pixels(corners: list[tuple[int, int, int, int]]) -> None:
    boxes = np.array([(min(a, c), min(b, d), max(a, c) + 1, max(b, d) + 1) for a, b, c, d in corners], np.float64)
    masks = np.zeros((len(boxes), 13, 13), bool)
    for one, (left, top, right, bottom) in zip(masks, boxes.astype(int).tolist(), strict=True):
        one[top:bottom, left:right] = True
    objects = masks[1:].any(axis=0)
    found = held(boxes[0], boxes[1:])
    assert union_area(boxes[1:]) == objects.sum()
    assert found.precision == pytest.approx((masks[0] & objects).sum() / masks[0].sum())
    assert found.recall == pytest.approx((masks[0] & objects).sum() / objects.sum())
    best = max((masks[0] & one).sum() / (masks[0] | one).sum() for one in masks[1:])
    assert found.right == (best >= 0.5)


def test_boxes_beside_which_it_is_told() -> None:
    found = beside(np.array([0.0, 0.0, 0.5, 0.5]), np.array([[0.0, 0.0, 0.5, 1.0]]))
    assert (found[WORDS].precision, found[WORDS].recall, found[WORDS].right) == (1.0, 0.5, True)
    assert (found[WHOLE].precision, found[WHOLE].recall, found[WHOLE].right) == (0.5, 1.0, True)
    assert found["centre box, as large"].precision == 0.5
    assert [one.method for one in placed([found])] == [WORDS, "centre box, as large", HALF, WHOLE]
    assert placed([]) == ()


def test_shares_become_the_pixels_that_are_touched() -> None:
    shares = np.array([[0, 0, 1, 1], [0.1, 0.5, 0.9, 0.75], [0.999, 0.999, 1, 1]])
    sizes = np.array([(10, 8), (10, 8), (3, 3)])
    assert in_pixels(shares, sizes).tolist() == [[0, 0, 9, 7], [1, 4, 8, 5], [2, 2, 2, 2]]
    assert in_pixels(np.zeros((0, 4)), np.zeros((0, 2), np.int64)).shape == (0, 4)


def test_two_views_are_told_apart_and_averaged() -> None:
    dice = np.random.default_rng(1)
    half = np.zeros((SIDE, SIDE, 3), np.uint8)
    half[:, : SIDE // 2] = 200
    turned = half.transpose(1, 0, 2)
    of = [half] * 12 + [turned] * 9
    lit = [one * dice.uniform(0.4, 1.0) + dice.normal(20, 8, one.shape) for one in of]
    objects = [np.clip(one, 0, 255).astype(np.uint8) for one in lit]
    views = viewpoints(objects, most=2)
    assert [sorted(view.numbers.tolist()) for view in views] == [list(range(12)), list(range(12, 21))]
    assert views[0].average[:, :20].mean() > views[0].average[:, -20:].mean() + 60
    assert views[1].average[:20].mean() > views[1].average[-20:].mean() + 60
    expected = np.mean(objects[:12], axis=0)
    assert np.abs(views[0].average - expected).max() <= 0.5


def test_few_objects_have_one_view() -> None:
    one = np.zeros((SIDE, SIDE, 3), np.uint8)
    assert viewpoints([]) == []
    (view,) = viewpoints([one] * 7)
    assert sorted(view.numbers.tolist()) == list(range(7))
    assert viewpoints([one] * 40, most=6)[0].numbers.size == 40  # of what is all the same there are no two views


def test_what_a_box_holds_is_cut_out() -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[10:20, 20:60] = 255
    assert cut(picture, np.array([0.25, 0.25, 0.75, 0.5])).min() == 255
    assert cut(picture, np.array([0.5, 0.3, 0.5, 0.3])).shape == (SIDE, SIDE, 3)
