from __future__ import annotations

import importlib
import importlib.util
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holotype.crowd.aggregate import Aggregator, DawidSkene, MajorityVote, OneCoin, TableVote, TwoCoin, Wawa
from holotype.crowd.ballot import Ballot
from holotype.crowd.consensus import Priors, fit
from holotype.crowd.port import Answer
from holotype.errors import CrowdError

ALL = [MajorityVote, Wawa, TableVote, DawidSkene, OneCoin, TwoCoin]
every = pytest.mark.parametrize("aggregator", ALL)


def table(rows: list[tuple[Any, Any, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["task", "worker", "label"])


def simulated(
    seed: int, tasks: int = 400, workers: int = 20, votes: int = 5, classes: int = 2
) -> tuple[pd.DataFrame, pd.Series]:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, tasks)
    skill = generator.uniform(0.55, 0.95, (workers, classes))
    rows = []
    for task in range(tasks):
        for worker in generator.permutation(workers)[:votes]:
            wrong = (truth[task] + generator.integers(1, classes)) % classes
            right = generator.random() < skill[worker, truth[task]]
            rows.append((f"t{task:04d}", int(worker), int(truth[task] if right else wrong)))
    generator.shuffle(rows)
    return table(rows), pd.Series(truth, index=[f"t{task:04d}" for task in range(tasks)])


@every
def test_most_labels_are_right(aggregator: type[Aggregator]) -> None:
    data, truth = simulated(1, votes=10)
    found = aggregator().fit_predict(data)
    assert (found == truth.loc[found.index]).mean() > 0.85


@pytest.mark.parametrize("aggregator", [MajorityVote, Wawa, DawidSkene, OneCoin])
def test_there_may_be_any_number_of_classes(aggregator: type[Aggregator]) -> None:
    data, truth = simulated(2, classes=5, votes=9)
    found = aggregator().fit_predict(data)
    assert (found == truth.loc[found.index]).mean() > 0.9


def test_two_coin_refuses_a_third_class() -> None:
    data, _ = simulated(2, classes=3)
    with pytest.raises(CrowdError, match="between two classes, not 3; name an unsure answer"):
        TwoCoin().fit(data)


@every
def test_results_are_shaped_as_crowd_kits(aggregator: type[Aggregator]) -> None:
    data, _ = simulated(3, tasks=50)
    model = aggregator().fit(data)
    assert model.labels_.name == "agg_label"
    assert model.labels_.index.name == model.probas_.index.name == "task"
    assert model.probas_.columns.name == "label"
    assert model.probas_.sum(axis=1).to_numpy() == pytest.approx(1)
    assert model.priors_.loc[0] == pytest.approx(model.probas_[0].mean())
    assert model.errors_.index.names == ["worker", "label"]
    assert model.errors_.groupby("worker").sum().to_numpy() == pytest.approx(1)
    assert model.errors_.loc[(3, 1), 0] == model.result_.errors[3, 1, 0]
    assert (model.labels_ == model.probas_.idxmax(axis=1)).all()


@every
def test_every_library_has_the_same_results(aggregator: type[Aggregator]) -> None:
    data, _ = simulated(4, tasks=60)
    data["label"] = data["label"].map({0: "no", 1: "yes"})
    expected = aggregator().fit(data)
    columns = {name: data[name].to_numpy() for name in data}
    records = np.array(list(data.itertuples(index=False)), [("task", "U8"), ("worker", int), ("label", "U3")])
    tables: list[Any] = [pl.from_pandas(data), pa.Table.from_pandas(data), columns, records]
    kinds = [pl.DataFrame, pa.Table, dict, dict]
    for votes, kind in zip(tables, kinds, strict=True):
        model = aggregator().fit(votes)
        assert isinstance(model.labels_, kind)
        assert [str(label) for label in model.labels_["agg_label"]] == list(expected.labels_)
        assert np.array_equal(model.result_.probas, expected.result_.probas)
        assert np.array_equal(np.array(model.probas_["yes"]), expected.probas_["yes"])
        assert len(model.errors_["no"]) == len(expected.errors_)


@every
def test_an_empty_table_has_empty_results(aggregator: type[Aggregator]) -> None:
    model = aggregator().fit(table([]))
    assert len(model.labels_) == len(model.probas_) == len(model.priors_) == len(model.errors_) == 0
    data, _ = simulated(5, tasks=30)
    assert len(model.partial_fit(data).labels_) == 30


@every
@pytest.mark.parametrize("label", ["yes", 1, True])
def test_one_worker_and_all_yes_is_yes(aggregator: type[Aggregator], label: Any) -> None:
    model = aggregator().fit(table([(task, "ann", label) for task in range(7)]))
    assert list(model.labels_) == [label] * 7
    assert np.isfinite(model.result_.probas).all()
    told = aggregator(classes=(label, "no" if label == "yes" else 0 if label == 1 and label is not True else False))
    many = [(task, worker, label) for task in range(7) for worker in range(5)]
    found = told.fit(table(many))
    assert list(found.labels_) == [label] * 7
    assert len(found.result_.classes) == 2


@every
def test_of_several_votes_by_a_worker_the_first_counts(aggregator: type[Aggregator]) -> None:
    data, _ = simulated(6, tasks=80)
    again = data.iloc[:50].assign(label=1 - data["label"].iloc[:50])
    doubled = pd.concat([data, again], ignore_index=True)
    assert np.array_equal(aggregator().fit(doubled).result_.probas, aggregator().fit(data).result_.probas)
    model = aggregator().fit(data)
    before = model.result_.probas.copy()
    assert model.partial_fit(again).result_.probas == pytest.approx(before, abs=0.02)
    assert list(model.partial_fit(again).labels_) == list(aggregator().fit(data).labels_)


@every
@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"task": [1], "worker": [1]}, "lacks label"),
        ({"task": [1, None], "worker": [1, 2], "label": [0, 1]}, "1 votes have no task"),
        ({"task": [1, 2], "worker": [1, 2], "label": [0.0, float("nan")]}, "1 votes have no label"),
        ({"task": [1, "b"], "worker": [1, 2], "label": [0, 1]}, "of one type"),
        ({"task": [1, 2], "worker": [1, 2], "label": [{"a": 1}, {"a": 2}]}, "cannot be a label"),
        ({"task": [1, 2], "worker": [1], "label": [1, 1]}, "as long as"),
        ([1, 2, 3], "lacks task, worker, label"),
        ({"task": [2**70, 1], "worker": [1, 2], "label": [0, 1]}, "of one type"),
        ({"task": pa.array([1.0, float("nan")]), "worker": [1, 2], "label": [0, 1]}, "1 votes have no task"),
        ({"task": [1, 2], "worker": [1, 2], "label": [0, 1], "prior": ["a", "b"]}, "a prior is a chance"),
        ({"task": [1, 2], "worker": [1, 2], "label": [0, 1], "synset": [{"a": 1}] * 2}, "must be like"),
        (pd.DataFrame([[1, 1, 0, 1]], columns=["task", "worker", "label", "task"]), "once"),
        (pa.table([[1], [1], [0], [1]], names=["task", "worker", "label", "task"]), "once"),
    ],
)
def test_what_is_not_a_table_of_votes_is_refused(aggregator: type[Aggregator], data: Any, message: str) -> None:
    with pytest.raises(CrowdError, match=message):
        aggregator().fit(data)


