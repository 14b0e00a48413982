"""Votes, tasks and labels as columns: the same ballots and labels as from objects, and nothing done twice."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select

import holotype
from conftest import Notes
from holotype.catalog import Catalog, candidates, images, labels, learned, sightings, statements, votes
from holotype.catalog import schema as t
from holotype.consensus.ballot import UNKNOWN, Ballot, Sources
from holotype.consensus.votes import Answer, Ruling, Task, Vote
from holotype.crowd.columns import NOWHERE, Places
from holotype.crowd.conclusion import Conclusion, Policy
from holotype.crowd.expert import Nobody, Source, Trust
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior, Table
from holotype.crowd.port import Page, Sheet
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.facts import read_tally
from holotype.project.memory import read_drawn, read_model
from holotype.simulation.workers import SimulatedCrowd
from holotype.store.location import Location

DOG, CAT = "n02084071", "n02121808"
FOUND = ("folder:a", "flickr:b", "flickr:c", "gold")


# A ballot of columns is the one that objects gave


def ballot_one_by_one(
    tasks: Sequence[Task],
    cast: Sequence[Vote],
    gold: dict[int, bool],
    blocked: set[str],
    priors: dict[int, float],
    rulings: dict[int, Ruling],
    found: Sequence[tuple[int, str]],
) -> Ballot:
    """A ballot made vote by vote, as it was before votes were columns."""
    place = {task.number: at for at, task in enumerate(tasks)}
    synsets = {wnid: at for at, wnid in enumerate(dict.fromkeys(task.wnid for task in tasks))}
    seen, workers, rows, first = set(), dict[str, int](), [], dict[int, int]()
    for vote in cast:
        if vote.task not in place or (vote.task, vote.worker) in seen:
            continue
        seen.add((vote.task, vote.worker))
        if vote.round:
            first[vote.task] = min(vote.round, first.get(vote.task, vote.round))
        if vote.worker not in blocked:
            rows.append((place[vote.task], workers.setdefault(vote.worker, len(workers)), int(vote.answer)))
    task, worker, answer = np.array(rows, np.int64).reshape(-1, 3).T
    rounds = [first.get(one.number, np.iinfo(np.int64).max) for one in tasks]
    kinds = [sorted({source.partition(":")[0] for of, source in found if of == one.number}) for one in tasks]
    both = zip(kinds, rounds, strict=True)
    keys = [str((kind, number)) for kind, number in both] if found else list(map(str, rounds))
    batches = {key: at for at, key in enumerate(sorted(set(keys)))}
    names = list(dict.fromkeys(source for _, source in found))
    known, ruled, prior = np.full(len(tasks), UNKNOWN), np.full(len(tasks), UNKNOWN), np.full(len(tasks), np.nan)
    for column, said in ((known, gold), (prior, priors), (ruled, {of: one.answer for of, one in rulings.items()})):
        for of, value in said.items():
            column[place[of]] = value
    return Ballot(
        task,
        worker,
        answer,
        np.array([synsets[one.wnid] for one in tasks]),
        len(workers),
        len(synsets),
        known=known if gold else None,
        prior=prior if priors else None,
        batch=np.array([batches[key] for key in keys]) if len(batches) > 1 else None,
        ruled=ruled if rulings else None,
        names=tuple(workers),
        sources=Sources(
            tuple(names), np.array([place[of] for of, _ in found]), np.array([names.index(one) for _, one in found])
        ),
    )


def assert_same(a: Ballot, b: Ballot) -> None:
    for field in dataclasses.fields(Ballot):
        one, other = getattr(a, field.name), getattr(b, field.name)
        if isinstance(one, Sources):
            assert one.names == other.names
            assert (one.task.tolist(), one.source.tolist()) == (other.task.tolist(), other.source.tolist())
        elif isinstance(one, np.ndarray):
            np.testing.assert_array_equal(one, other, field.name)
        else:
            assert one == other, field.name


def random_campaign(seed: int, count: int = 40, cast: int = 150) -> tuple[list[Task], list[Vote], dict[str, object]]:
    rng = np.random.default_rng(seed)
    numbers = rng.permutation(rng.integers(1, 5) * count)[:count] + rng.integers(0, 2) * 1_000_000_000
    tasks = [Task(int(number), f"n{rng.integers(5):08d}", f"{int(number):064x}") for number in numbers]
    chosen = rng.choice(numbers, cast).tolist()
    made = [
        Vote(of, f"w{rng.integers(9)}", Answer(int(rng.integers(3))), "p", 1.0, 2.0, int(rng.integers(4)))
        for of in [*chosen, 999_999]
    ]

    def some(share: float) -> list[int]:
        return [task.number for task in tasks if rng.random() < share]

    few = rng.random(5) < 0.5
    return (
        tasks,
        made,
        {
            "gold": {of: bool(rng.random() < 0.5) for of in some(0.2 * few[0])},
            "blocked": {f"w{number}" for number in range(9) if rng.random() < 0.2 * few[1]},
            "priors": {of: float(rng.uniform(0.1, 0.9)) for of in some(0.3 * few[2])},
            "rulings": {of: Ruling(bool(rng.random() < 0.5), "c") for of in some(0.1 * few[3])},
            "found": [(of, FOUND[at]) for of in some(few[4]) for at in np.flatnonzero(rng.random(4) < 0.4).tolist()],
        },
    )


@given(st.integers(0, 10**6), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_a_ballot_of_columns_is_the_one_of_objects(seed: int, at_once: int) -> None:
    tasks, cast, beside = random_campaign(seed)
    tally = Tally.of(tasks, (), **beside)  # type: ignore[arg-type]
    for start in range(0, len(cast), at_once):
        tally.add(cast[start : start + at_once])
    whole = ballot_one_by_one(tasks, cast, **beside)  # type: ignore[arg-type]
    assert_same(tally.ballot(), whole)
    assert_same(Tally.of(tasks, cast, **beside).ballot(), whole)  # type: ignore[arg-type]
    assert tally.workers == list(whole.names or ())
    if whole.workers and not beside["blocked"]:
        assert_same(tally.before(2).ballot(), ballot_one_by_one(tasks, first_rounds(cast), **beside))  # type: ignore[arg-type]


def first_rounds(cast: Sequence[Vote]) -> list[Vote]:
    kept = Notes()
    kept.record(cast)
    return [vote for vote in kept if vote.round < 2]


@pytest.mark.parametrize("numbers", [[5, 3, 9], [7_000_000_000, 3, 9], [-4, 2], []])
def test_places_are_found_among_any_numbers(numbers: list[int]) -> None:
    places = Places(np.array(numbers, np.int64))
    wanted = [*numbers, -1, 0, 4, 10, 2**40]
    expected = [numbers.index(one) if one in numbers else NOWHERE for one in wanted]
    assert places.of(np.array(wanted)).tolist() == expected


# In a project


def add_candidates(db: Project, count: int, first: int = 0) -> None:
    """Candidates of dogs and cats whose images are rows alone."""
    rows = [
        images.Packed(digest, place, place, "JPEG", "RGB", 4, 3, b"x" * 32, b"x" * 32)
        for number in range(first, first + count)
        for digest, place in [(f"{number * 2654435761 % 2**32:064x}", Location("p", number, 1))]
    ]

    def work(connection: Connection) -> None:
        images.add(connection, rows)
        ids = images.own_ids(connection, [row.sha256 for row in rows])
        seen = [
            sightings.Sighting(wnid, db.ontology.rank(wnid), number, f"file:///{sha256}", "folder:x", "", 0, "CC0")
            for at, (sha256, number) in enumerate(sorted(ids.items()))
            for wnid in [(DOG, CAT)[at % 2]]
        ]
        sightings.add(connection, seen)

    db.catalog.transact(work)


def truth_of(db: Project) -> dict[tuple[str, str], bool]:
    return {(task.sha256, task.wnid): int(task.sha256, 16) % 3 == 0 for task in db.candidates.tasks()}


@pytest.fixture
def db(project: Project) -> Project:
    add_candidates(project, 200)
    return project


@pytest.fixture(params=["sqlite", "postgres"])
def either(
    request: pytest.FixtureRequest, tmp_path: Path, wordnet: Ontology, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    """A project with candidates, on SQLite and on PostgreSQL."""
    if request.param == "postgres":
        monkeypatch.setenv("HOLOTYPE_CATALOG", request.getfixturevalue("postgres"))
    holotype.init(tmp_path / "either").close()
    with holotype.open(tmp_path / "either", wordnet) as opened:
        add_candidates(opened, 200)
        yield opened


class Counting:
    """A policy that counts how often it concludes; its name is that of the one it is."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.calls = policy, 0

    def __str__(self) -> str:
        return str(self.policy)

    def conclude(self, ballot: Ballot) -> Conclusion:
        self.calls += 1
        return self.policy.conclude(ballot)


