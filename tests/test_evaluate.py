"""The command that scores predictions, the tasks that ship, and submissions side by side."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from conftest import run
from holotype.benchmark import evaluate, standings
from holotype.benchmark.intervals import draw
from holotype.benchmark.judged import Means, Metric
from holotype.benchmark.orders import convert, order
from holotype.benchmark.standings import metric_called
from holotype.benchmark.tasks import CLASSIFICATION, REAL
from holotype.benchmark.values import Guesses, Labels
from holotype.errors import PredictionError
from holotype.ontology import Ontology
from labelled import guesses, labels, public_models, reassessed, scored, validation

DOG, CAT, WHIPPET = "n02084071", "n02121808", "n02091134"


def written(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    """Forty images of dogs and cats."""
    rows = [(f"i{at:02}", DOG if at % 2 else CAT) for at in range(40)]
    return written(tmp_path / "truth.csv", [("image", "label"), *rows])


def guessed(path: Path, right: int) -> Path:
    """Guesses for the forty, the first so many of which are right."""
    pairs = [(DOG, CAT) if at % 2 else (CAT, DOG) for at in range(40)]
    rows = [(f"i{at:02}", *(pair if at < right else pair[::-1])) for at, pair in enumerate(pairs)]
    return written(path, [("image", "guess1", "guess2"), *rows])


def test_a_file_of_labels_is_a_truth(tmp_path: Path, truth: Path, wordnet: Ontology) -> None:
    found = json.loads(run("evaluate", guessed(tmp_path / "a.csv", 30), "--truth", truth, "--json", cwd=tmp_path))
    metrics = {name: one["value"] for name, one in found["metrics"].items()}
    assert (metrics["top-1 error"], metrics["top-2 error"], metrics["macro top-1 error"]) == (0.25, 0, 0.25)
    cost = int(wordnet.cost_matrix([DOG, CAT])[0, 1])
    assert metrics["hierarchical error@1"] == cost / 4
    assert metrics["mistake severity"] == cost
    assert metrics["normalised hierarchical error@1"] == 0.25
    assert metrics["expected calibration error"] is None
    assert found["hierarchy"] == wordnet.digest
    assert found["evaluator"] == "classification 1/1"
    assert re.fullmatch("[0-9a-f]{64}", found["truth"])
    assert found["more"]["classes"][CAT] == {"images": 20, "top-1 error": 0.25, "top-5 error": 0}
    assert found["more"]["most confused"][0] == {"label": DOG, "guess": CAT, "count": 5, "images": 20}
    low, high = (found["metrics"]["top-1 error"][side] for side in ("low", "high"))
    assert 0 < low < 0.25 < high < 0.5


def test_the_order_of_rows_means_nothing_and_neither_does_the_file(tmp_path: Path, truth: Path) -> None:
    lines = guessed(tmp_path / "a.csv", 30).read_text().splitlines()
    (tmp_path / "b.csv").write_text("\r\n".join([lines[0], *reversed(lines[1:])]))
    one, other = (run("evaluate", tmp_path / name, "--truth", truth, "--json") for name in ("a.csv", "b.csv"))
    assert one == other


def test_a_table_shows_what_was_measured(tmp_path: Path, truth: Path) -> None:
    said = run("evaluate", guessed(tmp_path / "a.csv", 30), "--truth", truth, "--resamples", 50, "--confidence", 0.9)
    assert said.startswith("# 40 images; with 90 % intervals of 50 resamples\nmetric\tvalue\ntop-1 error\t0.250 [0.")
    assert "calibration" not in said, "there is nothing to measure it by"
    assert "remark" not in said


def test_classes_that_are_no_synsets_have_no_hierarchy(tmp_path: Path) -> None:
    truth = written(tmp_path / "truth.csv", [("image", "label"), ("a", "red"), ("b", "green")])
    told = written(tmp_path / "told.csv", [("image", "guess1"), ("a", "red"), ("b", "red")])
    found = json.loads(run("evaluate", told, "--truth", truth, "--json"))
    assert found["metrics"]["top-1 error"]["value"] == 0.5
    assert found["hierarchy"] == ""
    assert not [name for name in found["metrics"] if "hierarchical" in name]


def test_several_are_ranked_with_what_it_would_take_to_tell_them_apart(tmp_path: Path, truth: Path) -> None:
    files = [guessed(tmp_path / f"{name}.csv", right) for name, right in {"bad": 4, "best": 38, "good": 37}.items()]
    found = json.loads(run("evaluate", *files, "--truth", truth, "--compare", "--json"))
    assert found["by"] == "top-1 error"
    assert [(one["name"], one["rank"]) for one in found["standings"]] == [("best", 1), ("good", 1), ("bad", 3)]
    best, good, bad = found["standings"]
    assert best["behind"] is None
    assert (good["behind"]["p"], good["behind"]["test"]) == (1, "exact McNemar")
    assert good["behind"]["difference"] == pytest.approx(1 / 40)
    assert good["behind"]["needed"] > 40 > bad["behind"]["needed"]
    assert found["results"]["bad"]["metrics"]["top-1 error"]["value"] == 0.9
    said = run("evaluate", *files, "--truth", truth, "--compare").splitlines()
    assert said[1].split("\t")[:3] == ["rank", "predictions", "top-1 error"]
    assert [line.split("\t")[0] for line in said[2:]] == ["1", "1", "3"]
    by = json.loads(run("evaluate", *files, "--truth", truth, "--compare", "--by", "top-2 error", "--json"))
    assert [one["rank"] for one in by["standings"]] == [1, 1, 1]
    both = run("evaluate", *files[:2], "--truth", truth)
    assert "# bad, 40 images" in both
    assert "# best, 40 images" in both


def test_scores_are_compared_among_some_classes(tmp_path: Path, truth: Path) -> None:
    rows = [line.split(",")[0] for line in truth.read_text().splitlines()[1:]]
    scores = written(tmp_path / "s.csv", [("image", DOG, CAT), *((image, 0.9, 0.1) for image in rows)])
    (tmp_path / "dogs.txt").write_text(f"{DOG}\n\n")
    found = json.loads(run("evaluate", scores, "--truth", truth, "--subset", tmp_path / "dogs.txt", "--json"))
    assert (found["items"], found["metrics"]["top-1 error"]["value"]) == (20, 0)
    assert "compared among 1 classes; 20 images of others are left out" in found["remarks"]
    whole = json.loads(run("evaluate", scores, "--truth", truth, "--json"))
    assert whole["metrics"]["expected calibration error"]["value"] == pytest.approx(0.4, abs=1e-6)
    assert whole["more"]["reliability"][13]["images"] == 40
    assert "takes their scores" in run(
        "evaluate", guessed(tmp_path / "a.csv", 3), "--truth", truth, "--subset", tmp_path / "dogs.txt", expect=2
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "give one"),
        (("--release", "v1", "--dataset", "d"), "give one"),
        (("--split", "val", "--truth", "TRUTH"), "--truth has no splits"),
        (("--task", "clasification", "--truth", "TRUTH"), "did you mean classification?"),
        (("--compare", "--truth", "TRUTH"), "two predictions or more"),
        (("--by", "top-1 error", "--truth", "TRUTH"), "give both"),
        (("--confidence", "1", "--truth", "TRUTH"), "--confidence"),
        (("--order", "devkit", "--truth", "TRUTH"), "order"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, truth: Path, options: Sequence[str], said: str) -> None:
    told = written(tmp_path / "n.csv", [("image", "guess1"), *((f"i{at:02}", 7) for at in range(40))])
    asked = [truth if option == "TRUTH" else option for option in options]
    assert said in run("evaluate", told, *asked, expect=2)


def test_the_demo_of_the_ilsvrc_2010_devkit_is_scored_as_its_files_are(shared: Path, tmp_path: Path) -> None:
    """With costs from WordNet, not from the devkit."""
    folder = shared / "ilsvrc/2010"
    files = folder / "demo.val.pred.txt", "--truth", folder / "ILSVRC2010_validation_ground_truth.txt"
    found = json.loads(run("evaluate", *files, "--resamples", 0, "--json", cwd=tmp_path))["metrics"]
    flat, hierarchical = (
        [round(found[name.format(k)]["value"], 4) for k in range(1, 6)]
        for name in ("top-{} error", "hierarchical error@{}")
    )
    assert flat == [0.9101, 0.8716, 0.8422, 0.8191, 0.8003]
    assert hierarchical == [10.3468, 8.7489, 7.8510, 7.2221, 6.7695]


def test_the_real_task_reproduces_what_is_published(shared: Path) -> None:
    model = public_models(shared)["resnet50"]
    (result,), _, _ = evaluate(REAL, reassessed(shared), [model], resamples=50)
    assert round(1 - result["top-1 error"].value, 4) == 0.8296
    assert result.remarks[0] == "images without a label, which do not count: 3,163 of 50,000"
    assert len(result.remarks) == 1


def test_the_interval_of_a_public_model_is_known(shared: Path) -> None:
    """Case 47: resnet50's accuracy is 75.77 to 76.50 %, .73 wide, and the interval of half as many is wider."""
    (result,), judges, drawn = evaluate(CLASSIFICATION, validation(shared), [public_models(shared)["resnet50"]], 1000)
    top1 = result["top-1 error"]
    assert (1 - top1.high, 1 - top1.low) == pytest.approx((0.7577, 0.7650), abs=4e-4)
    again = draw(judges, 1000).samples
    assert (again == drawn.samples)[~np.isnan(again)].all()


