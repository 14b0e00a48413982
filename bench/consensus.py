"""Consensus on real votes: agreement, accuracy, certificates, speed and memory, beside Crowd-Kit in the same run.

    pip install 'holotype[bench]'; python bench/consensus.py [--quick] [--only NAME ...]

Needs the real data at ../shared/data. Accuracies are exact counts; replays are means over `--seeds` random orders of
the votes. Speeds are CPU seconds of one fit in a fresh process; memory is the peak above the process holding the input.
Where Crowd-Kit cannot run it says why.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

import museums
import regimes
from adversaries import ATTACKS, coverage
from crowds import all_cells
from holotype.audits.certificates import certify_synsets
from holotype.consensus.aggregators import Aggregator, DawidSkene, MajorityVote, OneCoin, TwoCoin, Wawa
from holotype.consensus.ballot import UNKNOWN, Ballot
from holotype.consensus.calibration import Calibration, calibrate, contradicted, posterior_of_gold
from holotype.consensus.machines import machine_priors
from holotype.consensus.posteriors import fit
from holotype.crowd.conclusion import Conclusion, Policy, State
from holotype.crowd.imageable import Imageable
from holotype.crowd.policies import Fixed, Lead, Posterior
from holotype.simulation.replay import replay

DATA: Final = Path(__file__).resolve().parents[2] / "shared/data"
OURS: Final[list[type[Aggregator]]] = [MajorityVote, Wawa, OneCoin, DawidSkene, TwoCoin]
PEERS: Final = (
    "MajorityVote",
    "Wawa",
    "ZeroBasedSkill",
    "OneCoinDawidSkene",
    "DawidSkene",
    "MMSR",
    "KOS",
    "MACE",
    "GLAD",
)
YES: Final = 0.8
"""From this score on ReaL's authors call a label valid (Beyer et al. 2020, section 3)."""


def peer(name: str, data: pd.DataFrame) -> Any:
    """Labels by a method of Crowd-Kit, or the error that it ends with."""
    try:
        kit: Any = importlib.import_module("crowdkit.aggregation")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return getattr(kit, name)().fit_predict(data)
    except (ImportError, AttributeError, ValueError, KeyError) as error:
        return f"{type(error).__name__}: {str(error)[:50]}"


def real() -> tuple[Ballot, np.ndarray, np.ndarray]:
    """ReaL's 93,465 pairs with five votes each, the pairs' names, and whether the authors hold them valid."""
    raters, scores = np.load(DATA / "real/raters.npz"), np.load(DATA / "real/scores.npz")
    worker, pair, answer = np.nonzero(raters["tensor"])
    pairs = len(raters["info"])
    ballot = Ballot(pair, worker, answer, np.zeros(pairs, np.int64), len(raters["ids"]), 1)
    return ballot, raters["info"], scores["tensor"] >= YES


def real_gold() -> tuple[Ballot, np.ndarray, np.ndarray]:
    """ReaL's 542 gold pairs with 78 votes each, their names, and the majority of five experts."""
    raters, golden = np.load(DATA / "real/raters_golden.npz"), np.load(DATA / "real/golden.npz")
    worker, pair, answer = np.nonzero(raters["tensor"])
    pairs = len(raters["info"])
    ballot = Ballot(pair, worker, answer, np.zeros(pairs, np.int64), len(raters["ids"]), 1)
    return ballot, raters["info"], golden["tensor"][..., 2].sum(axis=0) >= 3


def with_gold(ballot: Ballot, names: np.ndarray) -> Ballot:
    """ReaL's votes with the experts' answers and all 78 raters' votes on the gold pairs."""
    gold, gold_names, truth = real_gold()
    place = {tuple(name): number for number, name in enumerate(names)}
    pair = np.array([place[tuple(name)] for name in gold_names])
    ids, gold_ids = (list(np.load(DATA / f"real/{name}.npz")["ids"]) for name in ("raters", "raters_golden"))
    rater = np.array([ids.index(number) for number in gold_ids])
    known = np.full(ballot.tasks, -1)
    known[pair] = truth
    others = ballot.keep(~np.isin(ballot.task, pair))
    return replace(
        others,
        task=np.concatenate([others.task, pair[gold.task]]),
        worker=np.concatenate([others.worker, rater[gold.worker]]),
        answer=np.concatenate([others.answer, gold.answer]),
        known=known,
    )