@every
def test_an_answer_nobody_knows_is_refused(aggregator: type[Aggregator]) -> None:
    model = aggregator().fit(table([(1, 1, "no"), (2, 1, "yes"), (2, 2, "yes")]))
    with pytest.raises(CrowdError, match="there is no label 'maybe'; there are: no, yes"):
        model.partial_fit(table([(3, 1, "maybe")]))
    with pytest.raises(CrowdError, match="of one type"):
        model.partial_fit(table([("three", 1, "no")]))
    with pytest.raises(CrowdError, match="must be like the votes' labels"):
        aggregator(unsure="maybe").fit(table([(1, 1, 0), (2, 1, 1)]))
    with pytest.raises(CrowdError, match="call fit"):
        _ = aggregator().labels_


@every
def test_unsure_is_never_a_label(aggregator: type[Aggregator]) -> None:
    data, truth = simulated(7, votes=12)
    data["label"] = data["label"].map({0: "no", 1: "yes"})
    data.loc[data.index[::9], "label"] = "maybe"
    only = pd.concat([data, table([("x", 1, "maybe"), ("x", 2, "maybe")])])
    model = aggregator(unsure="maybe").fit(only)
    assert set(model.labels_) == {"no", "yes"}
    assert ((model.labels_ == "yes") == (truth.reindex(model.labels_.index) == 1)).mean() > 0.85
    assert model.probas_.loc["x"].sum() == pytest.approx(1)
    assert len(model.result_.answers) == 2 + aggregator.uses_unsure


@every
def test_true_labels_are_taken_as_known(aggregator: type[Aggregator]) -> None:
    data, truth = simulated(8, votes=3)
    known = truth.iloc[:200]
    model = aggregator().fit(data, known)
    assert (model.labels_.loc[known.index] == known).all()
    rest = truth.iloc[200:]
    blind = aggregator().fit_predict(data).loc[rest.index]
    assert (model.labels_.loc[rest.index] == rest).mean() >= (blind == rest).mean() - 0.02
    with pytest.raises(CrowdError, match="of one type"):
        aggregator().fit(data, {"t0001": "yes"})
    assert list(aggregator().fit(data, {"nobody": 1}).labels_) == list(aggregator().fit(data).labels_)


