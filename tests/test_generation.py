"""Pictures of synsets by latent diffusion; left out where PyTorch or diffusers is not installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import encoded
from holotype.errors import OtherRun, RecognitionError
from holotype.recognition.generating import Autoencoder, Diffusion, Generating, frechet_distance
from holotype.releases.loaders import Samples
from learned import after, digest, exactly, photographs
from test_loader import in_folder

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytest.importorskip("diffusers", exc_type=ImportError)
pytestmark = pytest.mark.torch

TINY = Generating(
    16,
    Autoencoder((8, 16), batch_size=8, epochs=2),
    Diffusion((16, 32), (False, True), batch_size=8, epochs=2),
)
LEARNING = Generating(
    16,
    Autoencoder((8, 16), batch_size=16, epochs=30, lr=4e-3),
    Diffusion((16, 32), (False, True), batch_size=16, epochs=45, lr=2e-3, ema=0.97),
)
WARM, COLD = "n00000000", "n00000001"


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with exactly(torch):
        yield


def learn(samples: Samples, out: Path, asked: Generating = TINY, **more: Any) -> Any:
    from holotype.recognition.networks.generation import learn_to_generate

    return learn_to_generate(samples, asked, out, device="cpu", workers=2, **more)


def generator(out: Path) -> Any:
    from holotype.recognition.networks.generators import Generator

    return Generator(out, "cpu")


def coloured(folder: Path, count: int) -> Samples:
    """Pictures of one colour, darker to one side: warm ones, and cold ones."""
    drawn, files = np.random.default_rng(7), {}
    for number in range(count):
        colour = drawn.uniform((180, 40, 20), (250, 120, 80))[:: 1 if number % 2 == 0 else -1]
        shade = np.linspace(drawn.uniform(0.5, 1), 1, 24)[:, None, None]
        pixels = (np.ones((24, 24, 3)) * shade * colour).clip(0, 255).astype(np.uint8)
        files[f"{number:03}.png"] = encoded(Image.fromarray(pixels), "PNG")
    return in_folder(folder, files, [number % 2 for number in range(count)], 2)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generator of warm and of cold pictures."""
    folder = tmp_path_factory.mktemp("generator")
    samples = coloured(folder / "files", 80)
    with exactly(torch):
        found = learn(samples.take(np.arange(64)), folder / "run", LEARNING, held_out=samples.take(np.arange(64, 80)))
    assert found.finished
    return folder / "run"


def test_the_noise_in_pictures_that_were_held_out_is_found(learned: Path) -> None:
    lines = [json.loads(line) for line in (learned / "log.jsonl").read_text().splitlines()]
    assert len(lines) == 45
    assert lines[-1]["error"] < 0.4
    assert lines[-1]["error"] < lines[0]["error"] / 2
    first = [json.loads(line) for line in (learned / "autoencoder/log.jsonl").read_text().splitlines()]
    assert first[-1]["psnr_db"] > 18


def test_pictures_are_of_the_class_that_is_asked_for(learned: Path) -> None:
    found = generator(learned)
    assert found.classes == (WARM, COLD)
    made = found.sample([WARM, COLD] * 16, steps=20, guidance=3)
    assert made.shape == (32, 16, 16, 3)
    warmth = made[..., 0].mean((1, 2)) - made[..., 2].mean((1, 2))
    assert warmth[::2].mean() > warmth[1::2].mean() + 50
    assert np.mean((warmth > 0) == [True, False] * 16) > 0.6


def test_they_are_nearer_to_real_ones_than_noise_is(learned: Path, tmp_path: Path) -> None:
    from holotype.recognition.preprocessing import rgb

    real = coloured(tmp_path / "files", 40)
    pixels = np.stack([np.asarray(Image.fromarray(rgb(real.read(at))).resize((2, 2))) for at in range(40)])
    found = generator(learned)
    made, noise = (
        np.stack([np.asarray(Image.fromarray(one).resize((2, 2))) for one in pictures])
        for pictures in (found.sample([WARM, COLD] * 20, steps=20), found.unlearned(40))
    )
    real_rows, made_rows, noise_rows = (one.reshape(40, -1) / 255 for one in (pixels, made, noise))
    assert frechet_distance(made_rows, real_rows) < 0.6 * frechet_distance(noise_rows, real_rows)


