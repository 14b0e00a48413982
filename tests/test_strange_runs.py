"""Folders of runs, weights and checkpoints that strangers made, or that somebody spoiled: refused, never believed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import command, encoded, photo
from holotype.errors import Diverged, OtherRun, RecognitionError, RunExists
from holotype.recognition.enlarging import Enlarging
from holotype.recognition.runs import RUN, WEIGHTS, is_run

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = pytest.mark.torch

from holotype.recognition.networks.checkpoints import read_checkpoint  # noqa: E402
from holotype.recognition.networks.embedding import NetworkEmbedder  # noqa: E402
from holotype.recognition.networks.models import create_model  # noqa: E402
from holotype.recognition.networks.predicting import predict  # noqa: E402
from holotype.recognition.networks.running import At, Plan, run  # noqa: E402
from holotype.recognition.networks.super_resolution import SRCNN, score  # noqa: E402
from holotype.recognition.networks.training import train  # noqa: E402
from holotype.recognition.networks.weights import write_weights  # noqa: E402
from test_loader import in_folder  # noqa: E402
from tiny_networks import RECIPE, WNIDS, coloured, tiny  # noqa: E402

SHOWN = {"size": 32, "resize": 36, "interpolation": "bilinear", "mean": [0.5] * 3, "std": [0.5] * 3}
SAID = {"format": 1, "model": "mobilenet_v3_small", "classes": list(WNIDS[:2]), "preprocessing": SHOWN}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a network of two classes."""
    made = tmp_path_factory.mktemp("strange") / "run"
    made.mkdir()
    (made / RUN).write_text(json.dumps(SAID))
    write_weights(create_model(str(SAID["model"]), WNIDS[:2]).module, made / WEIGHTS)
    return made


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        json.dumps({**SAID, "classes": "ab"}),
        json.dumps({**SAID, "classes": ["a", "a"]}),
        json.dumps({**SAID, "classes": [["a"], None]}),
        json.dumps({**SAID, "preprocessing": {**SHOWN, "size": 1e999}}),
        json.dumps({**SAID, "preprocessing": {**SHOWN, "resize": 10**9}}),
        json.dumps({**SAID, "preprocessing": {**SHOWN, "std": [0, 0, 0]}}),
        json.dumps({**SAID, "preprocessing": {**SHOWN, "mean": [float("nan")] * 3}}),
    ],
)
def test_a_description_that_cannot_be_is_refused(folder: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / WEIGHTS).symlink_to(folder / WEIGHTS)
    (tmp_path / RUN).write_text(text)
    with pytest.raises(RecognitionError, match="no description of a run"):
        create_model(str(tmp_path))


@pytest.mark.parametrize("name", ["a" * 300, "efficientnet_lite" + "1" * 5_000, "efficientnet_lite\u0663"])
def test_names_that_no_file_can_have_are_of_no_network(name: str) -> None:
    assert not is_run(name)
    with pytest.raises(RecognitionError, match="there is no network"):
        create_model(name)


def test_a_run_is_asked_with_the_weights_that_are_given(folder: Path, tmp_path: Path) -> None:
    """And not, without a word, with its own."""
    other = create_model(str(SAID["model"]), WNIDS[:2], seed=7)
    write_weights(other.module, tmp_path / "other.safetensors")
    found = create_model(str(folder), weights=str(tmp_path / "other.safetensors"))
    assert torch.equal(found.head.weight, other.head.weight)
    assert found.classes == WNIDS[:2]
    with pytest.raises(RecognitionError, match="has its own weights"):
        create_model(str(folder), weights="pretrained")


def test_weights_that_are_no_numbers_are_refused(folder: Path, tmp_path: Path) -> None:
    """Else every image would be of the first five classes."""
    network = create_model(str(folder))
    with torch.no_grad():
        network.head.bias[0] = torch.nan
    write_weights(network.module, tmp_path / "nan.safetensors")
    with pytest.raises(RecognitionError, match="no numbers"):
        create_model(str(SAID["model"]), weights=str(tmp_path / "nan.safetensors"))


@pytest.mark.parametrize(
    "held",
    [
        {"job": None},
        {"job": {}},
        {"job": {"weights": {}}},
        {"job": {"weights": 3, "classes": []}},
        {"job": {"weights": {}, "classes": ["a", "b", "c"]}},
        {"classifier.3.weight": 3},
        {"classifier.3.weight": torch.zeros(())},
    ],
)
def test_a_checkpoint_of_a_stranger_is_no_network(tmp_path: Path, held: Any) -> None:
    torch.save(held, tmp_path / "strange.pt")
    with pytest.raises(RecognitionError):
        create_model("mobilenet_v3_small", weights=str(tmp_path / "strange.pt"))


