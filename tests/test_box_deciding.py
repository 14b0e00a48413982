"""What is asked next about a candidate's boxes."""

from __future__ import annotations

import pytest

from holotype.boxes.deciding import Boxing, Outcome, next_question
from holotype.boxes.instances import Drawing, instances
from holotype.boxes.rules import Rules, parse_rules
from holotype.boxes.values import Corners, Kind, Question
from holotype.crowd.conclusion import State
from holotype.crowd.policies import Fixed, Lead
from holotype.errors import CrowdError

RULES = Rules()
LEFT, RIGHT = (0, 0, 99, 99), (200, 0, 299, 99)


def drawing(
    number: int, box: Corners | None = LEFT, state: State = State.YES, shown: tuple[int, ...] = (), **more: bool
) -> Drawing:
    return Drawing(number, f"worker {number}", box, shown, state, **more)


def asked(*drawings: Drawing, rules: Rules = RULES, **said: State) -> tuple[Question, ...] | Outcome:
    coverage = {tuple(int(n) for n in shown.split("_")[1:] if n): state for shown, state in said.items()}
    return next_question(Boxing(7, drawings, coverage), rules)


def test_a_box_is_drawn_judged_covered_and_done() -> None:
    assert asked() == (Question(7, Kind.DRAW),)
    assert asked(drawing(1, state=State.OPEN)) == (Question(7, Kind.QUALITY, 1),)
    assert asked(drawing(1)) == (Question(7, Kind.COVERAGE, shown=(1,)),)
    assert asked(drawing(1), _1=State.OPEN) == (Question(7, Kind.COVERAGE, shown=(1,)),)
    assert asked(drawing(1), _1=State.YES) is Outcome.COVERED


def test_where_one_is_missing_it_is_drawn_with_those_there_are_shown() -> None:
    first = drawing(1)
    assert asked(first, _1=State.NO) == (Question(7, Kind.DRAW, shown=(1,)),)
    second = drawing(2, RIGHT, State.OPEN, (1,))
    assert asked(first, second, _1=State.NO) == (Question(7, Kind.QUALITY, 2),)
    both = drawing(2, RIGHT, State.YES, (1,))
    assert asked(first, both, _1=State.NO) == (Question(7, Kind.COVERAGE, shown=(1, 2)),)
    assert asked(first, both, _1=State.NO, _1_2=State.YES) is Outcome.COVERED


def test_who_drew_and_saw_more_spares_a_question_of_coverage() -> None:
    assert asked(drawing(1, more=True)) == (Question(7, Kind.DRAW, shown=(1,)),)
    assert asked(drawing(1, more=True), _1=State.OPEN) == (Question(7, Kind.DRAW, shown=(1,)),), "that is one answer"
    assert asked(drawing(1, more=False)) == (Question(7, Kind.COVERAGE, shown=(1,)),)


def test_a_bad_drawing_is_drawn_again_until_a_person_must_look() -> None:
    rules = Rules(attempts=3)
    bad = [drawing(number, state=State.NO) for number in (1, 2, 3)]
    assert asked(*bad[:2], rules=rules) == (Question(7, Kind.DRAW),)
    assert asked(*bad, rules=rules) is Outcome.PERSON
    assert asked(*bad[:2], drawing(3), rules=rules) == (Question(7, Kind.COVERAGE, shown=(3,)),), "attempts start anew"


def test_that_nothing_is_left_is_asked_of_others() -> None:
    assert asked(drawing(1, None)) == (Question(7, Kind.COVERAGE),)
    assert asked(drawing(1, None), _=State.YES) is Outcome.EMPTY
    assert asked(drawing(1, None), _=State.NO) == (Question(7, Kind.DRAW),)
    assert asked(drawing(1), _1=State.UNDECIDED) is Outcome.PERSON


def test_machines_drawings_are_judged_at_once_and_are_no_attempts() -> None:
    made = [Drawing(n, "machine:yolo", (40 * n, 0, 40 * n + 30, 30), state=State.OPEN) for n in range(1, 6)]
    assert asked(*made) == tuple(Question(7, Kind.QUALITY, n) for n in range(1, 6))
    refused = [Drawing(n, "machine:yolo", one.box, state=State.NO) for n, one in enumerate(made, 1)]
    assert asked(*refused) == (Question(7, Kind.DRAW),)


def test_two_who_draw_at_once_and_agree_need_no_judge() -> None:
    rules = Rules(draws=2)
    one, other = drawing(1, state=State.OPEN), drawing(2, (0, 0, 99, 91), State.OPEN)
    assert asked(one, rules=rules) == (Question(7, Kind.DRAW),)
    assert asked(one, other, rules=rules) == (Question(7, Kind.COVERAGE, shown=(1,)),)
    assert [(found.box, found.drawings, found.support) for found in instances([one, other])] == [
        ((0, 0, 99, 95), (1, 2), 1.0)
    ]
    far = drawing(2, RIGHT, State.OPEN)
    assert asked(one, far, rules=rules) == (Question(7, Kind.QUALITY, 1), Question(7, Kind.QUALITY, 2))


def test_who_saw_a_box_did_not_draw_the_same_instance() -> None:
    nested = drawing(2, (0, 0, 99, 90), State.YES, (1,))
    assert [one.head for one in instances([drawing(1), nested])] == [1, 2]
    assert [one.head for one in instances([drawing(1), drawing(2, (0, 0, 99, 90))])] == [1]
    same = Drawing(2, "worker 1", (0, 0, 99, 90), state=State.YES)
    assert [one.head for one in instances([drawing(1), same])] == [1, 2], "nobody draws one instance twice"


def test_rules_are_read_as_they_name_themselves() -> None:
    for rules in (Rules(), Rules(Lead(2, 5), Fixed(3), attempts=5, draws=2, most=7)):
        assert parse_rules(str(rules)) == rules
    for text in ("", "boxes()", "posterior()", str(Rules()).replace("most=", "least="), "boxes(", "import os"):
        with pytest.raises(CrowdError, match="no rules for boxes"):
            parse_rules(text)


@pytest.mark.parametrize(("draws", "attempts", "most"), [(2, 3, 3), (3, 2, 3), (2, 8, 8)])
def test_a_drawing_that_nobody_else_makes_is_judged_at_last(draws: int, attempts: int, most: int) -> None:
    rules = Rules(draws=draws, attempts=attempts)
    made = [drawing(1, state=State.OPEN), *(drawing(number, None) for number in range(2, most + 1))]
    assert asked(*made[:-1], rules=rules) == (Question(7, Kind.DRAW),)
    assert asked(*made, rules=rules) == (Question(7, Kind.QUALITY, 1),)
    refused = [drawing(1, state=State.NO), *made[1:]]
    assert asked(*refused, rules=rules, _=State.YES) is Outcome.EMPTY, "others said that nothing is there"