def as_table(ballot: Ballot) -> pd.DataFrame:
    """Votes as Crowd-Kit wants them; unsure is a label of its own there."""
    return pd.DataFrame({"task": ballot.task, "worker": ballot.worker, "label": ballot.answer})


def decided(found: Conclusion, threshold: float) -> np.ndarray:
    """Yes and no by state, by score where there is no state."""
    by_score = found.scores >= threshold
    return np.where(found.are(State.YES) | found.are(State.NO), found.are(State.YES), by_score)


def row(name: str, *cells: object) -> None:
    print(f"  {name:58}", *(f"{cell:>9.4f}" if isinstance(cell, float) else f"{cell:>9}" for cell in cells), flush=True)


def beside(sure: pd.DataFrame, truth: np.ndarray, votes: float) -> None:
    """Crowd-Kit's methods on votes of yes (2) and no (0)."""
    for name in PEERS[:5]:
        labels = peer(name, sure)
        if not isinstance(labels, str):
            labels = float(((labels.reindex(range(len(truth)), fill_value=0) == 2).to_numpy() == truth).mean())
        row(f"Crowd-Kit {name} (without unsure)", votes, labels)


def replays(
    ballot: Ballot, truth: np.ndarray, policies: list[Policy], seeds: int, cut: float, beside: str = ""
) -> None:
    """People's votes a pair and agreement of each policy, means over random orders; what is undecided is cut at two
    scores."""
    for policy in policies:
        found = []
        for seed in range(seeds):
            conclusion, used = replay(ballot, policy, np.random.default_rng(seed))
            found.append((used.mean(), *((decided(conclusion, at) == truth).mean() for at in (0.5, cut))))
        row(f"replayed {policy}{beside}", *(float(mean) for mean in np.mean(found, axis=0)))


def simple_rules(ballot: Ballot, truth: np.ndarray, votes: float) -> None:
    """What counting comes to: the rules that a model has to beat."""
    yes, no = ballot.count(2), ballot.count(0)
    rules = {
        "majority, unsure abstains, a tie is no": yes > no,
        "majority, unsure abstains, a tie is yes": yes >= no,
        "more than half of all votes yes": 2 * yes > ballot.votes_per_task,
    }
    for name, said in rules.items():
        row(name, votes, float((said == truth).mean()))


def bench_real(seeds: int) -> None:
    ballot, names, truth = real()
    print(f"\nReaL, {ballot.tasks:,} pairs, {len(ballot.task):,} votes: agreement with the authors (score >= {YES})")
    row("", "votes", "agreement", f"at {YES}")
    simple_rules(ballot, truth, 5.0)
    thinner = thinned(ballot, 3)
    simple_rules(thinner, truth, 3.0)
    row("holotype two-coin, posterior >= .5", 3.0, float(((fit(thinner).posterior >= 0.5) == truth).mean()))
    three = peer("DawidSkene", as_table(ballot))
    row(
        "Crowd-Kit Dawid-Skene (three classes)",
        5.0,
        three if isinstance(three, str) else float(((three == 2) == truth).mean()),
    )
    sure = as_table(ballot.keep(ballot.answer != 1))
    beside(sure, truth, 5.0)
    row("holotype two-coin, posterior >= .5", 5.0, float(((fit(ballot).posterior >= 0.5) == truth).mean()))
    row(f"holotype two-coin, posterior >= {YES}", 5.0, float(((fit(ballot).posterior >= YES) == truth).mean()))
    gold = with_gold(ballot, names)
    asked = gold.known == -1
    told = fit(gold).posterior
    row(f"holotype two-coin with 542 gold pairs, >= {YES}, all pairs", 5.0, float(((told >= YES) == truth).mean()))
    row("  the same, pairs that are not gold", 5.0, float(((told >= YES) == truth)[asked].mean()))
    calibration = calibrate(*posterior_of_gold(replace(ballot, known=gold.known)))
    row(f"  the same, {calibration}, >= .5", 5.0, float(((calibration.apply(told) >= 0.5) == truth)[asked].mean()))
    policies: list[Policy] = [
        Fixed(3),
        Lead(2, 5),
        Posterior(0.93, 0.15, 2, 5, 1.0, 0),
        Posterior(0.97, 0.15, 2, 5, 1.0, 0),
        Posterior(maximum=5),
    ]
    replays(ballot, truth, policies, seeds, YES)


