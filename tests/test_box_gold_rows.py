"""Gold of boxes in a project: made of agreement, of archives, of what somebody knows; told, asked and withdrawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import insert, select

from box_crowds import Band
from holotype.boxes.rules import Rules
from holotype.boxes.tally import Given
from holotype.boxes.values import Corners, Drawn, Kind, Method, Question
from holotype.catalog import schema as t
from holotype.crowd.policies import Lead
from holotype.errors import CrowdError, UnknownImage
from holotype.geometry.boxes import iou
from holotype.imports.proposals import GivenBox
from holotype.project import Project
from holotype.project.box_gold import BoxStatement
from holotype.project.box_records import CatalogRecord, read_boxes

RULES = Rules(Lead(2, 5), Lead(2, 5))
WHIPPET = "n02091134"


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def sizes(db: Project) -> dict[int, tuple[str, int, int]]:
    read, candidate = t.fingerprint.c, t.candidate.c
    joined = t.candidate.join(t.fingerprint, read.image_id == candidate.image_id)
    asked = select(candidate.id, read.sha256, read.width, read.height).select_from(joined)
    with db.catalog.read() as connection:
        return {id: (sha256, width, height) for id, sha256, width, height in connection.execute(asked)}


def whippets(db: Project) -> list[int]:
    return [task.number for task in db.candidates.tasks() if task.wnid == WHIPPET]


def known(db: Project, *numbers: int, box: Corners = (4, 4, 23, 23)) -> list[GivenBox]:
    size = sizes(db)
    return [GivenBox(size[number][0], WHIPPET, box, None, row) for row, number in enumerate(numbers, 1)]


def overlap(one: Corners, other: Corners) -> float:
    return float(iou(np.array(one, np.float64), np.array(other, np.float64), inclusive=True))


def kinds(statements: list[BoxStatement]) -> list[tuple[Kind, bool | None, int]]:
    return sorted((one.kind, one.answer, len(one.boxes)) for one in statements)


def test_known_boxes_are_good_and_what_is_made_of_them_bad(db: Project) -> None:
    first, second = whippets(db)[:2]
    report, refused = db.boxes.gold.add(known(db, first, second), "curator", complete=True)
    assert (report.new, report.known, report.images, refused) == (8, 0, 2, [])
    held = db.boxes.gold.statements()
    each = [(Kind.COVERAGE, False, 0), (Kind.COVERAGE, True, 1), (Kind.QUALITY, False, 1), (Kind.QUALITY, True, 1)]
    assert kinds(held) == sorted(each * 2)
    good = [one.boxes[0] for one in held if one.kind is Kind.QUALITY and one.answer]
    bad = [one.boxes[0] for one in held if one.kind is Kind.QUALITY and not one.answer]
    assert good == [(4, 4, 23, 23)] * 2
    assert all(0.4 <= overlap(good[0], one) <= 0.65 for one in bad)
    assert {one.source for one in held} == {"curator"}


def test_the_same_gold_again_adds_nothing(db: Project) -> None:
    boxes = known(db, *whippets(db)[:3])
    first, _ = db.boxes.gold.add(boxes, "curator", complete=True)
    again, _ = db.boxes.gold.add(boxes, "curator", complete=True)
    assert (again.new, again.known) == (0, first.new)
    with db.catalog.read() as connection:
        made = connection.execute(select(t.drawing.c.id)).all()
        assert len(made) == 6, "three good boxes, three bad ones"


def test_gold_is_asked_on_pages_and_its_drawings_are_boxes_of_no_image(db: Project) -> None:
    asked = whippets(db)
    gold = asked[:3]
    db.boxes.gold.add(known(db, *gold), "curator")
    size = sizes(db)
    truth = {size[number][0]: [(4, 4, 23, 23)] for number in asked}
    crowd = Band(truth, 14)
    db.boxes.run(crowd, RULES, under=[WHIPPET])
    with db.catalog.read() as connection:
        tally = read_boxes(connection)
        questions = {tally.id_of(question) for question in tally.gold}
        answered = set(connection.execute(select(t.box_answer.c.question_id)).scalars())
        assert len(answered & questions) >= 1
        drawings = set(connection.execute(select(t.box.c.drawing_id)).scalars()) - {None}
        of_gold = select(t.drawing.c.id).select_from(t.drawing.join(t.box_question))
        of_gold = of_gold.where(t.box_question.c.kind == t.BOX_KINDS.index("gold"))
        assert drawings.isdisjoint(connection.execute(of_gold).scalars())
    for number in gold:
        assert len(db.boxes.of(size[number][0])) == 1


def test_gold_is_withdrawn_by_number_or_image_and_not_made_again(db: Project) -> None:
    first, second = whippets(db)[:2]
    boxes = known(db, first, second)
    db.boxes.gold.add(boxes, "curator", complete=True)
    one = db.boxes.gold.statements()[0]
    assert db.boxes.gold.withdraw([one.number], "me", "it was wrong") == 1
    assert db.boxes.gold.withdraw([one.number], "me", "it was wrong") == 0
    image = sizes(db)[second][0]
    assert db.boxes.gold.withdraw([image], "me", "all wrong") == 4
    held = {said.number: said for said in db.boxes.gold.statements()}
    assert held[one.number].withdrawn
    assert [said.withdrawn for said in held.values() if said.sha256 == image] == [True] * 4
    again, _ = db.boxes.gold.add(boxes, "curator", complete=True)
    assert (again.new, again.known) == (0, 8)
    with db.catalog.read() as connection:
        assert len(read_boxes(connection).gold) == 3


def test_what_cannot_be_withdrawn_is_told(db: Project) -> None:
    db.boxes.gold.add(known(db, whippets(db)[0]), "curator")
    with pytest.raises(CrowdError, match="needs a reason"):
        db.boxes.gold.withdraw([1], "me", " ")
    with pytest.raises(CrowdError, match="no gold of boxes is called '999'"):
        db.boxes.gold.withdraw([999], "me", "why")
    with pytest.raises(UnknownImage):
        db.boxes.gold.withdraw(["nobody.jpg"], "me", "why")
    other = sizes(db)[whippets(db)[1]][0]
    with pytest.raises(CrowdError, match="no gold of boxes"):
        db.boxes.gold.withdraw([other], "me", "why")


def test_boxes_that_are_none_make_an_image_incomplete(db: Project) -> None:
    first, second = whippets(db)[:2]
    boxes = [
        *known(db, first, second),
        GivenBox(sizes(db)[first][0], WHIPPET, (900, 900, 950, 950), None, 3),
        GivenBox("nobody.jpg", WHIPPET, (1, 1, 9, 9), None, 4),
    ]
    report, refused = db.boxes.gold.add(boxes, "curator", complete=True)
    assert [(one.row, one.reason) for one in refused] == [(3, "outside"), (4, "unknown_image")]
    covered = [one.sha256 for one in db.boxes.gold.statements() if one.kind is Kind.COVERAGE]
    assert set(covered) == {sizes(db)[second][0]}
    assert report.images == 2


def test_three_who_agree_make_gold_and_a_covered_image_is_complete(db: Project) -> None:
    first, second = whippets(db)[:2]
    record = CatalogRecord(db.catalog, lambda: 5.0)
    [one, other] = record.ask([Question(first, Kind.DRAW), Question(second, Kind.DRAW)])
    for by, worker in enumerate(["ann", "bob", "cid"]):
        record.reply([Given(one, worker, Drawn((4 + by, 4, 23 + by, 23), Method.DRAG), "p", 1)])
    record.reply([Given(other, "ann", Drawn((4, 4, 23, 23), Method.DRAG), "p", 1)])
    report = db.boxes.gold.agree()
    assert (report.new, report.images) == (2, 1)
    held = db.boxes.gold.statements()
    assert kinds(held) == [(Kind.QUALITY, False, 1), (Kind.QUALITY, True, 1)]
    assert [said.boxes for said in held if said.answer] == [((5, 4, 24, 23),)]
    assert db.boxes.gold.agree().new == 0


def imported(db: Project, number: int, *boxes: Corners, **flags: int) -> None:
    """Boxes that an archive gave to a candidate's image."""
    with db.catalog.write() as connection:
        image = connection.execute(select(t.candidate.c.image_id).where(t.candidate.c.id == number)).scalar_one()
        file = connection.execute(select(t.image.c.file_id).where(t.image.c.id == image)).scalar_one()
        for x_min, y_min, x_max, y_max in boxes:
            corners = {"x_min": x_min, "y_min": y_min, "x_max": x_max, "y_max": y_max}
            row = {"image_id": image, "wnid": WHIPPET, "file_id": file} | corners | flags
            connection.execute(insert(t.box).values(row))


