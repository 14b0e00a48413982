from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from holotype.consensus.ballot import Ballot
from holotype.consensus.votes import Answer, Task
from holotype.crowd.conclusion import Policy, State
from holotype.crowd.policies import Fixed, Posterior
from holotype.crowd.port import Page
from holotype.errors import CrowdError
from holotype.simulation.fitting import History, fit_population
from holotype.simulation.forecast import Effort, Interval, forecast
from holotype.simulation.rehearsal import Prices, Simulation, Stage, draw_rows, rehearse
from holotype.simulation.replay import play, replay
from holotype.simulation.workers import (
    BURMESE_CAT,
    CAT,
    Difficulty,
    Population,
    SimulatedCrowd,
    SimulatedWorker,
    draw,
    exact_posterior,
)


def votes_on(tasks: int, workers: int, seed: int = 0) -> Ballot:
    """One vote by everybody on everything, yes and no by a coin that lands yes more often the later the task."""
    rng = np.random.default_rng(seed)
    task, worker = np.divmod(np.arange(tasks * workers), workers)
    answer = np.where(rng.random(len(task)) < task / tasks, 2, 0)
    return Ballot(task, worker, answer, np.zeros(tasks, np.int64), workers, 1)


def test_a_replay_uses_as_many_votes_as_the_policy_asks_for() -> None:
    conclusion, used = replay(votes_on(40, 9), Fixed(5), np.random.default_rng(1))
    assert used.tolist() == [5] * 40
    assert State.OPEN not in conclusion.states


def test_a_replay_with_all_votes_concludes_as_the_policy_does_of_the_ballot() -> None:
    ballot = votes_on(40, 5)
    conclusion, used = replay(ballot, Fixed(5), np.random.default_rng(1))
    assert conclusion.states == Fixed(5).conclude(ballot).states
    assert used.sum() == len(ballot.task)


def test_tasks_out_of_votes_stay_open_with_a_score() -> None:
    ballot = votes_on(40, 9)
    short = ballot.keep(ballot.worker < np.where(ballot.task < 20, 3, 9))
    conclusion, used = replay(short, Fixed(5), np.random.default_rng(1))
    assert used.tolist() == [3] * 20 + [5] * 20
    assert conclusion.states[:20] == [State.OPEN] * 20
    assert conclusion.scores[:20].max() > 0


def test_an_adaptive_policy_stops_early_on_easy_tasks() -> None:
    ballot = votes_on(400, 9)
    conclusion, used = replay(ballot, Posterior(maximum=9), np.random.default_rng(1))
    assert used.min() >= 2
    assert used[:40].mean() < 6
    assert used.mean() < 8
    clear = [state for task, state in enumerate(conclusion.states) if task < 40]
    assert clear.count(State.NO) > 30


def test_the_order_of_a_replay_is_the_generators_alone() -> None:
    ballot = votes_on(60, 9)
    shuffled = ballot.keep(np.random.default_rng(5).permutation(len(ballot.task)))
    first, again = (replay(ballot, Posterior(), np.random.default_rng(3)) for _ in range(2))
    assert first[1].tolist() == again[1].tolist()
    other = replay(shuffled, Posterior(), np.random.default_rng(3))
    assert other[1].sum() == pytest.approx(first[1].sum(), rel=0.2)
    empty = ballot.keep(np.zeros(0, np.int64))
    assert replay(empty, Fixed(3), np.random.default_rng(0))[1].tolist() == [0] * 60


PUBLISHED = [(0, 1, 0.07, 0.23), (1, 0, 0.85, 0.69), (1, 1, 0.46, 0.49), (2, 0, 0.97, 0.83), (0, 2, 0.02, 0.12)]
PUBLISHED += [(3, 0, 0.99, 0.90), (2, 1, 0.85, 0.68)]


def test_hard_images_explain_the_published_tables() -> None:
    """Deng et al. 2009, figure 7: every cell within .006."""
    yes, no, cat, burmese = np.array(PUBLISHED).T
    assert exact_posterior(CAT, yes, no) == pytest.approx(cat, abs=0.006)
    assert exact_posterior(BURMESE_CAT, yes, no) == pytest.approx(burmese, abs=0.006)


def test_the_simulated_crowd_gives_the_published_tables() -> None:
    """Every cell within .03, counted on simulated votes of the shipped crowd."""
    wnid = "n02123394"
    population = Population(
        sensitivity=BURMESE_CAT.sensitivity, specificity=BURMESE_CAT.specificity, synsets={wnid: BURMESE_CAT}
    )
    alike = SimulatedWorker("", BURMESE_CAT.sensitivity, BURMESE_CAT.specificity, (0.0, 0.0, 0.0), 1.0)
    tasks = [Task(number, wnid, f"{number:064x}") for number in range(12_000)]
    good = {task.number: draw("good", task.number) < BURMESE_CAT.base_rate for task in tasks}
    crowd = SimulatedCrowd(
        lambda task: good[task.number], lambda: 0.0, dataclasses.replace(population, profiles=(alike,), workers=3)
    )
    seen = [frozenset(f"sim-2009-{n:03d}" for n in range(3) if n != turn) for turn in range(3)]
    crowd.post([Page(f"{turn}-x", wnid, tuple(tasks), others, turn) for turn, others in enumerate(seen)])
    yes = np.array([sheet.answers for sheet in crowd.collect()]) == Answer.YES
    truth = np.array(list(good.values()))
    for wanted, against, _, confidence in PUBLISHED:
        votes = yes[: wanted + against].sum(axis=0)
        assert truth[votes == wanted].mean() == pytest.approx(confidence, abs=0.03)