def bench_gold(seeds: int) -> None:
    ballot, _, truth = real_gold()
    print(f"\nReaL gold, {ballot.tasks} pairs, 78 raters: accuracy by the majority of five experts")
    row("", "votes", "accuracy")
    simple_rules(ballot, truth, 78.0)
    sure = as_table(ballot.keep(ballot.answer != 1))
    beside(sure, truth, 78.0)
    row("holotype two-coin, posterior >= .5", 78.0, float(((fit(ballot).posterior >= 0.5) == truth).mean()))
    policies: list[Policy] = [
        Fixed(3),
        Fixed(5),
        Lead(3, 9),
        Posterior(),
        Posterior(0.98, 0.02),
        Posterior(0.99, 0.01),
    ]
    replays(ballot, truth, policies, seeds, 0.5)


MODELS: Final = ("alexnet", "vgg16", "resnet50", "resnet18", "inception_v3")


def model_scores(names: np.ndarray) -> np.ndarray:
    """Negated ranks of each pair's class among a model's first five, NaN where it is not there, ``(pairs, models)``."""
    with gzip.open(DATA / "ilsvrc/predictions/row_order.json.gz") as file:
        row_of = {name: number for number, (name, _) in enumerate(json.load(file)["image_filenames"])}
    first, rows = np.load(DATA / "ilsvrc/predictions/val_top5.npz"), [row_of[name] for name in names[:, 0]]
    hits = np.stack([first[model][rows] == names[:, 1, None].astype(int) for model in MODELS], axis=1)
    return np.where(hits.any(axis=2), -hits.argmax(axis=2).astype(float), np.nan)


@dataclass(frozen=True, slots=True)
class WithMachines:
    """Another policy, with priors by machines, learned again from the people's votes of every round."""

    policy: Policy
    scores: np.ndarray

    def __str__(self) -> str:
        return f"{self.policy} + machines"

    def conclude(self, ballot: Ballot) -> Conclusion:
        return self.policy.conclude(with_machines(ballot, self.scores))


def with_machines(ballot: Ballot, scores: np.ndarray) -> Ballot:
    return replace(ballot, prior=machine_priors(scores, ballot, fit(ballot)).prior)


def as_coins(ballot: Ballot, scores: np.ndarray) -> Ballot:
    """The ballot with every model as one more worker, who says yes to its first guess and no to the rest.

    The best of the simple readings: yes to its first two or five is worse.
    """
    task, model = np.indices(scores.shape).reshape(2, -1)
    return replace(
        ballot,
        task=np.concatenate([ballot.task, task]),
        worker=np.concatenate([ballot.worker, ballot.workers + model]),
        answer=np.concatenate([ballot.answer, np.where(scores == 0, 2, 0).ravel()]),
        workers=ballot.workers + len(MODELS),
    )


def as_voters(ballot: Ballot, scores: np.ndarray) -> Ballot:
    """The ballot with every model as a machine that votes: yes to its first guess, unsure of its next four, no to the
    rest."""
    task, model = np.indices(scores.shape).reshape(2, -1)
    people = tuple(f"person {number}" for number in range(ballot.workers))
    return replace(
        ballot,
        task=np.concatenate([ballot.task, task]),
        worker=np.concatenate([ballot.worker, ballot.workers + model]),
        answer=np.concatenate([ballot.answer, np.select([scores == 0, ~np.isnan(scores)], [2, 1], 0).ravel()]),
        workers=ballot.workers + len(MODELS),
        names=(*people, *(f"machine:{name}" for name in MODELS)),
    )


