"""Campaigns for boxes in a project: people on the web, interruptions, conclusions, and what is forgotten or hidden."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select

import holotype
from box_people import RULES, campaign, hand_in, open_pages, truth_of, work
from conftest import run
from holotype.boxes.campaign import Standing
from holotype.boxes.replies import to_json
from holotype.boxes.rules import Rules, parse_rules
from holotype.boxes.values import Corners, Drawn, Method
from holotype.catalog import box_conclusions
from holotype.catalog import schema as t
from holotype.crowd.policies import Fixed
from holotype.errors import CrowdError, ProjectError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.box_inbox import CatalogBoxInbox
from holotype.project.box_reports import RulesChange
from holotype.project.one_process import BOXES, alone

WHIPPET, CAT = "n02091134", "n02121808"


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


def facts(db: Project) -> Counter[Any]:
    """Every reply, by what it is of and not by ids."""
    question, drawing, answer = t.box_question.c, t.drawing.c, t.box_answer.c
    drawn = (drawing.x_min, drawing.y_min, drawing.x_max, drawing.y_max, drawing.more)
    with db.catalog.read() as connection:
        made = {
            id: (candidate, len(shown), name, *corners)
            for id, candidate, shown, name, *corners in connection.execute(
                select(drawing.id, question.candidate_id, question.shown, t.worker.c.name, *drawn)
                .join(t.box_question, question.id == drawing.question_id)
                .join(t.worker)
            )
        }
        rows = connection.execute(
            select(
                question.candidate_id,
                question.kind,
                question.drawing_id,
                question.shown,
                t.worker.c.name,
                answer.answer,
            )
            .join(t.box_question, question.id == answer.question_id)
            .join(t.worker)
        ).all()
    said = [(c, k, made.get(d), tuple(made[int(n)] for n in s.split(",") if n), w, a) for c, k, d, s, w, a in rows]
    return Counter(made.values()) + Counter(said)


def boxes(db: Project) -> dict[str, list[Corners]]:
    """The boxes of each image, by its sha256."""
    return {task.sha256: sorted(one.box for one in db.boxes.of(task.sha256)) for task in db.candidates.tasks()}


def rows(db: Project, table: Any) -> list[Any]:
    with db.catalog.read() as connection:
        return list(connection.execute(select(table)).all())


def without_ids(found: list[Any]) -> list[Any]:
    return [tuple(row)[1:] for row in found]


def test_people_box_all_there_is_and_it_is_counted(db: Project) -> None:
    report = campaign(db)
    truth = truth_of(db)
    assert boxes(db) == {sha256: sorted(found) for sha256, found in truth.items()}
    assert report.states == {
        "covered": sum(bool(found) for found in truth.values()),
        "empty": sum(not found for found in truth.values()),
        "person": 0,
        "open": 0,
    }
    assert len(db.images.find("boxes>=1")) == report.states["covered"]
    sha256 = {task.number: task.sha256 for task in db.candidates.tasks()}
    assert {row.id: row.boxes for row in rows(db, t.candidate)} == {n: len(truth[one]) for n, one in sha256.items()}
    assert {one.by for task in db.candidates.tasks() for one in db.boxes.of(task.sha256)} == {"people"}
    stands = {one.wnid: one for one in db.boxes.status()}
    assert [stands[wnid].images for wnid in (WHIPPET, CAT)] == [8, 4]
    assert sum(one.boxes for one in stands.values()) == sum(map(len, truth.values())) == report.boxes
    assert all(one.good == one.judged == one.drawings == one.boxes for one in stands.values())


def test_what_is_concluded_again_is_the_same_rows(db: Project) -> None:
    campaign(db)
    before = [rows(db, table) for table in (t.box, t.coverage, t.image, t.candidate)]
    db.boxes.conclude(RULES)
    assert [rows(db, table) for table in (t.box, t.coverage, t.image, t.candidate)] == before
    strict = db.boxes.conclude(Rules(Fixed(4), Fixed(4)))
    assert strict.boxes == 0, "by four judges each nothing is accepted yet"
    assert len(db.images.find("boxes>=1")) == 0
    db.boxes.conclude(RULES)
    assert sorted(map(str, without_ids(rows(db, t.box)))) == sorted(map(str, without_ids(before[0])))
    assert [rows(db, table) for table in (t.image, t.candidate)] == before[2:]


@pytest.mark.parametrize("first", [40, 75, 160, 333, 700])
def test_killed_at_any_moment_nothing_is_lost_or_doubled(
    labelled_once: Path, tmp_path: Path, wordnet: Ontology, first: int
) -> None:
    """A process that is killed over and over, later each time, and at last is not."""
    calm, killed = (Path(shutil.copytree(labelled_once, tmp_path / name)) for name in ("calm", "killed"))
    with holotype.open(calm, wordnet) as db:
        told = campaign(db).states
        wanted = facts(db), boxes(db)
    program = [sys.executable, str(Path(__file__).with_name("box_people.py")), str(killed), str(first)]
    assert subprocess.run(program, check=False, timeout=300).returncode == -9
    with holotype.open(killed, wordnet) as db:
        assert campaign(db).states == told
        assert (facts(db), boxes(db)) == wanted


def test_a_campaign_asks_about_what_a_query_finds_alone_within_its_budget(db: Project) -> None:
    report = db.boxes.run(db.boxes.web(), RULES, under=[CAT])
    assert (sum(report.states.values()), report.up) == (4, 4)
    wider = db.boxes.run(db.boxes.web(), RULES, "under:whippet", budget=9)
    assert (sum(wider.states.values()), wider.up, wider.held_back) == (8, 9, True)
    work(db, truth_of(db))
    report = db.boxes.run(db.boxes.web(), RULES, under=[CAT], budget=9)
    assert (report.replies, report.new_replies, report.held_back) == (9, 9, True)
    assert not open_pages(db)


def test_a_hidden_picture_is_not_asked_and_its_replies_count_as_nothing(db: Project) -> None:
    db.boxes.run(db.boxes.web(), RULES)
    gone = db.candidates.tasks()[0]
    work(db, truth_of(db))
    db.images.withdraw([gone.sha256], "me", "no")
    report = db.boxes.run(db.boxes.web(), RULES)
    assert (sum(report.states.values()), report.new_replies) == (11, 11)
    assert all(item.sha256 != gone.sha256 for page, _ in open_pages(db) for item in page.items)
    db.images.restore([gone.sha256], "me", "yes after all")
    db.crowd.run(db.crowd.simulated())
    assert sum(campaign(db).states.values()) == 12


def test_what_a_blocked_worker_says_counts_for_nothing_and_is_asked_again(db: Project) -> None:
    truth = truth_of(db)
    db.boxes.run(db.boxes.web(), RULES)
    for page, _ in open_pages(db):
        hand_in(db, page, "liar", [to_json(Drawn(None, Method.KEYS)) for _ in page.items])
    db.boxes.run(db.boxes.web(), RULES)
    db.workers.block("liar", "says nothing is there")
    report = campaign(db)
    assert boxes(db) == {sha256: sorted(found) for sha256, found in truth.items()}
    assert report.states["open"] == 0


def test_boxes_that_are_wrong_are_drawn_anew(db: Project) -> None:
    campaign(db)
    truth = truth_of(db)
    task = next(task for task in db.candidates.tasks() if len(truth[task.sha256]) == 1)
    with pytest.raises(CrowdError, match="reason"):
        db.boxes.redo(task.sha256, task.wnid, "me", " ")
    assert db.boxes.redo(task.sha256, task.wnid, "me", "that is a lamp") == 1
    report = db.boxes.run(db.boxes.web(), RULES)
    assert report.states["open"] == 1
    assert db.boxes.of(task.sha256) == []
    assert campaign(db).states["open"] == 0
    assert boxes(db)[task.sha256] == truth[task.sha256]
    other = next(one for one in (WHIPPET, CAT) if one != task.wnid)
    with pytest.raises(CrowdError, match="nothing was concluded"):
        db.boxes.redo(task.sha256, other, "me", "why not")


def test_the_rules_as_last_are_no_other_rules(db: Project) -> None:
    assert str(parse_rules(str(Rules()))) == str(Rules())
    changes: list[RulesChange] = []
    for _ in range(2):
        db.boxes.run(db.boxes.simulated(), changing=changes.append)
    assert changes == []


def test_one_process_at_a_time_asks_for_boxes(db: Project) -> None:
    """The questions of another's pages would be none that this one knows, and their replies left out."""
    with (
        alone(db.path, db.catalog, BOXES),
        pytest.raises(ProjectError, match="another process asks for boxes in this project right now"),
    ):
        db.boxes.run(db.boxes.web(), RULES)
    assert db.boxes.run(db.boxes.web(), RULES).up > 0


