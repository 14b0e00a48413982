from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import Notes, Once
from holotype.consensus.ballot import Ballot
from holotype.consensus.posteriors import LAPSE, fit, majority
from holotype.consensus.two_coin import Priors
from holotype.consensus.votes import Answer, Task, Vote
from holotype.crowd.campaign import pages_of_round, portions_of_round, run_campaign
from holotype.crowd.conclusion import Policy, State
from holotype.crowd.policies import Fixed, Posterior
from holotype.crowd.port import Page, Sheet, votes_of
from holotype.crowd.tally import Tally
from holotype.errors import CrowdError
from holotype.simulation.workers import Population, SimulatedCrowd


def ballot(votes: Sequence[tuple[int, int, int]], tasks: int, synsets: Sequence[int] | None = None) -> Ballot:
    task, worker, answer = np.array(votes, np.int64).reshape(-1, 3).T
    synset = np.array(synsets if synsets is not None else [0] * tasks, np.int64)
    return Ballot(task, worker, answer, synset, int(worker.max(initial=-1)) + 1, int(synset.max(initial=-1)) + 1)


def simulated(seed: int, tasks: int, workers: int, votes: int, base: float = 0.3) -> tuple[Ballot, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.random(tasks) < base
    sensitivity, specificity = generator.uniform(0.5, 0.8, workers), generator.uniform(0.9, 0.99, workers)
    rows = []
    for task in range(tasks):
        for worker in generator.permutation(workers)[:votes]:
            yes = sensitivity[worker] if truth[task] else 1 - specificity[worker]
            rows.append((task, worker, Answer.YES if generator.random() < yes else Answer.NO))
    return ballot(rows, tasks), truth


def test_one_vote_shifts_the_odds_by_the_likelihood_ratio() -> None:
    """With one belief too heavy to move, the posterior is Bayes' rule but for lapses, which no vote excludes.

    Deng et al. 2009, table of figure 7, cat.
    """
    heavy = Priors(0.88, 0.12, 1e-9, population_weight=1e12, worker_weight=1e12, hard=0)
    published = {(0, 1): 0.07, (1, 0): 0.85, (1, 1): 0.46, (2, 0): 0.97, (0, 2): 0.02, (3, 0): 0.99, (2, 1): 0.85}
    for (yes, no), confidence in published.items():
        votes = [(0, n, Answer.YES) for n in range(yes)] + [(0, yes + n, Answer.NO) for n in range(no)]
        asked = dataclasses.replace(ballot(votes, 1), prior=np.array([0.44]))
        posterior = fit(asked, heavy).posterior[0]
        exact = 0.44 * 0.88**yes * 0.12**no
        exact /= exact + 0.56 * 0.12**yes * 0.88**no
        assert posterior == pytest.approx((1 - LAPSE) * exact + LAPSE * 0.44, abs=1e-6)
        assert posterior == pytest.approx(confidence, abs=0.03)


def test_workers_and_truth_are_recovered() -> None:
    votes, truth = simulated(1, tasks=3000, workers=30, votes=6)
    model = fit(votes)
    accuracy = ((model.posterior > 0.5) == truth).mean()
    assert accuracy > (majority(votes) == truth).mean() + 0.03
    yes, no = votes.answer == Answer.YES, votes.answer == Answer.NO
    on_good, on_bad = truth[votes.task], ~truth[votes.task]
    for worker in range(30):
        mine = votes.worker == worker
        assert model.confusion[worker, 1, 2] == pytest.approx(yes[mine & on_good].mean(), abs=0.12)
        assert model.confusion[worker, 0, 0] == pytest.approx(no[mine & on_bad].mean(), abs=0.06)
    assert model.base_rates[0] == pytest.approx(truth.mean(), abs=0.04)
    assert model.population.sum(axis=1) == pytest.approx([1, 1])


def test_a_spammers_vote_weighs_nothing() -> None:
    votes, truth = simulated(2, tasks=800, workers=12, votes=5)
    generator = np.random.default_rng(3)
    spam = [(task, 12, Answer.YES if generator.random() < 0.5 else Answer.NO) for task in range(800)]
    rows = [*zip(votes.task, votes.worker, votes.answer, strict=True), *spam]
    model = fit(ballot(rows, 800))
    odds = np.log(model.confusion[:, 1, 2] / model.confusion[:, 0, 2])
    assert abs(odds[12]) < 0.3 < odds[:12].min()
    assert ((model.posterior > 0.5) == truth).mean() > 0.9


def test_unsure_is_an_answer_of_its_own() -> None:
    """Where good images leave somebody unsure more often than bad ones, their unsure speaks for yes, but not alone."""
    rows = []
    for task in range(100):
        good = task < 50
        rows += [(task, worker, Answer.YES if good else Answer.NO) for worker in range(4)]
        rows.append((task, 4, Answer.UNSURE if good else Answer.NO))
    rows += [(100, 4, Answer.UNSURE), (101, 0, Answer.NO), (102, 0, Answer.NO), (102, 4, Answer.UNSURE)]
    model = fit(ballot(rows, 103))
    assert model.confusion[4, 1, 1] > 0.7
    assert model.evidence[102] > model.evidence[101] + 1
    assert model.posterior[102] > model.posterior[101]
    assert model.posterior[100] == model.before[100], "nobody said anything"
    assert model.evidence[100] == 0


def test_each_synset_has_its_own_base_rate() -> None:
    rows = [(t, w, Answer.YES if t < 90 else Answer.NO) for t in range(100) for w in range(3)]
    rows += [(t, w, Answer.YES if t < 110 else Answer.NO) for t in range(100, 200) for w in range(3)]
    rates = fit(ballot(rows, 200, [0] * 100 + [1] * 100)).base_rates
    assert rates == pytest.approx([0.9, 0.1], abs=0.05)


@given(st.integers(0, 1000), st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_names_and_order_do_not_matter(seed: int, random: object) -> None:
    votes, _ = simulated(seed, 40, 8, 3)
    generator = np.random.default_rng(seed)
    order, tasks, workers = generator.permutation(120), generator.permutation(40), generator.permutation(8)
    shuffled = Ballot(tasks[votes.task][order], workers[votes.worker][order], votes.answer[order], votes.synset, 8, 1)
    a, b = fit(votes, Priors()), fit(shuffled, Priors())
    assert b.posterior[tasks] == pytest.approx(a.posterior, abs=1e-6)
    assert b.confusion[workers] == pytest.approx(a.confusion, abs=1e-6)
    assert (majority(shuffled)[tasks] == majority(votes)).all()


@pytest.mark.parametrize("answer", list(Answer))
def test_unanimous_votes_and_no_votes_have_defined_outcomes(answer: Answer) -> None:
    everyone = ballot([(task, worker, answer) for task in range(20) for worker in range(5)], 21)
    model = fit(everyone)
    assert np.isfinite(model.posterior).all()
    if answer is Answer.YES:
        assert (model.posterior[:20] > 0.95).all()
    else:
        assert (model.posterior[:20] < 0.5).all()
    assert majority(everyone).tolist() == [answer is Answer.YES] * 20 + [False]
    nothing = fit(ballot([], 3))
    assert nothing.posterior == pytest.approx([0.3] * 3)
    assert nothing.confusion.shape == (0, 2, 3)
    assert fit(ballot([], 0, [])).posterior.tolist() == []
    assert np.isfinite(fit(ballot([(0, 0, answer)], 1)).posterior).all()


def test_majority_counts_neither_ties_nor_unsure() -> None:
    rows = [(0, 0, 2), (0, 1, 0), (1, 0, 2), (1, 1, 1), (2, 0, 1), (2, 1, 1), (3, 0, 2), (3, 1, 2), (3, 2, 0)]
    assert majority(ballot(rows, 4)).tolist() == [False, True, False, True]


def test_states_follow_from_thresholds_and_counts() -> None:
    rows = [(0, w, Answer.YES) for w in range(4)] + [(1, w, Answer.NO) for w in range(4)]
    rows += [(2, 0, Answer.YES)]
    rows += [(3, w, Answer.YES if w % 2 else Answer.NO) for w in range(4)]
    rows += [(task, w, Answer.NO) for task in range(4, 40) for w in range(4)]
    states = Posterior(0.95, 0.05, 2, 4).conclude(ballot(rows, 41)).states
    assert states[:2] == [State.YES, State.NO]
    assert states[2] is State.OPEN  # below the minimum, however sure
    assert states[40] is State.OPEN  # nobody was asked
    certain = [Posterior(1 - 1e-9, 1e-9, 2, maximum).conclude(ballot(rows, 41)).states[3] for maximum in (4, 5)]
    assert certain == [State.UNDECIDED, State.OPEN]


@pytest.mark.parametrize(
    "wrong", [{"accept": 0.01}, {"accept": 1.0}, {"reject": 0.0}, {"minimum": 0}, {"minimum": 5, "maximum": 4}]
)
def test_an_impossible_policy_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(CrowdError, match="a policy needs"):
        Posterior(**wrong)  # type: ignore[arg-type]


def campaign(count: int = 120, base: float = 0.25, synsets: int = 4) -> tuple[list[Task], dict[int, bool]]:
    tasks = [Task(n, f"n{n * synsets // count:08d}", hashlib.sha256(str(n).encode()).hexdigest()) for n in range(count)]
    generator = np.random.default_rng(4)
    return tasks, {task.number: bool(generator.random() < base) for task in tasks}


def crowd(truth: dict[int, bool], **options: object) -> SimulatedCrowd:
    clock = itertools.count(1000.0)
    return SimulatedCrowd(lambda task: truth[task.number], lambda: next(clock), **options)  # type: ignore[arg-type]


def facts(votes: Sequence[Vote]) -> set[tuple[int, str, Answer, str]]:
    return {(vote.task, vote.worker, vote.answer, vote.page) for vote in votes}


class Stopped(Exception):
    pass


@pytest.mark.parametrize("policy", [Posterior(), Fixed(3)])
@pytest.mark.parametrize("page_size", [7, 48])
@pytest.mark.parametrize("golden", [0, 20])
def test_a_campaign_stopped_anywhere_ends_as_if_it_had_not_been(policy: Policy, page_size: int, golden: int) -> None:
    tasks, truth = campaign()
    policy = Once(policy)
    gold = {task.number: truth[task.number] for task in tasks[::6][:golden]}
    whole = Notes()
    conclusion = run_campaign(Tally.of(tasks, gold=gold), crowd(truth), policy, whole.record, page_size=page_size)
    assert State.OPEN not in conclusion.states
    for stop in range(1, 12, 2):
        kept = Notes()

        def record(votes: Sequence[Vote], stop: int = stop, kept: Notes = kept) -> None:
            if len({vote.page for vote in kept}) >= stop:
                raise Stopped
            kept.record(votes)

        class OnePageAtATime(SimulatedCrowd):
            def collect(self) -> list[Sheet]:
                self._posted, rest = self._posted[:1], self._posted[1:]
                try:
                    return super().collect()
                finally:
                    self._posted = rest

        clock = itertools.count(0.0)
        with contextlib.suppress(Stopped):
            one_by_one = OnePageAtATime(lambda task: truth[task.number], functools.partial(next, clock))
            run_campaign(Tally.of(tasks, gold=gold), one_by_one, policy, record, page_size=page_size)
        resumed = Tally.of(tasks, kept, gold)
        again = run_campaign(resumed, crowd(truth), policy, kept.record, page_size=page_size)
        assert facts(kept) == facts(whole)
        assert len(resumed.votes) == len(whole)
        assert again.states == conclusion.states


@pytest.mark.parametrize("golden", [0, 20])
def test_pages_that_are_put_up_a_few_at_a_time_ask_the_same(golden: int, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks, truth = campaign()
    gold, policy = {task.number: truth[task.number] for task in tasks[::6][:golden]}, Fixed(3)
    whole, few = Notes(), Notes()
    conclusion = run_campaign(Tally.of(tasks, gold=gold), crowd(truth), policy, whole.record, page_size=7)
    monkeypatch.setattr("holotype.crowd.campaign.PAGES_AT_ONCE", 2)
    again = run_campaign(Tally.of(tasks, gold=gold), crowd(truth), policy, few.record, page_size=7)
    assert facts(few) == facts(whole)
    assert again.states == conclusion.states
    assert len(few) > 2 * 7 * 3


def test_a_round_is_in_portions_that_together_are_it() -> None:
    tasks, _ = campaign()
    tally = Tally.of(tasks)
    open = np.ones(len(tasks), bool)
    whole = pages_of_round(tally, open, 1, 7)
    parts = list(portions_of_round(tally, open, 1, 7, whole[:2], 3))
    assert [page for part in parts for page in part] == whole
    assert [len(part) for part in parts][:2] == [5, 3]
    assert pages_of_round(tally, open, 1, 7, whole[:2], 3) == whole[:5]
    assert list(portions_of_round(tally, ~open, 1, 7, most=3)) == [[]]


def test_a_campaign_waits_for_a_crowd_that_has_no_answers_yet() -> None:
    class Nobody:
        name = "nobody"

        def post(self, pages: Sequence[Page]) -> None:
            self.posted = pages

        def collect(self) -> list[Sheet]:
            return []

        def waiting(self) -> list[Page]:
            return []

        def acknowledge(self, sheets: Sequence[Sheet]) -> None:
            assert not sheets

    tasks, truth = campaign(20)
    nobody = Nobody()
    tally = Tally.of(tasks)
    conclusion = run_campaign(tally, nobody, Posterior(), lambda _: None)
    assert set(conclusion.states) == {State.OPEN}
    assert {task.number for page in nobody.posted for task in page.tasks} == set(truth)


def test_new_tasks_join_a_finished_campaign() -> None:
    tasks, truth = campaign()
    notes = Notes()
    run_campaign(Tally.of(tasks[::2]), crowd(truth), Posterior(), notes.record)
    before = facts(notes)
    grown = Tally.of(tasks, notes)
    conclusion = run_campaign(grown, crowd(truth), Posterior(), notes.record)
    assert State.OPEN not in conclusion.states
    assert before < facts(notes)
    assert all(grown.ballot().votes_per_task >= 2)


def test_nobody_votes_twice_on_a_task() -> None:
    tasks, truth = campaign(300, synsets=1)
    small = Population(workers=3)
    tally, notes = Tally.of(tasks), Notes()
    run_campaign(tally, crowd(truth, population=small), Fixed(7), notes.extend, page_size=10)
    assert len({(vote.task, vote.worker) for vote in notes}) == len(notes) == len(tally.votes) == 2100
    tally.add(notes[:5])
    tally.add([dataclasses.replace(notes[0], worker="new"), dataclasses.replace(notes[0], worker="new")])
    assert len(tally.votes) == 2101


def test_the_simulated_crowd_is_what_it_says() -> None:
    tasks, truth = campaign(4000, base=0.5, synsets=100)
    notes = Notes()
    run_campaign(Tally.of(tasks), crowd(truth, population=Population(careless=0, spammers=0)), Fixed(3), notes.record)
    answers = {good: [vote.answer for vote in notes if truth[vote.task] is good] for good in (True, False)}
    assert np.mean([a is Answer.YES for a in answers[True]]) == pytest.approx(0.62 * 0.97, abs=0.04)
    assert np.mean([a is Answer.NO for a in answers[False]]) == pytest.approx(0.96 * 0.97, abs=0.03)
    assert np.mean([a is Answer.UNSURE for a in answers[True]]) == pytest.approx(0.03, abs=0.01)
    assert math.isfinite(sum(vote.seconds for vote in notes))


PAGE = Page("001-x", "n00000001", (Task(1, "n00000001", "a"), Task(2, "n00000001", "b")), frozenset({"bob"}), 1)


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        (Sheet(PAGE, "ann", (Answer.YES,), 1.0, 0.0), "1 answers for page 001-x"),
        (Sheet(PAGE, "bob", (Answer.YES, Answer.NO), 1.0, 0.0), "has voted"),
        (Sheet(PAGE, "ann", (2, 3), 1.0, 0.0), "3 is not a valid Answer"),  # type: ignore[arg-type]
    ],
)
def test_a_sheet_that_does_not_answer_its_page_is_refused(sheet: Sheet, message: str) -> None:
    with pytest.raises(CrowdError, match=message):
        votes_of(sheet)


def test_good_sheets_count_though_one_is_bad() -> None:
    class Sloppy(SimulatedCrowd):
        def collect(self) -> list[Sheet]:
            sheets = super().collect()
            return [*(dataclasses.replace(sheet, answers=()) for sheet in sheets[:1]), *sheets[1:]]

    tasks, truth = campaign()
    tally = Tally.of(tasks)
    with pytest.raises(CrowdError, match="1 of 4 sheets were refused, the others counted"):
        run_campaign(tally, Sloppy(lambda task: truth[task.number], lambda: 0.0), Posterior(), lambda _: None)
    assert len(tally.votes) == 90


def test_sheets_of_pages_posted_long_ago_count() -> None:
    class Late(SimulatedCrowd):
        def collect(self) -> list[Sheet]:
            return []

    tasks, truth = campaign()
    late = Late(lambda task: truth[task.number], lambda: 0.0)
    run_campaign(Tally.of(tasks[:30]), late, Posterior(), lambda _: None)
    late.collect = functools.partial(SimulatedCrowd.collect, late)  # type: ignore[method-assign]
    notes = Notes()
    conclusion = run_campaign(Tally.of(tasks), late, Posterior(), notes.record)
    assert State.OPEN not in conclusion.states
    assert any(len(vote.page) and vote.task < 30 for vote in notes)


def test_the_default_policy_beats_a_majority_of_five_with_fewer_votes() -> None:
    tasks, truth = campaign(900, base=0.25, synsets=20)
    good = np.array([truth[task.number] for task in tasks])
    found = {}
    for policy in (Posterior(), Fixed(5)):
        tally = Tally.of(tasks)
        states = run_campaign(tally, crowd(truth), policy, lambda _: None).states
        yes = np.array([state is State.YES for state in states])
        found[type(policy)] = (len(tally.votes), (yes & good).sum() / yes.sum(), (yes & good).sum() / good.sum())
    adaptive, fixed = found[Posterior], found[Fixed]
    assert adaptive[0] <= fixed[0]
    assert adaptive[1] >= min(fixed[1], 0.97)
    assert adaptive[2] >= fixed[2] + 0.1