def test_what_is_not_a_chance_is_refused() -> None:
    with pytest.raises(CrowdError, match="between 0 and 1"):
        Difficulty(0.5, 1.2, 0.9)
    with pytest.raises(CrowdError, match="a price needs"):
        Prices(reward=-1)


def asked(population: Population, synsets: int, images: int, votes: int, seed: int = 0) -> tuple[History, np.ndarray]:
    """So many votes on each of so many images in each synset, and the kinds of the images."""
    rng = np.random.default_rng(seed)
    wnids = [f"n{number:08d}" for number in range(synsets)]
    stage, synset, none = Stage(population, wnids), np.repeat(np.arange(synsets), images), np.zeros(0, np.int64)
    kinds = draw_rows(stage.shares[synset], rng)
    crowd = Simulation(stage, stage.activity, kinds, np.ones(len(synset)), 48, rng)
    ballot = Ballot(none, none, none, synset, len(stage.seconds), synsets)
    for _ in range(votes):
        ballot = crowd.ask(ballot, np.arange(len(synset)))
    return History(
        ballot, wnids, stage.seconds[ballot.worker], np.arange(len(ballot.task), dtype=np.float64) * 60
    ), kinds


@pytest.mark.parametrize("hard", [0.0, 0.1, 0.2])
def test_a_population_is_recovered_from_its_votes(hard: float) -> None:
    """From eight votes on 8,000 images: hard within .05, sensitivity within .03, the others within .02."""
    true = Population(sensitivity=0.8, specificity=0.93, careless=0, spammers=0, hard=hard)
    history, _ = asked(true, 20, 400, 8)
    found = fit_population(history)
    assert found.hard == pytest.approx(hard, abs=0.05)
    assert found.sensitivity == pytest.approx(0.795, abs=0.03)
    assert found.specificity == pytest.approx(0.93, abs=0.02)
    assert found.base_rate == pytest.approx(0.3, abs=0.02)
    stage = Stage(true, history.wnids)
    own = [worker.sensitivity for worker in found.profiles]
    assert np.corrcoef(own, 1 / (1 + np.exp(-stage.sensitivity)))[0, 1] > 0.75
    assert [worker.seconds for worker in found.profiles] == pytest.approx(stage.seconds.tolist())


def test_the_difficulty_of_a_synset_is_recovered() -> None:
    wnids = ["n00000000", "n00000001"]
    true = Population(
        sensitivity=0.85,
        specificity=0.95,
        careless=0,
        spammers=0,
        synsets=dict(zip(wnids, (CAT, BURMESE_CAT), strict=True)),
    )
    history, _ = asked(true, 2, 3000, 8)
    found = fit_population(history)
    easy, hard = (found.synsets[wnid] for wnid in wnids)
    assert easy.base_rate == pytest.approx(CAT.base_rate, abs=0.04)
    assert hard.base_rate == pytest.approx(BURMESE_CAT.base_rate, abs=0.06)
    assert easy.hard < 0.12 < 0.18 < hard.hard
    assert easy.sensitivity > hard.sensitivity + 0.03
    assert easy.specificity > hard.specificity + 0.03


def test_gold_and_unasked_tasks_do_not_disturb_the_fit() -> None:
    history, kinds = asked(Population(sensitivity=0.8), 3, 300, 5)
    known = np.where(np.arange(900) % 9 == 0, kinds == 2, -1)
    ballot = dataclasses.replace(history.ballot, known=known)
    ballot = ballot.keep(ballot.task < 800)
    seconds = history.seconds[: len(ballot.task)]
    found = fit_population(History(ballot, history.wnids, seconds, seconds))
    assert found.base_rate == pytest.approx(0.3, abs=0.08)


def test_without_votes_the_population_is_the_default() -> None:
    history, _ = asked(Population(), 2, 10, 0)
    assert fit_population(history) == Population()
    assert history.votes_per_hour is None