def first_of(ballot: Ballot, votes: int, seed: int) -> Ballot:
    """So many votes on every task, drawn at random."""
    order = np.lexsort((np.random.default_rng(seed).random(len(ballot.task)), ballot.task))
    sorted_by_task, cast = ballot.keep(order), ballot.votes_per_task
    turn = np.arange(len(order)) - np.repeat(np.cumsum(cast) - cast, cast)
    return sorted_by_task.keep(turn < votes)


def bench_machines(seeds: int) -> None:
    """Five public models beside people: the default policy, and stricter ones. ReaL's own truth is drawn from its five
    votes, so that the less models add to those, the better they seem; the experts of its gold saw no votes."""
    sure: list[Policy] = [Posterior(), Posterior(0.98, 0.02), Posterior(0.99, 0.01)]
    machines_on("ReaL gold, truth by experts", *real_gold(), sure, seeds)
    machines_on("ReaL, truth by its five votes", *real(), [Posterior(0.98, 0.05, 2, 5)], seeds)


def machines_on(
    what: str, ballot: Ballot, names: np.ndarray, truth: np.ndarray, policies: list[Policy], seeds: int
) -> None:
    scores = model_scores(names)
    print(f"\nMachines as workers, {what}: accuracy at .5 and at {YES}, means over {seeds} seeds")
    row("", "people", "coins", "scores", "voters", f"people {YES}", f"voters {YES}")
    for votes in (1, 2, 3, 5):
        found = [machines_beside(first_of(ballot, votes, seed), scores, truth) for seed in range(seeds)]
        row(f"{votes} votes a pair", *(float(mean) for mean in np.mean(found, axis=0)))
    row("", "votes", "at 0.5", f"at {YES}")
    voters = as_voters(ballot, scores)
    for policy in policies:
        replays(ballot, truth, [policy, WithMachines(policy, scores)], seeds, YES)
        replays(voters, truth, [policy], seeds, YES, " + machine voters")


def machines_beside(ballot: Ballot, scores: np.ndarray, truth: np.ndarray) -> list[float]:
    """Accuracies at .5 of people, with models as coins, with their scores as priors, and with models as voters; and at
    `YES` of people, and with voters."""
    people = fit(ballot)
    told = replace(ballot, prior=machine_priors(scores, ballot, people).prior)
    coins, helped, voters = fit(as_coins(ballot, scores)), fit(told), fit(as_voters(ballot, scores))
    at_half = [float(((found.posterior >= 0.5) == truth).mean()) for found in (people, coins, helped, voters)]
    at_yes = [float(((found.posterior >= YES) == truth).mean()) for found in (people, voters)]
    return [*at_half, *at_yes]


def bench_public(everything: bool) -> None:
    print("\nPublic sets, all votes: accuracy")
    for name in ("bluebirds", "rte", "product", "dogs"):
        data = pd.read_csv(DATA / f"votes/{name}/votes.csv").set_axis(["task", "worker", "label"], axis=1)
        truth = pd.read_csv(DATA / f"votes/{name}/truth.csv", index_col=0).iloc[:, 0]
        print(f" {name}: {data['task'].nunique():,} tasks, {len(data):,} votes, {data['label'].nunique()} classes")
        scores: dict[str, dict[str, float]] = {"ours": {}, "Crowd-Kit": {}}
        for method in OURS:
            if method is not TwoCoin or data["label"].nunique() == 2:
                labels = method().fit_predict(data)
                scores["ours"][method.__name__] = float((labels.reindex(truth.index) == truth).mean())
                row(f"holotype {method.__name__}", scores["ours"][method.__name__])
        for peer_name in PEERS if everything else PEERS[:5]:
            labels = peer(peer_name, data)
            if isinstance(labels, str):
                row(f"Crowd-Kit {peer_name}", labels)
            else:
                scores["Crowd-Kit"][peer_name] = float((labels.reindex(truth.index) == truth).mean())
                row(f"Crowd-Kit {peer_name}", scores["Crowd-Kit"][peer_name])
        default = "TwoCoin" if "TwoCoin" in scores["ours"] else "DawidSkene"
        best = max(scores["Crowd-Kit"].values(), default=float("nan"))
        row(f"{default} less Crowd-Kit's best", scores["ours"][default] - best)


