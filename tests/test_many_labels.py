"""Many labels an image: what is asked of a project's images, what becomes a candidate, and what does not leak."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import holotype
from conftest import encoded, photo
from holotype.consensus.votes import Answer
from holotype.crowd.lending import Nothing
from holotype.crowd.lessons import Lesson
from holotype.crowd.policies import Fixed
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.releases import Release, verify_release
from holotype.releases.exports.formats import export
from holotype.releases.takedown import Unwanted, take_down
from visitors import Site, said

TABBY, SIAMESE, CHIHUAHUA, RETRIEVER, ROBIN = "n02123045", "n02123597", "n02085620", "n02099601", "n01558993"
BANANA, ORANGE, VIOLIN, BUS, TAXI = "n07753592", "n07747607", "n04536866", "n02924116", "n02930766"
LEAVES = (TABBY, SIAMESE, CHIHUAHUA, RETRIEVER, ROBIN, BANANA, ORANGE, VIOLIN, BUS, TAXI)
IMAGES = 12
GROUPS = """
- question: Is there something to eat or to play music on?
  leaves: [banana, n07747607, violin]
  seconds: 2.5
"""
ONE = Fixed(1)


@pytest.fixture
def db(tmp_path: Path, wordnet: Ontology, new_project: Callable[[Path], Path]) -> Iterator[Project]:
    """A project with images of nothing in particular."""
    (tmp_path / "in/unsorted").mkdir(parents=True)
    for number in range(IMAGES):
        (tmp_path / f"in/unsorted/{number:02d}.jpg").write_bytes(encoded(photo(number, 96, 72)))
    with holotype.open(new_project(tmp_path / "p"), wordnet) as made:
        made.images.ingest(tmp_path / "in")
        yield made


def truth_of(db: Project) -> dict[tuple[str, str], bool]:
    """What each image shows: none, one or two of the leaves."""
    rng = np.random.default_rng(5)
    images = sorted(row.candidate.sha256 for row in db.images.find(""))
    assert len(images) == IMAGES
    chosen = [rng.choice(LEAVES, number % 3, replace=False).tolist() for number in range(len(images))]
    return {(image, leaf): leaf in shown for image, shown in zip(images, chosen, strict=True) for leaf in LEAVES}


def ask(db: Project, truth: dict[tuple[str, str], bool], name: str = "labels") -> str:
    return str(db.questions.run(db.crowd.simulated(truth, expert="me"), name, ONE))


def labels_in(db: Project) -> set[tuple[str, str]]:
    rows = (row.candidate for row in db.images.find("state:yes"))
    return {(row.sha256, row.wnid) for row in rows if row.wnid in LEAVES}


@pytest.mark.parametrize("groups", ["", GROUPS], ids=["synsets", "groups"])
def test_a_campaign_finds_what_is_there_and_verifies_what_is_not(db: Project, groups: str) -> None:
    truth = truth_of(db)
    db.questions.make(LEAVES, groups=groups)
    ask(db, truth)
    report = db.questions.status()
    assert labels_in(db) == {pair for pair, yes in truth.items() if yes}
    assert report.done
    assert report.present == sum(truth.values())
    assert report.refused + report.removed == len(truth) - report.present
    assert report.questions < 0.75 * len(truth), "many questions were spared"
    assert "times fewer" in str(report)
    again = db.questions.run(db.crowd.simulated(truth, expert="me"), policy=ONE)
    assert again.new_votes == 0
    assert again.questions == report.questions


def test_groups_are_candidates_and_labels_of_nothing(db: Project) -> None:
    truth = truth_of(db)
    plan = db.questions.make(LEAVES, groups=GROUPS)
    assert "q00000001" in plan.asked
    assert db.questions.text("q00000001") == "Is there something to eat or to play music on?"
    ask(db, truth)
    asked = {task.wnid for task in db.candidates.tasks()}
    assert "q00000001" in asked
    found = {row.candidate.wnid for row in db.images.find("")}
    assert not [wnid for wnid in found if wnid.startswith("q")]
    assert not [wnid for wnid in db.counts()["synsets"] if wnid.startswith("q")]
    assert not [row.wnid for row in db.overview.by_synset() if row.wnid.startswith("q")]


def test_an_image_of_groups_alone_is_still_one_of_nothing(db: Project) -> None:
    groups = "- {question: A banana or a violin, leaves: [banana, violin]}"
    db.questions.make([BANANA, VIOLIN], groups=groups)
    db.questions.run(db.crowd.simulated(dict.fromkeys(truth_of(db), False), expert="me"), policy=ONE)
    assert {task.wnid for task in db.candidates.tasks()} == {"q00000001"}
    assert {row.candidate.wnid for row in db.images.find("")} == {""}
    assert db.questions.status().removed == 2 * IMAGES


def test_the_same_question_has_the_same_number_in_every_plan(db: Project) -> None:
    first = db.questions.make(LEAVES, groups=GROUPS)
    again = db.questions.make(LEAVES[:8], name="fewer", groups=GROUPS)
    other = db.questions.make(LEAVES, name="other", groups=GROUPS.replace("music on", "sing"))
    assert "q00000001" in first.asked
    assert "q00000001" in again.asked
    assert "q00000002" in other.asked
    assert "q00000001" not in other.asked
    assert [plan.name for plan in db.questions.plans()] == ["fewer", "labels", "other"]


def test_only_a_plans_questions_are_asked_and_all_others_stay_open(db: Project) -> None:
    truth = truth_of(db)
    image = next(iter(truth))[0]
    db.candidates.add([holotype.project.candidates.Proposal(image, "n02958343")], "me")
    db.questions.make(LEAVES)
    ask(db, truth)
    open_ones = {row.candidate.wnid for row in db.images.find("state:open")}
    assert open_ones == {"n02958343"}
    report = db.crowd.run(db.crowd.simulated(expert="me"), ONE)
    assert not report.waiting
    assert report.new_votes == 1, "the ordinary campaign goes on with what is left"


def test_questions_that_tell_most_a_second_are_put_up_first(db: Project) -> None:
    groups = """
