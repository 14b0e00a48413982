"""Gold, training, reviews of workers, and blocking them."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
import itertools
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import holotype
from conftest import Notes, Once, run, small_ontology
from holotype.consensus.ballot import Ballot
from holotype.consensus.posteriors import fit
from holotype.consensus.votes import TRAINING, Answer, Task, Vote
from holotype.crowd.campaign import run_campaign
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.expert import Nobody
from holotype.crowd.gold import (
    feedback,
    gold_share,
    own_training_page,
    passed,
    sibling_negatives,
    training_page,
    training_votes,
    with_gold,
)
from holotype.crowd.policies import Fixed, Posterior
from holotype.crowd.port import Page, Sheet
from holotype.crowd.reviews import Timing, Verdict, WorkerReview, correlated_pairs, hidden_name, review_workers
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.ontology import Ontology
from holotype.project import Project
from holotype.project.conclusions import TRIES
from holotype.project.facts import record_votes
from holotype.releases import verify_release
from holotype.releases.layout import VOTES
from holotype.simulation.workers import SimulatedCrowd

Fill = Callable[..., None]
Copy = Callable[[Path], Path]
DOG, CAT, WHIPPET, GREYHOUND = "n02084071", "n02121808", "n02091134", "n02091032"


def task(number: int, wnid: str = DOG) -> Task:
    return Task(number, wnid, hashlib.sha256(f"{number}".encode()).hexdigest())


def golden(count: int, wnid: str = DOG) -> dict[Task, bool]:
    return {task(1000 + number, wnid): number % 2 == 0 for number in range(count)}


def page_of(count: int, name: str = "001-x", number: int = 1) -> Page:
    return Page(name, DOG, tuple(task(number) for number in range(count)), frozenset(), number)


# Gold


def test_golds_share_falls_from_a_tenth_to_a_fortieth() -> None:
    assert [gold_share(number) for number in (1, 2, 3, 4, 5, 50)] == pytest.approx(
        [0.1, 0.05, 1 / 30, 0.025, 0.025, 0.025]
    )
    for number in (1, 2, 4):
        pages = (page_of(48, f"{number:03d}-{n}", number) for n in range(400))
        mixed = [len(with_gold(page, golden(30)).tasks) - 48 for page in pages]
        assert np.mean(mixed) == pytest.approx(48 * gold_share(number), abs=0.1)


def test_every_page_of_the_first_round_has_gold_if_there_is_any() -> None:
    assert len(with_gold(page_of(1), golden(5)).tasks) == 2
    assert with_gold(page_of(48), {}) == page_of(48)


def test_gold_is_placed_by_the_pages_id_and_leaves_the_id() -> None:
    page, gold = page_of(48), golden(30)
    mixed = with_gold(page, gold)
    assert mixed == with_gold(page, dict(reversed(gold.items())))
    assert (mixed.id, mixed.wnid, mixed.seen) == (page.id, page.wnid, page.seen)
    assert set(page.tasks) < set(mixed.tasks)
    others = [with_gold(page_of(48, f"001-{n}"), gold) for n in range(200)]
    where = Counter(place for other in others for place, found in enumerate(other.tasks) if found in gold)
    assert len(where) == 53, "gold is at every place of the page now and then"
    asked = Counter(found for other in others for found in other.tasks if found in gold)
    assert set(asked) == set(gold)


def test_gold_yes_and_no_are_asked_alike() -> None:
    gold = golden(2) | {task(2000 + number): False for number in range(40)}
    for number in range(50):
        answers = [gold[found] for found in with_gold(page_of(48, f"001-{number}"), gold).tasks if found in gold]
        assert sum(answers) == 1


def campaign(count: int = 120, gold: int = 20) -> tuple[list[Task], dict[int, bool], dict[int, bool]]:
    tasks = [task(number, DOG if number % 2 else CAT) for number in range(count)]
    generator = np.random.default_rng(4)
    truth = {found.number: bool(generator.random() < 0.3) for found in tasks}
    return tasks, truth, {found.number: truth[found.number] for found in tasks[:gold]}


def crowd(truth: dict[int, bool], kind: type[SimulatedCrowd] = SimulatedCrowd) -> SimulatedCrowd:
    clock = itertools.count(1000.0)
    return kind(lambda found: truth[found.number], lambda: next(clock))


def facts(votes: Sequence[Vote]) -> set[tuple[int, str, Answer, str]]:
    return {(vote.task, vote.worker, vote.answer, vote.page) for vote in votes}


@pytest.mark.parametrize("policy", [Posterior(), Fixed(3)])
def test_gold_is_never_open_and_is_what_it_is_known_to_be(policy: Posterior | Fixed) -> None:
    tasks, truth, gold = campaign()
    untouched = Tally.of(tasks, gold=gold).conclude(policy)
    tally = Tally.of(tasks, gold=gold)
    rounds: list[Conclusion] = []
    finished = run_campaign(tally, crowd(truth), policy, lambda _: None, rounds.append)
    for conclusion in (untouched, *rounds, finished):
        assert conclusion.states[:20] == [State.YES if truth[number] else State.NO for number in range(20)]
        assert conclusion.scores[:20].tolist() == [float(truth[number]) for number in range(20)]
    assert State.OPEN not in finished.states
    assert set(untouched.states[20:]) == {State.OPEN}


def test_a_worker_who_meets_gold_again_votes_on_it_once() -> None:
    tasks, truth, gold = campaign(gold=4)
    recorded: list[Vote] = []
    tally = Tally.of(tasks, gold=gold)
    run_campaign(tally, crowd(truth), Fixed(5), recorded.extend, page_size=5)
    assert len(recorded) > len(tally.votes)
    votes = tally.votes
    assert len(set(zip(votes.task.tolist(), votes.worker.tolist(), strict=True))) == len(votes)
    assert max(Counter(task for task in votes.task.tolist() if task in gold).values()) > 5


def test_gold_tells_who_is_right() -> None:
    """Three say yes to everything, two tell good from bad: gold shows who to believe, and so do the votes."""
    tasks = [task(number) for number in range(60)]
    votes = [
        Vote(number, f"{worker}", Answer.YES if worker < 3 or number % 2 else Answer.NO, "001-x", 1, 0, 1)
        for number in range(60)
        for worker in range(5)
    ]
    gold = {number: number % 2 == 1 for number in range(20)}
    posterior = fit(Tally.of(tasks, votes, gold).ballot()).posterior[20:]
    assert (posterior[1::2] > 0.9).all()
    assert (posterior[::2] < 0.1).all()
    blind = fit(Tally.of(tasks, votes).ballot()).posterior[20:]
    assert (blind[1::2] > 0.9).all()
    assert (blind[::2] < 0.1).all()


def test_siblings_lend_their_gold() -> None:
    parents = {0: [], 1: [0], 2: [0], 3: [1, 0], 4: [2]}
    ontology = small_ontology(parents)
    names = [f"n{number:08d}" for number in range(5)]
    assert [one.wnid for one in ontology.siblings(names[1])] == [names[2]], "3 is beside 1, and below it"
    assert [one.wnid for one in ontology.siblings(names[3])] == [names[2]], "1 is beside 3, and above it"
    gold = {task(number, names[2]): True for number in range(10)} | {task(20, names[1]): False}
    both = task(3)._replace(wnid=names[3])
    tasks = [*gold, both, task(40, names[1])]

    def lent(per_synset: int, seed: int = 0) -> list[tuple[str, Task]]:
        return sibling_negatives(
            gold, tasks, {names[1]: {names[2]}}, {names[1]: {names[1], names[3]}}, per_synset, seed
        )

    assert len(lent(4)) == 3, "one of the four is there"
    assert {found.number for _, found in lent(99)} == set(range(10)) - {3}, "what may show both lends nothing"
    assert lent(4) == lent(4)
    assert lent(4) != lent(4, seed=1)


# Training


def test_a_training_page_is_half_yes_and_half_no_and_the_same_for_all() -> None:
    gold = golden(30) | golden(30, CAT)
    page = training_page(DOG, gold, 10)
    assert Counter(gold[found] for found in page.tasks) == {True: 5, False: 5}
    assert page == training_page(DOG, dict(reversed(gold.items())), 10)
    assert {found.wnid for found in page.tasks} == {DOG}
    with pytest.raises(CrowdError, match=f"{WHIPPET} has no gold to train on: add some"):
        training_page(WHIPPET, gold, 10)


def test_feedback_names_the_right_answers_and_four_in_five_pass() -> None:
    gold = golden(30)
    page = training_page(DOG, gold, 10)
    right = [Answer.YES if gold[found] else Answer.NO for found in page.tasks]
    for wrong, outcome in ((0, True), (2, True), (3, False), (10, False)):
        marks = feedback(page, [Answer.UNSURE] * wrong + right[wrong:], gold)
        assert [answer for _, _, answer in marks] == right
        assert [found for found, _, _ in marks] == list(page.tasks)
        assert passed(marks) is outcome
    assert not passed([])
    with pytest.raises(CrowdError, match="has 10 tasks, but 9 answers"):
        feedback(page, right[1:], gold)


def test_a_page_of_ones_own_is_of_other_pictures_in_another_order_at_each_try() -> None:
    gold = golden(30) | golden(30, CAT)
    ann = [own_training_page("ann", DOG, attempt, gold, 10) for attempt in range(8)]
    bob = own_training_page("bob", DOG, 0, gold, 10)
    assert Counter(gold[found] for found in bob.tasks) == {True: 5, False: 5}
    assert ann[0] == own_training_page("ann", DOG, 0, dict(reversed(gold.items())), 10)
    assert len({page.id for page in (*ann, bob)}) == len({page.tasks for page in (*ann, bob)}) == 9
    seen = {found for page in ann for found in page.tasks}
    assert len(seen) == 15, "the other half is to be asked"
    assert seen != {found for attempt in range(8) for found in own_training_page("bob", DOG, attempt, gold, 10).tasks}


def test_who_knows_anothers_answers_by_place_does_not_pass() -> None:
    """Of the pages of a hundred others, the answers told in order are right as often as a coin is."""
    gold = golden(20)
    told = [gold[found] for found in own_training_page("ann", DOG, 0, gold, 10).tasks]
    right = [
        sum(gold[found] is said for found, said in zip(page.tasks, told, strict=True))
        for page in (own_training_page(f"w{number}", DOG, 0, gold, 10) for number in range(100))
    ]
    assert 4 < np.mean(right) < 6
    assert np.mean([one >= 8 for one in right]) < 0.2


def test_training_votes_are_votes_on_gold_that_count_for_nothing() -> None:
    tasks, truth, known = campaign()
    gold = {found: known[found.number] for found in tasks if found.number in known}
    page = training_page(DOG, gold, 6)
    strange = dataclasses.replace(page, tasks=(*page.tasks, tasks[99]))
    votes = training_votes(Sheet(strange, "ann", (Answer.YES,) * 7, 7.0, 1.0), gold)
    assert {vote.task for vote in votes} == {found.number for found in page.tasks}
    tally = Tally.of(tasks, votes, known)
    run_campaign(tally, crowd(truth), Posterior(), lambda _: None)
    assert {*tally.votes.round.tolist()} >= {TRAINING, 1, 2}
    assert "ann" not in tally.workers
    assert len(tally.counting) == len(tally.votes) - 6 == tally.votes_of_pages


# Reviews


def simulated(
    seed: int, tasks: int, workers: int = 40, ambiguous: float = 0.0
) -> tuple[Ballot, np.ndarray, np.random.Generator]:
    """Five honest votes on every task, ordered by task; ambiguous images fool everybody alike."""
    generator = np.random.default_rng(seed)
    truth = generator.random(tasks) < 0.3
    fooled = generator.random(tasks) < ambiguous
    sensitivity, specificity = generator.uniform(0.5, 0.8, workers), generator.uniform(0.92, 0.99, workers)
    task = np.repeat(np.arange(tasks), 5)
    worker = np.argsort(generator.random((tasks, workers)), axis=1)[:, :5].ravel()
    yes = np.where(truth[task], sensitivity[worker], 1 - specificity[worker])
    yes = np.where(fooled[task], 1 - yes, yes)
    answer = np.where(generator.random(len(task)) < yes, Answer.YES, Answer.NO)
    return Ballot(task, worker, answer, np.zeros(tasks, np.int64), workers, 1), truth, generator


def of_rows(rows: Sequence[tuple[int, int, int]], tasks: int) -> Ballot:
    task, worker, answer = np.array(rows, np.int64).reshape(-1, 3).T
    return Ballot(task, worker, answer, np.zeros(tasks, np.int64), int(worker.max(initial=-1)) + 1, 1)


def review(ballot: Ballot, seconds: np.ndarray | None = None) -> list[WorkerReview]:
    took = np.ones(len(ballot.task)) if seconds is None else seconds
    timing = Timing(took.astype(np.float64), np.arange(len(took), dtype=np.float64))
    return review_workers(ballot, timing, [str(n) for n in range(ballot.workers)], fit(ballot))


@pytest.mark.parametrize("ambiguous", [0.0, 0.1])
def test_honest_workers_are_seldom_accused(ambiguous: float) -> None:
    """One crowd in a hundred may have somebody accused of drift, one of copying; nobody is to be blocked."""
    accused = [
        [found for found in review(simulated(seed, 1000, ambiguous=ambiguous)[0]) if found.verdict is not Verdict.OK]
        for seed in range(40)
    ]
    assert sum(map(bool, accused)) <= 2
    assert sum(any(found.partners for found in some) for some in accused) <= 1
    assert not any(found.verdict is Verdict.BLOCK for some in accused for found in some)


def test_two_who_share_their_answers_are_found_and_nobody_else() -> None:
    for seed in range(3):
        ballot, _, _ = simulated(seed, 4000, ambiguous=0.1)
        first = ballot.worker == 0
        theirs = dict(zip(ballot.task[first].tolist(), ballot.answer[first].tolist(), strict=True))
        rows = ballot.keep(ballot.worker != 1)
        copied = dataclasses.replace(
            rows,
            task=np.concatenate([rows.task, np.array(list(theirs))]),
            worker=np.concatenate([rows.worker, np.ones(len(theirs), np.int64)]),
            answer=np.concatenate([rows.answer, np.array(list(theirs.values()))]),
        )
        ((a, b, p),) = correlated_pairs(copied, fit(copied))
        assert (a, b) == (0, 1)
        assert p < 1e-5
        found = review(copied)
        assert (found[0].partners, found[1].partners) == (("1",), ("0",))
        assert "makes the same mistakes as 1 other worker" in found[0].reasons
        assert [other.worker for other in found if other.partners] == ["0", "1"]


def test_one_who_begins_to_guess_drifts() -> None:
    ballot, _, generator = simulated(1, 4000)
    mine = np.flatnonzero(ballot.worker == 7)
    late = mine[len(mine) // 2 :]
    ballot.answer[late] = np.where(generator.random(len(late)) < 0.5, Answer.YES, Answer.NO)
    found = review(ballot)
    assert found[7].drift is not None
    assert found[7].drift < -0.15
    assert any("right less often than before" in reason for reason in found[7].reasons)
    assert not any("before" in reason for other in found if other.worker != "7" for reason in other.reasons)


def test_who_answers_by_a_coin_is_to_be_blocked() -> None:
    ballot, _, generator = simulated(2, 6000)
    mine = ballot.worker == 3
    ballot.answer[mine] = np.where(generator.random(mine.sum()) < 0.4, Answer.YES, Answer.NO)
    ballot.answer[ballot.worker == 4] = Answer.NO
    found = review(ballot)
    assert [other.worker for other in found if other.verdict is Verdict.BLOCK] == ["3", "4"]
    assert found[3].reasons[0].startswith("answers tell nothing: sensitivity 0.")


def test_a_few_votes_block_nobody() -> None:
    ballot, _, _ = simulated(2, 400)
    few = ballot.keep((ballot.worker != 3) | (np.cumsum(ballot.worker == 3) <= 3))
    few.answer[few.worker == 3] = Answer.YES
    found = review(few)[3]
    assert (found.votes, found.verdict, found.drift) == (3, Verdict.OK, None)


def test_gold_is_counted_with_its_interval() -> None:
    """Clopper and Pearson (1934): with none of 10 right the upper bound is 1 - (.01 / 2) ** (1 / 10), 41.1 %."""
    ballot, truth, _ = simulated(5, 400)
    known = np.full(400, -1)
    known[:60] = truth[:60]
    ballot.answer[(ballot.worker == 9) & (ballot.task < 60)] = Answer.UNSURE
    found = review(dataclasses.replace(ballot, known=known))
    for worker, one in enumerate(found):
        mine = (ballot.worker == worker) & (ballot.task < 60)
        right = ballot.answer[mine] == np.where(truth[ballot.task[mine]], Answer.YES, Answer.NO)
        assert (one.gold, one.right) == (mine.sum(), right.sum())
        assert one.gold_interval[0] <= right.mean() <= one.gold_interval[1]
    rows = [(task, 0, Answer.UNSURE) for task in range(10)] + [(0, 1, Answer.YES), (1, 1, Answer.NO)]
    few = of_rows([*rows, (11, 2, Answer.YES)], 12)
    none, half, unseen = review(dataclasses.replace(few, known=np.array([1] * 10 + [-1] * 2)))
    assert none.gold_interval == pytest.approx((0, 1 - 0.005**0.1))
    assert half.gold_interval == pytest.approx((1 - 0.995**0.5, 0.995**0.5))
    assert unseen.gold_interval == pytest.approx((0, 1))
    assert none.verdict is Verdict.BLOCK
    assert "0 of 10 gold answers right" in none.reasons


def test_speed_is_told_beside_the_crowds() -> None:
    ballot, _, generator = simulated(6, 500)
    seconds = generator.uniform(2, 4, len(ballot.task))
    seconds[ballot.worker == 5] = 0.3
    found = review(ballot, seconds)
    assert found[5].pace == pytest.approx(0.1, abs=0.01)
    assert found[5].reasons == ("takes 10% of the crowd's time for an image",)
    assert found[5].verdict is Verdict.WATCH
    assert np.median([one.pace for one in found]) == pytest.approx(1)
    assert review(ballot, np.zeros(len(ballot.task)))[5].pace == 1


def test_pace_is_a_median_over_the_median_of_medians() -> None:
    rows = [(task, worker, Answer.YES) for worker, votes in ((0, 1), (1, 4), (3, 3)) for task in range(votes)]
    found = review(dataclasses.replace(of_rows(rows, 5), workers=5), np.array([9.0, 4, 1, 2, 8, 5, 7, 6]))
    assert [one.pace for one in found] == pytest.approx([9 / 6, 3 / 6, 1, 6 / 6, 1])
    nobody = dataclasses.replace(of_rows(rows, 5), workers=5).keep(np.zeros(0, np.int64))
    assert [one.pace for one in review(nobody)] == [1] * 5


def test_agreement_is_with_the_majority_of_the_others() -> None:
    rows = [(0, 0, 2), (0, 1, 2), (0, 2, 0), (1, 0, 0), (1, 1, 1), (1, 2, 0), (2, 0, 2)]
    found = review(of_rows(rows, 3))
    # Task 0 leaves the first two nothing to compare with: one yes, one no. On task 1 unsure is no side.
    assert [one.agreement for one in found] == [1.0, None, 0.5]


def test_nobody_is_reviewed_where_nobody_voted() -> None:
    assert review(of_rows([], 3)) == []


def test_a_hidden_name_depends_on_the_salt() -> None:
    assert hidden_name("ann", "salt") == hidden_name("ann", "salt") != hidden_name("ann", "pepper")
    assert len(hidden_name("ann", "salt")) == 16


# Blocking


class Stopped(Exception):
    pass


class OnePageAtATime(SimulatedCrowd):
    def collect(self) -> list[Sheet]:
        self._posted, rest = self._posted[:1], self._posted[1:]
        try:
            return super().collect()
        finally:
            self._posted = rest


def stopped_after(tally: Tally, truth: dict[int, bool], pages: int, policy: Policy, held: Sequence[Vote] = ()) -> Notes:
    """The votes of a campaign that had brought those held, when it had brought so many pages more and was stopped."""
    kept = Notes(held)
    before = len({vote.page for vote in kept})

    def record(votes: Sequence[Vote]) -> None:
        if len({vote.page for vote in kept}) >= before + pages:
            raise Stopped
        kept.record(votes)

    with contextlib.suppress(Stopped):
        run_campaign(tally, crowd(truth, OnePageAtATime), policy, record, page_size=7)
    return kept


@pytest.mark.parametrize("first", [5, 30, 1000])
def test_a_campaign_stopped_after_a_block_ends_as_if_it_had_not_been(first: int) -> None:
    tasks, truth, gold = campaign()
    policy = Once(Posterior())
    kept = stopped_after(Tally.of(tasks, gold=gold), truth, first, policy)
    worker = Counter(vote.worker for vote in kept).most_common(1)[0][0]
    tally, whole = Tally.of(tasks, kept, gold, {worker}), Notes(kept)
    conclusion = run_campaign(tally, crowd(truth), policy, whole.record, page_size=7)
    assert State.OPEN not in conclusion.states
    blocked_votes = {vote for vote in kept if vote.worker == worker}
    assert {vote for vote in whole if vote.worker == worker} == blocked_votes, "they are asked nothing more"
    assert worker not in tally.workers
    assert len(tally.counting) == len(tally.votes) - len(blocked_votes)
    for again in range(1, 9, 2):
        later = stopped_after(Tally.of(tasks, kept, gold, {worker}), truth, again, policy, kept)
        resumed = Tally.of(tasks, later, gold, {worker})
        same = run_campaign(resumed, crowd(truth), policy, later.record, page_size=7)
        assert facts(later) == facts(whole)
        assert same.states == conclusion.states


def test_a_page_is_not_put_up_again_under_its_old_name_after_a_block() -> None:
    """A platform leaves a page that is up as it is: what a blocked worker answered must come back under a new id."""
    tasks, truth, gold = campaign()
    policy = Once(Posterior())
    kept = stopped_after(Tally.of(tasks, gold=gold), truth, 1000, policy)
    answered = {vote.page for vote in kept}
    worker = Counter(vote.worker for vote in kept).most_common(1)[0][0]
    posted: list[Page] = []

    class Watched(SimulatedCrowd):
        def post(self, pages: Sequence[Page]) -> None:
            posted.extend(pages)
            super().post(pages)

    run_campaign(Tally.of(tasks, kept, gold, {worker}), crowd(truth, Watched), policy, lambda _: None, page_size=7)
    assert posted
    assert not answered & {page.id for page in posted}
    assert all(worker in page.seen for page in posted)


# In a project


@pytest.fixture(scope="module")
def collected_once(new_project: Copy, wordnet: Ontology, fill: Fill, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("collected")
    for number, name in enumerate((DOG, WHIPPET, GREYHOUND)):
        fill(folder / "photos" / name, 20, first=100 * number)
    with holotype.open(new_project(folder / "project"), wordnet) as db:
        db.images.ingest(folder / "photos")
        return db.path


@pytest.fixture
def collected(collected_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(collected_once)


def truth_of(db: Project) -> dict[tuple[str, str], bool]:
    return {(found.sha256, found.wnid): int(found.sha256, 16) % 4 > 0 for found in db.candidates.tasks()}


def some_gold(db: Project, every: int = 5) -> dict[tuple[str, str], bool]:
    return dict(list(truth_of(db).items())[::every])


def test_gold_is_added_once_and_never_changed_by_the_way(collected: Project) -> None:
    gold = some_gold(collected)
    assert collected.gold.add(gold, "an expert") == 12
    assert collected.gold.add(gold, "an expert") == 0
    held = {(found.sha256, found.wnid): yes for found, yes in collected.gold.answers().items()}
    assert held == gold
    with pytest.raises(CrowdError, match=r"12 of these answers contradict what gold says"):
        collected.gold.add({pair: not yes for pair, yes in gold.items()}, "a fool")
    with pytest.raises(CrowdError, match=f"1 gold answers are of no candidate, the first is nothing for {DOG}"):
        collected.gold.add({("nothing", DOG): True, **truth_of(collected)}, "x")
    assert len(collected.gold.answers()) == 12


def test_a_sibling_is_gold_no_and_a_candidate(collected: Project) -> None:
    truth = truth_of(collected)
    collected.gold.add(dict.fromkeys((pair for pair in truth if pair[1] == GREYHOUND), True), "x")
    assert collected.gold.add_siblings(5) == 5
    assert collected.gold.add_siblings(5) == 0
    lent = {found.sha256: yes for found, yes in collected.gold.answers().items() if found.wnid == WHIPPET}
    assert list(lent.values()) == [False] * 5
    assert all((sha256, GREYHOUND) in truth for sha256 in lent)
    assert len(collected.candidates.tasks()) == 65
    report = collected.crowd.run(collected.crowd.simulated())
    assert not report.waiting
    assert all(image.state == "no" for image in collected.images.find(f"under:{WHIPPET}") if image.sha256 in lent)
    assert verify_release(collected.releases.create("v1", outvoted=True).path) == []


def test_gold_labels_say_so(collected: Project) -> None:
    truth, gold = truth_of(collected), some_gold(collected)
    collected.crowd.run(collected.crowd.simulated(truth))
    votes = len(collected.crowd.votes())
    contrary = next(
        ((image.sha256, image.wnid), image.state == "no")
        for image in collected.images.find()
        if (image.sha256, image.wnid) not in gold and image.state in ("yes", "no")
    )
    collected.gold.add(gold | dict([contrary]), "x")
    decided = {(image.sha256, image.wnid): image.state for image in collected.images.find()}
    assert decided[contrary[0]] == ("yes" if contrary[1] else "no"), "labels follow at once"
    rows = collected.releases.create("v1", outvoted=True).rows()
    gold_rows = [row for row in rows if row["policy"] == "gold"]
    assert {(row["sha256"], row["wnid"]) for row in gold_rows} == {
        pair for pair, yes in (gold | dict([contrary])).items() if yes
    }
    assert len(collected.crowd.votes()) == votes


def test_a_worker_learns_on_a_training_page(collected: Project) -> None:
    gold = some_gold(collected, 2)
    collected.gold.add(gold, "x")
    page = collected.gold.training_page("whippet", 6)
    answers = tuple(Answer.YES if gold[found.sha256, found.wnid] else Answer.NO for found in page.tasks)
    marks = collected.gold.train(Sheet(page, "ann", answers, 12.0, 5.0))
    assert passed(marks)
    cast = collected.crowd.votes()
    assert [(vote.task, vote.round) for vote in cast] == [(found.number, TRAINING) for found in page.tasks]
    assert collected.workers.review() == [], "training judges nobody"
    assert not collected.crowd.run(collected.crowd.simulated()).waiting


@pytest.fixture(scope="module")
def verified_once(collected_once: Path, wordnet: Ontology, tmp_path_factory: pytest.TempPathFactory) -> Path:
    with holotype.open(shutil.copytree(collected_once, tmp_path_factory.mktemp("verified") / "p"), wordnet) as db:
        db.gold.add(some_gold(db), "x")
        db.crowd.run(db.crowd.simulated(truth_of(db)), Posterior(accept=0.95, maximum=9))
        return db.path


@pytest.fixture
def verified(verified_once: Path, copy_of: Callable[[Path], Project]) -> Project:
    return copy_of(verified_once)


def states(db: Project) -> dict[tuple[str, str], str]:
    return {(image.sha256, image.wnid): image.state for image in db.images.find()}


def busiest(db: Project) -> str:
    return Counter(vote.worker for vote in db.crowd.votes()).most_common(1)[0][0]


def test_blocking_a_worker_decides_anew_what_they_touched(verified: Project) -> None:
    before, votes, worker = states(verified), verified.crowd.votes(), busiest(verified)
    changed = verified.workers.block(worker, "a spammer")
    after = states(verified)
    assert changed == sum(before[pair] != after[pair] for pair in before) > 0
    assert "open" in after.values()
    assert verified.crowd.votes() == votes, "votes are facts"
    assert verified.workers.blocked() == {worker: "a spammer"}
    assert worker not in {review.worker for review in verified.workers.review()}
    policy = Posterior(accept=0.95, maximum=9)
    tally = Tally.of(verified.candidates.tasks(), (vote for vote in votes if vote.worker != worker), {
        found.number: yes for found, yes in verified.gold.answers().items()
    })  # fmt: skip
    assert list(after.values()) == [str(state) for state in tally.conclude(policy).states]
    report = verified.crowd.run(verified.crowd.simulated(truth_of(verified)), policy)
    assert not report.waiting
    assert report.new_votes > 0
    assert sum(vote.worker == worker for vote in verified.crowd.votes()) == sum(vote.worker == worker for vote in votes)


def test_unblocking_brings_the_labels_back(verified: Project) -> None:
    before, worker = states(verified), busiest(verified)
    changed = verified.workers.block(worker, "by mistake")
    assert verified.workers.unblock(worker, "sorry") == changed
    assert states(verified) == before
    assert verified.workers.blocked() == {}
    assert verified.workers.block(worker, "after all") == changed
    assert verified.workers.blocked() == {worker: "after all"}


class Meanwhile:
    """A policy during whose first conclusions somebody else writes, on a thread of their own."""

    def __init__(self, writes: Callable[[], object], times: int) -> None:
        self.writes, self.left, self.concluded = writes, times, 0

    def conclude(self, ballot: Ballot) -> Conclusion:
        self.concluded += 1
        if self.left > 0:
            self.left -= 1
            with ThreadPoolExecutor(1) as pool:
                pool.submit(self.writes).result(timeout=60)
        return Posterior(accept=0.95, maximum=9).conclude(ballot)

    def __str__(self) -> str:
        return str(Posterior(accept=0.95, maximum=9))


def test_others_write_while_labels_are_drawn_again(verified: Project) -> None:
    before, worker = states(verified), busiest(verified)
    policy = Meanwhile(lambda: verified.people.invite("worker"), 1)
    with verified.catalog.grouped():
        assert verified.workers.block(worker, "a try", policy) > 0
    assert policy.concluded == 1, "what was written is nothing that labels follow from"
    blocked = states(verified)
    assert blocked != before
    verified.crowd.run(Nobody(), Posterior(accept=0.95, maximum=9))
    assert states(verified) == blocked
    with verified.catalog.grouped():
        verified.workers.unblock(worker, "it was one", Posterior(accept=0.95, maximum=9))
    assert states(verified) == before


@pytest.mark.parametrize("times", [1, TRIES])
def test_what_is_voted_while_labels_are_drawn_again_counts(verified: Project, times: int) -> None:
    (first, second, *_) = (review.worker for review in verified.workers.review())
    tasks = iter([task for task in verified.candidates.tasks() if task not in verified.gold.answers()][:times])

    def votes() -> None:
        task = next(tasks)
        cast = [Vote(task.number, f"late {n}", Answer.YES, "a page", 1.0, 1.0, 1) for n in range(9)]
        record_votes(verified.catalog, cast)

    policy = Meanwhile(votes, times)
    with verified.catalog.grouped():
        verified.workers.block(first, "a try", policy)
    assert policy.concluded == times + 1
    blocked = states(verified)
    verified.workers.block(second, "another", Posterior(accept=0.95, maximum=9))
    verified.workers.unblock(second, "it was one", Posterior(accept=0.95, maximum=9))
    assert states(verified) == blocked


def test_only_who_voted_can_be_blocked(verified: Project) -> None:
    with pytest.raises(CrowdError, match="no worker is called 'nobody'"):
        verified.workers.block("nobody", "x")
    assert verified.workers.blocked() == {}


def test_a_policy_of_ones_own_is_asked_for(verified: Project) -> None:
    class Own(Fixed):
        def __str__(self) -> str:
            return "own"

    verified.crowd.run(verified.crowd.simulated(truth_of(verified)), Own(2))
    before, worker = states(verified), busiest(verified)
    with pytest.raises(CrowdError, match="a policy of your own, own: give it"):
        verified.workers.block(worker, "x")
    with verified.catalog.grouped(), pytest.raises(CrowdError, match="a policy of your own, own: give it"):
        verified.workers.block(worker, "x")
    assert (states(verified), verified.workers.blocked()) == (before, {})
    assert verified.workers.block(worker, "x", Own(2)) > 0
    verified.crowd.run(verified.crowd.simulated(truth_of(verified)), Fixed(2))
    verified.workers.unblock(worker, "x")
    assert verified.workers.blocked() == {}


def test_a_release_has_the_votes_that_count(verified: Project) -> None:
    worker = busiest(verified)
    verified.workers.block(worker, "x")
    release = verified.releases.create("v1", outvoted=True)
    rows = pq.read_table(release.path / VOTES).to_pylist()
    counting = [vote for vote in verified.crowd.votes() if vote.worker != worker]
    assert [row["worker"] for row in rows] == [verified.workers.hidden_name(vote.worker) for vote in counting]
    per_task = Counter(vote.task for vote in counting)
    number = {(found.sha256, found.wnid): found.number for found in verified.candidates.tasks()}
    for row in release.rows():
        assert row["yes"] + row["no"] + row["unsure"] == per_task[number[row["sha256"], row["wnid"]]]
    assert verify_release(release.path) == []


# From the command line


def test_gold_from_the_command_line(collected: Project, tmp_path: Path) -> None:
    file = tmp_path / "gold.csv"
    rows = [(sha256, wnid, "yes") for sha256, wnid in truth_of(collected) if wnid == GREYHOUND]
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([("sha256", "wnid", "answer"), *rows])
    project = ("-p", collected.path)
    assert run("gold", "add", file, *project) == "20 gold answers added\n"
    assert run("gold", "siblings", "--per-synset", 3, *project) == "3 gold answers added\n"
    assert "greyhound" in run("gold", "list", *project)
    listed = json.loads(run("gold", "list", "--json", *project))
    assert Counter((row["wnid"], row["answer"]) for row in listed) == {(GREYHOUND, "yes"): 20, (WHIPPET, "no"): 3}
    file.write_text(f"sha256,wnid,answer\na,{DOG},yes\na,{DOG},no\n")
    assert "line 3: a row above says the contrary" in run("gold", "add", file, *project, expect=2)
    file.write_bytes(b"\xff")
    assert "line 1: bytes that are not UTF-8" in run("gold", "add", file, *project, expect=2)


def test_a_truth_file_need_not_name_gold(collected: Project, tmp_path: Path) -> None:
    truth, gold = truth_of(collected), some_gold(collected)
    collected.gold.add(gold, "x")
    rows = [f"{sha},{wnid},{'yes' if yes else 'no'}" for (sha, wnid), yes in truth.items() if (sha, wnid) not in gold]
    (tmp_path / "truth.csv").write_text("\n".join(["sha256,wnid,answer", *rows]))
    run("crowd", "run", "--crowd", "simulated", "--truth", tmp_path / "truth.csv", "-p", collected.path)
    assert "open" not in collected.counts()["states"]


def test_workers_from_the_command_line(verified: Project, tmp_path: Path) -> None:
    worker, project = busiest(verified), ("-p", verified.path)
    listed = json.loads(run("workers", "list", "--json", *project))
    assert {review["worker"] for review in listed["workers"]} == {vote.worker for vote in verified.crowd.votes()}
    said = run("workers", "block", worker, "--reason", "[red]a \x1bspammer", *project)
    assert said.startswith(f"{worker} is blocked; ")
    assert f"blocked {worker}: [red]a \\x1bspammer\n" in run("workers", "list", *project)
    assert json.loads(run("workers", "list", "--json", *project))["blocked"] == {worker: "[red]a \x1bspammer"}
    assert "is not blocked" in run("workers", "unblock", worker, "--reason", "sorry", *project)


def test_exported_reviews_name_nobody(verified: Project, tmp_path: Path) -> None:
    names = {vote.worker for vote in verified.crowd.votes()}
    with verified.catalog.write() as connection:
        connection.exec_driver_sql("UPDATE worker SET name = '[bold]=1+1' WHERE name = ?", (busiest(verified),))
    assert "[bold]=1+1" in run("workers", "list", "-p", verified.path), "a name is no markup"
    run("workers", "list", "--csv", tmp_path / "workers.csv", "-p", verified.path)
    text = (tmp_path / "workers.csv").read_text()
    assert not any(name in text for name in (*names, "[bold]"))
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["worker"] for row in rows} == {
        verified.workers.hidden_name(review.worker) for review in verified.workers.review()
    }
