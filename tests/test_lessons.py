"""Quiz, training, figures, keys and disguises: decisions about people who work on the web."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from conftest import encoded, photo
from holotype.consensus.votes import Answer
from holotype.crowd.figures import BLOCK, ENOUGH, STEP, Figures, Work, figures_of, told
from holotype.crowd.keys import crowd_secret, example_key, fits, page_key, picture_key
from holotype.crowd.lessons import Lesson, is_passed, next_lesson, training_size
from holotype.crowd.quiz import draw_quiz
from holotype.images.served import NOISE, disguised, large, placeholder

YES, NO, UNSURE = Answer.YES, Answer.NO, Answer.UNSURE
NEAR = [["a wolf", "a fox"], ["a machine", "a bird"]]

# Quiz


def test_a_quiz_has_the_right_gloss_and_two_of_the_nearest() -> None:
    places = set()
    for number in range(60):
        quiz = draw_quiz(f"w{number}", "n1", "a dog", NEAR, 0)
        assert quiz is not None
        assert quiz.glosses[quiz.right] == "a dog"
        assert sorted(quiz.glosses) == ["a dog", "a fox", "a wolf"]
        assert quiz == draw_quiz(f"w{number}", "n1", "a dog", [group[::-1] for group in NEAR], 0)
        places.add(quiz.right)
    assert places == {0, 1, 2}


def test_another_attempt_is_another_draw() -> None:
    many = [[f"gloss {n}" for n in range(40)]]
    drawn = {draw_quiz("ann", "n1", "a dog", many, attempt) for attempt in range(10)}
    assert len(drawn) == 10


@pytest.mark.parametrize(
    ("gloss", "near", "shown"),
    [
        ("a dog", [["a wolf"], [], ["a bird"]], 3),
        ("a dog", [["a wolf", " ", "a dog", "a wolf"]], 2),
        ("a dog", [[], ["a dog"]], 0),
        (" ", NEAR, 0),
    ],
)
def test_where_glosses_are_few_the_quiz_is_small_or_none(gloss: str, near: list[list[str]], shown: int) -> None:
    quiz = draw_quiz("ann", "n1", gloss, near, 0)
    assert (0 if quiz is None else len(quiz.glosses)) == shown


# Lessons


@pytest.mark.parametrize(
    ("yes", "no", "size"), [(4, 4, 4), (20, 20, 10), (8, 0, 0), (0, 9, 0), (3, 4, 0), (1, 9, 5), (7, 2, 4)]
)
def test_half_the_gold_is_for_training_where_there_is_enough_of_both(yes: int, no: int, size: int) -> None:
    assert training_size([True] * yes + [False] * no) == size


def test_the_quiz_comes_first_and_then_training() -> None:
    quiz, training = Lesson("quiz", "n1"), Lesson("training", "n1")
    assert next_lesson("n1", [], True, True) == quiz
    assert next_lesson("n1", [("quiz", 0, 1)], True, True) == quiz
    assert next_lesson("n1", [("quiz", 0, 1), ("quiz", 1, 1)], True, True) == training
    assert next_lesson("n1", [("quiz", 1, 1), ("training", 3, 5), ("training", 4, 5)], True, True) is None
    assert next_lesson("n1", [], False, False) is None
    assert not is_passed(0, 0, "training")


# Figures


def work_of(sheets: int, gold_right: bool = True, size: int = 10) -> list[Work]:
    """Sheets whose first task is gold, another each time, and answered right or not."""
    answer = YES if gold_right else NO
    return [Work(range(size * n, size * n + size), [answer] + [NO] * (size - 1), 20.0) for n in range(sheets)]


GOLD = {10 * n: True for n in range(1000)}


def test_figures_are_of_all_that_was_handed_in() -> None:
    assert figures_of([], {}) == Figures(0, 0, None, None)
    found = figures_of(work_of(3), GOLD)
    assert (found.pages, found.pictures, found.pace, found.right) == (3, 30, 2.0, None)
    assert figures_of(work_of(ENOUGH), GOLD).right == 1.0
    assert figures_of(work_of(ENOUGH, gold_right=False), GOLD).right == 0.0


def test_what_is_told_of_gold_does_not_change_within_a_block() -> None:
    """Whatever somebody answers on their next pages, they are told the same until the block is full."""
    base = work_of(2 * BLOCK)
    before = figures_of(base, GOLD).right
    for more in range(1, BLOCK):
        for answer in Answer:
            tried = [Work(range(900 + 10 * n, 910 + 10 * n), [answer] * 10, 5.0) for n in range(more)]
            assert figures_of([*base, *tried], GOLD).right == before


@given(st.integers(0, 2**12), st.integers(1, 300))
def test_one_answer_moves_what_is_told_by_a_step_at_most(seed: int, sheets: int) -> None:
    rng = np.random.default_rng(seed)
    work = [
        Work(range(10 * n, 10 * n + 10), [int(rng.integers(3)), *[0] * 9], 20.0) for n in range(max(sheets, ENOUGH))
    ]
    changed = [*work]
    place = int(rng.integers(len(told(work))))
    changed[place] = Work(work[place].tasks, [2 - work[place].answers[0], *[0] * 9], 20.0)
    before, after = figures_of(work, GOLD).right, figures_of(changed, GOLD).right
    assert before is not None
    assert after is not None
    assert abs(before - after) <= STEP + 1e-9
    assert (before / STEP) == pytest.approx(round(before / STEP))


# Addresses and bytes


def test_no_two_addresses_have_a_key_in_common() -> None:
    keys = [
        *(
            picture_key("s", crowd, page, n, who)
            for crowd in "ab"
            for page in "pq"
            for n in (1, 2)
            for who in ("", "w")
        ),
        *(page_key(crowd_secret("s", crowd), page) for crowd in "ab" for page in "pq"),
        *(example_key("s", n) for n in (1, 2)),
        picture_key("t", "a", "p", 1),
        picture_key("s", "a", "p\0" + "1", 1, ""),
    ]
    assert len(set(keys)) == len(keys)
    assert all(len(key) == 32 for key in keys)
    assert fits(keys[0], keys[0])
    assert not fits(keys[0], keys[1])
    assert not fits("é", keys[0])


@given(st.binary(min_size=NOISE, max_size=NOISE))
def test_a_disguised_picture_is_the_same_picture(noise: bytes) -> None:
    made = encoded(photo(1))
    sent = disguised(made, noise)
    assert 64 + 4 <= len(sent) - len(made) <= 64 + 511 + 4
    assert (np.asarray(Image.open(io.BytesIO(sent))) == np.asarray(Image.open(io.BytesIO(made)))).all()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize(
    ("size", "shown"), [((3000, 1500), (1024, 512)), ((300, 900), (300, 900)), ((1024, 9), (1024, 9))]
)
def test_the_large_form_is_a_jpeg_of_at_most_1024(kind: str, size: tuple[int, int], shown: tuple[int, int]) -> None:
    found = Image.open(io.BytesIO(large(encoded(photo(3, *size), kind))))
    assert (found.format, found.size) == ("JPEG", shown)


def test_the_large_form_is_upright_and_without_metadata() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    found = Image.open(io.BytesIO(large(encoded(photo(3, 200, 100), exif=exif))))
    assert found.size == (100, 200)
    assert not found.getexif()


def test_the_placeholder_is_a_picture() -> None:
    assert Image.open(io.BytesIO(disguised(placeholder(), bytes(NOISE)))).size == (256, 192)