@pytest.mark.parametrize("wrong", ["devkit", "string", "background"])
def test_a_wrong_order_of_classes_is_remarked_on_whichever_way_round(shared: Path, wrong: str) -> None:
    truth, model = validation(shared), public_models(shared)["alexnet"]
    some = np.random.default_rng(0).choice(50_000, 5_000, replace=False)
    some.sort()
    part = Labels(tuple(truth.items[at] for at in some), truth.classes, np.arange(5_000), truth.label[some])
    said = model.guesses[some]
    written_in = convert(said, "sorted", wrong)
    read_as_sorted = Guesses(np.where(written_in < 1000, written_in, 0))
    (remark,) = CLASSIFICATION.remarks(part, read_as_sorted)
    assert remark.startswith(f"these predictions look as if they were in {wrong} order")
    known = np.array([bool(wnid) for wnid in order(wrong).wnids[:1000]])
    read_wrongly = np.where(known[said], convert(np.where(known[said], said, 1), wrong, "sorted"), 0)
    (other,) = CLASSIFICATION.remarks(part, Guesses(read_wrongly))
    assert "look as if they were in sorted order" in other or "look as if they were sorted minus one" in other
    assert not CLASSIFICATION.remarks(part, Guesses(said))


def test_what_should_be_known_is_remarked_on() -> None:
    truth = labels([[0], [], [1]])
    said = Guesses(guesses([[0, 0], [1], []]).guesses, repeated=1, remarks=("as read",))
    assert CLASSIFICATION.remarks(truth, said) == [
        "as read",
        "images without a label, which do not count: 1 of 3",
        "images without a guess, which are wrong: 1 of 3",
        "guesses that say a class again, which count once: 1",
    ]
    tied = CLASSIFICATION.remarks(truth, scored(np.zeros((3, 4))))
    assert "images with equal scores, of which the class first by name goes first: 3" in tied
    assert tied[-1].startswith("the scores are no probabilities")


