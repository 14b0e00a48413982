"""Facts about boxes in the catalog, and pages and sheets of box work in its inbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from sqlalchemy import func, select

from box_crowds import perfect
from holotype.boxes.campaign import run_boxes
from holotype.boxes.inbox import WEB, WebBoxCrowd
from holotype.boxes.replies import to_json
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Given
from holotype.boxes.values import Corners, Drawn, Judged, Kind, Method, Question, Reason
from holotype.catalog import box_facts, box_known, schema, sheets, wants
from holotype.catalog.sheets import KeptSheet
from holotype.consensus.votes import Answer
from holotype.crowd.policies import Lead
from holotype.project import Project
from holotype.project.box_inbox import CatalogBoxInbox
from holotype.project.box_pages import read_box_page
from holotype.project.box_records import CatalogRecord, read_boxes

RULES = Rules(Lead(2, 5), Lead(2, 5))


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


@pytest.fixture
def record(db: Project) -> CatalogRecord:
    return CatalogRecord(db.catalog, lambda: 5.0)


def candidates_of(db: Project) -> list[int]:
    return [task.number for task in db.candidates.tasks()]


def hand_in(db: Project, page: str, worker: str, *replies: Mapping[str, object], crowd: str = WEB) -> None:
    kept = KeptSheet(0, page, worker, tuple(replies), 10.0, 20.0, 7.0)
    db.catalog.transact(lambda connection: sheets.add(connection, crowd, kept))


def work(db: Project, worker: str, truth: Mapping[str, list[Corners]]) -> int:
    """What a worker does who answers every open page that they may; how many."""
    with db.catalog.read() as connection:
        pages = [read_box_page(connection, WEB, one.id) for one in wants.open_pages(connection, WEB)]
        asked = {task.number for page in pages if page for task in page.page.tasks}
        involved = box_facts.involved(connection, asked)
    done = 0
    for page in pages:
        assert page is not None
        if not any(worker in involved[item.number] for item in page.items):
            hand_in(db, page.page.id, worker, *(to_json(perfect(item, truth)) for item in page.items))
            done += 1
    return done


def test_facts_come_back_as_they_were_given(db: Project, record: CatalogRecord) -> None:
    first, second = candidates_of(db)[:2]
    draw = Question(first, Kind.DRAW)
    [asked] = record.ask([draw])
    assert record.ask([draw, Question(second, Kind.DRAW)])[0] == asked, "a question asked again is the same row"
    made = Drawn((1, 2, 30, 40), Method.EXTREME, ((1.5, 2.0),), True, False, None, True)
    [drawing] = record.reply([Given(asked, "ann", made, "p", 1, 9.0, 6.0)])
    [nothing] = record.reply([Given(asked, "bob", Drawn(None, Method.KEYS), "p", 2, 9.0, 6.0)])
    assert record.reply([Given(asked, "ann", Drawn(None, Method.KEYS), "q", 1, 9.0, 6.0)]) == [], "the first counts"
    [quality] = record.ask([Question(first, Kind.QUALITY, drawing.number)])
    [judged] = record.reply([Given(quality, "bob", Judged(Answer.NO, Reason.LOOSE), "r", 1, 3.0, 8.0)])
    with db.catalog.read() as connection:
        tally = read_boxes(connection)
        assert box_facts.involved(connection, [asked, quality]) == {asked: {"ann", "bob"}, quality: {"ann", "bob"}}
    assert tally.drawing(drawing.number) is not None
    assert tally.replied(draw) == ["ann", "bob"]
    assert tally.replied(Question(first, Kind.COVERAGE)) == ["bob"], "who finds nothing left says that all is covered"
    assert tally.replies == 3
    with db.catalog.read() as connection:
        assert [one.points for one in box_facts.drawings(connection)] == [json.dumps([[1.5, 2.0]]), ""]
        assert box_facts.drawings(connection, [nothing.number])[0].x_min is None
        assert [(one.id, one.reason) for one in box_facts.answers(connection)] == [(judged.number, "loose")]


def test_of_statements_of_gold_the_newest_counts(db: Project, record: CatalogRecord) -> None:
    question = Question(candidates_of(db)[0], Kind.COVERAGE)
    [number] = record.ask([question])

    def said(answer: int | None) -> int:
        return db.catalog.transact(lambda connection: box_known.say(connection, {number: answer}, "me", "", 1.0))

    def known() -> Mapping[Question, bool]:
        with db.catalog.read() as connection:
            return read_boxes(connection).gold

    assert (said(2), said(2), known()) == (1, 0, {question: True})
    assert (said(0), known()) == (1, {question: False})
    assert (said(None), known()) == (1, {})


def test_people_on_the_web_box_all_there_is(db: Project, record: CatalogRecord) -> None:
    tasks = db.candidates.tasks()
    truth = {task.sha256: [(5, 5, 25, 40), (35, 5, 60, 40)][: number % 3] for number, task in enumerate(tasks)}
    crowd, standing = WebBoxCrowd(CatalogBoxInbox(db.catalog, lambda: 5.0)), None
    for turn in range(60):
        with db.catalog.read() as connection:
            tally = read_boxes(connection, candidates_of(db))
        standing = run_boxes(tally, crowd, RULES, record)
        if standing.done:
            break
        work(db, f"person {turn % 5}", truth)
    assert standing is not None
    assert standing.counts == {"covered": 8, "empty": 4, "person": 0, "open": 0}
    for task in tasks:
        assert sorted(one.instance.box for one in tally.boxed(task.number)) == sorted(truth[task.sha256])
    with db.catalog.read() as connection:
        uncounted = connection.execute(select(func.count()).select_from(schema.counted)).scalar_one()
        assert uncounted == connection.execute(select(func.count()).select_from(schema.sheet)).scalar_one()


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ({"box": [0, 0, 10**6, 10]}, "not inside the picture"),
        ({"box": [-1, 0, 10, 10]}, "not inside the picture"),
        ({"box": [10, 0, 5, 10]}, "ends before it begins"),
        ({"box": [0, 0, 10]}, "four whole numbers"),
        ({"box": [0, 0, float("nan"), 10]}, "four whole numbers"),
        ({"box": [0, 0, 10.5, 10]}, "whole pixels"),
        ({"box": [0, 0, True, 10]}, "four whole numbers"),
        ({"answer": 2}, "answered by a box"),
        ({"box": None, "method": "teeth"}, "methods are"),
        ({"box": None, "more": "yes"}, "more is true, false or null"),
        ({"box": [0, 0, 9, 9], "points": [[0, float("inf")]]}, "finite numbers"),
    ],
)
def test_a_sheet_that_does_not_fit_is_refused_and_its_page_asked_again(
    db: Project, record: CatalogRecord, reply: Mapping[str, object], why: str
) -> None:
    crowd = WebBoxCrowd(CatalogBoxInbox(db.catalog, lambda: 5.0))
    with db.catalog.read() as connection:
        tally = read_boxes(connection, candidates_of(db)[:1])
    run_boxes(tally, crowd, RULES, record)
    [page] = crowd.waiting()
    hand_in(db, page.id, "ann", reply)
    again = run_boxes(tally, crowd, RULES, record)
    assert again.new == 0
    assert [why in told for told in crowd.refused] == [True], crowd.refused
    with db.catalog.read() as connection:
        assert [one.id for one in wants.open_pages(connection, WEB)] == [page.id]
