"""Gold of boxes: drawings that agree, bad ones made of good ones, complete images with one box taken away."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.boxes.gold import (
    BAD,
    VISIBLE,
    KnownImage,
    agreeing,
    gold_questions,
    perturbed,
    questions_on_a_page,
    with_gold,
)
from holotype.boxes.instances import Drawing
from holotype.boxes.port import PAGE_SIZE
from holotype.boxes.values import Corners, Kind, Reason
from holotype.crowd.conclusion import State
from holotype.geometry.boxes import iou

BOX = (10, 10, 109, 109)


def overlap(one: Corners, other: Corners) -> float:
    return float(iou(np.array(one, np.float64), np.array(other, np.float64), inclusive=True))


def drawn(number: int, box: Corners | None, worker: str = "", shown: tuple[int, ...] = ()) -> Drawing:
    return Drawing(number, worker or f"worker {number}", box, shown)


def near(by: int) -> Corners:
    return BOX[0] + by, BOX[1], BOX[2] + by, BOX[3]


def test_three_people_who_agree_make_a_box_known_and_its_corners_are_the_median() -> None:
    three = [drawn(1, near(0)), drawn(2, near(3)), drawn(3, near(4))]
    assert [(one.box, one.drawings) for one in agreeing(three)] == [(near(3), (1, 2, 3))]
    assert agreeing(three[:2]) == []
    assert [one.drawings for one in agreeing([*three, drawn(4, (200, 0, 250, 50)), drawn(5, None)])] == [(1, 2, 3)]


def test_every_two_must_agree_not_each_with_the_next() -> None:
    chain = [drawn(1, near(0)), drawn(2, near(15)), drawn(3, near(30))]
    assert overlap(near(0), near(15)) > 0.7 > overlap(near(0), near(30))
    assert agreeing(chain) == []
    assert [one.drawings for one in agreeing(chain, 2)] == [(1, 2)]


def test_who_does_not_confirm_a_box() -> None:
    two = [drawn(1, near(0)), drawn(2, near(1))]
    assert agreeing([*two, drawn(3, near(2), "worker 1")]) == [], "nobody counts twice"
    assert agreeing([*two, drawn(3, near(2), "machine:yolo")]) == [], "a machine is nobody"
    assert agreeing([*two, drawn(3, near(2), shown=(1,))]) == [], "who saw the box drew another"
    assert agreeing([*two, Drawing(3, "worker 3", near(2), (), State.NO)]) == [], "a bad one is none"
    assert len(agreeing([*two, drawn(3, near(2))])) == 1


@st.composite
def boxes_in_pictures(draw: st.DrawFn) -> tuple[Corners, int, int]:
    width, height = draw(st.integers(1, 700)), draw(st.integers(1, 700))
    x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return (x, y, draw(st.integers(x, width - 1)), draw(st.integers(y, height - 1))), width, height


@given(boxes_in_pictures(), st.text(max_size=8))
def test_a_bad_box_is_in_the_picture_and_overlaps_the_good_one_by_what_it_should(
    made: tuple[Corners, int, int], key: str
) -> None:
    box, width, height = made
    bad = perturbed(box, width, height, key)
    sides = box[2] - box[0] + 1, box[3] - box[1] + 1
    if bad is None:
        assert min(width, height) == 1 or max(width, height) < 12 or min(sides) < 8
        return
    assert 0 <= bad[0] <= bad[2] < width
    assert 0 <= bad[1] <= bad[3] < height
    assert BAD[0] <= overlap(box, bad) <= BAD[1]
    assert max(abs(one - other) for one, other in zip(box, bad, strict=True)) >= VISIBLE
    assert perturbed(box, width, height, key) == bad


@pytest.mark.parametrize(
    ("box", "width", "height"),
    [
        ((0, 0, 499, 374), 500, 375),  # all of the picture
        ((0, 0, 499, 1), 500, 2),
        ((0, 0, 5, 5), 6, 6),
        ((40, 40, 41, 41), 80, 80),
        ((0, 0, 1999, 0), 2000, 1),
    ],
)
def test_large_thin_and_small_boxes_have_bad_ones(box: Corners, width: int, height: int) -> None:
    for key in "abcdefgh":
        bad = perturbed(box, width, height, key)
        assert bad is not None
        assert BAD[0] <= overlap(box, bad) <= BAD[1]


def test_where_no_bad_box_can_be_there_is_none() -> None:
    assert perturbed((0, 0, 0, 0), 1, 1, "") is None
    assert perturbed((0, 0, 2, 0), 3, 1, "") is None
    assert perturbed((5, 5, 5, 5), 100, 100, "") is None, "what is off by a pixel nobody sees"


def test_bad_boxes_differ_by_key_and_are_both_moved_and_scaled() -> None:
    made = [perturbed((100, 100, 199, 199), 400, 400, str(key)) for key in range(60)]
    assert len(set(made)) > 55
    moved = sum(one is not None and one[2] - one[0] == 99 == one[3] - one[1] for one in made)
    assert 15 <= moved <= 45


def test_a_bad_box_is_no_good_one_of_a_neighbour() -> None:
    box, neighbours = (100, 100, 199, 199), [(120, 100, 219, 199), (100, 125, 199, 224), (80, 80, 179, 179)]
    for key in range(40):
        bad = perturbed(box, 400, 400, str(key), neighbours)
        assert bad is not None
        assert max(overlap(bad, one) for one in neighbours) <= BAD[1]


def test_a_complete_image_says_its_boxes_are_good_and_all_and_all_but_one_are_not() -> None:
    boxes = (BOX, (200, 10, 299, 99))
    found = list(gold_questions(KnownImage(7, 400, 300, boxes, True), "key"))
    assert [one.answer for one in found if one.kind is Kind.QUALITY] == [True, False, True, False]
    assert [one.reason for one in found if one.kind is Kind.QUALITY] == [None, Reason.LOOSE] * 2
    covered = {one.answer: one.boxes for one in found if one.kind is Kind.COVERAGE}
    assert covered[True] == boxes
    assert covered[False] in [boxes[:1], boxes[1:]]
    assert found == list(gold_questions(KnownImage(7, 400, 300, boxes, True), "key"))


def test_what_is_not_complete_says_nothing_of_coverage_and_an_empty_image_is_complete() -> None:
    assert {one.kind for one in gold_questions(KnownImage(7, 400, 300, (BOX,), False))} == {Kind.QUALITY}
    assert [(one.kind, one.boxes, one.answer) for one in gold_questions(KnownImage(7, 400, 300, (), True))] == [
        (Kind.COVERAGE, (), True)
    ]


def test_the_box_taken_away_is_one_that_would_be_missed() -> None:
    same, lonely = (12, 10, 111, 109), (300, 10, 399, 99)
    for key in range(20):
        found = gold_questions(KnownImage(7, 400, 300, (BOX, same, lonely), True), str(key))
        assert [one.boxes for one in found if one.kind is Kind.COVERAGE and not one.answer] == [(BOX, same)]


def test_gold_is_one_of_twelve_at_first_and_less_later() -> None:
    asked, gold = list(range(11)), {100 + n: n % 2 == 0 for n in range(40)}
    first = [with_gold(asked, gold, Kind.QUALITY, 1, f"page {n}") for n in range(400)]
    assert {len(page) for page in first} == {12}
    later = [with_gold(asked, gold, Kind.QUALITY, 4, f"page {n}") for n in range(400)]
    assert {len(page) for page in later} == {11, 12}
    assert 0.2 < sum(len(page) == 12 for page in later) / 400 < 0.4
    assert all(sorted(set(page) - gold.keys()) == asked for page in first + later)


def test_gold_stands_anywhere_and_is_yes_as_often_as_no() -> None:
    gold = {100 + n: n % 2 == 0 for n in range(40)}
    pages = [with_gold(range(11), gold, Kind.COVERAGE, 1, f"page {n}") for n in range(600)]
    places = [next(place for place, number in enumerate(page) if number in gold) for page in pages]
    assert np.bincount(places, minlength=12).min() > 25
    assert 240 < sum(gold[page[place]] for page, place in zip(pages, places, strict=True)) < 360
    assert with_gold(range(11), gold, Kind.COVERAGE, 1, "page 1") == pages[1]


def test_a_page_never_has_more_questions_than_there_is_room_for() -> None:
    gold = {100: True, 101: False}
    assert with_gold(range(12), gold, Kind.QUALITY, 1, "p") == with_gold(range(12), {}, Kind.QUALITY, 1, "p")
    assert len(with_gold(range(12), gold, Kind.QUALITY, 1, "p")) == PAGE_SIZE[Kind.QUALITY]
    assert with_gold([3], gold, Kind.DRAW, 1, "p") == (3,)
    assert set(with_gold([100, 5], gold, Kind.QUALITY, 1, "p")) == {100, 5, 101}, "no question twice on a page"
    assert [questions_on_a_page(kind, True) for kind in (Kind.DRAW, Kind.QUALITY, Kind.COVERAGE)] == [1, 11, 11]
    assert questions_on_a_page(Kind.QUALITY, False) == 12