def test_a_sheet_that_comes_twice_or_late_changes_nothing(db: Project) -> None:
    db.boxes.run(db.boxes.web(), RULES)
    [(page, _), *_] = open_pages(db)
    told = [to_json(Drawn((0, 0, 9, 9), Method.DRAG)) for _ in page.items]
    hand_in(db, page, "ann", told)
    hand_in(db, page, "bob", told)  # two were lent it at once
    report = db.boxes.run(db.boxes.web(), RULES)
    assert report.new_replies == 2
    assert db.boxes.run(db.boxes.web(), RULES).new_replies == 0
    assert campaign(db).states["open"] == 0


def test_postgresql_comes_to_the_same(
    postgres: str,
    new_project: Callable[[Path], Path],
    tmp_path: Path,
    wordnet: Ontology,
    fill: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(tmp_path / "photos" / WHIPPET, 4)
    found = []
    for name in ("sqlite", "postgres"):
        if name == "postgres":
            monkeypatch.setenv("HOLOTYPE_CATALOG", postgres)
        with holotype.open(new_project(tmp_path / name), wordnet) as db:
            db.images.ingest(tmp_path / "photos")
            db.crowd.run(db.crowd.simulated())
            report = campaign(db)
            db.boxes.conclude(RULES)
            found.append((report, facts(db), boxes(db), db.boxes.status()))
    assert found[0] == found[1]


def test_the_command_asks_on_and_says_how_it_stands(db: Project) -> None:
    db.close()
    project = "--project", str(db.path)
    assert "nobody was asked" in run("boxes", "status", *project)
    out = run("boxes", "run", "--crowd", "web", "--once", *project)
    assert "12 candidates: covered 0, empty 0, person 0, open 12" in out
    assert "12 pages wait for people" in out
    out = run("boxes", "run", "--crowd", "simulated", "--quality", "lead(2, 5)", *project)
    assert "open 0" in out
    assert run("boxes", "status", *project).splitlines()[-1].startswith("all\t12\t")
    told = json.loads(run("boxes", "status", "--json", *project))
    assert [one["wnid"] for one in told] == [WHIPPET, CAT]


def test_conclusions_know_who_says_so(db: Project) -> None:
    campaign(db)
    with db.catalog.read() as connection:
        images = [row.id for row in rows(db, t.image)]
        held = box_conclusions.boxes_of(connection, images)
    assert {(one.kind, one.path) for one in held} == {("drawings", "people")}
    assert all(one.support == 1.0 and one.drawing for one in held)


def test_what_waits_is_the_same_whoever_looked_or_counted_before(db: Project) -> None:
    truth, mine = truth_of(db), CatalogBoxInbox(db.catalog, lambda: 5.0)

    def waits_as_for_a_new_one() -> set[str]:
        fresh = {page.id for page in CatalogBoxInbox(db.catalog, lambda: 5.0).waiting()}
        assert {page.id for page in mine.waiting()} == fresh
        return fresh

    db.boxes.run(db.boxes.web(), RULES)
    first = waits_as_for_a_new_one()
    assert len(first) == 12
    work(db, truth)
    numbers = [one.number for one in mine.received()[0]]
    mine.count(numbers[:5])
    assert len(waits_as_for_a_new_one()) == 7
    mine.count(numbers[4:7])  # one of them again
    assert len(waits_as_for_a_new_one()) == 5
    CatalogBoxInbox(db.catalog, lambda: 5.0).count(numbers[7:8])
    assert len(waits_as_for_a_new_one()) == 4
    mine.take_down([min(waits_as_for_a_new_one())])
    waits_as_for_a_new_one()
    work(db, truth)
    db.boxes.run(db.boxes.web(), RULES)  # another campaign counts, and asks on
    assert waits_as_for_a_new_one()


def test_a_look_with_no_news_reads_little_and_one_with_news_sees_it(db: Project) -> None:
    truth, statements, told = truth_of(db), [0], list[tuple[int, int]]()

    def again(standing: Standing) -> bool:
        told.append((statements[0], standing.new))
        if len(told) == 3:
            work(db, truth)
        statements[0] = 0
        return len(told) < 5

    @event.listens_for(Engine, "before_cursor_execute")
    def count(*_: object) -> None:
        statements[0] += 1

    try:
        db.boxes.run(db.boxes.web(), RULES, again=again)
    finally:
        event.remove(Engine, "before_cursor_execute", count)
    assert [new for _, new in told[:5]] == [0, 0, 0, 12, 0]
    first, _, idle, news, _ = (number for number, _ in told)
    assert idle < 12 < min(first, news)