def test_a_network_that_says_no_numbers_guesses_nothing(tmp_path: Path) -> None:
    samples, network = coloured(tmp_path / "images", 4), tiny()
    with torch.no_grad():
        network.head.weight.fill_(3e38)
    with pytest.raises(RecognitionError, match=r"what tiny says of 000\.jpg is no number"):
        predict(network, samples, device="cpu")


def test_a_run_whose_checkpoints_are_gone_is_not_written_over(tmp_path: Path) -> None:
    samples = coloured(tmp_path / "images", 8)
    short = replace(RECIPE, epochs=1)
    train(samples, tiny(), short, tmp_path / "run", device="cpu", workers=1)
    for path in (tmp_path / "run/checkpoints").iterdir():
        path.unlink()
    kept = {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()}
    for resume in (False, True):
        with pytest.raises(RunExists):
            train(samples, tiny(seed=1), short, tmp_path / "run", device="cpu", workers=1, resume=resume)
    assert {path.name: path.read_bytes() for path in (tmp_path / "run").iterdir() if path.is_file()} == kept


class Spoiled:
    """A job whose loss is a number, and whose weights are none after their second step."""

    def __init__(self) -> None:
        self.weight = torch.zeros(2)

    def steps(self, epoch: int) -> int:  # noqa: ARG002
        return 1

    def batches(self, epoch: int, first: int) -> list[int]:
        return [epoch][first:]

    def step(self, batch: int, at: At) -> dict[str, Any]:  # noqa: ARG002
        self.weight = torch.full((2,), torch.inf if batch else 1.0)
        return {"loss": torch.zeros(())}

    def scored(self, epoch: int) -> dict[str, float]:  # noqa: ARG002
        return {}

    def state(self) -> dict[str, Any]:
        return {"weights": [{"weight": self.weight}]}

    def load(self, state: Any) -> None:
        (held,) = state["weights"]
        self.weight = held["weight"]


def test_weights_that_a_step_spoiled_are_not_kept(tmp_path: Path) -> None:
    """Its loss and its gradient were numbers: what it made of the weights nobody had looked at."""
    job = Spoiled()
    with pytest.raises(Diverged, match=r"the last good checkpoint is .*last\.pt"):
        run(job, Plan(2), tmp_path, {})
    kept = read_checkpoint(tmp_path)
    assert kept is not None
    job.load(kept["job"])
    assert job.weight.tolist() == [1, 1]


def test_nothing_is_learned_from_images_that_are_all_damaged(tmp_path: Path) -> None:
    samples = coloured(tmp_path / "images", 8, damaged=tuple(range(8)))
    with pytest.raises(RecognitionError, match="none of 8 images is sound"):
        train(samples, tiny(), RECIPE, tmp_path / "run", device="cpu", workers=1)


@pytest.mark.parametrize(
    "held", [{}, {"course": 3}, {"course": {"at": [0, 0, 0], "best": 0.0, "sums": {}, "lines": "[]"}, "job": {}}]
)
def test_a_checkpoint_of_something_else_is_not_gone_on_with(tmp_path: Path, held: Any) -> None:
    samples = coloured(tmp_path / "images", 8)
    short = replace(RECIPE, epochs=1)
    train(samples, tiny(), short, tmp_path / "run", device="cpu", workers=1)
    (tmp_path / "run/checkpoints/before.pt").unlink(missing_ok=True)
    torch.save({"format": 1, **held}, tmp_path / "run/checkpoints/last.pt")
    with pytest.raises(RecognitionError, match="of something else"):
        train(samples, tiny(), short, tmp_path / "run", device="cpu", workers=1, resume=True)
    (tmp_path / "run" / RUN).write_text("3")
    with pytest.raises(RecognitionError, match="no description of a run"):
        train(samples, tiny(), short, tmp_path / "run", device="cpu", workers=1, resume=True)


