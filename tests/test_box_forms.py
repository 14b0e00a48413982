"""The form of a page of box work: what is read, and what is refused with the reason."""

from __future__ import annotations

import pytest

from holotype.boxes.forms import read_replies
from holotype.boxes.port import BoxPage, Item
from holotype.boxes.values import Drawn, Judged, Kind, Method, Question, Reason, Reply
from holotype.consensus.votes import Answer, Task
from holotype.crowd.port import Page
from holotype.errors import CrowdError


def page(kind: Kind, count: int = 1) -> BoxPage:
    items = tuple(Item(90 + n, Question(n, kind), f"{n:064x}", 500, 375, None, ()) for n in range(count))
    tasks = tuple(Task(item.number, "n02084071", item.sha256) for item in items)
    return BoxPage(Page("001-ab", "n02084071", tasks, frozenset(), 1), kind, items)


DRAW = {"box-1": "30 20 479 369", "method-1": "extreme", "points-1": "", "more-1": "", "seconds": "7.5"}


def test_a_drawing_is_read() -> None:
    clicked = DRAW | {"points-1": "30.25,100 479.9,120.5 200,20.75 220,369", "more-1": "yes", "occluded-1": "no"}
    points = ((30.25, 100.0), (479.9, 120.5), (200.0, 20.75), (220.0, 369.0))
    assert read_replies(clicked, page(Kind.DRAW)) == (
        (Drawn((30, 20, 479, 369), Method.EXTREME, points, True, None, False, None),),
        7.5,
    )
    assert read_replies(DRAW | {"box-1": "nothing", "method-1": "keys"}, page(Kind.DRAW))[0] == (
        Drawn(None, Method.KEYS),
    )
    whole, pixel = DRAW | {"box-1": "0 0 499 374"}, DRAW | {"box-1": "499 374 499 374"}
    assert all(read_replies(one, page(Kind.DRAW)) for one in (whole, pixel))


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("box", "", "four whole numbers"),
        ("box", "30 20 479", "four whole numbers"),
        ("box", "30 20 479 369 12", "four whole numbers"),
        ("box", "nan nan nan nan", "four whole numbers"),
        ("box", "30.5 20 479 369", "four whole numbers"),
        ("box", "1e9 20 479 369", "four whole numbers"),
        ("box", "-1 20 479 369", "four whole numbers"),
        ("box", "٣٠ 20 479 369", "four whole numbers"),
        ("box", "30  20 479 369", "four whole numbers"),
        ("box", "30 20 1000000000 369", "four whole numbers"),
        ("box", "30 20 500 369", "in the picture of 500 x 375"),
        ("box", "30 20 479 375", "in the picture of 500 x 375"),
        ("box", "479 20 30 369", "ends before it begins"),
        ("box", "30 369 479 20", "ends before it begins"),
        ("box", "Nothing", "four whole numbers"),
        ("method", "machine", "extreme, drag, keys or numbers"),
        ("method", "", "extreme, drag, keys or numbers"),
        ("points", "1,2 3,4 5,6 7,8 9,10", "at most 4 points"),
        ("points", "nan,2", "at most 4 points"),
        ("points", "1,2;3,4", "at most 4 points"),
        ("points", "1,376", "in the picture"),
        ("points", "1e3,2", "at most 4 points"),
        ("more", "maybe", "yes, no or empty"),
        ("truncated", "1", "yes, no or empty"),
    ],
)
def test_a_drawing_that_cannot_be_is_refused_with_the_reason(field: str, value: str, reason: str) -> None:
    with pytest.raises(CrowdError, match=reason):
        read_replies(DRAW | {f"{field}-1": value}, page(Kind.DRAW))


def test_nothing_left_has_neither_points_nor_more() -> None:
    for field, value in [("points", "1,2"), ("more", "yes"), ("group_of", "yes")]:
        with pytest.raises(CrowdError, match="nothing is left, and other fields"):
            read_replies(DRAW | {"box-1": "nothing", f"{field}-1": value}, page(Kind.DRAW))


@pytest.mark.parametrize("seconds", ["", "nan", "inf", "-1", "1e9", "soon"])
def test_a_time_that_cannot_be_is_refused(seconds: str) -> None:
    with pytest.raises(CrowdError, match="not a time"):
        read_replies(DRAW | {"seconds": seconds}, page(Kind.DRAW))


def test_fields_are_just_those_of_the_page() -> None:
    for changed in (
        {name: value for name, value in DRAW.items() if name != "more-1"},
        {name: value for name, value in DRAW.items() if name != "seconds"},
        DRAW | {"box-2": "1 1 2 2"},
        DRAW | {"truncated-2": "yes"},
        DRAW | {"answer-1": "yes"},
        DRAW | {"box-90": "1 1 2 2"},
    ):
        with pytest.raises(CrowdError, match="missing or not of the page"):
            read_replies(changed, page(Kind.DRAW))


def test_judgements_are_read_by_their_places() -> None:
    fields = {"answer-1": "no", "reason-1": "loose", "answer-2": "yes", "reason-2": "", "seconds": "30"}
    expected: tuple[Reply, ...] = Judged(Answer.NO, Reason.LOOSE), Judged(Answer.YES)
    assert read_replies(fields, page(Kind.QUALITY, 2)) == (expected, 30.0)
    covered = {"answer-1": "unsure", "answer-2": "no", "seconds": "3"}
    assert read_replies(covered, page(Kind.COVERAGE, 2))[0] == (Judged(Answer.UNSURE), Judged(Answer.NO))


@pytest.mark.parametrize(
    "changed",
    [{"answer-1": "good"}, {"answer-1": ""}, {"reason-1": "ugly"}, {"answer-2": "yes", "reason-2": "loose"}],
)
def test_judgements_that_cannot_be_are_refused(changed: dict[str, str]) -> None:
    fields = {"answer-1": "no", "reason-1": "loose", "answer-2": "yes", "reason-2": "", "seconds": "30"}
    with pytest.raises(CrowdError):
        read_replies(fields | changed, page(Kind.QUALITY, 2))
    with pytest.raises(CrowdError, match="not of the page"):
        read_replies(fields, page(Kind.COVERAGE, 2))