- {question: "Is there anything to eat?", leaves: [banana, n07747607], seconds: 0.1}
- {question: "Is there a banana or a violin?", leaves: [banana, violin], seconds: 9}
"""
    plan = db.questions.make(LEAVES, groups=groups)
    db.questions.run(db.crowd.web())
    put_up = list(dict.fromkeys(task.wnid for task in sorted(db.candidates.tasks(), key=lambda task: task.number)))
    roots = [at for at, parents in enumerate(plan.parents) if not parents]
    assert put_up == [plan.asked[at] for at in sorted(roots, key=lambda at: -plan.worth[at])]
    assert (put_up[0], put_up[-1]) == ("q00000001", "q00000002")
    assert put_up != [plan.asked[at] for at in roots]


def test_nothing_below_is_put_up_before_what_is_above_it_is_answered(db: Project) -> None:
    plan = db.questions.make(LEAVES)
    above = {wnid: {plan.asked[at] for at in parents} for wnid, parents in zip(plan.asked, plan.parents, strict=True)}
    db.questions.run(db.crowd.web(), policy=ONE)
    assert {page.wnid for page in db.crowd.web().waiting()} == {wnid for wnid, parents in above.items() if not parents}
    assert any(above.values())


def test_what_a_folder_says_is_asked_when_the_plan_wants_it_and_not_before(db: Project) -> None:
    truth = truth_of(db)
    shown = next(pair for pair, yes in truth.items() if yes)
    hidden = next((image, BUS) for image, _ in truth if not any(truth[image, leaf] for leaf in LEAVES))
    db.candidates.add([holotype.project.candidates.Proposal(*pair) for pair in (shown, hidden)], "me")
    plan = db.questions.make(LEAVES)
    db.questions.run(db.crowd.web(), policy=ONE)
    roots = {wnid for wnid, parents in zip(plan.asked, plan.parents, strict=True) if not parents}
    assert {page.wnid for page in db.crowd.web().waiting()} <= roots
    db.crowd.web().take_down()
    ask(db, truth)
    pair_of = {task.number: (task.sha256, task.wnid) for task in db.candidates.tasks()}
    voted = {pair_of[vote.task] for vote in db.crowd.votes()}
    assert shown in voted
    assert hidden not in voted, "a no above says it already"
    assert labels_in(db) == {pair for pair, yes in truth.items() if yes}
    assert db.questions.status().done


def test_overruling_a_question_opens_what_hangs_on_it(db: Project) -> None:
    truth = truth_of(db)
    db.questions.make(LEAVES)
    ask(db, truth)
    before = db.questions.status()
    image = next(image for image, leaf in truth if not any(yes for pair, yes in truth.items() if pair[0] == image))
    root = next(one for one in db.candidates.tasks() if one.sha256 == image and one.wnid not in LEAVES)
    db.labels.overrule({(image, root.wnid): True}, "curator", "look again", ONE)
    after = db.questions.status()
    assert after.open > 0 == before.open
    ask(db, truth)
    assert db.questions.status().done
    assert db.labels.overrule({(image, root.wnid): None}, "curator", "it was right", ONE) == 1


def test_a_plan_says_what_is_wrong_with_it(db: Project) -> None:
    with pytest.raises(CrowdError, match="n02084071 is above n02085620"):
        db.questions.make(["n02084071", CHIHUAHUA])
    with pytest.raises(CrowdError, match="no plan of questions is called 'labels'"):
        db.questions.status()
    with pytest.raises(CrowdError, match="no leaves"):
        db.questions.make([])
    with pytest.raises(CrowdError, match="can be printed"):
        db.questions.make(LEAVES, name="\n")


def test_a_release_keeps_what_is_verified_absent_and_no_group_is_a_label(db: Project) -> None:
    truth = truth_of(db)
    db.questions.make(LEAVES, groups=GROUPS)
    ask(db, truth)
    db.releases.create("v1", query="-source:questions:labels")
    release = db.releases["v1"]
    assert verify_release(release.path, ontology=db.ontology) == []
    assert {*release.wnids} == {wnid for (_, wnid), yes in truth.items() if yes}, "the leaves alone"
    assert not [wnid for wnid in release.wnids if wnid.startswith("q")]
    images = {one["id"]: one["sha256"] for one in release.rows()}
    leaves = [one for one in release.verified.to_pylist() if one["wnid"] in LEAVES]
    assert {one["said"] for one in leaves} == {"absent"}
    assert {(images[one["id"]], one["wnid"]) for one in leaves} == {
        pair for pair, yes in truth.items() if not yes and pair[0] in images.values()
    }
    assert {one["by"] for one in leaves} - set(LEAVES), "some by a question above"
    assert all(0 <= one["posterior"] <= 0.05 for one in leaves)


def test_det_lists_say_what_is_there_what_is_not_and_nothing_else(db: Project, tmp_path: Path) -> None:
    truth = truth_of(db)
    db.questions.make(LEAVES)
    ask(db, truth)
    db.releases.create("v1")
    release = db.releases["v1"]
    report = export(release, "det", tmp_path / "det")
    images = {one["id"]: one["sha256"] for one in release.rows()}
    said = {}
    for number, wnid in enumerate(release.wnids, 1):
        for path in (tmp_path / "det/ImageSets/DET").glob(f"*_{number}.txt"):
            for line in path.read_text().splitlines():
                id, flag = line.split(" ")
                said[images[id], wnid] = int(flag)
    leaves = {pair: flag for pair, flag in said.items() if pair[1] in LEAVES}
    shown = {wnid for pair, wnid in truth if truth[pair, wnid]}
    wanted = {pair: 0 if yes else -1 for pair, yes in truth.items() if pair[0] in images.values() and pair[1] in shown}
    assert leaves == wanted
    assert "verified absent" in report.remarks[0]


def test_coco_tells_verified_negatives_as_lvis_does(db: Project, tmp_path: Path) -> None:
    truth = truth_of(db)
    db.questions.make(LEAVES)
    ask(db, truth)
    db.releases.create("v1")
    release = db.releases["v1"]
    export(release, "coco", tmp_path / "coco")
    images = {one["id"]: one["sha256"] for one in release.rows()}
    for path in (tmp_path / "coco/annotations").iterdir():
        told = json.loads(path.read_text())
        wnid = {one["id"]: one["wnid"] for one in told["categories"]}
        for one in told["images"]:
            sha256 = images[one["file_name"].split(".")[0]]
            negative = {wnid[number] for number in one["neg_category_ids"]} & {*LEAVES}
            assert negative == {leaf for leaf in LEAVES if leaf in wnid.values() and not truth[sha256, leaf]}


def test_what_is_taken_down_is_no_longer_verified_of(db: Project, tmp_path: Path) -> None:
    truth = truth_of(db)
    db.questions.make(LEAVES)
    ask(db, truth)
    db.releases.create("v1")
    release = db.releases["v1"]
    gone = release.rows()[0]["id"]
    assert gone in release.verified["id"].to_pylist()
    take_down(release, tmp_path / "v2", Unwanted([gone]))
    left = Release(tmp_path / "v2").verified["id"].to_pylist()
    assert left
    assert gone not in left


def test_people_on_the_web_are_asked_a_group_in_its_own_words(db: Project) -> None:
    truth = truth_of(db)
    db.questions.make(LEAVES, groups=GROUPS)
    first = db.questions.run(db.crowd.web(), policy=ONE)
    assert first.waiting == first.questions > 0
    ann, texts, now = Site(db).as_("worker", "ann"), [], time.time()
    while not isinstance(page := db.desk.next_page("ann", now), Nothing):
        if not isinstance(db.desk.page("ann", page, now), Lesson):
            texts.append(said(ann.get(f"/tasks/{page}")))
        db.desk.hand_in("ann", page, [Answer.NO] * db.desk.length("ann", page), 5.0, now)
    assert any("Which pictures get a yes? Is there something to eat or to play music on?" in text for text in texts)
    again = db.questions.run(db.crowd.web(), policy=ONE)
    assert again.new_votes == first.questions
    assert again.done
    assert again.removed + again.refused == len(truth)