def test_a_detector_of_a_stranger_is_refused(tmp_path: Path) -> None:
    from holotype.recognition.networks.detectors import read_detector
    from holotype.recognition.networks.region_detector import HEAD, read_rcnn

    network = create_model("mobilenet_v3_small", WNIDS[:2])
    write_weights(network.module, tmp_path / WEIGHTS)
    looking = {"mode": "fast", "limit": 100, "size": 32}
    said = {**SAID, "job": "rcnn", "outputs": 2, "looking": looking}
    shapes = {"weights": (network.width, 2), "biases": (2,), "shifts": (network.width + 1, 2, 4)}
    good: dict[str, Any] = {name: np.zeros(shape) for name, shape in shapes.items()}

    def refused(said: Any, head: Any) -> None:
        (tmp_path / RUN).write_text(json.dumps(said))
        np.savez(tmp_path / HEAD, **head)
        with pytest.raises(RecognitionError):
            read_rcnn(tmp_path, "cpu")

    for wrong in ({"mode": "none"}, {"limit": "x"}, {"size": 10**9}, {"more": 1}):
        refused({**said, "looking": {**looking, **wrong}}, good)
    refused(said, good | {"biases": np.full(2, np.nan)})
    refused(said, good | {"shifts": np.zeros((2, 2, 4))})
    refused(said, good | {"weights": np.zeros((network.width, 2), object)})
    np.savez(tmp_path / HEAD, **good)
    assert read_rcnn(tmp_path, "cpu").classes == WNIDS[:2]
    (tmp_path / RUN).write_text(json.dumps({**SAID, "job": "detector", "model": "ssd300_vgg16", "size": "x"}))
    with pytest.raises(RecognitionError, match="is damaged"):
        read_detector(tmp_path, "cpu")


def test_a_class_of_a_stranger_writes_nowhere_else(folder: Path, tmp_path: Path) -> None:
    run_, out = tmp_path / "stranger", tmp_path / "deep/er/out"
    run_.mkdir()
    (run_ / WEIGHTS).symlink_to(folder / WEIGHTS)
    (run_ / RUN).write_text(json.dumps({**SAID, "classes": ["/../../evil", "/../../../evil"]}))
    coloured(tmp_path / "images", 2)
    image = next((tmp_path / "images").rglob("*.jpg"))
    made = command("explain", run_, image, "--target", "auto", "--out", out, "--device", "cpu", "-p", tmp_path)
    assert made.code == 0, made.stderr
    assert [path.parent for path in tmp_path.rglob("*.png")] == [out]


def test_what_embeddings_were_made_from_is_found_from_any_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    found = NetworkEmbedder.of(tiny(), "resnet18", WEIGHTS)
    assert found.source == {"network": "resnet18", "weights": str(folder / WEIGHTS)}
    monkeypatch.chdir(tmp_path)
    assert NetworkEmbedder.of(tiny(), "resnet18", "pretrained").source["weights"] == "pretrained"


def test_pictures_of_one_colour_do_not_score_what_enlarges(tmp_path: Path) -> None:
    """Interpolation makes them again without an error: nothing is ahead of that, and a mean with it is no number."""
    files = {"flat.png": encoded(Image.new("RGB", (60, 60), (9, 9, 9)), "PNG"), "photo.jpg": encoded(photo(1, 60, 60))}
    found = score(SRCNN(Enlarging()), in_folder(tmp_path / "images", files, [0, 1], 2), "cpu")
    assert [one.id for one in found] == ["photo.jpg"]
    assert np.isfinite(found[0].gain)


def test_an_autoencoder_that_is_used_is_not_written_over(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    from holotype.recognition.generating import Autoencoder, Diffusion, Generating
    from holotype.recognition.networks.autoencoding import FILE, new_autoencoder, write_model
    from holotype.recognition.networks.generation import learn_to_generate

    halves = Autoencoder((8, 8)), Diffusion((8,), (False,), epochs=1, batch_size=8)
    asked, samples = Generating(8, *halves), coloured(tmp_path / "images", 8)
    for seed in range(2):
        write_model(new_autoencoder(asked.autoencoder, 8, seed), tmp_path / str(seed))
    out = tmp_path / "run"
    learn_to_generate(samples, asked, out, autoencoder=str(tmp_path / "0"), device="cpu", workers=1)
    kept = (out / "autoencoder" / FILE).read_bytes()
    for resume in (False, True):
        with pytest.raises(OtherRun):
            learn_to_generate(
                samples, asked, out, autoencoder=str(tmp_path / "1"), device="cpu", workers=1, resume=resume
            )
    assert (out / "autoencoder" / FILE).read_bytes() == kept
