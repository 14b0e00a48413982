"""What curators say of boxes, labels that change, boxes that archives gave, and rules that change."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from box_people import RULES, campaign, open_pages, truth_of, work
from conftest import run
from holotype.boxes.drawers import poor_drawers
from holotype.boxes.rules import Rules
from holotype.boxes.values import Corners, Kind
from holotype.catalog import box_facts, box_known, box_subjects
from holotype.catalog import schema as t
from holotype.consensus.votes import Task
from holotype.crowd.policies import Fixed
from holotype.errors import CrowdError
from holotype.project import Project
from holotype.project.box_records import read_boxes
from holotype.project.box_reports import RulesChange
from said_boxes import Said, say

WHIPPET, CAT = "n02091134", "n02121808"
ONE, OTHER = (2, 2, 30, 40), (12, 4, 44, 40)
"""Two boxes that overlap by more than half."""


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def corners(db: Project, task: Task) -> list[Corners]:
    return sorted(one.box for one in db.boxes.of(task.sha256))


def rows(db: Project) -> list[object]:
    """What is concluded, but for the time."""
    coverage = t.coverage.c
    states = select(coverage.candidate_id, coverage.state, coverage.boxes, coverage.policy_id)
    with db.catalog.read() as connection:
        boxes = [tuple(row)[1:] for row in connection.execute(select(t.box))]
        return [sorted(map(str, boxes)), sorted(map(tuple, connection.execute(states)))]


def with_boxes(db: Project, count: int) -> Task:
    """The first candidate that shows so many instances."""
    truth = truth_of(db)
    return next(task for task in db.candidates.tasks() if len(truth[task.sha256]) == count)


@pytest.mark.parametrize("boxes", [(), (ONE,), (ONE, OTHER)])
def test_a_curator_says_which_boxes_there_are_and_no_others(db: Project, boxes: tuple[Corners, ...]) -> None:
    campaign(db)
    task = with_boxes(db, 2)
    assert db.boxes.settle(task.sha256, task.wnid, boxes, "ann", "looked closely") == 2
    assert corners(db, task) == sorted(boxes)
    written = rows(db)
    assert {(one.by, one.support) for one in db.boxes.of(task.sha256)} <= {("people", 1.0)}
    report = db.boxes.run(db.boxes.web(), RULES)
    assert (report.states["open"], report.states["person"]) == (0, 0)
    assert rows(db) == written, "a run concludes what was written at once"
    assert db.boxes.settle(task.sha256, task.wnid, boxes, "ann", "the same again") == 0
    assert rows(db) == written


def test_what_people_draw_later_changes_nothing_that_a_curator_settled(db: Project) -> None:
    db.boxes.run(db.boxes.web(), RULES)
    task = with_boxes(db, 2)
    assert db.boxes.settle(task.sha256, task.wnid, [ONE], "ann", "only one") == 0
    work(db, truth_of(db))  # pages that were up
    campaign(db)
    assert corners(db, task) == [ONE]
    with db.catalog.read() as connection:
        drawn = [one for one in box_facts.drawings(connection) if one.worker != "curator:ann"]
        mine = {one.id for one in box_facts.questions(connection) if one.candidate == task.number}
    assert any(one.question in mine for one in drawn), "the page that was up was answered"


def test_a_curator_says_another_thing_or_has_it_drawn_anew(db: Project) -> None:
    campaign(db)
    task = with_boxes(db, 1)
    db.boxes.settle(task.sha256, task.wnid, [ONE, OTHER], "ann", "two")
    assert db.boxes.settle(task.sha256, task.wnid, [OTHER], "bob", "one") == 1
    assert corners(db, task) == [OTHER]
    assert db.boxes.settle(task.sha256, task.wnid, [], "ann", "none at all") == 1
    assert corners(db, task) == []
    assert db.boxes.settle(task.sha256, task.wnid, [ONE, OTHER], "ann", "two after all") == 0
    assert corners(db, task) == sorted([ONE, OTHER])
    assert db.boxes.redo(task.sha256, task.wnid, "bob", "let people see") == 2
    assert db.boxes.run(db.boxes.web(), RULES).states["open"] == 1
    assert corners(db, task) == []
    assert campaign(db).states["open"] == 0
    assert corners(db, task) == truth_of(db)[task.sha256]


def test_what_curators_rule_is_no_gold_that_others_are_asked(db: Project) -> None:
    campaign(db)
    first, second = db.candidates.tasks()[:2]
    db.boxes.settle(first.sha256, first.wnid, [ONE], "ann", "one")
    db.boxes.redo(second.sha256, second.wnid, "ann", "wrong")
    with db.catalog.read() as connection:
        assert box_known.gold(connection) == {}
        assert {one.source for one in box_known.known(connection)} == {"curator:ann"}
        tally = read_boxes(connection)
    assert tally.ruled == tally.gold.keys() != set()
    assert not [found for kind in Kind for found in tally.gold_of(kind, first.wnid)]
    assert db.boxes.gold.statements() == []
    reviews = db.boxes.review()
    assert all(not one.worker.startswith("curator:") for one in reviews.drawers)
    assert poor_drawers([("curator:ann", True)] * 20 + [("bob", False)] * 20, 0.9) == {"bob"}
    db.boxes.run(db.boxes.web(), RULES)
    asked = {item.question for page, _ in open_pages(db) for item in page.items}
    assert asked
    assert asked.isdisjoint(tally.ruled)


def test_what_cannot_be_settled_says_why(db: Project) -> None:
    task = db.candidates.tasks()[0]
    with pytest.raises(CrowdError, match="not inside the picture"):
        db.boxes.settle(task.sha256, task.wnid, [ONE, (0, 0, 10**5, 10)], "ann", "why not")
    with pytest.raises(CrowdError, match="reason"):
        db.boxes.settle(task.sha256, task.wnid, [ONE], "ann", " ")
    with pytest.raises(CrowdError, match="no source of gold"):
        db.boxes.gold.add([], "curator:ann")
    other = next(one for one in (WHIPPET, CAT) if one != task.wnid)
    with pytest.raises(CrowdError, match="no candidate"):
        db.boxes.settle(task.sha256, other, [ONE], "ann", "why not")
    db.labels.overrule({(task.sha256, task.wnid): False}, "ann", "it is none")
    with pytest.raises(CrowdError, match="not labelled yes"):
        db.boxes.settle(task.sha256, task.wnid, [ONE], "ann", "why not")
    with db.catalog.read() as connection:
        assert box_facts.questions(connection) == [], "nothing of it is kept"


def test_boxes_go_where_the_label_is_yes_no_more_and_come_back_with_it(db: Project) -> None:
    campaign(db)
    before, task = rows(db), with_boxes(db, 2)
    db.labels.overrule({(task.sha256, task.wnid): False}, "ann", "it is none")
    report = db.boxes.conclude()
    assert corners(db, task) == []
    with db.catalog.read() as connection:
        assert task.number not in {row.candidate_id for row in connection.execute(select(t.coverage))}
        assert box_subjects.fallen(connection) == []
    assert sum(one.unlabelled for one in db.boxes.status()) == 1
    assert sum(one.images for one in db.boxes.status()) == 11
    assert report.rules == str(RULES), "the rules as last"
    assert "1 more image asked about or drawn on: not labelled yes" in run("boxes", "status", "--project", str(db.path))
    db.labels.overrule({(task.sha256, task.wnid): True}, "ann", "it is one")
    db.boxes.conclude()
    assert rows(db) == before
    assert sum(one.unlabelled for one in db.boxes.status()) == 0


def test_images_that_archives_gave_boxes_to_are_left_out_unless_asked_for(db: Project) -> None:
    tasks = db.candidates.tasks()
    with db.catalog.read() as connection:
        image = dict(connection.execute(select(t.candidate.c.id, t.candidate.c.image_id)).all())
    other = next(one for one in (WHIPPET, CAT) if one != tasks[1].wnid)
    say(db, [(image[tasks[0].number], tasks[0].wnid, Said(ONE)), (image[tasks[1].number], other, Said(ONE))])
    report = db.boxes.run(db.boxes.web(), RULES)
    assert (report.archived, sum(report.states.values())) == (1, 11), "a box of another synset is no box of this one"
    assert all(item.sha256 != tasks[0].sha256 for page, _ in open_pages(db) for item in page.items)
    report = db.boxes.run(db.boxes.web(), RULES, archived=True)
    assert (report.archived, sum(report.states.values())) == (0, 12)
    db.close()
    out = run("boxes", "run", "--crowd", "web", "--once", "--project", str(db.path))
    assert "1 more image left out that archives gave boxes to" in out


def test_other_rules_say_what_they_change_before_it_is_written(db: Project) -> None:
    campaign(db)
    boxes = sum(map(len, truth_of(db).values()))
    heard: list[tuple[RulesChange, int]] = []

    def hear(change: RulesChange) -> None:
        heard.append((change, sum(len(corners(db, task)) for task in db.candidates.tasks())))

    db.boxes.run(db.boxes.web(), changing=hear)
    assert heard == [], "without any, those as last"
    strict = Rules(Fixed(4), Fixed(4))
    db.boxes.run(db.boxes.web(), strict, changing=hear)
    [(change, held)] = heard
    assert (change.boxes_before, change.boxes_after, held) == (boxes, 0, boxes)
    assert (change.before, change.after, change.images) == (str(RULES), str(strict), 12)
    assert db.boxes.rules() == strict


def test_the_commands_list_where_a_person_is_wanted_and_settle_it(db: Project) -> None:
    few = Rules(RULES.quality, RULES.coverage, most=1)
    truth = truth_of(db)
    while db.boxes.run(db.boxes.web(), few).waiting and work(db, truth):
        pass
    wanted = db.boxes.wanting_a_person()
    assert {one.sha256 for one in wanted} == {sha256 for sha256, found in truth.items() if found}
    db.close()
    project = "--project", str(db.path)
    assert f"\n{wanted[0].image}\t{wanted[0].sha256[:16]}\t{wanted[0].wnid}" in run(
        "boxes", "status", "--person", *project
    )
    said = wanted[0].sha256, wanted[0].wnid, "--reason", "looked", *project
    assert "1 box by you; 1 box of others went" in run("boxes", "settle", *said, "--box", "1,2,30,40")
    assert "0 boxes by you; 1 box of others went" in run("boxes", "settle", *said, "--none")
    told = json.loads(run("boxes", "status", "--person", "--json", *project))
    assert [one["sha256"] for one in told] == [one.sha256 for one in wanted[1:]]