@every
@given(seed=st.integers(0, 999))
@settings(max_examples=8, deadline=None)
def test_the_order_of_votes_does_not_matter(aggregator: type[Aggregator], seed: int) -> None:
    data, _ = simulated(seed, tasks=30, workers=8, votes=3)
    shuffled = data.sample(frac=1, random_state=seed)
    assert aggregator().fit(shuffled).result_.probas == pytest.approx(aggregator().fit(data).result_.probas, abs=1e-9)


@every
def test_adding_votes_comes_to_what_fitting_anew_does(aggregator: type[Aggregator]) -> None:
    data, truth = simulated(9, tasks=2000, workers=40)
    whole = aggregator().fit(data)
    grown = aggregator().fit(data.iloc[:7000])
    for start in range(7000, len(data), 250):
        grown.partial_fit(data.iloc[start : start + 250])
    probas = grown.probas_.loc[whole.probas_.index, 1].to_numpy()
    assert np.abs(probas - whole.probas_[1].to_numpy()).mean() < 0.01
    assert (grown.labels_.loc[whole.labels_.index] == whole.labels_).mean() > 0.99
    assert (grown.labels_ == truth.loc[grown.labels_.index]).mean() > (
        whole.labels_ == truth.loc[whole.labels_.index]
    ).mean() - 0.005


@every
def test_gold_of_tasks_that_come_later_is_known_too(aggregator: type[Aggregator]) -> None:
    first = table([("a", 1, "y"), ("a", 2, "y"), ("b", 1, "n"), ("b", 2, "n")])
    later = table([("c", worker, "y") for worker in range(1, 6)])
    gold = {"c": "n"}
    assert aggregator().fit(first, gold).partial_fit(later).labels_["c"] == "n"
    assert aggregator().fit(table([]), gold).partial_fit(pd.concat([first, later])).labels_["c"] == "n"


@every
def test_who_was_unsure_has_voted(aggregator: type[Aggregator]) -> None:
    first = table([("a", 1, "?"), ("a", 2, "n"), ("b", 1, "y"), ("b", 2, "y")])
    again = table([("a", 1, "y"), ("x", 3, "?")])
    model = aggregator(unsure="?").fit(first).partial_fit(again)
    whole = aggregator(unsure="?").fit(pd.concat([first, again]))
    assert model.probas_.loc[["a", "b", "x"]].to_numpy() == pytest.approx(whole.probas_.to_numpy(), abs=0.05)
    unsure = aggregator(unsure="?", classes=("n", "y")).fit(table([("x", 1, "?")]))
    assert sorted(unsure.partial_fit(table([("y", 1, "y")])).labels_.index) == ["x", "y"]


@every
def test_wrong_true_labels_are_refused(aggregator: type[Aggregator]) -> None:
    votes = table([(1, 1, "n"), (2, 1, "y")])
    for wrong in ({2**70: "y"}, ["y", "n"], {1: "\ud800"}):
        given: Any = wrong
        with pytest.raises(CrowdError):
            aggregator().fit(votes, given)


def test_a_new_task_says_its_synset_where_others_do() -> None:
    votes = table([(1, 1, "n"), (2, 1, "y")]).assign(synset=["s", "t"])
    model = TwoCoin().fit(votes)
    model.partial_fit(table([(1, 2, "n")]))
    with pytest.raises(CrowdError, match="say their synset"):
        model.partial_fit(table([(3, 1, "n")]))
    assert len(model.partial_fit(table([(3, 1, "n")]).assign(synset="new")).labels_) == 3


def test_a_label_called_like_a_column_hides_none() -> None:
    votes = {"task": ["a", "b"], "worker": ["w", "w"], "label": ["task", "worker"]}
    model = MajorityVote().fit(votes)
    with pytest.raises(CrowdError, match="a label called 'task' cannot be a column"):
        _ = model.probas_
    assert model.result_.probas.tolist() == [[1, 0], [0, 1]]


def test_many_classes_cost_majority_no_memory_and_models_are_refused() -> None:
    rows = [(task, worker, f"c{task % 3000}") for task in range(6000) for worker in range(40)]
    votes = table(rows)
    assert (MajorityVote().fit_predict(votes) == [f"c{task % 3000}" for task in range(6000)]).all()
    with pytest.raises(CrowdError, match="more than the 200,000,000 that can be learned"):
        DawidSkene().fit(votes)


