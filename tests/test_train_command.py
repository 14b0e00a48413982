"""holotype train: from a release to a run, by one process and by several, stopped and gone on with."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import holotype
from conftest import command, program, run
from holotype.releases import Fractions

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = pytest.mark.torch

from holotype.recognition.networks.models import create_model  # noqa: E402
from holotype.recognition.networks.weights import weights_digest  # noqa: E402

MODEL = "timm:test_convnext"
SMALL = ("--size", 48, "--epochs", 2, "--batch", 4, "--recipe", "ffcv16", "--device", "cpu", "--workers", 1)


@pytest.fixture(scope="module")
def project(labelled_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twelve labelled images, and a release of which ten are to be learned from."""
    folder = Path(shutil.copytree(labelled_once, tmp_path_factory.mktemp("trained") / "project"))
    with holotype.open(folder) as db:
        db.releases.create("v2", splits=Fractions(0.8, 0.2, 0.0), outvoted=True)
        db.releases.create("empty", splits=Fractions(0.0, 1.0, 0.0), outvoted=True)
    return folder


def weights(folder: Path) -> dict[str, Any]:
    return dict(create_model(str(folder)).module.state_dict())


def in_processes(*arguments: object) -> subprocess.CompletedProcess[str]:
    """What two processes say of a command that torchrun starts."""
    started = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "holotype"]
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [*started, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
    )


def test_a_release_is_trained_on_by_one_process_and_by_two(project: Path, tmp_path: Path) -> None:
    """They learn the same: each step is shown the same images, and gradients are their mean."""
    asked = ("train", MODEL, "--release", "v2", *SMALL, "-p", project)
    ended = command(*asked, "--out", tmp_path / "run")
    assert ended.code == 0, ended.stderr
    assert ended.stdout.startswith(f"{tmp_path / 'run'}: 2 epochs, top1 ")
    told = ended.stderr.splitlines()
    said = json.loads((tmp_path / "run/run.json").read_text())
    assert "images of 2 classes on cpu: 2 epochs of 2 steps, 4 images each" in told[0]
    assert told[0].endswith("learning rate 0.001953 (ffcv16)")
    assert [line.split(":")[0] for line in told[1:3]] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert said["source"]["release"] == "v2"
    assert len(said["source"]["sha256"]) == 64
    assert said["model"] == MODEL

    two = in_processes(*asked, "--out", tmp_path / "two")
    assert two.returncode == 0, two.stderr
    assert two.stdout.count("2 epochs, top1") == 1
    assert "2 processes" in two.stderr
    mine, theirs = weights(tmp_path / "run"), weights(tmp_path / "two")
    assert all(torch.allclose(value, theirs[name], atol=1e-6) for name, value in mine.items())
    logs = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("run", "two")
    ]
    assert [line["top1"] for line in logs[0]] == [line["top1"] for line in logs[1]]
    assert [line["loss"] for line in logs[0]] == pytest.approx([line["loss"] for line in logs[1]], abs=1e-6)


