"""The commands that learn from pictures alone, from a release to pictures that were made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import holotype
from conftest import command, encoded, photo
from holotype.releases import Fractions

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("diffusers", exc_type=ImportError)
pytestmark = pytest.mark.torch

SHORT = ("--epochs", 1, "--batch", 4, "--device", "cpu", "--workers", 1)
WHIPPET, CAT = "n02091134", "n02121808"


@pytest.fixture(scope="module")
def project(labelled_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twelve labelled images, and a release of which some are held out."""
    folder = Path(shutil.copytree(labelled_once, tmp_path_factory.mktemp("learned") / "project"))
    with holotype.open(folder) as db:
        db.releases.create("v2", splits=Fractions(0.6, 0.4, 0.0), outvoted=True)
    return folder


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_a_network_learns_without_labels(project: Path, tmp_path: Path) -> None:
    asked = ("contrast", "timm:test_resnet", "--release", "v2", *SHORT, "--size", 32, "-p", project)
    ended = command(*asked, "--momentum", 0.9, "--out", tmp_path / "run")
    assert ended.code == 0, ended.stderr
    assert "queue 65,536 becomes 4" in ended.stderr
    assert "contrast: epoch 1 of 1: loss" in ended.stderr
    assert ended.stdout.startswith(f"{tmp_path / 'run'}: 1 epoch, retrieval ")
    said = json.loads((tmp_path / "run/run.json").read_text())
    assert (said["model"], said["classes"], said["source"]["release"]) == ("timm:test_resnet", [], "v2")
    assert (said["recipe"]["momentum"], said["recipe"]["batch_size"]) == (0.9, 4)
    assert command(*asked, "--out", tmp_path / "run").code == 2
    refused = command(*asked, "--recipe", "moco-v3", "--queue", 9, "--out", tmp_path / "other")
    assert refused.code == 2
    assert "has no --queue" in refused.stderr


def test_pictures_are_enlarged(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    ended = command("upscale", "fit", "--release", "v2", *SHORT, "--scale", 2, "--out", out, "-p", project)
    assert ended.code == 0, ended.stderr
    assert "dB over bicubic interpolation" in ended.stdout
    (tmp_path / "grün.jpg").write_bytes(encoded(photo(1, 20, 30).convert("CMYK")))
    (tmp_path / "grey.png").write_bytes(encoded(photo(1, 21, 9).convert("LA"), "PNG"))
    run = ("upscale", "run", out, tmp_path / "grün.jpg", tmp_path / "grey.png", "--out", tmp_path / "large")
    assert command(*run, "--device", "cpu").stdout == f"2 images enlarged 2 times: {tmp_path / 'large'}\n"
    assert [size(tmp_path / "large" / name) for name in ("grün.png", "grey.png")] == [(40, 60), (42, 18)]
    again = command(*run)
    assert again.code == 2
    assert "is there already" in again.stderr
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    assert "cannot be enlarged" in command("upscale", "run", out, tmp_path / "bad.jpg", "--out", tmp_path).stderr
    scored = command("upscale", "score", out, "--release", "v2", "--json", "-p", project)
    value = json.loads(scored.stdout)
    assert value["images"] + value["left_out"] == len(value["each"]) + value["left_out"] > 0
    assert "bicubic interpolation" in command("upscale", "score", out, "--release", "v2", "-p", project).stdout


def test_pictures_are_generated(project: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    ended = command("generate", "fit", "--release", "v2", *SHORT, "--out", out, "-p", project)
    assert ended.code == 0, ended.stderr
    assert "autoencoder: epoch 1 of 1: loss" in ended.stderr
    assert ended.stdout.startswith(f"{out}: 2 classes, error of the noise ")
    run = ("generate", "run", out, "--count", 2, "--steps", 2, "--device", "cpu", "-p", project)
    made = command(*run, "--synset", "carnivore", "--out", tmp_path / "all")
    assert made.code == 0, made.stderr
    assert made.stdout == f"4 pictures of 2 classes: {tmp_path / 'all'}\n"
    paths = sorted(path.relative_to(tmp_path / "all").as_posix() for path in (tmp_path / "all").rglob("*.png"))
    assert paths == [f"{WHIPPET}/0-0000{n}.png" for n in (0, 1)] + [f"{CAT}/0-0000{n}.png" for n in (2, 3)]
    assert size(tmp_path / "all" / paths[0]) == (32, 32)
    assert "1 class:" in command(*run, "--synset", CAT, "--out", tmp_path / "cats").stdout
    assert "is there already" in command(*run, "--synset", CAT, "--out", tmp_path / "cats").stderr
    assert "no class of this generator is" in command(*run, "--synset", "n01503061", "--out", tmp_path / "birds").stderr
    scored = command(
        *("generate", "score", out, "timm:test_resnet", "--release", "v2", "--weights", out / "none.safetensors"),
        *("--steps", 2, "-p", project),
    )
    assert "cannot read weights" in scored.stderr