class Slow:
    """A crowd that answers the first pages of what is up, so many at a call, and keeps what was put up."""

    name = "slow"

    def __init__(self, db: Project, pages: int) -> None:
        self.pages = pages
        self.posted: list[Page] = []
        self._crowd = db.crowd.simulated(truth_of(db))

    def post(self, pages: Sequence[Page]) -> None:
        self.posted = list(pages)
        self._crowd.post(pages[: self.pages])
        self.pages = max(self.pages - len(pages), 0)

    def collect(self) -> list[Sheet]:
        return self._crowd.collect()

    def waiting(self) -> list[Page]:
        return []

    def acknowledge(self, sheets: Sequence[Sheet]) -> None:
        pass


def labels_in(db: Project) -> list[tuple[object, ...]]:
    with db.catalog.read() as connection:
        held = labels.read(connection)
    named = zip((held.states, held.policies, held.guards), (held.state, held.policy, held.guard), strict=True)
    states, policies, guards = (map(names.__getitem__, places.tolist()) for names, places in named)
    return list(zip(held.candidate.tolist(), states, held.posterior.tolist(), policies, guards, strict=True))


@pytest.mark.parametrize("policy", [Posterior(), Imageable(Posterior(maximum=4)), Lead(2, 5)], ids=str)
def test_nothing_is_concluded_again_where_nothing_is_new(either: Project, policy: Policy) -> None:
    counting = Counting(policy)
    first = either.crowd.run(either.crowd.simulated(truth_of(either)), counting)
    held, calls = labels_in(either), counting.calls
    assert calls > 0
    told: list[tuple[int, int]] = []
    again = either.crowd.run(either.crowd.simulated(truth_of(either)), counting, lambda *of: told.append(of))
    assert (counting.calls, labels_in(either)) == (calls, held)
    assert told == [(200, 200)]
    assert again == dataclasses.replace(first, new_votes=0)
    assert not again.waiting


