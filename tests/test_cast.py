"""A campaign whose votes are in files goes as one whose votes are in memory."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import holotype
from holotype.catalog import labels
from holotype.consensus.two_coin import Priors
from holotype.consensus.votes import Answer, Task, Vote
from holotype.crowd.campaign import pages_of_round, portions_of_round, run_campaign
from holotype.crowd.cast import Block, Cast, Column, Pairs, joined
from holotype.crowd.conclusion import Policy
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Posterior
from holotype.crowd.port import Page
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.project import Project
from holotype.simulation.workers import SimulatedCrowd


def bound(patch: pytest.MonkeyPatch) -> None:
    """Have all bounds so small that each is met."""
    patch.setattr("holotype.crowd.cast.LARGE", 30)
    patch.setattr("holotype.crowd.ballots.AT_ONCE", 11)
    patch.setattr("holotype.crowd.cast.AT_ONCE", 17)
    patch.setattr("holotype.crowd.cast.MOST_LOOSE", 7)
    patch.setattr("holotype.crowd.campaign.TASKS_AT_ONCE", 13)


class Watched(SimulatedCrowd):
    """A crowd that remembers the pages that were posted."""

    def __init__(self, tasks: Sequence[Task], seed: int) -> None:
        yes = np.random.default_rng(seed).random(len(tasks)) < 0.5
        truth = dict(zip(tasks, yes.tolist(), strict=True))
        super().__init__(truth.__getitem__, lambda: 0.0, seed=seed)
        self.posted: list[list[Page]] = []

    def post(self, pages: Sequence[Page]) -> None:
        self.posted.append(list(pages))
        super().post(pages)


def tasks_of(count: int, synsets: int, seed: int) -> list[Task]:
    of = np.sort(np.minimum(np.random.default_rng(seed).zipf(1.4, count) - 1, synsets - 1))
    return [Task(number, f"n{synset:08d}", f"{number:064x}") for number, synset in enumerate(of.tolist())]


def campaign(policy: Policy, seed: int, most: int | None, stops: bool) -> tuple[object, ...]:
    """All that comes of a campaign: pages, votes, states, scores, whom it cost."""
    tasks, votes = tasks_of(150, 7, seed), list[Vote]()
    crowd = Watched(tasks, seed)
    known = {"gold": {5: True, 60: False}, "found": [(task.number, f"web:{task.number % 3}") for task in tasks[::2]]}
    tally = Tally.of(tasks, (), **known)  # type: ignore[arg-type]
    if stops:
        run_campaign(tally, crowd, policy, votes.extend, page_size=9, most=400)
        tally = Tally.of(tasks, votes, **known)  # type: ignore[arg-type]
    found = run_campaign(tally, crowd, policy, votes.extend, page_size=9, most=most)
    opened = {number: mask.tolist() for number, mask in tally.opened.items()}
    axes, few = tally.axes(), tally.only(np.arange(3, 40, 4))
    return (
        crowd.posted,
        votes,
        found.states,
        found.guards,
        opened,
        axes,
        tally.votes.task.tolist(),
        tally.votes_per_task.tolist(),
        tally.first_rounds.tolist(),
        few.votes.worker.tolist(),
        tally.before(2).votes.task.tolist(),
        (tally.done, tally.held_back, tally.votes_of_pages, tally.last_round),
        found.scores.tolist(),
    )


@pytest.mark.parametrize(
    ("policy", "most", "stops"),
    [(Imageable(Posterior(pilot=6)), None, False), (Posterior(pilot=4), 700, True), (Fixed(3), None, True)],
)
def test_pages_votes_labels_and_cost_are_the_same(
    policy: Policy, most: int | None, stops: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.crowd.tally.LARGE", 30)  # both conclude by shards
    in_memory = campaign(policy, 3, most, stops)
    with monkeypatch.context() as patch:
        bound(patch)
        in_files = campaign(policy, 3, most, stops)
    for one, other in zip(in_memory, in_files, strict=True):
        assert one == other


@pytest.mark.parametrize("most", [None, 1, 3, 1000])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_round_has_the_same_pages_however_many_tasks_are_looked_at(
    most: int | None, shuffled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = tasks_of(90, 6, 1)
    if shuffled:
        tasks = [tasks[at] for at in np.random.default_rng(0).permutation(90).tolist()]
    cast = [Vote(number, f"w{number % 4}", Answer.YES, "p", 1.0, 0.0, number % 2 + 1) for number in range(0, 90, 4)]
    tally, open = Tally.of(tasks, cast), np.random.default_rng(2).random(90) < 0.8
    up = pages_of_round(tally, open, 2, 5)[1:6:2]
    whole = list(portions_of_round(tally, open, 2, 5, up, most))
    monkeypatch.setattr("holotype.crowd.campaign.TASKS_AT_ONCE", 1)
    assert list(portions_of_round(tally, open, 2, 5, up, most)) == whole


# In a project


@pytest.fixture
def birds(project: Project, fill: Callable[..., None], tmp_path: Path) -> Project:
    """Candidates of three synsets, gold, and a ruling."""
    for wnid, count, first in (("n02091134", 14, 0), ("n02121808", 9, 50), ("n02084071", 5, 80)):
        fill(tmp_path / "photos" / wnid, count, first=first)
    project.images.ingest(tmp_path / "photos")
    tasks = project.candidates.tasks()
    project.gold.add({(task.sha256, task.wnid): True for task in tasks[3:6]}, "a curator")
    project.labels.overrule({(tasks[7].sha256, tasks[7].wnid): False}, "ann", "it is a drawing")
    return project


def told(db: Project) -> tuple[object, ...]:
    """All votes but when they were cast, and all labels."""
    with db.crowd._parts.catalog.read() as connection:
        held = labels.read(connection)
    rows = zip(held.candidate.tolist(), held.state.tolist(), held.policy.tolist(), held.guard.tolist(), strict=True)
    named = [(n, held.states[s], held.policies[p], held.guards[g]) for n, s, p, g in rows]
    return [replace(vote, at=0.0) for vote in db.crowd.votes()], named, held.posterior.tolist()


def asked(db: Project) -> tuple[object, ...]:
    """All that comes of a campaign with a budget, and then without."""
    policy = Imageable(Posterior(pilot=6, priors=Priors()))
    some = db.crowd.run(db.crowd.simulated(seed=3), policy, budget=60)
    rest = db.crowd.run(db.crowd.simulated(seed=4), policy, back_off=True)
    return some, rest, db.crowd.run(db.crowd.simulated(seed=4), policy), told(db)


def driven(db: Project) -> tuple[object, ...]:
    """All that comes of a campaign that a server drives."""
    db.campaigns.start("ann", policy=Fixed(3), crowd="simulated")
    crowd = db.crowd.simulated(seed=5)
    ticks = [db.campaigns.tick(crowd, 20.0 * turn) for turn in range(30)]
    return ticks, db.campaigns.everything()[0].state, told(db)


@pytest.mark.parametrize("goes", [asked, driven])
def test_a_project_is_labelled_the_same(
    goes: Callable[[Project], tuple[object, ...]], birds: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holotype.crowd.tally.LARGE", 30)
    copy = tmp_path / "copy"
    shutil.copytree(birds.path, copy)
    in_memory = goes(birds)
    assert len(birds.crowd.votes()) > 60
    assert birds.counts().get("open", 0) == 0
    monkeypatch.setattr("holotype.catalog.labels.FEW", 4)
    monkeypatch.setattr("holotype.project.conclusions.TASKS_AT_ONCE", 5)
    monkeypatch.setattr("holotype.project.drawing.TASKS_AT_ONCE", 5)
    monkeypatch.setattr("holotype.project.memory.TASKS_AT_ONCE", 5)
    bound(monkeypatch)
    monkeypatch.setattr("holotype.crowd.cast.LARGE", 8)
    with holotype.open(copy) as db:
        in_files = goes(db)
    for one, other in zip(in_memory, in_files, strict=True):
        assert one == other


# Votes in files


def block(rng: np.random.Generator, size: int) -> Block:
    place, worker, answer, number = (rng.integers(0, 9, size).astype(kind) for kind in "iibi")
    return Block(place, worker, answer, number)


@pytest.mark.parametrize("large", [1, 25, 10**9])
def test_votes_come_back_as_they_were_added(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holotype.crowd.cast.LARGE", large)
    monkeypatch.setattr("holotype.crowd.cast.AT_ONCE", 10)
    rng, cast = np.random.default_rng(0), Cast()
    added = [block(rng, size) for size in (0, 7, 1, 0, 30, 12)]
    for one in added:
        cast.add(one)
    found, wanted = joined(cast.blocks()), joined(added)
    for name in ("place", "worker", "answer", "round"):
        assert getattr(found, name).tolist() == getattr(wanted, name).tolist()
    assert len(cast) == 50
    assert max(map(len, cast.blocks())) == (50 if large > 50 else 10)


@pytest.mark.parametrize("many", [False, True])
def test_a_pair_is_new_once(many: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("holotype.crowd.cast.AT_ONCE", 20)
    monkeypatch.setattr("holotype.crowd.cast.MOST_LOOSE", 5)
    rng = np.random.default_rng(1)
    first = [block(rng, 6), block(rng, 9)]
    pairs = Pairs(first, many)
    seen = {
        (task, worker) for one in first for task, worker in zip(one.place.tolist(), one.worker.tolist(), strict=True)
    }
    for _ in range(40):
        wanted = rng.integers(0, 30, 12) << 32 | rng.integers(0, 9, 12)
        new = []
        for at, pair in enumerate((pair >> 32, pair & 0xFFFFFFFF) for pair in wanted.tolist()):
            if pair not in seen:
                new.append(at)
            seen.add(pair)
        assert pairs.new(wanted) == new


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are listed in /proc")
def test_files_have_no_name_and_are_gone_with_who_holds_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def held() -> int:
        gc.collect()
        links = (
            os.readlink(f"/proc/self/fd/{one.name}") for one in list(Path("/proc/self/fd").iterdir()) if one.exists()
        )
        return sum(str(tmp_path) in link for link in links)

    column = Column(np.int32)
    column.add(np.arange(5))
    assert column.read(1, 3).tolist() == [1, 2]
    assert list(tmp_path.iterdir()) == []
    del column
    assert held() == 0


def test_a_folder_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with pytest.raises(CrowdError, match="cannot be written: No space left on device; name another folder with TMPDIR"):
        Column(np.int32)