def thinned(ballot: Ballot, most: int, seed: int = 0) -> Ballot:
    """`most` votes of each task, drawn at random."""
    order = np.lexsort((np.random.default_rng(seed).random(len(ballot.task)), ballot.task))
    held = ballot.votes_per_task
    turn = np.arange(len(order)) - np.repeat(np.cumsum(held) - held, held)
    return ballot.keep(order[turn < most])


def two_classes(name: str) -> tuple[Ballot, np.ndarray]:
    """A public set of two classes, and its truth."""
    data = pd.read_csv(DATA / f"votes/{name}/votes.csv").set_axis(["task", "worker", "label"], axis=1)
    data = data.drop_duplicates(["task", "worker"])
    (task, tasks), (worker, workers), (label, _) = (
        pd.factorize(data[column], sort=True) for column in ("task", "worker", "label")
    )
    truth = pd.read_csv(DATA / f"votes/{name}/truth.csv", index_col=0).iloc[:, 0].reindex(tasks)
    return Ballot(task, worker, 2 * label, np.zeros(len(tasks), np.int64), len(workers), 1), truth.to_numpy() == 1


def bench_claims(seeds: int) -> None:
    print("\nClaimed error, the mean chance that a label is wrong by its own posterior, beside the true one")
    row("", "votes", "claimed", "true", "times")
    for name in ("bluebirds", "rte", "product", "ReaL gold"):
        ballot, truth = two_classes(name) if name != "ReaL gold" else real_gold()[::2]
        told = np.arange(len(truth)) % 2 == 0
        known = np.where(told, truth, UNKNOWN)
        gold = replace(ballot, known=known)
        everything = np.ones(len(truth), bool)
        _claim(f"{name}, all votes, no gold", 0.0, fit(ballot).posterior, truth, everything)
        found = posterior_of_gold(gold)
        correct = calibrate(*found) if contradicted(*found) else Calibration()
        _claim(f"{name}, all votes, half gold, calibrated", 0.0, correct.apply(fit(gold).posterior), truth, ~told)
        for seed in range(seeds):
            rng = np.random.default_rng(seed)
            conclusion, used = replay(ballot, Posterior(), rng)
            _claim(f"{name}, adaptive, no gold, seed {seed}", float(used.mean()), conclusion.scores, truth, everything)
            conclusion, used = replay(gold, Posterior(), rng)
            found = posterior_of_gold(gold, None, Posterior().stopping)
            correct = calibrate(*found) if contradicted(*found) else Calibration()
            scores = correct.apply(conclusion.scores)
            _claim(
                f"{name}, adaptive, half gold, calibrated, seed {seed}", float(used[~told].mean()), scores, truth, ~told
            )


def _claim(name: str, votes: float, posterior: np.ndarray, truth: np.ndarray, of: np.ndarray) -> None:
    claimed = float(np.minimum(posterior, 1 - posterior)[of].mean())
    wrong = float(((posterior >= 0.5) != truth)[of].mean())
    row(name, votes or "all", claimed, wrong, wrong / max(claimed, 1e-9))


def bench_certificates(runs: int) -> None:
    """Coverage over synsets of a campaign, and under attack: shares of runs in which no bound shown was too high."""
    print("\nCertificates: 500 synsets, simulated campaigns with correlated errors; shares of synsets")
    row("", "believed", "bound 20", "bound 59", "precision")
    for seed in range(3):
        truth, believed = accepted_by_campaign(seed)
        right: dict[str, list[bool]] = {}
        for (_, wnid), good in truth.items():
            right.setdefault(wnid, []).append(good)
        true = {wnid: float(np.mean(of)) for wnid, of in right.items()}
        held = [
            float(np.mean([true[found.plan.wnid] >= found.lower for found in certify_synsets(truth, size, f"{seed}")]))
            for size in (20, 59)
        ]
        trusted = float(np.mean([true[wnid] >= belief for wnid, belief in believed.items()]))
        name = f"true precision is not below it, {len(true)} synsets, seed {seed}"
        row(name, trusted, *held, float(np.mean(list(true.values()))))
    print("  believed: the mean posterior of what was accepted; bound n: the lower bound of n audits, in a first draw")
    for labels, size, right_share in ((1000, 60, 0.9), (60, 20, 0.6), (24, 8, 0.5)):
        print(f"\nCertificates under attack: {size} of {labels:,} labels audited, {right_share:.0%} right, {runs} runs")
        row("", "coverage", "old rules")
        for attack in ATTACKS:
            row(attack.__name__.replace("_", " "), *coverage(attack, runs, labels, size, right_share, seed=0))


