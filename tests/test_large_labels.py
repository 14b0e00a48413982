"""Labels that are drawn shard by shard are what all votes at once lead to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from holotype.catalog import labels, learned, votes
from holotype.consensus.shards import Shard
from holotype.crowd.conclusion import Policy
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior
from holotype.crowd.sharded import ShardedConclusion, conclude_shards
from holotype.project import Project
from holotype.project.conclusions import conclude_all
from holotype.project.given_votes import GivenVote
from holotype.project.memory import read_drawn, read_model
from holotype.project.parts import Parts

WHIPPET, CAT, DOG = "n02091134", "n02121808", "n02084071"
POLICY = Imageable(Posterior(pilot=6))


@pytest.fixture
def db(project: Project, fill: Callable[..., None], tmp_path: Path) -> Project:
    """Whippets, a few cats and dogs in two batches, the votes of a crowd, gold, a ruling, and a blocked worker."""
    for wnid, count, first in ((WHIPPET, 12, 0), (CAT, 4, 50), (DOG, 3, 80)):
        fill(tmp_path / "photos" / wnid, count, first=first)
    project.images.ingest(tmp_path / "photos")
    project.crowd.run(project.crowd.simulated(seed=3), POLICY)
    fill(tmp_path / "more" / CAT, 5, first=200)
    project.images.ingest(tmp_path / "more")
    project.crowd.run(project.crowd.simulated(seed=4), POLICY)
    tasks = project.candidates.tasks()
    project.crowd.add([GivenVote(tasks[0].sha256, tasks[0].wnid, "a late one", "no")])
    project.gold.add({(task.sha256, task.wnid): True for task in tasks[3:6]}, "a curator")
    project.labels.overrule({(tasks[7].sha256, tasks[7].wnid): False}, "ann", "it is a drawing")
    project.workers.block(next(vote.worker for vote in project.crowd.votes()), "copies")
    return project


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any number of votes is large, and shards have five candidates."""
    monkeypatch.setattr("holotype.project.conclusions.LARGE", 1)
    monkeypatch.setattr("holotype.project.large_labels.TASKS_AT_ONCE", 5)


def parts_of(db: Project) -> Parts:
    return db.crowd._parts


def drawn(db: Project) -> tuple[list[tuple[int, str, str, str | None]], list[float], str | None]:
    """Every label: the candidate, the state, who drew it, the guard; the scores; and the alarms."""
    with parts_of(db).catalog.read() as connection:
        held, alarms = labels.read(connection), labels.alarms(connection)
    rows = zip(held.candidate.tolist(), held.state.tolist(), held.policy.tolist(), held.guard.tolist(), strict=True)
    named = [(n, str(held.states[s]), held.policies[p], held.guards[g]) for n, s, p, g in rows]
    return named, held.posterior.tolist(), alarms


def test_they_are_the_same(db: Project, small: None) -> None:
    parts = parts_of(db)
    with parts.catalog.read() as connection:
        before = read_model(connection)
    named, scores, alarms = drawn(db)
    conclude_all(parts, Fixed(3))
    assert drawn(db)[0] != named
    assert conclude_all(parts, POLICY) > 0
    found, posteriors, told = drawn(db)
    assert (found, told) == (named, alarms)
    assert np.abs(np.subtract(posteriors, scores)).max() < 1e-4  # shares of beliefs are drawn by votes in their order
    assert {"gold", "curator:ann", str(POLICY)} == {policy for _, _, policy, _ in found}
    with parts.catalog.read() as connection:
        after = read_model(connection)
    assert before is not None
    assert after is not None
    assert after[1].wnids == list(before[1].wnids)
    assert len(after[1].batches) == len(before[1].batches) == 2
    assert sorted(after[2].tolist()) == sorted(before[2].tolist())
    assert conclude_all(parts, POLICY) == 0


def test_a_check_by_shards_finds_nothing_in_what_was_drawn_at_once(db: Project, small: None) -> None:
    """The order of votes moves posteriors a little, and nothing is wrong."""
    assert not [one for one in db.check().problems if one.check == "labels"]


def test_by_policies_without_a_model_too(db: Project, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = parts_of(db)
    conclude_all(parts, Lead(2, 5))
    found = drawn(db)
    monkeypatch.setattr("holotype.project.conclusions.LARGE", 10**9)
    assert conclude_all(parts, Lead(2, 5)) == 0
    assert drawn(db) == found


def test_votes_that_come_later_are_concluded_by_what_was_learned(db: Project, small: None) -> None:
    """Only what they touch."""
    conclude_all(parts_of(db), POLICY)
    task = db.candidates.tasks()[1]
    rows = {"sha256": [task.sha256], "wnid": [task.wnid], "worker": ["somebody new"], "answer": ["no"]}
    report = db.crowd.append({name: np.array(values) for name, values in rows.items()})
    with parts_of(db).catalog.read() as connection:
        now = read_drawn(connection)
    assert report.new == 1
    assert now is not None
    assert now.appended == 1


def test_a_change_is_written_before_what_it_leads_to(db: Project, small: None) -> None:
    task = next(task for task in db.candidates.tasks() if task.wnid == CAT)
    db.labels.overrule({(task.sha256, task.wnid): False}, "ann", "it is a toy")
    assert (task.number, "no", "curator:ann", None) in drawn(db)[0]
    with parts_of(db).catalog.read() as connection:
        now = read_drawn(connection)
    assert now is not None
    assert not now.appended


def test_what_came_meanwhile_is_drawn_too(db: Project, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read before a vote came is written nowhere."""
    parts, task, calls = parts_of(db), db.candidates.tasks()[2], 0
    row = {
        "candidate_id": task.number,
        "worker": "late",
        "answer": 2,
        "page": "",
        "seconds": 0.0,
        "at": 0.0,
        "round": 0,
    }

    def late(policy: Policy, shards: Sequence[Shard], folder: Path) -> ShardedConclusion:
        nonlocal calls
        calls += 1
        if calls == 1:
            parts.catalog.transact(lambda connection: votes.add(connection, [row]))
        return conclude_shards(policy, shards, folder)

    monkeypatch.setattr("holotype.project.large_labels.conclude_shards", late)
    conclude_all(parts, POLICY)
    assert calls == 2
    with parts.catalog.read() as connection:
        told = learned.drawn(connection)
    assert told is not None
    assert f'"votes": {len(db.crowd.votes())}' in told


@pytest.mark.parametrize("policy", [POLICY, Lead(2, 5)])
def test_damage_is_found_whatever_is_read_at_once(
    db: Project, small: None, monkeypatch: pytest.MonkeyPatch, policy: Policy
) -> None:
    parts = parts_of(db)
    conclude_all(parts, policy)
    found = []
    for statement in (
        None,
        "UPDATE candidate SET state = (state + 1) % 4 WHERE id IN (1, 2, 19)",
        "UPDATE candidate SET posterior = posterior / 2 WHERE id = 7",
        "UPDATE candidate SET posterior = NULL, policy_id = NULL, state = 0 WHERE id = 12",
    ):
        if statement is not None:
            with parts.catalog.write() as connection:
                connection.exec_driver_sql(statement)
        for at_once in (3, 5, 1_000):
            monkeypatch.setattr("holotype.project.large_labels.TASKS_AT_ONCE", at_once)
            monkeypatch.setattr(labels, "FEW", at_once)
            found.append([one.said for one in db.check().problems if one.check == "labels"])
    assert found[:3] == [[]] * 3
    assert found[3] != []
    for start in (3, 6, 9):
        assert found[start : start + 3] == [found[start]] * 3
    assert found[3] != found[6] != found[9]