def test_real_votes_come_out_of_the_fitted_simulator(shared: Path) -> None:
    """ReaL's 93,465 pairs, five raters each: yes counts within .02, patterns within .035 (total variation)."""
    with np.load(shared / "real/raters.npz") as file:
        task, worker, answer = np.nonzero(file["tensor"].transpose(1, 0, 2))
        synset = file["info"][:, 1].astype(np.int64)
    real = Ballot(task, worker, answer, synset, int(worker.max()) + 1, 1000)
    wnids = [str(number) for number in range(1000)]
    times = np.ones(len(task))
    found = fit_population(History(real, wnids, times, times))
    assert 0.1 < found.hard < 0.3
    assert 0.7 < found.sensitivity < 0.95 < found.specificity
    stage, rng = Stage(found, wnids), np.random.default_rng(0)
    kinds = draw_rows(stage.shares[synset], rng)
    crowd = Simulation(stage, stage.activity, kinds, np.ones(len(synset)), 48, rng)
    simulated = real.keep(np.zeros(0, np.int64))
    for _ in range(5):
        simulated = crowd.ask(simulated, np.arange(len(synset)))
    assert apart(real.count(Answer.YES), simulated.count(Answer.YES)) < 0.02
    assert apart(real.counts() @ [36, 6, 1], simulated.counts() @ [36, 6, 1]) < 0.035


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Total variation distance between two samples of small whole numbers."""
    shares = [np.bincount(sample, minlength=256) / len(sample) for sample in (one, other)]
    return float(np.abs(shares[0] - shares[1]).sum() / 2)


def test_a_rehearsal_counts_what_it_spends() -> None:
    population = Population(careless=0, spammers=0)
    rows = rehearse(population, ["n00000001"] * 480, [Fixed(5)], Prices(), np.random.default_rng(0))
    assert (rows[0].policy, rows[0].images, rows[0].votes, rows[0].undecided) == ("fixed(5)", 480, 5.0, 0.0)
    assert rows[0].dollars * 480 == pytest.approx(5 * 10 * 0.12)
    assert rows[0].precision > 0.9
    with pytest.raises(CrowdError, match="nothing to rehearse"):
        rehearse(population, [], [Fixed(5)], Prices(), np.random.default_rng(0))


def test_hard_images_cost_precision_that_no_policy_buys_back() -> None:
    wnids = ["n00000001"] * 600
    policies: list[Policy] = [Fixed(5), Posterior(maximum=12)]
    easy, hard = (
        rehearse(Population(hard=share), wnids, policies, Prices(), np.random.default_rng(0)) for share in (0.0, 0.2)
    )
    for before, after in zip(easy, hard, strict=True):
        assert before.precision > 0.95
        assert after.precision < before.precision - 0.1


def test_nobody_votes_twice_on_a_task() -> None:
    history, _ = asked(Population(workers=4), 1, 50, 6)
    pairs = history.ballot.task * 4 + history.ballot.worker
    assert len(np.unique(pairs)) == len(pairs) == 200


def test_a_forecast_holds_what_then_happens() -> None:
    """Simulated campaigns, half done, are finished: the outcome lies within the 90 % interval in most of them."""
    true, policy, held = Population(sensitivity=0.8, hard=0.1, careless=0, spammers=0), Posterior(maximum=8), []
    for seed in range(4):
        history, kinds = asked(true, 4, 150, 3, seed)
        rng = np.random.default_rng(seed)
        found = forecast(history, fit_population(history), policy, Prices(), rng, Effort(runs=12))
        stage = Stage(true, history.wnids)
        rest = Simulation(stage, stage.activity, kinds, np.ones(len(kinds)), 48, rng)
        play(history.ballot, policy, rest.ask)
        wide = 0.15 * found.votes.median
        held.append(found.votes.low - wide <= rest.spent.votes <= found.votes.high + wide)
        assert found.dollars.low >= found.votes.low / 48 * 0.12
        assert found.elapsed is not None
        assert found.elapsed.median == pytest.approx(found.votes.median / 60, rel=0.01)
    assert sum(held) >= 3


def test_a_forecast_from_a_sample_is_that_of_the_whole() -> None:
    history, _ = asked(Population(sensitivity=0.8), 30, 60, 2)
    population = fit_population(history)
    whole, sample = (
        forecast(history, population, Posterior(), Prices(), np.random.default_rng(1), Effort(6, tasks))
        for tasks in (1800, 600)
    )
    assert sample.open == whole.open
    assert sample.votes.median == pytest.approx(whole.votes.median, rel=0.25)
    assert sample.dollars.median == pytest.approx(whole.dollars.median, rel=0.25)


def test_nothing_is_left_to_spend_on_a_finished_campaign() -> None:
    history, _ = asked(Population(), 2, 20, 5)
    found = forecast(history, fit_population(history), Fixed(5), Prices(), np.random.default_rng(0))
    assert (found.open, found.votes, found.dollars) == (0, Interval(0, 0, 0), Interval(0, 0, 0))


def test_a_forecast_before_any_vote_knows_what_a_fixed_number_costs() -> None:
    history, _ = asked(Population(), 2, 96, 0)
    found = forecast(history, Population(), Fixed(5), Prices(), np.random.default_rng(0), Effort(runs=3))
    assert found.votes == Interval(960, 960, 960)
    assert found.dollars.median == pytest.approx(20 * 0.12)
    assert found.elapsed is None