def accepted_by_campaign(seed: int) -> tuple[dict[tuple[str, str], bool], dict[str, float]]:
    """What a posterior policy accepted and whether it is good, and the mean posterior of each synset's.

    A fifth of the images, more in some synsets, are hard: all workers answer them by a coin.
    """
    rng = np.random.default_rng(seed)
    synsets, per = 500, 200
    tasks = synsets * per
    synset = np.repeat(np.arange(synsets), per)
    truth = rng.random(tasks) < 0.4
    hard = rng.random(tasks) < rng.beta(1, 4, synsets)[synset]
    yes = np.where(
        hard, 0.5, np.where(truth, rng.uniform(0.6, 0.95, synsets)[synset], rng.uniform(0.02, 0.2, synsets)[synset])
    )
    votes = 12
    worker = np.argsort(rng.random((tasks, 60)), axis=1)[:, :votes]
    answer = np.where(rng.random((tasks, votes)) < yes[:, None], 2, 0)
    ballot = Ballot(np.repeat(np.arange(tasks), votes), worker.ravel(), answer.ravel(), synset, 60, synsets)
    found, _ = replay(ballot, Posterior(0.95, 0.05), rng)
    taken = np.flatnonzero(found.are(State.YES)).tolist()
    names = [f"n{number:08d}" for number in range(synsets)]
    of = synset[taken]
    means = np.bincount(of, found.scores[taken], minlength=synsets) / np.maximum(np.bincount(of, minlength=synsets), 1)
    return (
        {(f"{task:064x}", names[synset[task]]): bool(truth[task]) for task in taken},
        {names[number]: float(means[number]) for number in np.unique(of)},
    )