def test_what_waits_for_a_crowd_is_put_up_again_without_concluding(
    either: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped within a round, after it and before it: the pages are those of a run that remembers nothing."""
    policy = Counting(Imageable(Posterior()))
    crowd = Slow(either, 0)
    either.crowd.run(crowd, policy)
    assert len(crowd.posted) == 6
    for answered in (2, 0, 4, 0, 0, 3, 0):
        crowd = Slow(either, answered)
        report = either.crowd.run(crowd, policy)
        expected, held, calls = crowd.posted, labels_in(either), policy.calls
        silent = Slow(either, 0)
        assert either.crowd.run(silent, policy) == dataclasses.replace(report, new_votes=0)
        with monkeypatch.context() as reading:
            reading.delattr("holotype.project.asking.take")
            told: list[tuple[int, int]] = []
            asked = either.crowd.run(Nobody(), policy, partial(note, told))
        assert asked == dataclasses.replace(report, new_votes=0), "nothing is read where nobody is asked"
        assert told == [(200 - report.states.get("open", 0), 200)]
        assert (policy.calls, labels_in(either)) == (calls, held), "nothing is new"
        left = [page for page in expected if page.id not in answered_pages(either)]
        assert {page.id for page in left} <= {page.id for page in silent.posted}
        with either.catalog.write() as connection:
            learned.set_drawn(connection, "")
        forgetful = Slow(either, 0)
        either.crowd.run(forgetful, policy)
        assert policy.calls > calls
        assert forgetful.posted == silent.posted
        assert labels_in(either) == held


def note(told: list[tuple[int, int]], done: int, total: int) -> None:
    told.append((done, total))


def answered_pages(db: Project) -> set[str]:
    return {vote.page for vote in db.crowd.votes()}


def test_all_that_labels_follow_from_has_them_drawn_again(db: Project) -> None:
    policy = Counting(Fixed(2))
    crowd = db.crowd.simulated(truth_of(db))
    db.crowd.run(crowd, policy)
    worker = db.crowd.votes()[0].worker
    pairs = list(truth_of(db))
    own = Counting(Fixed(2))
    changes: list[Callable[[], object]] = [
        lambda: db.gold.add({pairs[0]: True}, "me", own),
        lambda: db.candidates.add_priors({pairs[1]: 0.9}, "model", own),
        lambda: db.labels.overrule({pairs[2]: True}, "me", "seen", own),
        lambda: db.workers.block(worker, "x", own),
        lambda: add_candidates(db, 2, first=1000),
        lambda: db.crowd.append(table(db, pairs[3:4], "new", Answer.YES), Fixed(3)),
    ]
    for change in changes:
        change()
        calls = policy.calls + own.calls
        db.crowd.run(db.crowd.simulated(truth_of(db)), policy)
        drawn_by_the_change = own.calls > 0
        assert policy.calls + own.calls > calls or drawn_by_the_change
        calls = policy.calls
        db.crowd.run(db.crowd.simulated(truth_of(db)), policy)
        assert policy.calls == calls, "and then they stand"
        own.calls = 0


def test_a_policy_of_ones_own_is_always_asked(db: Project) -> None:
    class Own(Fixed):
        def __str__(self) -> str:
            return "own"

    policy = Counting(Own(2))
    for _ in range(2):
        calls = policy.calls
        db.crowd.run(db.crowd.simulated(truth_of(db)), policy)
        assert policy.calls > calls


def test_sheets_that_came_in_meanwhile_are_counted(db: Project) -> None:
    """A campaign that is at its end hears who answers late, and records it before anything counts."""

    class Late(SimulatedCrowd):
        late = False

        def collect(self) -> list[Sheet]:
            if self.late:
                task = db.candidates.tasks()[0]
                page = Page("001-late", task.wnid, (task,), frozenset(), 1)
                self.late = False
                return [Sheet(page, "somebody late", (Answer.YES,), 1.0, 2.0)]
            return super().collect()

    policy, crowd = Counting(Fixed(2)), Late(lambda task: True, lambda: 0.0)
    report = db.crowd.run(crowd, policy)
    crowd.late, calls = True, policy.calls
    again = db.crowd.run(crowd, policy)
    assert (again.new_votes, again.votes) == (1, report.votes + 1)
    assert policy.calls > calls
    assert db.crowd.votes()[-1].worker == "somebody late"


def test_a_late_vote_of_an_earlier_round_changes_what_its_round_led_to(db: Project) -> None:
    """What was open when a round began is remembered only as long as no vote says otherwise."""
    policy, crowd = Fixed(2), Slow(db, 8)
    db.crowd.run(crowd, policy)
    left = [task for page in crowd.posted[2:] for task in page.tasks]
    task = left[0]

    class WithLate(Slow):
        def collect(self) -> list[Sheet]:
            late = [Sheet(Page("001-late", task.wnid, (task,), frozenset(), 1), "late", (Answer.NO,), 1.0, 2.0)]
            return [*late, *super().collect()] if not self.posted else super().collect()

    late = WithLate(db, 0)
    db.crowd.run(late, policy)
    assert [one for page in late.posted for one in page.tasks] == left[1:]


# Votes from elsewhere


def table(db: Project, pairs: Sequence[tuple[str, str]], worker: str, answer: Answer) -> dict[str, list[object]]:
    return {
        "sha256": [sha256 for sha256, _ in pairs],
        "wnid": [wnid for _, wnid in pairs],
        "worker": [worker] * len(pairs),
        "answer": [int(answer)] * len(pairs),
    }


def by_the_busiest(db: Project, count: int) -> tuple[list[tuple[str, str]], dict[str, list[object]]]:
    """Votes by the worker who has most on so many candidates more, right nine times in ten."""
    cast, truth = db.crowd.votes(), truth_of(db)
    worker = Counter(vote.worker for vote in cast if vote.worker != "ann").most_common(1)[0][0]
    seen = {vote.task for vote in cast if vote.worker == worker}
    pairs = [(task.sha256, task.wnid) for task in db.candidates.tasks() if task.number not in seen][:count]
    answers = [Answer.YES if truth[pair] != (at % 10 == 3) else Answer.NO for at, pair in enumerate(pairs)]
    return pairs, table(db, pairs, worker, Answer.YES) | {"answer": [int(answer) for answer in answers]}


@pytest.mark.parametrize(
    "policy",
    [Fixed(4), Lead(2, 5), Trust("ann"), Posterior(), Imageable(Posterior(pilot=10)), Imageable(Fixed(4))],
    ids=["fixed", "lead", "trust", "posterior", "imageable", "imageable fixed"],
)
def test_appended_votes_have_the_labels_they_touch_concluded_again(either: Project, policy: Policy) -> None:
    """As a full draw would conclude: the same where each candidate is decided by its own votes, else nearly."""
    either.crowd.run(either.crowd.simulated(truth_of(either)), Posterior(minimum=3))
    everybody = list(truth_of(either))
    either.crowd.append(table(either, everybody[:50], "ann", Answer.NO))
    either.gold.add(dict(list(truth_of(either).items())[::20]), "me")
    either.crowd.run(Nobody(), policy)
    before = {row[0]: row for row in labels_in(either)}
    pairs, made = by_the_busiest(either, 25)
    report = either.crowd.append(made)
    with either.catalog.read() as connection:
        touched = set(candidates.numbers(connection, pairs).values())
        drawn = read_drawn(connection)
        assert drawn is not None
        assert (drawn.appended, drawn.counts) == (len(pairs), votes.evidence_counts(connection))
    after = {row[0]: row for row in labels_in(either)}
    assert (report.new, report.known, report.anew) == (25, 0, False)
    assert {number for number, row in after.items() if before[number] != row} <= touched
    assert report.changed == sum(before[number][1] != after[number][1] for number in after)
    either.crowd.run(Nobody(), policy)
    full = {row[0]: row for row in labels_in(either)}
    with either.catalog.read() as connection:
        again = read_drawn(connection)
    assert again is not None
    assert again.appended == 0
    if isinstance(policy, Posterior) or "posterior" in str(policy):
        assert np.mean([full[number][1] == after[number][1] for number in touched]) >= 0.9
        apart = [abs(float(str(full[number][2])) - float(str(after[number][2]))) for number in touched]
        assert np.median(apart) < 0.02
    else:
        assert {number: full[number] for number in touched} == {number: after[number] for number in touched}


def test_a_memory_says_what_the_fit_said(db: Project) -> None:
    """Of all candidates together, with gold, priors and several batches, a model that is kept concludes what it did."""
    policy = Imageable(Posterior())
    truth = truth_of(db)
    db.gold.add(dict(list(truth.items())[::9]), "me")
    db.candidates.add_priors(dict.fromkeys(list(truth)[::7], 0.6), "model")
    db.crowd.run(Slow(db, 3), policy)
    db.crowd.run(db.crowd.simulated(truth), policy)
    with db.catalog.read() as connection:
        told = read_model(connection)
        tally = read_tally(connection, db.catalog)
    assert told is not None
    memory, axes, pilot = told
    ballot = tally.ballot_on(axes)
    assert ballot is not None
    assert ballot.batch is not None
    assert_same(ballot, tally.ballot())
    again = policy.again(ballot, dataclasses.replace(memory, pilot=tally.places_of(pilot)))
    fitted = policy.conclude(tally.ballot())
    np.testing.assert_allclose(again.scores, fitted.scores, atol=5e-3)
    assert again.states == fitted.states


def test_labels_are_all_drawn_anew_where_a_model_would_not_do(db: Project) -> None:
    crowd, policy = db.crowd.simulated(truth_of(db)), Fixed(2)
    pairs = list(truth_of(db))
    assert db.crowd.append(table(db, pairs[:1], "early", Answer.YES)) == dataclasses.replace(
        db.crowd.append(table(db, pairs[:1], "early", Answer.YES)), new=1, known=0
    )
    assert labels_in(db) == [], "no policy has drawn any"
    db.crowd.run(crowd, policy)
    assert not db.crowd.append(table(db, pairs[:20], "a", Answer.YES)).anew
    assert not db.crowd.append(table(db, pairs[:20], "b", Answer.YES)).anew
    assert db.crowd.append(table(db, pairs[:20], "c", Answer.YES)).anew, "a tenth more"
    assert not db.crowd.append(table(db, pairs[:2], "d", Answer.YES)).anew
    assert db.crowd.append(table(db, pairs[:2], "e", Answer.YES), Fixed(3)).anew, "another policy"
    add_candidates(db, 2, first=1000)
    assert db.crowd.append(table(db, pairs[:2], "f", Answer.YES)).anew, "more candidates"
    assert db.crowd.append(table(db, pairs[:2], "g", Answer.YES), Source()).anew, "it needs all"
    db.crowd.run(crowd, Table(seeds=5))
    assert db.crowd.append(table(db, pairs[:2], "h", Answer.YES)).anew, "it needs all"
    db.crowd.run(crowd, policy)
    with db.catalog.write() as connection:
        task = db.candidates.tasks()[0].number
        row = {"candidate_id": task, "worker": "another process", "answer": 0, "page": "", "seconds": 1.0, "at": 1.0}
        votes.add(connection, [row])
    assert db.crowd.append(table(db, pairs[:2], "i", Answer.YES)).anew, "votes came by another way"
    same = db.crowd.append(table(db, pairs[:2], "i", Answer.NO))
    assert (same.new, same.known, same.changed, same.anew) == (0, 2, 0, False)
    assert str(same).startswith("0 votes are new, 2 were known")


def test_appended_votes_are_durable_before_they_count(db: Project) -> None:
    class Stopped(Exception):
        pass

    class Stops(Fixed):
        def again(self, *_: object) -> Conclusion:
            raise Stopped

    db.crowd.run(db.crowd.simulated(truth_of(db)), Stops(2))
    pair = next(iter(truth_of(db)))
    number = next(task.number for task in db.candidates.tasks() if (task.sha256, task.wnid) == pair)
    with pytest.raises(Stopped):
        db.crowd.append(table(db, [pair], "a", Answer.YES), Stops(2))
    cast = [vote for vote in db.crowd.votes() if vote.round == 0]
    assert [(vote.task, vote.worker, vote.answer, vote.page) for vote in cast] == [(number, "a", Answer.YES, "")]
    for worker in ("b", "c", "d"):
        report = db.crowd.append(table(db, [pair], worker, Answer.YES), Fixed(2))
        assert report.anew == (worker == "b"), "nobody had counted the first"
    assert {row[0]: row[1] for row in labels_in(db)}[number] == "yes"


@pytest.mark.parametrize("library", [dict, pd.DataFrame, pl.DataFrame, pa.table])
def test_a_table_of_any_library_is_appended(db: Project, library: Callable[[dict[str, list[object]]], object]) -> None:
    pairs = list(truth_of(db))[:3]
    made = table(db, pairs, "ann", Answer.YES) | {
        "answer": ["yes", "No", "unsure"],
        "seconds": [1.0, 2.5, 3.0],
        "at": [7, 8, 9],
    }
    assert db.crowd.append(library(made)).new == 3
    cast = db.crowd.votes()
    assert [(vote.answer, vote.seconds, vote.at) for vote in cast] == [
        (Answer.YES, 1.0, 7.0),
        (Answer.NO, 2.5, 8.0),
        (Answer.UNSURE, 3.0, 9.0),
    ]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"answer": ["maybe"]}, "an answer is yes, no or unsure, or 2, 0 or 1, not 'maybe'"),
        ({"answer": [3]}, "not 3"),
        ({"answer": [True]}, "not True"),
        ({"answer": [None]}, "not None"),
        ({"worker": [None]}, "every vote needs a worker, a text"),
        ({"worker": [7]}, "every vote needs a worker, a text"),
        ({"worker": ["a\0b"]}, "no zero byte"),
        ({"worker": ["a" * 501]}, "at most 500 characters"),
        ({"sha256": ["f" * 64]}, "1 votes are of no candidate, the first is ffff"),
        ({"seconds": [-1.0]}, "seconds of votes are finite numbers, 0 or more"),
        ({"at": [None]}, "at of votes are finite numbers"),
        ({"at": ["noon"]}, "at of votes are numbers"),
    ],
)
def test_what_is_no_vote_is_refused_and_nothing_recorded(db: Project, wrong: dict[str, object], message: str) -> None:
    good = list(truth_of(db))[:1]
    with pytest.raises(CrowdError, match=message):
        db.crowd.append(table(db, good, "ann", Answer.YES) | wrong)
    with pytest.raises(CrowdError, match="this one lacks answer"):
        db.crowd.append({name: value for name, value in table(db, good, "a", Answer.YES).items() if name != "answer"})
    assert db.crowd.votes() == []


def test_facts_of_a_few_are_looked_up(catalog: Catalog, wordnet: Ontology) -> None:
    """Rows come back in ranges of a key, however far apart, and texts as places among names."""
    with catalog.write() as connection:
        rows = [{"name": f"w{number % 7}-{number}"} for number in range(90)]
        statements.add_rows(connection, t.worker, rows)
        connection.execute(t.worker.delete().where(t.worker.c.id % 3 == 0))
    with catalog.read() as connection:
        names = statements.Names()
        question = select(t.worker.c.id, t.worker.c.name).order_by(t.worker.c.id)
        number, name = statements.read_all(connection, question, t.worker.c.id, np.int64, names, step=4)
        some, _ = statements.read_some(connection, question, t.worker.c.id, [1, 2, 3, 89], np.int64, np.object_)
        empty = statements.read_all(connection, question.where(t.worker.c.id < 0), t.vote.c.id, np.int64, names)
    told = list(names)
    assert number.tolist() == [of for of in range(1, 91) if of % 3]
    assert [told[at] for at in name] == [f"w{(of - 1) % 7}-{of - 1}" for of in number.tolist()]
    assert some.tolist() == [1, 2, 89]
    assert [len(column) for column in empty] == [0, 0]