def test_a_run_that_is_told_to_end_is_kept_and_gone_on_with(project: Path, tmp_path: Path) -> None:
    asked = ["train", MODEL, "--release", "v2", *SMALL[:2], "--epochs", "3", *SMALL[4:], "-p", str(project)]
    process = subprocess.Popen(
        program(*asked, "--epochs", "5000", "--out", tmp_path / "run"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("epoch 1 of"):
            break
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    assert process.returncode == 75, said
    assert "to go on: --resume" in said
    assert not (tmp_path / "run/weights.safetensors").exists()
    told = run(*asked, "--epochs", "5000", "--out", tmp_path / "run", expect=2)
    assert f"there is a run in {tmp_path / 'run'} already; go on with it (--resume), or give another folder" in told
    told = run(*asked, "--epochs", "4", "--out", tmp_path / "run", "--resume", expect=2)
    assert "recipe.epochs was 5000, and is 4; begin this one in another folder: --out" in told


def test_what_comes_of_it_is_json_where_scripts_ask(project: Path, tmp_path: Path) -> None:
    asked = ("train", MODEL, "--release", "v2", *SMALL, "--out", tmp_path / "run", "-p", project, "--json")
    value = json.loads(run(*asked))
    assert value["finished"]
    assert (value["epoch"], value["steps"], value["damaged"]) == (2, 4, [])
    assert value["scores"].keys() == {"top1", "top5"}
    assert json.loads(run(*asked, "--resume")) == value


def test_the_rate_that_is_asked_for_is_that_of_the_batch_that_is(project: Path, tmp_path: Path) -> None:
    asked = ("train", MODEL, "--release", "v2", *SMALL, "--lr", "0.01", "--out", tmp_path / "run", "-p", project)
    assert "learning rate 0.01 (ffcv16)" in command(*asked, "--val", "").stderr
    said = json.loads((tmp_path / "run/run.json").read_text())
    assert said["recipe"]["lr"] == 0.01
    assert said["val"] is None


def test_weights_are_drawn_or_taken_from_another_run(project: Path, tmp_path: Path) -> None:
    asked = ("train", f"{MODEL}", "--release", "v2", *SMALL, "--epochs", "1", "-p", project)
    run(*asked, "--init", "he", "--out", tmp_path / "one")
    given = ("--weights", tmp_path / "one/weights.safetensors", "--freeze", "backbone")
    taken = command(*asked, *given, "--out", tmp_path / "two")
    assert taken.code == 0, taken.stderr
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert {name for name in one if not torch.equal(one[name], two[name])} <= {"head.fc.weight", "head.fc.bias"}
    with_both = ("--init", "he", "--weights", "pretrained", "--out", tmp_path / "three")
    assert "say one of them" in run(*asked, *with_both, expect=2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("resnet18", "--release", "v2", "--recipe", "resnet91"), "no recipe 'resnet91'"),
        (("resnet19", "--release", "v2"), "no network 'resnet19', but resnet18, resnet"),
        (("timm:test_convnet", "--release", "v2"), "no network 'timm:test_convnet', but timm:test_convnext"),
        (("resnet18",), "--release, or --dataset"),
        (("resnet18", "--release", "v2", "--dataset", "d"), "are two things: say one of them"),
        (("resnet18", "--release", "v9"), "v9"),
        (("resnet18", "--release", "empty", "--size", "32"), "there is no image to learn from"),
        (("resnet18", "--release", "v2", "--device", "cuda:77"), "there is no device 'cuda:77' here"),
        (("resnet18", "--release", "v2", "--epochs", "0"), "--epochs"),
        ((MODEL, "--release", "v2", "--size", "16"), "cannot be shown pictures of 16 pixels: Calculated padded"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    project: Path, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    said = run("train", *arguments, "--out", tmp_path / "run", "-p", project, expect=2)
    assert told in said
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_run_has_the_weights_of_a_file_where_one_is_named(project: Path, tmp_path: Path) -> None:
    for seed in (0, 1):
        run("train", MODEL, "--release", "v2", *SMALL, "--seed", seed, "--out", tmp_path / str(seed), "-p", project)
    one, other = str(tmp_path / "0"), str(tmp_path / "1")
    for file in ("weights.safetensors", "checkpoints/last.pt"):
        found = create_model(one, weights=f"{other}/{file}")
        assert found.classes == create_model(one).classes
        assert weights_digest(found.module) == weights_digest(create_model(other).module)
    asked = ("predict", one, "--release", "v2", "--out", tmp_path / "p.csv", "-p", project)
    assert "cannot read weights of nowhere.pt" in run(*asked, "--weights", "nowhere.pt", expect=2)
    assert "has its own weights, or those in a file, not 'pretrained'" in run(
        *asked, "--weights", "pretrained", expect=2
    )
    (tmp_path / "0/weights.safetensors").unlink()
    told = (
        f"is not over, and has no weights yet; go on with it (--resume), or name a checkpoint of it: --weights {one}/"
    )
    assert told in run(*asked, expect=2)
    assert f"--split val -p {project}" in run(*asked, "--weights", f"{one}/checkpoints/best.pt")


def test_it_is_told_where_nothing_is_scored_and_where_a_run_goes_on(project: Path, tmp_path: Path) -> None:
    asked = ("train", MODEL, "--release", "empty", *SMALL, "--split", "val", "--val", "train", "-p", project)
    said = command(*asked, "--out", tmp_path / "run")
    assert "there is no image to score, so that accuracy is not known" in said.stderr
    assert "goes on" not in said.stderr


def test_predictions_of_a_run_are_scored(project: Path, tmp_path: Path) -> None:
    run("train", MODEL, "--release", "v2", *SMALL, "--out", tmp_path / "run", "-p", project)
    guesses = tmp_path / "guesses.csv"
    run("predict", tmp_path / "run", "--release", "v2", "--out", guesses, "-p", project)
    scored = json.loads(run("evaluate", guesses, "--release", "v2", "--split", "val", "-p", project, "--json"))
    log = json.loads((tmp_path / "run/log.jsonl").read_text().splitlines()[-1])
    assert 1 - scored["metrics"]["top-1 error"]["value"] == pytest.approx(log["top1"])