def bench_speed(votes: int) -> None:
    print(f"\nSpeed and memory: {votes:,} votes, {speed_workers(votes):,} workers, int ids; one fit in a fresh process")
    row("", "CPU s", "wall s", "MB above", "accuracy", "rounds")
    measured = {}
    for method in ("holotype DawidSkene", "holotype TwoCoin", "Crowd-Kit DawidSkene"):
        command = [sys.executable, __file__, "--measure", method, str(votes)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            row(method, done.stderr.strip().splitlines()[-1][:60])
            continue
        measured[method] = json.loads(done.stdout.splitlines()[-1])
        row(method, *measured[method].values())
    if "Crowd-Kit DawidSkene" in measured:
        for method in ("holotype DawidSkene", "holotype TwoCoin"):
            times = measured["Crowd-Kit DawidSkene"]["cpu"] / measured[method]["cpu"]
            row(f"{method}: times less CPU than Crowd-Kit", round(times, 1))


def speed_workers(votes: int) -> int:
    return 10_000 if votes >= 10_000_000 else 2_000


def speed_data(votes: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Five different workers on each task, in random order."""
    rng = np.random.default_rng(0)
    workers, tasks = speed_workers(votes), votes // 5
    start, stride = rng.integers(0, workers, tasks), rng.integers(1, workers // 5, tasks)
    worker = ((start[:, None] + stride[:, None] * np.arange(5)) % workers).ravel()
    truth = rng.random(tasks) < 0.4
    right = rng.random(votes) < rng.beta(8, 2, workers)[worker]
    task = np.repeat(np.arange(tasks), 5)
    order = rng.permutation(votes)
    label = np.where(right, truth[task], ~truth[task]).astype(np.int64)
    return pd.DataFrame({"task": task[order], "worker": worker[order], "label": label[order]}), truth


def measure(method: str, votes: int) -> None:
    """One fit in this process, as JSON: what a fresh process is started for."""
    if method.startswith("Crowd-Kit"):
        kit: Any = importlib.import_module("crowdkit.aggregation")
        fitted: Callable[[pd.DataFrame], Any] = lambda data: kit.DawidSkene().fit(data)  # noqa: E731
    else:
        fitted = {"DawidSkene": DawidSkene, "TwoCoin": TwoCoin}[method.split()[1]]().fit
    small, _ = speed_data(1000)
    fitted(small)
    data, truth = speed_data(votes)
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    cpu, wall = time.process_time(), time.perf_counter()
    model = fitted(data)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = memory("VmHWM") - before
    accuracy = float((model.labels_.sort_index().to_numpy() == truth).mean())
    rounds = len(model.loss_history_) if hasattr(model, "loss_history_") else model.result_.rounds
    print(json.dumps({"cpu": cpu, "wall": wall, "memory": peak, "accuracy": accuracy, "rounds": rounds}))


def memory(field: str) -> float:
    """A field of this process's memory, in MB (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(field))) / 1000


def bench_incremental() -> None:
    print("\nIncremental: 10,000 new votes into a model of 1,000,000")
    row("", "CPU s", "wall s", "full fit")
    data, truth = speed_data(1_000_000)
    rng = np.random.default_rng(1)
    for method in (DawidSkene, TwoCoin):
        start = time.process_time()
        model = method().fit(data)
        full = time.process_time() - start
        task, worker = rng.integers(0, len(truth), 10_000), rng.integers(0, speed_workers(1_000_000), 10_000)
        label = np.where(rng.random(10_000) < 0.8, truth[task], ~truth[task]).astype(np.int64)
        new = pd.DataFrame({"task": task, "worker": worker, "label": label})
        cpu, wall = time.process_time(), time.perf_counter()
        model.partial_fit(new)
        row(f"holotype {method.__name__}.partial_fit", time.process_time() - cpu, time.perf_counter() - wall, full)
    row("Crowd-Kit has no partial_fit: the full fit again, see above", "-")


def bench_table() -> None:
    from holotype.simulation.workers import BURMESE_CAT, CAT, exact_posterior

    print("\nThe confidence table of Deng et al. 2009, figure 7, and the simulator's exact posterior")
    cells = [(0, 1), (1, 0), (1, 1), (2, 0), (0, 2), (3, 0), (2, 1)]
    published = {
        "cat": (0.07, 0.85, 0.46, 0.97, 0.02, 0.99, 0.85),
        "Burmese cat": (0.23, 0.69, 0.49, 0.83, 0.12, 0.90, 0.68),
    }
    row("(yes, no)", *(f"{yes}, {no}" for yes, no in cells))
    for (name, printed), synset in zip(published.items(), (CAT, BURMESE_CAT), strict=True):
        exact = [float(exact_posterior(synset, np.array(yes), np.array(no))) for yes, no in cells]
        row(f"{name}, published", *printed)
        row(f"{name}, exact posterior", *exact)
        row(f"{name}, largest difference", max(abs(a - b) for a, b in zip(exact, printed, strict=True)))


def benches(quick: bool, seeds: int) -> Iterator[tuple[str, Callable[[], None]]]:
    yield "table", bench_table
    yield "gold", lambda: bench_gold(seeds)
    yield "machines", lambda: bench_machines(seeds)
    yield "public", lambda: bench_public(not quick)
    yield "claims", lambda: bench_claims(1 if quick else seeds)
    yield "certificates", lambda: bench_certificates(50 if quick else 300)
    yield "incremental", bench_incremental
    yield "regimes", lambda: regimes.bench(all_cells(), Imageable(Posterior()), range(1, 2 if quick else 6))
    yield "museums", lambda: museums.bench_museums(Imageable(Posterior()), range(1, 3 if quick else 11))
    yield "real", lambda: bench_real(1 if quick else seeds)
    yield "speed", lambda: bench_speed(1_000_000 if quick else 10_000_000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a million votes, one replay, no slow peers")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="table gold public certificates ...")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], int(options.measure[1]))
        return
    print(f"consensus, {len(os.sched_getaffinity(0))} cores, Python {sys.version.split()[0]}, numpy {np.__version__}")
    for name, bench in benches(options.quick, options.seeds):
        if not options.only or name in options.only:
            bench()


if __name__ == "__main__":
    main()
