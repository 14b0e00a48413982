"""Imageability: high where workers see the same, low where they answer by chance or say that nobody can tell."""

from __future__ import annotations

import json
from functools import partial

import numpy as np
import pytest
from sqlalchemy import Connection

from conftest import command
from holotype.catalog import flags, qualifications
from holotype.crowd.policies import Fixed
from holotype.project import Project
from holotype.simulation.workers import Difficulty, Population, SimulatedCrowd
from holotype.statistics.imageability import LEAST_IMAGES, Imageability, imageability
from subtrees import CAT, DOG, SIAMESE, add_candidates

PAIRS = np.c_[np.arange(40) // 4, np.arange(40) // 4 + 10]


def simulated(know: float, base: float, images: int, seed: int, guess: float = 0.3, workers: int = 30) -> Imageability:
    """Of a synset that a share of workers know; the others answer by a coin, whatever the image."""
    rng = np.random.default_rng(seed)
    knows = rng.random(workers) < know
    truth = rng.random(images) < base
    pages = np.arange(images) // 10
    who = np.array([rng.choice(workers, 2, replace=False) for _ in range(pages.max() + 1)])[pages].T
    answers = np.where(np.where(knows[who], truth, rng.random(who.shape) < guess), 2, 0)
    return imageability(DOG, answers.T, who.T, workers, 0)


@pytest.mark.parametrize("know", [0.0, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("base", [0.2, 0.5])
def test_the_share_who_know_is_found(know: float, base: float) -> None:
    """Where those who do not know say yes as often as there are good images, and so without being told by that."""
    found = [simulated(know, base, 400, seed, guess=base) for seed in range(20)]
    assert np.mean([one.share for one in found]) == pytest.approx(know, abs=0.15 if know < 0.5 else 0.08)
    held = [one.low <= know <= one.high for one in found if one.low is not None and one.high is not None]
    assert sum(held) >= 17, "of 20, where 18 are promised"


def test_an_imageable_synset_is_told_from_one_that_is_not() -> None:
    clear, vague = simulated(0.95, 0.3, 200, 1), simulated(0.1, 0.3, 200, 1)
    assert clear.low is not None
    assert vague.high is not None
    assert vague.high < clear.low


def test_a_few_votes_that_never_agree_on_a_yes_leave_much_open() -> None:
    answers = np.array([[2, 0]] * 5 + [[0, 0]] * 17)
    found = imageability(DOG, answers, PAIRS[:22], 9, 0)
    assert found.share == 0.0
    assert found.high is not None
    assert found.high > 0.2


def test_more_votes_say_it_more_precisely() -> None:
    widths = []
    for images in (200, 1000, 4000):
        found = simulated(0.7, 0.3, images, 3, workers=200)
        assert found.low is not None
        assert found.high is not None
        widths.append(found.high - found.low)
    assert widths == sorted(widths, reverse=True)


def test_who_says_that_nobody_can_tell_counts_as_not_knowing() -> None:
    same = np.array([2, 0, 2, 0] * 10)
    shares = [imageability(DOG, np.c_[same, same], PAIRS, 20, cannot).share for cannot in (0, 5, 20)]
    assert shares == [1.0, 0.75, 0.0]


def test_unsure_agrees_with_nothing() -> None:
    sure, unsure = np.array([2, 0] * 20), np.array([1] * 40)
    for first, second in ((unsure, sure), (sure, unsure)):
        assert imageability(DOG, np.c_[first, second], PAIRS, 20, 0).share == 0.0
    mixed = np.array([2, 0, 1, 1] * 10)
    share = imageability(DOG, np.c_[mixed, mixed], PAIRS, 20, 0).share
    assert share is not None
    assert 0 < share < 1


def test_too_few_votes_say_nothing() -> None:
    few = np.array([[2, 2], [0, 0]] * (LEAST_IMAGES // 2))
    who = np.array([[0, 1]] * len(few))
    assert imageability(DOG, few, who, 2, 0).share == 1.0
    assert imageability(DOG, few[1:], who[1:], 2, 1) == Imageability(
        *(DOG, None, None, None, 2, 1, LEAST_IMAGES - 1, 1, None)
    )
    none = np.zeros((40, 2), np.int64)
    assert imageability(DOG, none, PAIRS, 20, 0).share is None, "nobody ever said what it looks like"


# In a project


@pytest.fixture
def db(project: Project) -> Project:
    """Dogs that everybody sees, cats on which everybody answers by chance, and Siamese cats that nobody asked about."""
    add_candidates(project, [DOG, CAT, SIAMESE], 150)
    vague = Difficulty(0.3, 0.3, 0.7, 0.0, 0.5)
    people = Population(sensitivity=0.9, specificity=0.97, careless=0, spammers=0, synsets={CAT: vague})
    crowd = SimulatedCrowd(lambda task: int(task.sha256, 16) % 3 == 0, lambda: 1.0, people)
    project.crowd.run(crowd, Fixed(2), under=[DOG])
    project.crowd.run(crowd, Fixed(2), under=["n02120997", CAT])
    return project


def test_the_statistics_say_which_synsets_have_a_look(db: Project) -> None:
    found = {one.wnid: one for one in db.statistics().imageability}
    assert list(found) == sorted(found, key=db.ontology.rank)
    dog, cat = found[DOG], found[CAT]
    assert (dog.images, cat.images) == (150, 150)
    assert dog.share is not None
    assert dog.low is not None
    assert cat.high is not None
    assert dog.share > 0.7
    assert cat.high < dog.low
    assert db.imageability(DOG) == dog
    assert db.imageability("n02958343") is None, "nobody was asked about cars"
    assert [row["wnid"] for row in db.statistics().values()["imageability"]] == list(found)


def add_trial(connection: Connection, worker: str, trial: qualifications.Trial) -> None:
    qualifications.add(connection, worker, trial, 1.0)


def test_flags_and_quizzes_count_unless_they_are_dismissed(db: Project) -> None:
    dogs = {task.number for task in db.candidates.tasks() if task.wnid == DOG}
    voters = sorted({vote.worker for vote in db.crowd.votes() if vote.task in dogs})

    def flag(worker: str, wnid: str, outcome: str | None = None, kind: str = "nobody-can-tell") -> None:
        def work(connection: Connection) -> None:
            made, _ = flags.add(connection, worker, wnid, None, kind, "", 1.0)
            if outcome:
                flags.decide(connection, [made], outcome, "me", "", 2.0)

        db.catalog.transact(work)

    flag(voters[0], DOG)
    flag(voters[1], DOG, "dismissed")
    flag(voters[2], DOG, "upheld")
    flag(voters[3], DOG, kind="offensive")
    flag("somebody else", DOG)
    for worker, tries in ((voters[4], [0, 1]), (voters[5], [0, 0])):
        for correct in tries:
            trial = qualifications.Trial(DOG, "quiz", correct, 1)
            db.catalog.transact(partial(add_trial, worker=worker, trial=trial))
    found = db.imageability(DOG)
    assert found is not None
    assert (found.workers, found.cannot) == (len(voters) + 1, 4)


def test_machines_are_not_asked_what_it_looks_like(db: Project) -> None:
    before = db.imageability(DOG)
    tasks = [task for task in db.candidates.tasks() if task.wnid == DOG]
    rows = {"sha256": [one.sha256 for one in tasks], "wnid": [DOG] * len(tasks), "answer": ["yes"] * len(tasks)}
    db.crowd.append({**rows, "worker": ["machine:resnet50"] * len(tasks)})
    assert db.imageability(DOG) == before


def test_the_command_line_says_so(db: Project) -> None:
    said = command("statistics", "-p", db.path).stdout
    table = said[said.index("imageability: the share of people") :].splitlines()
    assert [line.split()[1] for line in table[2:4] if "n0" in line] or "cat" in said
    assert table.index(next(line for line in table if CAT in line)) < table.index(
        next(one for one in table if DOG in one)
    )
    assert json.loads(command("statistics", "-p", db.path, "--json").stdout)["properties"]["imageability"]
