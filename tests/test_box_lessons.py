"""What is learned before boxes are drawn and judged: what is asked, and what is said of what people do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holotype.boxes.lessons import (
    ASKED,
    Exercise,
    Mark,
    exercise,
    is_done_step,
    lesson_pages,
    lesson_questions,
    mark_answer,
    mark_drawing,
    passes,
)
from holotype.boxes.values import Corners, Drawn, Judged, Kind, Method
from holotype.consensus.votes import Answer

DOG, CAT = (10, 10, 109, 89), (200, 20, 259, 79)


def drawn(box: Corners | None) -> Drawn:
    return Drawn(box, Method.EXTREME)


@pytest.mark.parametrize(
    ("box", "shown", "left", "mark"),
    [
        (DOG, (), (DOG,), Mark.RIGHT),
        ((10, 10, 109, 66), (), (DOG,), Mark.RIGHT),  # 57 of 80 rows: .7125
        ((10, 10, 109, 64), (), (DOG,), Mark.LOOSE),  # 55 of 80 rows: .6875
        ((0, 0, 140, 120), (), (DOG,), Mark.LOOSE),
        (CAT, (), (DOG,), Mark.WRONG),
        (CAT, (CAT,), (DOG,), Mark.REPEATED),
        (CAT, (CAT,), (), Mark.REPEATED),
        (DOG, (CAT,), (), Mark.WRONG),
        ((8, 8, 262, 92), (), (DOG, CAT), Mark.SEVERAL),
        ((8, 8, 262, 92), (CAT,), (DOG,), Mark.SEVERAL),
        (CAT, (), (DOG, CAT), Mark.RIGHT),
        (None, (DOG,), (), Mark.RIGHT),
        (None, (), (DOG,), Mark.MISSED),
    ],
)
def test_what_is_said_of_a_drawing(
    box: Corners | None, shown: tuple[Corners, ...], left: tuple[Corners, ...], mark: Mark
) -> None:
    assert mark_drawing(drawn(box), Exercise(shown, left)) is mark


@given(st.lists(st.tuples(*[st.integers(0, 99)] * 4), max_size=5, unique=True), st.text("abc-", min_size=1))
def test_an_exercise_has_all_boxes_and_leaves_one_unless_it_is_done(boxes: list[Corners], key: str) -> None:
    one, done = exercise(boxes, key, False), exercise(boxes, key, True)
    assert sorted((*one.shown, *one.left)) == sorted(boxes) == sorted(done.shown)
    assert bool(one.left) == bool(boxes)
    assert done.left == ()
    assert exercise(boxes[::-1], key, False) == one


def test_a_lesson_to_draw_has_a_page_a_drawing_of_which_one_is_done() -> None:
    for attempt in range(20):
        pages = lesson_pages("ann", Kind.DRAW, attempt, 6)
        assert len(set(pages)) == 6
        assert sum(is_done_step(page, 6) for page in pages) == 1
    assert len(lesson_pages("ann", Kind.QUALITY, 0, 10)) == 1
    assert lesson_pages("ann", Kind.QUALITY, 0, 10) != lesson_pages("bob", Kind.QUALITY, 0, 10)


def test_a_lesson_takes_half_of_the_gold_and_both_sides() -> None:
    gold = {number: number % 4 > 0 for number in range(40)}
    chosen = lesson_questions(gold, Kind.QUALITY, "ann 0")
    assert len(chosen) == ASKED[Kind.QUALITY]
    assert sum(gold[number] for number in chosen) == 5
    assert len(lesson_questions(dict(list(gold.items())[:9]), Kind.COVERAGE, "ann 0")) == 4
    assert lesson_questions(dict.fromkeys(range(40), True), Kind.QUALITY, "ann 0") == ()
    assert lesson_questions(dict(list(gold.items())[:7]), Kind.QUALITY, "ann 0") == ()
    images = dict.fromkeys(range(9), True)
    assert len(lesson_questions(images, Kind.DRAW, "ann 0")) == 6
    assert lesson_questions(dict.fromkeys(range(3), True), Kind.DRAW, "ann 0") == ()
    assert lesson_questions(images, Kind.DRAW, "ann 0") != lesson_questions(images, Kind.DRAW, "ann 1")


def test_five_of_six_pass_and_unsure_is_not_right() -> None:
    assert [passes(right, 6) for right in range(7)] == [False] * 5 + [True] * 2
    assert not passes(0, 0)
    assert mark_answer(Judged(Answer.YES), True)
    assert mark_answer(Judged(Answer.NO), False)
    assert not mark_answer(Judged(Answer.UNSURE), True)