def test_digests_tell_content_and_not_more() -> None:
    truth, said = labels([0, 1]), guesses([[0], [1]])
    assert CLASSIFICATION.digest(truth) == CLASSIFICATION.digest(labels([0, 1], None))
    assert CLASSIFICATION.digest(truth) != CLASSIFICATION.digest(labels([1, 1]))
    assert CLASSIFICATION.digest(said) == CLASSIFICATION.digest(Guesses(said.guesses.copy(), remarks=("other",)))
    assert CLASSIFICATION.digest(said) != CLASSIFICATION.digest(guesses([[0], [2]]))


def test_no_submission_is_ranked_without_a_number() -> None:
    metric = (Metric("m", "lower", ""),)
    judges = [
        Means("abc", metric, np.array(values, np.float64)[:, None])
        for values in ([1, 1, 0], [np.nan] * 3, [0, 0, 0], [0, 0, 0])
    ]
    found = standings(["x", "nothing", "b", "a"], judges, draw(judges, 40), 0)
    assert [(one.name, one.rank) for one in found] == [("a", 1), ("b", 1), ("x", 1), ("nothing", None)]
    assert found[-1].value()["value"] is None
    json.dumps([one.value() for one in found], allow_nan=False)
    with pytest.raises(PredictionError, match="no metric 'n', but m"):
        metric_called(metric, "n")


def test_no_resamples_no_interval(tmp_path: Path, truth: Path) -> None:
    """An interval from the number to itself says that it is certain."""
    said = run("evaluate", guessed(tmp_path / "a.csv", 30), "--truth", truth, "--resamples", 0)
    assert said.startswith(
        "# 40 images; without intervals, which take --resamples\nmetric\tvalue\ntop-1 error\t0.250\n"
    )


def test_rows_without_ids_may_be_told_to_be_in_the_order_of_folders(tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("image,label\n" + "".join(f"{number:03d},{'abcdefghij'[number % 10]}\n" for number in range(100)))
    np.save(tmp_path / "rows.npy", np.repeat(np.arange(10), 10)[:, None])
    here = ("evaluate", tmp_path / "rows.npy", "--truth", truth, "--resamples", 0)
    wrong = run(*here)
    assert "top-1 error\t0.900\n" in wrong
    assert "in the order imagefolder, and not sorted: tell the order of rows, imagefolder" in wrong
    assert "top-1 error\t0.000\n" in run(*here, "--rows", "imagefolder")
    assert "does not go by rows without ids" in run(*here, "--rows", "sorted", "--task", "detection", expect=2)