def test_a_picture_is_the_same_whatever_others_are_made(learned: Path) -> None:
    found = generator(learned)
    four = found.sample([WARM, COLD, WARM, WARM], steps=3)
    apart = np.abs(found.sample([WARM, COLD, WARM, WARM], steps=3, batch_size=1).astype(int) - four)
    assert apart.max() <= 1
    assert np.abs(found.sample([WARM], steps=3, first=3).astype(int) - four[3:]).max() <= 1
    assert (found.sample([WARM], steps=3, seed=1) != four[:1]).any()
    assert (found.sample([WARM], steps=3, guidance=1) != four[:1]).any()
    assert found.sample([], steps=3).shape == (0, 16, 16, 3)


def test_what_cannot_be_made_is_refused(learned: Path, tmp_path: Path) -> None:
    found = generator(learned)
    with pytest.raises(RecognitionError, match="n00000009 is none of the 2 classes"):
        found.sample(["n00000009"])
    with pytest.raises(RecognitionError, match="it takes from 1 to 1,000 steps, not 0"):
        found.sample([WARM], steps=0)
    with pytest.raises(RecognitionError, match="autoencoder-kl, which generates no pictures"):
        generator(learned / "autoencoder")
    with pytest.raises(RecognitionError, match="there is no run"):
        generator(tmp_path)


def test_diffusers_reads_what_was_learned(learned: Path) -> None:
    import diffusers

    unet = diffusers.UNet2DModel.from_pretrained(str(learned / "unet"))
    assert unet.config.num_class_embeds == 3
    assert diffusers.AutoencoderKL.from_pretrained(str(learned / "autoencoder")).config.latent_channels == 4


@pytest.mark.parametrize("steps", [3, 9])
def test_a_run_that_was_stopped_in_either_half_goes_on_exactly(tmp_path: Path, steps: int) -> None:
    samples = photographs(tmp_path / "files", 17, damaged=(3,))
    whole = learn(samples, tmp_path / "whole")
    assert whole.finished
    assert [one.id for one in whole.damaged] == ["003.jpg"]
    from holotype.recognition.networks.generation import Watching

    first = learn(samples, tmp_path / "parts", watching=Watching(stopping=after(steps)))
    assert not first.finished
    assert learn(samples, tmp_path / "parts", resume=True).finished
    assert digest(tmp_path / "parts") == digest(tmp_path / "whole")
    assert (tmp_path / "parts/sampler.json").read_text() == (tmp_path / "whole/sampler.json").read_text()
    with pytest.raises(OtherRun, match="asked.lr"):
        learn(samples, tmp_path / "whole", replace(TINY, autoencoder=replace(TINY.autoencoder, lr=1.0)), resume=True)


def test_an_autoencoder_may_be_given(learned: Path, tmp_path: Path) -> None:
    samples = photographs(tmp_path / "files", 8, classes=1)
    found = learn(samples, tmp_path / "run", autoencoder=str(learned / "autoencoder"))
    assert found.autoencoder is None
    assert found.finished
    assert digest(tmp_path / "run/autoencoder") == digest(learned / "autoencoder")
    assert generator(tmp_path / "run").sample([WARM], steps=2).shape == (1, 16, 16, 3)
    with pytest.raises(RecognitionError, match="there is no autoencoder in"):
        learn(samples, tmp_path / "other", autoencoder=str(tmp_path / "nowhere"))


def test_classes_are_those_that_images_are_of(tmp_path: Path) -> None:
    samples = photographs(tmp_path / "files", 12, classes=3)
    some = samples.take(np.flatnonzero(samples.labels != 1))
    found = learn(some, tmp_path / "run", held_out=samples)
    assert found.classes == generator(tmp_path / "run").classes == ("n00000000", "n00000002")
    assert found.diffusion.scores["error"] > 0
    alone = learn(some, tmp_path / "alone", held_out=samples.take(np.flatnonzero(samples.labels == 1)))
    assert "error" not in alone.diffusion.scores
    assert alone.autoencoder.scores["psnr_db"] > 0


def test_little_to_learn_from(tmp_path: Path) -> None:
    assert learn(photographs(tmp_path / "one", 1, classes=1), tmp_path / "run").finished
    with pytest.raises(RecognitionError, match="0 images are too few"):
        learn(photographs(tmp_path / "two", 2).take(np.arange(0)), tmp_path / "none")
    with pytest.raises(RecognitionError, match="too few images of a batch are sound"):
        learn(photographs(tmp_path / "bad", 2, damaged=(0, 1)), tmp_path / "lost")
