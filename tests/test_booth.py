"""The process in which submissions are evaluated: what it finds, and what it can not do."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from holotype.benchmark.alike import likeness
from holotype.benchmark.booth.finding import evaluated
from holotype.benchmark.booth.inside import HOOK, NAMESPACE
from holotype.benchmark.booth.job import Finding, Job, Side
from holotype.benchmark.booth.outside import Bounds, evaluate
from holotype.benchmark.orders import order
from holotype.benchmark.parts import public_items
from holotype.benchmark.place_tasks import DETECTION
from holotype.benchmark.reading.hidden import bare
from holotype.benchmark.tasks import CLASSIFICATION

TOY = Path(__file__).with_name("toy")
ITEMS = [f"item-{number:03d}" for number in range(200)]
TRUTH = {item: "abcd"[number % 4] for number, item in enumerate(ITEMS)}
KEY = b"of the tests"
SMALL = Bounds(memory=1 << 30, seconds=20, written=1 << 20, answer=4 << 20)


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Job]:
    """Makes a job of answers."""
    monkeypatch.syspath_prepend(TOY)

    def make(answers: Any, **more: Any) -> Job:
        (tmp_path / "truth.json").write_text(json.dumps(more.pop("truth", TRUTH)))
        (tmp_path / "answers.json").write_text(answers if isinstance(answers, str) else json.dumps(answers))
        held: dict[str, Any] = {"task": "toy", "metric": "", "share": 0.5, "key": KEY, "resamples": 50} | more
        return Job(truth=tmp_path / "truth.json", submission=tmp_path / "answers.json", **held)

    return make


def values(side: Side | None) -> dict[str, float]:
    assert side is not None
    return {metric.name: estimate.value for metric, estimate in side.metrics}


def test_a_submission_is_measured_on_both_parts(job: Callable[..., Job]) -> None:
    public = public_items(ITEMS, 0.5, KEY)
    wrong = {item: TRUTH[item] if is_public else "z" for item, is_public in zip(ITEMS, public, strict=True)}
    found, network = evaluate(job(wrong), SMALL)
    assert (found.outcome, found.detail, found.evaluator) == ("scored", "", "toy 1/1")
    assert values(found.public) == {"error": 0, "distance": 0}
    assert values(found.private)["error"] == 1
    assert found.public is not None
    assert found.private is not None
    assert (found.public.kept.items, found.private.kept.items) == (int(public.sum()), int((~public).sum()))
    assert found.public.kept.samples.tolist() == [0.0] * 50
    assert found.private.kept.values is not None
    assert found.private.kept.values.tolist() == [1.0] * int((~public).sum())
    assert all(len(digest) == 64 for digest in (found.truth, found.digest))
    assert HOOK in network
    assert likeness(found.sketch, found.sketch) == 1


def test_the_truth_fed_back_is_perfect_and_nothing_is_all_missed(job: Callable[..., Job]) -> None:
    assert values(evaluate(job(TRUTH, share=1.0), SMALL)[0].public)["error"] == 0
    found = evaluate(job({}, share=1.0), SMALL)[0]
    assert values(found.public)["error"] == 1
    assert found.private is None


def test_the_metric_that_ranks_is_the_one_that_was_asked_for(job: Callable[..., Job]) -> None:
    found = evaluate(job(dict.fromkeys(ITEMS, "c"), metric="distance"), SMALL)[0]
    assert found.public is not None
    assert found.public.kept.metric.name == "distance"
    assert "there is no metric 'speed', but error, distance" in evaluate(job({}, metric="speed"), SMALL)[0].detail


@pytest.mark.parametrize(
    ("answers", "outcome", "said"),
    [
        ("no json", "refused", "the file is no JSON"),
        ([], "refused", "the file is no JSON object"),
        ({"item-999": "a"}, "refused", "the file: there is no item 'item-999'"),
        ({"item-001": ["a"]}, "failed", "the evaluator failed: TypeError"),
        ({"do": "memory"}, "failed", "there was not enough memory"),
        ({"do": "crash"}, "failed", "the evaluator ended without a finding"),
        ({"do": "tell"}, "failed", "the evaluator failed: KeyError"),
        ({"do": "connect"}, "refused", "no network: socket."),
        ({"do": "start"}, "refused", "no children: subprocess.Popen is refused"),
        ({"do": "write"}, "refused", "no big files"),
        ({"do": "print"}, "scored", ""),
    ],
)
def test_what_goes_wrong_is_a_finding_and_tells_nothing_of_the_truth(
    job: Callable[..., Job], answers: Any, outcome: str, said: str
) -> None:
    found, _ = evaluate(job(answers), SMALL)
    assert (found.outcome, found.detail[: len(said)]) == (outcome, said), found.detail
    assert "item-001': 'b" not in str(found.value())


GUESSES = {
    "names": "image,guess1,guess2\n{}",
    "scores": "image,cat,dog,fox\n{}",
    "an unknown class": "image,guess1\n{}",
    "a missing image": "image,guess1\n{}",
}


@pytest.mark.parametrize("kind", GUESSES)
def test_of_guesses_nothing_public_follows_from_private_labels(tmp_path: Path, kind: str) -> None:
    """Case 50, of the task that most benchmarks are of: read and measured beside two truths that differ in the order
    of their private labels alone, it is found to be the same on the public part, or refused in the same words."""
    generator, classes = np.random.default_rng(1), ["cat", "dog", "fox"]
    labels = dict(zip(ITEMS, generator.choice(classes, len(ITEMS)).tolist(), strict=True))
    rows = [
        f"{item},{classes[one]},{classes[one - 1]}"
        for item, one in zip(ITEMS, generator.integers(3, size=200), strict=True)
    ]
    if kind == "scores":
        rows = [
            f"{item},{a:.3f},{b:.3f},{1 - a - b:.3f}"
            for item, (a, b) in zip(ITEMS, generator.random((200, 2)) / 2, strict=True)
        ]
    elif kind != "names":
        rows = [",".join(row.split(",")[:2]) for row in rows]
        rows[7:9] = ["item-007,wolf", "item-008,bear"] if kind == "an unknown class" else []
    (tmp_path / "guesses.csv").write_text(GUESSES[kind].format("\n".join(rows)))
    private = [item for item, is_public in zip(ITEMS, public_items(ITEMS, 0.5, KEY), strict=True) if not is_public]
    found = []
    for others in (private, private[::-1]):
        truth = labels | dict(zip(private, [labels[item] for item in others], strict=True))
        (tmp_path / "truth.csv").write_text("image,label\n" + "".join(f"{a},{b}\n" for a, b in truth.items()))
        job = Job("classification", tmp_path / "truth.csv", tmp_path / "guesses.csv", "", 0.5, KEY, resamples=20)
        found.append(evaluated(job, CLASSIFICATION).value())
    one, other = found
    assert one["outcome"] == ("scored" if kind in ("names", "scores") else "refused")
    assert one["private"] != other["private"] or one["outcome"] == "refused"
    for name in ("outcome", "detail", "evaluator", "digest", "public", "sketch"):
        assert one[name] == other[name]


def test_no_order_of_classes_is_guessed_from_hidden_labels(tmp_path: Path) -> None:
    """Numbers of ILSVRC's classes are in some order, which elsewhere is detected by what is right: here one hidden
    label could decide that, and what is said of the file would tell it."""
    wnids = list(order("sorted").wnids)
    items = [f"image-{number:04d}" for number in range(2000)]
    (tmp_path / "truth.csv").write_text(
        "image,label\n" + "".join(f"{item},{wnids[number % 1000]}\n" for number, item in enumerate(items))
    )
    rows = "".join(f"{item},{number % 1000}\n" for number, item in enumerate(items))
    (tmp_path / "guesses.csv").write_text(f"image,guess1\n{rows}")
    job = Job("classification", tmp_path / "truth.csv", tmp_path / "guesses.csv", "", 0.5, KEY, resamples=2)
    truth = CLASSIFICATION.read_truth(job.truth)
    assert CLASSIFICATION.read_submission(job.submission, truth).guesses[:, 0].tolist() == [*range(1000)] * 2
    found = evaluated(job, CLASSIFICATION)
    assert found.outcome == "refused"
    assert "the order of the class numbers cannot be told; say which" in found.detail
    assert "look as if" not in found.detail


def test_places_are_read_without_the_boxes_that_are_hidden(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text("image,label,x1,y1,x2,y2\na,cat,1,1,10,10\nb,dog,5,5,50,50\n")
    (tmp_path / "boxes.csv").write_text("image,label,score,x1,y1,x2,y2\na,cat,.9,1,1,10,10\nb,dog,.8,5,5,50,50\n")
    job = Job("detection", tmp_path / "truth.csv", tmp_path / "boxes.csv", "", 1.0, KEY, resamples=2)
    assert bare(DETECTION.read_truth(job.truth)).items == ("a", "b")
    found = evaluated(job, DETECTION)
    assert found.public is not None
    assert found.public.kept.estimate.value == 1


def test_a_truth_that_cannot_be_read_is_no_fault_of_the_submission(job: Callable[..., Job]) -> None:
    assert evaluate(job({}, truth="nothing"), SMALL)[0].outcome == "failed"
    assert "there is no task 'toys', did you mean toy?" in evaluate(job({}, task="toys"), SMALL)[0].detail


@pytest.mark.parametrize("deed", ["time", "sleep"])
def test_what_takes_too_long_is_ended(job: Callable[..., Job], deed: str) -> None:
    found, _ = evaluate(job({"do": deed}), Bounds(memory=1 << 30, seconds=2))
    assert (found.outcome, found.detail) == ("failed", "it took too long, or too much")


def test_what_is_told_is_short_and_can_be_shown(job: Callable[..., Job]) -> None:
    found, _ = evaluate(job({"do": "answers"}), SMALL)
    assert found.outcome == "refused"
    assert found.detail.startswith("?[31mé\né\n")
    assert len(found.detail) < 2_100


def test_an_answer_that_is_too_long_is_no_finding(job: Callable[..., Job]) -> None:
    found, _ = evaluate(job(TRUTH), Bounds(memory=1 << 30, seconds=20, answer=100))
    assert found.outcome == "failed"


def test_where_namespaces_are_let_it_has_one(job: Callable[..., Job]) -> None:
    network = evaluate(job(TRUTH), SMALL)[1]
    assert network in (HOOK, f"{NAMESPACE} and {HOOK}")


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "won"},
        {"sketch": "not base64"},
        {"public": {"items": 1}},
        {"remarks": None},
    ],
)
def test_a_forged_finding_is_none(job: Callable[..., Job], change: dict[str, Any]) -> None:
    made = job(TRUTH)
    told = Finding("scored").value()
    assert Finding.read(told, made).outcome == "scored"
    with pytest.raises((ValueError, KeyError, TypeError)):
        Finding.read(told | change, made)


def test_numbers_of_another_length_are_refused(job: Callable[..., Job]) -> None:
    made = job(TRUTH)
    told = evaluate(made, SMALL)[0].value()
    told["public"]["items"] += 1
    with pytest.raises(ValueError, match="another length"):
        Finding.read(told, made)


def test_this_process_is_not_closed_in() -> None:
    with socket.socket() as one:
        assert one.fileno() > 0
