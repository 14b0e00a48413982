"""Proposals of machines in a project: recorded once, verified by people, taken out of the count by a block."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from box_crowds import Band
from holotype.boxes.rules import Rules
from holotype.boxes.values import Corners
from holotype.catalog import schema as t
from holotype.crowd.policies import Lead
from holotype.errors import CrowdError
from holotype.imports.proposals import GivenBox
from holotype.project import Project
from test_box_gold_rows import WHIPPET, sizes, whippets

RULES = Rules(Lead(2, 5), Lead(2, 5))
BOX: Corners = (4, 4, 23, 23)


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def proposals(db: Project, **more: object) -> list[GivenBox]:
    size = sizes(db)
    return [GivenBox(size[number][0], WHIPPET, BOX, 0.9, row) for row, number in enumerate(whippets(db), 1)]


def drawn(db: Project) -> list[tuple[str, int, int | None]]:
    asked = select(t.worker.c.name, t.drawing.c.number, t.drawing.c.x_max).select_from(t.drawing.join(t.worker))
    with db.catalog.read() as connection:
        return [(name, number, x_max) for name, number, x_max in connection.execute(asked.order_by(t.drawing.c.id))]


def test_proposals_are_drawings_of_a_machine_and_the_same_again_adds_nothing(db: Project) -> None:
    report = db.boxes.propose("yolo", proposals(db))
    assert (report.worker, report.new, report.known, report.refused) == ("machine:yolo", 8, 0, ())
    assert drawn(db) == [("machine:yolo", 0, 23)] * 8
    again = db.boxes.propose("machine:yolo", proposals(db))
    assert (again.new, again.known) == (0, 8)
    assert str(again) == "8 proposals of machine:yolo = 0 new + 8 known + 0 left out; 0 were clipped"
    assert len(drawn(db)) == 8


def test_several_of_an_image_are_numbered_and_repeats_are_left_out(db: Project) -> None:
    image = sizes(db)[whippets(db)[0]][0]
    boxes: list[Corners] = [(0, 0, 9, 9), (0, 0, 9, 10), (12, 0, 21, 9)]
    given = [
        GivenBox(image, WHIPPET, box, score, n)
        for n, (box, score) in enumerate(zip(boxes, (0.5, 0.8, 0.1), strict=True), 1)
    ]
    report = db.boxes.propose("yolo", given)
    assert report.new == 2
    assert [(one.row, one.reason) for one in report.refused] == [(1, "repeated")]
    assert [row[:2] for row in drawn(db)] == [("machine:yolo", 0), ("machine:yolo", 1)]
    more = db.boxes.propose("yolo", [GivenBox(image, WHIPPET, (12, 12, 21, 21), None, 1)])
    assert (more.new, drawn(db)[-1]) == (1, ("machine:yolo", 2, 21))


def test_images_have_any_name_and_synsets_any_word(db: Project) -> None:
    image = sizes(db)[whippets(db)[0]][0]
    report = db.boxes.propose("yolo", [GivenBox(image[:12], "whippet", BOX)])
    assert report.new == 1


def test_what_fits_nothing_is_left_out_with_row_and_reason(db: Project) -> None:
    number = whippets(db)[0]
    image, width, height = sizes(db)[number]
    given = [
        GivenBox("nobody.jpg", WHIPPET, BOX, 0.9, 1),
        GivenBox(image, "n02121808", BOX, 0.9, 2),
        GivenBox(image, "flurble", BOX, 0.9, 3),
        GivenBox(image, WHIPPET, (width, 0, width + 5, 5), 0.9, 4),
        GivenBox(image, WHIPPET, (9, 9, 5, 5), 0.9, 5),
        GivenBox(image, WHIPPET, BOX, 0.2, 6),
        GivenBox(image, WHIPPET, (-5, -5, width + 5, height + 5), 0.9, 7),
    ]
    report = db.boxes.propose("yolo", given, least=0.5)
    assert [(one.row, one.reason) for one in report.refused] == [
        (1, "unknown_image"),
        (2, "no_candidate"),
        (3, "unknown_synset"),
        (4, "outside"),
        (5, "inverted"),
        (6, "unsure"),
    ]
    assert (report.new, report.clipped) == (1, 1)
    assert report.reasons["outside"] == 1
    assert f"{width} x {height} pixels" in report.refused[3].detail


def test_a_file_is_read_and_its_broken_rows_are_told_with_the_rest(db: Project, tmp_path: Path) -> None:
    image = sizes(db)[whippets(db)[0]][0]
    path = tmp_path / "boxes.csv"
    path.write_text(f"image,wnid,x1,y1,x2,y2,score\n{image},{WHIPPET},nan,4,23,23,1\n{image},whippet,4,4,23,23,1\n")
    report = db.boxes.propose("yolo", path)
    assert report.new == 1
    assert [(one.row, one.reason) for one in report.refused] == [(2, "no_number")]


def test_a_name_that_is_none_is_refused(db: Project) -> None:
    for name in ("", " ", "a\nb", "machine:"):
        with pytest.raises(CrowdError, match="a machine needs a name"):
            db.boxes.propose(name, [])


def test_people_only_verify_and_a_block_takes_the_boxes_out_of_the_count(db: Project) -> None:
    db.boxes.propose("yolo", proposals(db))
    truth = {sha256: [BOX] for sha256, _, _ in sizes(db).values()}
    report = db.boxes.run(Band(truth, 14), RULES, under=[WHIPPET])
    assert (report.states["covered"], report.boxes) == (8, 8)
    assert {name for name, _, _ in drawn(db)} == {"machine:yolo"}, "nobody had to draw"
    image = sizes(db)[whippets(db)[0]][0]
    assert [(one.by, one.box) for one in db.boxes.of(image)] == [("machine:yolo", BOX)]


def test_blocked_before_anybody_verified_them_they_are_drawn_by_people(db: Project) -> None:
    db.boxes.propose("yolo", proposals(db))
    db.workers.block("machine:yolo", "bad weights")
    truth = {sha256: [BOX] for sha256, _, _ in sizes(db).values()}
    report = db.boxes.run(Band(truth, 14), RULES, under=[WHIPPET])
    assert report.states["covered"] == 8
    image = sizes(db)[whippets(db)[0]][0]
    assert [one.by for one in db.boxes.of(image)] == ["people"]


def test_who_drew_badly_is_reviewed_and_blocked_and_their_boxes_go(db: Project) -> None:
    wrong: Corners = (0, 0, 6, 6)
    truth = {sha256: [BOX] for sha256, _, _ in sizes(db).values()}
    db.boxes.propose("yolo", proposals(db)[:4])
    db.boxes.propose("rcnn", [GivenBox(one.image, one.synset, wrong, 0.5, one.row) for one in proposals(db)])
    db.boxes.run(Band(truth, 14), RULES, under=[WHIPPET])
    drawers = {one.worker: one for one in db.boxes.review().drawers}
    assert (drawers["machine:rcnn"].good, drawers["machine:rcnn"].known) == (0, 8)
    assert (drawers["machine:yolo"].good, drawers["machine:yolo"].known) == (4, 4)
    judge = next(one for one in db.boxes.review().quality if one.votes > 1).worker
    before = {image: len(db.boxes.of(image)) for image in truth}
    db.workers.block(judge, "sleeps")
    assert judge not in {one.worker for one in db.boxes.review().quality}
    opened = db.boxes.status()[0].states
    assert opened["open"] > 0, "what rested on their answers is open again"
    db.workers.unblock(judge, "woke up")
    assert {image: len(db.boxes.of(image)) for image in truth} == before
