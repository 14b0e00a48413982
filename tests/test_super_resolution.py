"""A network that enlarges pictures; left out where PyTorch is not installed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import encoded, photo
from holotype.errors import OtherRun, RecognitionError
from holotype.recognition.enlarging import Enlarging, enlarged, luminance, psnr, shrunk
from holotype.recognition.preprocessing import rgb
from learned import after, digest, edged, exactly, losses, photographs

torch: Any = pytest.importorskip("torch", exc_type=ImportError)
pytestmark = pytest.mark.torch

SMALL = Enlarging(widths=(8, 4), patch=18, batch_size=4, epochs=3)
PIXELS = rgb(encoded(photo(3, 60, 45), "PNG"))


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with exactly(torch):
        yield


def learn(samples: Any, out: Path, asked: Enlarging = SMALL, **more: Any) -> Any:
    from holotype.recognition.networks.enlarging_job import learn_to_enlarge

    return learn_to_enlarge(samples, asked, out, device="cpu", workers=2, **more)


def test_a_residual_network_begins_near_interpolation() -> None:
    from holotype.recognition.networks.super_resolution import SRCNN, upscaled

    networks = [SRCNN(Enlarging(residual=residual)) for residual in (True, False)]
    apart = [np.abs(upscaled(one, PIXELS, "cpu").astype(int) - enlarged(PIXELS, 3)).mean() for one in networks]
    assert apart[0] < 8
    assert apart[1] > 5 * apart[0]


def test_pairs_are_those_that_pillow_makes() -> None:
    """Where a picture is shrunk in PyTorch to learn from, and by Pillow to be scored."""
    from holotype.recognition.networks.enlarging_job import pair

    pixels = PIXELS[:42, :42]
    given, wanted = (one[0, 0].numpy() * 255 for one in pair(torch.from_numpy(pixels.copy())[None], 3))
    assert np.allclose(wanted, luminance(pixels), atol=1e-3)
    assert np.abs(given - luminance(enlarged(shrunk(pixels, 3), 3))).max() < 3
    assert np.abs(given - luminance(enlarged(shrunk(pixels, 3), 3))).mean() < 0.2


def test_strips_fit_together() -> None:
    from holotype.recognition.networks.super_resolution import SRCNN, upscaled

    network = SRCNN(Enlarging(2, residual=False), seed=3)
    whole = upscaled(network, PIXELS, "cpu")
    assert whole.shape == (2 * PIXELS.shape[0], 2 * PIXELS.shape[1], 3)
    for strip in (1, 500, 3000):
        assert np.abs(upscaled(network, PIXELS, "cpu", strip).astype(int) - whole).max() <= 1
    assert upscaled(network, PIXELS[:1, :1], "cpu").shape == (2, 2, 3)


def test_it_learns_what_interpolation_lacks(tmp_path: Path) -> None:
    from holotype.recognition.networks.super_resolution import enlarger, score, upscaled

    samples = edged(tmp_path / "train", 24)
    held_out = edged(tmp_path / "val", 30).take(np.arange(24, 30))
    held, told = losses()
    found = learn(samples, tmp_path / "run", replace(SMALL, widths=(16, 8), epochs=30), held_out=held_out, told=told)
    assert found.ran.finished
    assert len(held) == 30 * 6
    scores = score(found.network, held_out, "cpu")
    assert len(scores) == 6
    assert all(one.gain > 0 for one in scores)
    lines = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    assert lines[-1]["gain_db"] == pytest.approx(np.mean([one.gain for one in scores]), abs=1e-6)
    again = enlarger(tmp_path / "run")
    assert (upscaled(again, PIXELS, "cpu") == upscaled(found.network, PIXELS, "cpu")).all()
    pixels = rgb(held_out.read(0))
    truth = luminance(pixels)
    made = luminance(upscaled(again, shrunk(pixels, 3), "cpu"))
    assert scores[0].network == psnr(made, truth, 6)


def test_a_run_that_was_stopped_goes_on_exactly(tmp_path: Path) -> None:
    samples = photographs(tmp_path / "files", 10, damaged=(3,))
    whole = learn(samples, tmp_path / "whole")
    assert [one.id for one in whole.damaged] == ["003.jpg"]
    assert not learn(samples, tmp_path / "parts", stopping=after(3)).ran.finished
    assert not (tmp_path / "parts/weights.safetensors").exists()
    assert learn(samples, tmp_path / "parts", resume=True).ran.finished
    assert digest(tmp_path / "parts") == digest(tmp_path / "whole")
    with pytest.raises(OtherRun, match="asked.scale was 3, and is 2"):
        learn(samples, tmp_path / "whole", replace(SMALL, scale=2), resume=True)
    with pytest.raises(OtherRun, match="samples"):
        learn(samples.take(np.arange(8)), tmp_path / "whole", resume=True)


def test_little_to_learn_from(tmp_path: Path) -> None:
    one = photographs(tmp_path / "one", 1)
    assert learn(one, tmp_path / "run", replace(SMALL, epochs=1)).ran.finished
    with pytest.raises(RecognitionError, match="0 images are too few"):
        learn(one.take(np.arange(0)), tmp_path / "none")
    with pytest.raises(RecognitionError, match=r"too few images of a batch are sound: 000\.jpg"):
        learn(photographs(tmp_path / "bad", 1, damaged=(0,)), tmp_path / "lost")


def test_what_is_no_such_run_is_refused(tmp_path: Path) -> None:
    from holotype.recognition.networks.super_resolution import enlarger

    with pytest.raises(RecognitionError, match="there is no run"):
        enlarger(tmp_path)
    learn(photographs(tmp_path / "files", 4), tmp_path / "run", replace(SMALL, epochs=1))
    said = json.loads((tmp_path / "run/run.json").read_text())
    (tmp_path / "run/run.json").write_text(json.dumps(said | {"model": "resnet18"}))
    with pytest.raises(RecognitionError, match="its network is resnet18"):
        enlarger(tmp_path / "run")
    (tmp_path / "run/run.json").write_text(json.dumps(said | {"asked": {"scale": 7}}))
    with pytest.raises(RecognitionError, match="is of no network that enlarges"):
        enlarger(tmp_path / "run")
    (tmp_path / "run/run.json").write_text(json.dumps(said))
    (tmp_path / "run/weights.safetensors").write_bytes(b"cut short")
    with pytest.raises(RecognitionError, match="cannot read weights"):
        enlarger(tmp_path / "run")


def test_real_photographs_are_enlarged_better_than_by_interpolation(shared: Path, tmp_path: Path) -> None:
    import real_images
    from holotype.recognition.networks.super_resolution import score

    train, val = real_images.images("train"), real_images.images("val")
    found = learn(train.take(np.arange(0, 500, 5)), tmp_path / "run", Enlarging(epochs=12, batch_size=8))
    scores = score(found.network, val.take(np.arange(0, 500, 50)), "cpu")
    assert len(scores) == 10
    assert all(one.gain > 0 for one in scores)
    assert np.mean([one.gain for one in scores]) > 0.15