def test_boxes_of_archives_are_complete_only_where_somebody_says_so(db: Project) -> None:
    first, second, third, fourth = whippets(db)[:4]
    imported(db, first, (4, 4, 23, 23), (4, 4, 23, 23))
    imported(db, second, (4, 4, 15, 23), (18, 4, 30, 23))
    imported(db, third, (0, 0, 5000, 20))
    imported(db, fourth, (4, 4, 23, 23), group_of=1)
    report = db.boxes.gold.imported()
    assert {one.kind for one in db.boxes.gold.statements()} == {Kind.QUALITY}
    assert (report.new, report.images, report.left_out) == (6, 2, {"outside of the picture": 1})
    whole = db.boxes.gold.imported(["whippet"], complete=True)
    assert (whole.new, whole.known) == (4, 6)
    coverage = [one for one in db.boxes.gold.statements() if one.kind is Kind.COVERAGE]
    assert sorted((len(one.boxes), bool(one.answer)) for one in coverage) == [
        (0, False),
        (1, False),
        (1, True),
        (2, True),
    ]
    assert db.boxes.gold.imported(["cat"], complete=True).new == 0


def test_a_synset_has_no_more_gold_than_is_wanted(db: Project) -> None:
    for number in whippets(db):
        imported(db, number, (4, 4, 23, 23))
    assert db.boxes.gold.imported(complete=True, most=4).new == 8
    answers = [(one.kind, one.answer) for one in db.boxes.gold.statements()]
    assert all(answers.count((kind, yes)) == 2 for kind in (Kind.QUALITY, Kind.COVERAGE) for yes in (True, False))
