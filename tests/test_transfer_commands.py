"""holotype finetune and holotype probe: from a run, and a release, to other classes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import holotype
from conftest import command, run
from holotype.releases import Fractions

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("timm", exc_type=ImportError)
pytestmark = pytest.mark.torch

from holotype.recognition.networks.models import create_model  # noqa: E402

MODEL = "timm:test_convnext"
DOG, CAT = "n02091134", "n02121808"
TOPS = ("--classes", "n02084071", "--classes", "feline")
QUICK = ("--size", 48, "--epochs", 1, "--batch", 4, "--device", "cpu", "--workers", 1)


@pytest.fixture(scope="module")
def project(labelled_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight whippets and four cats, a release of which ten are to be learned from, and a network that knows both."""
    folder = Path(shutil.copytree(labelled_once, tmp_path_factory.mktemp("transfer") / "project"))
    with holotype.open(folder) as db:
        db.releases.create("v2", splits=Fractions(0.8, 0.2, 0.0), outvoted=True)
    run("train", MODEL, "--release", "v2", *QUICK, "--recipe", "ffcv16", "--out", folder / "base", "-p", folder)
    return folder


def finetune(project: Path, out: Path, *more: object, expect: int = 0) -> str:
    asked = ("finetune", project / "base", "--release", "v2", "--out", out, "-p", project)
    return run(*asked, *QUICK, *more, expect=expect)


def probe(project: Path, *more: object, expect: int = 0) -> str:
    asked = ("probe", project / "base", "--release", "v2", "--device", "cpu", "-p", project)
    return run(*asked, *more, expect=expect)


def scored_ids(project: Path) -> list[str]:
    """The images of val, by id."""
    with holotype.open(project) as db:
        return [str(one) for one in db.releases["v2"].samples("val").ids.to_pylist()]


def weights(folder: Path) -> dict[str, Any]:
    return dict(create_model(str(folder)).module.state_dict())


def test_a_run_learns_other_classes_and_its_backbone_stays(project: Path, tmp_path: Path) -> None:
    finetune(project, tmp_path / "run", *TOPS, "--freeze", "backbone", "--hierarchy", "marginal", "--decay", 0.2)
    about = json.loads((tmp_path / "run/run.json").read_text())
    assert about["classes"] == ["n02084071", "n02120997"]
    assert about["recipe"]["name"] == "finetune"
    assert about["freeze"] == "backbone"
    assert {"hierarchical": "marginal", "decay": "0.2"}.items() <= about["source"].items()
    before, after = weights(project / "base"), weights(tmp_path / "run")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"head.fc.weight", "head.fc.bias"}
    found = create_model(str(tmp_path / "run"))
    assert (found.classes, found.preprocessing.size) == (("n02084071", "n02120997"), 48)


def test_finer_classes_are_learned_and_summed_up(project: Path, tmp_path: Path) -> None:
    said = finetune(project, tmp_path / "run", *TOPS, "--max-class-size", 4)
    assert "finer classes summed up have an error of" in said
    assert "top-1 error" in said
    parts = json.loads((tmp_path / "run/partition.json").read_text())
    assert set(parts["synsets"]) == {DOG, CAT}
    assert json.loads((tmp_path / "run/run.json").read_text())["source"]["classes of at most"] == "4 images"
    summed = json.loads((tmp_path / "run/summed.json").read_text())
    assert {one["items"] for one in summed.values()} == {len(scored_ids(project))}
    told = json.loads(finetune(project, tmp_path / "again", "--max-class-size", 4, "--json"))
    assert told["finished"]
    assert not (tmp_path / "again/summed.json").exists()  # nobody said which classes to sum up to


def test_a_run_goes_on_only_with_what_it_was_taught(project: Path, tmp_path: Path) -> None:
    finetune(project, tmp_path / "run")
    assert "run" in finetune(project, tmp_path / "run", expect=2)
    assert "hierarchical" in finetune(project, tmp_path / "run", "--resume", "--hierarchy", "semantic", expect=2)
    assert "epoch" in finetune(project, tmp_path / "run", "--resume")


@pytest.mark.parametrize("by", ["linear", "knn"])
def test_features_are_probed(project: Path, tmp_path: Path, by: str) -> None:
    out = tmp_path / "guesses.csv"
    said = probe(project, "--by", by, "--out", out)
    assert "2 classes were learned with" in said
    assert "chosen by images held out" in said
    assert f"# {len(scored_ids(project))} images" in said
    scored = run("evaluate", out, "--release", "v2", "--split", "val", "-p", project)
    error = next(line for line in said.splitlines() if line.startswith("top-1 error"))
    assert error in scored
    told = json.loads(probe(project, "--by", by, "--choose-by", "val", "--json", *TOPS, "--max-class-size", 4))
    assert told["classes"] == 2
    assert told["setting"] in told["settings"]
    assert {"result", "result of the likeliest class alone"} < told.keys()


def test_a_damaged_image_is_a_miss(project: Path, tmp_path: Path) -> None:
    there = Path(shutil.copytree(project, tmp_path / "project"))
    for shard in sorted((there / "releases/v2").glob("val-*.tar")):
        data = bytearray(shard.read_bytes())
        data[700:760] = bytes(60)  # within the first image
        shard.write_bytes(bytes(data))
    out = tmp_path / "scores.npz"
    asked = ("probe", there / "base", "--release", there / "releases/v2", "--device", "cpu", "-p", there)
    run(*asked, "--by", "knn", "--out", out)
    with np.load(out) as held:
        assert held["images"].tolist() == sorted(scored_ids(project))
        assert (held["probs"] == 0.5).all(axis=1).sum() == 1


def test_what_is_asked_is_checked(project: Path, tmp_path: Path) -> None:
    assert "say which" in probe(project, "--max-class-size", 4, expect=2)
    assert ".csv of guesses or an .npz" in probe(project, "--out", tmp_path / "p.txt", expect=2)
    assert "several of the classes" in probe(project, "--classes", "n02084071", "--classes", DOG, expect=2)
    assert "two classes" in probe(project, "--classes", "n02084071", expect=2)
    assert "no synset is called" in probe(project, "--classes", "zzzz", expect=2)
    assert "two classes" in finetune(project, tmp_path / "run", "--classes", "n02084071", expect=2)
    assert command("finetune", "nonsense", "--release", "v2", "--out", tmp_path, "-p", project).code == 2
    assert not (tmp_path / "run").exists()
