"""Commands about gold of boxes, proposals, reviews, and Mechanical Turk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from box_crowds import Band
from holotype.boxes.values import Corners
from holotype.cli.root import holotype as commands
from holotype.project import Project
from test_box_gold_rows import RULES, WHIPPET, imported, sizes, whippets

BOX: Corners = (4, 4, 23, 23)


@pytest.fixture
def db(labelled_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(labelled_once)


@pytest.fixture
def say(db: Project) -> Callable[..., Result]:
    def run(*words: object, code: int = 0) -> Result:
        found = CliRunner().invoke(commands, [*map(str, words), "--project", str(db.path)])
        assert found.exit_code == code, found.output
        return found

    return run


def table(db: Project, folder: Path, *more: str) -> Path:
    path = folder / "yolo boxes.csv"
    rows = [f"{sizes(db)[number][0]},whippet,4,4,23,23,0.9" for number in whippets(db)]
    path.write_text("\n".join(["image,wnid,x_min,y_min,x_max,y_max,score", *rows, *more]) + "\n")
    return path


def test_proposals_are_taken_in_once_and_broken_rows_told(
    db: Project, say: Callable[..., Result], tmp_path: Path
) -> None:
    path = table(db, tmp_path, "nobody.jpg,whippet,1,1,2,2,0.9", "x,whippet,nan,1,2,2,0.9")
    said = say("boxes", "propose", "yolo", path)
    assert "10 proposals of machine:yolo = 8 new + 0 known + 2 left out (no_number 1, unknown_image 1)" in said.output
    assert "row 10: no image is called 'nobody.jpg' (unknown_image)" in said.output
    assert "row 11: x_min is a number" in said.output
    assert "holotype boxes run" in said.output
    again = json.loads(say("boxes", "propose", "yolo", path, "--json").stdout)
    assert (again["new"], again["known"], len(again["refused"])) == (0, 8, 2)
    least = json.loads(say("boxes", "propose", "rcnn", path, "--min-score", 0.95, "--json").stdout)
    assert least["new"] == 0


def test_gold_is_made_listed_and_withdrawn(db: Project, say: Callable[..., Result], tmp_path: Path) -> None:
    assert "nothing" not in say("boxes", "gold", "agreed").output
    made = say("boxes", "gold", "add", table(db, tmp_path), "--complete")
    assert "32 gold questions = 32 new + 0 known, of 8 images" in made.output
    listed = json.loads(say("boxes", "gold", "list", "--json").stdout)
    assert len(listed) == 32
    assert {one["source"] for one in listed} == {"yolo boxes.csv"}
    shown = say("boxes", "gold", "list").output
    assert "quality" in shown
    assert "(4,4,23,23)" in shown
    number = listed[0]["number"]
    gone = say("boxes", "gold", "withdraw", number, "--reason", "wrong", "--curator", "ann")
    assert "1 gold question withdrawn" in gone.output
    assert "withdrawn" in say("boxes", "gold", "list").output
    image = sizes(db)[whippets(db)[1]][0]
    assert "4 gold questions withdrawn" in say("boxes", "gold", "withdraw", image, "--reason", "wrong").output
    assert "no gold of boxes" in str(say("boxes", "gold", "withdraw", 12345, "--reason", "x", code=1).exception)


def test_gold_of_archives(db: Project, say: Callable[..., Result]) -> None:
    imported(db, whippets(db)[0], BOX)
    assert "2 gold questions = 2 new + 0 known, of 1 images" in say("boxes", "gold", "imported").output
    assert "2 new + 2 known" in say("boxes", "gold", "imported", "--complete", "--under", "dog").output


def test_workers_are_reviewed_and_blocked(db: Project, say: Callable[..., Result], tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    wrong = "0,0,6,2", "0,4,3,9", "0,12,3,20"
    rows = [f"{sizes(db)[number][0]},whippet,{box}" for number in whippets(db) for box in wrong]
    bad.write_text("\n".join(["image,wnid,x1,y1,x2,y2", *rows]))
    say("boxes", "propose", "rcnn", bad)
    say("boxes", "propose", "yolo", table(db, tmp_path))
    truth = {sha256: [BOX] for sha256, _, _ in sizes(db).values()}
    db.boxes.run(Band(truth, 14), RULES, under=[WHIPPET])
    told = say("boxes", "review").output
    assert "to be blocked: machine:rcnn: draws: 0 of 24 are good, of the others' 100%" in told
    assert "holotype boxes review --block" in told
    assert "machine:rcnn" not in db.workers.blocked()
    found = json.loads(say("boxes", "review", "--block", "--json").stdout)
    assert list(found["blocked"]) == ["machine:rcnn"]
    assert db.workers.blocked()["machine:rcnn"] == "draws: 0 of 24 are good, of the others' 100%"
    after = json.loads(say("boxes", "review", "--json").stdout)
    assert "machine:rcnn" not in {one["worker"] for one in after["drawers"]}
    assert after["to_block"] == {}


def test_mechanical_turk_needs_its_options_and_others_refuse_them(db: Project, say: Callable[..., Result]) -> None:
    said = say("boxes", "run", "--crowd", "mturk", code=2)
    assert "--page-url and --reward" in said.output
    said = say("boxes", "run", "--crowd", "web", "--once", "--reward", "0.10", code=2)
    assert "--crowd web does not heed --reward" in said.output
    said = say("boxes", "run", "--crowd", "web", "--once", "--production", code=2)
    assert "--crowd web does not heed --production" in said.output