def test_added_votes_move_only_what_they_touch() -> None:
    data, _ = simulated(10, tasks=1000)
    model = TwoCoin().fit(data)
    before = model.probas_[1]
    model.partial_fit(table([("t0000", 98, 1), ("t0000", 99, 1), ("new", 98, 1), ("new", 99, 1)]))
    after = model.probas_[1]
    moved = after.index[after != before.reindex(after.index)]
    assert set(moved) == {"t0000", "new"}
    assert after["t0000"] > before["t0000"]
    assert after["new"] > 0.8


def test_without_priors_labels_are_those_of_a_plain_dawid_skene() -> None:
    """The algorithm written out, vote by vote, as in the paper of 1979."""
    data, _ = simulated(11, tasks=120, workers=9, votes=4, classes=3)
    tasks, workers = sorted(data["task"].unique()), sorted(data["worker"].unique())
    votes = [(tasks.index(t), workers.index(w), label) for t, w, label in data.itertuples(index=False)]
    probas = np.zeros((len(tasks), 3))
    for task, _, label in votes:
        probas[task, label] += 1
    probas /= probas.sum(axis=1, keepdims=True)
    for _ in range(300):
        errors = np.full((len(workers), 3, 3), 1e-10)
        for task, worker, label in votes:
            errors[worker, label] += probas[task]
        errors /= errors.sum(axis=1, keepdims=True)
        scores = np.tile(np.log(probas.mean(axis=0)), (len(tasks), 1))
        for task, worker, label in votes:
            scores[task] += np.log(errors[worker, label])
        probas = np.exp(scores - scores.max(axis=1, keepdims=True))
        probas /= probas.sum(axis=1, keepdims=True)
    model = DawidSkene()
    model.schedule = type(model.schedule)(rounds=300, tolerance=0, bound=False)
    assert model.fit(data).result_.probas == pytest.approx(probas, abs=1e-6)


@pytest.mark.skipif(importlib.util.find_spec("crowdkit") is None, reason="Crowd-Kit is not installed")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("classes", [2, 4])
def test_labels_equal_crowd_kits(classes: int) -> None:
    peer: Any = importlib.import_module("crowdkit.aggregation")
    data, _ = simulated(12, classes=classes)
    ours, theirs = DawidSkene().fit(data), peer.DawidSkene().fit(data)
    assert (ours.labels_.sort_index() == theirs.labels_.sort_index()).all()
    same = theirs.probas_.loc[ours.probas_.index, ours.probas_.columns]
    assert ours.probas_.to_numpy() == pytest.approx(same.to_numpy(), abs=1e-6)


@pytest.mark.parametrize("name", ["bluebirds", "rte", "product"])
def test_real_votes_are_aggregated_at_least_as_well_as_published(shared: Any, name: str) -> None:
    """Crowd-Kit's best on each, less half a point (facts/consensus.md, C.3; `bench/consensus.py` runs both)."""
    best = {"bluebirds": 0.889, "rte": 0.928, "product": 0.940}
    data = pd.read_csv(shared / f"votes/{name}/votes.csv").set_axis(["task", "worker", "label"], axis=1)
    truth = pd.read_csv(shared / f"votes/{name}/truth.csv", index_col=0).iloc[:, 0]
    found = TwoCoin().fit_predict(data)
    assert (found.loc[truth.index] == truth).mean() >= best[name] - 0.005


def test_a_prior_of_the_image_counts_as_one() -> None:
    rows = [(str(task), worker, int(task < 5)) for task in range(10) for worker in range(4)]
    data = table([*rows, ("10", 9, 0), ("11", 9, 0)])
    data["prior"] = data["task"].map({"10": 0.999, "11": 0.001})
    found = TwoCoin().fit_predict_proba(data)[1]
    assert found["10"] > 0.5 > found["11"]
    with pytest.raises(CrowdError, match="between 0 and 1"):
        TwoCoin().fit(data.assign(prior=2.0))


def test_synsets_have_difficulties_of_their_own() -> None:
    """The same yes says less where the crowd errs more."""
    generator = np.random.default_rng(13)
    rows = []
    for task in range(3000):
        good, hard = generator.random() < 0.4, task % 2
        for worker in generator.permutation(30)[:6]:
            yes = (0.65, 0.35)[not good] if hard else (0.92, 0.04)[not good]
            rows.append((task, worker, Answer.YES if generator.random() < yes else Answer.NO))
    task, worker, answer = np.array(rows).T
    model = fit(Ballot(task, worker, answer, np.arange(3000) % 2, 30, 2), Priors(difficulty_weight=50))
    easy, hard = model.difficulty
    assert easy[1, 2] > 0.85 > 0.75 > hard[1, 2]
    assert easy[0, 0] > 0.9 > 0.8 > hard[0, 0]
